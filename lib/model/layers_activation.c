/* Activations. */
#include "model/graph_api.h"

#include <math.h>

oclnn_value oclnn_relu(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "relu", "Relu", 1, &x);
}

oclnn_value oclnn_sigmoid(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "sigmoid", "Sigmoid", 1, &x);
}

oclnn_value oclnn_tanh(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "tanh", "Tanh", 1, &x);
}

oclnn_value oclnn_hard_swish(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "hard_swish", "HardSwish", 1, &x);
}

oclnn_value oclnn_swish(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "swish", "Swish", 1, &x);
}

oclnn_value oclnn_gelu(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "gelu", "Gelu", 1, &x);
}

oclnn_value oclnn_leaky_relu(oclnn_graph *graph, oclnn_value x, float slope)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "leaky_relu", NULL, 1, &x))
        return 0;
    onn_layer_op(&l, "LeakyRelu");
    onn_layer_set_float(&l, "alpha", slope);
    return onn_layer_emit(&l, NULL, 1, &x);
}

oclnn_value oclnn_prelu(oclnn_graph *graph, oclnn_value x)
{
    static const struct onn_init quarter = {.kind = ONN_INIT_CONSTANT, .a = 0.25f};
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "prelu", NULL, 1, &x) || !onn_layer_needs(&l, x, -1, 1))
        return 0;
    const struct onn_desc *d = onn_layer_desc(&l, x);
    int64_t dim[OCLNN_MAX_RANK] = {d->dim[1], 1, 1, 1, 1, 1, 1, 1};
    struct onn_desc w = onn_desc_make(d->dtype, d->rank - 1, dim);
    onn_layer_op(&l, "PRelu");
    oclnn_value in[2] = {x, onn_layer_param(&l, ".weight", ONN_ROLE_PARAM, &w, NULL, &quarter)};
    return onn_layer_emit(&l, NULL, 2, in);
}

oclnn_value oclnn_hard_sigmoid(oclnn_graph *graph, oclnn_value x)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "hard_sigmoid", NULL, 1, &x))
        return 0;
    onn_layer_op(&l, "HardSigmoid");
    onn_layer_set_float(&l, "alpha", 1.0f / 6);
    onn_layer_set_float(&l, "beta", 0.5f);
    return onn_layer_emit(&l, NULL, 1, &x);
}

static oclnn_value clip(oclnn_graph *graph, oclnn_value x, const char *kind, float low, float high)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, NULL, 1, &x))
        return 0;
    if (!(low <= high))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "low is %g, high is %g", (double)low, (double)high);
    enum oclnn_dtype dtype = onn_layer_desc(&l, x)->dtype;
    oclnn_value in[3] = {x};
    onn_layer_op(&l, "Clip");
    if (!isinf(low))
        in[1] = onn_layer_number(&l, dtype, (double)low);
    if (!isinf(high))
        in[2] = onn_layer_number(&l, dtype, (double)high);
    return onn_layer_emit(&l, NULL, in[2] ? 3 : in[1] ? 2 : 1, in);
}

oclnn_value oclnn_clip(oclnn_graph *graph, oclnn_value x, float low, float high)
{
    return clip(graph, x, "clip", low, high);
}

oclnn_value oclnn_relu6(oclnn_graph *graph, oclnn_value x)
{
    return clip(graph, x, "relu6", 0, 6);
}
