/* Pad nodes of zeros become pads of the convolution or pooling that reads them: a tensor less to write and to read. */
#include "ops/elementwise.h"
#include "ops/pad.h"
#include "ops/pool.h"
#include "pass/passes.h"
#include "pass/rewrite.h"

#include <string.h>

enum kind { KIND_NONE, KIND_CONV, KIND_AVERAGE, KIND_MAX };

static enum kind kind_of(const struct onn_op *op)
{
    return strcmp(op->name, "conv") == 0       ? KIND_CONV
        : strcmp(op->name, "averagepool") == 0 ? KIND_AVERAGE
        : strcmp(op->name, "maxpool") == 0     ? KIND_MAX
                                               : KIND_NONE;
}

/* Can no element of v be below 0? Looks at the operators that made it. */
static bool is_positive(const struct onn_graph *g, int32_t v)
{
    static const char *const positive[] = {"relu", "sigmoid", "abs", "exp", "softplus", "softmax", NULL};
    static const char *const keeps[] = {"maxpool", "averagepool", "globalaveragepool", "identity", NULL};
    for (int depth = 0; depth < 8 && g->value[v].node >= 0; depth++) {
        const struct onn_node *n = &g->node[g->value[v].node];
        for (int i = 0; positive[i]; i++)
            if (strcmp(positive[i], n->op->name) == 0)
                return true;
        int i = 0;
        while (keeps[i] && strcmp(keeps[i], n->op->name) != 0)
            i++;
        if (strcmp(n->op->name, "clip") == 0 && n->n_in > 1 && n->in[1]) {
            const struct onn_value *low = &g->value[n->in[1]];
            return low->role == ONN_ROLE_CONST && low->blob && onn_blob_get_f64(low->blob, 0) >= 0;
        }
        if (!keeps[i])
            return false;
        v = n->in[0];
    }
    return false;
}

/* Pads of the spatial dimensions, aligned to the end as in onn_window; false if others are padded or cut. */
static bool read_pads(const struct onn_graph *g, const struct onn_node *n, int64_t begin[3], int64_t end[3])
{
    struct onn_arena scratch = {0};
    struct onn_prob p;
    int64_t before[ONN_MAX_RANK], after[ONN_MAX_RANK];
    bool good =
        onn_node_prob(g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, &scratch, &p) == OCLNN_OK &&
        onn_pad_is_zero(&p) && onn_pad_read(&p, before, after) == OCLNN_OK;
    const int rank = good ? p.in[0].rank : 0;
    good = good && rank >= 3 && rank <= 5 && !before[0] && !after[0] && !before[1] && !after[1];
    for (int i = 0; i < 3; i++)
        begin[i] = end[i] = 0;
    for (int i = 2; good && i < rank; i++) {
        begin[i - rank + 3] = before[i];
        end[i - rank + 3] = after[i];
        good = before[i] >= 0 && after[i] >= 0;
    }
    onn_arena_finish(&scratch);
    return good;
}

/* Do the zeros count as the node's own pads would? w: its window over the padded tensor. */
static bool agrees(const struct onn_graph *g, const struct onn_node *n, const struct onn_node *pad,
    const struct onn_window *w, const int64_t begin[3], const int64_t end[3])
{
    const enum kind kind = kind_of(n->op);
    const struct onn_pool_attr *a = n->attr;
    bool none = true;
    if (kind == KIND_CONV)
        return true;
    if (n->n_out > 1 && n->out[1]) /* positions in the padded tensor */
        return false;
    for (int i = 0; i < 3; i++) {
        const int64_t reach = (w->kernel[i] - 1) * w->dilation[i];
        none = none && !w->begin[i] && !w->end[i];
        /* Max pooling pads with the least number: the same where nothing is below 0 and no window lies outside. */
        if (kind == KIND_MAX && (w->begin[i] + begin[i] > reach || w->end[i] + end[i] > reach))
            return false;
    }
    /* An average counts the Pad's zeros always, its own pads by choice. */
    return kind == KIND_MAX ? is_positive(g, pad->in[0]) : none || a->count_include_pad;
}

/* The attributes of node n with the pads added; NULL if that would not give the same answer. In `arena`. */
static void *with_pads(const struct onn_graph *g, const struct onn_node *n, const struct onn_node *pad,
    struct onn_arena *arena)
{
    struct onn_prob p;
    struct onn_conv_geometry geo;
    struct onn_desc x, out[2];
    int64_t begin[3], end[3];
    const bool conv = kind_of(n->op) == KIND_CONV;
    if (!read_pads(g, pad, begin, end) ||
        onn_node_prob(g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, arena, &p) != OCLNN_OK ||
        (conv ? onn_conv_geometry(&p, &geo) : onn_pool_window(&p, &geo.window)) != OCLNN_OK ||
        !agrees(g, n, pad, &geo.window, begin, end))
        return NULL;
    const struct onn_window *w = &geo.window;
    int64_t *list = onn_arena_calloc(arena, 6, sizeof *list);
    struct onn_window_attr *attr = onn_attr_copy(n->op, n->attr, arena); /* first in all three structs */
    if (!list || !attr)
        return NULL;
    for (int i = 0; i < w->spatial; i++) {
        const int k = 3 - w->spatial + i;
        list[i] = w->begin[k] + begin[k];
        list[w->spatial + i] = w->end[k] + end[k];
    }
    attr->auto_pad = NULL;
    attr->pad = (struct onn_ints){2 * w->spatial, list};
    if (kind_of(n->op) == KIND_AVERAGE)
        ((struct onn_pool_attr *)attr)->count_include_pad = 1;
    x = g->value[pad->in[0]].desc;
    ((struct onn_desc *)p.in)[0] = x;
    p.attr = attr;
    /* With ceil_mode the number of windows may hang on where the border begins. */
    if (n->op->infer(&p, out) != OCLNN_OK || !onn_desc_same_shape(&out[0], &g->value[n->out[0]].desc))
        return NULL;
    return attr;
}

static enum oclnn_status copy_padded(struct onn_rewrite *r, int32_t k)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_graph *g = r->in;
    struct onn_node n = g->node[k];
    int32_t in[3] = {0};
    const int32_t from = n.n_in > 0 && n.n_in <= 3 && !n.epi ? g->value[n.in[0]].node : -1;
    const struct onn_node *pad = from >= 0 ? &g->node[from] : NULL;
    struct onn_arena scratch = {0};
    void *attr = NULL;
    if (kind_of(n.op) != KIND_NONE && n.n_out <= 2 && pad && strcmp(pad->op->name, "pad") == 0 && !pad->epi)
        attr = with_pads(g, &n, pad, &scratch);
    if (!attr) {
        status = onn_rewrite_copy_node(r, k);
        goto fail;
    }
    for (int i = 0; i < n.n_in; i++)
        in[i] = onn_rewrite_value(r, i ? n.in[i] : pad->in[0]);
    ONN_TRY(r->out->status);
    status = onn_rewrite_copy_node_as(r, k, attr, n.n_in, in);
fail:
    onn_arena_finish(&scratch);
    return status;
}

enum oclnn_status onn_pass_pad(const struct onn_graph *in, struct onn_graph **out)
{
    return onn_rewrite_nodes(in, copy_padded, out);
}
