/* Transpose: y[i_perm(0), i_perm(1) …] = x[i_0, i_1 …], dimension k of y is dimension perm[k] of x. */
#ifndef ONN_OPS_TRANSPOSE_H
#define ONN_OPS_TRANSPOSE_H

#include "ops/op.h"

struct onn_transpose_attr {
    struct onn_ints perm; /* absent: reversed */
};

#endif
