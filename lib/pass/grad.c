#include "pass/grad.h"
#include "ops/grad.h"
#include "pass/rewrite.h"

#include <string.h>

struct frame {
    struct onn_graph *g;
    int32_t *gradient; /* per forward value */
    bool *needs; /* per forward value: a wanted value lies behind it */
    int32_t values; /* forward values: those made before backward began */
};

static int32_t emit(struct onn_grad *g, const char *op, const void *attr, int n_in, const int32_t *in)
{
    for (int i = 0; i < n_in; i++)
        if (in[i] < 0)
            return 0;
    return onn_emit(g->graph, op, g->name, attr, n_in, in);
}

static enum oclnn_status emit_many(struct onn_grad *g, const char *op, const void *attr, int n_in,
    const int32_t *in, int n_out, int32_t *out)
{
    const struct onn_op *found = onn_op_find(op);
    if (!found)
        return onn_graph_fail(g->graph, OCLNN_ERROR_INTERNAL, "no operator '%s'", op);
    return onn_emit_many(g->graph, found, g->name, attr, n_in, in, n_out, out);
}

static void add(struct onn_grad *g, int i, int32_t dx)
{
    struct frame *f = g->frame;
    if (!dx || !g->in[i] || !f->needs[g->in[i]])
        return;
    int32_t *sum = &f->gradient[g->in[i]];
    const struct onn_desc *want = &f->g->value[g->in[i]].desc, *have = &f->g->value[dx].desc;
    if (!onn_desc_same_shape(want, have)) {
        char a[160], b[160];
        onn_graph_fail(f->g, OCLNN_ERROR_INTERNAL, "node '%s': the gradient of input %d is %s, the input %s",
            g->name, i, onn_desc_text(have, a), onn_desc_text(want, b));
        return;
    }
    *sum = *sum ? onn_emit(f->g, "add", g->name, NULL, 2, (int32_t[]){*sum, dx}) : dx;
}

static enum oclnn_status backward(struct frame *f, int32_t k)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_node n = f->g->node[k]; /* a copy: appending moves the array */
    struct onn_arena scratch = {0};
    struct onn_prob prob;
    bool flows = false, wanted = false;
    int32_t *dout = onn_arena_calloc(&scratch, (size_t)n.n_out + 1, sizeof *dout);
    bool *needed = onn_arena_calloc(&scratch, (size_t)n.n_in + 1, sizeof *needed);
    ONN_TRY(dout && needed ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < n.n_out; i++) {
        dout[i] = n.out[i] ? f->gradient[n.out[i]] : 0;
        flows |= dout[i] != 0;
    }
    for (int i = 0; i < n.n_in; i++) {
        needed[i] = n.in[i] && f->needs[n.in[i]];
        wanted |= needed[i];
    }
    if (!flows || !wanted || (n.op->flags & ONN_OP_NO_GRAD))
        goto fail;
    ONN_CHECK(n.op->grad, OCLNN_ERROR_UNSUPPORTED, "node '%s' (%s) has no gradient", n.name,
        n.op->onnx ? n.op->onnx : n.op->name);
    ONN_TRY(onn_node_prob(f->g, n.op, n.attr, n.n_in, n.in, n.n_out, n.out, &scratch, &prob));
    struct onn_grad g = {.graph = f->g,
        .name = n.name,
        .n_in = n.n_in,
        .n_out = n.n_out,
        .in = n.in,
        .out = n.out,
        .dout = dout,
        .needed = needed,
        .prob = &prob,
        .emit = emit,
        .emit_many = emit_many,
        .add = add,
        .frame = f};
    ONN_TRY(n.op->grad(&g, &prob));
    ONN_TRY(f->g->status);
fail:
    onn_arena_finish(&scratch);
    return status;
}

enum oclnn_status onn_grad_append(struct onn_graph *g, int32_t loss, const int32_t *wanted, int n,
    int32_t *gradient)
{
    enum oclnn_status status = OCLNN_OK;
    struct frame f = {.g = g, .values = g->n_values};
    int32_t nodes = g->n_nodes;
    f.gradient = onn_calloc((size_t)g->n_values, sizeof *f.gradient);
    f.needs = onn_calloc((size_t)g->n_values, sizeof *f.needs);
    ONN_TRY(f.gradient && f.needs ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_CHECK(onn_desc_elements(&g->value[loss].desc) == 1, OCLNN_ERROR_SHAPE,
        "the loss '%s' is no single number", g->value[loss].name);
    for (int i = 0; i < n; i++)
        f.needs[wanted[i]] = true;
    for (int32_t k = 0; k < nodes; k++) {
        bool reaches = false;
        for (int i = 0; i < g->node[k].n_in; i++)
            reaches |= f.needs[g->node[k].in[i]];
        for (int i = 0; i < g->node[k].n_out && reaches; i++)
            f.needs[g->node[k].out[i]] = true;
    }
    f.needs[0] = false;
    struct onn_blob *one = NULL;
    struct onn_desc desc = g->value[loss].desc;
    onn_desc_set_format(&desc, onn_format_plain());
    ONN_TRY(onn_blob_create(&desc, NULL, &one));
    onn_blob_set_f64(one, 0, 1.0);
    f.gradient[loss] = onn_graph_add_blob(g, "one", ONN_ROLE_CONST, one);
    onn_blob_unref(&one);
    ONN_TRY(g->status);
    for (int32_t k = nodes - 1; k >= 0; k--)
        ONN_TRY(backward(&f, k));
    for (int i = 0; i < n; i++)
        gradient[i] = f.gradient[wanted[i]];
fail:
    onn_free(f.gradient);
    onn_free(f.needs);
    if (status != OCLNN_OK && g->status == OCLNN_OK)
        onn_graph_fail(g, status, "%s", oclnn_error_text(NULL));
    return status;
}
