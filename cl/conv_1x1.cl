/* 1x1 convolution without pads on blocked data for vector CPUs, any stride: a matrix product of flat pixels.
 *
 * Layout   x, y, res: [N][channels/VL][H][W][VL], strides in elements by argument (pixel stride VL).
 *          Pad lanes of the last channel block are zero in x and res, and are left zero in y.
 * Weights  packed by conv2d_pack_blocked with R = S = 1: [groups][k_blocks][c_blocks][VL c][VL k];
 *          k_blocks, c_blocks count blocks of one group.
 * Work     one work-item per work-group; global size
 *          { ceil(n*p*q / px_group), ceil(ceil(k_blocks / 3) / kt_group), groups }.
 *          A work-group computes px_group (<= ONN_PX_GROUP) flat pixels (of all images) x kt_group tiles of up to 3 blocks of
 *          output channels. c_chunk channel blocks are summed at a time (c_blocks: no splitting), so that a
 *          weight panel of c_chunk * VL x 3 * VL floats and the pixels' inputs stay in cache; partial sums wait
 *          in y. y may be the same memory as res, not as x.
 *          c_one, k_one: channels of the groups that the packing merged into one; a tile reads the channel blocks of
 *          its own groups only (then c_chunk is c_blocks). Without merging all channels of the group.
 * Defines  ONN_F16 (lib/stored.h; packed weights stay float, c_chunk is c_blocks), VL (8), tile sizes TILE_M*, ONN_PX_GROUP (64) (lib/tile.h); ONN_EPI optional.
 * Method   register tile of lib/tile.h over [c]. Own design.
 */
#include "lib/vec.h"
#include "lib/tile.h"

/* Sums of MR pixels x NV blocks over c_blocks channel blocks; see ONN_TILE_END. */
#define ONE_TILE(MR, NV, name)                                                                                         \
    ONN_TILE_FN int name(ONN_V *out, const struct onn_px *px, int n, const struct onn_out *o,                          \
        global const ONN_S *x, long x_sc, global const float *w, long w_sk, int c_blocks)                              \
    {                                                                                                                  \
        ONN_V acc[(MR) * (NV)];                                                                                        \
        global const ONN_S *src[MR];                                                                                   \
        ONN_TILE_ZERO(MR, NV, acc);                                                                                    \
        for (int cb = 0; cb < c_blocks; cb++, x += x_sc, w += VL * VL) {                                               \
            ONN_LOOP(i, MR) src[i] = x + px[i].x;                                                                      \
            ONN_TILE_STEP(MR, NV, acc, src, w, w_sk)                                                                   \
        }                                                                                                              \
        ONN_TILE_END(MR, NV, out, acc, n, o, px);                                                                      \
    }
ONN_TILE_SHAPES(ONE_TILE, one_tile)

struct one_geo {
    int p, q, stride_h, stride_w;
    long x_sn, x_sh, y_sn, y_sh, res_sn, res_sh;
};

/* Fills px for pixels m .. m+n-1 of [N][P][Q] and repeats the last one TILE_PX times. */
ONN_TILE_FN void one_pixels(struct onn_px *px, int m, int n, const struct one_geo *g)
{
    int in = m / (g->p * g->q), ip = m % (g->p * g->q) / g->q, iq = m % g->q;
    for (int i = 0; i < n + TILE_PX; i++) {
        px[i].x = in * g->x_sn + ip * g->stride_h * g->x_sh + (long)(iq * g->stride_w) * VL;
        px[i].y = in * g->y_sn + ip * g->y_sh + (long)iq * VL;
        px[i].res = in * g->res_sn + ip * g->res_sh + (long)iq * VL;
        if (i < n - 1 && ++iq == g->q) {
            iq = 0;
            if (++ip == g->p) {
                ip = 0;
                in++;
            }
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_1x1(ONN_IN(ONN_S, x), ONN_IN(ONN_S, w),
    ONN_OUT(ONN_S, y), ONN_IN(ONN_S, bias), ONN_IN(ONN_S, res), int n, int c_blocks, int k, int k_blocks,
    int p, int q, int stride_h, int stride_w, long x_sn, long x_sc, long x_sh, long y_sn, long y_sc,
    long y_sh, long res_sn, long res_sc, long res_sh, int c_one, int k_one, int px_group, int kt_group, int c_chunk,
    int has_res, float lo, float hi, int epi_kind, float epi_a, float epi_b)
{
    const struct one_geo g = {p, q, stride_h, stride_w, x_sn, x_sh, y_sn, y_sh, res_sn, res_sh};
    const int first = get_group_id(0) * px_group, last = min(first + px_group, n * p * q),
              grp = get_group_id(2);
    const int kt_last = min((int)(get_group_id(1) + 1) * kt_group, ONN_DIV_UP(k_blocks, TILE_N));
    const long w_sk = (long)c_blocks * VL * VL;
    struct onn_px px[ONN_PX_GROUP + TILE_PX];
    one_pixels(px, first, last - first, &g);
    for (int cb = 0; cb < c_blocks; cb += c_chunk) {
        const int cn = min(c_chunk, c_blocks - cb);
        const int steps = (cb == 0 ? ONN_FIRST : 0) | (cb + cn == c_blocks ? ONN_LAST : 0);
        global const ONN_S *xc = ONN_PTR(x) + ((long)grp * c_blocks + cb) * x_sc;
        for (int kt = get_group_id(1) * kt_group; kt < kt_last; kt++) {
            const int kb = onn_tile_block(kt, k_blocks), nv = onn_tile_block(kt + 1, k_blocks) - kb;
            const long kg = (long)grp * k_blocks + kb;
            const int own = onn_own_first(kb, c_one, k_one), own_n = onn_own_end(kb + nv, c_blocks, c_one, k_one) - own;
            const int merged = c_one < c_blocks * VL;
            const struct onn_out o = {ONN_PTR(y) + kg * y_sc, ONN_PTR(res) + kg * res_sc,
                ONN_PTR(bias) + kg * VL, y_sc, res_sc, has_res, k - (int)kg * VL, nv, lo, hi, epi_kind, epi_a,
                epi_b, steps};
            global const float *wt = ONN_PACKED(w) + kg * w_sk + (long)(merged ? own : cb) * VL * VL;
            global const ONN_S *xt = merged ? xc + own * x_sc : xc;
            for (int m = 0, np; m < last - first; m += np) {
                ONN_V acc[TILE_ACC];
                np = onn_tile_pixels(last - first - m, nv);
                if (!ONN_TILE_CALL(one_tile, np, nv, (acc, px + m, np, &o, xt, x_sc, wt, w_sk, merged ? own_n : cn)))
                    onn_tile_store(acc, np, &o, px + m);
            }
        }
    }
}
