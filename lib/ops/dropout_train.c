/* dropout_train: see dropout_train.h. Its gradient is the operator itself, applied to dy with the same state. */
#include "ops/dropout_train.h"
#include "ops/grads.h"
#include "ops/reduce.h"
#include "ops/walk.h"

#include <limits.h>
#include <stddef.h>

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_dropout_train_attr *a = p->attr;
    if (!onn_dtype_is_float(p->in[0].dtype))
        return onn_error(OCLNN_ERROR_DTYPE, "x is %s", oclnn_dtype_name(p->in[0].dtype));
    if (p->in[1].dtype != OCLNN_I64 || onn_desc_elements(&p->in[1]) != 2)
        return onn_error(OCLNN_ERROR_SHAPE, "the generator's state must be two i64: seed and step");
    if (!(a->ratio >= 0 && a->ratio <= 1))
        return onn_error(OCLNN_ERROR_ARGUMENT, "ratio %g is not from 0 to 1", (double)a->ratio);
    return onn_infer_same(p, out);
}

struct drop_args { /* cl/dropout_train.cl */
    int32_t n, c, c_all, px, per, block;
    uint32_t stream, threshold;
    float scale;
    int32_t pad;
    int64_t x_s[3], y_s[3];
};

static const char *refuse(const struct onn_prob *p)
{
    int64_t s[3];
    if (p->in[0].dtype != OCLNN_F32 && p->in[0].dtype != OCLNN_F16)
        return "only f32 and f16";
    if (!onn_desc_pixel_strides(&p->in[0], s) || !onn_desc_pixel_strides(&p->out[0], s))
        return "pixels do not follow each other";
    return onn_desc_elements(&p->in[0]) > INT_MAX ? "more than 31 bits of elements" : NULL;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_dropout_train_attr *at = p->attr;
    const struct onn_desc *x = &p->in[0];
    const double threshold = (double)at->ratio * 4294967296.0;
    struct drop_args a = {.n = 1, .c = 1, .px = 1, .block = 1, .stream = (uint32_t)at->stream};
    (void)t;
    if (onn_desc_elements(x) == 0)
        return b->status;
    if (x->rank > 1)
        a.n = (int32_t)x->dim[0];
    if (x->rank > 0)
        a.c = (int32_t)x->dim[x->rank > 1 ? 1 : 0];
    for (int i = 2; i < x->rank; i++)
        a.px *= (int32_t)x->dim[i];
    if (x->format.block > 1)
        a.block = x->format.block;
    a.c_all = (a.c + a.block - 1) / a.block * a.block;
    a.threshold = threshold >= 4294967295.0 ? UINT32_MAX : (uint32_t)threshold;
    a.scale = at->ratio < 1 ? 1.0f / (1.0f - at->ratio) : 0.0f;
    onn_desc_pixel_strides(x, a.x_s);
    onn_desc_pixel_strides(&p->out[0], a.y_s);
    a.per = p->caps && p->caps->vector_cpu ? (a.px < 256 ? a.px : 256) : 1;
    struct onn_launch *l =
        onn_bind_add(b, "dropout_train", "dropout_train", "%s", onn_any_define(x->dtype, b->arena));
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size3(l,
        (size_t[3]){(size_t)((a.px + a.per - 1) / a.per), (size_t)((a.c_all + 3) / 4), (size_t)a.n},
        (size_t[3]){0, 0, 0});
    return b->status;
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_formats_same(p, out, max, 1);
}

static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost c = onn_cost_copy(p, t);
    c.flop = 20 * (double)onn_desc_elements(&p->out[0]);
    c.efficiency = 0.05;
    return c;
}

static const struct onn_variant reference = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE | ONN_VARIANT_INPLACE0,
    .refuse = refuse,
    .formats = formats,
    .cost = cost,
    .bind = bind};
static const struct onn_variant *const variants[] = {&reference, NULL};

static const struct onn_attr attrs[] = {{"ratio", NULL, ONN_ATTR_FLOAT,
                                            offsetof(struct onn_dropout_train_attr, ratio), 0.5, 0, 1},
    {"stream", NULL, ONN_ATTR_INT, offsetof(struct onn_dropout_train_attr, stream), 0, 0, 4294967295.0},
    {.type = ONN_ATTR_END}};

static const struct onn_op dropout_train = {.name = "dropout_train",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_RANDOM,
    .attr_size = sizeof(struct onn_dropout_train_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .grad = onn_dropout_grad,
    .variants = variants};

extern const struct onn_op *const onn_ops_dropout_train[];
const struct onn_op *const onn_ops_dropout_train[] = {&dropout_train, NULL};

/* Also Dropout as ONNX has it in evaluation: it passes x on. */
enum oclnn_status onn_dropout_grad(struct onn_grad *g, const struct onn_prob *p)
{
    g->add(g, 0,
        p->op == &dropout_train ? onn_grad_2(g, "dropout_train", p->attr, g->dout[0], g->in[1]) : g->dout[0]);
    return OCLNN_OK;
}
