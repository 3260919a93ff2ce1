/* A graph computed on the host in double, node by node, by the references of test/ops and the rows' own functions. No
 * device, no passes: what the planner's result is compared with. */
#ifndef ONN_TEST_INTERPRET_H
#define ONN_TEST_INTERPRET_H

#include "graph/graph.h"

struct onn_interpreter {
    const struct onn_graph *g; /* inferred, every shape known; its descs stay f32 */
    struct onn_blob **value; /* per value: f64 where the graph says f32; the graph's own type else */
};

/* Persistent values are copied from the graph's blobs. Failures end the cmocka test. */
void onn_interpret_init(struct onn_interpreter *t, const struct onn_graph *g);
void onn_interpret_finish(struct onn_interpreter *t);
/* Computes nodes first … end - 1. noise: 0, or the seed of rounding errors: every computed number is moved by up to 2^-24
 * of what its rounding is relative to (the sum of its terms' sizes where the reference says so), copies stay exact. Two
 * runs with different seeds differ as fp32 computations of the graph may. */
void onn_interpret_run(struct onn_interpreter *t, int32_t first, int32_t end, uint64_t noise);
/* The numbers of an f32 value, in double; how many. */
double *onn_interpret_data(const struct onn_interpreter *t, int32_t value, int64_t *n);

#endif
