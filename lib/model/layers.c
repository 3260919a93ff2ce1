/* What the layer builders share: nodes with inferred outputs, attributes by name, parameters, constants. */
#include "model/graph_api.h"

#include "pass/rewrite.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

oclnn_value onn_layer_fail(struct onn_layer *l, enum oclnn_status status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    onn_graph_fail(l->g, status, "layer '%s' (%s): %s", l->name, l->kind, text);
    return 0;
}

static void fail_memory(struct onn_layer *l)
{
    if (l->g->status == OCLNN_OK)
        onn_layer_fail(l, OCLNN_ERROR_MEMORY, "out of host memory");
}

const struct onn_desc *onn_layer_desc(const struct onn_layer *l, oclnn_value v)
{
    return &l->g->value[v].desc;
}

/* ---- attributes ---- */

void onn_layer_op(struct onn_layer *l, const char *onnx)
{
    l->attr = NULL;
    if (l->g->status != OCLNN_OK)
        return;
    l->op = onn_op_find_onnx(onnx);
    if (!l->op) {
        onn_layer_fail(l, OCLNN_ERROR_UNSUPPORTED, "this build has no operator %s", onnx);
        return;
    }
    l->attr = onn_attr_defaults(l->op, &l->g->arena);
    if (!l->attr)
        fail_memory(l);
}

/* Where the attribute lies; NULL after a mistake. */
static void *place(struct onn_layer *l, const char *name, enum onn_attr_type type)
{
    if (l->g->status != OCLNN_OK)
        return NULL;
    for (const struct onn_attr *row = l->op->attrs; row && row->type != ONN_ATTR_END; row++)
        if (row->onnx && strcmp(row->onnx, name) == 0 && row->type == type)
            return (char *)l->attr + row->offset;
    onn_layer_fail(l, OCLNN_ERROR_INTERNAL, "%s has no attribute %s", l->op->name, name);
    return NULL;
}

void onn_layer_set_int(struct onn_layer *l, const char *attr, int64_t v)
{
    int64_t *at = place(l, attr, ONN_ATTR_INT);
    if (at)
        *at = v;
}

void onn_layer_set_float(struct onn_layer *l, const char *attr, float v)
{
    float *at = place(l, attr, ONN_ATTR_FLOAT);
    if (at)
        *at = v;
}

void onn_layer_set_ints(struct onn_layer *l, const char *attr, int n, const int64_t *v)
{
    struct onn_ints *at = place(l, attr, ONN_ATTR_INTS);
    if (!at)
        return;
    *at = (struct onn_ints){n, onn_arena_dup(&l->g->arena, v, (size_t)n * sizeof *v)};
    if (n && !at->v)
        fail_memory(l);
}

void onn_layer_set_text(struct onn_layer *l, const char *attr, const char *text)
{
    const char **at = place(l, attr, ONN_ATTR_STRING);
    if (at && !(*at = onn_arena_strdup(&l->g->arena, text)))
        fail_memory(l);
}

void onn_layer_set_number(struct onn_layer *l, const char *attr, enum oclnn_dtype dtype, double v)
{
    struct onn_blob **at = place(l, attr, ONN_ATTR_TENSOR), *blob = NULL;
    struct onn_desc desc = onn_desc_make(dtype, 1, &(int64_t){1});
    if (!at)
        return;
    if (onn_blob_create(&desc, NULL, &blob) != OCLNN_OK) {
        fail_memory(l);
        return;
    }
    onn_blob_set_f64(blob, 0, v);
    if (onn_graph_hold_blob(l->g, blob) == OCLNN_OK)
        *at = blob;
    else
        fail_memory(l);
    onn_blob_unref(&blob);
}

/* ---- nodes ---- */

/* Fills descs[n_out]. */
static enum oclnn_status infer(struct onn_layer *l, int n_in, const int32_t *in, int n_out,
    struct onn_desc *descs, struct onn_arena *scratch)
{
    enum oclnn_status status;
    const struct onn_op *op = l->op;
    struct onn_prob p;
    ONN_CHECK(n_in >= op->min_in && (op->max_in == ONN_VARIADIC || n_in <= op->max_in), OCLNN_ERROR_ARGUMENT,
        "%d inputs", n_in);
    ONN_CHECK(n_out >= op->min_out && (op->max_out == ONN_VARIADIC || n_out <= op->max_out),
        OCLNN_ERROR_ARGUMENT, "%d outputs", n_out);
    for (int i = 0; i < op->min_in; i++)
        ONN_CHECK(in[i], OCLNN_ERROR_ARGUMENT, "input %d is missing", i);
    ONN_TRY(onn_attr_check(op, l->attr));
    ONN_TRY(onn_node_prob(l->g, op, l->attr, n_in, in, n_out, NULL, scratch, &p));
    p.out = NULL;
    ONN_TRY(op->infer(&p, descs));
    for (int i = 0; i < n_out; i++)
        ONN_CHECK(descs[i].rank >= 0, OCLNN_ERROR_UNSUPPORTED, "the rank of output %d depends on data", i);
fail:
    return status;
}

enum oclnn_status onn_layer_emit_many(struct onn_layer *l, const char *suffix, int n_in,
    const oclnn_value *in, int n_out, oclnn_value *out)
{
    struct onn_arena scratch = {0};
    struct onn_graph *g = l->g;
    memset(out, 0, (size_t)n_out * sizeof *out);
    if (g->status != OCLNN_OK)
        return g->status;
    struct onn_desc *descs = onn_arena_calloc(&scratch, (size_t)n_out + 1, sizeof *descs);
    const char *name = suffix ? onn_arena_printf(&g->arena, "%s%s", l->name, suffix) : l->name;
    enum oclnn_status status = OCLNN_ERROR_MEMORY;
    int32_t k = -1;
    if (descs && name)
        status = infer(l, n_in, in, n_out, descs, &scratch);
    if (status != OCLNN_OK)
        onn_layer_fail(l, status, "%s", oclnn_error_text(NULL));
    else
        k = onn_graph_add_op(g, l->op, name, l->attr, n_in, in, n_out);
    for (int i = 0; k >= 0 && i < n_out; i++) {
        struct onn_value *v = &g->value[g->node[k].out[i]];
        v->name = i ? onn_arena_printf(&g->arena, "%s.%d", name, i) : name;
        v->desc = descs[i];
        out[i] = g->node[k].out[i];
        if (!v->name) {
            v->name = "";
            fail_memory(l);
        }
    }
    onn_arena_finish(&scratch);
    if (g->status != OCLNN_OK)
        memset(out, 0, (size_t)n_out * sizeof *out);
    return g->status;
}

oclnn_value onn_layer_emit(struct onn_layer *l, const char *suffix, int n_in, const oclnn_value *in)
{
    oclnn_value out;
    onn_layer_emit_many(l, suffix, n_in, in, 1, &out);
    return out;
}

oclnn_value onn_layer_plain(oclnn_graph *graph, const char *kind, const char *onnx, int n_in,
    const oclnn_value *in)
{
    struct onn_layer l;
    if (!onn_layer_begin(&l, graph, kind, NULL, n_in, in))
        return 0;
    onn_layer_op(&l, onnx);
    return onn_layer_emit(&l, NULL, n_in, in);
}

/* ---- parameters and constants ---- */

oclnn_value onn_layer_param(struct onn_layer *l, const char *suffix, enum onn_role role,
    const struct onn_desc *desc, const struct oclnn_init *init, const struct onn_init *usual)
{
    struct onn_init how = *usual;
    if (l->g->status != OCLNN_OK)
        return 0;
    if (onn_layer_init(init, desc, &how) != OCLNN_OK)
        return onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "%s: %s",
            *suffix ? suffix + (*suffix == '.') : "value", oclnn_error_text(NULL));
    if (onn_desc_elements(desc) < 0)
        return onn_layer_fail(l, OCLNN_ERROR_SHAPE, "%s has an unknown or impossible size",
            suffix + (*suffix == '.'));
    if (!onn_dtype_is_float(desc->dtype))
        return onn_layer_fail(l, OCLNN_ERROR_DTYPE, "%s of type %s", suffix + (*suffix == '.'),
            oclnn_dtype_name(desc->dtype));
    const char *name = *suffix ? onn_arena_printf(&l->g->arena, "%s%s", l->name, suffix) : l->name;
    if (!name) {
        fail_memory(l);
        return 0;
    }
    if (*suffix && onn_graph_find(l->g, name))
        return onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "the name '%s' is taken", name);
    oclnn_value v = onn_graph_add_param(l->g, name, desc, &how);
    if (v)
        l->g->value[v].role = (uint8_t)role;
    return v;
}

static oclnn_value constant(struct onn_layer *l, enum oclnn_dtype dtype, int rank, int n, const void *data)
{
    struct onn_blob *blob = NULL;
    struct onn_desc desc = onn_desc_make(dtype, rank, &(int64_t){n});
    if (l->g->status != OCLNN_OK)
        return 0;
    enum oclnn_status status = onn_blob_create(&desc, data, &blob);
    if (status != OCLNN_OK)
        return onn_layer_fail(l, status, "%s", oclnn_error_text(NULL));
    oclnn_value v = onn_graph_add_blob(l->g, "", ONN_ROLE_CONST, blob);
    onn_blob_unref(&blob);
    return v;
}

oclnn_value onn_layer_i64(struct onn_layer *l, int n, const int64_t *v)
{
    return constant(l, OCLNN_I64, 1, n, v);
}

oclnn_value onn_layer_f32(struct onn_layer *l, int n, const float *v)
{
    return constant(l, OCLNN_F32, 1, n, v);
}

oclnn_value onn_layer_number(struct onn_layer *l, enum oclnn_dtype dtype, double v)
{
    oclnn_value id = constant(l, dtype, 0, 1, NULL);
    if (id)
        onn_blob_set_f64(l->g->value[id].blob, 0, v);
    return id;
}

/* ---- checks ---- */

bool onn_layer_needs(struct onn_layer *l, oclnn_value x, int rank, int axis)
{
    char text[160];
    const struct onn_desc *d = onn_layer_desc(l, x);
    if (rank >= 0 && d->rank != rank)
        onn_layer_fail(l, OCLNN_ERROR_SHAPE, "x is %s, %d dimensions are needed", onn_desc_text(d, text),
            rank);
    else if (axis >= 0 && (axis >= d->rank || d->dim[axis] < 1))
        onn_layer_fail(l, OCLNN_ERROR_SHAPE, "x is %s, dimension %d must be known", onn_desc_text(d, text),
            axis);
    return l->g->status == OCLNN_OK;
}
