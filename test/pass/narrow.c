/* f16 between the nodes: which tensors become f16, which stay f32, and that the answers stay what they are. */
#include "harness/network.h"
#include "harness/train.h"
#include <math.h>
#include <oclnn/oclnn.h>
#include <oclnn/zoo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static oclnn_context *ctx;

#define DIMS(...) \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) \
    { \
        __VA_ARGS__ \
    }

static int32_t constant(struct onn_graph *g, int rank, const int64_t *dim, double scale)
{
    struct onn_blob *blob = onn_test_blob(rank, dim, scale, 7u + (unsigned)g->n_values);
    const int32_t id = onn_graph_add_blob(g, "", ONN_ROLE_CONST, blob);
    onn_blob_unref(&blob);
    return id;
}

static struct onn_graph *start(void)
{
    struct onn_graph *g = NULL;
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    return g;
}

static struct onn_plan *plan(const struct onn_graph *g, enum oclnn_dtype storage,
    struct onn_derived_cache *cache)
{
    const struct onn_plan_options options = {.freeze = true, .storage = storage};
    return onn_test_plan(ctx, g, &options, cache);
}

/* Runs g, its inputs drawn from -scale … scale; *text gets "op in in > out" for every node, by types. */
static float *answer(const struct onn_graph *g, enum oclnn_dtype storage, double scale, size_t *n,
    struct onn_str *text)
{
    struct onn_derived_cache cache = {0};
    struct onn_plan *p = plan(g, storage, &cache);
    for (int i = 0; i < g->n_inputs; i++) {
        const struct onn_desc *d = onn_plan_input_desc(p, i);
        struct onn_blob *data = onn_test_blob(d->rank, d->dim, scale, 99u + (unsigned)i);
        assert_int_equal(d->dtype, OCLNN_F32);
        onn_test_write(p, i, data->data);
        onn_blob_unref(&data);
    }
    for (int i = 0; i < g->n_outputs; i++)
        assert_int_equal(onn_plan_output_desc(p, i)->dtype, OCLNN_F32);
    onn_test_run(p);
    float *out = onn_test_read_all(p, n);
    for (int k = 0; k < p->graph->n_nodes; k++) {
        const struct onn_node *node = &p->graph->node[k];
        if (!strcmp(node->op->name, "reorder"))
            continue;
        onn_str_add(text, "%s", node->op->name);
        for (int i = 0; i < node->n_in; i++)
            onn_str_add(text, " %s", oclnn_dtype_name(p->graph->value[node->in[i]].desc.dtype));
        onn_str_add(text, " > %s; ", oclnn_dtype_name(p->graph->value[node->out[0]].desc.dtype));
    }
    onn_plan_destroy(&p);
    onn_derived_finish(&cache);
    return out;
}

/* As f16 the nodes have the types of `want`, and the answer is off by `part` of its largest number at most. Destroys g. */
static void check(struct onn_graph *g, double scale, const char *want, double part)
{
    struct onn_str wide = {0}, half = {0};
    size_t n[2];
    double worst = 0, largest = 0;
    float *a = answer(g, OCLNN_F32, scale, &n[0], &wide), *b = answer(g, OCLNN_F16, scale, &n[1], &half);
    assert_null(strstr(onn_str_text(&wide), "f16"));
    assert_string_equal(onn_str_text(&half), want);
    assert_int_equal(n[0], n[1]);
    for (size_t i = 0; i < n[0]; i++) {
        largest = fmax(largest, fabs((double)a[i]));
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    }
    if (!(worst <= part * largest) || largest <= 0)
        fail_msg("off by %g of %g: %s", worst, largest, onn_str_text(&half));
    onn_str_finish(&wide);
    onn_str_finish(&half);
    free(a);
    free(b);
    onn_graph_destroy(&g);
}

static void borders_are_f32(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(1, 8, 9, 9));
    (void)state;
    int32_t y =
        onn_test_node_text(g, "conv x=1x1x1x1", 2, (int32_t[]){x, constant(g, DIMS(8, 8, 3, 3), 0.3)});
    y = onn_test_node_text(g, "relu x=1", 1, &y);
    onn_graph_add_output(g, "y",
        onn_test_node_text(g, "conv x=1x1x1x1", 2, (int32_t[]){y, constant(g, DIMS(8, 8, 3, 3), 0.3)}));
    check(g, 1, "cast f32 > f16; conv f16 f16 > f16; conv f16 f16 > f16; cast f16 > f32; ", 5e-3);
    /* element-wise kernels read and write either type: no casts */
    g = start();
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(1, 8, 9, 9));
    y = onn_test_node_text(g, "tanh x=1", 1, &x);
    y = onn_test_node_text(g, "conv x=1x1x1x1", 2, (int32_t[]){y, constant(g, DIMS(8, 8, 3, 3), 0.3)});
    onn_graph_add_output(g, "y", onn_test_node_text(g, "sigmoid x=1", 1, &y));
    check(g, 1, "tanh f32 > f16; conv f16 f16 > f16; sigmoid f16 > f32; ", 5e-3);
}

static void what_has_no_place_in_f16(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 16));
    (void)state;
    /* weights beyond 65504 */
    onn_graph_add_output(g, "y",
        onn_test_node_text(g, "matmul x=1x1", 2, (int32_t[]){x, constant(g, DIMS(16, 4), 1e6)}));
    check(g, 1, "matmul f32 f32 > f32; ", 0);
    /* a sum beyond it: 4096 numbers up to 100 */
    g = start();
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(1, 4096));
    int32_t y = onn_test_node_text(g, "abs x=1", 1, &x);
    y = onn_test_node_text(g, "reducesum x=1x1 keepdims=1", 1, &y);
    onn_graph_add_output(g, "y", y);
    check(g, 100, "abs f32 > f16; cast f16 > f32; reducesum f32 > f32; ", 1e-3);
    /* counted numbers beyond 2048, and an epsilon below f16's least */
    g = start();
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(1, 4096));
    y = onn_test_node_text(g, "argmax x=1x1 axis=1", 1, &x);
    y = onn_test_node_text(g, "cast x=1 to=1", 1, &y);
    y = onn_test_node_text(g, "add x=1", 2, (int32_t[]){y, onn_graph_add_f32(g, 1e-30f)});
    onn_graph_add_output(g, "y", y);
    check(g, 1, "cast f32 > f16; argmax f16 > i64; cast i64 > f32; add f32 f32 > f32; ", 0.5);
    /* a small constant of an element-wise node stays, and still becomes part of the chain */
    g = start();
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(4, 64, 8));
    y = onn_test_node_text(g, "mul x=1", 2,
        (int32_t[]){onn_test_node_text(g, "tanh x=1", 1, &x), constant(g, DIMS(64, 1), 1e5)});
    onn_graph_add_output(g, "y", onn_test_node_text(g, "softmax x=1x1x1", 1, &y));
    check(g, 1, "tanh f32 f32 > f16; softmax f16 > f16; cast f16 > f32; ", 2e-3);
}

/* ---- whole networks through the public API ---- */
static void networks(void **state)
{
    static const char *const names[] = {"mobilenet-v3"};
    (void)state;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        size_t n, m, bytes[2];
        double largest = 0, error = 0;
        float *want = onn_test_scores(ctx, names[k], NULL, &n, &bytes[0]);
        float *got =
            onn_test_scores(ctx, names[k], &(struct oclnn_model_params){.dtype = OCLNN_F16}, &m, &bytes[1]);
        assert_int_equal(n, m);
        for (size_t i = 0; i < n; i++) {
            largest = fmax(largest, fabs((double)want[i]));
            error = fmax(error, fabs((double)got[i] - (double)want[i]));
        }
        if (!(error <= 1e-2 * largest))
            fail_msg("%s: off by %g, largest %g", names[k], error, largest);
        if (bytes[1] > bytes[0] * 6 / 10)
            fail_msg("%s: %zu bytes of parameters as f32, %zu as f16", names[k], bytes[0], bytes[1]);
        free(want);
        free(got);
    }
}

static void refusals(void **state)
{
    static const enum oclnn_dtype wrong[] = {OCLNN_BF16, OCLNN_F64, OCLNN_I8};
    oclnn_graph *graph = NULL;
    oclnn_model *net = NULL;
    oclnn_trainer *trainer = NULL;
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(oclnn_graph_create(NULL, &graph), OCLNN_OK);
        assert_int_equal(oclnn_zoo_build("lenet5", graph, NULL), OCLNN_OK);
        assert_int_equal(oclnn_model_create(ctx, &graph, &(struct oclnn_model_params){.dtype = wrong[i]},
                             &net),
            OCLNN_ERROR_UNSUPPORTED);
        assert_non_null(strstr(oclnn_error_text(NULL), oclnn_dtype_name(wrong[i])));
    }
    assert_int_equal(oclnn_graph_create(NULL, &graph), OCLNN_OK);
    assert_int_equal(oclnn_zoo_build("lenet5", graph, NULL), OCLNN_OK);
    assert_int_equal(oclnn_model_create(ctx, &graph, &(struct oclnn_model_params){.dtype = OCLNN_F16}, &net),
        OCLNN_OK);
    assert_int_equal(oclnn_trainer_create(net, NULL, &trainer), OCLNN_ERROR_UNSUPPORTED);
    assert_null(trainer);
    oclnn_model_destroy(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(borders_are_f32),
        cmocka_unit_test(what_has_no_place_in_f16), cmocka_unit_test(networks), cmocka_unit_test(refusals)};
    if (oclnn_context_create(NULL, &ctx) == OCLNN_ERROR_NO_DEVICE) {
        puts("skipped: no device");
        return 77;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
