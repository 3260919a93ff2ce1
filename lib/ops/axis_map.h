/* axis_map: a sparse linear map along one axis, y[o] = sum over j in start[o] … start[o + 1] - 1 of weight[j] x[index[j]].
 * Inputs x, start (i32, output extent + 1), index (i32), weight (f32). The gradients of resizing, of padding that repeats
 * and of windows over channels are of this kind, with the transposed map. */
#ifndef ONN_OPS_AXIS_MAP_H
#define ONN_OPS_AXIS_MAP_H

#include "ops/grad.h"

struct onn_axis_map_attr {
    int64_t axis;
};
/* One entry of the forward map: output o takes weight * input i. */
struct onn_axis_tap {
    int32_t o, i;
    float weight;
};
/* Emits the transposed map of taps[n] (ordered by o) along axis of x, whose extent becomes `size`. */
int32_t onn_axis_map_transposed(struct onn_grad *g, int32_t x, int axis, int64_t size,
    const struct onn_axis_tap *taps, int64_t n);

#endif
