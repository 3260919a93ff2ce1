/* What is inside a public tensor: a plain description and its bytes. */
#ifndef ONN_TENSOR_TENSOR_H
#define ONN_TENSOR_TENSOR_H

#include "tensor/desc.h"

struct oclnn_tensor {
    struct onn_desc desc; /* plain, packed, every dimension known */
    void *data;
    size_t bytes;
};

/* A tensor like `desc` (its dtype and dims; made plain), elements copied from `data` or zeroed if NULL. */
enum oclnn_status onn_tensor_from_desc(const struct onn_desc *desc, const void *data,
    struct oclnn_tensor **out);

#endif
