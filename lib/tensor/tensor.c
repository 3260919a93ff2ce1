#include "tensor/tensor.h"

#include <string.h>

enum oclnn_status onn_tensor_from_desc(const struct onn_desc *desc, const void *data,
    struct oclnn_tensor **out)
{
    *out = NULL;
    if (!oclnn_dtype_size(desc->dtype))
        return onn_error(OCLNN_ERROR_ARGUMENT, "tensor: no element type (%d)", (int)desc->dtype);
    struct onn_desc plain = onn_desc_make(desc->dtype, desc->rank, desc->dim);
    int64_t elements = onn_desc_elements(&plain);
    size_t bytes;
    if (elements < 0 || !onn_mul_size((size_t)elements, oclnn_dtype_size(plain.dtype), &bytes) ||
        bytes > PTRDIFF_MAX) {
        char text[160];
        return onn_error(OCLNN_ERROR_ARGUMENT, "tensor: %s has an unknown dimension or is too big",
            onn_desc_text(&plain, text));
    }
    struct oclnn_tensor *t = onn_calloc(1, sizeof *t);
    if (!t)
        return OCLNN_ERROR_MEMORY;
    t->desc = plain;
    t->bytes = bytes;
    t->data = onn_calloc(bytes, 1);
    if (!t->data) {
        onn_free(t);
        return OCLNN_ERROR_MEMORY;
    }
    if (data && bytes)
        memcpy(t->data, data, bytes);
    *out = t;
    return OCLNN_OK;
}

enum oclnn_status oclnn_tensor_create(enum oclnn_dtype dtype, struct oclnn_shape shape, const void *data,
    oclnn_tensor **out)
{
    if (!out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "tensor: out is NULL");
    *out = NULL;
    if (shape.rank < 0 || shape.rank > OCLNN_MAX_RANK)
        return onn_error(OCLNN_ERROR_ARGUMENT, "tensor: rank %d is not in 0 ... %d", shape.rank,
            OCLNN_MAX_RANK);
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] < 0)
            return onn_error(OCLNN_ERROR_ARGUMENT, "tensor: dimension %d is %lld", i,
                (long long)shape.dim[i]);
    struct onn_desc desc = onn_desc_of_shape(dtype, shape);
    return onn_tensor_from_desc(&desc, data, out);
}

void oclnn_tensor_destroy(oclnn_tensor **tensor)
{
    if (!tensor || !*tensor)
        return;
    onn_free((*tensor)->data);
    onn_free(*tensor);
    *tensor = NULL;
}

enum oclnn_dtype oclnn_tensor_dtype(const oclnn_tensor *tensor)
{
    return tensor ? tensor->desc.dtype : OCLNN_NONE;
}

struct oclnn_shape oclnn_tensor_shape(const oclnn_tensor *tensor)
{
    struct oclnn_shape shape = {0};
    if (tensor) {
        shape.rank = tensor->desc.rank;
        for (int i = 0; i < shape.rank; i++)
            shape.dim[i] = tensor->desc.dim[i];
    }
    return shape;
}

void *oclnn_tensor_data(const oclnn_tensor *tensor)
{
    return tensor ? tensor->data : NULL;
}

size_t oclnn_tensor_bytes(const oclnn_tensor *tensor)
{
    return tensor ? tensor->bytes : 0;
}
