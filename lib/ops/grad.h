/* What an operator's gradient callback sees and may do. Backward is graph: the callback appends ordinary nodes. The
 * frame that calls it is pass/grad.c; it is reached through function pointers because rooms look downwards only. */
#ifndef ONN_OPS_GRAD_H
#define ONN_OPS_GRAD_H

#include "ops/op.h"

struct onn_grad {
    struct onn_graph *graph;
    const char *name;   /* of the forward node */
    int n_in, n_out;
    const int32_t *in, *out; /* forward values: ids in graph, 0 = absent */
    const int32_t *dout;     /* gradients of the outputs, 0 = no gradient flows there */
    const bool *needed;      /* per input: somebody wants its gradient */
    const struct onn_prob *prob;
    /* Appends a node of operator `op`; output 0's id, 0 after an error (sticky in graph). */
    int32_t (*emit)(struct onn_grad *g, const char *op, const void *attr, int n_in, const int32_t *in);
    /* The same with several outputs. */
    enum oclnn_status (*emit_many)(struct onn_grad *g, const char *op, const void *attr, int n_in, const int32_t *in,
                                   int n_out, int32_t *out);
    /* Adds dx to the gradient of input i (several contributions are summed). dx must have the input's shape; 0 is
     * ignored, so a chain of emits needs no checks. */
    void (*add)(struct onn_grad *g, int i, int32_t dx);
    void *frame;
};

/* Sums dx (shape of the broadcast result) over the dimensions along which `like` was broadcast; the id of a value of
 * like's shape. For the gradients of operators with broadcasting. */
int32_t onn_grad_unbroadcast(struct onn_grad *g, int32_t dx, int32_t like);

#endif
