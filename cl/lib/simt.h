/* The tile of a matrix product for devices with real local memory: 16 x 16 work-items, each with SIMT_M x SIMT_M sums.
 *
 * A tile is SIMT_T rows x SIMT_T columns (SIMT_T = 16 * SIMT_M), SIMT_K deep. Both operands of a step lie in local memory
 * as [SIMT_K][SIMT_P] float4, rows (columns) side by side; a pad of one float4 spreads the k over the banks. Two such
 * buffers alternate, so that one barrier a step is enough. Item (x, y) holds rows 4 * (y + 16 i) … + 3 and columns
 * 4 * (x + 16 j) … + 3.
 * Local memory: 2 * 2 * SIMT_K * SIMT_P * 16 bytes = 17 KiB for SIMT_M 8, SIMT_K 8 and for 4, 16.
 */
#ifndef ONN_SIMT_H
#define ONN_SIMT_H

#ifndef SIMT_M
#define SIMT_M 4
#endif
#ifndef SIMT_K
#define SIMT_K (64 / SIMT_M)
#endif
#define SIMT_T (16 * SIMT_M)
#define SIMT_P (SIMT_T / 4 + 1)
#define SIMT_V (SIMT_M / 4)
#define SIMT_LOADS (SIMT_T * SIMT_K / 256) /* elements of one operand that an item loads for one step */

/* Element e of a step's operand: k and row, either k or the row running fastest. */
#define SIMT_K_OF(e, k_fast) ((k_fast) ? (e) % SIMT_K : (e) / SIMT_T)
#define SIMT_ROW_OF(e, k_fast) ((k_fast) ? (e) / SIMT_K : (e) % SIMT_T)

/* Puts loaded elements where simt_step reads them. */
static inline void simt_put(local float4 *tile, const float *v, int id, int k_fast)
{
    local float *to = (local float *)tile;
#pragma unroll
    for (int l = 0; l < SIMT_LOADS; l++) {
        const int e = id + 256 * l;
        to[SIMT_K_OF(e, k_fast) * SIMT_P * 4 + SIMT_ROW_OF(e, k_fast)] = v[l];
    }
}

static inline void simt_row(float4 *acc, float a, const float4 *b)
{
#pragma unroll
    for (int j = 0; j < SIMT_V; j++)
        acc[j] = fma((float4)(a), b[j], acc[j]);
}

/* acc[row][j] += one step. */
static inline void simt_step(float4 *acc, local const float4 *a, local const float4 *b, int x, int y)
{
#pragma unroll
    for (int k = 0; k < SIMT_K; k++) {
        float4 bv[SIMT_V];
#pragma unroll
        for (int j = 0; j < SIMT_V; j++)
            bv[j] = b[k * SIMT_P + x + 16 * j];
#pragma unroll
        for (int i = 0; i < SIMT_V; i++) {
            const float4 av = a[k * SIMT_P + y + 16 * i];
            simt_row(acc + (4 * i + 0) * SIMT_V, av.x, bv);
            simt_row(acc + (4 * i + 1) * SIMT_V, av.y, bv);
            simt_row(acc + (4 * i + 2) * SIMT_V, av.z, bv);
            simt_row(acc + (4 * i + 3) * SIMT_V, av.w, bv);
        }
    }
}

/* Row or column number of sum i (0 … SIMT_M - 1) of item at. */
#define SIMT_AT(i, at) (4 * ((at) + 16 * ((i) / 4)) + (i) % 4)

/* Sum i, j of acc. */
static inline float simt_get(const float4 *acc, int i, int j)
{
    const float4 v = acc[i * SIMT_V + j / 4];
    return j % 4 == 0 ? v.x : j % 4 == 1 ? v.y : j % 4 == 2 ? v.z : v.w;
}

#endif
