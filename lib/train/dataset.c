/* Data sets: opening, what is known of them, the program's own. */
#include "train/folder.h"

#include "base/thread.h"
#include "io/samples.h"
#include "runtime/context.h"
#include "train/loader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_SIDE (1 << 15)
#define MAX_THREADS 64

/* ---- counting ---- */
void onn_memory_add(struct onn_memory *m, size_t bytes)
{
    atomic_fetch_add(&m->held, bytes);
}

void onn_memory_sub(struct onn_memory *m, size_t bytes)
{
    atomic_fetch_sub(&m->held, bytes);
}

static void hold(struct oclnn_dataset *d, size_t bytes)
{
    onn_memory_add(d->memory, bytes);
    atomic_fetch_add(&d->memory->limit, bytes);
}

/* ---- making ---- */
static enum oclnn_status check_params(const struct oclnn_dataset_params *p)
{
    bool finite = isfinite(p->scale);
    for (int c = 0; c < 3; c++)
        finite = finite && isfinite(p->mean[c]) && isfinite(p->deviation[c]);
    if (!finite)
        return onn_error(OCLNN_ERROR_ARGUMENT, "dataset: scale, mean or deviation is not finite");
    if (p->width < 0 || p->height < 0 || p->width > MAX_SIDE || p->height > MAX_SIDE ||
        !p->width != !p->height)
        return onn_error(OCLNN_ERROR_ARGUMENT, "dataset: images of %d x %d pixels; give both or none, 1 … %d",
            p->width, p->height, MAX_SIDE);
    if (p->threads < 0 || p->threads > MAX_THREADS)
        return onn_error(OCLNN_ERROR_ARGUMENT, "dataset: %d threads, 0 … %d are possible", p->threads,
            MAX_THREADS);
    return OCLNN_OK;
}

/* A data set without samples yet. */
static enum oclnn_status make(oclnn_context *ctx, const struct oclnn_dataset_params *params,
    struct oclnn_dataset **out)
{
    static const struct oclnn_dataset_params none = {0};
    params = params ? params : &none;
    enum oclnn_status status = check_params(params);
    if (status != OCLNN_OK)
        return status;
    struct oclnn_dataset *d = onn_calloc(1, sizeof *d);
    if (!d)
        return OCLNN_ERROR_MEMORY;
    d->ctx = ctx;
    d->params = *params;
    if (d->params.scale == 0)
        d->params.scale = 1.0f / 255;
    for (int c = 0; c < 3; c++)
        if (d->params.deviation[c] == 0)
            d->params.deviation[c] = 1;
    if (d->params.width == 0)
        d->params.width = d->params.height = 224;
    if (d->params.cache_bytes == 0)
        d->params.cache_bytes = (size_t)1 << 30;
    d->memory = &d->own;
    d->root = d;
    hold(d, sizeof *d);
    *out = d;
    return OCLNN_OK;
}

static enum oclnn_status set_shape(struct oclnn_dataset *d, struct oclnn_shape shape, enum oclnn_dtype dtype)
{
    struct onn_desc desc = onn_desc_of_shape(dtype, shape);
    int64_t elements = onn_desc_elements(&desc);
    bool good = elements > 0 && onn_mul_size((size_t)elements, oclnn_dtype_size(dtype), &d->sample_bytes);
    if (!good || d->sample_bytes > PTRDIFF_MAX / 4)
        return onn_error(OCLNN_ERROR_ARGUMENT,
            "dataset: a sample's shape has no, unknown or too many elements");
    d->shape = shape;
    d->dtype = dtype;
    return OCLNN_OK;
}

static enum oclnn_status number_classes(struct oclnn_dataset *d)
{
    d->class_name = onn_arena_calloc(&d->arena, (size_t)d->classes, sizeof *d->class_name);
    if (!d->class_name)
        return OCLNN_ERROR_MEMORY;
    for (int i = 0; i < d->classes; i++)
        if (!(d->class_name[i] = onn_arena_printf(&d->arena, "%d", i)))
            return OCLNN_ERROR_MEMORY;
    hold(d, (size_t)d->classes * 24);
    return OCLNN_OK;
}

/* ---- samples in memory ---- */
static enum oclnn_status fetch_samples(const struct oclnn_dataset *d, int64_t index, void *x, int64_t *label,
    uint8_t *mask)
{
    (void)mask;
    memcpy(x, d->samples->pixel + (size_t)index * d->sample_bytes, d->sample_bytes);
    *label = d->samples->label[index];
    return OCLNN_OK;
}
static int64_t label_samples(const struct oclnn_dataset *d, int64_t index)
{
    return d->samples->label[index];
}
static void finish_samples(struct oclnn_dataset *d)
{
    oclnn_samples_destroy(&d->samples);
}
const struct onn_source onn_source_samples = {fetch_samples, label_samples, finish_samples, false};

/* "cifar10:DIR" stands for the five training files; the others name their files. */
static enum oclnn_status training_files(const char *spec, struct onn_str *s)
{
    static const char *const mnist = "mnist:", *const cifar = "cifar10:";
    struct stat st;
    if (!strncmp(spec, mnist, strlen(mnist))) {
        bool folder = stat(spec + strlen(mnist), &st) == 0 && S_ISDIR(st.st_mode);
        onn_str_add(s, "%s%s", spec, folder ? "/train" : "");
    } else if (!strncmp(spec, cifar, strlen(cifar)) && !strchr(spec, ',')) {
        const char *dir = spec + strlen(cifar);
        bool folder = stat(dir, &st) == 0 && S_ISDIR(st.st_mode);
        onn_str_add(s, "%s", folder ? cifar : spec);
        for (int i = 1; folder && i <= 5; i++) {
            char path[4096];
            int n = snprintf(path, sizeof path, "%s/data_batch_%d.bin", dir, i);
            if (n < 0 || (size_t)n >= sizeof path)
                return onn_error(OCLNN_ERROR_ARGUMENT, "'%.200s…': the path is too long", dir);
            onn_str_add(s, "%s%s%s", i > 1 ? "," : "", path, stat(path, &st) == 0 ? "" : ".gz");
        }
    } else {
        onn_str_add(s, "%s", spec);
    }
    return onn_str_ok(s) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

static enum oclnn_status open_samples(struct oclnn_dataset *d, const char *spec)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_str files = {0};
    d->source = &onn_source_samples;
    ONN_TRY(training_files(spec, &files));
    ONN_TRY(oclnn_samples_open(onn_str_text(&files), &d->samples));
    const struct oclnn_samples *s = d->samples;
    for (int64_t i = 0; i < s->count; i++)
        ONN_CHECK(s->label[i] >= 0 && s->label[i] < INT32_MAX, OCLNN_ERROR_FORMAT,
            "%.300s: sample %lld has class %d", spec, (long long)i, (int)s->label[i]);
    d->count = s->count;
    d->classes = strncmp(spec, "cifar10:", 8) ? s->classes : 10;
    ONN_TRY(set_shape(d, OCLNN_SHAPE(s->channels, s->height, s->width), OCLNN_U8));
    ONN_TRY(number_classes(d));
    hold(d, (size_t)d->count * (d->sample_bytes + sizeof *s->label));
fail:
    onn_str_finish(&files);
    return status;
}

enum oclnn_status oclnn_dataset_open(oclnn_context *ctx, const char *spec,
    const struct oclnn_dataset_params *params, oclnn_dataset **out)
{
    static const char *const kinds[] = {"mnist:", "cifar10:", "npy:"};
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_dataset *d = NULL;
    bool in_memory = false;
    ONN_CHECK(spec && out, OCLNN_ERROR_ARGUMENT, "dataset: spec or out is NULL");
    *out = NULL;
    ONN_TRY(make(ctx, params, &d));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        in_memory |= !strncmp(spec, kinds[i], strlen(kinds[i]));
    const bool masks = !strncmp(spec, "masks:", 6);
    ONN_CHECK(in_memory || masks || !strncmp(spec, "folder:", 7), OCLNN_ERROR_ARGUMENT,
        "dataset: '%.200s' starts with none of mnist:, cifar10:, npy:, folder:, masks:", spec);
    if (in_memory)
        ONN_TRY(open_samples(d, spec));
    else if (masks)
        ONN_TRY(onn_masks_open(d, spec + 6));
    else
        ONN_TRY(onn_folder_open(d, spec + 7));
    if (ctx)
        onn_log(onn_context_log(ctx), OCLNN_LOG_INFO, "data: %s: %lld samples of %d classes", spec,
            (long long)d->count, d->classes);
    *out = d;
    return OCLNN_OK;
fail:
    oclnn_dataset_destroy(&d);
    return status;
}

/* ---- the program's own ---- */
static enum oclnn_status own_result(enum oclnn_status status, int64_t index)
{
    if (status == OCLNN_OK)
        return OCLNN_OK;
    if (!*oclnn_error_text(NULL))
        onn_error(status, "the program's function returned %s", oclnn_status_name(status));
    return onn_error_at(status, "sample %lld", (long long)index);
}
static enum oclnn_status fetch_function(const struct oclnn_dataset *d, int64_t index, void *x, int64_t *label,
    uint8_t *mask)
{
    (void)mask;
    *label = -1;
    onn_error_clear();
    return own_result(d->get(d->user, index, x, label), index);
}
static enum oclnn_status fetch_mask_function(const struct oclnn_dataset *d, int64_t index, void *x,
    int64_t *label, uint8_t *mask)
{
    *label = 0;
    onn_error_clear();
    enum oclnn_status status = d->get_mask(d->user, index, x, mask);
    if (status == OCLNN_OK)
        status = onn_mask_check(mask, (int)d->shape.dim[2], (int)d->shape.dim[1], d->classes);
    return own_result(status, index);
}
static int64_t label_zero(const struct oclnn_dataset *d, int64_t index)
{
    (void)d;
    (void)index;
    return 0;
}
const struct onn_source onn_source_function = {.fetch = fetch_function, .threads = true};
const struct onn_source onn_source_mask_function = {.fetch = fetch_mask_function,
    .label = label_zero,
    .threads = true};

static enum oclnn_status create(oclnn_context *ctx, int64_t count, struct oclnn_shape shape,
    enum oclnn_dtype dtype, int classes, const struct oclnn_dataset_params *params, oclnn_dataset **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_dataset *d = NULL;
    ONN_CHECK(count >= 1 && count <= PTRDIFF_MAX / 16, OCLNN_ERROR_ARGUMENT, "dataset: %lld samples",
        (long long)count);
    ONN_CHECK(classes >= 1 && classes <= 1 << 24, OCLNN_ERROR_ARGUMENT, "dataset: %d classes", classes);
    ONN_CHECK(dtype == OCLNN_U8 || dtype == OCLNN_F32, OCLNN_ERROR_ARGUMENT,
        "dataset: type %s is neither u8 nor f32", oclnn_dtype_name(dtype));
    ONN_CHECK(shape.rank >= 0 && shape.rank < OCLNN_MAX_RANK, OCLNN_ERROR_ARGUMENT,
        "dataset: samples of rank %d, at most %d is possible", shape.rank, OCLNN_MAX_RANK - 1);
    ONN_CHECK(dtype != OCLNN_U8 || shape.rank == 3, OCLNN_ERROR_ARGUMENT,
        "dataset: pixels (u8) of rank %d, not channels x height x width", shape.rank);
    ONN_TRY(make(ctx, params, &d));
    d->count = count;
    d->classes = classes;
    ONN_TRY(set_shape(d, shape, dtype));
    ONN_TRY(number_classes(d));
    *out = d;
    return OCLNN_OK;
fail:
    oclnn_dataset_destroy(&d);
    return status;
}

enum oclnn_status oclnn_dataset_create(oclnn_context *ctx, int64_t count, struct oclnn_shape shape,
    enum oclnn_dtype dtype, int classes, oclnn_sample_function get, void *user,
    const struct oclnn_dataset_params *params, oclnn_dataset **out)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CHECK(out && get, OCLNN_ERROR_ARGUMENT, "dataset: the function or out is NULL");
    *out = NULL;
    ONN_TRY(create(ctx, count, shape, dtype, classes, params, out));
    (*out)->source = &onn_source_function;
    (*out)->get = get;
    (*out)->user = user;
fail:
    return status;
}

enum oclnn_status oclnn_dataset_create_masks(oclnn_context *ctx, int64_t count, struct oclnn_shape shape,
    int classes, oclnn_mask_function get, void *user, const struct oclnn_dataset_params *params,
    oclnn_dataset **out)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CHECK(out && get, OCLNN_ERROR_ARGUMENT, "dataset: the function or out is NULL");
    *out = NULL;
    ONN_CHECK(classes >= 2 && classes <= OCLNN_MASK_IGNORE, OCLNN_ERROR_ARGUMENT,
        "dataset: %d classes in masks, 2 … %d are possible", classes, OCLNN_MASK_IGNORE);
    ONN_TRY(create(ctx, count, shape, OCLNN_U8, classes, params, out));
    (*out)->source = &onn_source_mask_function;
    (*out)->mask_bytes = (size_t)(shape.dim[1] * shape.dim[2]);
    (*out)->get_mask = get;
    (*out)->user = user;
fail:
    return status;
}

void oclnn_dataset_destroy(oclnn_dataset **dataset)
{
    if (!dataset || !*dataset)
        return;
    struct oclnn_dataset *d = *dataset;
    if (d->root == d && d->source && d->source->finish)
        d->source->finish(d);
    if (d->root != d) {
        size_t bytes = sizeof *d + (d->index ? (size_t)d->count * sizeof *d->index : 0);
        onn_memory_sub(d->memory, bytes);
        atomic_fetch_sub(&d->memory->limit, bytes);
    }
    onn_free(d->index);
    onn_arena_finish(&d->arena);
    onn_free(d);
    *dataset = NULL;
}

/* ---- reading ---- */
enum oclnn_status onn_mask_check(const uint8_t *mask, int width, int height, int classes)
{
    const size_t n = (size_t)width * (size_t)height;
    for (size_t i = 0; i < n; i++)
        if (mask[i] >= classes && mask[i] != OCLNN_MASK_IGNORE)
            return onn_error(OCLNN_ERROR_FORMAT,
                "pixel (%zu, %zu) is %d: neither a class, 0 … %d, nor %d, which does not count",
                i % (size_t)width, i / (size_t)width, mask[i], classes - 1, OCLNN_MASK_IGNORE);
    return OCLNN_OK;
}

enum oclnn_status onn_dataset_fetch(const struct oclnn_dataset *d, int64_t index, void *x, int64_t *label)
{
    return onn_dataset_fetch_mask(d, index, x, label, NULL);
}

enum oclnn_status onn_dataset_fetch_mask(const struct oclnn_dataset *d, int64_t index, void *x,
    int64_t *label, uint8_t *mask)
{
    const struct oclnn_dataset *root = d->root;
    int64_t at = d->index ? d->index[index] : index;
    enum oclnn_status status = root->source->fetch(root, at, x, label, mask);
    if (status == OCLNN_OK && (*label < 0 || *label >= root->classes))
        return onn_error(OCLNN_ERROR_FORMAT, "sample %lld has label %lld, outside of 0 … %d", (long long)at,
            (long long)*label, root->classes - 1);
    return status;
}

int onn_dataset_threads(const struct oclnn_dataset *d)
{
    int n = d->root->params.threads ? d->root->params.threads : onn_thread_cores();
    return d->root->params.threads || n < 8 ? n : 8;
}

void onn_dataset_norm(const oclnn_dataset *dataset, float *norm)
{
    const struct oclnn_dataset_params *p = &dataset->root->params;
    for (int64_t c = 0; c < dataset->shape.dim[0]; c++) {
        float deviation = c < 3 ? p->deviation[c] : 1, mean = c < 3 ? p->mean[c] : 0;
        norm[2 * c] = p->scale / deviation;
        norm[2 * c + 1] = -mean / deviation;
    }
}

enum oclnn_status oclnn_dataset_get_info(const oclnn_dataset *dataset, struct oclnn_dataset_info *out)
{
    if (!dataset || !out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "dataset: dataset or out is NULL");
    *out = (struct oclnn_dataset_info){.count = dataset->count,
        .shape = dataset->shape,
        .dtype = dataset->dtype,
        .classes = dataset->classes,
        .per_pixel = dataset->mask_bytes > 0,
        .memory_bytes = atomic_load(&dataset->memory->held),
        .memory_limit = atomic_load(&dataset->memory->limit)};
    return OCLNN_OK;
}

const char *oclnn_dataset_class_name(const oclnn_dataset *dataset, int label)
{
    return dataset && label >= 0 && label < dataset->classes ? dataset->root->class_name[label] : NULL;
}
