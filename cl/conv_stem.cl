/* First convolution of a network for vector CPUs: few input channels (1 to about 4) read from plain NCHW, blocked
 * output; any R, S, stride, dilation, pads, one group.
 *
 * Layout   x: [N][C][H][W], strides x_sn, x_sc (channel), x_sh (row), pixel stride 1. y, res: [N][K/VL][P][Q][VL],
 *          strides in elements by argument. Pad lanes of the last channel block are zero in res, and left zero in y.
 * Weights  packed by conv2d_pack_stem: [k_blocks][C][R][S][VL].
 * Work     one work-item per work-group; global size { ceil(p / rows_group), n, ceil(ceil(k_blocks / 3) / kt_group) }.
 *          A work-group computes rows_group output rows of one image for kt_group tiles of up to 3 blocks of channels.
 * Scratch  ws, per work-group of the grid: c * in_rows * pitch floats, where in_rows = (rows_group - 1) * stride_h
 *          + (r - 1) * dil_h + 1 and pitch = (q - 1 + TILE_M1) * stride_w + (s - 1) * dil_w + 1 rounded up to 16.
 * Defines  ONN_F16 (lib/stored.h; packed weights stay float), VL (8), tile sizes TILE_M* (lib/tile.h); ONN_EPI optional.
 * Method   copies the rows it needs with their pads, then a register tile over [c][r][s] without any border. Own design.
 */
#include "lib/vec.h"
#include "lib/tile.h"

struct stem_geo {
    int c, r, s, stride_w, dil_h, dil_w;
    long pitch, plane; /* of the copied rows: between rows, between channels */
};

/* Sums of MR pixels x NV blocks; see ONN_TILE_END. x: row of tap (0, 0), first pixel. */
#define STEM_TILE(MR, NV, name)                                                                                        \
    ONN_TILE_FN int name(ONN_V *out, const struct onn_px *px, int n, const struct onn_out *o, global const float *x,   \
        global const float *w, long w_sk, const struct stem_geo *g)                                                    \
    {                                                                                                                  \
        ONN_V acc[(MR) * (NV)];                                                                                        \
        ONN_TILE_ZERO(MR, NV, acc);                                                                                    \
        for (int c = 0; c < g->c; c++, x += g->plane)                                                                  \
            for (int r = 0; r < g->r; r++) {                                                                           \
                global const float *tap = x + r * g->dil_h * g->pitch;                                                 \
                for (int s = 0; s < g->s; s++, w += VL, tap += g->dil_w) {                                             \
                    ONN_V b[NV];                                                                                       \
                    ONN_LOOP(v, NV) b[v] = ONN_TILE_LOAD(w + v * w_sk);                                                \
                    ONN_LOOP(i, MR)                                                                                    \
                    {                                                                                                  \
                        const ONN_V a = (ONN_V)(tap[i * g->stride_w]);                                                 \
                        ONN_LOOP(v, NV) acc[i * (NV) + v] = fma(a, b[v], acc[i * (NV) + v]);                           \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        ONN_TILE_END(MR, NV, out, acc, n, o, px);                                                                      \
    }
ONN_TILE_SHAPES(STEM_TILE, stem_tile)

/* Copies width floats from column x0 of a row of w floats; what lies outside, or the whole row if !inside, is zero. */
ONN_TILE_FN void stem_row(global float *dst, global const ONN_S *src, int inside, int x0, int w, int width)
{
    int j = 0, from = inside ? clamp(-x0, 0, width) : width, to = inside ? clamp(w - x0, from, width) : width;
    for (; j < from; j++)
        dst[j] = 0.0f;
    for (; j + VL <= to; j += VL)
        ONN_TILE_STORE(ONN_TILE_SLOAD(src + x0 + j), dst + j);
    for (; j < to; j++)
        dst[j] = ONN_SGET(src + x0 + j);
    for (; j < width; j++)
        dst[j] = 0.0f;
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_stem(ONN_IN(ONN_S, x), ONN_IN(ONN_S, w),
    ONN_OUT(ONN_S, y), ONN_IN(ONN_S, bias), ONN_IN(ONN_S, res), ONN_OUT(float, ws), int c, int h, int wd,
    int k, int k_blocks, int p, int q, int r, int s, int stride_h, int stride_w, int pad_h, int pad_w,
    int dil_h, int dil_w, long x_sn, long x_sc, long x_sh, long y_sn, long y_sc, long y_sh, long res_sn,
    long res_sc, long res_sh, int rows_group, int kt_group, int has_res, float lo, float hi, int epi_kind,
    float epi_a, float epi_b)
{
    const int p0 = get_group_id(0) * rows_group, p1 = min(p0 + rows_group, p), in = get_group_id(1);
    const int width = (q - 1) * stride_w + (s - 1) * dil_w + 1,
              in_rows = (rows_group - 1) * stride_h + (r - 1) * dil_h + 1;
    const long pitch = ONN_DIV_UP(width + TILE_M1 * stride_w, 16) * 16;
    const struct stem_geo g = {c, r, s, stride_w, dil_h, dil_w, pitch, in_rows * pitch};
    const long id =
        get_group_id(0) + get_num_groups(0) * (get_group_id(1) + get_num_groups(1) * get_group_id(2));
    global float *rows = ONN_PTR(ws) + id * c * g.plane;
    for (int ic = 0; ic < c; ic++)
        for (int i = 0; i < in_rows; i++) {
            const int y0 = p0 * stride_h - pad_h + i;
            stem_row(rows + ic * g.plane + i * pitch, ONN_PTR(x) + in * x_sn + ic * x_sc + y0 * x_sh,
                y0 >= 0 && y0 < h, -pad_w, wd, width);
        }
    const long w_sk = (long)c * r * s * VL;
    const int kt_last = min((int)(get_group_id(2) + 1) * kt_group, ONN_DIV_UP(k_blocks, TILE_N));
    for (int kt = get_group_id(2) * kt_group; kt < kt_last; kt++) {
        const int kb = onn_tile_block(kt, k_blocks), nv = onn_tile_block(kt + 1, k_blocks) - kb;
        const struct onn_out o = {ONN_PTR(y) + kb * y_sc, ONN_PTR(res) + kb * res_sc, ONN_PTR(bias) + kb * VL,
            y_sc, res_sc, has_res, k - kb * VL, nv, lo, hi, epi_kind, epi_a, epi_b, ONN_FIRST | ONN_LAST};
        global const float *wt = ONN_PACKED(w) + kb * w_sk;
        for (int ip = p0; ip < p1; ip++)
            for (int iq = 0, np; iq < q; iq += np) {
                ONN_V acc[TILE_ACC];
                struct onn_px px[TILE_PX];
                global const float *xt = rows + (ip - p0) * stride_h * pitch + iq * stride_w;
                np = onn_tile_pixels(q - iq, nv);
                for (int i = 0; i < np; i++) {
                    px[i].y = in * y_sn + ip * y_sh + (long)(iq + i) * VL;
                    px[i].res = in * res_sn + ip * res_sh + (long)(iq + i) * VL;
                }
                if (!ONN_TILE_CALL(stem_tile, np, nv, (acc, px, np, &o, xt, wt, w_sk, &g)))
                    onn_tile_store(acc, np, &o, px);
            }
    }
}

/* Packs w[K][C][R][S] into [k_blocks][C][R][S][VL] with zeros in the tail. Global size { k_blocks, 1, 1 }. */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_pack_stem(ONN_IN(ONN_S, w),
    ONN_OUT(ONN_S, u), int k, int c, int r, int s)
{
    const int kb = get_group_id(0), crs = c * r * s;
    global float *dst = ONN_PACKED_OUT(u) + (long)kb * crs * VL;
    for (int t = 0; t < crs; t++)
        for (int j = 0; j < VL; j++)
            dst[t * VL + j] = kb * VL + j < k ? ONN_SGET(ONN_PTR(w) + (long)(kb * VL + j) * crs + t) : 0.0f;
}
