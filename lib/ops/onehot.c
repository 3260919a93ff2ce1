/* OneHot and NonZero: from indices to masks and back. NonZero's shape depends on data: host only. */
#include "ops/walk.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

struct onehot_attr {
    int64_t axis;
};

static enum oclnn_status read_axis(const struct onn_prob *p, int rank, int *axis)
{
    const struct onehot_attr *a = p->attr;
    if (onn_axis_resolve(a->axis, rank, axis))
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside a tensor of %d dimensions",
        (long long)a->axis, rank);
}

static enum oclnn_status infer_onehot(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *k = &p->in[0];
    const struct onn_blob *depth = onn_prob_value(p, 1);
    int64_t dim[ONN_MAX_RANK];
    int axis = 0;
    out[0] = onn_desc_make(p->in[2].dtype, -1, NULL);
    if (k->rank < 0)
        return OCLNN_OK;
    ONN_CHECK(k->rank < ONN_MAX_RANK, OCLNN_ERROR_UNSUPPORTED,
        "the result would have more than %d dimensions", ONN_MAX_RANK);
    ONN_TRY(read_axis(p, k->rank + 1, &axis));
    ONN_CHECK(!depth || onn_desc_elements(&depth->desc) == 1, OCLNN_ERROR_SHAPE, "the depth is no scalar");
    for (int d = 0; d <= k->rank; d++)
        dim[d] = d < axis ? k->dim[d] : d > axis ? k->dim[d - 1] : depth ? onn_blob_get_i64(depth, 0) : -1;
    ONN_CHECK(!depth || dim[axis] > 0, OCLNN_ERROR_ARGUMENT, "the depth is %lld", (long long)dim[axis]);
    ONN_CHECK(!onn_desc_is_known(&p->in[2]) || onn_desc_elements(&p->in[2]) == 2, OCLNN_ERROR_SHAPE,
        "the values must be two: off and on");
    out[0] = onn_desc_make(p->in[2].dtype, k->rank + 1, dim);
fail:
    return status;
}

static enum oclnn_status host_onehot(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *y = &out[0]->desc;
    const size_t size = oclnn_dtype_size(y->dtype);
    int64_t inner = 1;
    int axis = 0;
    enum oclnn_status status = read_axis(p, y->rank, &axis);
    if (status != OCLNN_OK)
        return status;
    for (int d = axis + 1; d < y->rank; d++)
        inner *= y->dim[d];
    const int64_t n = onn_desc_elements(y), depth = y->dim[axis];
    for (int64_t e = 0; e < n; e++) {
        int64_t at = onn_blob_get_i64(p->value[0], e / inner / depth * inner + e % inner);
        at = at < 0 ? at + depth : at;
        memcpy((unsigned char *)out[0]->data + (size_t)e * size,
            (const unsigned char *)p->value[2]->data + (at == e / inner % depth ? size : 0), size);
    }
    return OCLNN_OK;
}

static enum oclnn_status bind_onehot(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    static const char *const types[] = {[OCLNN_F32] = "float",
        [OCLNN_U8] = "uchar",
        [OCLNN_I8] = "char",
        [OCLNN_I32] = "int",
        [OCLNN_I64] = "long"};
    const enum oclnn_dtype dtype = p->in[0].dtype;
    const struct onn_desc *y = &p->out[0];
    int64_t inner = 1;
    int axis = 0;
    (void)t;
    if ((b->status = read_axis(p, y->rank, &axis)) != OCLNN_OK || onn_desc_elements(y) == 0)
        return b->status;
    if ((size_t)dtype >= sizeof types / sizeof *types || !types[dtype])
        return b->status =
                   onn_error(OCLNN_ERROR_UNSUPPORTED, "onehot: indices of %s", oclnn_dtype_name(dtype));
    for (int d = axis + 1; d < y->rank; d++)
        inner *= y->dim[d];
    struct onn_launch *l = onn_bind_add(b, "onehot", "onehot_each", "-D ONEHOT_T=%s -D ONEHOT_I=%s",
        onn_cl_uint(oclnn_dtype_size(y->dtype)), types[dtype]);
    onn_arg_in(l, 0);
    onn_arg_in(l, 2);
    onn_arg_out(l, 0);
    onn_arg_int(b, l, onn_desc_elements(y));
    onn_arg_int(b, l, y->dim[axis]);
    onn_arg_int(b, l, inner);
    onn_launch_size1(l, (size_t)onn_desc_elements(y), 0);
    return b->status;
}

static uint32_t host_depth(const struct onn_prob *p)
{
    (void)p;
    return 2;
}

static int64_t count_nonzero(const struct onn_blob *x)
{
    const int64_t n = onn_desc_elements(&x->desc);
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += onn_blob_get_f64(x, i) != 0;
    return count;
}

static enum oclnn_status infer_nonzero(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_blob *x = onn_prob_value(p, 0);
    const int64_t dim[2] = {p->in[0].rank, x ? count_nonzero(x) : -1};
    out[0] = onn_desc_make(OCLNN_I64, 2, dim);
    return OCLNN_OK;
}

static enum oclnn_status host_nonzero(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc;
    const int64_t n = onn_desc_elements(x), count = out[0]->desc.dim[1];
    int64_t at[ONN_MAX_RANK] = {0}, k = 0;
    for (int64_t i = 0; i < n && k < count; i++) {
        if (onn_blob_get_f64(p->value[0], i) != 0) {
            for (int d = 0; d < x->rank; d++)
                onn_blob_set_i64(out[0], d * count + k, at[d]);
            k++;
        }
        for (int d = x->rank - 1; d >= 0 && ++at[d] == x->dim[d]; d--)
            at[d] = 0;
    }
    return OCLNN_OK;
}

static uint32_t host_first(const struct onn_prob *p)
{
    (void)p;
    return 1;
}

static const struct onn_attr onehot_attrs[] = {
    {.name = "axis",
        .onnx = "axis",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onehot_attr, axis),
        .def = -1},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr no_attrs[] = {{.type = ONN_ATTR_END}};

static const struct onn_variant each = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE,
    .cost = onn_cost_copy,
    .bind = bind_onehot};
static const struct onn_variant *const variants[] = {&each, NULL};

static const struct onn_op onehot = {
    .name = "onehot",
    .onnx = "OneHot",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_NO_GRAD,
    .attr_size = sizeof(struct onehot_attr),
    .attrs = onehot_attrs,
    .since = 9,
    .infer = infer_onehot,
    .host = host_onehot,
    .host_inputs = host_depth,
    .variants = variants,
    .flop = onn_flop_none,
};
static const struct onn_op nonzero = {
    .name = "nonzero",
    .onnx = "NonZero",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_HOST_ONLY | ONN_OP_NO_GRAD,
    .attrs = no_attrs,
    .since = 9,
    .infer = infer_nonzero,
    .host = host_nonzero,
    .host_inputs = host_first,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_onehot[] = {&onehot, &nonzero, NULL};
