/* The choices of step plans, inside checkpoints and as a text of their own.
 * A resumed run plans as the saved one did, whatever databases of measurements and cost models say by then. With a memory
 * budget, what recompute aimed at is one of them. On another device, with another budget, or where the graph is another one
 * (clipping, frozen layers, passes), plans are made anew.
 * Choices that the program gives must fit: "oclnn step choices 1", then for each plan a line "[KEY]" or "[KEY] recompute=N"
 * and its nodes' lines as plan/choices.h has them. */
#include "plan/choices.h"
#include "train/checkpoint_file.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "choices/"
#define TARGET "recompute/"
#define HEAD "oclnn step choices 1"
#define RECOMPUTE " recompute="

/* What a step plan is known by: kind and shapes, "update pixels 50x1x8x8". */
static enum oclnn_status key_of(const struct oclnn_trainer *t, const struct onn_step_plan *p,
    const char *prefix, struct onn_str *key)
{
    static const char *const kinds[] = {[ONN_BATCH_UPDATE] = "update",
        [ONN_BATCH_FIRST] = "first",
        [ONN_BATCH_MORE] = "more",
        [ONN_BATCH_LAST] = "last"};
    static const char *const fronts[] = {[ONN_FRONT_NONE] = "arrays",
        [ONN_FRONT_PIXELS] = "pixels",
        [ONN_FRONT_MIXUP] = "mixup",
        [ONN_FRONT_MASKS] = "masks"};
    onn_str_add(key, "%s%s %s%s%s", prefix, p->training ? kinds[p->kind] : "evaluate", fronts[p->front],
        p->gradients ? " gradients" : "", p->labelled ? " numbers" : "");
    if (p->training && t->p.memory_budget)
        onn_str_add(key, " budget=%zu", t->p.memory_budget);
    for (int i = 0; i < t->model->graph->n_inputs; i++)
        for (int k = 0; k < p->desc[i].rank || k == 0; k++)
            onn_str_add(key, "%c%lld", k ? 'x' : ' ', p->desc[i].rank ? (long long)p->desc[i].dim[k] : 1);
    return onn_str_ok(key) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

/* ---- checkpoints ---- */

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
    struct onn_arena text = {0};
    ONN_TRY(onn_checkpoint_get_text(c, "device", &device));
    for (int i = 0; i < c->n && strcmp(device, onn_context_caps(t->ctx)->name) == 0; i++) {
        const struct onn_entry *e = &c->entry[i];
        if (e->kind != ONN_ENTRY_TEXT || strncmp(e->name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        struct onn_saved_choices *s = onn_arena_calloc(&text, 1, sizeof *s);
        ONN_TRY(s ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        s->key = onn_arena_strdup(&text, e->name + strlen(PREFIX));
        s->text = onn_arena_strdup(&text, e->data);
        ONN_TRY(s->key && s->text ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        s->target = target_of(c, s->key);
        s->next = last;
        last = s;
    }
    onn_arena_finish(&t->saved_text);
    t->saved_text = text;
    t->saved = last;
    return OCLNN_OK;
fail:
    onn_arena_finish(&text);
    return status;
}

/* ---- a text of the program's ---- */

/* A section: from behind "[" to the next one. */
static enum oclnn_status read_section(struct oclnn_trainer *t, const char *from, size_t bytes)
{
    enum oclnn_status status = OCLNN_OK;
    const size_t line = strcspn(from, "\n"), head = line < bytes ? line : bytes;
    const char *close = memchr(from, ']', head), *behind = close ? close + 1 : NULL;
    struct onn_saved_choices *s = onn_arena_calloc(&t->text, 1, sizeof *s);
    char *end = NULL;
    ONN_TRY(s ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    s->is_given = true;
    if (behind && strncmp(behind, RECOMPUTE, strlen(RECOMPUTE)) == 0) {
        s->target = (size_t)strtoull(behind + strlen(RECOMPUTE), &end, 10);
        behind = s->target ? end : NULL;
    }
    ONN_CHECK(behind && behind == from + head, OCLNN_ERROR_ARGUMENT,
        "choices: the line '[%.*s' is not '[PLAN]' or '[PLAN]" RECOMPUTE "BYTES'",
        (int)(head < 80 ? head : 80), from);
    s->key = onn_arena_printf(&t->text, "%.*s", (int)(close - from), from);
    s->text = onn_arena_printf(&t->text, ONN_CHOICES_HEAD "%.*s", (int)(bytes - head), from + head);
    ONN_TRY(s->key && s->text ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    s->next = t->given;
    t->given = s;
fail:
    return status;
}

enum oclnn_status onn_trainer_read_choices(struct oclnn_trainer *t, const char *text)
{
    enum oclnn_status status = OCLNN_OK;
    const size_t head = strlen(HEAD);
    const char *next = NULL;
    if (!text)
        return OCLNN_OK;
    ONN_CHECK(strncmp(text, HEAD "\n", head + 1) == 0, OCLNN_ERROR_ARGUMENT,
        "the choices do not begin with the line '" HEAD "'");
    text += head + 1;
    ONN_CHECK(*text == '[', OCLNN_ERROR_ARGUMENT, "choices: behind '" HEAD "' there is no line '[PLAN]'");
    for (; text; text = next) {
        const char *at = strstr(text, "\n[");
        next = at ? at + 1 : NULL;
        ONN_TRY(read_section(t, text + 1, next ? (size_t)(next - text) - 1 : strlen(text + 1)));
    }
fail:
    return status;
}

static const struct onn_saved_choices *find(const struct onn_saved_choices *s, const char *key)
{
    while (s && strcmp(s->key, key) != 0)
        s = s->next;
    return s;
}

enum oclnn_status onn_trainer_find_choices(const struct oclnn_trainer *t, const struct onn_step_plan *p,
    const struct onn_saved_choices **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_str key = {0};
    *out = NULL;
    if (!t->saved && !t->given)
        return OCLNN_OK;
    ONN_TRY(key_of(t, p, "", &key));
    *out = find(t->given, onn_str_text(&key));
    ONN_CHECK(*out || !t->given || !p->training, OCLNN_ERROR_ARGUMENT,
        "the choices that were given have no plan [%s]; their last one is [%s]", onn_str_text(&key),
        t->given->key);
    if (!*out)
        *out = find(t->saved, onn_str_text(&key));
fail:
    onn_str_finish(&key);
    return status;
}

static void tell(struct onn_str *text, void (*line)(void *user, const char *text), void *user)
{
    for (char *at = text->text; at && *at;) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        line(user, at);
        at = end ? end + 1 : NULL;
    }
}

enum oclnn_status oclnn_trainer_choices(const oclnn_trainer *t, void (*line)(void *user, const char *text),
    void *user)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_str text = {0};
    ONN_CHECK(t && line, OCLNN_ERROR_ARGUMENT, "the trainer or the function is NULL");
    ONN_CHECK(t->current, OCLNN_ERROR_ARGUMENT, "there was no step yet");
    onn_str_add(&text, HEAD "\n");
    for (int i = 0; i < ONN_TRAINER_PLANS; i++) {
        const struct onn_step_plan *p = &t->plan[i];
        if (!p->plan)
            continue;
        ONN_TRY(key_of(t, p, "[", &text));
        onn_str_add(&text, "]");
        if (p->aim)
            onn_str_add(&text, RECOMPUTE "%zu", p->aim);
        /* without that text's own head */
        onn_str_add(&text, "%s", onn_str_text(&p->plan->choices) + strlen(ONN_CHOICES_HEAD));
    }
    ONN_TRY(onn_str_ok(&text) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    tell(&text, line, user);
fail:
    onn_str_finish(&text);
    return status;
}
