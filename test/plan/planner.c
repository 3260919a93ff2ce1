/* The planner on a graph with everything that branches: a residual addition, a concatenation, a depthwise convolution
 * and pooling. It gives the same answers in every format; its backward pass and SGD step go through the same planner;
 * and an evaluation plan of another batch size shares its parameters. */
#include "harness/train.h"
#include "ops/concat.h"
#include "ops/conv.h"
#include "ops/gemm.h"
#include "ops/optimizer.h"
#include "ops/pool.h"
#include <math.h>
#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BATCH 4
#define CLASSES 7
#define PIXELS (3 * 16 * 16)

static oclnn_context *ctx;
static float image[BATCH * PIXELS], rate[1] = {0.05f};
static int64_t label[BATCH] = {3, 0, 6, 2};

static struct onn_ints list(const int64_t *v, int n)
{
    return (struct onn_ints){n, v};
}

/* The parameters: made once, so that graphs of several batch sizes share their blobs. */
static const struct {
    const char *name;
    int rank;
    int64_t dim[4];
    double scale;
} params[] = {
    {"w1", 4, {24, 3, 3, 3}, 0.3},
    {"b1", 1, {24}, 0.1},
    {"wd", 4, {24, 1, 3, 3}, 0.4},
    {"w2", 4, {24, 24, 1, 1}, 0.3},
    {"b2", 1, {24}, 0.1},
    {"w3", 4, {19, 48, 3, 3}, 0.1},
    {"wf", 2, {CLASSES, 19}, 0.5},
    {"bf", 1, {CLASSES}, 0.1},
};
#define PARAMS (int)(sizeof params / sizeof params[0])
#define PARAM_MAX (19 * 48 * 9)

static void make_params(struct onn_blob *blob[PARAMS])
{
    for (int i = 0; i < PARAMS; i++)
        blob[i] = onn_test_blob(params[i].rank, params[i].dim, params[i].scale, 77u * (unsigned)i + 5);
}

static void drop_params(struct onn_blob *blob[PARAMS])
{
    for (int i = 0; i < PARAMS; i++)
        onn_blob_unref(&blob[i]);
}

/* Logits of the network; with labels the loss. */
static struct onn_graph *network(int64_t batch, bool training, struct onn_blob *const blob[PARAMS])
{
    static const int64_t three[] = {3, 3}, one[] = {1, 1}, pad[] = {1, 1, 1, 1}, two[] = {2, 2};
    const struct onn_ints none = {-1, NULL};
    const struct onn_conv_attr conv = {.window = {none, list(pad, 4), none, none, NULL}, .group = 1},
                               dw = {.window = {none, list(pad, 4), none, none, NULL}, .group = 24},
                               point = {.window = {none, none, none, none, NULL}, .group = 1};
    const struct onn_pool_attr pool = {.window = {list(three, 2), list(pad, 4), list(two, 2), none, NULL}};
    const struct onn_pool_attr mean = {.window = {list(two, 2), none, list(two, 2), list(one, 2), NULL}};
    const struct onn_concat_attr side = {.axis = 1};
    const struct onn_gemm_attr dense = {.alpha = 1, .beta = 1, .trans_b = 1};
    struct onn_graph *g = NULL;
    int32_t w[PARAMS];
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    const int32_t x = onn_test_input(g, "x", OCLNN_F32, 4, (int64_t[]){batch, 3, 16, 16});
    const int32_t t = training ? onn_test_input(g, "t", OCLNN_I64, 1, &batch) : 0;
    for (int i = 0; i < PARAMS; i++)
        w[i] = onn_graph_add_blob(g, params[i].name, ONN_ROLE_PARAM, blob[i]);
#define NODE1(op, attr, a) onn_test_node(g, op, attr, 1, (int32_t[]){a})
#define NODE2(op, attr, a, b) onn_test_node(g, op, attr, 2, (int32_t[]){a, b})
#define NODE3(op, attr, a, b, c) onn_test_node(g, op, attr, 3, (int32_t[]){a, b, c})
    const int32_t a = NODE1("relu", NULL, NODE3("conv", &conv, x, w[0], w[1]));
    const int32_t d = NODE1("relu", NULL, NODE2("conv", &dw, a, w[2]));
    const int32_t sum = NODE1("relu", NULL, NODE2("add", NULL, NODE3("conv", &point, d, w[3], w[4]), a));
    const int32_t both =
        NODE2("concat", &side, NODE1("maxpool", &pool, sum), NODE1("averagepool", &mean, sum));
    const int32_t y = NODE1("relu", NULL, NODE2("conv", &conv, both, w[5]));
    const int32_t flat = NODE1("flatten", NULL, NODE1("globalaveragepool", NULL, y));
    const int32_t logits = NODE3("gemm", &dense, flat, w[6], w[7]);
    if (training)
        onn_graph_add_output(g, "loss", NODE2("softmax_ce", NULL, logits, t));
    onn_graph_add_output(g, "logits", logits);
    assert_int_equal(g->status, OCLNN_OK);
    return g;
}

static void close_to(const char *what, const char *how, const float *got, const float *want, int64_t n,
    double bound)
{
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(want[i]));
        worst = fmax(worst, fabs((double)got[i] - want[i]));
    }
    if (!(worst <= bound * largest))
        fail_msg("%s, %s: differs by %g of %g", what, how, worst, largest);
}

struct result {
    float loss, logits[BATCH * CLASSES], gradient[PARAMS][PARAM_MAX], updated[PARAMS][PARAM_MAX];
    int reorders;
};

static int count_in_format(const struct onn_plan *p, const char *format)
{
    int n = 0;
    char text[48];
    for (int v = 1; v < p->graph->n_values; v++)
        n += p->graph->value[v].node >= 0 && !strcmp(onn_format_name(&p->place.desc[v].format, text), format);
    return n;
}

/* One training step from the first parameters. */
static void train_once(const struct onn_plan_options *options, struct result *r)
{
    struct onn_blob *blob[PARAMS];
    struct onn_derived_cache cache = {0};
    make_params(blob);
    struct onn_graph *forward = network(BATCH, true, blob),
                     *g = onn_test_training(forward, "sgd", NULL, true, true);
    struct onn_plan *p = onn_test_plan(ctx, g, options, &cache);
    onn_test_write(p, 0, image);
    onn_test_write(p, 1, label);
    onn_test_write(p, 2, rate);
    onn_test_run(p);
    onn_test_read(p, 0, &r->loss);
    onn_test_read(p, 1, r->logits);
    for (int i = 0; i < PARAMS;
         i++) { /* parameters are found in the graph's order; their names say which is which */
        int k = -1, at = 0;
        for (int32_t v = 1; v < g->n_values; v++) {
            if (g->value[v].role != ONN_ROLE_PARAM)
                continue;
            if (!strcmp(g->value[v].name, params[i].name))
                k = at;
            at++;
        }
        assert_true(k >= 0);
        onn_test_read(p, 2 + k, r->gradient[i]);
        assert_true(blob[i]->host_stale);
        assert_int_equal(onn_blob_sync_host(blob[i]), OCLNN_OK);
        memcpy(r->updated[i], blob[i]->data, onn_desc_bytes(&blob[i]->desc));
    }
    if (options->format && strcmp(options->format, "plain"))
        assert_true(count_in_format(p, options->format) > 0);
    onn_plan_destroy(&p);
    onn_derived_finish(&cache);
    onn_graph_destroy(&g);
    onn_graph_destroy(&forward);
    drop_params(blob);
}

static void compare(const char *how, const struct result *got, const struct result *want, const double *bound)
{
    close_to("loss", how, &got->loss, &want->loss, 1, bound[0]);
    close_to("logits", how, got->logits, want->logits, BATCH * CLASSES, bound[0]);
    for (int i = 0; i < PARAMS; i++) {
        const struct onn_desc d = onn_desc_make(OCLNN_F32, params[i].rank, params[i].dim);
        close_to(params[i].name, how, got->gradient[i], want->gradient[i], onn_desc_elements(&d), bound[1]);
        close_to(params[i].name, how, got->updated[i], want->updated[i], onn_desc_elements(&d), bound[1]);
    }
}

static void formats_agree(void **state)
{
    static struct result want, got;
    static const double bound[] = {2e-5, 1e-4};
    struct onn_caps *caps = (struct onn_caps *)onn_context_caps(ctx); /* plain data: the test plays with it */
    const struct onn_caps kept = *caps;
    const struct onn_plan_options reference = {.variant = "reference",
        .format = "plain",
        .passes_off = "fold,patterns,fuse,views,inplace,arena"};
    (void)state;
    train_once(&reference, &want);
    assert_true(isfinite(want.loss) && want.loss > 0);
    static const struct {
        const char *format;
        int width;
    } runs[] = {{"plain", 0}, {"nhwc", 0}, {"c8", 8}, {"c16", 16}};
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const struct onn_plan_options options = {.format = runs[i].format};
        if (runs[i].width) {
            if (!kept.vector_cpu)
                continue;
            caps->vector_width = runs[i].width;
        }
        train_once(&options, &got);
        *caps = kept;
        compare(runs[i].format, &got, &want, bound);
    }
    const struct onn_plan_options by_time = {0};
    static struct result second;
    train_once(&by_time, &got);
    compare("by time", &got, &want, bound);
    train_once(&by_time, &second); /* bit-equal */
    assert_memory_equal(&got, &second, sizeof got);
}

/* y of the evaluation plan */
static void evaluate(struct onn_plan *p, float *logits)
{
    onn_test_write(p, 0, image);
    onn_test_run(p);
    onn_test_read(p, 0, logits);
}

static void plans_share_parameters(void **state)
{
    struct onn_blob *blob[PARAMS];
    struct onn_derived_cache cache = {0}, other = {0};
    const struct onn_plan_options train = {0}, infer = {.freeze = true}, soft = {0};
    float before[CLASSES], after[CLASSES], live[CLASSES], fresh[CLASSES], loss[2];
    (void)state;
    make_params(blob);
    struct onn_graph *forward = network(BATCH, true, blob), *small = network(1, false, blob);
    struct onn_graph *g = onn_test_training(forward, "sgd", NULL, false, false);
    struct onn_plan *step = onn_test_plan(ctx, g, &train, &cache),
                    *eval = onn_test_plan(ctx, small, &soft, &cache);
    evaluate(eval, before);
    onn_test_write(step, 0, image);
    onn_test_write(step, 1, label);
    onn_test_write(step, 2, rate);
    onn_test_run(step);
    onn_test_read(step, 0, &loss[0]);
    evaluate(eval, live);
    onn_test_run(step);
    onn_test_read(step, 0, &loss[1]);
    assert_true(loss[1] < loss[0]);
    evaluate(eval, after);
    for (int i = 0; i < PARAMS; i++)
        assert_int_equal(onn_blob_sync_host(blob[i]), OCLNN_OK);
    struct onn_plan *frozen = onn_test_plan(ctx, small, &infer, &other);
    evaluate(frozen, fresh);
    close_to("shared parameters", "against a plan made later", after, fresh, CLASSES, 1e-5);
    assert_true(memcmp(before, live, sizeof before) && memcmp(live, after, sizeof live));
    onn_blob_set_f64(blob[7], 0,
        onn_blob_get_f64(blob[7], 0) + 1); /* the host changes the first class's bias */
    blob[7]->version++;
    evaluate(eval, live);
    assert_true(fabsf(live[0] - after[0] - 1) < 1e-4f && fabsf(live[1] - after[1]) < 1e-5f);
    onn_plan_destroy(&frozen);
    onn_plan_destroy(&eval);
    onn_plan_destroy(&step);
    onn_derived_finish(&cache);
    onn_derived_finish(&other);
    onn_graph_destroy(&g);
    onn_graph_destroy(&forward);
    onn_graph_destroy(&small);
    drop_params(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_agree),
        cmocka_unit_test(plans_share_parameters),
    };
    const enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return 77;
    if (status != OCLNN_OK)
        return 1;
    uint64_t seed = 1;
    for (int i = 0; i < BATCH * PIXELS; i++)
        image[i] = (float)((double)(onn_test_random(&seed) >> 40) * 0x1p-23 - 1);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
