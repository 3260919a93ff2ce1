/* LSTM, GRU and RNN: forward, reverse and bidirectional. x W^T of all steps is one matrix product; the recurrent part is
 * one launch in which a work-group walks through all steps of one direction of one sequence.
 * Inputs x, w, r, b, sequence_lens (not supported), initial_h, and for LSTM initial_c, p. Outputs y, y_h (, y_c). */
#include "ops/conv.h"
#include "ops/gemm.h"
#include <math.h>
#include <string.h>

struct lstm_attr {
    int64_t hidden_size, layout, linear_before_reset, input_forget;
    float clip;
    const char *direction; /* NULL = forward */
    const char *activations; /* names with commas, NULL = defaults */
};

#define COMMON_ROWS \
    {"hidden_size", "hidden_size", ONN_ATTR_INT, offsetof(struct lstm_attr, hidden_size), 0, 0, 2147483647}, \
        {"layout", "layout", ONN_ATTR_INT, offsetof(struct lstm_attr, layout), 0, 0, 1}, \
        {"clip", "clip", ONN_ATTR_FLOAT, offsetof(struct lstm_attr, clip), 0, 0, 0}, \
        {"direction", "direction", ONN_ATTR_STRING, offsetof(struct lstm_attr, direction), 0, 0, 0}, \
    { \
        "activations", "activations", ONN_ATTR_STRING, offsetof(struct lstm_attr, activations), 0, 0, 0 \
    }

static const struct onn_attr rnn_attrs[] = {COMMON_ROWS, {.type = ONN_ATTR_END}};
static const struct onn_attr lstm_attrs[] = {
    COMMON_ROWS,
    {"input_forget", "input_forget", ONN_ATTR_INT, offsetof(struct lstm_attr, input_forget), 0, 0, 1},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr gru_attrs[] = {
    COMMON_ROWS,
    {"linear_before_reset", "linear_before_reset", ONN_ATTR_INT,
        offsetof(struct lstm_attr, linear_before_reset), 0, 0, 1},
    {.type = ONN_ATTR_END},
};

extern const struct onn_op *const onn_ops_lstm[];

enum { IN_X, IN_W, IN_R, IN_B, IN_LENGTHS, IN_H0, IN_C0, IN_PEEP };

/* One kind of cell: how many gates, how many activation functions, its kernel. */
struct cell {
    int gates, functions;
    const char *kernel;
    int def[3];
};
enum { SIGMOID, TANH, RELU, SOFTSIGN, SOFTPLUS, HARD_SIGMOID }; /* as in cl/lstm.cl */
static const char *const activation_name[] = {"Sigmoid", "Tanh", "Relu", "Softsign", "Softplus",
    "HardSigmoid"};

static const struct cell *cell_of(const struct onn_prob *p)
{
    static const struct cell lstm = {4, 3, "lstm_steps", {SIGMOID, TANH, TANH}};
    static const struct cell gru = {3, 2, "gru_steps", {SIGMOID, TANH, 0}};
    static const struct cell rnn = {1, 1, "rnn_steps", {TANH, 0, 0}};

    return p->op == onn_ops_lstm[0] ? &lstm : p->op == onn_ops_lstm[1] ? &gru : &rnn;
}

struct lstm_args { /* cl/lstm.cl */
    int32_t steps, batch, directions, hidden, reverse;
    int32_t has_bias, has_h0, has_c0, has_peep, has_y, has_y_h, has_y_c, linear_before_reset, has_clip;
    int32_t act[2][4];
    float clip;
    int32_t pad;
    int64_t y_t, y_d, y_b, s_d, s_b;
};

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

static enum oclnn_status read_attrs(const struct onn_prob *p, int *directions, bool *reverse,
    int32_t act[2][4])
{
    enum oclnn_status status;
    const struct lstm_attr *a = p->attr;
    const struct cell *cell = cell_of(p);
    const char *dir = a->direction && *a->direction ? a->direction : "forward";
    const char *text = a->activations;

    *directions = strcmp(dir, "bidirectional") ? 1 : 2;
    *reverse = !strcmp(dir, "reverse");
    ONN_CHECK(*directions == 2 || *reverse || !strcmp(dir, "forward"), OCLNN_ERROR_ARGUMENT,
        "direction=%s is none of forward, reverse, bidirectional", dir);
    ONN_CHECK(!a->input_forget, OCLNN_ERROR_UNSUPPORTED, "input_forget=1 is not supported");
    ONN_CHECK(!onn_prob_has(p, IN_LENGTHS), OCLNN_ERROR_UNSUPPORTED,
        "sequence_lens is not supported: all sequences of a batch run through all steps");
    ONN_CHECK(a->clip >= 0, OCLNN_ERROR_ARGUMENT, "clip=%g is negative", (double)a->clip);
    for (int d = 0; d < *directions; d++)
        for (int i = 0; i < cell->functions; i++) {
            act[d][i] = text && *text ? parse_activation(&text) : cell->def[i];
            ONN_CHECK(act[d][i] >= 0, OCLNN_ERROR_UNSUPPORTED,
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

/* Checks input i against [d0, d1, d2] (d2 < -1: rank 2). */
static enum oclnn_status check_input(const struct onn_prob *p, int i, const char *name, int64_t d0,
    int64_t d1, int64_t d2)
{
    const struct onn_desc *d = &p->in[i];
    const int rank = d2 < -1 ? 2 : 3;
    char text[160];

    if (!onn_prob_has(p, i))
        return OCLNN_OK;
    if (d->dtype != p->in[0].dtype)
        return onn_error(OCLNN_ERROR_DTYPE, "x is %s but %s is %s", oclnn_dtype_name(p->in[0].dtype), name,
            oclnn_dtype_name(d->dtype));
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
    const struct lstm_attr *a = p->attr;
    const struct onn_desc *x = &p->in[IN_X], *r = &p->in[IN_R];
    const int64_t gates = cell_of(p)->gates;
    int64_t steps, batch, hidden;
    int directions;
    bool reverse;
    int32_t act[2][4];

    ONN_TRY(read_attrs(p, &directions, &reverse, act));
    ONN_CHECK(onn_dtype_is_float(x->dtype), OCLNN_ERROR_DTYPE, "x is %s instead of floating point",
        oclnn_dtype_name(x->dtype));
    ONN_CHECK(x->rank == 3 && r->rank == 3, OCLNN_ERROR_SHAPE, "x has rank %d and r rank %d; both must be 3",
        (int)x->rank, (int)r->rank);
    hidden = r->dim[2];
    ONN_CHECK(!a->hidden_size || fits(a->hidden_size, hidden), OCLNN_ERROR_SHAPE,
        "hidden_size is %lld, the last dimension of r %lld", (long long)a->hidden_size, (long long)hidden);
    if (hidden < 0 && a->hidden_size)
        hidden = a->hidden_size;
    ONN_CHECK(hidden <= 1 << 24, OCLNN_ERROR_UNSUPPORTED, "%lld hidden units are too many",
        (long long)hidden);
    steps = x->dim[a->layout ? 1 : 0];
    batch = x->dim[a->layout ? 0 : 1];
    ONN_TRY(check_input(p, IN_W, "w", directions, hidden < 0 ? -1 : gates * hidden, x->dim[2]));
    ONN_TRY(check_input(p, IN_R, "r", directions, hidden < 0 ? -1 : gates * hidden, hidden));
    ONN_TRY(check_input(p, IN_B, "b", directions, hidden < 0 ? -1 : 2 * gates * hidden, -2));
    for (int i = IN_H0; i <= IN_C0; i++)
        ONN_TRY(check_input(p, i, i == IN_H0 ? "initial_h" : "initial_c", a->layout ? batch : directions,
            a->layout ? directions : batch, hidden));
    ONN_TRY(check_input(p, IN_PEEP, "p", directions, hidden < 0 ? -1 : 3 * hidden, -2));
    out[0] = onn_desc_make(x->dtype, 4,
        a->layout ? (int64_t[]){batch, steps, directions, hidden}
                  : (int64_t[]){steps, directions, batch, hidden});
    for (int i = 1; i < p->n_out; i++)
        out[i] = onn_desc_make(x->dtype, 3,
            a->layout ? (int64_t[]){batch, directions, hidden} : (int64_t[]){directions, batch, hidden});
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
    const struct lstm_attr *a = p->attr;

    *xw = align64(4.0 * (double)(x->dim[0] * x->dim[1]) * (double)(r->dim[0] * r->dim[1]));
    *state = align64(16.0 * (double)x->dim[a->layout ? 0 : 1] * (double)(r->dim[0] * r->dim[2]));
}

static const char *steps_refuse(const struct onn_prob *p)
{
    if (p->in[0].dtype != OCLNN_F32)
        return "only f32";
    for (int i = 0; i < p->n_in; i++)
        if (p->in[i].format.block || p->in[i].format.pack)
            return "reads no blocked tensors";
    return p->epi && p->epi->n ? "takes no epilogue" : NULL;
}

/* xw[d][t][b][gates * hidden] = x[t][b] w[d]^T + b[d][first half]. */
static struct onn_gemm_args product_args(const struct onn_prob *p, const struct lstm_args *a, int gates)
{
    const struct lstm_attr *t = p->attr;
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

static enum oclnn_status fill_args(const struct onn_prob *p, struct lstm_args *a)
{
    enum oclnn_status status;
    const struct lstm_attr *t = p->attr;
    const struct onn_desc *x = &p->in[IN_X], *r = &p->in[IN_R];
    int directions;
    bool reverse;

    *a = (struct lstm_args){0};
    ONN_TRY(read_attrs(p, &directions, &reverse, a->act));
    ONN_CHECK(x->dim[0] * x->dim[1] <= INT32_MAX && x->dim[2] <= INT32_MAX && r->dim[1] <= INT32_MAX,
        OCLNN_ERROR_UNSUPPORTED, "a dimension does not fit 31 bits");
    a->steps = (int32_t)x->dim[t->layout ? 1 : 0];
    a->batch = (int32_t)x->dim[t->layout ? 0 : 1];
    a->directions = directions;
    a->hidden = (int32_t)r->dim[2];
    a->reverse = reverse;
    a->has_bias = onn_prob_has(p, IN_B);
    a->has_h0 = onn_prob_has(p, IN_H0);
    a->has_c0 = onn_prob_has(p, IN_C0);
    a->has_peep = onn_prob_has(p, IN_PEEP);
    a->has_y = p->out[0].dtype != OCLNN_NONE;
    a->has_y_h = p->n_out > 1 && p->out[1].dtype != OCLNN_NONE;
    a->has_y_c = p->n_out > 2 && p->out[2].dtype != OCLNN_NONE;
    a->linear_before_reset = t->linear_before_reset != 0;
    a->has_clip = t->clip > 0;
    a->clip = t->clip;
    if (t->layout) {
        a->y_b = (int64_t)a->steps * directions * a->hidden;
        a->y_t = (int64_t)directions * a->hidden;
        a->y_d = a->s_d = a->hidden;
        a->s_b = (int64_t)directions * a->hidden;
    } else {
        a->y_t = (int64_t)directions * a->batch * a->hidden;
        a->y_d = a->s_d = (int64_t)a->batch * a->hidden;
        a->y_b = a->s_b = a->hidden;
    }
    return OCLNN_OK;
fail:
    return status;
}

/* x, w and b into the workspace's beginning. */
static enum oclnn_status bind_product(const struct onn_prob *p, const struct lstm_args *a, size_t scratch_at,
    struct onn_bind *b)
{
    const struct onn_gemm_args g = product_args(p, a, cell_of(p)->gates);
    const struct onn_gemm_operands o = {
        .a = {.kind = ONN_ARG_IN, .index = IN_X},
        .b = {.kind = ONN_ARG_IN, .index = IN_W},
        .c = {.kind = ONN_ARG_IN, .index = a->has_bias ? IN_B : IN_X},
        .r = {.kind = ONN_ARG_IN, .index = IN_X},
        .y = {.kind = ONN_ARG_WORKSPACE, .bytes = 0},
    };

    if (onn_gemm_packed_can(&g, p->caps))
        return onn_gemm_bind_packed(&g, &o, false, scratch_at, p->caps, b);
    return onn_gemm_bind_reference(&g, &o, p->in[0].dtype, b);
}

static size_t steps_workspace(const struct onn_prob *p, const struct onn_tune *t)
{
    size_t xw, state, packed = 0;
    struct lstm_args a;

    (void)t;
    if (fill_args(p, &a) || !a.steps || !a.batch)
        return 0;
    scratch(p, &xw, &state);
    const struct onn_gemm_args g = product_args(p, &a, cell_of(p)->gates);
    if (onn_gemm_packed_can(&g, p->caps))
        packed = onn_gemm_packed_workspace(&g, p->caps);
    return xw + state + packed;
}

static enum oclnn_status steps_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    const struct cell *cell = cell_of(p);
    struct lstm_args a;
    struct onn_launch *l;
    size_t xw, state, items = 1;
    int some; /* an output that exists, for the arguments of those that do not */

    (void)t;
    ONN_TRY(fill_args(p, &a));
    if (!a.steps || !a.batch)
        return OCLNN_OK;
    scratch(p, &xw, &state);
    ONN_TRY(bind_product(p, &a, xw + state, b));
    some = a.has_y ? 0 : a.has_y_h ? 1 : 2;
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
    onn_arg_bytes(b, l, &a, sizeof a);
    if (!p->caps->vector_cpu)
        while (items < 256 && items < (size_t)a.hidden && items * 2 <= p->caps->max_group)
            items *= 2;
    onn_launch_size1(l, (size_t)a.directions * (size_t)a.batch * items, items);
    return b->status;
fail:
    return status;
}

static const struct onn_variant lstm_steps = {
    .name = "reference",
    .flags = ONN_VARIANT_REFERENCE,
    .refuse = steps_refuse,
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
        .attr_size = sizeof(struct lstm_attr), \
        .attrs = rows, \
        .since = 7, \
        .infer = lstm_infer, \
        .variants = variants, \
        .flop = lstm_flop, \
    }
RECURRENT(lstm, "LSTM", lstm_attrs, 8, 3);
RECURRENT(gru, "GRU", gru_attrs, 6, 2);
RECURRENT(rnn, "RNN", rnn_attrs, 6, 2);

const struct onn_op *const onn_ops_lstm[] = {&lstm, &gru, &rnn, NULL};
