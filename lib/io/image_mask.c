/* Masks: pictures whose pixels are numbers, not colours. */
#include "io/image.h"

#include "base/mem.h"
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

struct reader {
    png_structp png;
    png_infop info;
    const uint8_t *at;
    size_t left, size;
    png_bytep *row;
    char sentence[160];
};

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
    struct reader *r = png_get_io_ptr(png);
    if (n > r->left)
        png_error(png, "the file is cut off");
    memcpy(to, r->at, n);
    r->at += n;
    r->left -= n;
}

static PNG_NORETURN void on_error(png_structp png, png_const_charp text)
{
    struct reader *r = png_get_error_ptr(png);
    snprintf(r->sentence, sizeof r->sentence, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

/* libpng jumps back here, so nothing in it may be a local that is still needed then. */
static enum oclnn_status read_png(struct reader *r, struct onn_image *out)
{
    enum oclnn_status status = OCLNN_OK;
    if (setjmp(png_jmpbuf(r->png)))
        return onn_error(OCLNN_ERROR_FORMAT, "PNG: %s", r->sentence);
    png_set_read_fn(r->png, r, read_bytes);
    png_read_info(r->png, r->info);
    const uint32_t width = png_get_image_width(r->png, r->info);
    const uint32_t height = png_get_image_height(r->png, r->info);
    const int depth = png_get_bit_depth(r->png, r->info), colour = png_get_color_type(r->png, r->info);
    ONN_CHECK(colour == PNG_COLOR_TYPE_PALETTE || (colour == PNG_COLOR_TYPE_GRAY && depth <= 8),
        OCLNN_ERROR_UNSUPPORTED,
        "PNG: %d bits of %s: a mask has one number of at most 8 bits per pixel (palette or grey)", depth,
        colour == PNG_COLOR_TYPE_GRAY ? "grey" : "several channels");
    /* The thinnest pixels have one bit, and deflate packs 1032 to 1. */
    ONN_CHECK((uint64_t)width * height / 8 / 1032 <= r->size, OCLNN_ERROR_FORMAT,
        "PNG: %u x %u pixels cannot be in %zu bytes", (unsigned)width, (unsigned)height, r->size);
    ONN_TRY(onn_image_alloc((int)width, (int)height, 1, out));
    ONN_TRY((r->row = onn_calloc(height, sizeof *r->row)) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (uint32_t y = 0; y < height; y++)
        r->row[y] = out->pixel + (size_t)y * width;
    png_set_packing(r->png);
    png_read_image(r->png, r->row); /* interlaced ones too */
    png_read_end(r->png, NULL);
fail:
    return status;
}

enum oclnn_status onn_image_decode_mask(const void *bytes, size_t size, struct onn_image *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct reader r = {.at = bytes, .left = size, .size = size};
    *out = (struct onn_image){0};
    ONN_CHECK(size >= 8 && !png_sig_cmp(bytes, 0, 8), OCLNN_ERROR_FORMAT, "a mask must be a PNG");
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    ONN_TRY(r.info ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    status = read_png(&r, out);
fail:
    png_destroy_read_struct(r.png ? &r.png : NULL, r.info ? &r.info : NULL, NULL);
    onn_free(r.row);
    if (status != OCLNN_OK)
        onn_image_finish(out);
    return status;
}

/* Pixel i of n covers i / n … (i + 1) / n of the side: its middle falls into one pixel of the input. */
static size_t nearest(int i, int n, int in)
{
    return (size_t)((2 * (int64_t)i + 1) * in / (2 * (int64_t)n));
}

enum oclnn_status onn_image_nearest_centre(const struct onn_image *in, int width, int height, int crop_width,
    int crop_height, struct onn_image *out)
{
    enum oclnn_status status = OCLNN_OK;
    *out = (struct onn_image){0};
    ONN_CHECK(crop_width >= 1 && crop_height >= 1 && crop_width <= width && crop_height <= height,
        OCLNN_ERROR_ARGUMENT, "image: a crop of %d x %d from %d x %d pixels", crop_width, crop_height, width,
        height);
    ONN_TRY(onn_image_alloc(crop_width, crop_height, in->channels, out));
    const int left = (width - crop_width) / 2, top = (height - crop_height) / 2;
    const size_t c = (size_t)in->channels;
    uint8_t *to = out->pixel;
    for (int y = 0; y < crop_height; y++) {
        const uint8_t *row = in->pixel + nearest(top + y, height, in->height) * (size_t)in->width * c;
        for (int x = 0; x < crop_width; x++, to += c)
            memcpy(to, row + nearest(left + x, width, in->width) * c, c);
    }
fail:
    return status;
}
