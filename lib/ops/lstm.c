/* LSTM, GRU and RNN: forward, reverse and bidirectional. x W^T of all steps is one matrix product; the recurrent part is
 * one launch in which a work-group walks through all steps of one direction of one sequence.
 * Inputs x, w, r, b, sequence_lens (not supported), initial_h, and for LSTM initial_c, p. Outputs y, y_h (, y_c), and what
 * the gradient needs of every step (lstm.h), in y's order. */
#include "ops/lstm.h"
#include "ops/gemm.h"
#include "ops/grads.h"
#include <math.h>
#include <string.h>

static const struct onn_attr rnn_attrs[] = {ONN_LSTM_ROWS, {.type = ONN_ATTR_END}};
static const struct onn_attr lstm_attrs[] = {
    ONN_LSTM_ROWS,
    ONN_LSTM_ROW("input_forget", ONN_ATTR_INT, input_forget, 1),
    {.type = ONN_ATTR_END},
};
static const struct onn_attr gru_attrs[] = {
    ONN_LSTM_ROWS,
    ONN_LSTM_ROW("linear_before_reset", ONN_ATTR_INT, linear_before_reset, 1),
    {.type = ONN_ATTR_END},
};

extern const struct onn_op *const onn_ops_lstm[];

enum { IN_X, IN_W, IN_R, IN_B, IN_LENGTHS, IN_H0, IN_C0, IN_PEEP };

enum { SIGMOID, TANH, RELU, SOFTSIGN, SOFTPLUS, HARD_SIGMOID }; /* as in cl/lib/lstm.h */
static const char *const activation_name[] = {"Sigmoid", "Tanh", "Relu", "Softsign", "Softplus",
    "HardSigmoid"};

const struct onn_lstm_cell *onn_lstm_cell(const struct onn_op *op)
{
    static const struct onn_lstm_cell lstm = {4, 3, 5, 3, "lstm_steps", "lstm_dx", {SIGMOID, TANH, TANH}};
    static const struct onn_lstm_cell gru = {3, 2, 4, 2, "gru_steps", "gru_dx", {SIGMOID, TANH, 0}};
    static const struct onn_lstm_cell rnn = {1, 1, 0, 0, "rnn_steps", "rnn_dx", {TANH, 0, 0}};

    return op->name[0] == 'l' ? &lstm : op->name[0] == 'g' ? &gru : &rnn;
}

/* The activation whose name starts `text` (without case); -1 if there is none. Moves *text behind it and its comma. */
static int parse_activation(const char **text)
{
    const size_t length = strcspn(*text, ",");

    for (int i = 0; i < (int)(sizeof activation_name / sizeof *activation_name); i++) {
        bool same = strlen(activation_name[i]) == length;
        for (size_t k = 0; same && k < length; k++)
            same = ((*text)[k] | 32) == (activation_name[i][k] | 32);
        if (same) {
            *text += length + ((*text)[length] == ',');
            return i;
        }
    }
    return -1;
}

enum oclnn_status onn_lstm_read(const struct onn_prob *p, struct onn_lstm_args *a)
{
    enum oclnn_status status;
    const struct onn_lstm_attr *t = p->attr;
    const struct onn_lstm_cell *cell = onn_lstm_cell(p->op);
    const char *dir = t->direction && *t->direction ? t->direction : "forward";
    const char *text = t->activations;

    *a = (struct onn_lstm_args){.directions = strcmp(dir, "bidirectional") ? 1 : 2,
        .reverse = !strcmp(dir, "reverse"),
        .has_clip = t->clip > 0,
        .clip = t->clip,
        .linear_before_reset = t->linear_before_reset != 0};
    ONN_CHECK(a->directions == 2 || a->reverse || !strcmp(dir, "forward"), OCLNN_ERROR_ARGUMENT,
        "direction=%s is none of forward, reverse, bidirectional", dir);
    ONN_CHECK(!t->input_forget, OCLNN_ERROR_UNSUPPORTED, "input_forget=1 is not supported");
    ONN_CHECK(t->clip >= 0, OCLNN_ERROR_ARGUMENT, "clip=%g is negative", (double)t->clip);
    for (int d = 0; d < a->directions; d++)
        for (int i = 0; i < cell->functions; i++) {
            a->act[d][i] = text && *text ? parse_activation(&text) : cell->def[i];
            ONN_CHECK(a->act[d][i] >= 0, OCLNN_ERROR_UNSUPPORTED,
                "activation at \"%s\" is none of Sigmoid, Tanh, Relu, Softsign, Softplus, HardSigmoid", text);
        }
    return OCLNN_OK;
fail:
    return status;
}

static bool fits(int64_t have, int64_t want)
{
    return have < 0 || want < 0 || have == want;
}

enum oclnn_status onn_lstm_check_input(const struct onn_prob *p, int i, const char *name, int64_t d0,
    int64_t d1, int64_t d2)
{
    const struct onn_desc *d = &p->in[i];
    const int rank = d2 < -1 ? 2 : 3;
    char text[160];

    if (!onn_prob_has(p, i))
        return OCLNN_OK;
    if (d->dtype != p->in[0].dtype)
        return onn_error(OCLNN_ERROR_DTYPE, "%s is %s but input 0 is %s", name, oclnn_dtype_name(d->dtype),
            oclnn_dtype_name(p->in[0].dtype));
    if (d->rank == rank && fits(d->dim[0], d0) && fits(d->dim[1], d1) && (rank == 2 || fits(d->dim[2], d2)))
        return OCLNN_OK;
    if (rank == 2)
        return onn_error(OCLNN_ERROR_SHAPE, "%s is %s instead of [%lld,%lld]", name, onn_desc_text(d, text),
            (long long)d0, (long long)d1);
    return onn_error(OCLNN_ERROR_SHAPE, "%s is %s instead of [%lld,%lld,%lld]", name, onn_desc_text(d, text),
        (long long)d0, (long long)d1, (long long)d2);
}

static enum oclnn_status lstm_infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status;
    const struct onn_lstm_attr *t = p->attr;
    const struct onn_lstm_cell *cell = onn_lstm_cell(p->op);
    const struct onn_desc *x = &p->in[IN_X], *r = &p->in[IN_R];
    const int64_t gates = cell->gates;
    int64_t steps, batch, hidden, dim[4];
    struct onn_lstm_args a;

    ONN_TRY(onn_lstm_read(p, &a));
    ONN_CHECK(!onn_prob_has(p, IN_LENGTHS), OCLNN_ERROR_UNSUPPORTED,
        "sequence_lens is not supported: all sequences of a batch run through all steps");
    ONN_CHECK(onn_dtype_is_float(x->dtype), OCLNN_ERROR_DTYPE, "x is %s instead of floating point",
        oclnn_dtype_name(x->dtype));
    ONN_CHECK(x->rank == 3 && r->rank == 3, OCLNN_ERROR_SHAPE, "x has rank %d and r rank %d; both must be 3",
        (int)x->rank, (int)r->rank);
    hidden = r->dim[2];
    ONN_CHECK(!t->hidden_size || fits(t->hidden_size, hidden), OCLNN_ERROR_SHAPE,
        "hidden_size is %lld, the last dimension of r %lld", (long long)t->hidden_size, (long long)hidden);
    if (hidden < 0 && t->hidden_size)
        hidden = t->hidden_size;
    ONN_CHECK(hidden <= 1 << 24, OCLNN_ERROR_UNSUPPORTED, "%lld hidden units are too many",
        (long long)hidden);
    steps = x->dim[t->layout ? 1 : 0];
    batch = x->dim[t->layout ? 0 : 1];
    ONN_TRY(onn_lstm_check_input(p, IN_W, "w", a.directions, hidden < 0 ? -1 : gates * hidden, x->dim[2]));
    ONN_TRY(onn_lstm_check_input(p, IN_R, "r", a.directions, hidden < 0 ? -1 : gates * hidden, hidden));
    ONN_TRY(onn_lstm_check_input(p, IN_B, "b", a.directions, hidden < 0 ? -1 : 2 * gates * hidden, -2));
    for (int i = IN_H0; i <= IN_C0; i++)
        ONN_TRY(onn_lstm_check_input(p, i, i == IN_H0 ? "initial_h" : "initial_c",
            t->layout ? batch : a.directions, t->layout ? a.directions : batch, hidden));
    ONN_TRY(onn_lstm_check_input(p, IN_PEEP, "p", a.directions, hidden < 0 ? -1 : 3 * hidden, -2));
    out[0] = onn_desc_make(x->dtype, 4,
        t->layout ? (int64_t[]){batch, steps, a.directions, hidden}
                  : (int64_t[]){steps, a.directions, batch, hidden});
    for (int i = 1; i < p->n_out; i++)
        out[i] = onn_desc_make(x->dtype, 3,
            t->layout ? (int64_t[]){batch, a.directions, hidden} : (int64_t[]){a.directions, batch, hidden});
    if (cell->kept && p->n_out > cell->kept_out) {
        memcpy(dim, out[0].dim, sizeof dim);
        dim[3] = hidden < 0 ? -1 : cell->kept * hidden;
        out[cell->kept_out] = onn_desc_make(x->dtype, 4, dim);
    }
    return OCLNN_OK;
fail:
    return status;
}

static double lstm_flop(const struct onn_prob *p)
{
    const struct onn_desc *x = &p->in[IN_X], *r = &p->in[IN_R];

    return 2.0 * (double)(x->dim[0] * x->dim[1]) * (double)(r->dim[0] * r->dim[1]) *
        (double)(x->dim[2] + r->dim[2]);
}

/* ---- one launch for x W^T + Wb, one for the steps ---- */
static size_t align64(double bytes)
{
    return ((size_t)bytes + 63) / 64 * 64;
}

/* Bytes of x W^T and of the states. */
static void scratch(const struct onn_prob *p, size_t *xw, size_t *state)
{
    const struct onn_desc *x = &p->in[IN_X], *r = &p->in[IN_R];
    const struct onn_lstm_attr *a = p->attr;

    *xw = align64(4.0 * (double)(x->dim[0] * x->dim[1]) * (double)(r->dim[0] * r->dim[1]));
    *state = align64(16.0 * (double)x->dim[a->layout ? 0 : 1] * (double)(r->dim[0] * r->dim[2]));
}

const char *onn_lstm_refuse(const struct onn_prob *p)
{
    if (p->in[0].dtype != OCLNN_F32)
        return "only f32";
    for (int i = 0; i < p->n_in; i++)
        if (p->in[i].format.block || p->in[i].format.pack)
            return "reads no blocked tensors";
    return p->epi && p->epi->n ? "takes no epilogue" : NULL;
}

/* xw[d][t][b][gates * hidden] = x[t][b] w[d]^T + b[d][first half]. */
static struct onn_gemm_args product_args(const struct onn_prob *p, const struct onn_lstm_args *a, int gates)
{
    const struct onn_lstm_attr *t = p->attr;
    const struct onn_desc *x = &p->in[IN_X];
    const int64_t rows = (int64_t)gates * a->hidden, x_t = x->stride[t->layout ? 1 : 0];
    const int64_t x_b = x->stride[t->layout ? 0 : 1];
    const bool one = a->batch == 1 || x_t == x_b * a->batch; /* steps and batch are one dimension of rows */
    const struct onn_gemm_args g = {
        .m = one ? a->steps * a->batch : a->batch,
        .n = (int32_t)rows,
        .k = (int32_t)x->dim[2],
        .batch_rank = 2,
        .batch_dim = {a->directions, one ? 1 : a->steps},
        .has_c = a->has_bias,
        .alpha = 1,
        .beta = 1,
        .lo = -INFINITY,
        .hi = INFINITY,
        .a_m = one && a->batch == 1 ? x_t : x_b,
        .a_k = 1,
        .b_k = 1,
        .b_n = x->dim[2],
        .y_m = rows,
        .y_n = 1,
        .c_n = 1,
        .a_b = {0, x_t},
        .b_b = {rows * x->dim[2], 0},
        .y_b = {rows * a->steps * a->batch, rows * a->batch},
        .c_b = {2 * rows, 0},
    };

    return g;
}

enum oclnn_status onn_lstm_sizes(const struct onn_prob *p, int64_t steps, int64_t batch, int64_t hidden,
    struct onn_lstm_args *a)
{
    enum oclnn_status status;
    const struct onn_lstm_attr *t = p->attr;

    ONN_CHECK(steps <= INT32_MAX && batch <= INT32_MAX && hidden <= INT32_MAX / 8 &&
            (!batch || steps <= INT32_MAX / batch),
        OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    a->steps = (int32_t)steps;
    a->batch = (int32_t)batch;
    a->hidden = (int32_t)hidden;
    if (t->layout) {
        a->y_b = steps * a->directions * hidden;
        a->y_t = a->directions * hidden;
        a->y_d = a->s_d = hidden;
        a->s_b = a->directions * hidden;
        a->row_t = 1;
        a->row_b = (int32_t)steps;
    } else {
        a->y_t = a->directions * batch * hidden;
        a->y_d = a->s_d = batch * hidden;
        a->y_b = a->s_b = hidden;
        a->row_t = (int32_t)batch;
        a->row_b = 1;
    }
    return OCLNN_OK;
fail:
    return status;
}

static bool has_out(const struct onn_prob *p, int i)
{
    return i < p->n_out && p->out[i].dtype != OCLNN_NONE;
}

static enum oclnn_status fill_args(const struct onn_prob *p, struct onn_lstm_args *a)
{
    enum oclnn_status status;
    const struct onn_lstm_attr *t = p->attr;
    const struct onn_lstm_cell *cell = onn_lstm_cell(p->op);
    const struct onn_desc *x = &p->in[IN_X], *r = &p->in[IN_R];

    ONN_TRY(onn_lstm_read(p, a));
    ONN_CHECK(x->dim[2] <= INT32_MAX && r->dim[1] <= INT32_MAX, OCLNN_ERROR_UNSUPPORTED,
        "a dimension does not fit 31 bits");
    ONN_TRY(onn_lstm_sizes(p, x->dim[t->layout ? 1 : 0], x->dim[t->layout ? 0 : 1], r->dim[2], a));
    a->has_bias = onn_prob_has(p, IN_B);
    a->has_h0 = onn_prob_has(p, IN_H0);
    a->has_c0 = onn_prob_has(p, IN_C0);
    a->has_peep = onn_prob_has(p, IN_PEEP);
    a->has_y = has_out(p, 0);
    a->has_y_h = has_out(p, 1);
    a->has_y_c = cell->gates == 4 && has_out(p, 2);
    a->has_kept = cell->kept && has_out(p, cell->kept_out);
    return OCLNN_OK;
fail:
    return status;
}

size_t onn_lstm_items(const struct onn_caps *caps, int32_t hidden)
{
    size_t items = 1;

    if (!caps->vector_cpu)
        while (items < 256 && items < (size_t)hidden && items * 2 <= caps->max_group)
            items *= 2;
    return items;
}

/* x, w and b into the workspace's beginning. */
static enum oclnn_status bind_product(const struct onn_prob *p, const struct onn_lstm_args *a,
    size_t scratch_at, struct onn_bind *b)
{
    const struct onn_gemm_args g = product_args(p, a, onn_lstm_cell(p->op)->gates);
    const struct onn_gemm_operands o = {
        .a = {.kind = ONN_ARG_IN, .index = IN_X},
        .b = {.kind = ONN_ARG_IN, .index = IN_W},
        .c = {.kind = ONN_ARG_IN, .index = a->has_bias ? IN_B : IN_X},
        .r = {.kind = ONN_ARG_IN, .index = IN_X},
        .y = {.kind = ONN_ARG_WORKSPACE, .bytes = 0},
    };

    if (onn_gemm_packed_can(&g, p->caps))
        return onn_gemm_bind_packed(&g, &o, OCLNN_F32, false, scratch_at, p->caps, b);
    return onn_gemm_bind_reference(&g, &o, p->in[0].dtype, b);
}

static size_t steps_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    size_t xw, state, packed = 0;
    struct onn_lstm_args a;

    (void)t;
    if (fill_args(p, &a) || !a.steps || !a.batch)
        return 0;
    scratch(p, &xw, &state);
    const struct onn_gemm_args g = product_args(p, &a, onn_lstm_cell(p->op)->gates);
    if (onn_gemm_packed_can(&g, p->caps))
        packed = onn_gemm_packed_workspace(&g, p->caps);
    return xw + state + packed;
}

static enum oclnn_status steps_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    const struct onn_lstm_cell *cell = onn_lstm_cell(p->op);
    struct onn_lstm_args a;
    struct onn_launch *l;
    size_t xw, state, items;
    int some; /* an output that exists, for the arguments of those that do not */

    (void)t;
    ONN_TRY(fill_args(p, &a));
    if (!a.steps || !a.batch)
        return OCLNN_OK;
    scratch(p, &xw, &state);
    ONN_TRY(bind_product(p, &a, xw + state, b));
    some = a.has_y ? 0 : a.has_y_h ? 1 : a.has_y_c ? 2 : cell->kept_out;
    l = onn_bind_add(b, "lstm", cell->kernel, "-D VL=%d", p->caps->vector_cpu ? p->caps->vector_width : 4);
    onn_arg_workspace(l, 0);
    onn_arg_in(l, IN_R);
    onn_arg_in(l, a.has_bias ? IN_B : IN_X);
    if (cell->gates == 4)
        onn_arg_in(l, a.has_peep ? IN_PEEP : IN_X);
    onn_arg_in(l, a.has_h0 ? IN_H0 : IN_X);
    if (cell->gates == 4)
        onn_arg_in(l, a.has_c0 ? IN_C0 : IN_X);
    onn_arg_workspace(l, xw);
    onn_arg_out(l, a.has_y ? 0 : some);
    onn_arg_out(l, a.has_y_h ? 1 : some);
    if (cell->gates == 4)
        onn_arg_out(l, a.has_y_c ? 2 : some);
    if (cell->kept)
        onn_arg_out(l, a.has_kept ? cell->kept_out : some);
    onn_arg_bytes(b, l, &a, sizeof a);
    items = onn_lstm_items(p->caps, a.hidden);
    onn_launch_size1(l, (size_t)a.directions * (size_t)a.batch * items, items);
    return b->status;
fail:
    return status;
}

static const struct onn_variant lstm_steps = {
    .name = "reference",
    .flags = ONN_VARIANT_REFERENCE,
    .refuse = onn_lstm_refuse,
    .workspace = steps_workspace,
    .bind = steps_bind,
};

static const struct onn_variant *const variants[] = {&lstm_steps, NULL};

#define RECURRENT(id, type, rows, inputs, outputs) \
    static const struct onn_op id = { \
        .name = #id, \
        .onnx = type, \
        .min_in = 3, \
        .max_in = inputs, \
        .min_out = 1, \
        .max_out = outputs, \
        .attr_size = sizeof(struct onn_lstm_attr), \
        .attrs = rows, \
        .since = 7, \
        .infer = lstm_infer, \
        .grad = onn_lstm_grad, \
        .variants = variants, \
        .flop = lstm_flop, \
    }
RECURRENT(lstm, "LSTM", lstm_attrs, 8, 4);
RECURRENT(gru, "GRU", gru_attrs, 6, 3);
RECURRENT(rnn, "RNN", rnn_attrs, 6, 2);

const struct onn_op *const onn_ops_lstm[] = {&lstm, &gru, &rnn, NULL};
