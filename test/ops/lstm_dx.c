/* The walks back through time of LSTM, GRU and RNN against the chain rule in double. */
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

enum { IN_Y, IN_R, IN_KEPT, IN_H0, IN_C0, IN_PEEP, IN_DY, IN_DY_H, IN_DY_C };

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("lstm_dx y=7x1x2x5 r=1x20x5 kept=7x1x2x25 h0=- c0=- p=- dy=7x1x2x5", "f32[7,2,1,20]");
    onn_check_infer("gru_dx y=2x7x1x5 r=1x15x5 kept=2x7x1x20 h0=- c0=- p=- dy=- dyh=2x1x5 layout=1",
        "f32[2,7,1,15]");
    onn_check_infer("rnn_dx y=7x2x3x5 r=2x5x5 kept=- h0=- c0=- p=- dy=7x2x3x5 direction=bidirectional",
        "f32[7,3,2,5]");
    onn_check_infer("rnn_dx y=7x1x2x5 r=1x5x5 kept=- h0=- c0=- p=- dy=7x1x2x5 clip=3",
        "!no gradient with clip=3");
    onn_check_infer("rnn_dx y=7x1x2x5 r=1x5x5 kept=- h0=- c0=- p=- dy=-", "!no output has a gradient");
    onn_check_infer("lstm_dx y=7x1x2x5 r=1x20x5 kept=- h0=- c0=- p=- dy=7x1x2x5",
        "!what was kept is missing");
    onn_check_infer("gru_dx y=7x1x2x5 r=1x15x5 kept=7x1x2x20 h0=- c0=1x2x5 p=- dy=7x1x2x5", "!only LSTM has");
    onn_check_infer("gru_dx y=7x1x2x5 r=1x15x5 kept=7x1x2x25 h0=- c0=- p=- dy=7x1x2x5",
        "!what was kept is f32[7,1,2,25]");
    onn_check_infer("lstm_dx y=7x1x2x5 r=1x20x5 kept=7x1x2x25 h0=- c0=- p=- dy=7x1x2x5 outs=5",
        "!p is missing");
}

/* Derivatives of Sigmoid, Tanh, Relu, Softsign, Softplus, HardSigmoid where their value is y. */
static double slope(int kind, double y)
{
    switch (kind) {
    case 0: return y * (1 - y);
    case 1: return 1 - y * y;
    case 2: return y > 0;
    case 3: return (1 - fabs(y)) * (1 - fabs(y));
    case 4: return 1 - exp(-y);
    default: return y > 0 && y < 1 ? 0.2 : 0;
    }
}

static double activation(int kind, double v)
{
    switch (kind) {
    case 0: return 1 / (1 + exp(-v));
    case 1: return tanh(v);
    case 2: return v > 0 ? v : 0;
    case 3: return v / (1 + fabs(v));
    case 4: return log1p(exp(v));
    default: return fmin(fmax(0.2 * v + 0.5, 0), 1);
    }
}

/* One direction of one sequence; step t of n. */
struct walk {
    const struct onn_ref *r;
    struct onn_lstm_args a;
    int64_t n, steps, batch, dirs, d, b, gates;
    bool layout;
    double dh[64], dc[64];
};

static const double *in_of(const struct walk *w, int i)
{
    return i < w->r->n_in ? w->r->in[i] : NULL;
}

static int64_t time_of(const struct walk *w, int64_t t)
{
    return w->d || w->a.reverse ? w->steps - 1 - t : t;
}

static int64_t y_of(const struct walk *w, int64_t t)
{
    const int64_t time = time_of(w, t);
    return w->layout ? (w->b * w->steps + time) * w->dirs + w->d : (time * w->dirs + w->d) * w->batch + w->b;
}

static int64_t row_of(const struct walk *w, int64_t t)
{
    const int64_t time = time_of(w, t);
    return (w->layout ? w->b * w->steps + time : time * w->batch + w->b) * w->dirs + w->d;
}

static int64_t state_of(const struct walk *w)
{
    return (w->layout ? w->b * w->dirs + w->d : w->d * w->batch + w->b) * w->n;
}

/* What unit j held in front of step t: number `part` of `of` in what is kept of the step before, or the start. */
static double before(const struct walk *w, int64_t t, int kept, int of, int part, int start, int64_t j)
{
    if (t)
        return in_of(w, kept)[(y_of(w, t - 1) * of + part) * w->n + j];
    return in_of(w, start) ? in_of(w, start)[state_of(w) + j] : 0;
}

/* dh += R^T v for gate rows first … first + count - 1. */
static void through(struct walk *w, const double *v, int64_t first, int64_t count, double *dh)
{
    const double *r = in_of(w, IN_R) + w->d * w->gates * w->n * w->n;
    for (int64_t k = 0; k < count; k++)
        for (int64_t j = 0; j < w->n; j++)
            dh[j] += v[k] * r[(first + k) * w->n + j];
}

static void back_lstm(struct walk *w, int64_t t, double *dz)
{
    const int64_t n = w->n;
    const double *p = in_of(w, IN_PEEP) ? in_of(w, IN_PEEP) + w->d * 3 * n : NULL;
    const double *k = in_of(w, IN_KEPT) + y_of(w, t) * 5 * n;
    double *dp = w->r->n_out > 4 ? w->r->out[4] + (w->b * w->dirs + w->d) * 3 * n : NULL;
    const int *act = w->a.act[w->d];
    for (int64_t j = 0; j < n; j++) {
        const double i = k[j], o = k[n + j], f = k[2 * n + j], v = k[3 * n + j], c = k[4 * n + j];
        const double last = before(w, t, IN_KEPT, 5, 4, IN_C0, j), s = activation(act[2], c);
        dz[n + j] = w->dh[j] * s * slope(act[0], o);
        const double d = w->dc[j] + w->dh[j] * o * slope(act[2], s) + (p ? dz[n + j] * p[n + j] : 0);
        dz[j] = d * v * slope(act[0], i);
        dz[2 * n + j] = d * last * slope(act[0], f);
        dz[3 * n + j] = d * i * slope(act[1], v);
        w->dc[j] = d * f + (p ? dz[j] * p[j] + dz[2 * n + j] * p[2 * n + j] : 0);
        w->dh[j] = 0;
        for (int g = 0; dp && g < 3; g++)
            dp[g * n + j] += dz[g * n + j] * (g == 1 ? c : last);
    }
    through(w, dz, 0, 4 * n, w->dh);
}

static void back_gru(struct walk *w, int64_t t, double *dz, double *other)
{
    const int64_t n = w->n;
    const double *k = in_of(w, IN_KEPT) + y_of(w, t) * 4 * n;
    const int *act = w->a.act[w->d];
    double reset[64] = {0}, next[64];
    for (int64_t j = 0; j < n; j++) {
        const double z = k[j], made = k[2 * n + j], last = before(w, t, IN_Y, 1, 0, IN_H0, j);
        dz[j] = w->dh[j] * (last - made) * slope(act[0], z);
        dz[2 * n + j] = w->dh[j] * (1 - z) * slope(act[1], made);
        next[j] = w->dh[j] * z;
        other[j] = w->a.linear_before_reset ? dz[2 * n + j] * k[n + j] : k[3 * n + j];
    }
    if (w->a.linear_before_reset)
        through(w, other, 2 * n, n, next);
    else
        through(w, dz + 2 * n, 2 * n, n, reset);
    for (int64_t j = 0; j < n; j++) {
        const double d = w->a.linear_before_reset ? dz[2 * n + j] * k[3 * n + j]
                                                  : reset[j] * before(w, t, IN_Y, 1, 0, IN_H0, j);
        dz[n + j] = d * slope(act[0], k[n + j]);
        next[j] += reset[j] * k[n + j];
    }
    through(w, dz, 0, 2 * n, next);
    memcpy(w->dh, next, (size_t)n * sizeof *next);
}

static void back_rnn(struct walk *w, int64_t t, double *dz)
{
    for (int64_t j = 0; j < w->n; j++) {
        dz[j] = w->dh[j] * slope(w->a.act[w->d][0], in_of(w, IN_Y)[y_of(w, t) * w->n + j]);
        w->dh[j] = 0;
    }
    through(w, dz, 0, w->n, w->dh);
}

static void walk(struct walk *w)
{
    const struct onn_ref *r = w->r;
    const int64_t n = w->n, state = state_of(w);
    for (int64_t j = 0; j < n; j++) {
        w->dh[j] = in_of(w, IN_DY_H) ? in_of(w, IN_DY_H)[state + j] : 0;
        w->dc[j] = in_of(w, IN_DY_C) ? in_of(w, IN_DY_C)[state + j] : 0;
    }
    for (int64_t t = w->steps - 1; t >= 0; t--) {
        double *dz = r->out[0] + row_of(w, t) * w->gates * n;
        for (int64_t j = 0; j < n; j++) {
            w->dh[j] += in_of(w, IN_DY) ? in_of(w, IN_DY)[y_of(w, t) * n + j] : 0;
            r->out[1][row_of(w, t) * n + j] = before(w, t, IN_Y, 1, 0, IN_H0, j);
        }
        if (w->gates == 4)
            back_lstm(w, t, dz);
        else if (w->gates == 3)
            back_gru(w, t, dz, r->out[3] + row_of(w, t) * n);
        else
            back_rnn(w, t, dz);
    }
    memcpy(r->out[2] + state, w->dh, (size_t)n * sizeof *w->dh);
    if (w->gates == 4)
        memcpy(r->out[3] + state, w->dc, (size_t)n * sizeof *w->dc);
}

static void ref(struct onn_ref *r)
{
    const struct onn_lstm_attr *t = r->prob->attr;
    const struct onn_desc *y = &r->prob->in[IN_Y];
    struct walk w = {.r = r, .layout = t->layout != 0, .n = y->dim[3], .dirs = r->prob->in[IN_R].dim[0]};

    if (w.n > 64 || onn_lstm_read(r->prob, &w.a))
        abort();
    w.gates = r->prob->in[IN_R].dim[1] / w.n;
    w.steps = y->dim[w.layout ? 1 : 0];
    w.batch = y->dim[w.layout ? 0 : 2];
    for (w.d = 0; w.d < w.dirs; w.d++)
        for (w.b = 0; w.b < w.batch; w.b++)
            walk(&w);
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref, .c = 16, .flags = ONN_CASE_NO_INTEGER | ONN_CASE_NO_F16 \
    }
static const struct onn_case cases[] = {
    CASE("lstm_dx y=4x1x2x5 r=1x20x5 kept=4x1x2x25 h0=- c0=- p=- dy=4x1x2x5"),
    CASE("lstm_dx y=3x2x2x37 r=2x148x37 kept=3x2x2x185 h0=2x2x37 c0=2x2x37 p=- dy=3x2x2x37 dyh=2x2x37 "
         "dyc=2x2x37 direction=bidirectional"),
    CASE("lstm_dx y=3x1x2x7 r=1x28x7 kept=3x1x2x35 h0=1x2x7 c0=1x2x7 p=1x21 dy=- dyh=1x2x7 dyc=1x2x7 outs=5 "
         "direction=reverse"),
    CASE("lstm_dx y=2x3x1x8 r=1x32x8 kept=2x3x1x40 h0=- c0=- p=1x24 dy=2x3x1x8 dyh=2x1x8 layout=1 outs=5"),
    CASE("lstm_dx y=2x1x2x9 r=1x36x9 kept=2x1x2x45 h0=- c0=- p=- dy=- dyh=- dyc=1x2x9 "
         "activations=HardSigmoid,Softsign,Softplus"),
    CASE("gru_dx y=4x1x2x10 r=1x30x10 kept=4x1x2x40 h0=- c0=- p=- dy=4x1x2x10"),
    CASE("gru_dx y=3x2x2x37 r=2x111x37 kept=3x2x2x148 h0=2x2x37 c0=- p=- dy=3x2x2x37 dyh=2x2x37 "
         "direction=bidirectional"),
    CASE("gru_dx y=3x2x2x37 r=2x111x37 kept=3x2x2x148 h0=2x2x37 c0=- p=- dy=3x2x2x37 dyh=2x2x37 "
         "direction=bidirectional linear_before_reset=1"),
    CASE("gru_dx y=2x4x1x8 r=1x24x8 kept=2x4x1x32 h0=- c0=- p=- dy=- dyh=2x1x8 layout=1 direction=reverse"),
    CASE("rnn_dx y=5x1x2x11 r=1x11x11 kept=- h0=- c0=- p=- dy=5x1x2x11"),
    CASE("rnn_dx y=3x2x2x35 r=2x35x35 kept=- h0=2x2x35 c0=- p=- dy=3x2x2x35 dyh=2x2x35 "
         "direction=bidirectional "
         "activations=Relu,Softplus"),
    CASE("rnn_dx y=2x3x1x7 r=1x7x7 kept=- h0=- c0=- p=- dy=- dyh=2x1x7 layout=1 activations=Sigmoid"),
    {.problem = NULL},
};

WINDOW_MAIN(infers_shapes, cases)
