/* Losses by name: appends the nodes that compute a scalar loss to a graph. Each consists of operators with gradients. */
#ifndef ONN_PASS_LOSS_H
#define ONN_PASS_LOSS_H

#include "graph/graph.h"

struct onn_loss {
    /* "softmax_ce" "nll" (targets: class labels), "bce" (probabilities) "bce_logits" "focal" (logits) "mse" "l1" "huber"
     * "kl" (log-probabilities against probabilities) "dice" (probabilities) "dice_logits": targets of the prediction's
     * shape */
    const char *name;
    float smoothing; /* softmax_ce, nll */
    int64_t ignore_index; /* softmax_ce, nll; 0 with ignore unset: none */
    bool ignore; /* use ignore_index */
    int32_t weights; /* softmax_ce, nll: value of the class weights, 0 = none */
    int32_t where; /* the others: how much each position counts, f32 [N, 1, …]; 0 = all the same */
    float alpha,
        gamma; /* focal: 0 stands for 0.25 and 2; huber: alpha = delta, 0 stands for 1; dice: alpha = smooth, 1 */
    bool sum; /* not the mean */
};

/* g must be inferred. Returns the loss's id, 0 after an error (sticky in g). The mean is over all elements, weighed by
 * `where` (the mean of nothing is 0); kl divides by the batch; dice is 1 - (2 sum(p t) + s) / (sum p + sum t + s) per
 * image and channel (without spatial dimensions: per image), then their mean; p of dice_logits is the sigmoid of a single
 * channel, the softmax of several. */
int32_t onn_loss_append(struct onn_graph *g, const struct onn_loss *loss, int32_t prediction, int32_t target);

#endif
