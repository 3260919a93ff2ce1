/* Concat: one copy per input that does not already lie inside the output. */
#include "ops/concat.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <stddef.h>

static bool read_axis(const struct onn_prob *p, int rank, int *axis)
{
    const struct onn_concat_attr *a = p->attr;
    return onn_axis_resolve(a ? a->axis : 1, rank, axis);
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    int rank = -1, axis = 0;
    int64_t dim[ONN_MAX_RANK], sum = 0;
    for (int i = 0; i < p->n_in; i++)
        rank = p->in[i].rank > rank ? p->in[i].rank : rank;
    out[0] = onn_desc_make(p->in[0].dtype, -1, NULL);
    if (rank < 0)
        return OCLNN_OK;
    ONN_CHECK(read_axis(p, rank, &axis), OCLNN_ERROR_ARGUMENT,
        "the axis is outside a tensor of %d dimensions", rank);
    for (int d = 0; d < rank; d++)
        dim[d] = -1;
    for (int i = 0; i < p->n_in; i++) {
        const struct onn_desc *x = &p->in[i];
        ONN_CHECK(x->dtype == p->in[0].dtype, OCLNN_ERROR_DTYPE, "input %d is %s, input 0 is %s", i,
            oclnn_dtype_name(x->dtype), oclnn_dtype_name(p->in[0].dtype));
        if (x->rank < 0) {
            sum = -1;
            continue;
        }
        ONN_CHECK(x->rank == rank, OCLNN_ERROR_SHAPE, "input %d has %d dimensions, others have %d", i,
            (int)x->rank, rank);
        for (int d = 0; d < rank; d++) {
            if (d == axis || x->dim[d] < 0)
                continue;
            ONN_CHECK(dim[d] < 0 || dim[d] == x->dim[d], OCLNN_ERROR_SHAPE,
                "dimension %d of input %d is %lld, of the inputs before it %lld", d, i, (long long)x->dim[d],
                (long long)dim[d]);
            dim[d] = x->dim[d];
        }
        if (x->dim[axis] < 0 || sum < 0)
            sum = -1;
        else
            ONN_CHECK(onn_add_i64(sum, x->dim[axis], &sum), OCLNN_ERROR_SHAPE, "the result is too large");
    }
    dim[axis] = sum;
    out[0] = onn_desc_make(p->in[0].dtype, rank, dim);
fail:
    return status;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *y = &out[0]->desc;
    int64_t to[ONN_MAX_RANK], from[ONN_MAX_RANK], at = 0;
    int axis = 0;
    if (!read_axis(p, y->rank, &axis))
        return onn_error(OCLNN_ERROR_ARGUMENT, "the axis is outside a tensor of %d dimensions", (int)y->rank);
    onn_plain_strides(y->rank, y->dim, to);
    for (int i = 0; i < p->n_in; i++) {
        const struct onn_desc *x = &p->value[i]->desc;
        struct onn_walk w = {.to_offset = at * to[axis]};
        onn_plain_strides(x->rank, x->dim, from);
        for (int d = 0; d < x->rank; d++)
            onn_walk_add(&w, x->dim[d], from[d], to[d]);
        onn_walk_host(&w, oclnn_dtype_size(y->dtype), p->value[i]->data, out[0]->data);
        at += x->dim[axis];
    }
    return OCLNN_OK;
}

static bool part_view(const struct onn_prob *p, int i, struct onn_desc *view)
{
    const struct onn_desc *y = &p->out[0];
    int64_t start = 0;
    int axis;
    if (!read_axis(p, y->rank, &axis))
        return false;
    for (int k = 0; k < i; k++)
        start += p->in[k].dim[axis];
    return onn_view_slice(y, axis, start, p->in[i].dim[axis], 1, view);
}

static bool view_in(const struct onn_prob *p, int i, struct onn_desc *view)
{
    return part_view(p, i, view) && onn_view_is_tame(view);
}

const char *onn_refuse_parts(const struct onn_prob *p, bool join, onn_part_fn part)
{
    const struct onn_desc *parts = join ? p->in : p->out;
    const int n = join ? p->n_in : p->n_out;
    struct onn_desc view;
    for (int i = 0; i < n; i++)
        if (parts[i].dtype && !part(p, i, &view))
            return "a part does not begin and end between blocks";
    return NULL;
}

enum oclnn_status onn_bind_parts(const struct onn_prob *p, bool join, onn_part_fn part, struct onn_bind *b)
{
    const struct onn_desc *parts = join ? p->in : p->out;
    const int n = join ? p->n_in : p->n_out;
    for (int i = 0; i < n; i++) {
        struct onn_desc view;
        if (!parts[i].dtype)
            continue;
        if (!part(p, i, &view))
            return b->status = onn_error(OCLNN_ERROR_INTERNAL, "part %d does not fit between blocks", i);
        if ((join ? onn_bind_copy(p, b, i, &p->in[i], 0, &view)
                  : onn_bind_copy(p, b, 0, &view, i, &p->out[i])) != OCLNN_OK)
            return b->status;
    }
    return b->status;
}

struct onn_cost onn_cost_parts(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost c = onn_cost_copy(p, t);
    c.launches = p->n_in > p->n_out ? p->n_in : p->n_out;
    return c;
}

static const char *refuse(const struct onn_prob *p)
{
    return onn_refuse_parts(p, true, part_view);
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return onn_bind_parts(p, true, part_view, b);
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_formats_same(p, out, max, 0);
}

static const struct onn_variant copy = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = refuse,
    .formats = formats,
    .cost = onn_cost_parts,
    .bind = bind,
};
static const struct onn_variant *const variants[] = {&copy, NULL};

static const struct onn_attr attrs[] = {
    {.name = "axis",
        .onnx = "axis",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_concat_attr, axis),
        .def = 1},
    {.type = ONN_ATTR_END},
};

static const struct onn_op concat = {
    .name = "concat",
    .onnx = "Concat",
    .min_in = 1,
    .max_in = ONN_VARIADIC,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_concat_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .view_in = view_in,
    .grad = onn_concat_grad,
    .variants = variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_concat[] = {&concat, NULL};
