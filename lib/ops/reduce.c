/* ReduceSum … ReduceLogSumExp over any axes, GlobalAveragePool and GlobalMaxPool. */
#include "ops/reduce.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <limits.h>
#include <math.h>
#include <string.h>

struct red_cols { /* cl/reduce.cl */
    int32_t n0, n1, len, lanes, masked, pad;
    int64_t x_s0, x_s1, x_sl, y_s0, y_s1;
};

static bool is_pool(const struct onn_op *op)
{
    return op->onnx && op->onnx[0] == 'G';
}

static const struct {
    const char *onnx;
    enum onn_reduce_kind kind;
} kinds[] = {{"ReduceSum", ONN_RED_SUM}, {"ReduceMean", ONN_RED_MEAN}, {"ReduceMax", ONN_RED_MAX},
    {"ReduceMin", ONN_RED_MIN}, {"ReduceProd", ONN_RED_PROD}, {"ReduceL1", ONN_RED_L1},
    {"ReduceL2", ONN_RED_L2}, {"ReduceSumSquare", ONN_RED_SUM_SQUARE}, {"ReduceLogSum", ONN_RED_LOG_SUM},
    {"ReduceLogSumExp", ONN_RED_LOG_SUM_EXP}, {"GlobalAveragePool", ONN_RED_MEAN},
    {"GlobalMaxPool", ONN_RED_MAX}};

enum onn_reduce_kind onn_reduce_kind(const struct onn_op *op)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(kinds[i].onnx, op->onnx))
            return kinds[i].kind;
    return ONN_RED_SUM;
}

bool onn_reduce_axes(const struct onn_prob *p, uint32_t *mask)
{
    const struct onn_reduce_attr *a = p->attr;
    const int rank = p->in[0].rank;
    int64_t list[ONN_MAX_RANK];
    int n = 0, axis;
    *mask = 0;
    onn_error_clear();
    if (rank < 0)
        return false;
    if (is_pool(p->op)) {
        *mask = rank > 2 ? ((1u << rank) - 1) & ~3u : 0;
        return true;
    }
    if (onn_prob_has(p, 1)) {
        if (!onn_prob_ints(p, 1, list, &n))
            return false;
    } else if (a && a->axes.n > 0) {
        n = a->axes.n < ONN_MAX_RANK ? a->axes.n : ONN_MAX_RANK;
        memcpy(list, a->axes.v, (size_t)n * sizeof *list);
    }
    if (n == 0 && !(a && a->noop_with_empty_axes))
        *mask = (1u << rank) - 1;
    for (int i = 0; i < n; i++) {
        if (!onn_axis_resolve(list[i], rank, &axis)) {
            onn_error(OCLNN_ERROR_ARGUMENT, "axis %lld is outside a tensor of rank %d", (long long)list[i],
                rank);
            return false;
        }
        *mask |= 1u << axis;
    }
    return true;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_reduce_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    const bool pool = is_pool(p->op), keep = pool || !a || a->keepdims;
    int64_t dim[ONN_MAX_RANK] = {0};
    uint32_t mask;
    int rank = 0;
    if (pool && x->rank >= 0 && x->rank < 3)
        return onn_error(OCLNN_ERROR_SHAPE, "input has rank %d, but needs N, C and at least one more",
            x->rank);
    if ((pool || onn_reduce_kind(p->op) >= ONN_RED_LOG_SUM) && !onn_dtype_is_float(x->dtype) && pool)
        return onn_error(OCLNN_ERROR_DTYPE, "input is %s, but must be a floating-point type",
            oclnn_dtype_name(x->dtype));
    if (!onn_reduce_axes(p, &mask)) {
        if (oclnn_error_text(NULL)[0])
            return OCLNN_ERROR_ARGUMENT;
        for (int i = 0; i < ONN_MAX_RANK; i++)
            dim[i] = -1;
        *out = onn_desc_make(x->dtype, keep ? x->rank : -1, dim);
        return OCLNN_OK;
    }
    for (int i = 0; i < x->rank; i++) {
        if (!(mask >> i & 1))
            dim[rank++] = x->dim[i];
        else if (keep)
            dim[rank++] = 1;
    }
    *out = onn_desc_make(x->dtype, rank, dim);
    return OCLNN_OK;
}

static uint32_t host_inputs(const struct onn_prob *p)
{
    return onn_prob_has(p, 1) ? 2 : 0;
}

static double flop(const struct onn_prob *p)
{
    return (double)onn_desc_elements(&p->in[0]);
}

bool onn_reduce_split(const struct onn_desc *x, const struct onn_desc *y, uint32_t mask,
    struct onn_reduce_split *s)
{
    const bool keep = x->rank == y->rank;
    int at = 0;
    memset(s, 0, sizeof *s);
    for (int i = 0; i < x->rank; i++) {
        const bool reduced = mask >> i & 1;
        if (x->dim[i] > INT_MAX)
            return false;
        if (reduced && x->dim[i] != 1) {
            const int r = s->nr;
            if (r && s->xr[r - 1] == x->stride[i] * x->dim[i] && s->rd[r - 1] * x->dim[i] <= INT_MAX) {
                s->rd[r - 1] *= (int32_t)x->dim[i];
                s->xr[r - 1] = x->stride[i];
            } else {
                s->rd[r] = (int32_t)x->dim[i];
                s->xr[s->nr++] = x->stride[i];
            }
        } else if (!reduced && x->dim[i] != 1) {
            s->kd[s->nk] = (int32_t)x->dim[i];
            s->xk[s->nk] = x->stride[i];
            s->yk[s->nk++] = y->stride[keep ? i : at];
        }
        at += !reduced;
    }
    return true;
}

static bool masked_count(const struct onn_desc *x, uint32_t mask, int64_t *count)
{
    *count = 1;
    for (int i = 0; i < x->rank; i++)
        if (mask >> i & 1 && !onn_mul_i64(*count, x->dim[i], count))
            return false;
    return true;
}

/* ---- host ---- */
static double finish(enum onn_reduce_kind kind, double v, double most, int64_t n)
{
    switch (kind) {
    case ONN_RED_MEAN: return v / (double)n;
    case ONN_RED_L2: return sqrt(v);
    case ONN_RED_LOG_SUM: return log(v);
    case ONN_RED_LOG_SUM_EXP: return most + log(v);
    default: return v;
    }
}

static double step(enum onn_reduce_kind kind, double acc, double v, double most)
{
    switch (kind) {
    case ONN_RED_MAX: return acc > v || acc != acc ? acc : v;
    case ONN_RED_MIN: return acc < v || acc != acc ? acc : v;
    case ONN_RED_PROD: return acc * v;
    case ONN_RED_L1: return acc + fabs(v);
    case ONN_RED_L2:
    case ONN_RED_SUM_SQUARE: return acc + v * v;
    case ONN_RED_LOG_SUM_EXP: return acc + exp(v - most);
    default: return acc + v;
    }
}

static int64_t step_int(enum onn_reduce_kind kind, int64_t acc, int64_t v)
{
    switch (kind) {
    case ONN_RED_MAX: return acc > v ? acc : v;
    case ONN_RED_MIN: return acc < v ? acc : v;
    case ONN_RED_PROD: return (int64_t)((uint64_t)acc * (uint64_t)v);
    case ONN_RED_L1: return acc + (v < 0 ? -v : v);
    case ONN_RED_SUM_SQUARE: return (int64_t)((uint64_t)acc + (uint64_t)v * (uint64_t)v);
    default: return (int64_t)((uint64_t)acc + (uint64_t)v);
    }
}

static int64_t walk_at(int n, const int32_t *dim, const int64_t *stride, int64_t i)
{
    int64_t at = 0;
    for (int d = n - 1; d >= 0; d--) {
        at += i % dim[d] * stride[d];
        i /= dim[d];
    }
    return at;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const enum onn_reduce_kind kind = onn_reduce_kind(p->op);
    const struct onn_blob *x = p->value[0];
    const bool exact = !onn_dtype_is_float(x->desc.dtype) && kind != ONN_RED_L2 && kind < ONN_RED_LOG_SUM;
    struct onn_reduce_split s;
    uint32_t mask;
    int64_t count;
    if (!onn_reduce_axes(p, &mask) || !onn_reduce_split(&x->desc, &out[0]->desc, mask, &s) ||
        !masked_count(&x->desc, mask, &count))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "axes are not known, or a dimension does not fit 31 bits");
    const int64_t n = onn_desc_elements(&out[0]->desc);
    for (int64_t o = 0; o < n; o++) {
        const int64_t base = walk_at(s.nk, s.kd, s.xk, o), to = walk_at(s.nk, s.kd, s.yk, o);
        double most = -INFINITY,
               v = kind == ONN_RED_PROD ? 1
            : kind == ONN_RED_MAX       ? -INFINITY
            : kind == ONN_RED_MIN       ? INFINITY
                                        : 0;
        int64_t w = kind == ONN_RED_PROD ? 1
            : kind == ONN_RED_MAX        ? INT64_MIN
            : kind == ONN_RED_MIN        ? INT64_MAX
                                         : 0;
        for (int64_t i = 0; kind == ONN_RED_LOG_SUM_EXP && i < count; i++)
            most = step(ONN_RED_MAX, most, onn_blob_get_f64(x, base + walk_at(s.nr, s.rd, s.xr, i)), 0);
        most = isinf(most) ? 0 : most;
        for (int64_t i = 0; i < count; i++) {
            const int64_t at = base + walk_at(s.nr, s.rd, s.xr, i);
            if (exact)
                w = step_int(kind, w, onn_blob_get_i64(x, at));
            else
                v = step(kind, v, onn_blob_get_f64(x, at), most);
        }
        if (exact)
            onn_blob_set_i64(out[0], to, kind == ONN_RED_MEAN && count ? w / count : w);
        else
            onn_blob_set_f64(out[0], to, finish(kind, v, most, count));
    }
    return OCLNN_OK;
}

/* ---- helpers shared with operators along one axis ---- */
bool onn_oli_make(const struct onn_desc *d, uint32_t mask, struct onn_oli *out)
{
    int order[ONN_MAX_RANK], stage = 0;
    *out = (struct onn_oli){1, 1, 1};
    if (d->format.block > 1 || d->format.pack)
        return false;
    for (int i = 0; i < d->rank; i++)
        order[i] = d->format.permuted ? d->format.order[i] : i;
    for (int i = 0; i < d->rank; i++) {
        const int k = order[i];
        const bool in_len = mask >> k & 1;
        if (d->dim[k] == 1)
            continue;
        if (in_len && stage == 0)
            stage = 1;
        else if (!in_len && stage == 1)
            stage = 2;
        else if (in_len && stage == 2)
            return false;
        if (in_len)
            out->len *= d->dim[k];
        else if (stage == 0)
            out->outer *= d->dim[k];
        else
            out->inner *= d->dim[k];
    }
    return true;
}

const char *onn_any_define(enum oclnn_dtype dtype, struct onn_arena *arena)
{
    const char *text = onn_arena_printf(arena, "-D ONN_DT=%d", (int)dtype);
    return text ? text : "";
}

/* ---- variants ---- */
static enum oclnn_status bind_ref(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_reduce_split s;
    uint32_t mask;
    int64_t count;
    const int64_t outputs = onn_desc_elements(&p->out[0]);
    (void)t;
    if (!onn_reduce_axes(p, &mask))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "the axes must be known when the plan is made");
    if (outputs > INT_MAX || !masked_count(&p->in[0], mask, &count) || count > INT_MAX ||
        !onn_reduce_split(&p->in[0], &p->out[0], mask, &s))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    if (outputs == 0)
        return OCLNN_OK;
    struct onn_launch *l = onn_bind_add(b, "reduce", "reduce_ref", "%s -D RED_OP=%d",
        onn_any_define(p->in[0].dtype, b->arena), (int)onn_reduce_kind(p->op));
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &s, sizeof s);
    onn_arg_int(b, l, outputs);
    onn_arg_int(b, l, count);
    const size_t most = p->caps && p->caps->max_group ? p->caps->max_group : 1;
    onn_launch_size1(l, (size_t)outputs, most < 64 ? most : 64);
    return b->status;
}

static bool vector_type(enum oclnn_dtype d)
{
    return d == OCLNN_F32 || d == OCLNN_F16;
}

/* The reduced dimensions as neighbours, kept ones in the same order in y. */
static const char *oli_of(const struct onn_prob *p, struct onn_oli *oli)
{
    uint32_t mask;
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    if (!onn_reduce_axes(p, &mask))
        return "axes are not known";
    if (!onn_oli_make(x, mask, oli))
        return "reduced dimensions are not neighbours in memory";
    if (x->rank == y->rank
            ? !onn_format_equal(&x->format, &y->format)
            : !onn_format_is_plain(&y->format) || (x->format.permuted && (mask & 3 || y->rank > 2)))
        return "output lies in another order";
    if (oli->outer * oli->inner > INT_MAX || oli->len > INT_MAX || oli->len < 1 ||
        oli->outer * oli->inner < 1)
        return "too many elements or none";
    return NULL;
}

static const char *refuse_rows(const struct onn_prob *p)
{
    struct onn_oli oli;
    const char *reason = oli_of(p, &oli);
    if (!p->caps || !p->caps->vector_cpu)
        return "for vector CPUs";
    if (!vector_type(p->in[0].dtype) || onn_reduce_kind(p->op) == ONN_RED_LOG_SUM_EXP)
        return "for sums, products, extremes of f32 and f16";
    return reason ? reason : oli.inner != 1 ? "reduced dimensions are not innermost" : NULL;
}

static enum oclnn_status bind_rows(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_oli oli;
    const char *reason = oli_of(p, &oli);
    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_INTERNAL, "reduce: %s", reason);
    const int64_t per =
        onn_cpu_chunk(p->caps, oli.outer, oli.len * (int64_t)oclnn_dtype_size(p->in[0].dtype));
    struct onn_launch *l = onn_bind_add(b, "reduce", "reduce_rows", "%s -D RED_OP=%d -D VL=%d",
        onn_any_define(p->in[0].dtype, b->arena), (int)onn_reduce_kind(p->op), p->caps->vector_width);
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    onn_arg_int(b, l, oli.outer);
    onn_arg_int(b, l, oli.len);
    onn_arg_int(b, l, per);
    onn_launch_size1(l, (size_t)((oli.outer + per - 1) / per), 1);
    return b->status;
}

/* Spatial reduction of a blocked tensor, or a reduction with adjacent outputs innermost. */
static const char *cols_of(const struct onn_prob *p, struct red_cols *g)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    struct onn_oli oli;
    uint32_t mask;
    memset(g, 0, sizeof *g);
    if (x->format.block <= 1) {
        const char *reason = oli_of(p, &oli);
        if (reason)
            return reason;
        if (oli.inner < p->caps->vector_width)
            return "too few adjacent outputs";
        *g = (struct red_cols){.n0 = (int32_t)oli.outer,
            .n1 = 1,
            .len = (int32_t)oli.len,
            .lanes = (int32_t)oli.inner,
            .x_s0 = oli.len * oli.inner,
            .x_sl = oli.inner,
            .y_s0 = oli.inner};
        return NULL;
    }
    if (!onn_reduce_axes(p, &mask) || x->format.block != p->caps->vector_width || x->format.axis != 1 ||
        x->rank < 3 || mask != (((1u << x->rank) - 1) & ~3u) || x->format.permuted || x->format.pack)
        return "blocked, but not a reduction over all spatial dimensions";
    const bool same = onn_format_equal(&x->format, &y->format) && x->rank == y->rank;
    if (!same && !onn_format_is_plain(&y->format))
        return "output has another format";
    const int64_t px = x->stride[1] / x->format.block;
    if (x->dim[0] > INT_MAX || px > INT_MAX || px < 1 || x->dim[1] < 1 || x->dim[1] > INT_MAX ||
        x->dim[0] < 1)
        return "too many elements or none";
    *g = (struct red_cols){.n0 = (int32_t)x->dim[0],
        .n1 = (int32_t)((x->dim[1] + x->format.block - 1) / x->format.block),
        .len = (int32_t)px,
        .lanes = (int32_t)x->dim[1],
        .masked = same ? 1 : 2,
        .x_s0 = x->stride[0],
        .x_s1 = x->stride[1],
        .x_sl = x->format.block,
        .y_s0 = y->stride[0],
        .y_s1 = same ? y->stride[1] : x->format.block};
    return NULL;
}

static const char *refuse_cols(const struct onn_prob *p)
{
    struct red_cols g;
    if (!p->caps || !p->caps->vector_cpu)
        return "for vector CPUs";
    if (!vector_type(p->in[0].dtype) || onn_reduce_kind(p->op) == ONN_RED_LOG_SUM_EXP)
        return "for sums, products, extremes of f32 and f16";
    return cols_of(p, &g);
}

static enum oclnn_status bind_cols(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct red_cols g;
    const char *reason = cols_of(p, &g);
    const int vl = p->caps->vector_width;
    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_INTERNAL, "reduce: %s", reason);
    struct onn_launch *l = onn_bind_add(b, "reduce", "reduce_cols", "%s -D RED_OP=%d -D VL=%d",
        onn_any_define(p->in[0].dtype, b->arena), (int)onn_reduce_kind(p->op), vl);
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &g, sizeof g);
    const size_t global[3] = {g.masked ? 1 : (size_t)((g.lanes + vl - 1) / vl), (size_t)g.n1, (size_t)g.n0};
    const size_t local[3] = {1, 1, 1};
    onn_launch_size3(l, global, local);
    return b->status;
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max, bool blocked)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    int n = 0;
    for (int k = 0; k < 3 && n < max; k++) {
        struct onn_formats f = {.n_in = 2, .n_out = 1};
        if (k == 1 && (x->rank < 3 || x->rank > 5 || !blocked))
            continue;
        if (k == 2 && x->rank < 3)
            continue;
        if (k == 1)
            f.in[0] = onn_format_blocked(1, p->caps && p->caps->vector_cpu ? p->caps->vector_width : 16);
        if (k == 2)
            f.in[0] = onn_format_nhwc(x->rank);
        if (x->rank == y->rank)
            f.out[0] = f.in[0];
        out[n++] = f;
    }
    return n;
}
int onn_reduce_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return formats(p, out, max, false);
}
static int formats_blocked(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return formats(p, out, max, true);
}

static struct onn_cost cost(const struct onn_prob *p, double waste)
{
    return (struct onn_cost){.flop = flop(p),
        .bytes = onn_prob_bytes(p) * waste,
        .launches = 1,
        .efficiency = 0.2};
}
static struct onn_cost cost_fast(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return cost(p, 1.05);
}
static struct onn_cost cost_ref(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    struct onn_cost c = cost(p, 2);
    c.efficiency = 0.01;
    return c;
}

static const struct onn_variant rows = {.name = "rows",
    .flags = ONN_VARIANT_EXACT,
    .refuse = refuse_rows,
    .formats = onn_reduce_formats,
    .cost = cost_fast,
    .bind = bind_rows};
static const struct onn_variant cols = {.name = "cols",
    .flags = ONN_VARIANT_EXACT,
    .refuse = refuse_cols,
    .formats = formats_blocked,
    .cost = cost_fast,
    .bind = bind_cols};
static const struct onn_variant reference = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = onn_refuse_f64,
    .cost = cost_ref,
    .bind = bind_ref};
static const struct onn_variant *const variants[] = {&rows, &cols, &onn_reduce_channels, &onn_reduce_group,
    &reference, NULL};

#define INT_ROW(name, d) \
    { \
#name, #name, ONN_ATTR_INT, offsetof(struct onn_reduce_attr, name), d, 0, 1 \
    }
static const struct onn_attr attrs[] = {INT_ROW(keepdims, 1), INT_ROW(noop_with_empty_axes, 0),
    {"over", NULL, ONN_ATTR_INTS, offsetof(struct onn_reduce_attr, axes), 0, 0, 0}, {.type = ONN_ATTR_END}};

#define OP(id, text, onnx_text, most, size, rows_) \
    static const struct onn_op id = { \
        .name = text, \
        .onnx = onnx_text, \
        .min_in = 1, \
        .max_in = most, \
        .min_out = 1, \
        .max_out = 1, \
        .attr_size = size, \
        .attrs = rows_, \
        .since = 1, \
        .infer = infer, \
        .host = host, \
        .host_inputs = host_inputs, \
        .grad = onn_reduce_grad, \
        .variants = variants, \
        .flop = flop, \
    };
#define REDUCE(id, onnx) OP(reduce_##id, "reduce" #id, onnx, 2, sizeof(struct onn_reduce_attr), attrs)
REDUCE(sum, "ReduceSum")
REDUCE(mean, "ReduceMean")
REDUCE(max, "ReduceMax")
REDUCE(min, "ReduceMin")
REDUCE(prod, "ReduceProd")
REDUCE(l1, "ReduceL1")
REDUCE(l2, "ReduceL2")
REDUCE(sumsquare, "ReduceSumSquare")
REDUCE(logsum, "ReduceLogSum")
REDUCE(logsumexp, "ReduceLogSumExp")
OP(pool_average, "globalaveragepool", "GlobalAveragePool", 1, 0, NULL)
OP(pool_max, "globalmaxpool", "GlobalMaxPool", 1, 0, NULL)

extern const struct onn_op *const onn_ops_reduce[];
const struct onn_op *const onn_ops_reduce[] = {&reduce_sum, &reduce_mean, &reduce_max, &reduce_min,
    &reduce_prod, &reduce_l1, &reduce_l2, &reduce_sumsquare, &reduce_logsum, &reduce_logsumexp, &pool_average,
    &pool_max, NULL};
