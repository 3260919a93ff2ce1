/* The rewriting passes: each small graph runs with the pass on and off. Both give the same answer, and with the pass the
 * nodes that it is there for are gone, or stay where removing them would be wrong. */
#include "harness/train.h"
#include "ops/elementwise.h"
#include <math.h>
#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static oclnn_context *ctx;

static int32_t node1(struct onn_graph *g, const char *text, int32_t a)
{
    return onn_test_node_text(g, text, 1, &a);
}

static int32_t node2(struct onn_graph *g, const char *text, int32_t a, int32_t b)
{
    return onn_test_node_text(g, text, 2, (int32_t[]){a, b});
}

#define DIMS(...) \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) \
    { \
        __VA_ARGS__ \
    }

static int32_t constant(struct onn_graph *g, int rank, const int64_t *dim)
{
    struct onn_blob *blob = onn_test_blob(rank, dim, 0.5, 7u + (unsigned)g->n_values);
    const int32_t id = onn_graph_add_blob(g, "", ONN_ROLE_CONST, blob);
    onn_blob_unref(&blob);
    return id;
}

static int32_t reshape(struct onn_graph *g, int32_t v, int rank, const int64_t *dim)
{
    return node2(g, "reshape x=1", v, onn_graph_add_i64(g, dim, rank));
}

static struct onn_graph *start(void)
{
    struct onn_graph *g = NULL;
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    return g;
}

/* Runs g and returns its outputs one behind the other; counts the nodes of operator `op` in the plan. */
static float *answer(const struct onn_graph *g, const char *off, const char *op, int *count, size_t *n)
{
    struct onn_derived_cache cache = {0};
    const struct onn_plan_options options = {.freeze = true, .passes_off = off};
    struct onn_plan *p = onn_test_plan(ctx, g, &options, &cache);
    for (int i = 0; i < g->n_inputs; i++) {
        const struct onn_desc *d = onn_plan_input_desc(p, i);
        struct onn_blob *data = onn_test_blob(d->rank, d->dim, 1, 99u + (unsigned)i);
        onn_test_write(p, i, data->data);
        onn_blob_unref(&data);
    }
    onn_test_run(p);
    *count = 0;
    float *out = onn_test_read_all(p, n);
    for (int k = 0; k < p->graph->n_nodes; k++)
        *count += strcmp(p->graph->node[k].op->name, op) == 0;
    onn_plan_destroy(&p);
    onn_derived_finish(&cache);
    return out;
}

/* With `pass` the graph has `with` nodes of operator op, without it `without`; the answers agree. Destroys g. */
static void check(struct onn_graph *g, const char *pass, const char *op, int with, int without)
{
    int count[2];
    size_t n[2];
    double worst = 0, largest = 0;
    float *on = answer(g, NULL, op, &count[0], &n[0]), *off = answer(g, pass, op, &count[1], &n[1]);
    assert_int_equal(n[0], n[1]);
    for (size_t i = 0; i < n[0]; i++) {
        largest = fmax(largest, fabs((double)off[i]));
        worst = fmax(worst, fabs((double)on[i] - (double)off[i]));
    }
    if (!(worst <= 1e-5 * largest))
        fail_msg("with and without %s: differs by %g of %g", pass, worst, largest);
    assert_true(largest > 0);
    free(on);
    free(off);
    if (count[0] != with || count[1] != without)
        fail_msg("%d and %d nodes '%s' with and without %s; expected were %d and %d", count[0], count[1], op,
            pass, with, without);
    onn_graph_destroy(&g);
}

/* ---- pad ---- */
static int32_t pad(struct onn_graph *g, int32_t v, const char *text, int n, const int64_t *pads)
{
    return node2(g, text, v, onn_graph_add_i64(g, pads, n));
}

static const int64_t around[8] = {0, 0, 1, 2, 0, 0, 3, 0};

/* x [2, 5, 9, 8] behind a Pad, then `text` with another input if it is a convolution. */
static struct onn_graph *padded(const char *before, const char *pad_text, const int64_t *pads,
    const char *text, int rank, const int64_t *weight)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 5, 9, 8));
    if (before)
        x = node1(g, before, x);
    x = pad(g, x, pad_text, 8, pads);
    onn_graph_add_output(g, "y", rank ? node2(g, text, x, constant(g, rank, weight)) : node1(g, text, x));
    return g;
}

#define ZEROS "pad x=1x1x1x1"

static void pad_into_conv(void **state)
{
    static const int64_t none[8] = {0}, channels[8] = {0, 1, 0, 0, 0, 1, 0, 0},
                         cut[8] = {0, 0, 1, 1, 0, 0, -1, 1};
    const int64_t w[] = {7, 5, 3, 3}, wide[] = {7, 7, 3, 3};
    (void)state;
    check(padded(NULL, ZEROS, around, "conv x=1x1x1x1 stride=2", 4, w), "pad", "pad", 0, 1);
    check(padded(NULL, ZEROS, around, "conv x=1x1x1x1 pad=1,0,2,1 dilation=2", 4, w), "pad", "pad", 0, 1);
    check(padded(NULL, ZEROS, around, "conv x=1x1x1x1 auto_pad=SAME_LOWER stride=2", 4, w), "pad", "pad", 0,
        1);
    check(padded(NULL, ZEROS, around, "conv x=1x1x1x1 auto_pad=VALID", 4, w), "pad", "pad", 0, 1);
    check(padded(NULL, "pad x=1x1x1x1 mode=reflect", around, "conv x=1x1x1x1", 4, w), "pad", "pad", 1, 1);
    check(padded(NULL, ZEROS, channels, "conv x=1x1x1x1", 4, wide), "pad", "pad", 1, 1);
    check(padded(NULL, ZEROS, cut, "conv x=1x1x1x1", 4, w), "pad", "pad", 1, 1);
    check(padded(NULL, ZEROS, none, "conv x=1x1x1x1", 4, w), "pad", "pad", 0, 1);
}

static void pad_of_one_dimension(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(1, 8, 20));
    (void)state;
    x = pad(g, x, "pad x=1x1x1", 6, (int64_t[]){0, 0, 4, 0, 0, 0}); /* as in front of a causal convolution */
    onn_graph_add_output(g, "y", node2(g, "conv x=1x1x1 dilation=2,", x, constant(g, DIMS(8, 8, 3))));
    check(g, "pad", "pad", 0, 1);
}

/* Another constant than 0 stays; a second reader keeps the Pad but not the convolution's. */
static void pad_that_stays(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(1, 4, 6, 6));
    const int32_t pads = onn_graph_add_i64(g, around, 8);
    int32_t in[3] = {x, pads, onn_graph_add_f32(g, 0.5f)};
    (void)state;
    int32_t y =
        node2(g, "conv x=1x1x1x1", onn_test_node_text(g, ZEROS, 3, in), constant(g, DIMS(4, 4, 3, 3)));
    onn_graph_add_output(g, "y", y);
    check(g, "pad", "pad", 1, 1);
    g = start();
    x = node2(g, ZEROS, onn_test_input(g, "x", OCLNN_F32, DIMS(1, 4, 6, 6)), onn_graph_add_i64(g, around, 8));
    y = node2(g, "conv x=1x1x1x1", x, constant(g, DIMS(4, 4, 3, 3)));
    onn_graph_add_output(g, "y", y);
    onn_graph_add_output(g, "padded", x);
    check(g, "pad", "pad", 1, 1);
}

#define AVERAGE "averagepool x=1x1x1x1 kernel_shape=3 "
#define LARGEST "maxpool x=1x1x1x1 kernel_shape=3 "

static void pad_into_pool(void **state)
{
    static const int64_t one[8] = {0, 0, 1, 1, 0, 0, 1, 1};
    (void)state;
    check(padded(NULL, ZEROS, around, AVERAGE "stride=2", 0, NULL), "pad", "pad", 0, 1);
    check(padded(NULL, ZEROS, around, AVERAGE "pad=1 count_include_pad=1", 0, NULL), "pad", "pad", 0, 1);
    check(padded(NULL, ZEROS, around, AVERAGE "pad=1", 0, NULL), "pad", "pad", 1, 1);
    check(padded(NULL, ZEROS, one, AVERAGE "stride=2 ceil_mode=1", 0, NULL), "pad", "pad", 0, 1);
    check(padded("relu x=1", ZEROS, one, LARGEST "stride=2", 0, NULL), "pad", "pad", 0, 1);
    check(padded(NULL, ZEROS, one, LARGEST "stride=2", 0, NULL), "pad", "pad", 1, 1);
    /* a window of nothing but border: 0 there, the least number of all with pads of its own */
    check(padded("relu x=1", ZEROS, around, LARGEST "stride=1", 0, NULL), "pad", "pad", 1, 1);
}

/* Where rounding up makes a window that begins in the zeros behind the tensor, the pads stay where they are. */
static void pad_and_rounding_up(void **state)
{
    (void)state;
    for (int64_t h = 4; h < 12; h++)
        for (int64_t after = 0; after < 4; after++) {
            struct onn_graph *g = start();
            int count;
            size_t n[2];
            int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(1, 2, h, 6));
            x = pad(g, x, ZEROS, 8, (int64_t[]){0, 0, 1, 0, 0, 0, after, 0});
            onn_graph_add_output(g, "y", node1(g, AVERAGE "stride=3 ceil_mode=1", x));
            float *on = answer(g, NULL, "pad", &count, &n[0]), *off = answer(g, "pad", "pad", &count, &n[1]);
            assert_int_equal(n[0], n[1]);
            for (size_t i = 0; i < n[0]; i++)
                if (!(fabsf(on[i] - off[i]) <= 1e-6f))
                    fail_msg("%d rows, %d behind: %g, without the pass %g", (int)h, (int)after, on[i],
                        off[i]);
            free(on);
            free(off);
            onn_graph_destroy(&g);
        }
}

/* ---- transpose ---- */
#define TO_NCHW "transpose x=1x1x1x1 perm=0,3,1,2"
#define TO_NHWC "transpose x=1x1x1x1 perm=0,2,3,1"

static void transposes_in_a_row(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 3, 4, 5));
    (void)state;
    x = node1(g, TO_NHWC, x);
    x = node1(g, "transpose x=1x1x1x1", x);
    onn_graph_add_output(g, "y", node1(g, "transpose x=1x1x1x1 perm=1,0,2,3", x));
    check(g, "transpose", "transpose", 1, 3);
    g = start();
    x = node1(g, "sigmoid x=1", onn_test_input(g, "x", OCLNN_F32, DIMS(2, 3, 4, 5)));
    onn_graph_add_output(g, "y", node1(g, "exp x=1", node1(g, TO_NCHW, node1(g, TO_NHWC, x))));
    check(g, "transpose", "transpose", 0, 2);
    g = start(); /* what is left moves extents of 1 only */
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 7, 1, 5));
    x = node1(g, "transpose x=1x1x1x1 perm=2,0,1,3", x);
    onn_graph_add_output(g, "y", node1(g, "exp x=1", x));
    check(g, "transpose", "transpose", 0, 1);
}

/* Convolution in a graph that is channels last: bias, scale and activation behind the Transpose reach the convolution. */
static void transposes_behind_elementwise(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 6, 5, 8)), y, z;
    (void)state;
    x = node1(g, TO_NCHW, x);
    y = node1(g, TO_NHWC, node2(g, "conv x=1x1x1x1 pad=1", x, constant(g, DIMS(12, 8, 3, 3))));
    y = node2(g, "add x=1", constant(g, DIMS(12)), y);
    y = node1(g, "relu x=1", node2(g, "mul x=1", y, constant(g, DIMS(1, 1, 12))));
    z = node1(g, TO_NHWC, node2(g, "conv x=1x1x1x1", x, constant(g, DIMS(12, 8, 1, 1))));
    y = node2(g, "mul x=1", node2(g, "add x=1", y, z), onn_graph_add_f32(g, 0.5f));
    y = node2(g, "conv x=1x1x1x1", node1(g, TO_NCHW, y), constant(g, DIMS(5, 12, 3, 3)));
    onn_graph_add_output(g, "y", y);
    check(g, "transpose", "transpose", 1, 4);
}

/* What cannot follow: another operand that is not carried, another order, a second reader. */
static void transposes_that_stay(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 3, 4, 4)), t, u;
    (void)state;
    t = node1(g, TO_NHWC, x);
    t = node2(g, "add x=1", t, node1(g, "exp x=1", onn_test_input(g, "s", OCLNN_F32, DIMS(2, 4, 4, 3))));
    onn_graph_add_output(g, "y", t);
    check(g, "transpose", "transpose", 1, 1);
    g = start();
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(4, 4, 4, 4));
    t = node1(g, TO_NHWC, x);
    u = node1(g, TO_NCHW, x);
    onn_graph_add_output(g, "y", node1(g, "neg x=1", node2(g, "mul x=1", t, u)));
    check(g, "transpose", "transpose", 2, 2);
    g = start();
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 3, 4, 5));
    t = node1(g, TO_NHWC, x);
    onn_graph_add_output(g, "t", t);
    onn_graph_add_output(g, "y", node1(g, "exp x=1", t));
    check(g, "transpose", "transpose", 1, 1);
}

static void transposes_behind_concat(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 3, 4, 5)), y;
    (void)state;
    y = node1(g, TO_NHWC, node1(g, "exp x=1", x));
    y = node2(g, "concat x=1x1x1x1 axis=-1", y, node1(g, TO_NHWC, node1(g, "neg x=1", x)));
    onn_graph_add_output(g, "y", node1(g, "sigmoid x=1", node1(g, TO_NCHW, y)));
    check(g, "transpose", "transpose", 0, 3);
}

/* Attention as exporters write it: heads are parted by Reshape and Transpose. */
static void transposes_into_products(void **state)
{
    struct onn_graph *g = start();
    const int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 10, 24));
    int32_t part[3], p;
    (void)state;
    for (int i = 0; i < 3; i++) {
        part[i] = node2(g, "matmul x=1x1x1", x, constant(g, DIMS(24, 24)));
        part[i] = reshape(g, part[i], DIMS(2, 10, 3, 8));
        part[i] = node1(g, i == 1 ? "transpose x=1x1x1x1 perm=0,2,3,1" : "transpose x=1x1x1x1 perm=0,2,1,3",
            part[i]);
    }
    p = node1(g, "softmax x=1x1x1x1", node2(g, "matmul x=1x1x1x1", part[0], part[1]));
    p = node1(g, "transpose x=1x1x1x1 perm=0,2,1,3", node2(g, "matmul x=1x1x1x1", p, part[2]));
    onn_graph_add_output(g, "y",
        node2(g, "matmul x=1x1x1", reshape(g, p, DIMS(2, 10, 24)), constant(g, DIMS(24, 24))));
    check(g, "transpose", "transpose", 0, 4);
    g = start();
    p = node1(g, "transpose x=1x1", onn_test_input(g, "x", OCLNN_F32, DIMS(9, 7)));
    p = node2(g, "gemm x=1x1 transA=0", p,
        node1(g, "transpose x=1x1", onn_test_input(g, "w", OCLNN_F32, DIMS(5, 9))));
    onn_graph_add_output(g, "y", node2(g, "gemm x=1x1 transA=1", p, p));
    check(g, "transpose", "transpose", 0, 2);
}

/* ---- addend ---- */
static void bias_into_product(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 5, 16)), y;
    (void)state;
    y = node2(g, "add x=1", node2(g, "matmul x=1x1x1", x, constant(g, DIMS(16, 12))), constant(g, DIMS(12)));
    onn_graph_add_output(g, "y", node1(g, "gelu x=1", y));
    check(g, "addend", "add", 0, 1);
    g = start(); /* a dense layer on three dimensions, with the matrix in between */
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 5, 16));
    y = node2(g, "matmul x=1x1", reshape(g, x, DIMS(10, 16)), constant(g, DIMS(16, 12)));
    y = node2(g, "add x=1", constant(g, DIMS(1, 1, 12)), reshape(g, y, DIMS(2, 5, 12)));
    onn_graph_add_output(g, "y", node1(g, "relu x=1", y));
    check(g, "addend", "add", 0, 1);
    g = start();
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(6, 16));
    y = node2(g, "gemm x=1x1 alpha=2 beta=5", x, constant(g, DIMS(16, 12)));
    onn_graph_add_output(g, "y", node2(g, "add x=1", y, constant(g, DIMS(6, 1))));
    check(g, "addend", "add", 0, 1);
}

/* Not a bias: the sum is larger than the product, the product has another reader, the columns are parted. */
static void additions_that_stay(void **state)
{
    struct onn_graph *g = start();
    int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(5, 16)), y;
    (void)state;
    y = node2(g, "matmul x=1x1", x, constant(g, DIMS(16, 12)));
    onn_graph_add_output(g, "y", node2(g, "add x=1", y, constant(g, DIMS(3, 1, 12))));
    check(g, "addend", "add", 1, 1);
    g = start();
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(5, 16));
    y = node2(g, "matmul x=1x1", x, constant(g, DIMS(16, 12)));
    onn_graph_add_output(g, "product", y);
    onn_graph_add_output(g, "y", node2(g, "add x=1", y, constant(g, DIMS(12))));
    check(g, "addend", "add", 1, 1);
    g = start();
    x = onn_test_input(g, "x", OCLNN_F32, DIMS(5, 16));
    y = reshape(g, node2(g, "matmul x=1x1", x, constant(g, DIMS(16, 12))), DIMS(5, 4, 3));
    onn_graph_add_output(g, "y", node2(g, "add x=1", y, constant(g, DIMS(3))));
    check(g, "addend", "add", 1, 1);
}

/* ---- fuse ---- */

/* What follows a Cast of whole numbers computes in float, not in the type that is cast. */
static void behind_whole_numbers(void **state)
{
    (void)state;
    for (int long_ones = 0; long_ones < 2; long_ones++) {
        struct onn_graph *g = start();
        const struct onn_ew_attr whole = {.to = onn_dtype_to_onnx(long_ones ? OCLNN_I64 : OCLNN_I32)};
        const struct onn_ew_attr real = {.to = onn_dtype_to_onnx(OCLNN_F32)};
        int32_t x = onn_test_input(g, "x", OCLNN_F32, DIMS(2, 5, 9, 8));
        x = node2(g, "mul x=1", x, onn_graph_add_f32(g, 20));
        x = onn_test_node(g, "cast", &whole, 1, &x);
        x = onn_test_node(g, "cast", &real, 1, &x);
        x = node2(g, "mul x=1", x, constant(g, DIMS(2, 5, 9, 8)));
        onn_graph_add_output(g, "y", node1(g, "sigmoid x=1", x));
        check(g, "fuse", "sigmoid", 0, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pad_into_conv),
        cmocka_unit_test(pad_of_one_dimension), cmocka_unit_test(pad_that_stays),
        cmocka_unit_test(pad_into_pool), cmocka_unit_test(pad_and_rounding_up),
        cmocka_unit_test(transposes_in_a_row), cmocka_unit_test(transposes_behind_elementwise),
        cmocka_unit_test(transposes_that_stay), cmocka_unit_test(transposes_behind_concat),
        cmocka_unit_test(transposes_into_products), cmocka_unit_test(bias_into_product),
        cmocka_unit_test(additions_that_stay), cmocka_unit_test(behind_whole_numbers)};
    if (oclnn_context_create(NULL, &ctx) == OCLNN_ERROR_NO_DEVICE) {
        puts("skipped: no device");
        return 77;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
