/* Dropout. In inference the output is the input and the mask is all true; the random form belongs to training. */
#include "ops/walk.h"
#include "ops/grads.h"

#include <string.h>

struct dropout_attr {
    int64_t seed;
};

static bool is_training(const struct onn_prob *p)
{
    const struct onn_blob *mode = onn_prob_has(p, 2) ? onn_prob_value(p, 2) : NULL;
    return mode && mode->data && onn_desc_elements(&mode->desc) == 1 && onn_blob_get_i64(mode, 0);
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    out[0] = onn_desc_make(p->in[0].dtype, p->in[0].rank, p->in[0].dim);
    if (p->n_out > 1)
        out[1] = onn_desc_make(OCLNN_BOOL, p->in[0].rank, p->in[0].dim);
    return OCLNN_OK;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    if (is_training(p))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "random numbers are not folded");
    if (onn_desc_elements(&p->in[0]) > 0)
        memcpy(out[0]->data, p->value[0]->data, onn_desc_bytes(&out[0]->desc));
    if (p->n_out > 1)
        memset(out[1]->data, 1, onn_desc_bytes(&out[1]->desc));
    return OCLNN_OK;
}

static bool view(const struct onn_prob *p, struct onn_desc *out)
{
    if (is_training(p) || p->n_out > 1) /* a mask has to be written */
        return false;
    *out = p->in[0];
    return true;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    if (is_training(p))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "dropout: training_mode = true is not supported here");
    enum oclnn_status status = onn_bind_copy(p, b, 0, &p->in[0], 0, &p->out[0]);
    if (status == OCLNN_OK && p->n_out > 1 && p->out[1].dtype != OCLNN_NONE)
        status = onn_bind_fill(p, b, 1, &p->out[1], 1);
    return status;
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    struct onn_formats plain = {.n_in = 1, .n_out = 1};
    if (p->n_out == 1)
        return onn_formats_same(p, out, max, 1);
    if (max > 0)
        *out = plain;
    return max > 0;
}

static const struct onn_variant copy = {.name = "copy",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .formats = formats,
    .cost = onn_cost_copy,
    .bind = bind};
static const struct onn_variant *const variants[] = {&copy, NULL};
static const struct onn_attr attrs[] = {{"seed", "seed", ONN_ATTR_INT, offsetof(struct dropout_attr, seed), 0,
                                            0, 0},
    {.type = ONN_ATTR_END}};
static const struct onn_op dropout = {.name = "dropout",
    .onnx = "Dropout",
    .min_in = 1,
    .max_in = 3,
    .min_out = 1,
    .max_out = 2,
    .flags = ONN_OP_VIEW,
    .attr_size = sizeof(struct dropout_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .view = view,
    .grad = onn_dropout_grad,
    .variants = variants,
    .flop = onn_flop_none};

extern const struct onn_op *const onn_ops_dropout[];
const struct onn_op *const onn_ops_dropout[] = {&dropout, NULL};
