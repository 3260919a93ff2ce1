/* Sliding windows: what convolutions and pools share. Sizes are resolved once, here; kernels get plain numbers. */
#ifndef ONN_OPS_CONV_H
#define ONN_OPS_CONV_H

#include "ops/op.h"

/* Attributes of every window; first member of the operators' attribute structs. */
struct onn_window_attr {
    struct onn_ints kernel, pad, stride, dilation;
    const char *auto_pad; /* NOTSET, SAME_UPPER, SAME_LOWER, VALID; NULL = NOTSET */
};
/* Rows of onn_window_attr for an attribute table; T is the operator's struct with `struct onn_window_attr window`. */
#define ONN_WINDOW_ATTRS(T) \
    {"kernel_shape", "kernel_shape", ONN_ATTR_INTS, offsetof(struct T, window.kernel), 0, 1, 2147483647}, \
        {"pad", "pads", ONN_ATTR_INTS, offsetof(struct T, window.pad), 0, 0, 2147483647}, \
        {"stride", "strides", ONN_ATTR_INTS, offsetof(struct T, window.stride), 0, 1, 2147483647}, \
        {"dilation", "dilations", ONN_ATTR_INTS, offsetof(struct T, window.dilation), 0, 1, 2147483647}, \
    { \
        "auto_pad", "auto_pad", ONN_ATTR_STRING, offsetof(struct T, window.auto_pad), 0, 0, 0 \
    }

/* A resolved window. Arrays are aligned to the end: [0] depth, [1] height, [2] width; a dimension that the tensor does
 * not have is a window of 1 over an extent of 1. in, out and the pads of SAME are -1 (0) where x is not known. */
struct onn_window {
    int spatial; /* 1 … 3 */
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
};

/* kernel: its `spatial` extents where the operator has a weight, else NULL: the attribute is needed then. */
enum oclnn_status onn_window_resolve(const struct onn_window_attr *a, const struct onn_desc *x,
    const int64_t *kernel, bool ceil_mode, struct onn_window *w);
/* Kernel, stride and dilation only; in, out and pads stay 0 (transposed windows resolve theirs). */
enum oclnn_status onn_window_steps(const struct onn_window_attr *a, const struct onn_desc *x,
    const int64_t *kernel, struct onn_window *w);
/* Explicit pads of spatial dimension i (0 is the first one the tensor has): one number for all, one per dimension, or
 * all begins and then all ends. */
void onn_window_pads(const struct onn_ints *pad, int spatial, int i, int64_t *begin, int64_t *end);
enum onn_auto_pad {
    ONN_PAD_EXPLICIT,
    ONN_PAD_SAME_UPPER,
    ONN_PAD_SAME_LOWER,
    ONN_PAD_VALID,
    ONN_PAD_UNKNOWN
};
enum onn_auto_pad onn_auto_pad(const char *text);

/* What window kernels take by value (cl/lib/window.h has the same struct). Strides in elements: n, c, d, h, w. For a
 * blocked tensor the c stride is that of one block. */
struct onn_window_args {
    int32_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
};
/* Fails with a sentence when a number does not fit an int. */
enum oclnn_status onn_window_args(const struct onn_window *w, struct onn_window_args *args);
/* Strides of a tensor [N, C, spatial…] in the order n, c, d, h, w; 0 for dimensions that it does not have. */
void onn_window_strides(const struct onn_desc *d, int64_t stride[5]);
/* n, c, h, w of these. */
void onn_window_strides_2d(const struct onn_desc *d, int64_t stride[4]);
bool onn_window_is_channels_last(const struct onn_desc *d);

/* ---- convolution ---- */
struct onn_conv_attr {
    struct onn_window_attr window;
    int64_t group;
};
struct onn_conv_geometry {
    struct onn_window window;
    int64_t n, c, k, group, c_group, k_group; /* c_group: input channels of a group; -1 where not known */
    bool bias;
};
/* p is a conv node: x, w, optional b. Says what does not fit. */
enum oclnn_status onn_conv_geometry(const struct onn_prob *p, struct onn_conv_geometry *g);

/* What follows a tile: activation(clip(v + residual)). */
struct onn_tail {
    int residual; /* index among all inputs of the node, -1 = none */
    float lo, hi;
    int kind; /* of ops/activation.h, ONN_ACT_NONE = 0 */
    float a, b; /* its parameters */
};
/* False when the epilogue is of another form. */
bool onn_tail_get(const struct onn_prob *p, struct onn_tail *tail);
/* Defines of kernels that include lib/elem.h: storage as half or double, the activation. Returns `text`. */
const char *onn_elem_define(enum oclnn_dtype dtype, int kind, char text[static 64]);
/* " -D ONN_F16" for kernels of lib/stored.h, "" for f32. */
const char *onn_stored_define(enum oclnn_dtype dtype);
/* " -D ONN_EPI_KIND=7" for kernels on vectors, "" for 0. Returns `text`. */
const char *onn_epi_define(int kind, char text[static 32]);
/* Sizes of a kernel that computes one element per work-item and looks at its bounds: groups of at most 64. */
void onn_launch_elements(struct onn_launch *l, size_t columns, size_t rows, size_t planes);
/* How much of a GPU so many work-items keep busy, up to 1: a unit with less than a thousand waits for memory. 1 elsewhere. */
double onn_gpu_filled(const struct onn_caps *caps, int64_t items);
/* What such a kernel costs: on a CPU each element is worth many of its instructions. */
struct onn_cost onn_reference_cost(const struct onn_prob *p, const struct onn_tune *t);
/* Can a kernel of lib/elem.h work with this type? */
bool onn_elem_can(enum oclnn_dtype dtype);
/* NULL if a plain one can, which takes f64 too. */
const char *onn_elem_refuse_plain(const struct onn_prob *p);

/* ---- what Conv and ConvTranspose share; `geometry` tells them apart ---- */
typedef enum oclnn_status (*onn_conv_geometry_fn)(const struct onn_prob *p, struct onn_conv_geometry *g);
struct onn_conv_args { /* cl/conv.cl and cl/convtranspose.cl: the plain kernels */
    struct onn_window_args win;
    int32_t n, k, c_group, k_group, has_bias, has_res;
    float lo, hi, act_a, act_b;
    int64_t x_s[5], w_s[5], y_s[5], res_s[5], bias_s;
};
enum oclnn_status onn_conv_infer(const struct onn_prob *p, onn_conv_geometry_fn geometry,
    struct onn_desc *out);
/* 2 flop for each weight of one filter and each element of `positions`. */
double onn_conv_flop(const struct onn_prob *p, const struct onn_desc *positions);
enum oclnn_status onn_conv_args(const struct onn_prob *p, onn_conv_geometry_fn geometry,
    struct onn_conv_args *a, struct onn_tail *tail);
/* The plain variants: one output per work-item. */
const char *onn_conv_refuse_reference(const struct onn_prob *p);
enum oclnn_status onn_conv_bind_reference(const struct onn_prob *p, onn_conv_geometry_fn geometry,
    const char *program, const char *kernel, struct onn_bind *b);
/* Plain and channels last; the weight stays plain. */
int onn_conv_formats_strided(const struct onn_prob *p, struct onn_formats *out, int max);

#endif
