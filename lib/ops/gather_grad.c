/* Gradients of gathers and scatters. */
#include "ops/gather.h"
#include "ops/gather_dx.h"
#include "ops/grads.h"
#include "ops/scatter.h"

#include <string.h>

enum oclnn_status onn_gather_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_gather_attr *t = p->attr;
    const struct onn_gather_dx_attr a = {.axis = t ? t->axis : 0,
        .shape = onn_grad_list(g, p->in[0].dim, p->in[0].rank)};
    g->add(g, 0, onn_grad_2(g, "gather_dx", &a, g->dout[0], g->in[1]));
    return OCLNN_OK;
}

enum oclnn_status onn_gatherelements_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_gather_attr *t = p->attr;
    const struct onn_gather_dx_attr a = {.axis = t ? t->axis : 0,
        .shape = onn_grad_list(g, p->in[0].dim, p->in[0].rank)};
    g->add(g, 0, onn_grad_2(g, "gatherelements_dx", &a, g->dout[0], g->in[1]));
    return OCLNN_OK;
}

enum oclnn_status onn_gathernd_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_gathernd_attr *t = p->attr;
    const struct onn_gather_dx_attr a = {.batch_dims = t ? t->batch_dims : 0,
        .shape = onn_grad_list(g, p->in[0].dim, p->in[0].rank)};
    g->add(g, 0, onn_grad_2(g, "gathernd_dx", &a, g->dout[0], g->in[1]));
    return OCLNN_OK;
}

/* ScatterElements and ScatterND: data, indices, updates; written or added. */
enum oclnn_status onn_scatter_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_scatter_attr *t = p->attr;
    const bool nd = !strcmp(p->op->name, "scatternd"),
               add = t && t->reduction && !strcmp(t->reduction, "add");
    const struct onn_gather_attr axis = {.axis = t ? t->axis : 0};
    const struct onn_gathernd_attr none = {0};
    if (t && t->reduction && !add && strcmp(t->reduction, "none"))
        return onn_grad_refuse(g, 0, "its reduction is neither none nor add");
    if (g->needed[0])
        g->add(g, 0,
            add ? g->dout[0]
                : onn_grad_3(g, p->op->name, t, g->dout[0], g->in[1], onn_grad_zeros(g, g->in[2])));
    if (g->needed[2])
        g->add(g, 2,
            nd ? onn_grad_2(g, "gathernd", &none, g->dout[0], g->in[1])
               : onn_grad_2(g, "gatherelements", &axis, g->dout[0], g->in[1]));
    return OCLNN_OK;
}
