/* Gradients of MaxPool and AveragePool. */
#include "ops/grads.h"
#include "ops/pool_dx.h"

enum oclnn_status onn_maxpool_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_pool_dx_attr a = {.pool = *(const struct onn_pool_attr *)p->attr, .in.n = -1};
    if (g->dout[0])
        g->add(g, 0, onn_grad_2(g, "maxpool_dx", &a, g->in[0], g->dout[0]));
    return OCLNN_OK;
}

enum oclnn_status onn_averagepool_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_pool_dx_attr a = {.pool = *(const struct onn_pool_attr *)p->attr,
        .in = onn_grad_list(g, p->in[0].dim + 2, p->in[0].rank - 2)};
    g->add(g, 0, onn_grad_1(g, "averagepool_dx", &a, g->dout[0]));
    return OCLNN_OK;
}
