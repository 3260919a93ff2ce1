/* softmax_ce, nll and their gradients: one pass over the logits per direction. See cross_entropy.h. */
#include "ops/cross_entropy.h"
#include "ops/grads.h"
#include "ops/reduce.h"
#include "ops/walk.h"

#include <stddef.h>
#include <string.h>

static bool is_dx(const struct onn_prob *p)
{
    const size_t n = strlen(p->op->name);
    return !strcmp(p->op->name + n - 2, "dx");
}

static bool is_nll(const struct onn_prob *p)
{
    return p->op->name[0] == 'n';
}

/* Logits [N, C, …] against labels [N, …] and weights [C]. */
static enum oclnn_status check(const struct onn_prob *p, int x_in, int label_in, int weight_in)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[x_in], *t = &p->in[label_in];
    char a[160], b[160];
    ONN_CHECK(onn_dtype_is_float(x->dtype), OCLNN_ERROR_DTYPE, "the logits are %s",
        oclnn_dtype_name(x->dtype));
    ONN_CHECK(t->dtype == OCLNN_I32 || t->dtype == OCLNN_I64, OCLNN_ERROR_DTYPE,
        "the labels are %s, not i32 or i64", oclnn_dtype_name(t->dtype));
    if (x->rank < 0 || t->rank < 0)
        return OCLNN_OK;
    bool fits = x->rank >= 2 && t->rank == x->rank - 1;
    for (int d = 0; fits && d < t->rank; d++)
        fits = t->dim[d] == x->dim[d ? d + 1 : 0] || t->dim[d] < 0 || x->dim[d ? d + 1 : 0] < 0;
    ONN_CHECK(fits, OCLNN_ERROR_SHAPE, "labels %s do not fit logits %s", onn_desc_text(t, a),
        onn_desc_text(x, b));
    if (onn_prob_has(p, weight_in))
        ONN_CHECK(p->in[weight_in].rank == 1 && p->in[weight_in].dtype == x->dtype &&
                (p->in[weight_in].dim[0] == x->dim[1] || x->dim[1] < 0),
            OCLNN_ERROR_SHAPE, "weights %s do not fit logits %s", onn_desc_text(&p->in[weight_in], a),
            onn_desc_text(x, b));
fail:
    return status;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = check(p, 0, 1, 2);
    if (status != OCLNN_OK)
        return status;
    out[0] = onn_desc_make(p->in[0].dtype, 0, NULL);
    if (p->n_out > 1)
        out[1] = onn_desc_make(p->in[0].dtype, p->in[1].rank, p->in[1].dim);
    if (p->n_out > 2)
        out[2] = onn_desc_make(p->in[0].dtype, 0, NULL);
    return OCLNN_OK;
}

static enum oclnn_status infer_dx(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = check(p, 1, 2, 5);
    if (status == OCLNN_OK)
        out[0] = onn_desc_make(p->in[1].dtype, p->in[1].rank, p->in[1].dim);
    return status;
}

struct ce_args { /* cl/cross_entropy.cl */
    int32_t rows, inner, classes, has_weights, nll, sum, has_lse, has_total;
    int64_t ignore;
    float smoothing, pad;
};

static enum oclnn_status make_args(const struct onn_prob *p, const struct onn_desc *x, int weight_in,
    struct ce_args *a)
{
    const struct onn_cross_entropy_attr *t = p->attr;
    const int64_t classes = x->dim[1], rows = classes ? onn_desc_elements(x) / classes : 0;
    if (rows > INT32_MAX || classes > INT32_MAX || onn_desc_elements(x) > INT32_MAX)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "more than 31 bits of logits");
    *a = (struct ce_args){.rows = (int32_t)rows,
        .inner = (int32_t)(x->dim[0] ? rows / x->dim[0] : 0),
        .classes = (int32_t)classes,
        .has_weights = onn_prob_has(p, weight_in),
        .nll = is_nll(p),
        .sum = t->sum != 0,
        .ignore = t->ignore_index,
        .smoothing = t->smoothing};
    return OCLNN_OK;
}

#define CHUNK 4096 /* CE_CHUNK in cl/cross_entropy.cl */

/* Items of a group that adds losses up, CE_WG; the same on nearly every device, and so are the bits. */
static size_t adders(const struct onn_prob *p)
{
    return p->caps && p->caps->max_group >= 64 ? 64 : 1;
}

static int64_t rows_of(const struct onn_prob *p)
{
    const struct onn_desc *x = &p->in[0];
    return x->dim[1] ? onn_desc_elements(x) / x->dim[1] : 0;
}

static struct onn_launch *start(const struct onn_prob *p, struct onn_bind *b, const char *kernel,
    const struct onn_desc *x, const struct onn_desc *labels)
{
    return onn_bind_add(b, "cross_entropy", kernel, "%s -D CE_LABEL=%s -D CE_WG=%d",
        onn_any_define(x->dtype, b->arena), labels->dtype == OCLNN_I32 ? "int" : "long", (int)adders(p));
}

/* Rows leave loss and weight in the workspace; work-groups add chunks of them up, and one the chunks. */
static enum oclnn_status bind_forward(const struct onn_prob *p, struct onn_bind *b, bool group)
{
    struct ce_args a;
    b->status = make_args(p, &p->in[0], 2, &a);
    if (b->status != OCLNN_OK)
        return b->status;
    a.has_lse = p->n_out > 1 && p->out[1].dtype;
    a.has_total = p->n_out > 2 && p->out[2].dtype;
    struct onn_launch *l = start(p, b, group ? "ce_group" : "ce_rows", &p->in[0], &p->in[1]);
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_in(l, a.has_weights ? 2 : 0);
    onn_arg_out(l, a.has_lse ? 1 : 0);
    onn_arg_workspace(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size1(l, (size_t)a.rows * (group ? adders(p) : 1), group ? adders(p) : 0);
    size_t from = 0;
    int64_t count = a.rows;
    if (count > CHUNK) {
        from = (size_t)a.rows * 2 * sizeof(float);
        l = start(p, b, "ce_parts", &p->in[0], &p->in[1]);
        onn_arg_workspace(l, 0);
        onn_arg_workspace(l, from);
        onn_arg_int(b, l, count);
        count = onn_div_up(count, CHUNK);
        onn_launch_size1(l, (size_t)count * adders(p), adders(p));
    }
    l = start(p, b, "ce_total", &p->in[0], &p->in[1]);
    onn_arg_workspace(l, from);
    onn_arg_out(l, 0);
    onn_arg_out(l, a.has_total ? 2 : 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_arg_int(b, l, count);
    onn_launch_size1(l, adders(p), adders(p));
    return b->status;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return bind_forward(p, b, false);
}

static enum oclnn_status bind_group(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return bind_forward(p, b, true);
}

static size_t workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    const int64_t rows = rows_of(p), pairs = rows + onn_div_up(rows, CHUNK);
    (void)t;
    return (size_t)pairs * 2 * sizeof(float) + 64;
}

static enum oclnn_status bind_backward(const struct onn_prob *p, struct onn_bind *b, bool each)
{
    struct ce_args a;
    b->status = make_args(p, &p->in[1], 5, &a);
    if (b->status != OCLNN_OK || onn_desc_elements(&p->out[0]) == 0)
        return b->status;
    struct onn_launch *l = start(p, b, each ? "ce_dx_each" : "ce_dx", &p->in[1], &p->in[2]);
    for (int i = 0; i < 5; i++)
        onn_arg_in(l, i);
    onn_arg_in(l, a.has_weights ? 5 : 1);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    onn_launch_size1(l, (size_t)a.rows * (each ? (size_t)a.classes : 1), each ? adders(p) : 0);
    return b->status;
}

static enum oclnn_status bind_dx(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return bind_backward(p, b, false);
}

static enum oclnn_status bind_each(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return bind_backward(p, b, true);
}

static const char *refuse(const struct onn_prob *p)
{
    const enum oclnn_dtype d = p->in[is_dx(p) ? 1 : 0].dtype;
    return d == OCLNN_F32 || d == OCLNN_F16 ? NULL : "only f32 and f16";
}

static double flop(const struct onn_prob *p)
{
    return 12.0 * (double)onn_desc_elements(&p->in[is_dx(p) ? 1 : 0]);
}

/* ---- GPUs: neighbouring items at neighbouring classes ---- */
static const char *refuse_group(const struct onn_prob *p)
{
    if (refuse(p))
        return refuse(p);
    if (adders(p) < 64)
        return "work-groups are too small";
    return p->in[0].rank != 2  ? "classes do not lie side by side"
        : p->in[0].dim[1] < 32 ? "few classes"
                               : NULL;
}

static const char *refuse_each(const struct onn_prob *p)
{
    const struct onn_cross_entropy_attr *t = p->attr;
    if (refuse(p))
        return refuse(p);
    if (t->smoothing > 0 && onn_prob_has(p, 5))
        return "smoothing needs the sum of all weights";
    return adders(p) < 64 ? "work-groups are too small" : NULL;
}

/* An item for each row: on a GPU most wait for memory, alone, and each of a line of its own. */
static struct onn_cost cost_rows(const struct onn_prob *p, const struct onn_tune *t)
{
    const struct onn_desc *x = &p->in[is_dx(p) ? 1 : 0];
    const bool cpu = p->caps->vector_cpu || p->caps->simulated;
    (void)t;
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p) * (cpu || x->rank > 2 ? 1 : 8), 1,
        cpu               ? 0.01
            : x->rank > 2 ? 0.05
                          : 0.01};
}

static struct onn_cost cost_gpu(const struct onn_prob *p, const struct onn_tune *t)
{
    const bool cpu = p->caps->vector_cpu || p->caps->simulated;
    (void)t;
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p) * (cpu ? 8 : 1), 1, cpu ? 0.004 : 0.1};
}

static const struct onn_variant forward = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE,
    .refuse = refuse,
    .cost = cost_rows,
    .workspace = workspace,
    .bind = bind};
static const struct onn_variant group = {.name = "group",
    .refuse = refuse_group,
    .cost = cost_gpu,
    .workspace = workspace,
    .bind = bind_group};
static const struct onn_variant *const forward_variants[] = {&group, &forward, NULL};
static const struct onn_variant backward = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE,
    .refuse = refuse,
    .cost = cost_rows,
    .bind = bind_dx};
static const struct onn_variant each = {.name = "each",
    .refuse = refuse_each,
    .cost = cost_gpu,
    .bind = bind_each};
static const struct onn_variant *const backward_variants[] = {&each, &backward, NULL};

#define ROW(text, kind, field, d, lo, hi) \
    { \
        text, NULL, kind, offsetof(struct onn_cross_entropy_attr, field), d, lo, hi \
    }
static const struct onn_attr attrs[] = {
    ROW("smoothing", ONN_ATTR_FLOAT, smoothing, 0, 0, 1),
    ROW("ignore_index", ONN_ATTR_INT, ignore_index, ONN_CE_NONE, 0, 0),
    ROW("sum", ONN_ATTR_INT, sum, 0, 0, 1),
    {.type = ONN_ATTR_END},
};

#define CE(id, least, most, outs, infer_, variants_, grad_) \
    static const struct onn_op id = {.name = #id, \
        .min_in = least, \
        .max_in = most, \
        .min_out = 1, \
        .max_out = outs, \
        .attr_size = sizeof(struct onn_cross_entropy_attr), \
        .attrs = attrs, \
        .since = 1, \
        .infer = infer_, \
        .grad = grad_, \
        .variants = variants_, \
        .flop = flop};
CE(softmax_ce, 2, 3, 3, infer, forward_variants, onn_cross_entropy_grad)
CE(nll, 2, 3, 3, infer, forward_variants, onn_cross_entropy_grad)
CE(softmax_ce_dx, 5, 6, 1, infer_dx, backward_variants, NULL)
CE(nll_dx, 5, 6, 1, infer_dx, backward_variants, NULL)

extern const struct onn_op *const onn_ops_cross_entropy[];
const struct onn_op *const onn_ops_cross_entropy[] = {&softmax_ce, &nll, &softmax_ce_dx, &nll_dx, NULL};

/* The forward node keeps lse and total only if it has those outputs; else it is run again with all three. */
enum oclnn_status onn_cross_entropy_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const bool weights = onn_prob_has(p, 2);
    int32_t kept[3] = {g->out[0], g->n_out > 1 ? g->out[1] : 0, g->n_out > 2 ? g->out[2] : 0};
    if (weights && g->needed[2])
        return onn_grad_refuse(g, 2, "class weights");
    for (int i = 1; i < g->n_out; i++)
        if (g->dout[i])
            return onn_error(OCLNN_ERROR_UNSUPPORTED, "node '%s': only the loss has a gradient", g->name);
    if (!kept[1] || !kept[2]) {
        const enum oclnn_status status =
            g->emit_many(g, p->op->name, p->attr, weights ? 3 : 2, g->in, 3, kept);
        if (status != OCLNN_OK)
            return status;
    }
    const int32_t in[6] = {g->dout[0], g->in[0], g->in[1], kept[1], kept[2], weights ? g->in[2] : 0};
    if (!g->graph->status)
        g->add(g, 0, g->emit(g, is_nll(p) ? "nll_dx" : "softmax_ce_dx", p->attr, weights ? 6 : 5, in));
    return OCLNN_OK;
}
