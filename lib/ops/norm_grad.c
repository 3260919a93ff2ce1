/* Gradients of softmax and of the normalisations, composed of reductions and element-wise rows. */
#include "ops/grads.h"
#include "ops/norm.h"
#include "ops/softmax.h"

#include <math.h>
#include <string.h>

static int32_t mul(struct onn_grad *g, int32_t a, int32_t b)
{
    return onn_grad_2(g, "mul", NULL, a, b);
}
static int32_t sub(struct onn_grad *g, int32_t a, int32_t b)
{
    return onn_grad_2(g, "sub", NULL, a, b);
}

/* ---- softmax ---- */
static uint32_t softmax_mask(const struct onn_prob *p)
{
    const struct onn_softmax_attr *a = p->attr;
    const int rank = p->in[0].rank;
    int axis = 0;
    if (rank == 0 || (a && a->legacy && a->axis == rank) || !onn_axis_resolve(a ? a->axis : -1, rank, &axis))
        return 0;
    return a && a->legacy ? ((1u << rank) - 1) & ~((1u << axis) - 1) : 1u << axis;
}

/* y is constant where nothing is summed over. */
static bool alone(struct onn_grad *g, uint32_t mask)
{
    if (mask)
        return false;
    g->add(g, 0, onn_grad_zeros(g, g->in[0]));
    return true;
}

enum oclnn_status onn_softmax_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const uint32_t mask = softmax_mask(p);
    const int32_t dy = g->dout[0], y = g->out[0];
    if (!alone(g, mask))
        g->add(g, 0, mul(g, y, sub(g, dy, onn_grad_reduce(g, "reducesum", mul(g, dy, y), mask))));
    return OCLNN_OK;
}

enum oclnn_status onn_logsoftmax_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const uint32_t mask = softmax_mask(p);
    const int32_t dy = g->dout[0];
    if (!alone(g, mask))
        g->add(g, 0,
            sub(g, dy,
                mul(g, onn_grad_1(g, "exp", NULL, g->out[0]), onn_grad_reduce(g, "reducesum", dy, mask))));
    return OCLNN_OK;
}

/* ---- rows with their own mean and variance ---- */
struct normalised {
    int32_t x, dev; /* (x - mean) / deviation, 1 / deviation; means taken over mask */
};

static struct normalised normalise(struct onn_grad *g, int32_t x, uint32_t mask, double epsilon)
{
    struct normalised n;
    const int32_t centred = sub(g, x, onn_grad_reduce(g, "reducemean", x, mask));
    const int32_t variance = onn_grad_reduce(g, "reducemean", mul(g, centred, centred), mask);
    const int32_t square = onn_grad_2(g, "add", NULL, variance, onn_grad_number(g, epsilon));
    n.dev = onn_grad_1(g, "reciprocal", NULL, onn_grad_1(g, "sqrt", NULL, square));
    n.x = mul(g, centred, n.dev);
    return n;
}

/* dev * (d - mean(d) - x' * mean(d x')) */
static int32_t normalised_dx(struct onn_grad *g, const struct normalised *n, int32_t d, uint32_t mask)
{
    const int32_t flat = sub(g, d, onn_grad_reduce(g, "reducemean", d, mask));
    const int32_t slope = onn_grad_reduce(g, "reducemean", mul(g, d, n->x), mask);
    return mul(g, n->dev, sub(g, flat, mul(g, n->x, slope)));
}

/* scale or bias in a shape that broadcasts to x. */
static int32_t spread(struct onn_grad *g, int32_t v, const struct onn_desc *x, bool layer)
{
    if (layer || !v)
        return v;
    int64_t dim[ONN_MAX_RANK];
    for (int i = 0; i < x->rank; i++)
        dim[i] = i == 1 ? x->dim[1] : 1;
    return onn_grad_reshape(g, v, x->rank, dim);
}

/* InstanceNormalization, LayerNormalization, GroupNormalization: x, scale, bias. */
enum oclnn_status onn_norm_rows_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_desc x = p->in[0];
    const bool layer = p->op->name[0] == 'l';
    struct onn_norm_rows rows;
    if (!onn_norm_rows(p, &rows))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "node '%s': too many elements for its gradient", g->name);
    for (int i = 1; i < g->n_out; i++)
        if (g->dout[i])
            return onn_error(OCLNN_ERROR_UNSUPPORTED, "node '%s': only output 0 has a gradient", g->name);
    int32_t scale = g->in[1];
    if (layer && onn_desc_elements(&p->in[1]) != rows.len)
        return onn_grad_refuse(g, 0, "the scale is broadcast");
    if (layer) { /* [dims from the axis on], whatever shape the scale has */
        int first = x.rank;
        for (int64_t n = 1; first > 0 && n < rows.len; n *= x.dim[first])
            first--;
        scale = onn_grad_reshape(g, scale, x.rank - first, x.dim + first);
    }
    const int32_t wide = spread(g, scale, &x, layer);
    const int64_t flat[2] = {rows.rows, rows.len};
    const int32_t rows_x = onn_grad_reshape(g, g->in[0], 2, flat);
    const struct normalised n = normalise(g, rows_x, 2, rows.epsilon);
    if (g->needed[0]) {
        const int32_t d = onn_grad_reshape(g, mul(g, g->dout[0], wide), 2, flat);
        g->add(g, 0, onn_grad_reshape_like(g, normalised_dx(g, &n, d, 2), g->in[0]));
    }
    if (g->needed[1]) {
        const int32_t product = mul(g, g->dout[0], onn_grad_reshape_like(g, n.x, g->in[0]));
        g->add(g, 1, onn_grad_reshape_like(g, onn_grad_unbroadcast(g, product, wide), g->in[1]));
    }
    if (g->n_in > 2 && g->in[2] && g->needed[2])
        g->add(g, 2, onn_grad_reshape_like(g, onn_grad_unbroadcast(g, g->dout[0], wide), g->in[2]));
    return OCLNN_OK;
}

enum oclnn_status onn_mvn_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_mvn_attr *a = p->attr;
    const int rank = p->in[0].rank;
    uint32_t mask = 0;
    if (a && a->axes.n > 0) {
        for (int i = 0; i < a->axes.n; i++) {
            int axis;
            if (onn_axis_resolve(a->axes.v[i], rank, &axis))
                mask |= 1u << axis;
        }
    } else {
        mask = 1u | (rank > 2 ? 4u : 0) | (rank > 3 ? 8u : 0);
    }
    const struct normalised n = normalise(g, g->in[0], mask, 0);
    g->add(g, 0, normalised_dx(g, &n, g->dout[0], mask));
    return OCLNN_OK;
}

/* y = x / norm: dx = (dy - slope * sum(dy y)) / norm, slope = y (p = 2) or sign(x) (p = 1); 0 where the norm is 0. */
enum oclnn_status onn_lpnorm_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_lpnorm_attr *a = p->attr;
    int axis = 0;
    if (!onn_axis_resolve(a->axis, p->in[0].rank, &axis))
        return onn_grad_refuse(g, 0, "wrong axis");
    const uint32_t mask = 1u << axis;
    const int32_t norm = onn_grad_reduce(g, a->p == 1 ? "reducel1" : "reducel2", g->in[0], mask);
    const int32_t slope = a->p == 1 ? onn_grad_1(g, "sign", NULL, g->in[0]) : g->out[0];
    const int32_t sum = onn_grad_reduce(g, "reducesum", mul(g, g->dout[0], g->out[0]), mask);
    const int32_t inner = sub(g, g->dout[0], mul(g, slope, sum));
    g->add(g, 0, onn_grad_3(g, "l2_dx", NULL, inner, onn_grad_number(g, 1), norm));
    return OCLNN_OK;
}
