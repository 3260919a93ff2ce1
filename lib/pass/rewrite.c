#include "pass/rewrite.h"
#include "ops/elementwise.h"

#include <string.h>

enum oclnn_status onn_rewrite_init(struct onn_rewrite *r, const struct onn_graph *in)
{
    enum oclnn_status status = OCLNN_OK;
    *r = (struct onn_rewrite){.in = in};
    ONN_TRY(onn_graph_create(&r->out));
    r->out->seed = in->seed;
    r->out->training = in->training;
    r->map = onn_calloc((size_t)in->n_values, sizeof *r->map);
    r->skip = onn_calloc((size_t)in->n_nodes + 1, sizeof *r->skip);
    r->uses = onn_graph_count_uses(in);
    if (!r->map || !r->skip || !r->uses)
        status = OCLNN_ERROR_MEMORY;
fail:
    return status;
}

enum oclnn_status onn_rewrite_finish(struct onn_rewrite *r, enum oclnn_status status, struct onn_graph **out)
{
    if (status == OCLNN_OK && r->out && r->out->status != OCLNN_OK)
        status = onn_error(r->out->status, "%s", r->out->error ? r->out->error : "graph error");
    if (status == OCLNN_OK && out) {
        *out = r->out;
        r->out = NULL;
    }
    onn_graph_destroy(&r->out);
    onn_free(r->map);
    onn_free(r->uses);
    onn_free(r->skip);
    *r = (struct onn_rewrite){0};
    return status;
}

static int32_t source_of(const struct onn_graph *in, int32_t id)
{
    return in->value[id].source ? in->value[id].source : id;
}

int32_t onn_rewrite_value(struct onn_rewrite *r, int32_t old)
{
    if (old <= 0 || r->map[old])
        return old <= 0 ? 0 : r->map[old];
    const struct onn_value *v = &r->in->value[old];
    int32_t id = 0;
    if (v->role == ONN_ROLE_INPUT) {
        id = onn_graph_add_input(r->out, v->name, &v->desc);
        if (id && v->blob)
            r->out->value[id].blob = onn_blob_ref(v->blob);
    } else if (v->blob) {
        id = onn_graph_add_blob(r->out, v->name, v->role, v->blob);
    } else if (v->init) {
        id = onn_graph_add_param(r->out, v->name, &v->desc, v->init);
    } else {
        onn_graph_fail(r->out, OCLNN_ERROR_INTERNAL, "value '%s' is used before it is made", v->name);
    }
    if (id) {
        r->out->value[id].source = source_of(r->in, old);
        r->map[old] = id;
    }
    return id;
}

void onn_rewrite_set(struct onn_rewrite *r, int32_t old, int32_t new_id)
{
    r->map[old] = new_id;
    if (new_id <= 0)
        return;
    struct onn_value *v = &r->out->value[new_id];
    if (!v->source)
        v->source = source_of(r->in, old);
    if (!v->name || !v->name[0])
        v->name = onn_arena_strdup(&r->out->arena, r->in->value[old].name);
    if (!v->name)
        v->name = "";
}

/* What the copy points to must not die with the graph it comes from. */
static const struct onn_epilogue *copy_epilogue(struct onn_graph *g, const struct onn_epilogue *epi)
{
    struct onn_epilogue *copy = onn_arena_dup(&g->arena, epi, sizeof *epi);
    for (int i = 0; copy && i < copy->n; i++) {
        const struct onn_ew_attr *from = copy->step[i].attr;
        struct onn_ew_attr *attr = from ? onn_arena_dup(&g->arena, from, sizeof *from) : NULL;
        if (attr && attr->approximate)
            attr->approximate = onn_arena_strdup(&g->arena, attr->approximate);
        if (from && (!attr || (from->approximate && !attr->approximate)))
            return NULL;
        copy->step[i].attr = attr;
    }
    return copy;
}

static enum oclnn_status copy_node(struct onn_rewrite *r, int32_t node, const void *attr, int n_in,
    const int32_t *in, const struct onn_epilogue *epi)
{
    const struct onn_node *n = &r->in->node[node];
    int32_t k = onn_graph_add_op(r->out, n->op, n->name, attr, n_in, in, n->n_out);
    if (k < 0)
        return r->out->status;
    struct onn_node *made = &r->out->node[k];
    made->source = n->source;
    if (epi && !(made->epi = copy_epilogue(r->out, epi)))
        return OCLNN_ERROR_MEMORY;
    for (int i = 0; i < n->n_out; i++) {
        if (!n->out[i])
            continue;
        r->out->value[made->out[i]].desc = r->in->value[n->out[i]].desc;
        onn_rewrite_set(r, n->out[i], made->out[i]);
    }
    return OCLNN_OK;
}

enum oclnn_status onn_rewrite_copy_node_with(struct onn_rewrite *r, int32_t node, int n_in, const int32_t *in,
    const struct onn_epilogue *epi)
{
    return copy_node(r, node, r->in->node[node].attr, n_in, in, epi);
}

enum oclnn_status onn_rewrite_copy_node_as(struct onn_rewrite *r, int32_t node, const void *attr, int n_in,
    const int32_t *in)
{
    return copy_node(r, node, attr, n_in, in, NULL);
}

enum oclnn_status onn_rewrite_copy_node(struct onn_rewrite *r, int32_t node)
{
    const struct onn_node *n = &r->in->node[node];
    int32_t few[16], *in = few;
    if (n->n_in > 16) {
        in = onn_calloc((size_t)n->n_in, sizeof *in);
        if (!in)
            return OCLNN_ERROR_MEMORY;
    }
    for (int i = 0; i < n->n_in; i++)
        in[i] = onn_rewrite_value(r, n->in[i]);
    enum oclnn_status status = r->out->status;
    if (status == OCLNN_OK)
        status = onn_rewrite_copy_node_with(r, node, n->n_in, in, n->epi);
    if (in != few)
        onn_free(in);
    return status;
}

enum oclnn_status onn_rewrite_outputs(struct onn_rewrite *r)
{
    for (int i = 0; i < r->in->n_outputs; i++) {
        int32_t id = onn_rewrite_value(r, r->in->output[i]);
        if (!id)
            return r->out->status ? r->out->status
                                  : onn_error(OCLNN_ERROR_INTERNAL, "output %d has no value", i);
        onn_graph_add_output(r->out, r->in->value[r->in->output[i]].name, id);
    }
    return r->out->status;
}

enum oclnn_status onn_pass_prune(const struct onn_graph *in, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_rewrite r;
    bool *live = NULL;
    ONN_TRY(onn_rewrite_init(&r, in));
    live = onn_calloc((size_t)in->n_values + (size_t)in->n_nodes, sizeof *live);
    ONN_TRY(live ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < in->n_outputs; i++)
        live[in->output[i]] = true;
    for (int k = in->n_nodes - 1; k >= 0; k--) {
        const struct onn_node *n = &in->node[k];
        bool needed = n->op->flags & ONN_OP_UPDATES;
        for (int i = 0; i < n->n_out; i++)
            needed |= n->out[i] && live[n->out[i]];
        live[in->n_values + k] = needed;
        for (int i = 0; needed && i < n->n_in; i++)
            live[n->in[i]] = true;
    }
    for (int i = 0; i < in->n_inputs; i++) /* inputs stay, used or not: users give them by order */
        onn_rewrite_value(&r, in->input[i]);
    for (int k = 0; k < in->n_nodes; k++)
        if (live[in->n_values + k])
            ONN_TRY(onn_rewrite_copy_node(&r, k));
    ONN_TRY(onn_rewrite_outputs(&r));
fail:
    onn_free(live);
    return onn_rewrite_finish(&r, status, out);
}

enum oclnn_status onn_rewrite_nodes(const struct onn_graph *in, onn_rewrite_fn copy, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_rewrite r;
    struct onn_graph *whole = NULL;
    ONN_TRY(onn_rewrite_init(&r, in));
    for (int i = 0; i < in->n_inputs; i++)
        onn_rewrite_value(&r, in->input[i]);
    for (int32_t k = 0; k < in->n_nodes; k++)
        ONN_TRY(copy(&r, k));
    ONN_TRY(onn_rewrite_outputs(&r));
fail:
    status = onn_rewrite_finish(&r, status, &whole);
    if (status == OCLNN_OK)
        status = onn_pass_prune(whole, out);
    onn_graph_destroy(&whole);
    return status;
}
