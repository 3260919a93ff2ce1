/* Averages of the weights and of the normalisations' statistics, which evaluation and saving use in place of them. */
#include "ops/optimizer.h"
#include "train/trainer.h"

#include <stdio.h>
#include <string.h>

static enum oclnn_status add(struct oclnn_trainer *t, struct onn_blob *of, bool of_statistics, int k,
    const char *name)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_average *a = &t->average[t->n_averages];
    char text[300];
    snprintf(text, sizeof text, "%s/%d/%s", of_statistics ? "state/average" : "average", k, name);
    *a = (struct onn_average){.of = of,
        .of_statistics = of_statistics,
        .name = name,
        .entry = onn_arena_strdup(&t->text, text)};
    ONN_TRY(a->entry ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_blob_sync_host(of));
    ONN_TRY(onn_blob_create(&of->desc, of->data, &a->blob));
    t->n_averages++;
fail:
    return status;
}

enum oclnn_status onn_averages_create(struct oclnn_trainer *t)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = t->model->graph;
    if (!(t->p.ema > 0))
        return OCLNN_OK;
    t->average = onn_calloc((size_t)g->n_values + 1, sizeof *t->average);
    ONN_TRY(t->average ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int k = 0; k < t->n_params; k++)
        if (!t->param[k].frozen)
            ONN_TRY(add(t, t->param[k].blob, false, k, t->param[k].name));
    for (int32_t v = 1, k = 0; v < g->n_values; v++)
        if (g->value[v].role == ONN_ROLE_STATE && g->value[v].blob && g->value[v].desc.dtype == OCLNN_F32)
            ONN_TRY(add(t, g->value[v].blob, true, k++, g->value[v].name));
fail:
    return status;
}

void onn_averages_destroy(struct oclnn_trainer *t)
{
    for (int i = 0; i < t->n_averages; i++)
        onn_blob_unref(&t->average[i].blob);
    onn_free(t->average);
}

void onn_averages_use(const struct oclnn_trainer *t, struct onn_graph *g)
{
    for (int i = 0; i < t->n_averages; i++)
        for (int32_t v = 1; v < g->n_values; v++)
            if (g->value[v].blob == t->average[i].of) {
                onn_blob_unref(&g->value[v].blob);
                g->value[v].blob = onn_blob_ref(t->average[i].blob);
            }
}

/* References move along: each blob is held once by the graph and once by the trainer. */
void onn_averages_swap(struct oclnn_trainer *t)
{
    struct onn_graph *g = t->model->graph;
    for (int i = 0; i < t->n_averages; i++) {
        const struct onn_average *a = &t->average[i];
        for (int32_t v = 1; v < g->n_values; v++)
            if (g->value[v].blob == a->of || g->value[v].blob == a->blob)
                g->value[v].blob = g->value[v].blob == a->of ? a->blob : a->of;
    }
}

/* What `of` is after the step; 0: the step leaves it alone. */
static int32_t value_after(const struct oclnn_trainer *t, const struct onn_graph *g,
    const struct onn_blob *of, const struct onn_form *form, const int32_t *param, const int32_t *gradient)
{
    for (int k = 0; k < t->n_params; k++)
        if (t->param[k].blob == of)
            return gradient[k] ? param[k] : 0;
    for (int k = 0; k < form->n_updates; k++)
        if (g->value[form->update[k].state].blob == of)
            return form->update[k].value;
    return 0;
}

void onn_averages_append(const struct oclnn_trainer *t, struct onn_graph *g, const struct onn_form *form,
    const int32_t *param, const int32_t *gradient, int32_t scale, int32_t counter)
{
    const struct onn_optimizer_attr attr = {.decay = t->p.ema};
    for (int i = 0; i < t->n_averages && g->status == OCLNN_OK; i++) {
        const int32_t value = value_after(t, g, t->average[i].of, form, param, gradient);
        if (!value)
            continue;
        const int32_t own = onn_graph_add_blob(g, t->average[i].entry, ONN_ROLE_STATE, t->average[i].blob);
        onn_graph_add_op(g, onn_op_find("ema"), "update", &attr, 4, (int32_t[]){own, value, scale, counter},
            0);
    }
}
