/* Gradients of max and average pooling.
 *
 * *_reference  one element of dx per work-item, which gathers from the windows that contain it: any strides, 1-D to 3-D.
 *              Global size { in[2], in[0] * in[1], n * c }, any local size.
 * maxpool_dx_winners  GPUs: the tap that is the first maximum of each window, one window per work-item; maxpool_dx_gather is the
 *              reference with these instead of looking for them again in every window an element lies in.
 *              Global size { out[2], out[0] * out[1], n * c }, { in[2], in[0] * in[1], n * c } or more, any local size.
 * *_blocked    [n][channels / VL][…][VL] (vector CPUs, f32): an item owns one block of channels of one image, clears its
 *              plane and hands out the windows' gradients in window order. Global { blocks, n }, local 1. Lanes behind
 *              the last channel: dy is 0 there, so dx is.
 * Arguments    x (max only), dy, dx.
 * Defines      ONN_F16 or ONN_F64 optional (lib/elem.h; references), VL.
 * Method       max: a window's gradient goes to its first maximum in window order (a NaN wins). average: dy / count.
 * Source       the derivatives of the definitions in the ONNX operators.
 */
#include "lib/vec.h"
#include "lib/elem.h"
#include "lib/window.h"

struct pooldx_args {
    struct onn_window win;
    int pad_end[3], n, c, count_pad;
    long x_s[5], dy_s[5], dx_s[5]; /* n, c, d, h, w */
};

/* First and one past the last tap of dimension i that lies in [0, high) when the window starts at `start`. */
static inline int pooldx_first(const struct pooldx_args *a, int i, int start)
{
    return start >= 0 ? 0 : min(ONN_DIV_UP(-start, a->win.dilation[i]), a->win.taps[i]);
}
static inline int pooldx_last(const struct pooldx_args *a, int i, int start, int high)
{
    return start >= high ? 0 : min(ONN_DIV_UP(high - start, a->win.dilation[i]), a->win.taps[i]);
}

/* The window in which element `at` of dimension i is tap t, or -1. */
static inline int pooldx_window(const struct pooldx_args *a, int i, int at, int t)
{
    const int v = at + a->win.pad[i] - t * a->win.dilation[i], o = v / a->win.stride[i];
    return v >= 0 && o * a->win.stride[i] == v && o < a->win.out[i] ? o : -1;
}

static inline int pooldx_tap(const struct pooldx_args *a, const int *t)
{
    return (t[0] * a->win.taps[1] + t[1]) * a->win.taps[2] + t[2];
}

/* The number of the tap that is the first maximum of the window at o[]. */
static inline int pooldx_winner(const struct pooldx_args *a, global const ONN_T *x, const int *o)
{
    int start[3], first[3], last[3], at[3] = {-1, 0, 0};
    float best = -INFINITY;
    for (int i = 0; i < 3; i++) {
        start[i] = o[i] * a->win.stride[i] - a->win.pad[i];
        first[i] = pooldx_first(a, i, start[i]);
        last[i] = pooldx_last(a, i, start[i], a->win.in[i]);
    }
    for (int d = first[0]; d < last[0]; d++)
        for (int h = first[1]; h < last[1]; h++)
            for (int w = first[2]; w < last[2]; w++) {
                const float v = ONN_GET(x, (start[0] + d * a->win.dilation[0]) * a->x_s[2] +
                                               (start[1] + h * a->win.dilation[1]) * a->x_s[3] +
                                               (start[2] + w * a->win.dilation[2]) * a->x_s[4]);
                if (at[0] < 0 || (best == best && !(v <= best))) {
                    best = v;
                    at[0] = d;
                    at[1] = h;
                    at[2] = w;
                }
            }
    return at[0] < 0 ? -1 : pooldx_tap(a, at);
}

/* Elements of the window that starts at start[] by which the average divides. */
static inline int pooldx_count(const struct pooldx_args *a, const int *start)
{
    int count = 1;
    for (int i = 0; i < 3; i++)
        count *= a->count_pad ? pooldx_last(a, i, start[i], a->win.in[i] + a->pad_end[i])
                              : pooldx_last(a, i, start[i], a->win.in[i]) - pooldx_first(a, i, start[i]);
    return count;
}

enum { POOLDX_AVERAGE, POOLDX_MAX, POOLDX_WINNERS };

/* winner: of every window of the plane, with POOLDX_WINNERS. at: depth, row and column of the element. */
static inline float pooldx_gather(const struct pooldx_args *a, const int method, global const ONN_T *x,
                                  global const ONN_T *dy, global const int *winner, const int *at)
{
    int o[3], t[3];
    float sum = 0.0f;
    for (t[0] = a->win.taps[0] - 1; t[0] >= 0; t[0]--) {
        o[0] = pooldx_window(a, 0, at[0], t[0]);
        for (t[1] = a->win.taps[1] - 1; t[1] >= 0 && o[0] >= 0; t[1]--) {
            o[1] = pooldx_window(a, 1, at[1], t[1]);
            for (t[2] = a->win.taps[2] - 1; t[2] >= 0 && o[1] >= 0; t[2]--) {
                o[2] = pooldx_window(a, 2, at[2], t[2]);
                if (o[2] < 0)
                    continue;
                if (method == POOLDX_MAX && pooldx_winner(a, x, o) != pooldx_tap(a, t))
                    continue;
                if (method == POOLDX_WINNERS &&
                    winner[(o[0] * a->win.out[1] + o[1]) * a->win.out[2] + o[2]] != pooldx_tap(a, t))
                    continue;
                const float v = ONN_GET(dy, o[0] * a->dy_s[2] + o[1] * a->dy_s[3] + o[2] * a->dy_s[4]);
                int start[3];
                for (int i = 0; i < 3; i++)
                    start[i] = o[i] * a->win.stride[i] - a->win.pad[i];
                sum += method != POOLDX_AVERAGE ? v : v / (float)pooldx_count(a, start);
            }
        }
    }
    return sum;
}

static inline long pooldx_at(const struct pooldx_args *a, int n, int c, const int *at)
{
    return n * a->dx_s[0] + c * a->dx_s[1] + at[0] * a->dx_s[2] + at[1] * a->dx_s[3] + at[2] * a->dx_s[4];
}

kernel void maxpool_dx_reference(ONN_IN(ONN_T, x), ONN_IN(ONN_T, dy), ONN_OUT(ONN_T, dx), const struct pooldx_args a)
{
    const struct pooldx_args g = a;
    const int n = get_global_id(2) / g.c, c = get_global_id(2) % g.c;
    const int at[3] = {get_global_id(1) / g.win.in[1], get_global_id(1) % g.win.in[1], get_global_id(0)};
    ONN_SET(ONN_PTR(dx), pooldx_at(&g, n, c, at),
            pooldx_gather(&g, POOLDX_MAX, ONN_PTR(x) + n * g.x_s[0] + c * g.x_s[1],
                          ONN_PTR(dy) + n * g.dy_s[0] + c * g.dy_s[1], 0, at));
}

kernel void maxpool_dx_winners(ONN_IN(ONN_T, x), ONN_OUT(int, winner), const struct pooldx_args a)
{
    const struct pooldx_args g = a;
    const int n = get_global_id(2) / g.c, c = get_global_id(2) % g.c;
    const int o[3] = {get_global_id(1) / g.win.out[1], get_global_id(1) % g.win.out[1], get_global_id(0)};
    if (o[2] >= g.win.out[2] || o[0] >= g.win.out[0])
        return;
    const long plane = get_global_id(2) * (long)g.win.out[0] * g.win.out[1] * g.win.out[2];
    ONN_PTR(winner)
    [plane + (o[0] * g.win.out[1] + o[1]) * g.win.out[2] + o[2]] =
        pooldx_winner(&g, ONN_PTR(x) + n * g.x_s[0] + c * g.x_s[1], o);
}

kernel void maxpool_dx_gather(ONN_IN(int, winner), ONN_IN(ONN_T, dy), ONN_OUT(ONN_T, dx), const struct pooldx_args a)
{
    const struct pooldx_args g = a;
    const int n = get_global_id(2) / g.c, c = get_global_id(2) % g.c;
    if (get_global_id(0) >= g.win.in[2] || get_global_id(1) >= g.win.in[0] * g.win.in[1])
        return;
    const long plane = get_global_id(2) * (long)g.win.out[0] * g.win.out[1] * g.win.out[2];
    global const ONN_T *p = ONN_PTR(dy) + n * g.dy_s[0] + c * g.dy_s[1];
    const int at[3] = {get_global_id(1) / g.win.in[1], get_global_id(1) % g.win.in[1], get_global_id(0)};
    ONN_SET(ONN_PTR(dx), pooldx_at(&g, n, c, at), pooldx_gather(&g, POOLDX_WINNERS, p, p, ONN_PTR(winner) + plane, at));
}

kernel void averagepool_dx_reference(ONN_IN(ONN_T, dy), ONN_OUT(ONN_T, dx), const struct pooldx_args a)
{
    const struct pooldx_args g = a;
    const int n = get_global_id(2) / g.c, c = get_global_id(2) % g.c;
    global const ONN_T *p = ONN_PTR(dy) + n * g.dy_s[0] + c * g.dy_s[1];
    const int at[3] = {get_global_id(1) / g.win.in[1], get_global_id(1) % g.win.in[1], get_global_id(0)};
    ONN_SET(ONN_PTR(dx), pooldx_at(&g, n, c, at), pooldx_gather(&g, POOLDX_AVERAGE, p, p, 0, at));
}

#ifndef ONN_F16
static inline void pooldx_clear(const struct pooldx_args *a, global float *dx)
{
    for (int d = 0; d < a->win.in[0]; d++)
        for (int h = 0; h < a->win.in[1]; h++)
            for (int w = 0; w < a->win.in[2]; w++)
                ONN_STORE((ONN_V)(0.0f), dx + d * a->dx_s[2] + h * a->dx_s[3] + w * VL);
}

/* One window of max pooling: finds the first maximum of every lane, then adds dy there. */
static inline void pooldx_max(const struct pooldx_args *a, global const float *x, global float *dx, const ONN_V dy,
                              const int *start, const int *first, const int *last)
{
    ONN_V best = (ONN_V)(-INFINITY);
    ONN_VI where = (ONN_VI)(-1);
    int t = 0;
    for (int d = first[0]; d < last[0]; d++)
        for (int h = first[1]; h < last[1]; h++) {
            global const float *row = x + (start[0] + d * a->win.dilation[0]) * a->x_s[2] +
                                      (start[1] + h * a->win.dilation[1]) * a->x_s[3] + (long)start[2] * VL;
            for (int w = first[2]; w < last[2]; w++, t++) {
                const ONN_V v = ONN_LOAD(row + w * a->win.dilation[2] * VL);
                const ONN_VI better = (where < 0) | ((best == best) & ~(v <= best));
                best = better ? v : best;
                where = better ? (ONN_VI)(t) : where;
            }
        }
    t = 0;
    for (int d = first[0]; d < last[0]; d++)
        for (int h = first[1]; h < last[1]; h++) {
            global float *row = dx + (start[0] + d * a->win.dilation[0]) * a->dx_s[2] +
                                (start[1] + h * a->win.dilation[1]) * a->dx_s[3] + (long)start[2] * VL;
            for (int w = first[2]; w < last[2]; w++, t++) {
                global float *p = row + w * a->win.dilation[2] * VL;
                ONN_STORE(ONN_LOAD(p) + ONN_AS_V(ONN_AS_VI(dy) & (where == (ONN_VI)(t))), p);
            }
        }
}

static inline void pooldx_average(const struct pooldx_args *a, global float *dx, const ONN_V part, const int *start,
                                  const int *first, const int *last)
{
    for (int d = first[0]; d < last[0]; d++)
        for (int h = first[1]; h < last[1]; h++) {
            global float *row = dx + (start[0] + d * a->win.dilation[0]) * a->dx_s[2] +
                                (start[1] + h * a->win.dilation[1]) * a->dx_s[3] + (long)start[2] * VL;
            for (int w = first[2]; w < last[2]; w++) {
                global float *p = row + w * a->win.dilation[2] * VL;
                ONN_STORE(ONN_LOAD(p) + part, p);
            }
        }
}

static inline void pooldx_plane(const struct pooldx_args *a, const int is_max, global const float *x,
                                global const float *dy, global float *dx)
{
    int start[3], first[3], last[3];
    pooldx_clear(a, dx);
    for (int d = 0; d < a->win.out[0]; d++)
        for (int p = 0; p < a->win.out[1]; p++)
            for (int q = 0; q < a->win.out[2]; q++) {
                const int at[3] = {d, p, q};
                for (int i = 0; i < 3; i++) {
                    start[i] = at[i] * a->win.stride[i] - a->win.pad[i];
                    first[i] = pooldx_first(a, i, start[i]);
                    last[i] = pooldx_last(a, i, start[i], a->win.in[i]);
                }
                const ONN_V v = ONN_LOAD(dy + d * a->dy_s[2] + p * a->dy_s[3] + (long)q * VL);
                if (is_max)
                    pooldx_max(a, x, dx, v, start, first, last);
                else
                    pooldx_average(a, dx, v / (ONN_V)((float)pooldx_count(a, start)), start, first, last);
            }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void maxpool_dx_blocked(
    ONN_IN(float, x), ONN_IN(float, dy), ONN_OUT(float, dx), const struct pooldx_args a)
{
    const struct pooldx_args g = a;
    const int cb = get_group_id(0), n = get_group_id(1);
    pooldx_plane(&g, 1, ONN_PTR(x) + n * g.x_s[0] + cb * g.x_s[1], ONN_PTR(dy) + n * g.dy_s[0] + cb * g.dy_s[1],
                 ONN_PTR(dx) + n * g.dx_s[0] + cb * g.dx_s[1]);
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void averagepool_dx_blocked(
    ONN_IN(float, dy), ONN_OUT(float, dx), const struct pooldx_args a)
{
    const struct pooldx_args g = a;
    const int cb = get_group_id(0), n = get_group_id(1);
    global const float *p = ONN_PTR(dy) + n * g.dy_s[0] + cb * g.dy_s[1];
    pooldx_plane(&g, 0, p, p, ONN_PTR(dx) + n * g.dx_s[0] + cb * g.dx_s[1]);
}
#endif
