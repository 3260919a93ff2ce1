/* numpy's .npy format, in memory. */
#ifndef ONN_IO_NPY_H
#define ONN_IO_NPY_H

#include "tensor/tensor.h"

#define ONN_NPY_HEADER 256 /* bytes that a header made here takes at most */

/* The array in `bytes`; everything is checked before memory is taken. */
enum oclnn_status onn_npy_decode(const void *bytes, size_t size, struct oclnn_tensor **out);
/* The header for a tensor of this desc, padded so that data begin at a multiple of 64; returns its length. */
size_t onn_npy_header(const struct onn_desc *desc, char out[static ONN_NPY_HEADER]);
/* Header and data as one block (onn_free). bf16 becomes f32, which numpy has. */
enum oclnn_status onn_npy_encode(const struct oclnn_tensor *tensor, void **bytes, size_t *size);

#endif
