/* Reduction of a blocked tensor to one number per channel, as the gradient of a bias is one: parts of some images each, then
 * their parts in order. Without it the tensor would be put into another layout first. */
#include "ops/reduce.h"

#include <limits.h>

#define PART 4096 /* pixels of a part at least: fixed, so that results do not hang on the device */

struct red_channels { /* cl/reduce.cl */
    int32_t n, px, images, parts, c; /* images: of one part */
    int64_t x_sn, x_sc;
};

static const char *geometry(const struct onn_prob *p, struct red_channels *g)
{
    const struct onn_desc *x = &p->in[0];
    uint32_t mask;
    if (!p->caps || !p->caps->vector_cpu)
        return "for vector CPUs";
    if ((x->dtype != OCLNN_F32 && x->dtype != OCLNN_F16) || onn_reduce_kind(p->op) == ONN_RED_LOG_SUM_EXP)
        return "for sums, products, extremes of f32 and f16";
    if (!onn_reduce_axes(p, &mask) || x->rank < 3 || mask != (((1u << x->rank) - 1) & ~2u))
        return "not over everything but the channels";
    if (x->format.block != p->caps->vector_width || x->format.axis != 1 || x->format.permuted ||
        x->format.pack || !onn_format_is_plain(&p->out[0].format))
        return "other formats";
    const int64_t px = x->stride[1] / x->format.block;
    if (x->dim[0] < 1 || px < 1 || x->dim[0] > INT_MAX || px > INT_MAX || x->dim[1] < 1 ||
        x->dim[1] > INT_MAX)
        return "too many elements or none";
    const int64_t images = px < PART ? PART / px : 1;
    *g = (struct red_channels){.n = (int32_t)x->dim[0],
        .px = (int32_t)px,
        .images = (int32_t)images,
        .parts = (int32_t)((x->dim[0] + images - 1) / images),
        .c = (int32_t)x->dim[1],
        .x_sn = x->stride[0],
        .x_sc = x->stride[1]};
    return NULL;
}

static const char *refuse(const struct onn_prob *p)
{
    struct red_channels g;
    return geometry(p, &g);
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    if (max < 1 || !p->caps || !p->caps->vector_cpu || p->in[0].rank < 3 || p->in[0].rank > 5)
        return 0;
    out[0] = (struct onn_formats){.n_in = 2, .n_out = 1};
    out[0].in[0] = onn_format_blocked(1, p->caps->vector_width);
    return 1;
}

static size_t blocks_of(const struct onn_prob *p, const struct red_channels *g)
{
    return ((size_t)g->c + (size_t)p->caps->vector_width - 1) / (size_t)p->caps->vector_width;
}

static size_t workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct red_channels g;
    (void)t;
    return geometry(p, &g)
        ? 0
        : (size_t)g.parts * blocks_of(p, &g) * (size_t)p->caps->vector_width * sizeof(float);
}

static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){.flop = onn_prob_flop(p),
        .bytes = onn_prob_bytes(p) * 1.05,
        .launches = 2,
        .efficiency = 0.2};
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct red_channels g;
    const char *reason = geometry(p, &g);
    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_INTERNAL, "reduce: %s", reason);
    const char *type = onn_any_define(p->in[0].dtype, b->arena);
    const int op = (int)onn_reduce_kind(p->op), vl = p->caps->vector_width;
    struct onn_launch *l =
        onn_bind_add(b, "reduce", "reduce_channels", "%s -D RED_OP=%d -D VL=%d", type, op, vl);
    onn_arg_in(l, 0);
    onn_arg_workspace(l, 0);
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_launch_size2(l, (size_t)g.parts, blocks_of(p, &g), 1, 1);
    l = onn_bind_add(b, "reduce", "reduce_channels_end", "%s -D RED_OP=%d -D VL=%d", type, op, vl);
    onn_arg_workspace(l, 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_launch_size1(l, blocks_of(p, &g), 1);
    return b->status;
}

const struct onn_variant onn_reduce_channels = {.name = "channels",
    .flags = ONN_VARIANT_EXACT,
    .refuse = refuse,
    .formats = formats,
    .cost = cost,
    .workspace = workspace,
    .bind = bind};
