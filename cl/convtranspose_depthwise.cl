/* Depthwise transposed convolution (one filter per channel, K = C = groups) on blocked data for vector CPUs, which is
 * also the data gradient of a depthwise convolution: 1-D and 2-D, any stride, dilation, pads.
 *
 * Layout   x, y, res: [N][channels/VL][H][W][VL], strides in elements by argument (pixel stride VL).
 *          Pad lanes of the last channel block are zero in x and res, and are left zero in y.
 * Weights  packed by conv2d_pack_depthwise: [c_blocks][R][S][VL]. R and S are at most CTD_SIDE.
 * Work     one work-item per work-group; global size { ceil(p / rows_group), ceil(c_blocks / cb_group), n } with
 *          c_blocks = ceil(c / VL). A work-group computes rows_group output rows of cb_group channel blocks of an image.
 * Defines  ONN_F16 (lib/stored.h; packed weights stay float), VL (8), CTD_SIDE (16); ONN_EPI optional.
 * Method   the columns of a row fall into stride_w phases; the pixels of one phase see the same taps at neighbouring
 *          inputs: a gather of few taps, 8 or 4 pixels at a time, one by one where a tap leaves the row. The taps of a
 *          phase are found once for all channel blocks. Memory bound. Own design.
 */
#include "lib/stored.h"

#ifndef CTD_SIDE
#define CTD_SIDE 16
#endif

/* A tap of a phase: its first pixel reads input column col, which stands at x; the weight at w. */
struct ctd_tap {
    long x, w;
    int col;
};

struct ctd_end {
    int has_res, left; /* left: channels in this block, masks the tail */
    float lo, hi;
    int kind;
    float a, b;
    long step; /* from a pixel of the phase to the next in y and res */
};

#define CTD_FN static __attribute__((noinline))
#define CTD_LOOP(i, n) _Pragma("unroll") for (int i = 0; i < (n); i++)

ONN_INLINE void ctd_store(ONN_V t, global ONN_S *y, global const ONN_S *res, const struct ctd_end *e)
{
    if (e->has_res)
        t += ONN_SLOAD(res);
    t = t < (ONN_V)(e->lo) ? (ONN_V)(e->lo) : t;
    t = t > (ONN_V)(e->hi) ? (ONN_V)(e->hi) : t;
#ifdef ONN_EPI
    t = ONN_EPI(t, e->kind, e->a, e->b);
#endif
    ONN_SSTORE(onn_mask(t, e->left), y);
}

/* MR neighbouring pixels of a phase, all of whose taps lie inside the row. */
#define CTD_RUN(MR, name)                                                                                              \
    CTD_FN void name(global const ONN_S *x, global const float *w, global ONN_S *y, global const ONN_S *res,           \
        ONN_V bias, const struct ctd_tap *tap, int taps, const struct ctd_end *e)                                      \
    {                                                                                                                  \
        ONN_V acc[MR];                                                                                                 \
        CTD_LOOP(i, MR) acc[i] = bias;                                                                                 \
        for (int t = 0; t < taps; t++) {                                                                               \
            const ONN_V b = ONN_LOAD(w + tap[t].w);                                                                    \
            global const ONN_S *a = x + tap[t].x;                                                                      \
            CTD_LOOP(i, MR) acc[i] = fma(ONN_SLOAD(a + i * VL), b, acc[i]);                                            \
        }                                                                                                              \
        CTD_LOOP(i, MR) ctd_store(acc[i], y + i * e->step, res + i * e->step, e);                                      \
    }
CTD_RUN(8, ctd_run_8)
CTD_RUN(4, ctd_run_4)

/* Pixels j0 … j1 - 1 one by one over the taps that they reach. */
CTD_FN void ctd_edge(int j0, int j1, int width, global const ONN_S *x, global const float *w, global ONN_S *y,
    global const ONN_S *res, ONN_V bias, const struct ctd_tap *tap, int taps, const struct ctd_end *e)
{
    for (int j = j0; j < j1; j++) {
        ONN_V acc = bias;
        for (int t = 0; t < taps; t++)
            if ((uint)(tap[t].col + j) < (uint)width)
                acc = fma(ONN_SLOAD(x + tap[t].x + (long)j * VL), ONN_LOAD(w + tap[t].w), acc);
        ctd_store(acc, y + j * e->step, res + j * e->step, e);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void convtranspose_depthwise(ONN_IN(ONN_S, x), ONN_IN(ONN_S, w),
    ONN_OUT(ONN_S, y), ONN_IN(ONN_S, bias), ONN_IN(ONN_S, res), int c, int h, int wd, int p, int q, int r, int s,
    int stride_h, int stride_w, int pad_h, int pad_w, int dil_h, int dil_w, long x_sn, long x_sc, long x_sh, long y_sn,
    long y_sc, long y_sh, long res_sn, long res_sc, long res_sh, int rows_group, int cb_group, int has_res, float lo,
    float hi, int epi_kind, float epi_a, float epi_b)
{
    struct ctd_end e = {has_res, VL, lo, hi, epi_kind, epi_a, epi_b, (long)stride_w * VL};
    const int p0 = get_group_id(0) * rows_group, p1 = min(p0 + rows_group, p), in = get_group_id(2);
    const int cb0 = get_group_id(1) * cb_group, cb1 = min(cb0 + cb_group, ONN_DIV_UP(c, VL));
    int phase_of[CTD_SIDE], col_of[CTD_SIDE]; /* of every column of the filter; the first pixels may miss it */
    for (int i = 0; i < s; i++) {
        const int off = i * dil_w - pad_w, rest = off % stride_w;
        phase_of[i] = rest < 0 ? rest + stride_w : rest;
        col_of[i] = (phase_of[i] - off) / stride_w;
    }
    for (int ip = p0; ip < p1; ip++)
        for (int phase = 0; phase < min(stride_w, q); phase++) {
            struct ctd_tap tap[CTD_SIDE * CTD_SIDE];
            const int pixels = ONN_DIV_UP(q - phase, stride_w);
            int taps = 0, j0 = 0, j1 = pixels; /* between them all taps are inside */
            for (int i = 0; i < r; i++) {
                const int off = ip + pad_h - i * dil_h;
                if (off < 0 || off % stride_h || off / stride_h >= h)
                    continue;
                for (int k = 0; k < s; k++)
                    if (phase_of[k] == phase) {
                        tap[taps].col = col_of[k];
                        tap[taps].x = off / stride_h * x_sh + (long)col_of[k] * VL;
                        tap[taps++].w = (long)(i * s + k) * VL;
                        j0 = max(j0, -col_of[k]);
                        j1 = min(j1, wd - col_of[k]);
                    }
            }
            j0 = min(j0, pixels);
            j1 = max(j1, j0);
            for (int cb = cb0; cb < cb1; cb++) {
                global const ONN_S *xr = ONN_PTR(x) + in * x_sn + cb * x_sc;
                global const float *wr = ONN_PACKED(w) + (long)cb * r * s * VL;
                global const ONN_S *rr = ONN_PTR(res) + in * res_sn + cb * res_sc + ip * res_sh + phase * VL;
                global ONN_S *yr = ONN_PTR(y) + in * y_sn + cb * y_sc + ip * y_sh + phase * VL;
                int j = j0;
                e.left = c - cb * VL;
                const ONN_V bias = onn_sload_part(ONN_PTR(bias) + cb * VL, e.left);
                ctd_edge(0, j0, wd, xr, wr, yr, rr, bias, tap, taps, &e);
                for (; j + 8 <= j1; j += 8)
                    ctd_run_8(xr + (long)j * VL, wr, yr + j * e.step, rr + j * e.step, bias, tap, taps, &e);
                if (j + 4 <= j1) {
                    ctd_run_4(xr + (long)j * VL, wr, yr + j * e.step, rr + j * e.step, bias, tap, taps, &e);
                    j += 4;
                }
                ctd_edge(j, pixels, wd, xr, wr, yr, rr, bias, tap, taps, &e);
            }
        }
}
