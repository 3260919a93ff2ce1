/* The variants of Gemm and MatMul; the tables are in gemm.c. */
#ifndef ONN_OPS_GEMM_VARIANTS_H
#define ONN_OPS_GEMM_VARIANTS_H

#include "ops/gemm.h"

extern const struct onn_variant onn_gemm_packed, onn_gemm_gemv, onn_gemm_tiled, onn_gemm_clblast,
    onn_gemm_reference;

/* Shared reasons to refuse: type, blocked operands, epilogue. b may be packed if `packed`. NULL = fine. */
const char *onn_gemm_refuse_common(const struct onn_prob *p, bool packed);
/* M, N, K and products of the launch: rows of batches that share b are rows of one product. */
void onn_gemm_size(const struct onn_prob *p, double *m, double *n, double *k, double *batches);

/* Is b [n][k]? */
bool onn_gemm_b_transposed(const struct onn_prob *p);

#endif
