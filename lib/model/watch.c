/* Looking inside a network: its steps, and what they make as additional outputs. */
#include "model/model.h"
#include "ops/op.h"

int oclnn_model_layer_count(const oclnn_model *model)
{
    return model ? model->graph->n_nodes : 0;
}

static const struct onn_node *node_of(const oclnn_model *model, int layer)
{
    return model && layer >= 0 && layer < model->graph->n_nodes ? &model->graph->node[layer] : NULL;
}

enum oclnn_status oclnn_model_layer(const oclnn_model *model, int layer, struct oclnn_layer *out)
{
    const struct onn_node *n = node_of(model, layer);
    if (!n || !out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "layer %d is not there, or no room to describe it", layer);
    *out = (struct oclnn_layer){.name = n->name, .op = n->op->name, .output = "", .inputs = n->n_in};
    for (int32_t i = 0; i < n->n_out && !*out->output; i++)
        if (n->out[i])
            out->output = model->graph->value[n->out[i]].name;
    return OCLNN_OK;
}

int oclnn_model_layer_input(const oclnn_model *model, int layer, int input)
{
    const struct onn_node *n = node_of(model, layer);
    return n && input >= 0 && input < n->n_in && n->in[input] ? model->graph->value[n->in[input]].node : -1;
}

int oclnn_model_output_layer(const oclnn_model *model, int index)
{
    bool is_there = model && index >= 0 && index < model->graph->n_outputs;
    return is_there ? model->graph->value[model->graph->output[index]].node : -1;
}

enum oclnn_status oclnn_model_watch(oclnn_model *model, int layer)
{
    const struct onn_node *n = node_of(model, layer);
    if (!model || (!n && layer != -1))
        return onn_error(OCLNN_ERROR_ARGUMENT, "layer %d is not there", layer);
    onn_model_forget_plans(model);
    struct onn_graph *g = model->graph;
    g->n_outputs -= model->watched;
    const int32_t own = g->n_outputs;
    for (int32_t i = 0; n && i < n->n_out && g->status == OCLNN_OK; i++)
        if (n->out[i])
            onn_graph_add_output(g, NULL, n->out[i]);
    model->watched = g->n_outputs - own;
    return g->status;
}
