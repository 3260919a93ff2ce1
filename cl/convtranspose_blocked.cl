/* Transposed convolution on blocked data for vector CPUs: 1-D and 2-D, any stride, dilation, pads, groups.
 *
 * Layout     x, y, res: [N][channels/VL][H][W][VL], strides in elements by argument (pixel stride VL). Pad lanes of the
 *            last channel block are zero in x and res, and are left zero in y.
 * Weights    packed by convtranspose_pack: [groups][k_blocks][c_blocks][R][S][VL c][VL k], followed by at least VL zeros
 *            at element `zeros`. With groups > 1 the channels of a group fill whole blocks.
 * Defines    VL (8), tile sizes TILE_M* (lib/tile.h); ONN_EPI_KIND optional. At most 64 taps.
 * Work       one work-item per work-group; global size { ceil(p / rows), ceil(ceil(k_blocks / 3) / kt_group), n * groups }.
 *            A work-group computes `rows` output rows of one image for kt_group tiles of up to 3 channel blocks.
 * Method     the columns of a row fall into stride_w phases; the pixels of one phase see the same taps and neighbouring
 *            inputs, so that each phase is a dense convolution with few taps: a gather, nothing is added up in memory.
 */
#include "lib/vec.h"
#include "lib/tile.h"

#define CTB_TAPS 64

struct ctb_geo {
    int h, w, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
};

/* A tap of one row and phase: its first pixel reads input column col at x; weights at w. */
struct ctb_tap {
    long x, w;
    int col;
};

/* out = sums of pixels j .. j+n-1 (MR with repetitions of the last) of a phase. */
#define CTB_TILE(MR, NV, name)                                                                                         \
    ONN_TILE_FN void name(ONN_V *out, int j, int n, const struct ctb_tap *tap, int taps, global const float *x,        \
        long x_sc, global const float *w, long w_sc, long w_sk, int c_blocks, int width, global const float *zero)     \
    {                                                                                                                  \
        ONN_V acc[(MR) * (NV)];                                                                                        \
        global const float *src[MR];                                                                                   \
        ONN_TILE_ZERO(MR, NV, acc);                                                                                    \
        for (int cb = 0; cb < c_blocks; cb++, x += x_sc, w += w_sc)                                                    \
            for (int t = 0; t < taps; t++) {                                                                           \
                const int col = tap[t].col + j;                                                                        \
                const int inside = col >= 0 && col + n <= width;                                                       \
                ONN_LOOP(i, MR)                                                                                        \
                {                                                                                                      \
                    const int at = min(i, n - 1);                                                                      \
                    src[i] = inside || (uint)(col + at) < (uint)width ? x + tap[t].x + (long)(j + at) * VL : zero;     \
                }                                                                                                      \
                ONN_TILE_FMA(MR, NV, acc, src, w + tap[t].w, w_sk)                                                     \
            }                                                                                                          \
        ONN_TILE_COPY(MR, NV, out, acc);                                                                               \
    }
CTB_TILE(TILE_M3, 3, ctb_tile_3)
CTB_TILE(TILE_M2, 2, ctb_tile_2)
CTB_TILE(TILE_M1, 1, ctb_tile_1)

/* Taps that reach row p and the columns of the phase that starts at column q0; returns how many. */
ONN_TILE_FN int ctb_taps(struct ctb_tap *tap, const struct ctb_geo *g, int p, int q0, long x_sh)
{
    int n = 0;
    for (int r = 0; r < g->r; r++) {
        const int y = p + g->pad_h - r * g->dil_h;
        if (y < 0 || y % g->stride_h || y / g->stride_h >= g->h)
            continue;
        for (int s = 0; s < g->s; s++) {
            const int c = q0 + g->pad_w - s * g->dil_w; /* may be negative: the first pixels of a phase may miss the tap */
            if (c % g->stride_w)
                continue;
            tap[n].col = c / g->stride_w;
            tap[n].x = y / g->stride_h * x_sh + (long)tap[n].col * VL;
            tap[n].w = (long)(r * g->s + s) * VL * VL;
            n++;
        }
    }
    return n;
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void convtranspose_blocked(
    ONN_IN(float, x), ONN_IN(float, w), ONN_OUT(float, y), ONN_IN(float, bias), ONN_IN(float, res), int c_blocks, int h,
    int wd, int k, int k_blocks, int p, int q, int r, int s, int stride_h, int stride_w, int pad_h, int pad_w, int dil_h,
    int dil_w, int groups, long x_sn, long x_sc, long x_sh, long y_sn, long y_sc, long y_sh, long res_sn, long res_sc,
    long res_sh, int rows, int kt_group, long zeros, int has_res, float lo, float hi, int epi_kind, float epi_a, float epi_b)
{
    const struct ctb_geo g = {h, wd, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w};
    const int grp = get_group_id(2) % groups, in = get_group_id(2) / groups;
    const int first = get_group_id(0) * rows, last = min(first + rows, p);
    const int kt_last = min((int)(get_group_id(1) + 1) * kt_group, ONN_DIV_UP(k_blocks, TILE_N));
    const long w_sc = (long)r * s * VL * VL, w_sk = c_blocks * w_sc;
    global const float *xg = ONN_PTR(x) + in * x_sn + grp * (long)c_blocks * x_sc, *zero = ONN_PTR(w) + zeros;
    struct ctb_tap tap[CTB_TAPS];
    for (int ip = first; ip < last; ip++)
        for (int phase = 0; phase < min(stride_w, q); phase++) {
            const int taps = ctb_taps(tap, &g, ip, phase, x_sh), pixels = ONN_DIV_UP(q - phase, stride_w);
            for (int kt = get_group_id(1) * kt_group; kt < kt_last; kt++) {
                const int kb = onn_tile_block(kt, k_blocks), nv = onn_tile_block(kt + 1, k_blocks) - kb;
                const long kg = (long)grp * k_blocks + kb;
                const struct onn_out o = {ONN_PTR(y) + in * y_sn + kg * y_sc + ip * y_sh,
                                          ONN_PTR(res) + in * res_sn + kg * res_sc + ip * res_sh, ONN_PTR(bias) + kg * VL,
                                          y_sc, res_sc, has_res, k - (int)kg * VL, nv, lo, hi, epi_kind, epi_a, epi_b,
                                          ONN_FIRST | ONN_LAST};
                global const float *wt = ONN_PTR(w) + kg * w_sk;
                for (int j = 0, np; j < pixels; j += np) {
                    ONN_V acc[TILE_ACC];
                    struct onn_px px[TILE_PX];
                    np = onn_tile_pixels(pixels - j, nv);
                    for (int i = 0; i < np; i++)
                        px[i].y = px[i].res = (phase + (long)(j + i) * stride_w) * VL;
                    if (nv == 3)
                        ctb_tile_3(acc, j, np, tap, taps, xg, x_sc, wt, w_sc, w_sk, c_blocks, wd, zero);
                    else if (nv == 2)
                        ctb_tile_2(acc, j, np, tap, taps, xg, x_sc, wt, w_sc, w_sk, c_blocks, wd, zero);
                    else
                        ctb_tile_1(acc, j, np, tap, taps, xg, x_sc, wt, w_sc, w_sk, c_blocks, wd, zero);
                    onn_tile_store(acc, np, &o, px);
                }
            }
        }
}

/* Packs w[C][K/groups][R][S] into [groups][k_blocks][c_blocks][R][S][VL c][VL k] with zeros in the tails, or, with c 0,
 * writes nothing but zeros. Global size { c_blocks, groups * k_blocks, 1 }; k, c: channels of one group. */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void convtranspose_pack(ONN_IN(float, w), ONN_OUT(float, u), int k,
                                                                              int c, int r, int s)
{
    const int cb = get_group_id(0), c_blocks = get_num_groups(0), k_blocks = ONN_DIV_UP(k, VL), rs = r * s;
    const int grp = get_group_id(1) / k_blocks, kb = get_group_id(1) % k_blocks;
    global const float *src = ONN_PTR(w) + (long)grp * c * k * rs;
    global float *dst = ONN_PTR(u) + ((long)get_group_id(1) * c_blocks + cb) * rs * VL * VL;
    for (int t = 0; t < rs; t++)
        for (int i = 0; i < VL; i++)
            for (int j = 0; j < VL; j++) {
                const int ci = cb * VL + i, kj = kb * VL + j;
                *dst++ = ci < c && kj < k ? src[((long)ci * k + kj) * rs + t] : 0.0f;
            }
}
