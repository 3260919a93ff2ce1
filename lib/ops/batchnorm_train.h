/* Batch normalisation in training: statistics of the batch and their gradient. */
#ifndef ONN_OPS_BATCHNORM_TRAIN_H
#define ONN_OPS_BATCHNORM_TRAIN_H

#include "ops/norm.h"

/* BatchNormalization with training_mode = 1: x, scale, bias, running mean, running variance; outputs y, new running mean
 * and variance (running * momentum + batch * (1 - momentum), the variance divided by the count), and, beyond ONNX, the
 * batch's mean and 1 / sqrt(variance + epsilon) for the gradient. Behind it a tensor may be added, then Relu or Clip.
 * batchnorm_dx: dy, x, scale, mean, 1 / deviation, bias?; outputs dx, dscale, dbias. With a mask dy is the gradient behind
 * a Relu or Clip of y: it counts where y, computed again with the bits of the forward kernel, lies inside. */
enum onn_batchnorm_mask { ONN_MASK_NONE, ONN_MASK_RELU, ONN_MASK_CLIP }; /* all, not y <= 0, lo < y < hi */
struct onn_batchnorm_dx_attr {
    int64_t mask;
    float lo, hi;
};
extern const struct onn_variant onn_batchnorm_train_blocked, onn_batchnorm_train_reference;
extern const struct onn_variant onn_batchnorm_train_group, onn_batchnorm_dx_group; /* GPUs */

#define ONN_BATCHNORM_DX_BIAS 5 /* input of batchnorm_dx: needed for a mask */
/* Bit i: output i is there. */
int32_t onn_batchnorm_outs(const struct onn_prob *p);
/* Formats of a variant for plain tensors and channels last; `tensors` of its first inputs have pixels. */
int onn_batchnorm_formats(const struct onn_prob *p, struct onn_formats *out, int max, int tensors);

#endif
