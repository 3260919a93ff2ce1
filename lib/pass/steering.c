/* Which graph inputs steer shapes or branches: found by walking back from the inputs that operators need on the host. */
#include "ops/op.h"
#include "pass/infer.h"

/* Marks what node n itself needs on the host. Its inputs' types matter only in that they are there: most are not inferred
 * yet. */
static void mark_needed(const struct onn_graph *g, const struct onn_node *n, bool *needed)
{
    enum { MOST = 16 };
    struct onn_desc in[MOST] = {{0}};
    struct onn_prob p = {.op = n->op,
        .attr = n->attr,
        .n_in = n->n_in > MOST ? MOST : n->n_in,
        .n_out = n->n_out,
        .in = in};
    if (!n->op->host_inputs)
        return;
    for (int i = 0; i < p.n_in; i++) {
        if (!n->in[i])
            continue;
        in[i] = g->value[n->in[i]].desc;
        if (!in[i].dtype)
            in[i] = (struct onn_desc){.dtype = OCLNN_I64, .rank = -1};
    }
    const uint32_t mask = n->op->host_inputs(&p);
    for (int i = 0; i < p.n_in; i++)
        if (mask >> i & 1)
            needed[n->in[i]] = true;
}

/* Nodes stand behind those whose results they read, so one sweep backwards sees every reader of a value first. */
enum oclnn_status onn_pass_steering(const struct onn_graph *in, bool *flags)
{
    bool *needed = onn_calloc((size_t)in->n_values + 1, sizeof *needed);
    if (!needed)
        return OCLNN_ERROR_MEMORY;
    for (int32_t k = in->n_nodes - 1; k >= 0; k--) {
        const struct onn_node *n = &in->node[k];
        bool wanted = false;
        for (int i = 0; i < n->n_out && !(n->op->flags & ONN_OP_FROM_SHAPE); i++)
            wanted = wanted || (n->out[i] && needed[n->out[i]]);
        for (int i = 0; i < n->n_in && wanted; i++)
            needed[n->in[i]] = true;
        mark_needed(in, n, needed);
    }
    for (int i = 0; i < in->n_inputs; i++)
        flags[i] = needed[in->input[i]];
    onn_free(needed);
    return OCLNN_OK;
}
