#include "plan/layout.h"
#include "ops/reorder.h"
#include "pass/rewrite.h"

#include <string.h>

struct made { /* a value in a second format */
    int32_t from, to;
};

struct layout {
    struct onn_rewrite r;
    const struct onn_choice *choice;
    const struct onn_assign_options *o;
    struct onn_choice *out;
    int cap_out;
    struct made *made;
    int n_made, cap_made;
};

static enum oclnn_status push_choice(struct layout *l, const struct onn_choice *c)
{
    int k = l->r.out->n_nodes - 1;
    if (!onn_array_grow((void **)&l->out, k, &l->cap_out, sizeof *l->out))
        return OCLNN_ERROR_MEMORY;
    l->out[k] = *c;
    return OCLNN_OK;
}

/* The best variant of a node whose formats are given. */
static enum oclnn_status choose_reorder(struct layout *l, int32_t from, int32_t to, struct onn_choice *c)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_graph *g = l->r.out;
    const struct onn_node *n = &g->node[g->n_nodes - 1];
    struct onn_arena scratch = {0};
    struct onn_prob p;
    ONN_TRY(onn_node_prob(g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, &scratch, &p));
    p.caps = l->o->caps;
    *c = (struct onn_choice){.formats.n_in = 1, .formats.n_out = 1};
    c->formats.in[0] = g->value[from].desc.format;
    c->formats.out[0] = g->value[to].desc.format;
    for (int v = 0; n->op->variants[v]; v++) {
        const char *reason = n->op->variants[v]->refuse ? n->op->variants[v]->refuse(&p) : NULL;
        if (!reason) {
            c->variant = n->op->variants[v];
            break;
        }
    }
    ONN_CHECK(c->variant, OCLNN_ERROR_INTERNAL, "no reorder variant");
fail:
    onn_arena_finish(&scratch);
    return status;
}

/* `id` of the new graph in `format`: itself or the result of a reorder node, made once per format. */
static enum oclnn_status in_format(struct layout *l, int32_t id, struct onn_format format, int32_t *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_graph *g = l->r.out;
    *out = id;
    if (onn_format_equal(&g->value[id].desc.format, &format))
        return OCLNN_OK;
    if (format.pack &&
        !onn_format_is_plain(&g->value[id].desc.format)) /* packing kernels read plain weights */
        ONN_TRY(in_format(l, id, onn_format_plain(), &id));
    for (int i = 0; i < l->n_made; i++)
        if (l->made[i].from == id && onn_format_equal(&g->value[l->made[i].to].desc.format, &format)) {
            *out = l->made[i].to;
            return OCLNN_OK;
        }
    struct onn_reorder_attr attr = {.format = format};
    const struct onn_op *op = onn_op_find("reorder");
    ONN_CHECK(op, OCLNN_ERROR_INTERNAL, "no operator 'reorder'");
    char name[48],
        *text = onn_arena_printf(&g->arena, "%s.%s", g->value[id].name, onn_format_name(&format, name));
    ONN_TRY(text ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    struct onn_arena scratch = {0};
    struct onn_prob p;
    struct onn_desc desc;
    status = onn_node_prob(g, op, &attr, 1, &id, 0, NULL, &scratch, &p);
    p.caps = l->o->caps;
    if (status == OCLNN_OK)
        status = op->infer(&p, &desc);
    onn_arena_finish(&scratch);
    ONN_TRY(status);
    int32_t k = onn_graph_add_node(g, op, text, &attr, sizeof attr, 1, &id, 1);
    ONN_TRY(g->status);
    *out = g->node[k].out[0];
    g->value[*out].desc = desc;
    g->value[*out].name = text;
    struct onn_choice c;
    ONN_TRY(choose_reorder(l, id, *out, &c));
    ONN_TRY(push_choice(l, &c));
    if (!onn_array_grow((void **)&l->made, l->n_made, &l->cap_made, sizeof *l->made))
        return OCLNN_ERROR_MEMORY;
    l->made[l->n_made++] = (struct made){id, *out};
fail:
    return status;
}

static enum oclnn_status lay_node(struct layout *l, int k)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = l->r.in;
    const struct onn_node *n = &g->node[k];
    const struct onn_choice *c = &l->choice[k];
    int32_t *in = onn_calloc((size_t)n->n_in + 1, sizeof *in);
    ONN_TRY(in ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int i = 0; i < n->n_in; i++) {
        if (!n->in[i])
            continue;
        int32_t id = onn_rewrite_value(&l->r, n->in[i]);
        ONN_TRY(l->r.out->status);
        ONN_TRY(in_format(l, id, onn_choice_in(c, g, n, i), &in[i]));
    }
    ONN_TRY(onn_rewrite_copy_node_with(&l->r, k, n->n_in, in, n->epi));
    const struct onn_node *made = &l->r.out->node[l->r.out->n_nodes - 1];
    for (int i = 0; i < made->n_out; i++)
        if (made->out[i])
            onn_desc_set_format(&l->r.out->value[made->out[i]].desc, onn_choice_out(c, i));
    ONN_TRY(push_choice(l, c));
fail:
    onn_free(in);
    return status;
}

enum oclnn_status onn_layout(const struct onn_graph *g, const struct onn_choice *choice,
    const struct onn_assign_options *options, struct onn_graph **out, struct onn_choice **out_choice)
{
    enum oclnn_status status = OCLNN_OK;
    struct layout l = {.choice = choice, .o = options};
    ONN_TRY(onn_rewrite_init(&l.r, g));
    for (int i = 0; i < g->n_inputs; i++)
        onn_rewrite_value(&l.r, g->input[i]);
    for (int k = 0; k < g->n_nodes; k++)
        ONN_TRY(lay_node(&l, k));
    for (int i = 0; i < g->n_outputs; i++) {
        int32_t id = onn_rewrite_value(&l.r, g->output[i]), plain;
        ONN_TRY(l.r.out->status);
        ONN_TRY(in_format(&l, id, onn_format_plain(), &plain));
        onn_graph_add_output(l.r.out, g->value[g->output[i]].name, plain);
    }
    ONN_TRY(l.r.out->status);
fail:
    status = onn_rewrite_finish(&l.r, status, out);
    onn_free(l.made);
    if (status == OCLNN_OK)
        *out_choice = l.out;
    else
        onn_free(l.out);
    return status;
}
