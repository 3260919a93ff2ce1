/* Activations around a normalisation in training: forward they run in its kernel, backward in that of its gradient. With
 * the passes on and off the same gradients come out; where another tensor is added in between, the mask is not known from
 * the normalisation's input and the activation's own gradient stays. */
#include "harness/train.h"
#include "ops/norm.h"
#include <math.h>
#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N 6
#define C 19
#define S 24
#define CLASSES 3

static oclnn_context *ctx;

/* What stands behind the normalisation. */
enum kind { RELU, CLIP, ADDED, READ_TWICE, BARE };

static int32_t norm(struct onn_graph *g, int32_t x, unsigned seed)
{
    const struct onn_batchnorm_attr attr = {.epsilon = 1e-5f, .momentum = 0.9f, .training_mode = 1};
    int32_t in[5] = {x};
    for (int i = 1; i < 5; i++) {
        struct onn_blob *b = onn_test_blob(1, (int64_t[]){C}, 1, seed + (unsigned)i);
        for (int64_t k = 0; k < C && i != 2; k++)
            onn_blob_set_f64(b, k, onn_blob_get_f64(b, k) + 1.5);
        in[i] = onn_graph_add_blob(g,
            i == 1       ? "scale"
                : i == 2 ? "bias"
                         : "running",
            i < 3 ? ONN_ROLE_PARAM : ONN_ROLE_STATE, b);
        onn_blob_unref(&b);
    }
    const int32_t k = onn_graph_add_op(g, onn_op_find("batchnormalization"), "norm", &attr, 5, in, 5);
    assert_true(k >= 0);
    return g->node[k].out[0];
}

static int32_t activation(struct onn_graph *g, enum kind kind, int32_t v)
{
    if (kind == CLIP)
        return onn_test_node(g, "clip", NULL, 3,
            (int32_t[]){v, onn_graph_add_f32(g, 0), onn_graph_add_f32(g, 0.75f)});
    return kind == BARE ? v : onn_test_node(g, "relu", NULL, 1, &v);
}

/* conv, norm, activation, conv, norm, relu, mean of each channel, dense, softmax-ce. */
static struct onn_graph *network(enum kind kind)
{
    struct onn_graph *g = NULL, *full;
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    const int32_t x = onn_test_input(g, "x", OCLNN_F32, 4, (int64_t[]){N, C, S, S});
    const int32_t t = onn_test_input(g, "t", OCLNN_I64, 1, (int64_t[]){N});
    const int32_t w1 = onn_test_param(g, "w1", 4, (int64_t[]){C, C, 1, 1}, 0.4, 1);
    const int32_t w2 = onn_test_param(g, "w2", 4, (int64_t[]){C, C, 1, 1}, 0.4, 2);
    const int32_t w3 = onn_test_param(g, "w3", 2, (int64_t[]){C, CLASSES}, 0.4, 3);
    const int32_t a = norm(g, onn_test_node(g, "conv", NULL, 2, (int32_t[]){x, w1}), 10);
    int32_t v = kind == ADDED ? onn_test_node(g, "add", NULL, 2, (int32_t[]){a, x}) : a;
    v = activation(g, kind, v);
    if (kind == READ_TWICE) /* the normalisation's own output has another reader */
        v = onn_test_node(g, "add", NULL, 2, (int32_t[]){v, a});
    v = norm(g, onn_test_node(g, "conv", NULL, 2, (int32_t[]){v, w2}), 20);
    v = onn_test_node(g, "relu", NULL, 1, &v);
    v = onn_test_node(g, "globalaveragepool", NULL, 1, &v);
    v = onn_test_node(g, "reshape", NULL, 2, (int32_t[]){v, onn_graph_add_i64(g, (int64_t[]){N, C}, 2)});
    v = onn_test_node(g, "matmul", NULL, 2, (int32_t[]){v, w3});
    onn_graph_add_output(g, "loss", onn_test_node(g, "softmax_ce", NULL, 2, (int32_t[]){v, t}));
    full = onn_test_training(g, NULL, NULL, false, true);
    onn_graph_destroy(&g);
    return full;
}

struct counts {
    int activations, slopes;
};

static void count(const struct onn_graph *g, struct counts *c)
{
    static const char *const forward[] = {"relu", "clip"}, *const backward[] = {"relu_dx", "clip_dx"};
    *c = (struct counts){0, 0};
    for (int k = 0; k < g->n_nodes; k++)
        for (int i = 0; i < 2; i++) {
            c->activations += strcmp(g->node[k].op->name, forward[i]) == 0;
            c->slopes += strcmp(g->node[k].op->name, backward[i]) == 0;
        }
}

/* Loss and all gradients. */
static float *answer(const struct onn_graph *g, const char *off, struct counts *c, size_t *n)
{
    struct onn_derived_cache cache = {0};
    const struct onn_plan_options options = {.passes_off = off};
    struct onn_plan *p = onn_test_plan(ctx, g, &options, &cache);
    struct onn_blob *x = onn_test_blob(4, (int64_t[]){N, C, S, S}, 1, 77);
    onn_test_write(p, 0, x->data);
    onn_test_write(p, 1, (int64_t[N]){0, 1, 2, 0, 1, 2});
    onn_blob_unref(&x);
    onn_test_run(p);
    float *out = onn_test_read_all(p, n);
    count(p->graph, c);
    onn_plan_destroy(&p);
    onn_derived_finish(&cache);
    return out;
}

static void check_counts(enum kind kind, const char *off, const struct counts *c,
    const struct counts *expected)
{
    if (c->activations != expected->activations || c->slopes != expected->slopes)
        fail_msg("kind %d without '%s': %d activations, %d gradients of them; expected were %d, %d",
            (int)kind, off ? off : "", c->activations, c->slopes, expected->activations, expected->slopes);
}

static void compare(enum kind kind, const char *off, const float *want, size_t n, struct counts expected)
{
    struct onn_graph *g = network(kind);
    struct counts c;
    size_t m;
    double worst = 0, largest = 0;
    float *got = answer(g, off, &c, &m);
    assert_int_equal(m, n);
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)want[i]));
        worst = fmax(worst, fabs((double)want[i] - (double)got[i]));
    }
    if (!(worst <= 1e-6 * largest) || !(largest > 0))
        fail_msg("kind %d without '%s': differs by %g of %g", (int)kind, off ? off : "", worst, largest);
    check_counts(kind, off, &c, &expected);
    free(got);
    onn_graph_destroy(&g);
}

static void check(enum kind kind, struct counts with, struct counts unmasked, struct counts without)
{
    struct onn_graph *g = network(kind);
    struct counts c;
    size_t n;
    float *want = answer(g, "slopes,fuse", &c, &n);
    check_counts(kind, "slopes,fuse", &c, &without);
    compare(kind, "slopes", want, n, unmasked);
    compare(kind, NULL, want, n, with);
    free(want);
    onn_graph_destroy(&g);
}

static void one_activation(void **state)
{
    (void)state;
    check(RELU, (struct counts){0, 0}, (struct counts){0, 2}, (struct counts){2, 2});
    check(CLIP, (struct counts){0, 0}, (struct counts){0, 2}, (struct counts){2, 2});
    check(BARE, (struct counts){0, 0}, (struct counts){0, 1}, (struct counts){1, 1});
}

static void a_tensor_in_between(void **state)
{
    (void)state;
    check(ADDED, (struct counts){0, 1}, (struct counts){0, 2}, (struct counts){2, 2});
}

static void two_readers(void **state)
{
    (void)state;
    check(READ_TWICE, (struct counts){1, 1}, (struct counts){1, 2}, (struct counts){2, 2});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_activation),
        cmocka_unit_test(a_tensor_in_between), cmocka_unit_test(two_readers)};
    const enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE) {
        puts("skipped: no device");
        return 77;
    }
    if (status != OCLNN_OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
