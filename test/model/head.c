/* Another number of classes: what changes, what stays, what is refused. */
#include "harness/check.h"
#include <oclnn/oclnn.h>
#include <oclnn/train.h>

#include <math.h>
#include <string.h>

static oclnn_context *ctx;

enum last { DENSE, CONV, RESHAPED, BIAS_APART, BRANCHES, NONE };

static oclnn_value offsets(oclnn_graph *g)
{
    oclnn_tensor *t = NULL;
    good(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(1, 10), (float[10]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, &t));
    oclnn_value v = oclnn_constant(g, t);
    oclnn_tensor_destroy(&t);
    return v;
}

static oclnn_value layers(oclnn_graph *g, oclnn_value x, enum last last)
{
    x = oclnn_relu(g, oclnn_conv2d(g, x, 4, 3, NULL));
    switch (last) {
    case DENSE: return oclnn_dense(g, oclnn_flatten(g, oclnn_global_avg_pool(g, x)), 10, NULL);
    case CONV: return oclnn_flatten(g, oclnn_global_avg_pool(g, oclnn_conv2d(g, x, 10, 1, NULL)));
    case RESHAPED:
        x = oclnn_global_avg_pool(g, oclnn_conv2d(g, x, 10, 1, NULL));
        return oclnn_softmax(g, oclnn_reshape(g, x, OCLNN_SHAPE(-1, 10)), 1);
    case BIAS_APART:
        x = oclnn_flatten(g, oclnn_global_avg_pool(g, x));
        return oclnn_add(g, oclnn_dense(g, x, 10, &(struct oclnn_dense){.no_bias = 1}), offsets(g));
    case BRANCHES: return oclnn_add(g, oclnn_conv2d(g, x, 5, 1, NULL), oclnn_conv2d(g, x, 5, 1, NULL));
    default: return oclnn_add(g, x, x);
    }
}

static oclnn_model *make(enum last last)
{
    oclnn_graph *g = NULL;
    oclnn_model *net = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 3}, &g));
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 2, 6, 6));
    oclnn_output(g, "y", layers(g, x, last));
    good(oclnn_model_create(ctx, &g, NULL, &net));
    return net;
}

static double sum_of(oclnn_model *net, int index, int64_t *elements)
{
    struct oclnn_model_io io;
    float value[400];
    double sum = 0;
    *elements = 1;
    good(oclnn_model_parameter(net, index, &io));
    for (int i = 0; i < io.shape.rank; i++)
        *elements *= io.shape.dim[i];
    good(oclnn_model_read_parameter(net, io.name, value, (size_t)*elements * sizeof *value));
    for (int64_t i = 0; i < *elements; i++)
        sum += fabs((double)value[i]);
    return sum;
}

static void has_other_classes(void **state)
{
    (void)state;
    static float image[3 * 2 * 6 * 6];
    const struct oclnn_binding in[] = {{.data = image,
                                           .bytes = sizeof image,
                                           .shape = OCLNN_SHAPE(3, 2, 6, 6)},
        {0}};
    for (int i = 0; i < 3 * 72; i++)
        image[i] = (float)(i % 7) / 7;
    for (enum last last = DENSE; last <= BIAS_APART; last++) {
        oclnn_model *net = make(last);
        float before[30], after[9];
        int64_t old_n, n;
        const double old = sum_of(net, 0, &old_n);
        good(oclnn_model_run(net, in, OCLNN_OUT(before)));
        good(oclnn_model_replace_head(net, 3, 5));
        good(oclnn_model_run(net, in, OCLNN_OUT(after))); /* 3 x 3 numbers now */
        assert_true(sum_of(net, 0, &n) == old && n == old_n); /* the first convolution is as it was */
        for (int i = 0; i < 9; i++)
            assert_true(isfinite(after[i]));
        oclnn_model_destroy(&net);
    }
}

static void is_seeded_and_trained(void **state)
{
    (void)state;
    static float image[3 * 2 * 6 * 6];
    const struct oclnn_trainer_params params = {.optimizer = {.kind = OCLNN_ADAM, .lr = .05f}};
    int64_t label[3] = {2, 0, 1};
    double sum[3];
    for (int i = 0; i < 3 * 72; i++)
        image[i] = (float)((i / 72 * 31 + i) % 7) / 7;
    for (int k = 0; k < 3; k++) {
        oclnn_model *net = make(DENSE);
        oclnn_trainer *t = NULL;
        int64_t n;
        good(oclnn_model_replace_head(net, 3, k < 2 ? 1 : 2));
        sum[k] = sum_of(net, 2, &n);
        assert_int_equal(n, 12);
        const struct oclnn_binding in[] = {{.data = image,
                                               .bytes = sizeof image,
                                               .shape = OCLNN_SHAPE(3, 2, 6, 6)},
            {0}};
        float first, last = 0;
        good(oclnn_trainer_create(net, &params, &t));
        good(oclnn_trainer_step(t, in, OCLNN_IN(label), &first));
        for (int i = 0; i < 20; i++)
            good(oclnn_trainer_step(t, NULL, NULL, &last));
        assert_true(last < first);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&net);
    }
    assert_true(sum[0] == sum[1] && sum[0] != sum[2]);
}

/* A network for one image, of which every Reshape says so, then runs on three and gives the same for each. */
static void batch_becomes_free(void **state)
{
    (void)state;
    static float image[3 * 2 * 6 * 6];
    for (int i = 0; i < 3 * 72; i++)
        image[i] = (float)((i / 72 * 31 + i) % 7) / 7;
    for (int k = 0; k < 2; k++) {
        oclnn_graph *g = NULL;
        oclnn_model *net = NULL;
        float one[10], three[30];
        good(oclnn_graph_create(NULL, &g));
        oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(1, 2, 6, 6));
        if (k == 0) {
            x = oclnn_global_avg_pool(g, oclnn_conv2d(g, x, 10, 1, NULL));
            oclnn_output(g, "y", oclnn_softmax(g, oclnn_reshape(g, x, OCLNN_SHAPE(1, 10)), 1));
        } else { /* the images become one row: no batch can be found in that */
            oclnn_output(g, "y", oclnn_reshape(g, oclnn_reshape(g, x, OCLNN_SHAPE(72)), OCLNN_SHAPE(8, 9)));
        }
        good(oclnn_model_create(ctx, &g, NULL, &net));
        struct oclnn_binding in[] = {{.data = image, .bytes = 72 * sizeof *image}, {0}};
        if (k == 0) {
            good(oclnn_model_run(net, in, OCLNN_OUT(one)));
            good(oclnn_model_free_batch(net));
            good(oclnn_model_free_batch(net)); /* again: nothing happens */
            in[0] = (struct oclnn_binding){.data = image,
                .bytes = sizeof image,
                .shape = OCLNN_SHAPE(3, 2, 6, 6)};
            good(oclnn_model_run(net, in, OCLNN_OUT(three)));
            for (int i = 0; i < 10; i++)
                assert_true(fabsf(one[i] - three[i]) < 1e-6f);
        } else {
            float rows[72];
            assert_int_not_equal(oclnn_model_free_batch(net), OCLNN_OK);
            good(oclnn_model_run(net, in, OCLNN_OUT(rows))); /* unchanged */
        }
        oclnn_model_destroy(&net);
    }
    assert_int_equal(oclnn_model_free_batch(NULL), OCLNN_ERROR_ARGUMENT);
}

static enum oclnn_status picture(void *user, int64_t index, void *x, int64_t *label)
{
    (void)user;
    memset(x, index % 2 ? 200 : 20, 72);
    *label = index % 2;
    return OCLNN_OK;
}

/* As SqueezeNet is exported: one image, classes as N x K x 1 x 1. It trains on a data set in batches of 4. */
static void open_batch_is_trained(void **state)
{
    (void)state;
    oclnn_graph *g = NULL;
    oclnn_model *net = NULL;
    oclnn_trainer *t = NULL;
    oclnn_dataset *data = NULL;
    struct oclnn_score score;
    good(oclnn_graph_create(NULL, &g));
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(1, 2, 6, 6));
    oclnn_output(g, "y", oclnn_global_avg_pool(g, oclnn_conv2d(g, x, 10, 1, NULL)));
    good(oclnn_model_create(ctx, &g, NULL, &net));
    good(oclnn_model_free_batch(net));
    good(oclnn_model_replace_head(net, 2, 1));
    good(oclnn_dataset_create(ctx, 16, OCLNN_SHAPE(2, 6, 6), OCLNN_U8, 2, picture, NULL, NULL, &data));
    const struct oclnn_trainer_params params = {.optimizer = {.kind = OCLNN_ADAM, .lr = .1f}};
    good(oclnn_trainer_create(net, &params, &t));
    good(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.epochs = 10, .batch = 4}));
    good(oclnn_trainer_evaluate(t, data, 4, &score));
    assert_int_equal(score.count, 16);
    assert_true(score.top1 == 1);
    oclnn_trainer_destroy(&t);
    oclnn_dataset_destroy(&data);
    oclnn_model_destroy(&net);
}

static void is_refused(void **state)
{
    (void)state;
    oclnn_model *net = make(BRANCHES);
    assert_int_equal(oclnn_model_replace_head(net, 3, 0), OCLNN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(oclnn_error_text(NULL), "two branches"));
    assert_int_equal(oclnn_model_replace_head(net, 0, 0), OCLNN_ERROR_ARGUMENT);
    oclnn_model_destroy(&net);
    net = make(NONE);
    assert_int_equal(oclnn_model_replace_head(net, 3, 0), OCLNN_ERROR_UNSUPPORTED);
    oclnn_model_destroy(&net);
    assert_int_equal(oclnn_model_replace_head(NULL, 3, 0), OCLNN_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_other_classes),
        cmocka_unit_test(is_seeded_and_trained),
        cmocka_unit_test(batch_becomes_free),
        cmocka_unit_test(open_batch_is_trained),
        cmocka_unit_test(is_refused),
    };
    const int code = open_device(&ctx);
    if (code)
        return code;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
