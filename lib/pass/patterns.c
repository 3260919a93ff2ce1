/* Recognises what exporters write as several nodes: HardSwish, Swish, DepthToSpace, channel shuffles, LayerNormalization;
 * and drops nodes that pass their input on unchanged. A match starts at its last node; inner nodes that nobody else reads fall away. */
#include "ops/elementwise.h"
#include "ops/norm.h"
#include "ops/shuffle.h"
#include "ops/space.h"
#include "ops/transpose.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <math.h>
#include <string.h>

/* Does output 0 equal input 0, bit for bit? */
static bool passes_on(const struct onn_graph *g, const struct onn_node *n)
{
    static const char *const same[] = {"identity", "dropout", "reshape", "flatten", "squeeze", "unsqueeze",
        "expand", "transpose", "cast", NULL};
    if (n->n_in < 1 || !n->in[0] || !n->n_out || n->epi)
        return false;
    for (int i = 1; i < n->n_out; i++)
        if (n->out[i])
            return false;
    const struct onn_desc *in = &g->value[n->in[0]].desc, *out = &g->value[n->out[0]].desc;
    if (in->dtype != out->dtype || !onn_desc_same_shape(in, out))
        return false;
    int k = 0;
    while (same[k] && strcmp(same[k], n->op->name) != 0)
        k++;
    if (!same[k])
        return false;
    if (strcmp(n->op->name, "transpose") != 0)
        return true;
    int longer = 0; /* a transpose of a tensor with at most one extent above 1 moves nothing */
    for (int i = 0; i < in->rank; i++)
        longer += in->dim[i] > 1;
    return longer <= 1;
}

/* A constant of one element with this value (to float precision)? */
static bool is_number(const struct onn_graph *g, int32_t v, double value)
{
    const struct onn_blob *b = v > 0 && g->value[v].role == ONN_ROLE_CONST ? g->value[v].blob : NULL;
    if (!b || onn_desc_elements(&b->desc) != 1)
        return false;
    double got = onn_blob_get_f64(b, 0);
    return fabs(got - value) <= 1e-6 * fmax(1, fabs(value));
}

/* The node that makes v if it is an operator of this name, else NULL. */
static const struct onn_node *made_by(const struct onn_graph *g, int32_t v, const char *op)
{
    const struct onn_node *n = v > 0 && g->value[v].node >= 0 ? &g->node[g->value[v].node] : NULL;
    return n && !n->epi && strcmp(n->op->name, op) == 0 ? n : NULL;
}

/* n is op(v, number) in either order: v, else 0. */
static int32_t with_number(const struct onn_graph *g, const struct onn_node *n, double value)
{
    if (!n || n->n_in != 2)
        return 0;
    if (is_number(g, n->in[1], value))
        return n->in[0];
    return is_number(g, n->in[0], value) ? n->in[1] : 0;
}

/* v = clip(x + 3, 0, 6): x, else 0. */
static int32_t clipped_shift(const struct onn_graph *g, int32_t v)
{
    const struct onn_node *clip = made_by(g, v, "clip");
    if (!clip || clip->n_in < 3 || !is_number(g, clip->in[1], 0) || !is_number(g, clip->in[2], 6))
        return 0;
    return with_number(g, made_by(g, clip->in[0], "add"), 3);
}

/* v = clip(x + 3, 0, 6) / 6, as written or as HardSigmoid: x, else 0. */
static int32_t hard_gate(const struct onn_graph *g, int32_t v)
{
    const struct onn_node *div = made_by(g, v, "div"), *mul = made_by(g, v, "mul");
    const struct onn_node *gate = made_by(g, v, "hard_sigmoid");
    if (div && is_number(g, div->in[1], 6))
        return clipped_shift(g, div->in[0]);
    int32_t sixth = with_number(g, mul, 1.0 / 6);
    if (sixth)
        return clipped_shift(g, sixth);
    const struct onn_ew_attr *a = gate ? gate->attr : NULL;
    return a && fabsf(a->alpha - 1.0f / 6) < 1e-6f && a->beta == 0.5f ? gate->in[0] : 0;
}

/* x * hard_sigmoid(x): as x * gate, or (x * clip(x + 3, 0, 6)) / 6. */
static int32_t match_hard_swish(const struct onn_graph *g, const struct onn_node *n)
{
    if (strcmp(n->op->name, "mul") == 0 && n->n_in == 2)
        for (int i = 0; i < 2; i++)
            if (n->in[i] && hard_gate(g, n->in[1 - i]) == n->in[i])
                return n->in[i];
    bool division = strcmp(n->op->name, "div") == 0 && n->n_in == 2 && is_number(g, n->in[1], 6);
    int32_t product = division ? n->in[0] : strcmp(n->op->name, "mul") == 0 ? with_number(g, n, 1.0 / 6) : 0;
    const struct onn_node *mul = made_by(g, product, "mul");
    for (int i = 0; mul && i < 2; i++)
        if (clipped_shift(g, mul->in[1 - i]) == mul->in[i])
            return mul->in[i];
    return 0;
}

/* x * sigmoid(x) */
static int32_t match_swish(const struct onn_graph *g, const struct onn_node *n)
{
    if (strcmp(n->op->name, "mul") != 0 || n->n_in != 2)
        return 0;
    for (int i = 0; i < 2; i++) {
        const struct onn_node *gate = made_by(g, n->in[1 - i], "sigmoid");
        if (gate && gate->in[0] == n->in[i])
            return n->in[i];
    }
    return 0;
}

/* Reshape, Transpose, Reshape that move channels into pixels: block size, 0 if it is something else. */
static int64_t match_depth_to_space(const struct onn_graph *g, const struct onn_node *n, int32_t *x,
    const char **mode)
{
    const struct onn_node *t = strcmp(n->op->name, "reshape") == 0 ? made_by(g, n->in[0], "transpose") : NULL;
    const struct onn_node *r = t ? made_by(g, t->in[0], "reshape") : NULL;
    if (!r)
        return 0;
    const struct onn_desc *a = &g->value[r->in[0]].desc, *six = &g->value[r->out[0]].desc,
                          *b = &g->value[n->out[0]].desc;
    const struct onn_transpose_attr *perm = t->attr;
    static const int64_t crd[6] = {0, 1, 4, 2, 5, 3}, dcr[6] = {0, 3, 4, 1, 5, 2};
    if (a->rank != 4 || six->rank != 6 || b->rank != 4 || perm->perm.n != 6)
        return 0;
    bool is_crd = memcmp(perm->perm.v, crd, sizeof crd) == 0,
         is_dcr = memcmp(perm->perm.v, dcr, sizeof dcr) == 0;
    int64_t block = is_crd ? six->dim[2] : six->dim[1];
    bool shape = block > 1 && six->dim[is_crd ? 3 : 2] == block &&
        six->dim[is_crd ? 1 : 3] * block * block == a->dim[1] && six->dim[4] == a->dim[2] &&
        six->dim[5] == a->dim[3] && six->dim[0] == a->dim[0];
    bool result = b->dim[0] == a->dim[0] && b->dim[2] == a->dim[2] * block && b->dim[3] == a->dim[3] * block;
    *x = r->in[0];
    *mode = is_crd ? "CRD" : "DCR";
    return (is_crd || is_dcr) && shape && result ? block : 0;
}

/* Reshape, Transpose, Reshape that shuffle channels: how many groups, 0 if it is something else. */
static int64_t match_shuffle(const struct onn_graph *g, const struct onn_node *n, int32_t *x)
{
    const struct onn_node *t = strcmp(n->op->name, "reshape") == 0 ? made_by(g, n->in[0], "transpose") : NULL;
    const struct onn_node *r = t ? made_by(g, t->in[0], "reshape") : NULL;
    if (!r)
        return 0;
    const struct onn_desc *a = &g->value[r->in[0]].desc, *split = &g->value[r->out[0]].desc;
    const struct onn_transpose_attr *perm = t->attr;
    if (a->rank < 3 || split->rank != a->rank + 1 || perm->perm.n != split->rank ||
        !onn_desc_same_shape(a, &g->value[n->out[0]].desc) || split->dim[0] != a->dim[0])
        return 0;
    for (int i = 0; i < split->rank; i++) {
        if (perm->perm.v[i] != (i == 1 ? 2 : i == 2 ? 1 : i))
            return 0;
        if (i > 2 && split->dim[i] != a->dim[i - 1])
            return 0;
    }
    *x = r->in[0];
    return split->dim[1] > 1 && split->dim[2] > 1 ? split->dim[1] : 0;
}

struct layer_norm {
    int32_t x, scale, bias;
    float epsilon;
};

/* v is the mean of x over the last dimension, kept: x, else 0. */
static int32_t last_mean(const struct onn_graph *g, int32_t v)
{
    const struct onn_node *n = made_by(g, v, "reducemean");
    if (!n)
        return 0;
    const struct onn_desc *a = &g->value[n->in[0]].desc, *b = &g->value[v].desc;
    if (a->rank < 1 || a->rank != b->rank || b->dim[a->rank - 1] != 1)
        return 0;
    for (int i = 0; i < a->rank - 1; i++)
        if (a->dim[i] != b->dim[i])
            return 0;
    return n->in[0];
}

/* v = c * c with c = x - mean(x) over the last dimension, as Pow(c, 2) or Mul(c, c). */
static bool squared(const struct onn_graph *g, int32_t v, int32_t c)
{
    const struct onn_node *pow = made_by(g, v, "pow"), *mul = made_by(g, v, "mul");
    return (pow && pow->in[0] == c && is_number(g, pow->in[1], 2)) ||
        (mul && mul->in[0] == c && mul->in[1] == c);
}

/* (x - mean) / sqrt(mean((x - mean)^2) + epsilon) */
static bool match_normalised(const struct onn_graph *g, int32_t v, struct layer_norm *m)
{
    const struct onn_node *div = made_by(g, v, "div");
    const struct onn_node *sub = div ? made_by(g, div->in[0], "sub") : NULL;
    const struct onn_node *root = div ? made_by(g, div->in[1], "sqrt") : NULL;
    const struct onn_node *add = root ? made_by(g, root->in[0], "add") : NULL;
    if (!sub || !add || last_mean(g, sub->in[1]) != sub->in[0])
        return false;
    int mean = g->value[add->in[0]].role == ONN_ROLE_CONST ? 1 : 0;
    const struct onn_blob *eps = g->value[add->in[1 - mean]].blob;
    if (!eps || g->value[add->in[1 - mean]].role != ONN_ROLE_CONST || onn_desc_elements(&eps->desc) != 1)
        return false;
    int32_t power = last_mean(g, add->in[mean]);
    m->x = sub->in[0];
    m->epsilon = (float)onn_blob_get_f64(eps, 0);
    return power && squared(g, power, div->in[0]);
}

/* normalised * scale + bias with vectors over the last dimension */
static bool match_layer_norm(const struct onn_graph *g, const struct onn_node *n, struct layer_norm *m)
{
    if (strcmp(n->op->name, "add") != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        const struct onn_node *mul = made_by(g, n->in[i], "mul");
        for (int j = 0; mul && j < 2; j++) {
            m->scale = mul->in[1 - j];
            m->bias = n->in[1 - i];
            if (!match_normalised(g, mul->in[j], m))
                continue;
            const struct onn_desc *x = &g->value[m->x].desc;
            const struct onn_desc *s = &g->value[m->scale].desc, *b = &g->value[m->bias].desc;
            return s->rank == 1 && b->rank == 1 && s->dim[0] == x->dim[x->rank - 1] && b->dim[0] == s->dim[0];
        }
    }
    return false;
}

/* The new id of a recognised pattern that ends in node k, 0 = none. */
static int32_t recognise(struct onn_rewrite *r, int32_t k)
{
    const struct onn_graph *g = r->in;
    const struct onn_node *n = &g->node[k];
    int32_t x = match_hard_swish(g, n), in[3];
    if (strcmp(n->op->name, "sum") == 0 && n->n_in == 2) { /* an addition: takes part in fusing */
        in[0] = onn_rewrite_value(r, n->in[0]);
        in[1] = onn_rewrite_value(r, n->in[1]);
        return onn_emit(r->out, "add", n->name, NULL, 2, in);
    }
    if (x) {
        in[0] = onn_rewrite_value(r, x);
        return onn_emit(r->out, "hard_swish", n->name, NULL, 1, in);
    }
    x = match_swish(g, n);
    if (x) {
        struct onn_ew_attr attr = {.alpha = 1};
        in[0] = onn_rewrite_value(r, x);
        return onn_emit(r->out, "swish", n->name, &attr, 1, in);
    }
    struct onn_space_attr space = {0};
    space.block = match_depth_to_space(g, n, &x, &space.mode);
    if (space.block) {
        in[0] = onn_rewrite_value(r, x);
        return onn_emit(r->out, "depthtospace", n->name, &space, 1, in);
    }
    struct onn_shuffle_attr shuffle = {.group = match_shuffle(g, n, &x)};
    if (shuffle.group) {
        in[0] = onn_rewrite_value(r, x);
        return onn_emit(r->out, "channelshuffle", n->name, &shuffle, 1, in);
    }
    struct layer_norm m;
    if (onn_op_find("layernormalization") && match_layer_norm(g, n, &m)) {
        struct onn_layernorm_attr attr = {.axis = -1, .epsilon = m.epsilon, .stash_type = 1};
        in[0] = onn_rewrite_value(r, m.x);
        in[1] = onn_rewrite_value(r, m.scale);
        in[2] = onn_rewrite_value(r, m.bias);
        return onn_emit(r->out, "layernormalization", n->name, &attr, 3, in);
    }
    return 0;
}

static enum oclnn_status copy_known(struct onn_rewrite *r, int32_t k)
{
    const struct onn_node *n = &r->in->node[k];
    const int32_t known = recognise(r, k);
    if (r->out->status != OCLNN_OK)
        return r->out->status;
    if (known) {
        onn_rewrite_set(r, n->out[0], known);
    } else if (passes_on(r->in, n)) {
        r->map[n->out[0]] = onn_rewrite_value(r, n->in[0]);
    } else {
        return onn_rewrite_copy_node(r, k);
    }
    return r->out->status;
}

enum oclnn_status onn_pass_patterns(const struct onn_graph *in, struct onn_graph **out)
{
    return onn_rewrite_nodes(in, copy_known, out);
}
