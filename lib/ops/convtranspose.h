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

extern const struct onn_op *const onn_ops_convtranspose[];
extern const struct onn_variant onn_convtranspose_depthwise,
    onn_convtranspose_blocked; /* convtranspose_cpu.c */
extern const struct onn_variant onn_convtranspose_tiled; /* convtranspose_tiled.c */

#endif
