/* The public graph: the library's graph and what names need. The frame of every layer builder. */
#ifndef ONN_MODEL_GRAPH_API_H
#define ONN_MODEL_GRAPH_API_H

#include "graph/graph.h"
#include "ops/op.h"
#include <oclnn/ops.h>

struct onn_name_count; /* graph_api.c */

struct oclnn_graph {
    struct onn_graph *graph;
    const char *scope; /* in graph's arena */
    struct onn_name_count *count; /* how many layers of a kind a scope has */
    int n_counts, cap_counts;
};

/* One layer while it is made. */
struct onn_layer {
    struct onn_graph *g;
    const char *kind; /* the builder's name: "conv2d" */
    const char *name; /* with the scope */
    const struct onn_op *op; /* of the node being made */
    void *attr;
};

/* Starts a layer: checks the graph and the inputs, settles the name (NULL: after the kind). False after a mistake, this
 * one's or an earlier one's: the builder then returns 0. */
bool onn_layer_begin(struct onn_layer *l, oclnn_graph *graph, const char *kind, const char *name, int n,
    const oclnn_value *x);
/* Keeps "layer 'conv1' (conv2d): …"; returns 0, the invalid value. */
oclnn_value onn_layer_fail(struct onn_layer *l, enum oclnn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const struct onn_desc *onn_layer_desc(const struct onn_layer *l, oclnn_value v);

/* A node: its operator by ONNX's name, then attributes by ONNX's names, then its inputs. Steps after a mistake do
 * nothing. */
void onn_layer_op(struct onn_layer *l, const char *onnx);
void onn_layer_set_int(struct onn_layer *l, const char *attr, int64_t v);
void onn_layer_set_float(struct onn_layer *l, const char *attr, float v);
void onn_layer_set_ints(struct onn_layer *l, const char *attr, int n, const int64_t *v);
void onn_layer_set_text(struct onn_layer *l, const char *attr, const char *text);
void onn_layer_set_number(struct onn_layer *l, const char *attr, enum oclnn_dtype dtype,
    double v); /* tensor of 1 */
/* suffix: NULL for the layer's result, ".matmul" for what stands before it. */
oclnn_value onn_layer_emit(struct onn_layer *l, const char *suffix, int n_in, const oclnn_value *in);
enum oclnn_status onn_layer_emit_many(struct onn_layer *l, const char *suffix, int n_in,
    const oclnn_value *in, int n_out, oclnn_value *out);

/* The whole layer, where the operator has no attributes. */
oclnn_value onn_layer_plain(oclnn_graph *graph, const char *kind, const char *onnx, int n_in,
    const oclnn_value *in);

/* Of a parameter of shape `desc`; OCLNN_INIT_DEFAULT leaves *to alone. Errors: OCLNN_ERROR_ARGUMENT. */
enum oclnn_status onn_layer_init(const struct oclnn_init *from, const struct onn_desc *desc,
    struct onn_init *to);
/* A parameter (or STATE) called layer.suffix; a default `init` becomes `usual`. */
oclnn_value onn_layer_param(struct onn_layer *l, const char *suffix, enum onn_role role,
    const struct onn_desc *desc, const struct oclnn_init *init, const struct onn_init *usual);
/* Constants. */
oclnn_value onn_layer_i64(struct onn_layer *l, int n, const int64_t *v);
oclnn_value onn_layer_f32(struct onn_layer *l, int n, const float *v);
oclnn_value onn_layer_number(struct onn_layer *l, enum oclnn_dtype dtype, double v); /* rank 0 */

/* x must have this rank (and known dimension `axis`, if that is not negative). */
bool onn_layer_needs(struct onn_layer *l, oclnn_value x, int rank, int axis);

/* A sliding window of one or two dimensions, as the parameters of convolutions and pools give it. */
struct onn_layer_window {
    int spatial, same;
    const int *kernel, *stride, *pad,
        *dilation; /* 2, 2, 4, 2 numbers; in a 1-D layer the first 1, 1, 2, 1 of them */
    int64_t k[2], s[2], d[2], p[4]; /* what onn_layer_window makes of them */
};
/* Checks x's rank and all numbers; no stride means `stride` (0: the kernel). False after a mistake. */
bool onn_layer_window(struct onn_layer *l, oclnn_value x, int size, int64_t stride,
    struct onn_layer_window *w);
/* kernel_shape, strides, pads or auto_pad of the node being made. */
void onn_layer_set_window(struct onn_layer *l, const struct onn_layer_window *w);

#endif
