/* Nodes of the export: attributes from the operators' rows; where oclnn's canonical form is not ONNX's, the operator has
 * an entry in the table of forms. */
#include "io/onnx_export.h"

#include <math.h>
#include <string.h>

#define MAX_LISTED 20

enum oclnn_status onn_export_node(struct onn_export_graph *s, const char *type, const char *name, int n_in,
    const char *const *in, int n_out, const char *const *out, Onnx__NodeProto **node)
{
    struct onn_arena *arena = &s->e->arena;
    Onnx__NodeProto *n = onn_arena_alloc(arena, sizeof *n);
    if (!n || !onn_array_grow((void **)&s->node, s->n_nodes, &s->cap_nodes, sizeof *s->node))
        return OCLNN_ERROR_MEMORY;
    while (n_in > 0 && !*in[n_in - 1])
        n_in--;
    while (n_out > 1 && !*out[n_out - 1])
        n_out--;
    *n = (Onnx__NodeProto)ONNX__NODE_PROTO__INIT;
    n->op_type = (char *)type;
    n->name = (char *)name;
    n->n_input = (size_t)n_in;
    n->n_output = (size_t)n_out;
    n->input = onn_arena_dup(arena, in, n->n_input * sizeof *in);
    n->output = onn_arena_dup(arena, out, n->n_output * sizeof *out);
    if (!n->input || !n->output)
        return OCLNN_ERROR_MEMORY;
    s->node[s->n_nodes++] = n;
    if (node)
        *node = n;
    return OCLNN_OK;
}

/* ---- attributes ---- */
#define MAX_ATTRS 16

static Onnx__AttributeProto *add_attr(struct onn_export_graph *s, Onnx__NodeProto *n, const char *name,
    Onnx__AttributeProto__AttributeType type)
{
    struct onn_arena *arena = &s->e->arena;
    Onnx__AttributeProto *a = onn_arena_alloc(arena, sizeof *a);
    if (!n->attribute)
        n->attribute = onn_arena_calloc(arena, MAX_ATTRS, sizeof *n->attribute);
    if (!a || !n->attribute || n->n_attribute == MAX_ATTRS)
        return NULL;
    *a = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    a->name = (char *)name;
    a->has_type = 1;
    a->type = type;
    n->attribute[n->n_attribute++] = a;
    return a;
}

static enum oclnn_status add_int(struct onn_export_graph *s, Onnx__NodeProto *n, const char *name, int64_t v)
{
    Onnx__AttributeProto *a = add_attr(s, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (!a)
        return OCLNN_ERROR_MEMORY;
    a->has_i = 1;
    a->i = v;
    return OCLNN_OK;
}

static enum oclnn_status add_float(struct onn_export_graph *s, Onnx__NodeProto *n, const char *name, float v)
{
    Onnx__AttributeProto *a = add_attr(s, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (!a)
        return OCLNN_ERROR_MEMORY;
    a->has_f = 1;
    a->f = v;
    return OCLNN_OK;
}

static ProtobufCBinaryData text_of(const char *text, size_t length)
{
    return (ProtobufCBinaryData){.len = length, .data = (uint8_t *)text};
}

/* "Sigmoid,Tanh" as one text or, where ONNX wants a list, as many. */
static enum oclnn_status add_text(struct onn_export_graph *s, Onnx__NodeProto *n, const char *name,
    const char *text)
{
    const bool list = !strcmp(name, "activations");
    Onnx__AttributeProto *a = add_attr(s, n, name,
        list ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS
             : ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    if (!a)
        return OCLNN_ERROR_MEMORY;
    if (!list) {
        a->has_s = 1;
        a->s = text_of(text, strlen(text));
        return OCLNN_OK;
    }
    a->strings = onn_arena_calloc(&s->e->arena, strlen(text) + 1, sizeof *a->strings);
    if (!a->strings)
        return OCLNN_ERROR_MEMORY;
    for (const char *at = text; *at;) {
        const size_t length = strcspn(at, ",");
        a->strings[a->n_strings++] = text_of(at, length);
        at += length + (at[length] == ',');
    }
    return OCLNN_OK;
}

/* Attributes that a file must name even at oclnn's default. */
static bool is_required(const char *type, const char *name)
{
    static const char *const rows[][2] = {{"Concat", "axis"}, {"Cast", "to"}, {"LRN", "size"},
        {"DepthToSpace", "blocksize"}, {"SpaceToDepth", "blocksize"}, {"GroupNormalization", "num_groups"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i][0], type) && !strcmp(rows[i][1], name))
            return true;
    return false;
}

static enum oclnn_status write_attr(struct onn_export_graph *s, Onnx__NodeProto *n,
    const struct onn_attr *row, const void *at)
{
    const bool required = is_required(n->op_type, row->onnx);
    Onnx__AttributeProto *a;
    switch (row->type) {
    case ONN_ATTR_INT: {
        const int64_t v = *(const int64_t *)at;
        return v != (int64_t)row->def || required ? add_int(s, n, row->onnx, v) : OCLNN_OK;
    }
    case ONN_ATTR_FLOAT: {
        const float v = *(const float *)at, def = (float)row->def;
        const bool same = v == def || (isnan(v) && isnan(def));
        return !same || required ? add_float(s, n, row->onnx, v) : OCLNN_OK;
    }
    case ONN_ATTR_INTS: {
        const struct onn_ints *list = at;
        if (list->n < 0)
            return OCLNN_OK;
        a = add_attr(s, n, row->onnx, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
        if (a) {
            a->n_ints = (size_t)list->n;
            a->ints = (int64_t *)list->v;
        }
        return a ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    }
    case ONN_ATTR_FLOATS: {
        const struct onn_floats *list = at;
        if (list->n < 0)
            return OCLNN_OK;
        a = add_attr(s, n, row->onnx, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
        if (a) {
            a->n_floats = (size_t)list->n;
            a->floats = (float *)list->v;
        }
        return a ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    }
    case ONN_ATTR_STRING: {
        const char *text = *(const char *const *)at;
        return text ? add_text(s, n, row->onnx, text) : OCLNN_OK;
    }
    case ONN_ATTR_TENSOR: {
        struct onn_blob *blob = *(struct onn_blob *const *)at;
        if (!blob)
            return OCLNN_OK;
        a = add_attr(s, n, row->onnx, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);
        return a ? onn_export_tensor(s->e, blob, row->onnx, &a->t) : OCLNN_ERROR_MEMORY;
    }
    case ONN_ATTR_GRAPH: {
        const struct onn_graph *sub = *(struct onn_graph *const *)at;
        if (!sub)
            return OCLNN_OK;
        a = add_attr(s, n, row->onnx, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH);
        return a ? onn_export_graph(s->e, s, sub, NULL, &a->g) : OCLNN_ERROR_MEMORY;
    }
    case ONN_ATTR_END: break;
    }
    return OCLNN_OK;
}

static enum oclnn_status write_attrs(struct onn_export_graph *s, Onnx__NodeProto *n, const struct onn_op *op,
    const void *attr)
{
    enum oclnn_status status = OCLNN_OK;
    for (const struct onn_attr *row = op->attrs; row && row->type != ONN_ATTR_END; row++)
        if (row->onnx)
            ONN_TRY(write_attr(s, n, row, (const char *)attr + row->offset));
fail:
    return status;
}

/* ---- a node on its way ---- */
struct step {
    struct onn_export_graph *s;
    const struct onn_node *n;
    const void *attr; /* never NULL where the operator has attributes */
    int n_in, n_out;
    const char **in, **out; /* names; in[] has room for one more */
};

static void needs(struct step *t, int opset)
{
    if (t->s->e->opset < opset)
        t->s->e->opset = opset;
}

static const void *attr_at(const struct step *t, const char *name)
{
    const struct onn_attr *row = onn_attr_find(t->n->op, name, strlen(name));
    return row ? (const char *)t->attr + row->offset : NULL;
}

static int64_t int_of(const struct step *t, const char *name)
{
    const int64_t *at = attr_at(t, name);
    return at ? *at : 0;
}

static const char *text_attr(const struct step *t, const char *name)
{
    const char *const *at = attr_at(t, name);
    return at && *at ? *at : "";
}

/* The node as it stands. */
static enum oclnn_status plain(struct step *t, Onnx__NodeProto **node)
{
    Onnx__NodeProto *made;
    enum oclnn_status status =
        onn_export_node(t->s, t->n->op->onnx, t->n->name, t->n_in, t->in, t->n_out, t->out, &made);
    if (node)
        *node = made;
    return status == OCLNN_OK ? write_attrs(t->s, made, t->n->op, t->attr) : status;
}

/* A helper node with one fresh output. */
static enum oclnn_status helper(struct step *t, const char *type, int n_in, const char *const *in,
    const char **out, Onnx__NodeProto **node)
{
    *out = onn_export_fresh(t->s->e, t->out[0]);
    return *out ? onn_export_node(t->s, type, *out, n_in, in, 1, out, node) : OCLNN_ERROR_MEMORY;
}

/* ---- forms: where ONNX's newest form is not the canonical one, or needs a newer opset ---- */
/* Axes that a builder gave as an attribute are an input in ONNX. */
static enum oclnn_status form_reduce(struct step *t)
{
    const struct onn_ints *over = attr_at(t, "over");
    if (over && over->n > 0 && t->n_in < 2) {
        t->in[1] = onn_export_const(t->s, OCLNN_I64, 1, over->n, over->v);
        if (!t->in[1])
            return OCLNN_ERROR_MEMORY;
        t->n_in = 2;
    }
    if (strcmp(t->n->op->onnx, "ReduceSum") &&
        ((t->n_in > 1 && *t->in[1]) || int_of(t, "noop_with_empty_axes")))
        needs(t, 18);
    return plain(t, NULL);
}

/* Bounds that a builder gave as attributes are inputs in ONNX. */
static enum oclnn_status form_clip(struct step *t)
{
    static const char *const names[2] = {"min", "max"};
    const float *bound[2] = {attr_at(t, "min"), attr_at(t, "max")};
    const bool set = *bound[0] != 0 || *bound[1] != 0;
    const char *in[3] = {t->in[0], t->n_in > 1 ? t->in[1] : "", t->n_in > 2 ? t->in[2] : ""};
    for (int i = 0; set && i < 2; i++) {
        union {
            double d;
            int64_t i;
        } scalar = {0};
        const enum oclnn_dtype dtype = onn_export_type(t->s, t->n->in[0]).dtype;
        if (*in[i + 1] || isinf(*bound[i]))
            continue;
        if (!dtype)
            return onn_error(OCLNN_ERROR_UNSUPPORTED, "%s is an attribute, and the element type is unknown",
                names[i]);
        onn_store_f64(dtype, &scalar, 0, *bound[i]);
        in[i + 1] = onn_export_const(t->s, dtype, 0, 1, &scalar);
        if (!in[i + 1])
            return OCLNN_ERROR_MEMORY;
    }
    return onn_export_node(t->s, "Clip", t->n->name, 3, in, t->n_out, t->out, NULL);
}

/* x * sigmoid(alpha x): ONNX has Swish from opset 24 only. */
static enum oclnn_status form_swish(struct step *t)
{
    enum oclnn_status status = OCLNN_OK;
    const float alpha = *(const float *)attr_at(t, "alpha");
    const enum oclnn_dtype dtype = onn_export_type(t->s, t->n->in[0]).dtype;
    const char *pair[2] = {t->in[0], t->in[0]}, *scaled = t->in[0], *gate;
    if (alpha != 1) {
        double scalar = 0;
        ONN_CHECK(dtype, OCLNN_ERROR_UNSUPPORTED, "alpha is not 1, and the element type is unknown");
        onn_store_f64(dtype, &scalar, 0, alpha);
        pair[1] = onn_export_const(t->s, dtype, 0, 1, &scalar);
        ONN_TRY(pair[1] ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        ONN_TRY(helper(t, "Mul", 2, pair, &scaled, NULL));
    }
    ONN_TRY(helper(t, "Sigmoid", 1, &scaled, &gate, NULL));
    pair[1] = gate;
    ONN_TRY(onn_export_node(t->s, "Mul", t->n->name, 2, pair, 1, t->out, NULL));
fail:
    return status;
}

/* The rule before opset 13 took all dimensions from `axis` on as one: Flatten, softmax over the rows, Reshape back. */
static enum oclnn_status form_softmax(struct step *t)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc x = onn_export_type(t->s, t->n->in[0]);
    const int64_t axis = int_of(t, "axis");
    const char *flat, *shape, *rows[2];
    Onnx__NodeProto *n;
    if (!int_of(t, "legacy"))
        return plain(t, NULL);
    if (x.rank > 0 && (axis == x.rank - 1 || axis == -1)) { /* both rules say the same along the last axis */
        ONN_TRY(onn_export_node(t->s, t->n->op->onnx, t->n->name, 1, t->in, 1, t->out, &n));
        return add_int(t->s, n, "axis", -1);
    }
    ONN_TRY(helper(t, "Shape", 1, t->in, &shape, NULL));
    ONN_TRY(helper(t, "Flatten", 1, t->in, &flat, &n));
    ONN_TRY(add_int(t->s, n, "axis", axis));
    ONN_TRY(helper(t, t->n->op->onnx, 1, &flat, &rows[0], &n));
    ONN_TRY(add_int(t->s, n, "axis", -1));
    rows[1] = shape;
    ONN_TRY(onn_export_node(t->s, "Reshape", t->n->name, 2, rows, 1, t->out, NULL));
fail:
    return status;
}

/* oclnn's takes a bias. */
static enum oclnn_status form_matmul(struct step *t)
{
    const char *sum[2];
    if (t->n_in < 3 || !*t->in[2])
        return plain(t, NULL);
    enum oclnn_status status = helper(t, "MatMul", 2, t->in, &sum[0], NULL);
    sum[1] = t->in[2];
    return status == OCLNN_OK ? onn_export_node(t->s, "Add", t->n->name, 2, sum, 1, t->out, NULL) : status;
}

/* Without sizes the number of pieces is an attribute from opset 18 on. */
static enum oclnn_status form_split(struct step *t)
{
    Onnx__NodeProto *n;
    enum oclnn_status status = OCLNN_OK;
    if (t->n_in > 1 && *t->in[1])
        return plain(t, NULL);
    needs(t, 18);
    ONN_TRY(onn_export_node(t->s, "Split", t->n->name, 1, t->in, t->n_out, t->out, &n));
    ONN_TRY(add_int(t->s, n, "axis", int_of(t, "axis")));
    ONN_TRY(add_int(t->s, n, "num_outputs", t->n_out));
fail:
    return status;
}

static enum oclnn_status form_batch_norm(struct step *t)
{
    const int most = int_of(t, "training_mode") ? 3 : 1;
    t->n_out = t->n_out > most ? most : t->n_out;
    return plain(t, NULL);
}

static enum oclnn_status form_resize(struct step *t)
{
    const struct onn_ints *axes = attr_at(t, "axes");
    if (axes->n >= 0 || int_of(t, "antialias") || *text_attr(t, "policy"))
        needs(t, 18);
    if (!strcmp(text_attr(t, "coordinates"), "half_pixel_symmetric"))
        needs(t, 19);
    return plain(t, NULL);
}

static enum oclnn_status form_pad(struct step *t)
{
    if (t->n_in > 3 && *t->in[3])
        needs(t, 18);
    if (!strcmp(text_attr(t, "mode"), "wrap"))
        needs(t, 19);
    return plain(t, NULL);
}

static enum oclnn_status form_scatter(struct step *t)
{
    const char *reduction = text_attr(t, "reduction");
    if (!strcmp(reduction, "min") || !strcmp(reduction, "max"))
        needs(t, 18);
    return plain(t, NULL);
}

static enum oclnn_status form_average_pool(struct step *t)
{
    const struct onn_ints *dilations = attr_at(t, "dilation");
    if (dilations && dilations->n >= 0)
        needs(t, 19);
    return plain(t, NULL);
}

static const struct {
    const char *type;
    int opset; /* the form's own, where the operator's `since` is older */
    enum oclnn_status (*write)(struct step *t);
} forms[] = {
    {"AveragePool", 0, form_average_pool},
    {"BatchNormalization", 0, form_batch_norm},
    {"Clip", 0, form_clip},
    {"Gelu", 20, NULL},
    {"GroupNormalization", 21, NULL},
    {"LogSoftmax", 0, form_softmax},
    {"MatMul", 0, form_matmul},
    {"Mish", 18, NULL},
    {"Pad", 0, form_pad},
    {"ReduceL1", 0, form_reduce},
    {"ReduceL2", 0, form_reduce},
    {"ReduceLogSum", 0, form_reduce},
    {"ReduceLogSumExp", 0, form_reduce},
    {"ReduceMax", 0, form_reduce},
    {"ReduceMean", 0, form_reduce},
    {"ReduceMin", 0, form_reduce},
    {"ReduceProd", 0, form_reduce},
    {"ReduceSum", 0, form_reduce},
    {"ReduceSumSquare", 0, form_reduce},
    {"Resize", 0, form_resize},
    {"ScatterElements", 0, form_scatter},
    {"ScatterND", 0, form_scatter},
    {"Softmax", 0, form_softmax},
    {"Split", 0, form_split},
    {"Swish", 0, form_swish},
};

static enum oclnn_status write_step(struct step *t)
{
    needs(t, t->n->op->since);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(forms[i].type, t->n->op->onnx)) {
            needs(t, forms[i].opset);
            return forms[i].write ? forms[i].write(t) : plain(t, NULL);
        }
    return plain(t, NULL);
}

/* A node that ONNX cannot say: all of them are told at the end. */
static enum oclnn_status miss(struct onn_export *e, const struct onn_node *n)
{
    if (e->n_missing++ < MAX_LISTED)
        onn_str_add(&e->missing, " '%.100s' (%s%s)", n->name, n->op->name, n->epi ? ", fused" : "");
    return OCLNN_OK;
}

enum oclnn_status onn_export_step(struct onn_export_graph *s, int32_t k)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_arena *arena = &s->e->arena;
    const struct onn_node *n = &s->g->node[k];
    struct step t = {.s = s, .n = n, .attr = n->attr, .n_in = n->n_in, .n_out = n->n_out};
    if (!n->op->onnx || n->epi)
        return miss(s->e, n);
    if (!t.attr && n->op->attr_size)
        ONN_TRY((t.attr = onn_attr_defaults(n->op, arena)) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    t.in = onn_arena_calloc(arena, (size_t)n->n_in + 1, sizeof *t.in);
    t.out = onn_arena_calloc(arena, (size_t)n->n_out + 1, sizeof *t.out);
    ONN_TRY(t.in && t.out ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < n->n_in; i++)
        ONN_TRY((t.in[i] = onn_export_value(s, n->in[i])) ? OCLNN_OK : onn_export_status(s->e));
    for (int i = 0; i < n->n_out; i++)
        ONN_TRY((t.out[i] = onn_export_value(s, n->out[i])) ? OCLNN_OK : onn_export_status(s->e));
    ONN_TRY(write_step(&t));
fail:
    if (status != OCLNN_OK && status != OCLNN_ERROR_MEMORY)
        onn_error_at(status, "node '%.200s' (%s)", n->name, n->op->onnx ? n->op->onnx : n->op->name);
    return status;
}
