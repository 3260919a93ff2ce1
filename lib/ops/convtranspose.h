/* ConvTranspose: geometry shared by its variants and its gradients. */
#ifndef ONN_OPS_CONVTRANSPOSE_H
#define ONN_OPS_CONVTRANSPOSE_H

#include "ops/conv.h"

struct onn_convtranspose_attr {
    struct onn_window_attr window;
    struct onn_ints output_padding, output_shape;
    int64_t group;
};

/* p: x, w [C, K/group, taps…], optional b. window.begin/end are the pads that are cut off the full output. */
enum oclnn_status onn_convtranspose_geometry(const struct onn_prob *p, struct onn_conv_geometry *g);

struct onn_convtranspose_args { /* cl/convtranspose.cl */
    struct onn_window_args win;
    int32_t n, k, c_group, k_group, has_bias, has_res;
    float lo, hi, act_a, act_b;
    int64_t x_s[5], w_s[5], y_s[5], res_s[5], bias_s;
};
enum oclnn_status onn_convtranspose_args(const struct onn_prob *p, struct onn_convtranspose_args *a,
    struct onn_tail *tail);

extern const struct onn_op *const onn_ops_convtranspose[];
extern const struct onn_variant onn_convtranspose_depthwise,
    onn_convtranspose_blocked; /* convtranspose_cpu.c */

#endif
