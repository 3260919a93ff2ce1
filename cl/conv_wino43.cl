/* Fused Winograd convolution F(4x4, 3x3) on blocked data for vector CPUs: 3x3, stride 1, no dilation, any pads.
 *
 * Layout   x, y, res: [N][channels/VL][H][W][VL], strides in elements by argument (pixel stride VL).
 *          Pad lanes of the last channel block are zero in x and res, and are left zero in y.
 * Weights  packed and transformed by conv2d_pack_wino43: [groups][36][k_blocks][c_blocks][VL c][VL k];
 *          k_blocks, c_blocks count blocks of one group, whose channels fill whole blocks when groups > 1.
 * Work     one work-item per work-group. The n*ceil(p/4)*ceil(q/4) tiles of 4x4 outputs (all images counted through) form
 *          sets = ceil(tiles / t_set) sets. For a set: transform the inputs, multiply 36 matrices (tiles x C) * (C x K),
 *          transform back.
 *          stage 0, all in one launch, for many sets: global size { G, ceil(k_blocks / k_group), groups }, G <= sets free;
 *            work-group i of dimension 0 computes k_group blocks of output channels of sets i, i + G, ...
 *          stages 1 and 2, two launches, for few sets (small images): 1 transforms inputs only, global size
 *            { sets, ceil(c_blocks / k_group), groups } with k_group the channel blocks of one work-group; 2 does the rest,
 *            global size { sets, ceil(k_blocks / k_group), groups }. t_set is the same in both.
 * Scratch  ws, floats, with odd(a) = ((a + 15) / 16 | 1) * 16 (spreads the 36 matrices over cache sets), v = 36 *
 *          odd(c_blocks * t_set * VL) + TILE_M1 * VL, m = 36 * odd(k_group * t_set * VL):
 *          stage 0: v + m for every work-group of the grid (so that G bounds it);
 *          stages 1, 2: v * sets * groups shared, then m for every work-group of stage 2.
 * Defines  ONN_F16 (lib/stored.h; packed weights and scratch stay float), VL (8), tile sizes TILE_M* (lib/tile.h); ONN_EPI optional.
 * Method   A. Lavin, S. Gray, Fast Algorithms for Convolutional Neural Networks (2015), but with points 0, 3/4, -3/4, 3/2,
 *          -3/2: all constants of the inputs and sums are exact, and fp32 sums lose about one bit against the direct form
 *          instead of more than two with the usual 1 and 2.
 */
#include "lib/vec.h"
#include "lib/tile.h"

struct wino_geo {
    int h, w, p, q, pad_h, pad_w, tiles_q, tiles_pq;
    long x_sn, x_sc, x_sh, y_sn, y_sh, res_sn, res_sh;
};

ONN_INLINE long wino_pitch(long a)
{
    return ((a + 15) / 16 | 1) * 16;
}

/* t = B' d for one line of six. */
ONN_INLINE void wino_in6(ONN_V *t, ONN_V d0, ONN_V d1, ONN_V d2, ONN_V d3, ONN_V d4, ONN_V d5)
{
    const ONN_V near2 = (ONN_V)(-0.5625f), far2 = (ONN_V)(-2.25f); /* squares of the points */
    const ONN_V both = (ONN_V)(1.265625f), sum = (ONN_V)(-2.8125f); /* their product and sum */
    const ONN_V a = fma(far2, d2, d4), b = fma(far2, d1, d3), c = fma(near2, d2, d4), e = fma(near2, d1, d3);
    t[0] = fma(both, d0, fma(sum, d2, d4));
    t[1] = fma((ONN_V)(0.75f), b, a);
    t[2] = fma((ONN_V)(-0.75f), b, a);
    t[3] = fma((ONN_V)(1.5f), e, c);
    t[4] = fma((ONN_V)(-1.5f), e, c);
    t[5] = fma(both, d1, fma(sum, d3, d5));
}

/* t = A' m for one line of six. */
ONN_INLINE void wino_out4(ONN_V *t, ONN_V m0, ONN_V m1, ONN_V m2, ONN_V m3, ONN_V m4, ONN_V m5)
{
    const ONN_V a = m1 + m2, b = m1 - m2, c = m3 + m4, d = m3 - m4;
    t[0] = m0 + a + c;
    t[1] = fma((ONN_V)(1.5f), d, b * 0.75f);
    t[2] = fma((ONN_V)(2.25f), c, a * 0.5625f);
    t[3] = fma((ONN_V)(3.375f), d, fma((ONN_V)(0.421875f), b, m5));
}

/* Transforms the 6x6 window at (y0, x0) of one channel block into 36 vectors, e_s apart. */
ONN_TILE_FN void wino_input(global float *v, long e_s, global const ONN_S *x, int y0, int x0,
    const struct wino_geo *g)
{
    ONN_V d[36], t[6];
    if (y0 >= 0 && x0 >= 0 && y0 + 6 <= g->h && x0 + 6 <= g->w) {
        global const ONN_S *s = x + y0 * g->x_sh + (long)x0 * VL;
#pragma unroll
        for (int j = 0; j < 6; j++) {
            wino_in6(t, ONN_TILE_SLOAD(s + j * VL), ONN_TILE_SLOAD(s + g->x_sh + j * VL),
                ONN_TILE_SLOAD(s + 2 * g->x_sh + j * VL), ONN_TILE_SLOAD(s + 3 * g->x_sh + j * VL),
                ONN_TILE_SLOAD(s + 4 * g->x_sh + j * VL), ONN_TILE_SLOAD(s + 5 * g->x_sh + j * VL));
#pragma unroll
            for (int i = 0; i < 6; i++)
                d[i * 6 + j] = t[i];
        }
    } else {
        for (int j = 0; j < 6; j++) {
            ONN_V in[6];
            const int ok = x0 + j >= 0 && x0 + j < g->w;
#pragma unroll
            for (int i = 0; i < 6; i++) {
                in[i] = (ONN_V)(0.0f);
                if (ok && y0 + i >= 0 && y0 + i < g->h)
                    in[i] = ONN_TILE_SLOAD(x + (y0 + i) * g->x_sh + (long)(x0 + j) * VL);
            }
            wino_in6(t, in[0], in[1], in[2], in[3], in[4], in[5]);
#pragma unroll
            for (int i = 0; i < 6; i++)
                d[i * 6 + j] = t[i];
        }
    }
#pragma unroll
    for (int i = 0; i < 6; i++) {
        wino_in6(t, d[i * 6], d[i * 6 + 1], d[i * 6 + 2], d[i * 6 + 3], d[i * 6 + 4], d[i * 6 + 5]);
#pragma unroll
        for (int j = 0; j < 6; j++)
            ONN_TILE_STORE(t[j], v + (i * 6 + j) * e_s);
    }
}

/* Transforms 36 products of one tile and channel block into 4x4 sums. */
ONN_INLINE void wino_output(ONN_V *out, global const float *m, long e_s)
{
    ONN_V d[24], t[4];
#pragma unroll
    for (int j = 0; j < 6; j++) {
        global const float *s = m + j * e_s;
        wino_out4(t, ONN_TILE_LOAD(s), ONN_TILE_LOAD(s + 6 * e_s), ONN_TILE_LOAD(s + 12 * e_s), ONN_TILE_LOAD(s + 18 * e_s),
            ONN_TILE_LOAD(s + 24 * e_s), ONN_TILE_LOAD(s + 30 * e_s));
#pragma unroll
        for (int i = 0; i < 4; i++)
            d[i * 6 + j] = t[i];
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        wino_out4(t, d[i * 6], d[i * 6 + 1], d[i * 6 + 2], d[i * 6 + 3], d[i * 6 + 4], d[i * 6 + 5]);
#pragma unroll
        for (int j = 0; j < 4; j++)
            out[i * 4 + j] = t[j];
    }
}

/* m (np of MR tiles x NV blocks, m_sk between blocks) = v (tiles x c_blocks blocks, v_sc apart) * u. */
#define WINO_TILE(MR, NV, name)                                                                                        \
    ONN_TILE_FN void name(global float *m, long m_sk, global const float *v, long v_sc, global const float *u, long u_sk,\
        int c_blocks, int np)                                                                                          \
    {                                                                                                                  \
        ONN_V acc[(MR) * (NV)];                                                                                        \
        global const float *src[MR];                                                                                   \
        ONN_TILE_ZERO(MR, NV, acc);                                                                                    \
        for (int cb = 0; cb < c_blocks; cb++, v += v_sc, u += VL * VL) {                                               \
            ONN_LOOP(i, MR) src[i] = v + i * VL;                                                                       \
            ONN_TILE_FMA(MR, NV, acc, src, u, u_sk)                                                                    \
        }                                                                                                              \
        ONN_LOOP(j, NV)                                                                                                \
        ONN_LOOP(i, MR) if (i < np) ONN_TILE_STORE(acc[i * (NV) + j], m + j * m_sk + i * VL);                          \
    }
ONN_TILE_SHAPES(WINO_TILE, wino_tile)

/* The product of one of the 36 matrices: nt tiles x k_n blocks. */
ONN_TILE_FN void wino_product(global float *m, global const float *v, global const float *u, int nt, int t_set,
    int c_blocks, int k_n)
{
    const long sc = (long)t_set * VL, u_sk = (long)c_blocks * VL * VL;
    for (int kt = 0; kt < ONN_DIV_UP(k_n, TILE_N); kt++) {
        const int kb = onn_tile_block(kt, k_n), nv = onn_tile_block(kt + 1, k_n) - kb;
        global const float *uk = u + kb * u_sk;
        global float *mk = m + kb * sc;
        for (int i = 0, np; i < nt; i += np) {
            np = onn_tile_pixels(nt - i, nv);
            ONN_TILE_CALL(wino_tile, np, nv, (mk + i * VL, sc, v + i * VL, sc, uk, u_sk, c_blocks, np));
        }
    }
}

/* Transforms back and stores k_n blocks of the nt tiles from number first on. */
ONN_TILE_FN void wino_store(global const float *m, long m_e, int first, int nt, int t_set, int k_n,
    const struct onn_out *out, const struct wino_geo *g)
{
    for (int t = 0; t < nt; t++) {
        const int in = (first + t) / g->tiles_pq, at = (first + t) % g->tiles_pq;
        const int ip = at / g->tiles_q * 4, iq = at % g->tiles_q * 4, rows = min(4, g->p - ip),
                  cols = min(4, g->q - iq);
        struct onn_px px[16];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < cols; j++) {
                px[i * cols + j].y = in * g->y_sn + (ip + i) * g->y_sh + (long)(iq + j) * VL;
                px[i * cols + j].res = in * g->res_sn + (ip + i) * g->res_sh + (long)(iq + j) * VL;
            }
        struct onn_out o = *out;
        for (int kb = 0; kb < k_n; kb++) {
            ONN_V acc[16];
            wino_output(acc, m + ((long)kb * t_set + t) * VL, m_e);
            if (cols < 4) /* close the gaps of an edge tile */
                for (int i = 1; i < rows; i++)
                    for (int j = 0; j < cols; j++)
                        acc[i * cols + j] = acc[i * 4 + j];
            onn_tile_store(acc, rows * cols, &o, px);
            o.y += o.y_sc;
            o.res += o.res_sc;
            o.bias += VL;
            o.k_left -= VL;
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_wino43(ONN_IN(ONN_S, x), ONN_IN(ONN_S, w),
    ONN_OUT(ONN_S, y), ONN_IN(ONN_S, bias), ONN_IN(ONN_S, res), ONN_OUT(float, ws), int n, int c_blocks,
    int h, int wd, int k, int k_blocks, int p, int q, int pad_h, int pad_w, long x_sn, long x_sc, long x_sh,
    long y_sn, long y_sc, long y_sh, long res_sn, long res_sc, long res_sh, int t_set, int k_group, int stage,
    int has_res, float lo, float hi, int epi_kind, float epi_a, float epi_b)
{
    const int tq = ONN_DIV_UP(q, 4), tpq = ONN_DIV_UP(p, 4) * tq, tiles = n * tpq, grp = get_group_id(2);
    const struct wino_geo g = {h, wd, p, q, pad_h, pad_w, tq, tpq, x_sn, x_sc, x_sh, y_sn, y_sh, res_sn,
        res_sh};
    const int kb = get_group_id(1) * k_group, k_n = min(k_group, k_blocks - kb);
    const long v_e = wino_pitch((long)c_blocks * t_set * VL), m_e = wino_pitch((long)k_group * t_set * VL);
    const long v_size = v_e * 36 + TILE_M1 * VL, m_size = m_e * 36, sets = ONN_DIV_UP(tiles, t_set);
    const long id =
        get_group_id(0) + get_num_groups(0) * (get_group_id(1) + get_num_groups(1) * get_group_id(2));
    const long shared = grp * sets + get_group_id(0);
    global float *v = ONN_PTR(ws) + (stage ? shared * v_size : id * (v_size + m_size));
    global float *m = stage ? ONN_PTR(ws) + sets * get_num_groups(2) * v_size + id * m_size : v + v_size;
    const int c0 = stage == 1 ? kb : 0,
              c1 = stage == 2 ? 0
        : stage == 1          ? min(kb + k_group, c_blocks)
                              : c_blocks;
    global const float *u = ONN_PACKED(w) + ((long)grp * 36 * k_blocks + kb) * c_blocks * VL * VL;
    const long kg = (long)grp * k_blocks + kb;
    const struct onn_out o = {ONN_PTR(y) + kg * y_sc, ONN_PTR(res) + kg * res_sc, ONN_PTR(bias) + kg * VL,
        y_sc, res_sc, has_res, k - (int)kg * VL, 1, lo, hi, epi_kind, epi_a, epi_b, ONN_FIRST | ONN_LAST};
    for (int first = get_group_id(0) * t_set; first < tiles; first += get_num_groups(0) * t_set) {
        const int nt = min(t_set, tiles - first);
        for (int t = 0; t < nt; t++) {
            const int in = (first + t) / tpq, at = (first + t) % tpq;
            global const ONN_S *xt = ONN_PTR(x) + in * x_sn + (long)grp * c_blocks * x_sc;
            for (int cb = c0; cb < c1; cb++)
                wino_input(v + ((long)cb * t_set + t) * VL, v_e, xt + cb * x_sc, at / tq * 4 - pad_h,
                    at % tq * 4 - pad_w, &g);
        }
        if (stage == 1)
            continue;
        for (int e = 0; e < 36; e++)
            wino_product(m + e * m_e, v + e * v_e, u + (long)e * k_blocks * c_blocks * VL * VL, nt, t_set,
                c_blocks, k_n);
        wino_store(m, m_e, first, nt, t_set, k_n, &o, &g);
    }
}

/* t = G a for one line of three, step apart: the polynomial at each point over the product of its distances to the others. */
ONN_INLINE void wino_weight6(ONN_V *t, const int step, ONN_V a0, ONN_V a1, ONN_V a2)
{
    const ONN_V p = fma(a2, (ONN_V)(0.5625f), a0), q = fma(a2, (ONN_V)(2.25f), a0), p1 = a1 * 0.75f, q1 = a1 * 1.5f;
    t[0] = a0 / (ONN_V)(1.265625f);
    t[step] = (p + p1) / (ONN_V)(-1.8984375f);
    t[2 * step] = (p - p1) / (ONN_V)(-1.8984375f);
    t[3 * step] = (q + q1) / (ONN_V)(7.59375f);
    t[4 * step] = (q - q1) / (ONN_V)(7.59375f);
    t[5 * step] = a2;
}

/* Transforms w[K][C/groups][3][3] into [groups][36][k_blocks][c_blocks][VL c][VL k] with zeros in the tails. A block is
 * put together in private memory first: the 36 streams lie a power of two apart as a rule and would fight for one set of
 * the cache.
 * Global size { c_blocks, groups * k_blocks, 1 }; k, c: channels of one group. r, s are 3 and not looked at.
 */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_pack_wino43(ONN_IN(ONN_S, w),
    ONN_OUT(ONN_S, u), int k, int c, int r, int s)
{
    const int cb = get_group_id(0), c_blocks = get_num_groups(0), k_blocks = ONN_DIV_UP(k, VL);
    const int grp = get_group_id(1) / k_blocks, kb = get_group_id(1) % k_blocks;
    const long e_s = (long)k_blocks * c_blocks * VL * VL;
    const int k_n = min(VL, k - kb * VL), c_n = min(VL, c - cb * VL);
    global const ONN_S *src = ONN_PTR(w) + (((long)grp * k + kb * VL) * c + cb * VL) * 9;
    global float *dst = ONN_PACKED_OUT(u) + grp * 36 * e_s + ((long)kb * c_blocks + cb) * VL * VL;
    ONN_V block[36 * VL];
    float lanes[9 * VL];
    for (int i = 0; i < VL; i++) {
        for (int j = 0; j < VL; j++)
            for (int e = 0; e < 9; e++)
                lanes[e * VL + j] = i < c_n && j < k_n ? ONN_SGET(src + ((long)j * c + i) * 9 + e) : 0.0f;
        ONN_V t[18], a[9];
        for (int e = 0; e < 9; e++)
            a[e] = ONN_CAT(vload, VL)(e, lanes);
        for (int col = 0; col < 3; col++)
            wino_weight6(t + col, 3, a[col], a[3 + col], a[6 + col]);
        for (int j = 0; j < 6; j++)
            wino_weight6(block + j * 6 * VL + i, VL, t[j * 3], t[j * 3 + 1], t[j * 3 + 2]);
    }
    for (int e = 0; e < 36; e++)
        for (int i = 0; i < VL; i++)
            ONN_STORE(block[e * VL + i], dst + e * e_s + i * VL);
}
