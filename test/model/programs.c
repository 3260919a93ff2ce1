/* How many programs a network needs: each set of macros is a compilation of its own, 0.3 s and more on PoCL before
 * the first answer, so kernels have to share them. */
#include <oclnn/oclnn.h>
#include <oclnn/zoo.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SKIP = 77 };

static oclnn_context *ctx;

/* Networks of few kinds of layers: one program for the convolutions with all that is fused behind them, one more where
 * two kernels mean different things by a macro (processors: 1, 2, 2), and one for devices with other kernels. */
static const struct {
    const char *name;
    int most;
} caps[] = {{"squeezenet", 3}, {"mobilenet-v2", 3}, {"resnet50", 3}};

static void few_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        oclnn_graph *graph = NULL;
        oclnn_model *net = NULL;
        struct oclnn_plan_info plan;
        assert_int_equal(oclnn_graph_create(NULL, &graph), OCLNN_OK);
        assert_int_equal(oclnn_zoo_build(caps[i].name, graph, NULL), OCLNN_OK);
        assert_int_equal(oclnn_model_create(ctx, &graph, NULL, &net), OCLNN_OK);
        struct oclnn_model_io x;
        assert_int_equal(oclnn_model_input(net, 0, &x), OCLNN_OK);
        x.shape.dim[0] = 1;
        if (oclnn_model_prepare(net, (struct oclnn_binding[]){{.shape = x.shape}, {0}}) != OCLNN_OK)
            fail_msg("%s: %s", caps[i].name, oclnn_error_text(ctx));
        assert_int_equal(oclnn_model_plan_info(net, &plan), OCLNN_OK);
        print_message("%s: %d kernels, %d programs\n", caps[i].name, plan.kernels, plan.programs);
        if (plan.programs < 1 || plan.programs > caps[i].most)
            fail_msg("%s: %d programs for %d kernels, at most %d are meant", caps[i].name, plan.programs,
                plan.kernels, caps[i].most);
        oclnn_model_destroy(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(few_programs)};
    setenv("OCLNN_SHARE", "on", 1); /* off in other tests */
    if (oclnn_context_create(NULL, &ctx) != OCLNN_OK)
        return SKIP;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
