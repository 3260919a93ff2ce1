/* DepthToSpace, SpaceToDepth: one walk over six dimensions, reshape-transpose-reshape in one copy. */
#include "ops/space.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <stddef.h>
#include <string.h>

static bool is_crd(const struct onn_prob *p)
{
    const struct onn_space_attr *a = p->attr;
    return a->mode && strcmp(a->mode, "CRD") == 0;
}

static bool is_to_space(const struct onn_prob *p)
{
    return strcmp(p->op->name, "depthtospace") == 0;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_space_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    const int64_t s = a->block;
    int64_t dim[4] = {-1, -1, -1, -1};
    ONN_CHECK(s > 0 && s < 65536, OCLNN_ERROR_ARGUMENT, "the block size is %lld", (long long)s);
    ONN_CHECK(!a->mode || strcmp(a->mode, "DCR") == 0 || is_crd(p), OCLNN_ERROR_UNSUPPORTED,
        "there is no mode '%s'", a->mode);
    ONN_CHECK(x->rank < 0 || x->rank == 4, OCLNN_ERROR_SHAPE, "the tensor has %d dimensions, not 4",
        (int)x->rank);
    for (int d = 0; d < x->rank; d++)
        dim[d] = x->dim[d];
    if (is_to_space(p)) {
        ONN_CHECK(dim[1] < 0 || dim[1] % (s * s) == 0, OCLNN_ERROR_SHAPE,
            "%lld channels are no multiple of %lld", (long long)dim[1], (long long)(s * s));
        dim[1] = dim[1] < 0 ? -1 : dim[1] / (s * s);
        for (int d = 2; d < 4; d++)
            ONN_CHECK(dim[d] < 0 || onn_mul_i64(dim[d], s, &dim[d]), OCLNN_ERROR_SHAPE,
                "the result is too large");
    } else {
        for (int d = 2; d < 4; d++) {
            ONN_CHECK(dim[d] < 0 || dim[d] % s == 0, OCLNN_ERROR_SHAPE,
                "dimension %d is %lld, no multiple of %lld", d, (long long)dim[d], (long long)s);
            dim[d] = dim[d] < 0 ? -1 : dim[d] / s;
        }
        ONN_CHECK(dim[1] < 0 || onn_mul_i64(dim[1], s * s, &dim[1]), OCLNN_ERROR_SHAPE,
            "the result is too large");
    }
    out[0] = onn_desc_make(x->dtype, 4, dim);
fail:
    return status;
}

/* The deep side has C*s*s channels, the wide side s*H x s*W pixels; both walked as n, c, h, r, w, q. */
static struct onn_walk make_walk(const struct onn_prob *p, const struct onn_desc *x, const int64_t *xs,
    const struct onn_desc *y, const int64_t *ys)
{
    const struct onn_space_attr *a = p->attr;
    const int64_t s = a->block;
    const bool wide_out = is_to_space(p);
    const struct onn_desc *deep = wide_out ? x : y, *wide = wide_out ? y : x;
    const int64_t *ds = wide_out ? xs : ys, *ws = wide_out ? ys : xs;
    const int64_t c = wide->dim[1];
    /* DCR: channel = (r * s + q) * C + c; CRD: channel = (c * s + r) * s + q. */
    const bool crd = wide_out && is_crd(p);
    const int64_t step_c = crd ? s * s : 1, step_q = crd ? 1 : c, step_r = crd ? s : s * c;
    const int64_t dim[6] = {deep->dim[0], c, deep->dim[2], s, deep->dim[3], s};
    const int64_t d[6] = {ds[0], ds[1] * step_c, ds[2], ds[1] * step_r, ds[3], ds[1] * step_q};
    const int64_t v[6] = {ws[0], ws[1], ws[2] * s, ws[2], ws[3] * s, ws[3]};
    struct onn_walk w = {0};
    for (int i = 0; i < 6; i++)
        onn_walk_add(&w, dim[i], wide_out ? d[i] : v[i], wide_out ? v[i] : d[i]);
    return w;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc, *y = &out[0]->desc;
    int64_t xs[ONN_MAX_RANK], ys[ONN_MAX_RANK];
    onn_plain_strides(x->rank, x->dim, xs);
    onn_plain_strides(y->rank, y->dim, ys);
    const struct onn_walk w = make_walk(p, x, xs, y, ys);
    onn_walk_host(&w, oclnn_dtype_size(y->dtype), p->value[0]->data, out[0]->data);
    return OCLNN_OK;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    const struct onn_walk w = make_walk(p, &p->in[0], p->in[0].stride, &p->out[0], p->out[0].stride);
    return onn_walk_bind(p, b, 0, 0, &w);
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    const struct onn_format list[2] = {onn_format_plain(), onn_format_nhwc(p->in[0].rank)};
    int n = 0;
    for (int i = 0; i < 2 && n < max; i++) {
        out[n] = (struct onn_formats){.n_in = 1, .n_out = 1};
        out[n].in[0] = out[n].out[0] = list[i];
        n++;
    }
    return n;
}

static const struct onn_variant copy = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .formats = formats,
    .cost = onn_cost_copy,
    .bind = bind,
};
static const struct onn_variant *const variants[] = {&copy, NULL};

static const struct onn_attr attrs[] = {
    {.name = "block",
        .onnx = "blocksize",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_space_attr, block),
        .def = 1,
        .min = 1,
        .max = 65535},
    {.name = "mode",
        .onnx = "mode",
        .type = ONN_ATTR_STRING,
        .offset = offsetof(struct onn_space_attr, mode)},
    {.type = ONN_ATTR_END},
};

static const struct onn_op depthtospace = {
    .name = "depthtospace",
    .onnx = "DepthToSpace",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_space_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .grad = onn_space_grad,
    .variants = variants,
    .flop = onn_flop_none,
};
static const struct onn_op spacetodepth = {
    .name = "spacetodepth",
    .onnx = "SpaceToDepth",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_space_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .grad = onn_space_grad,
    .variants = variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_space[] = {&depthtospace, &spacetodepth, NULL};
