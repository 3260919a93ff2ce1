/* Matrix product for devices with real local memory: any strides, any batch.
 *
 * Arguments  a, b, c, r, y: tensors of ONN_T described by struct gemm_args (lib/gemm.h); c and r may be any tensor
 *            where has_c, has_r are 0. a_fast, b_fast: 1 if k is the contiguous dimension of a, of b.
 * Defines    SIMT_M (4 or 8), SIMT_K: lib/simt.h, also for local memory; ONN_F16, ONN_EPI_KIND optional (lib/elem.h).
 * Work       groups of 16 x 16; global size { 16 ceil(n / SIMT_T), 16 ceil(m / SIMT_T), batches }.
 * Rounding   one fp32 sum of fused multiply-adds over k in ascending order.
 * Source     own design, after the usual tiling in two levels.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/gemm.h"
#include "lib/simt.h"

/* The step's elements of one operand: `rows` of it exist, k0 is the step's first k. */
static inline void gemmt_load(float *v, global const ONN_T *p, long s_row, long s_k, int row0, int rows, int k0, int kn,
                              int id, int k_fast)
{
#pragma unroll
    for (int l = 0; l < SIMT_LOADS; l++) {
        const int e = id + 256 * l, k = k0 + SIMT_K_OF(e, k_fast), row = row0 + SIMT_ROW_OF(e, k_fast);
        v[l] = row < rows && k < kn ? ONN_GET(p, row * s_row + k * s_k) : 0.0f;
    }
}

__attribute__((reqd_work_group_size(16, 16, 1))) kernel void gemm_tiled(ONN_IN(ONN_T, a), ONN_IN(ONN_T, b),
                                                                        ONN_IN(ONN_T, c), ONN_IN(ONN_T, r),
                                                                        ONN_OUT(ONN_T, y), const struct gemm_args g,
                                                                        int a_fast, int b_fast)
{
    local float4 at[2][SIMT_K * SIMT_P], bt[2][SIMT_K * SIMT_P];
    const int x = get_local_id(0), iy = get_local_id(1), id = iy * 16 + x;
    const int m0 = get_group_id(1) * SIMT_T, n0 = get_group_id(0) * SIMT_T;
    const struct gemm_offset o = gemm_batch(&g, get_global_id(2));
    global const ONN_T *ap = ONN_PTR(a) + o.a, *bp = ONN_PTR(b) + o.b;
    float4 acc[SIMT_M * SIMT_V];
    float va[SIMT_LOADS], vb[SIMT_LOADS];
#pragma unroll
    for (int i = 0; i < SIMT_M * SIMT_V; i++)
        acc[i] = (float4)(0.0f);
    gemmt_load(va, ap, g.a_m, g.a_k, m0, g.m, 0, g.k, id, a_fast);
    gemmt_load(vb, bp, g.b_n, g.b_k, n0, g.n, 0, g.k, id, b_fast);
    for (int k = 0, turn = 0; k < g.k; k += SIMT_K, turn ^= 1) {
        simt_put(at[turn], va, id, a_fast);
        simt_put(bt[turn], vb, id, b_fast);
        barrier(CLK_LOCAL_MEM_FENCE);
        gemmt_load(va, ap, g.a_m, g.a_k, m0, g.m, k + SIMT_K, g.k, id, a_fast);
        gemmt_load(vb, bp, g.b_n, g.b_k, n0, g.n, k + SIMT_K, g.k, id, b_fast);
        simt_step(acc, at[turn], bt[turn], x, iy);
    }
#pragma unroll
    for (int i = 0; i < SIMT_M; i++) {
        const int m = m0 + SIMT_AT(i, iy);
#pragma unroll
        for (int j = 0; j < SIMT_M; j++) {
            const int n = n0 + SIMT_AT(j, x);
            if (m >= g.m || n >= g.n)
                continue;
            float sum = simt_get(acc, i, j) * g.alpha;
            if (g.has_c)
                sum = fma(g.beta, ONN_GET(ONN_PTR(c), o.c + m * g.c_m + n * g.c_n), sum);
            if (g.has_r)
                sum += ONN_GET(ONN_PTR(r), o.r + m * g.r_m + n * g.r_n);
            sum = ONN_FINISH(onn_elem_clip(sum, g.lo, g.hi), g.act_a, g.act_b);
            ONN_SET(ONN_PTR(y), o.y + m * g.y_m + n * g.y_n, sum);
        }
    }
}
