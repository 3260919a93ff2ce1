/* BatchNormalization. In inference it is element-wise with one number per channel, so it runs on the generated kernels
 * of that family, in every format and with every chain behind it. The training form is inferred here; its kernels are
 * those of the training room. */
#include "ops/batchnorm_train.h"
#include "ops/elementwise.h"
#include "ops/grads.h"
#include "ops/norm.h"

#include <math.h>
#include <string.h>

bool onn_batchnorm_is_inference(const void *attr, int n_out, float *epsilon)
{
    const struct onn_batchnorm_attr *a = attr;
    *epsilon = a ? a->epsilon : 1e-5f;
    return !(a && a->training_mode) && n_out == 1;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    static const char *const what[] = {"x", "scale", "bias", "mean", "variance"};
    const struct onn_desc *x = &p->in[0];
    int64_t c = x->rank > 1 ? x->dim[1] : -1;
    char text[160];
    if (x->rank >= 0 && x->rank < 2)
        return onn_error(OCLNN_ERROR_SHAPE, "x is %s, but needs dimensions N and C", onn_desc_text(x, text));
    if (!onn_dtype_is_float(x->dtype))
        return onn_error(OCLNN_ERROR_DTYPE, "x is %s, but must be a floating-point type",
            oclnn_dtype_name(x->dtype));
    for (int i = 1; i < 5; i++) {
        const struct onn_desc *d = &p->in[i];
        if (d->rank < 0)
            continue;
        if (d->rank != 1 || (d->dim[0] >= 0 && c >= 0 && d->dim[0] != c))
            return onn_error(OCLNN_ERROR_SHAPE, "%s is %s, but x has %lld channels", what[i],
                onn_desc_text(d, text), (long long)c);
        c = c < 0 ? d->dim[0] : c;
    }
    out[0] = onn_desc_make(x->dtype, x->rank, x->dim);
    for (int i = 1; i < p->n_out; i++)
        out[i] = onn_desc_make(p->in[i < 3 ? 2 + i : i].dtype, 1, &c);
    return OCLNN_OK;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->in[0];
    float epsilon;
    int64_t inner = 1;
    if (!onn_batchnorm_is_inference(p->attr, p->n_out, &epsilon))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "training is not folded");
    for (int i = 2; i < x->rank; i++)
        inner *= x->dim[i];
    const int64_t n = onn_desc_elements(x);
    for (int64_t i = 0; i < n; i++) {
        const int64_t c = i / inner % x->dim[1];
        const double a =
            onn_blob_get_f64(p->value[1], c) / sqrt(onn_blob_get_f64(p->value[4], c) + (double)epsilon);
        onn_blob_set_f64(out[0], i,
            (onn_blob_get_f64(p->value[0], i) - onn_blob_get_f64(p->value[3], c)) * a +
                onn_blob_get_f64(p->value[2], c));
    }
    return OCLNN_OK;
}

static double flop(const struct onn_prob *p)
{
    return 2 * (double)onn_desc_elements(&p->in[0]);
}

/* The same problem for the element-wise family: [C] seen as [C, 1, 1 …]. */
#define MOST_INPUTS (5 + ONN_EPI_STEPS)
struct wrapped {
    struct onn_prob prob;
    struct onn_desc in[MOST_INPUTS];
    struct onn_ew_attr attr;
};

static const char *wrap(const struct onn_prob *p, struct wrapped *w)
{
    w->attr = (struct onn_ew_attr){0};
    if (!onn_batchnorm_is_inference(p->attr, p->n_out, &w->attr.alpha))
        return "training form";
    if (p->n_in > MOST_INPUTS)
        return "too many inputs";
    memcpy(w->in, p->in, (size_t)p->n_in * sizeof w->in[0]);
    for (int i = 1; i < 5; i++) {
        struct onn_desc *d = &w->in[i];
        for (d->rank = 1; d->rank < p->in[0].rank - 1; d->rank++)
            d->dim[d->rank] = d->stride[d->rank] = 1;
    }
    w->prob = *p;
    w->prob.op = &onn_ew_batchnorm.op;
    w->prob.attr = &w->attr;
    w->prob.in = w->in;
    return NULL;
}

/* Positions in onn_ew_variants. */
enum { BLOCKED = 1, ND = 2 };

static const char *refuse(const struct onn_prob *p, int v)
{
    struct wrapped w;
    const char *reason = wrap(p, &w);
    return reason ? reason : onn_ew_variants[v]->refuse(&w.prob);
}
static int formats(const struct onn_prob *p, struct onn_formats *out, int max, int v)
{
    struct wrapped w;
    if (wrap(p, &w))
        return 0;
    const int n = onn_ew_variants[v]->formats(&w.prob, out, max);
    for (int i = 0; i < n; i++) /* per-channel numbers are vectors: plain, whatever the helper thought */
        for (int k = 1; k < 5; k++)
            out[i].in[k] = onn_format_plain();
    return n;
}
static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b, int v)
{
    struct wrapped w;
    const char *reason = wrap(p, &w);
    if (reason)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "batch normalisation: %s", reason);
    return onn_ew_variants[v]->bind(&w.prob, t, b);
}

static const char *refuse_blocked(const struct onn_prob *p)
{
    return refuse(p, BLOCKED);
}
static int formats_blocked(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return formats(p, out, max, BLOCKED);
}
static enum oclnn_status bind_blocked(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    return bind(p, t, b, BLOCKED);
}
static const char *refuse_nd(const struct onn_prob *p)
{
    return refuse(p, ND);
}
static int formats_nd(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return formats(p, out, max, ND);
}
static enum oclnn_status bind_nd(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    return bind(p, t, b, ND);
}
static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){.flop = flop(p), .bytes = onn_prob_bytes(p), .launches = 1, .efficiency = 0.15};
}

#define FLAGS \
    (ONN_VARIANT_EPILOGUE | ONN_VARIANT_CHAIN | ONN_VARIANT_INPLACE0 | ONN_VARIANT_STRIDED_IN | \
        ONN_VARIANT_STRIDED_OUT)
static const struct onn_variant blocked = {.name = "blocked",
    .flags = FLAGS,
    .refuse = refuse_blocked,
    .formats = formats_blocked,
    .cost = cost,
    .bind = bind_blocked};
static const struct onn_variant nd = {.name = "nd",
    .flags = FLAGS | ONN_VARIANT_REFERENCE,
    .refuse = refuse_nd,
    .formats = formats_nd,
    .cost = cost,
    .bind = bind_nd};
static const struct onn_variant *const variants[] = {&blocked, &onn_batchnorm_train_blocked,
    &onn_batchnorm_train_group, &onn_batchnorm_train_reference, &nd,
    NULL}; /* nd last: the fuser asks the last one */

static const struct onn_attr attrs[] = {{"epsilon", "epsilon", ONN_ATTR_FLOAT,
                                            offsetof(struct onn_batchnorm_attr, epsilon), 1e-5, 0, 0},
    {"momentum", "momentum", ONN_ATTR_FLOAT, offsetof(struct onn_batchnorm_attr, momentum), 0.9, 0, 0},
    {"training_mode", "training_mode", ONN_ATTR_INT, offsetof(struct onn_batchnorm_attr, training_mode), 0, 0,
        1},
    {.type = ONN_ATTR_END}};
const struct onn_op onn_batchnorm_op = {.name = "batchnormalization",
    .onnx = "BatchNormalization",
    .min_in = 5,
    .max_in = 5,
    .min_out = 1,
    .max_out = 5,
    .attr_size = sizeof(struct onn_batchnorm_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .grad = onn_batchnorm_grad,
    .variants = variants,
    .flop = flop};

extern const struct onn_op *const onn_ops_batchnorm[];
const struct onn_op *const onn_ops_batchnorm[] = {&onn_batchnorm_op, NULL};
