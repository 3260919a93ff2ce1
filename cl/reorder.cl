/* Strided copies between two layouts of one tensor: plain, permuted, channels last, blocked, views.
 *
 * Arguments  x, y; a walk g over `rank` dimensions with a stride for either side (fs from, ts to) and the
 *            weight with which its coordinate counts for the mask; x_add, y_add: first element.
 * Mask       c = sum of coordinate * weight. c < limit: copied; limit <= c < to_limit: y gets 0 (pad lanes of
 *            a blocked target); else skipped. Without a mask all weights are 0 and both limits INT_MAX.
 * Defines    REORDER_T (uint): unsigned type of the element's size. REORDER_U (8): side of a register
 *            transpose, 4 or 8. REORDER_W (8): elements moved at once along rows; no vector may exceed 32 bytes
 *            (4 for 8-byte elements).
 * Kernels    reorder_loop       vector CPUs: work-item = `chunk` units; unit = piece of a row (len elements,
 *                               strides fi, ti; its mask weight is wi) or, where rows are short, `lines` of
 *                               the n2 rows with steps f2, t2. Group 1.
 *            reorder_tile       vector CPUs: transposes a x b planes (a: step 1 in y, b: step 1 in x; mask
 *                               weights wa, wb) through registers. Unit = a_piece x b_piece. Group 1.
 *            reorder_each       one element per work-item. Any group.
 *            reorder_tile_local 32 x 32 tiles through local memory (4 KiB for 4-byte elements). Group 32 x 8,
 *                               global (32 * tiles, 8). No mask.
 *            reorder_fill       unit = piece of a row, all elements = (REORDER_T)bits, pad lanes 0. Any group.
 * Method     blocked transposes by halves, local tile with one spare column; both textbook.
 */
#include "lib/types.h"

#ifndef REORDER_T
#define REORDER_T uint
#endif
#ifndef REORDER_U
#define REORDER_U 8
#endif
#ifndef REORDER_W
#define REORDER_W 8
#endif
#define REORDER_RANK 16
#define REORDER_V ONN_CAT(REORDER_T, REORDER_U)
#define REORDER_VLOAD(p) ONN_CAT(vload, REORDER_U)(0, (p))
#define REORDER_VSTORE(v, p) ONN_CAT(vstore, REORDER_U)((v), 0, (p))
#define REORDER_R ONN_CAT(REORDER_T, REORDER_W)
#define REORDER_RLOAD(p) ONN_CAT(vload, REORDER_W)(0, (p))
#define REORDER_RSTORE(v, p) ONN_CAT(vstore, REORDER_W)((v), 0, (p))

struct reorder_geo {
    int rank, limit, to_limit, pad;
    int dim[REORDER_RANK], weight[REORDER_RANK];
    long fs[REORDER_RANK], ts[REORDER_RANK];
};

/* Where element number id of the walk lies. */
static inline void reorder_at(const struct reorder_geo *g, int id, long *from, long *to, int *c)
{
    long f = 0, t = 0;
    int m = 0;
    for (int d = g->rank - 1; d >= 0; d--) {
        const int rest = id / g->dim[d], at = id - rest * g->dim[d];
        f += at * g->fs[d];
        t += at * g->ts[d];
        m += at * g->weight[d];
        id = rest;
    }
    *from = f;
    *to = t;
    *c = m;
}

/* Copies n elements, then zeros up to n_to. */
static inline void reorder_row(global const REORDER_T *x, long fi, global REORDER_T *y, long ti, int n, int n_to)
{
    int i = 0;
    if (fi == 1 && ti == 1) {
        for (; i + 2 * REORDER_W <= n; i += 2 * REORDER_W) {
            const REORDER_R a = REORDER_RLOAD(x + i), b = REORDER_RLOAD(x + i + REORDER_W);
            REORDER_RSTORE(a, y + i);
            REORDER_RSTORE(b, y + i + REORDER_W);
        }
        if (i + REORDER_W <= n) {
            REORDER_RSTORE(REORDER_RLOAD(x + i), y + i);
            i += REORDER_W;
        }
        for (; i < n; i++)
            y[i] = x[i];
    } else if (fi == 0 && ti == 1) {
        const REORDER_T v = n > 0 ? x[0] : 0;
        for (; i + REORDER_W <= n; i += REORDER_W)
            REORDER_RSTORE((REORDER_R)(v), y + i);
        for (; i < n; i++)
            y[i] = v;
    } else if (ti == 1) {
        for (; i < n; i++)
            y[i] = x[i * fi];
    } else {
        for (; i < n; i++)
            y[i * ti] = x[i * fi];
    }
    for (; i < n_to; i++)
        y[i * ti] = 0;
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void reorder_loop(ONN_IN(REORDER_T, x), ONN_OUT(REORDER_T, y),
    ONN_ARGS(struct reorder_geo, g), int units, int chunk, int len, int piece, long fi, long ti, int wi, int n2, int lines,
    long f2, long t2, long x_add, long y_add)
{
    ONN_TAKE(struct reorder_geo, g);
    const int parts = ONN_DIV_UP(n2, lines), pieces = ONN_DIV_UP(len, piece) * parts;
    const int first = get_group_id(0) * chunk, last = min(first + chunk, units);
    int at[REORDER_RANK], part = first % pieces, c = 0;
    global const REORDER_T *from = ONN_PTR(x) + x_add;
    global REORDER_T *to = ONN_PTR(y) + y_add;
    for (int d = g.rank - 1, id = first / pieces; d >= 0; d--) {
        at[d] = id % g.dim[d];
        id /= g.dim[d];
        from += at[d] * g.fs[d];
        to += at[d] * g.ts[d];
        c += at[d] * g.weight[d];
    }
    for (int u = first; u < last; u++) {
        const int start = part / parts * piece, size = min(piece, len - start);
        const int left = g.limit - c, left_to = g.to_limit - c;
        const int n = wi ? clamp(left - start, 0, size) : left > 0 ? size : 0;
        const int n_to = wi ? clamp(left_to - start, 0, size) : left_to > 0 ? size : 0;
        const int row0 = part % parts * lines, row1 = min(row0 + lines, n2);
        for (int row = row0; row < row1; row++)
            reorder_row(from + row * f2 + start * fi, fi, to + row * t2 + start * ti, ti, n, n_to);
        if (++part < pieces)
            continue;
        part = 0;
        for (int d = g.rank - 1; d >= 0; d--) {
            from += g.fs[d];
            to += g.ts[d];
            c += g.weight[d];
            if (++at[d] < g.dim[d])
                break;
            from -= g.dim[d] * g.fs[d];
            to -= g.dim[d] * g.ts[d];
            c -= g.dim[d] * g.weight[d];
            at[d] = 0;
        }
    }
}

#if REORDER_U == 8
#define REORDER_LO(a, b) (REORDER_V)(a.s0, b.s0, a.s1, b.s1, a.s4, b.s4, a.s5, b.s5)
#define REORDER_HI(a, b) (REORDER_V)(a.s2, b.s2, a.s3, b.s3, a.s6, b.s6, a.s7, b.s7)
#define REORDER_LO2(a, b) (REORDER_V)(a.s01, b.s01, a.s45, b.s45)
#define REORDER_HI2(a, b) (REORDER_V)(a.s23, b.s23, a.s67, b.s67)

static inline void reorder_transpose(REORDER_V *r)
{
    REORDER_V t[8], u[8];
#pragma unroll
    for (int i = 0; i < 8; i += 2) {
        t[i] = REORDER_LO(r[i], r[i + 1]);
        t[i + 1] = REORDER_HI(r[i], r[i + 1]);
    }
#pragma unroll
    for (int i = 0; i < 8; i += 4) {
        u[i] = REORDER_LO2(t[i], t[i + 2]);
        u[i + 1] = REORDER_HI2(t[i], t[i + 2]);
        u[i + 2] = REORDER_LO2(t[i + 1], t[i + 3]);
        u[i + 3] = REORDER_HI2(t[i + 1], t[i + 3]);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        r[i] = (REORDER_V)(u[i].lo, u[i + 4].lo);
        r[i + 4] = (REORDER_V)(u[i].hi, u[i + 4].hi);
    }
}
#else
static inline void reorder_transpose(REORDER_V *r)
{
    const REORDER_V a = (REORDER_V)(r[0].s0, r[1].s0, r[0].s1, r[1].s1);
    const REORDER_V b = (REORDER_V)(r[0].s2, r[1].s2, r[0].s3, r[1].s3);
    const REORDER_V c = (REORDER_V)(r[2].s0, r[3].s0, r[2].s1, r[3].s1);
    const REORDER_V d = (REORDER_V)(r[2].s2, r[3].s2, r[2].s3, r[3].s3);
    r[0] = (REORDER_V)(a.lo, c.lo);
    r[1] = (REORDER_V)(a.hi, c.hi);
    r[2] = (REORDER_V)(b.lo, d.lo);
    r[3] = (REORDER_V)(b.hi, d.hi);
}
#endif

/* One plane piece. Rows >= av read as 0; columns >= bz are not stored. */
static inline void reorder_plane(global const REORDER_T *x, global REORDER_T *y, int a0, int a1, int b0, int b1,
    long fa, long tb, int av, int bz)
{
    if (a1 - a0 < REORDER_U || b1 - b0 < REORDER_U) {
        for (int j = b0; j < min(b1, bz); j++)
            for (int i = a0; i < a1; i++)
                y[j * tb + i] = i < av ? x[i * fa + j] : 0;
        return;
    }
    for (int ia = a0; ia < a1; ia += REORDER_U) {
        const int i0 = min(ia, a1 - REORDER_U); /* the last tile may overlap the one before it */
        for (int jb = b0; jb < b1; jb += REORDER_U) {
            const int j0 = min(jb, b1 - REORDER_U);
            REORDER_V r[REORDER_U];
#pragma unroll
            for (int i = 0; i < REORDER_U; i++)
                r[i] = i0 + i < av ? REORDER_VLOAD(x + (i0 + i) * fa + j0) : (REORDER_V)(0);
            reorder_transpose(r);
#pragma unroll
            for (int j = 0; j < REORDER_U; j++)
                if (j0 + j < bz)
                    REORDER_VSTORE(r[j], y + (j0 + j) * tb + i0);
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void reorder_tile(ONN_IN(REORDER_T, x), ONN_OUT(REORDER_T, y),
    ONN_ARGS(struct reorder_geo, g), int units, int chunk, int a, int b, long fa, long tb, int a_piece, int b_piece, int wa,
    int wb, long x_add, long y_add)
{
    ONN_TAKE(struct reorder_geo, g);
    const int pb = ONN_DIV_UP(b, b_piece), per = ONN_DIV_UP(a, a_piece) * pb;
    const int first = get_group_id(0) * chunk, last = min(first + chunk, units);
    for (int u = first; u < last; u++) {
        const int part = u % per, a0 = part / pb * a_piece, b0 = part % pb * b_piece;
        long from, to;
        int c;
        reorder_at(&g, u / per, &from, &to, &c);
        const int left = g.limit - c;
        const int av = wa ? clamp(left, 0, a) : left > 0 ? a : 0, bz = wb ? clamp(left, 0, b) : b;
        reorder_plane(ONN_PTR(x) + x_add + from, ONN_PTR(y) + y_add + to, a0, min(a0 + a_piece, a), b0,
            min(b0 + b_piece, b), fa, tb, av, bz);
    }
}

kernel void reorder_each(ONN_IN(REORDER_T, x), ONN_OUT(REORDER_T, y), ONN_ARGS(struct reorder_geo, g), int total, long x_add,
    long y_add)
{
    ONN_TAKE(struct reorder_geo, g);
    const int id = get_global_id(0);
    if (id >= total)
        return;
    long from, to;
    int c;
    reorder_at(&g, id, &from, &to, &c);
    if (c < g.to_limit)
        ONN_PTR(y)[y_add + to] = c < g.limit ? ONN_PTR(x)[x_add + from] : 0;
}

__attribute__((reqd_work_group_size(32, 8, 1))) kernel void reorder_tile_local(ONN_IN(REORDER_T, x),
    ONN_OUT(REORDER_T, y), ONN_ARGS(struct reorder_geo, g), int a, int b, long fa, long tb, long x_add, long y_add)
{
    ONN_TAKE(struct reorder_geo, g);
    local REORDER_T tile[32][33];
    const int tiles_b = ONN_DIV_UP(b, 32), per = ONN_DIV_UP(a, 32) * tiles_b;
    const int part = get_group_id(0) % per, a0 = part / tiles_b * 32, b0 = part % tiles_b * 32;
    const int lx = get_local_id(0), ly = get_local_id(1);
    long from, to;
    int c;
    reorder_at(&g, get_group_id(0) / per, &from, &to, &c);
    global const REORDER_T *src = ONN_PTR(x) + x_add + from;
    global REORDER_T *dst = ONN_PTR(y) + y_add + to;
    for (int i = ly; i < 32; i += 8)
        if (a0 + i < a && b0 + lx < b)
            tile[i][lx] = src[(a0 + i) * fa + b0 + lx];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int j = ly; j < 32; j += 8)
        if (b0 + j < b && a0 + lx < a)
            dst[(b0 + j) * tb + a0 + lx] = tile[lx][j];
}

kernel void reorder_fill(ONN_OUT(REORDER_T, y), ONN_ARGS(struct reorder_geo, g), int units, int len, int piece, long ti, int wi,
    ulong bits, long y_add)
{
    ONN_TAKE(struct reorder_geo, g);
    const int u = get_global_id(0), pieces = ONN_DIV_UP(len, piece);
    if (u >= units)
        return;
    const int start = u % pieces * piece, size = min(piece, len - start);
    long from, to;
    int c;
    reorder_at(&g, u / pieces, &from, &to, &c);
    const int left = g.limit - c, left_to = g.to_limit - c;
    const int n = wi ? clamp(left - start, 0, size) : left > 0 ? size : 0;
    const int n_to = wi ? clamp(left_to - start, 0, size) : left_to > 0 ? size : 0;
    global REORDER_T *row = ONN_PTR(y) + y_add + to + start * ti;
    int i = 0;
    if (ti == 1)
        for (; i + REORDER_W <= n; i += REORDER_W)
            REORDER_RSTORE((REORDER_R)((REORDER_T)bits), row + i);
    for (; i < n; i++)
        row[i * ti] = (REORDER_T)bits;
    for (; i < n_to; i++)
        row[i * ti] = 0;
}
