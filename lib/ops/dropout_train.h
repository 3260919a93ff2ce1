/* Dropout in training. */
#ifndef ONN_OPS_DROPOUT_TRAIN_H
#define ONN_OPS_DROPOUT_TRAIN_H

#include "ops/op.h"

/* dropout_train: inputs x and the generator's state, i64 {seed, step}; output y. The step is raised once per training
 * step by count_up on a state of its own or by the trainer (assign); nodes of one network differ by `stream`. */
struct onn_dropout_train_attr {
    float ratio;
    int64_t stream;
};

#endif
