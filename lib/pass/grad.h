/* grad: appends the backward graph of a loss, and the update of every trainable parameter, to an inferred, canonical
 * (unfused) graph. The result is an ordinary graph: the same passes and the same planner serve it. */
#ifndef ONN_PASS_GRAD_H
#define ONN_PASS_GRAD_H

#include "graph/graph.h"

/* Gradients of the scalar value `loss` of g with respect to wanted[n]; ids go to gradient[n] (0: no path). Appends to
 * g. Errors name the forward node that has no gradient. */
enum oclnn_status onn_grad_append(struct onn_graph *g, int32_t loss, const int32_t *wanted, int n,
    int32_t *gradient);

#endif
