/* conv_dw for devices with real local memory: kernels of cl/conv_dw_tiled.cl, plain and channels last. */
#include "ops/conv_dw.h"
#include "ops/gemm.h"

#define ITEMS 512 /* work-groups wanted, by splits; fixed: results do not hang on the device */
#define SPLIT_PIXELS 256 /* a split has so many at least: its sums are written and read again */
#define TREE_PIXELS 2048
#define TREE_TAPS 9 /* DWT_TAPS in cl/conv_dw_tiled.cl */
#define TREE_CHANNELS 32 /* of a group, with channels last */

struct dwt_args { /* cl/conv_dw_tiled.cl */
    int32_t n, c_group, k_group, h, w, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    int32_t groups, splits, pixels, channels_last, step_n, step_p, step_q;
    int64_t x_s[4], dy_s[4], dw_s[4];
};

/* What both kernels need: types, ranks, sizes. */
static const char *common_refuse(const struct onn_prob *p, struct onn_conv_dw_geometry *g)
{
    const struct onn_window *w = &g->window;
    struct onn_window_args range;

    if (!onn_elem_can(p->in[0].dtype))
        return "only f32 and f16";
    if (p->in[0].rank < 3 || p->in[0].rank > 4)
        return "only 1-D and 2-D";
    if (p->in[0].format.block || p->in[1].format.block || p->out[0].format.block)
        return "knows no blocked tensors";
    if (p->epi && p->epi->n)
        return "takes no epilogue";
    if (onn_conv_dw_geometry(p, g) || onn_window_args(w, &range))
        return "unknown sizes";
    if (!onn_desc_elements(&p->in[0]) || !onn_desc_elements(&p->in[1]) || !onn_desc_elements(&p->out[0]))
        return "empty";
    if (g->n * w->out[1] * w->out[2] > INT32_MAX / 2)
        return "more pixels than 30 bits can count";
    if (onn_desc_elements(&p->out[0]) > INT32_MAX / 2)
        return "more weights than 30 bits can count";
    return NULL;
}

static int64_t columns_of(const struct onn_conv_dw_geometry *g)
{
    return g->c_group * g->window.kernel[1] * g->window.kernel[2];
}

static int64_t pixels_of(const struct onn_conv_dw_geometry *g)
{
    return g->n * g->window.out[1] * g->window.out[2];
}

/* Splits so that there are enough work-groups, `groups` for each; a split's pixels are a multiple of `unit`. */
static void cut(int64_t pixels, int64_t groups, int64_t least, int64_t unit, struct dwt_args *a)
{
    const int64_t want = onn_div_up(ITEMS, groups), most = pixels / least;
    const int64_t splits = want < most ? want : most;

    a->pixels = (int32_t)(onn_div_up(onn_div_up(pixels, splits > 0 ? splits : 1), unit) * unit);
    a->splits = (int32_t)onn_div_up(pixels, a->pixels);
}

static void cut_tiled(const struct onn_conv_dw_geometry *g, struct dwt_args *a)
{
    cut(pixels_of(g), onn_div_up(g->k_group, 64) * onn_div_up(columns_of(g), 64) * g->group, SPLIT_PIXELS, 16,
        a);
}

static void cut_tree(const struct onn_conv_dw_geometry *g, int64_t channels, struct dwt_args *a)
{
    cut(pixels_of(g), onn_div_up(g->k, channels) * onn_div_up(columns_of(g), TREE_TAPS), TREE_PIXELS, 256, a);
}

static void fill(const struct onn_prob *p, const struct onn_conv_dw_geometry *g, struct dwt_args *a)
{
    const struct onn_window *w = &g->window;

    *a = (struct dwt_args){.n = (int32_t)g->n,
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
        .groups = (int32_t)g->group,
        .channels_last = onn_window_is_channels_last(&p->in[0])};
    onn_window_strides_2d(&p->in[0], a->x_s);
    onn_window_strides_2d(&p->in[1], a->dy_s);
    onn_window_strides_2d(&p->out[0], a->dw_s);
}

/* An item's next pixel is `pixels` on. */
static void set_step(struct dwt_args *a, int64_t pixels)
{
    a->step_q = (int32_t)(pixels % a->q);
    a->step_p = (int32_t)(pixels / a->q % a->p);
    a->step_n = (int32_t)(pixels / a->q / a->p);
}

static void put_tensors(struct onn_launch *l, const struct dwt_args *a)
{
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_out(l, 0);
    if (a->splits > 1)
        onn_arg_workspace(l, 0);
    else
        onn_arg_out(l, 0);
}

static void add_parts(const struct onn_prob *p, const struct dwt_args *a, const char *defines,
    struct onn_bind *b)
{
    struct onn_launch *l;

    if (a->splits == 1)
        return;
    l = onn_bind_add(b, "conv_dw_tiled", "conv_dw_parts", "%s", defines);
    onn_arg_workspace(l, 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, a, sizeof *a);
    onn_launch_size1(l, (size_t)onn_desc_elements(&p->out[0]), p->caps->max_group < 64 ? 0 : 64);
}

static size_t parts_bytes(const struct onn_prob *p, const struct dwt_args *a)
{
    return a->splits > 1 ? (size_t)a->splits * (size_t)onn_desc_elements(&p->out[0]) * sizeof(float) : 0;
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    for (int i = 0; i < 2 && i < max; i++) {
        const struct onn_format f = i ? onn_format_nhwc(p->in[0].rank) : onn_format_plain();
        out[i] = (struct onn_formats){.n_in = 1, .n_out = 1, .in = {f}};
    }
    return max < 2 ? max : 2;
}

static struct onn_cost cost_of(const struct onn_prob *p, const struct dwt_args *a, double efficiency)
{
    return (struct onn_cost){onn_conv_dw_flop(p), onn_prob_bytes(p) + 2 * (double)parts_bytes(p, a),
        a->splits > 1 ? 2 : 1, efficiency};
}

/* ---- tiled ---- */
static const char *tiled_check(const struct onn_prob *p, struct onn_conv_dw_geometry *g)
{
    const char *reason = onn_simt_refuse(p->caps);

    reason = reason ? reason : common_refuse(p, g);
    if (reason)
        return reason;
    return g->c_group == 1 && g->group > 1 ? "one input channel a group" : NULL;
}

static const char *tiled_refuse(const struct onn_prob *p)
{
    struct onn_conv_dw_geometry g;

    return tiled_check(p, &g);
}

static size_t tiled_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_dw_geometry g;
    struct dwt_args a;

    (void)t;
    if (tiled_check(p, &g))
        return 0;
    cut_tiled(&g, &a);
    return parts_bytes(p, &a);
}

static struct onn_cost tiled_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_dw_geometry g;
    struct dwt_args a = {.splits = 1};
    double efficiency = 0.1;

    (void)t;
    if (!tiled_check(p, &g)) {
        cut_tiled(&g, &a);
        efficiency =
            0.8 * onn_simt_efficiency(p->caps, g.k_group, columns_of(&g), g.group * (int64_t)a.splits);
    }
    if (p->caps->vector_cpu) /* behind the reference kernel */
        efficiency *= 0.2;
    return cost_of(p, &a, efficiency);
}

static enum oclnn_status tiled_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_dw_geometry g;
    struct dwt_args a;
    struct onn_launch *l;
    const char *reason = tiled_check(p, &g);
    char defines[64];
    int tile;

    if (reason)
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "conv_dw tiled: %s", reason);
    fill(p, &g, &a);
    cut_tiled(&g, &a);
    tile = t->v[0] ? t->v[0] : onn_simt_tile(p->caps, g.k_group, columns_of(&g), g.group * (int64_t)a.splits);
    set_step(&a, a.channels_last ? 16 / tile : 64 / tile); /* 256 / SIMT_T, SIMT_K */
    l = onn_bind_add(b, "conv_dw_tiled", "conv_dw_tiled", "-D SIMT_M=%d %s", tile,
        onn_elem_define(p->in[0].dtype, 0, defines));
    put_tensors(l, &a);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size3(l,
        (size_t[3]){(size_t)onn_div_up(columns_of(&g), 16 * tile) * 16,
            (size_t)onn_div_up(g.k_group, 16 * tile) * 16, (size_t)g.group * (size_t)a.splits},
        (size_t[3]){16, 16, 1});
    add_parts(p, &a, defines, b);
    return b->status;
}

static const int32_t tile_values[] = {4, 8, 0};
static const struct onn_tunable tile_tunables[] = {{"tile", 0, tile_values}, {.name = NULL}};

#define FLAGS (ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT)

const struct onn_variant onn_conv_dw_tiled = {
    .name = "tiled",
    .flags = FLAGS,
    .refuse = tiled_refuse,
    .formats = formats,
    .cost = tiled_cost,
    .workspace = tiled_workspace,
    .bind = tiled_bind,
    .tunables = tile_tunables,
};

/* ---- tree: one input channel a group ---- */
static const char *tree_check(const struct onn_prob *p, struct onn_conv_dw_geometry *g)
{
    const size_t items = p->caps->max_group < 256 ? 64 : 256;
    const char *reason = common_refuse(p, g);

    if (reason)
        return reason;
    if (p->caps->max_group < 64 || p->caps->local_bytes < items * TREE_TAPS * sizeof(float))
        return "needs work-groups of 64 and their sums in local memory";
    return g->c_group == 1 ? NULL : "more than one input channel a group";
}

static const char *tree_refuse(const struct onn_prob *p)
{
    struct onn_conv_dw_geometry g;

    return tree_check(p, &g);
}

/* Channels side by side in a work-group: only where they are side by side in memory. */
static int64_t tree_channels(const struct onn_prob *p, const struct onn_conv_dw_geometry *g)
{
    return onn_window_is_channels_last(&p->in[0]) && g->k >= TREE_CHANNELS ? TREE_CHANNELS : 1;
}

static size_t tree_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_dw_geometry g;
    struct dwt_args a;

    (void)t;
    if (tree_check(p, &g))
        return 0;
    cut_tree(&g, tree_channels(p, &g), &a);
    return parts_bytes(p, &a);
}

/* Bound by loads: nine of x, mostly from a cache, for each of dy; some 110 instructions for nine multiply-adds. */
static struct onn_cost tree_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_dw_geometry g;
    struct dwt_args a = {.splits = 1};

    (void)t;
    if (!tree_check(p, &g))
        cut_tree(&g, tree_channels(p, &g), &a);
    return cost_of(p, &a, p->caps->vector_cpu || p->caps->simulated ? 0.004 : 0.08);
}

static enum oclnn_status tree_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_dw_geometry g;
    struct dwt_args a;
    struct onn_launch *l;
    const char *reason = tree_check(p, &g);
    const size_t items = p->caps->max_group < 256 ? 64 : 256;
    char defines[64];

    (void)t;
    if (reason)
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "conv_dw tree: %s", reason);
    const size_t channels = (size_t)tree_channels(p, &g), lanes = items / channels;
    fill(p, &g, &a);
    cut_tree(&g, (int64_t)channels, &a);
    set_step(&a, (int64_t)lanes);
    l = onn_bind_add(b, "conv_dw_tiled", "conv_dw_tree", "-D DWT_ITEMS=%d %s", (int)items,
        onn_elem_define(p->in[0].dtype, 0, defines));
    put_tensors(l, &a);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size3(l,
        (size_t[3]){(size_t)g.k, lanes * (size_t)onn_div_up(columns_of(&g), TREE_TAPS), (size_t)a.splits},
        (size_t[3]){channels, lanes, 1});
    add_parts(p, &a, defines, b);
    return b->status;
}

const struct onn_variant onn_conv_dw_tree = {
    .name = "tree",
    .flags = FLAGS,
    .refuse = tree_refuse,
    .formats = formats,
    .cost = tree_cost,
    .workspace = tree_workspace,
    .bind = tree_bind,
};
