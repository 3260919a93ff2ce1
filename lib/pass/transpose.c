/* Transposes are carried along instead of made: each value may stand for transpose(base, perm) and is made only when
 * somebody reads it who cannot do with the base. Two in a row become one or none; element-wise operators and Concat run
 * on the bases; matrix products read and write their operands in any order; one that moves only extents of 1 is a
 * Reshape, which is a view. */
#include "ops/concat.h"
#include "ops/gemm.h"
#include "ops/transpose.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <string.h>

struct
    carried { /* dimension i is dimension perm[i] of base, a value of the new graph; base 0: made as it is */
    int32_t base;
    int64_t perm[ONN_MAX_RANK];
};

struct carry {
    struct onn_rewrite r;
    struct carried *of; /* per old value */
    int32_t *movers; /* per old value: how many of its readers could take the base */
    int32_t *reader; /* per old value: the node that reads it, where it is only one, else -1 */
};

static bool is_op(const struct onn_node *n, const char *name)
{
    return strcmp(n->op->name, name) == 0 && !n->epi;
}

static int rank_of(const struct carry *c, int32_t old)
{
    return c->r.in->value[old].desc.rank;
}

static bool same_order(const struct carried *a, const struct carried *b, int rank)
{
    return memcmp(a->perm, b->perm, (size_t)rank * sizeof *a->perm) == 0;
}

static struct onn_ints list(const int64_t *v, int n)
{
    return (struct onn_ints){n, v};
}

/* perm of a Transpose. */
static void read_perm(const struct onn_node *n, int rank, int64_t *perm)
{
    const struct onn_transpose_attr *a = n->attr;
    const bool given = a && a->perm.n == rank;
    for (int i = 0; i < rank; i++)
        perm[i] = given ? a->perm.v[i] : rank - 1 - i;
}

/* transpose(v, perm) in the graph: a Reshape where only extents of 1 move. */
static int32_t transposed(struct onn_graph *g, const char *name, int32_t v, const int64_t *perm)
{
    const struct onn_desc d = g->value[v].desc;
    const struct onn_transpose_attr attr = {.perm = list(perm, d.rank)};
    int64_t dim[ONN_MAX_RANK], last = -1;
    bool in_place = true;
    for (int i = 0; i < d.rank; i++) {
        dim[i] = d.dim[perm[i]];
        if (dim[i] == 1)
            continue;
        in_place = in_place && perm[i] > last;
        last = perm[i];
    }
    if (!in_place)
        return onn_emit(g, "transpose", name, &attr, 1, &v);
    return onn_emit(g, "reshape", name, NULL, 2, (int32_t[]){v, onn_graph_add_i64(g, dim, d.rank)});
}

/* The old value itself in the new graph, made if it was only carried. */
static int32_t made(struct carry *c, int32_t old)
{
    const struct carried *t = &c->of[old];
    if (!old || c->r.map[old] || !t->base)
        return onn_rewrite_value(&c->r, old);
    const struct onn_value *v = &c->r.in->value[old];
    const char *name = v->node >= 0 ? c->r.in->node[v->node].name : "";
    const int32_t id = transposed(c->r.out, name, t->base, t->perm);
    if (id)
        onn_rewrite_set(&c->r, old, id);
    return id;
}

/* Does this reader's operator work on bases, whatever its operands are? */
static bool may_move(const struct onn_graph *g, const struct onn_node *n)
{
    if (n->epi || n->n_out != 1)
        return false;
    bool all = strcmp(n->op->name, "concat") == 0;
    for (int i = 0; i < n->n_in && all; i++)
        all = g->value[n->in[i]].node >= 0 && is_op(&g->node[g->value[n->in[i]].node], "transpose");
    return all || n->op->flags & ONN_OP_ELEMENTWISE || strcmp(n->op->name, "transpose") == 0;
}

/* Carries old value `old` as transpose(base, perm), or as the base itself. */
static void carry(struct carry *c, int32_t old, int32_t base, const int64_t *perm)
{
    const int rank = rank_of(c, old);
    bool moves = false;
    for (int i = 0; i < rank; i++) {
        moves = moves || perm[i] != i;
        c->of[old].perm[i] = perm[i];
    }
    if (moves)
        c->of[old].base = base;
    else
        c->r.map[old] = base;
}

static void take_transpose(struct carry *c, const struct onn_node *n)
{
    const int rank = rank_of(c, n->in[0]);
    const struct carried *from = &c->of[n->in[0]];
    int64_t perm[ONN_MAX_RANK];
    read_perm(n, rank, perm);
    if (from->base)
        for (int i = 0; i < rank; i++)
            perm[i] = from->perm[perm[i]];
    const int32_t base = from->base ? from->base : onn_rewrite_value(&c->r, n->in[0]);
    if (base)
        carry(c, n->out[0], base, perm);
}

/* The order that all carried operands of an element-wise node share, if the others can follow: constants and single
 * numbers. NULL if the node stays where it is. */
static const struct carried *shared_order(const struct carry *c, const struct onn_node *n)
{
    const struct onn_graph *g = c->r.in;
    const struct carried *order = NULL;
    const int rank = rank_of(c, n->out[0]);
    for (int i = 0; i < n->n_in; i++) {
        const int32_t v = n->in[i];
        const struct carried *t = &c->of[v];
        if (!v || onn_desc_elements(&g->value[v].desc) == 1)
            continue;
        if (!t->base && g->value[v].role != ONN_ROLE_CONST && g->value[v].role != ONN_ROLE_PARAM)
            return NULL;
        if (!t->base)
            continue;
        if (rank_of(c, v) != rank || c->movers[v] != c->r.uses[v] || (order && !same_order(order, t, rank)))
            return NULL;
        order = order ? order : t;
    }
    return order;
}

/* An operand of a node that runs on bases of this order. */
static int32_t follow(struct carry *c, int32_t old, const struct carried *order, int rank)
{
    struct onn_graph *g = c->r.out;
    if (!old || onn_desc_elements(&c->r.in->value[old].desc) == 1)
        return made(c, old);
    if (c->of[old].base)
        return c->of[old].base;
    const struct onn_desc d = c->r.in->value[old].desc;
    int64_t dim[ONN_MAX_RANK], back[ONN_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        dim[i] = i < rank - d.rank ? 1 : d.dim[i - (rank - d.rank)];
        back[order->perm[i]] = i;
    }
    int32_t id = onn_rewrite_value(&c->r, old);
    if (id && d.rank < rank)
        id = onn_emit(g, "reshape", "", NULL, 2, (int32_t[]){id, onn_graph_add_i64(g, dim, rank)});
    return id ? transposed(g, "", id, back) : 0;
}

/* Element-wise on bases. False: not possible or not worth it. */
static bool move_elementwise(struct carry *c, const struct onn_node *n)
{
    int32_t in[8], out = 0;
    if (!(n->op->flags & ONN_OP_ELEMENTWISE) || n->epi || n->n_out != 1 || n->n_in > 8)
        return false;
    const struct carried *order = shared_order(c, n);
    if (!order)
        return false;
    const int rank = rank_of(c, n->out[0]);
    for (int i = 0; i < n->n_in; i++)
        in[i] = follow(c, n->in[i], order, rank);
    if (onn_emit_many(c->r.out, n->op, n->name, n->attr, n->n_in, in, 1, &out) == OCLNN_OK)
        carry(c, n->out[0], out, order->perm);
    return true;
}

static bool move_concat(struct carry *c, const struct onn_node *n)
{
    enum { MOST = 64 };
    int32_t in[MOST], out = 0;
    if (!is_op(n, "concat") || n->n_in > MOST || !may_move(c->r.in, n))
        return false;
    const int rank = rank_of(c, n->out[0]);
    struct onn_concat_attr attr = *(const struct onn_concat_attr *)n->attr;
    for (int i = 0; i < n->n_in; i++) {
        in[i] = c->of[n->in[i]].base;
        if (!in[i] || c->movers[n->in[i]] != c->r.uses[n->in[i]] ||
            !same_order(&c->of[n->in[0]], &c->of[n->in[i]], rank))
            return false;
    }
    const struct carried order = c->of[n->in[0]];
    attr.axis = order.perm[attr.axis < 0 ? attr.axis + rank : attr.axis];
    if (onn_emit_many(c->r.out, n->op, n->name, &attr, n->n_in, in, 1, &out) == OCLNN_OK)
        carry(c, n->out[0], out, order.perm);
    return true;
}

/* The Transpose that alone reads node n's output and leaves the last dimension where it is, else -1. */
static int32_t behind(const struct carry *c, const struct onn_node *n, int64_t *perm)
{
    const int32_t k = c->reader[n->out[0]];
    const int rank = rank_of(c, n->out[0]);
    if (k < 0 || !is_op(&c->r.in->node[k], "transpose"))
        return -1;
    read_perm(&c->r.in->node[k], rank, perm);
    return rank > 1 && perm[rank - 1] == rank - 1 ? k : -1;
}

static bool take_matmul(struct carry *c, const struct onn_node *n)
{
    if (!is_op(n, "matmul"))
        return false;
    const struct onn_op *op = onn_op_find("matmul_perm");
    const struct carried *a = &c->of[n->in[0]], *b = &c->of[n->in[1]];
    int64_t perm[ONN_MAX_RANK];
    int32_t in[3] = {0}, out = 0;
    const int32_t last = behind(c, n, perm);
    if (!op || n->n_in > 3 || (!a->base && !b->base && last < 0))
        return false;
    const struct onn_ints none = {-1, NULL};
    const struct onn_matmul_perm_attr attr = {
        .perm_a = a->base ? list(a->perm, rank_of(c, n->in[0])) : none,
        .perm_b = b->base ? list(b->perm, rank_of(c, n->in[1])) : none,
        .perm_y = last >= 0 ? list(perm, rank_of(c, n->out[0])) : none,
    };
    for (int i = 0; i < n->n_in; i++)
        in[i] = i < 2 && c->of[n->in[i]].base ? c->of[n->in[i]].base : made(c, n->in[i]);
    if (onn_emit_many(c->r.out, op, n->name, &attr, n->n_in, in, 1, &out) != OCLNN_OK)
        return true;
    onn_rewrite_set(&c->r, last >= 0 ? c->r.in->node[last].out[0] : n->out[0], out);
    if (last >= 0)
        c->r.skip[last] = true;
    return true;
}

static bool take_gemm(struct carry *c, int32_t k, enum oclnn_status *status)
{
    const struct onn_node *n = &c->r.in->node[k];
    if (!is_op(n, "gemm") || n->n_in > 3 || (!c->of[n->in[0]].base && !c->of[n->in[1]].base))
        return false;
    struct onn_gemm_attr attr = *(const struct onn_gemm_attr *)n->attr;
    int32_t in[3] = {0};
    for (int i = 0; i < n->n_in; i++)
        in[i] = i < 2 && c->of[n->in[i]].base ? c->of[n->in[i]].base : made(c, n->in[i]);
    attr.trans_a ^= c->of[n->in[0]].base != 0; /* the only order of two dimensions that moves them */
    attr.trans_b ^= c->of[n->in[1]].base != 0;
    *status = c->r.out->status ? c->r.out->status : onn_rewrite_copy_node_as(&c->r, k, &attr, n->n_in, in);
    return true;
}

static enum oclnn_status visit(struct carry *c, int32_t k)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_node *n = &c->r.in->node[k];
    if (c->r.skip[k])
        return OCLNN_OK;
    if (is_op(n, "transpose"))
        take_transpose(c, n);
    else if (!move_elementwise(c, n) && !move_concat(c, n) && !take_matmul(c, n) &&
        !take_gemm(c, k, &status)) {
        for (int i = 0; i < n->n_in; i++)
            made(c, n->in[i]);
        if (c->r.out->status == OCLNN_OK)
            status = onn_rewrite_copy_node(&c->r, k);
    }
    return status ? status : c->r.out->status;
}

static enum oclnn_status prepare(struct carry *c, const struct onn_graph *g)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_TRY(onn_rewrite_init(&c->r, g));
    c->of = onn_calloc((size_t)g->n_values, sizeof *c->of);
    c->movers = onn_calloc((size_t)g->n_values, sizeof *c->movers);
    c->reader = onn_calloc((size_t)g->n_values, sizeof *c->reader);
    ONN_TRY(c->of && c->movers && c->reader ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int32_t v = 0; v < g->n_values; v++)
        c->reader[v] = -1;
    for (int32_t k = 0; k < g->n_nodes; k++)
        for (int i = 0; i < g->node[k].n_in; i++) {
            const int32_t v = g->node[k].in[i];
            c->reader[v] = c->r.uses[v] == 1 ? k : -1;
            c->movers[v] += may_move(g, &g->node[k]);
        }
fail:
    return status;
}

enum oclnn_status onn_pass_transpose(const struct onn_graph *in, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct carry c = {0};
    struct onn_graph *whole = NULL;
    ONN_TRY(prepare(&c, in));
    for (int i = 0; i < in->n_inputs; i++)
        onn_rewrite_value(&c.r, in->input[i]);
    for (int32_t k = 0; k < in->n_nodes; k++)
        ONN_TRY(visit(&c, k));
    for (int i = 0; i < in->n_outputs; i++)
        made(&c, in->output[i]);
    ONN_TRY(onn_rewrite_outputs(&c.r));
fail:
    onn_free(c.of);
    onn_free(c.movers);
    onn_free(c.reader);
    status = onn_rewrite_finish(&c.r, status, &whole);
    if (status == OCLNN_OK)
        status = onn_pass_prune(whole, out);
    onn_graph_destroy(&whole);
    return status;
}
