/* slice_dx: the input's elements spread into a tensor of zeros, the inverse of Slice. */
#ifndef ONN_OPS_SLICE_DX_H
#define ONN_OPS_SLICE_DX_H

#include "ops/op.h"

/* One entry per dimension: extents of the output, where the input's first element goes, the distance of neighbours. */
struct onn_slice_dx_attr {
    struct onn_ints shape, start, step;
};

#endif
