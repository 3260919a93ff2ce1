/* The export: source graph to file. Names, initialisers, inputs and outputs; nodes stand in onnx_export_node.c. */
#include "io/onnx_export.h"

#include "base/fs.h"
#include "io/onnx_internal.h"
#include <oclnn/config.h>

#include <string.h>

#define IR_VERSION 8
#define OLDEST_OPSET 17

/* ---- names ---- */
/* Marks the names of a graph and of all its subgraphs, so that made-up ones keep clear of them. */
static enum oclnn_status reserve(struct onn_export *e, const struct onn_graph *g)
{
    enum oclnn_status status = OCLNN_OK;
    for (int32_t v = 1; v < g->n_values; v++)
        if (*g->value[v].name)
            ONN_TRY(onn_names_set(e->taken, g->value[v].name, 0) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int32_t i = 0; i < g->n_sub; i++)
        ONN_TRY(reserve(e, g->sub[i]));
fail:
    return status;
}

const char *onn_export_fresh(struct onn_export *e, const char *stem)
{
    const char *name;
    do
        name = onn_arena_printf(&e->arena, "%s_%d", stem, e->n_made++);
    while (name && onn_names_get(e->taken, name) >= 0);
    return name && onn_names_set(e->taken, name, 1) ? name : NULL;
}

/* The value's own name while nobody else has it. */
static const char *choose_name(struct onn_export_graph *s, int32_t id)
{
    const struct onn_value *v = &s->g->value[id];
    if (*v->name && onn_names_get(s->e->taken, v->name) == 0)
        return onn_names_set(s->e->taken, v->name, 1) ? v->name : NULL;
    if (*v->name)
        return onn_export_fresh(s->e, v->name);
    return onn_export_fresh(s->e,
        v->node >= 0 && *s->g->node[v->node].name ? s->g->node[v->node].name : "value");
}

/* ---- values ---- */
struct onn_desc onn_export_type(const struct onn_export_graph *s, int32_t id)
{
    if (id <= 0)
        return (struct onn_desc){.rank = -1};
    if (s->g->value[id].role == ONN_ROLE_OUTER && s->outer)
        return onn_export_type(s->outer, s->g->value[id].source);
    if (s->types && s->types[id].dtype && s->types[id].rank >= 0)
        return s->types[id];
    return s->g->value[id].desc;
}

static enum oclnn_status add_tensor(struct onn_export_graph *s, Onnx__TensorProto *t)
{
    if (!onn_array_grow((void **)&s->tensor, s->n_tensors, &s->cap_tensors, sizeof *s->tensor))
        return OCLNN_ERROR_MEMORY;
    s->tensor[s->n_tensors++] = t;
    return OCLNN_OK;
}

static Onnx__TensorProto *new_tensor(struct onn_export *e, enum oclnn_dtype dtype, int rank,
    const int64_t *dim, const char *name)
{
    Onnx__TensorProto *t = onn_arena_alloc(&e->arena, sizeof *t);
    if (!t)
        return NULL;
    *t = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    t->n_dims = (size_t)rank;
    t->dims = onn_arena_dup(&e->arena, dim, (size_t)rank * sizeof *dim);
    t->has_data_type = 1;
    t->data_type = onn_dtype_to_onnx(dtype);
    t->name = (char *)name;
    t->has_raw_data = 1;
    return t->dims ? t : NULL;
}

enum oclnn_status onn_export_tensor(struct onn_export *e, struct onn_blob *blob, const char *name,
    Onnx__TensorProto **out)
{
    enum oclnn_status status = onn_blob_sync_host(blob);
    if (status != OCLNN_OK)
        return status;
    *out = new_tensor(e, blob->desc.dtype, blob->desc.rank, blob->desc.dim, name);
    if (!*out)
        return OCLNN_ERROR_MEMORY;
    if (blob->desc.dtype == OCLNN_BF16 && e->opset < 22)
        e->opset = 22; /* before, few operators took it */
    (*out)->raw_data = (ProtobufCBinaryData){.len = onn_desc_bytes(&blob->desc), .data = blob->data};
    return OCLNN_OK;
}

const char *onn_export_const(struct onn_export_graph *s, enum oclnn_dtype dtype, int rank, int64_t n,
    const void *data)
{
    const char *name = onn_export_fresh(s->e, "constant");
    Onnx__TensorProto *t = name ? new_tensor(s->e, dtype, rank, &n, name) : NULL;
    if (!t)
        return NULL;
    t->raw_data.len = (size_t)(rank ? n : 1) * oclnn_dtype_size(dtype);
    t->raw_data.data = onn_arena_dup(&s->e->arena, data, t->raw_data.len);
    return t->raw_data.data && add_tensor(s, t) == OCLNN_OK ? name : NULL;
}

static enum oclnn_status write_initializer(struct onn_export_graph *s, int32_t id)
{
    const struct onn_value *v = &s->g->value[id];
    Onnx__TensorProto *t;
    if (!v->blob)
        return onn_error(OCLNN_ERROR_ARGUMENT, "'%s' has no data yet", v->name);
    enum oclnn_status status = onn_export_tensor(s->e, v->blob, s->name[id], &t);
    if (status != OCLNN_OK)
        return onn_error_at(status, "'%s'", v->name);
    s->written[id] = true;
    return add_tensor(s, t);
}

const char *onn_export_value(struct onn_export_graph *s, int32_t id)
{
    if (id <= 0)
        return "";
    const struct onn_value *v = &s->g->value[id];
    if (v->role == ONN_ROLE_OUTER && s->outer)
        return onn_export_value(s->outer, v->source);
    if (!s->name[id])
        s->name[id] = choose_name(s, id);
    if (!s->name[id])
        return NULL;
    if (onn_value_is_persistent(v) && !s->written[id]) {
        s->e->status = write_initializer(s, id);
        if (s->e->status != OCLNN_OK)
            return NULL;
    }
    return s->name[id];
}

enum oclnn_status onn_export_status(const struct onn_export *e)
{
    return e->status != OCLNN_OK ? e->status : OCLNN_ERROR_MEMORY;
}

/* ---- inputs and outputs ---- */
static Onnx__TensorShapeProto *new_shape(struct onn_arena *arena, const struct onn_desc *d, const char *name)
{
    Onnx__TensorShapeProto *shape = onn_arena_alloc(arena, sizeof *shape);
    if (!shape)
        return NULL;
    *shape = (Onnx__TensorShapeProto)ONNX__TENSOR_SHAPE_PROTO__INIT;
    shape->n_dim = (size_t)d->rank;
    shape->dim = onn_arena_calloc(arena, (size_t)d->rank + 1, sizeof *shape->dim);
    for (int i = 0; shape->dim && i < d->rank; i++) {
        Onnx__TensorShapeProto__Dimension *at = onn_arena_alloc(arena, sizeof *at);
        if (!at)
            return NULL;
        *at = (Onnx__TensorShapeProto__Dimension)ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
        if (d->dim[i] >= 0) {
            at->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            at->dim_value = d->dim[i];
        } else if (name) { /* one name per dimension: equal names would promise equal sizes */
            at->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            at->dim_param = onn_arena_printf(arena, "%s_dim%d", name, i);
            if (!at->dim_param)
                return NULL;
        }
        shape->dim[i] = at;
    }
    return shape->dim ? shape : NULL;
}

/* named: free dimensions get names. */
static Onnx__ValueInfoProto *new_info(struct onn_arena *arena, const char *name, const struct onn_desc *d,
    bool named)
{
    Onnx__ValueInfoProto *info = onn_arena_alloc(arena, sizeof *info);
    Onnx__TypeProto *type = onn_arena_alloc(arena, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = onn_arena_alloc(arena, sizeof *tensor);
    if (!info || !type || !tensor)
        return NULL;
    *info = (Onnx__ValueInfoProto)ONNX__VALUE_INFO_PROTO__INIT;
    *type = (Onnx__TypeProto)ONNX__TYPE_PROTO__INIT;
    *tensor = (Onnx__TypeProto__Tensor)ONNX__TYPE_PROTO__TENSOR__INIT;
    info->name = (char *)name;
    if (!d->dtype)
        return info;
    info->type = type;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = onn_dtype_to_onnx(d->dtype);
    tensor->shape = d->rank >= 0 ? new_shape(arena, d, named ? name : NULL) : NULL;
    return d->rank >= 0 && !tensor->shape ? NULL : info;
}

static enum oclnn_status write_inputs(struct onn_export_graph *s, Onnx__GraphProto *out)
{
    out->n_input = (size_t)s->g->n_inputs;
    out->input = onn_arena_calloc(&s->e->arena, out->n_input + 1, sizeof *out->input);
    for (int i = 0; out->input && i < s->g->n_inputs; i++) {
        const int32_t id = s->g->input[i];
        const char *name = onn_export_value(s, id);
        out->input[i] = name ? new_info(&s->e->arena, name, &s->g->value[id].desc, true) : NULL;
        if (!out->input[i])
            return OCLNN_ERROR_MEMORY;
    }
    return out->input ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

/* An output is made in its own graph and listed once. */
static bool needs_copy(const struct onn_export_graph *s, int i)
{
    const int32_t id = s->g->output[i];
    if (s->outer && s->g->value[id].role != ONN_ROLE_NONE)
        return true;
    for (int k = 0; k < i; k++)
        if (s->g->output[k] == id)
            return true;
    return false;
}

static enum oclnn_status write_outputs(struct onn_export_graph *s, Onnx__GraphProto *out)
{
    enum oclnn_status status = OCLNN_OK;
    out->n_output = (size_t)s->g->n_outputs;
    out->output = onn_arena_calloc(&s->e->arena, out->n_output + 1, sizeof *out->output);
    ONN_TRY(out->output ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < s->g->n_outputs; i++) {
        const struct onn_desc type = onn_export_type(s, s->g->output[i]);
        const char *name = onn_export_value(s, s->g->output[i]);
        ONN_TRY(name ? OCLNN_OK : onn_export_status(s->e));
        if (needs_copy(s, i)) {
            const char *copy = onn_export_fresh(s->e, name);
            ONN_TRY(copy ? OCLNN_OK : OCLNN_ERROR_MEMORY);
            ONN_TRY(onn_export_node(s, "Identity", copy, 1, &name, 1, &copy, NULL));
            name = copy;
        }
        out->output[i] = new_info(&s->e->arena, name, &type, false);
        ONN_TRY(out->output[i] ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    }
fail:
    return status;
}

/* Inputs and outputs keep their names whatever else has the same. */
static enum oclnn_status name_ends(struct onn_export_graph *s)
{
    const int32_t *lists[2] = {s->g->input, s->g->output}, n[2] = {s->g->n_inputs, s->g->n_outputs};
    for (int k = 0; k < 2; k++)
        for (int32_t i = 0; i < n[k]; i++) {
            const int32_t id = lists[k][i];
            if (s->g->value[id].role != ONN_ROLE_OUTER && !s->name[id] && !(s->name[id] = choose_name(s, id)))
                return OCLNN_ERROR_MEMORY;
        }
    return OCLNN_OK;
}

/* Marks what a subgraph reads of the enclosing graph; one inside it reads through its stand-ins. */
static void mark_outer(const struct onn_graph *sub, bool *live)
{
    for (int32_t v = 1; v < sub->n_values; v++)
        if (sub->value[v].role == ONN_ROLE_OUTER)
            live[sub->value[v].source] = true;
}

/* A node that no output needs is left out, with its constants. */
static void mark_live(const struct onn_graph *g, bool *live)
{
    for (int32_t i = 0; i < g->n_outputs; i++)
        live[g->output[i]] = true;
    for (int32_t i = 0; i < g->n_sub; i++)
        mark_outer(g->sub[i], live);
    for (int32_t k = g->n_nodes - 1; k >= 0; k--) {
        const struct onn_node *n = &g->node[k];
        bool needed = false;
        for (int i = 0; i < n->n_out; i++)
            needed = needed || (n->out[i] && live[n->out[i]]);
        for (int i = 0; needed && i < n->n_in; i++)
            live[n->in[i]] = true;
    }
}

static bool is_live(const struct onn_export_graph *s, const struct onn_node *n)
{
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i] && s->live[n->out[i]])
            return true;
    return false;
}

enum oclnn_status onn_export_graph(struct onn_export *e, struct onn_export_graph *outer,
    const struct onn_graph *g, const struct onn_desc *types, Onnx__GraphProto **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_export_graph s = {.e = e, .outer = outer, .g = g, .types = types};
    Onnx__GraphProto *proto = onn_arena_alloc(&e->arena, sizeof *proto);
    s.name = onn_arena_calloc(&e->arena, (size_t)g->n_values, sizeof *s.name);
    s.written = onn_arena_calloc(&e->arena, (size_t)g->n_values, sizeof *s.written);
    s.live = onn_arena_calloc(&e->arena, (size_t)g->n_values, sizeof *s.live);
    ONN_TRY(proto && s.name && s.written && s.live ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    *proto = (Onnx__GraphProto)ONNX__GRAPH_PROTO__INIT;
    proto->name = outer ? (char *)onn_export_fresh(e, "branch") : "oclnn";
    ONN_TRY(proto->name ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(name_ends(&s));
    ONN_TRY(write_inputs(&s, proto));
    mark_live(g, s.live);
    for (int32_t k = 0; k < g->n_nodes; k++)
        if (is_live(&s, &g->node[k]))
            ONN_TRY(onn_export_step(&s, k));
    ONN_TRY(write_outputs(&s, proto));
    proto->n_node = (size_t)s.n_nodes;
    proto->n_initializer = (size_t)s.n_tensors;
    proto->node = onn_arena_dup(&e->arena, s.node, proto->n_node * sizeof(*s.node));
    proto->initializer = onn_arena_dup(&e->arena, s.tensor, proto->n_initializer * sizeof(*s.tensor));
    ONN_TRY(proto->node && proto->initializer ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    *out = proto;
fail:
    onn_free(s.node);
    onn_free(s.tensor);
    return status;
}

/* ---- the model ---- */
static enum oclnn_status write_model(struct onn_export *e, Onnx__GraphProto *graph, const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    void *bytes = NULL;
    m.has_ir_version = 1;
    m.ir_version = IR_VERSION;
    m.producer_name = "oclnn";
    m.producer_version = OCLNN_VERSION;
    m.graph = graph;
    m.n_opset_import = 1;
    m.opset_import = &opsets;
    opset.domain = "";
    opset.has_version = 1;
    opset.version = e->opset;
    const size_t size = onnx__model_proto__get_packed_size(&m);
    ONN_CHECK(size <= ONN_ONNX_MAX_BYTES, OCLNN_ERROR_UNSUPPORTED,
        "the model needs %zu bytes, an ONNX file without external data holds at most %zu", size,
        ONN_ONNX_MAX_BYTES);
    bytes = onn_alloc(size);
    ONN_TRY(bytes ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    onnx__model_proto__pack(&m, bytes);
    ONN_TRY(onn_fs_write(path, bytes, size, true));
fail:
    onn_free(bytes);
    return status;
}

enum oclnn_status onn_onnx_save(const struct onn_graph *g, const struct onn_desc *types, const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_names taken = {0};
    struct onn_export e = {.taken = &taken, .opset = OLDEST_OPSET};
    Onnx__GraphProto *graph = NULL;
    ONN_CHECK(g->n_outputs > 0, OCLNN_ERROR_ARGUMENT, "the graph has no outputs");
    ONN_TRY(reserve(&e, g));
    ONN_TRY(onn_export_graph(&e, NULL, g, types, &graph));
    ONN_CHECK(!e.n_missing, OCLNN_ERROR_UNSUPPORTED, "%d nodes have no form in ONNX:%s", e.n_missing,
        onn_str_text(&e.missing));
    ONN_TRY(write_model(&e, graph, path));
fail:
    onn_str_finish(&e.missing);
    onn_names_finish(&taken);
    onn_arena_finish(&e.arena);
    return status;
}
