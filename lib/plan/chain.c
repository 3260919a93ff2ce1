#include "plan/chain.h"
#include "base/thread.h"
#include "plan/chain_text.h"
#include "plan/plan.h"
#include "plan/programs.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BUFFERS 96 /* OpenCL promises 1024 bytes of arguments */
#define BUFFERS_STEP 16 /* the number of buffers is rounded up, so that networks share programs */
#define SMALL_ITEMS \
    4096 /* work-items of a launch whose work-groups have several: a driver makes vectors of them */
#define TILES_EACH 8 /* claims per processor and launch, where there are more work-groups */
#define STAGE_NODES 32 /* looked at together */
#define GAP 12e-6 /* s between launches on PoCL, workers woken again included; 7 to 15 on Intel's runtime */
#define WORTH 0.02 /* of the predicted time: a kernel of their own is not compiled for less */
enum {
    WORDS = 16,
    KIND = 0,
    END,
    WAIT,
    BEGIN,
    EACH,
    ALL,
    GROUPS,
    ITEMS = 9,
    ARGS = 12
}; /* cl/chain.cl has the same */

struct entry {
    int step;
    int64_t wait; /* tiles that must be done */
};

/* What the text says of a kernel. */
struct kernel {
    const struct onn_launch *of; /* a launch of it */
    bool plain;
    int n_params;
    bool is_tensor[ONN_CHAIN_MAX_PARAMS];
    struct kernel *next;
};

/* Nodes that become one launch. */
struct draft {
    struct onn_chain chain;
    int group, n_entries, cap_entries, n_buffers, n_words, cap_words;
    const struct onn_buffer *buffer[MAX_BUFFERS];
    struct entry *entry;
    int64_t *word; /* arguments */
    int64_t tiles, stage; /* so far; before the present stage */
    int stage_node; /* first node of the stage */
    double time; /* predicted */
};

struct onn_chains {
    struct onn_plan *p;
    const struct onn_launch *const *launch;
    const struct onn_deal *deal;
    const char *generated;
    struct onn_arena *arena;
    struct kernel *known;
    struct draft *draft; /* the last one is open */
    int n;
    bool *in_chain; /* per step */
};

static int64_t groups_of(const struct onn_step *s)
{
    int64_t groups = 1;
    for (int d = 0; d < s->dims; d++)
        groups *= (int64_t)(s->global[d] / (s->local[d] ? s->local[d] : 1));
    return groups;
}

static int64_t items_of(const struct onn_step *s)
{
    int64_t items = 1;
    for (int d = 0; d < s->dims; d++)
        items *= (int64_t)s->local[d];
    return items;
}

static int64_t each_of(const struct onn_plan *p, const struct onn_step *s)
{
    const int64_t most = (int64_t)onn_context_caps(p->ctx)->compute_units * TILES_EACH;
    return (groups_of(s) + most - 1) / most;
}

static int64_t tiles_of(const struct onn_plan *p, const struct onn_step *s)
{
    const int64_t each = each_of(p, s);
    return (groups_of(s) + each - 1) / each;
}

/* ---- which launches may stand in a chain ---- */

static const char *file_of(const struct onn_launch *l)
{
    return l->program ? l->program : "";
}

static bool same_kernel(const struct onn_launch *a, const struct onn_launch *b)
{
    return strcmp(a->kernel, b->kernel) == 0 && strcmp(file_of(a), file_of(b)) == 0 &&
        !a->source == !b->source;
}

static enum oclnn_status find_kernel(struct onn_chains *c, const struct onn_launch *l,
    const struct kernel **out)
{
    struct kernel *k = c->known;
    while (k && !same_kernel(k->of, l))
        k = k->next;
    *out = k;
    if (k)
        return OCLNN_OK;
    struct onn_chain_decl decl;
    struct onn_str text = {0};
    enum oclnn_status status = onn_source_text(file_of(l), l->source ? c->generated : NULL, &text);
    k = onn_arena_calloc(c->arena, 1, sizeof *k);
    if (status == OCLNN_OK && !k)
        status = OCLNN_ERROR_MEMORY;
    if (status == OCLNN_OK) {
        *k = (struct kernel){.of = l, .next = c->known};
        k->plain = onn_chain_takes(onn_str_text(&text)) &&
            onn_chain_find(onn_str_text(&text), l->kernel, &decl) && decl.plain;
        for (int i = 0; k->plain && i < decl.n_params; i++)
            k->is_tensor[k->n_params++] = !decl.param[i].type;
        *out = c->known = k;
    }
    onn_str_finish(&text);
    return status;
}

static bool agrees(const struct onn_launch *l, const struct kernel *kernel)
{
    int k = 0;
    for (int i = 0; i < l->n_args; i++) {
        const bool tensor = l->arg[i].kind != ONN_ARG_BYTES;
        if (l->arg[i].kind == ONN_ARG_LOCAL || k + 1 + tensor > kernel->n_params ||
            kernel->is_tensor[k] != tensor)
            return false;
        k += 1 + tensor;
    }
    return k == kernel->n_params;
}

static enum oclnn_status may_join(struct onn_chains *c, int i, bool *out)
{
    const struct kernel *kernel;
    const struct onn_step *s = &c->p->step[i];
    const struct onn_launch *l = c->launch[i];
    *out = s->empty;
    if (s->empty || s->is_gemm)
        return OCLNN_OK;
    const int64_t items = items_of(s);
    if (!items || (items > 1 && groups_of(s) * items > SMALL_ITEMS))
        return OCLNN_OK;
    enum oclnn_status status = find_kernel(c, l, &kernel);
    *out = status == OCLNN_OK && kernel->plain && agrees(l, kernel);
    return status;
}

/* May node k run beside all nodes of the stage? */
static bool joins_stage(const struct onn_plan *p, const struct draft *d, int k)
{
    if (k - d->stage_node > STAGE_NODES)
        return false;
    for (int j = d->stage_node; j < k; j++)
        if (!p->place.derived[j] && p->node[j].n && (p->node[j].n > 1 || !onn_chain_may_overlap(p, j, k)))
            return false;
    return true;
}

static int find_buffer(struct draft *d, const struct onn_buffer *b)
{
    int i = 0;
    while (i < d->n_buffers && d->buffer[i] != b)
        i++;
    if (i == MAX_BUFFERS)
        return -1;
    if (i == d->n_buffers)
        d->buffer[d->n_buffers++] = b;
    return i;
}

static int words_of(const struct onn_arg *a)
{
    return a->kind == ONN_ARG_BYTES ? (int)((a->bytes + 7) / 8) : 2;
}

/* Appends step i's arguments; false: no room for its buffers. */
static bool add_args(struct draft *d, const struct onn_step *s, const struct onn_launch *l,
    enum oclnn_status *status)
{
    int slot = 0;
    for (int k = 0; k < l->n_args; k++) {
        const struct onn_arg *a = &l->arg[k];
        const int words = words_of(a);
        while (d->n_words + words > d->cap_words)
            if (!onn_array_grow((void **)&d->word, d->cap_words, &d->cap_words, sizeof *d->word)) {
                *status = OCLNN_ERROR_MEMORY;
                return false;
            }
        int64_t *to = &d->word[d->n_words];
        d->n_words += words;
        if (a->kind == ONN_ARG_BYTES) {
            to[words - 1] = 0;
            memcpy(to, a->value, a->bytes);
            continue;
        }
        const struct onn_spot *spot = &s->slot[slot++].spot;
        to[0] = find_buffer(d, spot->buffer);
        to[1] = spot->offset;
        if (to[0] < 0)
            return false;
    }
    return true;
}

/* The arrays may have grown since. */
static void back_to(struct draft *d, const struct draft *before)
{
    struct draft now = *d;
    *d = *before;
    d->entry = now.entry;
    d->cap_entries = now.cap_entries;
    d->word = now.word;
    d->cap_words = now.cap_words;
}

/* Appends node k; false: the chain is full, and as it was. */
static bool add_node(struct onn_chains *c, struct draft *d, int k, enum oclnn_status *status)
{
    const struct onn_plan *p = c->p;
    const struct draft before = *d;
    for (int t = 0; t < p->node[k].n; t++) {
        const int i = p->node[k].first + t;
        const struct onn_step *s = &p->step[i];
        if (s->empty)
            continue;
        if (t > 0 || !d->n_entries || !joins_stage(p, d, k)) {
            d->stage = d->tiles;
            d->stage_node = k;
        }
        const int64_t tiles = tiles_of(p, s);
        if (!onn_array_grow((void **)&d->entry, d->n_entries, &d->cap_entries, sizeof *d->entry))
            *status = OCLNN_ERROR_MEMORY;
        if (*status != OCLNN_OK || tiles > INT32_MAX / 2 - d->tiles ||
            !add_args(d, s, c->launch[i], status)) {
            back_to(d, &before);
            return false;
        }
        d->entry[d->n_entries++] = (struct entry){i, d->stage};
        d->tiles += tiles;
    }
    if (!before.n_entries)
        d->chain.first = k;
    d->chain.last = k;
    d->time += p->choice[k].time;
    return true;
}

static void drop_draft(struct draft *d)
{
    onn_free(d->entry);
    onn_free(d->word);
}

/* What was collected becomes a chain if it is worth one, and the next one begins. */
static void next_draft(struct onn_chains *c, int group)
{
    struct draft *d = &c->draft[c->n];
    const bool kept = d->n_entries > 1 && (d->n_entries - 1) * GAP >= WORTH * d->time;
    for (int e = 0; e < d->n_entries && kept; e++)
        c->in_chain[d->entry[e].step] = true;
    if (kept)
        d = &c->draft[++c->n];
    drop_draft(d);
    *d = (struct draft){.group = group};
}

static enum oclnn_status collect_node(struct onn_chains *c, int k)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_plan *p = c->p;
    int group = -1;
    bool joins = true;
    for (int t = 0; t < p->node[k].n && joins; t++) {
        const int i = p->node[k].first + t;
        ONN_TRY(may_join(c, i, &joins));
        if (p->step[i].empty)
            continue;
        joins = joins && (group < 0 || group == onn_deal_group(c->deal, i));
        group = onn_deal_group(c->deal, i);
    }
    if (joins && group < 0) /* nothing to launch */
        return OCLNN_OK;
    if (!joins || c->draft[c->n].group != group)
        next_draft(c, joins ? group : -1);
    if (joins && !add_node(c, &c->draft[c->n], k, &status)) {
        ONN_TRY(status);
        next_draft(c, group);
        if (!add_node(c, &c->draft[c->n], k, &status) && status == OCLNN_OK)
            next_draft(c, -1);
    }
fail:
    return status;
}

enum oclnn_status onn_chains_collect(struct onn_plan *p, const struct onn_launch *const *launch,
    const char *generated, struct onn_arena *arena, struct onn_chains **out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_caps *caps = onn_context_caps(p->ctx);
    struct onn_deal *deal;
    struct onn_chains *c = onn_arena_calloc(arena, 1, sizeof *c);
    *out = NULL;
    if (!caps->vector_cpu || !caps->joins || caps->slow || p->chains_off || p->n_steps < 2)
        return OCLNN_OK;
    ONN_TRY(c ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_programs_deal(p->ctx, launch, p->n_steps, generated, false, arena, &deal));
    *c = (struct onn_chains){.p = p,
        .launch = launch,
        .deal = deal,
        .generated = generated,
        .arena = arena,
        .draft = onn_arena_calloc(arena, (size_t)p->n_steps / 2 + 2, sizeof *c->draft),
        .in_chain = onn_arena_calloc(arena, (size_t)p->n_steps, sizeof *c->in_chain)};
    ONN_TRY(c->draft && c->in_chain ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    next_draft(c, -1);
    for (int k = 0; k < p->graph->n_nodes; k++)
        if (!p->place.derived[k] && p->node[k].n)
            ONN_TRY(collect_node(c, k));
    next_draft(c, -1);
    *out = c;
    c = NULL;
fail:
    onn_chains_drop(&c);
    return status;
}

void onn_chains_drop(struct onn_chains **chains)
{
    struct onn_chains *c = chains ? *chains : NULL;
    for (int i = 0; c && c->draft && i <= c->n; i++)
        drop_draft(&c->draft[i]);
    if (chains)
        *chains = NULL;
}

bool onn_chains_have(const struct onn_chains *c, int step)
{
    return c && c->in_chain[step];
}

/* ---- making ---- */

static void fill_entry(const struct onn_chains *c, int step, int64_t *to)
{
    const struct onn_step *s = &c->p->step[step];
    to[EACH] = each_of(c->p, s);
    to[ALL] = groups_of(s);
    for (int d = 0; d < 3; d++) {
        to[ITEMS + d] = d < s->dims ? (int64_t)s->local[d] : 1;
        to[GROUPS + d] = d < s->dims ? (int64_t)(s->global[d] / s->local[d]) : 1;
    }
}

static enum oclnn_status make_table(const struct onn_chains *c, const struct draft *d,
    const char *const *kernel, struct onn_chain *out)
{
    enum oclnn_status status = OCLNN_OK;
    const size_t head = (size_t)d->n_entries * WORDS, all = head + (size_t)d->n_words;
    int64_t *words = onn_calloc(all, sizeof *words), begin = 0, args = (int64_t)head;
    ONN_TRY(words ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int e = 0; e < d->n_entries; e++) {
        const int step = d->entry[e].step;
        const struct onn_launch *l = c->launch[step];
        int64_t *to = words + (size_t)e * WORDS;
        while (strcmp(kernel[to[KIND]], l->kernel) != 0)
            to[KIND]++;
        fill_entry(c, step, to);
        to[BEGIN] = begin;
        to[END] = begin += tiles_of(c->p, &c->p->step[step]);
        to[WAIT] = d->entry[e].wait;
        to[ARGS] = args;
        for (int i = 0; i < l->n_args; i++)
            args += words_of(&l->arg[i]);
    }
    memcpy(words + head, d->word, (size_t)d->n_words * sizeof *words);
    ONN_TRY(onn_buffer_create(c->p->ctx, all * sizeof *words, &out->table));
    ONN_TRY(onn_buffer_write(c->p->ctx, out->table, 0, all * sizeof *words, words, true));
    ONN_TRY(onn_buffer_create(c->p->ctx, 48 * sizeof(int32_t), &out->count));
    ONN_TRY(onn_buffer_fill(c->p->ctx, out->count, 0));
fail:
    onn_free(words);
    return status;
}

static void finish(struct onn_chain *chain)
{
    onn_kernel_destroy(&chain->kernel);
    onn_buffer_destroy(&chain->table);
    onn_buffer_destroy(&chain->count);
}

/* buffers: of the program's kernel, at least the chain's. */
static enum oclnn_status make_chain(const struct onn_chains *c, const struct draft *d,
    const char *const *kernel, struct onn_program *program, int buffers)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_chain chain = d->chain;
    const int units = onn_context_caps(c->p->ctx)->compute_units, cores = onn_thread_cores();
    chain.workers = (size_t)(units < cores ? units : cores);
    ONN_TRY(make_table(c, d, kernel, &chain));
    ONN_TRY(onn_kernel_create(c->p->ctx, program, "onn_chain", &chain.kernel));
    ONN_TRY(onn_kernel_set_buffer(chain.kernel, 0, chain.table));
    ONN_TRY(onn_kernel_set_bytes(chain.kernel, 1, sizeof(int32_t), &(int32_t){d->n_entries}));
    ONN_TRY(onn_kernel_set_buffer(chain.kernel, 2, chain.count));
    for (int i = 0; i < buffers; i++)
        ONN_TRY(onn_kernel_set_buffer(chain.kernel, 3 + i, i < d->n_buffers ? d->buffer[i] : NULL));
    c->p->chain[c->p->n_chains++] = chain;
    return OCLNN_OK;
fail:
    finish(&chain);
    return status;
}

static int by_first(const void *a, const void *b)
{
    const struct onn_chain *x = a, *y = b;
    return x->first - y->first;
}

/* All chains of a group share its program. */
static enum oclnn_status make_group(const struct onn_chains *c, int group)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_program *program;
    int buffers = 0, n_kernels = 0;
    const char **kernel = onn_arena_calloc(c->arena, (size_t)c->p->n_steps, sizeof *kernel);
    ONN_TRY(kernel ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < c->n; i++)
        if (c->draft[i].group == group && c->draft[i].n_buffers > buffers)
            buffers = c->draft[i].n_buffers;
    buffers = (buffers + BUFFERS_STEP - 1) / BUFFERS_STEP * BUFFERS_STEP;
    ONN_TRY(onn_programs_chain(c->deal, group, c->in_chain, buffers, kernel, &n_kernels, &program));
    c->p->stats.programs++;
    for (int i = 0; i < c->n; i++)
        if (c->draft[i].group == group)
            ONN_TRY(make_chain(c, &c->draft[i], kernel, program, buffers));
fail:
    return status;
}

enum oclnn_status onn_chains_make(struct onn_chains *c)
{
    enum oclnn_status status = OCLNN_OK;
    if (!c || !c->n)
        return OCLNN_OK;
    c->p->chain = onn_calloc((size_t)c->n, sizeof *c->p->chain);
    ONN_TRY(c->p->chain ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < c->n; i++) {
        bool made = false;
        for (int j = 0; j < i; j++)
            made |= c->draft[j].group == c->draft[i].group;
        if (!made)
            ONN_TRY(make_group(c, c->draft[i].group));
    }
    qsort(c->p->chain, (size_t)c->p->n_chains, sizeof *c->p->chain, by_first);
fail:
    return status;
}

enum oclnn_status onn_chain_enqueue(const struct onn_plan *p, const struct onn_chain *chain,
    struct onn_event **event)
{
    const size_t one[1] = {1};
    return onn_queue_launch(p->ctx, chain->kernel, 1, &chain->workers, one, event);
}

void onn_chains_finish(struct onn_plan *p)
{
    for (int i = 0; i < p->n_chains; i++)
        finish(&p->chain[i]);
    onn_free(p->chain);
    p->chain = NULL;
    p->n_chains = 0;
}
