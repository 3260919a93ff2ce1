/* Matrix product for vector CPUs: register tiles over packed B.
 *
 * Arguments  a, c, r, y: tensors of ONN_S described by struct gemm_args (lib/gemm.h) with y_n = 1, r_n = 1, c_n 0 or 1 and,
 *            for gemm_packed, a_k = 1 (gemm_packed_at: any strides). c and r may be any tensor where has_c, has_r are 0.
 *            b: [batch][panels][k][NR], NR = GEMM_NV * VL columns of a panel, zeros behind column n, of ONN_S; b_b in elements of
 *            this packing, 0 = shared. y is neither c nor r.
 * Defines    ONN_F16 (lib/stored.h; with it k_block is k, no sum waits in y), VL, GEMM_NV (2), GEMM_M1 > GEMM_M2 > GEMM_M3 > GEMM_M4: rows of the compiled tiles;
 *            ONN_WITH_PACKED, ONN_WITH_PACKED_AT: with the kernel of that name, which takes a while to compile;
 *            ONN_EPI_KIND optional: the activation behind a result (lib/activation.h).
 * Work       one work-item per work-group; global size { ceil(m / m_group), ceil(panels / p_group), batches }.
 * Method     A group computes m_group rows x p_group panels, k_block of k at a time (partial sums wait in y): a block of
 *            a panel stays in L1 while the rows of A pass, those stay in L2. Rows are dealt evenly over the tiles; spare
 *            rows repeat the last one and are not stored.
 * Rounding   fp32 fused multiply-adds in ascending k (gemm_packed_row: four sums); alpha, beta c, r, clip at the end.
 * Source     own design, after the usual BLIS loops.
 */
#include "lib/stored.h"
#include "lib/gemm.h"

#ifndef GEMM_NV
#define GEMM_NV 2
#endif
#ifndef GEMM_M1
#if VL == 16
#define GEMM_M1 12
#define GEMM_M2 8
#define GEMM_M3 4
#define GEMM_M4 2
#else
#define GEMM_M1 6
#define GEMM_M2 4
#define GEMM_M3 2
#define GEMM_M4 1
#endif
#endif
#define GEMM_NR (GEMM_NV * VL)

/* The type that a tile reads a in. Halves are widened GEMM_WIDE at a time, before their rows are multiplied: one by one they
 * would cost as much as the multiplications. */
#ifdef ONN_F16
#define GEMM_WIDE 64
#define GEMM_A const float
#else
#define GEMM_A global const float
#endif

/* Adds the sum over kn of a[i][k] * b[k][v] to acc for mr rows, of which n exist. */
static inline __attribute__((always_inline)) void gemm_tile_of(const int mr, ONN_V *acc, GEMM_A *a, long a_m,
                                                               long a_k, int n, global const ONN_S *b, int kn)
{
    GEMM_A *row[GEMM_M1];
#pragma unroll
    for (int i = 0; i < GEMM_M1; i++)
        if (i < mr)
            row[i] = a + min(i, n - 1) * a_m;
    long ka = 0;
    for (int k = 0; k < kn; k++) {
        ONN_V w[GEMM_NV];
#pragma unroll
        for (int v = 0; v < GEMM_NV; v++)
            w[v] = ONN_SLOAD(b + v * VL);
#pragma unroll
        for (int i = 0; i < GEMM_M1; i++)
            if (i < mr) {
                const ONN_V s = (ONN_V)(row[i][ka]);
#pragma unroll
                for (int v = 0; v < GEMM_NV; v++)
                    acc[i * GEMM_NV + v] = fma(s, w[v], acc[i * GEMM_NV + v]);
            }
        b += GEMM_NR;
        ka += a_k;
    }
}

#ifdef ONN_F16
static __attribute__((noinline)) void gemm_widen(float *to, global const half *a, long a_m, long a_k, int rows, int kn)
{
    for (int i = 0; i < rows; i++, to += GEMM_WIDE, a += a_m) {
        int k = 0;
        for (; a_k == 1 && k + VL <= kn; k += VL)
            ONN_STORE(onn_load_half(a + k), to + k);
        for (; k < kn; k++)
            to[k] = vload_half(k * a_k, a);
    }
}

static inline __attribute__((always_inline)) void gemm_tile(const int mr, ONN_V *acc, global const half *a, long a_m,
                                                            long a_k, int n, global const half *b, int kn)
{
    float wide[GEMM_M1 * GEMM_WIDE];
    for (int k = 0; k < kn; k += GEMM_WIDE, b += GEMM_WIDE * GEMM_NR) {
        const int part = min(kn - k, GEMM_WIDE);
        gemm_widen(wide, a + k * a_k, a_m, a_k, min(n, mr), part);
        gemm_tile_of(mr, acc, wide, GEMM_WIDE, 1, n, b, part);
    }
}
#else
#define gemm_tile gemm_tile_of
#endif

static inline void gemm_put(ONN_V v, global ONN_S *y, int left)
{
    if (left >= VL) {
        ONN_SSTORE(v, y);
    } else {
        float t[VL];
        ONN_STORE(v, t);
        for (int i = 0; i < left; i++)
            ONN_SPUT(t[i], y + i);
    }
}

#ifndef ONN_F16
/* The tile with its sums in y (all lanes exist): started from it unless `first`, left there. */
static inline __attribute__((always_inline)) void gemm_tile_y(const int mr, int first, global float *y, long y_m,
                                                              global const float *a, long a_m, long a_k, int n,
                                                              global const float *b, int kn)
{
    ONN_V acc[GEMM_M1 * GEMM_NV];
#pragma unroll
    for (int i = 0; i < GEMM_M1 * GEMM_NV; i++)
        acc[i] = (ONN_V)(0.0f);
    if (!first) {
#pragma unroll
        for (int i = 0; i < GEMM_M1; i++)
            if (i < mr)
#pragma unroll
                for (int v = 0; v < GEMM_NV; v++)
                    acc[i * GEMM_NV + v] = ONN_LOAD(y + min(i, n - 1) * y_m + v * VL);
    }
    gemm_tile(mr, acc, a, a_m, a_k, n, b, kn);
#pragma unroll
    for (int i = 0; i < GEMM_M1; i++)
        if (i < mr)
#pragma unroll
            for (int v = 0; v < GEMM_NV; v++)
                ONN_STORE(acc[i * GEMM_NV + v], y + min(i, n - 1) * y_m + v * VL);
}

/* The same for a panel of which only `left` columns exist: the order of the additions is that of whole panels, so equal
 * columns of B give equal results wherever they stand. */
static inline __attribute__((always_inline)) void gemm_tile_part(const int mr, int first, global float *y, long y_m,
                                                                 global const float *a, long a_m, long a_k, int n,
                                                                 global const float *b, int kn, int left)
{
    ONN_V acc[GEMM_M1 * GEMM_NV];
    for (int i = 0; i < mr; i++)
        for (int v = 0; v < GEMM_NV; v++)
            acc[i * GEMM_NV + v] = first || v * VL >= left ?
                (ONN_V)(0.0f) : onn_load_part(y + min(i, n - 1) * y_m + v * VL, left - v * VL);
    gemm_tile(mr, acc, a, a_m, a_k, n, b, kn);
    for (int i = 0; i < n; i++)
        for (int v = 0; v < GEMM_NV && v * VL < left; v++)
            gemm_put(acc[i * GEMM_NV + v], y + i * y_m + v * VL, left - v * VL);
}
#endif

/* Where gemm_finish finds the sums of row i, column j: in y, or, as halves would round them, in the tile. */
#ifdef ONN_F16
#define GEMM_SUMS const ONN_V *sums,
#define GEMM_SUM(i, j, left) sums[((i)-m) * GEMM_NV + ((j)-col) / VL]
#else
#define GEMM_SUMS
#define GEMM_SUM(i, j, left) onn_load_part(y + (i) * g->y_m + (j), left)
#endif

/* alpha, beta c, r and clip on rows m .. m+n-1 of the panel that starts at column col. f: alpha … act_b; volatile,
 * for vectors of them that are made before the tiles' loops would take registers from the accumulators. */
static void gemm_finish(const struct gemm_args *g, const volatile float *f, GEMM_SUMS global ONN_S *y,
                        global const ONN_S *c, global const ONN_S *r, int m, int n, int col)
{
    for (int i = m; i < m + n; i++)
        for (int j = col; j < min(col + GEMM_NR, g->n); j += VL) {
            const int left = g->n - j;
            ONN_V t = GEMM_SUM(i, j, left) * f[0];
            if (g->has_c && g->c_n)
                t = fma((ONN_V)(f[1]), onn_sload_part(c + i * g->c_m + j, left), t);
            else if (g->has_c)
                t += (ONN_V)(f[1] * ONN_SGET(c + i * g->c_m));
            if (g->has_r)
                t += onn_sload_part(r + i * g->r_m + j, left);
            const ONN_V lo = (ONN_V)(f[2]), hi = (ONN_V)(f[3]);
            t = t < lo ? lo : t;
            t = t > hi ? hi : t;
#ifdef ONN_EPI
            t = ONN_EPI(t, g->act, f[4], f[5]);
#endif
            gemm_put(t, y + i * g->y_m + j, left);
        }
}

/* One group's rows and panels. unit: a_k is 1. */
static inline __attribute__((always_inline)) void gemm_group(const int unit, const int m_unit, const int p_unit,
                                                             const int batch, global const ONN_S *a,
                                                             global const ONN_S *b,
                                                             global const ONN_S *c, global const ONN_S *r,
                                                             global ONN_S *y, const struct gemm_args *g, int m_group,
                                                             int p_group, int k_block)
{
    const struct gemm_offset o = gemm_batch(g, batch);
    const int m0 = m_unit * m_group, m1 = min(m0 + m_group, g->m);
    const int p0 = p_unit * p_group, p1 = min(p0 + p_group, ONN_DIV_UP(g->n, GEMM_NR));
    const long a_k = unit ? 1 : g->a_k;
    const volatile float factors[6] = {g->alpha, g->beta, g->lo, g->hi, g->act_a, g->act_b};
#ifndef ONN_F16
    const int plain = !g->act && g->alpha == 1.0f && !g->has_c && !g->has_r && g->lo == -INFINITY && g->hi == INFINITY;
#endif
    for (int k = 0; k < g->k; k += k_block) {
        const int kn = min(k_block, g->k - k);
#ifndef ONN_F16
        const int finish = !plain && k + kn == g->k;
#endif
        for (int p = p0; p < p1; p++) {
            global const ONN_S *panel = b + o.b + ((long)p * g->k + k) * GEMM_NR;
            for (int m = m0, n; m < m1; m += n) {
                global const ONN_S *rows = a + o.a + m * g->a_m + k * a_k;
                n = ONN_DIV_UP(m1 - m, ONN_DIV_UP(m1 - m, GEMM_M1));
#ifdef ONN_F16
                ONN_V sums[GEMM_M1 * GEMM_NV];
                for (int i = 0; i < GEMM_M1 * GEMM_NV; i++)
                    sums[i] = (ONN_V)(0.0f);
                if (n > GEMM_M2)
                    gemm_tile(GEMM_M1, sums, rows, g->a_m, a_k, n, panel, kn);
                else
                    gemm_tile(GEMM_M2, sums, rows, g->a_m, a_k, n, panel, kn);
                gemm_finish(g, factors, sums, y + o.y, c + o.c, r + o.r, m, n, p * GEMM_NR);
#else
                global float *to = y + o.y + m * g->y_m + p * GEMM_NR;
                const int left = g->n - p * GEMM_NR;
                if (left < GEMM_NR && n > GEMM_M3)
                    gemm_tile_part(GEMM_M1, k == 0, to, g->y_m, rows, g->a_m, a_k, n, panel, kn, left);
                else if (left < GEMM_NR)
                    gemm_tile_part(GEMM_M3, k == 0, to, g->y_m, rows, g->a_m, a_k, n, panel, kn, left);
                else if (n > GEMM_M2)
                    gemm_tile_y(GEMM_M1, k == 0, to, g->y_m, rows, g->a_m, a_k, n, panel, kn);
                else if (n > GEMM_M3)
                    gemm_tile_y(GEMM_M2, k == 0, to, g->y_m, rows, g->a_m, a_k, n, panel, kn);
                else if (n > GEMM_M4)
                    gemm_tile_y(GEMM_M3, k == 0, to, g->y_m, rows, g->a_m, a_k, n, panel, kn);
                else
                    gemm_tile_y(GEMM_M4, k == 0, to, g->y_m, rows, g->a_m, a_k, n, panel, kn);
                if (finish)
                    gemm_finish(g, factors, y + o.y, c + o.c, r + o.r, m, n, p * GEMM_NR);
#endif
            }
        }
    }
}

#ifdef ONN_WITH_PACKED
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void gemm_packed(ONN_IN(ONN_S, a), ONN_IN(ONN_S, b),
                                                                       ONN_IN(ONN_S, c), ONN_IN(ONN_S, r),
                                                                       ONN_OUT(ONN_S, y), const struct gemm_args g,
                                                                       int m_group, int p_group, int k_block)
{
    gemm_group(1, get_group_id(0), get_group_id(1), get_group_id(2), ONN_PTR(a), ONN_PTR(b), ONN_PTR(c),
               ONN_PTR(r), ONN_PTR(y), &g, m_group, p_group, k_block);
}
#endif

#ifdef ONN_WITH_PACKED_AT
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void gemm_packed_at(ONN_IN(ONN_S, a), ONN_IN(ONN_S, b),
                                                                          ONN_IN(ONN_S, c), ONN_IN(ONN_S, r),
                                                                          ONN_OUT(ONN_S, y), const struct gemm_args g,
                                                                          int m_group, int p_group, int k_block)
{
    gemm_group(0, get_group_id(0), get_group_id(1), get_group_id(2), ONN_PTR(a), ONN_PTR(b), ONN_PTR(c),
               ONN_PTR(r), ONN_PTR(y), &g, m_group, p_group, k_block);
}
#endif

/* The same for few rows, row by row: four independent sums per vector, as b comes from memory. Global size
 * { 1, ceil(panels / p_group), batches }. A program that needs nothing else is compiled much faster. */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void gemm_packed_row(ONN_IN(ONN_S, a), ONN_IN(ONN_S, b),
                                                                           ONN_IN(ONN_S, c), ONN_IN(ONN_S, r),
                                                                           ONN_OUT(ONN_S, y), const struct gemm_args g,
                                                                           int p_group)
{
    const struct gemm_offset o = gemm_batch(&g, get_global_id(2));
    const int p0 = get_group_id(1) * p_group, p1 = min(p0 + p_group, ONN_DIV_UP(g.n, GEMM_NR));
    const volatile float factors[6] = {g.alpha, g.beta, g.lo, g.hi, g.act_a, g.act_b};
    for (int p = p0; p < p1; p++)
        for (int m = 0; m < g.m; m++) {
            global const ONN_S *w = ONN_PTR(b) + o.b + (long)p * g.k * GEMM_NR, *x = ONN_PTR(a) + o.a + m * g.a_m;
            ONN_V acc[4][GEMM_NV];
            int k = 0;
#pragma unroll
            for (int i = 0; i < 4 * GEMM_NV; i++)
                acc[i / GEMM_NV][i % GEMM_NV] = (ONN_V)(0.0f);
            for (; k + 4 <= g.k; k += 4, w += 4 * GEMM_NR)
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const ONN_V s = (ONN_V)(ONN_SGET(x + (k + i) * g.a_k));
#pragma unroll
                    for (int v = 0; v < GEMM_NV; v++)
                        acc[i][v] = fma(s, ONN_SLOAD(w + i * GEMM_NR + v * VL), acc[i][v]);
                }
            for (; k < g.k; k++, w += GEMM_NR)
#pragma unroll
                for (int v = 0; v < GEMM_NV; v++)
                    acc[0][v] = fma((ONN_V)(ONN_SGET(x + k * g.a_k)), ONN_SLOAD(w + v * VL), acc[0][v]);
#pragma unroll
            for (int v = 0; v < GEMM_NV; v++)
                acc[0][v] = (acc[0][v] + acc[1][v]) + (acc[2][v] + acc[3][v]);
#ifdef ONN_F16
            gemm_finish(&g, factors, acc[0], ONN_PTR(y) + o.y, ONN_PTR(c) + o.c, ONN_PTR(r) + o.r, m, 1, p * GEMM_NR);
#else
            global float *to = ONN_PTR(y) + o.y + m * g.y_m + p * GEMM_NR;
#pragma unroll
            for (int v = 0; v < GEMM_NV; v++)
                if (p * GEMM_NR + v * VL < g.n)
                    gemm_put(acc[0][v], to + v * VL, g.n - p * GEMM_NR - v * VL);
            gemm_finish(&g, factors, ONN_PTR(y) + o.y, ONN_PTR(c) + o.c, ONN_PTR(r) + o.r, m, 1, p * GEMM_NR);
#endif
        }
}

/* Packs b (k, n, b_k, b_n and the batch of g) into [batch][panels][k][NR] with zeros behind column n.
 * Global size { ceil(k / k_group), panels, batches of b }. */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void gemm_pack_b(ONN_IN(ONN_S, b), ONN_OUT(ONN_S, u),
                                                                       const struct gemm_args g, int k_group)
{
    const int first = get_group_id(0) * k_group, last = min(first + k_group, g.k), col = get_group_id(1) * GEMM_NR;
    const int left = min(g.n - col, GEMM_NR);
    global const ONN_S *src = ONN_PTR(b) + gemm_batch(&g, get_group_id(2)).b + col * g.b_n;
    global ONN_S *dst = ONN_PTR(u) + ((long)get_group_id(2) * get_num_groups(1) + get_group_id(1)) * g.k * GEMM_NR;
    if (g.b_n == 1 && left == GEMM_NR) {
        for (int i = first; i < last; i++)
            for (int v = 0; v < GEMM_NV; v++)
                ONN_SSTORE(ONN_SLOAD(src + i * g.b_k + v * VL), dst + (long)i * GEMM_NR + v * VL);
    } else {
        for (int i = first; i < last; i++)
            for (int j = 0; j < GEMM_NR; j++)
                ONN_SPUT(j < left ? ONN_SGET(src + i * g.b_k + j * g.b_n) : 0.0f, dst + (long)i * GEMM_NR + j);
    }
}
