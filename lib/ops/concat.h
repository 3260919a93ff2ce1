/* Concat and Split: tensors beside each other along one axis. */
#ifndef ONN_OPS_CONCAT_H
#define ONN_OPS_CONCAT_H

#include "ops/op.h"

struct onn_concat_attr {
    int64_t axis;
};
/* Sizes are input 1; where it is absent the axis is cut into equal parts (the last one may be smaller). */
struct onn_split_attr {
    int64_t axis;
    int64_t num_outputs; /* 0 = the number of outputs that the node has */
};

#endif
