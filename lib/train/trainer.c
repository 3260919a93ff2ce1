#include "train/trainer.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

/* ---- parameters ---- */

struct pattern {
    char text[256];
    bool back; /* "!" in front of it: trained after all */
};

/* The first of a list of patterns; false at its end, or after an error. */
static bool take(const char **list, struct pattern *out, enum oclnn_status *status)
{
    if (!*list || !**list)
        return false;
    out->back = **list == '!';
    *list += out->back;
    const size_t n = strcspn(*list, ",");
    if (n >= sizeof out->text) {
        *status = onn_error(OCLNN_ERROR_ARGUMENT, "freeze: the pattern '%.40s…' is too long", *list);
        return false;
    }
    memcpy(out->text, *list, n);
    out->text[n] = '\0';
    *list += n + ((*list)[n] == ',');
    return true;
}

/* The last pattern that fits counts. */
static bool is_frozen(const char *patterns, const char *name)
{
    enum oclnn_status status = OCLNN_OK;
    struct pattern p;
    bool frozen = false;
    while (take(&patterns, &p, &status))
        if (fnmatch(p.text, name, 0) == 0)
            frozen = !p.back;
    return frozen;
}

/* Almost always a pattern that fits nothing is a slip. */
static enum oclnn_status check_pattern(const struct oclnn_trainer *t, const char *what, const char *pattern)
{
    const int n = t->n_params;
    struct onn_str names = {0};
    for (int i = 0; i < n; i++)
        if (fnmatch(pattern, t->param[i].name, 0) == 0)
            return OCLNN_OK;
    for (int i = 0; i < n; i++) /* the first and the last layers' */
        if (i < 4 || i >= n - 4)
            onn_str_add(&names, "%s%s%s", i ? ", " : "", i == n - 4 && i > 4 ? "…, " : "", t->param[i].name);
    const enum oclnn_status status =
        onn_error(OCLNN_ERROR_ARGUMENT, "%s: none of the %d parameters is called '%s'; there are %s", what, n,
            pattern, onn_str_ok(&names) ? onn_str_text(&names) : "others");
    onn_str_finish(&names);
    return status;
}

static enum oclnn_status check_patterns(const struct oclnn_trainer *t)
{
    enum oclnn_status status = OCLNN_OK;
    const char *list = t->p.freeze;
    struct pattern p;
    while (take(&list, &p, &status))
        ONN_TRY(check_pattern(t, "freeze", p.text));
    for (int k = 0; k < t->p.group_count && status == OCLNN_OK; k++)
        status = check_pattern(t, "parameter group", t->p.groups[k].pattern);
fail:
    return status;
}

static void set_group(const struct oclnn_trainer *t, struct onn_train_param *p)
{
    p->weight_decay = t->p.optimizer.weight_decay;
    p->frozen = is_frozen(t->p.freeze, p->name);
    for (int k = 0; k < t->p.group_count; k++) {
        const struct oclnn_param_group *g = &t->p.groups[k];
        if (fnmatch(g->pattern, p->name, 0) != 0)
            continue;
        p->rate = k + 1;
        p->weight_decay = g->weight_decay < 0 ? 0 : g->weight_decay > 0 ? g->weight_decay : p->weight_decay;
        p->frozen |= g->freeze != 0;
        return;
    }
}

static enum oclnn_status zeros(const struct onn_desc *like, struct onn_blob **out)
{
    const struct onn_desc d = onn_desc_make(OCLNN_F32, like->rank, like->dim);
    return onn_blob_create(&d, NULL, out);
}

static enum oclnn_status add_param(struct oclnn_trainer *t, const struct onn_value *v)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_train_param *p = &t->param[t->n_params++];
    *p = (struct onn_train_param){.blob = v->blob, .name = v->name};
    set_group(t, p);
    if (p->frozen)
        return OCLNN_OK;
    ONN_CHECK(v->desc.dtype == OCLNN_F32, OCLNN_ERROR_DTYPE,
        "parameter '%s' is %s: only f32 is trained. Freeze it, or build the network in f32", v->name,
        oclnn_dtype_name(v->desc.dtype));
    for (int i = 0; i < onn_optimizer_moments(&t->p.optimizer); i++)
        ONN_TRY(zeros(&v->desc, &p->moment[i]));
    if (t->p.accumulate > 1)
        ONN_TRY(zeros(&v->desc, &p->sum));
fail:
    return status;
}

static enum oclnn_status find_params(struct oclnn_trainer *t)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = t->model->graph;
    int free_params = 0;
    t->param = onn_calloc((size_t)g->n_values + 1, sizeof *t->param);
    ONN_TRY(t->param ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int32_t v = 1; v < g->n_values; v++)
        if (g->value[v].role == ONN_ROLE_PARAM && g->value[v].blob)
            ONN_TRY(add_param(t, &g->value[v]));
    for (int i = 0; i < t->n_params; i++)
        free_params += !t->param[i].frozen;
    ONN_CHECK(t->n_params, OCLNN_ERROR_ARGUMENT, "the model has no parameter that could be trained");
    ONN_TRY(check_patterns(t));
    ONN_CHECK(free_params, OCLNN_ERROR_ARGUMENT, "all %d parameters of the model are frozen", t->n_params);
fail:
    return status;
}

/* ---- creation ---- */

static enum oclnn_status copy_text(struct oclnn_trainer *t, const char **text)
{
    if (!*text)
        return OCLNN_OK;
    *text = onn_arena_strdup(&t->text, *text);
    return *text ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

static enum oclnn_status copy_groups(struct oclnn_trainer *t)
{
    enum oclnn_status status = OCLNN_OK;
    const int n = t->p.group_count;
    struct oclnn_param_group *groups = NULL;
    ONN_CHECK(n >= 0 && n <= 1000 && (n == 0 || t->p.groups), OCLNN_ERROR_ARGUMENT, "group_count = %d", n);
    t->n_rates = n + 1;
    t->rate_scale = onn_calloc((size_t)n + 1, sizeof *t->rate_scale);
    groups = onn_arena_calloc(&t->text, (size_t)n + 1, sizeof *groups);
    ONN_TRY(groups && t->rate_scale ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    t->rate_scale[0] = 1;
    for (int k = 0; k < n; k++) {
        groups[k] = t->p.groups[k];
        ONN_CHECK(groups[k].pattern, OCLNN_ERROR_ARGUMENT, "group %d has no pattern", k);
        ONN_CHECK(groups[k].lr_scale >= 0, OCLNN_ERROR_ARGUMENT, "group '%s': lr_scale = %g",
            groups[k].pattern, (double)groups[k].lr_scale);
        ONN_TRY(copy_text(t, &groups[k].pattern));
        t->rate_scale[k + 1] = groups[k].lr_scale != 0 ? groups[k].lr_scale : 1;
    }
    t->p.groups = groups;
fail:
    return status;
}

static enum oclnn_status check_params(struct oclnn_trainer *t)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_trainer_params *p = &t->p;
    ONN_CHECK((unsigned)p->loss <= OCLNN_LOSS_DICE_LOGITS, OCLNN_ERROR_ARGUMENT, "loss = %d", (int)p->loss);
    ONN_CHECK(p->label_smoothing >= 0 && p->label_smoothing < 1, OCLNN_ERROR_ARGUMENT, "label_smoothing = %g",
        (double)p->label_smoothing);
    ONN_CHECK(p->clip_value >= 0 && p->clip_norm >= 0, OCLNN_ERROR_ARGUMENT,
        "clip_value = %g, clip_norm = %g", (double)p->clip_value, (double)p->clip_norm);
    ONN_CHECK(p->accumulate >= 0 && p->accumulate <= 1 << 20, OCLNN_ERROR_ARGUMENT, "accumulate = %d",
        p->accumulate);
    ONN_CHECK(p->ema >= 0 && p->ema < 1, OCLNN_ERROR_ARGUMENT, "ema = %g", (double)p->ema);
    ONN_CHECK(p->class_count >= 0 && (p->class_count == 0 || p->class_weights), OCLNN_ERROR_ARGUMENT,
        "class_count = %d without class_weights", p->class_count);
    for (int i = 0; i < p->class_count; i++)
        ONN_CHECK(p->class_weights[i] >= 0 && isfinite(p->class_weights[i]), OCLNN_ERROR_ARGUMENT,
            "class_weights[%d] = %g", i, (double)p->class_weights[i]);
    ONN_CHECK(!p->class_count || (p->loss != OCLNN_LOSS_DICE && p->loss != OCLNN_LOSS_DICE_LOGITS),
        OCLNN_ERROR_ARGUMENT, "dice is a mean over classes: it takes no class_weights");
    p->accumulate = p->accumulate ? p->accumulate : 1;
    ONN_TRY(onn_optimizer_check(&p->optimizer));
    ONN_TRY(onn_schedule_check(&p->schedule));
    ONN_TRY(copy_groups(t));
    ONN_TRY(copy_text(t, &p->freeze));
    ONN_TRY(copy_text(t, &p->output));
    ONN_TRY(onn_trainer_read_choices(t, p->choices));
    p->choices = NULL;
    t->lr = p->optimizer.lr;
    if (p->class_count) {
        const struct onn_desc d = onn_desc_make(OCLNN_F32, 1, (int64_t[]){p->class_count});
        ONN_TRY(onn_blob_create(&d, p->class_weights, &t->class_weights));
    }
    p->class_weights = NULL;
fail:
    return status;
}

static enum oclnn_status find_output(struct oclnn_trainer *t)
{
    const struct onn_graph *g = t->model->graph;
    for (int i = 0; i < g->n_outputs; i++)
        if (!t->p.output || strcmp(g->value[g->output[i]].name, t->p.output) == 0) {
            t->prediction = i;
            return OCLNN_OK;
        }
    return onn_error(OCLNN_ERROR_ARGUMENT, "the model has no output '%s'", t->p.output ? t->p.output : "");
}

static enum oclnn_status make_states(struct oclnn_trainer *t)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc one = onn_desc_make(OCLNN_I64, 1, (int64_t[]){1});
    const struct onn_desc two = onn_desc_make(OCLNN_I64, 1, (int64_t[]){2});
    ONN_TRY(onn_blob_create(&one, NULL, &t->counter));
    ONN_TRY(onn_blob_create(&two, (int64_t[]){(int64_t)t->p.seed, 0}, &t->random));
    if (t->p.accumulate > 1)
        ONN_TRY(zeros(&one, &t->group));
fail:
    return status;
}

enum oclnn_status oclnn_trainer_create(oclnn_model *model, const struct oclnn_trainer_params *params,
    oclnn_trainer **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_trainer *t = NULL;
    ONN_CHECK(out, OCLNN_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    ONN_CHECK(model, OCLNN_ERROR_ARGUMENT, "the model is NULL");
    ONN_CHECK(model->options.storage != OCLNN_F16, OCLNN_ERROR_UNSUPPORTED,
        "a model that stores f16 inside (dtype) is not trained");
    for (int i = 0; i < model->graph->n_inputs; i++)
        ONN_CHECK(!model->steering[i], OCLNN_ERROR_UNSUPPORTED,
            "input '%s' steers shapes or branches: such a model is not trained",
            model->graph->value[model->graph->input[i]].name);
    t = onn_calloc(1, sizeof *t);
    ONN_TRY(t ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    t->model = model;
    t->ctx = model->ctx;
    t->p = params ? *params : (struct oclnn_trainer_params){0};
    t->plateau = 1;
    t->best = INFINITY;
    ONN_TRY(check_params(t));
    ONN_TRY(find_output(t));
    /* From now on parameters change: what was folded from them must be computed again when they do. */
    onn_model_forget_plans(model);
    model->options.freeze = false;
    ONN_TRY(onn_graph_mark_trainable(model->graph));
    if (model->from_file)
        ONN_TRY(onn_graph_mark_scales(model->graph));
    t->as_written = onn_graph_has_training_form(model->graph);
    ONN_TRY(find_params(t));
    ONN_TRY(make_states(t));
    ONN_TRY(onn_averages_create(t));
    *out = t;
    t = NULL;
fail:
    oclnn_trainer_destroy(&t);
    return status;
}

void oclnn_trainer_destroy(oclnn_trainer **trainer)
{
    struct oclnn_trainer *t = trainer ? *trainer : NULL;
    if (!t)
        return;
    *trainer = NULL;
    onn_queue_finish(t->ctx);
    for (int i = 0; i < ONN_TRAINER_PLANS; i++)
        onn_step_plan_finish(&t->plan[i]);
    for (int i = 0; i < t->n_params; i++) {
        for (int k = 0; k < ONN_MAX_MOMENTS; k++)
            onn_blob_unref(&t->param[i].moment[k]);
        onn_blob_unref(&t->param[i].sum);
    }
    onn_averages_destroy(t);
    onn_blob_unref(&t->counter);
    onn_blob_unref(&t->random);
    onn_blob_unref(&t->group);
    onn_blob_unref(&t->class_weights);
    onn_free(t->param);
    onn_free(t->rate_scale);
    onn_arena_finish(&t->text);
    onn_arena_finish(&t->names);
    onn_arena_finish(&t->saved_text);
    onn_free(t);
}
