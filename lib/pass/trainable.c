#include "pass/trainable.h"
#include "base/mem.h"
#include "ops/norm.h"
#include "ops/op.h"

#include <math.h>
#include <string.h>

#define LARGEST_WEIGHT 1e4 /* masks of attention hold -1e4 … -infinity */

static const struct {
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

/* The constant behind v, also through operators that only move its elements; 0 if there is none. */
static int32_t constant_of(const struct onn_graph *g, int32_t v)
{
    static const char *const movers[] = {"identity", "transpose", "reshape", "unsqueeze", "squeeze",
        "flatten", NULL};
    while (v && g->value[v].node >= 0 && is_one_of(g->node[g->value[v].node].op, movers))
        v = g->node[g->value[v].node].in[0];
    const struct onn_value *c = &g->value[v];
    return v && c->role == ONN_ROLE_CONST && c->blob && c->desc.dtype == OCLNN_F32 ? v : 0;
}

static void mark(struct onn_graph *g, int32_t v, enum onn_role role)
{
    const int32_t c = constant_of(g, v);
    if (c)
        g->value[c].role = (uint8_t)role;
}

/* add(product, constant): a bias that an exporter wrote as a node of its own. */
static void mark_bias(struct onn_graph *g, const struct onn_node *n)
{
    static const char *const products[] = {"conv", "convtranspose", "matmul", "gemm", NULL};
    for (int i = 0; i < 2; i++) {
        const int32_t bias = constant_of(g, n->in[i]), other = n->in[1 - i];
        if (bias && other && onn_desc_elements(&g->value[bias].desc) > 1 && g->value[other].node >= 0 &&
            is_one_of(g->node[g->value[other].node].op, products))
            mark(g, bias, ONN_ROLE_PARAM);
    }
}

void onn_graph_mark_trainable(struct onn_graph *g)
{
    for (int32_t k = 0; k < g->n_nodes; k++) {
        const struct onn_node *n = &g->node[k];
        if (strcmp(n->op->name, "add") == 0 && n->n_in == 2)
            mark_bias(g, n);
        for (size_t p = 0; p < sizeof places / sizeof *places; p++)
            for (int i = 0; i < n->n_in && i < 8 && strcmp(n->op->name, places[p].op) == 0; i++) {
                if (places[p].params >> i & 1)
                    mark(g, n->in[i], ONN_ROLE_PARAM);
                if (places[p].states >> i & 1)
                    mark(g, n->in[i], ONN_ROLE_STATE);
            }
    }
}

/* Numbers as training leaves them, not a mask (beyond every weight) and not a grid or a table of sizes (whole numbers
 * that differ; fresh scales and shifts are whole too, but all the same). */
static bool look_learned(const struct onn_blob *b)
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
    return n > 1 && (same || !whole);
}

static enum oclnn_status mark_learned(struct onn_graph *g, int32_t v, int rank)
{
    enum oclnn_status status = OCLNN_OK;
    const int32_t c = constant_of(g, v);
    if (!c || g->value[c].desc.rank < rank)
        return OCLNN_OK;
    ONN_TRY(onn_blob_sync_host(g->value[c].blob));
    if (look_learned(g->value[c].blob))
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

enum oclnn_status onn_graph_mark_scales(struct onn_graph *g)
{
    enum oclnn_status status = OCLNN_OK;
    bool *behind = onn_calloc((size_t)g->n_values, sizeof *behind);
    ONN_TRY(behind ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int32_t k = 0; k < g->n_nodes; k++) {
        const struct onn_node *n = &g->node[k];
        const bool scales = strcmp(n->op->name, "mul") == 0 || strcmp(n->op->name, "add") == 0;
        for (int i = 0; scales && i < n->n_in && n->n_in == 2; i++)
            if (n->in[1 - i] && behind[n->in[1 - i]])
                ONN_TRY(mark_learned(g, n->in[i], 1));
        if (strcmp(n->op->name, "gather") == 0)
            ONN_TRY(mark_learned(g, n->in[0], 2));
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
