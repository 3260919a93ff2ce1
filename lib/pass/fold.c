/* Affine maps per channel, y = x * scale + shift with constants: chains of them are added up and go into the weights
 * of the convolution before. The arithmetic is ordinary nodes on persistent values: constants fold at once on the
 * host, parameters become derived nodes that run again when a parameter has changed. */
#include "ops/norm.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <string.h>

struct affine { /* ids in the new graph, shape [C] or one element; 0 = none */
    int32_t scale, shift;
};

static int32_t emit2(struct onn_graph *g, const char *op, int32_t a, int32_t b)
{
    return onn_emit(g, op, "", NULL, 2, (int32_t[]){a, b});
}

static int32_t reshape(struct onn_graph *g, int32_t v, int n, const int64_t *dims)
{
    int32_t shape = onn_graph_add_i64(g, dims, n);
    return onn_emit(g, "reshape", "", NULL, 2, (int32_t[]){v, shape});
}

/* A persistent f32 operand with one number per channel of x (or one for all): as [C] or [1] in the new graph, else 0. */
static int32_t per_channel(struct onn_rewrite *r, int32_t old, const struct onn_desc *x)
{
    const struct onn_value *v = &r->in->value[old];
    if (!onn_value_is_persistent(v) || v->desc.dtype != OCLNN_F32 || x->rank < 2 || v->desc.rank > x->rank)
        return 0;
    int64_t elements = onn_desc_elements(&v->desc);
    int axis = v->desc.rank - x->rank + 1; /* where x's dimension 1 lies in v */
    if (elements != 1 && (axis < 0 || elements != v->desc.dim[axis] || elements != x->dim[1]))
        return 0;
    int32_t id = onn_rewrite_value(r, old);
    return id ? reshape(r->out, id, 1, &elements) : 0;
}

static const char *const affine_ops[] = {"batchnormalization", "mul", "div", "add", "sub", NULL};

static int affine_kind(const struct onn_op *op)
{
    for (int i = 0; affine_ops[i]; i++)
        if (strcmp(affine_ops[i], op->name) == 0)
            return i;
    return -1;
}

/* Is node k an affine map of `value`? Appends its arithmetic to the new graph. */
static bool read_affine(struct onn_rewrite *r, int32_t k, int32_t value, struct affine *a)
{
    const struct onn_node *n = &r->in->node[k];
    const struct onn_desc *x = &r->in->value[value].desc;
    struct onn_graph *g = r->out;
    int kind = affine_kind(n->op);
    *a = (struct affine){0};
    if (kind < 0 || n->epi || x->dtype != OCLNN_F32 || x->rank < 2 || n->in[0] != value)
        if (kind != 1 && kind != 3)
            return false;
    if (kind == 0) {
        float epsilon;
        if (n->n_in != 5 || !onn_batchnorm_is_inference(n->attr, n->n_out, &epsilon))
            return false;
        int32_t p[5] = {0};
        for (int i = 1; i < 5; i++) {
            if (!onn_value_is_persistent(&r->in->value[n->in[i]]))
                return false;
            p[i] = onn_rewrite_value(r, n->in[i]);
        }
        int32_t root = onn_emit(g, "sqrt", "", NULL, 1,
            (int32_t[]){emit2(g, "add", p[4], onn_graph_add_f32(g, epsilon))});
        a->scale = emit2(g, "div", p[1], root);
        a->shift = emit2(g, "sub", p[2], emit2(g, "mul", p[3], a->scale));
        return a->shift != 0;
    }
    if (n->n_in != 2 || n->op->flags & ONN_OP_NO_GRAD)
        return false;
    int via = n->in[0] == value ? 0 : 1;
    if (n->in[via] != value || n->in[1 - via] == value || (via == 1 && (kind == 2 || kind == 4)))
        return false;
    if (!onn_desc_same_shape(x, &r->in->value[n->out[0]].desc))
        return false;
    int32_t c = per_channel(r, n->in[1 - via], x);
    if (!c)
        return false;
    if (kind == 1)
        a->scale = c;
    else if (kind == 2)
        a->scale = emit2(g, "div", onn_graph_add_f32(g, 1.0f), c);
    else if (kind == 3)
        a->shift = c;
    else
        a->shift = onn_emit(g, "neg", "", NULL, 1, &c);
    return true;
}

/* sum = second after first */
static void combine(struct onn_graph *g, struct affine *sum, const struct affine *second)
{
    if (second->scale) {
        sum->scale = sum->scale ? emit2(g, "mul", sum->scale, second->scale) : second->scale;
        if (sum->shift)
            sum->shift = emit2(g, "mul", sum->shift, second->scale);
    }
    if (second->shift)
        sum->shift = sum->shift ? emit2(g, "add", sum->shift, second->shift) : second->shift;
}

/* Swallows the affine nodes behind `value`; returns the last value of the chain. */
static int32_t swallow(struct onn_rewrite *r, const int32_t *reader, int32_t value, struct affine *sum,
    int *count)
{
    *sum = (struct affine){0};
    *count = 0;
    for (;;) {
        int32_t k = reader[value];
        struct affine a;
        if (k < 0 || r->skip[k] || !read_affine(r, k, value, &a))
            return value;
        combine(r->out, sum, &a);
        r->skip[k] = true;
        value = r->in->node[k].out[0];
        ++*count;
    }
}

static int32_t spread(struct onn_graph *g, int32_t v, int64_t channels, int rank, int axis)
{
    int64_t dims[ONN_MAX_RANK];
    int64_t n = onn_desc_elements(&g->value[v].desc);
    for (int i = 0; i < rank; i++)
        dims[i] = i == axis ? (n == 1 ? 1 : channels) : 1;
    return reshape(g, v, rank, dims);
}

/* One element becomes C equal ones (a bias needs them all). */
static int32_t expand(struct onn_graph *g, int32_t v, int64_t channels)
{
    if (onn_desc_elements(&g->value[v].desc) == channels)
        return v;
    int32_t shape = onn_graph_add_i64(g, &channels, 1);
    return onn_emit(g, "expand", "", NULL, 2, (int32_t[]){v, shape});
}

/* Axis of the weight that runs over the output channels, or -1 if node k is no convolution that can take an affine. */
static int weight_axis(const struct onn_graph *g, const struct onn_node *n)
{
    const bool transposed = strcmp(n->op->name, "convtranspose") == 0;
    if (!transposed && strcmp(n->op->name, "conv") != 0)
        return -1;
    if (n->epi || n->n_in < 2 || !onn_value_is_persistent(&g->value[n->in[1]]) ||
        (n->n_in > 2 && n->in[2] && !onn_value_is_persistent(&g->value[n->in[2]])))
        return -1;
    if (!transposed)
        return 0;
    bool whole = g->value[n->in[1]].desc.rank > 1 && g->value[n->out[0]].desc.rank > 1 &&
        g->value[n->in[1]].desc.dim[1] == g->value[n->out[0]].desc.dim[1];
    return whole ? 1 : -1;
}

static enum oclnn_status fold_conv(struct onn_rewrite *r, const int32_t *reader, int32_t k, int axis)
{
    const struct onn_node *n = &r->in->node[k];
    struct onn_graph *g = r->out;
    struct affine a;
    int count;
    int32_t last = swallow(r, reader, n->out[0], &a, &count);
    if (!count)
        return g->status ? g->status : onn_rewrite_copy_node(r, k);
    int64_t channels = r->in->value[n->out[0]].desc.dim[1];
    int32_t in[3] = {onn_rewrite_value(r, n->in[0]), onn_rewrite_value(r, n->in[1]),
        n->n_in > 2 ? onn_rewrite_value(r, n->in[2]) : 0};
    if (g->status)
        return g->status;
    if (a.scale) {
        int rank = g->value[in[1]].desc.rank;
        in[1] = emit2(g, "mul", in[1], spread(g, a.scale, channels, rank, axis));
        if (in[2])
            in[2] = emit2(g, "mul", in[2], a.scale);
    }
    if (a.shift) {
        int32_t shift = expand(g, a.shift, channels);
        in[2] = in[2] ? emit2(g, "add", in[2], shift) : shift;
    }
    if (g->status)
        return g->status;
    enum oclnn_status status = onn_rewrite_copy_node_with(r, k, in[2] ? 3 : 2, in, NULL);
    if (status == OCLNN_OK)
        onn_rewrite_set(r, last, r->map[n->out[0]]);
    return status;
}

/* Affine nodes that follow no convolution: one multiplication, one addition. */
static enum oclnn_status merge_affine(struct onn_rewrite *r, const int32_t *reader, int32_t k)
{
    const struct onn_node *n = &r->in->node[k];
    struct onn_graph *g = r->out;
    struct affine sum, more;
    int32_t value = n->in[0];
    if (!read_affine(r, k, value, &sum)) {
        value = n->n_in > 1 ? n->in[1] : 0;
        if (affine_kind(n->op) == 0 || !value || !read_affine(r, k, value, &sum))
            return g->status ? g->status : onn_rewrite_copy_node(r, k);
    }
    int count;
    int32_t last = swallow(r, reader, n->out[0], &more, &count);
    if (!count && affine_kind(n->op) != 0)
        return onn_rewrite_copy_node(r, k);
    combine(g, &sum, &more);
    const struct onn_desc *x = &r->in->value[value].desc;
    int32_t id = onn_rewrite_value(r, value);
    if (id && sum.scale)
        id = onn_emit(g, "mul", n->name, NULL, 2,
            (int32_t[]){id, spread(g, sum.scale, x->dim[1], x->rank, 1)});
    if (id && sum.shift)
        id = onn_emit(g, "add", n->name, NULL, 2,
            (int32_t[]){id, spread(g, sum.shift, x->dim[1], x->rank, 1)});
    if (id)
        onn_rewrite_set(r, last, id);
    return g->status;
}

enum oclnn_status onn_pass_fold(const struct onn_graph *in, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_rewrite r;
    int32_t *reader = NULL;
    struct onn_graph *whole = NULL;
    ONN_TRY(onn_rewrite_init(&r, in));
    reader = onn_calloc((size_t)in->n_values, sizeof *reader);
    ONN_TRY(reader ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int v = 0; v < in->n_values; v++)
        reader[v] = -1;
    for (int k = 0; k < in->n_nodes; k++)
        for (int i = 0; i < in->node[k].n_in; i++)
            reader[in->node[k].in[i]] = r.uses[in->node[k].in[i]] == 1 ? k : -1;
    for (int i = 0; i < in->n_inputs; i++)
        onn_rewrite_value(&r, in->input[i]);
    for (int k = 0; k < in->n_nodes; k++) {
        const struct onn_node *n = &in->node[k];
        if (r.skip[k])
            continue;
        int axis = weight_axis(in, n);
        if (axis >= 0)
            ONN_TRY(fold_conv(&r, reader, k, axis));
        else if (affine_kind(n->op) >= 0)
            ONN_TRY(merge_affine(&r, reader, k));
        else
            ONN_TRY(onn_rewrite_copy_node(&r, k));
    }
    ONN_TRY(onn_rewrite_outputs(&r));
fail:
    onn_free(reader);
    status = onn_rewrite_finish(&r, status, &whole);
    if (status == OCLNN_OK)
        status = onn_pass_prune(whole, out);
    onn_graph_destroy(&whole);
    return status;
}
