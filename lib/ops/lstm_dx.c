/* lstm_dx, gru_dx, rnn_dx: the recurrent part of the gradients of LSTM, GRU and RNN. Inputs y, r, kept (absent for RNN),
 * initial_h, initial_c, p (the last two LSTM's only), and the gradients dy, dy_h, dy_c of the outputs, any of which may be
 * absent. Outputs: dz, the gradient in front of the activations; before, the state that each step began with; dinitial_h;
 * then LSTM's dinitial_c and, with p, its gradient per sequence; GRU's part of the third gate (cl/lstm_dx.cl).
 * dz and before have x's order of rows: [steps, batch] (layout = 1: [batch, steps]), directions, numbers. */
#include "ops/lstm.h"

enum { IN_Y, IN_R, IN_KEPT, IN_H0, IN_C0, IN_PEEP, IN_DY, IN_DY_H, IN_DY_C, INPUTS };

static const struct onn_attr attrs[] = {ONN_LSTM_ROWS, {.type = ONN_ATTR_END}};
static const struct onn_attr gru_attrs[] = {
    ONN_LSTM_ROWS,
    ONN_LSTM_ROW("linear_before_reset", ONN_ATTR_INT, linear_before_reset, 1),
    {.type = ONN_ATTR_END},
};

static enum oclnn_status fill_args(const struct onn_prob *p, struct onn_lstm_args *a)
{
    enum oclnn_status status;
    const struct onn_lstm_attr *t = p->attr;
    const struct onn_desc *y = &p->in[IN_Y];

    ONN_TRY(onn_lstm_read(p, a));
    ONN_TRY(onn_lstm_sizes(p, y->dim[t->layout ? 1 : 0], y->dim[t->layout ? 0 : 2], y->dim[3], a));
    a->has_h0 = onn_prob_has(p, IN_H0);
    a->has_c0 = onn_prob_has(p, IN_C0);
    a->has_peep = onn_prob_has(p, IN_PEEP);
    a->has_y = onn_prob_has(p, IN_DY);
    a->has_y_h = onn_prob_has(p, IN_DY_H);
    a->has_y_c = onn_prob_has(p, IN_DY_C);
    return OCLNN_OK;
fail:
    return status;
}

/* Input i must be of y's shape with `times` as many numbers in the last dimension. */
static enum oclnn_status check_like_y(const struct onn_prob *p, int i, const char *name, int64_t times)
{
    const struct onn_desc *y = &p->in[IN_Y], *d = &p->in[i];
    char text[160];

    if (!onn_prob_has(p, i))
        return OCLNN_OK;
    bool same = d->dtype == y->dtype && d->rank == 4 && d->dim[3] == times * y->dim[3];
    for (int k = 0; same && k < 3; k++)
        same = d->dim[k] == y->dim[k];
    return same
        ? OCLNN_OK
        : onn_error(OCLNN_ERROR_SHAPE, "%s is %s, which does not fit y", name, onn_desc_text(d, text));
}

static enum oclnn_status check_states(const struct onn_prob *p, const struct onn_lstm_args *a)
{
    enum oclnn_status status = OCLNN_OK;
    static const struct {
        int at;
        const char *name;
    } states[] = {{IN_H0, "initial_h"}, {IN_C0, "initial_c"}, {IN_DY_H, "dy_h"}, {IN_DY_C, "dy_c"}};
    const bool layout = ((const struct onn_lstm_attr *)p->attr)->layout != 0;

    for (int i = 0; i < 4; i++)
        ONN_TRY(onn_lstm_check_input(p, states[i].at, states[i].name, layout ? a->batch : a->directions,
            layout ? a->directions : a->batch, a->hidden));
fail:
    return status;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status;
    const struct onn_lstm_cell *cell = onn_lstm_cell(p->op);
    const struct onn_desc *y = &p->in[IN_Y];
    const bool layout = ((const struct onn_lstm_attr *)p->attr)->layout != 0;
    struct onn_lstm_args a;

    ONN_CHECK(onn_dtype_is_float(y->dtype) && y->rank == 4 && onn_desc_is_known(y), OCLNN_ERROR_SHAPE,
        "y must be a known floating-point tensor of rank 4");
    ONN_TRY(fill_args(p, &a));
    ONN_CHECK(!a.has_clip, OCLNN_ERROR_UNSUPPORTED, "there is no gradient with clip=%g", (double)a.clip);
    ONN_CHECK(y->dim[layout ? 2 : 1] == a.directions, OCLNN_ERROR_SHAPE,
        "y has %lld directions instead of %d", (long long)y->dim[layout ? 2 : 1], (int)a.directions);
    ONN_CHECK(onn_prob_has(p, IN_KEPT) == (cell->kept != 0), OCLNN_ERROR_ARGUMENT, "what was kept %s",
        cell->kept ? "is missing" : "is of no use");
    ONN_CHECK(a.has_y || a.has_y_h || a.has_y_c, OCLNN_ERROR_ARGUMENT, "no output has a gradient");
    ONN_CHECK(cell->gates == 4 || (!a.has_c0 && !a.has_peep && !a.has_y_c), OCLNN_ERROR_ARGUMENT,
        "only LSTM has a cell state and peepholes");
    ONN_TRY(check_like_y(p, IN_KEPT, "what was kept", cell->kept));
    ONN_TRY(check_like_y(p, IN_DY, "dy", 1));
    ONN_TRY(check_states(p, &a));
    ONN_TRY(onn_lstm_check_input(p, IN_R, "r", a.directions, (int64_t)cell->gates * a.hidden, a.hidden));
    ONN_TRY(onn_lstm_check_input(p, IN_PEEP, "p", a.directions, (int64_t)3 * a.hidden, -2));
    ONN_CHECK(p->n_out < 5 || a.has_peep, OCLNN_ERROR_ARGUMENT, "p is missing, but its gradient is wanted");
    const int64_t first = layout ? a.batch : a.steps, second = layout ? a.steps : a.batch;
    out[0] =
        onn_desc_make(y->dtype, 4, (int64_t[]){first, second, a.directions, (int64_t)cell->gates * a.hidden});
    out[1] = onn_desc_make(y->dtype, 4, (int64_t[]){first, second, a.directions, a.hidden});
    out[2] = onn_desc_make(y->dtype, 3,
        (int64_t[]){layout ? a.batch : a.directions, layout ? a.directions : a.batch, a.hidden});
    if (cell->kept)
        out[3] = cell->gates == 4 ? out[2] : out[1];
    if (p->n_out > 4)
        out[4] = onn_desc_make(y->dtype, 3, (int64_t[]){a.batch, a.directions, (int64_t)3 * a.hidden});
    return OCLNN_OK;
fail:
    return status;
}

static double flop(const struct onn_prob *p)
{
    const struct onn_desc *y = &p->in[IN_Y], *r = &p->in[IN_R];

    return 2.0 * (double)(y->dim[0] * y->dim[1] * y->dim[2]) * (double)(r->dim[1] * r->dim[2]);
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    enum oclnn_status status;
    const struct onn_lstm_cell *cell = onn_lstm_cell(p->op);
    struct onn_lstm_args a;

    (void)t;
    ONN_TRY(fill_args(p, &a));
    if (!a.batch)
        return OCLNN_OK;
    struct onn_launch *l =
        onn_bind_add(b, "lstm_dx", cell->dx, "-D VL=%d", p->caps->vector_cpu ? p->caps->vector_width : 4);
    for (int i = 0; i < INPUTS; i++)
        if ((i != IN_KEPT || cell->kept) &&
            (cell->gates == 4 || (i != IN_C0 && i != IN_PEEP && i != IN_DY_C)))
            onn_arg_in(l, onn_prob_has(p, i) ? i : IN_Y);
    for (int i = 0; i < (cell->gates == 4 ? 5 : cell->kept ? 4 : 3); i++)
        onn_arg_out(l, i < p->n_out ? i : 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    const size_t items = onn_lstm_items(p->caps, a.hidden);
    onn_launch_size1(l, (size_t)a.directions * (size_t)a.batch * items, items);
    return b->status;
fail:
    return status;
}

static const struct onn_variant reference = {
    .name = "reference",
    .flags = ONN_VARIANT_REFERENCE,
    .refuse = onn_lstm_refuse,
    .bind = bind,
};
static const struct onn_variant *const variants[] = {&reference, NULL};

#define DX_OP(id, rows, least, most) \
    static const struct onn_op id = { \
        .name = #id, \
        .min_in = 2, \
        .max_in = INPUTS, \
        .min_out = least, \
        .max_out = most, \
        .attr_size = sizeof(struct onn_lstm_attr), \
        .attrs = rows, \
        .since = 1, \
        .infer = infer, \
        .variants = variants, \
        .flop = flop, \
    };
DX_OP(lstm_dx, attrs, 4, 5)
DX_OP(gru_dx, gru_attrs, 4, 4)
DX_OP(rnn_dx, attrs, 3, 3)

extern const struct onn_op *const onn_ops_lstm_dx[];
const struct onn_op *const onn_ops_lstm_dx[] = {&lstm_dx, &gru_dx, &rnn_dx, NULL};
