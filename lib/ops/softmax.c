/* Softmax and LogSoftmax along one axis, or over all dimensions from an axis on (the rule before opset 13). */
#include "ops/softmax.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static bool is_log(const struct onn_prob *p)
{
    return p->op->name[0] == 'l';
}

bool onn_softmax_oli(const struct onn_prob *p, const struct onn_desc *x, struct onn_oli *out)
{
    const struct onn_softmax_attr *a = p->attr;
    uint32_t mask;
    int axis = 0;
    if (x->rank == 0) {
        *out = (struct onn_oli){1, 1, 1};
        return true;
    }
    if (a && a->legacy && a->axis == x->rank)
        mask = 0; /* everything is "before": len 1 */
    else if (!onn_axis_resolve(a ? a->axis : -1, x->rank, &axis))
        return false;
    else
        mask = a && a->legacy ? ((1u << x->rank) - 1) & ~((1u << axis) - 1) : 1u << axis;
    return onn_oli_make(x, mask, out);
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_softmax_attr *a = p->attr;
    int axis;
    if (!onn_dtype_is_float(p->in[0].dtype))
        return onn_error(OCLNN_ERROR_DTYPE, "input is %s, but must be a floating-point type",
            oclnn_dtype_name(p->in[0].dtype));
    if (p->in[0].rank > 0 && !(a->legacy && a->axis == p->in[0].rank) &&
        !onn_axis_resolve(a->axis, p->in[0].rank, &axis))
        return onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside a tensor of rank %d", (long long)a->axis,
            p->in[0].rank);
    return onn_infer_same(p, out);
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_blob *x = p->value[0];
    struct onn_oli s;
    if (!onn_softmax_oli(p, &x->desc, &s))
        return onn_error(OCLNN_ERROR_ARGUMENT, "axis is outside the tensor");
    for (int64_t r = 0; r < s.outer * s.inner; r++) {
        const int64_t at = r / s.inner * s.len * s.inner + r % s.inner;
        double most = -INFINITY, sum = 0;
        for (int64_t i = 0; i < s.len; i++) {
            const double v = onn_blob_get_f64(x, at + i * s.inner);
            most = most > v || most != most ? most : v;
        }
        for (int64_t i = 0; i < s.len; i++)
            sum += exp(onn_blob_get_f64(x, at + i * s.inner) - most);
        for (int64_t i = 0; i < s.len; i++) {
            const double v = onn_blob_get_f64(x, at + i * s.inner) - most;
            onn_blob_set_f64(out[0], at + i * s.inner, is_log(p) ? v - log(sum) : exp(v) / sum);
        }
    }
    return OCLNN_OK;
}

static double flop(const struct onn_prob *p)
{
    return 20 * (double)onn_desc_elements(&p->in[0]);
}

static const char *size_of(const struct onn_prob *p, struct onn_oli *s)
{
    if (!onn_softmax_oli(p, &p->in[0], s))
        return "blocked operand";
    if (p->in[0].format.permuted && ((const struct onn_softmax_attr *)p->attr)->legacy)
        return "dimensions are not in order";
    if (!onn_format_equal(&p->in[0].format, &p->out[0].format))
        return "output lies in another order";
    return s->outer * s->inner > INT_MAX || s->len > INT_MAX ? "a dimension does not fit 31 bits" : NULL;
}

static const char *refuse_ref(const struct onn_prob *p)
{
    struct onn_oli s;
    const char *reason = onn_refuse_f64(p);
    return reason ? reason : size_of(p, &s);
}

static const char *refuse_vector(const struct onn_prob *p, struct onn_oli *s)
{
    if (!p->caps || !p->caps->vector_cpu)
        return "for vector CPUs";
    if (p->in[0].dtype != OCLNN_F32 && p->in[0].dtype != OCLNN_F16)
        return "for f32 and f16";
    return size_of(p, s);
}
static const char *refuse_rows(const struct onn_prob *p)
{
    struct onn_oli s;
    const char *reason = refuse_vector(p, &s);
    return reason ? reason : s.inner != 1 ? "axis is not innermost" : NULL;
}
static const char *refuse_cols(const struct onn_prob *p)
{
    struct onn_oli s;
    const char *reason = refuse_vector(p, &s);
    return reason ? reason : s.inner < p->caps->vector_width ? "too few columns" : NULL;
}
static const char *refuse_group(const struct onn_prob *p)
{
    struct onn_oli s;
    const char *reason = size_of(p, &s);
    if (!p->caps || p->caps->max_group < 128)
        return "work-groups are too small";
    return reason ? reason : s.inner != 1 ? "axis is not innermost" : s.len < 32 ? "rows are short" : NULL;
}

static struct onn_launch *start(const struct onn_prob *p, struct onn_bind *b, const char *kernel, int vl)
{
    struct onn_launch *l = vl > 1
        ? onn_bind_add(b, "softmax", kernel, "%s -D VL=%d", onn_any_define(p->in[0].dtype, b->arena), vl)
        : onn_bind_add(b, "softmax", kernel, "%s", onn_any_define(p->in[0].dtype, b->arena));
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    return l;
}

static enum oclnn_status bind_ref(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_oli s;
    const char *reason = size_of(p, &s);
    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "softmax: %s", reason);
    if (s.outer * s.inner * s.len == 0)
        return OCLNN_OK;
    struct onn_launch *l = start(p, b, "softmax_ref", 0);
    onn_arg_int(b, l, s.outer * s.inner);
    onn_arg_int(b, l, s.len);
    onn_arg_int(b, l, s.inner);
    onn_arg_int(b, l, is_log(p));
    const size_t most = p->caps && p->caps->max_group ? p->caps->max_group : 1;
    onn_launch_size1(l, (size_t)(s.outer * s.inner), most < 64 ? most : 64);
    return b->status;
}

static enum oclnn_status bind_rows(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_oli s;
    const char *reason = size_of(p, &s);
    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_INTERNAL, "softmax: %s", reason);
    if (s.outer * s.len == 0)
        return OCLNN_OK;
    const int64_t per = onn_cpu_chunk(p->caps, s.outer, s.len * 8);
    struct onn_launch *l = start(p, b, "softmax_rows", p->caps->vector_width);
    onn_arg_int(b, l, s.outer);
    onn_arg_int(b, l, s.len);
    onn_arg_int(b, l, per);
    onn_arg_int(b, l, is_log(p));
    onn_launch_size1(l, (size_t)((s.outer + per - 1) / per), 1);
    return b->status;
}

static enum oclnn_status bind_cols(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_oli s;
    const char *reason = size_of(p, &s);
    const int vl = p->caps->vector_width;
    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_INTERNAL, "softmax: %s", reason);
    if (s.outer * s.len == 0)
        return OCLNN_OK;
    struct onn_launch *l = start(p, b, "softmax_cols", vl);
    onn_arg_int(b, l, s.len);
    onn_arg_int(b, l, s.inner);
    onn_arg_int(b, l, is_log(p));
    onn_launch_size2(l, (size_t)((s.inner + vl - 1) / vl), (size_t)s.outer, 1, 1);
    return b->status;
}

static enum oclnn_status bind_group(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_oli s;
    const char *reason = size_of(p, &s);
    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_INTERNAL, "softmax: %s", reason);
    if (s.outer == 0)
        return OCLNN_OK;
    struct onn_launch *l = start(p, b, "softmax_group", 0);
    onn_arg_int(b, l, s.len);
    onn_arg_int(b, l, is_log(p));
    onn_launch_size1(l, (size_t)s.outer * 128, 128);
    return b->status;
}

/* Channels last makes the channels the innermost axis. */
static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    const int rank = p->in[0].rank;
    int n = 0;
    for (int k = 0; k < (rank >= 3 && rank <= 5 ? 2 : 1) && n < max; k++, n++) {
        const struct onn_format f = k ? onn_format_nhwc(rank) : onn_format_plain();
        out[n] = (struct onn_formats){.n_in = 1, .n_out = 1, .in = {f}, .out = {f}};
    }
    return n;
}
static int formats_ref(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return max > 0 ? formats(p, out, 1) : 0;
}

static struct onn_cost cost_vector(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return onn_cost_passes(p, 1.2, 0.3);
}
static struct onn_cost cost_group(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return p->caps && p->caps->vector_cpu ? onn_cost_passes(p, 4, 0.02) : onn_cost_passes(p, 1.2, 0.3);
}
static struct onn_cost cost_ref(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return onn_cost_passes(p, 3, 0.02);
}

static const struct onn_variant rows = {.name = "rows",
    .flags = ONN_VARIANT_INPLACE0,
    .refuse = refuse_rows,
    .formats = formats,
    .cost = cost_vector,
    .bind = bind_rows};
static const struct onn_variant cols = {.name = "cols",
    .refuse = refuse_cols,
    .formats = formats,
    .cost = cost_vector,
    .bind = bind_cols};
static const struct onn_variant group = {.name = "group",
    .flags = ONN_VARIANT_INPLACE0,
    .refuse = refuse_group,
    .formats = formats,
    .cost = cost_group,
    .bind = bind_group};
static const struct onn_variant reference = {.name = "reference",
    .flags = ONN_VARIANT_INPLACE0 | ONN_VARIANT_REFERENCE,
    .refuse = refuse_ref,
    .formats = formats_ref,
    .cost = cost_ref,
    .bind = bind_ref};
static const struct onn_variant *const variants[] = {&rows, &cols, &group, &reference, NULL};

static const struct onn_attr attrs[] = {{"axis", "axis", ONN_ATTR_INT,
                                            offsetof(struct onn_softmax_attr, axis), -1, -8, 8},
    {"legacy", NULL, ONN_ATTR_INT, offsetof(struct onn_softmax_attr, legacy), 0, 0, 1},
    {.type = ONN_ATTR_END}};
static const struct onn_op softmax = {.name = "softmax",
    .onnx = "Softmax",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_softmax_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .grad = onn_softmax_grad,
    .variants = variants,
    .flop = flop};
static const struct onn_op logsoftmax = {.name = "logsoftmax",
    .onnx = "LogSoftmax",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_softmax_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .grad = onn_logsoftmax_grad,
    .variants = variants,
    .flop = flop};

extern const struct onn_op *const onn_ops_softmax[];
const struct onn_op *const onn_ops_softmax[] = {&softmax, &logsoftmax, NULL};
