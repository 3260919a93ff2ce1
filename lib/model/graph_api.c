/* The public graph: making and naming it, its inputs and outputs, and handing it to a model. */
#include "model/graph_api.h"

#include "model/model.h"

#include <string.h>

struct onn_name_count {
    const char *stem; /* scope and kind, in the arena */
    int n;
};

enum oclnn_status oclnn_graph_create(const struct oclnn_graph_params *params, oclnn_graph **out)
{
    enum oclnn_status status;
    struct oclnn_graph *graph = NULL;
    if (!out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    graph = onn_calloc(1, sizeof *graph);
    ONN_TRY(graph ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_graph_create(&graph->graph));
    graph->graph->seed = params ? params->seed : 0;
    graph->scope = "";
    *out = graph;
    return OCLNN_OK;
fail:
    onn_free(graph);
    return status;
}

void oclnn_graph_destroy(oclnn_graph **graph)
{
    if (!graph || !*graph)
        return;
    onn_graph_destroy(&(*graph)->graph);
    onn_free((*graph)->count);
    onn_free(*graph);
    *graph = NULL;
}

enum oclnn_status oclnn_graph_status(const oclnn_graph *graph)
{
    if (!graph)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the graph is NULL");
    const struct onn_graph *g = graph->graph;
    if (g->status == OCLNN_OK)
        return OCLNN_OK;
    return onn_error(g->status, "%s", g->error ? g->error : oclnn_status_text(g->status));
}

void oclnn_graph_scope(oclnn_graph *graph, const char *prefix)
{
    if (!graph || graph->graph->status != OCLNN_OK)
        return;
    const char *copy = prefix && *prefix ? onn_arena_strdup(&graph->graph->arena, prefix) : "";
    if (copy)
        graph->scope = copy;
    else
        onn_graph_fail(graph->graph, OCLNN_ERROR_MEMORY, "scope '%s': out of host memory", prefix);
}

/* ---- names ---- */

/* "conv1d" and "conv2d" count as conv; a kind that ends in a digit needs something between it and the number. */
static const char *stem_of(oclnn_graph *graph, const char *kind)
{
    size_t n = strlen(kind);
    bool flat = n > 2 && (strcmp(kind + n - 2, "1d") == 0 || strcmp(kind + n - 2, "2d") == 0);
    char last = kind[n - 1];
    return onn_arena_printf(&graph->graph->arena, "%s%.*s%s", graph->scope, (int)(flat ? n - 2 : n), kind,
        !flat && last >= '0' && last <= '9' ? "_" : "");
}

/* scope + kind + number, the first that is free. NULL if out of memory. */
static const char *auto_name(oclnn_graph *graph, const char *kind)
{
    struct onn_graph *g = graph->graph;
    const char *stem = stem_of(graph, kind), *name;
    int i = 0;
    if (!stem)
        return NULL;
    while (i < graph->n_counts && strcmp(graph->count[i].stem, stem) != 0)
        i++;
    if (i == graph->n_counts) {
        if (!onn_array_grow((void **)&graph->count, graph->n_counts, &graph->cap_counts,
                sizeof *graph->count))
            return NULL;
        graph->count[graph->n_counts++] = (struct onn_name_count){.stem = stem};
    }
    do
        name = onn_arena_printf(&g->arena, "%s%d", stem, ++graph->count[i].n);
    while (name && onn_graph_find(g, name));
    return name;
}

bool onn_layer_begin(struct onn_layer *l, oclnn_graph *graph, const char *kind, const char *name, int n,
    const oclnn_value *x)
{
    *l = (struct onn_layer){.kind = kind};
    if (!graph) {
        onn_error(OCLNN_ERROR_ARGUMENT, "%s: the graph is NULL", kind);
        return false;
    }
    l->g = graph->graph;
    if (l->g->status != OCLNN_OK)
        return false;
    l->name =
        name && *name ? onn_arena_printf(&l->g->arena, "%s%s", graph->scope, name) : auto_name(graph, kind);
    if (!l->name) {
        onn_graph_fail(l->g, OCLNN_ERROR_MEMORY, "layer (%s): out of host memory", kind);
        return false;
    }
    if (onn_graph_find(l->g, l->name)) {
        onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "the name is taken");
        return false;
    }
    if (n < 0 || (n > 0 && !x)) {
        onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, n < 0 ? "%d inputs" : "the list of %d inputs is NULL", n);
        return false;
    }
    for (int i = 0; i < n; i++)
        if (x[i] <= 0 || x[i] >= l->g->n_values) {
            onn_layer_fail(l, OCLNN_ERROR_ARGUMENT, "input %d is value %d, which this graph does not have", i,
                (int)x[i]);
            return false;
        }
    return true;
}

/* ---- inputs and outputs ---- */

oclnn_value oclnn_input(oclnn_graph *graph, const char *name, enum oclnn_dtype dtype,
    struct oclnn_shape shape)
{
    struct onn_layer l;
    const char *scope = graph ? graph->scope : NULL;
    if (graph)
        graph->scope = ""; /* inputs and outputs are the user's names */
    bool good = onn_layer_begin(&l, graph, "input", name, 0, NULL);
    if (graph)
        graph->scope = scope;
    if (!good)
        return 0;
    if (!oclnn_dtype_size(dtype))
        return onn_layer_fail(&l, OCLNN_ERROR_DTYPE, "element type %d", (int)dtype);
    if (shape.rank < 0 || shape.rank > OCLNN_MAX_RANK)
        return onn_layer_fail(&l, OCLNN_ERROR_SHAPE, "%d dimensions, 0 to %d are possible", shape.rank,
            OCLNN_MAX_RANK);
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] < -1)
            return onn_layer_fail(&l, OCLNN_ERROR_SHAPE, "dimension %d is %lld", i, (long long)shape.dim[i]);
    struct onn_desc desc = onn_desc_of_shape(dtype, shape);
    return onn_graph_add_input(l.g, l.name, &desc);
}

static bool is_output(const struct onn_graph *g, int32_t value)
{
    for (int32_t i = 0; i < g->n_outputs; i++)
        if (g->output[i] == value)
            return true;
    return false;
}

void oclnn_output(oclnn_graph *graph, const char *name, oclnn_value value)
{
    if (!graph || graph->graph->status != OCLNN_OK)
        return;
    struct onn_graph *g = graph->graph;
    if (value <= 0 || value >= g->n_values) {
        onn_graph_fail(g, OCLNN_ERROR_ARGUMENT, "output '%s': value %d, which this graph does not have",
            name ? name : "", (int)value);
        return;
    }
    int32_t taken = name && *name ? onn_graph_find(g, name) : 0;
    if (taken && (taken != value || is_output(g, value))) {
        onn_graph_fail(g, OCLNN_ERROR_ARGUMENT, "output '%s': the name is taken", name);
        return;
    }
    /* A value has one name: an input, a parameter or what is an output already keeps its own. */
    if (g->value[value].role != ONN_ROLE_NONE || is_output(g, value))
        value = oclnn_identity(graph, value);
    onn_graph_add_output(g, name, value);
}

enum oclnn_status oclnn_value_shape(const oclnn_graph *graph, oclnn_value value, struct oclnn_shape *out)
{
    if (!graph || !out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "%s is NULL", graph ? "out" : "the graph");
    *out = (struct oclnn_shape){0};
    if (value <= 0 || value >= graph->graph->n_values)
        return onn_error(OCLNN_ERROR_ARGUMENT, "value %d is not in this graph", (int)value);
    const struct onn_desc *d = &graph->graph->value[value].desc;
    out->rank = d->rank;
    for (int i = 0; i < d->rank; i++)
        out->dim[i] = d->dim[i];
    return OCLNN_OK;
}

/* ---- the model ---- */

enum oclnn_status oclnn_model_create(oclnn_context *ctx, oclnn_graph **graph,
    const struct oclnn_model_params *params, oclnn_model **out)
{
    enum oclnn_status status;
    struct onn_graph *g;
    if (out)
        *out = NULL;
    if (!graph || !*graph)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the graph is NULL");
    ONN_CHECK(out, OCLNN_ERROR_ARGUMENT, "out is NULL");
    ONN_TRY(oclnn_graph_status(*graph));
    ONN_CHECK(ctx, OCLNN_ERROR_ARGUMENT, "the context is NULL");
    ONN_CHECK((*graph)->graph->n_outputs > 0, OCLNN_ERROR_ARGUMENT, "the graph has no output");
    g = (*graph)->graph;
    (*graph)->graph = NULL;
    status = onn_model_from_graph(ctx, &g, params, out);
fail:
    oclnn_graph_destroy(graph);
    return status;
}
