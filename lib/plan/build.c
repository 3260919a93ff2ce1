#include "plan/build.h"
#include "base/clock.h"
#include "ops/walk.h"
#include "pass/rewrite.h"
#include "plan/plan.h"
#include "plan/programs.h"

#include <string.h>

#define HINT "a smaller batch or input takes less, in training a memory budget too (--memory-budget)"
#define SMALL_ARENA ((size_t)256 << 20) /* not worth asking the machine */

struct pending { /* a launch waiting for its program */
    struct onn_launch launch;
    int node;
};

struct build {
    struct onn_plan *p;
    struct onn_arena arena;
    struct pending *item;
    int n, cap;
    struct onn_str generated; /* all generated kernels of the plan, each once */
    int node; /* being resolved */
};

/* ---- buffers ---- */

static struct onn_hash value_key(const struct onn_plan *p, int v, struct onn_hash *keys)
{
    const struct onn_value *value = &p->graph->value[v];
    struct onn_hash h = {0};
    if (value->node >= 0)
        return keys[value->node];
    uint64_t id = value->blob ? value->blob->id : 0;
    return onn_hash_add(h, &id, sizeof id);
}

/* How a derived value is made, as a hash: operator, attributes, formats, sources. */
static enum oclnn_status node_key(const struct onn_plan *p, int k, struct onn_hash *keys)
{
    struct onn_arena scratch = {0};
    struct onn_prob prob;
    const struct onn_node *n = &p->graph->node[k];
    enum oclnn_status status = onn_placed_prob(p->graph, &p->place, k, &p->place_options, &scratch, &prob);
    if (status == OCLNN_OK) {
        struct onn_str text = {0};
        char name[160];
        onn_prob_text(&prob, &text);
        for (int i = 0; i < n->n_out; i++)
            onn_str_add(&text, " > %s", n->out[i] ? onn_desc_text(&p->place.desc[n->out[i]], name) : "-");
        onn_str_add(&text, " %s", p->choice[k].variant ? p->choice[k].variant->name : "view");
        keys[k] = onn_hash_add_text((struct onn_hash){0}, onn_str_text(&text));
        for (int i = 0; i < n->n_in; i++) {
            struct onn_hash in = n->in[i] ? value_key(p, n->in[i], keys) : (struct onn_hash){0};
            keys[k] = onn_hash_add(keys[k], &in, sizeof in);
        }
        status = onn_str_ok(&text) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
        onn_str_finish(&text);
    }
    onn_arena_finish(&scratch);
    return status;
}

static enum oclnn_status make_derived(struct onn_plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_hash *keys = onn_calloc((size_t)p->graph->n_nodes + 1, sizeof *keys);
    ONN_TRY(keys ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int k = 0; k < p->graph->n_nodes; k++)
        if (p->place.derived[k])
            ONN_TRY(node_key(p, k, keys));
    for (int s = 0; s < p->place.n_storages; s++) {
        const struct onn_storage *store = &p->place.store[s];
        if (store->kind != ONN_STORAGE_DERIVED)
            continue;
        const struct onn_value *v = &p->graph->value[store->value];
        struct onn_hash key = onn_hash_add(keys[v->node], &v->slot, sizeof v->slot);
        ONN_TRY(onn_derived_get(p->cache, p->ctx, key, store->bytes, &p->derived[s]));
        p->stats.derived_bytes += store->bytes;
    }
fail:
    onn_free(keys);
    return status;
}

enum oclnn_status onn_plan_blob(const struct onn_plan *p, int v, struct onn_buffer **out)
{
    const struct onn_value *value = &p->graph->value[v];
    return onn_blob_device(value->blob, p->ctx, out);
}

static enum oclnn_status make_buffers(struct onn_plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_caps *caps = onn_context_caps(p->ctx);
    const size_t storages = (size_t)p->place.n_storages + 1, arena = p->stats.arena_bytes;
    p->segment = onn_calloc((size_t)p->place.n_segments + 1, sizeof(struct onn_buffer *));
    p->own = onn_calloc(storages, sizeof(struct onn_buffer *));
    p->derived = onn_calloc(storages, sizeof(struct onn_derived *));
    ONN_TRY(p->segment && p->own && p->derived ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_plan_init_bound(p));
    ONN_CHECK(!caps->global_bytes || arena <= caps->global_bytes, OCLNN_ERROR_DEVICE_MEMORY,
        "the plan needs %zu bytes for activations, the device has %zu: " HINT, arena, caps->global_bytes);
    /* a processor's memory is everybody's: more than is free now would drive the machine into swapping */
    const size_t available = caps->is_cpu && arena > SMALL_ARENA ? onn_memory_available() : 0;
    ONN_CHECK(!available || arena <= available, OCLNN_ERROR_DEVICE_MEMORY,
        "the plan needs %zu bytes for activations, the machine has %zu available: " HINT, arena, available);
    for (int i = 0; i < p->place.n_segments; i++) {
        status = onn_buffer_create_open(p->ctx, p->place.segment_bytes[i], &p->segment[i]);
        if (status != OCLNN_OK) {
            onn_error_at(status, "activations of %zu bytes (device: %zu, largest buffer %zu; " HINT ")",
                arena, caps->global_bytes, caps->max_alloc);
            goto fail;
        }
        /* drivers allocate lazily: touch every byte now, so that a shortage shows here and not in a run */
        ONN_TRY(onn_buffer_fill(p->ctx, p->segment[i], 0));
    }
    for (int s = 0; s < p->place.n_storages; s++) {
        const struct onn_storage *store = &p->place.store[s];
        if (store->kind == ONN_STORAGE_INPUT) {
            ONN_TRY(onn_buffer_create_open(p->ctx, store->bytes ? store->bytes : 1, &p->own[s]));
            p->stats.staging_bytes += store->bytes;
        } else if (store->kind == ONN_STORAGE_BLOB) {
            struct onn_buffer *buffer;
            ONN_TRY(onn_plan_blob(p, store->value, &buffer));
            p->stats.parameter_bytes += store->bytes;
        }
    }
    ONN_TRY(onn_plan_init_staging(p));
    ONN_TRY(make_derived(p));
fail:
    return status;
}

enum oclnn_status onn_plan_locate(const struct onn_plan *p, int v, struct onn_spot *out)
{
    enum oclnn_status status = OCLNN_OK;
    *out = (struct onn_spot){0};
    if (!v)
        return OCLNN_OK;
    int32_t s = p->place.storage[v];
    if (s < 0)
        return onn_error(OCLNN_ERROR_INTERNAL, "value '%s' has no storage", p->graph->value[v].name);
    const struct onn_storage *store = &p->place.store[s];
    const struct onn_desc *d = &p->place.desc[v];
    out->offset = d->offset;
    switch (store->kind) {
    case ONN_STORAGE_ARENA:
        out->buffer = p->segment[store->segment];
        out->offset += (int64_t)(store->offset / oclnn_dtype_size(d->dtype));
        break;
    case ONN_STORAGE_BLOB: status = onn_plan_blob(p, store->value, &out->buffer); break;
    case ONN_STORAGE_DERIVED: out->buffer = p->derived[s]->buffer; break;
    case ONN_STORAGE_INPUT: out->buffer = p->own[s]; break;
    }
    return status;
}

/* ---- launches ---- */

static enum oclnn_status take_launches(struct build *b, int k, const struct onn_bind *bind)
{
    if (bind->status != OCLNN_OK)
        return bind->status;
    for (int i = 0; i < bind->n; i++) {
        if (!onn_array_grow((void **)&b->item, b->n, &b->cap, sizeof *b->item))
            return OCLNN_ERROR_MEMORY;
        b->item[b->n++] = (struct pending){.launch = bind->launch[i], .node = k};
    }
    return OCLNN_OK;
}

/* A view that needs packed bytes: one copy. */
static enum oclnn_status bind_pack(const struct onn_prob *p, struct onn_bind *bind)
{
    struct onn_desc view = p->out[0];
    view.offset = 0;
    if (p->op->view(p, &view))
        return onn_bind_copy(p, bind, 0, &view, 0, &p->out[0]);
    struct onn_desc packed = p->in[0];
    onn_desc_set_format(&packed, packed.format);
    packed.offset = p->out[0].offset;
    return onn_bind_copy(p, bind, 0, &p->in[0], 0, &packed);
}

static enum oclnn_status bind_gather(const struct build *b, int k, const struct onn_prob *p,
    struct onn_bind *bind)
{
    const struct onn_node *n = &b->p->graph->node[k];
    for (int i = 0; i < n->n_in; i++) {
        struct onn_desc view = p->in[i];
        if (!n->in[i] || b->p->place.parent[n->in[i]] == n->out[0])
            continue;
        if (!onn_desc_elements(&p->in[i]))
            continue;
        if (!n->op->view_in(p, i, &view)) { /* e.g. a blocked format whose blocks this input would cut */
            bind->n = 0;
            return b->p->choice[k].variant->bind(p, &b->p->choice[k].tune, bind);
        }
        enum oclnn_status status = onn_bind_copy(p, bind, i, &p->in[i], 0, &view);
        if (status != OCLNN_OK)
            return status;
    }
    return OCLNN_OK;
}

static enum oclnn_status bind_node(struct build *b, int k)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_plan *p = b->p;
    const struct onn_node *n = &p->graph->node[k];
    struct onn_prob prob;
    struct onn_bind bind = {.arena = &b->arena};
    p->node[k] = (struct onn_plan_node){b->n, 0};
    if (p->place.kind[k] == ONN_NODE_NONE)
        return OCLNN_OK;
    ONN_TRY(onn_placed_prob(p->graph, &p->place, k, &p->place_options, &b->arena, &prob));
    if (p->place.kind[k] == ONN_NODE_PACK)
        status = bind_pack(&prob, &bind);
    else if (p->place.kind[k] == ONN_NODE_GATHER)
        status = bind_gather(b, k, &prob, &bind);
    else
        status = p->choice[k].variant->bind(&prob, &p->choice[k].tune, &bind);
    ONN_TRY(status);
    ONN_TRY(take_launches(b, k, &bind));
    p->node[k].n = b->n - p->node[k].first;
    if (!p->place.derived[k])
        p->stats.flop += n->op->flop ? n->op->flop(&prob) : onn_default_flop(&prob);
fail:
    onn_bind_finish(&bind);
    return status ? onn_error_at(status, "node '%s' (%s)", n->name, n->op->onnx ? n->op->onnx : n->op->name)
                  : status;
}

/* All generated texts of the plan are one prelude, so that they are compiled together. */
static enum oclnn_status collect_generated(struct build *b)
{
    for (int i = 0; i < b->n; i++) {
        const char *text = b->item[i].launch.source;
        bool known = !text;
        for (int j = 0; j < i && !known; j++)
            known = b->item[j].launch.source && strcmp(b->item[j].launch.source, text) == 0;
        if (!known)
            onn_str_add(&b->generated, "%s\n", text);
    }
    return onn_str_ok(&b->generated) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

static enum oclnn_status resolve(void *user, enum onn_arg_kind kind, int index, struct onn_spot *out)
{
    const struct build *b = user;
    const struct onn_plan *p = b->p;
    const struct onn_node *n = &p->graph->node[b->node];
    if (kind == ONN_ARG_WORKSPACE) {
        int32_t s = p->place.workspace[b->node];
        if (s < 0)
            return onn_error(OCLNN_ERROR_INTERNAL, "a workspace argument without workspace");
        *out = (struct onn_spot){p->segment[p->place.store[s].segment],
            (int64_t)(p->place.store[s].offset / sizeof(float))};
        return OCLNN_OK;
    }
    return onn_plan_locate(p, kind == ONN_ARG_IN ? n->in[index] : n->out[index], out);
}

/* Kernels of the steps that no chain runs, or (chains NULL) of all that have none. */
static enum oclnn_status compile_steps(struct build *b, const struct onn_launch *const *launch,
    const struct onn_chains *chains)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_plan *p = b->p;
    int n = 0, programs = 0;
    int *step = onn_arena_calloc(&b->arena, (size_t)b->n + 1, sizeof *step);
    const struct onn_launch **wanted = onn_arena_calloc(&b->arena, (size_t)b->n + 1, sizeof *wanted);
    struct onn_program **program = onn_arena_calloc(&b->arena, (size_t)b->n + 1, sizeof *program);
    ONN_TRY(step && wanted && program ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < b->n; i++)
        if (!onn_chains_have(chains, i) && !p->step[i].kernel) {
            step[n] = i;
            wanted[n++] = launch[i];
        }
    ONN_TRY(onn_programs_get(p->ctx, wanted, n, onn_str_text(&b->generated), &b->arena, program, &programs));
    p->stats.programs += programs;
    for (int i = 0; i < n; i++) {
        status = onn_step_compile(p->ctx, wanted[i], program[i], &p->step[step[i]]);
        if (status != OCLNN_OK) {
            onn_error_at(status, "node '%s'", p->graph->node[b->item[step[i]].node].name);
            goto fail;
        }
    }
fail:
    return status;
}

static enum oclnn_status list_launches(struct build *b, const struct onn_launch ***out)
{
    const struct onn_launch **launch = onn_arena_calloc(&b->arena, (size_t)b->n + 1, sizeof *launch);
    for (int i = 0; launch && i < b->n; i++)
        launch[i] = &b->item[i].launch;
    *out = launch;
    return launch ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

static enum oclnn_status make_steps(struct build *b)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_plan *p = b->p;
    struct onn_chains *chains = NULL;
    const struct onn_launch **launch;
    p->step = onn_calloc((size_t)b->n + 1, sizeof *p->step);
    ONN_TRY(p->step ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(list_launches(b, &launch));
    for (int i = 0; i < b->n; i++) {
        b->node = b->item[i].node;
        status = onn_step_prepare(p->ctx, launch[i], resolve, b, &p->step[i]);
        if (status != OCLNN_OK) {
            onn_error_at(status, "node '%s'", p->graph->node[b->node].name);
            goto fail;
        }
        p->n_steps = i + 1;
    }
    p->stats.kernels = b->n;
    ONN_TRY(onn_chains_collect(p, launch, onn_str_text(&b->generated), &b->arena, &chains));
    ONN_TRY(compile_steps(b, launch, chains));
    status = onn_chains_make(chains);
    if (status == OCLNN_ERROR_BUILD) { /* a matter of speed only */
        onn_log(onn_context_log(p->ctx), OCLNN_LOG_WARN, "layers run one by one, joining them failed: %s",
            oclnn_error_text(NULL));
        onn_chains_finish(p);
        status = compile_steps(b, launch, NULL);
    }
fail:
    onn_chains_drop(&chains);
    return status;
}

static enum oclnn_status bind_all(struct build *b)
{
    enum oclnn_status status = OCLNN_OK;
    for (int k = 0; k < b->p->graph->n_nodes; k++)
        ONN_TRY(bind_node(b, k));
    ONN_TRY(collect_generated(b));
fail:
    return status;
}

static void finish(struct build *b)
{
    onn_free(b->item);
    onn_str_finish(&b->generated);
    onn_arena_finish(&b->arena);
}

enum oclnn_status onn_plan_unchain(struct onn_plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_launch **launch;
    struct build b = {.p = p};
    if (!p->n_chains || p->unchained)
        return OCLNN_OK;
    const struct onn_plan_stats stats = p->stats;
    ONN_TRY(bind_all(&b)); /* the same launches again */
    ONN_TRY(list_launches(&b, &launch));
    ONN_CHECK(b.n == p->n_steps, OCLNN_ERROR_INTERNAL, "a plan of %d launches has become one of %d",
        p->n_steps, b.n);
    ONN_TRY(compile_steps(&b, launch, NULL));
    p->unchained = true;
fail:
    p->stats.flop = stats.flop;
    finish(&b);
    return status;
}

enum oclnn_status onn_plan_build(struct onn_plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    const uint64_t start = onn_clock_ns();
    struct build b = {.p = p};
    ONN_TRY(make_buffers(p));
    p->node = onn_calloc((size_t)p->graph->n_nodes + 1, sizeof *p->node);
    p->version = onn_calloc((size_t)p->graph->n_nodes + 1, sizeof *p->version);
    ONN_TRY(p->node && p->version ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(bind_all(&b));
    ONN_TRY(make_steps(&b));
    p->stats.build_ms = (double)(onn_clock_ns() - start) * 1e-6;
fail:
    finish(&b);
    return status;
}
