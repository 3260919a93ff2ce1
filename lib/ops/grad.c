#include "ops/grad.h"

int32_t onn_grad_unbroadcast(struct onn_grad *g, int32_t dx, int32_t like)
{
    if (!dx || !like || g->graph->status)
        return 0;
    struct onn_desc have = g->graph->value[dx].desc, want = g->graph->value[like].desc;
    if (onn_desc_same_shape(&have, &want))
        return dx;
    int64_t axes[ONN_MAX_RANK];
    int n = 0, shift = have.rank - want.rank;
    for (int i = 0; i < have.rank; i++)
        if (i < shift || (want.dim[i - shift] == 1 && have.dim[i] != 1))
            axes[n++] = i;
    int32_t list = onn_graph_add_i64(g->graph, axes, n);
    int32_t sum = n ? g->emit(g, "reducesum", NULL, 2, (int32_t[]){dx, list}) : dx; /* keepdims by default */
    int32_t shape = onn_graph_add_i64(g->graph, want.dim, want.rank);
    return sum ? g->emit(g, "reshape", NULL, 2, (int32_t[]){sum, shape}) : 0;
}
