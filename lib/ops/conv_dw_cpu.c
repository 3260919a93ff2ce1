/* conv_dw on blocked tensors for vector CPUs: kernels of cl/conv_dw_blocked.cl. */
#include "ops/conv_dw.h"

#define TILE_N 3 /* blocks of output channels in a register tile */
#define K_ITEM 3 /* tiles of an item, which share what they read of x */
#define C_ITEM 128 /* most input channels of an item, which share what they read of dy */
#define SUMS \
    32768 /* floats of an item's sums, about: they wait in L2 while a chunk's taps are summed one by one */
#define CHUNK_PIXELS 128
#define CHUNK_ROWS 128 /* DWB_ROWS in cl/conv_dw_blocked.cl */
#define ITEMS \
    16 /* splits are added until there are so many items; fixed: results do not hang on the device */

struct dwb_args { /* cl/conv_dw_blocked.cl */
    int32_t n, p, q, h, w, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    int32_t c_blocks, k_blocks, groups, c, k;
    int32_t k_tiles, c_items, k_items, splits, rows, columns, chunks, pieces;
    int64_t x_s[3], dy_s[3], own;
};

static bool is_blocked(const struct onn_desc *d, int vl)
{
    return d->format.block == vl && d->format.axis == 1 && !d->format.permuted &&
        (d->stride[d->rank - 1] == vl || d->dim[d->rank - 1] == 1);
}

static bool depthwise(const struct onn_conv_dw_geometry *g)
{
    return g->group == g->c && g->group == g->k;
}

static void row_strides(const struct onn_desc *d, int64_t s[3])
{
    s[0] = d->stride[0];
    s[1] = d->stride[1];
    s[2] = d->rank == 4 ? d->stride[2] : 0;
}

const char *onn_conv_dw_cpu_refuse(const struct onn_prob *p, struct onn_conv_dw_geometry *g)
{
    const int vl = p->caps ? p->caps->vector_width : 0;
    const struct onn_window *w = &g->window;
    if (!p->caps || !p->caps->vector_cpu || vl < 4)
        return "needs a vector CPU";
    if (p->in[0].dtype != OCLNN_F32)
        return "only f32";
    if (onn_conv_dw_geometry(p, g) || p->in[0].rank > 4)
        return "only 1-D and 2-D";
    if (p->epi && p->epi->n)
        return "takes no epilogue";
    if (g->n * w->out[1] > INT32_MAX || g->c > INT32_MAX || g->k > INT32_MAX)
        return "more rows than 31 bits can count";
    if (!depthwise(g) && g->group > 1 && (g->c_group % vl || g->k_group % vl))
        return "groups do not fill blocks";
    return NULL;
}

/* A 1x1 convolution without stride and pads sees an image whose rows follow each other as one long row. */
static void join_rows(struct dwb_args *a, int vl)
{
    const int64_t pixels = (int64_t)a->h * a->w;
    if (a->r != 1 || a->s != 1 || a->stride_h != 1 || a->stride_w != 1 || a->pad_h || a->pad_w ||
        a->p != a->h || a->q != a->w || a->x_s[2] != (int64_t)a->w * vl || a->dy_s[2] != (int64_t)a->w * vl ||
        pixels > INT32_MAX)
        return;
    a->w = a->q = (int32_t)pixels;
    a->h = a->p = 1;
}

/* Cuts the pixels into chunks and the channels into items. */
static bool deal(struct dwb_args *a, int vl)
{
    const int64_t sums = (int64_t)TILE_N * vl * a->r * a->s * vl; /* of a block of x and a tile of dy */
    a->pieces = (int32_t)onn_div_up(a->q, CHUNK_PIXELS);
    a->pieces = a->pieces < 1 ? 1 : a->pieces;
    a->columns = (int32_t)onn_div_up(a->q, a->pieces);
    a->rows = a->columns >= CHUNK_PIXELS || a->pieces > 1
        ? 1
        : (int32_t)onn_div_up(CHUNK_PIXELS, a->q > 0 ? a->q : 1);
    a->rows = a->rows > CHUNK_ROWS ? CHUNK_ROWS : a->rows;
    const int64_t chunks = onn_div_up((int64_t)a->n * a->p, a->rows) * a->pieces;
    a->k_tiles = (int32_t)onn_div_up(a->k_blocks, TILE_N);
    a->k_items = (int32_t)onn_div_up(a->k_tiles, K_ITEM);
    const int64_t k_item = a->k_items ? onn_div_up(a->k_tiles, a->k_items) : 1, fit = SUMS / (k_item * sums);
    const int64_t most = C_ITEM / vl, want = fit < 1 ? 1 : fit > most ? most : fit;
    a->c_items = (int32_t)onn_div_up(a->c_blocks, want);
    a->own = a->c_items ? k_item * onn_div_up(a->c_blocks, a->c_items) * sums : 0;
    const int64_t items = (int64_t)a->c_items * a->k_items * a->groups;
    const int64_t splits = items > 0 && items < ITEMS ? onn_div_up(ITEMS, items) : 1;
    a->splits = (int32_t)(splits < chunks ? splits : chunks);
    a->chunks = (int32_t)chunks;
    return chunks <= INT32_MAX && items <= INT32_MAX / ITEMS;
}

static const char *make(const struct onn_prob *p, struct onn_conv_dw_geometry *g, struct dwb_args *a)
{
    const struct onn_window *w = &g->window;
    const char *reason = onn_conv_dw_cpu_refuse(p, g);
    if (reason)
        return reason;
    const int vl = p->caps->vector_width;
    const bool dw = depthwise(g);
    *a = (struct dwb_args){.n = (int32_t)g->n,
        .p = (int32_t)w->out[1],
        .q = (int32_t)w->out[2],
        .h = (int32_t)w->in[1],
        .w = (int32_t)w->in[2],
        .r = (int32_t)w->kernel[1],
        .s = (int32_t)w->kernel[2],
        .stride_h = (int32_t)w->stride[1],
        .stride_w = (int32_t)w->stride[2],
        .pad_h = (int32_t)w->begin[1],
        .pad_w = (int32_t)w->begin[2],
        .dil_h = (int32_t)w->dilation[1],
        .dil_w = (int32_t)w->dilation[2],
        .groups = dw ? 1 : (int32_t)g->group};
    row_strides(&p->in[0], a->x_s);
    row_strides(&p->in[1], a->dy_s);
    a->c = (int32_t)(dw ? g->c : g->c_group);
    a->k = (int32_t)g->k_group;
    a->c_blocks = (int32_t)onn_div_up(a->c, vl);
    a->k_blocks = dw ? 1 : (int32_t)onn_div_up(g->k_group, vl);
    if (!dw)
        join_rows(a, vl);
    return deal(a, vl) ? NULL : "more chunks than 31 bits can count";
}

static int64_t part_floats(const struct onn_conv_dw_geometry *g, const struct dwb_args *a, int vl)
{
    const int64_t taps = (int64_t)a->r * a->s;
    return depthwise(g) ? a->c_blocks * taps * vl
                        : (int64_t)a->groups * a->k_blocks * a->c_blocks * taps * vl * vl;
}

const char *onn_conv_dw_cpu_formats_refuse(const struct onn_prob *p)
{
    const int vl = p->caps->vector_width;
    if (!is_blocked(&p->in[0], vl) || !is_blocked(&p->in[1], vl) || !onn_format_is_plain(&p->out[0].format))
        return "other formats";
    return onn_desc_elements(&p->in[0]) && onn_desc_elements(&p->in[1]) && onn_desc_elements(&p->out[0])
        ? NULL
        : "empty";
}

static const char *refuse(const struct onn_prob *p, bool dw)
{
    struct onn_conv_dw_geometry g;
    struct dwb_args a;
    const char *reason = make(p, &g, &a);
    if (reason)
        return reason;
    if (depthwise(&g) != dw)
        return dw ? "not depthwise" : "depthwise";
    return onn_conv_dw_cpu_formats_refuse(p);
}
static const char *refuse_blocked(const struct onn_prob *p)
{
    return refuse(p, false);
}
static const char *refuse_depthwise(const struct onn_prob *p)
{
    return refuse(p, true);
}

int onn_conv_dw_cpu_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    if (!p->caps || !p->caps->vector_cpu || max < 1)
        return 0;
    *out = (struct onn_formats){.n_in = 1, .n_out = 1, .in = {onn_format_blocked(1, p->caps->vector_width)}};
    return 1;
}

static int64_t work_groups(const struct onn_prob *p, const struct dwb_args *a)
{
    const int64_t items = (int64_t)a->splits * a->groups * a->c_items * a->k_items;
    const int64_t most = 4 * (p->caps->compute_units > 0 ? p->caps->compute_units : 1);
    return items < most ? items : most;
}

/* Floats of all parts, in front of the scratch. */
static int64_t all_parts(const struct onn_conv_dw_geometry *g, const struct dwb_args *a, int vl)
{
    if (depthwise(g))
        return a->n * part_floats(g, a, vl);
    return a->splits > 1 ? a->splits * part_floats(g, a, vl) : 0;
}

static size_t workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_dw_geometry g;
    struct dwb_args a;
    (void)t;
    if (make(p, &g, &a))
        return 0;
    const int64_t own = depthwise(&g) ? 0 : work_groups(p, &a) * a.own;
    return (size_t)(all_parts(&g, &a, p->caps->vector_width) + own) * sizeof(float);
}

void onn_conv_dw_cpu_gather(const struct onn_prob *p, const struct onn_conv_dw_geometry *g, int64_t parts,
    int64_t step, struct onn_bind *b)
{
    const int vl = p->caps->vector_width;
    const bool dw = depthwise(g);
    const int64_t c_blocks = onn_div_up(dw ? g->c : g->c_group, vl),
                  k_blocks = dw ? 1 : onn_div_up(g->k_group, vl);
    struct onn_launch *l = onn_bind_add(b, "conv_dw_blocked", "conv_dw_gather", "-D VL=%d", vl);
    onn_arg_workspace(l, 0);
    onn_arg_out(l, 0);
    onn_arg_int(b, l, parts);
    onn_arg_long(b, l, step);
    onn_arg_int(b, l, g->window.kernel[1] * g->window.kernel[2]);
    onn_arg_int(b, l, c_blocks);
    onn_arg_int(b, l, k_blocks);
    onn_arg_int(b, l, dw ? 1 : g->c_group);
    onn_arg_int(b, l, dw ? g->k : g->k_group);
    onn_arg_int(b, l, dw);
    onn_launch_size2(l, (size_t)c_blocks, dw ? 1 : (size_t)(g->group * k_blocks), 1, 1);
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_dw_geometry g;
    struct dwb_args a;
    const char *reason = make(p, &g, &a);
    const int vl = p->caps->vector_width;
    (void)t;
    if (reason)
        return b->status = onn_error(OCLNN_ERROR_INTERNAL, "conv_dw: %s", reason);
    const bool dw = depthwise(&g);
    struct onn_launch *l =
        onn_bind_add(b, "conv_dw_blocked", dw ? "conv_dw_depthwise" : "conv_dw_blocked", "-D VL=%d", vl);
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    if (dw || a.splits > 1)
        onn_arg_workspace(l, 0);
    else
        onn_arg_out(l, 0);
    if (!dw)
        onn_arg_workspace(l, (size_t)all_parts(&g, &a, vl) * sizeof(float));
    onn_arg_bytes(b, l, &a, sizeof a);
    if (dw)
        onn_launch_size2(l, (size_t)a.c_blocks, (size_t)a.n, 1, 1);
    else
        onn_launch_size1(l, (size_t)work_groups(p, &a), 1);
    if (dw || a.splits > 1)
        onn_conv_dw_cpu_gather(p, &g, dw ? a.n : a.splits, part_floats(&g, &a, vl), b);
    return b->status;
}

static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){.flop = onn_conv_dw_flop(p),
        .bytes = onn_prob_bytes(p),
        .launches = 2,
        .efficiency = 0.7};
}
static struct onn_cost cost_depthwise(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){.flop = onn_conv_dw_flop(p),
        .bytes = onn_prob_bytes(p),
        .launches = 2,
        .efficiency = 0.2};
}

const struct onn_variant onn_conv_dw_blocked = {.name = "blocked",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN,
    .refuse = refuse_blocked,
    .formats = onn_conv_dw_cpu_formats,
    .cost = cost,
    .workspace = workspace,
    .bind = bind};
const struct onn_variant onn_conv_dw_depthwise = {.name = "depthwise",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN,
    .refuse = refuse_depthwise,
    .formats = onn_conv_dw_cpu_formats,
    .cost = cost_depthwise,
    .workspace = workspace,
    .bind = bind};
