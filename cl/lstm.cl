/* The recurrent part of LSTM, GRU and RNN: one work-group runs all time steps of one direction of one sequence.
 *
 * Arguments  xw: fp32 workspace [directions][steps][batch][gates * hidden], x W^T + Wb of all steps.
 *            r: [directions][gates * hidden][hidden]; bias: [directions][2 * gates * hidden], its second half is added
 *            here; h0, c0: initial state by strides; peep: [directions][3 * hidden] (LSTM's i, o, f).
 *            y, y_h, y_c: outputs by strides. kept: for the gradient, in y's order: LSTM's gates i, o, f, c behind
 *            their activations and the cell state, GRU's z, r, the new value, and R h + Rb of the third gate with
 *            linear_before_reset, else r * h. state: fp32 workspace [directions][batch][4][hidden]. Tensors that
 *            has_* calls absent may be any.
 * Defines    ONN_F16 optional (lib/elem.h), VL (lib/vec.h).
 * Work       any 1-D work-group; global size { directions * batch * local size }.
 * Rounding   dot products in fp32: VL partial sums, then their sum.
 * Source     the equations in the ONNX operators LSTM, GRU, RNN.
 */
#include "lib/vec.h"
#include "lib/lstm.h"

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
    w.act_f = LSTM_ACT(a, w.d, 0);
    w.act_g = LSTM_ACT(a, w.d, 1);
    w.act_h = LSTM_ACT(a, w.d, 2);
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

/* x W^T of a step. */
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
            ONN_SET(y + lstm_at(a, w->d, w->b, time), j, w->h[j]);
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
                       ONN_OUT(ONN_T, y_c), ONN_OUT(ONN_T, kept), const struct lstm_args a)
{
    const int n = a.hidden;
    struct lstm_walk w = lstm_start(&a, 4, ONN_PTR(r), ONN_PTR(bias), ONN_PTR(peep), ONN_PTR(h0), ONN_PTR(c0),
                                    ONN_PTR(state));
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int t = 0; t < a.steps; t++) {
        const int time = lstm_time(&a, w.d, t);
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
            const float v = lstm_gate(&a, w.act_g, g[3]);
            c = f * c + i * v;
            if (a.has_peep)
                g[1] = fma(ONN_GET(w.peep, n + j), c, g[1]);
            const float o = lstm_gate(&a, w.act_f, g[1]);
            w.cell[j] = c;
            w.next[j] = o * lstm_activate(w.act_h, c);
            if (a.has_kept) {
                global ONN_T *k = ONN_PTR(kept) + 5 * lstm_at(&a, w.d, w.b, time) + j;
                ONN_SET(k, 0, i);
                ONN_SET(k, n, o);
                ONN_SET(k, 2 * n, f);
                ONN_SET(k, 3 * n, v);
                ONN_SET(k, 4 * n, c);
            }
        }
        lstm_advance(&a, &w, time, ONN_PTR(y));
    }
    lstm_end(&a, &w, ONN_PTR(y_h), ONN_PTR(y_c));
}

/* Gates z, r, h. */
kernel void gru_steps(ONN_IN(float, xw), ONN_IN(ONN_T, r), ONN_IN(ONN_T, bias), ONN_IN(ONN_T, h0), ONN_OUT(float, state),
                      ONN_OUT(ONN_T, y), ONN_OUT(ONN_T, y_h), ONN_OUT(ONN_T, kept), const struct lstm_args a)
{
    const int n = a.hidden;
    struct lstm_walk w = lstm_start(&a, 3, ONN_PTR(r), ONN_PTR(bias), ONN_PTR(bias), ONN_PTR(h0), ONN_PTR(h0),
                                    ONN_PTR(state));
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int t = 0; t < a.steps; t++) {
        const int time = lstm_time(&a, w.d, t);
        global const float *row = lstm_row(&a, &w, 3, time, ONN_PTR(xw));
        global ONN_T *k = ONN_PTR(kept) + (a.has_kept ? 4 * lstm_at(&a, w.d, w.b, time) : 0);
        /* cell holds z, scratch holds what the third gate multiplies with R: the state, reset or not. */
        for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
            const float z = row[j] + lstm_dot(w.r + (long)j * n, w.h, n) + lstm_bias(&a, &w, j);
            const float v = row[n + j] + lstm_dot(w.r + (long)(n + j) * n, w.h, n) + lstm_bias(&a, &w, n + j);
            const float reset = lstm_gate(&a, w.act_f, v);
            w.cell[j] = lstm_gate(&a, w.act_f, z);
            w.scratch[j] = a.linear_before_reset ? reset : reset * w.h[j];
            if (a.has_kept)
                ONN_SET(k, n + j, reset);
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
        for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
            global const ONN_T *rh = w.r + (long)(2 * n + j) * n;
            const float b = lstm_bias(&a, &w, 2 * n + j);
            const float rest = lstm_dot(rh, a.linear_before_reset ? w.h : w.scratch, n) + b;
            const float v = row[2 * n + j] + (a.linear_before_reset ? w.scratch[j] * rest : rest);
            const float z = w.cell[j], made = lstm_gate(&a, w.act_g, v);
            w.next[j] = (1.0f - z) * made + z * w.h[j];
            if (a.has_kept) {
                ONN_SET(k, j, z);
                ONN_SET(k, 2 * n + j, made);
                ONN_SET(k, 3 * n + j, a.linear_before_reset ? rest : w.scratch[j]);
            }
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
        const int time = lstm_time(&a, w.d, t);
        global const float *row = lstm_row(&a, &w, 1, time, ONN_PTR(xw));
        for (int j = get_local_id(0); j < n; j += get_local_size(0))
            w.next[j] = lstm_gate(&a, w.act_f, row[j] + lstm_dot(w.r + (long)j * n, w.h, n) + lstm_bias(&a, &w, j));
        lstm_advance(&a, &w, time, ONN_PTR(y));
    }
    lstm_end(&a, &w, ONN_PTR(y_h), ONN_PTR(y_h));
}
