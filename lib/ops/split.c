/* Split: the parts of a tensor along one axis; views of the input wherever the cuts allow it. */
#include "ops/concat.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <stddef.h>

/* Where output i begins and how long it is, for a known axis length. False if the sizes are not known. */
static bool part(const struct onn_prob *p, int64_t dim, int i, int64_t *start, int64_t *size)
{
    const struct onn_split_attr *a = p->attr;
    *start = 0;
    if (onn_prob_has(p, 1)) {
        const struct onn_blob *sizes = onn_prob_value(p, 1);
        if (!sizes || onn_desc_elements(&sizes->desc) <= i)
            return false;
        for (int k = 0; k < i; k++)
            *start += onn_blob_get_i64(sizes, k);
        *size = onn_blob_get_i64(sizes, i);
        return true;
    }
    const int64_t n = a && a->num_outputs > 0 ? a->num_outputs : p->n_out;
    if (dim < 0 || n < 1)
        return false;
    const int64_t even = (dim + n - 1) / n;
    *start = even * i < dim ? even * i : dim;
    *size = dim - *start < even ? dim - *start : even;
    return true;
}

static bool read_axis(const struct onn_prob *p, int rank, int *axis)
{
    const struct onn_split_attr *a = p->attr;
    return onn_axis_resolve(a ? a->axis : 0, rank, axis);
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0];
    int axis = 0;
    int64_t dim[ONN_MAX_RANK], sum = 0;
    if (x->rank < 0) {
        for (int i = 0; i < p->n_out; i++)
            out[i] = onn_desc_make(x->dtype, -1, NULL);
        return OCLNN_OK;
    }
    ONN_TRY(onn_check_index_type(p, 1, "the sizes"));
    ONN_CHECK(read_axis(p, x->rank, &axis), OCLNN_ERROR_ARGUMENT,
        "the axis is outside a tensor of %d dimensions", (int)x->rank);
    const struct onn_blob *sizes = onn_prob_value(p, 1);
    ONN_CHECK(!sizes || onn_desc_elements(&sizes->desc) == p->n_out, OCLNN_ERROR_SHAPE,
        "%lld sizes are given for %d outputs", (long long)onn_desc_elements(&sizes->desc), p->n_out);
    for (int i = 0; i < p->n_out; i++) {
        int64_t start, size = -1;
        for (int d = 0; d < x->rank; d++)
            dim[d] = x->dim[d];
        if (part(p, x->dim[axis], i, &start, &size)) {
            ONN_CHECK(size >= 0 && onn_add_i64(sum, size, &sum), OCLNN_ERROR_SHAPE, "size %d is %lld", i,
                (long long)size);
        } else {
            size = sum = -1;
        }
        dim[axis] = size;
        out[i] = onn_desc_make(x->dtype, x->rank, dim);
    }
    ONN_CHECK(sum < 0 || x->dim[axis] < 0 || sum == x->dim[axis], OCLNN_ERROR_SHAPE,
        "the sizes sum up to %lld, dimension %d is %lld", (long long)sum, axis, (long long)x->dim[axis]);
fail:
    return status;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc;
    int64_t from[ONN_MAX_RANK], to[ONN_MAX_RANK], start, size;
    int axis = 0;
    if (!read_axis(p, x->rank, &axis))
        return onn_error(OCLNN_ERROR_ARGUMENT, "the axis is outside a tensor of %d dimensions", (int)x->rank);
    onn_plain_strides(x->rank, x->dim, from);
    for (int i = 0; i < p->n_out; i++) {
        struct onn_walk w = {0};
        if (!out[i] || !part(p, x->dim[axis], i, &start, &size))
            continue;
        onn_plain_strides(x->rank, out[i]->desc.dim, to);
        w.from_offset = start * from[axis];
        for (int d = 0; d < x->rank; d++)
            onn_walk_add(&w, out[i]->desc.dim[d], from[d], to[d]);
        onn_walk_host(&w, oclnn_dtype_size(x->dtype), p->value[0]->data, out[i]->data);
    }
    return OCLNN_OK;
}

static bool part_view(const struct onn_prob *p, int i, struct onn_desc *view)
{
    const struct onn_desc *x = &p->in[0];
    int64_t start, size;
    int axis;
    return read_axis(p, x->rank, &axis) && part(p, x->dim[axis], i, &start, &size) &&
        onn_view_slice(x, axis, start, size, 1, view);
}

static bool view_out(const struct onn_prob *p, int i, struct onn_desc *view)
{
    return part_view(p, i, view) && onn_view_is_tame(view);
}

static const char *refuse(const struct onn_prob *p)
{
    return onn_refuse_parts(p, false, part_view);
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return onn_bind_parts(p, false, part_view, b);
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_formats_same(p, out, max, 1);
}

static uint32_t host_inputs(const struct onn_prob *p)
{
    return onn_prob_has(p, 1) ? 2 : 0;
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
    {.name = "axis", .onnx = "axis", .type = ONN_ATTR_INT, .offset = offsetof(struct onn_split_attr, axis)},
    {.name = "num_outputs",
        .onnx = "num_outputs",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_split_attr, num_outputs),
        .max = INT32_MAX},
    {.type = ONN_ATTR_END},
};

static const struct onn_op split = {
    .name = "split",
    .onnx = "Split",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = ONN_VARIADIC,
    .attr_size = sizeof(struct onn_split_attr),
    .attrs = attrs,
    .since = 13,
    .infer = infer,
    .host = host,
    .host_inputs = host_inputs,
    .view_out = view_out,
    .grad = onn_split_grad,
    .variants = variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_split[] = {&split, NULL};
