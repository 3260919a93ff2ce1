/* Types and shapes as far as they follow from the graph alone: free dimensions stay free, what cannot be known stays
 * unknown. Only want of memory is an error; planning finds the others. */
#include "pass/infer.h"
#include "pass/rewrite.h"

#include <string.h>

#define MAX_FOLD 4096 /* elements: shape arithmetic is small */

/* The node's outputs as constants, for what shapes are computed from. */
static enum oclnn_status fold(const struct onn_node *n, struct onn_prob *p, const struct onn_desc *out,
    struct onn_blob **value)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_blob *blob[4] = {0};
    bool good = n->op->host && n->n_out <= 4;
    if (n->op->flags & ONN_OP_FROM_SHAPE)
        good = good && onn_desc_is_known(&p->in[0]);
    else
        for (int i = 0; i < n->n_in; i++)
            good = good && (!n->in[i] || p->value[i]);
    for (int i = 0; good && i < n->n_out; i++) {
        const int64_t count = onn_desc_elements(&out[i]);
        good = count >= 0 && count <= MAX_FOLD;
        if (good)
            status = onn_blob_create(&out[i], NULL, &blob[i]);
        good = good && status == OCLNN_OK;
    }
    p->out = out;
    if (good)
        status = n->op->host(p, blob);
    good = good && status == OCLNN_OK;
    for (int i = 0; i < n->n_out && i < 4; i++) {
        if (good && n->out[i])
            value[n->out[i]] = onn_blob_ref(blob[i]);
        onn_blob_unref(&blob[i]);
    }
    return status;
}

static enum oclnn_status infer_node(const struct onn_graph *g, const struct onn_node *n,
    struct onn_desc *desc, struct onn_blob **value)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_arena scratch = {0};
    struct onn_prob p;
    struct onn_desc *out = onn_arena_calloc(&scratch, (size_t)n->n_out + 1, sizeof *out);
    bool known = true;
    ONN_TRY(out ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_node_prob(g, n->op, n->attr, n->n_in, n->in, n->n_out, NULL, &scratch, &p));
    p.out = NULL;
    for (int i = 0; i < n->n_in; i++) {
        ((struct onn_desc *)p.in)[i] = n->in[i] ? desc[n->in[i]] : (struct onn_desc){0};
        if (n->in[i])
            ((const struct onn_blob **)p.value)[i] = value[n->in[i]];
        known = known && (!n->in[i] || (p.in[i].dtype && p.in[i].rank >= 0));
    }
    if (known && n->op->infer)
        ONN_TRY(n->op->infer(&p, out));
    for (int i = 0; known && i < n->n_out; i++)
        if (n->out[i])
            desc[n->out[i]] = out[i];
    if (known)
        ONN_TRY(fold(n, &p, out, value));
fail:
    onn_arena_finish(&scratch);
    if (status != OCLNN_ERROR_MEMORY && status != OCLNN_OK) {
        onn_error_clear();
        status = OCLNN_OK;
    }
    return status;
}

enum oclnn_status onn_pass_types(const struct onn_graph *g, struct onn_desc *desc)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_blob **value = onn_calloc((size_t)g->n_values, sizeof *value);
    ONN_TRY(value ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int32_t v = 0; v < g->n_values; v++) {
        const struct onn_value *from = &g->value[v];
        const bool small = from->blob && from->role == ONN_ROLE_CONST && !from->blob->host_stale &&
            onn_desc_elements(&from->desc) <= MAX_FOLD;
        desc[v] = from->node < 0 ? from->desc : (struct onn_desc){.rank = -1};
        value[v] = small ? onn_blob_ref(from->blob) : NULL;
    }
    for (int32_t k = 0; k < g->n_nodes; k++)
        ONN_TRY(infer_node(g, &g->node[k], desc, value));
    for (int32_t v = 0; v < g->n_values; v++)
        if (!desc[v].dtype || desc[v].rank < 0)
            desc[v] = g->value[v].desc;
fail:
    for (int32_t v = 0; value && v < g->n_values; v++)
        onn_blob_unref(&value[v]);
    onn_free(value);
    return status;
}
