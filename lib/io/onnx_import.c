/* The import: file to source graph. */
#include "io/onnx_internal.h"

#include "base/fs.h"
#include <stdio.h>
#include <string.h>

#define MAX_LINKS 100000 /* inputs or outputs of one node */

/* ---- scopes ---- */
static enum oclnn_status scope_add(struct onn_scope *s, const char *name, int32_t id)
{
    if (!id)
        return onn_error(s->g->status ? s->g->status : OCLNN_ERROR_INTERNAL, "%s",
            s->g->error ? s->g->error : "out of host memory");
    if (!name || !*name)
        return OCLNN_OK;
    if (onn_names_get(&s->values, name) >= 0)
        return onn_error(OCLNN_ERROR_FORMAT, "value '%.200s' is made twice", name);
    return onn_names_set(&s->values, name, id) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

/* The value's id in this scope; an outer value gets a stand-in. -1: unknown, 0: out of memory. */
static int32_t scope_find(struct onn_scope *s, const char *name)
{
    int32_t id = onn_names_get(&s->values, name);
    if (id >= 0 || !s->parent)
        return id;
    int32_t outer = scope_find(s->parent, name);
    if (outer <= 0)
        return outer;
    id = onn_graph_add_value(s->g, name, &s->parent->g->value[outer].desc);
    if (!id)
        return 0;
    s->g->value[id].role = ONN_ROLE_OUTER;
    s->g->value[id].source = outer;
    return onn_names_set(&s->values, name, id) ? id : 0;
}

struct onn_desc onn_scope_desc(const struct onn_scope *s, int32_t id)
{
    if (id > 0 && id < s->n_known && s->known[id].dtype)
        return s->known[id];
    if (id > 0 && id < s->g->n_values)
        return s->g->value[id].desc;
    return (struct onn_desc){.rank = -1};
}

/* ---- inputs and initialisers ---- */
static enum oclnn_status input_desc(const Onnx__ValueInfoProto *v, struct onn_desc *out)
{
    const Onnx__TypeProto *type = v->type;
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || !type->tensor_type)
        return onn_error(type ? OCLNN_ERROR_UNSUPPORTED : OCLNN_ERROR_FORMAT, "input '%.200s' is no tensor",
            v->name);
    const Onnx__TypeProto__Tensor *t = type->tensor_type;
    enum oclnn_dtype dtype = onn_dtype_from_onnx(t->elem_type);
    if (!dtype)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "input '%.200s': element type %d of ONNX is not supported",
            v->name, (int)t->elem_type);
    int64_t dim[ONN_MAX_RANK], product = 1;
    if (t->shape && t->shape->n_dim > ONN_MAX_RANK)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "input '%.200s': %zu dimensions, at most %d are supported",
            v->name, t->shape->n_dim, ONN_MAX_RANK);
    for (size_t i = 0; t->shape && i < t->shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *d = t->shape->dim[i];
        bool known =
            d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value >= 0;
        dim[i] = known ? d->dim_value : -1; /* a name or nothing: bound when the model is run */
        if (known && dim[i] && !onn_mul_i64(product, dim[i], &product))
            return onn_error(OCLNN_ERROR_FORMAT, "input '%.200s': the product of the dimensions is too big",
                v->name);
    }
    if (t->shape) {
        *out = onn_desc_make(dtype, (int)t->shape->n_dim, dim);
    } else {
        *out = (struct onn_desc){.dtype = dtype, .rank = -1};
    }
    return OCLNN_OK;
}

static enum oclnn_status add_initializers(struct onn_scope *s, const Onnx__GraphProto *g)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_blob *blob = NULL;
    ONN_CHECK(!g->n_sparse_initializer, OCLNN_ERROR_UNSUPPORTED, "sparse initialisers are not supported");
    for (size_t i = 0; i < g->n_initializer; i++) {
        Onnx__TensorProto *t = g->initializer[i];
        ONN_CHECK(t->name && *t->name, OCLNN_ERROR_FORMAT, "initialiser %zu has no name", i);
        status = onn_tensor_import(t, &s->import->external, &blob);
        if (status != OCLNN_OK)
            return onn_error_at(status, "initialiser '%.200s'", t->name);
        const int32_t id = onn_graph_add_blob(s->g, t->name, ONN_ROLE_CONST, blob);
        ONN_TRY(scope_add(s, t->name, id));
        s->g->value[id].stored = true;
        onn_blob_unref(&blob);
    }
fail:
    onn_blob_unref(&blob);
    return status;
}

static enum oclnn_status add_inputs(struct onn_scope *s, const Onnx__GraphProto *g)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_names initializers = {0};
    for (size_t i = 0; i < g->n_initializer; i++)
        if (g->initializer[i]->name)
            ONN_TRY(onn_names_set(&initializers, g->initializer[i]->name, 1) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (size_t i = 0; i < g->n_input; i++) {
        const Onnx__ValueInfoProto *v = g->input[i];
        struct onn_desc desc;
        ONN_CHECK(v->name && *v->name, OCLNN_ERROR_FORMAT, "input %zu has no name", i);
        if (onn_names_get(&initializers, v->name) >= 0)
            continue;
        ONN_TRY(input_desc(v, &desc));
        ONN_TRY(scope_add(s, v->name, onn_graph_add_input(s->g, v->name, &desc)));
    }
fail:
    onn_names_finish(&initializers);
    return status;
}

/* ---- nodes ---- */
/* The value of a Constant node, whichever attribute holds it. */
static enum oclnn_status constant_blob(const struct onn_onnx_node *n, struct onn_blob **out)
{
    const struct onn_onnx_attr *a = NULL;
    for (int i = 0; i < n->n_attr; i++)
        if (!strncmp(n->attr[i].name, "value", 5) && n->attr[i].type != ONN_ATTR_STRING)
            a = &n->attr[i];
    *out = NULL;
    if (!a)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "a constant without a dense numeric value");
    int64_t count = a->n;
    int rank = a->type == ONN_ATTR_INTS || a->type == ONN_ATTR_FLOATS;
    bool whole = a->type == ONN_ATTR_INT || a->type == ONN_ATTR_INTS;
    struct onn_desc desc = onn_desc_make(whole ? OCLNN_I64 : OCLNN_F32, rank, &count);
    switch (a->type) {
    case ONN_ATTR_TENSOR: *out = onn_blob_ref(a->blob); return OCLNN_OK;
    case ONN_ATTR_INT: return onn_blob_create(&desc, &a->i, out);
    case ONN_ATTR_INTS: return onn_blob_create(&desc, a->ints, out);
    case ONN_ATTR_FLOAT: return onn_blob_create(&desc, &a->f, out);
    case ONN_ATTR_FLOATS: return onn_blob_create(&desc, a->floats, out);
    default: return onn_error(OCLNN_ERROR_FORMAT, "a constant of the wrong attribute type");
    }
}

static enum oclnn_status add_constant(struct onn_onnx_node *n)
{
    struct onn_blob *blob = NULL;
    if (n->n_out != 1 || n->n_in)
        return onn_error(OCLNN_ERROR_FORMAT, "%d inputs and %d outputs", n->n_in, n->n_out);
    enum oclnn_status status = constant_blob(n, &blob);
    if (status == OCLNN_OK)
        status =
            scope_add(n->scope, n->out[0], onn_graph_add_blob(n->scope->g, n->out[0], ONN_ROLE_CONST, blob));
    onn_blob_unref(&blob);
    return status;
}

/* Early shape inference for rewrites that depend on a rank or an element type. Best effort: errors are for
 * the real inference to report. */
static void learn(struct onn_scope *s, const struct onn_node *node)
{
    struct onn_desc in[8], out[8];
    const struct onn_blob *value[8];
    if (!node->op->infer || node->n_in > 8 || node->n_out > 8)
        return;
    for (int i = 0; i < node->n_in; i++) {
        in[i] = node->in[i] ? onn_scope_desc(s, node->in[i]) : (struct onn_desc){0};
        value[i] = s->g->value[node->in[i]].blob;
        if (node->in[i] && (!in[i].dtype || in[i].rank < 0))
            return;
    }
    memset(out, 0, sizeof out);
    struct onn_prob p = {.op = node->op,
        .attr = node->attr,
        .n_in = node->n_in,
        .n_out = node->n_out,
        .in = in,
        .value = value};
    if (node->op->infer(&p, out) != OCLNN_OK) {
        onn_error_clear();
        return;
    }
    if (s->n_known < s->g->n_values) {
        int32_t wanted = s->g->n_values * 2;
        struct onn_desc *grown = onn_realloc(s->known, (size_t)wanted, sizeof *grown);
        if (!grown)
            return;
        memset(grown + s->n_known, 0, (size_t)(wanted - s->n_known) * sizeof *grown);
        s->known = grown;
        s->n_known = wanted;
    }
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i])
            s->known[node->out[i]] = out[i];
}

static enum oclnn_status check_counts(const struct onn_onnx_node *n, const struct onn_op *op)
{
    if (n->n_in < op->min_in || (op->max_in != ONN_VARIADIC && n->n_in > op->max_in))
        return onn_error(OCLNN_ERROR_FORMAT, "%d inputs, %d to %d are expected", n->n_in, op->min_in,
            op->max_in);
    if (n->n_out < op->min_out || (op->max_out != ONN_VARIADIC && n->n_out > op->max_out))
        return onn_error(n->n_out < op->min_out ? OCLNN_ERROR_FORMAT : OCLNN_ERROR_UNSUPPORTED,
            "%d outputs, %d to %d are supported", n->n_out, op->min_out, op->max_out);
    for (int i = 0; i < op->min_in; i++)
        if (!n->in[i])
            return onn_error(OCLNN_ERROR_FORMAT, "input %d is missing", i);
    return OCLNN_OK;
}

static enum oclnn_status append_node(struct onn_onnx_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_scope *s = n->scope;
    int32_t *out = NULL;
    void *attr;
    const struct onn_op *op = onn_op_find_onnx(n->type);
    ONN_CHECK(op, OCLNN_ERROR_UNSUPPORTED, "the operator is not supported");
    while (n->n_in > op->min_in && !n->in[n->n_in - 1])
        n->n_in--;
    while (n->n_out > op->min_out && !*n->out[n->n_out - 1])
        n->n_out--;
    ONN_TRY(check_counts(n, op));
    ONN_TRY(onn_attrs_fill(n, op, &attr));
    out = onn_calloc((size_t)n->n_out, sizeof *out);
    ONN_TRY(out ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < n->n_out; i++)
        if (*n->out[i] || i < op->min_out) {
            out[i] = onn_graph_add_value(s->g, n->out[i], NULL);
            ONN_TRY(scope_add(s, n->out[i], out[i]));
        }
    int32_t node =
        onn_graph_add_node_to(s->g, op, n->name, attr, op->attr_size, n->n_in, n->in, n->n_out, out);
    ONN_CHECK(node >= 0, s->g->status, "%s", s->g->error ? s->g->error : "out of host memory");
    if (s->import->opset < 21)
        learn(s, &s->g->node[node]);
fail:
    onn_free(out);
    return status;
}

/* Names of inputs become ids; the arrays have room for what rewrites add. */
static enum oclnn_status link_node(struct onn_onnx_node *n, const Onnx__NodeProto *proto)
{
    struct onn_arena *scratch = &n->scope->import->scratch;
    if (proto->n_input > MAX_LINKS || proto->n_output > MAX_LINKS)
        return onn_error(OCLNN_ERROR_FORMAT, "%zu inputs, %zu outputs", proto->n_input, proto->n_output);
    n->n_in = (int)proto->n_input;
    n->n_out = (int)proto->n_output;
    n->cap_in = n->n_in + ONN_ONNX_SPARE;
    n->in = onn_arena_calloc(scratch, (size_t)n->cap_in, sizeof *n->in);
    n->out = onn_arena_calloc(scratch, (size_t)n->n_out + 1, sizeof *n->out);
    if (!n->in || !n->out)
        return OCLNN_ERROR_MEMORY;
    for (int i = 0; i < n->n_out; i++)
        n->out[i] = proto->output[i];
    for (int i = 0; i < n->n_in; i++) {
        if (!*proto->input[i])
            continue;
        int32_t id = scope_find(n->scope, proto->input[i]);
        if (id < 0)
            return onn_error(OCLNN_ERROR_FORMAT, "input '%.200s' is not made by anything", proto->input[i]);
        if (id == 0)
            return OCLNN_ERROR_MEMORY;
        n->in[i] = id;
    }
    return OCLNN_OK;
}

static enum oclnn_status import_node(struct onn_scope *s, const Onnx__NodeProto *proto)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_onnx_node n = {.scope = s, .type = proto->op_type, .name = proto->name};
    int number = s->import->n_nodes++;
    if (!n.name || !*n.name)
        n.name = onn_arena_printf(&s->import->scratch, "%.100s_%d", n.type, number);
    ONN_TRY(n.name ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(link_node(&n, proto));
    ONN_TRY(onn_attrs_read(&n, proto));
    if (!strcmp(n.type, "Constant")) {
        ONN_TRY(add_constant(&n));
    } else {
        ONN_TRY(onn_opset_rewrite(&n));
        ONN_TRY(append_node(&n));
    }
    return OCLNN_OK;
fail:
    if (status == OCLNN_ERROR_MEMORY)
        return status;
    return onn_error_at(status, "node '%.200s' (%.100s)", n.name ? n.name : "", proto->op_type);
}

/* What the file says of an output is kept for descriptions and for export, not relied upon. */
static void declare_output(struct onn_scope *s, int32_t id, const Onnx__ValueInfoProto *info)
{
    struct onn_desc desc;
    struct onn_value *v = &s->g->value[id];
    if (v->role != ONN_ROLE_NONE || v->desc.dtype)
        return;
    if (input_desc(info, &desc) == OCLNN_OK)
        v->desc = desc;
    onn_error_clear();
}

static enum oclnn_status import_graph(struct onn_scope *s, const Onnx__GraphProto *proto)
{
    enum oclnn_status status = OCLNN_OK;
    int32_t *order = NULL;
    ONN_TRY(add_inputs(s, proto));
    ONN_TRY(add_initializers(s, proto));
    ONN_TRY(onn_onnx_sort(proto, &order));
    for (size_t i = 0; i < proto->n_node; i++)
        ONN_TRY(import_node(s, proto->node[order[i]]));
    ONN_CHECK(proto->n_output || s->parent, OCLNN_ERROR_FORMAT, "the graph has no outputs");
    for (size_t i = 0; i < proto->n_output; i++) {
        const char *name = proto->output[i]->name;
        ONN_CHECK(name && *name, OCLNN_ERROR_FORMAT, "output %zu has no name", i);
        int32_t id = scope_find(s, name);
        ONN_CHECK(id > 0, OCLNN_ERROR_FORMAT, "output '%.200s' is not made by anything", name);
        onn_graph_add_output(s->g, name, id);
        declare_output(s, id, proto->output[i]);
    }
    ONN_CHECK(s->g->status == OCLNN_OK, s->g->status, "%s", s->g->error ? s->g->error : "out of host memory");
fail:
    onn_free(order);
    return status;
}

static enum oclnn_status import_scope(struct onn_import *im, struct onn_scope *parent,
    const Onnx__GraphProto *proto, struct onn_graph **out)
{
    struct onn_scope s = {.import = im, .parent = parent};
    *out = NULL;
    enum oclnn_status status = onn_graph_create(&s.g);
    if (status == OCLNN_OK)
        status = import_graph(&s, proto);
    onn_names_finish(&s.values);
    onn_free(s.known);
    if (status != OCLNN_OK)
        onn_graph_destroy(&s.g);
    *out = s.g;
    return status;
}

enum oclnn_status onn_import_subgraph(struct onn_scope *parent, const Onnx__GraphProto *proto,
    struct onn_graph **out)
{
    return import_scope(parent->import, parent, proto, out);
}

/* ---- the model ---- */
static enum oclnn_status read_opsets(struct onn_import *im, const Onnx__ModelProto *m)
{
    enum oclnn_status status = OCLNN_OK;
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = m->opset_import[i];
        if (o->domain && *o->domain && strcmp(o->domain, "ai.onnx"))
            continue; /* fine as long as no node needs it: the list of missing operators tells */
        ONN_CHECK(o->version >= 1 && o->version <= INT32_MAX, OCLNN_ERROR_FORMAT, "opset version %lld",
            (long long)o->version);
        ONN_CHECK(!im->opset || im->opset == (int)o->version, OCLNN_ERROR_FORMAT,
            "opset versions %d and %lld", im->opset, (long long)o->version);
        im->opset = (int)o->version;
    }
    if (!im->opset && im->ir_version < 3)
        im->opset = 1; /* before there were opsets */
    if (!im->opset && m->n_opset_import)
        im->opset = ONN_ONNX_OPSET; /* other domains only: nothing that this number could change */
    ONN_CHECK(im->opset, OCLNN_ERROR_FORMAT, "the model does not say which opset it uses");
    if (im->opset > ONN_ONNX_OPSET)
        onn_log(im->log, OCLNN_LOG_WARN,
            "opset %d is newer than %d, the newest known: rules may have changed", im->opset, ONN_ONNX_OPSET);
fail:
    return status;
}

static void fill_info(struct onn_onnx_info *info, const Onnx__ModelProto *m, const struct onn_import *im)
{
    *info = (struct onn_onnx_info){.ir_version = m->ir_version,
        .model_version = m->model_version,
        .opset = im->opset,
        .n_nodes = m->graph ? (int)m->graph->n_node : 0};
    snprintf(info->producer, sizeof info->producer, "%s", m->producer_name ? m->producer_name : "");
    snprintf(info->producer_version, sizeof info->producer_version, "%s",
        m->producer_version ? m->producer_version : "");
    snprintf(info->graph_name, sizeof info->graph_name, "%s",
        m->graph && m->graph->name ? m->graph->name : "");
    snprintf(info->domain, sizeof info->domain, "%s", m->domain ? m->domain : "");
}

static enum oclnn_status import_model(const struct onn_onnx_source *source, const Onnx__ModelProto *m,
    struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_import im = {.log = source->log, .ir_version = m->ir_version, .external = {.dir = -1}};
    ONN_CHECK(m->graph, OCLNN_ERROR_FORMAT, "the model has no graph");
    ONN_CHECK(m->has_ir_version && m->ir_version >= 1, OCLNN_ERROR_FORMAT,
        "no IR version: not an ONNX model");
    ONN_TRY(read_opsets(&im, m));
    if (source->info)
        fill_info(source->info, m, &im);
    ONN_TRY(onn_onnx_check_ops(m->graph, im.opset));
    ONN_TRY(onn_external_open(&im.external, source->path, source->folder));
    ONN_TRY(import_scope(&im, NULL, m->graph, out));
fail:
    onn_external_finish(&im.external);
    onn_arena_finish(&im.scratch);
    return status;
}

enum oclnn_status onn_onnx_load(const struct onn_onnx_source *source, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    ProtobufCMessage *m = NULL;
    void *read = NULL;
    const void *bytes = source->bytes;
    size_t size = source->size;
    *out = NULL;
    if (source->path) {
        ONN_TRY(onn_fs_read(source->path, ONN_ONNX_MAX_BYTES, &read, &size));
        bytes = read;
    }
    ONN_CHECK(bytes && size, OCLNN_ERROR_FORMAT, "%s: the file is empty",
        source->path ? source->path : "model");
    status = onn_wire_unpack(&onnx__model_proto__descriptor, bytes, size, &m);
    onn_free(read); /* the unpacked message has its own copy */
    read = NULL;
    if (status == OCLNN_OK)
        status = import_model(source, (const Onnx__ModelProto *)m, out);
    if (status != OCLNN_OK && source->path)
        onn_error_at(status, "%.300s", source->path);
fail:
    onn_free(read);
    if (m)
        protobuf_c_message_free_unpacked(m, onn_wire_allocator());
    return status;
}

enum oclnn_status onn_onnx_load_file(const char *path, const struct onn_log *log, struct onn_graph **out)
{
    return onn_onnx_load(&(struct onn_onnx_source){.path = path, .log = log}, out);
}

enum oclnn_status onn_onnx_load_memory(const void *bytes, size_t size, const char *folder,
    const struct onn_log *log, struct onn_graph **out)
{
    return onn_onnx_load(&(struct onn_onnx_source){.bytes = bytes,
                             .size = size,
                             .folder = folder,
                             .log = log},
        out);
}
