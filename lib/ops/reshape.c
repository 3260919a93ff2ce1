/* Reshape, Flatten, Squeeze, Unsqueeze, Identity: the elements stay in order, only the dims change. */
#include "ops/reshape.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <stddef.h>
#include <string.h>

/* ---- views ---- */

/* A desc whose blocked dimension has step 1 after all (one pixel, or blocks that follow each other), as plain. */
static bool unblock(struct onn_desc *d)
{
    if (d->format.pack)
        return false;
    if (d->format.block > 1) {
        if (d->stride[d->format.axis] != d->format.block && d->dim[d->format.axis] > d->format.block)
            return false;
        d->stride[d->format.axis] = 1;
    }
    d->format = onn_format_plain();
    return true;
}

bool onn_view_reshape(const struct onn_desc *in, struct onn_desc *out)
{
    struct onn_desc x = *in;
    if (!unblock(&x) || !onn_desc_is_known(out))
        return false;
    int64_t dim[ONN_MAX_RANK], stride[ONN_MAX_RANK];
    int n = 0;
    for (int i = 0; i < x.rank; i++) { /* extents of 1 say nothing */
        if (x.dim[i] == 0) {
            onn_desc_set_format(out, onn_format_plain());
            out->offset = in->offset;
            return true;
        }
        if (x.dim[i] != 1) {
            dim[n] = x.dim[i];
            stride[n++] = x.stride[i];
        }
    }
    out->format = onn_format_plain();
    out->offset = in->offset;
    int i = 0, o = 0;
    while (o < out->rank) {
        if (i == n) { /* only extents of 1 are left */
            if (out->dim[o] != 1)
                return false;
            out->stride[o++] = 1;
            continue;
        }
        /* The shortest groups of dimensions with the same number of elements on both sides. */
        int64_t a = dim[i], b = out->dim[o];
        int i1 = i + 1, o1 = o + 1;
        while (a != b) {
            if (a < b && i1 < n)
                a *= dim[i1++];
            else if (a > b && o1 < out->rank)
                b *= out->dim[o1++];
            else
                return false;
        }
        for (int k = i; k + 1 < i1; k++)
            if (stride[k] != stride[k + 1] * dim[k + 1])
                return false;
        int64_t step = stride[i1 - 1];
        for (int k = o1 - 1; k >= o; k--) {
            out->stride[k] = step;
            step *= out->dim[k];
        }
        i = i1;
        o = o1;
    }
    return i == n && onn_view_is_tame(out);
}

static bool start_view(const struct onn_prob *p, struct onn_desc *out)
{
    if (p->out && p->n_out && p->out[0].dtype && onn_desc_is_known(&p->out[0]))
        *out = onn_desc_make(p->out[0].dtype, p->out[0].rank, p->out[0].dim);
    else if (p->op->infer(p, out) != OCLNN_OK || !onn_desc_is_known(out))
        return false;
    return true;
}

static bool view(const struct onn_prob *p, struct onn_desc *out)
{
    return start_view(p, out) && onn_view_reshape(&p->in[0], out);
}

bool onn_view_same(const struct onn_prob *p, struct onn_desc *out)
{
    *out = p->in[0];
    return !p->in[0].format.pack;
}

/* ---- copies ---- */

enum oclnn_status onn_bind_reshape(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    struct onn_desc to = p->in[0];
    onn_desc_set_format(&to, onn_format_plain());
    to.offset = p->out[0].offset;
    return onn_bind_copy(p, b, 0, &p->in[0], 0, &to);
}

enum oclnn_status onn_host_reshape(const struct onn_prob *p, struct onn_blob *const *out)
{
    memcpy(out[0]->data, p->value[0]->data, onn_desc_unpadded_bytes(&out[0]->desc));
    return OCLNN_OK;
}

static enum oclnn_status bind_same(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return onn_bind_copy(p, b, 0, &p->in[0], 0, &p->out[0]);
}

static int formats_same(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_formats_same(p, out, max, 0);
}

/* ---- shapes ---- */

static void set_unknown(struct onn_desc *out, enum oclnn_dtype dtype, int64_t rank)
{
    int64_t dim[ONN_MAX_RANK];
    for (int i = 0; i < ONN_MAX_RANK; i++)
        dim[i] = -1;
    *out = onn_desc_make(dtype, rank < 0 || rank > ONN_MAX_RANK ? -1 : (int)rank, dim);
}

/* The -1 of a target shape: what remains after dims that were copied (0 in the target) cancel out. */
static enum oclnn_status reshape_rest(const struct onn_desc *x, const int64_t *want, bool allowzero,
    int64_t *dim, int n, int hole)
{
    int64_t have = 1, used = 1;
    for (int i = 0; i < x->rank; i++) {
        const bool copied = i < n && want[i] == 0 && !allowzero;
        if (!copied && (x->dim[i] < 0 || !onn_mul_i64(have, x->dim[i], &have)))
            return OCLNN_OK;
    }
    for (int i = 0; i < n; i++)
        if (i != hole && (want[i] != 0 || allowzero) && !onn_mul_i64(used, dim[i], &used))
            return onn_error(OCLNN_ERROR_SHAPE, "the target shape is too large");
    if (used == 0 || have % used)
        return onn_error(OCLNN_ERROR_SHAPE,
            "%lld elements do not fit a shape with %lld per unit of the dimension -1", (long long)have,
            (long long)used);
    dim[hole] = have / used;
    return OCLNN_OK;
}

static enum oclnn_status infer_reshape(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_reshape_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    int64_t want[ONN_MAX_RANK], dim[ONN_MAX_RANK] = {0};
    int n = 0, hole = -1;
    ONN_TRY(onn_check_index_type(p, 1, "the target shape"));
    if (!onn_prob_ints(p, 1, want, &n)) {
        ONN_CHECK(!onn_prob_value(p, 1) && onn_prob_length(p, 1) <= ONN_MAX_RANK, OCLNN_ERROR_UNSUPPORTED,
            "the target shape has more than %d dimensions", ONN_MAX_RANK);
        set_unknown(out, x->dtype, onn_prob_length(p, 1));
        return OCLNN_OK;
    }
    const bool allowzero = a && a->allowzero;
    for (int i = 0; i < n; i++) {
        ONN_CHECK(want[i] >= -1, OCLNN_ERROR_SHAPE, "entry %d of the target shape is %lld", i,
            (long long)want[i]);
        dim[i] = want[i];
        if (want[i] == -1) {
            ONN_CHECK(hole < 0, OCLNN_ERROR_SHAPE, "the target shape has -1 twice (entries %d and %d)", hole,
                i);
            hole = i;
        } else if (want[i] == 0 && !allowzero) {
            ONN_CHECK(x->rank < 0 || i < x->rank, OCLNN_ERROR_SHAPE,
                "entry %d of the target shape is 0 (copy), the input has only %d dimensions", i,
                (int)x->rank);
            dim[i] = x->rank < 0 ? -1 : x->dim[i];
        }
    }
    if (x->rank >= 0 && hole >= 0)
        ONN_TRY(reshape_rest(x, want, allowzero, dim, n, hole));
    out[0] = onn_desc_make(x->dtype, n, dim);
    if (onn_desc_is_known(&out[0]) && onn_desc_is_known(x)) {
        char text[160];
        ONN_CHECK(onn_desc_elements(x) == onn_desc_elements(&out[0]), OCLNN_ERROR_SHAPE,
            "%s does not have the %lld elements of the target shape", onn_desc_text(x, text),
            (long long)onn_desc_elements(&out[0]));
    }
fail:
    return status;
}

static enum oclnn_status infer_flatten(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_flatten_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    int64_t dim[2] = {1, 1}, axis = a ? a->axis : 1;
    if (x->rank < 0) {
        set_unknown(out, x->dtype, 2);
        return OCLNN_OK;
    }
    if (axis < -x->rank || axis > x->rank)
        return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside -%d … %d", (long long)axis, (int)x->rank,
            (int)x->rank);
    axis = axis < 0 ? axis + x->rank : axis;
    for (int i = 0; i < x->rank; i++) {
        int64_t *d = &dim[i >= axis];
        if (x->dim[i] < 0 || *d < 0)
            *d = -1;
        else if (!onn_mul_i64(*d, x->dim[i], d))
            return onn_error(OCLNN_ERROR_SHAPE, "the tensor is too large");
    }
    out[0] = onn_desc_make(x->dtype, 2, dim);
    return OCLNN_OK;
}

/* Marks the axes of input 1 in mask. */
static enum oclnn_status read_axes(const struct onn_prob *p, int rank, uint32_t *mask)
{
    int64_t axes[ONN_MAX_RANK];
    int n = 0, axis;
    *mask = 0;
    if (!onn_prob_ints(p, 1, axes, &n))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "the axes must be known and at most %d", ONN_MAX_RANK);
    for (int i = 0; i < n; i++) {
        if (!onn_axis_resolve(axes[i], rank, &axis))
            return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside a tensor of %d dimensions",
                (long long)axes[i], rank);
        if (*mask >> axis & 1)
            return onn_error(OCLNN_ERROR_ARGUMENT, "axis %d is given twice", axis);
        *mask |= 1u << axis;
    }
    return OCLNN_OK;
}

static enum oclnn_status infer_squeeze(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0];
    const bool given = onn_prob_has(p, 1);
    uint32_t mask = 0;
    int64_t dim[ONN_MAX_RANK];
    int n = 0;
    if (x->rank < 0 || (given ? !onn_prob_value(p, 1) : !onn_desc_is_known(x))) {
        const int64_t axes = given ? onn_prob_length(p, 1) : -1;
        set_unknown(out, x->dtype, x->rank < 0 || axes < 0 ? -1 : x->rank - axes);
        return OCLNN_OK;
    }
    if (given)
        ONN_TRY(read_axes(p, x->rank, &mask));
    for (int i = 0; i < x->rank; i++) {
        const bool drop = given ? mask >> i & 1 : x->dim[i] == 1;
        ONN_CHECK(!drop || x->dim[i] == 1 || x->dim[i] < 0, OCLNN_ERROR_SHAPE,
            "dimension %d has %lld elements and cannot be squeezed", i, (long long)x->dim[i]);
        if (!drop)
            dim[n++] = x->dim[i];
    }
    out[0] = onn_desc_make(x->dtype, n, dim);
fail:
    return status;
}

static enum oclnn_status infer_unsqueeze(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0];
    const int64_t axes = onn_prob_length(p, 1);
    uint32_t mask = 0;
    int64_t dim[ONN_MAX_RANK];
    int from = 0;
    if (x->rank < 0 || !onn_prob_value(p, 1)) {
        set_unknown(out, x->dtype, x->rank < 0 || axes < 0 ? -1 : x->rank + axes);
        return OCLNN_OK;
    }
    const int rank = x->rank + (int)(axes < ONN_MAX_RANK + 1 ? axes : ONN_MAX_RANK + 1);
    ONN_CHECK(rank <= ONN_MAX_RANK, OCLNN_ERROR_UNSUPPORTED, "the result would have more than %d dimensions",
        ONN_MAX_RANK);
    ONN_TRY(read_axes(p, rank, &mask));
    for (int i = 0; i < rank; i++)
        dim[i] = mask >> i & 1 ? 1 : x->dim[from++];
    out[0] = onn_desc_make(x->dtype, rank, dim);
fail:
    return status;
}

static uint32_t second_input(const struct onn_prob *p)
{
    return onn_prob_has(p, 1) ? 2 : 0;
}

/* ---- tables ---- */

static const struct onn_variant reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_REFERENCE,
    .formats = onn_formats_to_plain,
    .cost = onn_cost_copy,
    .bind = onn_bind_reshape,
};
static const struct onn_variant same = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .formats = formats_same,
    .cost = onn_cost_copy,
    .bind = bind_same,
};
static const struct onn_variant *const variants[] = {&reference, NULL};
static const struct onn_variant *const variants_same[] = {&same, NULL};

static const struct onn_attr reshape_attrs[] = {
    {.name = "allowzero",
        .onnx = "allowzero",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_reshape_attr, allowzero),
        .max = 1},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr flatten_attrs[] = {
    {.name = "axis",
        .onnx = "axis",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_flatten_attr, axis),
        .def = 1},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr no_attrs[] = {{.type = ONN_ATTR_END}};

#define RESHAPE_OP \
    .min_out = 1, .max_out = 1, .flags = ONN_OP_VIEW, .host = onn_host_reshape, .flop = onn_flop_none

static const struct onn_op reshape = {
    .name = "reshape",
    .onnx = "Reshape",
    .min_in = 2,
    .max_in = 2,
    RESHAPE_OP,
    .since = 5,
    .attr_size = sizeof(struct onn_reshape_attr),
    .attrs = reshape_attrs,
    .infer = infer_reshape,
    .host_inputs = second_input,
    .view = view,
    .grad = onn_reshape_grad,
    .variants = variants,
};
static const struct onn_op flatten = {
    .name = "flatten",
    .onnx = "Flatten",
    .min_in = 1,
    .max_in = 1,
    RESHAPE_OP,
    .since = 1,
    .attr_size = sizeof(struct onn_flatten_attr),
    .attrs = flatten_attrs,
    .infer = infer_flatten,
    .view = view,
    .grad = onn_reshape_grad,
    .variants = variants,
};
static const struct onn_op squeeze = {
    .name = "squeeze",
    .onnx = "Squeeze",
    .min_in = 1,
    .max_in = 2,
    RESHAPE_OP,
    .since = 13,
    .attrs = no_attrs,
    .infer = infer_squeeze,
    .host_inputs = second_input,
    .view = view,
    .grad = onn_reshape_grad,
    .variants = variants,
};
static const struct onn_op unsqueeze = {
    .name = "unsqueeze",
    .onnx = "Unsqueeze",
    .min_in = 2,
    .max_in = 2,
    RESHAPE_OP,
    .since = 13,
    .attrs = no_attrs,
    .infer = infer_unsqueeze,
    .host_inputs = second_input,
    .view = view,
    .grad = onn_reshape_grad,
    .variants = variants,
};
static const struct onn_op identity = {
    .name = "identity",
    .onnx = "Identity",
    .min_in = 1,
    .max_in = 1,
    RESHAPE_OP,
    .since = 1,
    .attrs = no_attrs,
    .infer = onn_infer_same,
    .view = onn_view_same,
    .grad = onn_reshape_grad,
    .variants = variants_same,
};

const struct onn_op *const onn_ops_reshape[] = {&reshape, &flatten, &squeeze, &unsqueeze, &identity, NULL};
