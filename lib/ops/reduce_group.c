/* Reductions on GPUs: work-groups read neighbours in memory and add up in local memory; where there are few outputs, each
 * in parts, which a second launch adds in order. */
#include "ops/reduce.h"

#include <limits.h>

#define GROUPS 1024 /* wanted, by parts; fixed: results do not hang on the device's units */
#define MOST_PARTS 128
#define TERMS 16 /* of an item at least, before there are parts */
#define MOST_LANES 32

struct red_group { /* cl/reduce.cl */
    int32_t outer, channels, n, px, step_n, step_px, part, parts;
    int64_t x_so, x_sc, x_sn, x_sp, y_so, y_sc;
};
struct layout {
    struct red_group g;
    int lanes, items;
};

static int64_t distance(int64_t stride)
{
    return stride < 0 ? -stride : stride;
}

/* Kept dimensions that are one in both tensors. */
static void merge_kept(struct onn_reduce_split *s)
{
    int n = 0;
    for (int i = 1; i < s->nk; i++) {
        if (s->xk[n] == s->xk[i] * s->kd[i] && s->yk[n] == s->yk[i] * s->kd[i])
            s->kd[n] *= s->kd[i]; /* fits: all elements do */
        else
            s->kd[++n] = s->kd[i];
        s->xk[n] = s->xk[i];
        s->yk[n] = s->yk[i];
    }
    s->nk = s->nk ? n + 1 : 0;
}

static void cut(struct layout *l)
{
    struct red_group *g = &l->g;
    const int64_t count = (int64_t)g->n * g->px, rows = l->items / l->lanes;
    const int64_t tiles = onn_div_up(g->channels, l->lanes) * (int64_t)g->outer;
    int64_t parts = onn_div_up(GROUPS, tiles);
    if (parts > count / (TERMS * rows))
        parts = count / (TERMS * rows);
    if (parts > MOST_PARTS)
        parts = MOST_PARTS;
    g->part = (int32_t)onn_div_up(count, parts > 0 ? parts : 1);
    g->parts = (int32_t)onn_div_up(count, g->part);
    g->step_n = (int32_t)(rows / g->px);
    g->step_px = (int32_t)(rows % g->px);
}

static const char *layout_of(const struct onn_prob *p, struct layout *l)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    struct onn_reduce_split s;
    uint32_t mask;
    if (!p->caps || p->caps->max_group < 64)
        return "work-groups are too small";
    if (onn_reduce_kind(p->op) == ONN_RED_LOG_SUM_EXP)
        return "no two passes";
    if (!onn_reduce_axes(p, &mask))
        return "axes are not known";
    if (x->format.block > 1 || x->format.pack || y->format.block > 1)
        return "blocked";
    if (onn_desc_elements(x) > INT_MAX / 2 || onn_desc_elements(x) < 1 || !onn_reduce_split(x, y, mask, &s))
        return "too many elements or none";
    merge_kept(&s);
    if (s.nk > 2 || s.nr > 2)
        return "too many separate dimensions";
    const int r = s.nr - 1, k = s.nk - 1; /* the inner ones */
    const bool swap_r = r == 1 && distance(s.xr[0]) < distance(s.xr[1]);
    const bool swap_k = k == 1 && distance(s.xk[0]) < distance(s.xk[1]);
    const int ri = swap_r ? 0 : r, ki = swap_k ? 0 : k;
    l->g = (struct red_group){.outer = k == 1 ? s.kd[!ki] : 1,
        .channels = k < 0 ? 1 : s.kd[ki],
        .n = r == 1 ? s.rd[!ri] : 1,
        .px = r < 0 ? 1 : s.rd[ri],
        .x_so = k == 1 ? s.xk[!ki] : 0,
        .x_sc = k < 0 ? 0 : s.xk[ki],
        .x_sn = r == 1 ? s.xr[!ri] : 0,
        .x_sp = r < 0 ? 0 : s.xr[ri],
        .y_so = k == 1 ? s.yk[!ki] : 0,
        .y_sc = k < 0 ? 0 : s.yk[ki]};
    const int64_t count = (int64_t)l->g.n * l->g.px;
    if (count < 32)
        return "few terms"; /* an item of its own for each output is as good */
    l->lanes = 1;
    while (k >= 0 && distance(l->g.x_sc) < distance(l->g.x_sp) && l->lanes < MOST_LANES &&
        l->lanes < l->g.channels)
        l->lanes *= 2;
    l->items = p->caps->max_group >= 256 && count * l->lanes >= 1024 ? 256 : 64;
    cut(l);
    return (int64_t)l->items * l->g.parts * l->g.outer * onn_div_up(l->g.channels, l->lanes) > INT_MAX
        ? "too many outputs"
        : NULL;
}

static const char *refuse(const struct onn_prob *p)
{
    struct layout l;
    return layout_of(p, &l);
}

static size_t workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct layout l;
    (void)t;
    if (layout_of(p, &l) || l.g.parts == 1)
        return 0;
    return (size_t)l.g.parts * (size_t)l.g.outer * (size_t)l.g.channels * sizeof(int64_t); /* or less */
}

/* On a vector CPU barriers cost much: rows, cols and channels are for that. */
static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    const bool cpu = p->caps && (p->caps->vector_cpu || p->caps->simulated);
    struct layout l = {.g.parts = 1};
    (void)t;
    (void)layout_of(p, &l);
    return (struct onn_cost){.flop = onn_prob_flop(p),
        .bytes = onn_prob_bytes(p) * (cpu ? 8 : 1),
        .launches = l.g.parts > 1 ? 2 : 1,
        .efficiency = cpu ? 0.005 : 0.1};
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct layout l;
    const char *reason = layout_of(p, &l);
    (void)t;
    if (reason)
        return onn_error(OCLNN_ERROR_INTERNAL, "reduce: %s", reason);
    const char *type = onn_any_define(p->in[0].dtype, b->arena);
    const int op = (int)onn_reduce_kind(p->op);
    const size_t outputs = (size_t)l.g.outer * (size_t)l.g.channels;
    struct onn_launch *launch = onn_bind_add(b, "reduce", "reduce_group",
        "%s -D RED_OP=%d -D RED_WG=%d -D RED_LANES=%d", type, op, l.items, l.lanes);
    onn_arg_in(launch, 0);
    if (l.g.parts > 1)
        onn_arg_workspace(launch, 0);
    else
        onn_arg_out(launch, 0);
    onn_arg_out(launch, 0);
    onn_arg_bytes(b, launch, &l.g, sizeof l.g);
    onn_launch_size1(launch,
        (size_t)l.items * (size_t)l.g.parts * (size_t)l.g.outer * (size_t)onn_div_up(l.g.channels, l.lanes),
        (size_t)l.items);
    if (l.g.parts == 1)
        return b->status;
    launch = onn_bind_add(b, "reduce", "reduce_group_end", "%s -D RED_OP=%d -D RED_WG=%d -D RED_LANES=%d",
        type, op, l.items, l.lanes);
    onn_arg_workspace(launch, 0);
    onn_arg_out(launch, 0);
    onn_arg_bytes(b, launch, &l.g, sizeof l.g);
    onn_launch_size1(launch, outputs, 64);
    return b->status;
}

const struct onn_variant onn_reduce_group = {.name = "group",
    .flags = ONN_VARIANT_EXACT,
    .refuse = refuse,
    .formats = onn_reduce_formats,
    .cost = cost,
    .workspace = workspace,
    .bind = bind};
