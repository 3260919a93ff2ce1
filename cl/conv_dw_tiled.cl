/* Gradient of a convolution's weight for devices with real local memory: 1-D and 2-D, groups, any strides.
 *
 * conv_dw_tiled  a matrix product that is never written down: rows are output channels of a group, columns its input
 *                channels and taps, and the sum runs over the pixels of one split. Groups of 16 x 16; global size
 *                { 16 ceil(columns / SIMT_T), 16 ceil(k_group / SIMT_T), groups * splits }.
 * conv_dw_tree   one input channel a group: an item sums DWT_TAPS taps over every lanes-th pixel of its split, then the
 *                lanes are added by a tree. Groups of { channels, lanes, 1 }, at most DWT_ITEMS, lanes a power of two;
 *                global size { k, lanes * ceil(taps / DWT_TAPS), splits }.
 * conv_dw_parts  adds the splits in order. One weight per item, global size { k * columns }, any local size.
 * Arguments      x, dy, dw: tensors of ONN_T with the strides of struct dwt_args. part: [split][k][c][r][s] floats; any
 *                tensor, and dw is written at once, where there is one split.
 * Defines        SIMT_M (4 or 8), SIMT_K: lib/simt.h, also for local memory; DWT_ITEMS (64): local memory of the tree is
 *                36 * DWT_ITEMS bytes; ONN_F16 optional (lib/elem.h).
 * Rounding       fp32; a sum over each split's pixels in their order (tree: lanes, then the tree), splits in order. The
 *                number of splits hangs on the shapes alone.
 * Source         own design, after the usual implicit GEMM with split sums.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/simt.h"

#ifndef DWT_ITEMS
#define DWT_ITEMS 64
#endif
#define DWT_TAPS 9

struct dwt_args {
    int n, c_group, k_group, h, w, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    int groups, splits, pixels; /* pixels of one split */
    int channels_last, step_n, step_p, step_q; /* what an item's pixels are apart: images, rows, columns of dy */
    long x_s[4], dy_s[4], dw_s[4]; /* n, c, h, w; dw: k, c, r, s */
};

/* A pixel of dy: its number and place. */
struct dwt_at {
    int pixel, n, p, q;
};

static inline struct dwt_at dwt_first(const struct dwt_args *g, int pixel)
{
    const struct dwt_at at = {pixel, pixel / g->q / g->p, pixel / g->q % g->p, pixel % g->q};
    return at;
}

/* One step on: no division, and no loop whose turns differ between items. */
static inline void dwt_next(const struct dwt_args *g, struct dwt_at *at, int pixels)
{
    at->pixel += pixels;
    at->q += g->step_q;
    at->p += g->step_p;
    at->n += g->step_n;
    if (at->q >= g->q) {
        at->q -= g->q;
        at->p++;
    }
    if (at->p >= g->p) {
        at->p -= g->p;
        at->n++;
    }
}

static inline long dwt_of_x(const struct dwt_args *g, const struct dwt_at *at)
{
    return at->n * g->x_s[0] + at->p * (g->stride_h * g->x_s[2]) + at->q * (g->stride_w * g->x_s[3]);
}
static inline long dwt_of_dy(const struct dwt_args *g, const struct dwt_at *at)
{
    return at->n * g->dy_s[0] + at->p * g->dy_s[2] + at->q * g->dy_s[3];
}

/* A channel and tap: what lies between a pixel's first input and this one. */
struct dwt_tap {
    long base;
    int h, w;
};

static inline struct dwt_tap dwt_tap_at(const struct dwt_args *g, int c, int r, int s)
{
    const int h = r * g->dil_h - g->pad_h, w = s * g->dil_w - g->pad_w;
    const struct dwt_tap t = {c * g->x_s[1] + h * g->x_s[2] + w * g->x_s[3], h, w};
    return t;
}

static inline float dwt_get(global const ONN_T *x, const struct dwt_args *g, const struct dwt_at *at, long base,
                            const struct dwt_tap *t)
{
    const int ok = (uint)(at->p * g->stride_h + t->h) < (uint)g->h && (uint)(at->q * g->stride_w + t->w) < (uint)g->w;
    return ok ? ONN_GET(x, base + t->base) : 0.0f;
}

/* Column as channel, row and column of the filter: channels run slowest, with channels_last fastest. */
static inline int3 dwt_column(const struct dwt_args *g, int column)
{
    const int taps = g->r * g->s, tap = g->channels_last ? column / g->c_group : column % taps;
    return (int3)(g->channels_last ? column % g->c_group : column / taps, tap / g->s, tap % g->s);
}

/* The step's elements of both operands. Rows and columns that do not exist hold others' values: nobody stores them. */
static inline void dwt_load(float *vy, float *vx, global const ONN_T *dy, global const ONN_T *x, const long *row,
                            const struct dwt_tap *tap, const struct dwt_args *g, struct dwt_at *at, int end)
{
    const int last = g->channels_last;
#pragma unroll
    for (int l = 0; l < SIMT_LOADS; l++) {
        const int ok = at->pixel < end;
        vy[l] = ok ? ONN_GET(dy, dwt_of_dy(g, at) + row[l]) : 0.0f;
        vx[l] = ok ? dwt_get(x, g, at, dwt_of_x(g, at), &tap[l]) : 0.0f;
        if (last)
            dwt_next(g, at, 256 / SIMT_T);
    }
    if (!last)
        dwt_next(g, at, SIMT_K);
}

/* Weight k (of all), c, r, s of a split. */
static inline void dwt_store(const struct dwt_args *g, global ONN_T *dw, global float *part, int split, int k, int3 at,
                             float sum)
{
    const long all = (long)g->groups * g->k_group;
    if (g->splits == 1)
        ONN_SET(dw, k * g->dw_s[0] + at.x * g->dw_s[1] + at.y * g->dw_s[2] + at.z * g->dw_s[3], sum);
    else
        part[(((split * all + k) * g->c_group + at.x) * g->r + at.y) * g->s + at.z] = sum;
}

__attribute__((reqd_work_group_size(16, 16, 1))) kernel void conv_dw_tiled(ONN_IN(ONN_T, x), ONN_IN(ONN_T, dy),
                                                                           ONN_OUT(ONN_T, dw), ONN_OUT(float, part),
                                                                           const struct dwt_args g)
{
    local float4 yt[2][SIMT_K * SIMT_P], xt[2][SIMT_K * SIMT_P];
    const int ix = get_local_id(0), iy = get_local_id(1), id = iy * 16 + ix, k_fast = !g.channels_last;
    const int k0 = get_group_id(1) * SIMT_T, c0 = get_group_id(0) * SIMT_T;
    const int grp = get_group_id(2) % g.groups, split = get_group_id(2) / g.groups;
    const int columns = g.c_group * g.r * g.s, begin = split * g.pixels, end = min(begin + g.pixels, g.n * g.p * g.q);
    global const ONN_T *xp = ONN_PTR(x) + (long)grp * g.c_group * g.x_s[1];
    global const ONN_T *yp = ONN_PTR(dy) + (long)grp * g.k_group * g.dy_s[1];
    struct dwt_at at = dwt_first(&g, begin + SIMT_K_OF(id, k_fast));
    struct dwt_tap tap[SIMT_LOADS];
    long row[SIMT_LOADS];
    float4 acc[SIMT_M * SIMT_V];
    float vy[SIMT_LOADS], vx[SIMT_LOADS];
#pragma unroll
    for (int l = 0; l < SIMT_LOADS; l++) {
        const int of = SIMT_ROW_OF(id + 256 * l, k_fast);
        const int3 column = dwt_column(&g, min(c0 + of, columns - 1));
        tap[l] = dwt_tap_at(&g, column.x, column.y, column.z);
        row[l] = min(k0 + of, g.k_group - 1) * g.dy_s[1];
    }
#pragma unroll
    for (int i = 0; i < SIMT_M * SIMT_V; i++)
        acc[i] = (float4)(0.0f);
    dwt_load(vy, vx, yp, xp, row, tap, &g, &at, end);
    for (int k = begin, turn = 0; k < end; k += SIMT_K, turn ^= 1) {
        simt_put(yt[turn], vy, id, k_fast);
        simt_put(xt[turn], vx, id, k_fast);
        barrier(CLK_LOCAL_MEM_FENCE);
        dwt_load(vy, vx, yp, xp, row, tap, &g, &at, end);
        simt_step(acc, yt[turn], xt[turn], ix, iy);
    }
#pragma unroll
    for (int j = 0; j < SIMT_M; j++) {
        const int column = c0 + SIMT_AT(j, ix);
        if (column >= columns)
            continue;
        const int3 to = dwt_column(&g, column);
#pragma unroll
        for (int i = 0; i < SIMT_M; i++) {
            const int k = k0 + SIMT_AT(i, iy);
            if (k < g.k_group)
                dwt_store(&g, ONN_PTR(dw), ONN_PTR(part), split, grp * g.k_group + k, to, simt_get(acc, i, j));
        }
    }
}

kernel void conv_dw_tree(ONN_IN(ONN_T, x), ONN_IN(ONN_T, dy), ONN_OUT(ONN_T, dw), ONN_OUT(float, part),
                         const struct dwt_args g)
{
    local float sums[DWT_TAPS][DWT_ITEMS];
    const int lane = get_local_id(1), lanes = get_local_size(1), wide = get_local_size(0);
    const int own = lane * wide + get_local_id(0), t0 = get_group_id(1) * DWT_TAPS, taps = g.r * g.s;
    const int all = g.groups * g.k_group, k = min((int)get_global_id(0), all - 1), split = get_group_id(2);
    const int begin = split * g.pixels, end = min(begin + g.pixels, g.n * g.p * g.q);
    global const ONN_T *yp = ONN_PTR(dy) + k * g.dy_s[1];
    struct dwt_tap tap[DWT_TAPS];
    float acc[DWT_TAPS];
#pragma unroll
    for (int i = 0; i < DWT_TAPS; i++) {
        const int t = min(t0 + i, taps - 1);
        tap[i] = dwt_tap_at(&g, k / g.k_group, t / g.s, t % g.s);
        acc[i] = 0.0f;
    }
    for (struct dwt_at at = dwt_first(&g, begin + lane); at.pixel < end; dwt_next(&g, &at, lanes)) {
        const float d = ONN_GET(yp, dwt_of_dy(&g, &at));
        const long base = dwt_of_x(&g, &at);
#pragma unroll
        for (int i = 0; i < DWT_TAPS; i++)
            if (t0 + i < taps)
                acc[i] = fma(d, dwt_get(ONN_PTR(x), &g, &at, base, &tap[i]), acc[i]);
    }
#pragma unroll
    for (int i = 0; i < DWT_TAPS; i++)
        sums[i][own] = acc[i];
    for (int reach = lanes / 2; reach > 0; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane < reach)
#pragma unroll
            for (int i = 0; i < DWT_TAPS; i++)
                sums[i][own] += sums[i][own + reach * wide];
    }
    if (lane == 0 && get_global_id(0) < all)
        for (int i = 0; i < DWT_TAPS && t0 + i < taps; i++)
            dwt_store(&g, ONN_PTR(dw), ONN_PTR(part), split, k, (int3)(0, (t0 + i) / g.s, (t0 + i) % g.s), sums[i][own]);
}

kernel void conv_dw_parts(ONN_IN(float, part), ONN_OUT(ONN_T, dw), const struct dwt_args g)
{
    const long all = (long)g.groups * g.k_group * g.c_group * g.r * g.s, i = get_global_id(0);
    if (i >= all)
        return;
    float sum = 0.0f;
    for (int split = 0; split < g.splits; split++)
        sum += ONN_PTR(part)[split * all + i];
    const int s = i % g.s, r = i / g.s % g.r, c = i / g.s / g.r % g.c_group, k = i / g.s / g.r / g.c_group;
    ONN_SET(ONN_PTR(dw), k * g.dw_s[0] + c * g.dw_s[1] + r * g.dw_s[2] + s * g.dw_s[3], sum);
}
