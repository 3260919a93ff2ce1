/* Normalisations: what passes and gradients need to know of them. */
#ifndef ONN_OPS_NORM_H
#define ONN_OPS_NORM_H

#include "ops/op.h"

struct onn_batchnorm_attr {
    float epsilon, momentum;
    int64_t training_mode;
};
struct onn_instancenorm_attr {
    float epsilon;
};
struct onn_layernorm_attr {
    int64_t axis; /* this one and all behind it are normalised */
    float epsilon;
    int64_t stash_type;
};
struct onn_groupnorm_attr {
    int64_t num_groups;
    float epsilon;
    int64_t stash_type;
};
struct onn_lpnorm_attr {
    int64_t axis, p;
};
struct onn_mvn_attr {
    struct onn_ints axes; /* absent: 0, 2, 3 */
};
struct onn_lrn_attr {
    float alpha, beta, bias;
    int64_t size;
};

/* Is this BatchNormalization a fixed affine map (no statistics of the batch, one output used)? */
bool onn_batchnorm_is_inference(const void *attr, int n_out, float *epsilon);

/* An instance, layer or group normalisation of a plain x as rows of `len` adjacent elements, each with its own mean and
 * variance. Element i of row r is scaled by scale[r % period * channels + i / seg]. */
struct onn_norm_rows {
    int32_t rows, len, seg, period, channels;
    float epsilon;
};
/* False if a number does not fit, or x is not plain. */
bool onn_norm_rows(const struct onn_prob *p, struct onn_norm_rows *out);

/* The element-wise form of BatchNormalization in inference (ops/batchnorm.c). */
extern const struct onn_op onn_batchnorm_op;

#endif
