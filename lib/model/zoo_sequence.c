/* Networks that read a digit as a sequence: an LSTM over its rows, a small Transformer over its patches. */
#include "model/zoo.h"

#include <math.h>

static const struct oclnn_init narrow = {.kind = OCLNN_INIT_NORMAL, .b = 0.02f};

/* The extent of dimension i; 0 after a mistake. */
static int64_t extent(const oclnn_graph *g, oclnn_value x, int i)
{
    struct oclnn_shape s;
    return x && oclnn_value_shape(g, x, &s) == OCLNN_OK && s.rank > i ? s.dim[i] : 0;
}

/* Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000. */
oclnn_value onn_zoo_mnist_lstm(oclnn_graph *g, oclnn_value x, int classes)
{
    enum { UNITS = 128, GATES = 4 };
    const float bound = 1 / sqrtf(UNITS);
    const struct oclnn_init init = {.kind = OCLNN_INIT_UNIFORM, .a = -bound, .b = bound};
    const int64_t columns = extent(g, x, 3);
    oclnn_value in[4], out[2];
    oclnn_graph_scope(g, "lstm.");
    /* [N,1,H,W] to [H,N,W]: the rows are the steps */
    in[0] = oclnn_transpose(g, oclnn_squeeze(g, x, OCLNN_LIST(1)), OCLNN_LIST(1, 0, 2));
    in[1] = oclnn_parameter(g, "weight", OCLNN_F32, OCLNN_SHAPE(1, GATES * UNITS, columns), &init);
    in[2] = oclnn_parameter(g, "recurrent", OCLNN_F32, OCLNN_SHAPE(1, GATES * UNITS, UNITS), &init);
    in[3] = oclnn_parameter(g, "bias", OCLNN_F32, OCLNN_SHAPE(1, 2 * GATES * UNITS), &init);
    oclnn_op_many(g, "lstm", "hidden_size=128", in, 4, out, 2);
    x = oclnn_squeeze(g, out[1], OCLNN_LIST(0)); /* [1,N,UNITS]: the state after the last row */
    oclnn_graph_scope(g, "");
    return oclnn_dense(g, x, classes, NULL);
}

enum { WIDTH = 64, HEADS = 4, PATCH = 7, BLOCKS = 2, MLP = 128 };

/* softmax(q k^T / sqrt(features of a head)) v in each head: Vaswani et al. 2017. x [N,tokens,WIDTH]. */
static oclnn_value attention(oclnn_graph *g, oclnn_value x, int64_t tokens)
{
    const int64_t features = WIDTH / HEADS;
    oclnn_value part[3];
    x = oclnn_reshape(g, oclnn_dense(g, x, 3 * WIDTH, NULL), OCLNN_LIST(0, tokens, 3 * HEADS, features));
    x = oclnn_transpose(g, x, OCLNN_LIST(0, 2, 1, 3));
    oclnn_split(g, x, 1, (const int64_t[]){HEADS, HEADS, HEADS}, 3,
        part); /* q, k, v [N,HEADS,tokens,features] */
    x = oclnn_matmul(g, part[0], oclnn_transpose(g, part[1], OCLNN_LIST(0, 1, 3, 2)));
    x = oclnn_mul(g, x, oclnn_scalar(g, OCLNN_F32, 1 / sqrt((double)features)));
    x = oclnn_matmul(g, oclnn_softmax(g, x, -1), part[2]);
    x = oclnn_reshape(g, oclnn_transpose(g, x, OCLNN_LIST(0, 2, 1, 3)), OCLNN_LIST(0, tokens, WIDTH));
    return oclnn_dense(g, x, WIDTH, NULL);
}

static oclnn_value block(oclnn_graph *g, oclnn_value x, int64_t tokens)
{
    x = oclnn_add(g, x, attention(g, oclnn_layer_norm(g, x, NULL), tokens));
    oclnn_value y = oclnn_gelu(g, oclnn_dense(g, oclnn_layer_norm(g, x, NULL), MLP, NULL));
    return oclnn_add(g, x, oclnn_dense(g, y, WIDTH, NULL));
}

/* Dosovitskiy et al. 2021, small and with the mean of the tokens instead of one of its own. */
oclnn_value onn_zoo_mnist_transformer(oclnn_graph *g, oclnn_value x, int classes)
{
    x = oclnn_conv2d(g, x, WIDTH, PATCH, &(struct oclnn_conv){.stride = {PATCH}});
    const int64_t tokens = extent(g, x, 2) * extent(g, x, 3);
    x = oclnn_transpose(g, oclnn_reshape(g, x, OCLNN_LIST(0, WIDTH, tokens)), OCLNN_LIST(0, 2, 1));
    x = oclnn_add(g, x, oclnn_parameter(g, "position", OCLNN_F32, OCLNN_SHAPE(tokens, WIDTH), &narrow));
    for (int i = 0; i < BLOCKS; i++) {
        onn_zoo_scope(g, "block", i + 1, 0);
        x = block(g, x, tokens);
    }
    oclnn_graph_scope(g, "");
    x = oclnn_reduce_mean(g, oclnn_layer_norm(g, x, NULL), OCLNN_LIST(1), 0);
    return oclnn_dense(g, x, classes, NULL);
}
