/* Depthwise convolution (one input channel a group) for GPUs, plain and channels last, forward and transposed: the second is
 * the data gradient of a strided one.
 *
 * conv_strips            an item computes DWS_M outputs below each other: a row of the input is loaded once for all of them
 * convtranspose_strips   the same of the transposed operator; strips begin where the first output meets tap 0 of an input row
 * Arguments  x, w, bias, res, y: tensors of ONN_T with the strides of struct convt_args (lib/simt_conv.h); bias and res may be
 *            any tensor where has_bias, has_res are 0. channels: of y; strips: of a column.
 * Defines    DWS_R, DWS_S: taps; DWS_STRIDE, DWS_DIL: both for rows and columns; DWS_M; ONN_F16, ONN_EPI_KIND optional
 *            (lib/elem.h). convtranspose_strips: DWS_M is a multiple of DWS_STRIDE.
 * Work       global { n * channels * strips * columns of y } or more, any local size. Neighbouring items have neighbouring
 *            columns (channels last: channels).
 * Rounding   one fp32 sum over the taps, started with 0; bias, residual, clip.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/simt.h"
#include "lib/simt_conv.h"

#ifndef DWS_R
#define DWS_R 3
#define DWS_S 3
#define DWS_STRIDE 1
#define DWS_DIL 1
#define DWS_M 4
#endif

/* Image, channel, strip and column of item e. */
struct dws_at {
    int n, k, strip, q;
};

static inline struct dws_at dws_begin(const struct convt_args *g, const int e, const int channels, const int strips)
{
    const int last = g->channels_last, size0 = last ? channels : g->q, size1 = last ? g->q : strips;
    const int size2 = last ? strips : channels, e1 = e / size0, e2 = e1 / size1;
    const int at0 = e % size0, at1 = e1 % size1, at2 = e2 % size2;
    const struct dws_at at = {e2 / size2, last ? at0 : at2, last ? at2 : at1, last ? at1 : at0};
    return at;
}

ONN_INLINE void dws_weights(float *wv, global const ONN_T *w, const struct convt_args *g, const int k)
{
#pragma unroll
    for (int r = 0; r < DWS_R; r++)
#pragma unroll
        for (int s = 0; s < DWS_S; s++)
            wv[r * DWS_S + s] = ONN_GET(w, k * g->w_s[0] + r * g->w_s[2] + s * g->w_s[3]);
}

/* Rows p0 … p0 + DWS_M - 1 of the item's column, as far as they exist. */
ONN_INLINE void dws_put(const float *acc, const struct convt_args *g, global const ONN_T *bias, global const ONN_T *res,
                        global ONN_T *y, const struct dws_at *at, const int p0)
{
    const float b = g->has_bias ? ONN_GET(bias, at->k * g->bias_s) : 0.0f;
    const long to = at->n * g->y_s[0] + at->k * g->y_s[1] + at->q * g->y_s[3];
    const long from = at->n * g->res_s[0] + at->k * g->res_s[1] + at->q * g->res_s[3];
#pragma unroll
    for (int m = 0; m < DWS_M; m++) {
        const int p = p0 + m;
        if ((uint)p >= (uint)g->p)
            continue;
        float sum = acc[m] + b;
        if (g->has_res)
            sum += ONN_GET(res, from + p * g->res_s[2]);
        ONN_SET(y, to + p * g->y_s[2], ONN_FINISH(onn_elem_clip(sum, g->lo, g->hi), g->act_a, g->act_b));
    }
}

/* acc[m] += row `row` of x, which is i taps' distances below output 0's first input. */
#define DWS_ROW(USES, TAP)                                                                                             \
    _Pragma("unroll") for (int s = 0; s < DWS_S; s++)                                                                  \
    {                                                                                                                  \
        const float v = ok && inside[s] ? ONN_GET(x, row + column[s]) : 0.0f;                                          \
        _Pragma("unroll") for (int m = 0; m < DWS_M; m++) if (USES) acc[m] = fma(v, wv[(TAP)*DWS_S + s], acc[m]);      \
    }

/* Is d the distance of a tap row? */
#define DWS_IS_TAP(d) ((d) >= 0 && (d) % DWS_DIL == 0 && (d) / DWS_DIL < DWS_R)

kernel void conv_strips(ONN_IN(ONN_T, x), ONN_IN(ONN_T, w), ONN_IN(ONN_T, bias), ONN_IN(ONN_T, res), ONN_OUT(ONN_T, y),
                        const struct convt_args g, const int channels, const int strips)
{
    const struct dws_at at = dws_begin(&g, (int)get_global_id(0), channels, strips);
    if (at.n >= g.n)
        return;
    global const ONN_T *x = ONN_PTR(x) + at.n * g.x_s[0] + at.k / g.k_group * g.x_s[1];
    const int h0 = at.strip * DWS_M * DWS_STRIDE - g.pad_h;
    float acc[DWS_M], wv[DWS_R * DWS_S];
    long column[DWS_S];
    int inside[DWS_S];
    dws_weights(wv, ONN_PTR(w), &g, at.k);
#pragma unroll
    for (int m = 0; m < DWS_M; m++)
        acc[m] = 0.0f;
#pragma unroll
    for (int s = 0; s < DWS_S; s++) {
        const int c = at.q * DWS_STRIDE - g.pad_w + s * DWS_DIL;
        inside[s] = (uint)c < (uint)g.w;
        column[s] = c * g.x_s[3];
    }
#pragma unroll
    for (int i = 0; i < (DWS_M - 1) * DWS_STRIDE + (DWS_R - 1) * DWS_DIL + 1; i++) {
        const int ok = (uint)(h0 + i) < (uint)g.h;
        const long row = (h0 + i) * g.x_s[2];
        DWS_ROW(DWS_IS_TAP(i - m * DWS_STRIDE), (i - m * DWS_STRIDE) / DWS_DIL)
    }
    dws_put(acc, &g, ONN_PTR(bias), ONN_PTR(res), ONN_PTR(y), &at, at.strip * DWS_M);
}

/* Input rows that reach into a strip from above. */
#define DWS_ABOVE ((DWS_R - 1) * DWS_DIL / DWS_STRIDE)

kernel void convtranspose_strips(ONN_IN(ONN_T, x), ONN_IN(ONN_T, w), ONN_IN(ONN_T, bias), ONN_IN(ONN_T, res),
                                 ONN_OUT(ONN_T, y), const struct convt_args g, const int channels, const int strips)
{
    const struct dws_at at = dws_begin(&g, (int)get_global_id(0), channels, strips);
    if (at.n >= g.n)
        return;
    global const ONN_T *x = ONN_PTR(x) + at.n * g.x_s[0] + at.k * g.x_s[1];
    const int p0 = at.strip * DWS_M - g.pad_h % DWS_STRIDE, h0 = (p0 + g.pad_h) / DWS_STRIDE; /* no rest */
    float acc[DWS_M], wv[DWS_R * DWS_S];
    long column[DWS_S];
    int inside[DWS_S];
    dws_weights(wv, ONN_PTR(w), &g, at.k);
#pragma unroll
    for (int m = 0; m < DWS_M; m++)
        acc[m] = 0.0f;
#pragma unroll
    for (int s = 0; s < DWS_S; s++) {
        const int v = at.q + g.pad_w - s * DWS_DIL, c = v / DWS_STRIDE;
        inside[s] = v >= 0 && c * DWS_STRIDE == v && c < g.w;
        column[s] = c * g.x_s[3];
    }
#pragma unroll
    for (int i = -DWS_ABOVE; i <= (DWS_M - 1) / DWS_STRIDE; i++) {
        const int ok = (uint)(h0 + i) < (uint)g.h;
        const long row = (h0 + i) * g.x_s[2];
        DWS_ROW(DWS_IS_TAP(m - i * DWS_STRIDE), (m - i * DWS_STRIDE) / DWS_DIL)
    }
    dws_put(acc, &g, ONN_PTR(bias), ONN_PTR(res), ONN_PTR(y), &at, p0);
}
