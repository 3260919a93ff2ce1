/* MaxPool (with optional positions) and AveragePool, 1-D to 3-D. */
#include "ops/pool.h"
#include "ops/grads.h"

#define MAX_ONLY(p) ((p)->op == onn_ops_pool[0])

extern const struct onn_op *const onn_ops_pool[];

static const struct onn_attr maxpool_attrs[] = {
    ONN_WINDOW_ATTRS(onn_pool_attr),
    {"ceil_mode", "ceil_mode", ONN_ATTR_INT, offsetof(struct onn_pool_attr, ceil_mode), 0, 0, 1},
    {"storage_order", "storage_order", ONN_ATTR_INT, offsetof(struct onn_pool_attr, storage_order), 0, 0, 1},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr averagepool_attrs[] = {
    ONN_WINDOW_ATTRS(onn_pool_attr),
    {"ceil_mode", "ceil_mode", ONN_ATTR_INT, offsetof(struct onn_pool_attr, ceil_mode), 0, 0, 1},
    {"count_include_pad", "count_include_pad", ONN_ATTR_INT,
        offsetof(struct onn_pool_attr, count_include_pad), 0, 0, 1},
    {.type = ONN_ATTR_END},
};

bool onn_pool_is_max(const struct onn_prob *p)
{
    return MAX_ONLY(p);
}

enum oclnn_status onn_pool_window(const struct onn_prob *p, struct onn_window *w)
{
    const struct onn_pool_attr *a = p->attr;

    return onn_window_resolve(&a->window, &p->in[0], NULL, a->ceil_mode != 0, w);
}

static enum oclnn_status pool_infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status;
    const struct onn_desc *x = &p->in[0];
    struct onn_window w;
    int64_t dim[ONN_MAX_RANK];

    ONN_CHECK(onn_dtype_is_float(x->dtype), OCLNN_ERROR_DTYPE, "x is %s; pooling takes floating point",
        oclnn_dtype_name(x->dtype));
    ONN_TRY(onn_pool_window(p, &w));
    dim[0] = x->dim[0];
    dim[1] = x->dim[1];
    for (int i = 0; i < w.spatial; i++)
        dim[2 + i] = w.out[3 - w.spatial + i];
    out[0] = onn_desc_make(x->dtype, x->rank, dim);
    if (p->n_out > 1)
        out[1] = onn_desc_make(OCLNN_I64, x->rank, dim);
    return OCLNN_OK;
fail:
    return status;
}

static double pool_flop(const struct onn_prob *p)
{
    struct onn_window w;

    if (onn_pool_window(p, &w))
        return 0;
    return (double)onn_desc_elements(&p->out[0]) * (double)w.kernel[0] * (double)w.kernel[1] *
        (double)w.kernel[2];
}

enum oclnn_status onn_pool_args(const struct onn_prob *p, struct onn_pool_args *a)
{
    enum oclnn_status status;
    const struct onn_pool_attr *t = p->attr;
    struct onn_window w;

    *a = (struct onn_pool_args){0};
    ONN_TRY(onn_pool_window(p, &w));
    ONN_TRY(onn_window_args(&w, &a->win));
    ONN_CHECK(p->in[0].dim[0] <= INT32_MAX && p->in[0].dim[1] <= INT32_MAX, OCLNN_ERROR_UNSUPPORTED,
        "a dimension does not fit 31 bits");
    for (int i = 0; i < 3; i++)
        a->pad_end[i] = (int32_t)w.end[i];
    a->n = (int32_t)p->in[0].dim[0];
    a->c = (int32_t)p->in[0].dim[1];
    a->count_pad = t->count_include_pad != 0;
    a->has_idx = p->n_out > 1 && p->out[1].dtype != OCLNN_NONE;
    a->column = t->storage_order != 0;
    onn_window_strides(&p->in[0], a->x_s);
    onn_window_strides(&p->out[0], a->y_s);
    if (a->has_idx)
        onn_window_strides(&p->out[1], a->idx_s);
    return OCLNN_OK;
fail:
    return status;
}

static const char *reference_refuse(const struct onn_prob *p)
{
    const char *reason = onn_elem_refuse_plain(p);
    if (reason)
        return reason;
    if (p->in[0].format.block || p->out[0].format.block)
        return "neither reads nor writes blocked tensors";
    return p->epi && p->epi->n ? "takes no epilogue" : NULL;
}

static int reference_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    for (int i = 0; i < 2 && i < max; i++) {
        const struct onn_format f = i ? onn_format_nhwc(p->in[0].rank) : onn_format_plain();
        out[i] =
            (struct onn_formats){.n_in = 1, .n_out = p->n_out, .in = {f}, .out = {f}}; /* positions: plain */
    }
    return max < 2 ? max : 2;
}

static enum oclnn_status reference_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_pool_args a;
    struct onn_launch *l;
    char defines[64];

    (void)t;
    ONN_TRY(onn_pool_args(p, &a));
    l = onn_bind_add(b, "pool", MAX_ONLY(p) ? "maxpool_reference" : "averagepool_reference", "%s",
        onn_elem_define(p->in[0].dtype, 0, defines));
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    if (MAX_ONLY(p))
        onn_arg_out(l, a.has_idx ? 1 : 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_elements(l, (size_t)a.win.out[2], (size_t)a.win.out[0] * (size_t)a.win.out[1],
        (size_t)a.n * (size_t)a.c);
    return b->status;
fail:
    return status;
}

/* Finding an output's window costs a processor as much as some sixteen comparisons, whatever the window's size. */
static struct onn_cost reference_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost cost = onn_reference_cost(p, t);
    if (p->caps && p->caps->vector_cpu)
        cost.flop += 16 * (double)onn_desc_elements(&p->out[0]);
    return cost;
}

static const struct onn_variant pool_reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = reference_refuse,
    .formats = reference_formats,
    .cost = reference_cost,
    .bind = reference_bind,
};

/* ---- blocked: a vector of channels at a time ---- */
static const char *blocked_refuse(const struct onn_prob *p)
{
    const struct onn_desc *d[2] = {&p->in[0], &p->out[0]};

    if (!p->caps->vector_cpu || p->caps->vector_width < 4)
        return "needs a vector CPU";
    if (!onn_elem_can(p->in[0].dtype))
        return "only f32 and f16";
    if (p->n_out > 1 && p->out[1].dtype != OCLNN_NONE)
        return "gives no positions";
    for (int i = 0; i < 2; i++) {
        if (d[i]->format.permuted || d[i]->format.axis != 1 || d[i]->format.block != p->caps->vector_width)
            return "other formats";
        if (d[i]->stride[d[i]->rank - 1] != d[i]->format.block && d[i]->dim[d[i]->rank - 1] > 1)
            return "columns of a view stand apart";
    }
    return p->epi && p->epi->n ? "takes no epilogue" : NULL;
}

static int blocked_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    if (!p->caps || !p->caps->vector_cpu || max < 1)
        return 0;
    const struct onn_format f = onn_format_blocked(1, p->caps->vector_width);
    *out = (struct onn_formats){.n_in = 1, .n_out = p->n_out, .in = {f}, .out = {f}};
    return 1;
}

static struct onn_cost blocked_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p), 1, 0.15};
}

static enum oclnn_status blocked_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    const int64_t vl = p->caps->vector_width, cores = p->caps->compute_units > 0 ? p->caps->compute_units : 1;
    struct onn_pool_args a;
    struct onn_launch *l;
    int64_t all, rows, blocks;

    (void)t;
    ONN_TRY(onn_pool_args(p, &a));
    blocks = (a.c + vl - 1) / vl;
    all = (int64_t)a.win.out[0] * a.win.out[1];
    rows = all > 0 ? all : 1;
    while (rows > 1 && (all + rows - 1) / rows * blocks * a.n < 8 * cores)
        rows = (rows + 1) / 2;
    l = onn_bind_add(b, "pool_blocked", MAX_ONLY(p) ? "maxpool_blocked" : "averagepool_blocked", "-D VL=%d%s",
        (int)vl, onn_stored_define(p->in[0].dtype));
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_arg_int(b, l, rows);
    onn_launch_size3(l, (size_t[3]){(size_t)((all + rows - 1) / rows), (size_t)blocks, (size_t)a.n},
        (size_t[3]){1, 1, 1});
    return b->status;
fail:
    return status;
}

static const struct onn_variant pool_blocked = {
    .name = "blocked",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = blocked_refuse,
    .formats = blocked_formats,
    .cost = blocked_cost,
    .bind = blocked_bind,
};

static const struct onn_variant *const variants[] = {&pool_blocked, &pool_reference, NULL};

static const struct onn_op maxpool = {
    .name = "maxpool",
    .onnx = "MaxPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 2,
    .attr_size = sizeof(struct onn_pool_attr),
    .attrs = maxpool_attrs,
    .since = 1,
    .infer = pool_infer,
    .grad = onn_maxpool_grad,
    .variants = variants,
    .flop = pool_flop,
};
static const struct onn_op averagepool = {
    .name = "averagepool",
    .onnx = "AveragePool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_pool_attr),
    .attrs = averagepool_attrs,
    .since = 7,
    .infer = pool_infer,
    .grad = onn_averagepool_grad,
    .variants = variants,
    .flop = pool_flop,
};

const struct onn_op *const onn_ops_pool[] = {&maxpool, &averagepool, NULL};
