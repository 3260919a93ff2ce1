/* Optimisers and the other operators that update in place. See optimizer.h. */
#include "ops/optimizer.h"
#include "ops/walk.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum rule { SGD, ADAM, ADAMW, RMSPROP, ADAGRAD, LARS, LAMB, ASSIGN, ACCUMULATE, EMA, COUNT };
static const struct {
    const char *name;
    int first, needed,
        most; /* where the states begin, how many are needed and possible; a step is one of them */
    bool several; /* takes several parameters */
} rules[] = {
    [SGD] = {"sgd", 4, 0, 1, true},
    [ADAM] = {"adam", 4, 3, 3, true},
    [ADAMW] = {"adamw", 4, 3, 3, true},
    [RMSPROP] = {"rmsprop", 4, 1, 2, true},
    [ADAGRAD] = {"adagrad", 4, 1, 1, true},
    [LARS] = {"lars", 4, 1, 1, false},
    [LAMB] = {"lamb", 4, 3, 3, false},
    [ASSIGN] = {"assign", 3, 0, 0, true},
    [ACCUMULATE] = {"accumulate", 2, 0, 0, true},
    [EMA] = {"ema", 3, 0, 1, true},
    [COUNT] = {"count_up", 2, 0, 0, false},
};
#define RULES (int)(sizeof rules / sizeof *rules)

static int find_rule(const struct onn_op *op)
{
    int r = 0;
    while (r < RULES && strcmp(rules[r].name, op->name))
        r++;
    return r;
}

static enum rule rule_of(const struct onn_prob *p)
{
    return (enum rule)find_rule(p->op);
}

static bool has_step(enum rule r)
{
    return r == ADAM || r == ADAMW || r == LAMB || r == EMA;
}

static bool has_rate(enum rule r)
{
    return rules[r].first >= 4;
}

/* The input that leaves everything as it is where it is a NaN, -1: there is none. */
static int guard_of(enum rule r)
{
    return has_rate(r) ? 3 : r == ASSIGN || r == EMA ? 2 : r == COUNT ? 1 : -1;
}

static struct onn_update_form form_of(enum rule r)
{
    return (struct onn_update_form){.own = rules[r].first + rules[r].most,
        .states = rules[r].most - has_step(r),
        .first_state = rules[r].first + has_step(r)};
}

bool onn_update_form(const struct onn_op *op, struct onn_update_form *out)
{
    const int r = find_rule(op);
    if (r == RULES || !rules[r].several)
        return false;
    *out = form_of((enum rule)r);
    return true;
}

bool onn_update_writes(const struct onn_op *op, int i)
{
    const int r = find_rule(op);
    if (r == RULES)
        return true;
    const struct onn_update_form f = form_of((enum rule)r);
    return i == 0 || i >= f.first_state;
}

int onn_update_input(const struct onn_update_form *f, int k, int t)
{
    if (k > 0)
        return f->own + (k - 1) * (2 + f->states) + t;
    return t < 2 ? t : f->first_state + t - 2;
}

/* How many parameters; behind the first one's inputs there are whole ones. */
static int count_of(const struct onn_prob *p, const struct onn_update_form *f)
{
    return p->n_in <= f->own ? 1 : 1 + (p->n_in - f->own) / (2 + f->states);
}

static enum oclnn_status check_scalar(const struct onn_prob *p, int i, enum oclnn_dtype dtype,
    const char *what)
{
    if (p->in[i].dtype != dtype || onn_desc_elements(&p->in[i]) != 1)
        return onn_error(OCLNN_ERROR_SHAPE, "%s must be one number of type %s", what,
            oclnn_dtype_name(dtype));
    return OCLNN_OK;
}

static enum oclnn_status check_tensors(const struct onn_prob *p, const struct onn_update_form *f, int k)
{
    enum oclnn_status status = OCLNN_OK;
    const int param = onn_update_input(f, k, 0);
    ONN_CHECK(p->in[param].dtype == OCLNN_F32, OCLNN_ERROR_DTYPE, "the parameter is %s, but must be f32",
        oclnn_dtype_name(p->in[param].dtype));
    for (int t = 1; t < 2 + f->states; t++) {
        const int i = onn_update_input(f, k, t);
        if (t > 1 && !onn_prob_has(p, i) && !onn_prob_has(p, onn_update_input(f, 0, t)))
            continue;
        ONN_CHECK(onn_prob_has(p, i) && p->in[i].dtype == OCLNN_F32 &&
                onn_desc_same_shape(&p->in[param], &p->in[i]),
            OCLNN_ERROR_SHAPE, "input %d must be f32 and have the parameter's shape", i);
        ONN_CHECK(t < 2 || onn_prob_has(p, onn_update_input(f, 0, t)), OCLNN_ERROR_ARGUMENT,
            "input %d is a state that the first parameter has not", i);
    }
fail:
    return status;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const enum rule r = rule_of(p);
    const struct onn_update_form f = form_of(r);
    (void)out;
    if (r == COUNT) {
        ONN_CHECK(p->in[0].dtype == OCLNN_I64, OCLNN_ERROR_DTYPE, "the counter must be i64");
        if (onn_prob_has(p, 1))
            ONN_TRY(check_scalar(p, 1, OCLNN_F32, "the guard"));
        return OCLNN_OK;
    }
    ONN_CHECK(p->n_in <= f.own || (p->n_in - f.own) % (2 + f.states) == 0, OCLNN_ERROR_ARGUMENT,
        "%d inputs: behind %d for the first parameter come %d for each other", p->n_in, f.own, 2 + f.states);
    for (int k = 0; k < count_of(p, &f); k++)
        ONN_TRY(check_tensors(p, &f, k));
    if ((r == ASSIGN || r == EMA) && onn_prob_has(p, 2))
        ONN_TRY(check_scalar(p, 2, OCLNN_F32, "the guard"));
    if (r == EMA && onn_prob_has(p, 3))
        ONN_TRY(check_scalar(p, 3, OCLNN_I64, "the step"));
    if (!has_rate(r))
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
    int32_t nesterov, has_scale, has_a, has_b, has_step;
};
#define NORM_CHUNK 4096 /* elements of one part of a norm; fixed, so that sums do not hang on the device */

static struct opt_args make_args(const struct onn_prob *p)
{
    const struct onn_optimizer_attr *t = p->attr;
    const enum rule r = rule_of(p);
    const struct onn_update_form f = form_of(r);
    const int guard = guard_of(r);
    return (struct opt_args){t->momentum, t->dampening, t->weight_decay, t->beta1, t->beta2, t->epsilon,
        t->trust, t->decay, (float)log((double)t->beta1), (float)log((double)t->beta2), t->nesterov != 0,
        guard >= 0 && onn_prob_has(p, guard), f.states > 0 && onn_prob_has(p, f.first_state),
        f.states > 1 && onn_prob_has(p, f.first_state + 1), r == EMA && onn_prob_has(p, 3)};
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

/* Items of a work-group where each works on VL elements. */
static size_t group_of(const struct onn_prob *p)
{
    const size_t most = p->caps ? p->caps->max_group : 0;
    return most && most < 64 ? most : 64;
}

static int64_t chunk_of(const struct onn_prob *p, int64_t n)
{
    const int64_t vl = p->caps && p->caps->vector_cpu ? p->caps->vector_width : 4;
    const int64_t chunk = p->caps && p->caps->vector_cpu ? onn_cpu_chunk(p->caps, n, 12) : vl;
    return (chunk + vl - 1) / vl * vl;
}

/* Rate, scale, step; any float where there is no scale. */
static void add_scalars(const struct onn_prob *p, struct onn_launch *l, enum rule r)
{
    onn_arg_in(l, 2);
    onn_arg_in(l, onn_prob_has(p, 3) ? 3 : 2);
    if (has_step(r))
        onn_arg_in(l, 4);
}

/* Parameter k, its gradient, the states that are there. */
static void add_tensors(const struct onn_prob *p, struct onn_launch *l, const struct onn_update_form *f,
    int k)
{
    for (int t = 0; t < 2 + f->states; t++)
        if (t < 2 || onn_prob_has(p, onn_update_input(f, 0, t)))
            onn_arg_in(l, onn_update_input(f, k, t));
}

struct opt_pieces { /* cl/optimizer.cl: elements of each parameter; items of it and those before */
    int64_t n[ONN_UPDATE_MOST], end[ONN_UPDATE_MOST];
};
#define FEW 4 /* parameters of the smaller kernels */

/* One launch for parameters first … first + n - 1. */
static void bind_several(const struct onn_prob *p, struct onn_bind *b, enum rule r, int first, int n)
{
    const struct onn_update_form f = form_of(r);
    const struct opt_args a = make_args(p);
    const int slots = n > FEW ? ONN_UPDATE_MOST : FEW;
    struct opt_pieces at = {{0}, {0}};
    int64_t all = 0, items = 0;
    char kernel[48];
    for (int k = 0; k < n; k++)
        all += at.n[k] = onn_desc_elements(&p->in[onn_update_input(&f, first + k, 0)]);
    if (!all)
        return;
    const int64_t per = chunk_of(p, all);
    const bool momentum = (r == SGD && a.has_a) || (r == RMSPROP && a.has_b);
    snprintf(kernel, sizeof kernel, "opt_%s%s_%d", p->op->name, momentum ? "_momentum" : "", slots);
    struct onn_launch *l = launch(p, b, kernel);
    for (int k = 0; k < slots; k++) {
        items += (at.n[k] + per - 1) / per;
        at.end[k] = items;
        add_tensors(p, l, &f, first + (k < n ? k : 0)); /* no item works on the rest */
    }
    if (has_rate(r))
        add_scalars(p, l, r);
    else if (r == ASSIGN || r == EMA)
        onn_arg_in(l, a.has_scale ? 2 : 1);
    if (r == EMA)
        onn_arg_in(l, a.has_step ? 3 : 1);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_arg_bytes(b, l, &at, sizeof at);
    onn_arg_long(b, l, per);
    onn_launch_size1(l, (size_t)items, on_cpu(p) ? 1 : group_of(p));
}

static enum oclnn_status bind_count(const struct onn_prob *p, struct onn_bind *b)
{
    const int64_t n = onn_desc_elements(&p->in[0]), per = chunk_of(p, n);
    const bool guarded = onn_prob_has(p, 1);
    struct onn_launch *l = launch(p, b, "opt_count_up");
    onn_arg_in(l, 0);
    onn_arg_in(l, guarded ? 1 : 0);
    onn_arg_long(b, l, guarded);
    onn_arg_long(b, l, n);
    onn_arg_long(b, l, per);
    onn_launch_size1(l, (size_t)((n + per - 1) / per), on_cpu(p));
    return b->status;
}

/* LARS, LAMB: norms first. */
static enum oclnn_status bind_with_norms(const struct onn_prob *p, struct onn_bind *b, enum rule r)
{
    const struct onn_update_form f = form_of(r);
    const struct opt_args a = make_args(p);
    const int64_t n = onn_desc_elements(&p->in[0]), per = chunk_of(p, n);
    const int64_t parts = (n + NORM_CHUNK - 1) / NORM_CHUNK;
    for (int norms = 1; norms >= 0; norms--) {
        struct onn_launch *l = launch(p, b,
            r == LARS ? (norms ? "opt_lars_norms" : "opt_lars") : (norms ? "opt_lamb_norms" : "opt_lamb"));
        add_tensors(p, l, &f, 0);
        add_scalars(p, l, r);
        onn_arg_workspace(l, 0);
        onn_arg_bytes(b, l, &a, sizeof a);
        onn_arg_long(b, l, n);
        onn_arg_long(b, l, norms ? NORM_CHUNK : per);
        if (!norms)
            onn_arg_long(b, l, parts);
        onn_launch_size1(l, (size_t)(norms ? parts : (n + per - 1) / per), on_cpu(p));
    }
    return b->status;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const enum rule r = rule_of(p);
    const struct onn_update_form f = form_of(r);
    const int count = count_of(p, &f);
    (void)t;
    if (rules[r].several)
        for (int k = 0; k < count; k += ONN_UPDATE_MOST)
            bind_several(p, b, r, k, count - k < ONN_UPDATE_MOST ? count - k : ONN_UPDATE_MOST);
    else if (onn_desc_elements(&p->in[0]))
        return r == COUNT ? bind_count(p, b) : bind_with_norms(p, b, r);
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
    const struct onn_update_form f = form_of(rule_of(p));
    (void)t;
    return (struct onn_cost){.bytes = onn_prob_bytes(p),
        .launches = (count_of(p, &f) + ONN_UPDATE_MOST - 1) / ONN_UPDATE_MOST,
        .efficiency = 1};
}

static double flop(const struct onn_prob *p)
{
    const struct onn_update_form f = form_of(rule_of(p));
    double sum = 0;
    for (int k = 0; k < count_of(p, &f); k++)
        sum += 6.0 * (double)onn_desc_elements(&p->in[onn_update_input(&f, k, 0)]);
    return sum;
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
UPDATE(sgd, "sgd", 3, ONN_VARIADIC, sgd_attrs)
UPDATE(adam, "adam", 3, ONN_VARIADIC, adam_attrs)
UPDATE(adamw, "adamw", 3, ONN_VARIADIC, adamw_attrs)
UPDATE(rmsprop, "rmsprop", 3, ONN_VARIADIC, rmsprop_attrs)
UPDATE(adagrad, "adagrad", 3, ONN_VARIADIC, adagrad_attrs)
UPDATE(lars, "lars", 3, 5, lars_attrs)
UPDATE(lamb, "lamb", 3, 7, lamb_attrs)
UPDATE(assign, "assign", 2, ONN_VARIADIC, no_attrs)
UPDATE(accumulate, "accumulate", 2, ONN_VARIADIC, no_attrs)
UPDATE(ema, "ema", 2, ONN_VARIADIC, ema_attrs)
UPDATE(count_up, "count_up", 1, 2, no_attrs)

extern const struct onn_op *const onn_ops_optimizer[];
const struct onn_op *const onn_ops_optimizer[] = {&sgd, &adam, &adamw, &rmsprop, &adagrad, &lars, &lamb,
    &assign, &accumulate, &ema, &count_up, NULL};
