/* Plans of steps: one per batch size and kind, kept by the trainer. */
#include "pass/recompute.h"
#include "runtime/context.h"
#include "train/trainer.h"

#include <string.h>

void onn_step_plan_finish(struct onn_step_plan *p)
{
    onn_plan_destroy(&p->plan);
    onn_free(p->desc);
    onn_free(p->input);
    onn_free(p->rate);
    onn_free(p->rate_sent);
    *p = (struct onn_step_plan){0};
}

static bool matches(const struct oclnn_trainer *t, const struct onn_step_plan *p,
    const struct onn_step_spec *s)
{
    if (p->training != s->training || p->kind != s->kind || p->front != s->front ||
        p->gradients != s->gradients || p->labelled != s->labelled)
        return false;
    for (int i = 0; i < t->model->graph->n_inputs; i++)
        if (!onn_desc_same_shape(&p->desc[i], &s->input[i].desc))
            return false;
    return true;
}

/* Without memory or kernels yet. */
static enum oclnn_status plan_graph(struct oclnn_trainer *t, const struct onn_graph *g,
    const struct onn_plan_options *options, struct onn_plan **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_binding *binding = onn_calloc((size_t)g->n_inputs + 1, sizeof *binding);
    ONN_TRY(binding ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < g->n_inputs; i++)
        binding[i].desc = g->value[g->input[i]].desc;
    ONN_TRY(onn_plan_lay_out(t->ctx, g, binding, options, &t->model->derived, out));
fail:
    onn_free(binding);
    return status;
}

/* Computes activations again until the plan's arena keeps to the budget. The sum of live tensors, which recompute works
 * with, is less than the arena (padding, workspace, gaps): the aim is lowered by what is still too much. */
static enum oclnn_status save_memory(struct oclnn_trainer *t, const struct onn_graph *g,
    const struct onn_plan_options *options, struct onn_step_plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_graph *less = NULL;
    const size_t budget = t->p.memory_budget;
    double target = (double)budget;
    for (int tries = 0; p->plan->stats.arena_bytes > budget && tries < 6; tries++) {
        target *= tries ? 0.98 * (double)budget / (double)p->plan->stats.arena_bytes : 1;
        p->aim = (size_t)target;
        ONN_TRY(onn_pass_recompute(g, p->forward_nodes, p->aim, &less, &p->recomputed));
        onn_plan_destroy(&p->plan);
        ONN_TRY(plan_graph(t, less, options, &p->plan));
        onn_graph_destroy(&less);
    }
    ONN_CHECK(p->plan->stats.arena_bytes <= budget, OCLNN_ERROR_DEVICE_MEMORY,
        "a step needs %zu bytes of activations and workspace, also with %zu bytes computed again; the budget "
        "is %zu",
        p->plan->stats.arena_bytes, p->recomputed, budget);
fail:
    onn_graph_destroy(&less);
    return status;
}

/* As the run that was saved did, or as the program says. Where a saved one does not fit any more, p->plan stays NULL. */
static enum oclnn_status plan_as_saved(struct oclnn_trainer *t, const struct onn_graph *g,
    const struct onn_plan_options *options, const struct onn_saved_choices *saved, struct onn_step_plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_plan_options given = *options;
    struct onn_graph *less = NULL;
    given.choices = saved->text;
    if (saved->target)
        ONN_TRY(onn_pass_recompute(g, p->forward_nodes, saved->target, &less, &p->recomputed));
    p->aim = saved->target;
    status = plan_graph(t, less ? less : g, &given, &p->plan);
    if (status == OCLNN_OK && p->training && t->p.memory_budget &&
        p->plan->stats.arena_bytes > t->p.memory_budget)
        status = onn_error(OCLNN_ERROR_ARGUMENT, "a step takes %zu bytes now", p->plan->stats.arena_bytes);
    if (status == OCLNN_ERROR_ARGUMENT && saved->is_given) {
        onn_error_at(status, "the choices that were given for [%s]", saved->key);
    } else if (status == OCLNN_ERROR_ARGUMENT) {
        onn_plan_destroy(&p->plan);
        p->recomputed = p->aim = 0;
        onn_log(onn_context_log(t->ctx), OCLNN_LOG_WARN,
            "steps are planned anew and will not repeat the saved run's bits: %s", oclnn_error_text(NULL));
        status = OCLNN_OK;
    }
fail:
    onn_graph_destroy(&less);
    return status;
}

static enum oclnn_status make(struct oclnn_trainer *t, const struct onn_step_spec *spec,
    struct onn_step_plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_graph *g = NULL;
    const struct onn_saved_choices *saved = NULL;
    struct onn_plan_options options = t->model->options;
    const size_t inputs = (size_t)t->model->graph->n_inputs + 1;
    options.freeze = false;
    options.stage_outputs = false; /* few are asked for, and gradients are large */
    *p = (struct onn_step_plan){.training = spec->training,
        .kind = spec->kind,
        .front = spec->front,
        .gradients = spec->gradients,
        .labelled = spec->labelled};
    p->desc = onn_calloc(inputs, sizeof *p->desc);
    p->input = onn_calloc(inputs, sizeof *p->input);
    p->rate = onn_calloc((size_t)t->n_rates + 1, sizeof *p->rate);
    p->rate_sent = onn_calloc((size_t)t->n_rates + 1, sizeof *p->rate_sent);
    ONN_TRY(p->desc && p->input && p->rate && p->rate_sent ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int k = 0; k < t->n_rates; k++)
        p->rate_sent[k] = -1; /* none yet: a warm-up begins with a rate of 0, which must be written too */
    for (int i = 0; i < t->model->graph->n_inputs; i++)
        p->desc[i] = spec->input[i].desc;
    ONN_TRY(onn_trainer_find_choices(t, p, &saved));
    ONN_TRY(onn_step_graph(t, spec, p, &g));
    if (saved)
        ONN_TRY(plan_as_saved(t, g, &options, saved, p));
    if (!p->plan) {
        ONN_TRY(plan_graph(t, g, &options, &p->plan));
        if (spec->training && t->p.memory_budget)
            ONN_TRY(save_memory(t, g, &options, p));
    }
    ONN_TRY(onn_plan_build(p->plan));
fail:
    onn_graph_destroy(&g);
    if (status != OCLNN_OK)
        onn_step_plan_finish(p);
    return status;
}

/* Room for one more: the least recently used goes. */
static struct onn_step_plan *slot(struct oclnn_trainer *t)
{
    struct onn_step_plan *oldest = &t->plan[0];
    for (int i = 0; i < ONN_TRAINER_PLANS; i++) {
        if (!t->plan[i].plan)
            return &t->plan[i];
        if (t->plan[i].used < oldest->used)
            oldest = &t->plan[i];
    }
    onn_queue_finish(t->ctx);
    if (t->current == oldest)
        t->current = NULL;
    onn_step_plan_finish(oldest);
    return oldest;
}

enum oclnn_status onn_step_plan_get(struct oclnn_trainer *t, const struct onn_step_spec *spec,
    struct onn_step_plan **out)
{
    for (int i = 0; i < ONN_TRAINER_PLANS; i++)
        if (t->plan[i].plan && matches(t, &t->plan[i], spec)) {
            t->plan[i].used = ++t->stamp;
            *out = &t->plan[i];
            return OCLNN_OK;
        }
    struct onn_step_plan *p = slot(t);
    enum oclnn_status status = make(t, spec, p);
    if (status != OCLNN_OK)
        return status;
    p->used = ++t->stamp;
    *out = p;
    return OCLNN_OK;
}

enum oclnn_status onn_step_write_rates(struct oclnn_trainer *t, struct onn_step_plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    for (int k = 0; k < t->n_rates; k++) {
        const float rate = t->lr * t->rate_scale[k];
        if (p->rate[k] < 0 || p->rate_sent[k] == rate)
            continue;
        p->rate_sent[k] = rate;
        ONN_TRY(onn_plan_write(p->plan, p->rate[k], &rate, ONN_WRITE_TAKEN));
    }
fail:
    return status;
}

enum onn_batch_kind onn_batch_kind_next(const struct oclnn_trainer *t)
{
    const int64_t n = t->p.accumulate, k = t->batches % n;
    return n <= 1 ? ONN_BATCH_UPDATE : k == 0 ? ONN_BATCH_FIRST : k < n - 1 ? ONN_BATCH_MORE : ONN_BATCH_LAST;
}

enum oclnn_status onn_step_run(struct oclnn_trainer *t, struct onn_step_plan *p, float *loss)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_TRY(onn_step_write_rates(t, p));
    ONN_TRY(onn_plan_run(p->plan, NULL));
    t->current = p;
    t->batches++;
    if (p->kind == ONN_BATCH_UPDATE || p->kind == ONN_BATCH_LAST)
        t->steps++;
    status = loss ? onn_step_loss(t, p, loss) : onn_queue_flush(t->ctx);
fail:
    return status;
}

enum oclnn_status onn_step_loss(struct oclnn_trainer *t, struct onn_step_plan *p, float *loss)
{
    enum oclnn_status status = OCLNN_OK;
    size_t offset = 0;
    struct onn_buffer *at = onn_plan_output(p->plan, 0, &offset);
    ONN_TRY(onn_buffer_read(t->ctx, at, offset, sizeof *loss, loss, true));
    t->is_broken = !(*loss - *loss == 0);
    if (!t->is_broken)
        return OCLNN_OK;
    status = onn_error(OCLNN_ERROR_NUMERIC,
        "step %lld: the loss is %s (learning rate %g); no parameter was changed", (long long)t->steps,
        *loss != *loss ? "not a number" : "infinite", (double)t->lr);
fail:
    return status;
}
