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
    int8_t extra; /* index among the node's extra inputs, -1: unary */
    int8_t swap;
    const void *attr; /* the row's attributes (struct onn_ew_attr) */
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

/* One step further: y = activation(clip(x + residual)), any of these absent. `kind` is a number of ops/activation.h for
 * onn_activate(v, kind, a, b) of cl/lib/activation.h (compile the kernel with -D ONN_EPI=onn_activate), 0 = none. */
struct onn_epi_tail {
    struct onn_epi_standard standard;
    int kind;
    float a, b;
};
bool onn_epilogue_tail(const struct onn_prob *p, struct onn_epi_tail *out);

/* Any chain of unary steps as text that stands in front of a kernel file: defines ONN_EPI(v, kind, a, b) for vectors of
 * `width` floats; numbers are compiled in. `from`: the first step that belongs to it (behind a residual). NULL if a step
 * has an extra input or memory is short. In the arena. */
struct onn_arena;
const char *onn_epilogue_source(const struct onn_epilogue *epi, int from, int width, struct onn_arena *arena);
/* The same chain on the host (checks): v after all steps, extra[i] = value of extra input i at this element. */
double onn_epilogue_host(const struct onn_epilogue *epi, double v, const double *extra);

#endif
