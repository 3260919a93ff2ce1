/* A fresh last layer with another number of classes: the start of fine-tuning. */
#include "model/init.h"
#include "model/model.h"
#include "ops/conv.h"
#include "ops/gemm.h"
#include "ops/op.h"

#include <math.h>
#include <string.h>

#define MAX_PATH 32

struct head {
    struct onn_graph *g;
    int32_t *uses;
    int32_t weight, bias; /* values with blobs; bias 0: there is none */
    int weight_axis, bias_axis; /* which dimension counts the classes */
    int64_t classes; /* today */
    int32_t path[MAX_PATH]; /* values between the layer and the output, whose dimensions change */
    int n_path;
    int32_t shape[MAX_PATH]; /* constants that say such dimensions */
    int n_shape;
};

static bool is(const struct onn_node *n, const char *name)
{
    return strcmp(n->op->name, name) == 0;
}

/* Operators that hand every class on to one class. */
static bool keeps_classes(const struct onn_node *n)
{
    static const char *const names[] = {"softmax", "logsoftmax", "identity", "dropout", "flatten", "reshape",
        "squeeze", "unsqueeze", "relu", "sigmoid", "clip", "averagepool", "globalaveragepool", "maxpool",
        "globalmaxpool", "reducemean", "reducemax", NULL};
    for (const char *const *name = names; *name; name++)
        if (is(n, *name))
            return true;
    return false;
}

static enum oclnn_status push(int32_t *list, int *n, int32_t v)
{
    if (*n >= MAX_PATH)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "more than %d operators behind the last layer", MAX_PATH);
    list[(*n)++] = v;
    return OCLNN_OK;
}

/* The value with the blob behind v, through operators that only turn it; *axis is followed (-1 = the last). */
static enum oclnn_status follow(struct head *h, int32_t v, int *axis, int32_t *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = h->g;
    while (v && !g->value[v].blob && g->value[v].node >= 0) {
        const struct onn_node *n = &g->node[g->value[v].node];
        if (is(n, "reshape") && *axis < 0) {
            if (n->n_in > 1)
                ONN_TRY(push(h->shape, &h->n_shape, n->in[1]));
        } else if (is(n, "transpose") && *axis >= 0) {
            *axis = 1 - *axis;
        } else if (!is(n, "identity")) {
            break;
        }
        v = n->in[0];
    }
    const struct onn_value *value = &g->value[v];
    ONN_CHECK(v && value->blob && value->role != ONN_ROLE_STATE, OCLNN_ERROR_UNSUPPORTED,
        "the weights of the last layer ('%s') are computed", value->name ? value->name : "");
    ONN_CHECK(value->blob->desc.dtype == OCLNN_F32, OCLNN_ERROR_DTYPE, "'%s' is %s, f32 is trained",
        value->name, oclnn_dtype_name(value->blob->desc.dtype));
    ONN_CHECK(h->uses[v] == 1, OCLNN_ERROR_UNSUPPORTED, "'%s' is used by %d layers", value->name,
        (int)h->uses[v]);
    const int rank = value->blob->desc.rank;
    ONN_CHECK(rank > 0 && *axis < rank, OCLNN_ERROR_SHAPE, "'%s' has no dimension of classes", value->name);
    *axis = *axis < 0 ? rank - 1 : *axis;
    *out = v;
fail:
    return status;
}

static enum oclnn_status take_layer(struct head *h, const struct onn_node *n)
{
    enum oclnn_status status = OCLNN_OK;
    int32_t bias = n->n_in > 2 ? n->in[2] : 0;
    h->weight_axis = -1;
    if (is(n, "conv")) {
        const struct onn_conv_attr *a = n->attr;
        ONN_CHECK(a->group <= 1, OCLNN_ERROR_UNSUPPORTED, "the last layer, '%s', has %d groups", n->name,
            (int)a->group);
        h->weight_axis = 0;
    } else if (is(n, "gemm")) {
        h->weight_axis = ((const struct onn_gemm_attr *)n->attr)->trans_b ? 0 : 1;
    }
    ONN_TRY(follow(h, n->in[1], &h->weight_axis, &h->weight));
    h->classes = h->g->value[h->weight].blob->desc.dim[h->weight_axis];
    if (bias) {
        h->bias_axis = -1;
        ONN_TRY(follow(h, bias, &h->bias_axis, &h->bias));
    }
fail:
    return status;
}

/* add(layer, constant) behind the layer: returns the other operand and keeps the constant. */
static enum oclnn_status take_bias(struct head *h, const struct onn_node *n, int32_t *rest)
{
    for (int i = 0; i < 2; i++) {
        const int32_t v = n->in[i];
        if (!v || !h->g->value[v].blob)
            continue;
        *rest = n->in[1 - i];
        h->bias_axis = -1;
        return follow(h, v, &h->bias_axis, &h->bias);
    }
    return onn_error(OCLNN_ERROR_UNSUPPORTED, "'%s' adds two branches in front of the output: no last layer",
        n->name);
}

static enum oclnn_status find_head(struct head *h)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = h->g;
    int32_t v = g->output[0];
    for (;;) {
        ONN_TRY(push(h->path, &h->n_path, v));
        ONN_CHECK(v && g->value[v].node >= 0, OCLNN_ERROR_UNSUPPORTED,
            "output '%s' comes from no layer with weights", g->value[g->output[0]].name);
        const struct onn_node *n = &g->node[g->value[v].node];
        if (is(n, "conv") || is(n, "gemm") || is(n, "matmul"))
            return take_layer(h, n);
        if (is(n, "add") && !h->bias) {
            ONN_TRY(take_bias(h, n, &v));
            continue;
        }
        ONN_CHECK(keeps_classes(n), OCLNN_ERROR_UNSUPPORTED,
            "output '%s' comes from %s '%s': the last layer must be Conv, Gemm or MatMul",
            g->value[g->output[0]].name, n->op->name, n->name);
        if (is(n, "reshape") && n->n_in > 1)
            ONN_TRY(push(h->shape, &h->n_shape, n->in[1]));
        v = n->in[0];
    }
fail:
    return status;
}

/* The bias of an addition counts the classes along that dimension which has as many. */
static enum oclnn_status check_bias(struct head *h)
{
    const struct onn_desc *d = h->bias ? &h->g->value[h->bias].blob->desc : NULL;
    if (!d)
        return OCLNN_OK;
    for (int i = d->rank - 1; i >= 0; i--)
        if (d->dim[i] == h->classes) {
            h->bias_axis = i;
            return OCLNN_OK;
        }
    return onn_error(OCLNN_ERROR_SHAPE, "the last layer has %lld classes, its bias '%s' has not",
        (long long)h->classes, h->g->value[h->bias].name);
}

static enum oclnn_status renew(struct head *h, int32_t v, int axis, int classes, bool is_weight)
{
    struct onn_value *value = &h->g->value[v];
    const struct onn_desc old = value->blob->desc;
    const double fan_in = (double)onn_desc_elements(&old) / (double)h->classes;
    const float bound = is_weight ? (float)(1 / sqrt(fan_in > 1 ? fan_in : 1)) : 0;
    const struct onn_init init = {.kind = is_weight ? ONN_INIT_UNIFORM : ONN_INIT_ZERO,
        .a = -bound,
        .b = bound};
    int64_t dim[ONN_MAX_RANK] = {0};
    memcpy(dim, old.dim, (size_t)old.rank * sizeof *dim);
    dim[axis] = classes;
    value->init = onn_arena_dup(&h->g->arena, &init, sizeof init);
    if (!value->init)
        return OCLNN_ERROR_MEMORY;
    value->desc = onn_desc_make(OCLNN_F32, old.rank, dim);
    value->role = ONN_ROLE_PARAM;
    onn_blob_unref(&value->blob);
    return OCLNN_OK;
}

/* Dimensions that are told: in descriptions behind the layer and in the constants of Reshape. */
static enum oclnn_status rewrite_shapes(struct head *h, int classes)
{
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < h->n_path; i++) {
        struct onn_desc *d = &h->g->value[h->path[i]].desc;
        const int axis = d->rank > 1 && d->dim[1] == h->classes ? 1 : d->rank - 1;
        if (d->rank > 0 && d->dim[axis] == h->classes) {
            d->dim[axis] = classes;
            *d = onn_desc_make(d->dtype, d->rank, d->dim);
        }
    }
    for (int i = 0; i < h->n_shape; i++) {
        struct onn_value *v = &h->g->value[h->shape[i]];
        if (!v->blob)
            continue;
        for (int64_t k = onn_desc_elements(&v->blob->desc) - 1; k >= 0; k--) {
            if (onn_blob_get_i64(v->blob, k) != h->classes)
                continue;
            struct onn_blob *fresh = NULL;
            ONN_CHECK(h->uses[h->shape[i]] == 1, OCLNN_ERROR_UNSUPPORTED,
                "the shape '%s' is used by %d operators", v->name, (int)h->uses[h->shape[i]]);
            ONN_TRY(onn_blob_create(&v->blob->desc, v->blob->data, &fresh));
            onn_blob_set_i64(fresh, k, classes);
            onn_blob_unref(&v->blob);
            v->blob = fresh;
            break;
        }
    }
fail:
    return status;
}

enum oclnn_status oclnn_model_replace_head(oclnn_model *model, int classes, uint64_t seed)
{
    enum oclnn_status status = OCLNN_OK;
    struct head h = {0};
    ONN_CHECK(model, OCLNN_ERROR_ARGUMENT, "the model is NULL");
    ONN_CHECK(classes > 0, OCLNN_ERROR_ARGUMENT, "%d classes", classes);
    h.g = model->graph;
    ONN_CHECK(h.g->n_outputs > 0, OCLNN_ERROR_ARGUMENT, "the model has no output");
    h.uses = onn_graph_count_uses(h.g);
    ONN_TRY(h.uses ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(find_head(&h));
    ONN_TRY(check_bias(&h));
    onn_model_forget_plans(model);
    ONN_TRY(rewrite_shapes(&h, classes));
    ONN_TRY(renew(&h, h.weight, h.weight_axis, classes, true));
    if (h.bias)
        ONN_TRY(renew(&h, h.bias, h.bias_axis, classes, false));
    h.g->seed = seed;
    ONN_TRY(onn_init_params(h.g));
fail:
    onn_free(h.uses);
    return status;
}
