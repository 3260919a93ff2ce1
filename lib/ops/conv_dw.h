/* The gradient of a convolution's weight. */
#ifndef ONN_OPS_CONV_DW_H
#define ONN_OPS_CONV_DW_H

#include "ops/conv.h"

/* conv_dw: inputs x [N, C, …], dy [N, K, …]; dw [K, C / group, taps]. The attributes are those of Conv, with
 * kernel_shape given and pads explicit; end pads do not matter. */
struct onn_conv_dw_geometry {
    struct onn_window window; /* in: x's extents, out: dy's */
    int64_t n, c, k, group, c_group, k_group;
};
enum oclnn_status onn_conv_dw_geometry(const struct onn_prob *p, struct onn_conv_dw_geometry *g);

extern const struct onn_variant onn_conv_dw_blocked, onn_conv_dw_depthwise; /* conv_dw_cpu.c */

#endif
