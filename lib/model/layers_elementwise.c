/* Activations, arithmetic and reductions. */
#include "model/graph_api.h"

#include <math.h>

/* Any operator without attributes. */
static oclnn_value plain(oclnn_graph *graph, const char *kind, const char *onnx, int n, const oclnn_value *in)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, NULL, n, in))
        return 0;
    onn_layer_op(&l, onnx);
    return onn_layer_emit(&l, NULL, n, in);
}

oclnn_value oclnn_relu(oclnn_graph *graph, oclnn_value x)
{
    return plain(graph, "relu", "Relu", 1, &x);
}

oclnn_value oclnn_sigmoid(oclnn_graph *graph, oclnn_value x)
{
    return plain(graph, "sigmoid", "Sigmoid", 1, &x);
}

oclnn_value oclnn_tanh(oclnn_graph *graph, oclnn_value x)
{
    return plain(graph, "tanh", "Tanh", 1, &x);
}

oclnn_value oclnn_hard_swish(oclnn_graph *graph, oclnn_value x)
{
    return plain(graph, "hard_swish", "HardSwish", 1, &x);
}

oclnn_value oclnn_swish(oclnn_graph *graph, oclnn_value x)
{
    return plain(graph, "swish", "Swish", 1, &x);
}

oclnn_value oclnn_gelu(oclnn_graph *graph, oclnn_value x)
{
    return plain(graph, "gelu", "Gelu", 1, &x);
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

/* ---- arithmetic ---- */

oclnn_value oclnn_add(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return plain(graph, "add", "Add", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_sub(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return plain(graph, "sub", "Sub", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_mul(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return plain(graph, "mul", "Mul", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_div(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return plain(graph, "div", "Div", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_sum(oclnn_graph *graph, const oclnn_value *values, int count)
{
    return plain(graph, "sum", "Sum", count, values);
}

oclnn_value oclnn_max(oclnn_graph *graph, const oclnn_value *values, int count)
{
    return plain(graph, "max", "Max", count, values);
}

oclnn_value oclnn_min(oclnn_graph *graph, const oclnn_value *values, int count)
{
    return plain(graph, "min", "Min", count, values);
}

/* ---- reductions ---- */

static oclnn_value reduce(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep,
    const char *kind, const char *onnx)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, NULL, 1, &x))
        return 0;
    int rank = onn_layer_desc(&l, x)->rank, dim;
    if (axes.rank < 0 || axes.rank > OCLNN_MAX_RANK)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "%d axes", axes.rank);
    for (int i = 0; i < axes.rank; i++)
        if (!onn_axis_resolve(axes.dim[i], rank, &dim))
            return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "axis %lld of %d", (long long)axes.dim[i], rank);
    onn_layer_op(&l, onnx);
    onn_layer_set_int(&l, "keepdims", keep != 0);
    oclnn_value in[2] = {x, axes.rank ? onn_layer_i64(&l, axes.rank, axes.dim) : 0};
    return onn_layer_emit(&l, NULL, axes.rank ? 2 : 1, in);
}

oclnn_value oclnn_reduce_mean(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_mean", "ReduceMean");
}

oclnn_value oclnn_reduce_sum(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_sum", "ReduceSum");
}

oclnn_value oclnn_reduce_max(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_max", "ReduceMax");
}

oclnn_value oclnn_reduce_min(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_min", "ReduceMin");
}
