/* Batch normalisation in training: statistics of the batch and their gradient. */
#ifndef ONN_OPS_BATCHNORM_TRAIN_H
#define ONN_OPS_BATCHNORM_TRAIN_H

#include "ops/norm.h"

/* BatchNormalization with training_mode = 1: x, scale, bias, running mean, running variance; outputs y, new running mean
 * and variance (running * momentum + batch * (1 - momentum), the variance divided by the count), and, beyond ONNX, the
 * batch's mean and 1 / sqrt(variance + epsilon) for the gradient.
 * batchnorm_dx: dy, x, scale, mean, 1 / deviation; outputs dx, dscale, dbias. */
extern const struct onn_variant onn_batchnorm_train_blocked, onn_batchnorm_train_reference;

#endif
