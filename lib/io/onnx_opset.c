/* Old opset forms become the newest one, rule by rule. A rule applies to models below opset `before` (0 =
 * to all) and sees what the rules above it left. */
#include "io/onnx_internal.h"

#include <string.h>

struct rule {
    const char *type; /* "" = every operator */
    int before;
    enum oclnn_status (*apply)(struct onn_onnx_node *n, const struct rule *r);
    const char *name, *text;
    int64_t number;
};

/* ---- helpers ---- */
enum oclnn_status onn_rewrite_input(struct onn_onnx_node *n, int i, int32_t value)
{
    struct onn_graph *g = n->scope->g;
    if (!value)
        return onn_error(g->status ? g->status : OCLNN_ERROR_INTERNAL, "%s",
            g->error ? g->error : "no value");
    if (i >= n->cap_in)
        return onn_error(OCLNN_ERROR_FORMAT, "no input %d", i);
    while (n->n_in <= i)
        n->in[n->n_in++] = 0;
    if (n->in[i])
        return onn_error(OCLNN_ERROR_FORMAT, "input %d is given both as an input and as an attribute", i);
    n->in[i] = value;
    return OCLNN_OK;
}

enum oclnn_status onn_rewrite_ints(struct onn_onnx_node *n, int i, const int64_t *v, int count)
{
    return onn_rewrite_input(n, i, onn_graph_add_i64(n->scope->g, v, count));
}

enum oclnn_status onn_rewrite_scalar(struct onn_onnx_node *n, int i, enum oclnn_dtype dtype, double value)
{
    struct onn_desc desc = onn_desc_make(dtype, 0, NULL);
    struct onn_blob *blob;
    enum oclnn_status status = onn_blob_create(&desc, NULL, &blob);
    if (status != OCLNN_OK)
        return status;
    onn_blob_set_f64(blob, 0, value);
    status = onn_rewrite_input(n, i, onn_graph_add_blob(n->scope->g, "", ONN_ROLE_CONST, blob));
    onn_blob_unref(&blob);
    return status;
}

static enum oclnn_status wrong_type(const struct rule *r)
{
    return onn_error(OCLNN_ERROR_FORMAT, "attribute '%s' is of the wrong type", r->name);
}

/* ---- rules ---- */
static enum oclnn_status drop(struct onn_onnx_node *n, const struct rule *r)
{
    onn_onnx_attr_take(n, r->name);
    return OCLNN_OK;
}

static enum oclnn_status ints_to_input(struct onn_onnx_node *n, const struct rule *r)
{
    const struct onn_onnx_attr *a = onn_onnx_attr_take(n, r->name);
    if (a && a->type != ONN_ATTR_INTS)
        return wrong_type(r);
    return a ? onn_rewrite_ints(n, (int)r->number, a->ints, a->n) : OCLNN_OK;
}

static enum oclnn_status int_to_input(struct onn_onnx_node *n, const struct rule *r)
{
    const struct onn_onnx_attr *a = onn_onnx_attr_take(n, r->name);
    if (a && a->type != ONN_ATTR_INT)
        return wrong_type(r);
    return a ? onn_rewrite_ints(n, (int)r->number, &a->i, 1) : OCLNN_OK;
}

/* A scalar of the element type of input 0. */
static enum oclnn_status float_to_input(struct onn_onnx_node *n, const struct rule *r)
{
    const struct onn_onnx_attr *a = onn_onnx_attr_take(n, r->name);
    if (a && a->type != ONN_ATTR_FLOAT)
        return wrong_type(r);
    enum oclnn_dtype dtype = n->n_in ? onn_scope_desc(n->scope, n->in[0]).dtype : OCLNN_NONE;
    return a ? onn_rewrite_scalar(n, (int)r->number, dtype ? dtype : OCLNN_F32, a->f) : OCLNN_OK;
}

static enum oclnn_status ratio_to_input(struct onn_onnx_node *n, const struct rule *r)
{
    const struct onn_onnx_attr *a = onn_onnx_attr_take(n, r->name);
    if (a && a->type != ONN_ATTR_FLOAT)
        return wrong_type(r);
    return a ? onn_rewrite_scalar(n, 1, OCLNN_F32, a->f) : OCLNN_OK;
}

static enum oclnn_status default_int(struct onn_onnx_node *n, const struct rule *r)
{
    return onn_onnx_attr_find(n, r->name) ? OCLNN_OK : onn_onnx_attr_set_int(n, r->name, r->number);
}

static enum oclnn_status rename_type(struct onn_onnx_node *n, const struct rule *r)
{
    n->type = r->text;
    return OCLNN_OK;
}

static enum oclnn_status refuse_value(struct onn_onnx_node *n, const struct rule *r)
{
    const struct onn_onnx_attr *a = onn_onnx_attr_take(n, r->name);
    if (a && a->type == ONN_ATTR_INT && a->i == r->number)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "%s = %lld is not supported", r->name, (long long)a->i);
    return OCLNN_OK;
}

static enum oclnn_status refuse_inputs(struct onn_onnx_node *n, const struct rule *r)
{
    if (n->n_in > r->number)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "the form of opset %d is not supported", r->before - 1);
    return OCLNN_OK;
}

static enum oclnn_status rename_attr(struct onn_onnx_node *n, const struct rule *r)
{
    struct onn_onnx_attr *a = (struct onn_onnx_attr *)onn_onnx_attr_find(n, r->name);
    if (a)
        a->name = r->text;
    return OCLNN_OK;
}

/* Softmax flattened to two dimensions at `axis` before it was a rule along one axis. */
static enum oclnn_status softmax_legacy(struct onn_onnx_node *n, const struct rule *r)
{
    const struct onn_onnx_attr *a = onn_onnx_attr_find(n, "axis");
    int rank = n->n_in ? onn_scope_desc(n->scope, n->in[0]).rank : -1, axis;
    (void)r;
    if (a && a->type == ONN_ATTR_INT && rank > 0 && onn_axis_resolve(a->i, rank, &axis) && axis == rank - 1)
        return OCLNN_OK; /* both rules are the same along the last axis */
    return onn_onnx_attr_set_int(n, "legacy", 1);
}

/* Mean and variance of a training step came out too; inference has one output. */
static enum oclnn_status batch_norm_outputs(struct onn_onnx_node *n, const struct rule *r)
{
    (void)r;
    if (n->n_out > 1)
        n->n_out = 1;
    return OCLNN_OK;
}

static enum oclnn_status cast_text(struct onn_onnx_node *n, const struct rule *r)
{
    static const struct {
        const char *name;
        int number;
    } types[] = {{"FLOAT", 1}, {"UINT8", 2}, {"INT8", 3}, {"INT32", 6}, {"INT64", 7}, {"BOOL", 9},
        {"FLOAT16", 10}, {"DOUBLE", 11}};
    const struct onn_onnx_attr *a = onn_onnx_attr_find(n, "to");
    (void)r;
    if (!a || a->type != ONN_ATTR_STRING)
        return OCLNN_OK;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(a->s, types[i].name))
            return onn_onnx_attr_set_int(n, "to", types[i].number);
    return onn_error(OCLNN_ERROR_UNSUPPORTED, "element type '%.40s' is not supported", a->s);
}

static enum oclnn_status mvn_axes(struct onn_onnx_node *n, const struct rule *r)
{
    static const int64_t across[] = {0, 1, 2, 3};
    const struct onn_onnx_attr *a = onn_onnx_attr_take(n, "across_channels");
    (void)r;
    if (!a || a->type != ONN_ATTR_INT || !a->i)
        return OCLNN_OK;
    if (n->n_attr >= n->cap_attr)
        return onn_error(OCLNN_ERROR_INTERNAL, "no room for an attribute");
    n->attr[n->n_attr++] =
        (struct onn_onnx_attr){.name = "axes", .type = ONN_ATTR_INTS, .n = 4, .ints = across};
    return OCLNN_OK;
}

/* Constants without elements stand for absent inputs in Resize 11 and 12. */
static enum oclnn_status drop_empty_inputs(struct onn_onnx_node *n, const struct rule *r)
{
    for (int i = (int)r->number; i < n->n_in; i++) {
        const struct onn_value *v = &n->scope->g->value[n->in[i]];
        if (n->in[i] && v->role == ONN_ROLE_CONST && onn_desc_elements(&v->desc) == 0)
            n->in[i] = 0;
    }
    return OCLNN_OK;
}

#define CUSTOM(fn) \
    static enum oclnn_status fn##_rule(struct onn_onnx_node *n, const struct rule *r) \
    { \
        (void)r; \
        return onn_opset_##fn(n); \
    }
CUSTOM(broadcast)
CUSTOM(group_norm)
CUSTOM(resize10)
CUSTOM(upsample)

#define REDUCE(type) \
    { \
        type, 18, ints_to_input, "axes", NULL, 1 \
    }
#define BROADCAST(type) \
    { \
        type, 7, broadcast_rule, NULL, NULL, 0 \
    }

static const struct rule rules[] = {
    {"", 6, drop, "consumed_inputs", NULL, 0},
    BROADCAST("Add"),
    BROADCAST("Sub"),
    BROADCAST("Mul"),
    BROADCAST("Div"),
    BROADCAST("Pow"),
    BROADCAST("And"),
    BROADCAST("Or"),
    BROADCAST("Xor"),
    BROADCAST("Equal"),
    BROADCAST("Greater"),
    BROADCAST("Less"),
    BROADCAST("PRelu"),
    {"BatchNormalization", 7, drop, "is_test", NULL, 0},
    {"BatchNormalization", 9, refuse_value, "spatial", NULL, 0},
    {"BatchNormalization", 14, batch_norm_outputs, NULL, NULL, 0},
    {"Cast", 6, cast_text, NULL, NULL, 0},
    {"Cast", 0, drop, "saturate", NULL, 0},
    {"Clip", 11, float_to_input, "min", NULL, 1},
    {"Clip", 11, float_to_input, "max", NULL, 2},
    {"Concat", 4, default_int, "axis", NULL, 1},
    {"Dropout", 7, drop, "is_test", NULL, 0},
    {"Dropout", 12, ratio_to_input, "ratio", NULL, 1},
    {"GRU", 7, drop, "output_sequence", NULL, 0},
    {"Gemm", 7, drop, "broadcast", NULL, 0},
    {"GroupNormalization", 21, group_norm_rule, NULL, NULL, 0},
    {"LSTM", 7, drop, "output_sequence", NULL, 0},
    {"LogSoftmax", 13, default_int, "axis", NULL, 1},
    {"LogSoftmax", 13, softmax_legacy, NULL, NULL, 0},
    {"MeanVarianceNormalization", 9, refuse_value, "normalize_variance", NULL, 0},
    {"MeanVarianceNormalization", 9, mvn_axes, NULL, NULL, 0},
    {"Pad", 2, rename_attr, "paddings", "pads", 0},
    {"Pad", 11, ints_to_input, "pads", NULL, 1},
    {"Pad", 11, float_to_input, "value", NULL, 2},
    {"RNN", 7, drop, "output_sequence", NULL, 0},
    REDUCE("ReduceL1"),
    REDUCE("ReduceL2"),
    REDUCE("ReduceLogSum"),
    REDUCE("ReduceLogSumExp"),
    REDUCE("ReduceMax"),
    REDUCE("ReduceMean"),
    REDUCE("ReduceMin"),
    REDUCE("ReduceProd"),
    REDUCE("ReduceSumSquare"),
    {"ReduceSum", 13, ints_to_input, "axes", NULL, 1},
    {"Reshape", 5, ints_to_input, "shape", NULL, 1},
    {"Resize", 11, resize10_rule, NULL, NULL, 0},
    {"Resize", 0, drop_empty_inputs, NULL, NULL, 1},
    {"Scatter", 0, rename_type, NULL, "ScatterElements", 0},
    {"Slice", 10, ints_to_input, "starts", NULL, 1},
    {"Slice", 10, ints_to_input, "ends", NULL, 2},
    {"Slice", 10, ints_to_input, "axes", NULL, 3},
    {"Softmax", 13, default_int, "axis", NULL, 1},
    {"Softmax", 13, softmax_legacy, NULL, NULL, 0},
    {"Split", 13, ints_to_input, "split", NULL, 1},
    {"Squeeze", 13, ints_to_input, "axes", NULL, 1},
    {"Tile", 6, refuse_inputs, NULL, NULL, 2},
    {"TopK", 10, int_to_input, "k", NULL, 1},
    {"Unsqueeze", 13, ints_to_input, "axes", NULL, 1},
    {"Upsample", 0, upsample_rule, NULL, "Resize", 0},
};

const struct onn_op *onn_opset_op(const char *type, int opset)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct rule *r = &rules[i];
        bool renames = r->apply == rename_type || r->apply == upsample_rule;
        if (renames && !strcmp(r->type, type) && (!r->before || opset < r->before))
            type = r->text;
    }
    return onn_op_find_onnx(type);
}

enum oclnn_status onn_opset_rewrite(struct onn_onnx_node *n)
{
    int opset = n->scope->import->opset;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct rule *r = &rules[i];
        if ((*r->type && strcmp(r->type, n->type)) || (r->before && opset >= r->before))
            continue;
        enum oclnn_status status = r->apply(n, r);
        if (status != OCLNN_OK)
            return status;
    }
    return OCLNN_OK;
}
