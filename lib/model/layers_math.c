/* Arithmetic, comparisons, logic, element types and reductions. */
#include "model/graph_api.h"

oclnn_value oclnn_neg(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "neg", "Neg", 1, &x);
}

oclnn_value oclnn_abs(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "abs", "Abs", 1, &x);
}

oclnn_value oclnn_exp(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "exp", "Exp", 1, &x);
}

oclnn_value oclnn_log(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "log", "Log", 1, &x);
}

oclnn_value oclnn_sqrt(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "sqrt", "Sqrt", 1, &x);
}

oclnn_value oclnn_add(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "add", "Add", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_sub(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "sub", "Sub", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_mul(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "mul", "Mul", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_div(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "div", "Div", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_pow(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "pow", "Pow", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_sum(oclnn_graph *graph, const oclnn_value *values, int count)
{
    return onn_layer_plain(graph, "sum", "Sum", count, values);
}

oclnn_value oclnn_max(oclnn_graph *graph, const oclnn_value *values, int count)
{
    return onn_layer_plain(graph, "max", "Max", count, values);
}

oclnn_value oclnn_min(oclnn_graph *graph, const oclnn_value *values, int count)
{
    return onn_layer_plain(graph, "min", "Min", count, values);
}

/* ---- comparisons and logic ---- */

oclnn_value oclnn_equal(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "equal", "Equal", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_less(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "less", "Less", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_less_equal(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "less_equal", "LessOrEqual", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_greater(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "greater", "Greater", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_greater_equal(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "greater_equal", "GreaterOrEqual", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_and(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "and", "And", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_or(oclnn_graph *graph, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "or", "Or", 2, (oclnn_value[]){a, b});
}

oclnn_value oclnn_not(oclnn_graph *graph, oclnn_value x)
{
    return onn_layer_plain(graph, "not", "Not", 1, &x);
}

oclnn_value oclnn_where(oclnn_graph *graph, oclnn_value condition, oclnn_value a, oclnn_value b)
{
    return onn_layer_plain(graph, "where", "Where", 3, (oclnn_value[]){condition, a, b});
}

oclnn_value oclnn_cast(oclnn_graph *graph, oclnn_value x, enum oclnn_dtype dtype)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "cast", NULL, 1, &x))
        return 0;
    if (!oclnn_dtype_size(dtype))
        return onn_layer_fail(&l, OCLNN_ERROR_DTYPE, "element type %d", (int)dtype);
    onn_layer_op(&l, "Cast");
    onn_layer_set_int(&l, "to", onn_dtype_to_onnx(dtype));
    return onn_layer_emit(&l, NULL, 1, &x);
}

/* ---- reductions ---- */

static oclnn_value reduce(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep,
    const char *kind, const char *onnx)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, NULL, 1, &x))
        return 0;
    int rank = onn_layer_desc(&l, x)->rank, dim = 0;
    uint32_t seen = 0;
    if (axes.rank < 0 || axes.rank > OCLNN_MAX_RANK)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "%d axes", axes.rank);
    for (int i = 0; i < axes.rank; i++) {
        if (!onn_axis_resolve(axes.dim[i], rank, &dim))
            return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "axis %lld of %d", (long long)axes.dim[i], rank);
        if (seen >> dim & 1)
            return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "axis %d is given twice", dim);
        seen |= 1u << dim;
    }
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

oclnn_value oclnn_reduce_prod(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_prod", "ReduceProd");
}

oclnn_value oclnn_reduce_l1(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_l1", "ReduceL1");
}

oclnn_value oclnn_reduce_l2(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_l2", "ReduceL2");
}

oclnn_value oclnn_reduce_sum_square(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_sum_square", "ReduceSumSquare");
}

oclnn_value oclnn_reduce_log_sum(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_log_sum", "ReduceLogSum");
}

oclnn_value oclnn_reduce_log_sum_exp(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep)
{
    return reduce(graph, x, axes, keep, "reduce_log_sum_exp", "ReduceLogSumExp");
}
