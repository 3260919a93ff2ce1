/* Few output channels on vector CPUs: plain tensors, vectors along the columns (cl/conv_few.cl). */
#include "ops/conv_variants.h"

#define MAX_CHANNELS 8
#define MAX_REACH 64 /* columns behind the first tap: FEW_LINE in the kernel */

struct few {
    struct onn_conv_geometry g;
    struct onn_tail tail;
};

static bool row_strides(const struct onn_desc *d, int64_t stride[3])
{
    stride[0] = d->stride[0];
    stride[1] = d->stride[1];
    stride[2] = d->rank == 4 ? d->stride[2] : 0;
    return onn_format_is_plain(&d->format) && (d->stride[d->rank - 1] == 1 || d->dim[d->rank - 1] == 1);
}

static const char *few_check(const struct onn_prob *p, struct few *f)
{
    const struct onn_desc *x = &p->in[0];
    const struct onn_window *w = &f->g.window;
    int64_t s[3];

    if (!p->caps->vector_cpu || p->caps->vector_width < 4)
        return "needs a vector CPU";
    if (!onn_elem_can(x->dtype))
        return "only f32 and f16";
    if (x->rank < 3 || x->rank > 4)
        return "only 1-D and 2-D";
    if (onn_conv_geometry(p, &f->g) || !onn_desc_is_known(x) || !onn_desc_is_known(&p->in[1]))
        return "unknown sizes";
    if (f->g.group != 1 || f->g.k > MAX_CHANNELS)
        return "groups, or more than 8 output channels";
    if (w->stride[2] != 1)
        return "columns are strided";
    if ((w->kernel[2] - 1) * w->dilation[2] > MAX_REACH)
        return "the window is too wide";
    if (!onn_tail_get(p, &f->tail))
        return "the epilogue is not residual, clip, one activation";
    if (!row_strides(x, s) || !row_strides(&p->out[0], s) ||
        (f->tail.residual >= 0 && !row_strides(&p->in[f->tail.residual], s)))
        return "not plain, or columns of a view stand apart";
    if (!onn_format_is_plain(&p->in[1].format))
        return "the weight is not plain";
    return f->g.bias && p->in[2].stride[0] != 1 && f->g.k > 1 ? "bias is strided" : NULL;
}

static const char *few_refuse(const struct onn_prob *p)
{
    struct few f;

    return few_check(p, &f);
}

static struct onn_cost few_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    /* Wide windows use each loaded input more often. */
    (void)t;
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p), 1,
        p->in[1].dim[p->in[1].rank - 1] >= 5 ? 0.5 : 0.28};
}

static enum oclnn_status few_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    struct few f;
    const char *reason = few_check(p, &f);
    const struct onn_window *w = &f.g.window;
    const int64_t cores = p->caps->compute_units > 0 ? p->caps->compute_units : 1;
    int64_t s[3][3] = {{0}}, w_s[5], rows;
    const enum oclnn_dtype x_type = p->in[0].dtype;
    struct onn_launch *l;
    char kind[32];

    (void)t;
    ONN_CHECK(!reason, OCLNN_ERROR_UNSUPPORTED, "conv few: %s", reason);
    rows = w->out[1];
    while (rows > 1 && (w->out[1] + rows - 1) / rows * f.g.n < 8 * cores)
        rows = (rows + 1) / 2;
    row_strides(&p->in[0], s[0]);
    row_strides(&p->out[0], s[1]);
    if (f.tail.residual >= 0)
        row_strides(&p->in[f.tail.residual], s[2]);
    l = onn_bind_add(b, "conv_few", "conv2d_few", "-D VL=%d%s%s", p->caps->vector_width,
        onn_stored_define(x_type), onn_epi_define(f.tail.kind, kind));
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_out(l, 0);
    onn_arg_in(l, f.g.bias ? 2 : 0);
    onn_arg_in(l, f.tail.residual >= 0 ? f.tail.residual : 0);
    onn_conv_cpu_ints(b, l,
        (int64_t[]){f.g.c, w->in[1], w->in[2], f.g.k, w->out[1], w->out[2], w->kernel[1], w->kernel[2],
            w->stride[1], w->begin[1], w->begin[2], w->dilation[1], w->dilation[2]},
        13);
    for (int i = 0; i < 9; i++)
        onn_arg_long(b, l, s[i / 3][i % 3]);
    onn_window_strides(&p->in[1], w_s); /* k, c, depth, r, s */
    for (int i = 0; i < 5; i++)
        if (i != 2)
            onn_arg_long(b, l, w_s[i]);
    onn_conv_cpu_ints(b, l, (int64_t[]){rows, f.g.bias, f.tail.residual >= 0}, 3);
    onn_arg_float(b, l, f.tail.lo);
    onn_arg_float(b, l, f.tail.hi);
    onn_arg_int(b, l, f.tail.kind);
    onn_arg_float(b, l, f.tail.a);
    onn_arg_float(b, l, f.tail.b);
    onn_launch_size3(l, (size_t[3]){(size_t)((w->out[1] + rows - 1) / rows), (size_t)f.g.n, 1},
        (size_t[3]){1, 1, 1});
    return b->status;
fail:
    return status;
}

const struct onn_variant onn_conv_few = {
    .name = "few",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = few_refuse,
    .cost = few_cost,
    .bind = few_bind,
};
