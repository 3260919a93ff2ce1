/* Folders of images, one folder per class. Opening reads names and headers; images are decoded when they are asked for,
 * and kept as long as there is room: the first ones to come stay, so that every epoch finds the same share of them. */
#include "train/folder.h"

#include "base/fs.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define BLOCK 32 /* what the allocator adds to an image that is kept, and more */

/* ---- listing ---- */
static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void onn_folder_names_finish(struct onn_folder_names *n)
{
    for (int i = 0; i < n->count; i++)
        onn_free(n->name[i]);
    onn_free(n->name);
    *n = (struct onn_folder_names){0};
}

static bool is_image(const char *name)
{
    static const char *const ends[] = {".jpg", ".jpeg", ".png"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++)
        if (!strcasecmp(dot, ends[i]))
            return true;
    return false;
}

enum oclnn_status onn_folder_path(char path[ONN_FOLDER_PATH], const char *dir, const char *part,
    const char *name)
{
    int n = snprintf(path, ONN_FOLDER_PATH, "%s/%s%s%s", dir, part, name ? "/" : "", name ? name : "");
    return n > 0 && n < ONN_FOLDER_PATH
        ? OCLNN_OK
        : onn_error(OCLNN_ERROR_ARGUMENT, "'%.200s…': the path is too long", dir);
}

enum oclnn_status onn_folder_list(const char *dir, bool folders, struct onn_folder_names *out)
{
    enum oclnn_status status = OCLNN_OK;
    char path[ONN_FOLDER_PATH];
    DIR *open = opendir(dir);
    ONN_CHECK(open, errno == ENOENT ? OCLNN_ERROR_NOT_FOUND : OCLNN_ERROR_IO, "%.300s: %s", dir,
        strerror(errno));
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(open);
        ONN_CHECK(e || errno == 0, OCLNN_ERROR_IO, "%.300s: %s", dir, strerror(errno));
        if (!e)
            break;
        struct stat st;
        if (e->d_name[0] == '.' || (!folders && !is_image(e->d_name)))
            continue;
        ONN_TRY(onn_folder_path(path, dir, e->d_name, NULL));
        if (folders && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
            continue;
        ONN_TRY(onn_array_grow((void **)&out->name, out->count, &out->capacity, sizeof *out->name)
                ? OCLNN_OK
                : OCLNN_ERROR_MEMORY);
        ONN_TRY((out->name[out->count] = onn_strdup(e->d_name)) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        out->count++;
    }
    if (out->count)
        qsort(out->name, (size_t)out->count, sizeof *out->name, by_name);
fail:
    if (open)
        closedir(open);
    return status;
}

enum oclnn_status onn_folder_cover(int64_t w, int64_t h, const struct oclnn_dataset_params *p, int *to_w,
    int *to_h)
{
    bool flat = w * p->height >= h * p->width;
    int64_t x = flat ? (w * p->height * 2 + h) / (2 * h) : p->width;
    int64_t y = flat ? p->height : (h * p->width * 2 + w) / (2 * w);
    if (x > ONN_IMAGE_MAX_PIXELS || y > ONN_IMAGE_MAX_PIXELS || x * y > ONN_IMAGE_MAX_PIXELS)
        return onn_error(OCLNN_ERROR_UNSUPPORTED,
            "%lld x %lld pixels are too narrow: resized they are %lld x %lld", (long long)w, (long long)h,
            (long long)x, (long long)y);
    *to_w = (int)x;
    *to_h = (int)y;
    return OCLNN_OK;
}

/* What one decoding needs at most: the file, the picture, the decoder's own (coefficients of a progressive JPEG, four
 * channels of a PNG), the two steps of resizing with their weights. */
static enum oclnn_status scratch(const struct onn_image_head *h, const struct oclnn_dataset_params *p,
    size_t *bytes)
{
    int to_w = 0, to_h = 0;
    enum oclnn_status status = onn_folder_cover(h->width, h->height, p, &to_w, &to_h);
    size_t w = (size_t)h->width, rows = (size_t)h->height, x = (size_t)to_w, y = (size_t)to_h;
    *bytes =
        h->bytes + w * rows * 10 + x * rows * 3 + x * y * 3 + (w + rows + x + y) * 32 + ((size_t)1 << 18);
    return status;
}

enum oclnn_status onn_folder_add(struct oclnn_dataset *d, const char *part, struct onn_file file,
    struct onn_image_head *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_folder *f = d->folder;
    struct onn_image_head head;
    char path[ONN_FOLDER_PATH];
    ONN_TRY(onn_folder_path(path, f->dir, part, file.name));
    ONN_TRY(onn_image_peek(path, &head));
    ONN_CHECK(head.bytes <= ONN_FOLDER_MAX_FILE, OCLNN_ERROR_FORMAT, "%.300s: the file has more than %zu MB",
        path, ONN_FOLDER_MAX_FILE >> 20);
    size_t bytes;
    status = scratch(&head, &d->params, &bytes);
    if (status != OCLNN_OK)
        return onn_error_at(status, "%.300s", path);
    d->scratch_bytes = bytes > d->scratch_bytes ? bytes : d->scratch_bytes;
    if (d->count == f->capacity) {
        int64_t wanted = f->capacity ? f->capacity * 2 : 256;
        void *more = onn_realloc(f->file, (size_t)wanted, sizeof *f->file);
        ONN_TRY(more ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        f->file = more;
        f->capacity = wanted;
    }
    struct onn_file *own = &f->file[d->count];
    f->text += strlen(file.name) + (file.mask ? strlen(file.mask) : 0) + 32;
    *own = (struct onn_file){onn_arena_strdup(&d->arena, file.name), NULL, file.label, head.bytes};
    if (file.mask)
        own->mask = onn_arena_strdup(&d->arena, file.mask);
    ONN_TRY(own->name && (own->mask || !file.mask) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    d->count++;
    if (out)
        *out = head;
fail:
    return status;
}

static enum oclnn_status add_class(struct oclnn_dataset *d, int label)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_folder_names images = {0};
    const char *class = d->class_name[label];
    char path[ONN_FOLDER_PATH];
    ONN_TRY(onn_folder_path(path, d->folder->dir, class, NULL));
    ONN_TRY(onn_folder_list(path, false, &images));
    ONN_CHECK(images.count, OCLNN_ERROR_ARGUMENT, "%.300s: no image (.jpg, .jpeg, .png) of this class", path);
    for (int i = 0; i < images.count; i++)
        ONN_TRY(onn_folder_add(d, class, (struct onn_file){images.name[i], NULL, label, 0}, NULL));
fail:
    onn_folder_names_finish(&images);
    return status;
}

enum oclnn_status onn_folder_begin(struct oclnn_dataset *d, const char *dir)
{
    d->source = &onn_source_folder;
    d->folder = onn_calloc(1, sizeof *d->folder);
    if (!d->folder)
        return OCLNN_ERROR_MEMORY;
    d->folder->memory = d->memory;
    d->folder->dir = onn_strdup(dir);
    return d->folder->dir ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

enum oclnn_status onn_folder_end(struct oclnn_dataset *d)
{
    struct onn_folder *f = d->folder;
    const size_t pixels = (size_t)d->params.height * (size_t)d->params.width;
    d->shape = OCLNN_SHAPE(d->params.grey ? 1 : 3, d->params.height, d->params.width);
    d->dtype = OCLNN_U8;
    d->sample_bytes = (size_t)d->shape.dim[0] * pixels;
    f->kept = onn_calloc((size_t)d->count, sizeof *f->kept);
    if (!f->kept)
        return OCLNN_ERROR_MEMORY;
    size_t lists =
        (size_t)f->capacity * sizeof *f->file + (size_t)d->count * sizeof *f->kept + f->text + 2 * 4096;
    size_t all = (size_t)d->count * (d->sample_bytes + d->mask_bytes + BLOCK);
    onn_memory_add(d->memory, lists);
    atomic_fetch_add(&d->memory->limit, lists + (all < d->params.cache_bytes ? all : d->params.cache_bytes));
    return OCLNN_OK;
}

enum oclnn_status onn_folder_open(struct oclnn_dataset *d, const char *dir)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_folder_names classes = {0};
    ONN_TRY(onn_folder_begin(d, dir));
    ONN_TRY(onn_folder_list(dir, true, &classes));
    ONN_CHECK(classes.count >= 2, OCLNN_ERROR_ARGUMENT,
        "%.300s: %d folders in it, but there must be one for each of two or more classes", dir,
        classes.count);
    d->class_name = onn_arena_calloc(&d->arena, (size_t)classes.count, sizeof *d->class_name);
    ONN_TRY(d->class_name ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (; d->classes < classes.count; d->classes++) {
        d->class_name[d->classes] = onn_arena_strdup(&d->arena, classes.name[d->classes]);
        ONN_TRY(d->class_name[d->classes] ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        d->folder->text += strlen(classes.name[d->classes]) + 32;
        ONN_TRY(add_class(d, d->classes));
    }
    ONN_TRY(onn_folder_end(d));
fail:
    onn_folder_names_finish(&classes);
    return status;
}

static void finish(struct oclnn_dataset *d)
{
    struct onn_folder *f = d->folder;
    if (!f)
        return;
    for (int64_t i = 0; f->kept && i < d->count; i++)
        onn_free(atomic_load(&f->kept[i]));
    onn_free(f->kept);
    onn_free(f->file);
    onn_free(f->dir);
    onn_free(f);
}

/* ---- images ---- */
static enum oclnn_status fit(struct onn_image *image, const struct oclnn_dataset_params *p)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_image next = {0};
    int w = 0, h = 0;
    ONN_TRY(onn_folder_cover(image->width, image->height, p, &w, &h));
    if (w == p->width && h == p->height && w == image->width && h == image->height)
        return OCLNN_OK;
    ONN_TRY(onn_image_resize_centre(image, w, h, p->width, p->height, &next));
    onn_image_finish(image);
    *image = next;
fail:
    return status;
}

static enum oclnn_status decode(const struct oclnn_dataset *d, int64_t index, uint8_t *x, uint8_t *mask)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_file *file = &d->folder->file[index];
    struct onn_image image = {0};
    char path[ONN_FOLDER_PATH];
    void *bytes = NULL;
    size_t size;
    ONN_TRY(onn_folder_path(path, d->folder->dir, mask ? "images" : d->class_name[file->label], file->name));
    status = onn_fs_read(path, ONN_FOLDER_MAX_FILE, &bytes, &size); /* its sentence has the path */
    if (status != OCLNN_OK)
        return status;
    status = onn_image_decode(bytes, size, &image);
    onn_free(bytes);
    const int width = image.width, height = image.height;
    if (status == OCLNN_OK)
        status = fit(&image, &d->params);
    if (status == OCLNN_OK)
        onn_image_planes(&image, d->params.grey != 0, x);
    else
        onn_error_at(status, "%.300s", path);
    if (status == OCLNN_OK && mask)
        status = onn_masks_decode(d, file, width, height, mask);
fail:
    onn_image_finish(&image);
    return status;
}

/* Keeps a copy if there is room for it. */
static void keep(const struct oclnn_dataset *d, int64_t index, const uint8_t *x, const uint8_t *mask)
{
    struct onn_folder *f = d->folder;
    size_t bytes = d->sample_bytes + d->mask_bytes + BLOCK;
    uint8_t *none = NULL, *copy = NULL;
    if (atomic_fetch_add(&f->kept_bytes, bytes) + bytes <= d->params.cache_bytes)
        copy = onn_alloc(d->sample_bytes + d->mask_bytes);
    if (copy) {
        memcpy(copy, x, d->sample_bytes);
        if (mask)
            memcpy(copy + d->sample_bytes, mask, d->mask_bytes);
    }
    if (copy && atomic_compare_exchange_strong(&f->kept[index], &none, copy)) {
        onn_memory_add(f->memory, bytes);
        return;
    }
    onn_free(copy);
    atomic_fetch_sub(&f->kept_bytes, bytes);
}

static enum oclnn_status fetch(const struct oclnn_dataset *d, int64_t index, void *x, int64_t *label,
    uint8_t *mask)
{
    const struct onn_folder *f = d->folder;
    const uint8_t *kept = atomic_load(&f->kept[index]);
    *label = f->file[index].label;
    if (kept) {
        memcpy(x, kept, d->sample_bytes);
        if (mask)
            memcpy(mask, kept + d->sample_bytes, d->mask_bytes);
        return OCLNN_OK;
    }
    onn_memory_add(f->memory, d->scratch_bytes);
    enum oclnn_status status = decode(d, index, x, mask);
    onn_memory_sub(f->memory, d->scratch_bytes);
    if (status == OCLNN_OK)
        keep(d, index, x, mask);
    return status;
}

static int64_t label_of(const struct oclnn_dataset *d, int64_t index)
{
    return d->folder->file[index].label;
}

const struct onn_source onn_source_folder = {fetch, label_of, finish, true};
