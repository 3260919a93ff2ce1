/* ScatterND, ScatterElements: a copy of the data with some elements replaced or combined with updates. */
#include "ops/scatter.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

/* Same struct as in cl/scatter.cl. */
struct geo {
    int32_t rank, axis;
    int32_t dim[ONN_MAX_RANK];
    int64_t step[ONN_MAX_RANK];
};

enum reduce { REDUCE_NONE, REDUCE_ADD, REDUCE_MUL, REDUCE_MAX, REDUCE_MIN, REDUCE_UNKNOWN };

static enum reduce read_reduce(const struct onn_prob *p)
{
    static const char *const names[] = {"none", "add", "mul", "max", "min"};
    const struct onn_scatter_attr *a = p->attr;
    if (!a || !a->reduction)
        return REDUCE_NONE;
    for (int i = 0; i < 5; i++)
        if (strcmp(a->reduction, names[i]) == 0)
            return (enum reduce)i;
    return REDUCE_UNKNOWN;
}

static bool read_axis(const struct onn_prob *p, int *axis)
{
    const struct onn_scatter_attr *a = p->attr;
    return onn_axis_resolve(a ? a->axis : 0, p->in[0].rank, axis);
}

static enum oclnn_status check(const struct onn_prob *p)
{
    const struct onn_scatter_attr *a = p->attr;
    if (read_reduce(p) == REDUCE_UNKNOWN)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "there is no reduction '%s'", a->reduction);
    if (p->in[2].dtype != p->in[0].dtype)
        return onn_error(OCLNN_ERROR_DTYPE, "the updates are %s, the tensor %s",
            oclnn_dtype_name(p->in[2].dtype), oclnn_dtype_name(p->in[0].dtype));
    return onn_check_index_type(p, 1, "the indices");
}

static enum oclnn_status infer_nd(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0], *k = &p->in[1], *u = &p->in[2];
    ONN_TRY(check(p));
    out[0] = onn_desc_make(x->dtype, x->rank, x->dim);
    if (x->rank < 0 || !onn_desc_is_known(k) || u->rank < 0)
        return OCLNN_OK;
    ONN_CHECK(k->rank >= 1 && k->dim[k->rank - 1] <= x->rank, OCLNN_ERROR_SHAPE,
        "the indices do not fit a tensor of %d dimensions", (int)x->rank);
    const int depth = (int)k->dim[k->rank - 1];
    ONN_CHECK(u->rank == k->rank - 1 + x->rank - depth, OCLNN_ERROR_SHAPE,
        "the updates have %d dimensions, not %d", (int)u->rank, (int)(k->rank - 1 + x->rank - depth));
    for (int d = 0; d < u->rank; d++) {
        const int64_t want = d < k->rank - 1 ? k->dim[d] : x->dim[d - (k->rank - 1) + depth];
        ONN_CHECK(want < 0 || u->dim[d] < 0 || u->dim[d] == want, OCLNN_ERROR_SHAPE,
            "dimension %d of the updates is %lld, not %lld", d, (long long)u->dim[d], (long long)want);
    }
fail:
    return status;
}

static enum oclnn_status infer_elements(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0], *k = &p->in[1], *u = &p->in[2];
    int axis = 0;
    ONN_TRY(check(p));
    out[0] = onn_desc_make(x->dtype, x->rank, x->dim);
    if (x->rank < 0 || k->rank < 0 || u->rank < 0)
        return OCLNN_OK;
    ONN_CHECK(k->rank == x->rank && u->rank == x->rank, OCLNN_ERROR_SHAPE,
        "tensor, indices and updates have %d, %d and %d dimensions", (int)x->rank, (int)k->rank,
        (int)u->rank);
    ONN_CHECK(read_axis(p, &axis), OCLNN_ERROR_ARGUMENT, "the axis is outside a tensor of %d dimensions",
        (int)x->rank);
    for (int d = 0; d < x->rank; d++) {
        ONN_CHECK(k->dim[d] < 0 || u->dim[d] < 0 || k->dim[d] == u->dim[d], OCLNN_ERROR_SHAPE,
            "dimension %d of the indices is %lld, of the updates %lld", d, (long long)k->dim[d],
            (long long)u->dim[d]);
        ONN_CHECK(d == axis || x->dim[d] < 0 || k->dim[d] <= x->dim[d], OCLNN_ERROR_SHAPE,
            "dimension %d of the indices is %lld, of the tensor %lld", d, (long long)k->dim[d],
            (long long)x->dim[d]);
    }
fail:
    return status;
}

/* ---- host ---- */

static void put(struct onn_blob *y, int64_t to, const struct onn_blob *u, int64_t from, enum reduce r)
{
    if (r == REDUCE_NONE) {
        const size_t size = oclnn_dtype_size(y->desc.dtype);
        memcpy((unsigned char *)y->data + (size_t)to * size,
            (const unsigned char *)u->data + (size_t)from * size, size);
    } else if (onn_dtype_is_float(y->desc.dtype)) {
        const double a = onn_blob_get_f64(y, to), b = onn_blob_get_f64(u, from);
        onn_blob_set_f64(y, to,
            r == REDUCE_ADD                                   ? a + b
                : r == REDUCE_MUL                             ? a * b
                : a != a || (r == REDUCE_MAX ? a > b : a < b) ? a
                                                              : b);
    } else {
        const int64_t a = onn_blob_get_i64(y, to), b = onn_blob_get_i64(u, from);
        onn_blob_set_i64(y, to,
            r == REDUCE_ADD                         ? (int64_t)((uint64_t)a + (uint64_t)b)
                : r == REDUCE_MUL                   ? (int64_t)((uint64_t)a * (uint64_t)b)
                : (r == REDUCE_MAX ? a > b : a < b) ? a
                                                    : b);
    }
}

static enum oclnn_status outside(int64_t index, int64_t size)
{
    return onn_error(OCLNN_ERROR_ARGUMENT, "index %lld is outside a dimension of %lld elements",
        (long long)index, (long long)size);
}

static enum oclnn_status host_nd(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc, *k = &p->value[1]->desc;
    const int depth = (int)k->dim[k->rank - 1];
    const enum reduce r = read_reduce(p);
    int64_t step[ONN_MAX_RANK], inner = 1, count = 1;
    memcpy(out[0]->data, p->value[0]->data, onn_desc_unpadded_bytes(x));
    onn_plain_strides(x->rank, x->dim, step);
    for (int d = depth; d < x->rank; d++)
        inner *= x->dim[d];
    for (int d = 0; d + 1 < k->rank; d++)
        count *= k->dim[d];
    for (int64_t j = 0; j < count; j++) {
        int64_t to = 0;
        for (int d = 0; d < depth; d++) {
            int64_t at = onn_blob_get_i64(p->value[1], j * depth + d);
            at = at < 0 ? at + x->dim[d] : at;
            if (at < 0 || at >= x->dim[d])
                return outside(at, x->dim[d]);
            to += at * step[d];
        }
        for (int64_t i = 0; i < inner; i++)
            put(out[0], to + i, p->value[2], j * inner + i, r);
    }
    return OCLNN_OK;
}

static enum oclnn_status host_elements(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc, *k = &p->value[1]->desc;
    const enum reduce r = read_reduce(p);
    int64_t step[ONN_MAX_RANK], at[ONN_MAX_RANK] = {0};
    int axis = 0;
    if (!read_axis(p, &axis))
        return onn_error(OCLNN_ERROR_ARGUMENT, "the axis is outside a tensor of %d dimensions", (int)x->rank);
    memcpy(out[0]->data, p->value[0]->data, onn_desc_unpadded_bytes(x));
    onn_plain_strides(x->rank, x->dim, step);
    const int64_t n = onn_desc_elements(k);
    for (int64_t e = 0; e < n; e++) {
        int64_t i = onn_blob_get_i64(p->value[1], e);
        i = i < 0 ? i + x->dim[axis] : i;
        if (i < 0 || i >= x->dim[axis])
            return outside(i, x->dim[axis]);
        int64_t to = i * step[axis];
        for (int d = 0; d < x->rank; d++)
            to += d == axis ? 0 : at[d] * step[d];
        put(out[0], to, p->value[2], e, r);
        for (int d = x->rank - 1; d >= 0 && ++at[d] == k->dim[d]; d--)
            at[d] = 0;
    }
    return OCLNN_OK;
}

/* ---- device: copy, then scatter in place ---- */

static struct onn_launch *start(const struct onn_prob *p, struct onn_bind *b, const char *kernel)
{
    static const struct {
        enum oclnn_dtype dtype;
        const char *type;
    } types[] = {{OCLNN_U8, "uchar"}, {OCLNN_I8, "char"}, {OCLNN_BOOL, "uchar"}, {OCLNN_I32, "int"},
        {OCLNN_I64, "long"}};
    const enum oclnn_dtype dtype = p->in[0].dtype;
    const char *index = p->in[1].dtype == OCLNN_I32 ? "int" : "long", *type = NULL;
    struct onn_launch *l;
    if (read_reduce(p) == REDUCE_NONE)
        type = onn_cl_uint(oclnn_dtype_size(dtype));
    for (size_t i = 0; !type && i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == dtype)
            type = types[i].type;
    if (type) {
        l = onn_bind_add(b, "scatter", kernel, "-D SCATTER_I=%s -D SCATTER_T=%s", index, type);
    } else if (dtype == OCLNN_F32 || dtype == OCLNN_F16 || dtype == OCLNN_F64) {
        l = onn_bind_add(b, "scatter", kernel, "-D SCATTER_I=%s -D SCATTER_F=1%s", index,
            dtype == OCLNN_F16       ? " -D ONN_F16"
                : dtype == OCLNN_F64 ? " -D ONN_F64"
                                     : "");
    } else {
        b->status =
            onn_error(OCLNN_ERROR_UNSUPPORTED, "%s: a reduction of %s", p->op->name, oclnn_dtype_name(dtype));
        return NULL;
    }
    onn_arg_in(l, 1);
    onn_arg_in(l, 2);
    onn_arg_out(l, 0);
    return l;
}

static enum oclnn_status bind_nd(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_desc *x = &p->in[0], *k = &p->in[1];
    struct geo g = {.rank = (int32_t)k->dim[k->rank - 1]};
    int64_t inner = 1, count = 1;
    (void)t;
    if (onn_bind_copy(p, b, 0, x, 0, &p->out[0]) != OCLNN_OK)
        return b->status;
    onn_plain_strides(x->rank, x->dim, g.step);
    for (int d = 0; d < g.rank; d++)
        g.dim[d] = (int32_t)x->dim[d];
    for (int d = g.rank; d < x->rank; d++)
        inner *= x->dim[d];
    for (int d = 0; d + 1 < k->rank; d++)
        count *= k->dim[d];
    if (inner * count == 0)
        return b->status;
    struct onn_launch *l = start(p, b, "scatter_nd");
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_arg_int(b, l, count);
    onn_arg_int(b, l, inner);
    onn_arg_int(b, l, read_reduce(p));
    onn_launch_size1(l, (size_t)inner, 0);
    return b->status;
}

static enum oclnn_status bind_elements(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_desc *x = &p->in[0], *k = &p->in[1];
    struct geo g = {.rank = x->rank};
    int64_t inner = 1;
    int axis = 0;
    (void)t;
    if (!read_axis(p, &axis))
        return b->status = onn_error(OCLNN_ERROR_ARGUMENT, "the axis is out of range");
    if (onn_bind_copy(p, b, 0, x, 0, &p->out[0]) != OCLNN_OK)
        return b->status;
    const int64_t total = onn_desc_elements(k);
    if (total == 0)
        return b->status;
    g.axis = axis;
    onn_plain_strides(x->rank, x->dim, g.step);
    for (int d = 0; d < k->rank; d++) {
        g.dim[d] = (int32_t)k->dim[d];
        inner *= d > axis ? k->dim[d] : 1;
    }
    struct onn_launch *l = start(p, b, "scatter_elements");
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_arg_int(b, l, total / k->dim[axis]);
    onn_arg_int(b, l, inner);
    onn_arg_int(b, l, x->dim[axis]);
    onn_arg_int(b, l, read_reduce(p));
    onn_launch_size1(l, (size_t)(total / k->dim[axis]), 0);
    return b->status;
}

/* ---- tables ---- */

static const struct onn_attr attrs[] = {
    {.name = "reduction",
        .onnx = "reduction",
        .type = ONN_ATTR_STRING,
        .offset = offsetof(struct onn_scatter_attr, reduction)},
    {.name = "axis", .onnx = "axis", .type = ONN_ATTR_INT, .offset = offsetof(struct onn_scatter_attr, axis)},
    {.type = ONN_ATTR_END},
};

static const struct onn_variant nd = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE,
    .cost = onn_cost_copy,
    .bind = bind_nd};
static const struct onn_variant *const nd_variants[] = {&nd, NULL};
static const struct onn_variant elements = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE,
    .cost = onn_cost_copy,
    .bind = bind_elements};
static const struct onn_variant *const elements_variants[] = {&elements, NULL};

static const struct onn_op scatternd = {
    .name = "scatternd",
    .onnx = "ScatterND",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_scatter_attr),
    .attrs = attrs,
    .since = 11,
    .infer = infer_nd,
    .host = host_nd,
    .grad = onn_scatter_grad,
    .variants = nd_variants,
};
static const struct onn_op scatterelements = {
    .name = "scatterelements",
    .onnx = "ScatterElements",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_scatter_attr),
    .attrs = attrs,
    .since = 11,
    .infer = infer_elements,
    .host = host_elements,
    .grad = onn_scatter_grad,
    .variants = elements_variants,
};

const struct onn_op *const onn_ops_scatter[] = {&scatternd, &scatterelements, NULL};
