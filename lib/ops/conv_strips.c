/* Depthwise convolution on GPUs, forward and transposed: kernels of cl/conv_strips.cl. */
#include "ops/conv_variants.h"
#include "ops/convtranspose.h"

#define MOST_TAPS 49 /* weights in an item's registers */
#define MOST_ROWS 24 /* of the input for one strip: all are unrolled */

struct strips {
    struct onn_conv_geometry g;
    struct onn_tail tail;
    bool transposed;
    int64_t rows, strips, items; /* outputs of a strip, strips of a column, items in all */
};

static const char *check(const struct onn_prob *p, struct strips *s)
{
    s->transposed = p->op == onn_ops_convtranspose[0];
    const char *reason = onn_conv_tiled_check(p,
        s->transposed ? onn_convtranspose_geometry : onn_conv_geometry, &s->g, &s->tail);
    const struct onn_window *w = &s->g.window;
    if (reason)
        return reason;
    if (s->g.c_group != 1 || s->g.group < 2 || (s->transposed && s->g.k_group != 1))
        return "not one channel a group";
    if (p->in[0].rank != 4 || w->stride[1] != w->stride[2] || w->dilation[1] != w->dilation[2] ||
        w->stride[1] > 4)
        return "not 2-D, or another step along rows than along columns, or more than 4";
    for (int i = 1; i < 3; i++)
        if (w->in[i] + w->begin[i] + w->end[i] > INT32_MAX / 8 || w->out[i] + w->begin[i] > INT32_MAX / 8)
            return "rows or columns of more than 28 bits";
    const int64_t step = w->stride[1], reach = (w->kernel[1] - 1) * w->dilation[1];
    s->rows = step == 3 ? 3 : 4;
    if (w->kernel[1] * w->kernel[2] > MOST_TAPS || w->kernel[1] > MOST_TAPS ||
        (s->transposed ? 0 : (s->rows - 1) * step) + reach >= MOST_ROWS)
        return "the filter is large";
    s->strips = onn_div_up(w->out[1] + (s->transposed ? w->begin[1] % step : 0), s->rows);
    s->items = s->g.n * s->g.k * s->strips * w->out[2];
    return s->items > INT32_MAX / 2 ? "more columns than 30 bits can count" : NULL;
}

static const char *refuse(const struct onn_prob *p)
{
    struct strips s;
    return check(p, &s);
}

/* An item's instructions are mostly loads, bounds and places; memory decides. */
static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p), 1,
        p->caps->vector_cpu || p->caps->simulated ? 0.002 : 0.12};
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_tiled_args a;
    struct strips s;
    const char *reason = check(p, &s);
    char defines[64];
    (void)t;
    if (reason)
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "conv strips: %s", reason);
    const struct onn_window *w = &s.g.window;
    onn_conv_tiled_args(p, &s.g, &s.tail, &a);
    struct onn_launch *l =
        onn_bind_add(b, "conv_strips", s.transposed ? "convtranspose_strips" : "conv_strips",
            "-D DWS_R=%d -D DWS_S=%d -D DWS_STRIDE=%d -D DWS_DIL=%d -D DWS_M=%d %s", (int)w->kernel[1],
            (int)w->kernel[2], (int)w->stride[1], (int)w->dilation[1], (int)s.rows,
            onn_elem_define(p->in[0].dtype, s.tail.kind, defines));
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_in(l, a.has_bias ? 2 : 0);
    onn_arg_in(l, a.has_res ? s.tail.residual : 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_arg_int(b, l, s.g.k);
    onn_arg_int(b, l, s.strips);
    onn_launch_size1(l, (size_t)s.items, 128);
    return b->status;
}

const struct onn_variant onn_conv_strips = {
    .name = "strips",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = refuse,
    .formats = onn_conv_formats_strided,
    .cost = cost,
    .bind = bind,
};
