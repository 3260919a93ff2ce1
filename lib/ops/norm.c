/* Instance, layer and group normalisation: rows with their own mean and variance. */
#include "ops/norm.h"
#include "ops/grads.h"
#include "ops/reduce.h"
#include "ops/walk.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum kind { INSTANCE, LAYER, GROUP };

static enum kind kind_of(const struct onn_op *op)
{
    return op->name[0] == 'i' ? INSTANCE : op->name[0] == 'l' ? LAYER : GROUP;
}

static bool layer_axis(const struct onn_prob *p, int *axis)
{
    return onn_axis_resolve(((const struct onn_layernorm_attr *)p->attr)->axis, p->in[0].rank, axis);
}

bool onn_norm_rows(const struct onn_prob *p, struct onn_norm_rows *out)
{
    const struct onn_desc *x = &p->in[0];
    int64_t px = 1, rows = 1, len = 1;
    int axis;
    if (!onn_format_is_plain(&x->format) || onn_desc_elements(x) < 0)
        return false;
    memset(out, 0, sizeof *out);
    if (kind_of(p->op) == LAYER) {
        const struct onn_layernorm_attr *a = p->attr;
        if (!layer_axis(p, &axis))
            return false;
        for (int i = 0; i < x->rank; i++)
            *(i < axis ? &rows : &len) *= x->dim[i];
        out->seg = 1;
        out->period = 1;
        out->epsilon = a->epsilon;
    } else {
        const int64_t c = x->dim[1];
        for (int i = 2; i < x->rank; i++)
            px *= x->dim[i];
        int64_t groups = c;
        out->epsilon = ((const struct onn_instancenorm_attr *)p->attr)->epsilon;
        if (kind_of(p->op) == GROUP) {
            const struct onn_groupnorm_attr *a = p->attr;
            groups = a->num_groups;
            out->epsilon = a->epsilon;
        }
        if (px > INT_MAX || groups > INT_MAX || groups < 1 || c > INT_MAX)
            return false;
        rows = x->dim[0] * groups;
        len = c / groups * px;
        out->seg = (int32_t)px;
        out->period = (int32_t)groups;
        out->channels = (int32_t)(c / groups);
    }
    if (rows > INT_MAX || len > INT_MAX)
        return false;
    out->rows = (int32_t)rows;
    out->len = (int32_t)len;
    return true;
}

static enum oclnn_status infer_layer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_desc *x = &p->in[0];
    int64_t dim[ONN_MAX_RANK] = {0}, want = 1;
    int axis = 0;
    char ta[160], tb[160];
    if (x->rank >= 0 && !layer_axis(p, &axis))
        return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside %s",
            (long long)((const struct onn_layernorm_attr *)p->attr)->axis, onn_desc_text(x, ta));
    for (int i = axis; i < x->rank; i++)
        want = x->dim[i] < 0 || want < 0 ? -1 : want * x->dim[i];
    for (int i = 1; i < onn_prob_own_inputs(p); i++) {
        const int64_t n = p->in[i].dtype != OCLNN_NONE ? onn_desc_elements(&p->in[i]) : -1;
        if (n >= 0 && want >= 0 && n != want)
            return onn_error(OCLNN_ERROR_SHAPE, "%s is %s, but dimensions %d and on of x %s are normalised",
                i == 1 ? "scale" : "bias", onn_desc_text(&p->in[i], ta), axis, onn_desc_text(x, tb));
    }
    out[0] = onn_desc_make(x->dtype, x->rank, x->dim);
    for (int i = 0; i < x->rank; i++)
        dim[i] = i < axis ? x->dim[i] : 1;
    for (int i = 1; i < p->n_out; i++)
        out[i] = onn_desc_make(OCLNN_F32, x->rank, dim);
    return OCLNN_OK;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_desc *x = &p->in[0];
    char text[160];
    if (!onn_dtype_is_float(x->dtype))
        return onn_error(OCLNN_ERROR_DTYPE, "x is %s, but must be a floating-point type",
            oclnn_dtype_name(x->dtype));
    for (int i = 1; i < onn_prob_own_inputs(p); i++)
        if (p->in[i].dtype != OCLNN_NONE && p->in[i].dtype != x->dtype)
            return onn_error(OCLNN_ERROR_DTYPE, "%s is %s, but x is %s", i == 1 ? "scale" : "bias",
                oclnn_dtype_name(p->in[i].dtype), oclnn_dtype_name(x->dtype));
    if (kind_of(p->op) == LAYER)
        return infer_layer(p, out);
    if (x->rank >= 0 && x->rank < (kind_of(p->op) == INSTANCE ? 3 : 2))
        return onn_error(OCLNN_ERROR_SHAPE, "x is %s: its rank is too small", onn_desc_text(x, text));
    const int64_t c = x->rank > 1 ? x->dim[1] : -1;
    for (int i = 1; i < 3; i++)
        if (p->in[i].rank >= 0 &&
            (p->in[i].rank != 1 || (c >= 0 && p->in[i].dim[0] >= 0 && p->in[i].dim[0] != c)))
            return onn_error(OCLNN_ERROR_SHAPE, "%s is %s, but x has %lld channels",
                i == 1 ? "scale" : "bias", onn_desc_text(&p->in[i], text), (long long)c);
    if (kind_of(p->op) == GROUP) {
        const int64_t groups = ((const struct onn_groupnorm_attr *)p->attr)->num_groups;
        if (groups < 1 || (c >= 0 && c % groups))
            return onn_error(OCLNN_ERROR_ARGUMENT, "%lld channels do not divide into %lld groups",
                (long long)c, (long long)groups);
    }
    return onn_infer_same(p, out);
}

static bool has_out(const struct onn_prob *p, int i)
{
    return p->n_out > i && p->out[i].dtype != OCLNN_NONE;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    struct onn_norm_rows g;
    if (!onn_norm_rows(p, &g))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    const struct onn_blob *x = p->value[0], *scale = p->value[1];
    const struct onn_blob *bias = onn_prob_has(p, 2) ? p->value[2] : NULL;
    for (int64_t r = 0; r < g.rows; r++) {
        const int64_t at = r * g.len, base = r % g.period * g.channels;
        double mean = 0, square = 0;
        for (int64_t i = 0; i < g.len; i++)
            mean += onn_blob_get_f64(x, at + i) / g.len;
        for (int64_t i = 0; i < g.len; i++) {
            const double d = onn_blob_get_f64(x, at + i) - mean;
            square += d * d;
        }
        const double dev = 1 / sqrt(square / g.len + (double)g.epsilon);
        for (int64_t i = 0; i < g.len; i++)
            onn_blob_set_f64(out[0], at + i,
                (onn_blob_get_f64(x, at + i) - mean) * dev * onn_blob_get_f64(scale, base + i / g.seg) +
                    (bias ? onn_blob_get_f64(bias, base + i / g.seg) : 0));
        if (has_out(p, 1))
            onn_blob_set_f64(out[1], r, mean);
        if (has_out(p, 2))
            onn_blob_set_f64(out[2], r, dev);
    }
    return OCLNN_OK;
}

static double flop(const struct onn_prob *p)
{
    return 8 * (double)onn_desc_elements(&p->in[0]);
}

/* ---- variants ---- */
static bool vector_cpu(const struct onn_prob *p)
{
    return p->caps && p->caps->vector_cpu && (p->in[0].dtype == OCLNN_F32 || p->in[0].dtype == OCLNN_F16);
}

static int flags_of(const struct onn_prob *p)
{
    return (onn_prob_has(p, 1) ? 1 : 0) | (onn_prob_has(p, 2) ? 2 : 0) | (has_out(p, 1) ? 4 : 0) |
        (has_out(p, 2) ? 8 : 0);
}

/* x, scale, bias: what is absent is stood in for by x. */
static void inputs(const struct onn_prob *p, struct onn_launch *l)
{
    for (int i = 0; i < 3; i++)
        onn_arg_in(l, i == 0 || onn_prob_has(p, i) ? i : 0);
}

static enum oclnn_status bind_any(const struct onn_prob *p, struct onn_bind *b, const char *kernel, int vl,
    struct onn_launch **out)
{
    struct onn_norm_rows g;
    *out = NULL;
    if (!onn_norm_rows(p, &g))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    if (g.rows == 0 || g.len == 0)
        return OCLNN_OK;
    struct onn_launch *l =
        onn_bind_add(b, "norm", kernel, "%s -D VL=%d", onn_any_define(p->in[0].dtype, b->arena), vl);
    inputs(p, l);
    for (int i = 0; i < 3; i++)
        onn_arg_out(l, i == 0 || has_out(p, i) ? i : 0);
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_arg_int(b, l, flags_of(p));
    *out = l;
    return b->status;
}

static enum oclnn_status bind_ref(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_norm_rows g;
    struct onn_launch *l;
    (void)t;
    enum oclnn_status status = bind_any(p, b, "norm_ref", 8, &l);
    if (status == OCLNN_OK && l && onn_norm_rows(p, &g)) {
        const size_t most = p->caps && p->caps->max_group ? p->caps->max_group : 1;
        onn_launch_size1(l, (size_t)g.rows, most < 64 ? most : 64);
    }
    return status;
}

static enum oclnn_status bind_rows(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_norm_rows g;
    struct onn_launch *l;
    (void)t;
    enum oclnn_status status = bind_any(p, b, "norm_rows", p->caps->vector_width, &l);
    if (status == OCLNN_OK && l && onn_norm_rows(p, &g)) {
        const int64_t per = onn_cpu_chunk(p->caps, g.rows, (int64_t)g.len * 8);
        onn_arg_int(b, l, per);
        onn_launch_size1(l, (size_t)((g.rows + per - 1) / per), 1);
        status = b->status;
    }
    return status;
}

static enum oclnn_status bind_group(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_norm_rows g;
    struct onn_launch *l;
    (void)t;
    enum oclnn_status status = bind_any(p, b, "norm_group", 8, &l);
    if (status == OCLNN_OK && l && onn_norm_rows(p, &g))
        onn_launch_size1(l, (size_t)g.rows * 128, 128);
    return status;
}

static enum oclnn_status bind_blocked(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    const int vl = x->format.block;
    const struct onn_instancenorm_attr *a = p->attr;
    (void)t;
    if (onn_desc_elements(x) == 0)
        return OCLNN_OK;
    struct onn_launch *l =
        onn_bind_add(b, "norm", "norm_blocked", "%s -D VL=%d", onn_any_define(x->dtype, b->arena), vl);
    inputs(p, l);
    onn_arg_out(l, 0);
    onn_arg_int(b, l, x->dim[1]);
    onn_arg_int(b, l, x->stride[1] / vl);
    onn_arg_long(b, l, x->stride[0]);
    onn_arg_long(b, l, x->stride[1]);
    onn_arg_long(b, l, y->stride[0]);
    onn_arg_long(b, l, y->stride[1]);
    onn_arg_float(b, l, a->epsilon);
    onn_arg_int(b, l, flags_of(p));
    onn_launch_size2(l, (size_t)((x->dim[1] + vl - 1) / vl), (size_t)x->dim[0], 1, 1);
    return b->status;
}

static const char *refuse_rows(const struct onn_prob *p)
{
    return vector_cpu(p) ? NULL : "for vector CPUs, f32 and f16";
}
static const char *refuse_group(const struct onn_prob *p)
{
    return p->caps && p->caps->max_group >= 128 ? NULL : "work-groups are too small";
}
static const char *refuse_blocked(const struct onn_prob *p)
{
    const struct onn_format *f = &p->in[0].format;
    if (!vector_cpu(p))
        return "for vector CPUs, f32 and f16";
    if (kind_of(p->op) != INSTANCE)
        return "only instances are blocked";
    return f->block == p->caps->vector_width && f->axis == 1 && !f->permuted && !f->pack &&
            onn_format_equal(f, &p->out[0].format)
        ? NULL
        : "not blocked by the vector width";
}
static int formats_blocked(const struct onn_prob *p, struct onn_formats *out, int max)
{
    if (!p->caps || !p->caps->vector_cpu || max < 1)
        return 0;
    const struct onn_format f = onn_format_blocked(1, p->caps->vector_width);
    *out = (struct onn_formats){.n_in = 2, .n_out = 1, .in = {f}, .out = {f}};
    return 1;
}

static struct onn_cost cost_vector(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return onn_cost_passes(p, 1.3, 0.25);
}
static struct onn_cost cost_group(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return p->caps && p->caps->vector_cpu ? onn_cost_passes(p, 4, 0.01) : onn_cost_passes(p, 1.5, 0.2);
}
static struct onn_cost cost_ref(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return onn_cost_passes(p, 3, 0.01);
}

static const struct onn_variant blocked = {.name = "blocked",
    .flags = ONN_VARIANT_INPLACE0,
    .refuse = refuse_blocked,
    .formats = formats_blocked,
    .cost = cost_vector,
    .bind = bind_blocked};
static const struct onn_variant rows = {.name = "rows",
    .flags = ONN_VARIANT_INPLACE0,
    .refuse = refuse_rows,
    .cost = cost_vector,
    .bind = bind_rows};
static const struct onn_variant group = {.name = "group",
    .flags = ONN_VARIANT_INPLACE0,
    .refuse = refuse_group,
    .cost = cost_group,
    .bind = bind_group};
static const struct onn_variant reference = {.name = "reference",
    .flags = ONN_VARIANT_INPLACE0 | ONN_VARIANT_REFERENCE,
    .refuse = onn_refuse_f64,
    .cost = cost_ref,
    .bind = bind_ref};
static const struct onn_variant *const variants[] = {&blocked, &rows, &group, &reference, NULL};

#define EPSILON(T) \
    { \
        "epsilon", "epsilon", ONN_ATTR_FLOAT, offsetof(struct T, epsilon), 1e-5, 0, 0 \
    }
#define STASH(T) \
    { \
        "stash_type", "stash_type", ONN_ATTR_INT, offsetof(struct T, stash_type), 1, 1, 1 \
    }
static const struct onn_attr instance_attrs[] = {EPSILON(onn_instancenorm_attr), {.type = ONN_ATTR_END}};
static const struct onn_attr layer_attrs[] = {{"axis", "axis", ONN_ATTR_INT,
                                                  offsetof(struct onn_layernorm_attr, axis), -1, -8, 7},
    EPSILON(onn_layernorm_attr), STASH(onn_layernorm_attr), {.type = ONN_ATTR_END}};
static const struct onn_attr group_attrs[] = {{"num_groups", "num_groups", ONN_ATTR_INT,
                                                  offsetof(struct onn_groupnorm_attr, num_groups), 1, 1,
                                                  INT_MAX},
    EPSILON(onn_groupnorm_attr), STASH(onn_groupnorm_attr), {.type = ONN_ATTR_END}};

static const struct onn_op instance_op = {.name = "instancenormalization",
    .onnx = "InstanceNormalization",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_instancenorm_attr),
    .attrs = instance_attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .grad = onn_norm_rows_grad,
    .variants = variants,
    .flop = flop};
static const struct onn_op layer_op = {.name = "layernormalization",
    .onnx = "LayerNormalization",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 3,
    .attr_size = sizeof(struct onn_layernorm_attr),
    .attrs = layer_attrs,
    .since = 17,
    .infer = infer,
    .host = host,
    .grad = onn_norm_rows_grad,
    .variants = variants,
    .flop = flop};
static const struct onn_op group_op = {.name = "groupnormalization",
    .onnx = "GroupNormalization",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_groupnorm_attr),
    .attrs = group_attrs,
    .since = 18,
    .infer = infer,
    .host = host,
    .grad = onn_norm_rows_grad,
    .variants = variants,
    .flop = flop};

extern const struct onn_op *const onn_ops_norm[];
const struct onn_op *const onn_ops_norm[] = {&instance_op, &layer_op, &group_op, NULL};
