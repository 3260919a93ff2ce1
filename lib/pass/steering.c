/* Which graph inputs steer shapes or branches: found by walking back from the inputs that operators need on the host. */
#include "ops/op.h"
#include "pass/infer.h"

#include <string.h>

/* Marks the producers of value v back to the graph inputs; shape-only operators end the walk. */
static void mark(const struct onn_graph *g, int32_t v, bool *seen)
{
    if (v <= 0 || seen[v])
        return;
    seen[v] = true;
    int32_t k = g->value[v].node;
    if (k < 0 || strcmp(g->node[k].op->name, "shape") == 0 || strcmp(g->node[k].op->name, "size") == 0)
        return;
    for (int i = 0; i < g->node[k].n_in; i++)
        mark(g, g->node[k].in[i], seen);
}

enum oclnn_status onn_pass_steering(const struct onn_graph *in, bool *flags)
{
    bool *seen = onn_calloc((size_t)in->n_values + 1, sizeof *seen);
    if (!seen)
        return OCLNN_ERROR_MEMORY;
    for (int k = 0; k < in->n_nodes; k++) {
        const struct onn_node *n = &in->node[k];
        if (strcmp(n->op->name, "if") == 0) {
            mark(in, n->in[0], seen);
        } else if (n->op->host_inputs) {
            struct onn_desc none[16] = {{0}};
            struct onn_prob p = {.op = n->op,
                .attr = n->attr,
                .n_in = n->n_in > 16 ? 16 : n->n_in,
                .n_out = n->n_out,
                .in = none};
            for (int i = 0; i < p.n_in; i++)
                if (n->in[i])
                    none[i] = in->value[n->in[i]].desc;
            uint32_t needed = n->op->host_inputs(&p);
            for (int i = 0; i < p.n_in; i++)
                if (needed >> i & 1)
                    mark(in, n->in[i], seen);
        }
    }
    for (int i = 0; i < in->n_inputs; i++)
        flags[i] = seen[in->input[i]];
    onn_free(seen);
    return OCLNN_OK;
}
