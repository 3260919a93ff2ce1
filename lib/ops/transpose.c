/* Transpose: as a view it costs nothing (permuted strides); as a copy it is one tiled walk. */
#include "ops/transpose.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <stddef.h>

/* perm[] for this rank; false if the attribute does not fit. */
static bool read_perm(const struct onn_prob *p, int rank, int *perm)
{
    const struct onn_transpose_attr *a = p->attr;
    uint32_t seen = 0;
    const bool given = a && a->perm.n >= 0 && !(a->perm.n == 0 && rank > 0);
    if (given && a->perm.n != rank)
        return false;
    for (int i = 0; i < rank; i++) {
        const int64_t v = given ? a->perm.v[i] : rank - 1 - i;
        if (v < 0 || v >= rank || seen >> v & 1)
            return false;
        seen |= 1u << v;
        perm[i] = (int)v;
    }
    return true;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_transpose_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    int perm[ONN_MAX_RANK];
    int64_t dim[ONN_MAX_RANK];
    if (x->rank < 0) {
        const int rank = a && a->perm.n > 0 && a->perm.n <= ONN_MAX_RANK ? a->perm.n : -1;
        for (int i = 0; i < rank; i++)
            dim[i] = -1;
        out[0] = onn_desc_make(x->dtype, rank, dim);
        return OCLNN_OK;
    }
    if (!read_perm(p, x->rank, perm))
        return onn_error(OCLNN_ERROR_ARGUMENT, "perm is not a permutation of the %d dimensions",
            (int)x->rank);
    for (int i = 0; i < x->rank; i++)
        dim[i] = x->dim[perm[i]];
    out[0] = onn_desc_make(x->dtype, x->rank, dim);
    return OCLNN_OK;
}

/* x's elements under y's dims: the permuted strides. Blocked stays blocked along the moved axis. */
static bool permute(const struct onn_prob *p, struct onn_desc *y)
{
    const struct onn_desc *x = &p->in[0];
    int perm[ONN_MAX_RANK], inverse[ONN_MAX_RANK];
    if (x->format.pack || x->rank < 0 || !read_perm(p, x->rank, perm))
        return false;
    *y = *x;
    for (int i = 0; i < x->rank; i++) {
        y->dim[i] = x->dim[perm[i]];
        y->stride[i] = x->stride[perm[i]];
        inverse[perm[i]] = i;
    }
    y->format.permuted = 0;
    bool sorted = true;
    for (int i = 0; i < x->rank; i++) {
        const int from = x->format.permuted ? x->format.order[i] : i;
        y->format.order[i] = (uint8_t)inverse[from];
        sorted = sorted && inverse[from] == i;
    }
    if (!sorted)
        y->format.permuted = 1;
    else
        for (int i = 0; i < x->rank; i++)
            y->format.order[i] = 0;
    if (x->format.block > 1)
        y->format.axis = (uint8_t)inverse[x->format.axis];
    return true;
}

static bool view(const struct onn_prob *p, struct onn_desc *out)
{
    return permute(p, out);
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_desc from;
    (void)t;
    if (!permute(p, &from))
        return b->status = onn_error(OCLNN_ERROR_INTERNAL, "a packed weight cannot be transposed");
    return onn_bind_copy(p, b, 0, &from, 0, &p->out[0]);
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc;
    struct onn_walk w = {0};
    int perm[ONN_MAX_RANK];
    int64_t from[ONN_MAX_RANK], to[ONN_MAX_RANK];
    if (!read_perm(p, x->rank, perm))
        return onn_error(OCLNN_ERROR_ARGUMENT, "perm is not a permutation of the %d dimensions",
            (int)x->rank);
    onn_plain_strides(x->rank, x->dim, from);
    onn_plain_strides(x->rank, out[0]->desc.dim, to);
    for (int i = 0; i < x->rank; i++)
        onn_walk_add(&w, x->dim[perm[i]], from[perm[i]], to[i]);
    onn_walk_host(&w, oclnn_dtype_size(x->dtype), p->value[0]->data, out[0]->data);
    return OCLNN_OK;
}

/* The view's own format first (no bytes move there), then every usual format on either side. */
static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    struct onn_formats list[4];
    const int n = onn_formats_same(p, list, 4, 0);
    int made = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n && made < max; k++) {
            out[made] = list[i];
            out[made++].out[0] = list[k].out[0];
        }
    return made;
}

static const struct onn_variant copy = {
    .name = "tiled",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .formats = formats,
    .cost = onn_cost_copy,
    .bind = bind,
};

static enum oclnn_status bind_reference(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    return onn_bind_any_device(bind, p, t, b);
}

static const struct onn_variant reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .formats = formats,
    .cost = onn_cost_reference,
    .bind = bind_reference,
};

static const struct onn_variant *const variants[] = {&copy, &reference, NULL};

static const struct onn_attr attrs[] = {
    {.name = "perm",
        .onnx = "perm",
        .type = ONN_ATTR_INTS,
        .offset = offsetof(struct onn_transpose_attr, perm),
        .min = 0,
        .max = ONN_MAX_RANK - 1},
    {.type = ONN_ATTR_END},
};

static const struct onn_op transpose = {
    .name = "transpose",
    .onnx = "Transpose",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_VIEW,
    .attr_size = sizeof(struct onn_transpose_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .view = view,
    .grad = onn_transpose_grad,
    .variants = variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_transpose[] = {&transpose, NULL};
