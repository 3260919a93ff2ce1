#include "pass/recompute.h"
#include "ops/op.h"
#include "pass/rewrite.h"

#include <string.h>

/* Method: T. Chen, B. Xu, C. Zhang, C. Guestrin, Training Deep Nets with Sublinear Memory Cost (2016), with the choice made
 * by a greedy search over measured lifetimes instead of fixed segments. */

struct search {
    const struct onn_graph *g;
    int32_t forward;
    int32_t *root; /* per value: whose bytes it looks at */
    size_t *bytes; /* per value: 0 for persistent ones, inputs and those that look at another one's */
    bool *late; /* per value: a backward node reads it */
    bool *again; /* per value: chosen */
    bool *rejected;
    int32_t *stamp; /* per forward node: cloned in the walk with this number */
    int32_t walk;
    int32_t *order; /* of clones_for: nodes */
    int32_t *path, *next; /* its way: nodes, and the input to be looked at next */
    /* lifetimes of one simulation, values first, then their clones */
    int32_t *first, *last, positions;
    int64_t *delta; /* per position */
};

static bool is_alias(const struct onn_op *op)
{
    static const char *const names[] = {"reshape", "flatten", "squeeze", "unsqueeze", "identity", "dropout",
        NULL};
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], op->name) == 0)
            return true;
    return false;
}

static enum oclnn_status search_init(struct search *s, const struct onn_graph *g, int32_t forward)
{
    const size_t values = (size_t)g->n_values, nodes = (size_t)g->n_nodes;
    *s = (struct search){.g = g, .forward = forward};
    s->root = onn_calloc(values, sizeof *s->root);
    s->bytes = onn_calloc(values, sizeof *s->bytes);
    s->late = onn_calloc(values, sizeof *s->late);
    s->again = onn_calloc(values, sizeof *s->again);
    s->rejected = onn_calloc(values, sizeof *s->rejected);
    s->stamp = onn_calloc(nodes + 1, sizeof *s->stamp);
    s->order = onn_calloc(nodes + 1, sizeof *s->order);
    s->path = onn_calloc(nodes + 1, sizeof *s->path);
    s->next = onn_calloc(nodes + 1, sizeof *s->next);
    s->first = onn_calloc(2 * values, sizeof *s->first);
    s->last = onn_calloc(2 * values, sizeof *s->last);
    s->delta = onn_calloc(2 * nodes + 2, sizeof *s->delta);
    if (!s->root || !s->bytes || !s->late || !s->again || !s->rejected || !s->stamp || !s->order ||
        !s->path || !s->next || !s->first || !s->last || !s->delta)
        return OCLNN_ERROR_MEMORY;
    for (int32_t v = 1; v < g->n_values; v++) {
        const struct onn_value *value = &g->value[v];
        s->root[v] = v;
        if (value->node < 0)
            continue;
        const struct onn_node *n = &g->node[value->node];
        if (is_alias(n->op) && n->n_in && s->root[n->in[0]])
            s->root[v] = s->root[n->in[0]];
        else
            s->bytes[v] = onn_desc_bytes(&value->desc);
    }
    for (int32_t k = forward; k < g->n_nodes; k++)
        for (int i = 0; i < g->node[k].n_in; i++)
            if (g->node[k].in[i])
                s->late[s->root[g->node[k].in[i]]] = true;
    return OCLNN_OK;
}

static void search_finish(struct search *s)
{
    onn_free(s->root);
    onn_free(s->bytes);
    onn_free(s->late);
    onn_free(s->again);
    onn_free(s->rejected);
    onn_free(s->stamp);
    onn_free(s->order);
    onn_free(s->path);
    onn_free(s->next);
    onn_free(s->first);
    onn_free(s->last);
    onn_free(s->delta);
}

/* Does the backward part take this forward value from a clone? Values that it reads and that were not chosen are kept;
 * what else a clone needs is computed again too. */
static bool from_clone(const struct search *s, int32_t v)
{
    const struct onn_value *value = &s->g->value[v];
    if (!v || value->node < 0 || value->node >= s->forward)
        return false;
    const int32_t root = s->root[v];
    return s->g->value[root].node >= 0 && (s->again[root] || !s->late[root]);
}

/* The nodes to be cloned before node k can run in the backward part, as far as this walk has not cloned them: order[0] to
 * order[n - 1], each behind those that it reads. Depth first with a path of its own: networks may be deeper than stacks. */
static int32_t clones_for(struct search *s, int32_t k)
{
    const struct onn_graph *g = s->g;
    int32_t n = 0, depth = 0;
    s->path[0] = k;
    s->next[0] = 0;
    while (depth >= 0) {
        const struct onn_node *node = &g->node[s->path[depth]];
        if (s->next[depth] == node->n_in) {
            if (depth)
                s->order[n++] = s->path[depth];
            depth--;
            continue;
        }
        const int32_t v = node->in[s->next[depth]++];
        if (!from_clone(s, v) || s->stamp[g->value[v].node] == s->walk)
            continue;
        s->stamp[g->value[v].node] = s->walk;
        s->path[++depth] = g->value[v].node;
        s->next[depth] = 0;
    }
    return n;
}

static void touch(struct search *s, int32_t slot)
{
    if (!s->first[slot])
        s->first[slot] = s->positions;
    s->last[slot] = s->positions;
}

static void simulate_node(struct search *s, int32_t k, bool clone)
{
    const struct onn_graph *g = s->g;
    const struct onn_node *n = &g->node[k];
    const bool late = clone || k >= s->forward;
    s->positions++;
    for (int i = 0; i < n->n_in; i++) {
        const int32_t root = s->root[n->in[i]];
        if (n->in[i] && s->bytes[root])
            touch(s, root + (late && from_clone(s, n->in[i]) ? g->n_values : 0));
    }
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i] && s->bytes[n->out[i]])
            touch(s, n->out[i] + (clone ? g->n_values : 0));
}

static size_t peak(struct search *s)
{
    const struct onn_graph *g = s->g;
    int64_t live = 0, most = 0;
    memset(s->first, 0, 2 * (size_t)g->n_values * sizeof *s->first);
    memset(s->last, 0, 2 * (size_t)g->n_values * sizeof *s->last);
    memset(s->delta, 0, (2 * (size_t)g->n_nodes + 2) * sizeof *s->delta);
    s->positions = 0;
    s->walk++;
    for (int32_t k = 0; k < g->n_nodes; k++) {
        const int32_t clones = k < s->forward ? 0 : clones_for(s, k);
        for (int32_t i = 0; i < clones; i++)
            simulate_node(s, s->order[i], true);
        simulate_node(s, k, false);
    }
    for (int i = 0; i < g->n_outputs; i++) /* outputs stay to the end */
        if (s->first[s->root[g->output[i]]])
            s->last[s->root[g->output[i]]] = s->positions;
    for (int32_t v = 0; v < 2 * g->n_values; v++)
        if (s->first[v]) {
            s->delta[s->first[v]] += (int64_t)s->bytes[v % g->n_values];
            s->delta[s->last[v] + 1] -= (int64_t)s->bytes[v % g->n_values];
        }
    for (int32_t p = 0; p <= s->positions; p++) {
        live += s->delta[p];
        most = live > most ? live : most;
    }
    return (size_t)most;
}

/* Bytes read and written, and a tenth of the multiplications, of node k. */
static double own_work(const struct search *s, int32_t k)
{
    const struct onn_graph *g = s->g;
    const struct onn_node *n = &g->node[k];
    struct onn_arena scratch = {0};
    struct onn_prob prob;
    double sum = 1;
    if (onn_node_prob(g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, &scratch, &prob) == OCLNN_OK) {
        sum += onn_prob_bytes(&prob);
        sum += 0.1 * (n->op->flop ? n->op->flop(&prob) : onn_default_flop(&prob));
    }
    onn_arena_finish(&scratch);
    return sum;
}

/* Of all that computing node k's values again would add. */
static double work(struct search *s, int32_t k)
{
    const int32_t clones = clones_for(s, k);
    double sum = own_work(s, k);
    for (int32_t i = 0; i < clones; i++)
        sum += own_work(s, s->order[i]);
    return sum;
}

/* The value with the most bytes per work; 0 if none is left. */
static int32_t best(struct search *s)
{
    int32_t found = 0;
    double most = 0;
    for (int32_t v = 1; v < s->g->n_values; v++) {
        const int32_t node = s->g->value[v].node;
        if (!s->bytes[v] || !s->late[v] || s->again[v] || s->rejected[v] || node < 0 || node >= s->forward ||
            s->g->node[node].op->flags & ONN_OP_UPDATES)
            continue;
        s->walk++;
        const double gain = (double)s->bytes[v] / work(s, node);
        if (gain > most) {
            most = gain;
            found = v;
        }
    }
    return found;
}

static void choose(struct search *s, size_t target, size_t *recomputed)
{
    size_t now = peak(s);
    *recomputed = 0;
    while (now > target) {
        const int32_t v = best(s);
        if (!v)
            return;
        s->again[v] = true;
        const size_t then = peak(s);
        if (then >= now) {
            s->again[v] = false;
            s->rejected[v] = true;
            continue;
        }
        now = then;
        *recomputed += s->bytes[v];
    }
}

struct clones {
    struct search *s;
    struct onn_rewrite r;
    int32_t *clone; /* per value of the old graph */
};

/* A node of the backward part, or a forward node once more; what it reads is there. */
static enum oclnn_status copy_late(struct clones *c, int32_t k, bool clone)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_node *n = &c->s->g->node[k];
    int32_t *in = onn_calloc((size_t)n->n_in + (size_t)n->n_out + 1, sizeof *in), *kept = in + n->n_in;
    ONN_TRY(in ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < n->n_in; i++)
        in[i] = from_clone(c->s, n->in[i]) ? c->clone[n->in[i]] : onn_rewrite_value(&c->r, n->in[i]);
    ONN_TRY(c->r.out->status);
    for (int i = 0; i < n->n_out && clone; i++)
        kept[i] = n->out[i] ? c->r.map[n->out[i]] : 0;
    ONN_TRY(onn_rewrite_copy_node_with(&c->r, k, n->n_in, in, n->epi));
    for (int i = 0; i < n->n_out && clone; i++)
        if (n->out[i]) {
            c->clone[n->out[i]] = c->r.map[n->out[i]];
            c->r.map[n->out[i]] = kept[i];
        }
fail:
    onn_free(in);
    return status;
}

static enum oclnn_status copy_backward(struct clones *c)
{
    enum oclnn_status status = OCLNN_OK;
    c->s->walk++;
    for (int32_t k = c->s->forward; k < c->s->g->n_nodes; k++) {
        const int32_t clones = clones_for(c->s, k);
        for (int32_t i = 0; i < clones; i++)
            ONN_TRY(copy_late(c, c->s->order[i], true));
        ONN_TRY(copy_late(c, k, false));
    }
fail:
    return status;
}

enum oclnn_status onn_pass_recompute(const struct onn_graph *in, int32_t forward, size_t target,
    struct onn_graph **out, size_t *recomputed)
{
    enum oclnn_status status = OCLNN_OK;
    struct search s = {0};
    struct clones c = {.s = &s};
    ONN_TRY(onn_rewrite_init(&c.r, in));
    ONN_TRY(search_init(&s, in, forward));
    choose(&s, target, recomputed);
    c.clone = onn_calloc((size_t)in->n_values, sizeof *c.clone);
    ONN_TRY(c.clone ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < in->n_inputs; i++)
        onn_rewrite_value(&c.r, in->input[i]);
    for (int32_t k = 0; k < forward; k++)
        ONN_TRY(onn_rewrite_copy_node(&c.r, k));
    ONN_TRY(copy_backward(&c));
    ONN_TRY(onn_rewrite_outputs(&c.r));
fail:
    onn_free(c.clone);
    search_finish(&s);
    return onn_rewrite_finish(&c.r, status, out);
}
