#include "graph/graph.h"

static const char *role_name(int role)
{
    switch (role) {
    case ONN_ROLE_INPUT: return "input";
    case ONN_ROLE_CONST: return "const";
    case ONN_ROLE_PARAM: return "param";
    case ONN_ROLE_STATE: return "state";
    case ONN_ROLE_OUTER: return "outer";
    default: return "value";
    }
}

static void add_ids(struct onn_str *out, int n, const int32_t *id)
{
    for (int i = 0; i < n; i++) {
        onn_str_add(out, "%s", i ? ", " : "");
        if (id[i])
            onn_str_add(out, "%%%d", (int)id[i]);
        else
            onn_str_add(out, "-");
    }
}

static void add_descs(const struct onn_graph *g, struct onn_str *out, int n, const int32_t *id)
{
    char text[160];
    for (int i = 0; i < n; i++)
        if (id[i])
            onn_str_add(out, " %s", onn_desc_text(&g->value[id[i]].desc, text));
}

void onn_graph_dump(const struct onn_graph *g, const char *(*op_name)(const struct onn_op *),
    struct onn_str *out)
{
    char text[160];
    onn_str_add(out, "graph: %d nodes, %d values%s\n", (int)g->n_nodes, (int)g->n_values - 1,
        g->training ? ", training" : "");
    for (int32_t i = 1; i < g->n_values; i++) {
        const struct onn_value *v = &g->value[i];
        if (v->role != ONN_ROLE_NONE)
            onn_str_add(out, "%s %%%d \"%s\" %s\n", role_name(v->role), (int)i, v->name,
                onn_desc_text(&v->desc, text));
    }
    for (int32_t i = 0; i < g->n_nodes; i++) {
        const struct onn_node *n = &g->node[i];
        add_ids(out, n->n_out, n->out);
        onn_str_add(out, " = %s(", op_name ? op_name(n->op) : "?");
        add_ids(out, n->n_in, n->in);
        onn_str_add(out, ")%s%s%s%s :", n->epi ? " +fused" : "", *n->name ? " \"" : "", n->name,
            *n->name ? "\"" : "");
        add_descs(g, out, n->n_out, n->out);
        onn_str_add(out, "\n");
    }
    for (int32_t i = 0; i < g->n_outputs; i++)
        onn_str_add(out, "output %%%d \"%s\" %s\n", (int)g->output[i], g->value[g->output[i]].name,
            onn_desc_text(&g->value[g->output[i]].desc, text));
    for (int32_t i = 0; i < g->n_sub; i++) {
        onn_str_add(out, "subgraph %d:\n", (int)i);
        onn_graph_dump(g->sub[i], op_name, out);
    }
}
