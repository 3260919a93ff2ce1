/* The end of a training graph: clipping, accumulation, the optimiser's nodes, averages of the weights. */
#include "ops/elementwise.h"
#include "ops/optimizer.h"
#include "pass/rewrite.h"
#include "train/trainer.h"

#include <stdio.h>

static int32_t emit(struct onn_graph *g, const char *op, const void *attr, int n, const int32_t *in)
{
    return onn_emit_all(g, op, "update", attr, n, in);
}

static int32_t binary(struct onn_graph *g, const char *op, int32_t a, int32_t b)
{
    return emit(g, op, NULL, 2, (int32_t[]){a, b});
}

/* Nodes without outputs. */
static void append(struct onn_graph *g, const char *op, const void *attr, int n, const int32_t *in)
{
    if (g->status == OCLNN_OK)
        onn_graph_add_op(g, onn_op_find(op), "update", attr, n, in, 0);
}

static int32_t state(struct onn_graph *g, const struct onn_train_param *p, const char *what,
    struct onn_blob *blob)
{
    char name[160];
    snprintf(name, sizeof name, "%s.%s", p->name, what);
    return onn_graph_add_blob(g, name, ONN_ROLE_STATE, blob);
}

/* min(1, limit / (norm + tiny)) of the joint 2-norm of all gradients. */
static int32_t norm_scale(struct oclnn_trainer *t, struct onn_graph *g, const int32_t *gradient, float factor)
{
    int32_t sum = 0;
    for (int i = 0; i < t->n_params; i++) {
        if (!gradient[i])
            continue;
        const int32_t flat = binary(g, "reshape", gradient[i], onn_graph_add_i64(g, (int64_t[]){-1}, 1));
        const int32_t zero = onn_graph_add_i64(g, (int64_t[]){0}, 1);
        const int32_t part = binary(g, "reducesumsquare", flat, zero);
        sum = sum ? binary(g, "add", sum, part) : part;
    }
    const int32_t norm = emit(g, "sqrt", NULL, 1, &sum);
    const int32_t real = binary(g, "mul", norm, onn_graph_add_f32(g, factor));
    const int32_t safe = binary(g, "add", real, onn_graph_add_f32(g, 1e-6f));
    const int32_t ratio = binary(g, "div", onn_graph_add_f32(g, t->p.clip_norm), safe);
    return binary(g, "min", ratio, onn_graph_add_f32(g, 1));
}

static int32_t rate_input(struct oclnn_trainer *t, struct onn_graph *g, struct onn_step_plan *plan, int k)
{
    if (plan->rate[k] < 0) {
        char name[32];
        const struct onn_desc one = onn_desc_make(OCLNN_F32, 1, (int64_t[]){1});
        snprintf(name, sizeof name, "oclnn.lr%d", k);
        plan->rate[k] = g->n_inputs;
        onn_graph_add_input(g, name, &one);
    }
    (void)t;
    return g->status == OCLNN_OK ? g->input[plan->rate[k]] : 0;
}

static bool needs_counter(const struct oclnn_optimizer *o)
{
    return o->kind == OCLNN_ADAM || o->kind == OCLNN_ADAMW || o->kind == OCLNN_LAMB;
}

static void optimise(struct oclnn_trainer *t, struct onn_graph *g, struct onn_step_plan *plan,
    const struct onn_train_param *p, int32_t param, int32_t gradient, int32_t scale, int32_t counter)
{
    const struct oclnn_optimizer *o = &t->p.optimizer;
    const struct onn_optimizer_attr attr = {.momentum = o->kind == OCLNN_LARS && o->momentum == 0
            ? 0.9f
            : o->momentum,
        .weight_decay = p->weight_decay,
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .epsilon = o->epsilon,
        .trust = 0.001f,
        .nesterov = o->nesterov};
    static const char *const names[ONN_MAX_MOMENTS] = {"moment1", "moment2"};
    int32_t in[8] = {param, gradient, rate_input(t, g, plan, p->rate), scale};
    int n = 4;
    if (needs_counter(o))
        in[n++] = counter;
    for (int i = 0; i < ONN_MAX_MOMENTS && p->moment[i]; i++)
        in[n++] = state(g, p, names[i], p->moment[i]);
    append(g, onn_optimizer_op(o), &attr, n, in);
}

/* A gradient is a mean over the batches that were added up. */
static float factor_of(const struct oclnn_trainer *t)
{
    return t->p.accumulate > 1 ? 1.0f / (float)t->p.accumulate : 1.0f;
}

int32_t onn_update_scale(struct oclnn_trainer *t, struct onn_graph *g, int32_t loss)
{
    const int32_t nothing = binary(g, "mul", loss, onn_graph_add_f32(g, 0));
    return binary(g, "add", nothing, onn_graph_add_f32(g, factor_of(t)));
}

/* Sums of gradients are not guarded: instead the scales of a group's batches are added up as well, and with a NaN among
 * them the update at its end is left out. The next group begins its sums anew. Returns the scale of this batch's update. */
static int32_t group_scale(struct oclnn_trainer *t, struct onn_graph *g, enum onn_batch_kind kind,
    int32_t scale)
{
    const int32_t own = binary(g, "reshape", scale, onn_graph_add_i64(g, (int64_t[]){1}, 1));
    const int32_t group = onn_graph_add_blob(g, "update.group", ONN_ROLE_STATE, t->group);
    if (kind != ONN_BATCH_LAST) {
        append(g, kind == ONN_BATCH_FIRST ? "assign" : "accumulate", NULL, 2, (int32_t[]){group, own});
        return scale;
    }
    return binary(g, "add", own, binary(g, "mul", group, onn_graph_add_f32(g, 0)));
}

void onn_update_append(struct oclnn_trainer *t, struct onn_graph *g, enum onn_batch_kind kind, int32_t scale,
    const int32_t *param, const int32_t *gradient, const struct onn_form *form, struct onn_step_plan *plan)
{
    const float factor = factor_of(t);
    int32_t *total = onn_arena_calloc(&g->arena, (size_t)t->n_params + 1, sizeof *total);
    if (!total) {
        onn_graph_fail(g, OCLNN_ERROR_MEMORY, "no memory for the update");
        return;
    }
    for (int i = 0; i < t->n_params; i++) {
        const struct onn_train_param *p = &t->param[i];
        if (!gradient[i])
            continue;
        total[i] = gradient[i];
        if (kind == ONN_BATCH_UPDATE)
            continue;
        const int32_t sum = state(g, p, "sum", p->sum);
        if (kind == ONN_BATCH_LAST)
            total[i] = binary(g, "add", sum, gradient[i]);
        else
            append(g, kind == ONN_BATCH_FIRST ? "assign" : "accumulate", NULL, 2,
                (int32_t[]){sum, gradient[i]});
    }
    if (kind != ONN_BATCH_UPDATE)
        scale = group_scale(t, g, kind, scale);
    if (kind == ONN_BATCH_FIRST || kind == ONN_BATCH_MORE)
        return;
    const float bound = t->p.clip_value / factor; /* the gradient is still a sum */
    const struct onn_ew_attr limit = {.alpha = -bound, .beta = bound};
    if (t->p.clip_norm > 0)
        scale = binary(g, "mul", scale, norm_scale(t, g, total, factor));
    int32_t counter = 0;
    if (needs_counter(&t->p.optimizer) || t->n_averages) {
        counter = onn_graph_add_blob(g, "optimizer.step", ONN_ROLE_STATE, t->counter);
        append(g, "count_up", NULL, 2, (int32_t[]){counter, scale});
    }
    for (int i = 0; i < t->n_params; i++) {
        int32_t d = total[i];
        if (!d)
            continue;
        if (t->p.clip_value > 0)
            d = emit(g, "clip", &limit, 1, &d);
        optimise(t, g, plan, &t->param[i], param[i], d, scale, counter);
    }
    /* behind all of them: the planner puts neighbours of one kind into one launch */
    onn_averages_append(t, g, form, param, total, scale, counter);
}
