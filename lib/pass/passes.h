/* The rewriting passes: graph in, fresh graph out. Each can be switched off by its name. */
#ifndef ONN_PASS_PASSES_H
#define ONN_PASS_PASSES_H

#include "graph/graph.h"
#include "ops/op.h"

/* widen: 16-bit floats become f32 inside; casts stay at graph inputs and outputs. For devices (or math modes) that
 * compute in f32. Runs on the source graph, before infer. */
enum oclnn_status onn_pass_widen(const struct onn_graph *in, struct onn_graph **out);
/* Does any value have a 16-bit float type? */
bool onn_graph_has_half(const struct onn_graph *g);

/* fold: BatchNormalization and multiplications or additions by constants per channel go into the weights of the
 * convolution before them; what cannot go there becomes one multiplication and one addition. */
enum oclnn_status onn_pass_fold(const struct onn_graph *in, struct onn_graph **out);

/* patterns: recognises operators that exporters write as many nodes. */
enum oclnn_status onn_pass_patterns(const struct onn_graph *in, struct onn_graph **out);

/* pad: Pad nodes of zeros become pads of the convolution or pooling behind them, where that gives the same answer. */
enum oclnn_status onn_pass_pad(const struct onn_graph *in, struct onn_graph **out);

/* addend: an addition of a bias behind MatMul or Gemm becomes the product's third input. */
enum oclnn_status onn_pass_addend(const struct onn_graph *in, struct onn_graph **out);

/* transpose: merges and cancels Transposes, moves them behind element-wise operators and Concat, lets matrix products
 * read and write transposed operands; those that move only extents of 1 become Reshapes. */
enum oclnn_status onn_pass_transpose(const struct onn_graph *in, struct onn_graph **out);

/* slopes: the gradient of a Relu or Clip behind a BatchNormalization in training becomes a mask of the latter's. */
enum oclnn_status onn_pass_slopes(const struct onn_graph *in, struct onn_graph **out);

/* narrow: f32 tensors between the nodes are stored as f16, constants rounded once; graph inputs and outputs stay f32, with
 * casts where no element-wise kernel reads or writes them. f32 stay nodes without f16 kernels, long sums, numbers that were
 * counted, constants beyond f16's range (told to the log) and small ones of element-wise nodes. Runs behind fold. */
struct onn_log;
enum oclnn_status onn_pass_narrow(const struct onn_graph *in, const struct onn_caps *caps,
    const struct onn_log *log, struct onn_graph **out);

/* fuse: element-wise nodes become the epilogue of the node before them, where that node's kernels take it. */
enum oclnn_status onn_pass_fuse(const struct onn_graph *in, const struct onn_caps *caps,
    struct onn_graph **out);

/* updates: updates of parameters (ops/optimizer.h) that differ in their tensors only become one node, as late as the
 * readers of what they write allow. */
enum oclnn_status onn_pass_updates(const struct onn_graph *in, struct onn_graph **out);
/* Moves updates to where nothing reads the old value any more: gradients need not live to the end. */
enum oclnn_status onn_pass_early(const struct onn_graph *in, struct onn_graph **out);

#endif
