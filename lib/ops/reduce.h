/* Reductions and global pools: what their gradients share with them. Also a helper for operators along one axis. */
#ifndef ONN_OPS_REDUCE_H
#define ONN_OPS_REDUCE_H

#include "ops/op.h"

struct onn_reduce_attr {
    int64_t keepdims, noop_with_empty_axes;
    struct onn_ints axes; /* "over" in the grammar: where input 1 ("axes") is absent */
};
enum onn_reduce_kind {
    ONN_RED_SUM,
    ONN_RED_MEAN,
    ONN_RED_MAX,
    ONN_RED_MIN,
    ONN_RED_PROD,
    ONN_RED_L1,
    ONN_RED_L2,
    ONN_RED_SUM_SQUARE,
    ONN_RED_LOG_SUM,
    ONN_RED_LOG_SUM_EXP
};

/* Bit d = dimension d is reduced; false if the axes are not known (or wrong: then an error is set). */
bool onn_reduce_axes(const struct onn_prob *p, uint32_t *mask);
enum onn_reduce_kind onn_reduce_kind(const struct onn_op *op);

/* The variants for one number per channel of a blocked tensor, and for GPUs. */
extern const struct onn_variant onn_reduce_channels, onn_reduce_group;

/* x's dimensions but those of extent 1, outermost first: kept ones with the strides of both tensors, reduced ones, where
 * neighbours are one. False if one does not fit 31 bits. */
struct onn_reduce_split { /* cl/reduce.cl */
    int32_t nk, nr, kd[8], rd[8];
    int64_t xk[8], xr[8], yk[8];
};
bool onn_reduce_split(const struct onn_desc *x, const struct onn_desc *y, uint32_t mask,
    struct onn_reduce_split *s);
/* Plain and channels last. */
int onn_reduce_formats(const struct onn_prob *p, struct onn_formats *out, int max);

/* A packed tensor as [outer][len][inner] in memory order, len being the masked dimensions. False if they are not
 * neighbours there, or the format is blocked. */
struct onn_oli {
    int64_t outer, len, inner;
};
bool onn_oli_make(const struct onn_desc *d, uint32_t mask, struct onn_oli *out);
/* "-D ONN_DT=…" for kernels of cl/lib/any.h. */
const char *onn_any_define(enum oclnn_dtype dtype, struct onn_arena *arena);

#endif
