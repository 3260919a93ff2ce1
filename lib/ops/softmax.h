/* Softmax: what its gradient shares with it. */
#ifndef ONN_OPS_SOFTMAX_H
#define ONN_OPS_SOFTMAX_H

#include "ops/reduce.h"

struct onn_softmax_attr {
    int64_t axis, legacy; /* legacy: the rule before opset 13, all dimensions from `axis` on are one */
};
/* The tensor as [outer][len][inner]; x is plain or channels last, packed. */
bool onn_softmax_oli(const struct onn_prob *p, const struct onn_desc *x, struct onn_oli *out);

#endif
