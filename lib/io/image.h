/* Pixels: decoding, resizing, turning into numbers. */
#ifndef ONN_IO_IMAGE_H
#define ONN_IO_IMAGE_H

#include "base/status.h"
#include <oclnn/io.h>
#include <stdbool.h>

#define ONN_IMAGE_MAX_PIXELS ((int64_t)64 << 20)

/* 8-bit pixels in rows, `channels` interleaved. */
struct onn_image {
    int width, height, channels;
    uint8_t *pixel; /* onn_free */
};

enum oclnn_status onn_image_alloc(int width, int height, int channels, struct onn_image *out);
void onn_image_finish(struct onn_image *image);
/* A file's size as its first bytes tell, without decoding. Errors: NOT_FOUND, IO, FORMAT (neither JPEG nor PNG, cut off),
 * UNSUPPORTED (too big); the sentence begins with the path. */
struct onn_image_head {
    int width, height;
    size_t bytes; /* of the file */
};
enum oclnn_status onn_image_peek(const char *path, struct onn_image_head *out);
/* JPEG or PNG, told apart by their first bytes; always 3 channels. */
enum oclnn_status onn_image_decode(const void *bytes, size_t size, struct onn_image *out);
/* A PNG of one number per pixel (palette or grey of at most 8 bits), the numbers as they are stored: 1 channel. A palette's
 * colours and the brightness of grey mean nothing. Errors: FORMAT, UNSUPPORTED (colours, 16 bits), MEMORY. */
enum oclnn_status onn_image_decode_mask(const void *bytes, size_t size, struct onn_image *out);
/* Bilinear, with the triangle widened by the ratio when shrinking, in the fixed-point steps of the imaging
 * library that most training pipelines use: its results come out to the bit. */
enum oclnn_status onn_image_resize(const struct onn_image *in, int width, int height, struct onn_image *out);
/* The middle of that, without making the rest. */
enum oclnn_status onn_image_resize_centre(const struct onn_image *in, int width, int height, int crop_width,
    int crop_height, struct onn_image *out);
/* The same place of the image, each pixel the one that lies nearest; any number of channels. */
enum oclnn_status onn_image_nearest_centre(const struct onn_image *in, int width, int height, int crop_width,
    int crop_height, struct onn_image *out);
enum oclnn_status onn_image_crop(const struct onn_image *in, int width, int height, struct onn_image *out);
/* resize and crop as params say; `image` is replaced. */
enum oclnn_status onn_image_fit(struct onn_image *image, const struct oclnn_image_params *params);
/* RGB to planes, C x H x W bytes; grey: one plane, the luma. */
void onn_image_planes(const struct onn_image *image, bool grey, uint8_t *out);
/* Refuses NaN and u8 together with numbers. */
enum oclnn_status onn_image_check(const struct oclnn_image_params *params);
/* `n` images of one size as planes (C x H x W each) to numbers. */
struct onn_pixels {
    const uint8_t *data;
    int64_t n;
    int channels, height, width;
    int64_t step_n, step_c, step_y, step_x; /* in bytes */
};
enum oclnn_status onn_image_numbers(const struct onn_pixels *p, const struct oclnn_image_params *params,
    oclnn_tensor **out);

#endif
