/* What the recurrent operators and their gradients share: lib/ops/lstm.h has the same struct. */
#ifndef ONN_LSTM_H
#define ONN_LSTM_H

#include "lib/elem.h"

struct lstm_args {
    int steps, batch, directions, hidden, reverse; /* reverse: of direction 0; direction 1 always is */
    int has_bias, has_h0, has_c0, has_peep, has_y, has_y_h, has_y_c, linear_before_reset, has_clip;
    int act[8]; /* enum lstm_activation of the gate functions f, g, h of direction 0, padding, the same of direction 1 */
    float clip;
    int has_kept;
    int row_t, row_b, pad; /* rows of steps and sequences in x's order */
    long y_t, y_d, y_b, s_d, s_b; /* y: steps, directions, batch; states: directions, batch. hidden is contiguous */
};

/* Function i of a direction; not act[4 * d + i]: some compilers cannot read an argument at an index that they do not know. */
#define LSTM_ACT(a, d, i) ((d) ? (a)->act[4 + (i)] : (a)->act[i])

enum lstm_activation { LSTM_SIGMOID, LSTM_TANH, LSTM_RELU, LSTM_SOFTSIGN, LSTM_SOFTPLUS, LSTM_HARD_SIGMOID };

static inline float lstm_activate(int kind, float v)
{
    switch (kind) {
    case LSTM_SIGMOID: return 1.0f / (1.0f + exp(-v));
    case LSTM_TANH: return tanh(v);
    case LSTM_RELU: return v < 0.0f ? 0.0f : v;
    case LSTM_SOFTSIGN: return v / (1.0f + fabs(v));
    case LSTM_SOFTPLUS: return v > 20.0f ? v : log1p(exp(v));
    default: return onn_elem_clip(0.2f * v + 0.5f, 0.0f, 1.0f);
    }
}

/* Time index of step t of a direction. */
static inline int lstm_time(const struct lstm_args *a, int direction, int t)
{
    return (direction ? 1 : a->reverse) ? a->steps - 1 - t : t;
}

/* Where a step of a sequence lies in y; times n in what is kept of it, which has n times as many numbers. */
static inline long lstm_at(const struct lstm_args *a, int direction, int b, int time)
{
    return time * a->y_t + direction * a->y_d + b * a->y_b;
}

#endif
