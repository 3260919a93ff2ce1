/* A matrix product by value: the same struct as struct onn_gemm_args of lib/ops/gemm.h.
 * y[m,n] = act(clip(alpha * sum over k of a[m,k] * b[k,n] + beta * c[m,n] + r[m,n], lo, hi)) for every batch index.
 * Strides in elements, 0 = broadcast. Batch dimensions outermost first. */
#ifndef ONN_GEMM_H
#define ONN_GEMM_H

struct gemm_args {
    int m, n, k, batch_rank, batch_dim[6], has_c, has_r, act, pad;
    float alpha, beta, lo, hi, act_a, act_b;
    long a_m, a_k, b_k, b_n, y_m, y_n, c_m, c_n, r_m, r_n;
    long a_b[6], b_b[6], y_b[6], c_b[6], r_b[6];
};

struct gemm_offset {
    long a, b, y, c, r;
};

/* Offsets of batch index i. Indices into the arguments are constants once this is unrolled: Mesa's llvmpipe cannot read an
 * argument at an index that it does not know. */
static inline struct gemm_offset gemm_batch(const struct gemm_args *g, int i)
{
    struct gemm_offset o = {0, 0, 0, 0, 0};
#pragma unroll
    for (int d = 5; d >= 0; d--) {
        if (d >= g->batch_rank)
            continue;
        const int j = i % g->batch_dim[d];
        i /= g->batch_dim[d];
        o.a += j * g->a_b[d];
        o.b += j * g->b_b[d];
        o.y += j * g->y_b[d];
        o.c += j * g->c_b[d];
        o.r += j * g->r_b[d];
    }
    return o;
}

#endif
