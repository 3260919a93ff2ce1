/* Transposed convolution (a convolution's data gradient) for devices with real local memory, gathered by stride phase:
 * 1-D and 2-D, groups.
 *
 * Arguments  x, w, bias, res, y: tensors of ONN_T with the strides of struct convt_args (lib/simt_conv.h); w is
 *            [C][K / groups][R][S]; bias and res may be any tensor where has_bias, has_res are 0.
 * Defines    SIMT_M (4 or 8), SIMT_K: lib/simt.h, also for local memory; ONN_F16, ONN_EPI_KIND optional (lib/elem.h).
 * Work       groups of 16 x 16; global size { 16 ceil(n * ceil(p / stride_h) * ceil(q / stride_w) / SIMT_T),
 *            16 ceil(k_group / SIMT_T), groups * phases }.
 * Method     outputs whose row and column leave the same rest by the strides meet the same taps: each such phase is a
 *            convolution with stride 1, a matrix product over c and the phase's taps (with channels_last over taps and c).
 * Rounding   one fp32 sum of fused multiply-adds in this order; bias, residual, clip.
 * Source     own design, after the usual implicit GEMM.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/simt.h"
#include "lib/simt_conv.h"

struct ctt_phases {
    int groups, columns; /* phases of a row */
    int step_h, step_w; /* taps of one phase are so far apart: stride / gcd(stride, dilation) */
    int back_h, back_w; /* and bring inputs so far apart: dilation / gcd */
};

/* One dimension of a phase: its outputs, its taps from the first on, the input that the first brings to output 0. */
struct ctt_axis {
    int size, first, taps, from;
};

static inline struct ctt_axis ctt_axis(int phase, int out, int stride, int pad, int dilation, int taps, int step)
{
    struct ctt_axis a = {(out - phase + stride - 1) / stride, 0, 0, 0};
    const int most = min(taps, step);
    while (a.first < most && (phase + pad - a.first * dilation) % stride != 0)
        a.first++;
    if (a.first < most) {
        a.taps = (taps - a.first + step - 1) / step;
        a.from = (phase + pad - a.first * dilation) / stride;
    }
    return a;
}

/* A column's pixel: its image, and the input of the phase's first tap. */
struct ctt_px {
    long base;
    int h, w;
};

/* Place k of the sum as channel and the phase's tap. */
static inline int3 ctt_at(const struct convt_args *g, int k, int inner, float inv_inner, int tap_columns, float inv_s)
{
    const int a = convt_div(k, inv_inner), b = k - a * inner;
    const int tap = g->channels_last ? a : b, r = convt_div(tap, inv_s);
    return (int3)(g->channels_last ? b : a, r, tap - r * tap_columns);
}

struct ctt_sum {
    int kn, inner;
    float inv_inner, inv_s;
};

/* The step's weights (rows side by side) and inputs. Rows that do not exist hold others' values: nobody stores them. */
static inline void ctt_load(float *vw, float *vx, global const ONN_T *w, global const ONN_T *x, const struct ctt_px *px,
                            const struct convt_args *g, const struct ctt_phases *f, const struct ctt_axis *ah,
                            const struct ctt_axis *aw, const struct ctt_sum *sum, int k0, int id)
{
    const int own = k0 + SIMT_K_OF(id, 1);
    const int3 once = ctt_at(g, own, sum->inner, sum->inv_inner, aw->taps, sum->inv_s);
#pragma unroll
    for (int l = 0; l < SIMT_LOADS; l++) {
        const int kw = k0 + SIMT_K_OF(id + 256 * l, 0), kx = g->channels_last ? own : kw;
        const int3 tw = ctt_at(g, kw, sum->inner, sum->inv_inner, aw->taps, sum->inv_s);
        const int3 tx = g->channels_last ? once : tw;
        const int h = px[l].h - tx.y * f->back_h, v = px[l].w - tx.z * f->back_w;
        const int ok = kx < sum->kn && (uint)h < (uint)g->h && (uint)v < (uint)g->w;
        const int r = ah->first + tw.y * f->step_h, s = aw->first + tw.z * f->step_w;
        vw[l] = kw < sum->kn ? ONN_GET(w, tw.x * g->w_s[0] + r * g->w_s[2] + s * g->w_s[3]) : 0.0f;
        vx[l] = ok ? ONN_GET(x, px[l].base + tx.x * g->x_s[1] + h * g->x_s[2] + v * g->x_s[3]) : 0.0f;
    }
}

__attribute__((reqd_work_group_size(16, 16, 1))) kernel void
convtranspose_tiled(ONN_IN(ONN_T, x), ONN_IN(ONN_T, w), ONN_IN(ONN_T, bias), ONN_IN(ONN_T, res), ONN_OUT(ONN_T, y),
                    const struct convt_args g, const struct ctt_phases f)
{
    local float4 wt[2][SIMT_K * SIMT_P], xt[2][SIMT_K * SIMT_P];
    const int ix = get_local_id(0), iy = get_local_id(1), id = iy * 16 + ix;
    const int k0 = get_group_id(1) * SIMT_T, m0 = get_group_id(0) * SIMT_T;
    const int grp = get_group_id(2) % f.groups, phase = get_group_id(2) / f.groups;
    const int fh = phase / f.columns, fw = phase % f.columns;
    const struct ctt_axis ah = ctt_axis(fh, g.p, g.stride_h, g.pad_h, g.dil_h, g.r, f.step_h);
    const struct ctt_axis aw = ctt_axis(fw, g.q, g.stride_w, g.pad_w, g.dil_w, g.s, f.step_w);
    const int columns = g.n * ah.size * aw.size, taps = ah.taps * aw.taps, inner = g.channels_last ? g.c_group : taps;
    /* A tile behind the phase's last pixel has nothing to sum: it keeps the others company at the barriers. */
    const struct ctt_sum sum = {m0 < columns ? g.c_group * taps : 0, inner, 1.0f / (float)max(inner, 1),
                                1.0f / (float)max(aw.taps, 1)};
    global const ONN_T *xp = ONN_PTR(x) + (long)grp * g.c_group * g.x_s[1];
    global const ONN_T *wp = ONN_PTR(w) + (long)grp * g.c_group * g.w_s[0] +
                             min(k0 + SIMT_ROW_OF(id, 0), g.k_group - 1) * g.w_s[1];
    struct ctt_px px[SIMT_LOADS];
    float4 acc[SIMT_M * SIMT_V];
    float vw[SIMT_LOADS], vx[SIMT_LOADS];
#pragma unroll
    for (int l = 0; l < SIMT_LOADS; l++) {
        const int m = min(m0 + SIMT_ROW_OF(id + 256 * l, g.channels_last), columns - 1);
        px[l].base = m / aw.size / ah.size * g.x_s[0];
        px[l].h = m / aw.size % ah.size + ah.from;
        px[l].w = m % aw.size + aw.from;
    }
#pragma unroll
    for (int i = 0; i < SIMT_M * SIMT_V; i++)
        acc[i] = (float4)(0.0f);
    ctt_load(vw, vx, wp, xp, px, &g, &f, &ah, &aw, &sum, 0, id);
    for (int k = 0, turn = 0; k < sum.kn; k += SIMT_K, turn ^= 1) {
        simt_put(wt[turn], vw, id, 0);
        simt_put(xt[turn], vx, id, g.channels_last);
        barrier(CLK_LOCAL_MEM_FENCE);
        ctt_load(vw, vx, wp, xp, px, &g, &f, &ah, &aw, &sum, k + SIMT_K, id);
        simt_step(acc, wt[turn], xt[turn], ix, iy);
    }
#pragma unroll
    for (int j = 0; j < SIMT_M; j++) {
        const int m = m0 + SIMT_AT(j, ix);
        if (m < columns)
            convt_put(acc, j, &g, ONN_PTR(bias), ONN_PTR(res), ONN_PTR(y), grp * g.k_group, k0, iy,
                      m / aw.size / ah.size, fh + m / aw.size % ah.size * g.stride_h, fw + m % aw.size * g.stride_w);
    }
}
