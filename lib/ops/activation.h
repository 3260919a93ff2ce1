/* The unary activations that conv-like kernels apply to a finished tile; cl/lib/activation.h has the same numbers. */
#ifndef ONN_OPS_ACTIVATION_H
#define ONN_OPS_ACTIVATION_H

enum onn_activation {
    ONN_ACT_NONE = 0,
    ONN_ACT_RELU = 1,
    ONN_ACT_CLIP = 2, /* a = lo, b = hi */
    ONN_ACT_LEAKY_RELU = 3,
    ONN_ACT_SIGMOID = 4,
    ONN_ACT_TANH = 5,
    ONN_ACT_HARD_SIGMOID = 6,
    ONN_ACT_HARD_SWISH = 7,
    ONN_ACT_SWISH = 8,
    ONN_ACT_MISH = 9,
    ONN_ACT_SOFTPLUS = 10,
    ONN_ACT_SOFTSIGN = 11,
    ONN_ACT_ELU = 12,
    ONN_ACT_SELU = 13,
    ONN_ACT_CELU = 14,
    ONN_ACT_THRESHOLDED_RELU = 15,
    ONN_ACT_GELU = 16,
    ONN_ACT_GELU_TANH = 17,
    ONN_ACT_EXP = 18,
    ONN_ACT_ABS = 19,
    ONN_ACT_NEG = 20,
    ONN_ACT_SQRT = 21,
};

#endif
