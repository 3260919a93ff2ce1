/* A model's parameters, seen from outside. */
#include "model/model.h"

#include <string.h>

static bool is_parameter(const struct onn_value *v)
{
    return v->role == ONN_ROLE_PARAM && v->blob;
}

int oclnn_model_parameter_count(const oclnn_model *model)
{
    int n = 0;
    for (int32_t v = 1; model && v < model->graph->n_values; v++)
        n += is_parameter(&model->graph->value[v]);
    return n;
}

int oclnn_model_fixed_count(const oclnn_model *model)
{
    int n = 0;
    for (int32_t v = 1; model && v < model->graph->n_values; v++) {
        const struct onn_value *c = &model->graph->value[v];
        n += c->role == ONN_ROLE_CONST && c->blob && c->desc.dtype == OCLNN_F32 &&
            onn_desc_elements(&c->desc) > 1;
    }
    return n;
}

enum oclnn_status oclnn_model_parameter(const oclnn_model *model, int index, struct oclnn_model_io *out)
{
    enum oclnn_status status = OCLNN_OK;
    int n = 0;
    ONN_CHECK(model && out, OCLNN_ERROR_ARGUMENT, "the model or out is NULL");
    for (int32_t v = 1; v < model->graph->n_values; v++) {
        const struct onn_value *p = &model->graph->value[v];
        if (!is_parameter(p) || n++ != index)
            continue;
        *out = (struct oclnn_model_io){.name = p->name,
            .dtype = p->blob->desc.dtype,
            .shape = {.rank = p->blob->desc.rank}};
        for (int i = 0; i < p->blob->desc.rank; i++)
            out->shape.dim[i] = p->blob->desc.dim[i];
        return OCLNN_OK;
    }
    status = onn_error(OCLNN_ERROR_ARGUMENT, "there is no parameter %d, there are %d", index, n);
fail:
    return status;
}

enum oclnn_status oclnn_model_read_parameter(oclnn_model *model, const char *name, float *to, size_t bytes)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_value *p = NULL;
    ONN_CHECK(model && name && to, OCLNN_ERROR_ARGUMENT, "the model, the name or the array is NULL");
    for (int32_t v = 1; v < model->graph->n_values && !p; v++)
        if (is_parameter(&model->graph->value[v]) && strcmp(model->graph->value[v].name, name) == 0)
            p = &model->graph->value[v];
    ONN_CHECK(p, OCLNN_ERROR_NOT_FOUND, "the model has no parameter '%s'", name);
    ONN_CHECK(p->blob->desc.dtype == OCLNN_F32, OCLNN_ERROR_DTYPE, "parameter '%s' is %s", name,
        oclnn_dtype_name(p->blob->desc.dtype));
    ONN_CHECK(bytes == onn_desc_bytes(&p->blob->desc), OCLNN_ERROR_SHAPE,
        "parameter '%s' has %zu bytes, not %zu", name, onn_desc_bytes(&p->blob->desc), bytes);
    ONN_TRY(onn_blob_sync_host(p->blob));
    memcpy(to, p->blob->data, bytes);
fail:
    return status;
}
