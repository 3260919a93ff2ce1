/* updates: updates of small parameters that differ in their tensors only become one node: a small network pays for launches,
 * not for numbers. A node waits until something needs what it writes, or the graph ends.
 * early: an update happens as soon as nothing reads the old value any more, so that gradients need not live to the end. */
#include "ops/optimizer.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <string.h>

#define TOGETHER \
    ((size_t)256 << 10) /* bytes of a parameter from which a launch costs less than the update itself */

struct group {
    const struct onn_node *first;
    struct onn_update_form form;
    int32_t *node; /* of the old graph */
    int32_t n, cap;
};

struct updates {
    struct onn_rewrite r;
    struct group *group;
    int32_t n, cap;
};

/* Two values that are the same bytes. */
static bool same(const struct onn_graph *g, int32_t a, int32_t b)
{
    return a && b && (a == b || (g->value[a].blob && g->value[a].blob == g->value[b].blob));
}

static bool reads(const struct onn_graph *g, const struct onn_node *n, int32_t v)
{
    for (int i = 0; i < n->n_in; i++)
        if (same(g, n->in[i], v))
            return true;
    return false;
}

static bool writes(const struct onn_node *n, int i)
{
    return (n->op->flags & ONN_OP_UPDATES) && onn_update_writes(n->op, i);
}

/* Must a stay before b? */
static bool in_order(const struct onn_graph *g, const struct onn_node *a, const struct onn_node *b)
{
    for (int i = 0; i < a->n_in; i++)
        if (writes(a, i) && reads(g, b, a->in[i]))
            return true;
    for (int i = 0; i < b->n_in; i++)
        if (writes(b, i) && reads(g, a, b->in[i]))
            return true;
    return false;
}

static bool fits(const struct group *q, const struct onn_node *n)
{
    const struct onn_node *m = q->first;
    if (m->op != n->op || memcmp(m->attr, n->attr, n->op->attr_size) != 0)
        return false;
    for (int i = 2; i < q->form.own; i++) { /* shared ones are equal, states are there or not */
        const int32_t a = i < m->n_in ? m->in[i] : 0, b = i < n->n_in ? n->in[i] : 0;
        if (i < q->form.first_state ? a != b : !a != !b)
            return false;
    }
    return true;
}

static enum oclnn_status emit(struct updates *u, const struct group *q)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_update_form *f = &q->form;
    const int n = f->own + (q->n - 1) * (2 + f->states);
    int32_t *in = NULL;
    if (q->n == 1)
        return onn_rewrite_copy_node(&u->r, q->node[0]);
    in = onn_calloc((size_t)n, sizeof *in);
    ONN_TRY(in ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < f->own && i < q->first->n_in; i++)
        in[i] = onn_rewrite_value(&u->r, q->first->in[i]);
    for (int k = 1; k < q->n; k++) {
        const struct onn_node *m = &u->r.in->node[q->node[k]];
        for (int t = 0; t < 2 + f->states; t++) {
            const int from = onn_update_input(f, 0, t);
            in[onn_update_input(f, k, t)] = from < m->n_in ? onn_rewrite_value(&u->r, m->in[from]) : 0;
        }
    }
    ONN_TRY(u->r.out->status);
    onn_graph_add_op(u->r.out, q->first->op, q->first->name, q->first->attr, n, in, 0);
    status = u->r.out->status;
fail:
    onn_free(in);
    return status;
}

/* Emits the groups that may not wait for node n (NULL: all). */
static enum oclnn_status flush(struct updates *u, const struct onn_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = u->r.in;
    int32_t kept = 0;
    for (int32_t i = 0; i < u->n; i++) {
        struct group q = u->group[i];
        bool now = !n;
        for (int32_t k = 0; k < q.n && !now && status == OCLNN_OK; k++)
            now = in_order(g, &g->node[q.node[k]], n);
        if (now && status == OCLNN_OK)
            status = emit(u, &q);
        if (now)
            onn_free(q.node);
        else
            u->group[kept++] = q;
    }
    u->n = kept;
    return status;
}

static enum oclnn_status collect(struct updates *u, int32_t k, const struct onn_update_form *form)
{
    const struct onn_node *n = &u->r.in->node[k];
    int32_t i = 0;
    while (i < u->n && !fits(&u->group[i], n))
        i++;
    if (i == u->n) {
        if (!onn_array_grow((void **)&u->group, u->n, &u->cap, sizeof *u->group))
            return OCLNN_ERROR_MEMORY;
        u->group[u->n++] = (struct group){.first = n, .form = *form};
    }
    struct group *q = &u->group[i];
    if (!onn_array_grow((void **)&q->node, q->n, &q->cap, sizeof *q->node))
        return OCLNN_ERROR_MEMORY;
    q->node[q->n++] = k;
    return OCLNN_OK;
}

enum oclnn_status onn_pass_updates(const struct onn_graph *in, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct updates u = {0};
    ONN_TRY(onn_rewrite_init(&u.r, in));
    for (int i = 0; i < in->n_inputs; i++)
        onn_rewrite_value(&u.r, in->input[i]);
    for (int32_t k = 0; k < in->n_nodes; k++) {
        const struct onn_node *n = &in->node[k];
        struct onn_update_form form;
        ONN_TRY(flush(&u, n));
        if (onn_update_form(n->op, &form) && n->n_in <= form.own && !n->epi &&
            onn_desc_bytes(&in->value[n->in[0]].desc) < TOGETHER)
            ONN_TRY(collect(&u, k, &form));
        else
            ONN_TRY(onn_rewrite_copy_node(&u.r, k));
    }
    ONN_TRY(flush(&u, NULL));
    ONN_TRY(onn_rewrite_outputs(&u.r));
fail:
    for (int32_t i = 0; i < u.n; i++)
        onn_free(u.group[i].node);
    onn_free(u.group);
    return onn_rewrite_finish(&u.r, status, out);
}

/* The place of the last node that update k must come after, as places are in the new order; -1 = there is none. */
static int32_t place_after(const struct onn_graph *g, int32_t k, const int32_t *place)
{
    const struct onn_node *n = &g->node[k];
    int32_t last = -1;
    for (int32_t j = 0; j < k; j++) {
        bool before = in_order(g, &g->node[j], n);
        for (int i = 0; i < n->n_in && !before; i++)
            before = n->in[i] && g->value[n->in[i]].node == j;
        if (before && place[j] > last)
            last = place[j];
    }
    return last;
}

enum oclnn_status onn_pass_early(const struct onn_graph *in, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_rewrite r = {0};
    /* per node: behind which one it comes; itself where it stays. first, next: who comes behind a node, as a list */
    int32_t *place = onn_calloc(3 * ((size_t)in->n_nodes + 1), sizeof *place);
    int32_t *first = place + in->n_nodes + 1, *next = first + in->n_nodes + 1;
    ONN_TRY(onn_rewrite_init(&r, in));
    ONN_TRY(place ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < in->n_inputs; i++)
        onn_rewrite_value(&r, in->input[i]);
    for (int32_t k = 0; k < in->n_nodes; k++) {
        const bool moves = (in->node[k].op->flags & ONN_OP_UPDATES) && !in->node[k].n_out;
        const int32_t last = moves ? place_after(in, k, place) : k;
        place[k] = last < 0 ? k : last;
        first[k] = -1;
    }
    for (int32_t k = in->n_nodes - 1; k >= 0; k--) {
        next[k] = first[place[k]];
        first[place[k]] = k;
    }
    for (int32_t j = 0; j < in->n_nodes; j++)
        for (int32_t k = first[j]; k >= 0; k = next[k])
            ONN_TRY(onn_rewrite_copy_node(&r, k));
    ONN_TRY(onn_rewrite_outputs(&r));
fail:
    onn_free(place);
    return onn_rewrite_finish(&r, status, out);
}
