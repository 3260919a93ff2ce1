/* Chains: a network as few launches gives the bits that it gives layer by layer, however often and in whatever order its
 * models run; with a program's own buffers and in profiles its layers run one by one. */
#include "model/model.h"
#include "plan/plan.h"
#include <oclnn/oclnn.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BATCH = 2, PIXELS = BATCH * 3 * 16 * 16, MOST = 4096, RUNS = 100 };

static oclnn_context *ctx;
static float image[2][PIXELS];

#define good(call) \
    do { \
        if ((call) != OCLNN_OK) \
            fail_msg("%s: %s", #call, oclnn_error_text(NULL)); \
    } while (0)

static oclnn_value conv(oclnn_graph *g, oclnn_value x, int filters, int size, int groups)
{
    const int pad = size / 2;
    return oclnn_conv2d(g, x, filters, size,
        &(struct oclnn_conv){.pad = {pad, pad, pad, pad}, .group = groups});
}

/* Branches that may run side by side, a sum that waits for both, depthwise, pools, a dense layer and softmax. */
static oclnn_model *network(const char *passes_off)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 3}, &g));
    oclnn_value x =
        oclnn_relu(g, conv(g, oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(BATCH, 3, 16, 16)), 16, 3, 1));
    oclnn_value a = conv(g, x, 24, 1, 1), b = conv(g, x, 24, 3, 1);
    oclnn_value sum = oclnn_relu(g, oclnn_add(g, a, b));
    oclnn_value deep = conv(g, sum, 24, 3, 24);
    oclnn_value part[2] = {oclnn_max_pool2d(g, deep, 2, NULL), oclnn_avg_pool2d(g, deep, 2, NULL)};
    oclnn_value y = conv(g, oclnn_concat(g, part, 2, 1), 32, 3, 1);
    y = oclnn_dense(g, oclnn_flatten(g, oclnn_global_avg_pool(g, y)), 10, NULL);
    oclnn_output(g, "y", oclnn_softmax(g, y, 1));
    oclnn_output(g, "deep", deep);
    good(oclnn_model_create(ctx, &g, &(struct oclnn_model_params){.passes_off = passes_off, .tune = 2}, &m));
    return m;
}

static void run(oclnn_model *m, int k, float *y, float *deep)
{
    const struct oclnn_binding in[] = {{.data = image[k], .bytes = sizeof image[k]}, {0}};
    const struct oclnn_binding out[] = {{.name = "y", .data = y, .bytes = BATCH * 10 * sizeof(float)},
        {.name = "deep", .data = deep, .bytes = BATCH * 24 * 256 * sizeof(float)}, {0}};
    good(oclnn_model_run(m, in, out));
}

static const struct onn_plan *plan_of(const oclnn_model *m)
{
    return m->current->plan;
}

static float y[2][BATCH * 10], got_y[BATCH * 10];
static float deep[2][BATCH * 24 * 256], got_deep[BATCH * 24 * 256];

static void expect(void)
{
    oclnn_model *m = network("chain");
    for (int k = 0; k < 2; k++)
        run(m, k, y[k], deep[k]);
    assert_int_equal(plan_of(m)->n_chains, 0);
    assert_true(memcmp(y[0], y[1], sizeof y[0]) != 0);
    oclnn_model_destroy(&m);
}

static void check(oclnn_model *m, int k)
{
    memset(got_y, 0xff, sizeof got_y);
    memset(got_deep, 0xff, sizeof got_deep);
    run(m, k, got_y, got_deep);
    assert_memory_equal(got_y, y[k], sizeof got_y);
    assert_memory_equal(got_deep, deep[k], sizeof got_deep);
}

static void same_bits(void **state)
{
    (void)state;
    if (!ctx || !onn_context_caps(ctx)->joins)
        skip();
    expect();
    oclnn_model *m = network(NULL), *other = network("views");
    for (int i = 0; i < RUNS; i++) {
        check(m, i % 2);
        check(other, (i + 1) % 2);
    }
    int launched = 0;
    assert_true(plan_of(m)->n_chains >= 1);
    for (int k = 0; k < plan_of(m)->graph->n_nodes; k++)
        launched += !plan_of(m)->place.derived[k] && plan_of(m)->node[k].n > 0;
    assert_true(
        plan_of(m)->chain[0].last > plan_of(m)->chain[0].first && launched > 2 * plan_of(m)->n_chains);
    oclnn_model_destroy(&other);
    oclnn_model_destroy(&m);
}

/* A profile runs layer by layer; afterwards the model runs as before. */
static void profile(void **state)
{
    (void)state;
    if (!ctx || !onn_context_caps(ctx)->joins)
        skip();
    expect();
    oclnn_model *m = network(NULL);
    struct oclnn_profile_row rows[64];
    int n = 0;
    check(m, 0);
    good(oclnn_model_profile(m, 2, rows, 64, &n));
    assert_true(n >= 8);
    for (int i = 0; i < n && i < 64; i++)
        assert_true(rows[i].time_ms > 0);
    check(m, 1);
    check(m, 0);
    oclnn_model_destroy(&m);
}

static int open_context(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * PIXELS; i++)
        image[i / PIXELS][i % PIXELS] = (float)((i * 7919) % 1000) / 500.0f - 1.0f;
    unsetenv("OCLNN_CHAIN"); /* tests have it off */
    oclnn_context_create(NULL, &ctx);
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    oclnn_context_destroy(&ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits),
        cmocka_unit_test(profile),
    };
    return cmocka_run_group_tests_name("chain", tests, open_context, close_context);
}
