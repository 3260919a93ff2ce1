/* Losses on class labels: softmax cross-entropy and negative log-likelihood. */
#ifndef ONN_OPS_CROSS_ENTROPY_H
#define ONN_OPS_CROSS_ENTROPY_H

#include "ops/op.h"

/* Operators (names; inputs; outputs):
 *   softmax_ce     logits [N, C, …], labels [N, …] (i32, i64), optional weights [C];
 *                  loss (one number), optional lse [N, …] (log of the sum of exponentials, for the gradient) and
 *                  optional total (one number: the sum of the labels' weights, by which the loss was divided)
 *   nll            the same on log-probabilities
 *   softmax_ce_dx, nll_dx    dloss, logits (log-probabilities), labels, lse, total, optional weights; dx
 * loss = sum over positions of (1 - s) w[label] (-log p[label]) + s / C * sum over c of w[c] (-log p[c]), divided by the
 * sum of w[label] (mean); s = smoothing. Positions whose label is ignore_index count nothing; the mean of
 * none is 0. A label outside 0 … C-1 that is not ignored gives NaN. */
struct onn_cross_entropy_attr {
    float smoothing;
    int64_t ignore_index; /* ONN_CE_NONE: none */
    int64_t sum; /* 1: the sum, not divided */
};
#define ONN_CE_NONE (-100)

#endif
