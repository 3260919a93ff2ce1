/* Gather, GatherElements, GatherND: elements picked by an index tensor (i32 or i64). */
#include "ops/gather.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

/* Same struct as in cl/gather.cl. */
struct geo {
    int32_t rank, axis;
    int32_t dim[ONN_MAX_RANK];
    int64_t step[ONN_MAX_RANK];
};

static bool read_axis(const struct onn_prob *p, int *axis)
{
    const struct onn_gather_attr *a = p->attr;
    return onn_axis_resolve(a ? a->axis : 0, p->in[0].rank, axis);
}

static int64_t batch_dims(const struct onn_prob *p)
{
    const struct onn_gathernd_attr *a = p->attr;
    return a ? a->batch_dims : 0;
}

static int64_t product(const int64_t *dim, int from, int to)
{
    int64_t n = 1;
    for (int i = from; i < to; i++)
        n *= dim[i];
    return n;
}

static enum oclnn_status check_types(const struct onn_prob *p)
{
    return onn_check_index_type(p, 1, "the indices");
}

static enum oclnn_status resolve_axis(const struct onn_prob *p, int *axis)
{
    const struct onn_gather_attr *a = p->attr;
    if (read_axis(p, axis))
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside a tensor of %d dimensions",
        (long long)a->axis, (int)p->in[0].rank);
}

/* ---- Gather ---- */

static enum oclnn_status infer_gather(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0], *k = &p->in[1];
    int64_t dim[ONN_MAX_RANK];
    int axis = 0, n = 0;
    ONN_TRY(check_types(p));
    out[0] = onn_desc_make(x->dtype, -1, NULL);
    if (x->rank < 0 || k->rank < 0)
        return OCLNN_OK;
    ONN_TRY(resolve_axis(p, &axis));
    ONN_CHECK(x->rank + k->rank - 1 <= ONN_MAX_RANK, OCLNN_ERROR_UNSUPPORTED,
        "the result would have more than %d dimensions", ONN_MAX_RANK);
    for (int d = 0; d < axis; d++)
        dim[n++] = x->dim[d];
    for (int d = 0; d < k->rank; d++)
        dim[n++] = k->dim[d];
    for (int d = axis + 1; d < x->rank; d++)
        dim[n++] = x->dim[d];
    out[0] = onn_desc_make(x->dtype, n, dim);
fail:
    return status;
}

/* index j of a known index tensor, made positive; -1 if out of range. */
static int64_t index_at(const struct onn_blob *index, int64_t j, int64_t size)
{
    int64_t v = onn_blob_get_i64(index, j);
    v = v < 0 ? v + size : v;
    return v < 0 || v >= size ? -1 : v;
}

static enum oclnn_status host_gather(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc;
    int axis = 0;
    enum oclnn_status status = resolve_axis(p, &axis);
    if (status != OCLNN_OK)
        return status;
    const int64_t outer = product(x->dim, 0, axis), inner = product(x->dim, axis + 1, x->rank);
    const int64_t count = onn_desc_elements(&p->value[1]->desc);
    const size_t row = (size_t)inner * oclnn_dtype_size(x->dtype);
    unsigned char *to = out[0]->data;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < count; j++, to += row) {
            const int64_t at = index_at(p->value[1], j, x->dim[axis]);
            if (at < 0)
                return onn_error(OCLNN_ERROR_ARGUMENT, "index %lld is outside a dimension of %lld elements",
                    (long long)onn_blob_get_i64(p->value[1], j), (long long)x->dim[axis]);
            memcpy(to, (const unsigned char *)p->value[0]->data + (size_t)(o * x->dim[axis] + at) * row, row);
        }
    return OCLNN_OK;
}

/* Known indices that follow each other are a slice. */
static bool view_gather(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_desc *x = &p->in[0];
    const struct onn_blob *index = onn_prob_value(p, 1);
    int axis;
    if (!index || !onn_desc_is_known(x) || index->desc.rank > 1 || !read_axis(p, &axis))
        return false;
    const int64_t count = onn_desc_elements(&index->desc);
    const int64_t first = count > 0 ? index_at(index, 0, x->dim[axis]) : -1;
    if (first < 0)
        return false;
    for (int64_t j = 1; j < count; j++)
        if (index_at(index, j, x->dim[axis]) != first + j)
            return false;
    if (index->desc.rank == 1)
        return onn_view_slice(x, axis, first, count, 1, out) && onn_view_is_tame(out);
    if (!onn_format_is_plain(&x->format) || !onn_view_slice(x, axis, first, 1, 1, out))
        return false;
    for (int d = axis; d + 1 < out->rank; d++) {
        out->dim[d] = out->dim[d + 1];
        out->stride[d] = out->stride[d + 1];
    }
    out->rank--;
    return onn_view_is_tame(out);
}

static int64_t piece_of(const struct onn_prob *p, int64_t inner)
{
    return p->caps && p->caps->vector_cpu ? (inner < 4096 ? inner : 4096) : 1;
}

static struct onn_launch *start(const struct onn_prob *p, struct onn_bind *b, const char *kernel)
{
    struct onn_launch *l = onn_bind_add(b, "gather", kernel, "-D GATHER_T=%s -D GATHER_W=%d -D GATHER_I=%s",
        onn_cl_uint(oclnn_dtype_size(p->in[0].dtype)), onn_cl_width(oclnn_dtype_size(p->in[0].dtype)),
        p->in[1].dtype == OCLNN_I32 ? "int" : "long");
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_out(l, 0);
    return l;
}

static enum oclnn_status bind_gather(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_desc *x = &p->in[0];
    int axis = 0;
    (void)t;
    if ((b->status = resolve_axis(p, &axis)) != OCLNN_OK || onn_desc_elements(&p->out[0]) == 0)
        return b->status;
    const int64_t outer = product(x->dim, 0, axis), inner = product(x->dim, axis + 1, x->rank);
    const int64_t count = onn_desc_elements(&p->in[1]), piece = piece_of(p, inner);
    const int64_t items = outer * count * ((inner + piece - 1) / piece);
    struct onn_launch *l = start(p, b, "gather_rows");
    onn_arg_int(b, l, outer);
    onn_arg_int(b, l, count);
    onn_arg_int(b, l, inner);
    onn_arg_int(b, l, x->dim[axis]);
    onn_arg_long(b, l, inner * x->dim[axis]);
    onn_arg_long(b, l, inner);
    onn_arg_int(b, l, piece);
    if (items > INT_MAX)
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "gather: the result is too large");
    onn_launch_size1(l, (size_t)items, 0);
    return b->status;
}

/* ---- GatherElements ---- */

static enum oclnn_status infer_elements(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0], *k = &p->in[1];
    int axis = 0;
    ONN_TRY(check_types(p));
    out[0] = onn_desc_make(x->dtype, k->rank, k->dim);
    if (x->rank < 0 || k->rank < 0)
        return OCLNN_OK;
    ONN_CHECK(x->rank == k->rank, OCLNN_ERROR_SHAPE, "the tensor has %d dimensions, the indices %d",
        (int)x->rank, (int)k->rank);
    ONN_TRY(resolve_axis(p, &axis));
    for (int d = 0; d < x->rank; d++)
        ONN_CHECK(d == axis || x->dim[d] < 0 || k->dim[d] <= x->dim[d], OCLNN_ERROR_SHAPE,
            "dimension %d of the indices is %lld, of the tensor %lld", d, (long long)k->dim[d],
            (long long)x->dim[d]);
fail:
    return status;
}

static enum oclnn_status host_elements(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc, *y = &out[0]->desc;
    const size_t size = oclnn_dtype_size(x->dtype);
    int64_t at[ONN_MAX_RANK] = {0}, step[ONN_MAX_RANK];
    int axis = 0;
    enum oclnn_status status = resolve_axis(p, &axis);
    if (status != OCLNN_OK)
        return status;
    onn_plain_strides(x->rank, x->dim, step);
    const int64_t n = onn_desc_elements(y);
    for (int64_t e = 0; e < n; e++) {
        const int64_t k = index_at(p->value[1], e, x->dim[axis]);
        if (k < 0)
            return onn_error(OCLNN_ERROR_ARGUMENT, "index %lld is outside a dimension of %lld elements",
                (long long)onn_blob_get_i64(p->value[1], e), (long long)x->dim[axis]);
        int64_t from = k * step[axis];
        for (int d = 0; d < y->rank; d++)
            from += d == axis ? 0 : at[d] * step[d];
        memcpy((unsigned char *)out[0]->data + (size_t)e * size,
            (const unsigned char *)p->value[0]->data + (size_t)from * size, size);
        for (int d = y->rank - 1; d >= 0 && ++at[d] == y->dim[d]; d--)
            at[d] = 0;
    }
    return OCLNN_OK;
}

static enum oclnn_status bind_elements(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_desc *x = &p->in[0], *k = &p->in[1];
    struct geo g = {.rank = k->rank};
    int axis = 0;
    (void)t;
    const int64_t total = onn_desc_elements(k);
    if ((b->status = resolve_axis(p, &axis)) != OCLNN_OK || total == 0)
        return b->status;
    g.axis = axis;
    for (int d = 0; d < k->rank; d++)
        g.dim[d] = (int32_t)k->dim[d];
    onn_plain_strides(x->rank, x->dim, g.step);
    struct onn_launch *l = start(p, b, "gather_elements");
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_arg_int(b, l, total);
    onn_arg_int(b, l, x->dim[axis]);
    onn_launch_size1(l, (size_t)total, 0);
    return b->status;
}

/* ---- GatherND ---- */

static enum oclnn_status infer_nd(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0], *k = &p->in[1];
    const int64_t batch = batch_dims(p);
    int64_t dim[ONN_MAX_RANK];
    int n = 0;
    ONN_TRY(check_types(p));
    out[0] = onn_desc_make(x->dtype, -1, NULL);
    if (x->rank < 0 || k->rank < 0 || (k->rank > 0 && k->dim[k->rank - 1] < 0))
        return OCLNN_OK;
    ONN_CHECK(k->rank >= 1 && x->rank >= 1, OCLNN_ERROR_SHAPE,
        "neither the tensor nor the indices may be a scalar");
    const int64_t depth = k->dim[k->rank - 1];
    ONN_CHECK(batch >= 0 && batch < k->rank && batch + depth <= x->rank, OCLNN_ERROR_SHAPE,
        "%lld indexed and %lld batch dimensions do not fit a tensor of %d", (long long)depth,
        (long long)batch, (int)x->rank);
    ONN_CHECK(k->rank - 1 + x->rank - depth - batch <= ONN_MAX_RANK, OCLNN_ERROR_UNSUPPORTED,
        "the result would have more than %d dimensions", ONN_MAX_RANK);
    for (int d = 0; d + 1 < k->rank; d++)
        dim[n++] = k->dim[d];
    for (int d = (int)(batch + depth); d < x->rank; d++)
        dim[n++] = x->dim[d];
    for (int d = 0; d < batch; d++)
        ONN_CHECK(x->dim[d] < 0 || k->dim[d] < 0 || x->dim[d] == k->dim[d], OCLNN_ERROR_SHAPE,
            "batch dimension %d differs: %lld and %lld", d, (long long)x->dim[d], (long long)k->dim[d]);
    out[0] = onn_desc_make(x->dtype, n, dim);
fail:
    return status;
}

struct nd {
    int depth;
    int64_t outer, count, inner, x_so;
    int64_t dim[ONN_MAX_RANK], step[ONN_MAX_RANK]; /* of the indexed dimensions */
};

static struct nd make_nd(const struct onn_prob *p, const struct onn_desc *x, const struct onn_desc *k)
{
    const int batch = (int)batch_dims(p);
    struct nd n = {.depth = (int)k->dim[k->rank - 1]};
    int64_t step[ONN_MAX_RANK];
    onn_plain_strides(x->rank, x->dim, step);
    n.outer = product(x->dim, 0, batch);
    n.count = product(k->dim, batch, k->rank - 1);
    n.inner = product(x->dim, batch + n.depth, x->rank);
    n.x_so = product(x->dim, batch, x->rank);
    for (int d = 0; d < n.depth; d++) {
        n.dim[d] = x->dim[batch + d];
        n.step[d] = step[batch + d];
    }
    return n;
}

static enum oclnn_status host_nd(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct nd n = make_nd(p, &p->value[0]->desc, &p->value[1]->desc);
    const size_t size = oclnn_dtype_size(p->in[0].dtype), row = (size_t)n.inner * size;
    unsigned char *to = out[0]->data;
    for (int64_t r = 0; r < n.outer * n.count; r++, to += row) {
        int64_t from = r / n.count * n.x_so;
        for (int d = 0; d < n.depth; d++) {
            const int64_t at = index_at(p->value[1], r * n.depth + d, n.dim[d]);
            if (at < 0)
                return onn_error(OCLNN_ERROR_ARGUMENT, "index %lld is outside a dimension of %lld elements",
                    (long long)onn_blob_get_i64(p->value[1], r * n.depth + d), (long long)n.dim[d]);
            from += at * n.step[d];
        }
        memcpy(to, (const unsigned char *)p->value[0]->data + (size_t)from * size, row);
    }
    return OCLNN_OK;
}

static enum oclnn_status bind_nd(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    if (onn_desc_elements(&p->out[0]) == 0)
        return b->status;
    const struct nd n = make_nd(p, &p->in[0], &p->in[1]);
    const int64_t piece = piece_of(p, n.inner), items = n.outer * n.count * ((n.inner + piece - 1) / piece);
    struct geo g = {.rank = n.depth};
    for (int d = 0; d < n.depth; d++) {
        g.dim[d] = (int32_t)n.dim[d];
        g.step[d] = n.step[d];
    }
    if (items > INT_MAX)
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "gathernd: the result is too large");
    struct onn_launch *l = start(p, b, "gather_nd");
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_arg_int(b, l, n.outer);
    onn_arg_int(b, l, n.count);
    onn_arg_int(b, l, n.inner);
    onn_arg_long(b, l, n.x_so);
    onn_arg_int(b, l, piece);
    onn_launch_size1(l, (size_t)items, 0);
    return b->status;
}

/* ---- tables ---- */

static const struct onn_attr axis_attrs[] = {
    {.name = "axis", .onnx = "axis", .type = ONN_ATTR_INT, .offset = offsetof(struct onn_gather_attr, axis)},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr nd_attrs[] = {
    {.name = "batch_dims",
        .onnx = "batch_dims",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_gathernd_attr, batch_dims),
        .max = ONN_MAX_RANK},
    {.type = ONN_ATTR_END},
};

#define GATHER_VARIANT(id, fn) \
    static const struct onn_variant id = {.name = "reference", \
        .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE, \
        .cost = onn_cost_copy, \
        .bind = fn}; \
    static const struct onn_variant *const id##_variants[] = {&id, NULL}
GATHER_VARIANT(rows, bind_gather);
GATHER_VARIANT(elements, bind_elements);
GATHER_VARIANT(nd, bind_nd);

static const struct onn_op gather = {
    .name = "gather",
    .onnx = "Gather",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_VIEW,
    .attr_size = sizeof(struct onn_gather_attr),
    .attrs = axis_attrs,
    .since = 1,
    .infer = infer_gather,
    .host = host_gather,
    .view = view_gather,
    .grad = onn_gather_grad,
    .variants = rows_variants,
    .flop = onn_flop_none,
};
static const struct onn_op gatherelements = {
    .name = "gatherelements",
    .onnx = "GatherElements",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_gather_attr),
    .attrs = axis_attrs,
    .since = 11,
    .infer = infer_elements,
    .host = host_elements,
    .grad = onn_gatherelements_grad,
    .variants = elements_variants,
    .flop = onn_flop_none,
};
static const struct onn_op gathernd = {
    .name = "gathernd",
    .onnx = "GatherND",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_gathernd_attr),
    .attrs = nd_attrs,
    .since = 11,
    .infer = infer_nd,
    .host = host_nd,
    .grad = onn_gathernd_grad,
    .variants = nd_variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_gather[] = {&gather, &gatherelements, &gathernd, NULL};
