/* LSTM, GRU and RNN against ONNX's equations in double. */
#include "harness/harness.h"
#include "ops/lstm.h"
#include "ops/window_ref.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("lstm x=7x2x10 w=1x20x10 r=1x20x5 hidden_size=5", "f32[7,1,2,5]");
    onn_check_infer("lstm x=7x2x10 w=2x20x10 r=2x20x5 b=2x40 direction=bidirectional", "f32[7,2,2,5]");
    onn_check_infer("gru x=2x7x10 w=1x15x10 r=1x15x5 layout=1 outs=2", "f32[2,7,1,5]");
    onn_check_infer("lstm x=7x2x10 w=1x20x10 r=1x20x5 outs=4", "f32[7,1,2,5]");
    onn_check_infer("rnn x=2x7x10 w=1x5x10 r=1x5x5 direction=reverse", "f32[2,1,7,5]");
    onn_check_infer("rnn x=2x7x10 w=1x5x10 r=1x5x5 direction=up", "!direction=up");
    onn_check_infer("lstm x=7x2x10 w=1x20x10 r=1x20x5 lens=2:i32", "!b is");
    onn_check_infer("lstm x=7x2x10 w=1x20x10 r=1x20x5 b=- lens=2:i32", "!sequence_lens is not supported");
    onn_check_infer("lstm x=7x2x10 w=1x20x10 r=1x20x5 activations=Sigmoid,Affine,Tanh",
        "!activation at \"Affine");
}

static double sigmoid(double v)
{
    return 1 / (1 + exp(-v));
}

/* Sigmoid, Tanh, Relu, Softsign, Softplus, HardSigmoid. */
static double activation(int kind, double v)
{
    switch (kind) {
    case 0: return sigmoid(v);
    case 1: return tanh(v);
    case 2: return fmax(v, 0);
    case 3: return v / (1 + fabs(v));
    case 4: return log1p(exp(v));
    default: return fmin(fmax(0.2 * v + 0.5, 0), 1);
    }
}

/* What the references share: sizes, the direction's weights, the state. */
struct cell {
    const struct onn_ref *r;
    int64_t steps, batch, in, hidden, gates, d, b;
    struct onn_lstm_args a; /* the activations */
    double *h, *c, *kept; /* kept: of this step, for the gradient; NULL: not wanted */
};

/* gate[j] = w x + wb; rest[j] = r h + rb, for gates * hidden rows j. */
static void products(const struct cell *s, int64_t time, bool layout, const double *h, double *gate,
    double *rest)
{
    const double *const *in = s->r->in;
    const int64_t rows = s->gates * s->hidden;
    const double *x = in[0] + (layout ? s->b * s->steps + time : time * s->batch + s->b) * s->in;

    for (int64_t j = 0; j < rows; j++) {
        gate[j] = s->r->n_in > 3 && in[3] ? in[3][s->d * 2 * rows + j] : 0;
        rest[j] = s->r->n_in > 3 && in[3] ? in[3][(s->d * 2 + 1) * rows + j] : 0;
        for (int64_t k = 0; k < s->in; k++)
            gate[j] += in[1][(s->d * rows + j) * s->in + k] * x[k];
        for (int64_t k = 0; k < s->hidden; k++)
            rest[j] += in[2][(s->d * rows + j) * s->hidden + k] * h[k];
    }
}

static void step_lstm(struct cell *s, const double *g, const double *e, const double *peep)
{
    const int64_t n = s->hidden;
    const int *act = s->a.act[s->d];

    for (int64_t j = 0; j < n; j++) {
        const double i = activation(act[0], g[j] + e[j] + (peep ? peep[j] * s->c[j] : 0));
        const double f =
            activation(act[0], g[2 * n + j] + e[2 * n + j] + (peep ? peep[2 * n + j] * s->c[j] : 0));
        const double v = activation(act[1], g[3 * n + j] + e[3 * n + j]);
        s->c[j] = f * s->c[j] + i * v;
        const double o = activation(act[0], g[n + j] + e[n + j] + (peep ? peep[n + j] * s->c[j] : 0));
        s->h[j] = o * activation(act[2], s->c[j]);
        for (int k = 0; s->kept && k < 5; k++)
            s->kept[k * n + j] = (double[]){i, o, f, v, s->c[j]}[k];
    }
}

/* again: r h + rb with the reset state. */
static void step_gru(struct cell *s, const double *g, const double *e, double *again, int64_t time,
    bool layout, bool linear)
{
    const int64_t n = s->hidden;
    const int *act = s->a.act[s->d];
    double *reset = calloc((size_t)n, sizeof *reset), *unused = calloc((size_t)(3 * n), sizeof *unused);

    for (int64_t j = 0; j < n; j++)
        reset[j] = activation(act[0], g[n + j] + e[n + j]) * s->h[j];
    products(s, time, layout, reset, unused, again);
    for (int64_t j = 0; j < n; j++) {
        const double z = activation(act[0], g[j] + e[j]), rt = activation(act[0], g[n + j] + e[n + j]);
        const double v = activation(act[1], g[2 * n + j] + (linear ? rt * e[2 * n + j] : again[2 * n + j]));
        for (int k = 0; s->kept && k < 4; k++)
            s->kept[k * n + j] = (double[]){z, rt, v, linear ? e[2 * n + j] : reset[j]}[k];
        s->h[j] = (1 - z) * v + z * s->h[j];
    }
    free(reset);
    free(unused);
}

static void ref_recurrent(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const bool lstm = !strcmp(p->op->name, "lstm"), gru = !strcmp(p->op->name, "gru");
    const struct onn_lstm_attr *a = p->attr;
    const bool layout = a->layout != 0, linear = a->linear_before_reset != 0;
    const bool reverse = a->direction && !strcmp(a->direction, "reverse");
    const int kept = lstm ? 3 : 2, numbers = lstm ? 5 : 4;
    struct cell s = {.r = r,
        .gates = lstm ? 4
            : gru     ? 3
                      : 1,
        .in = p->in[0].dim[2],
        .hidden = p->in[2].dim[2]};
    const int64_t rows = s.gates * s.hidden, dirs = p->in[1].dim[0];
    double *g = calloc((size_t)rows * 3, sizeof *g), *state = calloc((size_t)s.hidden * 2, sizeof *state);

    if (onn_lstm_read(p, &s.a))
        abort();
    s.steps = p->in[0].dim[layout ? 1 : 0];
    s.batch = p->in[0].dim[layout ? 0 : 1];
    s.h = state;
    s.c = state + s.hidden;
    for (s.d = 0; s.d < dirs; s.d++)
        for (s.b = 0; s.b < s.batch; s.b++) {
            const int64_t at = (layout ? s.b * dirs + s.d : s.d * s.batch + s.b) * s.hidden;
            for (int64_t j = 0; j < s.hidden; j++) {
                s.h[j] = r->n_in > 5 && r->in[5] ? r->in[5][at + j] : 0;
                s.c[j] = r->n_in > 6 && r->in[6] ? r->in[6][at + j] : 0;
            }
            for (int64_t t = 0; t < s.steps; t++) {
                const int64_t time = s.d || reverse ? s.steps - 1 - t : t;
                const int64_t y =
                    layout ? (s.b * s.steps + time) * dirs + s.d : (time * dirs + s.d) * s.batch + s.b;
                s.kept = r->n_out > kept ? r->out[kept] + y * numbers * s.hidden : NULL;
                products(&s, time, layout, s.h, g, g + rows);
                if (lstm)
                    step_lstm(&s, g, g + rows,
                        r->n_in > 7 && r->in[7] ? r->in[7] + s.d * 3 * s.hidden : NULL);
                else if (gru)
                    step_gru(&s, g, g + rows, g + 2 * rows, time, layout, linear);
                else
                    for (int64_t j = 0; j < s.hidden; j++)
                        s.h[j] = activation(s.a.act[s.d][0], g[j] + g[rows + j]);
                for (int64_t j = 0; j < s.hidden; j++)
                    r->out[0][y * s.hidden + j] = s.h[j];
            }
            for (int64_t j = 0; j < s.hidden; j++) {
                if (r->n_out > 1)
                    r->out[1][at + j] = s.h[j];
                if (r->n_out > 2 && lstm)
                    r->out[2][at + j] = s.c[j];
            }
        }
    free(g);
    free(state);
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref_recurrent, .c = 64, .flags = ONN_CASE_NO_INTEGER | ONN_CASE_NO_F16 \
    }
static const struct onn_case cases[] = {
    CASE("lstm x=7x2x10 w=1x20x10 r=1x20x5 b=1x40 outs=3"),
    CASE("lstm x=5x1x16 w=2x96x16 r=2x96x24 b=2x192 direction=bidirectional"),
    CASE("lstm x=4x3x6 w=1x28x6 r=1x28x7 b=1x56 lens=- h=1x3x7 c=1x3x7 p=1x21 outs=3 direction=reverse"),
    CASE("lstm x=2x5x6 w=1x32x6 r=1x32x8 layout=1 outs=3"),
    CASE("gru x=6x2x9 w=1x30x9 r=1x30x10 b=1x60 outs=2"),
    CASE("gru x=6x2x9 w=2x30x9 r=2x30x10 b=2x60 direction=bidirectional linear_before_reset=1 outs=2"),
    CASE("gru x=3x1x9 w=1x51x9 r=1x51x17 b=- lens=- h=1x1x17"),
    CASE(
        "lstm x=3x2x6 w=2x28x6 r=2x28x7 b=2x56 lens=- h=2x2x7 c=2x2x7 p=2x21 direction=bidirectional outs=4"),
    CASE("lstm x=3x2x6 w=1x28x6 r=1x28x7 activations=HardSigmoid,Softsign,Softplus outs=3"),
    CASE("gru x=3x2x6 w=1x21x6 r=1x21x7 activations=softsign,relu outs=2"),
    CASE("lstm x=2x3x6 w=1x28x6 r=1x28x7 layout=1 outs=4"),
    CASE("gru x=4x2x9 w=2x30x9 r=2x30x10 b=2x60 direction=bidirectional linear_before_reset=1 outs=3"),
    CASE("gru x=2x4x9 w=1x30x9 r=1x30x10 b=1x60 direction=reverse layout=1 outs=3"),
    CASE("rnn x=5x2x9 w=1x11x9 r=1x11x11 b=1x22 outs=2"),
    {.problem = NULL},
};

WINDOW_MAIN(infers_shapes, cases)
