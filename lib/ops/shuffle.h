/* channelshuffle: y[n, j * group + i] = x[n, i * C / group + j]: what networks with grouped convolutions write as Reshape,
 * Transpose, Reshape. Not an operator of ONNX: a pass recognises the three (pass/patterns.c). */
#ifndef ONN_OPS_SHUFFLE_H
#define ONN_OPS_SHUFFLE_H

#include "ops/op.h"

struct onn_shuffle_attr {
    int64_t group; /* divides the channels */
};

#endif
