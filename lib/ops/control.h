/* If: one of two subgraphs. Inlined by the infer pass once the condition is known; never reaches a plan. */
#ifndef ONN_OPS_CONTROL_H
#define ONN_OPS_CONTROL_H

#include "ops/op.h"

struct onn_if_attr {
    struct onn_graph *then_branch, *else_branch; /* values of role OUTER stand for the enclosing graph's */
};

#endif
