/* Operators that keep the elements and their order: Reshape, Flatten, Squeeze, Unsqueeze, Identity. */
#ifndef ONN_OPS_RESHAPE_H
#define ONN_OPS_RESHAPE_H

#include "ops/op.h"

struct onn_reshape_attr {
    int64_t allowzero; /* 1: a 0 in the shape means 0, not "as in the input" */
};
struct onn_flatten_attr {
    int64_t axis;
};

/* Sets out's strides and offset so that it shows in's elements under out's dims (row-major order kept), without a
 * copy. False where in's layout does not allow it. */
bool onn_view_reshape(const struct onn_desc *in, struct onn_desc *out);
/* The identity: out = in with its layout; for operators that do nothing (Identity, Dropout in evaluation). */
bool onn_view_same(const struct onn_prob *p, struct onn_desc *out);
/* out[0] = in[0], element by element in row-major order: plain packed output of any shape, input of any layout. */
enum oclnn_status onn_bind_reshape(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b);
enum oclnn_status onn_host_reshape(const struct onn_prob *p, struct onn_blob *const *out);

#endif
