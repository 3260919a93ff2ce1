/* Transposed convolution as implicit GEMM for devices with real local memory, plain and channels last. */
#include "ops/conv_variants.h"
#include "ops/convtranspose.h"
#include "ops/gemm.h"

struct ctt_phases { /* cl/convtranspose_tiled.cl */
    int32_t groups, columns, step_h, step_w, back_h, back_w;
};

static const char *check(const struct onn_prob *p, struct onn_conv_geometry *g, struct onn_tail *tail)
{
    const char *reason = onn_conv_tiled_check(p, onn_convtranspose_geometry, g, tail);

    if (reason)
        return reason;
    for (int i = 1; i < 3; i++) /* the kernel computes tap * dilation */
        if ((double)(g->window.kernel[i] - 1) * (double)g->window.dilation[i] + (double)g->window.begin[i] >
            INT32_MAX / 2)
            return "the filter reaches over more than 30 bits";
    return NULL;
}

static const char *refuse(const struct onn_prob *p)
{
    struct onn_conv_geometry g;
    struct onn_tail tail;

    return check(p, &g, &tail);
}

/* Phases of rows (1) or columns (2) that have outputs. */
static int64_t phases_of(const struct onn_window *w, int i)
{
    return w->stride[i] < w->out[i] ? w->stride[i] : w->out[i];
}

/* Outputs of the largest phase. */
static int64_t pixels_of(const struct onn_conv_geometry *g)
{
    const struct onn_window *w = &g->window;

    return g->n * onn_div_up(w->out[1], w->stride[1]) * onn_div_up(w->out[2], w->stride[2]);
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static struct onn_cost cost_of(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost cost = {onn_prob_flop(p), onn_prob_bytes(p), 1, 0.1};
    struct onn_conv_geometry g;
    struct onn_tail tail;

    (void)t;
    if (!check(p, &g, &tail))
        cost.efficiency = 0.8 *
            onn_simt_efficiency(p->caps, g.k_group, pixels_of(&g),
                g.group * phases_of(&g.window, 1) * phases_of(&g.window, 2));
    if (p->caps->vector_cpu) /* behind the reference kernel */
        cost.efficiency *= 0.2;
    return cost;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_geometry g;
    struct onn_tail tail;
    struct onn_conv_tiled_args a;
    struct onn_launch *l;
    const char *reason = check(p, &g, &tail);

    if (reason)
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "convtranspose tiled: %s", reason);
    const struct onn_window *w = &g.window;
    const int64_t gh = gcd(w->stride[1], w->dilation[1]), gw = gcd(w->stride[2], w->dilation[2]);
    const int64_t batches = g.group * phases_of(w, 1) * phases_of(w, 2), pixels = pixels_of(&g);
    const struct ctt_phases f = {(int32_t)g.group, (int32_t)phases_of(w, 2), (int32_t)(w->stride[1] / gh),
        (int32_t)(w->stride[2] / gw), (int32_t)(w->dilation[1] / gh), (int32_t)(w->dilation[2] / gw)};
    const int tile = t->v[0] ? t->v[0] : onn_simt_tile(p->caps, g.k_group, pixels, batches);
    onn_conv_tiled_args(p, &g, &tail, &a);
    l = onn_conv_tiled_launch(p, &tail, &a, tile, "convtranspose_tiled", b);
    onn_arg_bytes(b, l, &f, sizeof f);
    onn_launch_size3(l,
        (size_t[3]){(size_t)onn_div_up(pixels, 16 * tile) * 16, (size_t)onn_div_up(g.k_group, 16 * tile) * 16,
            (size_t)batches},
        (size_t[3]){16, 16, 1});
    return b->status;
}

static const int32_t tile_values[] = {4, 8, 0};
static const struct onn_tunable tile_tunables[] = {{"tile", 0, tile_values}, {.name = NULL}};

const struct onn_variant onn_convtranspose_tiled = {
    .name = "tiled",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = refuse,
    .formats = onn_conv_tiled_formats,
    .cost = cost_of,
    .bind = bind,
    .tunables = tile_tunables,
};
