/* Parameters by number and by name; values before and after a training step. */
#include "harness/check.h"
#include <oclnn/oclnn.h>
#include <oclnn/train.h>
#include <oclnn/zoo.h>

#include <math.h>
#include <string.h>

static oclnn_context *ctx;

static oclnn_model *perceptron(void)
{
    oclnn_graph *g = NULL;
    oclnn_model *net = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 3}, &g));
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 6));
    oclnn_output(g, "y", oclnn_dense(g, x, 4, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &net));
    return net;
}

static void are_listed_and_read(void **state)
{
    (void)state;
    struct oclnn_model_io io;
    float value[24] = {0};
    double sum = 0;
    oclnn_model *net = perceptron();
    assert_int_equal(oclnn_model_parameter_count(net), 2);
    int64_t elements = 0;
    for (int i = 0; i < 2; i++) {
        good(oclnn_model_parameter(net, i, &io));
        assert_int_equal(io.dtype, OCLNN_F32);
        int64_t n = 1;
        for (int k = 0; k < io.shape.rank; k++)
            n *= io.shape.dim[k];
        elements += n;
        good(oclnn_model_read_parameter(net, io.name, value, (size_t)n * sizeof *value));
        for (int64_t k = 0; k < n; k++)
            sum += fabs((double)value[k]);
        assert_int_equal(oclnn_model_read_parameter(net, io.name, value, (size_t)n), OCLNN_ERROR_SHAPE);
    }
    assert_int_equal(elements, 28);
    assert_true(sum > 0);
    assert_int_equal(oclnn_model_parameter(net, 2, &io), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_model_parameter(net, -1, &io), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_model_read_parameter(net, "no such", value, 4), OCLNN_ERROR_NOT_FOUND);
    assert_non_null(strstr(oclnn_error_text(NULL), "no such"));
    oclnn_model_destroy(&net);
}

/* SGD with rate 1 on mean((y - t)^2) of a bias-only input: the bias moves by exactly its gradient, 2 (y - t) / 4. */
static void newest_value_is_read(void **state)
{
    (void)state;
    struct oclnn_trainer_params params = {.loss = OCLNN_LOSS_MSE, .optimizer = {.kind = OCLNN_SGD, .lr = 1}};
    oclnn_trainer *trainer = NULL;
    struct oclnn_model_io io = {0};
    float x[6] = {0}, t[4] = {1, -2, 3, 0}, before[4], after[4], loss;
    const char *bias = NULL;
    oclnn_model *net = perceptron();
    for (int i = 0; i < 2; i++) {
        good(oclnn_model_parameter(net, i, &io));
        if (io.shape.rank == 1)
            bias = io.name;
    }
    assert_non_null(bias);
    good(oclnn_model_read_parameter(net, bias, before, sizeof before));
    good(oclnn_trainer_create(net, &params, &trainer));
    const struct oclnn_binding in[] = {{.data = x, .bytes = sizeof x, .shape = OCLNN_SHAPE(1, 6)}, {0}};
    good(oclnn_trainer_step(trainer, in, OCLNN_IN(t), &loss));
    good(oclnn_model_read_parameter(net, bias, after, sizeof after));
    for (int i = 0; i < 4; i++) {
        const double want = before[i] - 2 * (double)(before[i] - t[i]) / 4;
        assert_true(fabs((double)after[i] - want) < 1e-5);
    }
    oclnn_trainer_destroy(&trainer);
    oclnn_model_destroy(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_listed_and_read),
        cmocka_unit_test(newest_value_is_read),
    };
    const int code = open_device(&ctx);
    if (code)
        return code;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
