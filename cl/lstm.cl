/* The recurrent part of LSTM, GRU and RNN: one work-group runs all time steps of one direction of one sequence.
 *
 * Arguments  xw: fp32 workspace [directions][steps][batch][gates * hidden], x W^T + Wb of all steps.
 *            r: [directions][gates * hidden][hidden]; bias: [directions][2 * gates * hidden], its second half is added
 *            here; h0, c0: initial state by strides; peep: [directions][3 * hidden] (LSTM's i, o, f).
 *            y, y_h, y_c: outputs by strides. state: fp32 workspace [directions][batch][4][hidden]. Tensors that has_*
 *            calls absent may be any.
 * Defines    ONN_F16 optional (lib/elem.h), VL (lib/vec.h).
 * Work       any 1-D work-group; global size { directions * batch * local size }.
 * Rounding   dot products in fp32: VL partial sums, then their sum.
 * Source     the equations in the ONNX operators LSTM, GRU, RNN.
 */
#include "lib/vec.h"
#include "lib/elem.h"

struct lstm_args {
    int steps, batch, directions, hidden, reverse; /* reverse: of direction 0; direction 1 always is */
    int has_bias, has_h0, has_c0, has_peep, has_y, has_y_h, has_y_c, linear_before_reset, has_clip;
    int act[2][4]; /* enum lstm_activation of direction and gate function f, g, h; the fourth is padding */
    float clip;
    int pad;
    long y_t, y_d, y_b, s_d, s_b; /* y: steps, directions, batch; states: directions, batch. hidden is contiguous */
};

enum lstm_activation { LSTM_SIGMOID, LSTM_TANH, LSTM_RELU, LSTM_SOFTSIGN, LSTM_SOFTPLUS, LSTM_HARD_SIGMOID };

static inline float lstm_activate(int kind, float v)
{
    switch (kind) {
    case LSTM_SIGMOID: return 1.0f / (1.0f + exp(-v));
    case LSTM_TANH: return tanh(v);
    case LSTM_RELU: return v < 0.0f ? 0.0f : v;
    case LSTM_SOFTSIGN: return v / (1.0f + fabs(v));
    case LSTM_SOFTPLUS: return v > 20.0f ? v : log1p(exp(v));
    default: return onn_elem_clip(0.2f * v + 0.5f, 0.0f, 1.0f);
    }
}

static inline float lstm_gate(const struct lstm_args *a, int kind, float v)
{
    return lstm_activate(kind, a->has_clip ? onn_elem_clip(v, -a->clip, a->clip) : v);
}

static inline float lstm_dot(global const ONN_T *w, global const float *h, int n)
{
    float sum = 0.0f;
    int i = 0;
#ifndef ONN_F16
    ONN_V acc = (ONN_V)(0.0f);
    for (; i + VL <= n; i += VL)
        acc = fma(ONN_LOAD(w + i), ONN_LOAD(h + i), acc);
    float part[VL];
    ONN_STORE(acc, part);
    for (int k = 0; k < VL; k++)
        sum += part[k];
#endif
    for (; i < n; i++)
        sum = fma(ONN_GET(w, i), h[i], sum);
    return sum;
}

/* What every step needs, in one place. */
struct lstm_walk {
    int d, b, act_f, act_g, act_h;
    global const ONN_T *r, *bias, *peep;
    global float *h, *next, *cell, *scratch;
};

static inline float lstm_bias(const struct lstm_args *a, const struct lstm_walk *w, int i)
{
    return a->has_bias ? ONN_GET(w->bias, i) : 0.0f;
}

static struct lstm_walk lstm_start(const struct lstm_args *a, int gates, global const ONN_T *r, global const ONN_T *bias,
                                   global const ONN_T *peep, global const ONN_T *h0, global const ONN_T *c0,
                                   global float *state)
{
    struct lstm_walk w;
    const int n = a->hidden;
    w.d = get_group_id(0) / a->batch;
    w.b = get_group_id(0) % a->batch;
    w.act_f = a->act[w.d][0];
    w.act_g = a->act[w.d][1];
    w.act_h = a->act[w.d][2];
    w.r = r + (long)w.d * gates * n * n;
    w.bias = bias + (long)(2 * w.d + 1) * gates * n;
    w.peep = peep + (long)w.d * 3 * n;
    w.h = state + (long)get_group_id(0) * 4 * n;
    w.next = w.h + n;
    w.cell = w.h + 2 * n;
    w.scratch = w.h + 3 * n;
    for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
        w.h[j] = a->has_h0 ? ONN_GET(h0 + w.d * a->s_d + w.b * a->s_b, j) : 0.0f;
        w.cell[j] = a->has_c0 ? ONN_GET(c0 + w.d * a->s_d + w.b * a->s_b, j) : 0.0f;
    }
    return w;
}

/* Time index of step t, and x W^T of it. */
static inline int lstm_time(const struct lstm_args *a, const struct lstm_walk *w, int t)
{
    return (w->d ? 1 : a->reverse) ? a->steps - 1 - t : t;
}

static inline global const float *lstm_row(const struct lstm_args *a, const struct lstm_walk *w, int gates, int time,
                                           global const float *xw)
{
    return xw + (((long)w->d * a->steps + time) * a->batch + w->b) * gates * a->hidden;
}

/* Stores this step's outputs and makes the new state the current one. All items arrive. */
static inline void lstm_advance(const struct lstm_args *a, struct lstm_walk *w, int time, global ONN_T *y)
{
    barrier(CLK_GLOBAL_MEM_FENCE);
    global float *t = w->h;
    w->h = w->next;
    w->next = t;
    if (a->has_y)
        for (int j = get_local_id(0); j < a->hidden; j += get_local_size(0))
            ONN_SET(y + time * a->y_t + w->d * a->y_d + w->b * a->y_b, j, w->h[j]);
}

static void lstm_end(const struct lstm_args *a, const struct lstm_walk *w, global ONN_T *y_h, global ONN_T *y_c)
{
    for (int j = get_local_id(0); j < a->hidden; j += get_local_size(0)) {
        if (a->has_y_h)
            ONN_SET(y_h + w->d * a->s_d + w->b * a->s_b, j, w->h[j]);
        if (a->has_y_c)
            ONN_SET(y_c + w->d * a->s_d + w->b * a->s_b, j, w->cell[j]);
    }
}

/* Gates i, o, f, c. */
kernel void lstm_steps(ONN_IN(float, xw), ONN_IN(ONN_T, r), ONN_IN(ONN_T, bias), ONN_IN(ONN_T, peep), ONN_IN(ONN_T, h0),
                       ONN_IN(ONN_T, c0), ONN_OUT(float, state), ONN_OUT(ONN_T, y), ONN_OUT(ONN_T, y_h),
                       ONN_OUT(ONN_T, y_c), const struct lstm_args a)
{
    const int n = a.hidden;
    struct lstm_walk w = lstm_start(&a, 4, ONN_PTR(r), ONN_PTR(bias), ONN_PTR(peep), ONN_PTR(h0), ONN_PTR(c0),
                                    ONN_PTR(state));
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int t = 0; t < a.steps; t++) {
        const int time = lstm_time(&a, &w, t);
        global const float *row = lstm_row(&a, &w, 4, time, ONN_PTR(xw));
        for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
            float g[4];
            for (int k = 0; k < 4; k++)
                g[k] = row[k * n + j] + lstm_dot(w.r + (long)(k * n + j) * n, w.h, n) + lstm_bias(&a, &w, k * n + j);
            float c = w.cell[j];
            if (a.has_peep) {
                g[0] = fma(ONN_GET(w.peep, j), c, g[0]);
                g[2] = fma(ONN_GET(w.peep, 2 * n + j), c, g[2]);
            }
            const float i = lstm_gate(&a, w.act_f, g[0]), f = lstm_gate(&a, w.act_f, g[2]);
            c = f * c + i * lstm_gate(&a, w.act_g, g[3]);
            if (a.has_peep)
                g[1] = fma(ONN_GET(w.peep, n + j), c, g[1]);
            w.cell[j] = c;
            w.next[j] = lstm_gate(&a, w.act_f, g[1]) * lstm_activate(w.act_h, c);
        }
        lstm_advance(&a, &w, time, ONN_PTR(y));
    }
    lstm_end(&a, &w, ONN_PTR(y_h), ONN_PTR(y_c));
}

/* Gates z, r, h. */
kernel void gru_steps(ONN_IN(float, xw), ONN_IN(ONN_T, r), ONN_IN(ONN_T, bias), ONN_IN(ONN_T, h0), ONN_OUT(float, state),
                      ONN_OUT(ONN_T, y), ONN_OUT(ONN_T, y_h), const struct lstm_args a)
{
    const int n = a.hidden;
    struct lstm_walk w = lstm_start(&a, 3, ONN_PTR(r), ONN_PTR(bias), ONN_PTR(bias), ONN_PTR(h0), ONN_PTR(h0),
                                    ONN_PTR(state));
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int t = 0; t < a.steps; t++) {
        const int time = lstm_time(&a, &w, t);
        global const float *row = lstm_row(&a, &w, 3, time, ONN_PTR(xw));
        /* cell holds z, scratch holds what the third gate multiplies with R: the state, reset or not. */
        for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
            const float z = row[j] + lstm_dot(w.r + (long)j * n, w.h, n) + lstm_bias(&a, &w, j);
            const float v = row[n + j] + lstm_dot(w.r + (long)(n + j) * n, w.h, n) + lstm_bias(&a, &w, n + j);
            const float reset = lstm_gate(&a, w.act_f, v);
            w.cell[j] = lstm_gate(&a, w.act_f, z);
            w.scratch[j] = a.linear_before_reset ? reset : reset * w.h[j];
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
        for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
            global const ONN_T *rh = w.r + (long)(2 * n + j) * n;
            const float b = lstm_bias(&a, &w, 2 * n + j);
            float v = row[2 * n + j];
            if (a.linear_before_reset)
                v += w.scratch[j] * (lstm_dot(rh, w.h, n) + b);
            else
                v += lstm_dot(rh, w.scratch, n) + b;
            const float z = w.cell[j];
            w.next[j] = (1.0f - z) * lstm_gate(&a, w.act_g, v) + z * w.h[j];
        }
        lstm_advance(&a, &w, time, ONN_PTR(y));
    }
    lstm_end(&a, &w, ONN_PTR(y_h), ONN_PTR(y_h));
}

kernel void rnn_steps(ONN_IN(float, xw), ONN_IN(ONN_T, r), ONN_IN(ONN_T, bias), ONN_IN(ONN_T, h0), ONN_OUT(float, state),
                      ONN_OUT(ONN_T, y), ONN_OUT(ONN_T, y_h), const struct lstm_args a)
{
    const int n = a.hidden;
    struct lstm_walk w = lstm_start(&a, 1, ONN_PTR(r), ONN_PTR(bias), ONN_PTR(bias), ONN_PTR(h0), ONN_PTR(h0),
                                    ONN_PTR(state));
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int t = 0; t < a.steps; t++) {
        const int time = lstm_time(&a, &w, t);
        global const float *row = lstm_row(&a, &w, 1, time, ONN_PTR(xw));
        for (int j = get_local_id(0); j < n; j += get_local_size(0))
            w.next[j] = lstm_gate(&a, w.act_f, row[j] + lstm_dot(w.r + (long)j * n, w.h, n) + lstm_bias(&a, &w, j));
        lstm_advance(&a, &w, time, ONN_PTR(y));
    }
    lstm_end(&a, &w, ONN_PTR(y_h), ONN_PTR(y_h));
}
