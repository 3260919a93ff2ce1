/* ConvTranspose: y[n,k,o] = b[k] + sum over c and taps t with i*stride - pad + t*dilation == o of x[n,c,i] * w[c,k,t].
 * Inputs x, w [C, K/group, taps…], b (optional). */
#include "ops/convtranspose.h"
#include "ops/conv_variants.h"
#include "ops/grads.h"

static const struct onn_attr convtranspose_attrs[] = {
    ONN_WINDOW_ATTRS(onn_convtranspose_attr),
    {"output_padding", "output_padding", ONN_ATTR_INTS,
        offsetof(struct onn_convtranspose_attr, output_padding), 0, 0, 2147483647},
    {"output_shape", "output_shape", ONN_ATTR_INTS, offsetof(struct onn_convtranspose_attr, output_shape), 0,
        1, 2147483647},
    {"group", "group", ONN_ATTR_INT, offsetof(struct onn_convtranspose_attr, group), 1, 1, 2147483647},
    {.type = ONN_ATTR_END},
};

/* Output extent and pads of dimension i (spatial index j). */
static enum oclnn_status resolve_axis(const struct onn_convtranspose_attr *a, int i, int j,
    struct onn_window *w)
{
    enum oclnn_status status;
    const enum onn_auto_pad mode = onn_auto_pad(a->window.auto_pad);
    const int64_t extra = onn_ints_get(&a->output_padding, a->output_padding.n == 1 ? 0 : j, 0);
    const bool given = a->output_shape.n > 0;
    int64_t reach, full, total;

    ONN_CHECK(onn_mul_i64(w->kernel[i] - 1, w->dilation[i], &reach) &&
            onn_mul_i64(w->stride[i], w->in[i] > 0 ? w->in[i] - 1 : 0, &full) &&
            onn_add_i64(full, reach, &full) && onn_add_i64(full, 1 + extra, &full),
        OCLNN_ERROR_ARGUMENT, "kernel, stride or dilation is too large");
    ONN_CHECK(extra < w->stride[i] || extra < w->dilation[i], OCLNN_ERROR_ARGUMENT,
        "output_padding %lld is not below stride %lld or dilation %lld", (long long)extra,
        (long long)w->stride[i], (long long)w->dilation[i]);
    if (given || mode == ONN_PAD_SAME_UPPER || mode == ONN_PAD_SAME_LOWER) {
        if (given) /* may also list batch and channels */
            w->out[i] = a->output_shape.v[a->output_shape.n - w->spatial + j];
        else
            ONN_CHECK(onn_mul_i64(w->in[i], w->stride[i], &w->out[i]), OCLNN_ERROR_ARGUMENT,
                "stride is too large");
        total = full - w->out[i];
        if (total < 0) /* the rest of the given shape is not reached by any tap */
            total = 0;
        w->begin[i] = mode == ONN_PAD_SAME_UPPER ? total / 2 : total - total / 2;
        w->end[i] = total - w->begin[i];
        return OCLNN_OK;
    }
    if (mode == ONN_PAD_EXPLICIT)
        onn_window_pads(&a->window.pad, w->spatial, j, &w->begin[i], &w->end[i]);
    ONN_CHECK(w->begin[i] <= full && w->end[i] <= full, OCLNN_ERROR_SHAPE,
        "pads of %lld and %lld leave no output", (long long)w->begin[i], (long long)w->end[i]);
    w->out[i] = full - w->begin[i] - w->end[i];
    ONN_CHECK(w->out[i] > 0, OCLNN_ERROR_SHAPE, "pads of %lld and %lld leave no output of %lld",
        (long long)w->begin[i], (long long)w->end[i], (long long)full);
    return OCLNN_OK;
fail:
    return status;
}

enum oclnn_status onn_convtranspose_geometry(const struct onn_prob *p, struct onn_conv_geometry *g)
{
    enum oclnn_status status;
    const struct onn_convtranspose_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0], *w = &p->in[1];
    struct onn_window *win = &g->window;

    *g = (struct onn_conv_geometry){.group = a->group, .bias = onn_prob_has(p, 2)};
    ONN_CHECK(x->rank >= 3 && x->rank <= 5 && w->rank == x->rank, OCLNN_ERROR_SHAPE,
        "x has rank %d and w rank %d; both must be 3, 4 or 5", (int)x->rank, (int)w->rank);
    g->n = x->dim[0];
    g->c = x->dim[1];
    g->k_group = w->dim[1];
    g->k = w->dim[1] < 0 ? -1 : w->dim[1] * a->group;
    g->c_group = g->c < 0 ? -1 : g->c / a->group;
    ONN_CHECK(g->c < 0 || g->c % a->group == 0, OCLNN_ERROR_SHAPE,
        "group=%lld does not divide %lld input channels", (long long)a->group, (long long)g->c);
    ONN_CHECK(g->c < 0 || w->dim[0] < 0 || w->dim[0] == g->c, OCLNN_ERROR_SHAPE,
        "w has %lld input channels, x %lld", (long long)w->dim[0], (long long)g->c);
    ONN_CHECK(!g->bias ||
            (p->in[2].rank == 1 && (p->in[2].dim[0] == g->k || p->in[2].dim[0] < 0 || g->k < 0)),
        OCLNN_ERROR_SHAPE, "bias of %lld elements (rank %d) for %lld output channels",
        (long long)p->in[2].dim[0], (int)p->in[2].rank, (long long)g->k);
    ONN_TRY(onn_window_steps(&a->window, x, &w->dim[2], win));
    ONN_CHECK(a->output_padding.n <= 1 || a->output_padding.n == win->spatial, OCLNN_ERROR_SHAPE,
        "output_padding has %d entries for %d spatial dimensions", (int)a->output_padding.n, win->spatial);
    ONN_CHECK(a->output_shape.n <= 0 || a->output_shape.n == win->spatial ||
            a->output_shape.n == win->spatial + 2,
        OCLNN_ERROR_SHAPE, "output_shape has %d entries for %d spatial dimensions", (int)a->output_shape.n,
        win->spatial);
    for (int j = 0; j < win->spatial; j++) {
        const int i = 3 - win->spatial + j;
        win->out[i] = -1;
        if (win->in[i] >= 0 && win->kernel[i] > 0)
            ONN_TRY(resolve_axis(a, i, j, win));
    }
    return OCLNN_OK;
fail:
    return status;
}

static enum oclnn_status convtranspose_infer(const struct onn_prob *p, struct onn_desc *out)
{
    return onn_conv_infer(p, onn_convtranspose_geometry, out);
}

static double convtranspose_flop(const struct onn_prob *p)
{
    return onn_conv_flop(p, &p->in[0]);
}

/* ---- reference ---- */
static enum oclnn_status reference_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    (void)t;
    return onn_conv_bind_reference(p, onn_convtranspose_geometry, "convtranspose", "convtranspose_reference",
        b);
}

static const struct onn_variant convtranspose_reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT |
        ONN_VARIANT_REFERENCE,
    .refuse = onn_conv_refuse_reference,
    .formats = onn_conv_formats_strided,
    .cost = onn_reference_cost,
    .bind = reference_bind,
};

static const struct onn_variant *const variants[] = {&onn_convtranspose_depthwise, &onn_convtranspose_blocked,
    &onn_conv_strips, &onn_convtranspose_tiled, &convtranspose_reference, NULL};

static const struct onn_op convtranspose = {
    .name = "convtranspose",
    .onnx = "ConvTranspose",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_convtranspose_attr),
    .attrs = convtranspose_attrs,
    .since = 1,
    .infer = convtranspose_infer,
    .grad = onn_convtranspose_grad,
    .variants = variants,
    .flop = convtranspose_flop,
};

const struct onn_op *const onn_ops_convtranspose[] = {&convtranspose, NULL};
