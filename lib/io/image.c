/* Files to pixels and back. */
#include "io/image.h"

#include "base/fs.h"
#include "base/mem.h"
#include <limits.h>
#include <png.h>
#include <string.h>
#include <turbojpeg.h>

#define MAX_FILE ((size_t)512 << 20)

enum oclnn_status onn_image_alloc(int width, int height, int channels, struct onn_image *out)
{
    *out = (struct onn_image){width, height, channels, NULL};
    if (width < 1 || height < 1 || (int64_t)width * height > ONN_IMAGE_MAX_PIXELS)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "image: %d x %d pixels, at most %d Mpixel are supported",
            width, height, (int)(ONN_IMAGE_MAX_PIXELS >> 20));
    out->pixel = onn_alloc((size_t)width * (size_t)height * (size_t)channels);
    return out->pixel ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

void onn_image_finish(struct onn_image *image)
{
    onn_free(image->pixel);
    *image = (struct onn_image){0};
}

static enum oclnn_status decode_jpeg(const void *bytes, size_t size, struct onn_image *out)
{
    enum oclnn_status status = OCLNN_OK;
    int width = 0, height = 0, sampling = -1, space = -1; /* tables without an image leave them as they are */
    tjhandle tj = tjInitDecompress();
    ONN_CHECK(tj, OCLNN_ERROR_MEMORY, "JPEG: no decoder");
    ONN_CHECK(tjDecompressHeader3(tj, bytes, (unsigned long)size, &width, &height, &sampling, &space) == 0,
        OCLNN_ERROR_FORMAT, "JPEG: %s", tjGetErrorStr2(tj));
    ONN_CHECK(space != TJCS_CMYK && space != TJCS_YCCK, OCLNN_ERROR_UNSUPPORTED,
        "JPEG: CMYK is not supported");
    ONN_TRY(onn_image_alloc(width, height, 3, out));
    if (tjDecompress2(tj, bytes, (unsigned long)size, out->pixel, width, 0, height, TJPF_RGB,
            TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)) {
        /* Odd but complete files give warnings; a file that ends too early is an error. */
        ONN_CHECK(tjGetErrorCode(tj) == TJERR_WARNING && !strstr(tjGetErrorStr2(tj), "remature end"),
            OCLNN_ERROR_FORMAT, "JPEG: %s", tjGetErrorStr2(tj));
    }
fail:
    if (tj)
        tjDestroy(tj);
    return status;
}

static enum oclnn_status decode_png(const void *bytes, size_t size, struct onn_image *out)
{
    enum oclnn_status status = OCLNN_OK;
    png_image png = {.version = PNG_IMAGE_VERSION};
    ONN_CHECK(png_image_begin_read_from_memory(&png, bytes, size), OCLNN_ERROR_FORMAT, "PNG: %s",
        png.message);
    ONN_CHECK(png.width <= INT_MAX && png.height <= INT_MAX, OCLNN_ERROR_FORMAT, "PNG: the size is too big");
    /* The thinnest pixels have one bit, and deflate packs 1032 to 1: more than that is no image but a
     * bomb. */
    ONN_CHECK((uint64_t)png.width * png.height / 8 / 1032 <= size, OCLNN_ERROR_FORMAT,
        "PNG: %u x %u pixels cannot be in %zu bytes", (unsigned)png.width, (unsigned)png.height, size);
    bool alpha = (png.format & PNG_FORMAT_FLAG_ALPHA) != 0;
    png.format = alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
    png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    ONN_TRY(onn_image_alloc((int)png.width, (int)png.height, alpha ? 4 : 3, out));
    ONN_CHECK(png_image_finish_read(&png, NULL, out->pixel, 0, NULL), OCLNN_ERROR_FORMAT, "PNG: %s",
        png.message);
    size_t n = (size_t)out->width * (size_t)out->height;
    for (size_t i = 0; alpha && i < n; i++)
        memmove(out->pixel + 3 * i, out->pixel + 4 * i, 3);
    out->channels = 3;
fail:
    png_image_free(&png);
    return status;
}

enum oclnn_status onn_image_decode(const void *bytes, size_t size, struct onn_image *out)
{
    static const uint8_t png_magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    const uint8_t *b = bytes;
    enum oclnn_status status;
    *out = (struct onn_image){0};
    if (size >= 8 && !memcmp(b, png_magic, 8))
        status = decode_png(bytes, size, out);
    else if (size >= 3 && b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff)
        status = decode_jpeg(bytes, size, out);
    else
        status = onn_error(OCLNN_ERROR_FORMAT, "neither JPEG nor PNG");
    if (status != OCLNN_OK)
        onn_image_finish(out);
    return status;
}

static enum oclnn_status numbers_of(struct onn_image *image, const struct oclnn_image_params *params,
    oclnn_tensor **out)
{
    enum oclnn_status status = onn_image_fit(image, params);
    if (status != OCLNN_OK)
        return status;
    struct onn_pixels p = {image->pixel, 1, 3, image->height, image->width, 0, 1, 3 * (int64_t)image->width,
        3};
    return onn_image_numbers(&p, params, out);
}

enum oclnn_status oclnn_image_decode(const void *bytes, size_t size, const struct oclnn_image_params *params,
    oclnn_tensor **out)
{
    static const struct oclnn_image_params none = {0};
    struct onn_image image = {0};
    enum oclnn_status status = OCLNN_OK;
    ONN_CHECK(bytes && out, OCLNN_ERROR_ARGUMENT, "image: bytes or out is NULL");
    *out = NULL;
    params = params ? params : &none;
    ONN_TRY(onn_image_check(params));
    ONN_TRY(onn_image_decode(bytes, size, &image));
    ONN_TRY(numbers_of(&image, params, out));
fail:
    onn_image_finish(&image);
    return status;
}

enum oclnn_status oclnn_image_load(const char *path, const struct oclnn_image_params *params,
    oclnn_tensor **out)
{
    void *bytes = NULL;
    size_t size;
    if (!path || !out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "image load: path or out is NULL");
    *out = NULL;
    enum oclnn_status status = onn_fs_read(path, MAX_FILE, &bytes, &size);
    if (status != OCLNN_OK)
        return status;
    status = oclnn_image_decode(bytes, size, params, out);
    if (status != OCLNN_OK)
        onn_error_at(status, "%.300s", path);
    onn_free(bytes);
    return status;
}

/* ---- writing ---- */
struct layout {
    int channels, height, width;
    int64_t step_c, step_y, step_x;
};

static enum oclnn_status layout_of(const oclnn_tensor *image, int nhwc, struct layout *l)
{
    struct oclnn_shape s = oclnn_tensor_shape(image);
    const int64_t *d = s.dim + (s.rank == 4);
    if ((s.rank != 3 && s.rank != 4) || (s.rank == 4 && s.dim[0] != 1))
        return onn_error(OCLNN_ERROR_SHAPE, "image save: the tensor is not one image");
    int64_t c = nhwc ? d[2] : d[0], h = nhwc ? d[0] : d[1], w = nhwc ? d[1] : d[2];
    if ((c != 1 && c != 3) || h < 1 || w < 1 || h > INT_MAX || w > INT_MAX || h * w > ONN_IMAGE_MAX_PIXELS)
        return onn_error(OCLNN_ERROR_SHAPE, "image save: %lld channels of %lld x %lld pixels", (long long)c,
            (long long)w, (long long)h);
    *l = (struct layout){(int)c, (int)h, (int)w, nhwc ? 1 : h * w, nhwc ? w * c : w, nhwc ? c : 1};
    return OCLNN_OK;
}

static uint8_t byte_of(float value)
{
    return value > 0 ? value < 255 ? (uint8_t)(value + 0.5f) : 255 : 0; /* NaN is 0 too */
}

static void to_pixels(const oclnn_tensor *image, const struct layout *l, const struct oclnn_image_params *p,
    uint8_t *to)
{
    const void *data = oclnn_tensor_data(image);
    bool bytes = oclnn_tensor_dtype(image) == OCLNN_U8;
    for (int y = 0; y < l->height; y++)
        for (int x = 0; x < l->width; x++)
            for (int c = 0; c < l->channels; c++) {
                int from = p->bgr && l->channels == 3 ? 2 - c : c;
                int64_t at = from * l->step_c + y * l->step_y + x * l->step_x;
                float deviation = p->deviation[from] != 0 ? p->deviation[from] : 1;
                float scale = p->scale != 0 ? p->scale : 1;
                *to++ = bytes ? ((const uint8_t *)data)[at]
                              : byte_of((((const float *)data)[at] * deviation + p->mean[from]) / scale);
            }
}

enum oclnn_status oclnn_image_save(const char *path, const oclnn_tensor *image,
    const struct oclnn_image_params *params)
{
    static const struct oclnn_image_params none = {0};
    enum oclnn_status status = OCLNN_OK;
    struct onn_image pixels = {0};
    struct layout l = {0};
    void *file = NULL;
    png_alloc_size_t bytes = 0;
    ONN_CHECK(path && image, OCLNN_ERROR_ARGUMENT, "image save: path or image is NULL");
    enum oclnn_dtype dtype = oclnn_tensor_dtype(image);
    ONN_CHECK(dtype == OCLNN_F32 || dtype == OCLNN_U8, OCLNN_ERROR_DTYPE,
        "image save: %s is neither f32 nor u8", oclnn_dtype_name(dtype));
    params = params ? params : &none;
    ONN_TRY(layout_of(image, params->nhwc, &l));
    ONN_TRY(onn_image_alloc(l.width, l.height, l.channels, &pixels));
    to_pixels(image, &l, params, pixels.pixel);
    png_image png = {.version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)l.width,
        .height = (png_uint_32)l.height,
        .format = l.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    bytes = PNG_IMAGE_PNG_SIZE_MAX(png);
    file = onn_alloc(bytes);
    ONN_TRY(file ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_CHECK(png_image_write_to_memory(&png, file, &bytes, 0, pixels.pixel, 0, NULL), OCLNN_ERROR_IO,
        "image save: %s", png.message);
    ONN_TRY(onn_fs_write(path, file, bytes, false));
fail:
    onn_image_finish(&pixels);
    onn_free(file);
    return status;
}
