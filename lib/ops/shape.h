/* Shape, Size, Constant, ConstantOfShape, Range: numbers about shapes and numbers out of nothing. */
#ifndef ONN_OPS_SHAPE_H
#define ONN_OPS_SHAPE_H

#include "ops/op.h"

#define ONN_SHAPE_END 1e9 /* default of Shape's end: the rank */
struct onn_shape_attr {
    int64_t start, end;
};
/* Exactly one is set; absent: NULL, n = -1, INT64_MIN, NaN. */
struct onn_constant_attr {
    struct onn_blob *value;
    struct onn_ints value_ints;
    struct onn_floats value_floats;
    int64_t value_int;
    float value_float;
};
struct onn_constantofshape_attr {
    struct onn_blob *value; /* one element; NULL: f32 0 */
};

#endif
