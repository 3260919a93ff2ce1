/* maxpool_dx and averagepool_dx: every element of dx gathers from the windows that contain it; no atomics. A window's
 * gradient goes to its first maximum in window order, as in the forward operator. */
#include "ops/pool_dx.h"
#include "ops/walk.h"

extern const struct onn_op *const onn_ops_pool_dx[];

#define POOL_ATTR(text, type_, field, def_, lo, hi) \
    { \
        text, NULL, type_, offsetof(struct onn_pool_dx_attr, field), def_, lo, hi \
    }
#define WINDOW_ROWS \
    POOL_ATTR("kernel_shape", ONN_ATTR_INTS, pool.window.kernel, 0, 1, 2147483647), \
        POOL_ATTR("pad", ONN_ATTR_INTS, pool.window.pad, 0, 0, 2147483647), \
        POOL_ATTR("stride", ONN_ATTR_INTS, pool.window.stride, 0, 1, 2147483647), \
        POOL_ATTR("dilation", ONN_ATTR_INTS, pool.window.dilation, 0, 1, 2147483647), \
        POOL_ATTR("auto_pad", ONN_ATTR_STRING, pool.window.auto_pad, 0, 0, 0), \
        POOL_ATTR("ceil_mode", ONN_ATTR_INT, pool.ceil_mode, 0, 0, 1)

static const struct onn_attr max_attrs[] = {WINDOW_ROWS, {.type = ONN_ATTR_END}};
static const struct onn_attr average_attrs[] = {WINDOW_ROWS,
    POOL_ATTR("count_include_pad", ONN_ATTR_INT, pool.count_include_pad, 0, 0, 1),
    POOL_ATTR("in", ONN_ATTR_INTS, in, 0, 1, 2147483647), {.type = ONN_ATTR_END}};

bool onn_pool_dx_is_max(const struct onn_prob *p)
{
    return p->op == onn_ops_pool_dx[0];
}

/* dx as the forward operator's input. */
static enum oclnn_status forward_input(const struct onn_prob *p, struct onn_desc *x)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_pool_dx_attr *a = p->attr;
    *x = p->in[0];
    if (onn_pool_dx_is_max(p))
        return OCLNN_OK;
    ONN_CHECK(x->rank >= 3 && x->rank <= 5 && a->in.n == x->rank - 2, OCLNN_ERROR_ARGUMENT,
        "attribute in has %d entries for a tensor of rank %d", (int)a->in.n, (int)x->rank);
    for (int i = 0; i < a->in.n; i++)
        x->dim[2 + i] = a->in.v[i];
fail:
    return status;
}

enum oclnn_status onn_pool_dx_window(const struct onn_prob *p, struct onn_window *w)
{
    const struct onn_pool_dx_attr *a = p->attr;
    struct onn_desc x;
    enum oclnn_status status = forward_input(p, &x);
    return status ? status : onn_window_resolve(&a->pool.window, &x, NULL, a->pool.ceil_mode != 0, w);
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status;
    const struct onn_desc *dy = &p->in[p->n_in - 1];
    struct onn_window w;
    struct onn_desc x;

    ONN_CHECK(onn_dtype_is_float(dy->dtype) && p->in[0].dtype == dy->dtype, OCLNN_ERROR_DTYPE,
        "the gradient is %s, but must be a floating-point type like x", oclnn_dtype_name(dy->dtype));
    ONN_TRY(forward_input(p, &x));
    ONN_TRY(onn_pool_dx_window(p, &w));
    ONN_CHECK(dy->rank == x.rank && dy->dim[0] == x.dim[0] && dy->dim[1] == x.dim[1], OCLNN_ERROR_SHAPE,
        "dy does not have the batch and the channels of x");
    for (int i = 0; i < w.spatial; i++)
        ONN_CHECK(dy->dim[2 + i] == w.out[3 - w.spatial + i], OCLNN_ERROR_SHAPE,
            "dy has extent %lld where the pooling has %lld", (long long)dy->dim[2 + i],
            (long long)w.out[3 - w.spatial + i]);
    out[0] = onn_desc_make(dy->dtype, x.rank, x.dim);
    return OCLNN_OK;
fail:
    return status;
}

static double flop(const struct onn_prob *p)
{
    struct onn_window w;
    if (onn_pool_dx_window(p, &w))
        return 0;
    return (double)onn_desc_elements(&p->in[p->n_in - 1]) * (double)w.kernel[0] * (double)w.kernel[1] *
        (double)w.kernel[2];
}

enum oclnn_status onn_pool_dx_args(const struct onn_prob *p, struct onn_pool_dx_args *a)
{
    enum oclnn_status status;
    const struct onn_pool_dx_attr *t = p->attr;
    const struct onn_desc *dx = &p->out[0];
    struct onn_window w;

    *a = (struct onn_pool_dx_args){0};
    ONN_TRY(onn_pool_dx_window(p, &w));
    ONN_TRY(onn_window_args(&w, &a->win));
    ONN_CHECK(dx->dim[0] <= INT32_MAX && dx->dim[1] <= INT32_MAX, OCLNN_ERROR_UNSUPPORTED,
        "a dimension does not fit 31 bits");
    for (int i = 0; i < 3; i++)
        a->pad_end[i] = (int32_t)w.end[i];
    a->n = (int32_t)dx->dim[0];
    a->c = (int32_t)dx->dim[1];
    a->count_pad = t->pool.count_include_pad != 0;
    onn_window_strides(&p->in[0], a->x_s);
    onn_window_strides(&p->in[p->n_in - 1], a->dy_s);
    onn_window_strides(dx, a->dx_s);
    return OCLNN_OK;
fail:
    return status;
}

/* ---- reference: one element of dx per work-item ---- */
static const char *reference_refuse(const struct onn_prob *p)
{
    const char *reason = onn_elem_refuse_plain(p);
    if (reason)
        return reason;
    if (p->in[0].format.block || p->in[p->n_in - 1].format.block || p->out[0].format.block)
        return "neither reads nor writes blocked tensors";
    return p->epi && p->epi->n ? "takes no epilogue" : NULL;
}

static int reference_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    for (int i = 0; i < 2 && i < max; i++) {
        const struct onn_format f = i ? onn_format_nhwc(p->in[0].rank) : onn_format_plain();
        out[i] = (struct onn_formats){.n_in = 1, .n_out = 1, .in = {f}, .out = {f}};
    }
    return max < 2 ? max : 2;
}

static enum oclnn_status reference_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_pool_dx_args a;
    struct onn_launch *l;
    char defines[64];

    (void)t;
    ONN_TRY(onn_pool_dx_args(p, &a));
    l = onn_bind_add(b, "pool_dx",
        onn_pool_dx_is_max(p) ? "maxpool_dx_reference" : "averagepool_dx_reference", "%s",
        onn_elem_define(p->in[0].dtype, 0, defines));
    if (onn_pool_dx_is_max(p))
        onn_arg_in(l, 0);
    onn_arg_in(l, p->n_in - 1);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size3(l,
        (size_t[3]){(size_t)a.win.in[2], (size_t)a.win.in[0] * (size_t)a.win.in[1],
            (size_t)a.n * (size_t)a.c},
        (size_t[3]){0, 0, 0});
    return b->status;
fail:
    return status;
}

static struct onn_cost reference_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    const bool cpu = p->caps->vector_cpu || p->caps->simulated;
    struct onn_window w;
    double taps =
        1; /* every element looks for the maxima of its windows again; a GPU's memory would be faster */
    (void)t;
    if (!cpu && onn_pool_dx_is_max(p) && !onn_pool_dx_window(p, &w))
        taps = (double)(w.kernel[0] * w.kernel[1] * w.kernel[2]);
    return (struct onn_cost){8 * taps * flop(p), onn_prob_bytes(p), 1, 0.02};
}

static const struct onn_variant reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = reference_refuse,
    .formats = reference_formats,
    .cost = reference_cost,
    .bind = reference_bind,
};

/* ---- winners: GPUs; a window's maximum is looked for once ---- */
static const char *winners_refuse(const struct onn_prob *p)
{
    struct onn_window w;
    if (!onn_pool_dx_is_max(p))
        return "only for maxima";
    if (!p->caps || p->caps->max_group < 64)
        return "work-groups are too small";
    if (onn_pool_dx_window(p, &w) || w.kernel[0] * w.kernel[1] * w.kernel[2] > INT32_MAX ||
        onn_desc_elements(&p->in[0]) > INT32_MAX / 2)
        return "more than 30 bits of elements";
    return reference_refuse(p);
}

static size_t winners_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (size_t)onn_desc_elements(&p->in[1]) * sizeof(int32_t);
}

static struct onn_cost winners_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    const bool cpu = p->caps->vector_cpu || p->caps->simulated;
    return (struct onn_cost){8 * flop(p), onn_prob_bytes(p) + 2 * (double)winners_workspace(p, t), 2,
        cpu ? 0.01 : 0.02};
}

static enum oclnn_status winners_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_pool_dx_args a;
    struct onn_launch *l;
    char defines[64];

    (void)t;
    ONN_TRY(onn_pool_dx_args(p, &a));
    onn_elem_define(p->in[0].dtype, 0, defines);
    l = onn_bind_add(b, "pool_dx", "maxpool_dx_winners", "%s", defines);
    onn_arg_in(l, 0);
    onn_arg_workspace(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_elements(l, (size_t)a.win.out[2], (size_t)a.win.out[0] * (size_t)a.win.out[1],
        (size_t)a.n * (size_t)a.c);
    l = onn_bind_add(b, "pool_dx", "maxpool_dx_gather", "%s", defines);
    onn_arg_workspace(l, 0);
    onn_arg_in(l, 1);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_elements(l, (size_t)a.win.in[2], (size_t)a.win.in[0] * (size_t)a.win.in[1],
        (size_t)a.n * (size_t)a.c);
    return b->status;
fail:
    return status;
}

static const struct onn_variant winners = {
    .name = "winners",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = winners_refuse,
    .formats = reference_formats,
    .cost = winners_cost,
    .workspace = winners_workspace,
    .bind = winners_bind,
};

/* ---- blocked: vector CPUs, one block of channels of one image per work-item ---- */
static bool is_blocked(const struct onn_desc *d, int vl)
{
    return d->format.block == vl && d->format.axis == 1 && !d->format.permuted &&
        (d->stride[d->rank - 1] == vl || d->dim[d->rank - 1] == 1);
}

static const char *blocked_refuse(const struct onn_prob *p)
{
    const int vl = p->caps ? p->caps->vector_width : 0;
    struct onn_window w;
    if (!p->caps || !p->caps->vector_cpu || vl < 4)
        return "for vector CPUs";
    if (p->in[0].dtype != OCLNN_F32)
        return "only f32";
    if (!is_blocked(&p->in[0], vl) || !is_blocked(&p->in[p->n_in - 1], vl) || !is_blocked(&p->out[0], vl))
        return "other formats";
    if (onn_pool_dx_window(p, &w) || w.kernel[0] * w.kernel[1] * w.kernel[2] > 1 << 20)
        return "the window is too large";
    return p->epi && p->epi->n ? "takes no epilogue" : NULL;
}

static int blocked_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    if (!p->caps || !p->caps->vector_cpu || max < 1)
        return 0;
    const struct onn_format f = onn_format_blocked(1, p->caps->vector_width);
    *out = (struct onn_formats){.n_in = 1, .n_out = 1, .in = {f}, .out = {f}};
    return 1;
}

static enum oclnn_status blocked_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_pool_dx_args a;
    const int vl = p->caps->vector_width;

    (void)t;
    ONN_TRY(onn_pool_dx_args(p, &a));
    struct onn_launch *l = onn_bind_add(b, "pool_dx",
        onn_pool_dx_is_max(p) ? "maxpool_dx_blocked" : "averagepool_dx_blocked", "-D VL=%d", vl);
    if (onn_pool_dx_is_max(p))
        onn_arg_in(l, 0);
    onn_arg_in(l, p->n_in - 1);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size2(l, (size_t)((a.c + vl - 1) / vl), (size_t)a.n, 1, 1);
    return b->status;
fail:
    return status;
}

static struct onn_cost blocked_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){3 * flop(p), onn_prob_bytes(p), 1, 0.2};
}

static const struct onn_variant blocked = {
    .name = "blocked",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = blocked_refuse,
    .formats = blocked_formats,
    .cost = blocked_cost,
    .bind = blocked_bind,
};

static const struct onn_variant *const variants[] = {&blocked, &winners, &reference, NULL};

#define DX_OP(id, inputs, attr_rows) \
    static const struct onn_op id = { \
        .name = #id, \
        .min_in = inputs, \
        .max_in = inputs, \
        .min_out = 1, \
        .max_out = 1, \
        .attr_size = sizeof(struct onn_pool_dx_attr), \
        .attrs = attr_rows, \
        .since = 1, \
        .infer = infer, \
        .variants = variants, \
        .flop = flop, \
    };
DX_OP(maxpool_dx, 2, max_attrs)
DX_OP(averagepool_dx, 1, average_attrs)

const struct onn_op *const onn_ops_pool_dx[] = {&maxpool_dx, &averagepool_dx, NULL};
