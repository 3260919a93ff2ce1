/* Winograd F(4x4, 3x3) for vector CPUs; the numbers are explained in cl/conv_wino43.cl. */
#include "ops/conv_variants.h"
#include "ops/pack.h"

#define SCRATCH_FLOATS 65536 /* of a set's transformed inputs: half of a small L2 */

/* wino_pitch of the kernel: spreads the 36 matrices over cache sets. */
static int64_t pitch(int64_t a)
{
    return (onn_div_up(a, 16) | 1) * 16;
}

static const char *wino_check(const struct onn_prob *p, struct onn_conv_cpu *c)
{
    const char *reason = onn_conv_cpu_refuse(p, ONN_PACK_CONV_WINOGRAD, false, c);

    if (reason)
        return reason;
    if (c->r != 3 || c->s != 3 || c->stride_h != 1 || c->stride_w != 1 || c->dil_h != 1 || c->dil_w != 1)
        return "not 3x3 with stride 1";
    if (c->g.group > 1 && (c->g.c_group % c->vl || c->g.k_group % c->vl))
        return "channels of a group do not fill whole blocks";
    if (c->g.n * onn_div_up(c->p, 4) * onn_div_up(c->q, 4) > INT32_MAX / 64)
        return "too many tiles";
    return NULL;
}

static const char *wino_refuse(const struct onn_prob *p)
{
    struct onn_conv_cpu c;

    return wino_check(p, &c);
}

static int wino_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_conv_cpu_formats(p, ONN_PACK_CONV_WINOGRAD, false, out, max);
}

/* How the tiles are dealt. */
struct deal {
    bool staged; /* two launches: transform, then the rest */
    int64_t tiles, t_set, sets;
    int64_t groups; /* work-groups over the sets */
    int64_t c_group,
        k_group; /* channel blocks of a work-group in stages 1 and 2; k_group is k_blocks if not staged */
    int64_t shared, own; /* scratch floats: of all sets in stages; of a work-group */
};

static struct deal deal(const struct onn_prob *p, const struct onn_conv_cpu *c)
{
    const int64_t cores = p->caps->compute_units > 0 ? p->caps->compute_units : 1;
    const int64_t tile_m1 = c->vl == 16 ? 16 : 12; /* TILE_M1 in cl/lib/tile.h */
    const int64_t fit = SCRATCH_FLOATS / (36 * c->c_blocks * c->vl) / 4 * 4;
    struct deal d = {.tiles = c->g.n * onn_div_up(c->p, 4) * onn_div_up(c->q, 4)};
    int64_t v;

    d.t_set = fit < 12 ? 12 : fit > 32 ? 32 : fit;
    d.sets = onn_div_up(d.tiles, d.t_set);
    d.staged = d.sets * c->g.group < 3 * cores;
    if (d.staged && d.t_set < 24) {
        d.t_set = 24; /* weights are read once for each set */
        d.sets = onn_div_up(d.tiles, d.t_set);
    }
    d.t_set = d.tiles > 0 ? onn_div_up(d.tiles, d.sets) : 1;
    v = 36 * pitch(c->c_blocks * d.t_set * c->vl) + tile_m1 * c->vl;
    d.groups = d.sets;
    d.k_group = c->k_blocks;
    if (d.staged) {
        const int64_t parts = onn_div_up(4 * cores, d.sets > 0 ? d.sets * c->g.group : 1);
        d.k_group = onn_div_up(onn_div_up(c->k_blocks, parts), 3) * 3;
        d.c_group = onn_div_up(c->c_blocks, parts);
        d.shared = v * d.sets * c->g.group;
        d.own = 36 * pitch(d.k_group * d.t_set * c->vl);
    } else {
        if (d.groups > 4 * cores)
            d.groups = 4 * cores;
        d.own = v + 36 * pitch(d.k_group * d.t_set * c->vl);
    }
    return d;
}

static size_t wino_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_conv_cpu c;
    struct deal d;

    (void)t;
    if (wino_check(p, &c))
        return 0;
    d = deal(p, &c);
    return (size_t)(d.shared + d.own * d.groups * onn_div_up(c.k_blocks, d.k_group) * c.g.group) *
        sizeof(float);
}

/* Share of the cores' time that is used: small images have few work-groups, and a last one may be alone. */
static double used(const struct onn_prob *p, const struct onn_conv_cpu *c, const struct deal *d)
{
    const int64_t cores = p->caps->compute_units > 0 ? p->caps->compute_units : 1;
    const int64_t groups = d->groups * onn_div_up(c->k_blocks, d->k_group) * c->g.group;
    const double work = (double)(d->groups * c->g.group) * (double)c->k_blocks / (double)d->k_group;

    return groups > 0 ? work / (double)(onn_div_up(groups, cores) * cores) : 1;
}

static struct onn_cost wino_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost cost = {.bytes = onn_conv_cpu_bytes(p), .launches = 1, .efficiency = 1};
    struct onn_conv_cpu c;
    struct deal d;
    double ci, ko;

    (void)t;
    if (wino_check(p, &c)) {
        cost.flop = onn_prob_flop(p);
        return cost;
    }
    d = deal(p, &c);
    ci = (double)(c.c_blocks * c.vl);
    ko = (double)(c.k_blocks * c.vl);
    /* 36 products at 4/5 of peak; the transforms, mostly loads and stores, as the multiply-adds that fit into their time
     * (measured at 8 lanes). */
    cost.flop = (double)(d.tiles * c.g.group) * (72 * ci * ko / 0.8 + 1800 * ci + 1400 * ko);
    cost.launches = d.staged ? 2 : 1;
    cost.flop /= used(p, &c, &d);
    return cost;
}

static void add_stage(const struct onn_prob *p, const struct onn_conv_cpu *c, const struct deal *d, int stage,
    int64_t block_group, int64_t groups_1, struct onn_bind *b)
{
    struct onn_launch *l =
        onn_conv_cpu_launch(p, c, ONN_PACK_CONV_WINOGRAD, "conv_wino43", "conv2d_wino43", b);

    onn_arg_workspace(l, 0);
    onn_conv_cpu_ints(b, l,
        (int64_t[]){c->g.n, c->c_blocks, c->h, c->w, c->g.k, c->k_blocks, c->p, c->q, c->pad_h, c->pad_w},
        10);
    onn_conv_cpu_strides(b, l, c);
    onn_conv_cpu_ints(b, l, (int64_t[]){d->t_set, block_group, stage}, 3);
    onn_conv_cpu_end(b, l, c);
    onn_launch_size3(l, (size_t[3]){(size_t)d->groups, (size_t)groups_1, (size_t)c->g.group},
        (size_t[3]){1, 1, 1});
}

static enum oclnn_status wino_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_conv_cpu c;
    const char *reason = wino_check(p, &c);
    struct deal d;

    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "conv winograd43: %s", reason);
    d = deal(p, &c);
    c.tile_1 =
        d.k_group == 1 || c.k_blocks % d.k_group == 1; /* of every group of blocks, or of the last one */
    if (d.staged) {
        add_stage(p, &c, &d, 1, d.c_group, onn_div_up(c.c_blocks, d.c_group), b);
        add_stage(p, &c, &d, 2, d.k_group, onn_div_up(c.k_blocks, d.k_group), b);
    } else {
        add_stage(p, &c, &d, 0, d.k_group, 1, b);
    }
    return b->status;
}

const struct onn_variant onn_conv_winograd43 = {
    .name = "winograd43",
    .flags = ONN_VARIANT_WINOGRAD | ONN_VARIANT_EPILOGUE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = wino_refuse,
    .formats = wino_formats,
    .cost = wino_cost,
    .workspace = wino_workspace,
    .bind = wino_bind,
};
