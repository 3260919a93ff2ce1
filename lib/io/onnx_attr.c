/* Attributes: from the file into a neutral list, and from the list into an operator's attribute struct by
 * its rows. */
#include "io/onnx_internal.h"

#include <string.h>

#define MAX_WARNINGS 20

/* The declared type, or for files older than it what is filled. */
static int type_of(const Onnx__AttributeProto *a)
{
    if (a->has_type && a->type)
        return a->type;
    if (a->has_f)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    if (a->has_i)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    if (a->has_s)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
    if (a->t)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    if (a->g)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
    if (a->n_floats)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
    if (a->n_strings)
        return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
}

/* Does it carry content of another kind than its type says? */
static bool lies(const Onnx__AttributeProto *a, int type)
{
    const struct {
        int type;
        bool filled;
    } kinds[] = {
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, a->has_f && a->f != 0},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, a->has_i && a->i != 0},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING, a->has_s && a->s.len > 0},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR, a->t != NULL},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH, a->g != NULL},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS, a->n_floats > 0},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, a->n_ints > 0},
        {ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS, a->n_strings > 0},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].filled && kinds[i].type != type)
            return true;
    return false;
}

/* The strings joined by ','. */
static enum oclnn_status join(struct onn_arena *arena, const ProtobufCBinaryData *s, size_t n,
    const char **out)
{
    size_t total = 1;
    for (size_t i = 0; i < n; i++) {
        if (s[i].len && memchr(s[i].data, 0, s[i].len))
            return onn_error(OCLNN_ERROR_FORMAT, "the text holds a NUL byte");
        total += s[i].len + 1;
    }
    char *text = onn_arena_alloc(arena, total), *at = text;
    if (!text)
        return OCLNN_ERROR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (i)
            *at++ = ',';
        if (s[i].len)
            memcpy(at, s[i].data, s[i].len);
        at += s[i].len;
    }
    *at = '\0';
    *out = text;
    return OCLNN_OK;
}

static enum oclnn_status read_one(struct onn_onnx_node *n, const Onnx__AttributeProto *a,
    struct onn_onnx_attr *out)
{
    enum oclnn_status status;
    struct onn_arena *arena = &n->scope->g->arena;
    int type = type_of(a);
    if (a->ref_attr_name && *a->ref_attr_name)
        return onn_error(OCLNN_ERROR_FORMAT, "refers to an attribute of a function");
    if (lies(a, type))
        return onn_error(OCLNN_ERROR_FORMAT, "its content is of another type than declared");
    switch (type) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
        out->type = ONN_ATTR_INT;
        out->i = a->i;
        return OCLNN_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
        out->type = ONN_ATTR_FLOAT;
        out->f = a->f;
        return OCLNN_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
        out->type = ONN_ATTR_INTS;
        out->n = (int32_t)a->n_ints;
        out->ints = onn_arena_dup(arena, a->ints, a->n_ints * sizeof *a->ints);
        return out->ints ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
        out->type = ONN_ATTR_FLOATS;
        out->n = (int32_t)a->n_floats;
        out->floats = onn_arena_dup(arena, a->floats, a->n_floats * sizeof *a->floats);
        return out->floats ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
        out->type = ONN_ATTR_STRING;
        return join(arena, &a->s, 1, &out->s);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
        out->type = ONN_ATTR_STRING;
        return join(arena, a->strings, a->n_strings, &out->s);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
        if (!a->t)
            return onn_error(OCLNN_ERROR_FORMAT, "no tensor in it");
        out->type = ONN_ATTR_TENSOR;
        status = onn_tensor_import(a->t, &n->scope->import->external, &out->blob);
        if (status == OCLNN_OK) {
            struct onn_blob *blob = out->blob;
            status = onn_graph_hold_blob(n->scope->g, blob);
            onn_blob_unref(&blob); /* the graph's reference keeps it */
        }
        return status;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH:
        if (!a->g)
            return onn_error(OCLNN_ERROR_FORMAT, "no graph in it");
        out->type = ONN_ATTR_GRAPH;
        status = onn_import_subgraph(n->scope, a->g, &out->graph);
        return status == OCLNN_OK ? onn_graph_hold_sub(n->scope->g, out->graph) : status;
    default: return onn_error(OCLNN_ERROR_UNSUPPORTED, "attributes of type %d are not supported", type);
    }
}

enum oclnn_status onn_attrs_read(struct onn_onnx_node *n, const Onnx__NodeProto *proto)
{
    enum oclnn_status status = OCLNN_OK;
    if (proto->n_attribute > 1000)
        return onn_error(OCLNN_ERROR_FORMAT, "%zu attributes", proto->n_attribute);
    n->cap_attr = (int)proto->n_attribute + ONN_ONNX_SPARE;
    n->attr = onn_arena_calloc(&n->scope->import->scratch, (size_t)n->cap_attr, sizeof *n->attr);
    if (!n->attr)
        return OCLNN_ERROR_MEMORY;
    for (size_t i = 0; i < proto->n_attribute; i++) {
        const Onnx__AttributeProto *a = proto->attribute[i];
        ONN_CHECK(a->name && *a->name, OCLNN_ERROR_FORMAT, "attribute %zu has no name", i);
        ONN_CHECK(!onn_onnx_attr_find(n, a->name), OCLNN_ERROR_FORMAT, "attribute '%.100s' occurs twice",
            a->name);
        struct onn_onnx_attr *out = &n->attr[n->n_attr++];
        out->name = a->name;
        status = read_one(n, a, out);
        if (status != OCLNN_OK)
            return onn_error_at(status, "attribute '%.100s'", a->name);
    }
fail:
    return status;
}

const struct onn_onnx_attr *onn_onnx_attr_find(const struct onn_onnx_node *n, const char *name)
{
    for (int i = 0; i < n->n_attr; i++)
        if (n->attr[i].type != ONN_ATTR_END && !strcmp(n->attr[i].name, name))
            return &n->attr[i];
    return NULL;
}

const struct onn_onnx_attr *onn_onnx_attr_take(struct onn_onnx_node *n, const char *name)
{
    struct onn_onnx_attr *found = (struct onn_onnx_attr *)onn_onnx_attr_find(n, name);
    struct onn_onnx_attr *copy =
        found ? onn_arena_dup(&n->scope->import->scratch, found, sizeof *found) : NULL;
    if (copy)
        found->type = ONN_ATTR_END;
    return copy;
}

static struct onn_onnx_attr *place(struct onn_onnx_node *n, const char *name)
{
    struct onn_onnx_attr *at = (struct onn_onnx_attr *)onn_onnx_attr_find(n, name);
    if (!at && n->n_attr < n->cap_attr)
        at = &n->attr[n->n_attr++];
    if (!at) {
        onn_error(OCLNN_ERROR_INTERNAL, "no room for attribute '%s'", name);
        return NULL;
    }
    *at = (struct onn_onnx_attr){.name = name};
    return at;
}

enum oclnn_status onn_onnx_attr_set_int(struct onn_onnx_node *n, const char *name, int64_t value)
{
    struct onn_onnx_attr *a = place(n, name);
    if (!a)
        return OCLNN_ERROR_INTERNAL;
    a->type = ONN_ATTR_INT;
    a->i = value;
    return OCLNN_OK;
}

enum oclnn_status onn_onnx_attr_set_string(struct onn_onnx_node *n, const char *name, const char *value)
{
    struct onn_onnx_attr *a = place(n, name);
    if (!a)
        return OCLNN_ERROR_INTERNAL;
    a->type = ONN_ATTR_STRING;
    a->s = onn_arena_strdup(&n->scope->g->arena, value);
    return a->s ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

static const struct onn_attr *row_of(const struct onn_op *op, const char *name)
{
    const struct onn_attr *row = op->attrs;
    while (row && row->type != ONN_ATTR_END && (!row->onnx || strcmp(row->onnx, name)))
        row++;
    if (row && row->type != ONN_ATTR_END)
        return row;
    /* What rewrites set has no ONNX name but oclnn's own ("legacy"). */
    for (row = op->attrs; row && row->type != ONN_ATTR_END; row++)
        if (!row->onnx && !strcmp(row->name, name))
            return row;
    return NULL;
}

static enum oclnn_status store(const struct onn_onnx_attr *a, const struct onn_attr *row, void *attr)
{
    static const char *const types[] = {"nothing", "INT", "FLOAT", "INTS", "FLOATS", "STRING", "TENSOR",
        "GRAPH"};
    void *at = (char *)attr + row->offset;
    if (a->type != row->type)
        return onn_error(OCLNN_ERROR_FORMAT, "attribute '%.100s' is of type %s instead of %s", a->name,
            types[a->type], types[row->type]);
    switch (a->type) {
    case ONN_ATTR_INT: *(int64_t *)at = a->i; break;
    case ONN_ATTR_FLOAT: *(float *)at = a->f; break;
    case ONN_ATTR_INTS: *(struct onn_ints *)at = (struct onn_ints){a->n, a->ints}; break;
    case ONN_ATTR_FLOATS: *(struct onn_floats *)at = (struct onn_floats){a->n, a->floats}; break;
    case ONN_ATTR_STRING: *(const char **)at = a->s; break;
    case ONN_ATTR_TENSOR: *(struct onn_blob **)at = a->blob; break;
    case ONN_ATTR_GRAPH: *(struct onn_graph **)at = a->graph; break;
    case ONN_ATTR_END: break;
    }
    return OCLNN_OK;
}

static void warn_unknown(const struct onn_onnx_node *n, const char *name)
{
    struct onn_import *im = n->scope->import;
    if (im->n_warnings < MAX_WARNINGS)
        onn_log(im->log, OCLNN_LOG_WARN,
            "node '%.200s' (%.100s): attribute '%.100s' is not known and is ignored", n->name, n->type, name);
    else if (im->n_warnings == MAX_WARNINGS)
        onn_log(im->log, OCLNN_LOG_WARN, "more attributes are not known; they are not listed");
    im->n_warnings++;
}

enum oclnn_status onn_attrs_fill(const struct onn_onnx_node *n, const struct onn_op *op, void **out)
{
    enum oclnn_status status = OCLNN_OK;
    *out = NULL;
    if (op->attr_size) {
        *out = onn_attr_defaults(op, &n->scope->g->arena);
        ONN_TRY(*out ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    }
    for (int i = 0; i < n->n_attr; i++) {
        const struct onn_onnx_attr *a = &n->attr[i];
        const struct onn_attr *row = a->type == ONN_ATTR_END ? NULL : row_of(op, a->name);
        if (a->type != ONN_ATTR_END && (!row || !*out))
            warn_unknown(n, a->name);
        else if (row)
            ONN_TRY(store(a, row, *out));
    }
    if (*out)
        ONN_TRY(onn_attr_check(op, *out));
fail:
    return status;
}
