/* The definition of a convolution as a list of products, in double: forward and both gradients are sums over the same
 * products x[n, c, o * stride - pad + t * dilation] * w[k, c, t] * dy[n, k, o]. */
#ifndef ONN_TEST_CONV_REF_H
#define ONN_TEST_CONV_REF_H

#include "ops/conv.h"

enum onn_conv_side {
    ONN_CONV_Y, /* a = x, b = w: adds to y */
    ONN_CONV_DX, /* a = dy, b = w: adds to dx */
    ONN_CONV_DW, /* a = x, b = dy: adds to dw */
};

/* g: of the forward convolution, all sizes known. Row-major arrays [N, C, in…], [K, C / group, kernel…], [N, K, out…].
 * Adds every product to sum, its magnitude to scale. */
void onn_conv_ref_sums(const struct onn_conv_geometry *g, enum onn_conv_side side, const double *a,
    const double *b, double *sum, double *scale);

#endif
