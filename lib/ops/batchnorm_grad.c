/* The gradient of BatchNormalization: of the training form by batchnorm_dx, of the fixed affine map by rows. */
#include "ops/batchnorm_train.h"
#include "ops/grads.h"

static int32_t mul(struct onn_grad *g, int32_t a, int32_t b)
{
    return onn_grad_2(g, "mul", NULL, a, b);
}

static enum oclnn_status train_grad(struct onn_grad *g, const struct onn_prob *p)
{
    int32_t kept[5] = {0}, out[3];
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < g->n_out; i++)
        kept[i] = g->out[i];
    if (!g->dout[0])
        return OCLNN_OK;
    if (!kept[3] || !kept[4]) /* the statistics were not kept: once more */
        status = g->emit_many(g, "batchnormalization", p->attr, 5, g->in, 5, kept);
    if (status == OCLNN_OK)
        status = g->emit_many(g, "batchnorm_dx", &(struct onn_batchnorm_dx_attr){0}, 5,
            (int32_t[]){g->dout[0], g->in[0], g->in[1], kept[3], kept[4]}, 3, out);
    for (int i = 0; i < 3 && status == OCLNN_OK; i++)
        if (g->needed[i])
            g->add(g, i, out[i]);
    return status;
}

enum oclnn_status onn_batchnorm_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_desc x = p->in[0];
    int64_t dim[ONN_MAX_RANK];
    float epsilon;
    if (!onn_batchnorm_is_inference(p->attr, p->n_out, &epsilon))
        return train_grad(g, p);
    for (int i = 0; i < x.rank; i++)
        dim[i] = i == 1 ? x.dim[1] : 1;
    const int32_t dy = g->dout[0];
    const int32_t square = onn_grad_2(g, "add", NULL, g->in[4], onn_grad_number(g, epsilon));
    const int32_t dev = onn_grad_1(g, "reciprocal", NULL, onn_grad_1(g, "sqrt", NULL, square));
    const int32_t factor = mul(g, g->in[1], dev), wide = onn_grad_reshape(g, factor, x.rank, dim);
    const uint32_t all = ((1u << x.rank) - 1) & ~2u;
    const int32_t dbias = onn_grad_reshape_like(g, onn_grad_reduce(g, "reducesum", dy, all), g->in[2]);
    if (g->needed[0])
        g->add(g, 0, mul(g, dy, wide));
    if (g->needed[2])
        g->add(g, 2, dbias);
    if (g->needed[3])
        g->add(g, 3, onn_grad_1(g, "neg", NULL, mul(g, dbias, factor)));
    if (!g->needed[1] && !g->needed[4])
        return OCLNN_OK;
    const int32_t centred = onn_grad_2(g, "sub", NULL, g->in[0], onn_grad_reshape(g, g->in[3], x.rank, dim));
    const int32_t moment =
        onn_grad_reshape_like(g, onn_grad_reduce(g, "reducesum", mul(g, dy, centred), all), g->in[1]);
    if (g->needed[1])
        g->add(g, 1, mul(g, moment, dev));
    if (g->needed[4]) /* -1/2 scale (variance + epsilon)^-3/2 */
        g->add(g, 4, onn_grad_scale(g, mul(g, mul(g, moment, factor), mul(g, dev, dev)), -0.5));
    return OCLNN_OK;
}
