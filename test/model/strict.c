/* The strict policy: tensors are computed by kernels or not at all. What no kernel does is an error that names the node,
 * the element type and the cause, and f64 is computed like every other type that is only stored. */
#include <oclnn/oclnn.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { SKIP = 77 };

static oclnn_context *ctx;

static void check(enum oclnn_status status)
{
    if (status != OCLNN_OK)
        fail_msg("%s", oclnn_error_text(ctx));
}

static oclnn_graph *start(void)
{
    oclnn_graph *g = NULL;
    check(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 3}, &g));
    return g;
}

/* ---- f64 ---- */

enum { LENGTH = 24, CLASSES = 5 };

static void run_typed(enum oclnn_dtype dtype, const void *x, size_t bytes, oclnn_tensor **y)
{
    oclnn_graph *g = start();
    oclnn_model *net = NULL;
    oclnn_value v = oclnn_input(g, "x", dtype, OCLNN_SHAPE(1, 3, LENGTH));
    v = oclnn_relu(g, oclnn_batch_norm(g, oclnn_conv1d(g, v, 8, 3, NULL), NULL));
    v = oclnn_max_pool1d(g, v, 2, NULL);
    v = oclnn_sigmoid(g, oclnn_conv_transpose1d(g, v, 4, 2, &(struct oclnn_conv){.stride = {2}}));
    v = oclnn_avg_pool1d(g, v, 2, NULL);
    v = oclnn_softmax(g, oclnn_dense(g, oclnn_flatten(g, v), CLASSES, NULL), 1);
    oclnn_output(g, "y", v);
    check(oclnn_model_create(ctx, &g, NULL, &net));
    const struct oclnn_binding in[] = {{.data = (void *)x, .bytes = bytes}, {0}},
                               out[] = {{.result = y}, {0}};
    check(oclnn_model_run(net, in, out));
    oclnn_model_destroy(&net);
}

static void doubles(void **state)
{
    float x[3 * LENGTH];
    double wide[3 * LENGTH];
    oclnn_tensor *y[2] = {NULL, NULL};
    (void)state;
    for (int i = 0; i < 3 * LENGTH; i++)
        wide[i] = x[i] = (float)(i * 37 % 64) / 32 - 1;
    run_typed(OCLNN_F32, x, sizeof x, &y[0]);
    run_typed(OCLNN_F64, wide, sizeof wide, &y[1]);
    assert_int_equal(oclnn_tensor_dtype(y[1]), OCLNN_F64);
    const float *a = oclnn_tensor_data(y[0]);
    const double *b = oclnn_tensor_data(y[1]);
    double sum = 0;
    for (int i = 0; i < CLASSES; i++) {
        if (!(fabs((double)a[i] - b[i]) <= 1e-5))
            fail_msg("element %d: %.9g in f32, %.9g in f64", i, (double)a[i], b[i]);
        sum += b[i];
    }
    assert_true(fabs(sum - 1) < 1e-5);
    oclnn_tensor_destroy(&y[0]);
    oclnn_tensor_destroy(&y[1]);
}

/* ---- what cannot be ---- */

/* Creating or running the network fails so, with all `count` words in the sentence. */
static void fails(oclnn_graph *g, oclnn_value y, const struct oclnn_binding *in, enum oclnn_status status,
    const char *const *words, int count)
{
    oclnn_model *net = NULL;
    oclnn_tensor *result = NULL;
    const struct oclnn_binding out[] = {{.result = &result}, {0}};
    oclnn_output(g, "y", y);
    enum oclnn_status got = oclnn_model_create(ctx, &g, NULL, &net);
    if (got == OCLNN_OK)
        got = oclnn_model_run(net, in, out);
    if (got != status)
        fail_msg("%s instead of %s: %s", oclnn_status_name(got), oclnn_status_name(status),
            oclnn_error_text(ctx));
    for (int i = 0; i < count; i++)
        if (!strstr(oclnn_error_text(ctx), words[i]))
            fail_msg("no \"%s\" in \"%s\"", words[i], oclnn_error_text(ctx));
    assert_null(result);
    oclnn_model_destroy(&net);
}
#define FAILS(g, y, in, status, ...) \
    fails(g, y, in, status, (const char *const[]){__VA_ARGS__}, \
        (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)))

static void types_without_a_kernel(void **state)
{
    static double x[2 * 1 * 4];
    static int32_t whole[4];
    (void)state;
    oclnn_graph *g = start();
    oclnn_value in[3] = {oclnn_input(g, "x", OCLNN_F64, OCLNN_SHAPE(2, 1, 4)),
        oclnn_parameter(g, "w", OCLNN_F64, OCLNN_SHAPE(1, 12, 4), NULL),
        oclnn_parameter(g, "r", OCLNN_F64, OCLNN_SHAPE(1, 12, 3), NULL)};
    const struct oclnn_binding doubles_in[] = {{.data = x, .bytes = sizeof x}, {0}};
    FAILS(g, oclnn_op(g, "lstm", NULL, in, 3), doubles_in, OCLNN_ERROR_UNSUPPORTED, "LSTM", "f64", "only f32",
        "Cast");
    g = start();
    in[0] = oclnn_input(g, "x", OCLNN_I32, OCLNN_SHAPE(2, 2));
    const struct oclnn_binding whole_in[] = {{.data = whole, .bytes = sizeof whole}, {0}};
    FAILS(g, oclnn_matmul(g, in[0], in[0]), whole_in, OCLNN_ERROR_UNSUPPORTED, "MatMul", "i32", "only f32");
}

/* Shapes that hang on an input's numbers alone are planned for; behind a convolution there is nothing to plan by. */
static void shapes_that_depend_on_data(void **state)
{
    static float x[4] = {1, 0, 2, 0};
    const struct oclnn_binding in[] = {{.data = x, .bytes = sizeof x}, {0}};
    (void)state;
    oclnn_graph *g = start();
    oclnn_value v = oclnn_conv1d(g, oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(1, 1, 4)), 1, 1, NULL);
    FAILS(g, oclnn_op(g, "nonzero", NULL, &v, 1), in, OCLNN_ERROR_UNSUPPORTED, "nonzero1");
    g = start();
    v = oclnn_conv1d(g, oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(1, 1, 4)), 1, 1, NULL);
    v = oclnn_cast(g, oclnn_reduce_sum(g, v, (struct oclnn_shape){0}, 0), OCLNN_I64);
    v = oclnn_range(g, oclnn_scalar(g, OCLNN_I64, 0), v, oclnn_scalar(g, OCLNN_I64, 1));
    FAILS(g, v, in, OCLNN_ERROR_UNSUPPORTED, "range1");
}

/* Weights are trained in f32: a network of another type is turned down when a trainer is made. */
static void training_takes_f32(void **state)
{
    (void)state;
    oclnn_model *net = NULL;
    oclnn_trainer *t = NULL;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F64, OCLNN_SHAPE(-1, 4));
    oclnn_output(g, "y", oclnn_dense(g, x, 3, NULL));
    check(oclnn_model_create(ctx, &g, NULL, &net));
    assert_int_equal(oclnn_trainer_create(net, NULL, &t), OCLNN_ERROR_DTYPE);
    assert_null(t);
    if (!strstr(oclnn_error_text(ctx), "'dense1.weight'") || !strstr(oclnn_error_text(ctx), "f64"))
        fail_msg("\"%s\"", oclnn_error_text(ctx));
    oclnn_model_destroy(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles),
        cmocka_unit_test(types_without_a_kernel),
        cmocka_unit_test(shapes_that_depend_on_data),
        cmocka_unit_test(training_takes_f32),
    };
    enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return SKIP;
    if (status)
        fprintf(stderr, "%s\n", oclnn_error_text(NULL));
    int failed = status ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
