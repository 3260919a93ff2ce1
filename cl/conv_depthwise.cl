/* Depthwise convolution (one filter per channel, K = C) on blocked data for vector CPUs: any size, stride,
 * dilation, pads.
 *
 * Layout   x, y, res: [N][channels/VL][H][W][VL], strides in elements by argument (pixel stride VL).
 *          Pad lanes of the last channel block are zero in x and res, and are left zero in y.
 * Weights  packed by conv2d_pack_depthwise: [c_blocks][R][S][VL].
 * Work     one work-item per work-group; global size
 *          { ceil(p / rows_group), ceil(c_blocks / cb_group), n } with c_blocks = ceil(c / VL).
 *          A work-group computes rows_group output rows of cb_group channel blocks of one image.
 * Defines  ONN_F16 (lib/stored.h; packed weights stay float), VL (8); ONN_EPI optional.
 * Method   columns whose taps all lie inside the image go by 8 and 4 with one accumulator per pixel; the few
 *          at the edges go one by one over their valid taps. Memory bound. Own design.
 */
#include "lib/stored.h"

struct dw_geo {
    int h, w, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    long x_sh, y_sh, res_sh;
    int has_res, left; /* left: channels in this block, masks the tail */
    float lo, hi;
    int kind;
    float a, b;
};

/* First index i >= 0 with i * step + base >= 0, and one past the last below n with i * step + base < size. */
ONN_INLINE int dw_from(int base, int step)
{
    return base >= 0 ? 0 : step == 1 ? -base : (step - 1 - base) / step; /* division is slow, step mostly 1 */
}
ONN_INLINE int dw_to(int base, int step, int size, int n)
{
    return base >= size ? 0 : min(n, step == 1 ? size - base : (size - 1 - base) / step + 1);
}

/* Macros and functions that are not inlined keep the compile time low, see lib/tile.h. */
#define DW_FN static __attribute__((noinline))
#define DW_LOOP(i, n) _Pragma("unroll") for (int i = 0; i < (n); i++)

/* Residual, clip, mask and store of MR sums; acc already holds the bias. */
#define DW_END(MR, acc, y, res, g)                                                                                     \
    if ((g)->has_res)                                                                                                  \
        DW_LOOP(i_, MR) acc[i_] += ONN_SLOAD((res) + i_ * VL);                                                         \
    DW_LOOP(i_, MR) acc[i_] = dw_clip(acc[i_], (g)->lo, (g)->hi);                                                      \
    if ((g)->left < VL)                                                                                                \
        DW_LOOP(i_, MR) acc[i_] = onn_mask(acc[i_], (g)->left);                                                        \
    DW_LOOP(i_, MR) ONN_SSTORE(acc[i_], (y) + i_ * VL);

ONN_INLINE ONN_V dw_clip(ONN_V t, float lo, float hi)
{
    t = t < (ONN_V)(lo) ? (ONN_V)(lo) : t;
    return t > (ONN_V)(hi) ? (ONN_V)(hi) : t;
}

/* MR pixels of a row whose columns are all inside, S taps wide, stride ST, dil_w 1, so that every address is a constant
 * away. x: first tap (row r0, column 0) of the first pixel. */
#define DW_RUN(MR, S, ST, name)                                                                                        \
    DW_FN void name(global const ONN_S *x, global const float *w, global ONN_S *y, global const ONN_S *res, ONN_V bias, \
        int rows, const struct dw_geo *g)                                                                              \
    {                                                                                                                  \
        ONN_V acc[MR];                                                                                                 \
        DW_LOOP(i, MR) acc[i] = bias;                                                                                  \
        for (int r = 0; r < rows; r++, x += g->dil_h * g->x_sh, w += (S) * VL)                                         \
            DW_LOOP(s, S)                                                                                              \
            {                                                                                                          \
                const ONN_V b = ONN_LOAD(w + s * VL);                                                                  \
                DW_LOOP(i, MR) acc[i] = fma(ONN_SLOAD(x + (s + i * (ST)) * VL), b, acc[i]);                            \
            }                                                                                                          \
        DW_END(MR, acc, y, res, g)                                                                                     \
    }

/* The same for any width, stride and dilation. */
#define DW_RUN_ANY(MR, S, ST, name)                                                                                    \
    DW_FN void name(global const ONN_S *x, global const float *w, global ONN_S *y, global const ONN_S *res, ONN_V bias, \
        int rows, const struct dw_geo *g)                                                                              \
    {                                                                                                                  \
        ONN_V acc[MR];                                                                                                 \
        const int px = g->stride_w * VL, dil = g->dil_w * VL;                                                          \
        DW_LOOP(i, MR) acc[i] = bias;                                                                                  \
        for (int r = 0; r < rows; r++, x += g->dil_h * g->x_sh)                                                        \
            for (int s = 0; s < g->s; s++, w += VL) {                                                                  \
                const ONN_V b = ONN_LOAD(w);                                                                           \
                DW_LOOP(i, MR) acc[i] = fma(ONN_SLOAD(x + s * dil + i * px), b, acc[i]);                               \
            }                                                                                                          \
        DW_END(MR, acc, y, res, g)                                                                                     \
    }

/* Defines `name`: columns q0 .. q1-1, all inside, by 8 and 4; returns the first one not done. */
#define DW_INNER(RUN, S, ST, name)                                                                                     \
    RUN(8, S, ST, name##_8)                                                                                            \
    RUN(4, S, ST, name##_4)                                                                                            \
    DW_FN int name(int q0, int q1, global const ONN_S *x, global const float *w, global ONN_S *y,                      \
        global const ONN_S *res, ONN_V bias, int rows, const struct dw_geo *g)                                         \
    {                                                                                                                  \
        const long step = g->stride_w * VL;                                                                            \
        for (; q0 + 8 <= q1; q0 += 8)                                                                                  \
            name##_8(x + q0 * step, w, y + q0 * VL, res + q0 * VL, bias, rows, g);                                     \
        if (q0 + 4 <= q1) {                                                                                            \
            name##_4(x + q0 * step, w, y + q0 * VL, res + q0 * VL, bias, rows, g);                                     \
            q0 += 4;                                                                                                   \
        }                                                                                                              \
        return q0;                                                                                                     \
    }

DW_INNER(DW_RUN, 3, 1, dw_3x1)
DW_INNER(DW_RUN, 3, 2, dw_3x2)
DW_INNER(DW_RUN, 5, 1, dw_5x1)
DW_INNER(DW_RUN, 5, 2, dw_5x2)
DW_INNER(DW_RUN_ANY, 0, 0, dw_any)

/* Columns q0 .. q1-1 one by one; x: tap (r0, 0) of column 0, which may lie outside. */
DW_FN void dw_edge(int q0, int q1, global const ONN_S *x, global const float *w, global ONN_S *y,
    global const ONN_S *res, ONN_V bias, int rows, const struct dw_geo *g)
{
    for (int q = q0; q < q1; q++) {
        const int base = q * g->stride_w - g->pad_w, s0 = dw_from(base, g->dil_w),
                  s1 = dw_to(base, g->dil_w, g->w, g->s);
        ONN_V acc = bias;
        for (int r = 0; r < rows; r++)
            for (int s = s0; s < s1; s++)
                acc = fma(ONN_SLOAD(x + r * g->dil_h * g->x_sh + (long)(q * g->stride_w + s * g->dil_w) * VL),
                    ONN_LOAD(w + (r * g->s + s) * VL), acc);
        DW_END(1, (&acc), y + q * VL, res + q * VL, g)
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_depthwise(ONN_IN(ONN_S, x),
    ONN_IN(ONN_S, w), ONN_OUT(ONN_S, y), ONN_IN(ONN_S, bias), ONN_IN(ONN_S, res), int c, int h, int wd, int p,
    int q, int r, int s, int stride_h, int stride_w, int pad_h, int pad_w, int dil_h, int dil_w, long x_sn,
    long x_sc, long x_sh, long y_sn, long y_sc, long y_sh, long res_sn, long res_sc, long res_sh,
    int rows_group, int cb_group, int has_res, float lo, float hi, int epi_kind, float epi_a, float epi_b)
{
    struct dw_geo g = {h, wd, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w, x_sh, y_sh, res_sh,
        has_res, VL, lo, hi, epi_kind, epi_a, epi_b};
    const int p0 = get_group_id(0) * rows_group, p1 = min(p0 + rows_group, p), in = get_group_id(2);
    const int cb0 = get_group_id(1) * cb_group, cb1 = min(cb0 + cb_group, ONN_DIV_UP(c, VL));
    /* columns with all taps inside: left of q0 some tap is before column 0, from q1 on one is past the end */
    const int q0 = min(q, dw_from(-pad_w, stride_w)),
              q1 = max(q0, dw_to((s - 1) * dil_w - pad_w, stride_w, wd, q));
    const int kind = dil_w == 1 ? s * 10 + stride_w : 0;
    for (int cb = cb0; cb < cb1; cb++) {
        g.left = c - cb * VL;
        const ONN_V bias = onn_sload_part(ONN_PTR(bias) + cb * VL, g.left);
        for (int ip = p0; ip < p1; ip++) {
            const int top = ip * stride_h - pad_h, r0 = dw_from(top, dil_h),
                      rows = dw_to(top, dil_h, h, r) - r0;
            global const ONN_S *xr =
                ONN_PTR(x) + in * x_sn + cb * x_sc + (top + r0 * dil_h) * x_sh - (long)pad_w * VL;
            global const float *wr = ONN_PACKED(w) + ((long)cb * r + r0) * s * VL;
            global const ONN_S *res_r = ONN_PTR(res) + in * res_sn + cb * res_sc + ip * res_sh;
            global ONN_S *yr = ONN_PTR(y) + in * y_sn + cb * y_sc + ip * y_sh;
            int iq;
            dw_edge(0, q0, xr, wr, yr, res_r, bias, rows, &g);
            if (kind == 31)
                iq = dw_3x1(q0, q1, xr, wr, yr, res_r, bias, rows, &g);
            else if (kind == 32)
                iq = dw_3x2(q0, q1, xr, wr, yr, res_r, bias, rows, &g);
            else if (kind == 51)
                iq = dw_5x1(q0, q1, xr, wr, yr, res_r, bias, rows, &g);
            else if (kind == 52)
                iq = dw_5x2(q0, q1, xr, wr, yr, res_r, bias, rows, &g);
            else
                iq = dw_any(q0, q1, xr, wr, yr, res_r, bias, rows, &g);
            dw_edge(iq, q, xr, wr, yr, res_r, bias, rows, &g);
#ifdef ONN_EPI
            for (int i = 0; i < q; i++)
                ONN_SSTORE(onn_mask(ONN_EPI(ONN_SLOAD(yr + i * VL), epi_kind, epi_a, epi_b), g.left),
                    yr + i * VL);
#endif
        }
    }
}

/* Packs w[C][1][R][S] into [c_blocks][R][S][VL] with zeros in the tail. Global size { ceil(k / VL), 1, 1 }; k: channels,
 * c: 1, not looked at. */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_pack_depthwise(ONN_IN(ONN_S, w),
    ONN_OUT(ONN_S, u), int k, int c, int r, int s)
{
    const int cb = get_group_id(0), rs = r * s;
    global float *dst = ONN_PACKED_OUT(u) + (long)cb * rs * VL;
    for (int t = 0; t < rs; t++)
        for (int j = 0; j < VL; j++)
            dst[t * VL + j] = cb * VL + j < k ? ONN_SGET(ONN_PTR(w) + (long)(cb * VL + j) * rs + t) : 0.0f;
}
