/* conv_dw: dw[k, c, t] = sum over n and output positions o of dy[n, k, o] * x[n, c, o * stride - pad + t * dilation].
 * The gradient of a convolution's weight; with x and dy exchanged that of a transposed convolution's. */
#include "ops/conv_dw.h"

static const struct onn_attr conv_dw_attrs[] = {
    ONN_WINDOW_ATTRS(onn_conv_attr),
    {"group", NULL, ONN_ATTR_INT, offsetof(struct onn_conv_attr, group), 1, 1, 2147483647},
    {.type = ONN_ATTR_END},
};

enum oclnn_status onn_conv_dw_geometry(const struct onn_prob *p, struct onn_conv_dw_geometry *g)
{
    enum oclnn_status status;
    const struct onn_conv_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0], *dy = &p->in[1];

    *g = (struct onn_conv_dw_geometry){.group = a->group};
    ONN_CHECK(x->rank >= 3 && x->rank <= 5 && dy->rank == x->rank, OCLNN_ERROR_SHAPE,
        "x has rank %d and dy rank %d; both must be 3, 4 or 5", (int)x->rank, (int)dy->rank);
    ONN_CHECK(onn_desc_is_known(x) && onn_desc_is_known(dy), OCLNN_ERROR_SHAPE, "x and dy must be known");
    ONN_CHECK(x->dim[0] == dy->dim[0], OCLNN_ERROR_SHAPE, "x has %lld images, dy %lld", (long long)x->dim[0],
        (long long)dy->dim[0]);
    g->n = x->dim[0];
    g->c = x->dim[1];
    g->k = dy->dim[1];
    ONN_CHECK(a->group >= 1 && g->c % a->group == 0 && g->k % a->group == 0, OCLNN_ERROR_SHAPE,
        "group=%lld does not divide %lld and %lld channels", (long long)a->group, (long long)g->c,
        (long long)g->k);
    g->c_group = g->c / a->group;
    g->k_group = g->k / a->group;
    ONN_CHECK(onn_auto_pad(a->window.auto_pad) == ONN_PAD_EXPLICIT, OCLNN_ERROR_ARGUMENT,
        "pads must be explicit");
    ONN_TRY(onn_window_steps(&a->window, x, NULL, &g->window));
    for (int i = 0; i < g->window.spatial; i++) {
        const int at = 3 - g->window.spatial + i;
        onn_window_pads(&a->window.pad, g->window.spatial, i, &g->window.begin[at], &g->window.end[at]);
        g->window.out[at] = dy->dim[2 + i];
    }
    return OCLNN_OK;
fail:
    return status;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status;
    struct onn_conv_dw_geometry g;
    int64_t dim[ONN_MAX_RANK];

    ONN_CHECK(onn_dtype_is_float(p->in[0].dtype) && p->in[0].dtype == p->in[1].dtype, OCLNN_ERROR_DTYPE,
        "x is %s, dy is %s; both must be the same floating-point type", oclnn_dtype_name(p->in[0].dtype),
        oclnn_dtype_name(p->in[1].dtype));
    ONN_TRY(onn_conv_dw_geometry(p, &g));
    dim[0] = g.k;
    dim[1] = g.c_group;
    for (int i = 0; i < g.window.spatial; i++)
        dim[2 + i] = g.window.kernel[3 - g.window.spatial + i];
    out[0] = onn_desc_make(p->in[0].dtype, p->in[0].rank, dim);
    return OCLNN_OK;
fail:
    return status;
}

double onn_conv_dw_flop(const struct onn_prob *p)
{
    double f = 2.0 * (double)onn_desc_elements(&p->in[1]);

    for (int i = 1; i < p->out[0].rank; i++)
        f *= (double)p->out[0].dim[i];
    return f;
}

/* ---- reference: one weight per work-item ---- */
struct conv_dw_args { /* cl/conv_dw.cl */
    struct onn_window_args win;
    int32_t n, k, c_group, k_group;
    int64_t x_s[5], dy_s[5], dw_s[5];
};

static const char *reference_refuse(const struct onn_prob *p)
{
    const char *reason = onn_elem_refuse_plain(p);
    if (reason)
        return reason;
    if (p->in[0].format.block || p->in[1].format.block || p->out[0].format.block)
        return "knows no blocked tensors";
    return p->epi && p->epi->n ? "takes no epilogue" : NULL;
}

static int reference_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    for (int i = 0; i < 2 && i < max; i++) {
        const struct onn_format f = i ? onn_format_nhwc(p->in[0].rank) : onn_format_plain();
        out[i] = (struct onn_formats){.n_in = 1, .n_out = 1, .in = {f}};
    }
    return max < 2 ? max : 2;
}

static enum oclnn_status reference_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_conv_dw_geometry g;
    struct conv_dw_args a = {0};
    struct onn_launch *l;
    char defines[64];

    (void)t;
    ONN_TRY(onn_conv_dw_geometry(p, &g));
    ONN_TRY(onn_window_args(&g.window, &a.win));
    ONN_CHECK(g.n <= INT32_MAX && g.k <= INT32_MAX && g.c <= INT32_MAX, OCLNN_ERROR_UNSUPPORTED,
        "a dimension does not fit 31 bits");
    a.n = (int32_t)g.n;
    a.k = (int32_t)g.k;
    a.c_group = (int32_t)g.c_group;
    a.k_group = (int32_t)g.k_group;
    onn_window_strides(&p->in[0], a.x_s);
    onn_window_strides(&p->in[1], a.dy_s);
    onn_window_strides(&p->out[0], a.dw_s);
    l = onn_bind_add(b, "conv_dw", "conv_dw_reference", "%s", onn_elem_define(p->in[0].dtype, 0, defines));
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size3(l,
        (size_t[3]){(size_t)a.win.kernel[2], (size_t)a.win.kernel[0] * (size_t)a.win.kernel[1],
            (size_t)(g.k * g.c_group)},
        (size_t[3]){0, 0, 0});
    return b->status;
fail:
    return status;
}

static struct onn_cost reference_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){onn_conv_dw_flop(p), onn_prob_bytes(p), 1,
        0.01 * onn_gpu_filled(p->caps, onn_desc_elements(&p->out[0]))};
}

static const struct onn_variant reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = reference_refuse,
    .formats = reference_formats,
    .cost = reference_cost,
    .bind = reference_bind,
};

static const struct onn_variant *const variants[] = {&onn_conv_dw_winograd, &onn_conv_dw_depthwise,
    &onn_conv_dw_blocked, &onn_conv_dw_tree, &onn_conv_dw_tiled, &reference, NULL};

static const struct onn_op conv_dw = {
    .name = "conv_dw",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_conv_attr),
    .attrs = conv_dw_attrs,
    .since = 1,
    .infer = infer,
    .variants = variants,
    .flop = onn_conv_dw_flop,
};

extern const struct onn_op *const onn_ops_conv_dw[];
const struct onn_op *const onn_ops_conv_dw[] = {&conv_dw, NULL};
