/* What a tensor looks like: element type, shape, physical format and strides. Plain data. */
#ifndef ONN_TENSOR_DESC_H
#define ONN_TENSOR_DESC_H

#include "base/mem.h"
#include <oclnn/tensor.h>
#include <stdbool.h>

#define ONN_MAX_RANK OCLNN_MAX_RANK

/* How elements lie in memory. Zeroed = plain row-major.
 * order: logical dimensions from outermost to innermost (meaningful when permuted is set).
 * axis/block: dimension `axis` is split into ceil(dim/block) blocks; the block of `block` elements lies innermost.
 * Lanes of the last block behind the end of the dimension hold 0, always: every kernel that writes a blocked tensor
 * keeps that.
 * pack: not 0 = opaque, an operator's own packing of a weight (enum onn_pack); p[] are its parameters. */
struct onn_format {
    uint8_t permuted, order[ONN_MAX_RANK];
    uint8_t axis, block;
    uint8_t pack, p[4];
};

/* dim -1 = not known yet; rank -1 = not even the rank is known. stride[] is in elements: a step of 1 along a
 * dimension, or of one whole block along the blocked one (inside a block the step is 1). offset: first element. */
struct onn_desc {
    enum oclnn_dtype dtype;
    int32_t rank;
    int64_t dim[ONN_MAX_RANK];
    struct onn_format format;
    int64_t stride[ONN_MAX_RANK];
    int64_t offset;
};

struct onn_format onn_format_plain(void);
/* Channels last: 0, 2 … rank-1, 1. Plain for rank < 3. */
struct onn_format onn_format_nhwc(int rank);
struct onn_format onn_format_blocked(int axis, int block);
struct onn_format onn_format_pack(int pack, int p0, int p1, int p2);
bool onn_format_equal(const struct onn_format *a, const struct onn_format *b);
bool onn_format_is_plain(const struct onn_format *f);
/* "plain" "nhwc" "c8" (blocked by 8 along dimension 1) "order0231" "pack3(8,2,0)"; returns `text`. */
const char *onn_format_name(const struct onn_format *f, char text[static 48]);
/* The inverse, for a tensor of `rank`; false if the text is no format's name. */
bool onn_format_parse(const char *text, int rank, struct onn_format *out);

/* Plain row-major desc with packed strides. dims may be -1 (strides are then not set). */
struct onn_desc onn_desc_make(enum oclnn_dtype dtype, int rank, const int64_t *dim);
struct onn_desc onn_desc_of_shape(enum oclnn_dtype dtype, struct oclnn_shape shape);
/* Sets format and recomputes packed strides, offset 0. */
void onn_desc_set_format(struct onn_desc *d, struct onn_format format);
/* Rank and every dimension known? */
bool onn_desc_is_known(const struct onn_desc *d);
/* Product of the dimensions (1 for a scalar); -1 if unknown or over INT64_MAX. */
int64_t onn_desc_elements(const struct onn_desc *d);
/* Elements of dtype from offset 0 to the last one, padding lanes included; -1 when unknown or too big.
 * For an opaque pack the caller stored the packed element count in stride[0]. */
int64_t onn_desc_extent(const struct onn_desc *d);
size_t onn_desc_bytes(const struct onn_desc *d);
/* Bytes without padding. */
size_t onn_desc_unpadded_bytes(const struct onn_desc *d);
/* Are the strides those that onn_desc_set_format would make? */
bool onn_desc_is_packed(const struct onn_desc *d);
bool onn_desc_same_shape(const struct onn_desc *a, const struct onn_desc *b);
/* Physical offset of logical index idx[rank]. */
int64_t onn_desc_at(const struct onn_desc *d, const int64_t *idx);
/* Image, channel and pixel strides, 0 where the tensor has none; false if the pixels do not follow each other at one
 * distance. */
bool onn_desc_pixel_strides(const struct onn_desc *d, int64_t s[3]);
/* "f32[1,3,224,224]" with the format's name if not plain; returns `text`. */
const char *onn_desc_text(const struct onn_desc *d, char text[static 160]);
/* Resolves a possibly negative axis; false if out of -rank … rank-1. */
bool onn_axis_resolve(int64_t axis, int rank, int *out);
/* numpy broadcasting of a and b into out[], which may be one of them; returns the rank or -1 if they do not fit. -1
 * dims are unknown. */
int onn_broadcast(int rank_a, const int64_t *a, int rank_b, const int64_t *b, int64_t *out);

enum oclnn_dtype onn_dtype_from_onnx(int number); /* OCLNN_NONE if not supported */
int onn_dtype_to_onnx(enum oclnn_dtype dtype);
enum oclnn_dtype onn_dtype_from_name(const char *name, size_t length); /* OCLNN_NONE if unknown */
bool onn_dtype_is_float(enum oclnn_dtype dtype);

#endif
