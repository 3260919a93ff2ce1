/* f32 becomes f16 between the nodes. Arithmetic stays as it is, in f32; what the graph takes and gives stays f32, too. */
#include "base/log.h"
#include "ops/elementwise.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <math.h>
#include <string.h>

#define LARGEST 65504.0f /* of f16 */
#define FEW \
    8 /* a constant of an element-wise node with so many times fewer elements than the result costs nothing as f32 */

struct narrow {
    struct onn_rewrite r;
    const struct onn_caps *caps;
    const struct onn_log *log;
    int32_t *half, *wide; /* old value -> its f16 and its f32 form, 0 = not made yet */
    bool *only_output; /* old value: a graph output that no node reads */
    int32_t *in; /* of the node at hand */
};

static bool is_f32(const struct onn_value *v)
{
    return v->desc.dtype == OCLNN_F32;
}

/* Would rounding change the class of a number? Infinities and NaN stay what they are. */
static bool fits(const struct onn_blob *b)
{
    const float *v = b->data;
    const int64_t n = onn_desc_elements(&b->desc);
    for (int64_t i = 0; i < n; i++)
        if (fabsf(v[i]) > LARGEST && !isinf(v[i]))
            return false;
    return true;
}

static int32_t cast(struct narrow *w, int32_t id, enum oclnn_dtype to)
{
    const struct onn_op *op = onn_op_find("cast");
    const struct onn_ew_attr attr = {.to = onn_dtype_to_onnx(to)};
    struct onn_graph *g = w->r.out;
    const char *name =
        onn_arena_printf(&g->arena, "%s.%s", g->value[id].name, to == OCLNN_F16 ? "f16" : "f32");
    if (!op || !name) {
        onn_graph_fail(g, op ? OCLNN_ERROR_MEMORY : OCLNN_ERROR_INTERNAL, "no cast to %s",
            oclnn_dtype_name(to));
        return 0;
    }
    const int32_t k = onn_graph_add_node(g, op, name, &attr, op->attr_size, 1, &id, 1);
    if (k < 0)
        return 0;
    const int32_t made = g->node[k].out[0];
    g->value[made].desc = g->value[id].desc;
    g->value[made].desc.dtype = to;
    g->value[made].name = name;
    return made;
}

static int32_t half_blob(struct narrow *w, int32_t old)
{
    const struct onn_value *v = &w->r.in->value[old];
    struct onn_desc desc = v->desc;
    struct onn_blob *blob = NULL;
    int32_t id = 0;
    desc.dtype = OCLNN_F16;
    enum oclnn_status status = onn_blob_sync_host(v->blob);
    if (status == OCLNN_OK)
        status = onn_blob_create(&desc, NULL, &blob);
    if (status == OCLNN_OK) {
        onn_convert(OCLNN_F32, v->blob->data, OCLNN_F16, blob->data, onn_desc_elements(&desc));
        id = onn_graph_add_blob(w->r.out, v->name, v->role, blob);
    } else {
        onn_graph_fail(w->r.out, status, "'%s' as f16: %s", v->name, oclnn_error_text(NULL));
    }
    onn_blob_unref(&blob);
    if (id)
        w->r.out->value[id].source = v->source ? v->source : old;
    return id;
}

/* The f16 or the f32 form of an old value, made when it is asked for first. */
static int32_t form(struct narrow *w, int32_t old, enum oclnn_dtype dtype)
{
    const struct onn_value *v = &w->r.in->value[old];
    int32_t *slot = dtype == OCLNN_F16 ? &w->half[old] : &w->wide[old];
    if (old <= 0 || !is_f32(v))
        return onn_rewrite_value(&w->r, old);
    if (*slot)
        return *slot;
    if (dtype == OCLNN_F16 && v->blob && v->role == ONN_ROLE_CONST)
        return *slot = half_blob(w, old);
    const int32_t made = onn_rewrite_value(&w->r, old); /* as it is */
    *slot = !made || w->r.out->value[made].desc.dtype == dtype ? made : cast(w, made, dtype);
    return *slot;
}

/* ---- element-wise nodes: their kernels read and write every mixture ---- */
static enum oclnn_dtype elementwise_in(const struct narrow *w, const struct onn_node *n, int i)
{
    const struct onn_graph *g = w->r.in;
    const struct onn_value *v = &g->value[n->in[i]];
    if (v->role != ONN_ROLE_CONST || !v->blob)
        return w->half[n->in[i]] ? OCLNN_F16 : OCLNN_F32; /* as it is there already */
    const double n_in = (double)onn_desc_elements(&v->desc),
                 n_out = (double)onn_desc_elements(&g->value[n->out[0]].desc);
    return n_in * FEW <= n_out || n_in == 1 || !fits(v->blob) ? OCLNN_F32 : OCLNN_F16;
}

static enum oclnn_status narrow_elementwise(struct narrow *w, int32_t k)
{
    const struct onn_node *n = &w->r.in->node[k];
    const struct onn_value *y = &w->r.in->value[n->out[0]];
    const struct onn_ew_row *row = onn_ew_row(n->op);
    const enum oclnn_dtype from = n->in[0] ? w->r.in->value[n->in[0]].desc.dtype : OCLNN_NONE;
    /* numbers that were counted: beyond 2048 f16 skips some */
    const bool counted = row->ew_flags & (ONN_EW_CAST | ONN_EW_LIKE) && !onn_dtype_is_float(from);
    const bool halves = is_f32(y) && !w->only_output[n->out[0]] && !counted;
    if (halves && row->ew_flags & ONN_EW_CAST && from == OCLNN_F16) { /* the file's own f16 */
        const int32_t id = onn_rewrite_value(&w->r, n->in[0]);
        w->half[n->out[0]] = id;
        onn_rewrite_set(&w->r, n->out[0], id);
        return w->r.out->status;
    }
    for (int i = 0; i < n->n_in; i++)
        w->in[i] = !n->in[i] || !is_f32(&w->r.in->value[n->in[i]])
            ? onn_rewrite_value(&w->r, n->in[i])
            : form(w, n->in[i], elementwise_in(w, n, i));
    enum oclnn_status status = w->r.out->status;
    if (status == OCLNN_OK)
        status = onn_rewrite_copy_node_with(&w->r, k, n->n_in, w->in, n->epi);
    if (status != OCLNN_OK || !halves)
        return status;
    const struct onn_node *made = &w->r.out->node[w->r.out->n_nodes - 1];
    w->r.out->value[made->out[0]].desc.dtype = OCLNN_F16;
    w->half[n->out[0]] = made->out[0];
    if (row->ew_flags & ONN_EW_CAST)
        ((struct onn_ew_attr *)made->attr)->to = onn_dtype_to_onnx(OCLNN_F16);
    return OCLNN_OK;
}

/* ---- all others: f16 throughout or f32 throughout ---- */
/* Sums over many elements leave f16's range; updates and what is random stay out of this. */
static bool keeps_range(const struct onn_op *op)
{
    static const char *const sums[] = {"reducesum", "reducesumsquare", "reducel1", "reducel2", "reduceprod",
        "reducelogsum", "reducelogsumexp", "cumsum", NULL};
    if (op->flags & (ONN_OP_UPDATES | ONN_OP_RANDOM | ONN_OP_HOST_ONLY))
        return true;
    for (int i = 0; sums[i]; i++)
        if (strcmp(op->name, sums[i]) == 0)
            return true;
    return false;
}

static bool any_variant(const struct onn_prob *p)
{
    for (int i = 0; p->op->variants && p->op->variants[i]; i++)
        if (!onn_variant_refuse(p->op->variants[i], p))
            return true;
    return p->op->view != NULL;
}

/* Does the node's operator take f16 in place of f32? Then halves[i] says it of every input, out[] of every output. */
static enum oclnn_status takes_half(struct narrow *w, const struct onn_node *n, bool *halves,
    struct onn_desc *out, bool *takes)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = w->r.in;
    struct onn_arena scratch = {0};
    struct onn_prob p;
    bool any = false;
    *takes = false;
    if (keeps_range(n->op) || n->epi)
        return OCLNN_OK;
    ONN_TRY(onn_node_prob(g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, &scratch, &p));
    const uint32_t steering = n->op->host_inputs ? n->op->host_inputs(&p) : 0;
    for (int i = 0; i < n->n_in; i++) {
        const struct onn_value *v = &g->value[n->in[i]];
        halves[i] = n->in[i] && is_f32(v) && !(i < 32 && steering >> i & 1u);
        if (halves[i] && v->role != ONN_ROLE_CONST && v->role != ONN_ROLE_INPUT && onn_value_is_persistent(v))
            goto fail;
        if (halves[i] && v->role == ONN_ROLE_CONST && v->blob && !fits(v->blob)) {
            onn_log(w->log, OCLNN_LOG_INFO, "node '%s' stays f32: '%s' has numbers beyond f16's 65504",
                n->name, v->name);
            goto fail;
        }
        if (halves[i])
            ((struct onn_desc *)p.in)[i].dtype = OCLNN_F16;
        any = any || halves[i];
    }
    memcpy(out, p.out, (size_t)n->n_out * sizeof *out);
    if (!any || !n->op->infer)
        goto fail;
    if (n->op->infer(&p, out) != OCLNN_OK) {
        onn_error_clear();
        goto fail;
    }
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            ((struct onn_desc *)p.out)[i].dtype = out[i].dtype;
    p.caps = w->caps;
    *takes = any_variant(&p);
fail:
    onn_arena_finish(&scratch);
    return status;
}

static enum oclnn_status narrow_other(struct narrow *w, int32_t k)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = w->r.in;
    const struct onn_node *n = &g->node[k];
    bool takes, *halves = onn_calloc((size_t)n->n_in + 1, sizeof *halves);
    struct onn_desc *out = onn_calloc((size_t)n->n_out + 1, sizeof *out);
    ONN_TRY(halves && out ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(takes_half(w, n, halves, out, &takes));
    for (int i = 0; i < n->n_in; i++)
        w->in[i] = form(w, n->in[i], takes && halves[i] ? OCLNN_F16 : OCLNN_F32);
    ONN_TRY(w->r.out->status);
    ONN_TRY(onn_rewrite_copy_node_with(&w->r, k, n->n_in, w->in, n->epi));
    const struct onn_node *made = &w->r.out->node[w->r.out->n_nodes - 1];
    for (int i = 0; takes && i < n->n_out; i++) {
        if (!n->out[i] || !is_f32(&g->value[n->out[i]]) || out[i].dtype != OCLNN_F16)
            continue;
        w->r.out->value[made->out[i]].desc.dtype = OCLNN_F16;
        w->half[n->out[i]] = made->out[i];
    }
fail:
    onn_free(halves);
    onn_free(out);
    return status;
}

static enum oclnn_status start(struct narrow *w)
{
    const struct onn_graph *g = w->r.in;
    size_t most = 1;
    for (int k = 0; k < g->n_nodes; k++)
        most = (size_t)g->node[k].n_in > most ? (size_t)g->node[k].n_in : most;
    w->half = onn_calloc((size_t)g->n_values, sizeof *w->half);
    w->wide = onn_calloc((size_t)g->n_values, sizeof *w->wide);
    w->only_output = onn_calloc((size_t)g->n_values, sizeof *w->only_output);
    w->in = onn_calloc(most, sizeof *w->in);
    if (!w->half || !w->wide || !w->only_output || !w->in)
        return OCLNN_ERROR_MEMORY;
    for (int i = 0; i < g->n_outputs; i++)
        w->only_output[g->output[i]] = true;
    for (int k = 0; k < g->n_nodes; k++)
        for (int i = 0; i < g->node[k].n_in; i++)
            w->only_output[g->node[k].in[i]] = false;
    return OCLNN_OK;
}

enum oclnn_status onn_pass_narrow(const struct onn_graph *in, const struct onn_caps *caps,
    const struct onn_log *log, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct narrow w = {.caps = caps, .log = log};
    ONN_TRY(onn_rewrite_init(&w.r, in));
    ONN_TRY(start(&w));
    for (int i = 0; i < in->n_inputs; i++)
        onn_rewrite_value(&w.r, in->input[i]);
    for (int k = 0; k < in->n_nodes; k++)
        ONN_TRY(in->node[k].op->flags & ONN_OP_ELEMENTWISE ? narrow_elementwise(&w, k) : narrow_other(&w, k));
    for (int i = 0; i < in->n_outputs; i++) {
        const int32_t id = form(&w, in->output[i], in->value[in->output[i]].desc.dtype);
        ONN_TRY(w.r.out->status);
        onn_graph_add_output(w.r.out, in->value[in->output[i]].name, id);
    }
fail:
    onn_free(w.half);
    onn_free(w.wide);
    onn_free(w.only_output);
    onn_free(w.in);
    return onn_rewrite_finish(&w.r, status, out);
}
