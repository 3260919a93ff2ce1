/* channelshuffle: see shuffle.h. */
#include "ops/shuffle.h"
#include "ops/grad.h"
#include "ops/walk.h"

#include <stddef.h>

static int64_t group_of(const struct onn_prob *p)
{
    return ((const struct onn_shuffle_attr *)p->attr)->group;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0];
    ONN_CHECK(x->rank >= 2, OCLNN_ERROR_SHAPE, "the tensor has %d dimensions, not 2 or more", (int)x->rank);
    ONN_CHECK(x->dim[1] < 0 || x->dim[1] % group_of(p) == 0, OCLNN_ERROR_SHAPE,
        "group=%lld does not divide %lld channels", (long long)group_of(p), (long long)x->dim[1]);
    status = onn_infer_same(p, out);
fail:
    return status;
}

static struct onn_walk make_walk(const struct onn_prob *p, const struct onn_desc *x, const int64_t *xs,
    const int64_t *ys)
{
    const int64_t group = group_of(p), each = x->dim[1] / group;
    struct onn_walk w = {0};
    onn_walk_add(&w, x->dim[0], xs[0], ys[0]);
    onn_walk_add(&w, group, xs[1] * each, ys[1]);
    onn_walk_add(&w, each, xs[1], ys[1] * group);
    for (int d = 2; d < x->rank; d++)
        onn_walk_add(&w, x->dim[d], xs[d], ys[d]);
    return w;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc;
    int64_t strides[ONN_MAX_RANK];
    onn_plain_strides(x->rank, x->dim, strides);
    const struct onn_walk w = make_walk(p, x, strides, strides);
    onn_walk_host(&w, oclnn_dtype_size(x->dtype), p->value[0]->data, out[0]->data);
    return OCLNN_OK;
}

static enum oclnn_status grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_shuffle_attr back = {.group = p->in[0].dim[1] / group_of(p)};
    g->add(g, 0, onn_grad_1(g, "channelshuffle", &back, g->dout[0]));
    return g->graph->status;
}

/* ---- reference ---- */
static const char *reference_refuse(const struct onn_prob *p)
{
    return p->in[0].format.block > 1 || p->out[0].format.block > 1 ? "blocked" : NULL;
}

static int reference_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    const struct onn_format list[2] = {onn_format_plain(), onn_format_nhwc(p->in[0].rank)};
    int n = 0;
    for (int i = 0; i < 2 && n < max && (i == 0 || p->in[0].rank > 2); i++)
        out[n++] = (struct onn_formats){.n_in = 1, .n_out = 1, .in = {list[i]}, .out = {list[i]}};
    return n;
}

static enum oclnn_status reference_bind(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    (void)t;
    const struct onn_walk w = make_walk(p, &p->in[0], p->in[0].stride, p->out[0].stride);
    return onn_walk_bind(p, b, 0, 0, &w);
}

static const struct onn_variant reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = reference_refuse,
    .formats = reference_formats,
    .cost = onn_cost_copy,
    .bind = reference_bind,
};

/* ---- blocked: vector CPUs ---- */
static bool lies_blocked(const struct onn_desc *d, int64_t vl)
{
    return d->format.block == vl && d->format.axis == 1 && !d->format.permuted && !d->format.pack &&
        (d->stride[d->rank - 1] == vl || d->dim[d->rank - 1] == 1);
}

static const char *blocked_refuse(const struct onn_prob *p)
{
    const struct onn_desc *x = &p->in[0];
    const int64_t vl = p->caps->vector_width;
    if (!p->caps->vector_cpu || vl < 4)
        return "needs a vector CPU";
    if (x->dtype != OCLNN_F32)
        return "only f32";
    if (x->rank < 3 || x->rank > 4)
        return "only one or two dimensions behind the channels";
    if (x->dim[0] > INT32_MAX || x->dim[1] > INT32_MAX / 2 || x->dim[2] > INT32_MAX ||
        x->dim[x->rank - 1] > INT32_MAX)
        return "a dimension does not fit 31 bits";
    return lies_blocked(x, vl) && lies_blocked(&p->out[0], vl) ? NULL : "other formats";
}

static int blocked_formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    if (max < 1 || !p->caps || !p->caps->vector_cpu || p->in[0].rank < 2)
        return 0;
    const struct onn_format f = onn_format_blocked(1, p->caps->vector_width);
    *out = (struct onn_formats){.n_in = 1, .n_out = 1, .in = {f}, .out = {f}};
    return 1;
}

static struct onn_cost blocked_cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost c = onn_cost_copy(p, t);
    c.flop = 2 * (double)onn_desc_elements(&p->out[0]); /* a load and an insertion for each element */
    c.efficiency = 0.05;
    return c;
}

static enum oclnn_status blocked_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    const int64_t vl = p->caps->vector_width, cores = p->caps->compute_units > 0 ? p->caps->compute_units : 1;
    const bool flat = x->rank == 3;
    const int64_t c = x->dim[1], blocks = (c + vl - 1) / vl;
    int64_t rows = flat ? 1 : x->dim[2], width = x->dim[x->rank - 1];
    int64_t x_row = flat ? 0 : x->stride[2], y_row = flat ? 0 : y->stride[2], part;
    (void)t;
    if (onn_desc_elements(x) == 0)
        return b->status;
    if (!flat && x_row == width * vl && y_row == width * vl && rows * width <= INT32_MAX) {
        width *= rows; /* one long row */
        rows = 1;
    }
    part =
        width; /* pixels of a work-group: enough groups for all cores, none shorter than a launch is worth */
    while (part > 512 && blocks * rows * x->dim[0] * ((width + part - 1) / part) < 4 * cores)
        part = (part + 1) / 2;
    struct onn_launch *l = onn_bind_add(b, "shuffle", "shuffle_blocked", "-D VL=%d", (int)vl);
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    for (int i = 0; i < 5; i++)
        onn_arg_int(b, l, ((const int64_t[]){c, group_of(p), rows, width, part})[i]);
    for (int i = 0; i < 6; i++)
        onn_arg_long(b, l,
            ((const int64_t[]){x->stride[0], x->stride[1], x_row, y->stride[0], y->stride[1], y_row})[i]);
    onn_launch_size3(l,
        (size_t[3]){(size_t)((width + part - 1) / part), (size_t)rows * (size_t)blocks, (size_t)x->dim[0]},
        (size_t[3]){1, 1, 1});
    return b->status;
}

static const struct onn_variant blocked = {
    .name = "blocked",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = blocked_refuse,
    .formats = blocked_formats,
    .cost = blocked_cost,
    .bind = blocked_bind,
};
static const struct onn_variant *const variants[] = {&blocked, &reference, NULL};

static const struct onn_attr attrs[] = {
    {.name = "group",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_shuffle_attr, group),
        .def = 1,
        .min = 1,
        .max = INT32_MAX},
    {.type = ONN_ATTR_END},
};

static const struct onn_op channelshuffle = {
    .name = "channelshuffle",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_shuffle_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .grad = grad,
    .variants = variants,
    .flop = onn_flop_none,
};

extern const struct onn_op *const onn_ops_shuffle[];
const struct onn_op *const onn_ops_shuffle[] = {&channelshuffle, NULL};
