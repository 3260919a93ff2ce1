/* Gradients of the reductions and global pools, composed of element-wise rows and broadcasting. */
#include "ops/grads.h"
#include "ops/reduce.h"

/* prod: dx = dy * (product of the others). Zeros are replaced by ones for the product P: without a zero P / x, with one
 * zero P at its place, else 0. */
static int32_t product_dx(struct onn_grad *g, uint32_t mask, int32_t dy)
{
    const int32_t x = g->in[0];
    const int32_t zero = onn_grad_2(g, "eq_mask", NULL, x, onn_grad_number(g, 0));
    const int32_t count = onn_grad_reduce(g, "reducesum", zero, mask);
    const int32_t filled = onn_grad_2(g, "add", NULL, x, zero);
    const int32_t all = onn_grad_2(g, "mul", NULL, dy, onn_grad_reduce(g, "reduceprod", filled, mask));
    const int32_t none = onn_grad_2(g, "eq_mask", NULL, count, onn_grad_number(g, 0));
    const int32_t one = onn_grad_2(g, "eq_mask", NULL, count, onn_grad_number(g, 1));
    const int32_t others = onn_grad_2(g, "div", NULL, none, filled),
                  here = onn_grad_2(g, "mul", NULL, one, zero);
    return onn_grad_2(g, "mul", NULL, onn_grad_2(g, "add", NULL, others, here), all);
}

/* Evenly to all elements that equal the extreme. */
static int32_t extreme_dx(struct onn_grad *g, uint32_t mask, int32_t dy, int32_t y)
{
    const int32_t is = onn_grad_2(g, "eq_mask", NULL, g->in[0], y);
    return onn_grad_2(g, "mul", NULL, is,
        onn_grad_2(g, "div", NULL, dy, onn_grad_reduce(g, "reducesum", is, mask)));
}

enum oclnn_status onn_reduce_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_desc x = p->in[0];
    int64_t dim[ONN_MAX_RANK];
    uint32_t mask;
    double count = 1;
    if (!onn_reduce_axes(p, &mask))
        return onn_grad_refuse(g, 0, "the axes are not known");
    for (int i = 0; i < x.rank; i++) {
        dim[i] = mask >> i & 1 ? 1 : x.dim[i];
        count *= mask >> i & 1 ? (double)x.dim[i] : 1;
    }
    const int32_t dy = onn_grad_reshape(g, g->dout[0], x.rank, dim), in = g->in[0];
    const int32_t y = onn_grad_reshape(g, g->out[0], x.rank, dim);
    int32_t dx = 0;
    switch (onn_reduce_kind(p->op)) {
    case ONN_RED_SUM: dx = onn_grad_expand_like(g, dy, in); break;
    case ONN_RED_MEAN: dx = onn_grad_expand_like(g, onn_grad_scale(g, dy, 1 / count), in); break;
    case ONN_RED_MAX:
    case ONN_RED_MIN: dx = extreme_dx(g, mask, dy, y); break;
    case ONN_RED_PROD: dx = product_dx(g, mask, dy); break;
    case ONN_RED_L1: dx = onn_grad_2(g, "mul", NULL, onn_grad_1(g, "sign", NULL, in), dy); break;
    case ONN_RED_L2:
        dx = onn_grad_2(g, "mul", NULL, in, onn_grad_3(g, "l2_dx", NULL, dy, onn_grad_number(g, 1), y));
        break;
    case ONN_RED_SUM_SQUARE: dx = onn_grad_2(g, "mul", NULL, in, onn_grad_scale(g, dy, 2)); break;
    case ONN_RED_LOG_SUM:
        dx = onn_grad_expand_like(g, onn_grad_2(g, "div", NULL, dy, onn_grad_1(g, "exp", NULL, y)), in);
        break;
    case ONN_RED_LOG_SUM_EXP:
        dx = onn_grad_2(g, "mul", NULL, onn_grad_1(g, "exp", NULL, onn_grad_2(g, "sub", NULL, in, y)), dy);
        break;
    }
    g->add(g, 0, dx);
    return OCLNN_OK;
}
