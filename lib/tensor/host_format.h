/* Formats on the host: plain arrays into any layout and back. For tests, the tuner and single operators; the planner
 * reorders on the device. Opaque packs are not handled here. */
#ifndef ONN_TENSOR_HOST_FORMAT_H
#define ONN_TENSOR_HOST_FORMAT_H

#include "tensor/desc.h"

/* Writes the elements of the row-major array `plain` where `d` has them in `bytes` (the address of offset 0, at least
 * onn_desc_extent elements) and zeroes the padding lanes. Bytes between the elements of a view are left alone. */
void onn_host_scatter(const struct onn_desc *d, const void *plain, void *bytes);
/* The inverse: collects the elements into a row-major array. */
void onn_host_gather(const struct onn_desc *d, const void *bytes, void *plain);
/* One byte per element: 1 at an element of d, 2 at a padding lane; others are left alone. */
void onn_host_mask(const struct onn_desc *d, unsigned char *mask);

#endif
