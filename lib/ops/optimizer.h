/* Optimisers: operators that write their parameter and its state in place and have no output.
 *
 *   sgd       param, grad, lr, scale?, momentum?
 *   adam      param, grad, lr, scale?, step, m, v          adamw: the same, weight decay apart from the gradient
 *   rmsprop   param, grad, lr, scale?, v, momentum?
 *   adagrad   param, grad, lr, scale?, sum
 *   lars      param, grad, lr, scale?, momentum
 *   lamb      param, grad, lr, scale?, step, m, v
 * lr and scale are one f32 each (graph inputs, states or made by nodes: a schedule changes no plan); the gradient is
 * multiplied by scale (clipping by the global norm, accumulation, loss scaling). A scale (guard) that is NaN leaves
 * parameter and state as they are: a step whose loss is not finite does no harm. step is one i64 that counts from 1: it
 * must have been raised by count_up before. A model with many small parameters can get one launch for all of them by an
 * operator whose inputs are lists of these; the kernels take any range of elements already.
 *
 *   assign    state, value, guard?    state = value
 *   accumulate state, value           state += value
 *   ema       state, value            state = decay * state + (1 - decay) * value
 *   count_up  counter (i64)           counter += 1, every element */
#ifndef ONN_OPS_OPTIMIZER_H
#define ONN_OPS_OPTIMIZER_H

#include "ops/op.h"

struct onn_optimizer_attr {
    float momentum, dampening, weight_decay, beta1, beta2, epsilon, trust, decay;
    int64_t nesterov;
};

#endif
