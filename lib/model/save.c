/* Writing a model as ONNX. */
#include "io/onnx.h"
#include "model/model.h"

enum oclnn_status oclnn_model_save(oclnn_model *model, const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_desc *types = NULL;
    ONN_CHECK(model, OCLNN_ERROR_ARGUMENT, "the model is NULL");
    ONN_CHECK(path && *path, OCLNN_ERROR_ARGUMENT, "the path is missing");
    types = onn_calloc((size_t)model->graph->n_values, sizeof *types);
    ONN_TRY(types ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_pass_types(model->graph, types));
    ONN_TRY(onn_onnx_save(model->graph, types, path));
fail:
    onn_free(types);
    return status;
}
