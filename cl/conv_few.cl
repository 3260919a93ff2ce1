/* Convolution with few output channels for vector CPUs: vectors lie along the columns, so that no lane is wasted. Plain
 * input and output; any R, S, row stride, dilation, pads; column stride 1, one group.
 *
 * Arguments  x: [N][C][H][W], y, res: [N][K][P][Q], strides n, channel, row by argument, columns side by side; w:
 *            [K][C][R][S] by strides; bias and res may be any tensor where has_bias, has_res are 0.
 * Defines    ONN_F16 (lib/stored.h), VL (8); ONN_EPI_KIND optional. (s - 1) * dil_w <= 64.
 * Work       one work-item per work-group; global size { ceil(p / rows), n, 1 }.
 * Method     tile of up to 4 channels x some vectors of columns over [c][r][s], weights broadcast. A tile whose taps leave
 *            the row reads it through a short copy with zeros. Own design.
 */
#include "lib/stored.h"

#define FEW_VECTORS 8 /* most of a tile */
#define FEW_LINE (FEW_VECTORS * VL + 64)
#define FEW_ACC 12

struct few_geo {
    int c, h, w, q, r, s, pad_w, dil_h, dil_w;
    long x_sc, x_sh, w_sk, w_sc, w_sr, w_ss;
};

ONN_INLINE ONN_V few_load_line(const float *p)
{
    return ONN_CAT(vload, VL)(0, p);
}

/* acc[k * px + i] += one tap: inputs from memory or from the line. */
ONN_INLINE void few_tap(const int kn, const int px, ONN_V *acc, const ONN_V *x, global const ONN_S *w, long w_sk)
{
#pragma unroll
    for (int k = 0; k < 4; k++)
        if (k < kn) {
            const ONN_V b = (ONN_V)(ONN_SGET(w + k * w_sk));
#pragma unroll
            for (int i = 0; i < FEW_VECTORS; i++)
                if (i < px)
                    acc[k * px + i] = fma(x[i], b, acc[k * px + i]);
        }
}

/* Sums of px vectors of columns from q0 for kn channels; x: row of tap r0, column 0. */
ONN_INLINE void few_tile(const int kn, const int px, ONN_V *out, global const ONN_S *x, global const ONN_S *w, int q0,
                         int rows, const struct few_geo *g)
{
    ONN_V acc[FEW_ACC];
    const int x0 = q0 - g->pad_w, width = px * VL + (g->s - 1) * g->dil_w;
    const int inside = x0 >= 0 && x0 + width <= g->w;
#pragma unroll
    for (int i = 0; i < FEW_ACC; i++)
        acc[i] = (ONN_V)(0.0f);
    for (int c = 0; c < g->c; c++, x += g->x_sc, w += g->w_sc)
        for (int r = 0; r < rows; r++) {
            global const ONN_S *row = x + r * g->dil_h * g->x_sh + x0, *wr = w + r * g->w_sr;
            if (inside) {
                for (int s = 0; s < g->s; s++) {
                    ONN_V v[FEW_VECTORS];
#pragma unroll
                    for (int i = 0; i < FEW_VECTORS; i++)
                        if (i < px)
                            v[i] = ONN_SLOAD(row + s * g->dil_w + i * VL);
                    few_tap(kn, px, acc, v, wr + s * g->w_ss, g->w_sk);
                }
            } else {
                float line[FEW_LINE];
                for (int i = 0; i < width; i++)
                    line[i] = (uint)(x0 + i) < (uint)g->w ? ONN_SGET(row + i) : 0.0f;
                for (int s = 0; s < g->s; s++) {
                    ONN_V v[FEW_VECTORS];
#pragma unroll
                    for (int i = 0; i < FEW_VECTORS; i++)
                        if (i < px)
                            v[i] = few_load_line(line + s * g->dil_w + i * VL);
                    few_tap(kn, px, acc, v, wr + s * g->w_ss, g->w_sk);
                }
            }
        }
#pragma unroll
    for (int i = 0; i < FEW_ACC; i++)
        if (i < kn * px)
            out[i] = acc[i];
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_few(
    ONN_IN(ONN_S, x), ONN_IN(ONN_S, w), ONN_OUT(ONN_S, y), ONN_IN(ONN_S, bias), ONN_IN(ONN_S, res), int c, int h, int wd,
    int k, int p, int q, int r, int s, int stride_h, int pad_h, int pad_w, int dil_h, int dil_w, long x_sn, long x_sc,
    long x_sh, long y_sn, long y_sc, long y_sh, long res_sn, long res_sc, long res_sh, long w_sk, long w_sc, long w_sr,
    long w_ss, int rows, int has_bias, int has_res, float lo, float hi, int epi_kind, float epi_a, float epi_b)
{
    const struct few_geo g = {c, h, wd, q, r, s, pad_w, dil_h, dil_w, x_sc, x_sh, w_sk, w_sc, w_sr, w_ss};
    const int p0 = get_group_id(0) * rows, p1 = min(p0 + rows, p), in = get_group_id(1);
    for (int ip = p0; ip < p1; ip++) {
        const int top = ip * stride_h - pad_h, r0 = top >= 0 ? 0 : (-top + dil_h - 1) / dil_h;
        const int r1 = top >= h ? 0 : min(r, (h - 1 - top) / dil_h + 1), taps = max(r1 - r0, 0);
        global const ONN_S *xr = ONN_PTR(x) + in * x_sn + (top + r0 * dil_h) * x_sh;
        for (int k0 = 0; k0 < k; k0 += 4) {
            const int kn = min(k - k0, 4), px = kn == 1 ? 8 : kn == 2 ? 5 : 3;
            global const ONN_S *wr = ONN_PTR(w) + k0 * w_sk + r0 * w_sr;
            for (int q0 = 0; q0 < q; q0 += px * VL) {
                ONN_V acc[FEW_ACC];
                if (kn == 1)
                    few_tile(1, 8, acc, xr, wr, q0, taps, &g);
                else if (kn == 2)
                    few_tile(2, 5, acc, xr, wr, q0, taps, &g);
                else if (kn == 3)
                    few_tile(3, 3, acc, xr, wr, q0, taps, &g);
                else
                    few_tile(4, 3, acc, xr, wr, q0, taps, &g);
                for (int i = 0; i < kn * px; i++) {
                    const int at = k0 + i / px, col = q0 + i % px * VL, left = min(q - col, VL);
                    if (left <= 0)
                        continue;
                    global ONN_S *to = ONN_PTR(y) + in * y_sn + at * y_sc + ip * y_sh + col;
                    ONN_V t = acc[i];
                    if (has_bias)
                        t += (ONN_V)(ONN_SGET(ONN_PTR(bias) + at));
                    if (has_res)
                        t += onn_sload_part(ONN_PTR(res) + in * res_sn + at * res_sc + ip * res_sh + col, left);
                    t = t < (ONN_V)(lo) ? (ONN_V)(lo) : t;
                    t = t > (ONN_V)(hi) ? (ONN_V)(hi) : t;
#ifdef ONN_EPI
                    t = ONN_EPI(t, epi_kind, epi_a, epi_b);
#endif
                    if (left == VL) {
                        ONN_SSTORE(t, to);
                    } else {
                        float part[VL];
                        ONN_CAT(vstore, VL)(t, 0, part);
                        for (int j = 0; j < left; j++)
                            ONN_SPUT(part[j], to + j);
                    }
                }
            }
        }
    }
}
