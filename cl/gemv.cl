/* Matrix product with few rows (m up to 4, the rest in further groups) for devices with real local memory: limited by
 * the bandwidth of b, so that each of its elements is read once, in whole lines.
 *
 * Arguments  a, b, c, r, y: tensors of ONN_T described by struct gemm_args (lib/gemm.h); c and r may be any tensor
 *            where has_c, has_r are 0.
 * Defines    ONN_F16, ONN_EPI_KIND optional (lib/elem.h).
 * Work       groups of 32 x 8. gemv_n (n contiguous in b): items of x take columns, items of y every eighth k; global
 *            size { 32 ceil(n / 32), 8 ceil(m / 4), batches }. gemv_k (k contiguous in b): items of y take columns, items
 *            of x every 32nd k; global size { 32 ceil(n / 8), 8 ceil(m / 4), batches }.
 * Local      4 KiB.
 * Rounding   one fp32 sum over k for each item, then the items' sums in ascending order.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/gemm.h"

#define GEMV_ROWS 4

static inline void gemv_sum(float *sum, global const ONN_T *a, global const ONN_T *b, const struct gemm_args *g, int m0,
                            int k0, int step)
{
    global const ONN_T *row[GEMV_ROWS];
    for (int i = 0; i < GEMV_ROWS; i++) {
        row[i] = a + min(m0 + i, g->m - 1) * g->a_m;
        sum[i] = 0.0f;
    }
    for (int k = k0; k < g->k; k += step) {
        const float v = ONN_GET(b, k * g->b_k);
#pragma unroll
        for (int i = 0; i < GEMV_ROWS; i++)
            sum[i] = fma(ONN_GET(row[i], k * g->a_k), v, sum[i]);
    }
}

static inline void gemv_store(float sum, const struct gemm_args *g, const struct gemm_offset *o, global const ONN_T *c,
                              global const ONN_T *r, global ONN_T *y, int m, int n)
{
    sum *= g->alpha;
    if (g->has_c)
        sum = fma(g->beta, ONN_GET(c, o->c + m * g->c_m + n * g->c_n), sum);
    if (g->has_r)
        sum += ONN_GET(r, o->r + m * g->r_m + n * g->r_n);
    ONN_SET(y, o->y + m * g->y_m + n * g->y_n, ONN_FINISH(onn_elem_clip(sum, g->lo, g->hi), g->act_a, g->act_b));
}

__attribute__((reqd_work_group_size(32, 8, 1))) kernel void gemv_n(ONN_IN(ONN_T, a), ONN_IN(ONN_T, b), ONN_IN(ONN_T, c),
                                                                   ONN_IN(ONN_T, r), ONN_OUT(ONN_T, y),
                                                                   const struct gemm_args g)
{
    local float part[8][GEMV_ROWS][32];
    const struct gemm_offset o = gemm_batch(&g, get_global_id(2));
    const int x = get_local_id(0), iy = get_local_id(1), n = get_global_id(0), m0 = get_group_id(1) * GEMV_ROWS;
    float sum[GEMV_ROWS];
    gemv_sum(sum, ONN_PTR(a) + o.a, ONN_PTR(b) + o.b + min(n, g.n - 1) * g.b_n, &g, m0, iy, 8);
    for (int i = 0; i < GEMV_ROWS; i++)
        part[iy][i][x] = sum[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (iy < GEMV_ROWS && n < g.n && m0 + iy < g.m) {
        float all = 0.0f;
        for (int i = 0; i < 8; i++)
            all += part[i][iy][x];
        gemv_store(all, &g, &o, ONN_PTR(c), ONN_PTR(r), ONN_PTR(y), m0 + iy, n);
    }
}

__attribute__((reqd_work_group_size(32, 8, 1))) kernel void gemv_k(ONN_IN(ONN_T, a), ONN_IN(ONN_T, b), ONN_IN(ONN_T, c),
                                                                   ONN_IN(ONN_T, r), ONN_OUT(ONN_T, y),
                                                                   const struct gemm_args g)
{
    local float part[8][GEMV_ROWS][32];
    const struct gemm_offset o = gemm_batch(&g, get_global_id(2));
    const int x = get_local_id(0), iy = get_local_id(1), n = get_group_id(0) * 8 + iy, m0 = get_group_id(1) * GEMV_ROWS;
    float sum[GEMV_ROWS];
    gemv_sum(sum, ONN_PTR(a) + o.a, ONN_PTR(b) + o.b + min(n, g.n - 1) * g.b_n, &g, m0, x, 32);
    for (int i = 0; i < GEMV_ROWS; i++)
        part[iy][i][x] = sum[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (x < GEMV_ROWS && n < g.n && m0 + x < g.m) {
        float all = 0.0f;
        for (int i = 0; i < 32; i++)
            all += part[iy][x][i];
        gemv_store(all, &g, &o, ONN_PTR(c), ONN_PTR(r), ONN_PTR(y), m0 + x, n);
    }
}
