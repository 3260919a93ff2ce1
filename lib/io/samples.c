#include "io/samples.h"

#include "io/image.h"
#include "tensor/blob.h"
#include "tensor/tensor.h"
#include <string.h>

/* ---- npy:X,LABELS ---- */
static enum oclnn_status take_images(oclnn_tensor *x, struct oclnn_samples *out)
{
    struct oclnn_shape s = oclnn_tensor_shape(x);
    if (oclnn_tensor_dtype(x) != OCLNN_U8 || (s.rank != 3 && s.rank != 4))
        return onn_error(OCLNN_ERROR_FORMAT, "npy: the images are no uint8 array of 3 or 4 dimensions");
    bool small = true;
    for (int i = 1; i < s.rank; i++)
        small = small && s.dim[i] > 0 && s.dim[i] <= 1 << 15;
    if (!small || s.dim[0] < 1)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "npy: images of this size are not supported");
    out->count = s.dim[0];
    out->channels = s.rank == 4 ? (int)s.dim[1] : 1;
    out->height = (int)s.dim[s.rank - 2];
    out->width = (int)s.dim[s.rank - 1];
    out->pixel = x->data; /* moved, not copied */
    x->data = NULL;
    return OCLNN_OK;
}

static enum oclnn_status take_labels(const char *path, struct oclnn_samples *out)
{
    enum oclnn_status status = OCLNN_OK;
    oclnn_tensor *y = NULL;
    size_t length = strlen(path);
    out->label = onn_calloc((size_t)out->count, sizeof *out->label);
    ONN_TRY(out->label ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    if (length > 4 && !strcmp(path + length - 4, ".csv"))
        return onn_csv_labels(path, out->count, out->label);
    ONN_TRY(oclnn_tensor_load(path, &y));
    enum oclnn_dtype dtype = oclnn_tensor_dtype(y);
    ONN_CHECK(!onn_dtype_is_float(dtype) && onn_desc_elements(&y->desc) == out->count, OCLNN_ERROR_FORMAT,
        "%.300s: not one whole number per image", path);
    for (int64_t i = 0; i < out->count; i++) {
        int64_t v = onn_load_i64(dtype, y->data, i);
        ONN_CHECK(v >= INT32_MIN && v <= INT32_MAX, OCLNN_ERROR_FORMAT, "%.300s: label %lld", path,
            (long long)v);
        out->label[i] = (int32_t)v;
    }
fail:
    oclnn_tensor_destroy(&y);
    return status;
}

enum oclnn_status onn_npy_samples_open(const char *list, struct oclnn_samples *out)
{
    enum oclnn_status status = OCLNN_OK;
    oclnn_tensor *x = NULL;
    char *own = onn_strdup(list);
    ONN_TRY(own ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    char *comma = strchr(own, ',');
    ONN_CHECK(comma, OCLNN_ERROR_ARGUMENT, "npy: '%.200s' is not IMAGES,LABELS", list);
    *comma = '\0';
    ONN_TRY(oclnn_tensor_load(own, &x));
    ONN_TRY(take_images(x, out));
    ONN_TRY(take_labels(comma + 1, out));
fail:
    oclnn_tensor_destroy(&x);
    onn_free(own);
    return status;
}

/* ---- the public calls ---- */
static const struct {
    const char *prefix;
    enum oclnn_status (*open)(const char *rest, struct oclnn_samples *out);
} formats[] = {{"mnist:", onn_idx_open}, {"cifar10:", onn_cifar_open}, {"npy:", onn_npy_samples_open}};

enum oclnn_status oclnn_samples_open(const char *spec, oclnn_samples **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_samples *s = NULL;
    ONN_CHECK(spec && out, OCLNN_ERROR_ARGUMENT, "samples: spec or out is NULL");
    *out = NULL;
    s = onn_calloc(1, sizeof *s);
    ONN_TRY(s ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    size_t i = 0, n = sizeof formats / sizeof *formats;
    while (i < n && strncmp(spec, formats[i].prefix, strlen(formats[i].prefix)))
        i++;
    ONN_CHECK(i < n, OCLNN_ERROR_ARGUMENT,
        "samples: '%.200s' starts with none of mnist:, cifar10:, npy:", spec);
    ONN_TRY(formats[i].open(spec + strlen(formats[i].prefix), s));
    for (int64_t k = 0; k < s->count; k++)
        if (s->label[k] < INT32_MAX && s->label[k] >= s->classes)
            s->classes = s->label[k] + 1;
    *out = s;
    return OCLNN_OK;
fail:
    oclnn_samples_destroy(&s);
    return status;
}

void oclnn_samples_destroy(oclnn_samples **samples)
{
    if (!samples || !*samples)
        return;
    onn_free((*samples)->pixel);
    onn_free((*samples)->label);
    onn_free(*samples);
    *samples = NULL;
}

enum oclnn_status oclnn_samples_get_info(const oclnn_samples *samples, struct oclnn_samples_info *out)
{
    if (!samples || !out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "samples: samples or out is NULL");
    *out = (struct oclnn_samples_info){samples->count, samples->channels, samples->height, samples->width,
        samples->classes};
    return OCLNN_OK;
}

static enum oclnn_status get(const oclnn_samples *s, int64_t first, int64_t n,
    const struct oclnn_image_params *params, oclnn_tensor **images, int32_t *labels)
{
    if (!s || !images || first < 0 || n < 1 || first > s->count || n > s->count - first)
        return onn_error(OCLNN_ERROR_ARGUMENT, "samples: %lld from %lld of %lld", (long long)n,
            (long long)first, (long long)(s ? s->count : 0));
    int64_t plane = (int64_t)s->height * s->width, image = plane * s->channels;
    struct onn_pixels p = {s->pixel + first * image, n, s->channels, s->height, s->width, image, plane,
        s->width, 1};
    enum oclnn_status status = onn_image_numbers(&p, params, images);
    if (status == OCLNN_OK && labels)
        memcpy(labels, s->label + first, (size_t)n * sizeof *labels);
    return status;
}

enum oclnn_status oclnn_samples_get(const oclnn_samples *samples, int64_t first, int64_t n,
    oclnn_tensor **images, int32_t *labels)
{
    return get(samples, first, n, &(struct oclnn_image_params){.u8 = 1}, images, labels);
}

enum oclnn_status oclnn_samples_get_f32(const oclnn_samples *samples, int64_t first, int64_t n,
    const struct oclnn_image_params *params, oclnn_tensor **images, int32_t *labels)
{
    struct oclnn_image_params p = params ? *params : (struct oclnn_image_params){0};
    p.u8 = 0;
    enum oclnn_status status = onn_image_check(&p);
    return status == OCLNN_OK ? get(samples, first, n, &p, images, labels) : status;
}
