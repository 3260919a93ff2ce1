/* reorder: the same tensor in another format. */
#ifndef ONN_OPS_REORDER_H
#define ONN_OPS_REORDER_H

#include "ops/op.h"

struct onn_reorder_attr {
    struct onn_format format; /* of the output; opaque packs too (ops/pack.h) */
};

#endif
