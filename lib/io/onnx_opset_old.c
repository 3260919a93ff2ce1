/* The rewrites that need more than moving an attribute. */
#include "io/onnx_internal.h"

#include <string.h>

/* A constant like `blob` with `tail` dimensions of 1 behind its own. */
static enum oclnn_status widen_const(struct onn_scope *s, const struct onn_blob *blob, int tail, int32_t *out)
{
    int64_t dim[ONN_MAX_RANK];
    int rank = blob->desc.rank;
    for (int i = 0; i < rank + tail; i++)
        dim[i] = i < rank ? blob->desc.dim[i] : 1;
    struct onn_desc desc = onn_desc_make(blob->desc.dtype, rank + tail, dim);
    struct onn_blob *wide;
    enum oclnn_status status = onn_blob_create(&desc, blob->data, &wide);
    if (status != OCLNN_OK)
        return status;
    *out = onn_graph_add_blob(s->g, "", ONN_ROLE_CONST, wide);
    onn_blob_unref(&wide);
    return *out ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

/* The same for a computed value: an Unsqueeze node before this one. */
static enum oclnn_status widen_value(struct onn_onnx_node *n, int32_t value, int rank, int tail, int32_t *out)
{
    struct onn_graph *g = n->scope->g;
    const struct onn_op *op = onn_op_find_onnx("Unsqueeze");
    int64_t axes[ONN_MAX_RANK];
    for (int i = 0; i < tail; i++)
        axes[i] = rank + i;
    int32_t in[2] = {value, onn_graph_add_i64(g, axes, tail)};
    if (!op)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "Unsqueeze is not supported");
    void *attr = op->attr_size ? onn_attr_defaults(op, &g->arena) : NULL;
    if (op->attr_size && !attr)
        return OCLNN_ERROR_MEMORY;
    char *name = onn_arena_printf(&g->arena, "%s/broadcast", n->name);
    int32_t node = name ? onn_graph_add_node(g, op, name, attr, op->attr_size, 2, in, 1) : -1;
    if (node < 0)
        return onn_error(g->status ? g->status : OCLNN_ERROR_MEMORY, "%s",
            g->error ? g->error : "out of host memory");
    *out = g->node[node].out[0];
    return OCLNN_OK;
}

/* Opset 6 and older: with broadcast = 1 the second operand's dimensions stand at `axis` of the first.
 * PRelu's slope stands at the channels. */
enum oclnn_status onn_opset_broadcast(struct onn_onnx_node *n)
{
    const struct onn_onnx_attr *broadcast = onn_onnx_attr_take(n, "broadcast"),
                               *axis = onn_onnx_attr_take(n, "axis");
    bool prelu = !strcmp(n->type, "PRelu");
    if (n->n_in != 2 || !n->in[0] || !n->in[1])
        return OCLNN_OK; /* reported by the operator's own count */
    struct onn_desc a = onn_scope_desc(n->scope, n->in[0]), b = onn_scope_desc(n->scope, n->in[1]);
    bool aligned = prelu ? b.rank == 1 && b.dim[0] != 1 : axis && broadcast && broadcast->i;
    if (!aligned)
        return OCLNN_OK; /* the same shape, or aligned at the end as today */
    if (a.rank < 0 || b.rank < 0)
        return onn_error(OCLNN_ERROR_UNSUPPORTED,
            "broadcast along an axis, and the number of dimensions is unknown");
    int64_t at = prelu ? 1 : axis->i < 0 ? axis->i + a.rank : axis->i;
    int64_t tail = a.rank - at - b.rank;
    if (at < 0 || at > a.rank || tail < 0 || b.rank + tail > ONN_MAX_RANK)
        return onn_error(OCLNN_ERROR_SHAPE, "broadcast: %d dimensions at axis %lld of %d", (int)b.rank,
            (long long)at, (int)a.rank);
    if (tail == 0)
        return OCLNN_OK;
    const struct onn_value *v = &n->scope->g->value[n->in[1]];
    if (v->role == ONN_ROLE_CONST && v->blob)
        return widen_const(n->scope, v->blob, (int)tail, &n->in[1]);
    return widen_value(n, n->in[1], b.rank, (int)tail, &n->in[1]);
}

/* Before opset 21 scale and bias had one number per group instead of one per channel. */
static enum oclnn_status spread(struct onn_onnx_node *n, int i, int64_t groups, int64_t channels)
{
    const struct onn_value *v = &n->scope->g->value[n->in[i]];
    if (v->role != ONN_ROLE_CONST || v->desc.rank != 1 || v->desc.dim[0] != groups || v->blob->data == NULL)
        return onn_error(OCLNN_ERROR_UNSUPPORTED,
            "opset 18 to 20 with scale or bias that are no constants per group");
    size_t size = oclnn_dtype_size(v->desc.dtype);
    int64_t each = channels / groups;
    struct onn_desc desc = onn_desc_make(v->desc.dtype, 1, &channels);
    struct onn_blob *wide;
    enum oclnn_status status = onn_blob_create(&desc, NULL, &wide);
    if (status != OCLNN_OK)
        return status;
    for (int64_t c = 0; c < channels; c++)
        memcpy((char *)wide->data + (size_t)c * size, (const char *)v->blob->data + (size_t)(c / each) * size,
            size);
    n->in[i] = onn_graph_add_blob(n->scope->g, "", ONN_ROLE_CONST, wide);
    onn_blob_unref(&wide);
    return n->in[i] ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

enum oclnn_status onn_opset_group_norm(struct onn_onnx_node *n)
{
    const struct onn_onnx_attr *groups = onn_onnx_attr_find(n, "num_groups");
    if (n->n_in != 3 || !n->in[0] || !n->in[1] || !n->in[2] || !groups || groups->type != ONN_ATTR_INT)
        return OCLNN_OK; /* reported by the operator */
    struct onn_desc x = onn_scope_desc(n->scope, n->in[0]);
    if (x.rank < 2 || x.dim[1] < 1 || groups->i < 1 || x.dim[1] % groups->i)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "opset 18 to 20 with an unknown number of channels");
    if (x.dim[1] == groups->i)
        return OCLNN_OK;
    enum oclnn_status status = spread(n, 1, groups->i, x.dim[1]);
    return status == OCLNN_OK ? spread(n, 2, groups->i, x.dim[1]) : status;
}

/* Asymmetric coordinates; "nearest" rounded down when enlarging and up when shrinking. */
static enum oclnn_status old_resize_modes(struct onn_onnx_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_onnx_attr *mode = onn_onnx_attr_find(n, "mode");
    if (mode && mode->type == ONN_ATTR_STRING && !strcmp(mode->s, "bilinear"))
        ONN_TRY(onn_onnx_attr_set_string(n, "mode", "linear"));
    bool shrinks = false;
    const struct onn_blob *scales = n->n_in > 2 ? n->scope->g->value[n->in[2]].blob : NULL;
    if (scales && scales->desc.dtype == OCLNN_F32)
        for (int64_t i = 0; i < onn_desc_elements(&scales->desc); i++)
            shrinks |= onn_blob_get_f64(scales, i) < 1;
    ONN_TRY(onn_onnx_attr_set_string(n, "coordinate_transformation_mode", "asymmetric"));
    ONN_TRY(onn_onnx_attr_set_string(n, "nearest_mode", shrinks ? "ceil" : "floor"));
fail:
    return status;
}

/* X, scales -> X, no roi, scales. */
enum oclnn_status onn_opset_resize10(struct onn_onnx_node *n)
{
    if (n->n_in != 2)
        return onn_error(OCLNN_ERROR_FORMAT, "%d inputs, 2 are expected", n->n_in);
    n->in[2] = n->in[1];
    n->in[1] = 0;
    n->n_in = 3;
    return old_resize_modes(n);
}

static enum oclnn_status add_scales(struct onn_onnx_node *n, const float *v, int count)
{
    int64_t dim = count;
    struct onn_desc desc = onn_desc_make(OCLNN_F32, 1, &dim);
    struct onn_blob *blob;
    enum oclnn_status status = onn_blob_create(&desc, v, &blob);
    if (status != OCLNN_OK)
        return status;
    status = onn_rewrite_input(n, 1, onn_graph_add_blob(n->scope->g, "", ONN_ROLE_CONST, blob));
    onn_blob_unref(&blob);
    return status;
}

/* Scales as two attributes (opset 1), a list (7) or an input (9) -> Resize. */
enum oclnn_status onn_opset_upsample(struct onn_onnx_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_onnx_attr *scales = onn_onnx_attr_take(n, "scales"),
                               *height = onn_onnx_attr_take(n, "height_scale"),
                               *width = onn_onnx_attr_take(n, "width_scale");
    if (scales) {
        ONN_CHECK(scales->type == ONN_ATTR_FLOATS, OCLNN_ERROR_FORMAT,
            "attribute 'scales' is of the wrong type");
        ONN_TRY(add_scales(n, scales->floats, scales->n));
    } else if (height && width) {
        ONN_CHECK(height->type == ONN_ATTR_FLOAT && width->type == ONN_ATTR_FLOAT, OCLNN_ERROR_FORMAT,
            "the scales are of the wrong type");
        ONN_TRY(add_scales(n, (float[]){1, 1, height->f, width->f}, 4));
    }
    n->type = "Resize";
    ONN_TRY(onn_opset_resize10(n));
fail:
    return status;
}
