/* Running a plan: a loop of enqueues. Nothing here allocates. */
#include "ops/op.h"
#include "plan/build.h"
#include "plan/plan.h"

struct onn_buffer *onn_plan_input(const struct onn_plan *p, int i)
{
    return p->own[p->place.storage[p->graph->input[i]]];
}

const struct onn_desc *onn_plan_input_desc(const struct onn_plan *p, int i)
{
    return &p->place.desc[p->graph->input[i]];
}

const struct onn_desc *onn_plan_output_desc(const struct onn_plan *p, int i)
{
    return &p->place.desc[p->graph->output[i]];
}

static enum oclnn_status enqueue_node(struct onn_plan *p, int k, struct onn_event **event)
{
    for (int t = 0; t < p->node[k].n; t++) {
        struct onn_event **last = t == p->node[k].n - 1 ? event : NULL;
        enum oclnn_status status = onn_step_enqueue(p->ctx, &p->step[p->node[k].first + t], last);
        if (status != OCLNN_OK)
            return onn_error_at(status, "node '%s' (%s)", p->graph->node[k].name, p->graph->node[k].op->name);
    }
    return OCLNN_OK;
}

/* Version of a derived node: changes when any of its sources does. Nodes that it reads stand before it and have theirs
 * already. Not a plain sum: what is added to itself often enough would stay the same. */
static uint64_t sources_version(const struct onn_plan *p, int k)
{
    const struct onn_node *n = &p->graph->node[k];
    uint64_t version = 0;
    for (int i = 0; i < n->n_in; i++) {
        const struct onn_value *v = &p->graph->value[n->in[i]];
        if (!n->in[i])
            continue;
        version ^= v->node >= 0 ? p->version[v->node] : v->blob ? v->blob->version : 0;
        version *= 0x9e3779b97f4a7c15u; /* odd: no two versions become one */
    }
    return version;
}

static struct onn_derived *derived_of(const struct onn_plan *p, int k)
{
    const struct onn_node *n = &p->graph->node[k];
    int32_t s = n->n_out && n->out[0] ? p->place.storage[n->out[0]] : -1;
    return s >= 0 ? p->derived[s] : NULL;
}

static enum oclnn_status refresh_derived(struct onn_plan *p)
{
    uint64_t stamp = 0;
    for (int v = 1; v < p->graph->n_values; v++)
        if (p->graph->value[v].node < 0 && p->graph->value[v].blob)
            stamp += p->graph->value[v].blob->version;
    if (p->derived_done && p->derived_stamp == stamp)
        return OCLNN_OK;
    for (int v = 1; v < p->graph->n_values; v++) { /* a parameter that the host changed */
        struct onn_buffer *buffer;
        if (p->graph->value[v].node < 0 && p->graph->value[v].blob &&
            onn_value_is_persistent(&p->graph->value[v])) {
            enum oclnn_status status = onn_plan_blob(p, v, &buffer);
            if (status != OCLNN_OK)
                return status;
        }
    }
    for (int k = 0; k < p->graph->n_nodes; k++) {
        struct onn_derived *d = p->place.derived[k] ? derived_of(p, k) : NULL;
        if (!p->place.derived[k])
            continue;
        const uint64_t version = p->version[k] = sources_version(p, k);
        if (p->place.kind[k] == ONN_NODE_NONE || (d && d->version == version))
            continue;
        enum oclnn_status status = enqueue_node(p, k, NULL);
        if (status != OCLNN_OK)
            return status;
        if (d)
            d->version = version;
    }
    p->derived_stamp = stamp;
    p->derived_done = true;
    return OCLNN_OK;
}

/* What update nodes wrote: parameters and states are newer on the device than on the host from now on, and derived
 * values of other plans that share them are out of date. */
static void mark_updated(struct onn_plan *p)
{
    for (int k = 0; k < p->graph->n_nodes; k++) {
        const struct onn_node *n = &p->graph->node[k];
        if (!(n->op->flags & ONN_OP_UPDATES))
            continue;
        for (int i = 0; i < n->n_in; i++) {
            const struct onn_value *v = &p->graph->value[n->in[i]];
            if (!n->in[i] || !v->blob || (v->role != ONN_ROLE_PARAM && v->role != ONN_ROLE_STATE))
                continue;
            v->blob->version++;
            v->blob->host_stale = true;
            v->blob->buffer_version = v->blob->version;
        }
    }
}

/* A program's own buffer among the arguments: chains know the plan's only. */
static bool is_bound(const struct onn_plan *p)
{
    bool bound = false;
    for (int i = 0; i < p->graph->n_inputs; i++)
        bound |= p->in[i].where == ONN_BOUND_DIRECT;
    for (int i = 0; i < p->graph->n_outputs; i++)
        bound |= p->out[i].where == ONN_BOUND_DIRECT;
    return bound;
}

/* The last node that launches something in every run, -1: none. */
static int last_node(const struct onn_plan *p)
{
    int k = p->graph->n_nodes - 1;
    while (k >= 0 && (p->place.derived[k] || !p->node[k].n))
        k--;
    return k;
}

enum oclnn_status onn_plan_run(struct onn_plan *p, struct onn_event **last)
{
    bool copied = false;
    if (last)
        *last = NULL;
    enum oclnn_status status = refresh_derived(p);
    const int end = last ? last_node(p) : -1;
    int chain = is_bound(p) ? p->n_chains : 0;
    for (int k = 0; k < p->graph->n_nodes && status == OCLNN_OK; k++) {
        if (chain < p->n_chains && p->chain[chain].first == k) {
            k = p->chain[chain].last;
            status = onn_chain_enqueue(p, &p->chain[chain++], k == end ? last : NULL);
        } else if (!p->place.derived[k]) {
            status = enqueue_node(p, k, k == end ? last : NULL);
        }
    }
    mark_updated(p);
    if (status == OCLNN_OK)
        status = onn_plan_copy_outputs(p, &copied);
    if (last && (status != OCLNN_OK || copied))
        onn_event_destroy(last);
    return status;
}

enum oclnn_status onn_plan_profile(struct onn_plan *p, double *time_ns)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_TRY(onn_plan_unchain(p));
    ONN_TRY(onn_queue_set_profiling(p->ctx, true));
    ONN_TRY(refresh_derived(p));
    mark_updated(p); /* even if a launch fails on the way */
    for (int k = 0; k < p->graph->n_nodes; k++) {
        time_ns[k] = 0;
        for (int t = 0; t < p->node[k].n && !p->place.derived[k]; t++) {
            struct onn_event *event = NULL;
            ONN_TRY(onn_step_enqueue(p->ctx, &p->step[p->node[k].first + t], &event));
            ONN_TRY(onn_queue_finish(p->ctx));
            time_ns[k] += onn_event_time_ns(event);
            onn_event_destroy(&event);
        }
    }
    ONN_TRY(onn_plan_copy_outputs(p, &(bool){false}));
    ONN_TRY(onn_queue_finish(p->ctx));
fail:
    onn_queue_set_profiling(p->ctx, false);
    return status;
}
