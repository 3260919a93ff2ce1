/* Batch normalisation in training and its gradient (operator batchnorm_dx): partial sums per piece of pixels, an ordered
 * sum of the parts per channel, one pass that writes. See batchnorm_train.h and cl/batchnorm.cl. */
#include "ops/batchnorm_train.h"
#include "ops/grads.h"
#include "ops/reduce.h"
#include "ops/walk.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#define FEW 16384 /* elements that one core works on in the time of a launch or two */
#define PIECE 1024 /* pixels of a partial sum: fixed, so that results do not hang on the device */

struct bn_args { /* cl/batchnorm.cl */
    int32_t n, c, px, pieces, parts, outs; /* parts = n * pieces; outs: bit i = output i is there */
    int32_t has_res, mask;
    float epsilon, momentum, lo, hi;
    int64_t x_s[3], y_s[3], z_s[3]; /* image, channel (block), pixel; x, y (or dy), dx (or what is added) */
};

int32_t onn_batchnorm_outs(const struct onn_prob *p)
{
    int32_t outs = 0;
    for (int i = 0; i < p->n_out && i < 5; i++)
        outs |= p->out[i].dtype != OCLNN_NONE ? 1 << i : 0;
    return outs;
}

static bool make_args(const struct onn_prob *p, const struct onn_desc *x, struct bn_args *a)
{
    int64_t px = 1;
    for (int i = 2; i < x->rank; i++)
        px *= x->dim[i];
    *a = (struct bn_args){.n = (int32_t)x->dim[0], .c = (int32_t)x->dim[1], .px = (int32_t)px};
    a->pieces = (int32_t)((px + PIECE - 1) / PIECE);
    const int64_t parts = (int64_t)a->n * a->pieces;
    a->parts = (int32_t)parts;
    a->outs = onn_batchnorm_outs(p);
    return px <= INT_MAX && parts <= INT_MAX && x->dim[1] <= INT_MAX;
}

static size_t parts_bytes(const struct onn_desc *x, int vl)
{
    int64_t px = 1;
    for (int i = 2; i < x->rank; i++)
        px *= x->dim[i];
    return (size_t)(x->dim[0] * ((px + PIECE - 1) / PIECE) * 2 * ((x->dim[1] + vl - 1) / vl * vl)) *
        sizeof(float);
}

static bool is_blocked(const struct onn_desc *d, int vl)
{
    return d->format.block == vl && d->format.axis == 1 && !d->format.permuted;
}

static int width(const struct onn_prob *p)
{
    return p->caps && p->caps->vector_cpu ? p->caps->vector_width : 0;
}

/* What the two operators have in common: the tensors with pixels are x and others. */
static const char *refuse(const struct onn_prob *p, const struct onn_desc *const *t, int n, bool blocked)
{
    const int vl = width(p);
    struct bn_args a;
    int64_t s[3];
    if (blocked && vl < 4)
        return "for vector CPUs";
    if (t[0]->dtype != OCLNN_F32 && (blocked || t[0]->dtype != OCLNN_F16))
        return "another element type";
    for (int i = 0; i < n; i++) {
        if (blocked ? !is_blocked(t[i], vl) : t[i]->format.block > 1)
            return "other formats";
        if (!onn_desc_pixel_strides(t[i], s))
            return "pixels do not follow each other";
    }
    return make_args(p, t[0], &a) ? NULL : "more than 31 bits of pixels";
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max, int rank, int tensors,
    bool blocked)
{
    int n = 0;
    for (int k = 0; k < 2 && n < max; k++) {
        const struct onn_format f = blocked ? onn_format_blocked(1, width(p))
            : k                             ? onn_format_nhwc(rank)
                                            : onn_format_plain();
        if ((blocked && (k || !width(p))) || (k && rank < 3))
            continue;
        out[n] = (struct onn_formats){.n_in = tensors + 1, .n_out = 2, .out = {f, onn_format_plain()}};
        for (int i = 0; i < tensors; i++)
            out[n].in[i] = f;
        out[n++].in[tensors] = onn_format_plain();
    }
    return n;
}

int onn_batchnorm_formats(const struct onn_prob *p, struct onn_formats *out, int max, int tensors)
{
    return formats(p, out, max, p->in[0].rank, tensors, false);
}

static struct onn_launch *start(const struct onn_prob *p, struct onn_bind *b, const char *kernel,
    bool blocked)
{
    return onn_bind_add(b, "batchnorm", kernel, "%s -D VL=%d%s", onn_any_define(p->in[0].dtype, b->arena),
        blocked ? width(p) : 8, blocked ? "" : " -D BN_SCALAR");
}

/* Global size of the passes over pixels. */
static void size_passes(struct onn_launch *l, const struct bn_args *a, int vl)
{
    onn_launch_size3(l, (size_t[3]){(size_t)a->pieces, (size_t)((a->c + vl - 1) / vl), (size_t)a->n},
        (size_t[3]){vl > 1, vl > 1, vl > 1});
}

/* Does an item that has its channels in all images keep the cores busy? Then one launch does it all, and reads most of the
 * tensor from the caches the second time. So it does where three launches cost more than the work. */
static bool is_whole(const struct onn_prob *p, const struct onn_desc *x)
{
    const int vl = x->format.block;
    if (vl < 4 || !width(p))
        return false;
    const int64_t units = p->caps->compute_units > 0 ? p->caps->compute_units : 1;
    const int64_t blocks = (x->dim[1] + vl - 1) / vl, rounds = (blocks + units - 1) / units;
    return 10 * blocks >= 8 * rounds * units || onn_desc_elements(x) <= FEW;
}

/* ---- forward ---- */
static const char *train_refuse(const struct onn_prob *p, bool blocked)
{
    float epsilon;
    struct onn_epi_standard epi;
    if (onn_batchnorm_is_inference(p->attr, p->n_out, &epsilon))
        return "inference form";
    if (!onn_epilogue_standard(p, &epi))
        return "another epilogue than + a tensor, relu or clip";
    const struct onn_desc *const t[] = {&p->in[0], &p->out[0],
        &p->in[epi.residual < 0 ? 0 : onn_prob_own_inputs(p) + epi.residual]};
    return refuse(p, t, 3, blocked);
}

static enum oclnn_status train_bind(const struct onn_prob *p, struct onn_bind *b, bool blocked)
{
    const struct onn_batchnorm_attr *t = p->attr;
    const int vl = blocked ? width(p) : 1;
    struct onn_epi_standard epi;
    struct bn_args a;
    if (onn_desc_elements(&p->in[0]) == 0)
        return b->status = onn_error(OCLNN_ERROR_SHAPE, "batch statistics of an empty tensor");
    onn_epilogue_standard(p, &epi);
    const int res = epi.residual < 0 ? 0 : onn_prob_own_inputs(p) + epi.residual;
    make_args(p, &p->in[0], &a);
    a.epsilon = t->epsilon;
    a.momentum = t->momentum;
    a.has_res = epi.residual >= 0;
    a.lo = epi.lo;
    a.hi = epi.hi;
    onn_desc_pixel_strides(&p->in[0], a.x_s);
    onn_desc_pixel_strides(&p->out[0], a.y_s);
    onn_desc_pixel_strides(&p->in[res], a.z_s);
    struct onn_launch *l;
    if (is_whole(p, &p->in[0])) {
        l = start(p, b, "bn_whole", blocked);
        for (int i = 0; i < 5; i++)
            onn_arg_in(l, i);
        onn_arg_in(l, res);
        for (int i = 0; i < 5; i++)
            onn_arg_out(l, a.outs >> i & 1 ? i : 0);
        onn_arg_bytes(b, l, &a, sizeof a);
        onn_launch_size1(l, (size_t)((a.c + vl - 1) / vl), 1);
        return b->status;
    }
    l = start(p, b, "bn_parts", blocked);
    onn_arg_in(l, 0);
    onn_arg_workspace(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    size_passes(l, &a, vl);
    l = start(p, b, "bn_statistics", blocked);
    onn_arg_workspace(l, 0);
    onn_arg_in(l, 3);
    onn_arg_in(l, 4);
    for (int i = 1; i < 5; i++)
        onn_arg_out(l, a.outs >> i & 1 ? i : 0);
    onn_arg_workspace(l, parts_bytes(&p->in[0], vl));
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size1(l, (size_t)a.c, blocked);
    l = start(p, b, "bn_normalise", blocked);
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_in(l, 2);
    onn_arg_workspace(l, parts_bytes(&p->in[0], vl));
    onn_arg_in(l, res);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    size_passes(l, &a, vl);
    return b->status;
}

static size_t train_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    const int vl = p->in[0].format.block > 1 ? p->in[0].format.block : 1;
    (void)t;
    return is_whole(p, &p->in[0]) ? 0
                                  : parts_bytes(&p->in[0], vl) + 2 * (size_t)p->in[0].dim[1] * sizeof(float);
}

/* ---- gradient ---- */
static enum oclnn_status dx_infer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_desc *x = &p->in[1];
    if (x->rank < 2 || !onn_desc_same_shape(x, &p->in[0]) || !onn_dtype_is_float(x->dtype) ||
        p->in[0].dtype != x->dtype)
        return onn_error(OCLNN_ERROR_SHAPE, "dy and x must have the same shape and type");
    for (int i = 2; i < p->n_in; i++)
        if (onn_prob_has(p, i) && (p->in[i].rank != 1 || p->in[i].dim[0] != x->dim[1]))
            return onn_error(OCLNN_ERROR_SHAPE, "input %d must have one number per channel", i);
    if (((const struct onn_batchnorm_dx_attr *)p->attr)->mask && !onn_prob_has(p, ONN_BATCHNORM_DX_BIAS))
        return onn_error(OCLNN_ERROR_ARGUMENT, "a mask needs the bias as input %d", ONN_BATCHNORM_DX_BIAS);
    out[0] = onn_desc_make(x->dtype, x->rank, x->dim);
    for (int i = 1; i < p->n_out; i++)
        out[i] = onn_desc_make(x->dtype, 1, &x->dim[1]);
    return OCLNN_OK;
}

static const char *dx_refuse(const struct onn_prob *p, bool blocked)
{
    if (p->epi && p->epi->n)
        return "takes no epilogue";
    return refuse(p, (const struct onn_desc *const[]){&p->in[1], &p->in[0], &p->out[0]}, 3, blocked);
}

static enum oclnn_status dx_bind(const struct onn_prob *p, struct onn_bind *b, bool blocked)
{
    const struct onn_batchnorm_dx_attr *t = p->attr;
    const int vl = blocked ? width(p) : 1,
              bias = onn_prob_has(p, ONN_BATCHNORM_DX_BIAS) ? ONN_BATCHNORM_DX_BIAS : 2;
    struct bn_args a;
    if (onn_desc_elements(&p->in[0]) == 0)
        return b->status;
    make_args(p, &p->in[1], &a);
    a.mask = (int32_t)t->mask;
    a.lo = t->lo;
    a.hi = t->hi;
    onn_desc_pixel_strides(&p->in[1], a.x_s);
    onn_desc_pixel_strides(&p->in[0], a.y_s);
    onn_desc_pixel_strides(&p->out[0], a.z_s);
    struct onn_launch *l;
    if (is_whole(p, &p->in[1])) {
        l = start(p, b, "bn_dx_whole", blocked);
        for (int i = 0; i < 5; i++)
            onn_arg_in(l, i);
        onn_arg_in(l, bias);
        for (int i = 0; i < 3; i++)
            onn_arg_out(l, a.outs >> i & 1 ? i : 0);
        onn_arg_bytes(b, l, &a, sizeof a);
        onn_launch_size1(l, (size_t)((a.c + vl - 1) / vl), 1);
        return b->status;
    }
    l = start(p, b, "bn_dx_parts", blocked);
    for (int i = 0; i < 5; i++)
        onn_arg_in(l, i);
    onn_arg_in(l, bias);
    onn_arg_workspace(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    size_passes(l, &a, vl);
    l = start(p, b, "bn_dx_sums", blocked);
    onn_arg_workspace(l, 0);
    onn_arg_out(l, a.outs & 2 ? 1 : 0);
    onn_arg_out(l, a.outs & 4 ? 2 : 0);
    onn_arg_workspace(l, parts_bytes(&p->in[1], vl));
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size1(l, (size_t)a.c, blocked);
    l = start(p, b, "bn_dx", blocked);
    for (int i = 0; i < 5; i++)
        onn_arg_in(l, i);
    onn_arg_in(l, bias);
    onn_arg_workspace(l, parts_bytes(&p->in[1], vl));
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    size_passes(l, &a, vl);
    return b->status;
}

static size_t dx_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    const int vl = p->in[0].format.block > 1 ? p->in[0].format.block : 1;
    (void)t;
    return is_whole(p, &p->in[1]) ? 0
                                  : parts_bytes(&p->in[1], vl) + 2 * (size_t)p->in[1].dim[1] * sizeof(float);
}

/* ---- tables ---- */
static double flop(const struct onn_prob *p)
{
    return 8 * (double)onn_desc_elements(&p->in[0]);
}
static struct onn_cost cost_of(const struct onn_prob *p, double efficiency)
{
    return (struct onn_cost){.flop = flop(p),
        .bytes = 1.7 * onn_prob_bytes(p),
        .launches = is_whole(p, &p->in[0]) ? 1 : 3,
        .efficiency = efficiency};
}
static struct onn_cost cost_fast(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return cost_of(p, 0.2);
}
static struct onn_cost cost_slow(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return cost_of(p, 0.01);
}

#define CALLBACKS(name, blocked, first, tensors) \
    static const char *name##_refuse_(const struct onn_prob *p) \
    { \
        return first##_refuse(p, blocked); \
    } \
    static enum oclnn_status name##_bind_(const struct onn_prob *p, const struct onn_tune *t, \
        struct onn_bind *b) \
    { \
        (void)t; \
        return first##_bind(p, b, blocked); \
    } \
    static int name##_formats_(const struct onn_prob *p, struct onn_formats *out, int max) \
    { \
        return formats(p, out, max, p->in[0].rank, tensors, blocked); \
    }
CALLBACKS(train_blocked, true, train, 1)
CALLBACKS(train_reference, false, train, 1)
CALLBACKS(dx_blocked, true, dx, 2)
CALLBACKS(dx_reference, false, dx, 2)

#define VARIANT(id, text, callbacks, fl, space, cost_) \
    id = {.name = text, \
        .flags = fl, \
        .refuse = callbacks##_refuse_, \
        .formats = callbacks##_formats_, \
        .cost = cost_, \
        .workspace = space, \
        .bind = callbacks##_bind_}
const struct onn_variant VARIANT(onn_batchnorm_train_blocked, "train_blocked", train_blocked,
    ONN_VARIANT_EPILOGUE, train_workspace, cost_fast);
const struct onn_variant VARIANT(onn_batchnorm_train_reference, "train", train_reference,
    ONN_VARIANT_EPILOGUE, train_workspace, cost_slow);
static const struct onn_variant VARIANT(dx_blocked, "blocked", dx_blocked, 0, dx_workspace, cost_fast);
static const struct onn_variant VARIANT(dx_plain, "reference", dx_reference, ONN_VARIANT_REFERENCE,
    dx_workspace, cost_slow);
static const struct onn_variant *const dx_variants[] = {&dx_blocked, &onn_batchnorm_dx_group, &dx_plain,
    NULL};

static const struct onn_attr dx_attrs[] = {{"mask", NULL, ONN_ATTR_INT,
                                               offsetof(struct onn_batchnorm_dx_attr, mask), 0, 0, 2},
    {"lo", NULL, ONN_ATTR_FLOAT, offsetof(struct onn_batchnorm_dx_attr, lo), 0, 0, 0},
    {"hi", NULL, ONN_ATTR_FLOAT, offsetof(struct onn_batchnorm_dx_attr, hi), 0, 0, 0},
    {.type = ONN_ATTR_END}};
static const struct onn_op batchnorm_dx = {.name = "batchnorm_dx",
    .min_in = 5,
    .max_in = 6,
    .min_out = 1,
    .max_out = 3,
    .attr_size = sizeof(struct onn_batchnorm_dx_attr),
    .attrs = dx_attrs,
    .since = 1,
    .infer = dx_infer,
    .variants = dx_variants,
    .flop = flop};

extern const struct onn_op *const onn_ops_batchnorm_dx[];
const struct onn_op *const onn_ops_batchnorm_dx[] = {&batchnorm_dx, NULL};
