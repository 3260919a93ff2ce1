/* What was fused behind a node: element-wise steps applied to its output 0 before it is stored. */
#ifndef ONN_OPS_EPILOGUE_H
#define ONN_OPS_EPILOGUE_H

#include "base/mem.h"
#include <stdint.h>

struct onn_op;

#define ONN_EPI_STEPS 12
/* One step: v = row(v, extra, alpha, beta). `swap`: v is the second operand. */
struct onn_epi_step {
    const struct onn_op *op; /* a row of the element-wise table */
    int8_t extra;            /* index among the node's extra inputs, -1: unary */
    int8_t swap;
    const void *attr;        /* the row's attributes (struct onn_ew_attr) */
};
struct onn_epilogue {
    int n;
    int n_extra; /* extra inputs at the end of the node's inputs */
    struct onn_epi_step step[ONN_EPI_STEPS];
};

/* The standard form that every tile kernel knows by switches: y = clip(x + residual, lo, hi). */
struct onn_epi_standard {
    int residual; /* index among the extra inputs, -1 = none */
    float lo, hi; /* -INFINITY, INFINITY = none */
};
struct onn_prob;
/* Is p->epi of the standard form (residual of the output's shape, then relu/clip)? Fills `out` (also for no epilogue). */
bool onn_epilogue_standard(const struct onn_prob *p, struct onn_epi_standard *out);

#endif
