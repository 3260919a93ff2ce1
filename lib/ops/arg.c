/* ArgMax, ArgMin, CumSum and TopK: operators along one axis. */
#include "ops/arg.h"
#include "ops/reduce.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static enum oclnn_status axis_of(const struct onn_prob *p, int64_t wanted, int *axis)
{
    char text[160];
    if (p->in[0].rank == 0 && (wanted == 0 || wanted == -1)) {
        *axis = 0;
        return OCLNN_OK;
    }
    if (!onn_axis_resolve(wanted, p->in[0].rank, axis))
        return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside %s", (long long)wanted,
            onn_desc_text(&p->in[0], text));
    return OCLNN_OK;
}

static bool is_max(const struct onn_prob *p)
{
    return !strcmp(p->op->name, "argmax");
}

/* x as [outer][len][inner] along the axis; false where something does not fit. */
static enum oclnn_status sizes(const struct onn_prob *p, int64_t wanted, struct onn_oli *s)
{
    int axis;
    enum oclnn_status status = axis_of(p, wanted, &axis);
    if (status != OCLNN_OK)
        return status;
    if (!onn_oli_make(&p->in[0], p->in[0].rank ? 1u << axis : 0, s) || s->outer * s->inner > INT_MAX ||
        s->len > INT_MAX)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    return OCLNN_OK;
}

static struct onn_launch *start(const struct onn_prob *p, struct onn_bind *b, const char *kernel,
    const struct onn_oli *s)
{
    struct onn_launch *l = onn_bind_add(b, "arg", kernel, "%s", onn_any_define(p->in[0].dtype, b->arena));
    onn_arg_in(l, 0);
    for (int i = 0; i < p->n_out; i++)
        onn_arg_out(l, i);
    onn_arg_int(b, l, s->outer * s->inner);
    onn_arg_int(b, l, s->len);
    onn_arg_int(b, l, s->inner);
    const size_t most = p->caps && p->caps->max_group ? p->caps->max_group : 1;
    onn_launch_size1(l, (size_t)(s->outer * s->inner), most < 64 ? most : 64);
    return l;
}

static double flop(const struct onn_prob *p)
{
    return (double)onn_desc_elements(&p->in[0]);
}

/* ---- ArgMax, ArgMin ---- */
static enum oclnn_status infer_arg(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_arg_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    int64_t dim[ONN_MAX_RANK] = {0};
    int axis = 0, rank = 0;
    enum oclnn_status status = x->rank < 0 ? OCLNN_OK : axis_of(p, a->axis, &axis);
    if (status != OCLNN_OK)
        return status;
    for (int i = 0; i < x->rank; i++) {
        if (i != axis)
            dim[rank++] = x->dim[i];
        else if (x->dim[i] == 0)
            return onn_error(OCLNN_ERROR_SHAPE, "dimension %d is empty", i);
        else if (a->keepdims)
            dim[rank++] = 1;
    }
    *out = onn_desc_make(OCLNN_I64, x->rank < 0 ? -1 : rank, dim);
    return OCLNN_OK;
}

/* Does b come before a? NaN comes before all. */
static bool better(double b, double a, bool largest)
{
    return b != b ? a == a : largest ? b > a : b < a;
}
static bool better_at(const struct onn_blob *x, int64_t b, int64_t a, bool largest)
{
    if (onn_dtype_is_float(x->desc.dtype))
        return better(onn_blob_get_f64(x, b), onn_blob_get_f64(x, a), largest);
    const int64_t vb = onn_blob_get_i64(x, b), va = onn_blob_get_i64(x, a);
    return largest ? vb > va : vb < va;
}

static enum oclnn_status host_arg(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_arg_attr *a = p->attr;
    struct onn_oli s;
    enum oclnn_status status = sizes(p, a->axis, &s);
    for (int64_t r = 0; status == OCLNN_OK && r < s.outer * s.inner; r++) {
        const int64_t at = r / s.inner * s.len * s.inner + r % s.inner;
        int64_t best = 0;
        for (int64_t i = 1; i < s.len; i++)
            if (better_at(p->value[0], at + i * s.inner, at + best * s.inner, is_max(p)) ||
                (a->select_last_index &&
                    !better_at(p->value[0], at + best * s.inner, at + i * s.inner, is_max(p))))
                best = i;
        onn_blob_set_i64(out[0], r, best);
    }
    return status;
}

static enum oclnn_status bind_arg(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_arg_attr *a = p->attr;
    struct onn_oli s;
    enum oclnn_status status = sizes(p, a->axis, &s);
    (void)t;
    if (status != OCLNN_OK || s.outer * s.inner == 0)
        return status;
    struct onn_launch *l = start(p, b, "arg_extreme", &s);
    onn_arg_int(b, l, is_max(p));
    onn_arg_int(b, l, a->select_last_index);
    return b->status;
}

/* ---- CumSum ---- */
static enum oclnn_status infer_cumsum(const struct onn_prob *p, struct onn_desc *out)
{
    int64_t axis[ONN_MAX_RANK];
    int n, resolved;
    if (p->in[0].rank >= 0 && onn_prob_ints(p, 1, axis, &n) && n == 1) {
        enum oclnn_status status = axis_of(p, axis[0], &resolved);
        if (status != OCLNN_OK)
            return status;
    }
    return onn_infer_same(p, out);
}

static enum oclnn_status cumsum_sizes(const struct onn_prob *p, struct onn_oli *s)
{
    int64_t axis[ONN_MAX_RANK];
    int n;
    if (!onn_prob_ints(p, 1, axis, &n) || n != 1)
        return onn_error(OCLNN_ERROR_UNSUPPORTED,
            "the axis must be one number that is known when the plan is made");
    return sizes(p, axis[0], s);
}

static enum oclnn_status host_cumsum(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_arg_attr *a = p->attr;
    const struct onn_blob *x = p->value[0];
    const bool real = onn_dtype_is_float(x->desc.dtype);
    struct onn_oli s;
    enum oclnn_status status = cumsum_sizes(p, &s);
    for (int64_t r = 0; status == OCLNN_OK && r < s.outer * s.inner; r++) {
        double sum = 0;
        uint64_t whole = 0;
        for (int64_t k = 0; k < s.len; k++) {
            const int64_t at =
                r / s.inner * s.len * s.inner + r % s.inner + (a->reverse ? s.len - 1 - k : k) * s.inner;
            for (int late = 0; late < 2; late++) {
                if (late == !a->exclusive) {
                    if (real)
                        onn_blob_set_f64(out[0], at, sum);
                    else
                        onn_blob_set_i64(out[0], at, (int64_t)whole);
                }
                sum += late || !real ? 0 : onn_blob_get_f64(x, at);
                whole += late || real ? 0 : (uint64_t)onn_blob_get_i64(x, at);
            }
        }
    }
    return status;
}

static enum oclnn_status bind_cumsum(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_arg_attr *a = p->attr;
    struct onn_oli s;
    enum oclnn_status status = cumsum_sizes(p, &s);
    (void)t;
    if (status != OCLNN_OK || s.outer * s.inner * s.len == 0)
        return status;
    struct onn_launch *l = start(p, b, "arg_sum", &s);
    onn_arg_int(b, l, a->exclusive);
    onn_arg_int(b, l, a->reverse);
    return b->status;
}

static uint32_t host_inputs(const struct onn_prob *p)
{
    (void)p;
    return 2;
}

/* ---- TopK ---- */
static enum oclnn_status infer_topk(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_arg_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    int64_t dim[ONN_MAX_RANK] = {0}, k[ONN_MAX_RANK];
    int axis = 0, n = 0;
    if (x->rank >= 0) {
        enum oclnn_status status = axis_of(p, a->axis, &axis);
        if (status != OCLNN_OK)
            return status;
        memcpy(dim, x->dim, sizeof dim);
        if (!onn_prob_ints(p, 1, k, &n) || n != 1)
            dim[axis] = -1;
        else if (k[0] < 0 || (x->dim[axis] >= 0 && k[0] > x->dim[axis]))
            return onn_error(OCLNN_ERROR_ARGUMENT, "k is %lld, but dimension %d has %lld elements",
                (long long)k[0], axis, (long long)x->dim[axis]);
        else
            dim[axis] = k[0];
    }
    out[0] = onn_desc_make(x->dtype, x->rank, dim);
    out[1] = onn_desc_make(OCLNN_I64, x->rank, dim);
    return OCLNN_OK;
}

static enum oclnn_status topk_sizes(const struct onn_prob *p, struct onn_oli *s, int64_t *k)
{
    const struct onn_arg_attr *a = p->attr;
    int axis;
    enum oclnn_status status = axis_of(p, a->axis, &axis);
    if (status != OCLNN_OK)
        return status;
    *k = p->out[0].rank ? p->out[0].dim[axis] : 1;
    return sizes(p, a->axis, s);
}

static enum oclnn_status host_topk(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_arg_attr *a = p->attr;
    const struct onn_blob *x = p->value[0];
    const bool largest = a->largest;
    struct onn_oli s;
    int64_t k;
    enum oclnn_status status = topk_sizes(p, &s, &k);
    for (int64_t r = 0; status == OCLNN_OK && r < s.outer * s.inner; r++) {
        const int64_t at = r / s.inner * s.len * s.inner + r % s.inner;
        int64_t before = -1;
        for (int64_t n = 0; n < k; n++) {
            int64_t best = -1;
            for (int64_t i = 0; i < s.len; i++) {
                const int64_t v = at + i * s.inner, b = at + before * s.inner;
                if (before >= 0 &&
                    (better_at(x, v, b, largest) || (!better_at(x, b, v, largest) && i <= before)))
                    continue;
                if (best < 0 || better_at(x, v, at + best * s.inner, largest))
                    best = i;
            }
            const int64_t to = r / s.inner * k * s.inner + r % s.inner + n * s.inner;
            if (onn_dtype_is_float(x->desc.dtype))
                onn_blob_set_f64(out[0], to, onn_blob_get_f64(x, at + best * s.inner));
            else
                onn_blob_set_i64(out[0], to, onn_blob_get_i64(x, at + best * s.inner));
            onn_blob_set_i64(out[1], to, best);
            before = best;
        }
    }
    return status;
}

static enum oclnn_status bind_topk(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_arg_attr *a = p->attr;
    struct onn_oli s;
    int64_t k;
    enum oclnn_status status = topk_sizes(p, &s, &k);
    (void)t;
    if (status != OCLNN_OK || s.outer * s.inner * k == 0)
        return status;
    struct onn_launch *l = start(p, b, "arg_top", &s);
    onn_arg_int(b, l, k);
    onn_arg_int(b, l, a->largest);
    return b->status;
}

/* ---- tables ---- */
static const struct onn_variant arg_ref = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE,
    .bind = bind_arg};
static const struct onn_variant cumsum_ref = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE,
    .refuse = onn_refuse_f64,
    .bind = bind_cumsum};
static const struct onn_variant topk_ref = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE,
    .bind = bind_topk};
static const struct onn_variant *const arg_variants[] = {&arg_ref, NULL};
static const struct onn_variant *const cumsum_variants[] = {&cumsum_ref, NULL};
static const struct onn_variant *const topk_variants[] = {&topk_ref, NULL};

#define FLAG(name, d) \
    { \
#name, #name, ONN_ATTR_INT, offsetof(struct onn_arg_attr, name), d, 0, 1 \
    }
#define AXIS(d) \
    { \
        "axis", "axis", ONN_ATTR_INT, offsetof(struct onn_arg_attr, axis), d, -8, 7 \
    }
static const struct onn_attr arg_attrs[] = {AXIS(0), FLAG(keepdims, 1), FLAG(select_last_index, 0),
    {.type = ONN_ATTR_END}};
static const struct onn_attr cumsum_attrs[] = {FLAG(exclusive, 0), FLAG(reverse, 0), {.type = ONN_ATTR_END}};
static const struct onn_attr topk_attrs[] = {AXIS(-1), FLAG(largest, 1), FLAG(sorted, 1),
    {.type = ONN_ATTR_END}};

#define COMMON .min_out = 1, .attr_size = sizeof(struct onn_arg_attr), .since = 1, .flop = flop
static const struct onn_op argmax = {.name = "argmax",
    .onnx = "ArgMax",
    .min_in = 1,
    .max_in = 1,
    .max_out = 1,
    .flags = ONN_OP_NO_GRAD,
    .attrs = arg_attrs,
    .infer = infer_arg,
    .host = host_arg,
    .variants = arg_variants,
    COMMON};
static const struct onn_op argmin = {.name = "argmin",
    .onnx = "ArgMin",
    .min_in = 1,
    .max_in = 1,
    .max_out = 1,
    .flags = ONN_OP_NO_GRAD,
    .attrs = arg_attrs,
    .infer = infer_arg,
    .host = host_arg,
    .variants = arg_variants,
    COMMON};
static const struct onn_op cumsum = {.name = "cumsum",
    .onnx = "CumSum",
    .min_in = 2,
    .max_in = 2,
    .max_out = 1,
    .attrs = cumsum_attrs,
    .infer = infer_cumsum,
    .host = host_cumsum,
    .host_inputs = host_inputs,
    .grad = onn_cumsum_grad,
    .variants = cumsum_variants,
    COMMON};
static const struct onn_op topk = {.name = "topk",
    .onnx = "TopK",
    .min_in = 2,
    .max_in = 2,
    .min_out = 2,
    .max_out = 2,
    .attr_size = sizeof(struct onn_arg_attr),
    .since = 1,
    .flop = flop,
    .attrs = topk_attrs,
    .infer = infer_topk,
    .host = host_topk,
    .host_inputs = host_inputs,
    .grad = onn_topk_grad,
    .variants = topk_variants};

extern const struct onn_op *const onn_ops_arg[];
const struct onn_op *const onn_ops_arg[] = {&argmax, &argmin, &cumsum, &topk, NULL};
