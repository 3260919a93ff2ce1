/* Optimisers and the other operators that update in place. See optimizer.h. */
#include "ops/optimizer.h"
#include "ops/walk.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum rule { SGD, ADAM, ADAMW, RMSPROP, ADAGRAD, LARS, LAMB, ASSIGN, ACCUMULATE, EMA, COUNT };
static const struct {
    const char *name;
    int first, needed, most; /* where the states begin, how many are needed and possible */
} rules[] = {
    [SGD] = {"sgd", 4, 0, 1},
    [ADAM] = {"adam", 4, 3, 3},
    [ADAMW] = {"adamw", 4, 3, 3},
    [RMSPROP] = {"rmsprop", 4, 1, 2},
    [ADAGRAD] = {"adagrad", 4, 1, 1},
    [LARS] = {"lars", 4, 1, 1},
    [LAMB] = {"lamb", 4, 3, 3},
    [ASSIGN] = {"assign", 2, 0, 0},
    [ACCUMULATE] = {"accumulate", 2, 0, 0},
    [EMA] = {"ema", 2, 0, 0},
    [COUNT] = {"count_up", 1, 0, 0},
};

static enum rule rule_of(const struct onn_prob *p)
{
    int r = 0;
    while (strcmp(rules[r].name, p->op->name))
        r++;
    return (enum rule)r;
}

static bool has_step(enum rule r)
{
    return r == ADAM || r == ADAMW || r == LAMB;
}

static enum oclnn_status check_scalar(const struct onn_prob *p, int i, enum oclnn_dtype dtype,
    const char *what)
{
    if (p->in[i].dtype != dtype || onn_desc_elements(&p->in[i]) != 1)
        return onn_error(OCLNN_ERROR_SHAPE, "%s must be one number of type %s", what,
            oclnn_dtype_name(dtype));
    return OCLNN_OK;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const enum rule r = rule_of(p);
    (void)out;
    if (r == COUNT) {
        ONN_CHECK(p->in[0].dtype == OCLNN_I64, OCLNN_ERROR_DTYPE, "the counter must be i64");
        return OCLNN_OK;
    }
    ONN_CHECK(p->in[0].dtype == OCLNN_F32, OCLNN_ERROR_DTYPE, "the parameter is %s, but must be f32",
        oclnn_dtype_name(p->in[0].dtype));
    for (int i = 1; i < p->n_in; i++) {
        const bool tensor = i == 1 || (i >= rules[r].first && r != ASSIGN && !(has_step(r) && i == 4));
        if (!tensor || !p->in[i].dtype)
            continue;
        ONN_CHECK(p->in[i].dtype == OCLNN_F32 && onn_desc_same_shape(&p->in[0], &p->in[i]), OCLNN_ERROR_SHAPE,
            "input %d must be f32 and have the parameter's shape", i);
    }
    if (r == ASSIGN && onn_prob_has(p, 2))
        ONN_TRY(check_scalar(p, 2, OCLNN_F32, "the guard"));
    if (rules[r].first < 4)
        return OCLNN_OK;
    ONN_TRY(check_scalar(p, 2, OCLNN_F32, "the learning rate"));
    if (onn_prob_has(p, 3))
        ONN_TRY(check_scalar(p, 3, OCLNN_F32, "the gradient's scale"));
    if (has_step(r))
        ONN_TRY(check_scalar(p, 4, OCLNN_I64, "the step"));
    for (int i = 0; i < rules[r].needed; i++)
        ONN_CHECK(onn_prob_has(p, rules[r].first + i), OCLNN_ERROR_ARGUMENT, "input %d is missing",
            rules[r].first + i);
fail:
    return status;
}

struct opt_args { /* cl/optimizer.cl */
    float momentum, dampening, weight_decay, beta1, beta2, epsilon, trust, decay;
    float log_beta1, log_beta2;
    int32_t nesterov, has_scale, has_a, has_b;
};
#define NORM_CHUNK 4096 /* elements of one part of a norm; fixed, so that sums do not hang on the device */

static struct opt_args make_args(const struct onn_prob *p)
{
    const struct onn_optimizer_attr *t = p->attr;
    const enum rule r = rule_of(p);
    const int first = rules[r].first + has_step(r);
    return (struct opt_args){t->momentum, t->dampening, t->weight_decay, t->beta1, t->beta2, t->epsilon,
        t->trust, t->decay, (float)log((double)t->beta1), (float)log((double)t->beta2), t->nesterov != 0,
        onn_prob_has(p, 3), onn_prob_has(p, first), onn_prob_has(p, first + 1)};
}

static bool on_cpu(const struct onn_prob *p)
{
    return p->caps && p->caps->vector_cpu;
}

static struct onn_launch *launch(const struct onn_prob *p, struct onn_bind *b, const char *kernel)
{
    return onn_bind_add(b, "optimizer", kernel, "-D VL=%d%s", on_cpu(p) ? p->caps->vector_width : 4,
        on_cpu(p) ? " -D ONN_ALONE" : "");
}

static int64_t chunk_of(const struct onn_prob *p, int64_t n)
{
    const int64_t vl = p->caps && p->caps->vector_cpu ? p->caps->vector_width : 4;
    const int64_t chunk = p->caps && p->caps->vector_cpu ? onn_cpu_chunk(p->caps, n, 12) : vl;
    return (chunk + vl - 1) / vl * vl;
}

/* Parameter, gradient, rate, scale, step or what stands for it, two states. */
static void add_operands(const struct onn_prob *p, struct onn_launch *l, enum rule r)
{
    const int first = 4 + has_step(r);
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_in(l, 2);
    onn_arg_in(l, onn_prob_has(p, 3) ? 3 : 2);
    if (has_step(r))
        onn_arg_in(l, 4);
    onn_arg_in(l, onn_prob_has(p, first) ? first : 0);
    onn_arg_in(l, onn_prob_has(p, first + 1) ? first + 1 : 0);
}

static enum oclnn_status bind_simple(const struct onn_prob *p, struct onn_bind *b, enum rule r, int64_t n)
{
    const struct onn_optimizer_attr *t = p->attr;
    static const char *const kernels[] = {[ASSIGN] = "opt_assign",
        [ACCUMULATE] = "opt_accumulate",
        [EMA] = "opt_ema",
        [COUNT] = "opt_count_up"};
    const int64_t per = chunk_of(p, n);
    struct onn_launch *l = launch(p, b, kernels[r]);
    onn_arg_in(l, 0);
    if (r != COUNT)
        onn_arg_in(l, 1);
    if (r == ASSIGN) {
        onn_arg_in(l, onn_prob_has(p, 2) ? 2 : 1);
        onn_arg_int(b, l, onn_prob_has(p, 2));
    }
    onn_arg_long(b, l, n);
    onn_arg_long(b, l, per);
    if (r == EMA)
        onn_arg_float(b, l, t->decay);
    onn_launch_size1(l, (size_t)((n + per - 1) / per), on_cpu(p));
    return b->status;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    static const char *const kernels[] = {[SGD] = "opt_sgd",
        [ADAM] = "opt_adam",
        [ADAMW] = "opt_adamw",
        [RMSPROP] = "opt_rmsprop",
        [ADAGRAD] = "opt_adagrad",
        [LARS] = "opt_lars",
        [LAMB] = "opt_lamb"};
    const enum rule r = rule_of(p);
    const int64_t n = onn_desc_elements(&p->in[0]);
    (void)t;
    if (n == 0)
        return b->status;
    if (rules[r].first < 4)
        return bind_simple(p, b, r, n);
    const struct opt_args a = make_args(p);
    const int64_t parts = (n + NORM_CHUNK - 1) / NORM_CHUNK, per = chunk_of(p, n);
    struct onn_launch *l;
    if (r == LARS || r == LAMB) {
        l = launch(p, b, r == LARS ? "opt_lars_norms" : "opt_lamb_norms");
        add_operands(p, l, r);
        onn_arg_workspace(l, 0);
        onn_arg_bytes(b, l, &a, sizeof a);
        onn_arg_long(b, l, n);
        onn_arg_long(b, l, NORM_CHUNK);
        onn_launch_size1(l, (size_t)parts, on_cpu(p));
    }
    l = launch(p, b, kernels[r]);
    add_operands(p, l, r);
    if (r == LARS || r == LAMB)
        onn_arg_workspace(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_arg_long(b, l, n);
    onn_arg_long(b, l, per);
    if (r == LARS || r == LAMB)
        onn_arg_long(b, l, parts);
    onn_launch_size1(l, (size_t)((n + per - 1) / per), on_cpu(p));
    return b->status;
}

static size_t workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    const enum rule r = rule_of(p);
    const int64_t n = onn_desc_elements(&p->in[0]);
    (void)t;
    return r == LARS || r == LAMB ? (size_t)((n + NORM_CHUNK - 1) / NORM_CHUNK) * 2 * sizeof(float) : 0;
}

static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){.bytes = onn_prob_bytes(p), .launches = 1, .efficiency = 1};
}

static double flop(const struct onn_prob *p)
{
    return 6.0 * (double)onn_desc_elements(&p->in[0]);
}

static const struct onn_variant reference = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE,
    .workspace = workspace,
    .cost = cost,
    .bind = bind};
static const struct onn_variant *const variants[] = {&reference, NULL};

#define ROW(field, d, hi) \
    { \
#field, NULL, ONN_ATTR_FLOAT, offsetof(struct onn_optimizer_attr, field), d, 0, hi \
    }
#define END \
    { \
        .type = ONN_ATTR_END \
    }
static const struct onn_attr sgd_attrs[] = {ROW(momentum, 0, 1), ROW(dampening, 0, 1),
    ROW(weight_decay, 0, 1e9),
    {"nesterov", NULL, ONN_ATTR_INT, offsetof(struct onn_optimizer_attr, nesterov), 0, 0, 1}, END};
static const struct onn_attr adam_attrs[] = {ROW(beta1, 0.9, 1), ROW(beta2, 0.999, 1),
    ROW(epsilon, 1e-8, 1e9), ROW(weight_decay, 0, 1e9), END};
static const struct onn_attr adamw_attrs[] = {ROW(beta1, 0.9, 1), ROW(beta2, 0.999, 1),
    ROW(epsilon, 1e-8, 1e9), ROW(weight_decay, 0.01, 1e9), END};
static const struct onn_attr lamb_attrs[] = {ROW(beta1, 0.9, 1), ROW(beta2, 0.999, 1),
    ROW(epsilon, 1e-6, 1e9), ROW(weight_decay, 0, 1e9), END};
static const struct onn_attr rmsprop_attrs[] = {{"alpha", NULL, ONN_ATTR_FLOAT,
                                                    offsetof(struct onn_optimizer_attr, beta2), 0.99, 0, 1},
    ROW(epsilon, 1e-8, 1e9), ROW(momentum, 0, 1), ROW(weight_decay, 0, 1e9), END};
static const struct onn_attr adagrad_attrs[] = {ROW(epsilon, 1e-10, 1e9), ROW(weight_decay, 0, 1e9), END};
static const struct onn_attr lars_attrs[] = {ROW(momentum, 0.9, 1), ROW(trust, 0.001, 1e9),
    ROW(epsilon, 1e-8, 1e9), ROW(weight_decay, 0, 1e9), END};
static const struct onn_attr ema_attrs[] = {ROW(decay, 0.999, 1), END};
static const struct onn_attr no_attrs[] = {END};

#define UPDATE(id, text, least, most, attr_rows) \
    static const struct onn_op id = {.name = text, \
        .min_in = least, \
        .max_in = most, \
        .min_out = 0, \
        .max_out = 0, \
        .flags = ONN_OP_UPDATES | ONN_OP_NO_GRAD, \
        .attr_size = sizeof(struct onn_optimizer_attr), \
        .attrs = attr_rows, \
        .since = 1, \
        .infer = infer, \
        .variants = variants, \
        .flop = flop};
UPDATE(sgd, "sgd", 3, 5, sgd_attrs)
UPDATE(adam, "adam", 3, 7, adam_attrs)
UPDATE(adamw, "adamw", 3, 7, adamw_attrs)
UPDATE(rmsprop, "rmsprop", 3, 6, rmsprop_attrs)
UPDATE(adagrad, "adagrad", 3, 5, adagrad_attrs)
UPDATE(lars, "lars", 3, 5, lars_attrs)
UPDATE(lamb, "lamb", 3, 7, lamb_attrs)
UPDATE(assign, "assign", 2, 3, no_attrs)
UPDATE(accumulate, "accumulate", 2, 2, no_attrs)
UPDATE(ema, "ema", 2, 2, ema_attrs)
UPDATE(count_up, "count_up", 1, 1, no_attrs)

extern const struct onn_op *const onn_ops_optimizer[];
const struct onn_op *const onn_ops_optimizer[] = {&sgd, &adam, &adamw, &rmsprop, &adagrad, &lars, &lamb,
    &assign, &accumulate, &ema, &count_up, NULL};
