/* Resize: nearest, linear and cubic interpolation.
 *
 * An output position o maps to the input position (o + shift) * num / den + add along each axis; every
 * coordinate_transformation_mode of ONNX is of that form.
 * Layouts  rows of q pixels, a pixel being blk contiguous elements (1 in NCHW, the channels in NHWC, the block in
 *          blocked formats), rows in planes of p rows, planes over two outer dimensions; strides by argument.
 * Defines  RESIZE_T (uint): unsigned type of the element's size: nearest only, elements are copied.
 *          RESIZE_F (0): 1 = float elements (half with ONN_F16); 2 = integers of type RESIZE_T, computed in
 *          float and truncated. Linear and cubic need 1 or 2.
 * Kernels  resize_any     any number of resized dimensions, any mode; one element per work-item, any group.
 *          resize_each    planes, nearest or linear; one element per work-item, any group.
 *          resize_rows    the same for vector CPUs: work-item = `chunk` output rows; group 1; positions of up to
 *                         RESIZE_COLS pixels are kept in private memory.
 *          resize_repeat  nearest by integer factors (kh, kw): work-item = `chunk` input rows; group 1.
 * nearest  0 round_prefer_floor, 1 round_prefer_ceil, 2 floor, 3 ceil.
 */
#include "lib/types.h"
#include "lib/elem.h"

#ifndef RESIZE_F
#define RESIZE_F 0
#endif
#if RESIZE_F == 1
#define RESIZE_T ONN_T
#define RESIZE_GET(p, i) ONN_GET(p, i)
#define RESIZE_SET(p, i, v) ONN_SET(p, i, v)
#else
#ifndef RESIZE_T
#define RESIZE_T uint
#endif
#define RESIZE_GET(p, i) ((float)(p)[i])
#define RESIZE_SET(p, i, v) ((p)[i] = (RESIZE_T)(v))
#endif
#ifndef ONN_F16
#define RESIZE_MOVE(p, i, q, k) ((p)[i] = (q)[k])
#else
#define RESIZE_MOVE(p, i, q, k) (((global ushort *)(p))[i] = ((global const ushort *)(q))[k])
#endif
#ifndef RESIZE_W /* elements moved at once: 32 bytes at most */
#define RESIZE_W 8
#endif
#define RESIZE_RANK 9
#define RESIZE_COLS 512

struct resize_axis {
    int in, out;
    float shift, num, den, add;
};

/* One correction step makes a quotient that is a whole number exactly that number on every device. */
static inline float resize_at(const struct resize_axis *a, int o)
{
    const float n = ((float)o + a->shift) * a->num, q = n / a->den;
    return q + fma(-q, a->den, n) / a->den + a->add;
}

static inline int resize_nearest(float at, int size, int mode)
{
    float r;
    switch (mode) {
    case 0: r = ceil(at - 0.5f); break;
    case 1: r = floor(at + 0.5f); break;
    case 2: r = floor(at); break;
    default: r = ceil(at); break;
    }
    return clamp((int)r, 0, size - 1);
}

/* Lower neighbour, the upper one lies dx (0 or 1) above it with weight *w. */
static inline int resize_linear(float at, int size, int *dx, float *w)
{
    const float inside = clamp(at, 0.0f, (float)(size - 1));
    const int i = min((int)inside, size - 1);
    *w = inside - (float)i;
    *dx = i + 1 < size;
    return i;
}

struct resize_geo {
    int rank, mode, nearest, exclude, crop, resized;
    float cubic, outside;
    struct resize_axis axis[RESIZE_RANK];
    long xs[RESIZE_RANK], ys[RESIZE_RANK];
};

/* Indices and weights of the taps along one axis; returns how many. */
static inline int resize_taps(const struct resize_geo *g, int d, float at, int *index, float *weight)
{
    const int size = g->axis[d].in;
    if (g->mode == 0) {
        index[0] = resize_nearest(at, size, g->nearest);
        weight[0] = 1.0f;
        return 1;
    }
    if (g->mode == 1) {
        int dx;
        index[0] = resize_linear(at, size, &dx, &weight[1]);
        index[1] = index[0] + dx;
        weight[0] = 1.0f - weight[1];
        return 2;
    }
    const float a = g->cubic, low = floor(at), t = at - low, u = 1.0f - t;
    weight[0] = ((a * (t + 1.0f) - 5.0f * a) * (t + 1.0f) + 8.0f * a) * (t + 1.0f) - 4.0f * a;
    weight[1] = ((a + 2.0f) * t - (a + 3.0f)) * t * t + 1.0f;
    weight[2] = ((a + 2.0f) * u - (a + 3.0f)) * u * u + 1.0f;
    weight[3] = ((a * (u + 1.0f) - 5.0f * a) * (u + 1.0f) + 8.0f * a) * (u + 1.0f) - 4.0f * a;
    float sum = 0.0f;
    for (int k = 0; k < 4; k++) {
        const int i = (int)low - 1 + k;
        if (g->exclude && (i < 0 || i >= size))
            weight[k] = 0.0f;
        sum += weight[k];
        index[k] = clamp(i, 0, size - 1);
    }
    for (int k = 0; k < 4 && g->exclude; k++)
        weight[k] /= sum;
    return 4;
}

kernel void resize_any(ONN_IN(RESIZE_T, x), ONN_OUT(RESIZE_T, y), ONN_ARGS(struct resize_geo, g), int total)
{
    ONN_TAKE(struct resize_geo, g);
    int id = get_global_id(0), taps = 1, count[RESIZE_RANK], index[RESIZE_RANK][4], turn[RESIZE_RANK], out = 0;
    float weight[RESIZE_RANK][4];
    if (id >= total)
        return;
    long from = 0, to = 0;
    for (int d = g.rank - 1; d >= 0; d--) {
        const int rest = id / g.axis[d].out, o = id - rest * g.axis[d].out;
        to += o * g.ys[d];
        count[d] = turn[d] = 0;
        if (g.resized >> d & 1) {
            const float at = resize_at(&g.axis[d], o);
            out |= g.crop && (at < 0.0f || at > (float)(g.axis[d].in - 1));
            count[d] = resize_taps(&g, d, at, index[d], weight[d]);
            taps *= count[d];
        } else {
            from += o * g.xs[d];
        }
        id = rest;
    }
#if RESIZE_F
    float sum = 0.0f;
#endif
    for (int t = 0; t < taps; t++) {
        long at = from;
        for (int d = 0; d < g.rank; d++)
            if (count[d])
                at += index[d][turn[d]] * g.xs[d];
#if RESIZE_F
        float w = 1.0f;
        for (int d = 0; d < g.rank; d++)
            if (count[d])
                w *= weight[d][turn[d]];
        sum += w * RESIZE_GET(ONN_PTR(x), at);
#endif
        if (g.mode == 0 && !out)
            RESIZE_MOVE(ONN_PTR(y), to, ONN_PTR(x), at);
        for (int d = g.rank - 1; d >= 0; d--)
            if (count[d]) {
                if (++turn[d] < count[d])
                    break;
                turn[d] = 0;
            }
    }
    if (g.mode != 0 || out) {
#if RESIZE_F
        RESIZE_SET(ONN_PTR(y), to, out ? g.outside : sum);
#else
        ONN_PTR(y)[to] = 0;
#endif
    }
}

struct resize_plane {
    int n1, n2, blk, linear, nearest, pad;
    struct resize_axis h, w;
    long xs1, xs2, xsh, xsw, ys1, ys2, ysh, ysw;
};

#if RESIZE_F
static inline float resize_mix(float a, float b, float w)
{
    return a + (b - a) * w;
}
#endif

kernel void resize_each(ONN_IN(RESIZE_T, x), ONN_OUT(RESIZE_T, y), struct resize_plane g, int total)
{
    int id = get_global_id(0);
    if (id >= total)
        return;
    const int e = id % g.blk, q = (id /= g.blk) % g.w.out, p = (id /= g.w.out) % g.h.out;
    id /= g.h.out;
    global const RESIZE_T *src = ONN_PTR(x) + id / g.n2 * g.xs1 + id % g.n2 * g.xs2 + e;
    global RESIZE_T *dst = ONN_PTR(y) + id / g.n2 * g.ys1 + id % g.n2 * g.ys2 + p * g.ysh + q * g.ysw + e;
    const float h = resize_at(&g.h, p), w = resize_at(&g.w, q);
#if RESIZE_F
    if (g.linear) {
        int dh, dw;
        float wh, ww;
        const int ih = resize_linear(h, g.h.in, &dh, &wh), iw = resize_linear(w, g.w.in, &dw, &ww);
        src += ih * g.xsh + iw * g.xsw;
        const float a = resize_mix(RESIZE_GET(src, 0), RESIZE_GET(src, dw * g.xsw), ww);
        const float b = resize_mix(RESIZE_GET(src, dh * g.xsh), RESIZE_GET(src, dh * g.xsh + dw * g.xsw), ww);
        RESIZE_SET(dst, 0, resize_mix(a, b, wh));
        return;
    }
#endif
    const int ih = resize_nearest(h, g.h.in, g.nearest), iw = resize_nearest(w, g.w.in, g.nearest);
    RESIZE_MOVE(dst, 0, src, ih * g.xsh + iw * g.xsw);
}

static inline void resize_pixel(global const RESIZE_T *x, global RESIZE_T *y, int n)
{
    for (int e = 0; e < n; e++)
        RESIZE_MOVE(y, e, x, e);
}

#if RESIZE_F == 1
#ifdef ONN_F16
#define RESIZE_GET8(p) vload_half8(0, (p))
#define RESIZE_SET8(p, v) vstore_half8_rte((v), 0, (p))
#else
#define RESIZE_GET8(p) vload8(0, (p))
#define RESIZE_SET8(p, v) vstore8((v), 0, (p))
#endif
/* Eight neighbouring elements of one pixel; a, b: the left and right pixel. */
static inline void resize_mix8(global const RESIZE_T *r0, global const RESIZE_T *r1, global RESIZE_T *y, long a,
    long b, float ww, float wh)
{
    const float8 l0 = RESIZE_GET8(r0 + a), l1 = RESIZE_GET8(r1 + a);
    const float8 v0 = l0 + (RESIZE_GET8(r0 + b) - l0) * ww, v1 = l1 + (RESIZE_GET8(r1 + b) - l1) * ww;
    RESIZE_SET8(y, v0 + (v1 - v0) * wh);
}
#endif

#if RESIZE_F
/* n columns of one output row between input rows r0 and r1. Rows of single elements are first mixed downwards. */
static inline void resize_linear_row(global const RESIZE_T *r0, global const RESIZE_T *r1, global RESIZE_T *y,
    const struct resize_plane *g, const int *index, const float *weight, int n, float wh)
{
    if (g->blk == 1 && g->xsw == 1 && g->ysw == 1 && (index[n - 1] >> 1) - (index[0] >> 1) + 2 <= RESIZE_COLS) {
        float line[RESIZE_COLS];
        const int first = index[0] >> 1, size = (index[n - 1] >> 1) + (index[n - 1] & 1) - first + 1;
        for (int i = 0; i < size; i++)
            line[i] = resize_mix(RESIZE_GET(r0, first + i), RESIZE_GET(r1, first + i), wh);
        for (int c = 0; c < n; c++) {
            const int i = (index[c] >> 1) - first;
            RESIZE_SET(y, c, resize_mix(line[i], line[i + (index[c] & 1)], weight[c]));
        }
        return;
    }
    for (int c = 0; c < n; c++) {
        const long a = (index[c] >> 1) * g->xsw, b = a + (index[c] & 1) * g->xsw;
        const float ww = weight[c];
        int e = 0;
#if RESIZE_F == 1
        for (; e + 8 <= g->blk; e += 8)
            resize_mix8(r0 + e, r1 + e, y + c * g->ysw + e, a, b, ww, wh);
#endif
        for (; e < g->blk; e++) {
            const float v0 = resize_mix(RESIZE_GET(r0, a + e), RESIZE_GET(r0, b + e), ww);
            const float v1 = resize_mix(RESIZE_GET(r1, a + e), RESIZE_GET(r1, b + e), ww);
            RESIZE_SET(y, c * g->ysw + e, resize_mix(v0, v1, wh));
        }
    }
}
#endif

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void resize_rows(ONN_IN(RESIZE_T, x), ONN_OUT(RESIZE_T, y),
    struct resize_plane g, int rows, int chunk)
{
    const int first = get_group_id(0) * chunk, last = min(first + chunk, rows);
    int index[RESIZE_COLS];
#if RESIZE_F
    float weight[RESIZE_COLS];
#endif
    for (int c0 = 0; c0 < g.w.out; c0 += RESIZE_COLS) {
        const int n = min(RESIZE_COLS, g.w.out - c0);
        for (int c = 0; c < n; c++) {
            const float at = resize_at(&g.w, c0 + c);
#if RESIZE_F
            if (g.linear) {
                int dx, i = resize_linear(at, g.w.in, &dx, &weight[c]);
                index[c] = i << 1 | dx;
                continue;
            }
#endif
            index[c] = resize_nearest(at, g.w.in, g.nearest);
        }
        for (int row = first; row < last; row++) {
            const int o = row / g.h.out, p = row - o * g.h.out;
            const float h = resize_at(&g.h, p);
            global const RESIZE_T *src = ONN_PTR(x) + o / g.n2 * g.xs1 + o % g.n2 * g.xs2;
            global RESIZE_T *dst = ONN_PTR(y) + o / g.n2 * g.ys1 + o % g.n2 * g.ys2 + p * g.ysh + c0 * g.ysw;
#if RESIZE_F
            if (g.linear) {
                int dh;
                float wh;
                src += resize_linear(h, g.h.in, &dh, &wh) * g.xsh;
                resize_linear_row(src, src + dh * g.xsh, dst, &g, index, weight, n, wh);
                continue;
            }
#endif
            src += resize_nearest(h, g.h.in, g.nearest) * g.xsh;
            for (int c = 0; c < n; c++)
                resize_pixel(src + index[c] * g.xsw, dst + c * g.ysw, g.blk);
        }
    }
}

#if RESIZE_F == 0
#define RESIZE_V4 ONN_CAT(RESIZE_T, 4)
static inline void resize_copy(global const RESIZE_T *x, global RESIZE_T *y, int n)
{
    int i = 0;
    for (; i + RESIZE_W <= n; i += RESIZE_W)
        ONN_CAT(vstore, RESIZE_W)(ONN_CAT(vload, RESIZE_W)(0, x + i), 0, y + i);
    for (; i < n; i++)
        y[i] = x[i];
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void resize_repeat(ONN_IN(RESIZE_T, x), ONN_OUT(RESIZE_T, y),
    struct resize_plane g, int rows, int chunk, int kh, int kw)
{
    const int last = min((int)(get_group_id(0) + 1) * chunk, rows);
    for (int row = get_group_id(0) * chunk; row < last; row++) {
        const int o = row / g.h.in, h = row - o * g.h.in;
        global const RESIZE_T *src = ONN_PTR(x) + o / g.n2 * g.xs1 + o % g.n2 * g.xs2 + h * g.xsh;
        global RESIZE_T *dst = ONN_PTR(y) + o / g.n2 * g.ys1 + o % g.n2 * g.ys2 + (long)h * kh * g.ysh;
        int c = 0;
        if (g.blk == 1 && g.xsw == 1 && g.ysw == 1 && kw == 2)
            for (; c + 4 <= g.w.in; c += 4) {
                const RESIZE_V4 v = vload4(0, src + c);
                vstore4(v.s0011, 0, dst + 2 * c);
                vstore4(v.s2233, 0, dst + 2 * c + 4);
            }
        for (; c < g.w.in; c++)
            for (int k = 0; k < kw; k++)
                resize_copy(src + c * g.xsw, dst + ((long)c * kw + k) * g.ysw, g.blk);
        for (int k = 1; k < kh; k++)
            if (g.ysw == g.blk)
                resize_copy(dst, dst + k * g.ysh, g.w.in * kw * g.blk);
            else
                for (c = 0; c < g.w.in * kw; c++)
                    resize_copy(dst + c * g.ysw, dst + k * g.ysh + c * g.ysw, g.blk);
    }
}
#endif
