/* Gradient of a convolution's weight on blocked data, for vector CPUs: any size, stride, dilation, pads; groups whose
 * channels fill whole blocks.
 *
 * conv_dw_blocked    x, dy [N][channels/VL][H][W][VL] (strides by argument, pixel stride VL), pad lanes 0. One work-item
 *                    per work-group; global { ceil(c_blocks / c_item), groups * k_tiles, splits }: up to 3 blocks of
 *                    output channels against c_item blocks of input channels over a part of all rows.
 * conv_dw_depthwise  K = C = groups: global { c_blocks, n }.
 * conv_dw_gather     adds the splits in order and writes dw plain. Global { c_blocks, k_blocks } (depthwise:
 *                    { c_blocks, 1 }), local 1.
 * Parts              [split][k block][c block][tap][VL c][VL k] floats (depthwise: [image][c block][tap][VL]).
 * Defines            VL (8).
 * Method             a chunk of rows (about 64 pixels) stays in L1 while all its taps are summed: per tap a register tile of
 *                    VL/2 input channels x 3 blocks runs over the pixels, dw tile in and out of L1. Own design after the
 *                    prototype described in design/performance.md.
 * Rounding           fp32; sums per tap over the split's pixels, splits added in order.
 */
#include "lib/vec.h"

#define DWB_C (VL / 2)
#define DWB_N 3

struct dwb_args {
    int n, p, q, h, w, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    int c_blocks, k_blocks, groups; /* blocks of one group */
    int c_last;                     /* channels of the last input block */
    int k_tiles, c_item, rows, chunks, splits;
    long x_s[3], dy_s[3]; /* n, channel block, row */
};

/* First index i >= 0 with i * step + base >= 0, and one past the last below n with i * step + base < size. */
ONN_INLINE int dwb_from(const int base, const int step)
{
    return base >= 0 ? 0 : (step - 1 - base) / step;
}
ONN_INLINE int dwb_to(const int base, const int step, const int size, const int n)
{
    return base >= size ? 0 : min(n, (size - 1 - base) / step + 1);
}

/* One tap, one half of the input block: rows p0 … p1 - 1, columns q0 … q1 - 1. x points at the tap's first element of
 * row 0, column 0; out at the tile of the first block of dy. */
ONN_INLINE void dwb_tap(const int nv, global const float *x, global const float *dy, global float *out,
                        const long out_k, const int p0, const int p1, const int q0, const int q1,
                        const struct dwb_args *g)
{
    ONN_V acc[DWB_C * DWB_N];
    const long x_row = g->stride_h * g->x_s[2];
    const int x_px = g->stride_w * VL;
#pragma unroll
    for (int c = 0; c < DWB_C; c++)
#pragma unroll
        for (int v = 0; v < DWB_N; v++)
            if (v < nv)
                acc[c * nv + v] = ONN_LOAD(out + v * out_k + c * VL);
    for (int p = p0; p < p1; p++) {
        global const float *a = x + p * x_row + (long)q0 * x_px, *b = dy + p * g->dy_s[2] + (long)q0 * VL;
        for (int q = q0; q < q1; q++, a += x_px, b += VL) {
            ONN_V d[DWB_N];
#pragma unroll
            for (int v = 0; v < DWB_N; v++)
                if (v < nv)
                    d[v] = ONN_LOAD(b + v * g->dy_s[1]);
#pragma unroll
            for (int c = 0; c < DWB_C; c++) {
                const ONN_V t = (ONN_V)(a[c]);
#pragma unroll
                for (int v = 0; v < DWB_N; v++)
                    if (v < nv)
                        acc[c * nv + v] = fma(t, d[v], acc[c * nv + v]);
            }
        }
    }
#pragma unroll
    for (int c = 0; c < DWB_C; c++)
#pragma unroll
        for (int v = 0; v < DWB_N; v++)
            if (v < nv)
                ONN_STORE(acc[c * nv + v], out + v * out_k + c * VL);
}

/* All taps of one block of input channels over a chunk of rows. */
ONN_INLINE void dwb_chunk(const int nv, global const float *x, global const float *dy, global float *out,
                          const long out_k, const int channels, const int first, const int last,
                          const struct dwb_args *g)
{
    for (int r = 0; r < g->r; r++) {
        const int bh = r * g->dil_h - g->pad_h;
        const int p0 = max(first, dwb_from(bh, g->stride_h)), p1 = min(last, dwb_to(bh, g->stride_h, g->h, g->p));
        for (int s = 0; s < g->s && p0 < p1; s++) {
            const int bw = s * g->dil_w - g->pad_w;
            const int q0 = dwb_from(bw, g->stride_w), q1 = dwb_to(bw, g->stride_w, g->w, g->q);
            global const float *tap = x + bh * g->x_s[2] + (long)bw * VL;
            global float *to = out + (long)(r * g->s + s) * VL * VL;
            for (int c = 0; c < channels && q0 < q1; c += DWB_C)
                dwb_tap(nv, tap + c, dy, to + c * VL, out_k, p0, p1, q0, q1, g);
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv_dw_blocked(
    ONN_IN(float, x), ONN_IN(float, dy), ONN_OUT(float, part), const struct dwb_args a)
{
    const struct dwb_args g = a;
    const int group = get_group_id(1) / g.k_tiles, tile = get_group_id(1) % g.k_tiles, split = get_group_id(2);
    const int k0 = tile * g.k_blocks / g.k_tiles, nv = (tile + 1) * g.k_blocks / g.k_tiles - k0;
    const int cb0 = get_group_id(0) * g.c_item, cb1 = min(cb0 + g.c_item, g.c_blocks);
    const long one = (long)g.r * g.s * VL * VL, out_k = g.c_blocks * one;
    global float *out = ONN_PTR(part) + ((long)split * g.groups * g.k_blocks + group * g.k_blocks + k0) * out_k;
    global const float *x = ONN_PTR(x) + (long)group * g.c_blocks * g.x_s[1];
    global const float *dy = ONN_PTR(dy) + ((long)group * g.k_blocks + k0) * g.dy_s[1];
    for (int v = 0; v < nv; v++)
        for (long i = cb0 * one; i < cb1 * one; i += VL)
            ONN_STORE((ONN_V)(0.0f), out + v * out_k + i);
    const int total = g.n * g.chunks;
    const int from = (int)((long)total * split / g.splits), to = (int)((long)total * (split + 1) / g.splits);
    for (int i = from; i < to; i++) {
        const int n = i / g.chunks, first = i % g.chunks * g.rows, last = min(first + g.rows, g.p);
        for (int cb = cb0; cb < cb1; cb++) {
            global const float *xb = x + n * g.x_s[0] + cb * g.x_s[1], *db = dy + n * g.dy_s[0];
            const int channels = cb == g.c_blocks - 1 ? g.c_last : VL;
            if (nv == 3)
                dwb_chunk(3, xb, db, out + cb * one, out_k, channels, first, last, &g);
            else if (nv == 2)
                dwb_chunk(2, xb, db, out + cb * one, out_k, channels, first, last, &g);
            else
                dwb_chunk(1, xb, db, out + cb * one, out_k, channels, first, last, &g);
        }
    }
}

/* Up to 4 taps of a row in registers. */
ONN_INLINE void dwb_depthwise_row(const int taps, global const float *x, global const float *dy, global float *out,
                                  const int s0, const int p0, const int p1, const struct dwb_args *g)
{
    ONN_V acc[4];
    int q0 = 0, q1 = g->q; /* columns where all these taps are inside */
    for (int s = 0; s < taps; s++) {
        const int bw = (s0 + s) * g->dil_w - g->pad_w;
        acc[s] = ONN_LOAD(out + (s0 + s) * VL);
        q0 = max(q0, dwb_from(bw, g->stride_w));
        q1 = min(q1, dwb_to(bw, g->stride_w, g->w, g->q));
    }
    q0 = min(q0, g->q);
    q1 = max(q1, q0);
    for (int p = p0; p < p1; p++) {
        global const float *a = x + p * g->stride_h * g->x_s[2], *b = dy + p * g->dy_s[2];
        for (int i = 0; i < g->q - (q1 - q0); i++) { /* the edges, one by one */
            const int q = i < q0 ? i : i + q1 - q0;
            for (int s = 0; s < taps; s++) {
                const int at = q * g->stride_w + (s0 + s) * g->dil_w - g->pad_w;
                if ((uint)at < (uint)g->w)
                    acc[s] = fma(ONN_LOAD(a + (long)at * VL), ONN_LOAD(b + (long)q * VL), acc[s]);
            }
        }
        for (int q = q0; q < q1; q++) {
            const ONN_V d = ONN_LOAD(b + (long)q * VL);
            global const float *t = a + ((long)q * g->stride_w + s0 * g->dil_w - g->pad_w) * VL;
#pragma unroll
            for (int s = 0; s < 4; s++)
                if (s < taps)
                    acc[s] = fma(ONN_LOAD(t + (long)s * g->dil_w * VL), d, acc[s]);
        }
    }
    for (int s = 0; s < taps; s++)
        ONN_STORE(acc[s], out + (s0 + s) * VL);
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv_dw_depthwise(
    ONN_IN(float, x), ONN_IN(float, dy), ONN_OUT(float, part), const struct dwb_args a)
{
    const struct dwb_args g = a;
    const int cb = get_group_id(0), n = get_group_id(1), taps = g.r * g.s;
    global const float *x = ONN_PTR(x) + n * g.x_s[0] + cb * g.x_s[1];
    global const float *dy = ONN_PTR(dy) + n * g.dy_s[0] + cb * g.dy_s[1];
    global float *out = ONN_PTR(part) + ((long)n * g.c_blocks + cb) * taps * VL;
    for (int t = 0; t < taps; t++)
        ONN_STORE((ONN_V)(0.0f), out + t * VL);
    for (int first = 0; first < g.p; first += g.rows) /* a chunk of rows stays in L1 for all its taps */
        for (int r = 0; r < g.r; r++) {
            const int bh = r * g.dil_h - g.pad_h;
            const int p0 = max(first, dwb_from(bh, g.stride_h));
            const int p1 = min(min(first + g.rows, g.p), dwb_to(bh, g.stride_h, g.h, g.p));
            global const float *row = x + bh * g.x_s[2];
            for (int s = 0; s < g.s && p0 < p1; s += 4) {
                if (g.s - s >= 4)
                    dwb_depthwise_row(4, row, dy, out + r * g.s * VL, s, p0, p1, &g);
                else if (g.s - s == 3)
                    dwb_depthwise_row(3, row, dy, out + r * g.s * VL, s, p0, p1, &g);
                else
                    dwb_depthwise_row(g.s - s, row, dy, out + r * g.s * VL, s, p0, p1, &g);
            }
        }
}

/* parts: how many to add, step apart; their sum stays in the first one, a few KiB at a time, until its rows are written.
 * c, k: channels of one group; depthwise: blocks hold [tap][VL] only. */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv_dw_gather(
    ONN_OUT(float, part), ONN_OUT(float, dw), const int parts, const long step, const int taps, const int c_blocks,
    const int k_blocks, const int c, const int k, const int depthwise)
{
    const int cb = get_group_id(0), kb = depthwise ? cb : get_group_id(1) % k_blocks;
    const int block = depthwise ? VL : VL * VL, c_left = depthwise ? 1 : min(VL, c - cb * VL);
    global float *in = ONN_PTR(part) + ((long)get_group_id(1) * c_blocks + cb) * taps * block;
    global float *out = ONN_PTR(dw) + (long)(depthwise ? 0 : get_group_id(1) / k_blocks) * k * c * taps;
    if (parts > 1)
        for (int i = 0; i < taps * block; i += VL) {
            ONN_V sum = ONN_LOAD(in + i);
            for (int j = 1; j < parts; j++)
                sum += ONN_LOAD(in + i + j * step);
            ONN_STORE(sum, in + i);
        }
    for (int l = 0; l < VL && kb * VL + l < k; l++) {
        global float *row = out + ((long)(kb * VL + l) * c + (depthwise ? 0 : cb * VL)) * taps;
        for (int ci = 0; ci < c_left; ci++)
            for (int t = 0; t < taps; t++)
                *row++ = in[t * block + ci * VL + l];
    }
}
