/* The recurrent part of the gradients of LSTM, GRU and RNN: one work-group walks back through all time steps of one
 * direction of one sequence. Weights get their gradients from matrix products over what is written here.
 *
 * Arguments  y: the forward output; r: [directions][gates * hidden][hidden]; kept: of every step (cl/lstm.cl); h0, c0:
 *            initial state by strides; peep: [directions][3 * hidden] (LSTM's i, o, f); dy, dy_h, dy_c: gradients of the
 *            outputs. Inputs that has_* calls absent may be any; has_y … has_y_c speak of the gradients.
 *            dz: [rows][directions][gates * hidden], gradient in front of the activations; before: [rows][directions]
 *            [hidden], the state that the step began with; rows are steps and sequences in x's order. dh0, dc0: by
 *            strides; they also carry the state's gradient from step to step. dpeep: [batch][directions][3 * hidden].
 *            other: GRU's [rows][directions][hidden]: gradient of R h + Rb of the third gate with linear_before_reset,
 *            else the reset state r * h.
 * Defines    ONN_F16 is not supported; VL (lib/vec.h).
 * Work       any 1-D work-group; global size { directions * batch * local size }.
 * Rounding   fp32, sums over gates in order.
 * Source     the chain rule on the equations in the ONNX operators LSTM, GRU, RNN.
 */
#include "lib/vec.h"
#include "lib/lstm.h"

/* The derivative of an activation, from its result. */
static inline float lstm_slope(int kind, float y)
{
    const float rest = 1.0f - fabs(y);
    switch (kind) {
    case LSTM_SIGMOID: return y * (1.0f - y);
    case LSTM_TANH: return 1.0f - y * y;
    case LSTM_RELU: return y > 0.0f ? 1.0f : 0.0f;
    case LSTM_SOFTSIGN: return rest * rest;
    case LSTM_SOFTPLUS: return -expm1(-y);
    default: return y > 0.0f && y < 1.0f ? 0.2f : 0.0f;
    }
}

/* out[j] = sum over k of dz[k] * r[k][j], or added to it; the group shares the columns j. */
static void lstm_turned(global const float *r, global const float *dz, int rows, int n, int add, global float *out)
{
    int first = 0;
    if (get_local_size(0) == 1) { /* a CPU: vectors of columns, four at a time for whole cache lines */
        for (; first + 4 * VL <= n; first += 4 * VL) {
            ONN_V s0 = (ONN_V)(0.0f), s1 = s0, s2 = s0, s3 = s0;
            for (int k = 0; k < rows; k++) {
                global const float *p = r + (long)k * n + first;
                const ONN_V v = (ONN_V)(dz[k]);
                s0 = fma(v, ONN_LOAD(p), s0);
                s1 = fma(v, ONN_LOAD(p + VL), s1);
                s2 = fma(v, ONN_LOAD(p + 2 * VL), s2);
                s3 = fma(v, ONN_LOAD(p + 3 * VL), s3);
            }
            global float *o = out + first;
            ONN_STORE(add ? s0 + ONN_LOAD(o) : s0, o);
            ONN_STORE(add ? s1 + ONN_LOAD(o + VL) : s1, o + VL);
            ONN_STORE(add ? s2 + ONN_LOAD(o + 2 * VL) : s2, o + 2 * VL);
            ONN_STORE(add ? s3 + ONN_LOAD(o + 3 * VL) : s3, o + 3 * VL);
        }
        for (; first + VL <= n; first += VL) {
            ONN_V s = (ONN_V)(0.0f);
            for (int k = 0; k < rows; k++)
                s = fma((ONN_V)(dz[k]), ONN_LOAD(r + (long)k * n + first), s);
            ONN_STORE(add ? s + ONN_LOAD(out + first) : s, out + first);
        }
    }
    for (int j = first + get_local_id(0); j < n; j += get_local_size(0)) {
        float s = 0.0f;
        for (int k = 0; k < rows; k++)
            s = fma(dz[k], r[(long)k * n + j], s);
        out[j] = add ? s + out[j] : s;
    }
}

/* One direction of one sequence. */
struct lstm_dx_walk {
    int d, b;
    long state; /* of it in tensors of states */
    global float *dh;
};

static struct lstm_dx_walk lstm_dx_start(const struct lstm_args *a, global const float *dy_h, global float *dh0)
{
    struct lstm_dx_walk w;
    w.d = get_group_id(0) / a->batch;
    w.b = get_group_id(0) % a->batch;
    w.state = w.d * a->s_d + w.b * a->s_b;
    w.dh = dh0 + w.state;
    for (int j = get_local_id(0); j < a->hidden; j += get_local_size(0))
        w.dh[j] = a->has_y_h ? dy_h[w.state + j] : 0.0f;
    return w;
}

/* Row of a time index, one for each direction. */
static inline long lstm_dx_row(const struct lstm_args *a, const struct lstm_dx_walk *w, int time)
{
    return ((long)time * a->row_t + (long)w->b * a->row_b) * a->directions + w->d;
}

/* Unit j's state in front of step t, from what was kept (a part of `of` times hidden numbers) or the initial state. */
static inline float lstm_before(const struct lstm_args *a, const struct lstm_dx_walk *w, int t, global const float *all,
                                int of, int part, int has_first, global const float *first, int j)
{
    if (t > 0)
        return all[of * lstm_at(a, w->d, w->b, lstm_time(a, w->d, t - 1)) + part * a->hidden + j];
    return has_first ? first[w->state + j] : 0.0f;
}

/* Gates i, o, f, c. */
kernel void lstm_dx(ONN_IN(float, y), ONN_IN(float, r), ONN_IN(float, kept), ONN_IN(float, h0), ONN_IN(float, c0),
                    ONN_IN(float, peep), ONN_IN(float, dy), ONN_IN(float, dy_h), ONN_IN(float, dy_c), ONN_OUT(float, dz),
                    ONN_OUT(float, before), ONN_OUT(float, dh0), ONN_OUT(float, dc0), ONN_OUT(float, dpeep),
                    const struct lstm_args a)
{
    const int n = a.hidden;
    const struct lstm_dx_walk w = lstm_dx_start(&a, ONN_PTR(dy_h), ONN_PTR(dh0));
    const int act_f = LSTM_ACT(&a, w.d, 0), act_g = LSTM_ACT(&a, w.d, 1), act_h = LSTM_ACT(&a, w.d, 2);
    global float *dc = ONN_PTR(dc0) + w.state;
    global float *dp = ONN_PTR(dpeep) + (a.has_peep ? ((long)w.b * a.directions + w.d) * 3 * n : 0);
    global const float *p = ONN_PTR(peep) + (a.has_peep ? (long)w.d * 3 * n : 0);
    for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
        dc[j] = a.has_y_c ? ONN_PTR(dy_c)[w.state + j] : 0.0f;
        if (a.has_peep)
            dp[j] = dp[n + j] = dp[2 * n + j] = 0.0f;
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int t = a.steps - 1; t >= 0; t--) {
        const int time = lstm_time(&a, w.d, t);
        const long at = lstm_at(&a, w.d, w.b, time), row = lstm_dx_row(&a, &w, time);
        global const float *k = ONN_PTR(kept) + 5 * at;
        global float *z = ONN_PTR(dz) + row * 4 * n;
        for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
            const float i = k[j], o = k[n + j], f = k[2 * n + j], v = k[3 * n + j], c = k[4 * n + j];
            const float last = lstm_before(&a, &w, t, ONN_PTR(kept), 5, 4, a.has_c0, ONN_PTR(c0), j);
            const float s = lstm_activate(act_h, c);
            const float dh = w.dh[j] + (a.has_y ? ONN_PTR(dy)[at + j] : 0.0f);
            const float dzo = dh * s * lstm_slope(act_f, o);
            float d = dc[j] + dh * o * lstm_slope(act_h, s);
            if (a.has_peep)
                d = fma(dzo, p[n + j], d);
            const float dzi = d * v * lstm_slope(act_f, i), dzf = d * last * lstm_slope(act_f, f);
            z[j] = dzi;
            z[n + j] = dzo;
            z[2 * n + j] = dzf;
            z[3 * n + j] = d * i * lstm_slope(act_g, v);
            d *= f;
            if (a.has_peep) {
                d += dzi * p[j] + dzf * p[2 * n + j];
                dp[j] = fma(dzi, last, dp[j]);
                dp[n + j] = fma(dzo, c, dp[n + j]);
                dp[2 * n + j] = fma(dzf, last, dp[2 * n + j]);
            }
            dc[j] = d;
            ONN_PTR(before)[row * n + j] = lstm_before(&a, &w, t, ONN_PTR(y), 1, 0, a.has_h0, ONN_PTR(h0), j);
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
        lstm_turned(ONN_PTR(r) + (long)w.d * 4 * n * n, z, 4 * n, n, 0, w.dh);
        barrier(CLK_GLOBAL_MEM_FENCE);
    }
}

/* Gates z, r, h. */
kernel void gru_dx(ONN_IN(float, y), ONN_IN(float, r), ONN_IN(float, kept), ONN_IN(float, h0), ONN_IN(float, dy),
                   ONN_IN(float, dy_h), ONN_OUT(float, dz), ONN_OUT(float, before), ONN_OUT(float, dh0),
                   ONN_OUT(float, other), const struct lstm_args a)
{
    const int n = a.hidden;
    const struct lstm_dx_walk w = lstm_dx_start(&a, ONN_PTR(dy_h), ONN_PTR(dh0));
    const int act_f = LSTM_ACT(&a, w.d, 0), act_g = LSTM_ACT(&a, w.d, 1);
    global const float *rz = ONN_PTR(r) + (long)w.d * 3 * n * n, *rh = rz + (long)2 * n * n;
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int t = a.steps - 1; t >= 0; t--) {
        const int time = lstm_time(&a, w.d, t);
        const long at = lstm_at(&a, w.d, w.b, time), row = lstm_dx_row(&a, &w, time);
        global const float *k = ONN_PTR(kept) + 4 * at;
        global float *z = ONN_PTR(dz) + row * 3 * n, *h = ONN_PTR(before) + row * n, *u = ONN_PTR(other) + row * n;
        for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
            const float gate = k[j], reset = k[n + j], made = k[2 * n + j], rest = k[3 * n + j];
            const float dh = w.dh[j] + (a.has_y ? ONN_PTR(dy)[at + j] : 0.0f);
            const float last = lstm_before(&a, &w, t, ONN_PTR(y), 1, 0, a.has_h0, ONN_PTR(h0), j);
            const float dzh = dh * (1.0f - gate) * lstm_slope(act_g, made);
            h[j] = last;
            z[j] = dh * (last - made) * lstm_slope(act_f, gate);
            z[2 * n + j] = dzh;
            w.dh[j] = dh * gate;
            if (a.linear_before_reset)
                z[n + j] = dzh * rest * lstm_slope(act_f, reset);
            u[j] = a.linear_before_reset ? dzh * reset : rest;
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
        if (!a.linear_before_reset) { /* the reset state's gradient comes through R first */
            lstm_turned(rh, z + 2 * n, n, n, 0, z + n);
            barrier(CLK_GLOBAL_MEM_FENCE);
            for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
                const float d = z[n + j], reset = k[n + j];
                w.dh[j] += d * reset;
                z[n + j] = d * h[j] * lstm_slope(act_f, reset);
            }
            barrier(CLK_GLOBAL_MEM_FENCE);
        } else {
            lstm_turned(rh, u, n, n, 1, w.dh);
        }
        lstm_turned(rz, z, 2 * n, n, 1, w.dh);
        barrier(CLK_GLOBAL_MEM_FENCE);
    }
}

kernel void rnn_dx(ONN_IN(float, y), ONN_IN(float, r), ONN_IN(float, h0), ONN_IN(float, dy), ONN_IN(float, dy_h),
                   ONN_OUT(float, dz), ONN_OUT(float, before), ONN_OUT(float, dh0), const struct lstm_args a)
{
    const int n = a.hidden;
    const struct lstm_dx_walk w = lstm_dx_start(&a, ONN_PTR(dy_h), ONN_PTR(dh0));
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (int t = a.steps - 1; t >= 0; t--) {
        const int time = lstm_time(&a, w.d, t);
        const long at = lstm_at(&a, w.d, w.b, time), row = lstm_dx_row(&a, &w, time);
        global float *z = ONN_PTR(dz) + row * n;
        for (int j = get_local_id(0); j < n; j += get_local_size(0)) {
            const float dh = w.dh[j] + (a.has_y ? ONN_PTR(dy)[at + j] : 0.0f);
            z[j] = dh * lstm_slope(LSTM_ACT(&a, w.d, 0), ONN_PTR(y)[at + j]);
            ONN_PTR(before)[row * n + j] = lstm_before(&a, &w, t, ONN_PTR(y), 1, 0, a.has_h0, ONN_PTR(h0), j);
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
        lstm_turned(ONN_PTR(r) + (long)w.d * n * n, z, n, n, 0, w.dh);
        barrier(CLK_GLOBAL_MEM_FENCE);
    }
}
