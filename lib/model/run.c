/* Running a model: bindings are checked, the plan for their shapes is found or made, bytes go in and out. */
#include "model/model.h"
#include "tensor/tensor.h"

#include <string.h>

static int count(const struct oclnn_binding *list)
{
    int n = 0;
    while (list &&
        (list[n].name || list[n].data || list[n].tensor || list[n].result || list[n].cl_mem ||
            list[n].shape.rank || list[n].bytes))
        n++;
    return n;
}

static const char *side_name(bool input)
{
    return input ? "input" : "output";
}

/* Which graph input or output entry k of the list means. */
static enum oclnn_status which(const struct oclnn_model *m, bool input, const struct oclnn_binding *list,
    int k, int *index)
{
    const struct onn_graph *g = m->graph;
    int n = input ? g->n_inputs : g->n_outputs;
    const int32_t *ids = input ? g->input : g->output;
    *index = k;
    if (list[k].name) {
        for (*index = 0; *index < n; ++*index)
            if (strcmp(g->value[ids[*index]].name, list[k].name) == 0)
                return OCLNN_OK;
        return onn_error(OCLNN_ERROR_ARGUMENT, "the model has no %s '%s'", side_name(input), list[k].name);
    }
    if (k < n)
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_ARGUMENT, "%d %ss are given, the model has %d", k + 1, side_name(input), n);
}

/* The one free dimension of an input, usually the batch, from the bytes that were given. */
static enum oclnn_status deduce_dim(const struct onn_value *v, size_t bytes, struct onn_desc *d)
{
    size_t one = oclnn_dtype_size(d->dtype);
    int free_dims = 0, axis = 0;
    char text[160];
    for (int i = 0; i < d->rank; i++) {
        free_dims += d->dim[i] < 0;
        axis = d->dim[i] < 0 ? i : axis;
        if (d->dim[i] >= 0 && !onn_mul_size(one, (size_t)d->dim[i], &one))
            return onn_error(OCLNN_ERROR_SHAPE, "input '%s' is too big", v->name);
    }
    if (d->rank < 0 || free_dims != 1 || !bytes)
        return OCLNN_OK;
    if (!one || bytes % one)
        return onn_error(OCLNN_ERROR_SHAPE,
            "input '%s' is %s: %zu bytes are given, not a multiple of the %zu that one step of dimension %d "
            "takes",
            v->name, onn_desc_text(d, text), bytes, one, axis);
    d->dim[axis] = (int64_t)(bytes / one);
    return OCLNN_OK;
}

/* Shape of one input: the binding's, the tensor's, the model's where nothing is free or only one dimension is. */
static enum oclnn_status input_desc(const struct onn_value *v, const struct oclnn_binding *b,
    struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_desc d = v->desc;
    if (b->tensor) {
        if (b->tensor->desc.dtype != v->desc.dtype)
            return onn_error(OCLNN_ERROR_DTYPE,
                "input '%s' takes %s, the tensor given has %s: convert it, or change the model's input",
                v->name, oclnn_dtype_name(v->desc.dtype), oclnn_dtype_name(b->tensor->desc.dtype));
        d = b->tensor->desc;
    } else if (b->shape.rank > 0) {
        d = onn_desc_of_shape(v->desc.dtype, b->shape);
    }
    char have[160], want[160];
    bool fits = v->desc.rank < 0 || v->desc.rank == d.rank;
    for (int i = 0; fits && i < v->desc.rank; i++)
        fits = v->desc.dim[i] < 0 || v->desc.dim[i] == d.dim[i];
    if (!fits)
        return onn_error(OCLNN_ERROR_SHAPE, "input '%s' takes %s%s, given is %s", v->name,
            onn_desc_text(&v->desc, want), onn_desc_is_known(&v->desc) ? "" : " (-1: free)",
            onn_desc_text(&d, have));
    if (b->data || b->cl_mem) {
        size_t bytes = b->bytes;
        if (b->cl_mem && !bytes && !onn_desc_is_known(&d))
            ONN_TRY(onn_cl_mem_bytes(b->cl_mem, &bytes));
        ONN_TRY(deduce_dim(v, bytes, &d));
    }
    if (!onn_desc_is_known(&d))
        return onn_error(OCLNN_ERROR_SHAPE,
            "input '%s' is %s: give its shape (the tools: --shape %s=..., sizes joined by x)", v->name,
            onn_desc_text(&d, have), v->name);
    *out = onn_desc_make(d.dtype, d.rank, d.dim);
    if ((b->data || (b->cl_mem && b->bytes)) && b->bytes != onn_desc_bytes(out))
        return onn_error(OCLNN_ERROR_SHAPE, "input '%s' is %s: %zu bytes, given are %zu", v->name,
            onn_desc_text(out, have), onn_desc_bytes(out), b->bytes);
fail:
    return status;
}

/* Data in two places would leave open which of them counts. */
static enum oclnn_status check_one(const struct oclnn_binding *b, bool input, const char *name)
{
    const int places = (b->data != NULL) + (b->tensor != NULL) + (b->cl_mem != NULL) + (b->result != NULL);
    if (places > 1 || (input && b->result))
        return onn_error(OCLNN_ERROR_ARGUMENT, "%s '%s': %s", side_name(input), name,
            places > 1 ? "more than one of data, tensor, result and cl_mem is set"
                       : "result is for outputs only");
    return OCLNN_OK;
}

static const void *host_data(const struct oclnn_binding *b)
{
    return b->tensor ? b->tensor->data : b->data;
}

enum oclnn_status onn_model_read_inputs(struct oclnn_model *m, const struct oclnn_binding *list,
    bool need_data)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = m->graph;
    int n = count(list), given = 0;
    for (int i = 0; i < g->n_inputs; i++)
        m->wanted[i].desc = (struct onn_desc){.dtype = OCLNN_NONE};
    for (int k = 0; k < n; k++) {
        int i;
        ONN_TRY(which(m, true, list, k, &i));
        const struct onn_value *v = &g->value[g->input[i]];
        ONN_CHECK(m->wanted[i].desc.dtype == OCLNN_NONE, OCLNN_ERROR_ARGUMENT, "input '%s' is given twice",
            v->name);
        ONN_TRY(check_one(&list[k], true, v->name));
        ONN_TRY(input_desc(v, &list[k], &m->wanted[i].desc));
        ONN_CHECK(!need_data || host_data(&list[k]) || list[k].cl_mem, OCLNN_ERROR_ARGUMENT,
            "input '%s' has no data", v->name);
        given++;
        if (!m->steering[i])
            continue;
        ONN_CHECK(host_data(&list[k]), OCLNN_ERROR_ARGUMENT,
            "input '%s' steers shapes or branches: its value must be in host memory", v->name);
        struct onn_blob *old = m->wanted[i].value;
        size_t bytes = onn_desc_bytes(&m->wanted[i].desc);
        if (old && onn_desc_same_shape(&old->desc, &m->wanted[i].desc) && old->refs == 1) {
            memcpy(old->data, host_data(&list[k]), bytes);
        } else if (!old || !onn_desc_same_shape(&old->desc, &m->wanted[i].desc) ||
            memcmp(old->data, host_data(&list[k]), bytes) != 0) {
            onn_blob_unref(&m->wanted[i].value);
            ONN_TRY(onn_blob_create(&m->wanted[i].desc, host_data(&list[k]), &m->wanted[i].value));
        }
    }
    for (int i = 0; i < g->n_inputs && given < g->n_inputs; i++)
        ONN_CHECK(m->wanted[i].desc.dtype, OCLNN_ERROR_ARGUMENT, "input '%s' is not given (%d of %d are)",
            g->value[g->input[i]].name, given, g->n_inputs);
fail:
    return status;
}

enum oclnn_status onn_model_write(struct onn_plan *p, int i, const struct oclnn_binding *b, bool idle)
{
    enum oclnn_status status = onn_plan_bind_input(p, i, b->cl_mem);
    if (status != OCLNN_OK || b->cl_mem)
        return status;
    return onn_plan_write(p, i, host_data(b), idle ? ONN_WRITE_IDLE : ONN_WRITE_QUEUED);
}

enum oclnn_status onn_model_write_inputs(struct oclnn_model *m, struct onn_plan *p,
    const struct oclnn_binding *list, const int *number, bool idle)
{
    const int n = count(list);
    for (int k = 0; k < n; k++) {
        int i;
        enum oclnn_status status = which(m, true, list, k, &i);
        if (status == OCLNN_OK)
            status = onn_model_write(p, number ? number[i] : i, &list[k], idle);
        if (status != OCLNN_OK)
            return status;
    }
    return OCLNN_OK;
}

static enum oclnn_status check_output(const struct oclnn_model *m, const struct oclnn_binding *b, int i)
{
    const struct onn_desc *d = onn_plan_output_desc(m->current->plan, i);
    const char *name = m->graph->value[m->graph->output[i]].name;
    char text[160];
    size_t bytes = onn_desc_bytes(d);
    if ((b->data || (b->cl_mem && b->bytes)) && b->bytes != bytes)
        return onn_error(OCLNN_ERROR_SHAPE, "output '%s' is %s: %zu bytes, there is room for %zu", name,
            onn_desc_text(d, text), bytes, b->bytes);
    if (b->tensor && (b->tensor->desc.dtype != d->dtype || !onn_desc_same_shape(&b->tensor->desc, d)))
        return onn_error(OCLNN_ERROR_SHAPE, "output '%s' is %s, the tensor is not", name,
            onn_desc_text(d, text));
    return check_one(b, false, name);
}

/* Kernels write into listed buffers where they can; an output that is not listed any more leaves its buffer. */
static enum oclnn_status bind_outputs(struct oclnn_model *m, const struct oclnn_binding *list)
{
    enum oclnn_status status = OCLNN_OK;
    const int n = count(list), outputs = m->graph->n_outputs;
    for (int i = 0; i < outputs; i++)
        m->buffer[i] = NULL;
    for (int k = 0; k < n; k++) {
        int i;
        ONN_TRY(which(m, false, list, k, &i));
        ONN_TRY(check_output(m, &list[k], i));
        ONN_CHECK(!list[k].cl_mem || !m->buffer[i], OCLNN_ERROR_ARGUMENT, "output '%s' is given two buffers",
            m->graph->value[m->graph->output[i]].name);
        if (list[k].cl_mem)
            m->buffer[i] = list[k].cl_mem;
    }
    for (int i = 0; i < outputs; i++)
        ONN_TRY(onn_plan_bind_output(m->current->plan, i, m->buffer[i]));
fail:
    return status;
}

/* Where the bytes of entry k of the list go on the host, NULL: nowhere; a fresh tensor is made on the way. */
static enum oclnn_status host_place(const struct oclnn_binding *b, const struct onn_desc *d, void **to)
{
    *to = b->tensor ? b->tensor->data : b->data;
    if (!b->result)
        return OCLNN_OK;
    enum oclnn_status status = onn_tensor_from_desc(d, NULL, b->result);
    *to = status == OCLNN_OK ? (*b->result)->data : NULL;
    return status;
}

/* Brings outputs to the host. Before the wait (event != NULL) by commands; what is to be had without one (`open`: the
 * caller waits and comes back) is copied after it (event NULL). *event: the last command's. */
static enum oclnn_status read_outputs(struct oclnn_model *m, const struct oclnn_binding *list, bool open,
    struct onn_event **event)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_plan *p = m->current->plan;
    const int n = count(list);
    for (int k = 0; k < n; k++) {
        int i;
        void *to = NULL;
        ONN_TRY(which(m, false, list, k, &i));
        const struct onn_desc *d = onn_plan_output_desc(p, i);
        const size_t bytes = onn_desc_bytes(d);
        const void *host = open ? onn_plan_output_host(p, i) : NULL;
        if ((host != NULL) != (event == NULL))
            continue;
        ONN_TRY(host_place(&list[k], d, &to));
        if (!bytes || !to)
            continue;
        if (host)
            memcpy(to, host, bytes);
        else
            ONN_TRY(onn_plan_read_start(p, i, to, m->begun, event));
    }
fail:
    return status;
}

/* Completes the arrays of this run and of those before it, whichever plans they had. */
static enum oclnn_status settle(struct oclnn_model *m, uint64_t run)
{
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < m->n_plans; i++) {
        const enum oclnn_status one = onn_plan_settle(m->plan[i].plan, run);
        status = status == OCLNN_OK ? one : status;
    }
    return status;
}

/* Everything but waiting: *event (event may be NULL) is done when all of it is. A driver's marker costs as much as a small
 * kernel, so the last read or kernel stands for it where there is one. open: see read_outputs. */
static enum oclnn_status enqueue(struct oclnn_model *m, const struct oclnn_binding *in,
    const struct oclnn_binding *out, bool open, struct onn_event **event)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_event *last = NULL;
    ONN_CHECK(m, OCLNN_ERROR_ARGUMENT, "the model is NULL");
    ONN_TRY(onn_model_read_inputs(m, in, true));
    ONN_TRY(onn_model_plan(m));
    ONN_TRY(onn_model_write_inputs(m, m->current->plan, in, NULL, m->done == m->begun));
    ONN_TRY(bind_outputs(m, out));
    m->begun++;
    ONN_TRY(onn_plan_run(m->current->plan, event ? &last : NULL));
    ONN_TRY(read_outputs(m, out, open, &last));
    if (event && !last)
        ONN_TRY(onn_queue_marker(m->ctx, &last));
    if (event) {
        *event = last;
        last = NULL;
    }
    onn_event_destroy(&last);
    return OCLNN_OK;
fail:
    onn_event_destroy(&last);
    if (m && onn_queue_finish(m->ctx) == OCLNN_OK) { /* nobody's array is touched after we return */
        settle(m, m->begun);
        m->done = m->begun;
    }
    return status;
}

/* Waits for run number `run`, and with it for all before. */
static enum oclnn_status wait_for(struct oclnn_model *m, uint64_t run, struct onn_event **event)
{
    enum oclnn_status status = onn_event_wait(m->ctx, event);
    const enum oclnn_status settled = settle(m, run);
    status = status == OCLNN_OK ? settled : status;
    if (status == OCLNN_OK && m->done < run)
        m->done = run;
    return status;
}

/* Nothing of the program's in host memory is touched, and its own queue keeps the order of things. */
static bool may_return_early(const struct oclnn_model *m, const struct oclnn_binding *in,
    const struct oclnn_binding *out)
{
    const int n_in = count(in), n_out = count(out);
    for (int k = 0; k < n_in; k++)
        if (!in[k].cl_mem)
            return false;
    for (int k = 0; k < n_out; k++)
        if (!out[k].cl_mem)
            return false;
    return n_in + n_out && onn_queue_is_given(m->ctx);
}

enum oclnn_status oclnn_model_run(oclnn_model *model, const struct oclnn_binding *in,
    const struct oclnn_binding *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_event *event = NULL;
    const bool early = model && may_return_early(model, in, out);
    ONN_TRY(enqueue(model, in, out, !early, early ? NULL : &event));
    if (early)
        return onn_queue_flush(model->ctx);
    ONN_TRY(wait_for(model, model->begun, &event));
    ONN_TRY(read_outputs(model, out, true, NULL));
fail:
    return status;
}

enum oclnn_status oclnn_model_prepare(oclnn_model *model, const struct oclnn_binding *in)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CHECK(model, OCLNN_ERROR_ARGUMENT, "the model is NULL");
    ONN_TRY(onn_model_read_inputs(model, in, false));
    ONN_TRY(onn_model_plan(model));
fail:
    return status;
}

enum oclnn_status oclnn_model_run_resident(oclnn_model *model)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_event *event = NULL;
    ONN_CHECK(model && model->current, OCLNN_ERROR_ARGUMENT, "the model has not run yet");
    model->begun++;
    ONN_TRY(onn_plan_run(model->current->plan, &event));
    if (!event)
        ONN_TRY(onn_queue_marker(model->ctx, &event));
    ONN_TRY(wait_for(model, model->begun, &event));
fail:
    return status;
}

enum oclnn_status oclnn_model_run_async(oclnn_model *model, const struct oclnn_binding *in,
    const struct oclnn_binding *out, oclnn_job **job)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_job *j = NULL;
    ONN_CHECK(model && job, OCLNN_ERROR_ARGUMENT, "the model or the job is NULL");
    *job = NULL;
    for (int i = 0; i < ONN_MAX_JOBS && !j; i++)
        j = model->job[i].busy ? NULL : &model->job[i];
    ONN_CHECK(j, OCLNN_ERROR_ARGUMENT, "%d jobs are in flight: wait for one first", ONN_MAX_JOBS);
    ONN_TRY(enqueue(model, in, out, false, &j->event));
    ONN_TRY(onn_queue_flush(model->ctx));
    j->model = model;
    j->run = model->begun;
    j->status = OCLNN_OK;
    j->busy = true;
    *job = j;
fail:
    return status;
}

enum oclnn_status oclnn_job_wait(oclnn_job **job)
{
    struct oclnn_job *j = job ? *job : NULL;
    if (!j)
        return OCLNN_OK;
    *job = NULL;
    enum oclnn_status status = wait_for(j->model, j->run, &j->event);
    j->busy = false;
    return j->status == OCLNN_OK ? status : j->status;
}

int oclnn_job_is_done(const oclnn_job *job)
{
    if (!job || !onn_event_is_done(job->event))
        return !job;
    struct oclnn_job *j = &job->model->job[job - job->model->job];
    const enum oclnn_status status = settle(j->model, j->run);
    j->status = j->status == OCLNN_OK ? status : j->status;
    return 1;
}
