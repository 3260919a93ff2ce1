/* Layers and operators for networks built from C. Tier 2. This header has the layers (with parameters, activations,
 * pooling, normalisation); it includes ops_math.h (arithmetic, comparisons, reductions) and ops_shape.h (what moves
 * elements).
 *
 * Every function appends to the graph and returns its result's value. After a mistake it returns 0, and so does every
 * call that follows: the first mistake is kept with its layer's name and reported by oclnn_graph_status and
 * oclnn_model_create, so the code between needs no ifs.
 * Errors of all of them: a value that is 0 or not of this graph (OCLNN_ERROR_ARGUMENT), a shape that does not fit
 * (_SHAPE), an element type that the operator does not take (_DTYPE), a parameter that makes no sense (_ARGUMENT), a name
 * that is taken (_ARGUMENT), no memory (_MEMORY).
 *
 * Shapes: N C H W; -1 is a dimension that is bound when the model is run. Shapes are inferred at once, so channels
 * and features must be known where a layer makes parameters of them; batch, height and width may stay free (height and
 * width not in front of oclnn_dense).
 * Types: layers, activations, pooling and normalisation take floating point (f32; f16, bf16 and f64 are stored and
 * computed in fp32), and their parameters have x's type. y has x's type where nothing else is said.
 * Defaults: parameter structs may be NULL; zero means default in every field, and a list such as stride {2} means
 * {2, 2}. A layer without a name is called after its kind and counted: conv1, conv2, max_pool1 ..., behind the scope of
 * oclnn_graph_scope. Parameters are called "conv1.weight", "conv1.bias".
 * Ownership: values belong to the graph; structs, names and lists are copied and needed during the call only.
 * Threads: a graph is used by one thread at a time. Source: the operators of ONNX, by whose names the sentences below
 * tell what is not said here. */
#ifndef OCLNN_OPS_H
#define OCLNN_OPS_H

#include <oclnn/graph.h>
#include <oclnn/ops_math.h>
#include <oclnn/ops_shape.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parameters ---- */

/** How a parameter's first values are drawn; f is its fan-in, g its fan-out. Uniform in ±bound or normal. */
enum oclnn_init_kind {
    OCLNN_INIT_DEFAULT, /**< the layer's own: Kaiming uniform for convolutions, uniform in +-1/sqrt(features) for
                           dense layers, 0 for biases, 1 for scales */
    OCLNN_INIT_ZERO,
    OCLNN_INIT_ONE,
    OCLNN_INIT_CONSTANT, /**< a */
    OCLNN_INIT_UNIFORM, /**< a … b */
    OCLNN_INIT_NORMAL, /**< mean a, standard deviation b */
    OCLNN_INIT_KAIMING_UNIFORM, /**< bound sqrt(6/f): He et al. 2015, for ReLU */
    OCLNN_INIT_KAIMING_NORMAL, /**< deviation sqrt(2/f) */
    OCLNN_INIT_XAVIER_UNIFORM, /**< bound sqrt(6/(f+g)): Glorot and Bengio 2010, for tanh and sigmoid */
    OCLNN_INIT_XAVIER_NORMAL, /**< deviation sqrt(2/(f+g)) */
    /** As a matrix of dim[0] rows its rows, or its columns where those are fewer, are orthogonal and of length a (0: 1):
     * Saxe et al. 2014, from normal numbers by Gram and Schmidt. Of two dimensions at least; takes a time that grows with
     * the smaller side's square times the larger one. */
    OCLNN_INIT_ORTHOGONAL
};
struct oclnn_init {
    enum oclnn_init_kind kind;
    float a, b; /**< meaning: see the kind */
};

/**
 * The weights of convolutions and dense layers appended so far are drawn by `init` in place of what their layers say (input
 * 1 of Conv, ConvTranspose, Gemm and MatMul; fan-in and fan-out are the layers'). OCLNN_INIT_DEFAULT changes nothing.
 * Errors: OCLNN_ERROR_ARGUMENT (NULL, no such kind), the graph's own (oclnn_graph_status).
 */
OCLNN_API enum oclnn_status oclnn_graph_set_init(oclnn_graph *graph, const struct oclnn_init *init);
/** A trainable parameter of its own. fan-in is the product of all dimensions but the first, fan-out the first one. */
OCLNN_API oclnn_value oclnn_parameter(oclnn_graph *graph, const char *name, enum oclnn_dtype dtype,
    struct oclnn_shape shape, const struct oclnn_init *init);
/** A constant; the tensor is copied. */
OCLNN_API oclnn_value oclnn_constant(oclnn_graph *graph, const oclnn_tensor *tensor);
/** A constant of rank 0. */
OCLNN_API oclnn_value oclnn_scalar(oclnn_graph *graph, enum oclnn_dtype dtype, double number);

/* ---- convolution and matrix products ---- */

/** Zero means default in every field. */
struct oclnn_conv {
    const char *name;
    int kernel[2]; /**< height, width, where they differ: instead of `size` */
    int stride[2]; /**< default 1 */
    int pad[4]; /**< zeros at top, left, bottom, right; in 1-D layers: in front, behind */
    int dilation[2]; /**< default 1 */
    int group; /**< default 1; the input channels: depthwise */
    /** 1: pads so that the output has ceil(input/stride) positions, an odd pad at the bottom and on the right (ONNX's
     *  SAME_UPPER); 2: at the top and on the left (SAME_LOWER). pad must then be 0. */
    int same;
    int no_bias; /**< 1: no bias, as in front of a batch normalisation */
    int output_pad[2]; /**< transposed: rows and columns added at the bottom and on the right */
    struct oclnn_init weight_init, bias_init;
};
/* In 1-D layers the first number of kernel, stride, dilation and output_pad and the first two of pad count; the others
 * must be 0. */

/**
 * y[n,k,p] = bias[k] + sum over c,r of x[n, c, p*stride + r*dilation - pad] * weight[k,c,r] (Conv).
 * Shapes: x [N,C,W], weight [filters, C/group, size], bias [filters], y [N,filters,P]; P as in oclnn_conv2d.
 */
OCLNN_API oclnn_value oclnn_conv1d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params);
/**
 * y[n,k,p,q] = bias[k] + sum over c,r,s of x[n, c, p*stride + r*dilation - pad, …] * weight[k,c,r,s] (no flip; Conv).
 * Shapes: x [N,C,H,W], weight [filters, C/group, R, S], bias [filters], y [N,filters,P,Q] with
 * P = (H + pads - dilation*(R-1) - 1) / stride + 1, rounded down. @param size  R and S.
 */
OCLNN_API oclnn_value oclnn_conv2d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params);
/**
 * The transposed convolutions (the gradient of a convolution by its input), for upsampling: every x[n,c,h,w] adds
 * x * weight[c,k,r,s] to y[n, k, h*stride + r*dilation - pad, …]; then the bias is added (ConvTranspose).
 * Shapes: weight [C, filters/group, R, S], P = (H-1)*stride - pads + dilation*(R-1) + 1 + output_pad; 1-D: without
 * height.
 */
OCLNN_API oclnn_value oclnn_conv_transpose1d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params);
/** The same for images. */
OCLNN_API oclnn_value oclnn_conv_transpose2d(oclnn_graph *graph, oclnn_value x, int filters, int size,
    const struct oclnn_conv *params);

/** Zero means default in every field. */
struct oclnn_dense {
    const char *name;
    int no_bias;
    struct oclnn_init weight_init, bias_init;
};
/**
 * y = x * weight^T + bias along the last dimension.
 * Shapes: x [N,F], weight [units,F], y [N,units]. x of more dimensions: [...,F] gives [...,units], weight [F,units].
 */
OCLNN_API oclnn_value oclnn_dense(oclnn_graph *graph, oclnn_value x, int units,
    const struct oclnn_dense *params);
/**
 * y[...,m,n] = sum over k of a[...,m,k] * b[...,k,n] (MatMul). The leading dimensions broadcast; an operand of rank 1 is
 * a row on the left, a column on the right, and that dimension is left out of y.
 */
OCLNN_API oclnn_value oclnn_matmul(oclnn_graph *graph, oclnn_value a, oclnn_value b);

/** Zero means default in every field. */
struct oclnn_gemm {
    const char *name;
    float alpha, beta; /**< default 1 */
    int transpose_a, transpose_b; /**< 1: the operand is used transposed */
};
/**
 * y = alpha * a * b + beta * c, of matrices (Gemm).
 * Shapes: a [M,K] (transposed: [K,M]), b [K,N] (transposed: [N,K]), c broadcasts to [M,N], y [M,N]. @param c  0: none.
 */
OCLNN_API oclnn_value oclnn_gemm(oclnn_graph *graph, oclnn_value a, oclnn_value b, oclnn_value c,
    const struct oclnn_gemm *params);

/* ---- activations: y has x's shape ---- */

OCLNN_API oclnn_value oclnn_relu(oclnn_graph *graph, oclnn_value x); /**< max(x, 0) */
OCLNN_API oclnn_value oclnn_relu6(oclnn_graph *graph, oclnn_value x); /**< min(max(x, 0), 6) */
/** x < 0 ? slope * x : x. */
OCLNN_API oclnn_value oclnn_leaky_relu(oclnn_graph *graph, oclnn_value x, float slope);
/** x < 0 ? weight[c] * x : x; the weight [C,1,1…] is trained, at first 0.25. */
OCLNN_API oclnn_value oclnn_prelu(oclnn_graph *graph, oclnn_value x);
/** min(max(x, low), high); an infinite bound is left out. */
OCLNN_API oclnn_value oclnn_clip(oclnn_graph *graph, oclnn_value x, float low, float high);
OCLNN_API oclnn_value oclnn_sigmoid(oclnn_graph *graph, oclnn_value x); /**< 1 / (1 + exp(-x)) */
OCLNN_API oclnn_value oclnn_tanh(oclnn_graph *graph, oclnn_value x); /**< (e^x - e^-x) / (e^x + e^-x) */
/** min(max(x/6 + 1/2, 0), 1): with MobileNetV3's slope, which is not ONNX's default. */
OCLNN_API oclnn_value oclnn_hard_sigmoid(oclnn_graph *graph, oclnn_value x);
OCLNN_API oclnn_value oclnn_hard_swish(oclnn_graph *graph, oclnn_value x); /**< x * hard_sigmoid(x) */
OCLNN_API oclnn_value oclnn_swish(oclnn_graph *graph, oclnn_value x); /**< x * sigmoid(x), also called SiLU */
OCLNN_API oclnn_value oclnn_gelu(oclnn_graph *graph, oclnn_value x); /**< x * (1 + erf(x / sqrt(2))) / 2 */
/** exp(x) / sum of exp(x) along `axis` (negative: from the end). */
OCLNN_API oclnn_value oclnn_softmax(oclnn_graph *graph, oclnn_value x, int axis);
/** x - log(sum of exp(x) along `axis`): the logarithm of oclnn_softmax, without its rounding. */
OCLNN_API oclnn_value oclnn_log_softmax(oclnn_graph *graph, oclnn_value x, int axis);

/* ---- pooling and resizing ---- */

/** Zero means default in every field. */
struct oclnn_pool {
    const char *name;
    int kernel[2]; /**< instead of `size` */
    int stride[2]; /**< default: the window, so that windows do not overlap */
    int pad[4]; /**< top, left, bottom, right; in 1-D layers: in front, behind */
    int dilation[2]; /**< default 1 */
    int same; /**< as in oclnn_conv; pad must then be 0 */
    int ceil_mode; /**< 1: the output's size is rounded up */
    int count_pad; /**< average: 1 = the divisor counts pads too */
};
/* y[n,c,p,q] is taken over the window of `size` x `size` positions r, s of x[n, c, p*stride + r*dilation - pad, …].
 * Shapes: x [N,C,H,W], y [N,C,P,Q] with P = (H + pads - dilation*(size-1) - 1) / stride + 1, rounded down (ceil_mode: up,
 * without a window that begins behind x); 1-D: x [N,C,W], y [N,C,P]. */

/** The largest element of each window of [N,C,W]; pads do not count (MaxPool). */
OCLNN_API oclnn_value oclnn_max_pool1d(oclnn_graph *graph, oclnn_value x, int size,
    const struct oclnn_pool *params);
/** The largest element of each window of [N,C,H,W]; pads do not count (MaxPool). */
OCLNN_API oclnn_value oclnn_max_pool2d(oclnn_graph *graph, oclnn_value x, int size,
    const struct oclnn_pool *params);
/** The mean of each window of [N,C,W]: sum / elements inside x, with count_pad / size (AveragePool). */
OCLNN_API oclnn_value oclnn_avg_pool1d(oclnn_graph *graph, oclnn_value x, int size,
    const struct oclnn_pool *params);
/** The mean of each window of [N,C,H,W]: sum / elements inside x, with count_pad / size^2 (AveragePool). */
OCLNN_API oclnn_value oclnn_avg_pool2d(oclnn_graph *graph, oclnn_value x, int size,
    const struct oclnn_pool *params);
/** [N,C,H,W…] to [N,C,1,1…]: the mean over all positions. */
OCLNN_API oclnn_value oclnn_global_avg_pool(oclnn_graph *graph, oclnn_value x);
/** [N,C,H,W…] to [N,C,1,1…]: the maximum over all positions. */
OCLNN_API oclnn_value oclnn_global_max_pool(oclnn_graph *graph, oclnn_value x);

/** Which input pixels an output pixel is made of, along each side. */
enum oclnn_interpolation {
    OCLNN_NEAREST, /**< the nearest one */
    OCLNN_LINEAR, /**< the two next to it, by distance */
    OCLNN_CUBIC /**< four, by Keys' cubic with a = -0.75 */
};
/** Zero means default in every field. */
struct oclnn_resize {
    const char *name;
    enum oclnn_interpolation mode; /**< default: nearest */
    int align_corners; /**< 1: corner pixels fall on corner pixels; default: pixels are areas (half-pixel) */
};
/** [N,C,H,W] to [N,C,height,width] (Resize). */
OCLNN_API oclnn_value oclnn_resize2d(oclnn_graph *graph, oclnn_value x, int height, int width,
    const struct oclnn_resize *params);
/** [N,C,H,W] to [N, C, H*factor, W*factor], rounded down (Resize). */
OCLNN_API oclnn_value oclnn_upsample(oclnn_graph *graph, oclnn_value x, float factor,
    const struct oclnn_resize *params);

/* ---- normalisation and regularisation ---- */

/** Zero means default in every field. */
struct oclnn_norm {
    const char *name;
    float epsilon; /**< default 1e-5 */
    float momentum; /**< batch: share of the old running statistics that is kept at each step; default 0.9 */
    int axis; /**< layer: first normalised dimension, negative = from the end; default -1 */
    struct oclnn_init scale_init, bias_init;
};
/** (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c]. In inference mean and variance are running
 *  statistics ("bn1.mean", "bn1.variance": not trained, at first 0 and 1), in training those of the batch. */
OCLNN_API oclnn_value oclnn_batch_norm(oclnn_graph *graph, oclnn_value x, const struct oclnn_norm *params);
/** The same with mean and variance over the dimensions from `axis` on, for each of the others. */
OCLNN_API oclnn_value oclnn_layer_norm(oclnn_graph *graph, oclnn_value x, const struct oclnn_norm *params);
/** … over the positions, for each sample and channel. */
OCLNN_API oclnn_value oclnn_instance_norm(oclnn_graph *graph, oclnn_value x, const struct oclnn_norm *params);
/** … over the positions and channels of a group, for each sample; scale and bias are per channel. */
OCLNN_API oclnn_value oclnn_group_norm(oclnn_graph *graph, oclnn_value x, int groups,
    const struct oclnn_norm *params);

/** Zero means default in every field. */
struct oclnn_lrn {
    const char *name;
    float alpha, beta, bias; /**< defaults 1e-4, 0.75, 1 */
};
/** x / (bias + alpha/size * sum of x^2 over `size` neighbouring channels)^beta (Krizhevsky et al. 2012). */
OCLNN_API oclnn_value oclnn_lrn(oclnn_graph *graph, oclnn_value x, int size, const struct oclnn_lrn *params);
/** In training every element is 0 with probability `ratio` and else divided by 1 - ratio; else y = x. */
OCLNN_API oclnn_value oclnn_dropout(oclnn_graph *graph, oclnn_value x, float ratio);

/* ---- any operator ---- */

/**
 * Any operator of oclnn_operator (info.h) by its name, with attributes as in the problem grammar: oclnn_op(g, "conv",
 * "pad=1 stride=2", (oclnn_value[]){x, w}, 2). An absent optional input is 0.
 * @param attributes  NULL: defaults.
 */
OCLNN_API oclnn_value oclnn_op(oclnn_graph *graph, const char *op, const char *attributes,
    const oclnn_value *inputs, int count);
/** The same for several outputs. @param out  `outputs` values, all 0 after a mistake. Returns out[0]. */
OCLNN_API oclnn_value oclnn_op_many(oclnn_graph *graph, const char *op, const char *attributes,
    const oclnn_value *inputs, int count, oclnn_value *out, int outputs);

#ifdef __cplusplus
}
#endif
#endif
