#include "harness/network.h"
#include "harness/check.h"
#include <oclnn/zoo.h>

#include <stdlib.h>
#include <string.h>

float *onn_test_scores(oclnn_context *ctx, const char *name, const struct oclnn_model_params *params,
    size_t *n, size_t *bytes)
{
    oclnn_graph *graph = NULL;
    oclnn_model *net = NULL;
    oclnn_tensor *x = NULL, *y = NULL;
    struct oclnn_zoo_info info;
    struct oclnn_plan_info plan;
    assert_int_equal(oclnn_zoo_describe(name, &info), OCLNN_OK);
    const struct oclnn_zoo_params zoo = {.size = info.smallest, .classes = 10};
    struct oclnn_shape shape = OCLNN_SHAPE(1, info.channels, info.smallest, info.smallest);
    assert_int_equal(oclnn_tensor_create(OCLNN_F32, shape, NULL, &x), OCLNN_OK);
    float *data = oclnn_tensor_data(x);
    for (size_t i = 0; i < oclnn_tensor_bytes(x) / sizeof(float); i++)
        data[i] = (float)((i * 2654435761u >> 7) % 256) / 128.0f - 1.0f;
    assert_int_equal(oclnn_graph_create(NULL, &graph), OCLNN_OK);
    assert_int_equal(oclnn_zoo_build(name, graph, &zoo), OCLNN_OK);
    assert_int_equal(oclnn_model_create(ctx, &graph, params, &net), OCLNN_OK);
    const struct oclnn_binding in[2] = {{.tensor = x}, {0}}, out[2] = {{.result = &y}, {0}};
    if (oclnn_model_run(net, in, out) != OCLNN_OK)
        fail_msg("%s: %s", name, oclnn_error_text(ctx));
    assert_int_equal(oclnn_model_plan_info(net, &plan), OCLNN_OK);
    if (bytes)
        *bytes = plan.parameter_bytes;
    assert_int_equal(oclnn_tensor_dtype(y), OCLNN_F32);
    *n = oclnn_tensor_bytes(y) / sizeof(float);
    float *scores = malloc(oclnn_tensor_bytes(y));
    assert_non_null(scores);
    memcpy(scores, oclnn_tensor_data(y), oclnn_tensor_bytes(y));
    oclnn_tensor_destroy(&x);
    oclnn_tensor_destroy(&y);
    oclnn_model_destroy(&net);
    return scores;
}
