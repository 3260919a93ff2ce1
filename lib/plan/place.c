#include "plan/place.h"
#include "pass/rewrite.h"

#include <string.h>

struct placer {
    const struct onn_graph *g;
    const struct onn_choice *choice;
    const struct onn_place_options *o;
    struct onn_placement *p;
    int32_t *last_use; /* per value: last node that reads it; n_nodes for a graph output; -1 never */
    bool *is_output, *strided_ok;
    bool *updated; /* per value: written in place by a node of this graph */
    enum oclnn_status status; /* not OK: readers_take had no memory for its question */
};

enum oclnn_status onn_placed_prob(const struct onn_graph *g, const struct onn_placement *place, int node,
    const struct onn_place_options *options, struct onn_arena *arena, struct onn_prob *p)
{
    const struct onn_node *n = &g->node[node];
    enum oclnn_status status = onn_node_prob(g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, arena, p);
    if (status != OCLNN_OK)
        return status;
    struct onn_desc *in = (struct onn_desc *)p->in, *out = (struct onn_desc *)p->out;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i])
            in[i] = place->desc[n->in[i]];
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            out[i] = place->desc[n->out[i]];
    p->caps = options->caps;
    p->math = options->math;
    p->epi = n->epi;
    return OCLNN_OK;
}

static bool reads_strided(const struct placer *x, int node)
{
    const struct onn_choice *c = &x->choice[node];
    return !c->variant || (c->variant->flags & ONN_VARIANT_STRIDED_IN) || x->g->node[node].op->view_in;
}

static void find_uses(struct placer *x)
{
    const struct onn_graph *g = x->g;
    for (int v = 0; v < g->n_values; v++) {
        x->last_use[v] = -1;
        x->strided_ok[v] = true;
    }
    for (int k = 0; k < g->n_nodes; k++)
        for (int i = 0; i < g->node[k].n_in; i++) {
            int32_t id = g->node[k].in[i];
            x->last_use[id] = k;
            if (!reads_strided(x, k))
                x->strided_ok[id] = false;
            if ((g->node[k].op->flags & ONN_OP_UPDATES) && id && g->value[id].role != ONN_ROLE_CONST)
                x->updated[id] = true;
        }
    for (int i = 0; i < g->n_outputs; i++) {
        x->last_use[g->output[i]] = g->n_nodes;
        x->is_output[g->output[i]] = true;
        x->strided_ok[g->output[i]] = false;
    }
}

static void find_derived(struct placer *x)
{
    const struct onn_graph *g = x->g;
    for (int k = 0; k < g->n_nodes; k++) {
        const struct onn_node *n = &g->node[k];
        bool derived = n->n_in > 0 && !(n->op->flags & (ONN_OP_UPDATES | ONN_OP_RANDOM));
        for (int i = 0; i < n->n_in && derived; i++) {
            const struct onn_value *v = &g->value[n->in[i]];
            if (!n->in[i])
                continue;
            derived =
                v->node >= 0 ? x->p->derived[v->node] : onn_value_is_persistent(v) && !x->updated[n->in[i]];
        }
        for (int i = 0; i < n->n_out; i++)
            derived &= !n->out[i] || !x->is_output[n->out[i]];
        x->p->derived[k] = derived;
    }
}

static enum oclnn_status new_storage(struct placer *x, enum onn_storage_kind kind, int32_t value,
    int32_t node, const struct onn_desc *desc, int32_t *out)
{
    struct onn_placement *p = x->p;
    if (!onn_array_grow((void **)&p->store, p->n_storages, &p->cap_storages, sizeof *p->store))
        return OCLNN_ERROR_MEMORY;
    p->store[p->n_storages] = (struct onn_storage){.kind = kind,
        .value = value,
        .node = node,
        .first = node < 0 ? 0 : node,
        .last = node < 0 ? 0 : node,
        .bytes = desc ? onn_desc_bytes(desc) : 0,
        .unpadded = desc ? onn_desc_unpadded_bytes(desc) : 0};
    *out = p->n_storages++;
    return OCLNN_OK;
}

/* Value v (made at node k) lies in storage s from now on. */
static void settle(struct placer *x, int32_t v, int32_t s, int k)
{
    struct onn_storage *store = &x->p->store[s];
    x->p->storage[v] = s;
    if (k < store->first)
        store->first = k;
    if (k > store->last)
        store->last = k;
    if (x->last_use[v] > store->last)
        store->last = x->last_use[v];
}

/* Would every reader of value v take it lying as `desc` says? Their variants are asked. */
static bool readers_take(struct placer *x, int32_t v, const struct onn_desc *desc)
{
    const struct onn_graph *g = x->g;
    bool good = x->strided_ok[v] || (!x->is_output[v] && onn_desc_is_packed(desc));
    for (int k = g->value[v].node + 1; good && k < g->n_nodes && k <= x->last_use[v]; k++) {
        const struct onn_node *n = &g->node[k];
        const struct onn_variant *variant = x->choice[k].variant;
        bool reads = false;
        for (int i = 0; i < n->n_in; i++)
            reads |= n->in[i] == v;
        if (!reads || !variant || !variant->refuse)
            continue;
        struct onn_arena scratch = {0};
        struct onn_prob prob;
        enum oclnn_status status = onn_placed_prob(g, x->p, k, x->o, &scratch, &prob);
        good = status == OCLNN_OK;
        if (!good)
            x->status = status;
        for (int i = 0; good && i < n->n_in; i++)
            if (n->in[i] == v)
                ((struct onn_desc *)prob.in)[i] = *desc;
        good = good && !variant->refuse(&prob);
        onn_arena_finish(&scratch);
    }
    return good;
}

/* ---- concat: its inputs' producers write into the output ---- */
static bool may_place(const struct placer *x, int k, int i)
{
    const struct onn_node *n = &x->g->node[k];
    int32_t v = n->in[i];
    const struct onn_value *value = &x->g->value[v];
    if (!v || value->node < 0 || x->p->parent[v] || x->is_output[v] || !x->strided_ok[v])
        return false;
    for (int j = 0; j < n->n_in; j++)
        if (j != i && n->in[j] == v)
            return false;
    int from = value->node;
    const struct onn_choice *c = &x->choice[from];
    if (x->p->derived[from] || x->p->derived[k] || !c->variant)
        return false;
    const struct onn_op *op = x->g->node[from].op;
    return !op->view_out && ((c->variant->flags & ONN_VARIANT_STRIDED_OUT) || op->view_in);
}

static enum oclnn_status place_concat(struct placer *x, int k)
{
    const struct onn_node *n = &x->g->node[k];
    struct onn_arena scratch = {0};
    struct onn_prob prob;
    enum oclnn_status status = onn_placed_prob(x->g, x->p, k, x->o, &scratch, &prob);
    for (int i = 0; status == OCLNN_OK && i < n->n_in; i++) {
        struct onn_desc view = x->p->desc[n->in[i]];
        if (!may_place(x, k, i) || !n->op->view_in(&prob, i, &view) || !readers_take(x, n->in[i], &view))
            continue;
        x->p->desc[n->in[i]] = view;
        x->p->parent[n->in[i]] = n->out[0];
    }
    onn_arena_finish(&scratch);
    return status != OCLNN_OK ? status : x->status;
}

/* Storage of a value that is not a view: the concat output that it lies in, or an own one. */
static enum oclnn_status root_storage(struct placer *x, int32_t v, int k, int32_t *out)
{
    int32_t root = v;
    while (x->p->parent[root])
        root = x->p->parent[root];
    if (x->p->storage[root] < 0) {
        int32_t s, node = x->g->value[root].node;
        enum onn_storage_kind kind = x->p->derived[node] ? ONN_STORAGE_DERIVED : ONN_STORAGE_ARENA;
        enum oclnn_status status = new_storage(x, kind, root, k, &x->p->desc[root], &s);
        if (status != OCLNN_OK)
            return status;
        settle(x, root, s, node);
    }
    *out = x->p->storage[root];
    return OCLNN_OK;
}

static enum oclnn_status own_storage(struct placer *x, int32_t v, int k)
{
    int32_t s;
    enum oclnn_status status = root_storage(x, v, k, &s);
    if (status == OCLNN_OK)
        settle(x, v, s, k);
    return status;
}

/* ---- views of inputs ---- */
static enum oclnn_status place_view(struct placer *x, int k, const struct onn_prob *prob)
{
    const struct onn_node *n = &x->g->node[k];
    int32_t from = n->in[0], to = n->out[0], s = x->p->storage[from];
    struct onn_desc view = x->p->desc[to];
    bool fits = n->op->view(prob, &view);
    bool foreign = x->is_output[to] && x->p->store[s].kind != ONN_STORAGE_ARENA;
    bool strided = fits && !onn_desc_is_packed(&view);
    if (fits && !foreign && (!strided || readers_take(x, to, &view))) {
        x->p->kind[k] = ONN_NODE_NONE;
        x->p->desc[to] = view;
        settle(x, to, s, k);
        return OCLNN_OK;
    }
    x->p->kind[k] = ONN_NODE_PACK;
    if (!fits) { /* view of a packed copy of the input */
        struct onn_desc packed = prob->in[0];
        onn_desc_set_format(&packed, packed.format);
        struct onn_prob again = *prob;
        struct onn_desc *in = (struct onn_desc *)prob->in, kept = in[0];
        in[0] = packed;
        fits = n->op->view(&again, &x->p->desc[to]);
        in[0] = kept;
        if (!fits)
            return onn_error(OCLNN_ERROR_INTERNAL, "node '%s' (%s): its view does not fit", n->name,
                n->op->name);
    }
    return own_storage(x, to, k);
}

/* Split: all outputs as views, or none. */
static bool place_split(struct placer *x, int k, const struct onn_prob *prob)
{
    const struct onn_node *n = &x->g->node[k];
    for (int i = 0; i < n->n_out; i++) {
        struct onn_desc view = x->p->desc[n->out[i]];
        if (n->out[i] &&
            (x->is_output[n->out[i]] || x->p->parent[n->out[i]] || !n->op->view_out(prob, i, &view) ||
                !readers_take(x, n->out[i], &view)))
            return false;
    }
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i]) {
            n->op->view_out(prob, i, &x->p->desc[n->out[i]]);
            settle(x, n->out[i], x->p->storage[n->in[0]], k);
        }
    x->p->kind[k] = ONN_NODE_NONE;
    return true;
}

static bool may_overwrite(const struct placer *x, int k)
{
    const struct onn_node *n = &x->g->node[k];
    const struct onn_variant *v = x->choice[k].variant;
    int32_t from = n->n_in ? n->in[0] : 0, to = n->n_out == 1 ? n->out[0] : 0;
    if (x->o->inplace_off || !v || !(v->flags & ONN_VARIANT_INPLACE0) || !from || !to || x->p->parent[to])
        return false;
    const struct onn_desc *a = &x->p->desc[from], *b = &x->p->desc[to];
    const struct onn_storage *s = &x->p->store[x->p->storage[from]];
    if (s->kind != ONN_STORAGE_ARENA || s->last > k || x->p->derived[k] || a->offset ||
        !onn_desc_is_packed(a) || !onn_format_equal(&a->format, &b->format) ||
        onn_desc_bytes(a) != onn_desc_bytes(b) || onn_desc_bytes(a) != s->bytes ||
        oclnn_dtype_size(a->dtype) != oclnn_dtype_size(b->dtype))
        return false;
    for (int i = 1; i < n->n_in; i++) /* another operand in the same bytes must be read at the same places */
        if (n->in[i] && x->p->storage[n->in[i]] == x->p->storage[from] && n->in[i] != from)
            return false;
    return true;
}

static enum oclnn_status place_node(struct placer *x, int k)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_node *n = &x->g->node[k];
    struct onn_arena scratch = {0};
    struct onn_prob prob;
    x->p->kind[k] = ONN_NODE_RUN;
    ONN_TRY(onn_placed_prob(x->g, x->p, k, x->o, &scratch, &prob));
    if (!x->choice[k].variant) {
        ONN_TRY(place_view(x, k, &prob));
    } else if (n->op->view_out && !x->o->views_off && place_split(x, k, &prob)) {
        goto fail;
    } else if (may_overwrite(x, k)) {
        settle(x, n->out[0], x->p->storage[n->in[0]], k);
    } else {
        for (int i = 0; i < n->n_out; i++)
            if (n->out[i])
                ONN_TRY(own_storage(x, n->out[i], k));
    }
    if (n->op->view_in && x->choice[k].variant && !x->o->views_off)
        x->p->kind[k] = ONN_NODE_GATHER;
fail:
    onn_arena_finish(&scratch);
    return status;
}

static enum oclnn_status place_workspace(struct placer *x, int k)
{
    const struct onn_variant *v = x->choice[k].variant;
    x->p->workspace[k] = -1;
    if (!v || !v->workspace || x->p->kind[k] != ONN_NODE_RUN)
        return OCLNN_OK;
    struct onn_arena scratch = {0};
    struct onn_prob prob;
    enum oclnn_status status = onn_placed_prob(x->g, x->p, k, x->o, &scratch, &prob);
    size_t bytes = status == OCLNN_OK ? v->workspace(&prob, &x->choice[k].tune) : 0;
    onn_arena_finish(&scratch);
    if (status == OCLNN_OK && bytes) {
        status = new_storage(x, ONN_STORAGE_ARENA, 0, k, NULL, &x->p->workspace[k]);
        if (status == OCLNN_OK)
            x->p->store[x->p->workspace[k]].bytes = bytes;
        if (bytes > x->p->workspace_bytes)
            x->p->workspace_bytes = bytes;
    }
    return status;
}

static enum oclnn_status place_persistent(struct placer *x)
{
    for (int v = 1; v < x->g->n_values; v++) {
        const struct onn_value *value = &x->g->value[v];
        if (value->node >= 0)
            continue;
        int32_t s;
        enum onn_storage_kind kind = value->role == ONN_ROLE_INPUT ? ONN_STORAGE_INPUT : ONN_STORAGE_BLOB;
        enum oclnn_status status = new_storage(x, kind, v, -1, &value->desc, &s);
        if (status != OCLNN_OK)
            return status;
        x->p->storage[v] = s;
    }
    return OCLNN_OK;
}

static enum oclnn_status placer_init(struct placer *x)
{
    const struct onn_graph *g = x->g;
    struct onn_placement *p = x->p;
    size_t values = (size_t)g->n_values, nodes = (size_t)g->n_nodes + 1;
    *p = (struct onn_placement){.n_values = g->n_values};
    p->storage = onn_calloc(values, sizeof *p->storage);
    p->desc = onn_calloc(values, sizeof *p->desc);
    p->parent = onn_calloc(values, sizeof *p->parent);
    p->kind = onn_calloc(nodes, sizeof *p->kind);
    p->derived = onn_calloc(nodes, sizeof *p->derived);
    p->workspace = onn_calloc(nodes, sizeof *p->workspace);
    x->last_use = onn_calloc(values, sizeof *x->last_use);
    x->is_output = onn_calloc(values, sizeof *x->is_output);
    x->strided_ok = onn_calloc(values, sizeof *x->strided_ok);
    x->updated = onn_calloc(values, sizeof *x->updated);
    if (!p->storage || !p->desc || !p->parent || !p->kind || !p->derived || !p->workspace || !x->last_use ||
        !x->is_output || !x->strided_ok || !x->updated)
        return OCLNN_ERROR_MEMORY;
    for (int v = 0; v < g->n_values; v++) {
        p->storage[v] = -1;
        p->desc[v] = g->value[v].desc;
    }
    return OCLNN_OK;
}

/* The arena without workspaces: a second plan of the tensors alone, for the report. */
static enum oclnn_status measure_tensors(struct onn_placement *p, size_t align,
    const struct onn_place_options *o)
{
    size_t *bytes = NULL;
    int32_t segments = 0;
    int n = 0;
    struct onn_storage *copy = onn_calloc((size_t)p->n_storages + 1, sizeof *copy);
    if (!copy)
        return OCLNN_ERROR_MEMORY;
    for (int s = 0; s < p->n_storages; s++)
        if (p->store[s].value)
            copy[n++] = p->store[s];
    enum oclnn_status status =
        onn_memory_plan(copy, n, align, o->caps->max_alloc, !o->arena_off, &bytes, &segments);
    for (int i = 0; i < segments; i++)
        p->tensor_bytes += bytes[i];
    onn_free(bytes);
    onn_free(copy);
    return status;
}

enum oclnn_status onn_placement_make(const struct onn_graph *g, const struct onn_choice *choice,
    const struct onn_place_options *options, struct onn_placement *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct placer x = {.g = g, .choice = choice, .o = options, .p = out};
    const size_t align =
        64; /* a cache line and the widest vector; no sub-buffers, so the device asks for nothing more */
    ONN_TRY(placer_init(&x));
    find_uses(&x);
    find_derived(&x);
    ONN_TRY(place_persistent(&x));
    for (int k = g->n_nodes - 1; k >= 0 && !options->views_off; k--)
        if (g->node[k].op->view_in && choice[k].variant)
            ONN_TRY(place_concat(&x, k));
    for (int k = 0; k < g->n_nodes; k++) {
        ONN_TRY(place_node(&x, k));
        ONN_TRY(x.status);
    }
    for (int k = 0; k < g->n_nodes; k++)
        ONN_TRY(place_workspace(&x, k));
    out->lower_bound = onn_memory_lower_bound(out->store, out->n_storages, g->n_nodes, true);
    out->padding = onn_memory_lower_bound(out->store, out->n_storages, g->n_nodes, false) - out->lower_bound;
    ONN_TRY(measure_tensors(out, align, options));
    ONN_TRY(onn_memory_plan(out->store, out->n_storages, align, options->caps->max_alloc, !options->arena_off,
        &out->segment_bytes, &out->n_segments));
fail:
    onn_free(x.last_use);
    onn_free(x.is_output);
    onn_free(x.strided_ok);
    onn_free(x.updated);
    if (status != OCLNN_OK)
        onn_placement_finish(out);
    return status;
}

void onn_placement_finish(struct onn_placement *p)
{
    onn_free(p->storage);
    onn_free(p->desc);
    onn_free(p->parent);
    onn_free(p->store);
    onn_free(p->kind);
    onn_free(p->derived);
    onn_free(p->workspace);
    onn_free(p->segment_bytes);
    *p = (struct onn_placement){0};
}
