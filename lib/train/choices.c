/* The choices of step plans inside checkpoints: a resumed run plans as the saved one did, whatever databases of measurements
 * and cost models say by then. On another device, or with a memory budget, plans are made anew. */
#include "train/checkpoint_file.h"
#include "train/trainer.h"

#include <string.h>

#define PREFIX "choices/"

/* What a step plan is known by: kind and shapes. */
static enum oclnn_status key_of(const struct oclnn_trainer *t, const struct onn_step_plan *p,
    struct onn_str *key)
{
    char shape[160];
    onn_str_add(key, PREFIX "%d.%d.%d.%d", p->training, (int)p->kind, (int)p->front, p->gradients);
    for (int i = 0; i < t->model->graph->n_inputs; i++)
        onn_str_add(key, ",%s", onn_desc_text(&p->desc[i], shape));
    return onn_str_ok(key) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

enum oclnn_status onn_trainer_save_choices(const struct oclnn_trainer *t, struct onn_checkpoint *c)
{
    enum oclnn_status status = onn_checkpoint_add_text(c, "device", onn_context_caps(t->ctx)->name);
    for (int i = 0; i < ONN_TRAINER_PLANS && status == OCLNN_OK && !t->p.memory_budget; i++) {
        const struct onn_step_plan *p = &t->plan[i];
        struct onn_str key = {0};
        if (!p->plan)
            continue;
        status = key_of(t, p, &key);
        if (status == OCLNN_OK)
            status = onn_checkpoint_add_text(c, onn_str_text(&key), onn_str_text(&p->plan->choices));
        onn_str_finish(&key);
    }
    return status;
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
        s->next = last;
        last = s;
    }
    t->saved = last;
fail:
    return status;
}

const char *onn_trainer_find_choices(const struct oclnn_trainer *t, const struct onn_step_plan *p)
{
    const char *found = NULL;
    struct onn_str key = {0};
    if (t->saved && !t->p.memory_budget && key_of(t, p, &key) == OCLNN_OK)
        for (const struct onn_saved_choices *s = t->saved; s && !found; s = s->next)
            found = strcmp(s->key, onn_str_text(&key)) == 0 ? s->text : NULL;
    onn_str_finish(&key);
    return found;
}
