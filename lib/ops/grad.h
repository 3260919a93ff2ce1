/* What an operator's gradient callback sees and may do. Backward is graph: the callback appends ordinary nodes. The
 * frame that calls it is pass/grad.c; it is reached through function pointers because rooms look downwards only. */
#ifndef ONN_OPS_GRAD_H
#define ONN_OPS_GRAD_H

#include "ops/op.h"

struct onn_grad {
    struct onn_graph *graph;
    const char *name; /* of the forward node */
    int n_in, n_out;
    const int32_t *in, *out; /* forward values: ids in graph, 0 = absent */
    const int32_t *dout; /* gradients of the outputs, 0 = no gradient flows there */
    const bool *needed; /* per input: somebody wants its gradient */
    const struct onn_prob *prob;
    /* Appends a node of operator `op`; output 0's id, 0 after an error (sticky in graph). */
    int32_t (*emit)(struct onn_grad *g, const char *op, const void *attr, int n_in, const int32_t *in);
    /* The same with several outputs. */
    enum oclnn_status (*emit_many)(struct onn_grad *g, const char *op, const void *attr, int n_in,
        const int32_t *in, int n_out, int32_t *out);
    /* Adds dx to the gradient of input i (several contributions are summed). dx must have the input's shape; 0 is
     * ignored, so a chain of emits needs no checks. */
    void (*add)(struct onn_grad *g, int i, int32_t dx);
    void *frame;
};

/* Sums dx (shape of the broadcast result) over the dimensions along which `like` was broadcast; the id of a value of
 * like's shape. For the gradients of operators with broadcasting. */
int32_t onn_grad_unbroadcast(struct onn_grad *g, int32_t dx, int32_t like);

/* Shorter forms; 0 among the operands gives 0, so that the sticky error of an emit runs through. */
int32_t onn_grad_1(struct onn_grad *g, const char *op, const void *attr, int32_t a);
int32_t onn_grad_2(struct onn_grad *g, const char *op, const void *attr, int32_t a, int32_t b);
int32_t onn_grad_3(struct onn_grad *g, const char *op, const void *attr, int32_t a, int32_t b, int32_t c);
/* A constant number of the gradients' element type. */
int32_t onn_grad_number(struct onn_grad *g, double v);
/* x * v */
int32_t onn_grad_scale(struct onn_grad *g, int32_t x, double v);
int32_t onn_grad_reshape(struct onn_grad *g, int32_t x, int rank, const int64_t *dim);
int32_t onn_grad_reshape_like(struct onn_grad *g, int32_t x, int32_t like);
/* x repeated along its dimensions of extent 1 up to the shape of `like`. */
int32_t onn_grad_expand_like(struct onn_grad *g, int32_t x, int32_t like);
/* Sums (op "reducesum") or another reduction over the dimensions of the mask, which stay with extent 1. */
int32_t onn_grad_reduce(struct onn_grad *g, const char *op, int32_t x, uint32_t mask);
/* Zeros in the shape of `like`. */
int32_t onn_grad_zeros(struct onn_grad *g, int32_t like);
const struct onn_desc *onn_grad_desc(const struct onn_grad *g, int32_t id);
/* A copy of v[n] in the graph's arena, as an attribute's list. */
struct onn_ints onn_grad_list(struct onn_grad *g, const int64_t *v, int n);
/* The sentence for an input whose gradient is wanted but not defined here. */
enum oclnn_status onn_grad_refuse(const struct onn_grad *g, int i, const char *why);

#endif
