/* Transposed convolution on blocked tensors for vector CPUs; it is also the data gradient of a convolution with a stride.
 * The kernels' heads in cl/convtranspose_*.cl say what the numbers mean. */
#include "ops/conv_variants.h"
#include "ops/convtranspose.h"
#include "ops/pack.h"

/* ---- blocked: vector CPUs ---- */
#define PX_GROUP 64 /* ONN_PX_GROUP in cl/lib/tile.h */
#define X_BYTES 262144 /* of a work-group's inputs: they stay in L2 beside the weights of a tile of K */
#define PX_LEAST 16
#define MAX_TAPS 64 /* CTB_TAPS in cl/convtranspose_blocked.cl */

static const char *blocked_check(const struct onn_prob *p, struct onn_conv_cpu *c)
{
    const char *reason = onn_conv_cpu_refuse(p, ONN_PACK_CONV_TRANSPOSE, false, c);

    if (reason)
        return reason;
    if (c->g.group > 1 && (c->g.c_group % c->vl || c->g.k_group % c->vl))
        return "channels of a group do not fill whole blocks";
    return c->r * c->s > MAX_TAPS ? "more than 64 taps" : NULL;
}

static const char *blocked_refuse(const struct onn_prob *p)
{
    struct onn_conv_cpu c;

    return blocked_check(p, &c);
}

static int blocked_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_conv_cpu_formats(p, ONN_PACK_CONV_TRANSPOSE, false, out, max);
}

static struct onn_cost blocked_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){onn_prob_flop(p), onn_conv_cpu_bytes(p), 1, 0.5};
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Pixels and tiles of K of a work-group, work-groups of the largest phase: enough for all cores; pixels share what is
 * read of the weights, so they are given up last. */
static void deal(const struct onn_prob *p, const struct onn_conv_cpu *c, int64_t phases, int64_t *per_phase,
    int64_t *px, int64_t *kt)
{
    const int64_t cores = p->caps->compute_units > 0 ? p->caps->compute_units : 1;
    const int64_t pixels = c->g.n * onn_div_up(c->p, c->stride_h) * onn_div_up(c->q, c->stride_w);
    const int64_t tiles = onn_div_up(c->k_blocks, 3), fit = X_BYTES / (c->c_blocks * c->vl * 4);
    const int64_t most = least(PX_GROUP, fit > PX_LEAST ? fit : PX_LEAST);

    *px = pixels > most ? onn_div_up(pixels, onn_div_up(pixels, most)) : pixels > 0 ? pixels : 1;
    *kt = tiles;
    while (phases * onn_div_up(pixels, *px) * onn_div_up(tiles, *kt) * c->g.group < 8 * cores &&
        (*kt > 1 || *px > 8))
        if (*kt > 1)
            *kt = onn_div_up(*kt, 2);
        else
            *px = onn_div_up(*px, 2);
    *per_phase = onn_div_up(pixels, *px);
}

static enum oclnn_status blocked_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_cpu c;
    const char *reason = blocked_check(p, &c);
    struct onn_launch *l;
    int64_t per_phase, px, kt;

    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "convtranspose blocked: %s", reason);
    const int64_t phases = least(c.stride_h, c.p) * least(c.stride_w, c.q), tiles = onn_div_up(c.k_blocks, 3);
    deal(p, &c, phases, &per_phase, &px, &kt);
    l = onn_conv_cpu_launch(p, &c, ONN_PACK_CONV_TRANSPOSE, "convtranspose_blocked", "convtranspose_blocked",
        b);
    onn_conv_cpu_ints(b, l,
        (int64_t[]){c.g.n, c.c_blocks, c.h, c.w, c.g.k, c.k_blocks, c.p, c.q, c.r, c.s, c.stride_h,
            c.stride_w, c.pad_h, c.pad_w, c.dil_h, c.dil_w},
        16);
    onn_conv_cpu_strides(b, l, &c);
    onn_conv_cpu_ints(b, l, (int64_t[]){px, kt}, 2);
    onn_arg_long(b, l, onn_conv_pack_zeros(ONN_PACK_CONV_TRANSPOSE, &p->in[1], p->in[1].format.p));
    onn_conv_cpu_end(b, l, &c);
    onn_launch_size3(l,
        (size_t[3]){(size_t)(per_phase * phases), (size_t)onn_div_up(tiles, kt), (size_t)c.g.group},
        (size_t[3]){1, 1, 1});
    return b->status;
}

const struct onn_variant onn_convtranspose_blocked = {
    .name = "blocked",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = blocked_refuse,
    .formats = blocked_formats,
    .cost = blocked_cost,
    .bind = blocked_bind,
};

/* ---- depthwise: one filter per channel ---- */
#define DEPTHWISE_SIDE 16 /* CTD_SIDE in cl/convtranspose_depthwise.cl */

static const char *depthwise_check(const struct onn_prob *p, struct onn_conv_cpu *c)
{
    const char *reason = onn_conv_cpu_refuse(p, ONN_PACK_CONV_DEPTHWISE, false, c);

    if (reason)
        return reason;
    if (c->g.group != c->g.c || c->g.group != c->g.k)
        return "not one filter per channel";
    return c->r > DEPTHWISE_SIDE || c->s > DEPTHWISE_SIDE ? "a filter of more than 16 rows or columns" : NULL;
}

static const char *depthwise_refuse(const struct onn_prob *p)
{
    struct onn_conv_cpu c;

    return depthwise_check(p, &c);
}

static int depthwise_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    const struct onn_convtranspose_attr *a = p->attr;

    if (a->group != p->in[0].dim[1] || p->in[1].dim[1] != 1)
        return 0;
    return onn_conv_cpu_formats(p, ONN_PACK_CONV_DEPTHWISE, false, out, max);
}

/* Bound by memory; a row costs as many loads as multiply-adds. */
static struct onn_cost depthwise_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){onn_prob_flop(p), onn_conv_cpu_bytes(p), 1, 0.2};
}

static enum oclnn_status depthwise_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    struct onn_conv_cpu c;
    const char *reason = depthwise_check(p, &c);
    const int64_t cores = p->caps->compute_units > 0 ? p->caps->compute_units : 1;
    struct onn_launch *l;
    int64_t rows, cb, blocks;

    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "convtranspose depthwise: %s", reason);
    cb = blocks = (c.g.c + c.vl - 1) / c.vl;
    rows = c.p;
    while ((c.p + rows - 1) / rows * ((blocks + cb - 1) / cb) * c.g.n < 4 * cores &&
        rows * cb * c.q * c.vl > 20000) {
        if (cb > 4)
            cb = (cb + 1) / 2;
        else if (rows > 1)
            rows = (rows + 1) / 2;
        else
            break;
    }
    l = onn_conv_cpu_launch(p, &c, ONN_PACK_CONV_DEPTHWISE, "convtranspose_depthwise",
        "convtranspose_depthwise", b);
    onn_conv_cpu_ints(b, l,
        (int64_t[]){c.g.c, c.h, c.w, c.p, c.q, c.r, c.s, c.stride_h, c.stride_w, c.pad_h, c.pad_w, c.dil_h,
            c.dil_w},
        13);
    onn_conv_cpu_strides(b, l, &c);
    onn_conv_cpu_ints(b, l, (int64_t[]){rows, cb}, 2);
    onn_conv_cpu_end(b, l, &c);
    onn_launch_size3(l,
        (size_t[3]){(size_t)((c.p + rows - 1) / rows), (size_t)((blocks + cb - 1) / cb), (size_t)c.g.n},
        (size_t[3]){1, 1, 1});
    return b->status;
}

const struct onn_variant onn_convtranspose_depthwise = {
    .name = "depthwise",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = depthwise_refuse,
    .formats = depthwise_formats,
    .cost = depthwise_cost,
    .bind = depthwise_bind,
};
