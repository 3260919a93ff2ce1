/* Appending inferred and, where possible, folded nodes. */
#include "pass/rewrite.h"

#include <string.h>

enum oclnn_status onn_node_prob(const struct onn_graph *g, const struct onn_op *op, const void *attr,
    int n_in, const int32_t *in, int n_out, const int32_t *out, struct onn_arena *arena, struct onn_prob *p)
{
    struct onn_desc *descs = onn_arena_calloc(arena, (size_t)n_in + (size_t)n_out + 1, sizeof *descs);
    const struct onn_blob **value = onn_arena_calloc(arena, (size_t)n_in + 1, sizeof *value);
    if (!descs || !value)
        return OCLNN_ERROR_MEMORY;
    for (int i = 0; i < n_in; i++) {
        if (!in[i])
            continue;
        const struct onn_value *v = &g->value[in[i]];
        descs[i] = v->desc;
        if (v->blob && !v->blob->host_stale && v->blob->data &&
            (v->role == ONN_ROLE_CONST || v->role == ONN_ROLE_INPUT))
            value[i] = v->blob;
    }
    for (int i = 0; out && i < n_out; i++)
        if (out[i])
            descs[n_in + i] = g->value[out[i]].desc;
    *p = (struct onn_prob){.op = op,
        .attr = attr,
        .n_in = n_in,
        .n_out = n_out,
        .in = descs,
        .out = descs + n_in,
        .value = value};
    return OCLNN_OK;
}

static bool all_known(const struct onn_prob *p)
{
    if (p->op->flags & ONN_OP_FROM_SHAPE)
        return onn_desc_is_known(&p->in[0]);
    for (int i = 0; i < p->n_in; i++)
        if (p->in[i].dtype != OCLNN_NONE && !p->value[i])
            return false;
    return true;
}

static enum oclnn_status fold(struct onn_graph *g, const char *name, struct onn_prob *p,
    const struct onn_desc *descs, int32_t *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_blob *blob[16] = {0};
    void *block = NULL;
    for (int i = 0; i < p->n_out; i++) {
        size_t bytes;
        if (!(p->op->flags & ONN_OP_ELEMENTWISE)) {
            ONN_TRY(onn_blob_create(&descs[i], NULL, &blob[i]));
            continue;
        }
        /* writes every element: clearing folded weights first would take as long as folding them */
        ONN_TRY(onn_blob_bytes(&descs[i], &bytes));
        block = onn_alloc(bytes);
        ONN_TRY(block ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        ONN_TRY(onn_blob_take(&descs[i], &block, &blob[i]));
    }
    p->out = descs;
    ONN_TRY(p->op->host(p, blob));
    for (int i = 0; i < p->n_out; i++) {
        out[i] = onn_graph_add_blob(g, name, ONN_ROLE_CONST, blob[i]);
        ONN_TRY(g->status);
    }
fail:
    onn_free(block);
    for (int i = 0; i < p->n_out; i++)
        onn_blob_unref(&blob[i]);
    return status;
}

/* A dimension that is still open after every input's shape is known hangs on data: no plan can be made. */
static enum oclnn_status check_known(const struct onn_prob *p, const struct onn_desc *out)
{
    bool inputs_known = true;
    for (int i = 0; i < p->n_in; i++)
        inputs_known &= p->in[i].dtype == OCLNN_NONE || onn_desc_is_known(&p->in[i]);
    for (int i = 0; inputs_known && i < p->n_out; i++)
        if (!onn_desc_is_known(&out[i]))
            return onn_error(OCLNN_ERROR_UNSUPPORTED, "the shape of output %d depends on data", i);
    return OCLNN_OK;
}

enum oclnn_status onn_emit_many(struct onn_graph *g, const struct onn_op *op, const char *name,
    const void *attr, int n_in, const int32_t *in, int n_out, int32_t *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_arena scratch = {0};
    struct onn_desc *descs = NULL;
    struct onn_prob p;
    ONN_TRY(g->status);
    ONN_CHECK(n_out <= 16 || !op->host, OCLNN_ERROR_UNSUPPORTED, "%d outputs", n_out);
    ONN_TRY(onn_node_prob(g, op, attr, n_in, in, n_out, NULL, &scratch, &p));
    descs = onn_arena_calloc(&scratch, (size_t)n_out + 1, sizeof *descs);
    ONN_TRY(descs ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    if (op->host_inputs) {
        uint32_t needed = op->host_inputs(&p);
        for (int i = 0; i < n_in && i < 32; i++)
            ONN_CHECK(!(needed >> i & 1) || !in[i] || p.value[i], OCLNN_ERROR_UNSUPPORTED,
                "input %d ('%s') steers the shape and depends on data", i, g->value[in[i]].name);
    }
    p.out = NULL;
    ONN_TRY(op->infer(&p, descs));
    if (op->host && all_known(&p)) {
        bool known = true;
        for (int i = 0; i < n_out; i++)
            known &= onn_desc_is_known(&descs[i]);
        if (known) {
            ONN_TRY(fold(g, name, &p, descs, out));
            goto fail;
        }
    }
    ONN_CHECK(!(op->flags & ONN_OP_HOST_ONLY), OCLNN_ERROR_UNSUPPORTED,
        "its inputs are not known before the run");
    ONN_TRY(check_known(&p, descs));
    int32_t k = onn_graph_add_op(g, op, name, attr, n_in, in, n_out);
    ONN_TRY(g->status);
    for (int i = 0; i < n_out; i++) {
        out[i] = g->node[k].out[i];
        g->value[out[i]].desc = descs[i];
    }
fail:
    onn_arena_finish(&scratch);
    if (status != OCLNN_OK && g->status == OCLNN_OK)
        status = onn_graph_fail(g, status, "node '%s' (%s): %s", name ? name : "",
            op->onnx ? op->onnx : op->name, oclnn_error_text(NULL));
    return status;
}

int32_t onn_emit(struct onn_graph *g, const char *op_name, const char *name, const void *attr, int n_in,
    const int32_t *in)
{
    const struct onn_op *op = onn_op_find(op_name);
    int32_t out[1] = {0};
    if (!op) {
        onn_graph_fail(g, OCLNN_ERROR_INTERNAL, "no operator '%s'", op_name);
        return 0;
    }
    return onn_emit_many(g, op, name ? name : "", attr, n_in, in, 1, out) == OCLNN_OK ? out[0] : 0;
}

int32_t onn_emit_all(struct onn_graph *g, const char *op_name, const char *name, const void *attr, int n_in,
    const int32_t *in)
{
    for (int i = 0; i < n_in; i++)
        if (!in[i])
            return 0;
    return onn_emit(g, op_name, name, attr, n_in, in);
}
