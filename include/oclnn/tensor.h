/* Element types, shapes and host-side tensors. Tier 1. */
#ifndef OCLNN_TENSOR_H
#define OCLNN_TENSOR_H

#include <oclnn/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most dimensions that a tensor may have. */
#define OCLNN_MAX_RANK 8

/* One row per element type: id, name, bytes of one element, number in ONNX's TensorProto.DataType. */
#define OCLNN_DTYPE_LIST(X) \
    X(OCLNN_NONE, "none", 0, 0) \
    X(OCLNN_F32, "f32", 4, 1) \
    X(OCLNN_U8, "u8", 1, 2) \
    X(OCLNN_I8, "i8", 1, 3) \
    X(OCLNN_I32, "i32", 4, 6) \
    X(OCLNN_I64, "i64", 8, 7) \
    X(OCLNN_BOOL, "bool", 1, 9) \
    X(OCLNN_F16, "f16", 2, 10) \
    X(OCLNN_F64, "f64", 8, 11) \
    X(OCLNN_BF16, "bf16", 2, 16)

/** Element type. bool is one byte, 0 or 1. OCLNN_NONE: absent (0, so a zeroed struct means absent). */
enum oclnn_dtype {
#define OCLNN_DTYPE_ROW(id, name, bytes, onnx) id,
    OCLNN_DTYPE_LIST(OCLNN_DTYPE_ROW)
#undef OCLNN_DTYPE_ROW
};

/** Returns "f32", "i64", …; "none" for anything unknown; static storage. */
OCLNN_API const char *oclnn_dtype_name(enum oclnn_dtype dtype);
/** Returns the bytes of one element; 0 for OCLNN_NONE. */
OCLNN_API size_t oclnn_dtype_size(enum oclnn_dtype dtype);

/** A shape: `rank` dimensions, outermost first; -1 is a dimension that is bound when the model is run. */
struct oclnn_shape {
    int rank; /**< 0 (a scalar) … OCLNN_MAX_RANK */
    int64_t dim[OCLNN_MAX_RANK]; /**< unused ones are 0 */
};

/** OCLNN_SHAPE(1, 3, 224, 224): a shape as an expression (C only; C++ fills the struct). */
#define OCLNN_SHAPE(...) \
    ((struct oclnn_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})

/** A list of numbers as an expression, for axes and orders (C only): OCLNN_LIST(2, 3). */
#define OCLNN_LIST(...) OCLNN_SHAPE(__VA_ARGS__)

/** A tensor in host memory, row-major. Thread-safety: one thread at a time. */
typedef struct oclnn_tensor oclnn_tensor;

/**
 * Creates a tensor with `shape` (no -1) and zeroed elements.
 * @param data  copied if not NULL (row-major, product of dims elements).
 * Errors: OCLNN_ERROR_ARGUMENT, OCLNN_ERROR_MEMORY. The caller destroys *out.
 */
OCLNN_API enum oclnn_status oclnn_tensor_create(enum oclnn_dtype dtype, struct oclnn_shape shape,
    const void *data, oclnn_tensor **out);
/** Destroys and NULLs *tensor; accepts NULL and a pointer to NULL. */
OCLNN_API void oclnn_tensor_destroy(oclnn_tensor **tensor);
/** Returns the type of the elements. */
OCLNN_API enum oclnn_dtype oclnn_tensor_dtype(const oclnn_tensor *tensor);
/** Returns the shape. */
OCLNN_API struct oclnn_shape oclnn_tensor_shape(const oclnn_tensor *tensor);
/** Returns the elements, owned by the tensor; valid until it is destroyed. */
OCLNN_API void *oclnn_tensor_data(const oclnn_tensor *tensor);
/** Returns the bytes of all elements. */
OCLNN_API size_t oclnn_tensor_bytes(const oclnn_tensor *tensor);

#ifdef __cplusplus
}
#endif
#endif
