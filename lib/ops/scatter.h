/* ScatterND, ScatterElements. */
#ifndef ONN_OPS_SCATTER_H
#define ONN_OPS_SCATTER_H

#include "ops/op.h"

struct onn_scatter_attr {
    const char *reduction; /* NULL or "none", "add", "mul", "max", "min" */
    int64_t axis; /* ScatterElements */
};

#endif
