/* A small training run: a two-layer network on random data, 20 steps of SGD with momentum through one plan. Parameters
 * are updated on the device; loss and parameters equal those of the same network written in C with doubles. */
#include "harness/train.h"
#include "ops/gemm.h"
#include "ops/optimizer.h"
#include <math.h>
#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define N 16
#define IN 12
#define HID 20
#define OUT 5
#define STEPS 20
#define RATE 0.1
#define MOMENTUM 0.9

static oclnn_context *ctx;
static float x[N * IN];
static int64_t label[N];

/* The same in C: parameters and momenta in doubles. */
struct net {
    double w1[HID * IN], b1[HID], w2[OUT * HID], b2[OUT];
};

static double step(struct net *p, struct net *m)
{
    static struct net g;
    double loss = 0;
    memset(&g, 0, sizeof g);
    for (int n = 0; n < N; n++) {
        double h[HID], y[OUT], dy[OUT], sum = 0;
        for (int j = 0; j < HID; j++) {
            h[j] = p->b1[j];
            for (int i = 0; i < IN; i++)
                h[j] += p->w1[j * IN + i] * x[n * IN + i];
            h[j] = h[j] > 0 ? h[j] : 0;
        }
        for (int k = 0; k < OUT; k++) {
            y[k] = p->b2[k];
            for (int j = 0; j < HID; j++)
                y[k] += p->w2[k * HID + j] * h[j];
            sum += exp(y[k]);
        }
        loss += (log(sum) - y[label[n]]) / N;
        for (int k = 0; k < OUT; k++) {
            dy[k] = (exp(y[k]) / sum - (k == label[n])) / N;
            g.b2[k] += dy[k];
            for (int j = 0; j < HID; j++)
                g.w2[k * HID + j] += dy[k] * h[j];
        }
        for (int j = 0; j < HID; j++) {
            double dh = 0;
            for (int k = 0; k < OUT; k++)
                dh += dy[k] * p->w2[k * HID + j];
            dh = h[j] > 0 ? dh : 0;
            g.b1[j] += dh;
            for (int i = 0; i < IN; i++)
                g.w1[j * IN + i] += dh * x[n * IN + i];
        }
    }
    double *to = (double *)p, *state = (double *)m, *from = (double *)&g;
    for (size_t i = 0; i < sizeof g / sizeof(double); i++) {
        state[i] = MOMENTUM * state[i] + from[i];
        to[i] -= RATE * state[i];
    }
    return loss;
}

static void load(double *to, const struct onn_blob *b)
{
    for (int64_t i = 0; i < onn_desc_elements(&b->desc); i++)
        to[i] = onn_blob_get_f64(b, i);
}

static void check(const char *name, struct onn_blob *b, const double *want)
{
    assert_int_equal(onn_blob_sync_host(b), OCLNN_OK);
    for (int64_t i = 0; i < onn_desc_elements(&b->desc); i++)
        if (fabs(onn_blob_get_f64(b, i) - want[i]) > 2e-5)
            fail_msg("%s[%lld] is %.7g, should be %.7g", name, (long long)i, onn_blob_get_f64(b, i), want[i]);
}

static void loss_follows_the_reference(void **state)
{
    static struct net p, m;
    const struct onn_gemm_attr dense = {.alpha = 1, .beta = 1, .trans_b = 1};
    const struct onn_optimizer_attr sgd = {.momentum = MOMENTUM};
    const struct onn_plan_options options = {0};
    struct onn_derived_cache cache = {0};
    struct onn_graph *g = NULL;
    float rate = RATE;
    (void)state;
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    const int32_t in = onn_test_input(g, "x", OCLNN_F32, 2, (int64_t[]){N, IN});
    const int32_t t = onn_test_input(g, "t", OCLNN_I64, 1, (int64_t[]){N});
    const int32_t w1 = onn_test_param(g, "w1", 2, (int64_t[]){HID, IN}, 0.4, 1);
    const int32_t b1 = onn_test_param(g, "b1", 1, (int64_t[]){HID}, 0.1, 2);
    const int32_t w2 = onn_test_param(g, "w2", 2, (int64_t[]){OUT, HID}, 0.4, 3);
    const int32_t b2 = onn_test_param(g, "b2", 1, (int64_t[]){OUT}, 0.1, 4);
    const int32_t a = onn_test_node(g, "gemm", &dense, 3, (int32_t[]){in, w1, b1});
    const int32_t h = onn_test_node(g, "relu", NULL, 1, &a);
    const int32_t y = onn_test_node(g, "gemm", &dense, 3, (int32_t[]){h, w2, b2});
    onn_graph_add_output(g, "loss", onn_test_node(g, "softmax_ce", NULL, 2, (int32_t[]){y, t}));
    struct onn_blob *blob[4] = {g->value[w1].blob, g->value[b1].blob, g->value[w2].blob, g->value[b2].blob};
    double *where[4] = {p.w1, p.b1, p.w2, p.b2};
    for (int i = 0; i < 4; i++)
        load(where[i], blob[i]);
    struct onn_graph *full = onn_test_training(g, "sgd", &sgd, true, false);
    struct onn_plan *plan = onn_test_plan(ctx, full, &options, &cache);
    double first = 0, want = 0;
    for (int i = 0; i < STEPS; i++) {
        float loss;
        onn_test_write(plan, 0, x);
        onn_test_write(plan, 1, label);
        onn_test_write(plan, 2, &rate);
        onn_test_run(plan);
        onn_test_read(plan, 0, &loss);
        want = step(&p, &m);
        if (fabs(loss - want) > 2e-5)
            fail_msg("step %d: loss %.7g, should be %.7g", i, (double)loss, want);
        first = i ? first : want;
    }
    assert_true(want < 0.5 * first);
    check("w1", blob[0], p.w1);
    check("b1", blob[1], p.b1);
    check("w2", blob[2], p.w2);
    check("b2", blob[3], p.b2);
    onn_plan_destroy(&plan);
    onn_derived_finish(&cache);
    onn_graph_destroy(&full);
    onn_graph_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(loss_follows_the_reference)};
    const enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return 77;
    if (status != OCLNN_OK)
        return 1;
    uint64_t seed = 9;
    for (int i = 0; i < N * IN; i++)
        x[i] = (float)((double)(onn_test_random(&seed) >> 40) * 0x1p-23 - 1);
    for (int i = 0; i < N; i++)
        label[i] = (int64_t)(onn_test_random(&seed) % OUT);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
