/* Convolution as a matrix product that is never written down, for devices with real local memory: 1-D and 2-D, groups.
 *
 * Arguments  x, w, bias, res, y: tensors of ONN_T with the strides of struct convt_args; bias and res may be any tensor
 *            where has_bias, has_res are 0. The sum runs over c, r, s, or with channels_last over r, s, c: loads are
 *            coalesced where x and w lie in this order.
 * Defines    SIMT_M (4 or 8), SIMT_K: lib/simt.h, also for local memory; ONN_F16, ONN_EPI_KIND optional (lib/elem.h).
 * Work       groups of 16 x 16; global size { 16 ceil(n*p*q / SIMT_T), 16 ceil(k_group / SIMT_T), groups }.
 * Rounding   one fp32 sum of fused multiply-adds in the order of the weights; bias, residual, clip.
 * Source     own design, after the usual implicit GEMM.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/simt.h"
#include "lib/simt_conv.h"

/* A pixel whose inputs an item loads: where its first tap would be; y0 far outside if there is no such pixel. */
struct convt_px {
    long base;
    int y0, x0;
};

static inline struct convt_px convt_pixel(const struct convt_args *g, int pixel)
{
    struct convt_px t = {0, -(1 << 29), 0};
    if (pixel < g->n * g->p * g->q) {
        const int q = pixel % g->q, p = pixel / g->q % g->p;
        t.base = (long)(pixel / g->q / g->p) * g->x_s[0];
        t.y0 = p * g->stride_h - g->pad_h;
        t.x0 = q * g->stride_w - g->pad_w;
    }
    return t;
}

/* Place k of the sum as channel and tap. */
struct convt_place {
    int c, r, s;
};

static inline struct convt_place convt_at(const struct convt_args *g, int k, float inv_outer, float inv_s)
{
    const int outer = convt_div(k, inv_outer), inner = k - outer * (g->channels_last ? g->c_group : g->r * g->s);
    const int tap = g->channels_last ? outer : inner, r = convt_div(tap, inv_s);
    const struct convt_place t = {g->channels_last ? inner : outer, r, tap - r * g->s};
    return t;
}

/* The step's inputs, from place k0 of the sum. */
static inline void convt_load_x(float *v, global const ONN_T *x, const struct convt_px *px, const struct convt_args *g,
                                int k0, int kn, float inv_outer, float inv_s, int id)
{
#pragma unroll
    for (int l = 0; l < SIMT_LOADS; l++) {
        const int k = k0 + SIMT_K_OF(id + 256 * l, g->channels_last);
        const struct convt_place t = convt_at(g, k, inv_outer, inv_s);
        const int h = px[l].y0 + t.r * g->dil_h, w = px[l].x0 + t.s * g->dil_w;
        const int ok = k < kn && (uint)h < (uint)g->h && (uint)w < (uint)g->w;
        v[l] = ok ? ONN_GET(x, px[l].base + t.c * g->x_s[1] + h * g->x_s[2] + w * g->x_s[3]) : 0.0f;
    }
}

/* The step's weights; k is the same in all of an item's elements. */
static inline void convt_load_w(float *v, global const ONN_T *w, const struct convt_args *g, int row0, int k0, int kn,
                                float inv_outer, float inv_s, int id)
{
    const int k = k0 + SIMT_K_OF(id, 1);
    const struct convt_place t = convt_at(g, k, inv_outer, inv_s);
    w += t.c * g->w_s[1] + t.r * g->w_s[2] + t.s * g->w_s[3];
#pragma unroll
    for (int l = 0; l < SIMT_LOADS; l++) {
        const int row = row0 + SIMT_ROW_OF(id + 256 * l, 1);
        v[l] = row < g->k_group && k < kn ? ONN_GET(w, row * g->w_s[0]) : 0.0f;
    }
}

/* Bias, residual, clip, store of the item's sums; kb: first output channel of the group. */
static inline void convt_store(const float4 *acc, const struct convt_args *g, global const ONN_T *bias,
                               global const ONN_T *res, global ONN_T *y, int kb, int k0, int m0, int x, int iy)
{
#pragma unroll
    for (int j = 0; j < SIMT_M; j++) {
        const int pixel = m0 + SIMT_AT(j, x);
        if (pixel < g->n * g->p * g->q)
            convt_put(acc, j, g, bias, res, y, kb, k0, iy, pixel / g->q / g->p, pixel / g->q % g->p, pixel % g->q);
    }
}

__attribute__((reqd_work_group_size(16, 16, 1))) kernel void conv_tiled(ONN_IN(ONN_T, x), ONN_IN(ONN_T, w),
                                                                        ONN_IN(ONN_T, bias), ONN_IN(ONN_T, res),
                                                                        ONN_OUT(ONN_T, y), const struct convt_args g)
{
    local float4 wt[2][SIMT_K * SIMT_P], xt[2][SIMT_K * SIMT_P];
    const int ix = get_local_id(0), iy = get_local_id(1), id = iy * 16 + ix;
    const int k0 = get_group_id(1) * SIMT_T, m0 = get_group_id(0) * SIMT_T, grp = get_group_id(2);
    const int kn = g.c_group * g.r * g.s;
    const float inv_outer = 1.0f / (float)(g.channels_last ? g.c_group : g.r * g.s), inv_s = 1.0f / (float)g.s;
    global const ONN_T *xp = ONN_PTR(x) + (long)grp * g.c_group * g.x_s[1];
    global const ONN_T *wp = ONN_PTR(w) + (long)grp * g.k_group * g.w_s[0];
    struct convt_px px[SIMT_LOADS];
    float4 acc[SIMT_M * SIMT_V];
    float vw[SIMT_LOADS], vx[SIMT_LOADS];
#pragma unroll
    for (int l = 0; l < SIMT_LOADS; l++)
        px[l] = convt_pixel(&g, m0 + SIMT_ROW_OF(id + 256 * l, g.channels_last));
#pragma unroll
    for (int i = 0; i < SIMT_M * SIMT_V; i++)
        acc[i] = (float4)(0.0f);
    convt_load_w(vw, wp, &g, k0, 0, kn, inv_outer, inv_s, id);
    convt_load_x(vx, xp, px, &g, 0, kn, inv_outer, inv_s, id);
    for (int k = 0, turn = 0; k < kn; k += SIMT_K, turn ^= 1) {
        simt_put(wt[turn], vw, id, 1);
        simt_put(xt[turn], vx, id, g.channels_last);
        barrier(CLK_LOCAL_MEM_FENCE);
        convt_load_w(vw, wp, &g, k0, k + SIMT_K, kn, inv_outer, inv_s, id);
        convt_load_x(vx, xp, px, &g, k + SIMT_K, kn, inv_outer, inv_s, id);
        simt_step(acc, wt[turn], xt[turn], ix, iy);
    }
    convt_store(acc, &g, ONN_PTR(bias), ONN_PTR(res), ONN_PTR(y), grp * g.k_group, k0, m0, ix, iy);
}
