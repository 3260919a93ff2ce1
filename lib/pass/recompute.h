/* recompute: trades time for memory in a training graph. Activations that only the backward part still reads are computed
 * once more there instead of being kept. */
#ifndef ONN_PASS_RECOMPUTE_H
#define ONN_PASS_RECOMPUTE_H

#include "graph/graph.h"

/* in: inferred; its first `forward` nodes are the forward part. Marks values for recomputation, the most bytes per work
 * first, until the largest sum of live tensors is at most `target` bytes or nothing helps any more; the results are the
 * same bit for bit as long as the planner chooses the same kernels. *recomputed: bytes that are no longer kept. */
enum oclnn_status onn_pass_recompute(const struct onn_graph *in, int32_t forward, size_t target,
    struct onn_graph **out, size_t *recomputed);

#endif
