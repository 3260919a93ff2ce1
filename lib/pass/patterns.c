/* Recognises what exporters write as several nodes. Today: nodes that pass their input on unchanged. */
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <string.h>

/* Does output 0 equal input 0, bit for bit? */
static bool passes_on(const struct onn_graph *g, const struct onn_node *n)
{
    static const char *const same[] = {"identity", "dropout", "reshape", "flatten", "squeeze", "unsqueeze", "expand",
                                       "transpose", "cast", NULL};
    if (n->n_in < 1 || !n->in[0] || !n->n_out || n->epi)
        return false;
    for (int i = 1; i < n->n_out; i++)
        if (n->out[i])
            return false;
    const struct onn_desc *in = &g->value[n->in[0]].desc, *out = &g->value[n->out[0]].desc;
    if (in->dtype != out->dtype || !onn_desc_same_shape(in, out))
        return false;
    int k = 0;
    while (same[k] && strcmp(same[k], n->op->name) != 0)
        k++;
    if (!same[k])
        return false;
    if (strcmp(n->op->name, "transpose") != 0)
        return true;
    int longer = 0; /* a transpose of a tensor with at most one extent above 1 moves nothing */
    for (int i = 0; i < in->rank; i++)
        longer += in->dim[i] > 1;
    return longer <= 1;
}

enum oclnn_status onn_pass_patterns(const struct onn_graph *in, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_rewrite r;
    struct onn_graph *whole = NULL;
    ONN_TRY(onn_rewrite_init(&r, in));
    for (int i = 0; i < in->n_inputs; i++)
        onn_rewrite_value(&r, in->input[i]);
    for (int k = 0; k < in->n_nodes; k++) {
        if (passes_on(in, &in->node[k])) {
            int32_t id = onn_rewrite_value(&r, in->node[k].in[0]);
            ONN_TRY(r.out->status);
            r.map[in->node[k].out[0]] = id;
        } else {
            ONN_TRY(onn_rewrite_copy_node(&r, k));
        }
    }
    ONN_TRY(onn_rewrite_outputs(&r));
fail:
    status = onn_rewrite_finish(&r, status, &whole);
    if (status == OCLNN_OK)
        status = onn_pass_prune(whole, out);
    onn_graph_destroy(&whole);
    return status;
}
