/* Normalisations, dropout and the softmaxes. */
#include "model/graph_api.h"

static const struct onn_init zero = {.kind = ONN_INIT_ZERO}, one = {.kind = ONN_INIT_ONE};
static const struct oclnn_norm no_norm = {0};

/* in[1], in[2] = scale and bias of this shape. */
static void add_affine(struct onn_layer *l, const struct oclnn_norm *p, enum oclnn_dtype dtype, int rank,
    const int64_t *dim, oclnn_value *in)
{
    struct onn_desc d = onn_desc_make(dtype, rank, dim);
    in[1] = onn_layer_param(l, ".scale", ONN_ROLE_PARAM, &d, &p->scale_init, &one);
    in[2] = onn_layer_param(l, ".bias", ONN_ROLE_PARAM, &d, &p->bias_init, &zero);
}

static void set_epsilon(struct onn_layer *l, const struct oclnn_norm *p)
{
    if (!(p->epsilon >= 0))
        onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "epsilon is %g", (double)p->epsilon);
    onn_layer_set_float(l, "epsilon", p->epsilon > 0 ? p->epsilon : 1e-5f);
}

oclnn_value oclnn_batch_norm(oclnn_graph *graph, oclnn_value x, const struct oclnn_norm *params)
{
    const struct oclnn_norm *p = params ? params : &no_norm;
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "batch_norm", p->name, 1, &x) || !onn_layer_needs(&l, x, -1, 1))
        return 0;
    if (!(p->momentum >= 0 && p->momentum < 1))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "momentum is %g, 0 ... 1 is possible",
            (double)p->momentum);
    struct onn_desc d = *onn_layer_desc(&l, x);
    d = onn_desc_make(d.dtype, 1, &d.dim[1]);
    oclnn_value in[5] = {x};
    onn_layer_op(&l, "BatchNormalization");
    set_epsilon(&l, p);
    onn_layer_set_float(&l, "momentum", p->momentum > 0 ? p->momentum : 0.9f);
    add_affine(&l, p, d.dtype, 1, d.dim, in);
    in[3] = onn_layer_param(&l, ".mean", ONN_ROLE_STATE, &d, NULL, &zero);
    in[4] = onn_layer_param(&l, ".variance", ONN_ROLE_STATE, &d, NULL, &one);
    return onn_layer_emit(&l, NULL, 5, in);
}

oclnn_value oclnn_layer_norm(oclnn_graph *graph, oclnn_value x, const struct oclnn_norm *params)
{
    const struct oclnn_norm *p = params ? params : &no_norm;
    struct onn_layer l;
    int axis = 0;
    if (!onn_layer_begin(&l, graph, "layer_norm", p->name, 1, &x))
        return 0;
    const struct onn_desc d = *onn_layer_desc(&l, x);
    if (!onn_axis_resolve(p->axis ? p->axis : -1, d.rank, &axis))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "axis %d of %d", p->axis, d.rank);
    for (int i = axis; i < d.rank; i++)
        if (!onn_layer_needs(&l, x, -1, i))
            return 0;
    oclnn_value in[3] = {x};
    onn_layer_op(&l, "LayerNormalization");
    set_epsilon(&l, p);
    onn_layer_set_int(&l, "axis", axis - d.rank); /* as ONNX's default: from the end */
    add_affine(&l, p, d.dtype, d.rank - axis, &d.dim[axis], in);
    return onn_layer_emit(&l, NULL, 3, in);
}

oclnn_value oclnn_instance_norm(oclnn_graph *graph, oclnn_value x, const struct oclnn_norm *params)
{
    const struct oclnn_norm *p = params ? params : &no_norm;
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "instance_norm", p->name, 1, &x) || !onn_layer_needs(&l, x, -1, 1))
        return 0;
    const struct onn_desc d = *onn_layer_desc(&l, x);
    oclnn_value in[3] = {x};
    onn_layer_op(&l, "InstanceNormalization");
    set_epsilon(&l, p);
    add_affine(&l, p, d.dtype, 1, &d.dim[1], in);
    return onn_layer_emit(&l, NULL, 3, in);
}

oclnn_value oclnn_group_norm(oclnn_graph *graph, oclnn_value x, int groups, const struct oclnn_norm *params)
{
    const struct oclnn_norm *p = params ? params : &no_norm;
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "group_norm", p->name, 1, &x) || !onn_layer_needs(&l, x, -1, 1))
        return 0;
    const struct onn_desc d = *onn_layer_desc(&l, x);
    if (groups < 1 || d.dim[1] % groups)
        return onn_layer_fail(&l, OCLNN_ERROR_SHAPE, "%d groups do not divide %lld channels", groups,
            (long long)d.dim[1]);
    oclnn_value in[3] = {x};
    onn_layer_op(&l, "GroupNormalization");
    set_epsilon(&l, p);
    onn_layer_set_int(&l, "num_groups", groups);
    add_affine(&l, p, d.dtype, 1, &d.dim[1], in);
    return onn_layer_emit(&l, NULL, 3, in);
}

oclnn_value oclnn_lrn(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_lrn *params)
{
    static const struct oclnn_lrn none = {0};
    const struct oclnn_lrn *p = params ? params : &none;
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "lrn", p->name, 1, &x))
        return 0;
    if (size < 1)
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "size %d", size);
    onn_layer_op(&l, "LRN");
    onn_layer_set_int(&l, "size", size);
    onn_layer_set_float(&l, "alpha", p->alpha != 0 ? p->alpha : 1e-4f);
    onn_layer_set_float(&l, "beta", p->beta != 0 ? p->beta : 0.75f);
    onn_layer_set_float(&l, "bias", p->bias != 0 ? p->bias : 1);
    return onn_layer_emit(&l, NULL, 1, &x);
}

/* Inference form: without the training_mode input it is the identity. Training adds that input. */
oclnn_value oclnn_dropout(oclnn_graph *graph, oclnn_value x, float ratio)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, "dropout", NULL, 1, &x))
        return 0;
    if (!(ratio >= 0 && ratio < 1))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "ratio is %g, 0 <= ratio < 1 is needed",
            (double)ratio);
    onn_layer_op(&l, "Dropout");
    oclnn_value in[2] = {x, onn_layer_number(&l, OCLNN_F32, (double)ratio)};
    return onn_layer_emit(&l, NULL, 2, in);
}

static oclnn_value along(oclnn_graph *graph, oclnn_value x, int axis, const char *kind, const char *onnx)
{
    struct onn_layer l;
    int dim = 0;
    if (!onn_layer_begin(&l, graph, kind, NULL, 1, &x))
        return 0;
    if (!onn_axis_resolve(axis, onn_layer_desc(&l, x)->rank, &dim))
        return onn_layer_fail(&l, OCLNN_ERROR_ARGUMENT, "axis %d of %d", axis, onn_layer_desc(&l, x)->rank);
    onn_layer_op(&l, onnx);
    onn_layer_set_int(&l, "axis", axis);
    return onn_layer_emit(&l, NULL, 1, &x);
}

oclnn_value oclnn_softmax(oclnn_graph *graph, oclnn_value x, int axis)
{
    return along(graph, x, axis, "softmax", "Softmax");
}

oclnn_value oclnn_log_softmax(oclnn_graph *graph, oclnn_value x, int axis)
{
    return along(graph, x, axis, "log_softmax", "LogSoftmax");
}
