/* Resize: interpolation between pixels. */
#ifndef ONN_OPS_RESIZE_H
#define ONN_OPS_RESIZE_H

#include "ops/op.h"

struct onn_resize_attr {
    const char *mode; /* NULL or "nearest", "linear", "cubic" */
    const char *coordinates; /* NULL or "half_pixel", … ONNX's coordinate_transformation_mode */
    const char *nearest_mode; /* NULL or "round_prefer_floor", … */
    const char *policy; /* NULL or "stretch", "not_larger", "not_smaller" */
    float cubic_coeff_a, extrapolation_value;
    int64_t exclude_outside, antialias;
    struct onn_ints axes; /* absent: all */
};

enum { ONN_RESIZE_NEAREST, ONN_RESIZE_LINEAR, ONN_RESIZE_CUBIC };

/* Output position o reads at (o + shift) * num / den + add. Same struct as in cl/resize.cl. */
struct onn_resize_axis {
    int32_t in, out;
    float shift, num, den, add;
};
/* A Resize with everything resolved. */
struct onn_resize {
    int rank, mode, nearest, exclude;
    bool crop; /* positions outside the input give `outside` */
    uint32_t resized; /* bit d: dimension d is not the identity */
    float cubic, outside;
    struct onn_resize_axis axis[ONN_MAX_RANK];
};
/* For an input of known shape; needs the values of roi, scales or sizes. */
enum oclnn_status onn_resize_read(const struct onn_prob *p, struct onn_resize *r);
/* The input position of o, and the element that nearest picks. */
float onn_resize_at(const struct onn_resize_axis *a, int64_t o);
int64_t onn_resize_nearest(float at, int64_t size, int mode);

/* ops/resize_bind.c */
const char *onn_resize_refuse(const struct onn_prob *p);
enum oclnn_status onn_resize_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b);

#endif
