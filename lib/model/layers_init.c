/* How layers' parameters are drawn at first. */
#include "model/graph_api.h"

#include <string.h>

enum oclnn_status onn_layer_init(const struct oclnn_init *from, const struct onn_desc *desc,
    struct onn_init *to)
{
    static const enum onn_init_kind kinds[] = {
        [OCLNN_INIT_ZERO] = ONN_INIT_ZERO,
        [OCLNN_INIT_ONE] = ONN_INIT_ONE,
        [OCLNN_INIT_CONSTANT] = ONN_INIT_CONSTANT,
        [OCLNN_INIT_UNIFORM] = ONN_INIT_UNIFORM,
        [OCLNN_INIT_NORMAL] = ONN_INIT_NORMAL,
        [OCLNN_INIT_KAIMING_UNIFORM] = ONN_INIT_KAIMING_UNIFORM,
        [OCLNN_INIT_KAIMING_NORMAL] = ONN_INIT_KAIMING_NORMAL,
        [OCLNN_INIT_XAVIER_UNIFORM] = ONN_INIT_XAVIER_UNIFORM,
        [OCLNN_INIT_XAVIER_NORMAL] = ONN_INIT_XAVIER_NORMAL,
        [OCLNN_INIT_ORTHOGONAL] = ONN_INIT_ORTHOGONAL,
    };
    if (!from || from->kind == OCLNN_INIT_DEFAULT)
        return OCLNN_OK;
    if ((unsigned)from->kind >= sizeof kinds / sizeof *kinds)
        return onn_error(OCLNN_ERROR_ARGUMENT, "initialiser %d", (int)from->kind);
    if (from->kind == OCLNN_INIT_ORTHOGONAL && desc->rank < 2)
        return onn_error(OCLNN_ERROR_ARGUMENT, "an orthogonal matrix has at least 2 dimensions, not %d",
            desc->rank);
    to->kind = kinds[from->kind];
    to->a = from->a;
    to->b = from->b;
    return OCLNN_OK;
}

static bool has_weight(const struct onn_node *n)
{
    static const char *const ops[] = {"conv", "convtranspose", "gemm", "matmul"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(n->op->name, ops[i]) == 0)
            return n->n_in > 1 && n->in[1];
    return false;
}

enum oclnn_status oclnn_graph_set_init(oclnn_graph *graph, const struct oclnn_init *init)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CHECK(graph && init, OCLNN_ERROR_ARGUMENT, "%s is NULL", graph ? "init" : "the graph");
    ONN_TRY(oclnn_graph_status(graph));
    struct onn_graph *g = graph->graph;
    struct onn_init unused;
    ONN_TRY(onn_layer_init(init, &(struct onn_desc){.rank = 2},
        &unused)); /* wrong also where there is no weight */
    for (int32_t k = 0; k < g->n_nodes; k++) {
        struct onn_value *v = has_weight(&g->node[k]) ? &g->value[g->node[k].in[1]] : NULL;
        if (v && v->role == ONN_ROLE_PARAM && v->init && !v->blob && v->desc.rank > 1)
            ONN_TRY(onn_layer_init(init, &v->desc, v->init));
    }
fail:
    return status;
}
