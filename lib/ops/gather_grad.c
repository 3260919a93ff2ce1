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

/* An integer attribute by name; def where there is none. */
static int64_t attribute(const struct onn_prob *p, const char *name, int64_t def)
{
    const struct onn_attr *row = onn_attr_find(p->op, name, strlen(name));
    return row && p->attr ? *(const int64_t *)(const void *)((const char *)p->attr + row->offset) : def;
}

/* TopK: the values go back to where the indices say. */
enum oclnn_status onn_topk_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_gather_dx_attr a = {.axis = attribute(p, "axis", -1),
        .shape = onn_grad_list(g, p->in[0].dim, p->in[0].rank)};
    if (g->dout[0])
        g->add(g, 0, onn_grad_2(g, "gatherelements_dx", &a, g->dout[0], g->out[1]));
    return OCLNN_OK;
}

/* CumSum: the sums run from the other end. */
enum oclnn_status onn_cumsum_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_attr *row = onn_attr_find(p->op, "reverse", strlen("reverse"));
    char *turned = onn_arena_dup(&g->graph->arena, p->attr, p->op->attr_size);
    if (!row || !turned)
        return OCLNN_ERROR_MEMORY;
    int64_t *reverse = (int64_t *)(void *)(turned + row->offset);
    *reverse = !*reverse;
    g->add(g, 0, onn_grad_2(g, "cumsum", turned, g->dout[0], g->in[1]));
    return OCLNN_OK;
}

/* Operators that are their own transpose: Trilu (a mask), ReverseSequence. */
enum oclnn_status onn_same_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const int32_t in[2] = {g->dout[0], g->n_in > 1 ? g->in[1] : 0};
    if (!g->graph->status)
        g->add(g, 0, g->emit(g, p->op->name, p->attr, g->n_in, in));
    return OCLNN_OK;
}
