/* The same network gives the same answer with each pass switched off, in every format and with the plainest kernels. */
#include "harness/network.h"
#include "harness/passes.h"
#include "plan/plan.h"
#include "runtime/context.h"
#include <oclnn/oclnn.h>
#include <oclnn/zoo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static oclnn_context *ctx;

static void compare(const char *name, const char *what, const float *want, size_t n,
    const struct oclnn_model_params *params)
{
    size_t m;
    double largest = 0, error = 0;
    float *got = onn_test_scores(ctx, name, params, &m, NULL);
    assert_int_equal(m, n);
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)want[i]));
        error = fmax(error, fabs((double)got[i] - (double)want[i]));
    }
    free(got);
    if (!(error <= 1e-4 * largest + 1e-6))
        fail_msg("%s with %s: off by %g, largest %g", name, what, error, largest);
}

static void check(const char *name)
{
    static const char *const formats[] = {"plain", "nhwc", "c8", "c16"};
    size_t n;
    float *want = onn_test_scores(ctx, name, NULL, &n, NULL);
    for (int i = 0; onn_plan_pass(i); i++)
        compare(name, onn_plan_pass(i), want, n,
            &(struct oclnn_model_params){.passes_off = onn_plan_pass(i)});
    compare(name, "no pass", want, n, &(struct oclnn_model_params){.passes_off = onn_every_pass()});
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        compare(name, formats[i], want, n, &(struct oclnn_model_params){.format = formats[i]});
    compare(name, "reference", want, n, &(struct oclnn_model_params){.variant = "reference"});
    free(want);
}

static void squeezenet(void **state)
{
    (void)state;
    check("squeezenet");
}

static void shufflenet(void **state)
{
    (void)state;
    check("shufflenet-v2");
}

static void mobilenet(void **state)
{
    (void)state;
    check("mobilenet-v3");
}

static void note_pool(void *user, const char *text)
{
    if (strncmp(text, "maxpool ", 8) == 0)
        snprintf(user, 80, "%s", text);
}

/* The front of a digit classifier on a vector CPU: the first convolution writes blocks because the plain pool behind it is
 * slower than both convolutions. */
static void small_pools_are_blocked(void **state)
{
    (void)state;
    oclnn_graph *g = NULL;
    oclnn_model *net = NULL;
    char pool[80] = "";
    const struct oclnn_model_params predicted = {.tune = 2};
    const struct oclnn_conv same = {.pad = {2, 2, 2, 2}};
    if (!onn_context_caps(ctx)->vector_cpu)
        skip();
    assert_int_equal(oclnn_graph_create(NULL, &g), OCLNN_OK);
    oclnn_value x = oclnn_input(g, "digit", OCLNN_F32, OCLNN_SHAPE(1, 1, 28, 28));
    x = oclnn_max_pool2d(g, oclnn_relu(g, oclnn_conv2d(g, x, 8, 5, &same)), 2, NULL);
    oclnn_output(g, "y", oclnn_relu(g, oclnn_conv2d(g, x, 16, 5, &same)));
    assert_int_equal(oclnn_model_create(ctx, &g, &predicted, &net), OCLNN_OK);
    assert_int_equal(oclnn_model_prepare(net,
                         (struct oclnn_binding[]){{.shape = OCLNN_SHAPE(1, 1, 28, 28)}, {0}}),
        OCLNN_OK);
    assert_int_equal(oclnn_model_choices(net, note_pool, pool), OCLNN_OK);
    if (strncmp(pool, "maxpool blocked", 15) != 0)
        fail_msg("%s", pool);
    oclnn_model_destroy(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(squeezenet), cmocka_unit_test(shufflenet),
        cmocka_unit_test(mobilenet), cmocka_unit_test(small_pools_are_blocked)};
    if (oclnn_context_create(NULL, &ctx) == OCLNN_ERROR_NO_DEVICE) {
        puts("skipped: no device");
        return 77;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
