/* Batch normalisation in training and its gradient on GPUs: work-groups of one channel, or of some that lie side by side,
 * read neighbouring pixels; cl/batchnorm_group.cl. */
#include "ops/batchnorm_train.h"
#include "ops/reduce.h"

#include <limits.h>

#define GROUPS 512 /* wanted, by parts; fixed: results do not hang on the device's units */
#define MOST_PARTS 64
#define PIXELS 16 /* of an item at least, before there are parts */
#define LANES 16 /* channels of a group, where they are neighbours */

struct bng_args { /* cl/batchnorm_group.cl */
    int32_t n, c, px, part, parts, step_n, step_px, outs, has_res, mask;
    float epsilon, momentum, lo, hi;
    int64_t x_s[3], y_s[3], z_s[3];
};
struct layout {
    struct bng_args a;
    int lanes, items;
};

static size_t groups_of(const struct layout *l)
{
    return (size_t)onn_div_up(l->a.c, l->lanes) * (size_t)l->a.parts;
}

/* x, dy or y, dx or what is added: their strides; how the pixels are dealt. */
static const char *layout_of(const struct onn_prob *p, const struct onn_desc *const t[3], struct layout *l)
{
    const struct onn_desc *x = t[0];
    struct bng_args *a = &l->a;
    int64_t px = 1;
    *l = (struct layout){.lanes = 1, .items = 256};
    if (!p->caps || p->caps->max_group < 64)
        return "work-groups are too small";
    if (x->dtype != OCLNN_F32 && x->dtype != OCLNN_F16)
        return "another element type";
    for (int i = 0; i < 3; i++)
        if (t[i]->format.block > 1 || t[i]->format.pack)
            return "other formats";
    if (!onn_desc_pixel_strides(t[0], a->x_s) || !onn_desc_pixel_strides(t[1], a->y_s) ||
        !onn_desc_pixel_strides(t[2], a->z_s))
        return "pixels do not follow each other";
    if (onn_desc_elements(x) < 1 || onn_desc_elements(x) > INT_MAX / 2)
        return "too many elements or none";
    for (int i = 2; i < x->rank; i++)
        px *= x->dim[i];
    a->n = (int32_t)x->dim[0];
    a->c = (int32_t)x->dim[1];
    a->px = (int32_t)px;
    a->outs = onn_batchnorm_outs(p);
    const int64_t pixels = x->dim[0] * px;
    while ((px == 1 || a->x_s[1] < a->x_s[2]) && l->lanes < LANES && l->lanes < a->c)
        l->lanes *= 2;
    if (p->caps->max_group < 256 || pixels * l->lanes < 512)
        l->items = 64;
    const int64_t rows = l->items / l->lanes, want = onn_div_up(GROUPS, onn_div_up(a->c, l->lanes));
    int64_t parts = want < pixels / (PIXELS * rows) ? want : pixels / (PIXELS * rows);
    parts = parts < 1 ? 1 : parts < MOST_PARTS ? parts : MOST_PARTS;
    a->part = (int32_t)onn_div_up(pixels, parts);
    a->parts = (int32_t)onn_div_up(pixels, a->part);
    a->step_n = (int32_t)(rows / px);
    a->step_px = (int32_t)(rows % px);
    return groups_of(l) > (size_t)INT_MAX / 256 ? "too many channels" : NULL;
}

static size_t part_bytes(const struct layout *l)
{
    return l->a.parts > 1 ? (size_t)l->a.parts * 2 * (size_t)l->a.c * sizeof(float) : 0;
}

static struct onn_launch *start(const struct onn_prob *p, struct onn_bind *b, const char *kernel,
    const struct layout *l)
{
    return onn_bind_add(b, "batchnorm_group", kernel, "%s -D BNG_WG=%d -D BNG_LANES=%d",
        onn_any_define(p->in[0].dtype, b->arena), l->items, l->lanes);
}

static void end(struct onn_bind *b, struct onn_launch *l, const struct layout *g)
{
    onn_arg_bytes(b, l, &g->a, sizeof g->a);
    onn_launch_size1(l, groups_of(g) * (size_t)g->items, (size_t)g->items);
}

/* Sums and result are a pass each over the tensors; the second pass over one part comes from the caches. */
static struct onn_cost cost_of(const struct onn_prob *p, const struct layout *l)
{
    const bool cpu = p->caps && (p->caps->vector_cpu || p->caps->simulated); /* there barriers cost much */
    return (struct onn_cost){.flop = 8 * (double)onn_desc_elements(&p->in[0]),
        .bytes = onn_prob_bytes(p) *
            (cpu                     ? 8
                    : l->a.parts > 1 ? 1.6
                                     : 1.2),
        .launches = cpu      ? 3
            : l->a.parts > 1 ? 2
                             : 1,
        .efficiency = cpu ? 0.004 : 0.1};
}

/* ---- forward ---- */
static const char *train_layout(const struct onn_prob *p, struct layout *l, int *res)
{
    struct onn_epi_standard epi;
    float epsilon;
    if (onn_batchnorm_is_inference(p->attr, p->n_out, &epsilon))
        return "inference form";
    if (!onn_epilogue_standard(p, &epi))
        return "another epilogue than + a tensor, relu or clip";
    *res = epi.residual < 0 ? 0 : onn_prob_own_inputs(p) + epi.residual;
    const char *reason =
        layout_of(p, (const struct onn_desc *const[]){&p->in[0], &p->out[0], &p->in[*res]}, l);
    l->a.has_res = epi.residual >= 0;
    l->a.lo = epi.lo;
    l->a.hi = epi.hi;
    l->a.epsilon = epsilon;
    l->a.momentum = ((const struct onn_batchnorm_attr *)p->attr)->momentum;
    return reason;
}

static const char *train_refuse(const struct onn_prob *p)
{
    struct layout l;
    int res;
    return train_layout(p, &l, &res);
}

static size_t train_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct layout l;
    int res;
    (void)t;
    return train_layout(p, &l, &res) ? 0 : part_bytes(&l);
}

static struct onn_cost train_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct layout l = {.a.parts = 2};
    int res;
    (void)t;
    (void)train_layout(p, &l, &res);
    return cost_of(p, &l);
}

static enum oclnn_status train_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_launch *l;
    struct layout g;
    int res;
    const char *reason = train_layout(p, &g, &res);
    (void)t;
    if (reason)
        return b->status = onn_error(OCLNN_ERROR_SHAPE, "batch normalisation: %s", reason);
    if (g.a.parts > 1) {
        l = start(p, b, "bng_parts", &g);
        onn_arg_in(l, 0);
        onn_arg_workspace(l, 0);
        end(b, l, &g);
    }
    l = start(p, b, "bng_normalise", &g);
    for (int i = 0; i < 5; i++)
        onn_arg_in(l, i);
    onn_arg_in(l, res);
    if (g.a.parts > 1)
        onn_arg_workspace(l, 0);
    else
        onn_arg_in(l, 0);
    for (int i = 0; i < 5; i++)
        onn_arg_out(l, g.a.outs >> i & 1 ? i : 0);
    end(b, l, &g);
    return b->status;
}

static int train_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_batchnorm_formats(p, out, max, 1);
}

/* ---- gradient ---- */
static const char *dx_layout(const struct onn_prob *p, struct layout *l)
{
    const struct onn_batchnorm_dx_attr *t = p->attr;
    if (p->epi && p->epi->n)
        return "takes no epilogue";
    const char *reason = layout_of(p, (const struct onn_desc *const[]){&p->in[1], &p->in[0], &p->out[0]}, l);
    l->a.mask = (int32_t)t->mask;
    l->a.lo = t->lo;
    l->a.hi = t->hi;
    return reason;
}

static const char *dx_refuse(const struct onn_prob *p)
{
    struct layout l;
    return dx_layout(p, &l);
}

static size_t dx_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    struct layout l;
    (void)t;
    return dx_layout(p, &l) ? 0 : part_bytes(&l);
}

static struct onn_cost dx_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct layout l = {.a.parts = 2};
    (void)t;
    (void)dx_layout(p, &l);
    return cost_of(p, &l);
}

static enum oclnn_status dx_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const int bias = onn_prob_has(p, ONN_BATCHNORM_DX_BIAS) ? ONN_BATCHNORM_DX_BIAS : 2;
    struct onn_launch *l;
    struct layout g;
    const char *reason = dx_layout(p, &g);
    (void)t;
    if (reason)
        return b->status = onn_error(OCLNN_ERROR_SHAPE, "batchnorm_dx: %s", reason);
    for (int last = g.a.parts == 1; last < 2; last++) {
        l = start(p, b, last ? "bng_dx" : "bng_dx_parts", &g);
        for (int i = 0; i < 5; i++)
            onn_arg_in(l, i);
        onn_arg_in(l, bias);
        if (g.a.parts > 1)
            onn_arg_workspace(l, 0);
        else
            onn_arg_in(l, 0);
        for (int i = 0; i < 3 && last; i++)
            onn_arg_out(l, g.a.outs >> i & 1 ? i : 0);
        end(b, l, &g);
    }
    return b->status;
}

static int dx_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_batchnorm_formats(p, out, max, 2);
}

const struct onn_variant onn_batchnorm_train_group = {.name = "train_group",
    .flags = ONN_VARIANT_EPILOGUE,
    .refuse = train_refuse,
    .formats = train_formats,
    .cost = train_cost,
    .workspace = train_workspace,
    .bind = train_bind};
const struct onn_variant onn_batchnorm_dx_group = {.name = "group",
    .refuse = dx_refuse,
    .formats = dx_formats,
    .cost = dx_cost,
    .workspace = dx_workspace,
    .bind = dx_bind};
