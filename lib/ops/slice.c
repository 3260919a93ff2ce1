/* Slice: every step-th element from start to end along some axes. A view wherever blocks allow it. */
#include "ops/walk.h"
#include "ops/grads.h"

struct cut {
    int64_t start, count, step;
};

/* cut[d] of every dimension; a dimension that is not known gives count -1 where it matters. False: the sentence is
 * set. */
static enum oclnn_status read_cuts(const struct onn_prob *p, int rank, const int64_t *dim, struct cut *cut)
{
    enum oclnn_status status = OCLNN_OK;
    int64_t start[ONN_MAX_RANK], end[ONN_MAX_RANK], axes[ONN_MAX_RANK], step[ONN_MAX_RANK];
    int n = 0, n_end = 0, n_axes = 0, n_step = 0;
    for (int d = 0; d < rank; d++)
        cut[d] = (struct cut){0, dim[d], 1};
    ONN_CHECK(onn_prob_ints(p, 1, start, &n) && onn_prob_ints(p, 2, end, &n_end) && n == n_end,
        OCLNN_ERROR_SHAPE, "starts and ends must have one entry per axis");
    if (onn_prob_has(p, 3))
        ONN_CHECK(onn_prob_ints(p, 3, axes, &n_axes) && n_axes == n, OCLNN_ERROR_SHAPE,
            "axes must have one entry per start");
    if (onn_prob_has(p, 4))
        ONN_CHECK(onn_prob_ints(p, 4, step, &n_step) && n_step == n, OCLNN_ERROR_SHAPE,
            "steps must have one entry per start");
    for (int i = 0; i < n; i++) {
        int axis = i;
        ONN_CHECK(onn_axis_resolve(n_axes ? axes[i] : i, rank, &axis), OCLNN_ERROR_ARGUMENT,
            "axis %lld is outside a tensor of %d dimensions", (long long)(n_axes ? axes[i] : i), rank);
        const int64_t s = n_step ? step[i] : 1, size = dim[axis];
        ONN_CHECK(s != 0 && s > -INT64_MAX, OCLNN_ERROR_ARGUMENT, "the step along axis %d is 0", axis);
        if (size < 0) {
            cut[axis] = (struct cut){0, start[i] == 0 && end[i] >= INT32_MAX && s == 1 ? size : -1, s};
            continue;
        }
        /* numpy's rule: negative positions count from the end, then both are clamped. */
        const int64_t lo = s < 0 ? -1 : 0, hi = s < 0 ? size - 1 : size;
        int64_t a = start[i] < 0 ? start[i] + size : start[i], b = end[i] < 0 ? end[i] + size : end[i];
        a = a < (s < 0 ? 0 : lo) ? (s < 0 ? 0 : lo) : a > hi ? hi : a;
        b = b < lo ? lo : b > hi ? hi : b;
        if (s < 0 && size == 0)
            a = b = 0;
        const int64_t span = s > 0 ? b - a : a - b, by = s > 0 ? s : -s;
        cut[axis] = (struct cut){a, span > 0 ? (span - 1) / by + 1 : 0, s};
    }
fail:
    return status;
}

static bool cuts_known(const struct onn_prob *p)
{
    for (int i = 1; i < 5; i++)
        if (onn_prob_has(p, i) && !onn_prob_value(p, i))
            return false;
    return true;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0];
    struct cut cut[ONN_MAX_RANK];
    int64_t dim[ONN_MAX_RANK];
    for (int i = 1; i < 5; i++)
        ONN_TRY(onn_check_index_type(p, i, "starts, ends, axes and steps"));
    for (int d = 0; d < x->rank; d++)
        dim[d] = -1;
    if (x->rank >= 0 && cuts_known(p)) {
        ONN_TRY(read_cuts(p, x->rank, x->dim, cut));
        for (int d = 0; d < x->rank; d++)
            dim[d] = cut[d].count;
    } else if (x->rank >= 0 && onn_prob_value(p, 3)) { /* dimensions that are not named stay */
        int64_t axes[ONN_MAX_RANK];
        int n = 0, axis;
        uint32_t named = 0;
        if (!onn_prob_ints(p, 3, axes, &n))
            n = 0, named = ~0u;
        for (int i = 0; i < n; i++)
            named |= onn_axis_resolve(axes[i], x->rank, &axis) ? 1u << axis : ~0u;
        for (int d = 0; d < x->rank; d++)
            dim[d] = named >> d & 1 ? -1 : x->dim[d];
    }
    out[0] = onn_desc_make(x->dtype, x->rank, dim);
fail:
    return status;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc;
    struct cut cut[ONN_MAX_RANK];
    struct onn_walk w = {0};
    int64_t from[ONN_MAX_RANK], to[ONN_MAX_RANK];
    enum oclnn_status status = read_cuts(p, x->rank, x->dim, cut);
    if (status != OCLNN_OK)
        return status;
    onn_plain_strides(x->rank, x->dim, from);
    onn_plain_strides(x->rank, out[0]->desc.dim, to);
    for (int d = 0; d < x->rank; d++) {
        w.from_offset += cut[d].start * from[d];
        onn_walk_add(&w, cut[d].count, from[d] * cut[d].step, to[d]);
    }
    onn_walk_host(&w, oclnn_dtype_size(x->dtype), p->value[0]->data, out[0]->data);
    return OCLNN_OK;
}

static bool view(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_desc *x = &p->in[0];
    struct cut cut[ONN_MAX_RANK];
    if (!onn_desc_is_known(x) || !cuts_known(p) || read_cuts(p, x->rank, x->dim, cut) != OCLNN_OK)
        return false;
    struct onn_desc y = *x;
    for (int d = 0; d < x->rank; d++)
        if ((cut[d].count != x->dim[d] || cut[d].step != 1) &&
            !onn_view_slice(&y, d, cut[d].start, cut[d].count, cut[d].step, &y))
            return false;
    *out = y;
    return true;
}

/* Steps other than 1 make strides that readers of views do not expect: those are copied. */
static bool view_forward(const struct onn_prob *p, struct onn_desc *out)
{
    if (!view(p, out))
        return false;
    for (int d = 0; d < out->rank; d++)
        if (out->dim[d] > 1 && out->stride[d] != p->in[0].stride[d])
            return false;
    return onn_view_is_tame(out);
}

static const char *refuse(const struct onn_prob *p)
{
    struct onn_desc y;
    return view(p, &y) ? NULL : "the cut does not fall between blocks";
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_desc from;
    (void)t;
    if (!view(p, &from))
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "slice: the cut is not known at plan time");
    return onn_bind_copy(p, b, 0, &from, 0, &p->out[0]);
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_formats_same(p, out, max, 1);
}

static uint32_t host_inputs(const struct onn_prob *p)
{
    uint32_t mask = 0;
    for (int i = 1; i < 5; i++)
        mask |= onn_prob_has(p, i) ? 1u << i : 0;
    return mask;
}

static const struct onn_variant copy = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = refuse,
    .formats = formats,
    .cost = onn_cost_copy,
    .bind = bind,
};
static const struct onn_variant *const variants[] = {&copy, NULL};

static const struct onn_attr attrs[] = {{.type = ONN_ATTR_END}};

static const struct onn_op slice = {
    .name = "slice",
    .onnx = "Slice",
    .min_in = 3,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_VIEW,
    .attrs = attrs,
    .since = 10,
    .infer = infer,
    .host = host,
    .host_inputs = host_inputs,
    .view = view_forward,
    .grad = onn_slice_grad,
    .variants = variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_slice[] = {&slice, NULL};
