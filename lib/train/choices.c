/* The choices of step plans inside checkpoints: a resumed run plans as the saved one did, whatever databases of measurements
 * and cost models say by then. With a memory budget, what recompute aimed at is one of them. On another device, with another
 * budget, or where the graph is another one (clipping, frozen layers, passes), plans are made anew. */
#include "train/checkpoint_file.h"
#include "train/trainer.h"

#include <string.h>

#define PREFIX "choices/"
#define TARGET "recompute/"

/* What a step plan is known by: kind and shapes. */
static enum oclnn_status key_of(const struct oclnn_trainer *t, const struct onn_step_plan *p,
    const char *prefix, struct onn_str *key)
{
    char shape[160];
    onn_str_add(key, "%s%d.%d.%d.%d", prefix, p->training, (int)p->kind, (int)p->front, p->gradients);
    if (p->training && t->p.memory_budget)
        onn_str_add(key, ",budget=%zu", t->p.memory_budget);
    for (int i = 0; i < t->model->graph->n_inputs; i++)
        onn_str_add(key, ",%s", onn_desc_text(&p->desc[i], shape));
    return onn_str_ok(key) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

enum oclnn_status onn_trainer_save_choices(const struct oclnn_trainer *t, struct onn_checkpoint *c)
{
    enum oclnn_status status = onn_checkpoint_add_text(c, "device", onn_context_caps(t->ctx)->name);
    for (int i = 0; i < ONN_TRAINER_PLANS && status == OCLNN_OK; i++) {
        const struct onn_step_plan *p = &t->plan[i];
        struct onn_str key = {0}, target = {0};
        if (!p->plan)
            continue;
        status = key_of(t, p, PREFIX, &key);
        if (status == OCLNN_OK)
            status = onn_checkpoint_add_text(c, onn_str_text(&key), onn_str_text(&p->plan->choices));
        if (status == OCLNN_OK && p->aim)
            status = key_of(t, p, TARGET, &target);
        if (status == OCLNN_OK && p->aim)
            status = onn_checkpoint_add_i64(c, onn_str_text(&target), (int64_t)p->aim);
        onn_str_finish(&key);
        onn_str_finish(&target);
    }
    return status;
}

/* 0: not recomputed. */
static size_t target_of(const struct onn_checkpoint *c, const char *key)
{
    struct onn_str name = {0};
    int64_t target = 0;
    onn_str_add(&name, TARGET "%s", key);
    if (onn_str_ok(&name) && onn_checkpoint_find(c, ONN_ENTRY_I64, onn_str_text(&name)))
        onn_checkpoint_get_i64(c, onn_str_text(&name), &target);
    onn_str_finish(&name);
    return target > 0 ? (size_t)target : 0;
}

enum oclnn_status onn_trainer_load_choices(struct oclnn_trainer *t, const struct onn_checkpoint *c)
{
    enum oclnn_status status = OCLNN_OK;
    const char *device = "";
    struct onn_saved_choices *last = NULL;
    ONN_TRY(onn_checkpoint_get_text(c, "device", &device));
    onn_arena_finish(&t->saved_text);
    t->saved = NULL;
    for (int i = 0; i < c->n && strcmp(device, onn_context_caps(t->ctx)->name) == 0; i++) {
        const struct onn_entry *e = &c->entry[i];
        if (e->kind != ONN_ENTRY_TEXT || strncmp(e->name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        struct onn_saved_choices *s = onn_arena_calloc(&t->saved_text, 1, sizeof *s);
        ONN_TRY(s ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        s->key = onn_arena_strdup(&t->saved_text, e->name);
        s->text = onn_arena_strdup(&t->saved_text, e->data);
        ONN_TRY(s->key && s->text ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        s->target = target_of(c, e->name + strlen(PREFIX));
        s->next = last;
        last = s;
    }
    t->saved = last;
fail:
    return status;
}

const struct onn_saved_choices *onn_trainer_find_choices(const struct oclnn_trainer *t,
    const struct onn_step_plan *p)
{
    const struct onn_saved_choices *found = NULL;
    struct onn_str key = {0};
    if (t->saved && key_of(t, p, PREFIX, &key) == OCLNN_OK)
        for (const struct onn_saved_choices *s = t->saved; s && !found; s = s->next)
            found = strcmp(s->key, onn_str_text(&key)) == 0 ? s : NULL;
    onn_str_finish(&key);
    return found;
}
