/* Resizing, cropping, and pixels to numbers. */
#include "io/image.h"

#include "base/mem.h"
#include "tensor/tensor.h"
#include <math.h>
#include <string.h>

/* ---- resize ----
 * Separable: first along rows, then along columns, bytes in between; only what the wanted part needs. Weights are doubles that sum to one,
 * rounded to 22 fractional bits; that leaves room for the sum of bytes in 32 bits. */
#define BITS 22

struct weights {
    int taps; /* room per output pixel */
    int *first, *n;
    int32_t *w;
};

static void weights_finish(struct weights *w)
{
    onn_free(w->first);
    onn_free(w->n);
    onn_free(w->w);
}

/* Outputs first … first + count - 1 of an axis that goes from `in` to `out` pixels. */
static enum oclnn_status weights_make(int in, int out, int begin, int count, struct weights *w)
{
    double ratio = (double)in / out, support = ratio > 1 ? ratio : 1;
    w->taps = (int)ceil(support) * 2 + 1;
    w->first = onn_calloc((size_t)count, sizeof *w->first);
    w->n = onn_calloc((size_t)count, sizeof *w->n);
    w->w = onn_calloc((size_t)count, (size_t)w->taps * sizeof *w->w);
    double *tap = onn_calloc((size_t)w->taps, sizeof *tap);
    if (!w->first || !w->n || !w->w || !tap) {
        onn_free(tap);
        return OCLNN_ERROR_MEMORY;
    }
    for (int i = 0; i < count; i++) {
        double centre = (begin + i + 0.5) * ratio, sum = 0;
        int first = (int)(centre - support + 0.5), last = (int)(centre + support + 0.5);
        first = first < 0 ? 0 : first;
        last = last > in ? in : last;
        w->first[i] = first;
        w->n[i] = last - first;
        for (int k = 0; k < last - first; k++) {
            double distance = fabs((k + first - centre + 0.5) / support);
            tap[k] = distance < 1 ? 1 - distance : 0;
            sum += tap[k];
        }
        for (int k = 0; k < last - first; k++)
            w->w[(size_t)i * (size_t)w->taps + (size_t)k] =
                (int32_t)(0.5 + (sum != 0 ? tap[k] / sum : 0) * (1 << BITS));
    }
    onn_free(tap);
    return OCLNN_OK;
}

static uint8_t clip8(int32_t v)
{
    v >>= BITS;
    return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v;
}

/* One row: `count` outputs from `from`. */
static void across(const uint8_t *from, int channels, const struct weights *w, int count, uint8_t *to)
{
    for (int i = 0; i < count; i++, to += channels) {
        const int32_t *tap = w->w + (size_t)i * (size_t)w->taps;
        const uint8_t *p = from + (size_t)w->first[i] * (size_t)channels;
        if (channels == 3) {
            int32_t r = 1 << (BITS - 1), g = r, b = r;
            for (int k = 0; k < w->n[i]; k++, p += 3) {
                r += p[0] * tap[k];
                g += p[1] * tap[k];
                b += p[2] * tap[k];
            }
            to[0] = clip8(r);
            to[1] = clip8(g);
            to[2] = clip8(b);
            continue;
        }
        for (int c = 0; c < channels; c++) {
            int32_t sum = 1 << (BITS - 1);
            for (int k = 0; k < w->n[i]; k++)
                sum += p[k * channels + c] * tap[k];
            to[c] = clip8(sum);
        }
    }
}

/* One row of `n` bytes from `taps` rows, `stride` apart: blocks of neighbours, whose loops become vectors. */
#define BLOCK 32
static inline __attribute__((always_inline)) void down_rows(const uint8_t *from, size_t stride,
    const int32_t *tap, int taps, size_t n, uint8_t *to)
{
    size_t at = 0;
    while (n >= BLOCK && at < n) {
        int32_t sum[BLOCK];
        at = at + BLOCK <= n ? at : n - BLOCK; /* the last block starts so early that it is whole */
        for (int j = 0; j < BLOCK; j++)
            sum[j] = 1 << (BITS - 1);
        for (int k = 0; k < taps; k++) {
            const uint8_t *row = from + (size_t)k * stride + at;
            const int32_t weight = tap[k];
            for (int j = 0; j < BLOCK; j++)
                sum[j] += row[j] * weight;
        }
        for (int j = 0; j < BLOCK; j++)
            to[at + (size_t)j] = clip8(sum[j]);
        at += BLOCK;
    }
    for (; at < n; at++) {
        int32_t sum = 1 << (BITS - 1);
        for (int k = 0; k < taps; k++)
            sum += from[(size_t)k * stride + at] * tap[k];
        to[at] = clip8(sum);
    }
}

/* The same code for processors that can multiply eight 32-bit numbers at once. */
#if defined __x86_64__ && defined __GNUC__
__attribute__((target("avx2"))) static void down_avx2(const uint8_t *from, size_t stride, const int32_t *tap,
    int taps, size_t n, uint8_t *to)
{
    down_rows(from, stride, tap, taps, n, to);
}
#endif

static void down(const uint8_t *from, size_t stride, const int32_t *tap, int taps, size_t n, uint8_t *to)
{
#if defined __x86_64__ && defined __GNUC__
    if (__builtin_cpu_supports("avx2")) {
        down_avx2(from, stride, tap, taps, n, to);
        return;
    }
#endif
    down_rows(from, stride, tap, taps, n, to);
}

/* A part of a resized image. */
struct window {
    int width, height; /* of the whole */
    int left, top, columns, rows;
};

static enum oclnn_status resize_window(const struct onn_image *in, const struct window *r,
    struct onn_image *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_image middle = {0}; /* those rows of the input that are needed, with the columns wanted */
    struct weights x = {0}, y = {0};
    int first = r->top, rows = r->rows;
    size_t c = (size_t)in->channels, line = (size_t)r->columns * c;
    *out = (struct onn_image){0};
    ONN_TRY(onn_image_alloc(r->columns, r->rows, in->channels, out));
    ONN_TRY(weights_make(in->width, r->width, r->left, r->columns, &x));
    ONN_TRY(weights_make(in->height, r->height, r->top, r->rows, &y));
    if (r->height != in->height) {
        first = y.first[0];
        rows = y.first[r->rows - 1] + y.n[r->rows - 1] - first;
    }
    ONN_TRY(onn_image_alloc(r->columns, rows, in->channels, &middle));
    for (int i = 0; i < rows; i++) {
        const uint8_t *from = in->pixel + (size_t)(first + i) * (size_t)in->width * c;
        if (r->width == in->width)
            memcpy(middle.pixel + (size_t)i * line, from + (size_t)r->left * c, line);
        else
            across(from, in->channels, &x, r->columns, middle.pixel + (size_t)i * line);
    }
    if (r->height == in->height)
        memcpy(out->pixel, middle.pixel, (size_t)rows * line);
    for (int i = 0; i < r->rows && r->height != in->height; i++)
        down(middle.pixel + (size_t)(y.first[i] - first) * line, line, y.w + (size_t)i * (size_t)y.taps,
            y.n[i], line, out->pixel + (size_t)i * line);
fail:
    onn_image_finish(&middle);
    weights_finish(&x);
    weights_finish(&y);
    if (status != OCLNN_OK)
        onn_image_finish(out);
    return status;
}

enum oclnn_status onn_image_resize(const struct onn_image *in, int width, int height, struct onn_image *out)
{
    if (width < 1 || height < 1)
        return onn_error(OCLNN_ERROR_ARGUMENT, "image: resized to %d x %d pixels", width, height);
    return resize_window(in, &(struct window){width, height, 0, 0, width, height}, out);
}

enum oclnn_status onn_image_resize_centre(const struct onn_image *in, int width, int height, int crop_width,
    int crop_height, struct onn_image *out)
{
    *out = (struct onn_image){0};
    if (crop_width < 1 || crop_height < 1 || crop_width > width || crop_height > height)
        return onn_error(OCLNN_ERROR_ARGUMENT, "image: a crop of %d x %d from %d x %d pixels", crop_width,
            crop_height, width, height);
    const struct window r = {width, height, (width - crop_width) / 2, (height - crop_height) / 2, crop_width,
        crop_height};
    return resize_window(in, &r, out);
}

enum oclnn_status onn_image_crop(const struct onn_image *in, int width, int height, struct onn_image *out)
{
    enum oclnn_status status = OCLNN_OK;
    *out = (struct onn_image){0};
    ONN_CHECK(width >= 1 && height >= 1 && width <= in->width && height <= in->height, OCLNN_ERROR_ARGUMENT,
        "image: a crop of %d x %d from %d x %d pixels", width, height, in->width, in->height);
    ONN_TRY(onn_image_alloc(width, height, in->channels, out));
    size_t c = (size_t)in->channels, left = (size_t)(in->width - width) / 2,
           top = (size_t)(in->height - height) / 2;
    for (size_t y = 0; y < (size_t)height; y++)
        memcpy(out->pixel + y * (size_t)width * c, in->pixel + ((top + y) * (size_t)in->width + left) * c,
            (size_t)width * c);
fail:
    return status;
}

static enum oclnn_status replace(struct onn_image *image, enum oclnn_status status, struct onn_image *by)
{
    if (status == OCLNN_OK) {
        onn_image_finish(image);
        *image = *by;
    }
    return status;
}

enum oclnn_status onn_image_fit(struct onn_image *image, const struct oclnn_image_params *params)
{
    struct onn_image next;
    enum oclnn_status status = OCLNN_OK;
    int width = params->width, height = params->height;
    if (params->short_side) {
        int64_t w = image->width, h = image->height, s = params->short_side;
        int64_t shorter = w < h ? w : h, longer = ((w < h ? h : w) * s * 2 + shorter) / (2 * shorter);
        ONN_CHECK(longer * s <= ONN_IMAGE_MAX_PIXELS, OCLNN_ERROR_ARGUMENT,
            "image: resized to %lld x %lld pixels", (long long)s, (long long)longer);
        width = (int)(w > h ? longer : s);
        height = (int)(w > h ? s : longer);
    }
    bool resize = width && height && (width != image->width || height != image->height);
    if (resize && params->crop_width)
        ONN_TRY(replace(image,
            onn_image_resize_centre(image, width, height, params->crop_width, params->crop_height, &next),
            &next));
    else if (resize)
        ONN_TRY(replace(image, onn_image_resize(image, width, height, &next), &next));
    else if (params->crop_width)
        ONN_TRY(replace(image, onn_image_crop(image, params->crop_width, params->crop_height, &next), &next));
fail:
    return status;
}

enum oclnn_status onn_image_check(const struct oclnn_image_params *p)
{
    bool numbers = p->scale != 0, finite = isfinite(p->scale);
    for (int i = 0; i < 3; i++) {
        numbers |= p->mean[i] != 0 || p->deviation[i] != 0;
        finite = finite && isfinite(p->mean[i]) && isfinite(p->deviation[i]);
    }
    if (!finite)
        return onn_error(OCLNN_ERROR_ARGUMENT, "image: scale, mean or deviation is not finite");
    if (p->u8 && numbers)
        return onn_error(OCLNN_ERROR_ARGUMENT, "image: u8 leaves no room for scale, mean and deviation");
    if (p->short_side < 0 || p->width < 0 || p->height < 0 || p->crop_width < 0 || p->crop_height < 0 ||
        !p->width != !p->height || !p->crop_width != !p->crop_height || (p->short_side && p->width))
        return onn_error(OCLNN_ERROR_ARGUMENT,
            "image: give short_side, or width and height; crop_width and crop_height together; none "
            "negative");
    return OCLNN_OK;
}

/* ---- numbers ---- */
/* The reading library's integer form of 0.299 R + 0.587 G + 0.114 B. */
static uint8_t luma(const uint8_t *at, int64_t step)
{
    return (uint8_t)((at[0] * 19595u + at[step] * 38470u + at[2 * step] * 7471u + 0x8000u) >> 16);
}

void onn_image_planes(const struct onn_image *image, bool grey, uint8_t *out)
{
    const size_t n = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < n; i++)
        if (grey)
            out[i] = luma(image->pixel + 3 * i, 1);
        else
            for (size_t c = 0; c < 3; c++)
                out[c * n + i] = image->pixel[3 * i + c];
}

/* One channel of one image. `lut`: the number of each byte. */
static void plane(const struct onn_pixels *p, const uint8_t *image, int source, const float lut[256],
    bool bytes, void *out, int64_t step)
{
    int64_t i = 0;
    for (int64_t y = 0; y < p->height; y++)
        for (int64_t x = 0; x < p->width; x++, i += step) {
            const uint8_t *at = image + y * p->step_y + x * p->step_x;
            uint8_t v = source < 0 ? luma(at, p->step_c) : at[source * p->step_c];
            if (bytes)
                ((uint8_t *)out)[i] = v;
            else
                ((float *)out)[i] = lut[v];
        }
}

enum oclnn_status onn_image_numbers(const struct onn_pixels *p, const struct oclnn_image_params *params,
    oclnn_tensor **out)
{
    bool grey = params->grey && p->channels == 3;
    int channels = grey ? 1 : p->channels;
    int64_t nchw[4] = {p->n, channels, p->height, p->width}, nhwc[4] = {p->n, p->height, p->width, channels};
    struct onn_desc desc = onn_desc_make(params->u8 ? OCLNN_U8 : OCLNN_F32, 4, params->nhwc ? nhwc : nchw);
    enum oclnn_status status = onn_tensor_from_desc(&desc, NULL, out);
    if (status != OCLNN_OK)
        return status;
    int64_t pixels = (int64_t)p->height * p->width;
    size_t size = oclnn_dtype_size(desc.dtype);
    char *data = oclnn_tensor_data(*out);
    for (int c = 0; c < channels; c++) {
        float lut[256], scale = params->scale != 0 ? params->scale : 1, deviation = 1, mean = 0;
        if (c < 3) {
            deviation = params->deviation[c] != 0 ? params->deviation[c] : 1;
            mean = params->mean[c];
        }
        for (int v = 0; v < 256; v++)
            lut[v] = ((float)v * scale - mean) / deviation;
        int source = grey ? -1 : params->bgr && channels == 3 ? 2 - c : c;
        for (int64_t n = 0; n < p->n; n++) {
            int64_t first = n * channels * pixels + (params->nhwc ? c : c * pixels);
            plane(p, p->data + n * p->step_n, source, lut, params->u8, data + (size_t)first * size,
                params->nhwc ? channels : 1);
        }
    }
    return OCLNN_OK;
}
