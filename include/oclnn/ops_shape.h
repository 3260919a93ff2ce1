/* Operators that move elements, for networks built from C. Tier 2.
 *
 * What ops.h says of errors, ownership and threads holds here too. Types: any; y has x's type. Axes count from 0,
 * negative ones from the end (OCLNN_ERROR_ARGUMENT outside x's rank). Most of these cost nothing when the model runs. */
#ifndef OCLNN_OPS_SHAPE_H
#define OCLNN_OPS_SHAPE_H

#include <oclnn/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pieces ---- */

/** `count` values beside each other along `axis` (1: channels); the other dimensions must be equal. */
OCLNN_API oclnn_value oclnn_concat(oclnn_graph *graph, const oclnn_value *values, int count, int axis);
/** Into `count` pieces along `axis`. @param sizes  NULL: equal ones. @param out  `count` values, all 0 after a
 *  mistake. Returns out[0]. */
OCLNN_API oclnn_value oclnn_split(oclnn_graph *graph, oclnn_value x, int axis, const int64_t *sizes,
    int count, oclnn_value *out);
/** Positions begin, begin + step … before `end` along `axis`; negative ones count from the end, an `end` behind the
 *  last position means all. */
OCLNN_API oclnn_value oclnn_slice(oclnn_graph *graph, oclnn_value x, int axis, int64_t begin, int64_t end,
    int64_t step);
/**
 * y[…, j…, …] = x[…, indices[j…], …]: the positions of x along `axis` that `indices` names, in its order (Gather). Rows of
 * an embedding: axis 0.
 * Shapes: x's, with the dimension `axis` replaced by all dimensions of indices. Types: indices i64 or i32; negative ones
 * count from the end, those beyond x mean its first or last position.
 */
OCLNN_API oclnn_value oclnn_gather(oclnn_graph *graph, oclnn_value x, oclnn_value indices, int axis);

/* ---- borders: before.dim[i] positions in front of dimension i, after.dim[i] behind it; ranks as x. Negative numbers cut
 * off. y's dimension i is x's + before.dim[i] + after.dim[i] ---- */

/** `value` around x. */
OCLNN_API oclnn_value oclnn_pad(oclnn_graph *graph, oclnn_value x, struct oclnn_shape before,
    struct oclnn_shape after, float value);
/** x mirrored at its first and last position, which are not repeated: 3 2 | 1 2 3 | 2 1. A border
 *  wider than x goes on mirroring. */
OCLNN_API oclnn_value oclnn_pad_reflect(oclnn_graph *graph, oclnn_value x, struct oclnn_shape before,
    struct oclnn_shape after);
/** The first and the last position repeated: 1 1 | 1 2 3 | 3 3. */
OCLNN_API oclnn_value oclnn_pad_edge(oclnn_graph *graph, oclnn_value x, struct oclnn_shape before,
    struct oclnn_shape after);

/* ---- the same elements in another shape or order ---- */

/** The same elements in another shape: 0 = as in x, one -1 = what is left. */
OCLNN_API oclnn_value oclnn_reshape(oclnn_graph *graph, oclnn_value x, struct oclnn_shape shape);
/** [N,C,H,W] to [N,C*H*W]. */
OCLNN_API oclnn_value oclnn_flatten(oclnn_graph *graph, oclnn_value x);
/** A matrix: the dimensions before `axis` are multiplied to its rows, the others to its columns. 0 … rank. */
OCLNN_API oclnn_value oclnn_flatten_at(oclnn_graph *graph, oclnn_value x, int axis);
/** Dimension i of y is dimension order.dim[i] of x: OCLNN_LIST(0, 2, 3, 1) makes N C H W to N H W C. */
OCLNN_API oclnn_value oclnn_transpose(oclnn_graph *graph, oclnn_value x, struct oclnn_shape order);
/** Takes away the dimensions in `axes`, which must be 1 (rank 0: all that are 1). */
OCLNN_API oclnn_value oclnn_squeeze(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes);
/** Puts dimensions of 1 in, at the positions in y that `axes` lists. */
OCLNN_API oclnn_value oclnn_unsqueeze(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes);
/** x repeated along its dimensions of 1 so that it broadcasts with `shape`; a 1 there keeps x's dimension (Expand). */
OCLNN_API oclnn_value oclnn_expand(oclnn_graph *graph, oclnn_value x, struct oclnn_shape shape);
/** x under another name. */
OCLNN_API oclnn_value oclnn_identity(oclnn_graph *graph, oclnn_value x);

/* ---- shapes as values: evaluated on the host when a plan is made, like everything that is computed from them ---- */

/** x's dimensions, i64, [rank of x] (Shape). */
OCLNN_API oclnn_value oclnn_shape_of(oclnn_graph *graph, oclnn_value x);
/** A tensor of the dimensions in `shape` (i64, rank 1), all elements `number` of type `dtype` (ConstantOfShape). */
OCLNN_API oclnn_value oclnn_constant_of_shape(oclnn_graph *graph, oclnn_value shape, enum oclnn_dtype dtype,
    double number);
/** start, start + delta … before limit: [ceil((limit - start) / delta)]. Types: three scalars of one type (Range). */
OCLNN_API oclnn_value oclnn_range(oclnn_graph *graph, oclnn_value start, oclnn_value limit,
    oclnn_value delta);

#ifdef __cplusplus
}
#endif
#endif
