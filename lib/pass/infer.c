#include "pass/infer.h"
#include "ops/op.h"
#include "pass/rewrite.h"

#include <string.h>

struct walk {
    const struct onn_graph *in;
    struct onn_graph *out;
    int32_t *map; /* values of `in` -> values of `out` */
    const struct walk *outer; /* of a subgraph */
    bool freeze;
};

static enum oclnn_status walk_nodes(struct walk *w);

static int32_t value_of(struct walk *w, int32_t old)
{
    if (old <= 0 || w->map[old])
        return old <= 0 ? 0 : w->map[old];
    const struct onn_value *v = &w->in->value[old];
    int32_t id = 0;
    if (v->role == ONN_ROLE_OUTER && w->outer) {
        id = w->outer->map[v->source];
        if (!id)
            id = value_of((struct walk *)w->outer, v->source);
        w->map[old] = id;
        return id;
    }
    if (v->blob && onn_value_is_persistent(v))
        id = onn_graph_add_blob(w->out, v->name, w->freeze ? ONN_ROLE_CONST : v->role, v->blob);
    else
        onn_graph_fail(w->out, OCLNN_ERROR_FORMAT, "value '%s' is used before it is made", v->name);
    if (id)
        w->out->value[id].stored = v->stored;
    if (id && !w->outer)
        w->out->value[id].source = old;
    w->map[old] = id;
    return id;
}

static enum oclnn_status take_branch(struct walk *w, const struct onn_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    struct walk inner = {.out = w->out, .outer = w, .freeze = w->freeze};
    const struct onn_value *condition = &w->out->value[value_of(w, n->in[0])];
    ONN_TRY(w->out->status);
    ONN_CHECK(condition->blob && (condition->role == ONN_ROLE_CONST || condition->role == ONN_ROLE_INPUT),
        OCLNN_ERROR_UNSUPPORTED, "node '%s' (If): the condition '%s' depends on data", n->name,
        condition->name);
    struct onn_graph *const *branches = n->attr; /* then_branch, else_branch: the attribute struct of If */
    inner.in = branches[onn_blob_get_i64(condition->blob, 0) ? 0 : 1];
    ONN_CHECK(inner.in && inner.in->n_outputs >= n->n_out, OCLNN_ERROR_FORMAT,
        "node '%s' (If): a branch has too few outputs", n->name);
    inner.map = onn_calloc((size_t)inner.in->n_values, sizeof *inner.map);
    ONN_TRY(inner.map ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(walk_nodes(&inner));
    for (int i = 0; i < n->n_out; i++) {
        int32_t id = value_of(&inner, inner.in->output[i]);
        ONN_TRY(w->out->status);
        if (n->out[i])
            w->map[n->out[i]] = id;
    }
fail:
    onn_free(inner.map);
    return status;
}

static enum oclnn_status walk_node(struct walk *w, const struct onn_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    int32_t *in = onn_calloc((size_t)n->n_in + (size_t)n->n_out + 1, sizeof *in);
    if (!in)
        return OCLNN_ERROR_MEMORY;
    int32_t *out = in + n->n_in;
    for (int i = 0; i < n->n_in; i++)
        in[i] = value_of(w, n->in[i]);
    ONN_TRY(w->out->status);
    ONN_TRY(onn_emit_many(w->out, n->op, n->name, n->attr, n->n_in, in, n->n_out, out));
    for (int i = 0; i < n->n_out; i++) {
        if (!n->out[i])
            continue;
        w->map[n->out[i]] = out[i];
        if (out[i] && !w->outer && !w->out->value[out[i]].source) {
            w->out->value[out[i]].source = n->out[i];
            char *name = onn_arena_strdup(&w->out->arena, w->in->value[n->out[i]].name);
            ONN_TRY(name ? OCLNN_OK : OCLNN_ERROR_MEMORY);
            w->out->value[out[i]].name = name;
        }
    }
fail:
    onn_free(in);
    return status;
}

static enum oclnn_status walk_nodes(struct walk *w)
{
    for (int k = 0; k < w->in->n_nodes; k++) {
        const struct onn_node *n = &w->in->node[k];
        bool branch = strcmp(n->op->name, "if") == 0;
        enum oclnn_status status = branch ? take_branch(w, n) : walk_node(w, n);
        if (status != OCLNN_OK)
            return status;
    }
    return OCLNN_OK;
}

enum oclnn_status onn_pass_infer(const struct onn_graph *in, const struct onn_binding *bindings, bool freeze,
    struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct walk w = {.in = in, .freeze = freeze};
    ONN_TRY(onn_graph_create(&w.out));
    w.out->seed = in->seed;
    w.map = onn_calloc((size_t)in->n_values, sizeof *w.map);
    ONN_TRY(w.map ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < in->n_inputs; i++) {
        int32_t old = in->input[i];
        int32_t id = onn_graph_add_input(w.out, in->value[old].name, &bindings[i].desc);
        ONN_TRY(w.out->status);
        w.out->value[id].source = old;
        if (bindings[i].value)
            w.out->value[id].blob = onn_blob_ref(bindings[i].value);
        w.map[old] = id;
    }
    ONN_TRY(walk_nodes(&w));
    for (int i = 0; i < in->n_outputs; i++) {
        int32_t id = value_of(&w, in->output[i]);
        ONN_TRY(w.out->status);
        onn_graph_add_output(w.out, in->value[in->output[i]].name, id);
    }
    ONN_TRY(w.out->status);
    ONN_TRY(onn_pass_prune(w.out, out));
fail:
    if (status != OCLNN_OK && w.out && w.out->status != OCLNN_OK)
        status = onn_error(w.out->status, "%s", w.out->error ? w.out->error : "graph error");
    onn_graph_destroy(&w.out);
    onn_free(w.map);
    return status;
}
