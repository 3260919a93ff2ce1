/* Concat and Split: tensors beside each other along one axis. */
#ifndef ONN_OPS_CONCAT_H
#define ONN_OPS_CONCAT_H

#include "ops/op.h"

struct onn_concat_attr {
    int64_t axis;
};
/* Sizes are input 1; where it is absent the axis is cut into equal parts (the last one may be smaller). */
struct onn_split_attr {
    int64_t axis;
    int64_t num_outputs; /* 0 = the number of outputs that the node has */
};

/* What both do: part i of the whole tensor (Concat's output, Split's input 0) as a view; false if it does not begin and
 * end between blocks. */
typedef bool (*onn_part_fn)(const struct onn_prob *p, int i, struct onn_desc *view);
/* Copies every input into its part (join), or every part to its output. Those of dtype NONE are views, or not wanted. */
enum oclnn_status onn_bind_parts(const struct onn_prob *p, bool join, onn_part_fn part, struct onn_bind *b);
const char *onn_refuse_parts(const struct onn_prob *p, bool join, onn_part_fn part);
struct onn_cost onn_cost_parts(const struct onn_prob *p, const struct onn_tune *t);

#endif
