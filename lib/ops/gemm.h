/* Matrix products: Gemm and MatMul as one geometry, and the launches that other families (LSTM) borrow. */
#ifndef ONN_OPS_GEMM_H
#define ONN_OPS_GEMM_H

#include "ops/op.h"

#define ONN_GEMM_BATCH 6

/* y[m,n] = act(clip(alpha * sum over k of a[m,k] * b[k,n] + beta * c[m,n] + r[m,n], lo, hi)) for every batch index.
 * The same struct as struct gemm_args in cl/lib/gemm.h, handed over by value. Strides in elements, 0 = broadcast. */
struct onn_gemm_args {
    int32_t m, n, k, batch_rank, batch_dim[ONN_GEMM_BATCH], has_c, has_r;
    int32_t act, pad; /* of ops/activation.h, 0 = none */
    float alpha, beta, lo, hi, act_a, act_b;
    int64_t a_m, a_k, b_k, b_n, y_m, y_n, c_m, c_n, r_m, r_n;
    int64_t a_b[ONN_GEMM_BATCH], b_b[ONN_GEMM_BATCH], y_b[ONN_GEMM_BATCH], c_b[ONN_GEMM_BATCH],
        r_b[ONN_GEMM_BATCH];
};

/* Where the operands are, for launches whose operands are not simply the node's inputs. */
struct onn_gemm_operands {
    struct onn_arg a, b, c, r, y;
};

struct onn_gemm_attr {
    float alpha, beta;
    int64_t trans_a, trans_b;
};

/* matmul_perm: transpose(matmul(transpose(a, perm_a), transpose(b, perm_b), c), perm_y), without moving anything: a
 * pass makes it of MatMul and the Transposes around it. Absent: not transposed. c broadcasts to the product. */
struct onn_matmul_perm_attr {
    struct onn_ints perm_a, perm_b, perm_y;
};

/* p is a gemm or a matmul node with inferred output. b's strides are not set when it is an opaque pack. */
enum oclnn_status onn_gemm_args(const struct onn_prob *p, struct onn_gemm_args *g,
    struct onn_gemm_operands *o);
/* Product of the batch dimensions. */
int64_t onn_gemm_batches(const struct onn_gemm_args *g);
/* The launches of the variants for given operands; dtype of all of them. */
enum oclnn_status onn_gemm_bind_reference(const struct onn_gemm_args *g, const struct onn_gemm_operands *o,
    enum oclnn_dtype dtype, struct onn_bind *b);
/* packed: o->b is in ONN_PACK_GEMM_B; else b is packed into the workspace at this offset. dtype f32 or f16, of all operands. */
enum oclnn_status onn_gemm_bind_packed(const struct onn_gemm_args *g, const struct onn_gemm_operands *o,
    enum oclnn_dtype dtype, bool packed, size_t workspace_offset, const struct onn_caps *caps,
    struct onn_bind *b);
bool onn_gemm_packed_can(const struct onn_gemm_args *g, const struct onn_caps *caps);
/* Bytes for an unpacked b. */
size_t onn_gemm_packed_workspace(const struct onn_gemm_args *g, const struct onn_caps *caps);
/* ---- tiles of cl/lib/simt.h ---- */
/* NULL if the device has the local memory and the work-group size. */
const char *onn_simt_refuse(const struct onn_caps *caps);
/* SIMT_M for such a product: 8 where enough large tiles exist for all compute units, else 4. */
int onn_simt_tile(const struct onn_caps *caps, int64_t rows, int64_t columns, int64_t batches);
double onn_simt_efficiency(const struct onn_caps *caps, int64_t rows, int64_t columns, int64_t batches);

void onn_gemm_put_arg(struct onn_launch *l, const struct onn_arg *arg);

#endif
