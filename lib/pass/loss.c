#include "pass/loss.h"
#include "ops/cross_entropy.h"
#include "ops/elementwise.h"
#include "ops/softmax.h"
#include "pass/rewrite.h"

#include <string.h>

static int32_t emit(struct onn_graph *g, const char *op, const void *attr, int n, const int32_t *in)
{
    return onn_emit_all(g, op, "loss", attr, n, in);
}

static int32_t binary(struct onn_graph *g, const char *op, int32_t a, int32_t b)
{
    return emit(g, op, NULL, 2, (int32_t[]){a, b});
}

static int32_t scalar(struct onn_graph *g, int32_t v)
{
    return binary(g, "reshape", v, onn_graph_add_i64(g, NULL, 0));
}

static int32_t labelled(struct onn_graph *g, const struct onn_loss *l, int32_t x, int32_t t)
{
    const struct onn_cross_entropy_attr a = {.smoothing = l->smoothing,
        .ignore_index = l->ignore ? l->ignore_index : ONN_CE_NONE,
        .sum = l->sum};
    const int32_t in[3] = {x, t, l->weights};
    int32_t out[3] = {0};
    const struct onn_op *op = onn_op_find(l->name);
    /* all outputs: the gradient needs the others */
    return op && onn_emit_many(g, op, "loss", &a, l->weights ? 3 : 2, in, 3, out) == OCLNN_OK ? out[0] : 0;
}

/* Sums over the spatial dimensions, or over all but the first where there are none. */
static int32_t per_channel(struct onn_graph *g, int32_t v)
{
    int64_t axes[ONN_MAX_RANK];
    int n = 0;
    if (!v)
        return 0;
    const int rank = g->value[v].desc.rank;
    for (int i = rank > 2 ? 2 : 1; i < rank; i++)
        axes[n++] = i;
    return binary(g, "reducesum", v, onn_graph_add_i64(g, axes, n));
}

static int32_t probabilities(struct onn_graph *g, int32_t x)
{
    const struct onn_softmax_attr attr = {.axis = 1};
    const struct onn_desc *d = &g->value[x].desc;
    if (d->rank > 1 && d->dim[1] > 1)
        return emit(g, "softmax", &attr, 1, &x);
    return emit(g, "sigmoid", NULL, 1, &x);
}

static int32_t dice(struct onn_graph *g, const struct onn_loss *l, int32_t x, int32_t t)
{
    if (!strcmp(l->name, "dice_logits"))
        x = probabilities(g, x);
    if (l->where) {
        x = binary(g, "mul", x, l->where);
        t = binary(g, "mul", t, l->where);
    }
    const int32_t smooth = onn_graph_add_f32(g, l->alpha > 0 ? l->alpha : 1);
    const int32_t both = binary(g, "mul", per_channel(g, binary(g, "mul", x, t)), onn_graph_add_f32(g, 2));
    const int32_t all = binary(g, "add", per_channel(g, x), per_channel(g, t));
    const int32_t score = binary(g, "div", binary(g, "add", both, smooth), binary(g, "add", all, smooth));
    const int32_t loss = binary(g, "sub", onn_graph_add_f32(g, 1), score);
    return scalar(g, emit(g, l->sum ? "reducesum" : "reducemean", NULL, 1, &loss));
}

/* By what a sum over elements becomes their mean where positions have weights: never 0. */
static int32_t weight_of_all(struct onn_graph *g, int32_t where, int32_t x)
{
    const int64_t each = onn_desc_elements(&g->value[x].desc) / onn_desc_elements(&g->value[where].desc);
    const int32_t sum = scalar(g, emit(g, "reducesum", NULL, 1, &where));
    const int32_t all = binary(g, "mul", sum, onn_graph_add_f32(g, (float)each));
    return binary(g, "max", all, onn_graph_add_f32(g, 1e-20f));
}

int32_t onn_loss_append(struct onn_graph *g, const struct onn_loss *l, int32_t x, int32_t t)
{
    static const char *const each[] = {"bce", "bce_logits", "focal", "mse", "l1", "huber", "kl", NULL};
    struct onn_ew_attr attr = {.alpha = l->alpha, .beta = l->gamma};
    char name[32] = "";
    if (!strcmp(l->name, "softmax_ce") || !strcmp(l->name, "nll"))
        return labelled(g, l, x, t);
    if (!strcmp(l->name, "dice") || !strcmp(l->name, "dice_logits"))
        return dice(g, l, x, t);
    for (int i = 0; each[i]; i++)
        if (!strcmp(each[i], l->name)) {
            strcpy(name, each[i]);
            strcat(name, "_each");
        }
    if (!name[0]) {
        onn_graph_fail(g, OCLNN_ERROR_ARGUMENT, "there is no loss '%s'", l->name);
        return 0;
    }
    const bool is_focal = !strcmp(l->name, "focal"), is_kl = !strcmp(l->name, "kl");
    attr.alpha = attr.alpha ? attr.alpha : is_focal ? 0.25f : 1;
    attr.beta = attr.beta ? attr.beta : is_focal ? 2 : 0;
    const struct onn_op *op = onn_op_find(name);
    int32_t v = emit(g, name, op && op->attr_size ? &attr : NULL, 2, (int32_t[]){x, t});
    if (l->where)
        v = binary(g, "mul", v, l->where);
    if (!v)
        return 0;
    if (!l->sum && !is_kl && !l->where)
        return scalar(g, emit(g, "reducemean", NULL, 1, &v));
    const int32_t sum = scalar(g, emit(g, "reducesum", NULL, 1, &v));
    if (l->sum)
        return sum;
    return binary(g, "div", sum,
        is_kl ? onn_graph_add_f32(g, (float)g->value[x].desc.dim[0]) : weight_of_all(g, l->where, x));
}
