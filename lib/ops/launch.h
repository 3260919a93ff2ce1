/* A launch is a value: program, kernel, defines, arguments, sizes; or a library call. It can be dumped, hashed and
 * tested without a device. */
#ifndef ONN_OPS_LAUNCH_H
#define ONN_OPS_LAUNCH_H

#include "base/mem.h"
#include "tensor/desc.h"

enum onn_arg_kind {
    ONN_ARG_IN, /* tensor input i: two kernel arguments, cl_mem and long offset in elements (ONN_IN) */
    ONN_ARG_OUT, /* tensor output i: the same (ONN_OUT) */
    ONN_ARG_WORKSPACE, /* scratch, offset_bytes into the node's workspace: the same, offset in floats */
    ONN_ARG_BYTES, /* by value: int, float, long or a struct, `bytes` long */
    ONN_ARG_LOCAL, /* local memory of `bytes` */
};
struct onn_arg {
    enum onn_arg_kind kind;
    int32_t index; /* of the input or output; WORKSPACE: elements in a float, 0 = 1 */
    size_t bytes; /* BYTES, LOCAL; WORKSPACE: offset in bytes */
    const void *value; /* BYTES: in the bind's arena */
};

#define ONN_MAX_ARGS 48
struct onn_launch {
    const char *program; /* cl/ file stem, or several joined by '+' */
    const char *kernel;
    const char *defines; /* "-D VL=8 -D MR=6" in the arena, "" if none */
    const char
        *source; /* generated kernel text in the arena, or NULL: kernels of one plan share one program */
    int n_args;
    struct onn_arg arg[ONN_MAX_ARGS];
    int dims;
    size_t global[3], local[3]; /* local[0] 0 = driver's choice */
    const void *gemm; /* struct onn_gemm_call: CLBlast instead of a kernel; arg[0..2] = A, B, C */
};

/* Collects the launches of one node. Errors are sticky; b->status tells. */
struct onn_bind {
    struct onn_arena *arena;
    struct onn_launch *launch;
    int n, cap;
    enum oclnn_status status;
};
void onn_bind_finish(struct onn_bind *b); /* frees the launch array; the arena belongs to the caller */

/* Starts a launch. `defines` is a printf format. Returns NULL after an error (the helpers below accept NULL). */
struct onn_launch *onn_bind_add(struct onn_bind *b, const char *program, const char *kernel,
    const char *defines, ...) __attribute__((format(printf, 4, 5)));
/* The same with a library call: `call` is a struct onn_gemm_call (runtime/context.h), copied; arguments A, B, C. */
struct onn_launch *onn_bind_gemm(struct onn_bind *b, const void *call, size_t bytes);
void onn_arg_in(struct onn_launch *l, int index);
void onn_arg_out(struct onn_launch *l, int index);
/* The same, offset_bytes behind the tensor's first element: fp32 tensors with parts, such as opaque packs. */
void onn_arg_in_at(struct onn_launch *l, int index, size_t offset_bytes);
void onn_arg_out_at(struct onn_launch *l, int index, size_t offset_bytes);
void onn_arg_workspace(struct onn_launch *l, size_t offset_bytes);
void onn_arg_int(struct onn_bind *b, struct onn_launch *l,
    int64_t value); /* fails if it does not fit an int */
void onn_arg_long(struct onn_bind *b, struct onn_launch *l, int64_t value);
void onn_arg_float(struct onn_bind *b, struct onn_launch *l, float value);
void onn_arg_bytes(struct onn_bind *b, struct onn_launch *l, const void *value, size_t bytes);
void onn_arg_local(struct onn_launch *l, size_t bytes);
/* global sizes; local 0 = driver's choice. Global is rounded up to a multiple of local. */
void onn_launch_size1(struct onn_launch *l, size_t global, size_t local);
void onn_launch_size2(struct onn_launch *l, size_t g0, size_t g1, size_t l0, size_t l1);
void onn_launch_size3(struct onn_launch *l, const size_t global[3], const size_t local[3]);

/* An n-dimensional walk over up to 4 operands, handed to kernels by value (cl/lib/nd.h has the same struct):
 * dimensions outermost first, those of extent 1 dropped, neighbours merged where every operand allows it; at least one dimension, of extent 0 if any is. */
#define ONN_ND_RANK 8
#define ONN_ND_OPERANDS 4
struct onn_nd {
    int32_t rank, pad;
    int32_t dim[ONN_ND_RANK];
    int64_t stride[ONN_ND_OPERANDS][ONN_ND_RANK];
};
/* Walks `rank` dims; strides[k] is operand k's stride per dim (0 = broadcast). Merges. False if a dim exceeds int. */
bool onn_nd_make(struct onn_nd *nd, int rank, const int64_t *dim, int operands,
    const int64_t *const *strides);
/* Strides of a (broadcast to out's rank and dims, numpy rules) for a plain or permuted desc; false if blocked. */
bool onn_nd_broadcast(const struct onn_desc *a, const struct onn_desc *out, int64_t *strides);

#endif
