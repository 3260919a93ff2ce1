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
 * must have been raised by count_up before.
 *
 *   assign    state, value, guard?    state = value
 *   accumulate state, value           state += value
 *   ema       state, value, guard?, step?   state = d * state + (1 - d) * value, d = decay; with a step t, as above, the
 *             smaller one of decay and (1 + t) / (10 + t): the first values are forgotten soon
 *   count_up  counter (i64), guard?   counter += 1, every element
 *
 * All but lars, lamb and count_up take several parameters: behind the inputs of the first one (absent ones given as absent)
 * stand parameter, gradient and states of the next, and so on; lr, scale, step and guard count for all. One launch works
 * on ONN_UPDATE_MOST parameters and gives the same bits as one for each. */
#ifndef ONN_OPS_OPTIMIZER_H
#define ONN_OPS_OPTIMIZER_H

#include "ops/op.h"

struct onn_optimizer_attr {
    float momentum, dampening, weight_decay, beta1, beta2, epsilon, trust, decay;
    int64_t nesterov;
};

#define ONN_UPDATE_MOST 10 /* parameters of one launch: OPT_MOST in cl/optimizer.cl */

/* Where the tensors of several parameters stand among a node's inputs. */
struct onn_update_form {
    int own; /* inputs of the first parameter, shared ones included */
    int states; /* of each parameter: the first one's are inputs first_state … */
    int first_state; /* inputs 2 … first_state - 1 are shared */
};
/* False for operators that take one parameter only, or are no update at all. */
bool onn_update_form(const struct onn_op *op, struct onn_update_form *out);
/* Does a node of this operator write its input i? In doubt yes; guards, scales, rates and steps are only read. */
bool onn_update_writes(const struct onn_op *op, int i);
/* Input that is tensor t of parameter k: 0 the parameter, 1 its gradient or value, 2 … its states. */
int onn_update_input(const struct onn_update_form *f, int k, int t);

#endif
