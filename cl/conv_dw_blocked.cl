/* Gradient of a convolution's weight on blocked data, for vector CPUs: any size, stride, dilation, pads; groups whose
 * channels fill whole blocks.
 *
 * conv_dw_blocked    x, dy [N][channels/VL][H][W][VL] (strides by argument, pixel stride VL), pad lanes 0. One work-item
 *                    per work-group, global size { any }: the items (split, group, k tiles, c blocks) are dealt to the
 *                    groups in turn. An item sums c_blocks / c_items blocks of input channels against k_tiles / k_items
 *                    tiles of up to 3 blocks of output channels over its split's chunks, in `own` floats of scratch of its
 *                    work-group: [k tile][c block][tap][VL c][3][VL k]. With one split it writes dw plain, else parts.
 * conv_dw_depthwise  K = C = groups: global { c_blocks, n }; writes parts.
 * conv_dw_gather     adds the parts in order and writes dw plain. Global { c_blocks, groups * k_blocks } (depthwise:
 *                    { c_blocks, 1 }), local 1.
 * Parts              [split][k block][c block][tap][VL c][VL k] floats (depthwise: [image][c block][tap][VL]).
 * Defines            VL (8), DWB_C (4, with VL 16: 8): input channels of a register tile.
 * Method             a chunk is some rows, of several images where they are small, or a piece of a long row: about 128
 *                    pixels, which stay in L1 while all taps and channel blocks of the item are summed: per tap a register
 *                    tile of DWB_C input channels x 3 blocks runs over the pixels that have the tap; its sums come from L2.
 *                    Own design after the prototype described in design/performance.md.
 * Rounding           fp32; sums per tap over the split's pixels, splits added in order.
 */
#include "lib/vec.h"

#ifndef DWB_C
#define DWB_C (VL == 16 ? 8 : 4)
#endif
#define DWB_N 3
#define DWB_ROWS 128 /* most rows of a chunk */

struct dwb_args {
    int n, p, q, h, w, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    int c_blocks, k_blocks, groups, c, k; /* of one group */
    int k_tiles, c_items, k_items, splits;
    int rows, columns, chunks, pieces; /* of a chunk; chunks in all, pieces of a row */
    long x_s[3], dy_s[3]; /* n, channel block, row */
    long own;
};

#define DWB_FN static __attribute__((noinline))
#define DWB_LOOP(i, n) _Pragma("unroll") for (int i = 0; i < (n); i++)
typedef ONN_V dwb_v __attribute__((aligned(4)));
#define DWB_LOAD(p) (*(global const dwb_v *)(p))
#define DWB_STORE(v, p) (*(global dwb_v *)(p) = (v))

/* First index i >= 0 with i * step + base >= 0, and one past the last below n with i * step + base < size. */
ONN_INLINE int dwb_from(const int base, const int step)
{
    return base >= 0 ? 0 : (step - 1 - base) / step;
}
ONN_INLINE int dwb_to(const int base, const int step, const int size, const int n)
{
    return base >= size ? 0 : min(n, (size - 1 - base) / step + 1);
}

/* Where a row of dy and the row of x that a tap meets there stand. */
struct dwb_row {
    long x, dy;
};

/* m += DWB_C channels of x * NV blocks of dy over n pixels of each row. */
#define DWB_TAP(NV, name)                                                                                              \
    DWB_FN void name(global const float *x, global const float *dy, long dy_k, global float *m,                        \
        const struct dwb_row *row, int rows, int n, int x_px)                                                          \
    {                                                                                                                  \
        ONN_V acc[DWB_C * (NV)];                                                                                       \
        DWB_LOOP(c, DWB_C) DWB_LOOP(v, NV) acc[c * (NV) + v] = DWB_LOAD(m + (c * DWB_N + v) * VL);                     \
        for (int i = 0; i < rows; i++) {                                                                               \
            global const float *a = x + row[i].x, *b = dy + row[i].dy;                                                 \
            for (int q = 0; q < n; q++, a += x_px, b += VL) {                                                          \
                ONN_V d[NV];                                                                                           \
                DWB_LOOP(v, NV) d[v] = DWB_LOAD(b + v * dy_k);                                                         \
                DWB_LOOP(c, DWB_C)                                                                                     \
                {                                                                                                      \
                    const ONN_V t = (ONN_V)(a[c]);                                                                     \
                    DWB_LOOP(v, NV) acc[c * (NV) + v] = fma(t, d[v], acc[c * (NV) + v]);                               \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        DWB_LOOP(c, DWB_C) DWB_LOOP(v, NV) DWB_STORE(acc[c * (NV) + v], m + (c * DWB_N + v) * VL);                     \
    }
DWB_TAP(3, dwb_tap_3)
DWB_TAP(2, dwb_tap_2)
DWB_TAP(1, dwb_tap_1)

struct dwb_item {
    int c0, c1, k0, k1, from, to; /* blocks of x, tiles of dy, chunks */
};

/* First block of dy of tile t. */
ONN_INLINE int dwb_block(const int t, const struct dwb_args *g)
{
    return t * g->k_blocks / g->k_tiles;
}

/* All sums of filter row r over the rows of a chunk and its columns qa … qb - 1. */
DWB_FN void dwb_rows(global const float *x, global const float *dy, global float *m, const struct dwb_row *row, int rows,
    int r, int qa, int qb, const struct dwb_item *item, const struct dwb_args *g)
{
    const int taps = g->r * g->s, x_px = g->stride_w * VL;
    for (int kt = item->k0; kt < item->k1; kt++) {
        const int kb = dwb_block(kt, g), nv = dwb_block(kt + 1, g) - kb;
        global const float *d = dy + kb * g->dy_s[1];
        for (int cb = item->c0; cb < item->c1; cb++) {
            const long block = (long)(kt - item->k0) * (item->c1 - item->c0) + cb - item->c0;
            const int channels = min(VL, g->c - cb * VL);
            for (int s = 0; s < g->s; s++) {
                const int bw = s * g->dil_w - g->pad_w, q0 = max(qa, dwb_from(bw, g->stride_w)),
                          n = min(qb, dwb_to(bw, g->stride_w, g->w, g->q)) - q0;
                global const float *a = x + cb * g->x_s[1] + ((long)bw + (long)q0 * g->stride_w) * VL, *b = d + q0 * VL;
                global float *to = m + (block * taps + r * g->s + s) * VL * DWB_N * VL;
                for (int c = 0; c < channels && n > 0; c += DWB_C)
                    if (nv == 3)
                        dwb_tap_3(a + c, b, g->dy_s[1], to + c * DWB_N * VL, row, rows, n, x_px);
                    else if (nv == 2)
                        dwb_tap_2(a + c, b, g->dy_s[1], to + c * DWB_N * VL, row, rows, n, x_px);
                    else
                        dwb_tap_1(a + c, b, g->dy_s[1], to + c * DWB_N * VL, row, rows, n, x_px);
            }
        }
    }
}

/* Chunk i: its rows are counted through all images. */
DWB_FN void dwb_chunk(global const float *x, global const float *dy, global float *m, int i, const struct dwb_item *item,
    const struct dwb_args *g)
{
    const int first = i / g->pieces * g->rows, last = min(first + g->rows, g->n * g->p);
    const int qa = i % g->pieces * g->columns, qb = min(qa + g->columns, g->q);
    for (int r = 0; r < g->r; r++) {
        struct dwb_row row[DWB_ROWS];
        int n = first / g->p, p = first % g->p, rows = 0;
        for (int j = first; j < last; j++) {
            const int y = p * g->stride_h + r * g->dil_h - g->pad_h;
            if ((uint)y < (uint)g->h) {
                row[rows].x = n * g->x_s[0] + y * g->x_s[2];
                row[rows++].dy = n * g->dy_s[0] + p * g->dy_s[2];
            }
            if (++p == g->p) {
                p = 0;
                n++;
            }
        }
        if (rows)
            dwb_rows(x, dy, m, row, rows, r, qa, qb, item, g);
    }
}

/* The item's sums as a part, or into dw. */
DWB_FN void dwb_write(global const float *m, global float *out, const struct dwb_item *item, const struct dwb_args *g)
{
    const int taps = g->r * g->s;
    for (int kt = item->k0; kt < item->k1; kt++)
        for (int kb = dwb_block(kt, g), v = 0; kb < dwb_block(kt + 1, g); kb++, v++)
            for (int cb = item->c0; cb < item->c1; cb++) {
                const long block = (long)(kt - item->k0) * (item->c1 - item->c0) + cb - item->c0;
                global const float *from = m + block * taps * VL * DWB_N * VL + v * VL;
                if (g->splits > 1) {
                    global float *to = out + ((long)kb * g->c_blocks + cb) * taps * VL * VL;
                    for (int i = 0; i < taps * VL; i++)
                        DWB_STORE(DWB_LOAD(from + i * DWB_N * VL), to + i * VL);
                    continue;
                }
                const int channels = min(VL, g->c - cb * VL);
                for (int l = 0; l < VL && kb * VL + l < g->k; l++) {
                    global float *to = out + ((long)(kb * VL + l) * g->c + cb * VL) * taps;
                    for (int c = 0; c < channels; c++)
                        for (int t = 0; t < taps; t++)
                            *to++ = from[(t * VL + c) * DWB_N * VL + l];
                }
            }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv_dw_blocked(
    ONN_IN(float, x), ONN_IN(float, dy), ONN_OUT(float, out), ONN_OUT(float, scratch), const struct dwb_args a)
{
    const struct dwb_args g = a;
    const int items = g.splits * g.groups * g.k_items * g.c_items;
    global float *m = ONN_PTR(scratch) + get_group_id(0) * g.own;
    for (int i = get_group_id(0); i < items; i += get_num_groups(0)) {
        const int ci = i % g.c_items, ki = i / g.c_items % g.k_items, rest = i / (g.c_items * g.k_items);
        const int group = rest % g.groups, split = rest / g.groups;
        const struct dwb_item item = {ci * g.c_blocks / g.c_items, (ci + 1) * g.c_blocks / g.c_items,
            ki * g.k_tiles / g.k_items, (ki + 1) * g.k_tiles / g.k_items, (int)((long)g.chunks * split / g.splits),
            (int)((long)g.chunks * (split + 1) / g.splits)};
        const long one = g.splits > 1 ? (long)g.k_blocks * g.c_blocks * g.r * g.s * VL * VL : (long)g.k * g.c * g.r * g.s;
        for (long j = 0; j < g.own; j += VL)
            DWB_STORE((ONN_V)(0.0f), m + j);
        for (int j = item.from; j < item.to; j++)
            dwb_chunk(ONN_PTR(x) + (long)group * g.c_blocks * g.x_s[1], ONN_PTR(dy) + (long)group * g.k_blocks * g.dy_s[1],
                m, j, &item, &g);
        dwb_write(m, ONN_PTR(out) + ((long)split * g.groups + group) * one, &item, &g);
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
