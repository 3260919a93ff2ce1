/* conv_dw of 3x3 with stride 1 by Winograd's F(3x3, 4x4) for vector CPUs; cl/conv_dw_wino.cl explains the numbers. */
#include "ops/conv_dw.h"

#define SET 24 /* DWW_SET: tiles that are transformed at a time: their transforms stay in L2 */
#define C_ITEM 64 /* channels of an item: the sums of 36 products wait in L2 or L3 */
#define K_ITEM 72
#define ITEMS 16 /* splits are added until there are so many; fixed: results do not hang on the device */
#define SPLIT_TILES 48 /* a split has so many tiles at least: its sums are transformed back and written */

struct dww_args { /* cl/conv_dw_wino.cl */
    int32_t p, q, h, w, pad_h, pad_w, c_blocks, k_blocks, groups;
    int32_t c, k, k_tiles, c_items, k_items, splits, tiles;
    int64_t x_s[3], dy_s[3];
    int64_t own, v_pitch, u_pitch, m_pitch;
};

/* An odd number of cache lines: 36 matrices so far apart do not meet in one set of a cache. */
static int64_t pitch(int64_t floats)
{
    return (onn_div_up(floats, 16) | 1) * 16;
}

static const char *make(const struct onn_prob *p, struct onn_conv_dw_geometry *g, struct dww_args *a)
{
    const struct onn_window *w = &g->window;
    const char *reason = onn_conv_dw_cpu_refuse(p, g);

    if (reason)
        return reason;
    for (int i = 1; i < 3; i++)
        if (w->kernel[i] != 3 || w->stride[i] != 1 || w->dilation[i] != 1)
            return "not 3x3 with stride 1";
    if (g->group == g->c && g->group == g->k)
        return "depthwise";
    const int64_t vl = p->caps->vector_width,
                  tiles = g->n * onn_div_up(w->out[1], 4) * onn_div_up(w->out[2], 4);
    if (tiles > INT32_MAX)
        return "too many tiles";
    *a = (struct dww_args){.p = (int32_t)w->out[1],
        .q = (int32_t)w->out[2],
        .h = (int32_t)w->in[1],
        .w = (int32_t)w->in[2],
        .pad_h = (int32_t)w->begin[1],
        .pad_w = (int32_t)w->begin[2],
        .c_blocks = (int32_t)onn_div_up(g->c_group, vl),
        .k_blocks = (int32_t)onn_div_up(g->k_group, vl),
        .groups = (int32_t)g->group,
        .c = (int32_t)g->c_group,
        .k = (int32_t)g->k_group,
        .tiles = (int32_t)tiles};
    a->k_tiles = (int32_t)onn_div_up(a->k_blocks, 3);
    a->c_items = (int32_t)onn_div_up(a->c_blocks * vl, C_ITEM);
    a->k_items = (int32_t)onn_div_up(a->k_tiles * 3 * vl, K_ITEM);
    const int64_t items = (int64_t)a->c_items * a->k_items * a->groups;
    int64_t splits = items < ITEMS ? onn_div_up(ITEMS, items) : 1;
    const int64_t most = onn_div_up(tiles, SPLIT_TILES);
    splits = splits < most ? splits : most;
    if (items * splits > INT32_MAX)
        return "too many items";
    a->splits = (int32_t)(splits > 0 ? splits : 1);
    a->v_pitch = pitch(onn_div_up(a->c_blocks, a->c_items) * SET * vl);
    a->u_pitch = pitch(onn_div_up(a->k_tiles, a->k_items) * SET * 3 * vl);
    a->m_pitch =
        pitch(onn_div_up(a->k_tiles, a->k_items) * onn_div_up(a->c_blocks, a->c_items) * vl * 3 * vl);
    a->own = 36 * (a->v_pitch + a->u_pitch + a->m_pitch + vl);
    for (int i = 0; i < 3; i++) {
        a->x_s[i] = p->in[0].stride[i];
        a->dy_s[i] = p->in[1].stride[i];
    }
    return NULL;
}

static const char *refuse(const struct onn_prob *p)
{
    struct onn_conv_dw_geometry g;
    struct dww_args a;
    const char *reason = make(p, &g, &a);

    return reason ? reason : onn_conv_dw_cpu_formats_refuse(p);
}

/* Work-groups: they own scratch, so no more than keep the cores busy. */
static int64_t work_groups(const struct onn_prob *p, const struct dww_args *a)
{
    const int64_t items = (int64_t)a->splits * a->groups * a->c_items * a->k_items;
    const int64_t most = 4 * (p->caps->compute_units > 0 ? p->caps->compute_units : 1);

    return items < most ? items : most;
}

/* Floats of one split's part; none where dw is written at once. */
static int64_t part_floats(const struct onn_prob *p, const struct dww_args *a)
{
    const int64_t vl = p->caps->vector_width;

    return a->splits > 1 ? (int64_t)a->groups * a->k_blocks * a->c_blocks * 9 * vl * vl : 0;
}

static size_t workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_dw_geometry g;
    struct dww_args a;

    (void)t;
    if (make(p, &g, &a))
        return 0;
    return (size_t)(a.splits * part_floats(p, &a) + work_groups(p, &a) * a.own) * sizeof(float);
}

/* 36 products at 4/5 of peak; transforms, mostly loads and stores, as the multiply-adds that fit into their time. */
static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost cost = {.bytes = onn_prob_bytes(p), .launches = 2, .efficiency = 1};
    struct onn_conv_dw_geometry g;
    struct dww_args a;

    (void)t;
    if (make(p, &g, &a)) {
        cost.flop = onn_conv_dw_flop(p);
        return cost;
    }
    const double c = (double)a.c_blocks * p->caps->vector_width,
                 k = (double)a.k_blocks * p->caps->vector_width;
    cost.flop = (double)a.groups *
        ((double)a.tiles * (72 * c * k / 0.8 + 480 * c * a.k_items + 320 * k * a.c_items) +
            400 * c * k * a.splits);
    return cost;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_dw_geometry g;
    struct dww_args a;
    const char *reason = make(p, &g, &a);
    struct onn_launch *l;

    (void)t;
    if (reason)
        return b->status = onn_error(OCLNN_ERROR_INTERNAL, "conv_dw winograd: %s", reason);
    l = onn_bind_add(b, "conv_dw_wino", "conv_dw_wino", "-D VL=%d -D DWW_SET=%d", p->caps->vector_width, SET);
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    if (a.splits > 1)
        onn_arg_workspace(l, 0);
    else
        onn_arg_out(l, 0);
    onn_arg_workspace(l, (size_t)(a.splits * part_floats(p, &a)) * sizeof(float));
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size1(l, (size_t)work_groups(p, &a), 1);
    if (a.splits > 1)
        onn_conv_dw_cpu_gather(p, &g, a.splits, part_floats(p, &a), b);
    return b->status;
}

const struct onn_variant onn_conv_dw_winograd = {
    .name = "winograd34",
    .flags = ONN_VARIANT_WINOGRAD | ONN_VARIANT_STRIDED_IN,
    .refuse = refuse,
    .formats = onn_conv_dw_cpu_formats,
    .cost = cost,
    .workspace = workspace,
    .bind = bind,
};
