/* One step with the user's own batches, and what can be asked about it. */
#include "tensor/tensor.h"
#include "train/trainer.h"

#include <stdio.h>
#include <string.h>

/* Classes that the host has are looked at before the device takes them: there a wrong one only makes the loss a NaN. */
static enum oclnn_status check_labels(const struct oclnn_trainer *t, const struct onn_step_plan *p,
    const int64_t *label)
{
    const struct onn_desc *y = &p->prediction_desc;
    const int64_t n = onn_desc_elements(&p->target_desc), classes = y->rank > 1 ? y->dim[1] : 0;
    const int64_t samples = p->target_desc.rank > 0 && p->target_desc.dim[0] > 0 ? p->target_desc.dim[0] : 1;
    if (p->target_desc.dtype != OCLNN_I64 || !label)
        return OCLNN_OK;
    for (int64_t i = 0; i < n; i++) {
        if ((label[i] >= 0 && label[i] < classes) || (t->p.use_ignore && label[i] == t->p.ignore_index))
            continue;
        char where[48] = "";
        if (n > samples)
            snprintf(where, sizeof where, " (sample %lld)", (long long)(i / (n / samples)));
        return onn_error(OCLNN_ERROR_ARGUMENT, "target %lld%s is class %lld, the prediction has %lld classes",
            (long long)i, where, (long long)label[i], (long long)classes);
    }
    return OCLNN_OK;
}

static enum oclnn_status write_target(struct oclnn_trainer *t, struct onn_step_plan *p,
    const struct oclnn_binding *target)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *d = &p->target_desc;
    const size_t bytes = onn_desc_bytes(d);
    struct oclnn_binding b = *target;
    char have[160], want[160];
    if (b.tensor) {
        struct onn_desc given = b.tensor->desc;
        ONN_CHECK(given.dtype == d->dtype, OCLNN_ERROR_DTYPE, "the target is %s, %s is wanted",
            oclnn_dtype_name(given.dtype), oclnn_dtype_name(d->dtype));
        ONN_CHECK(onn_desc_same_shape(&given, d), OCLNN_ERROR_SHAPE, "the target is %s, the loss wants %s",
            onn_desc_text(&given, have), onn_desc_text(d, want));
    } else if (b.data) {
        ONN_CHECK(b.bytes == bytes, OCLNN_ERROR_SHAPE, "the target is %s of %s: %zu bytes, given are %zu",
            onn_desc_text(d, want), oclnn_dtype_name(d->dtype), bytes, b.bytes);
    }
    ONN_CHECK(b.tensor || b.data || b.cl_mem, OCLNN_ERROR_ARGUMENT, "the target has no data");
    ONN_TRY(check_labels(t, p, b.tensor ? b.tensor->data : b.cl_mem ? NULL : b.data));
    ONN_TRY(onn_model_write(p->plan, p->target, &b, false));
fail:
    return status;
}

enum oclnn_status oclnn_trainer_step(oclnn_trainer *t, const struct oclnn_binding *in,
    const struct oclnn_binding *target, float *loss)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_step_plan *p = NULL;
    ONN_CHECK(t, OCLNN_ERROR_ARGUMENT, "the trainer is NULL");
    if (in) {
        struct onn_step_spec spec = {.training = true,
            .gradients = t->keep_gradients,
            .kind = onn_batch_kind_next(t)};
        ONN_CHECK(target, OCLNN_ERROR_ARGUMENT, "the target is NULL");
        ONN_TRY(onn_model_read_inputs(t->model, in, true));
        spec.input = t->model->wanted;
        ONN_TRY(onn_step_plan_get(t, &spec, &p));
        ONN_TRY(onn_model_write_inputs(t->model, p->plan, in, p->input, false));
        ONN_TRY(write_target(t, p, target));
    } else {
        p = t->current;
        ONN_CHECK(p, OCLNN_ERROR_ARGUMENT, "there was no step whose batch could be taken again");
        ONN_CHECK(t->p.accumulate == 1, OCLNN_ERROR_ARGUMENT, "accumulation needs a batch at every step");
    }
    ONN_TRY(onn_step_run(t, p, loss));
fail:
    if (status != OCLNN_OK && t)
        onn_queue_finish(t->ctx); /* nobody's array is read after we return */
    return status;
}

enum oclnn_status oclnn_trainer_set_lr(oclnn_trainer *t, float lr)
{
    if (!t || !(lr >= 0 && lr < 1e6f))
        return onn_error(OCLNN_ERROR_ARGUMENT, "learning rate %g", (double)lr);
    t->lr = lr;
    return OCLNN_OK;
}

float oclnn_trainer_get_lr(const oclnn_trainer *t)
{
    return t ? t->lr : 0;
}

int64_t oclnn_trainer_get_steps(const oclnn_trainer *t)
{
    return t ? t->steps : 0;
}

int oclnn_trainer_get_epochs(const oclnn_trainer *t)
{
    return t ? t->epoch : 0;
}

enum oclnn_status oclnn_trainer_keep_gradients(oclnn_trainer *t)
{
    if (!t)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the trainer is NULL");
    t->keep_gradients = true;
    return OCLNN_OK;
}

enum oclnn_status oclnn_trainer_read_gradient(oclnn_trainer *t, const char *name, float *to, size_t bytes)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CHECK(t && name && to, OCLNN_ERROR_ARGUMENT, "the trainer, the name or the array is NULL");
    ONN_CHECK(t->current && t->current->gradients, OCLNN_ERROR_ARGUMENT,
        "no step has been made since gradients are kept");
    const struct onn_graph *g = t->current->plan->graph;
    for (int i = t->current->first_gradient; i < g->n_outputs; i++) {
        const struct onn_desc *d = onn_plan_output_desc(t->current->plan, i);
        size_t offset = 0;
        if (strcmp(g->value[g->output[i]].name, name) != 0)
            continue;
        ONN_CHECK(bytes == onn_desc_bytes(d), OCLNN_ERROR_SHAPE,
            "the gradient of '%s' has %zu bytes, not %zu", name, onn_desc_bytes(d), bytes);
        struct onn_buffer *at = onn_plan_output(t->current->plan, i, &offset);
        return onn_buffer_read(t->ctx, at, offset, bytes, to, true);
    }
    status = onn_error(OCLNN_ERROR_NOT_FOUND, "there is no gradient of '%s'", name);
fail:
    return status;
}

static size_t blob_bytes(const struct onn_blob *b)
{
    return b ? onn_desc_bytes(&b->desc) : 0;
}

enum oclnn_status oclnn_trainer_get_bytes(const oclnn_trainer *t, struct oclnn_trainer_bytes *out)
{
    if (!t || !out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the trainer or out is NULL");
    *out = (struct oclnn_trainer_bytes){0};
    if (t->current) {
        const struct onn_plan *p = t->current->plan;
        *out = (struct oclnn_trainer_bytes){.arena = p->stats.arena_bytes,
            .arena_lower_bound = p->place.lower_bound,
            .workspace = p->place.workspace_bytes,
            .activations = p->place.tensor_bytes,
            .recomputed = t->current->recomputed};
    }
    for (int i = 0; i < t->n_params; i++) {
        const struct onn_train_param *q = &t->param[i];
        out->parameters += blob_bytes(q->blob);
        out->gradients += q->frozen ? 0 : blob_bytes(q->blob);
        out->moments += blob_bytes(q->moment[0]) + blob_bytes(q->moment[1]) + blob_bytes(q->sum);
    }
    for (int i = 0; i < t->n_averages; i++)
        out->moments += blob_bytes(t->average[i].blob);
    return OCLNN_OK;
}

enum oclnn_status oclnn_trainer_profile(oclnn_trainer *t, int runs, struct oclnn_profile_row *rows,
    int capacity, int *count)
{
    if (!t || !t->current || !count)
        return onn_error(OCLNN_ERROR_ARGUMENT, "there was no step yet");
    return onn_plan_rows(t->current->plan, &t->names, runs, rows, capacity, count);
}
