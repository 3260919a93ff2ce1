/* LRN, LpNormalization and MeanVarianceNormalization. */
#include "ops/norm.h"
#include "ops/grads.h"
#include "ops/reduce.h"

#include <limits.h>
#include <math.h>
#include <string.h>

struct norm_split { /* cl/norm.cl */
    int32_t nk, nr, kd[8], rd[8];
    int64_t k[8], r[8];
};

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_desc *x = &p->in[0];
    int axis;
    if (!onn_dtype_is_float(x->dtype))
        return onn_error(OCLNN_ERROR_DTYPE, "x is %s, but must be a floating-point type",
            oclnn_dtype_name(x->dtype));
    if (p->op->name[0] == 'l' && p->op->name[1] == 'r' && x->rank >= 0 && x->rank < 2)
        return onn_error(OCLNN_ERROR_SHAPE, "x has rank %d, but needs dimensions N and C", x->rank);
    if (p->op->name[1] == 'p' && x->rank >= 0 &&
        !onn_axis_resolve(((const struct onn_lpnorm_attr *)p->attr)->axis, x->rank, &axis))
        return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside a tensor of rank %d",
            (long long)((const struct onn_lpnorm_attr *)p->attr)->axis, x->rank);
    return onn_infer_same(p, out);
}

static size_t small_group(const struct onn_prob *p)
{
    const size_t most = p->caps && p->caps->max_group ? p->caps->max_group : 1;
    return most < 64 ? most : 64;
}

/* ---- LRN ---- */
static bool lrn_sizes(const struct onn_prob *p, int64_t *n, int64_t *c, int64_t *px)
{
    const struct onn_desc *x = &p->in[0];
    *n = x->dim[0];
    *c = x->dim[1];
    *px = 1;
    for (int i = 2; i < x->rank; i++)
        *px *= x->dim[i];
    return *n * *px <= INT_MAX && *c <= INT_MAX;
}

static double lrn_flop(const struct onn_prob *p)
{
    return (2 * (double)((const struct onn_lrn_attr *)p->attr)->size + 8) *
        (double)onn_desc_elements(&p->in[0]);
}

static enum oclnn_status lrn_bind(const struct onn_prob *p, struct onn_bind *b, bool vectors)
{
    const struct onn_lrn_attr *a = p->attr;
    int64_t n, c, px;
    if (!lrn_sizes(p, &n, &c, &px))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    if (n * c * px == 0)
        return OCLNN_OK;
    const int vl = vectors ? p->caps->vector_width : 8;
    struct onn_launch *l = onn_bind_add(b, "lrn", vectors ? "lrn_cols" : "lrn_ref", "%s -D VL=%d",
        onn_any_define(p->in[0].dtype, b->arena), vl);
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    if (!vectors)
        onn_arg_int(b, l, n);
    onn_arg_int(b, l, c);
    onn_arg_int(b, l, px);
    onn_arg_int(b, l, (a->size - 1) / 2);
    onn_arg_int(b, l, a->size - 1 - (a->size - 1) / 2);
    onn_arg_float(b, l, a->alpha / (float)a->size);
    onn_arg_float(b, l, a->beta);
    onn_arg_float(b, l, a->bias);
    if (vectors)
        onn_launch_size2(l, (size_t)((px + vl - 1) / vl), (size_t)n, 1, 1);
    else
        onn_launch_size1(l, (size_t)(n * px), small_group(p));
    return b->status;
}
static enum oclnn_status bind_lrn(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return lrn_bind(p, b, false);
}
static enum oclnn_status bind_lrn_cols(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return lrn_bind(p, b, true);
}
static const char *refuse_lrn_cols(const struct onn_prob *p)
{
    int64_t n, c, px;
    if (!p->caps || !p->caps->vector_cpu || (p->in[0].dtype != OCLNN_F32 && p->in[0].dtype != OCLNN_F16))
        return "for vector CPUs, f32 and f16";
    return lrn_sizes(p, &n, &c, &px) && px >= p->caps->vector_width ? NULL : "too few pixels";
}
static struct onn_cost cost_cols(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (
        struct onn_cost){.flop = lrn_flop(p), .bytes = onn_prob_bytes(p), .launches = 1, .efficiency = 0.2};
}

static enum oclnn_status lrn_host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_lrn_attr *a = p->attr;
    const int64_t before = (a->size - 1) / 2, behind = a->size - 1 - before;
    int64_t n, c, px;
    if (!lrn_sizes(p, &n, &c, &px))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    for (int64_t i = 0; i < n * c * px; i++) {
        const int64_t k = i / px % c;
        double sum = 0;
        for (int64_t j = k < before ? 0 : k - before; j <= k + behind && j < c; j++) {
            const double v = onn_blob_get_f64(p->value[0], i + (j - k) * px);
            sum += v * v;
        }
        onn_blob_set_f64(out[0], i,
            onn_blob_get_f64(p->value[0], i) /
                pow((double)a->bias + (double)a->alpha / (double)a->size * sum, (double)a->beta));
    }
    return OCLNN_OK;
}

/* ---- LpNormalization ---- */
static enum oclnn_status bind_lp(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_lpnorm_attr *a = p->attr;
    struct onn_oli s;
    int axis;
    (void)t;
    if (!onn_axis_resolve(a->axis, p->in[0].rank, &axis) || !onn_oli_make(&p->in[0], 1u << axis, &s) ||
        s.outer * s.inner > INT_MAX || s.len > INT_MAX)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    if (s.outer * s.inner * s.len == 0)
        return OCLNN_OK;
    struct onn_launch *l = onn_bind_add(b, "norm", "norm_lp", "%s", onn_any_define(p->in[0].dtype, b->arena));
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    onn_arg_int(b, l, s.outer * s.inner);
    onn_arg_int(b, l, s.len);
    onn_arg_int(b, l, s.inner);
    onn_arg_int(b, l, a->p);
    onn_launch_size1(l, (size_t)(s.outer * s.inner), small_group(p));
    return b->status;
}

/* ---- MeanVarianceNormalization ---- */
static enum oclnn_status bind_mvn(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    static const int64_t usual[] = {0, 2, 3};
    const struct onn_mvn_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    const bool given = a && a->axes.n >= 0 && a->axes.v;
    const int64_t *axes = given ? a->axes.v : usual;
    struct norm_split s = {0};
    uint32_t mask = 0;
    int64_t groups = 1, count = 1;
    (void)t;
    for (int i = 0; i < (given ? a->axes.n : 3); i++) {
        int axis;
        if (!onn_axis_resolve(axes[i], x->rank, &axis))
            return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside a tensor of rank %d",
                (long long)axes[i], x->rank);
        mask |= 1u << axis;
    }
    for (int i = 0; i < x->rank; i++) {
        const bool reduced = mask >> i & 1;
        *(reduced ? &count : &groups) *= x->dim[i];
        if (x->dim[i] > INT_MAX)
            return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
        if (reduced) {
            s.rd[s.nr] = (int32_t)x->dim[i];
            s.r[s.nr++] = x->stride[i];
        } else {
            s.kd[s.nk] = (int32_t)x->dim[i];
            s.k[s.nk++] = x->stride[i];
        }
    }
    if (groups * count == 0)
        return OCLNN_OK;
    struct onn_launch *l = onn_bind_add(b, "norm", "norm_over", "%s", onn_any_define(x->dtype, b->arena));
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &s, sizeof s);
    onn_arg_int(b, l, groups);
    onn_arg_int(b, l, count);
    onn_launch_size1(l, (size_t)groups, small_group(p));
    return b->status;
}

/* ---- tables ---- */
static const struct onn_variant lrn_cols = {.name = "cols",
    .refuse = refuse_lrn_cols,
    .cost = cost_cols,
    .bind = bind_lrn_cols};
static const struct onn_variant lrn_ref = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE,
    .bind = bind_lrn};
static const struct onn_variant lp_ref = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE | ONN_VARIANT_INPLACE0,
    .bind = bind_lp};
static const struct onn_variant mvn_ref = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE | ONN_VARIANT_INPLACE0,
    .bind = bind_mvn};
static const struct onn_variant *const lrn_variants[] = {&lrn_cols, &lrn_ref, NULL};
static const struct onn_variant *const lp_variants[] = {&lp_ref, NULL};
static const struct onn_variant *const mvn_variants[] = {&mvn_ref, NULL};

static const struct onn_attr lrn_attrs[] = {{"alpha", "alpha", ONN_ATTR_FLOAT,
                                                offsetof(struct onn_lrn_attr, alpha), 1e-4, 0, 0},
    {"beta", "beta", ONN_ATTR_FLOAT, offsetof(struct onn_lrn_attr, beta), 0.75, 0, 0},
    {"bias", "bias", ONN_ATTR_FLOAT, offsetof(struct onn_lrn_attr, bias), 1, 0, 0},
    {"size", "size", ONN_ATTR_INT, offsetof(struct onn_lrn_attr, size), 5, 1, 1 << 24},
    {.type = ONN_ATTR_END}};
static const struct onn_attr lp_attrs[] = {{"axis", "axis", ONN_ATTR_INT,
                                               offsetof(struct onn_lpnorm_attr, axis), -1, -8, 7},
    {"p", "p", ONN_ATTR_INT, offsetof(struct onn_lpnorm_attr, p), 2, 1, 2}, {.type = ONN_ATTR_END}};
static const struct onn_attr mvn_attrs[] = {{"axes", "axes", ONN_ATTR_INTS,
                                                offsetof(struct onn_mvn_attr, axes), 0, -8, 7},
    {.type = ONN_ATTR_END}};

#define COMMON .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .since = 1, .infer = infer
static const struct onn_op lrn_op = {.name = "lrn",
    .onnx = "LRN",
    .attr_size = sizeof(struct onn_lrn_attr),
    .attrs = lrn_attrs,
    .grad = onn_lrn_grad,
    .variants = lrn_variants,
    .flop = lrn_flop,
    .host = lrn_host,
    COMMON};
static const struct onn_op lp_op = {.name = "lpnormalization",
    .onnx = "LpNormalization",
    .attr_size = sizeof(struct onn_lpnorm_attr),
    .attrs = lp_attrs,
    .grad = onn_lpnorm_grad,
    .variants = lp_variants,
    COMMON};
static const struct onn_op mvn_op = {.name = "meanvariancenormalization",
    .onnx = "MeanVarianceNormalization",
    .attr_size = sizeof(struct onn_mvn_attr),
    .attrs = mvn_attrs,
    .grad = onn_mvn_grad,
    .variants = mvn_variants,
    COMMON};

extern const struct onn_op *const onn_ops_lrn[];
const struct onn_op *const onn_ops_lrn[] = {&lrn_op, &lp_op, &mvn_op, NULL};
