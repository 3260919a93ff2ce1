/* Implicit GEMM for devices with real local memory, plain and channels last. */
#include "ops/conv_variants.h"
#include "ops/gemm.h"

const char *onn_conv_tiled_check(const struct onn_prob *p, onn_conv_geometry_fn geometry,
    struct onn_conv_geometry *g, struct onn_tail *tail)
{
    const struct onn_desc *x = &p->in[0];
    const char *reason = onn_simt_refuse(p->caps);

    if (reason)
        return reason;
    if (!onn_elem_can(x->dtype))
        return "only f32 and f16";
    if (x->rank < 3 || x->rank > 4)
        return "only 1-D and 2-D";
    for (int i = 0; i < p->n_in; i++)
        if (p->in[i].format.block || p->in[i].format.pack)
            return "reads no blocked tensors";
    if (p->out[0].format.block)
        return "writes no blocked tensors";
    if (geometry(p, g))
        return "unknown sizes";
    if (!onn_tail_get(p, tail))
        return "the epilogue is not residual, clip, one activation";
    if (g->c_group * g->window.kernel[1] * g->window.kernel[2] >= 1 << 22)
        return "sums of more than 4M products";
    if (g->n * g->window.out[1] * g->window.out[2] > INT32_MAX - 128)
        return "more pixels than 31 bits can count";
    return NULL;
}

static const char *tiled_refuse(const struct onn_prob *p)
{
    struct onn_conv_geometry g;
    struct onn_tail tail;

    return onn_conv_tiled_check(p, onn_conv_geometry, &g, &tail);
}

int onn_conv_tiled_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    const int n = onn_conv_formats_strided(p, out, max);

    for (int i = 0; i < n; i++)
        out[i].in[1] = out[i].in[0];
    return n;
}

static struct onn_cost tiled_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost cost = {onn_prob_flop(p), onn_prob_bytes(p), 1, 0.1};
    struct onn_conv_geometry g;
    struct onn_tail tail;

    (void)t;
    if (!onn_conv_tiled_check(p, onn_conv_geometry, &g, &tail))
        cost.efficiency =
            0.85 * onn_simt_efficiency(p->caps, g.k_group, g.n * g.window.out[1] * g.window.out[2], g.group);
    return cost;
}

void onn_conv_tiled_args(const struct onn_prob *p, const struct onn_conv_geometry *g,
    const struct onn_tail *tail, struct onn_conv_tiled_args *a)
{
    const struct onn_window *w = &g->window;

    *a = (struct onn_conv_tiled_args){
        .n = (int32_t)g->n,
        .c_group = (int32_t)g->c_group,
        .k_group = (int32_t)g->k_group,
        .h = (int32_t)w->in[1],
        .w = (int32_t)w->in[2],
        .p = (int32_t)w->out[1],
        .q = (int32_t)w->out[2],
        .r = (int32_t)w->kernel[1],
        .s = (int32_t)w->kernel[2],
        .stride_h = (int32_t)w->stride[1],
        .stride_w = (int32_t)w->stride[2],
        .pad_h = (int32_t)w->begin[1],
        .pad_w = (int32_t)w->begin[2],
        .dil_h = (int32_t)w->dilation[1],
        .dil_w = (int32_t)w->dilation[2],
        .channels_last = onn_window_is_channels_last(&p->in[0]),
        .has_bias = g->bias,
        .has_res = tail->residual >= 0,
        .lo = tail->lo,
        .hi = tail->hi,
        .act_a = tail->a,
        .act_b = tail->b,
    };
    onn_window_strides_2d(&p->in[0], a->x_s);
    onn_window_strides_2d(&p->in[1], a->w_s);
    onn_window_strides_2d(&p->out[0], a->y_s);
    if (a->has_res)
        onn_window_strides_2d(&p->in[tail->residual], a->res_s);
    if (g->bias)
        a->bias_s = p->in[2].stride[0];
}

struct onn_launch *onn_conv_tiled_launch(const struct onn_prob *p, const struct onn_tail *tail,
    const struct onn_conv_tiled_args *a, int tile, const char *kernel, struct onn_bind *b)
{
    char defines[64];
    struct onn_launch *l = onn_bind_add(b, kernel, kernel, "-D SIMT_M=%d %s", tile,
        onn_elem_define(p->in[0].dtype, tail->kind, defines));

    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_in(l, a->has_bias ? 2 : 0);
    onn_arg_in(l, a->has_res ? tail->residual : 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, a, sizeof *a);
    return l;
}

static enum oclnn_status tiled_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    struct onn_conv_geometry g;
    struct onn_tail tail;
    struct onn_window_args range;
    struct onn_conv_tiled_args a;
    struct onn_launch *l;
    const char *reason = onn_conv_tiled_check(p, onn_conv_geometry, &g, &tail);
    int64_t pixels;
    int tile;

    if (reason)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "conv tiled: %s", reason);
    ONN_TRY(onn_window_args(&g.window, &range)); /* all of them fit 31 bits */
    onn_conv_tiled_args(p, &g, &tail, &a);
    pixels = g.n * g.window.out[1] * g.window.out[2];
    tile = t->v[0] ? t->v[0] : onn_simt_tile(p->caps, g.k_group, pixels, g.group);
    l = onn_conv_tiled_launch(p, &tail, &a, tile, "conv_tiled", b);
    onn_launch_size3(l,
        (size_t[3]){(size_t)onn_div_up(pixels, 16 * tile) * 16, (size_t)onn_div_up(g.k_group, 16 * tile) * 16,
            (size_t)g.group},
        (size_t[3]){16, 16, 1});
    return b->status;
fail:
    return status;
}

static const int32_t tile_values[] = {4, 8, 0};
static const struct onn_tunable tile_tunables[] = {{"tile", 0, tile_values}, {.name = NULL}};

const struct onn_variant onn_conv_tiled = {
    .name = "tiled",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = tiled_refuse,
    .formats = onn_conv_tiled_formats,
    .cost = tiled_cost,
    .bind = tiled_bind,
    .tunables = tile_tunables,
};
