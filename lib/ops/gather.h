/* Gather, GatherElements, GatherND. */
#ifndef ONN_OPS_GATHER_H
#define ONN_OPS_GATHER_H

#include "ops/op.h"

struct onn_gather_attr {
    int64_t axis;
};
struct onn_gathernd_attr {
    int64_t batch_dims;
};

#endif
