/* Operators that move elements: concat, split, slice, pad, gather, reshape, transpose, and what makes shapes. */
#include "model/graph_api.h"

#include <string.h>

oclnn_value oclnn_concat(oclnn_graph *graph, const oclnn_value *values, int count, int axis)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "concat", NULL, count, values))
        return 0;
    onn_layer_op(&l, "Concat");
    onn_layer_set_int(&l, "axis", axis);
    return onn_layer_emit(&l, NULL, count, values);
}

oclnn_value oclnn_split(oclnn_graph *graph, oclnn_value x, int axis, const int64_t *sizes, int count,
    oclnn_value *out)
{
    struct onn_layer l;
    int64_t equal[256];
    int dim = 0;
    if (out && count > 0)
        memset(out, 0, (size_t)count * sizeof *out);
    if (!onn_layer_begin(&l, graph, "split", NULL, 1, &x))
        return 0;
    const struct onn_desc *d = onn_layer_desc(&l, x);
    if (!out || count < 1 || count > 256)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, out ? "%d pieces" : "out is NULL for %d pieces",
            count);
    if (!onn_axis_resolve(axis, d->rank, &dim))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "axis %d of %d", axis, d->rank);
    if (!sizes) {
        if (!onn_layer_needs(&l, x, -1, dim))
            return 0;
        if (d->dim[dim] % count)
            return onn_layer_fail(&l, OCLNN_ERROR_SHAPE, "%lld positions along axis %d in %d equal pieces",
                (long long)d->dim[dim], axis, count);
        for (int i = 0; i < count; i++)
            equal[i] = d->dim[dim] / count;
    }
    onn_layer_op(&l, "Split");
    onn_layer_set_int(&l, "axis", dim);
    oclnn_value in[2] = {x, onn_layer_i64(&l, count, sizes ? sizes : equal)};
    onn_layer_emit_many(&l, NULL, 2, in, count, out);
    return out[0];
}

oclnn_value oclnn_slice(oclnn_graph *graph, oclnn_value x, int axis, int64_t begin, int64_t end, int64_t step)
{
    struct onn_layer l;
    int dim = 0;
    if (!onn_layer_begin(&l, graph, "slice", NULL, 1, &x))
        return 0;
    if (!onn_axis_resolve(axis, onn_layer_desc(&l, x)->rank, &dim))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "axis %d of %d", axis, onn_layer_desc(&l, x)->rank);
    if (!step)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "step is 0");
    onn_layer_op(&l, "Slice");
    oclnn_value in[5] = {x};
    in[1] = onn_layer_i64(&l, 1, &begin);
    in[2] = onn_layer_i64(&l, 1, &end);
    in[3] = onn_layer_i64(&l, 1, &(int64_t){dim});
    in[4] = onn_layer_i64(&l, 1, &step);
    return onn_layer_emit(&l, NULL, 5, in);
}

/* mode NULL: `value` around x. */
static oclnn_value pad(oclnn_graph *graph, oclnn_value x, struct oclnn_shape before, struct oclnn_shape after,
    float value, const char *kind, const char *mode)
{
    struct onn_layer l;
    int64_t both[2 * OCLNN_MAX_RANK];
    if (!onn_layer_begin(&l, graph, kind, NULL, 1, &x))
        return 0;
    const struct onn_desc *d = onn_layer_desc(&l, x);
    if (before.rank != d->rank || after.rank != d->rank)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "x has %d dimensions, before %d, after %d", d->rank,
            before.rank, after.rank);
    for (int i = 0; i < d->rank; i++) {
        both[i] = before.dim[i];
        both[d->rank + i] = after.dim[i];
    }
    enum oclnn_dtype dtype = d->dtype;
    int rank = d->rank;
    onn_layer_op(&l, "Pad");
    if (mode)
        onn_layer_set_text(&l, "mode", mode);
    oclnn_value in[3] = {x, onn_layer_i64(&l, 2 * rank, both)};
    if (value != 0) /* NaN too */
        in[2] = onn_layer_number(&l, dtype, (double)value);
    return onn_layer_emit(&l, NULL, in[2] ? 3 : 2, in);
}

oclnn_value oclnn_pad(oclnn_graph *graph, oclnn_value x, struct oclnn_shape before, struct oclnn_shape after,
    float value)
{
    return pad(graph, x, before, after, value, "pad", NULL);
}

oclnn_value oclnn_pad_reflect(oclnn_graph *graph, oclnn_value x, struct oclnn_shape before,
    struct oclnn_shape after)
{
    return pad(graph, x, before, after, 0, "pad_reflect", "reflect");
}

oclnn_value oclnn_pad_edge(oclnn_graph *graph, oclnn_value x, struct oclnn_shape before,
    struct oclnn_shape after)
{
    return pad(graph, x, before, after, 0, "pad_edge", "edge");
}

oclnn_value oclnn_gather(oclnn_graph *graph, oclnn_value x, oclnn_value indices, int axis)
{
    struct onn_layer l;
    int dim = 0;
    if (!onn_layer_begin(&l, graph, "gather", NULL, 2, (oclnn_value[]){x, indices}))
        return 0;
    if (!onn_axis_resolve(axis, onn_layer_desc(&l, x)->rank, &dim))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "axis %d of %d", axis, onn_layer_desc(&l, x)->rank);
    onn_layer_op(&l, "Gather");
    onn_layer_set_int(&l, "axis", dim);
    return onn_layer_emit(&l, NULL, 2, (oclnn_value[]){x, indices});
}

/* Operators whose second input is a shape. */
static oclnn_value by_shape(oclnn_graph *graph, oclnn_value x, struct oclnn_shape shape, const char *kind,
    const char *onnx)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, NULL, 1, &x))
        return 0;
    if (shape.rank < 0 || shape.rank > OCLNN_MAX_RANK)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "%d dimensions", shape.rank);
    onn_layer_op(&l, onnx);
    oclnn_value in[2] = {x, onn_layer_i64(&l, shape.rank, shape.dim)};
    return onn_layer_emit(&l, NULL, 2, in);
}

oclnn_value oclnn_reshape(oclnn_graph *graph, oclnn_value x, struct oclnn_shape shape)
{
    return by_shape(graph, x, shape, "reshape", "Reshape");
}

oclnn_value oclnn_expand(oclnn_graph *graph, oclnn_value x, struct oclnn_shape shape)
{
    return by_shape(graph, x, shape, "expand", "Expand");
}

oclnn_value oclnn_flatten(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "flatten", "Flatten", 1, &x);
}

oclnn_value oclnn_flatten_at(oclnn_graph *graph, oclnn_value x, int axis)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "flatten", NULL, 1, &x))
        return 0;
    int rank = onn_layer_desc(&l, x)->rank;
    if (axis < -rank || axis > rank)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "axis %d of %d", axis, rank);
    onn_layer_op(&l, "Flatten");
    onn_layer_set_int(&l, "axis", axis);
    return onn_layer_emit(&l, NULL, 1, &x);
}

oclnn_value oclnn_transpose(oclnn_graph *graph, oclnn_value x, struct oclnn_shape order)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "transpose", NULL, 1, &x))
        return 0;
    if (order.rank != onn_layer_desc(&l, x)->rank)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "x has %d dimensions, the order %d",
            onn_layer_desc(&l, x)->rank, order.rank);
    onn_layer_op(&l, "Transpose");
    onn_layer_set_ints(&l, "perm", order.rank, order.dim);
    return onn_layer_emit(&l, NULL, 1, &x);
}

static oclnn_value by_axes(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, const char *kind,
    const char *onnx)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, NULL, 1, &x))
        return 0;
    if (axes.rank < 0 || axes.rank > OCLNN_MAX_RANK)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "%d axes", axes.rank);
    onn_layer_op(&l, onnx);
    oclnn_value in[2] = {x, axes.rank ? onn_layer_i64(&l, axes.rank, axes.dim) : 0};
    return onn_layer_emit(&l, NULL, axes.rank ? 2 : 1, in);
}

oclnn_value oclnn_squeeze(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes)
{
    return by_axes(graph, x, axes, "squeeze", "Squeeze");
}

oclnn_value oclnn_unsqueeze(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes)
{
    return by_axes(graph, x, axes, "unsqueeze", "Unsqueeze");
}

oclnn_value oclnn_identity(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "identity", "Identity", 1, &x);
}

/* ---- shapes as values ---- */

oclnn_value oclnn_shape_of(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "shape_of", "Shape", 1, &x);
}

oclnn_value oclnn_constant_of_shape(oclnn_graph *graph, oclnn_value shape, enum oclnn_dtype dtype,
    double number)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "constant_of_shape", NULL, 1, &shape))
        return 0;
    if (!oclnn_dtype_size(dtype))
        return onn_layer_fail(&l, OCLNN_ERROR_DTYPE, "element type %d", (int)dtype);
    onn_layer_op(&l, "ConstantOfShape");
    onn_layer_set_number(&l, "value", dtype, number);
    return onn_layer_emit(&l, NULL, 1, &shape);
}

oclnn_value oclnn_range(oclnn_graph *graph, oclnn_value start, oclnn_value limit, oclnn_value delta)
{
    return onn_layer_plain(graph, "range", "Range", 3, (oclnn_value[]){start, limit, delta});
}
