/* The gradients of Gather, GatherElements and GatherND. */
#ifndef ONN_OPS_GATHER_DX_H
#define ONN_OPS_GATHER_DX_H

#include "ops/op.h"

struct onn_gather_dx_attr {
    int64_t axis, batch_dims;
    struct onn_ints shape;
};

#endif
