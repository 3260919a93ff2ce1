/* What LSTM, GRU and RNN share with their gradients lstm_dx, gru_dx and rnn_dx. */
#ifndef ONN_OPS_LSTM_H
#define ONN_OPS_LSTM_H

#include "ops/op.h"

struct onn_lstm_attr { /* of all six operators */
    int64_t hidden_size, layout, linear_before_reset, input_forget;
    float clip;
    const char *direction; /* NULL = forward */
    const char *activations; /* names with commas, NULL = defaults */
};

/* One kind of cell: how many gates, how many activation functions, and what training keeps of every step in an output
 * behind ONNX's own: `kept` times `hidden` numbers. LSTM: gates i, o, f, c after their activations, the cell state. GRU:
 * z, r, the new value, and R times the state with linear_before_reset, else the reset state. RNN: nothing, y is all. */
struct onn_lstm_cell {
    int gates, functions, kept, kept_out;
    const char *kernel, *dx; /* dx: the gradient's operator and its kernel */
    int def[3];
};
/* By the name of a forward operator or its gradient. */
const struct onn_lstm_cell *onn_lstm_cell(const struct onn_op *op);

struct onn_lstm_args { /* cl/lib/lstm.h */
    int32_t steps, batch, directions, hidden, reverse;
    int32_t has_bias, has_h0, has_c0, has_peep, has_y, has_y_h, has_y_c, linear_before_reset, has_clip;
    int32_t act[2][4];
    float clip;
    int32_t has_kept, row_t, row_b, pad;
    int64_t y_t, y_d, y_b, s_d, s_b;
};

/* Checks the attributes; fills directions, reverse, act, clip and linear_before_reset. */
enum oclnn_status onn_lstm_read(const struct onn_prob *p, struct onn_lstm_args *a);
/* Fills the sizes and the strides that follow from them; a->directions is set. */
enum oclnn_status onn_lstm_sizes(const struct onn_prob *p, int64_t steps, int64_t batch, int64_t hidden,
    struct onn_lstm_args *a);
/* Work-items of a group that walks through one direction of one sequence. */
size_t onn_lstm_items(const struct onn_caps *caps, int32_t hidden);
/* Input i, called `name`, must have input 0's type and the shape [d0, d1, d2]; d2 below -1: [d0, d1]. Absent is fine. */
enum oclnn_status onn_lstm_check_input(const struct onn_prob *p, int i, const char *name, int64_t d0,
    int64_t d1, int64_t d2);
/* NULL if the kernels take the problem's types and formats. */
const char *onn_lstm_refuse(const struct onn_prob *p);

#define ONN_LSTM_ROW(text, type, field, max) \
    { \
        text, text, type, offsetof(struct onn_lstm_attr, field), 0, 0, max \
    }
#define ONN_LSTM_ROWS \
    ONN_LSTM_ROW("hidden_size", ONN_ATTR_INT, hidden_size, 2147483647), \
        ONN_LSTM_ROW("layout", ONN_ATTR_INT, layout, 1), ONN_LSTM_ROW("clip", ONN_ATTR_FLOAT, clip, 0), \
        ONN_LSTM_ROW("direction", ONN_ATTR_STRING, direction, 0), \
        ONN_LSTM_ROW("activations", ONN_ATTR_STRING, activations, 0)

#endif
