#include "pass/trainable.h"
#include "base/mem.h"
#include "ops/norm.h"
#include "ops/op.h"

#include <math.h>
#include <string.h>

#define LARGEST_WEIGHT 1e4 /* masks of attention hold -1e4 … -infinity */

static const struct place {
    const char *op;
    uint32_t params, states; /* bits of inputs */
} places[] = {
    {"conv", 6, 0},
    {"convtranspose", 6, 0},
    {"gemm", 7, 0},
    {"matmul", 3, 0},
    {"batchnormalization", 6, 24},
    {"instancenormalization", 6, 0},
    {"layernormalization", 6, 0},
    {"groupnormalization", 6, 0},
    {"prelu", 2, 0},
    {"lstm", 142, 0},
    {"gru", 14, 0},
    {"rnn", 14, 0},
};

static bool is_one_of(const struct onn_op *op, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(op->name, *names) == 0)
            return true;
    return false;
}

/* What v is made of by operators that only move and repeat elements. */
static int32_t source_of(const struct onn_graph *g, int32_t v)
{
    static const char *const movers[] = {"identity", "transpose", "reshape", "unsqueeze", "squeeze",
        "flatten", "expand", NULL};
    while (v && g->value[v].node >= 0 && is_one_of(g->node[g->value[v].node].op, movers))
        v = g->node[g->value[v].node].in[0];
    return v;
}

/* The constant behind v, 0 if there is none. */
static int32_t constant_of(const struct onn_graph *g, int32_t v)
{
    v = source_of(g, v);
    const struct onn_value *c = &g->value[v];
    return v && c->role == ONN_ROLE_CONST && c->blob && c->desc.dtype == OCLNN_F32 ? v : 0;
}

/* How a file keeps its numbers. */
struct style {
    bool stores; /* weights are initialisers: what nodes hold are no weights */
    bool singles; /* and nodes hold single numbers: one that is an initialiser is a weight as well */
};

/* Numbers as training leaves them, not a mask (beyond every weight) and not a grid or a table of sizes (whole numbers
 * that differ; `fresh` scales and shifts are whole too, but all the same). */
static bool look_learned(const struct style *style, const struct onn_blob *b, bool fresh)
{
    const int64_t n = onn_desc_elements(&b->desc);
    bool whole = true, same = true;
    for (int64_t i = 0; i < n; i++) {
        const double x = onn_blob_get_f64(b, i);
        if (!(fabs(x) <= LARGEST_WEIGHT))
            return false;
        whole = whole && x == floor(x);
        same = same && x == onn_blob_get_f64(b, 0);
    }
    return n > !style->singles && (same ? fresh : !whole);
}

/* A graph whose constants get their roles. */
struct marks {
    struct onn_graph *g;
    struct style style;
    bool *fixed, *seen; /* per value: it hangs on constants only; it was followed back */
    int32_t *todo;
    int32_t n_todo;
};

static void mark(struct marks *m, int32_t c, enum onn_role role)
{
    if (c && (m->g->value[c].stored || !m->style.stores))
        m->g->value[c].role = (uint8_t)role;
}

static void follow(struct marks *m, int32_t v)
{
    if (v && !m->seen[v])
        m->todo[m->n_todo++] = v;
    m->seen[v] = true;
}

/* A weight that is computed of others (standardised, normalised): those are trained. */
static enum oclnn_status mark_behind(struct marks *m, int32_t v)
{
    enum oclnn_status status = OCLNN_OK;
    follow(m, v);
    while (m->n_todo) {
        v = m->todo[--m->n_todo];
        const struct onn_value *c = &m->g->value[v];
        if (c->node >= 0)
            for (int i = 0; i < m->g->node[c->node].n_in; i++)
                follow(m, m->g->node[c->node].in[i]);
        if (c->role != ONN_ROLE_CONST || !c->blob || c->desc.dtype != OCLNN_F32)
            continue;
        ONN_TRY(onn_blob_sync_host(c->blob));
        if (look_learned(&m->style, c->blob, true))
            mark(m, v, ONN_ROLE_PARAM);
    }
fail:
    return status;
}

static enum oclnn_status mark_weight(struct marks *m, int32_t v)
{
    const int32_t c = constant_of(m->g, v);
    mark(m, c, ONN_ROLE_PARAM);
    return !c && v && m->fixed[v] ? mark_behind(m, v) : OCLNN_OK;
}

/* add(product, constant): a bias that an exporter wrote as a node of its own. */
static void mark_bias(struct marks *m, const struct onn_node *n)
{
    static const char *const products[] = {"conv", "convtranspose", "matmul", "gemm", NULL};
    const struct onn_graph *g = m->g;
    for (int i = 0; i < 2; i++) {
        const int32_t bias = constant_of(g, n->in[i]), other = n->in[1 - i];
        if (bias && other && onn_desc_elements(&g->value[bias].desc) > 1 && g->value[other].node >= 0 &&
            is_one_of(g->node[g->value[other].node].op, products))
            mark(m, bias, ONN_ROLE_PARAM);
    }
}

/* The row of an operator that has weights, NULL: another one. */
static const struct place *place_of(const struct onn_node *n)
{
    for (size_t p = 0; p < sizeof places / sizeof *places; p++)
        if (strcmp(n->op->name, places[p].op) == 0)
            return &places[p];
    return NULL;
}

/* Is any weight an initialiser (perhaps marked by an earlier call)? */
static bool stores_weights(const struct onn_graph *g)
{
    for (int32_t k = 0; k < g->n_nodes; k++) {
        const struct onn_node *n = &g->node[k];
        const struct place *p = place_of(n);
        for (int i = 0; p && i < n->n_in && i < 8; i++)
            if ((p->params >> i & 1) && g->value[source_of(g, n->in[i])].stored)
                return true;
    }
    return false;
}

static struct style style_of(const struct onn_graph *g)
{
    struct style s = {.stores = stores_weights(g)};
    for (int32_t v = 1; v < g->n_values && s.stores && !s.singles; v++) {
        const struct onn_value *c = &g->value[v];
        s.singles = c->role == ONN_ROLE_CONST && !c->stored && c->name[0] && c->blob &&
            c->desc.dtype == OCLNN_F32 && onn_desc_elements(&c->desc) == 1;
    }
    return s;
}

static void find_fixed(const struct onn_graph *g, bool *fixed)
{
    for (int32_t v = 1; v < g->n_values; v++)
        fixed[v] = g->value[v].role == ONN_ROLE_CONST;
    for (int32_t k = 0; k < g->n_nodes; k++) {
        const struct onn_node *n = &g->node[k];
        bool all = n->n_in > 0;
        for (int i = 0; i < n->n_in; i++)
            all = all && (!n->in[i] || fixed[n->in[i]]);
        for (int i = 0; i < n->n_out; i++)
            fixed[n->out[i]] = all;
    }
}

static enum oclnn_status mark_all(struct marks *m)
{
    enum oclnn_status status = OCLNN_OK;
    for (int32_t k = 0; k < m->g->n_nodes; k++) {
        const struct onn_node *n = &m->g->node[k];
        const struct place *p = place_of(n);
        if (strcmp(n->op->name, "add") == 0 && n->n_in == 2)
            mark_bias(m, n);
        for (int i = 0; p && i < n->n_in && i < 8; i++) {
            if (p->params >> i & 1)
                ONN_TRY(mark_weight(m, n->in[i]));
            if (p->states >> i & 1)
                mark(m, constant_of(m->g, n->in[i]), ONN_ROLE_STATE);
        }
    }
fail:
    return status;
}

enum oclnn_status onn_graph_mark_trainable(struct onn_graph *g)
{
    enum oclnn_status status = OCLNN_OK;
    const size_t n = (size_t)g->n_values + 1;
    struct marks m = {.g = g, .style = style_of(g)};
    m.fixed = onn_calloc(n, sizeof *m.fixed);
    m.seen = onn_calloc(n, sizeof *m.seen);
    m.todo = onn_calloc(n, sizeof *m.todo);
    ONN_TRY(m.fixed && m.seen && m.todo ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    find_fixed(g, m.fixed);
    ONN_TRY(mark_all(&m));
fail:
    onn_free(m.fixed);
    onn_free(m.seen);
    onn_free(m.todo);
    return status;
}

static enum oclnn_status mark_learned(struct onn_graph *g, const struct style *style, int32_t v, int rank,
    bool fresh)
{
    enum oclnn_status status = OCLNN_OK;
    const int32_t c = constant_of(g, v);
    if (!c || g->value[c].desc.rank < rank || (style->stores && !g->value[c].stored))
        return OCLNN_OK;
    ONN_TRY(onn_blob_sync_host(g->value[c].blob));
    if (look_learned(style, g->value[c].blob, fresh))
        g->value[c].role = ONN_ROLE_PARAM;
fail:
    return status;
}

/* Is one of n's weights trained, or does one of its inputs come from such a node? */
static bool is_behind_weights(const struct onn_graph *g, const struct onn_node *n, const bool *behind)
{
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && (behind[n->in[i]] || g->value[n->in[i]].role == ONN_ROLE_PARAM))
            return true;
    return false;
}

/* Scales, shifts, tokens; `behind`: values that trained weights made. */
static enum oclnn_status mark_beside(struct onn_graph *g, const struct style *style, const struct onn_node *n,
    const bool *behind)
{
    enum oclnn_status status = OCLNN_OK;
    const bool scales = strcmp(n->op->name, "mul") == 0 || strcmp(n->op->name, "add") == 0;
    const bool joins = strcmp(n->op->name, "concat") == 0;
    bool acts = false;
    for (int i = 0; i < n->n_in; i++)
        acts = acts || (n->in[i] && behind[n->in[i]]);
    for (int i = 0; i < n->n_in && acts && (scales || joins); i++)
        ONN_TRY(mark_learned(g, style, n->in[i], joins ? 2 : style->singles ? 0 : 1, !joins));
    if (strcmp(n->op->name, "gather") == 0)
        ONN_TRY(mark_learned(g, style, n->in[0], 2, true));
fail:
    return status;
}

enum oclnn_status onn_graph_mark_scales(struct onn_graph *g)
{
    enum oclnn_status status = OCLNN_OK;
    const struct style style = style_of(g);
    bool *behind = onn_calloc((size_t)g->n_values, sizeof *behind);
    ONN_TRY(behind ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int32_t k = 0; k < g->n_nodes; k++) {
        const struct onn_node *n = &g->node[k];
        ONN_TRY(mark_beside(g, &style, n, behind));
        if (is_behind_weights(g, n, behind))
            for (int i = 0; i < n->n_out; i++)
                behind[n->out[i]] = true; /* an absent output marks value 0, which nobody asks for */
    }
fail:
    onn_free(behind);
    return status;
}

static bool is_training_norm(const struct onn_node *n)
{
    return strcmp(n->op->name, "batchnormalization") == 0 &&
        ((const struct onn_batchnorm_attr *)n->attr)->training_mode;
}

static bool is_training_dropout(const struct onn_graph *g, const struct onn_node *n)
{
    if (strcmp(n->op->name, "dropout") != 0 || n->n_in < 3 || !n->in[2])
        return false;
    const struct onn_blob *mode = g->value[n->in[2]].blob;
    return mode && mode->data && onn_blob_get_i64(mode, 0);
}

bool onn_graph_has_training_form(const struct onn_graph *g)
{
    for (int32_t k = 0; k < g->n_nodes; k++)
        if (is_training_norm(&g->node[k]) || is_training_dropout(g, &g->node[k]))
            return true;
    return false;
}
