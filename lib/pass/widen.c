/* 16-bit floats become f32 inside the graph; inputs and outputs keep their type through casts. */
#include "ops/elementwise.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <string.h>

static bool is_half(enum oclnn_dtype dtype)
{
    return dtype == OCLNN_F16 || dtype == OCLNN_BF16;
}

bool onn_graph_has_half(const struct onn_graph *g)
{
    for (int v = 1; v < g->n_values; v++)
        if (is_half(g->value[v].desc.dtype))
            return true;
    for (int i = 0; i < g->n_sub; i++)
        if (onn_graph_has_half(g->sub[i]))
            return true;
    return false;
}

static int32_t cast(struct onn_graph *g, int32_t value, enum oclnn_dtype to)
{
    struct onn_ew_attr attr = {.to = onn_dtype_to_onnx(to)};
    const struct onn_op *op = onn_op_find("cast");
    if (!op) {
        onn_graph_fail(g, OCLNN_ERROR_INTERNAL, "no operator 'cast'");
        return 0;
    }
    int32_t k = onn_graph_add_node(g, op, "", &attr, op->attr_size, 1, &value, 1);
    return k < 0 ? 0 : g->node[k].out[0];
}

static int32_t widen_blob(struct onn_rewrite *r, int32_t old)
{
    const struct onn_value *v = &r->in->value[old];
    struct onn_desc desc = v->desc;
    struct onn_blob *wide = NULL;
    desc.dtype = OCLNN_F32;
    int64_t n = onn_desc_elements(&desc);
    int32_t id = 0;
    if (onn_blob_create(&desc, NULL, &wide) == OCLNN_OK) {
        onn_convert(v->desc.dtype, v->blob->data, OCLNN_F32, wide->data, n);
        id = onn_graph_add_blob(r->out, v->name, v->role, wide);
    }
    onn_blob_unref(&wide);
    if (id)
        onn_rewrite_set(r, old, id);
    return id;
}

static int32_t widen_value(struct onn_rewrite *r, int32_t old)
{
    const struct onn_value *v = &r->in->value[old];
    bool half = old > 0 && !r->map[old] && is_half(v->desc.dtype);
    if (!half)
        return onn_rewrite_value(r, old);
    if (v->role == ONN_ROLE_INPUT) {
        int32_t id = onn_rewrite_value(r, old);
        int32_t wide = cast(r->out, id, OCLNN_F32);
        r->map[old] = wide;
        return wide;
    }
    return v->blob ? widen_blob(r, old) : onn_rewrite_value(r, old);
}

enum oclnn_status onn_pass_widen(const struct onn_graph *in, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_rewrite r;
    int32_t *ids = NULL;
    ONN_TRY(onn_rewrite_init(&r, in));
    ONN_CHECK(in->n_sub == 0, OCLNN_ERROR_UNSUPPORTED, "16-bit floats in a graph with branches");
    for (int i = 0; i < in->n_inputs; i++)
        widen_value(&r, in->input[i]);
    for (int k = 0; k < in->n_nodes; k++) {
        const struct onn_node *n = &in->node[k];
        int32_t *grown = onn_realloc(ids, (size_t)n->n_in + 1, sizeof *ids);
        ONN_TRY(grown ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        ids = grown;
        for (int i = 0; i < n->n_in; i++)
            ids[i] = widen_value(&r, n->in[i]);
        ONN_TRY(r.out->status);
        ONN_TRY(onn_rewrite_copy_node_with(&r, k, n->n_in, ids, n->epi));
        const struct onn_node *made = &r.out->node[r.out->n_nodes - 1];
        if (strcmp(n->op->name, "cast") == 0 &&
            is_half(onn_dtype_from_onnx((int)((const struct onn_ew_attr *)n->attr)->to)))
            ((struct onn_ew_attr *)made->attr)->to = onn_dtype_to_onnx(OCLNN_F32);
    }
    for (int i = 0; i < in->n_outputs; i++) {
        const struct onn_value *v = &in->value[in->output[i]];
        int32_t id = widen_value(&r, in->output[i]);
        ONN_TRY(r.out->status);
        if (is_half(v->desc.dtype))
            id = cast(r.out, id, v->desc.dtype);
        onn_graph_add_output(r.out, v->name, id);
    }
fail:
    onn_free(ids);
    return onn_rewrite_finish(&r, status, out);
}
