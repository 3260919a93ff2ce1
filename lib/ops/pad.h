/* Pad: borders around a tensor. */
#ifndef ONN_OPS_PAD_H
#define ONN_OPS_PAD_H

#include "ops/op.h"

struct onn_pad_attr {
    const char *mode; /* "constant" (NULL too), "reflect", "edge", "wrap" */
};

/* before[], after[] of every dimension of p's input 0. OCLNN_ERROR_UNSUPPORTED when they are not known. For passes
 * that fuse a Pad into a convolution. */
enum oclnn_status onn_pad_read(const struct onn_prob *p, int64_t *before, int64_t *after);
/* Is it constant padding with zero bits? */
bool onn_pad_is_zero(const struct onn_prob *p);

#endif
