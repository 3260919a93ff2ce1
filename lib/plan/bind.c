/* A program's own buffers as inputs and outputs of a plan: the arguments of the kernels that touch them are set again. */
#include "plan/build.h"
#include "plan/plan.h"

static int32_t input_storage(const struct onn_plan *p, int i)
{
    return p->place.storage[p->graph->input[i]];
}

static int32_t output_storage(const struct onn_plan *p, int i)
{
    return p->place.storage[p->graph->output[i]];
}

/* May output i lie in a buffer of its size? All of its storage must be this one output: nothing larger around it, no second
 * output, no constant, no input. Its other forms (parts of a concat, reshaped, overwritten in place) may be there, too. */
static bool is_movable(const struct onn_plan *p, int i)
{
    const int32_t v = p->graph->output[i], s = output_storage(p, i);
    const struct onn_desc *d = &p->place.desc[v];
    if (s < 0 || p->place.store[s].kind != ONN_STORAGE_ARENA || !onn_desc_is_packed(d))
        return false;
    for (int k = 0; k < p->graph->n_outputs; k++)
        if (k != i && output_storage(p, k) == s)
            return false;
    return onn_desc_bytes(&p->place.desc[p->place.store[s].value]) == onn_desc_bytes(d);
}

static bool is_read(const struct onn_plan *p, int32_t s)
{
    for (int k = 0; k < p->graph->n_nodes; k++)
        for (int j = 0; j < p->graph->node[k].n_in; j++)
            if (p->graph->node[k].in[j] && p->place.storage[p->graph->node[k].in[j]] == s &&
                p->place.kind[k] != ONN_NODE_NONE)
                return true;
    return false;
}

enum oclnn_status onn_plan_init_bound(struct onn_plan *p)
{
    const struct onn_graph *g = p->graph;
    enum oclnn_status status = OCLNN_OK;
    p->in = onn_calloc((size_t)g->n_inputs + 1, sizeof *p->in);
    p->out = onn_calloc((size_t)g->n_outputs + 1, sizeof *p->out);
    ONN_TRY(p->in && p->out ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < g->n_inputs; i++)
        ONN_TRY(onn_buffer_wrap_none(p->ctx, &p->in[i].user));
    for (int i = 0; i < g->n_outputs; i++) {
        ONN_TRY(onn_buffer_wrap_none(p->ctx, &p->out[i].user));
        p->out[i].movable = is_movable(p, i);
        p->out[i].is_read = is_read(p, output_storage(p, i));
    }
fail:
    return status;
}

static void finish_one(struct onn_plan_bound *b)
{
    onn_staging_destroy(&b->staging);
    onn_buffer_destroy(&b->user);
}

void onn_plan_finish_bound(struct onn_plan *p)
{
    for (int i = 0; p->in && i < p->graph->n_inputs; i++)
        finish_one(&p->in[i]);
    for (int i = 0; p->out && i < p->graph->n_outputs; i++)
        finish_one(&p->out[i]);
    onn_free(p->in);
    onn_free(p->out);
}

/* Kernel arguments `kind` (inputs or outputs) of node k that lie in storage s. */
static enum oclnn_status move_side(struct onn_plan *p, int k, enum onn_arg_kind kind, int32_t s,
    struct onn_buffer *buffer)
{
    const struct onn_node *n = &p->graph->node[k];
    const int count = kind == ONN_ARG_IN ? n->n_in : n->n_out;
    for (int j = 0; j < count; j++) {
        const int32_t v = kind == ONN_ARG_IN ? n->in[j] : n->out[j];
        if (!v || p->place.storage[v] != s)
            continue;
        struct onn_spot at = {buffer, p->place.desc[v].offset};
        enum oclnn_status status = buffer ? OCLNN_OK : onn_plan_locate(p, v, &at);
        for (int t = 0; t < p->node[k].n && status == OCLNN_OK; t++)
            status = onn_step_rebind(&p->step[p->node[k].first + t], kind, j, at);
        if (status != OCLNN_OK)
            return status;
    }
    return OCLNN_OK;
}

/* All that lies in storage s lies in `buffer` from now on; NULL: where the plan has put it. */
static enum oclnn_status move(struct onn_plan *p, int32_t s, struct onn_buffer *buffer)
{
    enum oclnn_status status = OCLNN_OK;
    for (int k = 0; k < p->graph->n_nodes && status == OCLNN_OK; k++) {
        status = move_side(p, k, ONN_ARG_IN, s, buffer);
        if (status == OCLNN_OK)
            status = move_side(p, k, ONN_ARG_OUT, s, buffer);
    }
    return status;
}

static enum oclnn_status unbind(struct onn_plan *p, struct onn_plan_bound *b, int32_t s)
{
    enum oclnn_status status = b->where == ONN_BOUND_DIRECT ? move(p, s, NULL) : OCLNN_OK;
    b->where = ONN_BOUND_OWN;
    onn_buffer_rewrap(b->user, NULL);
    return status;
}

static enum oclnn_status check_size(const struct onn_plan_bound *b, const struct onn_desc *d)
{
    if (onn_buffer_bytes(b->user) >= onn_desc_bytes(d))
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_SHAPE, "%zu bytes are needed, the buffer has %zu", onn_desc_bytes(d),
        onn_buffer_bytes(b->user));
}

enum oclnn_status onn_plan_bind_input(struct onn_plan *p, int i, void *cl_mem_handle)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_plan_bound *b = &p->in[i];
    const int32_t s = input_storage(p, i);
    if (!cl_mem_handle)
        return b->where == ONN_BOUND_OWN ? OCLNN_OK : unbind(p, b, s);
    if (b->where == ONN_BOUND_DIRECT && onn_buffer_is(b->user, cl_mem_handle))
        return OCLNN_OK;
    ONN_TRY(onn_buffer_rewrap(b->user, cl_mem_handle));
    ONN_TRY(check_size(b, onn_plan_input_desc(p, i)));
    ONN_CHECK(onn_buffer_is_readable(b->user), OCLNN_ERROR_ARGUMENT, "kernels may only write the cl_mem");
    ONN_TRY(onn_plan_unchain(p));
    b->where = ONN_BOUND_DIRECT;
    ONN_TRY(move(p, s, b->user));
    return OCLNN_OK;
fail:
    b->where = ONN_BOUND_DIRECT; /* in doubt every argument is set back */
    unbind(p, b, s);
    return onn_error_at(status, "input '%s'", p->graph->value[p->graph->input[i]].name);
}

static enum onn_plan_where where_to(const struct onn_plan *p, const struct onn_plan_bound *b)
{
    if (!b->movable || (b->is_read && !onn_buffer_is_readable(b->user)))
        return ONN_BOUND_COPY;
    for (int k = 0; k < p->graph->n_inputs; k++)
        if (p->in[k].where == ONN_BOUND_DIRECT && onn_buffer_overlaps(p->in[k].user, b->user))
            return ONN_BOUND_COPY; /* the input may be read after the output's first byte is written */
    return ONN_BOUND_DIRECT;
}

enum oclnn_status onn_plan_bind_output(struct onn_plan *p, int i, void *cl_mem_handle)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_plan_bound *b = &p->out[i];
    const int32_t s = output_storage(p, i);
    if (!cl_mem_handle)
        return b->where == ONN_BOUND_OWN ? OCLNN_OK : unbind(p, b, s);
    const bool same = onn_buffer_is(b->user, cl_mem_handle);
    if (!same) {
        ONN_TRY(onn_buffer_rewrap(b->user, cl_mem_handle));
        ONN_TRY(check_size(b, onn_plan_output_desc(p, i)));
        ONN_CHECK(onn_buffer_is_writable(b->user), OCLNN_ERROR_ARGUMENT, "kernels may only read the cl_mem");
    }
    const enum onn_plan_where where = where_to(p, b);
    if (same && where == b->where)
        return OCLNN_OK;
    if (where == ONN_BOUND_DIRECT)
        ONN_TRY(onn_plan_unchain(p));
    if (where == ONN_BOUND_DIRECT || b->where == ONN_BOUND_DIRECT)
        ONN_TRY(move(p, s, where == ONN_BOUND_DIRECT ? b->user : NULL));
    b->where = where;
    return OCLNN_OK;
fail:
    b->where = b->movable ? ONN_BOUND_DIRECT : ONN_BOUND_COPY;
    unbind(p, b, s);
    return onn_error_at(status, "output '%s'", p->graph->value[p->graph->output[i]].name);
}

void onn_plan_unbind(struct onn_plan *p)
{
    for (int i = 0; i < p->graph->n_inputs; i++)
        onn_plan_bind_input(p, i, NULL);
    for (int i = 0; i < p->graph->n_outputs; i++)
        onn_plan_bind_output(p, i, NULL);
}

/* Where the plan computes output i: its own memory, but an output that is an input is wherever that lies now. */
static struct onn_buffer *computed(const struct onn_plan *p, int i, size_t *offset_bytes)
{
    struct onn_spot at;
    const int32_t v = p->graph->output[i];
    for (int k = 0; k < p->graph->n_inputs; k++)
        if (p->in[k].where == ONN_BOUND_DIRECT && input_storage(p, k) == output_storage(p, i)) {
            *offset_bytes = (size_t)p->place.desc[v].offset * oclnn_dtype_size(p->place.desc[v].dtype);
            return p->in[k].user;
        }
    if (onn_plan_locate(p, v, &at) != OCLNN_OK)
        return NULL;
    *offset_bytes = (size_t)at.offset * oclnn_dtype_size(p->place.desc[v].dtype);
    return at.buffer;
}

struct onn_buffer *onn_plan_output(const struct onn_plan *p, int i, size_t *offset_bytes)
{
    *offset_bytes = 0;
    return p->out[i].where == ONN_BOUND_DIRECT ? p->out[i].user : computed(p, i, offset_bytes);
}

enum oclnn_status onn_plan_copy_outputs(struct onn_plan *p, bool *copied)
{
    *copied = false;
    for (int i = 0; i < p->graph->n_outputs; i++) {
        size_t offset = 0;
        if (p->out[i].where != ONN_BOUND_COPY)
            continue;
        *copied = true;
        struct onn_buffer *from = computed(p, i, &offset);
        enum oclnn_status status = from ? onn_buffer_copy(p->ctx, from, offset, p->out[i].user, 0,
                                              onn_desc_bytes(onn_plan_output_desc(p, i)))
                                        : OCLNN_ERROR_INTERNAL;
        if (status != OCLNN_OK)
            return onn_error_at(status, "output '%s'", p->graph->value[p->graph->output[i]].name);
    }
    return OCLNN_OK;
}
