/* What is decided about a graph before its nodes are imported: which operators are missing, and the order
 * of nodes. */
#include "io/onnx_internal.h"

#include <string.h>

/* ---- missing operators, all at once ---- */
#define MAX_TYPES 24 /* named in the sentence */
#define MAX_NAMES 3 /* nodes named per type */

struct missing {
    const char *domain, *type, *node[MAX_NAMES];
    int count;
};
struct missing_list {
    struct missing type[MAX_TYPES];
    int n, others;
};

static bool is_default_domain(const char *domain)
{
    return !domain || !*domain || !strcmp(domain, "ai.onnx");
}

static void note_missing(struct missing_list *list, const Onnx__NodeProto *node)
{
    const char *domain = is_default_domain(node->domain) ? "" : node->domain;
    int i = 0;
    while (i < list->n && (strcmp(list->type[i].type, node->op_type) || strcmp(list->type[i].domain, domain)))
        i++;
    if (i == MAX_TYPES) {
        list->others++;
        return;
    }
    struct missing *m = &list->type[i];
    if (i == list->n) {
        list->n++;
        m->domain = domain;
        m->type = node->op_type;
    }
    if (m->count < MAX_NAMES)
        m->node[m->count] = node->name && *node->name ? node->name : node->n_output ? node->output[0] : "";
    m->count++;
}

static enum oclnn_status find_missing(const Onnx__GraphProto *g, int opset, struct missing_list *list)
{
    for (size_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *node = g->node[i];
        if (!node->op_type || !*node->op_type)
            return onn_error(OCLNN_ERROR_FORMAT, "node %zu '%.200s' has no operator type", i,
                node->name ? node->name : "");
        bool known = is_default_domain(node->domain) &&
            (!strcmp(node->op_type, "Constant") || onn_opset_op(node->op_type, opset));
        if (!known)
            note_missing(list, node);
        for (size_t a = 0; a < node->n_attribute; a++)
            if (node->attribute[a]->g) {
                enum oclnn_status status = find_missing(node->attribute[a]->g, opset, list);
                if (status != OCLNN_OK)
                    return status;
            }
    }
    return OCLNN_OK;
}

static void describe(const struct missing *m, struct onn_str *text)
{
    onn_str_add(text, "%s%s%.60s (node", m->domain, *m->domain ? "::" : "", m->type);
    for (int i = 0; i < m->count && i < MAX_NAMES; i++)
        onn_str_add(text, "%s '%.80s'", i ? "," : "", m->node[i]);
    if (m->count > MAX_NAMES)
        onn_str_add(text, ", %d more", m->count - MAX_NAMES);
    onn_str_add(text, ")");
}

enum oclnn_status onn_onnx_check_ops(const Onnx__GraphProto *g, int opset)
{
    struct missing_list list = {0};
    enum oclnn_status status = find_missing(g, opset, &list);
    if (status != OCLNN_OK || !list.n)
        return status;
    struct onn_str text = {0};
    for (int i = 0; i < list.n; i++) {
        onn_str_add(&text, "%s", i ? ", " : "");
        describe(&list.type[i], &text);
    }
    if (list.others)
        onn_str_add(&text, " and %d nodes of more types", list.others);
    onn_error(OCLNN_ERROR_UNSUPPORTED,
        "operators that are not supported (opset %d): %s; oclnn-info --operators lists those that are", opset,
        onn_str_text(&text));
    onn_str_finish(&text);
    return OCLNN_ERROR_UNSUPPORTED;
}

/* ---- order ---- */
enum { NEW, OPEN, DONE };

/* Depth first. A node is popped twice: first it opens and pushes what it needs, then everything below it is
 * done and it is emitted. So open nodes are exactly those on the path, and meeting one again is a cycle. */
struct sorter {
    const Onnx__GraphProto *g;
    struct onn_names producer; /* value name -> node */
    uint8_t *state;
    int32_t *stack, *order;
    int depth, cap_stack;
    int32_t n;
};

static enum oclnn_status push(struct sorter *s, int32_t node)
{
    if (!onn_array_grow((void **)&s->stack, s->depth, &s->cap_stack, sizeof *s->stack))
        return OCLNN_ERROR_MEMORY;
    s->stack[s->depth++] = node;
    return OCLNN_OK;
}

/* Pushes the producer of `name` if it is in this graph and not emitted yet. */
static enum oclnn_status need(struct sorter *s, const char *name, bool from_subgraph)
{
    int32_t node = name && *name ? onn_names_get(&s->producer, name) : -1;
    if (node < 0 || s->state[node] == DONE)
        return OCLNN_OK;
    if (s->state[node] == NEW)
        return push(s, node);
    if (from_subgraph) /* more likely a name that the subgraph defines itself */
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_FORMAT, "the graph has a cycle through value '%.200s'", name);
}

/* Values of this graph that a nested graph reads. */
static enum oclnn_status need_outer(struct sorter *s, const Onnx__GraphProto *inner)
{
    enum oclnn_status status = OCLNN_OK;
    for (size_t i = 0; i < inner->n_node; i++) {
        const Onnx__NodeProto *node = inner->node[i];
        for (size_t k = 0; k < node->n_input; k++)
            ONN_TRY(need(s, node->input[k], true));
        for (size_t a = 0; a < node->n_attribute; a++)
            if (node->attribute[a]->g)
                ONN_TRY(need_outer(s, node->attribute[a]->g));
    }
    for (size_t i = 0; i < inner->n_output; i++)
        ONN_TRY(need(s, inner->output[i]->name, true));
fail:
    return status;
}

static enum oclnn_status visit(struct sorter *s)
{
    enum oclnn_status status = OCLNN_OK;
    int32_t self = s->stack[--s->depth];
    const Onnx__NodeProto *node = s->g->node[self];
    if (s->state[self] == OPEN)
        s->order[s->n++] = self;
    if (s->state[self] != NEW) {
        s->state[self] = DONE;
        return OCLNN_OK;
    }
    s->state[self] = OPEN;
    ONN_TRY(push(s, self));
    for (size_t a = 0; a < node->n_attribute; a++)
        if (node->attribute[a]->g)
            ONN_TRY(need_outer(s, node->attribute[a]->g));
    for (size_t i = node->n_input; i-- > 0;) /* the first input comes out first */
        ONN_TRY(need(s, node->input[i], false));
fail:
    return status;
}

enum oclnn_status onn_onnx_sort(const Onnx__GraphProto *g, int32_t **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct sorter s = {.g = g};
    *out = NULL;
    ONN_CHECK(g->n_node <= ONN_ONNX_MAX_NODES, OCLNN_ERROR_FORMAT, "%zu nodes, at most %d are supported",
        g->n_node, ONN_ONNX_MAX_NODES);
    s.state = onn_calloc(g->n_node + 1, sizeof *s.state);
    s.order = onn_calloc(g->n_node + 1, sizeof *s.order);
    ONN_TRY(s.state && s.order ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_output; k++) {
            const char *name = g->node[i]->output[k];
            ONN_CHECK(!*name || onn_names_get(&s.producer, name) < 0, OCLNN_ERROR_FORMAT,
                "value '%.200s' is made twice", name);
            ONN_TRY(!*name || onn_names_set(&s.producer, name, (int32_t)i) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        }
    for (size_t i = 0; i < g->n_node; i++) {
        if (s.state[i] == NEW)
            ONN_TRY(push(&s, (int32_t)i));
        while (s.depth)
            ONN_TRY(visit(&s));
    }
    *out = s.order;
    s.order = NULL;
fail:
    onn_names_finish(&s.producer);
    onn_free(s.state);
    onn_free(s.stack);
    onn_free(s.order);
    return status;
}
