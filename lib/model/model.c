#include "base/env.h"
#include "io/onnx.h"
#include "model/init.h"
#include "model/model.h"
#include "runtime/tunedb.h"
#include "tensor/tensor.h"

#include <string.h>

#define TUNE_MS 20000.0

static enum oclnn_status keep_text(char **slot, const char *text, const char **out)
{
    *out = NULL;
    if (!text)
        return OCLNN_OK;
    *slot = onn_strdup(text);
    *out = *slot;
    return *slot ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

enum oclnn_status onn_model_from_graph(struct oclnn_context *ctx, struct onn_graph **graph,
    const struct oclnn_model_params *params, struct oclnn_model **out)
{
    enum oclnn_status status = OCLNN_OK;
    static const struct oclnn_model_params none = {0};
    struct oclnn_model *m = onn_calloc(1, sizeof *m);
    struct onn_graph *g = *graph;
    *graph = NULL;
    ONN_TRY(m ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    m->ctx = ctx;
    m->graph = g;
    g = NULL;
    params = params ? params : &none;
    m->options.freeze = true;
    m->options.stage_outputs = true;
    ONN_TRY(keep_text(&m->text[0], params->passes_off ? params->passes_off : onn_env("OCLNN_PASSES_OFF"),
        &m->options.passes_off));
    ONN_TRY(onn_plan_check_passes(m->options.passes_off));
    ONN_TRY(keep_text(&m->text[1], params->variant, &m->options.variant));
    ONN_TRY(keep_text(&m->text[2], params->format, &m->options.format));
    ONN_TRY(onn_plan_check_variant(m->options.variant));
    ONN_TRY(onn_plan_check_format(m->options.format));
    ONN_TRY(keep_text(&m->text[3], params->choices, &m->options.choices));
    ONN_CHECK(params->plans >= 0, OCLNN_ERROR_ARGUMENT, "plans = %d", params->plans);
    ONN_CHECK(params->tune >= 0 && params->tune <= 2 && params->tune_ms >= 0, OCLNN_ERROR_ARGUMENT,
        "tune = %d, tune_ms = %g", params->tune, params->tune_ms);
    ONN_CHECK(!params->dtype || params->dtype == OCLNN_F32 || params->dtype == OCLNN_F16,
        OCLNN_ERROR_UNSUPPORTED, "dtype = %s: tensors inside are stored as f32 or f16",
        oclnn_dtype_name(params->dtype));
    m->options.storage = params->dtype;
    m->tuner = (struct onn_tuner){.ctx = ctx,
        .measure = params->tune == 1,
        .budget_ns = (params->tune_ms > 0 ? params->tune_ms : TUNE_MS) * 1e6};
    m->options.adjust = params->tune == 2 ? NULL : onn_tune_adjust;
    m->options.adjust_user = &m->tuner;
    m->max_plans = params->plans ? params->plans : 8;
    size_t inputs = (size_t)m->graph->n_inputs + 1;
    m->plan = onn_calloc((size_t)m->max_plans, sizeof *m->plan);
    m->steering = onn_calloc(inputs, sizeof *m->steering);
    m->wanted = onn_calloc(inputs, sizeof *m->wanted);
    m->buffer = onn_calloc((size_t)m->graph->n_outputs + 1, sizeof *m->buffer);
    ONN_TRY(m->plan && m->steering && m->wanted && m->buffer ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_init_params(m->graph));
    ONN_TRY(onn_pass_steering(m->graph, m->steering));
    *out = m;
    m = NULL;
fail:
    onn_graph_destroy(&g);
    oclnn_model_destroy(&m);
    return status;
}

static enum oclnn_status check_create(oclnn_context *ctx, oclnn_model **out)
{
    if (!out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    return ctx ? OCLNN_OK : onn_error(OCLNN_ERROR_ARGUMENT, "the context is NULL");
}

static enum oclnn_status load(oclnn_context *ctx, const struct onn_onnx_source *source,
    const struct oclnn_model_params *params, oclnn_model **out)
{
    struct onn_graph *g = NULL;
    enum oclnn_status status = check_create(ctx, out);
    if (status == OCLNN_OK)
        status = onn_onnx_load(source, &g);
    if (status == OCLNN_OK)
        status = onn_model_from_graph(ctx, &g, params, out);
    if (status == OCLNN_OK)
        (*out)->from_file = true;
    return status;
}

enum oclnn_status oclnn_model_load(oclnn_context *ctx, const char *path,
    const struct oclnn_model_params *params, oclnn_model **out)
{
    if (!path)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the path is NULL");
    struct onn_onnx_source source = {.path = path, .log = ctx ? onn_context_log(ctx) : NULL};
    return load(ctx, &source, params, out);
}

enum oclnn_status oclnn_model_load_memory(oclnn_context *ctx, const void *bytes, size_t size,
    const struct oclnn_model_params *params, oclnn_model **out)
{
    if (!bytes)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the bytes are NULL");
    struct onn_onnx_source source = {.bytes = bytes, .size = size, .log = ctx ? onn_context_log(ctx) : NULL};
    return load(ctx, &source, params, out);
}

static void drop_plan(struct oclnn_model *m, struct onn_cached_plan *c)
{
    onn_plan_destroy(&c->plan);
    for (int i = 0; c->binding && i < m->graph->n_inputs; i++)
        onn_blob_unref(&c->binding[i].value);
    onn_free(c->binding);
    *c = (struct onn_cached_plan){0};
}

void onn_model_forget_plans(struct oclnn_model *m)
{
    onn_queue_finish(m->ctx);
    for (int i = 0; i < m->n_plans; i++)
        drop_plan(m, &m->plan[i]);
    m->n_plans = 0;
    m->current = NULL;
}

void oclnn_model_destroy(oclnn_model **model)
{
    struct oclnn_model *m = model ? *model : NULL;
    if (!m)
        return;
    *model = NULL;
    if (m->ctx)
        onn_queue_finish(m->ctx);
    for (int i = 0; i < ONN_MAX_JOBS; i++)
        onn_event_destroy(&m->job[i].event);
    for (int i = 0; i < m->n_plans; i++)
        drop_plan(m, &m->plan[i]);
    for (int i = 0; m->wanted && i < m->graph->n_inputs; i++)
        onn_blob_unref(&m->wanted[i].value);
    onn_free(m->plan);
    onn_free(m->steering);
    onn_free(m->wanted);
    onn_free(m->buffer);
    onn_arena_finish(&m->names);
    onn_derived_finish(&m->derived);
    onn_graph_destroy(&m->graph);
    for (int i = 0; i < 4; i++)
        onn_free(m->text[i]);
    onn_free(m);
}

/* ---- plans by shape ---- */

static bool same_value(const struct onn_blob *a, const struct onn_blob *b)
{
    if (!a || !b)
        return a == b;
    return onn_desc_same_shape(&a->desc, &b->desc) && a->desc.dtype == b->desc.dtype &&
        memcmp(a->data, b->data, onn_desc_bytes(&a->desc)) == 0;
}

static bool matches(const struct oclnn_model *m, const struct onn_cached_plan *c)
{
    for (int i = 0; i < m->graph->n_inputs; i++)
        if (!onn_desc_same_shape(&c->binding[i].desc, &m->wanted[i].desc) ||
            !same_value(c->binding[i].value, m->wanted[i].value))
            return false;
    return true;
}

static struct onn_cached_plan *free_slot(struct oclnn_model *m)
{
    if (m->n_plans < m->max_plans)
        return &m->plan[m->n_plans];
    struct onn_cached_plan *oldest = &m->plan[0];
    for (int i = 1; i < m->n_plans; i++)
        if (m->plan[i].used < oldest->used)
            oldest = &m->plan[i];
    onn_queue_finish(m->ctx);
    drop_plan(m, oldest);
    *oldest = m->plan[--m->n_plans];
    m->plan[m->n_plans] = (struct onn_cached_plan){0};
    return &m->plan[m->n_plans];
}

enum oclnn_status onn_model_plan(struct oclnn_model *m)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_cached_plan *before = m->current;
    for (int i = 0; i < m->n_plans; i++)
        if (matches(m, &m->plan[i])) {
            if (before && before != &m->plan[i])
                onn_plan_unbind(before->plan);
            m->current = &m->plan[i];
            m->current->used = ++m->stamp;
            return OCLNN_OK;
        }
    if (before) /* only the current plan holds the program's buffers */
        onn_plan_unbind(before->plan);
    m->current = NULL;
    m->before = onn_context_counters(m->ctx);
    struct onn_cached_plan *c = free_slot(m);
    c->binding = onn_memdup(m->wanted, ((size_t)m->graph->n_inputs + 1) * sizeof *c->binding);
    ONN_TRY(c->binding ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < m->graph->n_inputs; i++)
        if (c->binding[i].value)
            c->binding[i].value = onn_blob_ref(c->binding[i].value);
    ONN_TRY(onn_plan_create(m->ctx, m->graph, c->binding, &m->options, &m->derived, &c->plan));
    if (m->tuner.measure)
        onn_tunedb_save(m->ctx);
    c->used = ++m->stamp;
    m->n_plans++;
    m->current = c;
    return OCLNN_OK;
fail:
    drop_plan(m, c);
    return status;
}

/* ---- description ---- */

int oclnn_model_input_count(const oclnn_model *model)
{
    return model ? model->graph->n_inputs : 0;
}

int oclnn_model_output_count(const oclnn_model *model)
{
    return model ? model->graph->n_outputs : 0;
}

static enum oclnn_status describe(const struct oclnn_model *m, const int32_t *ids, int n, int index,
    struct oclnn_model_io *out)
{
    if (!m || !out || index < 0 || index >= n)
        return onn_error(OCLNN_ERROR_ARGUMENT, "index %d of %d", index, n);
    const struct onn_value *v = &m->graph->value[ids[index]];
    *out = (struct oclnn_model_io){.name = v->name, .dtype = v->desc.dtype, .shape.rank = v->desc.rank};
    for (int i = 0; i < v->desc.rank; i++)
        out->shape.dim[i] = v->desc.dim[i];
    return OCLNN_OK;
}

enum oclnn_status oclnn_model_input(const oclnn_model *model, int index, struct oclnn_model_io *out)
{
    return describe(model, model ? model->graph->input : NULL, oclnn_model_input_count(model), index, out);
}

enum oclnn_status oclnn_model_output(const oclnn_model *model, int index, struct oclnn_model_io *out)
{
    return describe(model, model ? model->graph->output : NULL, oclnn_model_output_count(model), index, out);
}

enum oclnn_status oclnn_model_output_shape(const oclnn_model *model, int index, struct oclnn_shape *out)
{
    if (!model || !out || !model->current || index < 0 || index >= model->graph->n_outputs)
        return onn_error(OCLNN_ERROR_ARGUMENT,
            model && !model->current ? "the model has not run yet" : "no output %d", index);
    const struct onn_desc *d = onn_plan_output_desc(model->current->plan, index);
    *out = (struct oclnn_shape){.rank = d->rank};
    for (int i = 0; i < d->rank; i++)
        out->dim[i] = d->dim[i];
    return OCLNN_OK;
}
