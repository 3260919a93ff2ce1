#include "ops/elementwise.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <string.h>

#define MOST_OPERANDS 8 /* of a node that may become a step, which takes two tensors and numbers */

/* A producer and the element-wise nodes that follow it, as long as each result has one reader. The fused node stands
 * where the last of them stood: all other operands exist by then. What reads the producer's other outputs comes later. */
struct chain {
    int32_t first, last; /* nodes of the old graph */
    int32_t before; /* the first reader of the producer's other outputs */
    struct onn_epilogue epi;
    int32_t extra[ONN_EPI_STEPS]; /* old value ids */
};

struct fuse {
    struct onn_rewrite r;
    const struct onn_caps *caps;
    struct chain **ends_at; /* per old node: the chain that ends there */
    int32_t *reader; /* per old value: the one node that reads it, -1 = none or several */
    bool *member; /* per old node: belongs to a chain */
    struct onn_arena arena;
    enum oclnn_status status; /* not OK: a question could not be answered for want of memory */
};

static const struct onn_variant *last_variant(const struct onn_op *op)
{
    const struct onn_variant *last = NULL;
    for (int i = 0; op->variants && op->variants[i]; i++)
        last = op->variants[i];
    return last;
}

static bool takes_epilogue(const struct onn_op *op)
{
    const struct onn_variant *v = last_variant(op);
    return v && (v->flags & (ONN_VARIANT_EPILOGUE | ONN_VARIANT_CHAIN));
}

/* The last variant that takes the problem without its epilogue: variants of one operator may share the work between them
 * (a normalisation in inference and in training). */
static const struct onn_variant *plainest(const struct onn_prob *p, int own)
{
    const struct onn_variant *found = NULL;
    struct onn_prob bare = *p;
    bare.n_in = own;
    bare.epi = NULL;
    for (int i = 0; p->op->variants && p->op->variants[i]; i++)
        if (!onn_variant_refuse(p->op->variants[i], &bare))
            found = p->op->variants[i];
    return found;
}

/* Steps compute in float or double: a Cast of whole numbers computes in theirs. */
static bool leads_in_float(const struct onn_prob *p)
{
    const struct onn_ew_row *row = onn_ew_row(p->op);
    return !row || onn_dtype_is_float(p->in[row->ew_flags & ONN_EW_COND ? 1 : 0].dtype);
}

/* Would the node's plainest variant take this epilogue? */
static bool accepts(struct fuse *f, const struct chain *c)
{
    const struct onn_graph *g = f->r.in;
    const struct onn_node *n = &g->node[c->first];
    struct onn_arena scratch = {0};
    struct onn_prob p;
    int own = n->n_in, n_in = own + c->epi.n_extra;
    int32_t *in = onn_arena_calloc(&scratch, (size_t)n_in + 1, sizeof *in);
    f->status = in ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    if (in) {
        memcpy(in, n->in, (size_t)own * sizeof *in);
        memcpy(in + own, c->extra, (size_t)c->epi.n_extra * sizeof *in);
        f->status = onn_node_prob(g, n->op, n->attr, n_in, in, n->n_out, n->out, &scratch, &p);
    }
    bool good = f->status == OCLNN_OK && leads_in_float(&p);
    if (good) {
        p.caps = f->caps;
        const struct onn_variant *v = plainest(&p, own);
        p.epi = &c->epi;
        good = v && (v->flags & (ONN_VARIANT_EPILOGUE | ONN_VARIANT_CHAIN)) && !onn_variant_refuse(v, &p);
    }
    onn_arena_finish(&scratch);
    return good;
}

/* Another operand of `node` whose producer comes later and could take it as well: the later one gets it. */
static bool better_producer(const struct fuse *f, int32_t node, int32_t via)
{
    const struct onn_graph *g = f->r.in;
    const struct onn_node *n = &g->node[node];
    for (int i = 0; i < n->n_in; i++) {
        int32_t from = n->in[i] ? g->value[n->in[i]].node : -1;
        if (n->in[i] == via || from < 0 || f->reader[n->in[i]] != node)
            continue;
        if (from > g->value[via].node && takes_epilogue(g->node[from].op) &&
            onn_desc_same_shape(&g->value[n->in[i]].desc, &g->value[via].desc))
            return true;
    }
    return false;
}

static bool extend(struct fuse *f, struct chain *c, int32_t value)
{
    const struct onn_graph *g = f->r.in;
    int32_t k = f->reader[value];
    if (k < 0 || k >= c->before || f->member[k] || g->node[k].epi ||
        !(g->node[k].op->flags & ONN_OP_ELEMENTWISE) || c->epi.n == ONN_EPI_STEPS ||
        g->node[k].n_in > MOST_OPERANDS || better_producer(f, k, value))
        return false;
    const struct onn_node *n = &g->node[k];
    struct onn_arena scratch = {0};
    struct onn_prob p;
    struct chain longer = *c;
    int via = 0, extra_in = -1;
    f->status = onn_node_prob(g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, &scratch, &p);
    bool good = f->status == OCLNN_OK;
    while (via < n->n_in && n->in[via] != value)
        via++;
    struct onn_epi_step *step = &longer.epi.step[longer.epi.n];
    good = good && onn_ew_as_step(&p, via, &f->arena, step, &extra_in);
    if (f->status == OCLNN_OK && !good && !step->op)
        f->status = OCLNN_ERROR_MEMORY;
    if (good && extra_in >= 0) {
        int32_t id = n->in[extra_in];
        good = id != value && longer.epi.n_extra < ONN_EPI_STEPS;
        if (good) {
            step->extra = (int8_t)longer.epi.n_extra;
            longer.extra[longer.epi.n_extra++] = id;
        }
    }
    onn_arena_finish(&scratch);
    longer.epi.n++;
    longer.last = k;
    if (!good || !accepts(f, &longer))
        return false;
    f->member[k] = true;
    *c = longer;
    return true;
}

/* The first node that reads an output of node k but 0; n_nodes if there is none. */
static int32_t first_reader_of_others(const struct fuse *f, int32_t k)
{
    const struct onn_graph *g = f->r.in;
    const struct onn_node *n = &g->node[k];
    bool used = false;
    for (int i = 1; i < n->n_out; i++)
        used |= n->out[i] && f->r.uses[n->out[i]];
    for (int32_t j = k + 1; used && j < g->n_nodes; j++)
        for (int i = 0; i < g->node[j].n_in; i++) {
            const struct onn_value *v = &g->value[g->node[j].in[i]];
            if (g->node[j].in[i] && v->node == k && v->slot > 0)
                return j;
        }
    return g->n_nodes;
}

static enum oclnn_status find_chain(struct fuse *f, int32_t k)
{
    const struct onn_graph *g = f->r.in;
    const struct onn_node *n = &g->node[k];
    if (f->member[k] || n->epi || !takes_epilogue(n->op) || n->n_out < 1)
        return OCLNN_OK;
    struct chain c = {.first = k, .last = k, .before = first_reader_of_others(f, k)};
    f->member[k] = true;
    while (extend(f, &c, g->node[c.last].out[0]))
        ;
    if (c.last == k || f->status != OCLNN_OK) {
        f->member[k] = false;
        return f->status;
    }
    f->ends_at[c.last] = onn_arena_dup(&f->arena, &c, sizeof c);
    return f->ends_at[c.last] ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

static enum oclnn_status emit_chain(struct fuse *f, const struct chain *c)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = f->r.in;
    const struct onn_node *n = &g->node[c->first];
    int own = n->n_in, total = own + c->epi.n_extra;
    int32_t *in = onn_calloc((size_t)total + 1, sizeof *in);
    ONN_TRY(in ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < total; i++)
        in[i] = onn_rewrite_value(&f->r, i < own ? n->in[i] : c->extra[i - own]);
    ONN_TRY(f->r.out->status);
    struct onn_epilogue epi = c->epi;
    ONN_TRY(onn_rewrite_copy_node_with(&f->r, c->first, total, in, &epi));
    const struct onn_node *made = &f->r.out->node[f->r.out->n_nodes - 1];
    int32_t old = g->node[c->last].out[0], id = made->out[0];
    f->r.out->value[id].desc = g->value[old].desc;
    f->r.out->value[id].name = "";
    f->r.out->value[id].source = 0;
    onn_rewrite_set(&f->r, old, id);
fail:
    onn_free(in);
    return status;
}

static enum oclnn_status find_readers(struct fuse *f)
{
    const struct onn_graph *g = f->r.in;
    f->reader = onn_calloc((size_t)g->n_values, sizeof *f->reader);
    f->member = onn_calloc((size_t)g->n_nodes + 1, sizeof *f->member);
    f->ends_at = onn_calloc((size_t)g->n_nodes + 1, sizeof *f->ends_at);
    if (!f->reader || !f->member || !f->ends_at)
        return OCLNN_ERROR_MEMORY;
    for (int v = 0; v < g->n_values; v++)
        f->reader[v] = -1;
    for (int k = 0; k < g->n_nodes; k++)
        for (int i = 0; i < g->node[k].n_in; i++) {
            int32_t id = g->node[k].in[i];
            f->reader[id] = f->r.uses[id] == 1 ? k : -1;
        }
    return OCLNN_OK;
}

enum oclnn_status onn_pass_fuse(const struct onn_graph *in, const struct onn_caps *caps,
    struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct fuse f = {.caps = caps};
    ONN_TRY(onn_rewrite_init(&f.r, in));
    ONN_TRY(find_readers(&f));
    for (int k = 0; k < in->n_nodes; k++)
        ONN_TRY(find_chain(&f, k));
    for (int i = 0; i < in->n_inputs; i++)
        onn_rewrite_value(&f.r, in->input[i]);
    for (int k = 0; k < in->n_nodes; k++) {
        if (f.ends_at[k])
            ONN_TRY(emit_chain(&f, f.ends_at[k]));
        else if (!f.member[k])
            ONN_TRY(onn_rewrite_copy_node(&f.r, k));
    }
    ONN_TRY(onn_rewrite_outputs(&f.r));
fail:
    onn_free(f.reader);
    onn_free(f.member);
    onn_free(f.ends_at);
    onn_arena_finish(&f.arena);
    return onn_rewrite_finish(&f.r, status, out);
}
