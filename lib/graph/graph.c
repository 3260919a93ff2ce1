#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum oclnn_status onn_graph_create(struct onn_graph **out)
{
    *out = NULL;
    struct onn_graph *g = onn_calloc(1, sizeof *g);
    if (!g)
        return OCLNN_ERROR_MEMORY;
    if (!onn_array_grow((void **)&g->value, 0, &g->cap_values, sizeof *g->value)) {
        onn_free(g);
        return OCLNN_ERROR_MEMORY;
    }
    g->value[0] = (struct onn_value){.name = "", .node = -1}; /* value 0 is "no value" */
    g->n_values = 1;
    *out = g;
    return OCLNN_OK;
}

void onn_graph_destroy(struct onn_graph **graph)
{
    if (!graph || !*graph)
        return;
    struct onn_graph *g = *graph;
    *graph = NULL;
    for (int32_t i = 0; i < g->n_values; i++)
        onn_blob_unref(&g->value[i].blob);
    for (int32_t i = 0; i < g->n_held; i++)
        onn_blob_unref(&g->held[i]);
    for (int32_t i = 0; i < g->n_sub; i++)
        onn_graph_destroy(&g->sub[i]);
    onn_free(g->held);
    onn_free(g->sub);
    onn_free(g->value);
    onn_free(g->node);
    onn_free(g->input);
    onn_free(g->output);
    onn_arena_finish(&g->arena);
    onn_free(g);
}

enum oclnn_status onn_graph_fail(struct onn_graph *g, enum oclnn_status status, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (g->status == OCLNN_OK) {
        g->status = status;
        g->error = onn_arena_strdup(&g->arena, text);
    }
    return onn_error(status, "%s", text);
}

static void fail_memory(struct onn_graph *g)
{
    if (g->status == OCLNN_OK)
        g->status = OCLNN_ERROR_MEMORY; /* no bytes for a sentence; the allocator has set the thread's */
}

/* Appends a zeroed value with a copied name and desc; 0 after an error. */
static int32_t add(struct onn_graph *g, const char *name, const struct onn_desc *desc, enum onn_role role)
{
    if (g->status != OCLNN_OK)
        return 0;
    const char *copy = name && *name ? onn_arena_strdup(&g->arena, name) : "";
    if (!copy || !onn_array_grow((void **)&g->value, g->n_values, &g->cap_values, sizeof *g->value)) {
        fail_memory(g);
        return 0;
    }
    struct onn_value v = {.name = copy, .role = (uint8_t)role, .node = -1};
    if (desc)
        v.desc = *desc;
    else
        v.desc.rank = -1;
    g->value[g->n_values] = v;
    return g->n_values++;
}

int32_t onn_graph_add_value(struct onn_graph *g, const char *name, const struct onn_desc *desc)
{
    return add(g, name, desc, ONN_ROLE_NONE);
}

static bool append_id(struct onn_graph *g, int32_t **list, int32_t *n, int32_t *cap, int32_t id)
{
    if (!onn_array_grow((void **)list, *n, cap, sizeof **list)) {
        fail_memory(g);
        return false;
    }
    (*list)[(*n)++] = id;
    return true;
}

int32_t onn_graph_add_input(struct onn_graph *g, const char *name, const struct onn_desc *desc)
{
    int32_t id = add(g, name, desc, ONN_ROLE_INPUT);
    return id && append_id(g, &g->input, &g->n_inputs, &g->cap_inputs, id) ? id : 0;
}

int32_t onn_graph_add_blob(struct onn_graph *g, const char *name, enum onn_role role, struct onn_blob *blob)
{
    int32_t id = blob ? add(g, name, &blob->desc, role) : 0;
    if (!blob && g->status == OCLNN_OK)
        onn_graph_fail(g, OCLNN_ERROR_ARGUMENT, "%s: constant without data", name ? name : "");
    if (id)
        g->value[id].blob = onn_blob_ref(blob);
    return id;
}

int32_t onn_graph_add_param(struct onn_graph *g, const char *name, const struct onn_desc *desc,
    const struct onn_init *init)
{
    struct onn_init *copy = NULL;
    if (g->status != OCLNN_OK)
        return 0;
    if (init && !(copy = onn_arena_dup(&g->arena, init, sizeof *init))) {
        fail_memory(g);
        return 0;
    }
    int32_t id = add(g, name, desc, ONN_ROLE_PARAM);
    if (id)
        g->value[id].init = copy;
    return id;
}

static int32_t add_const(struct onn_graph *g, enum oclnn_dtype dtype, int rank, int64_t n, const void *data)
{
    struct onn_desc desc = onn_desc_make(dtype, rank, &n);
    struct onn_blob *blob;
    if (g->status != OCLNN_OK)
        return 0;
    if (onn_blob_create(&desc, data, &blob) != OCLNN_OK) {
        fail_memory(g);
        return 0;
    }
    int32_t id = onn_graph_add_blob(g, "", ONN_ROLE_CONST, blob);
    onn_blob_unref(&blob);
    return id;
}

int32_t onn_graph_add_i64(struct onn_graph *g, const int64_t *v, int n)
{
    return add_const(g, OCLNN_I64, n < 0 ? 0 : 1, n < 0 ? 1 : n, v);
}

int32_t onn_graph_add_f32(struct onn_graph *g, float v)
{
    return add_const(g, OCLNN_F32, 0, 1, &v);
}

static bool ids_are_good(struct onn_graph *g, const char *name, const char *what, int n, const int32_t *id)
{
    for (int i = 0; i < n; i++)
        if (id[i] < 0 || id[i] >= g->n_values) {
            onn_graph_fail(g, OCLNN_ERROR_ARGUMENT, "%s: %s %d is value %d, which is not there", name, what,
                i, (int)id[i]);
            return false;
        }
    return true;
}

int32_t onn_graph_add_node_to(struct onn_graph *g, const struct onn_op *op, const char *name,
    const void *attr, size_t attr_size, int n_in, const int32_t *in, int n_out, const int32_t *out)
{
    name = name ? name : "";
    if (g->status != OCLNN_OK || !ids_are_good(g, name, "input", n_in, in) ||
        !ids_are_good(g, name, "output", n_out, out))
        return -1;
    for (int i = 0; i < n_out; i++) {
        const struct onn_value *v = &g->value[out[i]];
        if (out[i] && (v->node >= 0 || v->role != ONN_ROLE_NONE)) {
            onn_graph_fail(g, OCLNN_ERROR_ARGUMENT, "%s: output %d (value %d %s) is made elsewhere", name, i,
                (int)out[i], v->name);
            return -1;
        }
    }
    struct onn_node node = {.op = op, .n_in = n_in, .n_out = n_out, .source = -1};
    int32_t *in_copy = n_in ? onn_arena_dup(&g->arena, in, (size_t)n_in * sizeof *in) : NULL;
    int32_t *out_copy = n_out ? onn_arena_dup(&g->arena, out, (size_t)n_out * sizeof *out) : NULL;
    node.in = in_copy;
    node.out = out_copy;
    node.name = *name ? onn_arena_strdup(&g->arena, name) : "";
    node.attr = attr && attr_size ? onn_arena_dup(&g->arena, attr, attr_size) : NULL;
    if ((n_in && !in_copy) || (n_out && !out_copy) || !node.name || (attr && attr_size && !node.attr) ||
        !onn_array_grow((void **)&g->node, g->n_nodes, &g->cap_nodes, sizeof *g->node)) {
        fail_memory(g);
        return -1;
    }
    for (int i = 0; i < n_out; i++)
        if (out[i]) {
            g->value[out[i]].node = g->n_nodes;
            g->value[out[i]].slot = i;
        }
    g->node[g->n_nodes] = node;
    return g->n_nodes++;
}

int32_t onn_graph_add_node(struct onn_graph *g, const struct onn_op *op, const char *name, const void *attr,
    size_t attr_size, int n_in, const int32_t *in, int n_out)
{
    if (g->status != OCLNN_OK)
        return -1;
    int32_t few[8] = {0}, *out = few;
    if (n_out > 8 && !(out = onn_calloc((size_t)n_out, sizeof *out))) {
        fail_memory(g);
        return -1;
    }
    for (int i = 0; i < n_out; i++)
        out[i] = onn_graph_add_value(g, "", NULL);
    int32_t node = onn_graph_add_node_to(g, op, name, attr, attr_size, n_in, in, n_out, out);
    if (out != few)
        onn_free(out);
    return node;
}

void onn_graph_add_output(struct onn_graph *g, const char *name, int32_t value)
{
    if (g->status != OCLNN_OK)
        return;
    if (value <= 0 || value >= g->n_values) {
        onn_graph_fail(g, OCLNN_ERROR_ARGUMENT, "output %s: value %d is not there", name ? name : "",
            (int)value);
        return;
    }
    struct onn_value *v = &g->value[value];
    if (name && *name && strcmp(name, v->name) && (v->role == ONN_ROLE_NONE || !*v->name)) {
        const char *copy = onn_arena_strdup(&g->arena, name);
        if (!copy) {
            fail_memory(g);
            return;
        }
        v->name = copy;
    }
    append_id(g, &g->output, &g->n_outputs, &g->cap_outputs, value);
}

enum oclnn_status onn_graph_hold_blob(struct onn_graph *g, struct onn_blob *blob)
{
    if (!onn_array_grow((void **)&g->held, g->n_held, &g->cap_held, sizeof *g->held)) {
        fail_memory(g);
        return OCLNN_ERROR_MEMORY;
    }
    g->held[g->n_held++] = onn_blob_ref(blob);
    return OCLNN_OK;
}

enum oclnn_status onn_graph_hold_sub(struct onn_graph *g, struct onn_graph *sub)
{
    if (!onn_array_grow((void **)&g->sub, g->n_sub, &g->cap_sub, sizeof *g->sub)) {
        fail_memory(g);
        onn_graph_destroy(&sub);
        return OCLNN_ERROR_MEMORY;
    }
    g->sub[g->n_sub++] = sub;
    return OCLNN_OK;
}

int32_t onn_graph_find(const struct onn_graph *g, const char *name)
{
    for (int32_t i = 1; name && *name && i < g->n_values; i++)
        if (!strcmp(g->value[i].name, name))
            return i;
    return 0;
}

int32_t *onn_graph_count_uses(const struct onn_graph *g)
{
    int32_t *uses = onn_calloc((size_t)g->n_values, sizeof *uses);
    if (!uses)
        return NULL;
    for (int32_t i = 0; i < g->n_nodes; i++)
        for (int32_t k = 0; k < g->node[i].n_in; k++)
            uses[g->node[i].in[k]]++;
    for (int32_t i = 0; i < g->n_outputs; i++)
        uses[g->output[i]]++;
    uses[0] = 0;
    return uses;
}
