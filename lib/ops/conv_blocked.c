/* Convolutions for vector CPUs on blocked tensors: direct (any size), 1x1, depthwise, and the first one of a network.
 * The kernels' heads in cl/conv_*.cl say what the numbers mean. */
#include "ops/conv_variants.h"
#include "ops/pack.h"

#define TILE_BLOCKS 3 /* channel blocks of one tile: TILE_N in cl/lib/tile.h */
#define PX_GROUP 64 /* pixels of one work-group at most: ONN_PX_GROUP there */
#define GROUP_FLOP 1e6 /* a work-group should last 20 us at least */

static int64_t want_groups(const struct onn_caps *caps)
{
    return 4 * (caps->compute_units > 0 ? caps->compute_units : 1);
}

/* A part of n that deals evenly. */
static int64_t even(int64_t n, int64_t part)
{
    return n > 0 ? onn_div_up(n, onn_div_up(n, part)) : 1;
}

/* Pixels and tiles of K of a work-group: enough groups for all cores; pixels share what is read of the weights, so they
 * are given up last. */
static void deal_pixels(const struct onn_prob *p, const struct onn_conv_cpu *c, int64_t *px, int64_t *kt)
{
    const int64_t pixels = c->g.n * c->p * c->q, tiles = onn_div_up(c->k_blocks, TILE_BLOCKS);
    const double tile_flop = 2.0 * (double)(c->c_blocks * c->vl * c->r * c->s * TILE_BLOCKS * c->vl);

    *px = even(pixels, PX_GROUP);
    *kt = tiles;
    while (onn_div_up(pixels, *px) * onn_div_up(tiles, *kt) * c->groups < want_groups(p->caps) &&
        (double)(*px * *kt) * tile_flop > 2 * GROUP_FLOP) {
        if (*kt > 1)
            *kt = onn_div_up(*kt, 2);
        else if (*px > 8)
            *px = onn_div_up(*px, 2);
        else
            break;
    }
}

static struct onn_cost cost_of(const struct onn_prob *p, double efficiency)
{
    return (struct onn_cost){onn_prob_flop(p), onn_conv_cpu_bytes(p), 1, efficiency};
}

/* Channels of the groups that one tile tells apart: of a merged one's parts, else of the whole blocks. */
static void own_channels(const struct onn_conv_cpu *c, int64_t *c_one, int64_t *k_one)
{
    *c_one = c->merge > 1 ? c->g.c_group : c->c_blocks * c->vl;
    *k_one = c->merge > 1 ? c->g.k_group : c->k_blocks * c->vl;
}

/* Share of the multiply-adds that are not spent on lanes behind the last channel, or between merged groups: a tile reads
 * the blocks of all groups that it has outputs of (onn_own_first in cl/lib/tile.h). */
static double filled(const struct onn_conv_cpu *c)
{
    const int64_t tiles = onn_div_up(c->k_blocks, TILE_BLOCKS);
    int64_t c_one, k_one, blocks = 0;

    own_channels(c, &c_one, &k_one);
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t kb = t * c->k_blocks / tiles, end = (t + 1) * c->k_blocks / tiles;
        const int64_t first = kb * c->vl / k_one * c_one / c->vl;
        int64_t last = onn_div_up(((end * c->vl - 1) / k_one + 1) * c_one, c->vl);

        last = last < c->c_blocks ? last : c->c_blocks;
        blocks += (last - first) * (end - kb);
    }
    return (double)(c->g.c_group * c->g.k_group * c->g.group) / (double)(blocks * c->vl * c->vl * c->groups);
}

/* Fills c for a bind callback; false with the error in b. */
static bool ready(const struct onn_prob *p, int pack, bool plain_x, const char *variant,
    struct onn_conv_cpu *c, struct onn_bind *b)
{
    const char *reason = onn_conv_cpu_refuse(p, pack, plain_x, c);

    if (reason)
        b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "conv %s: %s", variant, reason);
    return !reason;
}

/* Work-groups of px pixels and kt tiles of K. */
static void launch_pixels(struct onn_launch *l, const struct onn_conv_cpu *c, int64_t px, int64_t kt)
{
    onn_launch_size3(l,
        (size_t[3]){(size_t)onn_div_up(c->g.n * c->p * c->q, px),
            (size_t)onn_div_up(onn_div_up(c->k_blocks, TILE_BLOCKS), kt), (size_t)c->groups},
        (size_t[3]){1, 1, 1});
}

/* ---- direct ---- */
/* With several groups left after merging, each fills whole blocks. */
static const char *groups_fit(const struct onn_conv_cpu *c)
{
    if (c->groups > 1 && (c->g.c_group * c->merge % c->vl || c->g.k_group * c->merge % c->vl))
        return "channels of a group do not fill whole blocks";
    return NULL;
}

static const char *blocked_refuse(const struct onn_prob *p)
{
    struct onn_conv_cpu c;
    const char *reason = onn_conv_cpu_refuse(p, ONN_PACK_CONV_DIRECT, false, &c);

    return reason ? reason : groups_fit(&c);
}

static int blocked_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_conv_cpu_formats(p, ONN_PACK_CONV_DIRECT, false, out, max);
}

static struct onn_cost blocked_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_cpu c;

    (void)t;
    if (onn_conv_cpu_refuse(p, ONN_PACK_CONV_DIRECT, false, &c))
        return cost_of(p, 0.5);
    return cost_of(p, 0.8 * filled(&c) * (c.k_blocks == 1 ? 0.7 : 1));
}

static enum oclnn_status blocked_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_cpu c;
    struct onn_launch *l;
    int64_t px, kt, c_one, k_one;

    (void)t;
    if (!ready(p, ONN_PACK_CONV_DIRECT, false, "blocked", &c, b))
        return b->status;
    deal_pixels(p, &c, &px, &kt);
    own_channels(&c, &c_one, &k_one);
    c.reach = 2 * (c.r - 1) * c.dil_h >= c.h || 2 * (c.s - 1) * c.dil_w >= c.w;
    l = onn_conv_cpu_launch(p, &c, ONN_PACK_CONV_DIRECT, "conv_blocked", "conv2d_blocked", b);
    onn_conv_cpu_ints(b, l,
        (int64_t[]){c.g.n, c.c_blocks, c.h, c.w, c.g.k, c.k_blocks, c.p, c.q, c.r, c.s, c.stride_h,
            c.stride_w, c.pad_h, c.pad_w, c.dil_h, c.dil_w, c.groups, c_one, k_one},
        19);
    onn_conv_cpu_strides(b, l, &c);
    onn_conv_cpu_ints(b, l, (int64_t[]){px, kt}, 2);
    onn_conv_cpu_end(b, l, &c);
    launch_pixels(l, &c, px, kt);
    return b->status;
}

#define CPU_FLAGS \
    (ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT)

const struct onn_variant onn_conv_blocked = {
    .name = "blocked",
    .flags = CPU_FLAGS,
    .refuse = blocked_refuse,
    .formats = blocked_formats,
    .cost = blocked_cost,
    .bind = blocked_bind,
};

/* ---- 1x1 without pads ---- */
static const char *pointwise_refuse(const struct onn_prob *p)
{
    struct onn_conv_cpu c;
    const char *reason = onn_conv_cpu_refuse(p, ONN_PACK_CONV_DIRECT, false, &c);

    if (reason)
        return reason;
    if (c.r != 1 || c.s != 1 || c.pad_h || c.pad_w || (c.p - 1) * c.stride_h >= c.h ||
        (c.q - 1) * c.stride_w >= c.w)
        return "not 1x1 without pads";
    return groups_fit(&c);
}

static struct onn_cost pointwise_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_cpu c;

    (void)t;
    if (onn_conv_cpu_refuse(p, ONN_PACK_CONV_DIRECT, false, &c))
        return cost_of(p, 0.5);
    return cost_of(p, 0.88 * filled(&c) * (c.k_blocks == 1 ? 0.8 : 1));
}

static enum oclnn_status pointwise_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    struct onn_conv_cpu c;
    struct onn_launch *l;
    int64_t px, kt, chunk, c_one, k_one;

    (void)t;
    if (!ready(p, ONN_PACK_CONV_DIRECT, false, "pointwise", &c, b))
        return b->status;
    deal_pixels(p, &c, &px, &kt);
    own_channels(&c, &c_one, &k_one);
    /* 512 channels of three blocks: 48 KiB at 8 lanes. A tile of merged groups reads few anyway, and partial
     * sums do not wait in f16. */
    chunk = c.merge > 1 || p->in[0].dtype == OCLNN_F16 ? c.c_blocks : even(c.c_blocks, onn_div_up(512, c.vl));
    l = onn_conv_cpu_launch(p, &c, ONN_PACK_CONV_DIRECT, "conv_1x1", "conv2d_1x1", b);
    onn_conv_cpu_ints(b, l,
        (int64_t[]){c.g.n, c.c_blocks, c.g.k, c.k_blocks, c.p, c.q, c.stride_h, c.stride_w}, 8);
    onn_conv_cpu_strides(b, l, &c);
    onn_conv_cpu_ints(b, l, (int64_t[]){c_one, k_one, px, kt, chunk}, 5);
    onn_conv_cpu_end(b, l, &c);
    launch_pixels(l, &c, px, kt);
    return b->status;
}

const struct onn_variant onn_conv_pointwise = {
    .name = "pointwise",
    .flags = CPU_FLAGS,
    .refuse = pointwise_refuse,
    .formats = blocked_formats,
    .cost = pointwise_cost,
    .bind = pointwise_bind,
};

/* ---- depthwise: one filter per channel ---- */
static const char *depthwise_refuse(const struct onn_prob *p)
{
    const struct onn_conv_attr *a = p->attr;
    struct onn_conv_cpu c;

    if (a->group != p->in[0].dim[1] || p->in[1].dim[0] != a->group || p->in[1].dim[1] != 1)
        return "not one filter per channel";
    return onn_conv_cpu_refuse(p, ONN_PACK_CONV_DEPTHWISE, false, &c);
}

static int depthwise_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_conv_cpu_formats(p, ONN_PACK_CONV_DEPTHWISE, false, out, max);
}

static struct onn_cost depthwise_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return cost_of(p, 0.3);
}

static enum oclnn_status depthwise_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    struct onn_conv_cpu c;
    struct onn_launch *l;
    int64_t blocks, rows, cb;

    (void)t;
    if (!ready(p, ONN_PACK_CONV_DEPTHWISE, false, "depthwise", &c, b))
        return b->status;
    cb = blocks = onn_div_up(c.g.c, c.vl);
    rows = c.p;
    while (onn_div_up(c.p, rows) * onn_div_up(blocks, cb) * c.g.n < want_groups(p->caps) &&
        (double)(rows * cb * c.q * c.vl * c.r * c.s) > 1e5) {
        if (cb > 1)
            cb = onn_div_up(cb, 2);
        else if (rows > 1)
            rows = onn_div_up(rows, 2);
        else
            break;
    }
    l = onn_conv_cpu_launch(p, &c, ONN_PACK_CONV_DEPTHWISE, "conv_depthwise", "conv2d_depthwise", b);
    onn_conv_cpu_ints(b, l,
        (int64_t[]){c.g.c, c.h, c.w, c.p, c.q, c.r, c.s, c.stride_h, c.stride_w, c.pad_h, c.pad_w, c.dil_h,
            c.dil_w},
        13);
    onn_conv_cpu_strides(b, l, &c);
    onn_conv_cpu_ints(b, l, (int64_t[]){rows, cb}, 2);
    onn_conv_cpu_end(b, l, &c);
    onn_launch_size3(l,
        (size_t[3]){(size_t)onn_div_up(c.p, rows), (size_t)onn_div_up(blocks, cb), (size_t)c.g.n},
        (size_t[3]){1, 1, 1});
    return b->status;
}

const struct onn_variant onn_conv_depthwise = {
    .name = "depthwise",
    .flags = CPU_FLAGS,
    .refuse = depthwise_refuse,
    .formats = depthwise_formats,
    .cost = depthwise_cost,
    .bind = depthwise_bind,
};

/* ---- stem: few input channels from a plain tensor ---- */
static const char *stem_refuse(const struct onn_prob *p)
{
    struct onn_conv_cpu c;
    const char *reason = onn_conv_cpu_refuse(p, ONN_PACK_CONV_STEM, true, &c);

    if (reason)
        return reason;
    if (c.g.group != 1 || c.g.c > 8)
        return "more than 8 input channels, or groups";
    return NULL;
}

static int stem_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_conv_cpu_formats(p, ONN_PACK_CONV_STEM, true, out, max);
}

/* Rows and K tiles of a work-group, and floats of its copy of the input rows. */
static void stem_deal(const struct onn_prob *p, const struct onn_conv_cpu *c, int64_t *rows, int64_t *kt,
    int64_t *copy)
{
    const int64_t tile_m1 = c->vl == 16 ? 16 : 12; /* TILE_M1 in cl/lib/tile.h */
    const int64_t width = (c->q - 1) * c->stride_w + (c->s - 1) * c->dil_w + 1;
    const int64_t pitch = onn_div_up(width + tile_m1 * c->stride_w, 16) * 16;

    *kt = onn_div_up(c->k_blocks, TILE_BLOCKS);
    *rows = even(c->p, 8);
    while (*rows > 1 && onn_div_up(c->p, *rows) * c->g.n < want_groups(p->caps))
        *rows = onn_div_up(*rows, 2);
    *copy = c->g.c * ((*rows - 1) * c->stride_h + (c->r - 1) * c->dil_h + 1) * pitch;
}

static size_t stem_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_cpu c;
    int64_t rows, kt, copy;

    (void)t;
    if (onn_conv_cpu_refuse(p, ONN_PACK_CONV_STEM, true, &c))
        return 0;
    stem_deal(p, &c, &rows, &kt, &copy);
    return (size_t)(onn_div_up(c.p, rows) * c.g.n * copy) * sizeof(float);
}

static struct onn_cost stem_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_cpu c;

    (void)t;
    if (onn_conv_cpu_refuse(p, ONN_PACK_CONV_STEM, true, &c))
        return cost_of(p, 0.5);
    return cost_of(p, 0.65 * (double)c.g.k / (double)(c.k_blocks * c.vl) * (c.k_blocks == 1 ? 0.7 : 1));
}

static enum oclnn_status stem_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_cpu c;
    struct onn_launch *l;
    int64_t rows, kt, copy;

    (void)t;
    if (!ready(p, ONN_PACK_CONV_STEM, true, "stem", &c, b))
        return b->status;
    stem_deal(p, &c, &rows, &kt, &copy);
    l = onn_conv_cpu_launch(p, &c, ONN_PACK_CONV_STEM, "conv_stem", "conv2d_stem", b);
    onn_arg_workspace(l, 0);
    onn_conv_cpu_ints(b, l,
        (int64_t[]){c.g.c, c.h, c.w, c.g.k, c.k_blocks, c.p, c.q, c.r, c.s, c.stride_h, c.stride_w, c.pad_h,
            c.pad_w, c.dil_h, c.dil_w},
        15);
    onn_conv_cpu_strides(b, l, &c);
    onn_conv_cpu_ints(b, l, (int64_t[]){rows, kt}, 2);
    onn_conv_cpu_end(b, l, &c);
    onn_launch_size3(l,
        (size_t[3]){(size_t)onn_div_up(c.p, rows), (size_t)c.g.n,
            (size_t)onn_div_up(onn_div_up(c.k_blocks, TILE_BLOCKS), kt)},
        (size_t[3]){1, 1, 1});
    return b->status;
}

const struct onn_variant onn_conv_stem = {
    .name = "stem",
    .flags = CPU_FLAGS,
    .refuse = stem_refuse,
    .formats = stem_formats,
    .cost = stem_cost,
    .workspace = stem_workspace,
    .bind = stem_bind,
};
