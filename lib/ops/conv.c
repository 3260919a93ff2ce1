/* Conv: y[n,k,p,q] = b[k] + sum over c, r, s of x[n, c, p*stride - pad + r*dilation, …] * w[k,c,r,s], 1-D to 3-D, in
 * groups. Inputs x, w, b (optional). */
#include "ops/conv.h"
#include "ops/conv_variants.h"
#include "ops/grads.h"

static const struct onn_attr conv_attrs[] = {
    ONN_WINDOW_ATTRS(onn_conv_attr),
    {"group", "group", ONN_ATTR_INT, offsetof(struct onn_conv_attr, group), 1, 1, 2147483647},
    {.type = ONN_ATTR_END},
};

enum oclnn_status onn_conv_geometry(const struct onn_prob *p, struct onn_conv_geometry *g)
{
    enum oclnn_status status;
    const struct onn_conv_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0], *w = &p->in[1];

    *g = (struct onn_conv_geometry){.group = a->group, .bias = onn_prob_has(p, 2)};
    ONN_CHECK(x->rank >= 3 && x->rank <= 5, OCLNN_ERROR_SHAPE,
        "x has rank %d; a convolution takes 3 to 5 (batch, channels, 1 to 3 spatial dimensions)",
        (int)x->rank);
    ONN_CHECK(w->rank == x->rank, OCLNN_ERROR_SHAPE, "x has rank %d but w has rank %d", (int)x->rank,
        (int)w->rank);
    g->n = x->dim[0];
    g->c = x->dim[1];
    g->k = w->dim[0];
    g->c_group = w->dim[1];
    ONN_CHECK(a->group >= 1, OCLNN_ERROR_ARGUMENT, "group=%lld is less than 1", (long long)a->group);
    ONN_CHECK(g->c < 0 || g->c % a->group == 0, OCLNN_ERROR_SHAPE,
        "group=%lld does not divide %lld input channels", (long long)a->group, (long long)g->c);
    ONN_CHECK(g->k < 0 || g->k % a->group == 0, OCLNN_ERROR_SHAPE,
        "group=%lld does not divide %lld output channels", (long long)a->group, (long long)g->k);
    ONN_CHECK(g->c < 0 || g->c_group < 0 || g->c / a->group == g->c_group, OCLNN_ERROR_SHAPE,
        "w has %lld input channels per group; x has %lld in %lld group(s)", (long long)g->c_group,
        (long long)g->c, (long long)a->group);
    ONN_CHECK(!g->bias || p->in[2].rank == 1, OCLNN_ERROR_SHAPE, "bias has rank %d instead of 1",
        (int)p->in[2].rank);
    ONN_CHECK(!g->bias || p->in[2].dim[0] < 0 || g->k < 0 || p->in[2].dim[0] == g->k, OCLNN_ERROR_SHAPE,
        "bias has %lld elements for %lld output channels", (long long)p->in[2].dim[0], (long long)g->k);
    g->k_group = g->k < 0 ? -1 : g->k / a->group;
    return onn_window_resolve(&a->window, x, &w->dim[2], false, &g->window);
fail:
    return status;
}

enum oclnn_status onn_conv_infer(const struct onn_prob *p, onn_conv_geometry_fn geometry,
    struct onn_desc *out)
{
    enum oclnn_status status;
    struct onn_conv_geometry g;
    int64_t dim[ONN_MAX_RANK];

    ONN_CHECK(onn_dtype_is_float(p->in[0].dtype), OCLNN_ERROR_DTYPE,
        "x is %s; a convolution takes floating point", oclnn_dtype_name(p->in[0].dtype));
    for (int i = 1; i < onn_prob_own_inputs(p); i++)
        ONN_CHECK(!onn_prob_has(p, i) || p->in[i].dtype == p->in[0].dtype, OCLNN_ERROR_DTYPE,
            "x is %s but %s is %s", oclnn_dtype_name(p->in[0].dtype), i == 1 ? "w" : "b",
            oclnn_dtype_name(p->in[i].dtype));
    ONN_TRY(geometry(p, &g));
    dim[0] = g.n;
    dim[1] = g.k;
    for (int i = 0; i < g.window.spatial; i++)
        dim[2 + i] = g.window.out[3 - g.window.spatial + i];
    out[0] = onn_desc_make(p->in[0].dtype, p->in[0].rank, dim);
    return OCLNN_OK;
fail:
    return status;
}

static enum oclnn_status conv_infer(const struct onn_prob *p, struct onn_desc *out)
{
    return onn_conv_infer(p, onn_conv_geometry, out);
}

double onn_conv_flop(const struct onn_prob *p, const struct onn_desc *positions)
{
    const struct onn_desc *w = &p->in[1];
    double flop = 2.0 * (double)onn_desc_elements(positions);

    for (int i = 1; i < w->rank; i++)
        flop *= (double)w->dim[i];
    return flop;
}

static double conv_flop(const struct onn_prob *p)
{
    return onn_conv_flop(p, &p->out[0]);
}

/* ---- reference: one output per work-item ---- */
const char *onn_conv_refuse_reference(const struct onn_prob *p)
{
    struct onn_tail tail;

    const char *reason = onn_elem_refuse_plain(p);
    if (reason)
        return reason;
    for (int i = 0; i < p->n_in; i++)
        if (p->in[i].format.block || p->in[i].format.pack)
            return "reads no blocked tensors";
    if (p->out[0].format.block)
        return "writes no blocked tensors";
    return onn_tail_get(p, &tail) ? NULL : "the epilogue is not residual, clip, one activation";
}

int onn_conv_formats_strided(const struct onn_prob *p, struct onn_formats *out, int max)
{
    const int rank = p->in[0].rank;

    for (int i = 0; i < 2 && i < max; i++) {
        const struct onn_format f = i ? onn_format_nhwc(rank) : onn_format_plain();
        out[i] = (struct onn_formats){.n_in = 3, .n_out = 1, .in = {f}, .out = {f}};
    }
    return max < 2 ? max : 2;
}

enum oclnn_status onn_conv_args(const struct onn_prob *p, onn_conv_geometry_fn geometry,
    struct onn_conv_args *a, struct onn_tail *tail)
{
    enum oclnn_status status;
    struct onn_conv_geometry g;

    *a = (struct onn_conv_args){0};
    ONN_TRY(geometry(p, &g));
    ONN_TRY(onn_window_args(&g.window, &a->win));
    ONN_CHECK(onn_tail_get(p, tail), OCLNN_ERROR_UNSUPPORTED, "epilogue of another form");
    ONN_CHECK(g.n <= INT32_MAX && g.k <= INT32_MAX && g.c <= INT32_MAX, OCLNN_ERROR_UNSUPPORTED,
        "a dimension does not fit 31 bits");
    a->n = (int32_t)g.n;
    a->k = (int32_t)g.k;
    a->c_group = (int32_t)g.c_group;
    a->k_group = (int32_t)g.k_group;
    a->has_bias = g.bias;
    a->has_res = tail->residual >= 0;
    a->lo = tail->lo;
    a->hi = tail->hi;
    a->act_a = tail->a;
    a->act_b = tail->b;
    onn_window_strides(&p->in[0], a->x_s);
    onn_window_strides(&p->in[1], a->w_s);
    onn_window_strides(&p->out[0], a->y_s);
    if (a->has_res)
        onn_window_strides(&p->in[tail->residual], a->res_s);
    if (g.bias)
        a->bias_s = p->in[2].stride[0];
    return OCLNN_OK;
fail:
    return status;
}

enum oclnn_status onn_conv_bind_reference(const struct onn_prob *p, onn_conv_geometry_fn geometry,
    const char *program, const char *kernel, struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_conv_args a;
    struct onn_tail tail;
    struct onn_launch *l;
    char defines[64];

    ONN_TRY(onn_conv_args(p, geometry, &a, &tail));
    l = onn_bind_add(b, program, kernel, "%s", onn_elem_define(p->in[0].dtype, tail.kind, defines));
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_in(l, a.has_bias ? 2 : 0);
    onn_arg_in(l, a.has_res ? tail.residual : 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_elements(l, (size_t)a.win.out[2], (size_t)a.win.out[0] * (size_t)a.win.out[1],
        (size_t)a.n * (size_t)a.k);
    return b->status;
fail:
    return status;
}

static enum oclnn_status reference_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    (void)t;
    return onn_conv_bind_reference(p, onn_conv_geometry, "conv", "conv_reference", b);
}

static const struct onn_variant conv_reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT |
        ONN_VARIANT_REFERENCE,
    .refuse = onn_conv_refuse_reference,
    .formats = onn_conv_formats_strided,
    .cost = onn_reference_cost,
    .bind = reference_bind,
};

static const struct onn_variant *const conv_variants[] = {&onn_conv_few, &onn_conv_winograd43,
    &onn_conv_pointwise, &onn_conv_depthwise, &onn_conv_stem, &onn_conv_blocked, &onn_conv_strips,
    &onn_conv_tiled, &conv_reference, NULL};

static const struct onn_op conv = {
    .name = "conv",
    .onnx = "Conv",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_conv_attr),
    .attrs = conv_attrs,
    .since = 1,
    .infer = conv_infer,
    .grad = onn_conv_grad,
    .variants = conv_variants,
    .flop = conv_flop,
};

const struct onn_op *const onn_ops_conv[] = {&conv, NULL};
