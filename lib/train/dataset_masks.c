/* Images with a class for every pixel: DIR/images/NAME.jpg and DIR/masks/NAME.png, and DIR/classes.txt with the classes'
 * names. Without it the masks are read through for the largest number. */
#include "train/folder.h"

#include "base/fs.h"
#include <stdlib.h>
#include <string.h>

#define MAX_NAMES ((size_t)1 << 20) /* bytes of classes.txt */

static size_t stem(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : strlen(name);
}

static int compare_stems(const char *a, const char *b)
{
    const size_t n = stem(a), m = stem(b);
    const int order = memcmp(a, b, n < m ? n : m);
    return order ? order : n < m ? -1 : n > m;
}

static int by_stem(const void *a, const void *b)
{
    return compare_stems(*(char *const *)a, *(char *const *)b);
}

static enum oclnn_status list_part(const char *dir, const char *part, struct onn_folder_names *out)
{
    enum oclnn_status status = OCLNN_OK;
    char path[ONN_FOLDER_PATH];
    ONN_TRY(onn_folder_path(path, dir, part, NULL));
    ONN_TRY(onn_folder_list(path, false, out));
    ONN_CHECK(out->count, OCLNN_ERROR_ARGUMENT, "%.300s: no %s in it", path,
        strcmp(part, "masks") ? "image (.jpg, .jpeg, .png)" : "mask (.png)");
    qsort(out->name, (size_t)out->count, sizeof *out->name, by_stem);
    for (int i = 1; i < out->count; i++)
        ONN_CHECK(compare_stems(out->name[i - 1], out->name[i]), OCLNN_ERROR_ARGUMENT,
            "%.300s: %s and %s have the same name", path, out->name[i - 1], out->name[i]);
fail:
    return status;
}

static enum oclnn_status add_pair(struct oclnn_dataset *d, const char *name, const char *mask)
{
    enum oclnn_status status = OCLNN_OK;
    const char *dir = d->folder->dir;
    struct onn_image_head image, head;
    char path[ONN_FOLDER_PATH];
    ONN_TRY(onn_folder_add(d, "images", (struct onn_file){name, mask, 0, 0}, &image));
    ONN_TRY(onn_folder_path(path, dir, "masks", mask));
    ONN_TRY(onn_image_peek(path, &head));
    ONN_CHECK(head.bytes <= ONN_FOLDER_MAX_FILE, OCLNN_ERROR_FORMAT, "%.300s: the file has more than %zu MB",
        path, ONN_FOLDER_MAX_FILE >> 20);
    ONN_CHECK(head.width == image.width && head.height == image.height, OCLNN_ERROR_FORMAT,
        "%.300s: the mask has %d x %d pixels, its image %s %d x %d", path, head.width, head.height, name,
        image.width, image.height);
    d->folder->file[d->count - 1].bytes += head.bytes;
    /* Behind the image's own: file, pixels, pointers to rows, the decoder's window, the result. */
    const size_t pixels = (size_t)head.width * (size_t)head.height;
    const size_t bytes = head.bytes + pixels + (size_t)head.height * sizeof(void *) + d->mask_bytes +
        4 * (size_t)head.width + ((size_t)1 << 18);
    d->mask_scratch = bytes > d->mask_scratch ? bytes : d->mask_scratch;
fail:
    return status;
}

/* Both lists are sorted by stem: what is missing on one side shows. */
static enum oclnn_status pair(struct oclnn_dataset *d, const struct onn_folder_names *images,
    const struct onn_folder_names *masks)
{
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < images->count || i < masks->count; i++) {
        const char *image = i < images->count ? images->name[i] : NULL;
        const char *mask = i < masks->count ? masks->name[i] : NULL;
        const int order = !mask ? -1 : !image ? 1 : compare_stems(image, mask);
        ONN_CHECK(order >= 0, OCLNN_ERROR_ARGUMENT, "%.300s: images/%s has no mask masks/%.*s.png",
            d->folder->dir, image, (int)stem(image), image);
        ONN_CHECK(order <= 0, OCLNN_ERROR_ARGUMENT, "%.300s: masks/%s has no image of that name in images",
            d->folder->dir, mask);
        ONN_TRY(add_pair(d, image, mask));
    }
fail:
    return status;
}

/* ---- classes ---- */
static enum oclnn_status set_classes(struct oclnn_dataset *d, int classes)
{
    d->class_name = onn_arena_calloc(&d->arena, (size_t)classes, sizeof *d->class_name);
    if (!d->class_name)
        return OCLNN_ERROR_MEMORY;
    d->classes = classes;
    return OCLNN_OK;
}

/* One name per line. */
static enum oclnn_status read_names(struct oclnn_dataset *d, const char *path, char *text)
{
    enum oclnn_status status = OCLNN_OK;
    int n = 0;
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
        n++;
    ONN_CHECK(n >= 2 && n <= OCLNN_MASK_IGNORE, OCLNN_ERROR_FORMAT,
        "%.300s: %d lines, but there must be one for each of 2 … %d classes", path, n, OCLNN_MASK_IGNORE);
    ONN_TRY(set_classes(d, n));
    for (int i = 0; i < n; i++) {
        size_t length = strcspn(text, "\n");
        char *next = text + length + (text[length] == '\n');
        while (length && (text[length - 1] == '\r' || text[length - 1] == ' '))
            length--;
        ONN_CHECK(length, OCLNN_ERROR_FORMAT, "%.300s: line %d is empty", path, i + 1);
        d->class_name[i] = onn_arena_printf(&d->arena, "%.*s", (int)length, text);
        ONN_TRY(d->class_name[i] ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        d->folder->text += length + 32;
        text = next;
    }
fail:
    return status;
}

static enum oclnn_status decode_file(const struct oclnn_dataset *d, const struct onn_file *file,
    char path[ONN_FOLDER_PATH], struct onn_image *out)
{
    enum oclnn_status status = OCLNN_OK;
    void *bytes = NULL;
    size_t size;
    ONN_TRY(onn_folder_path(path, d->folder->dir, "masks", file->mask));
    ONN_TRY(onn_fs_read(path, ONN_FOLDER_MAX_FILE, &bytes, &size));
    status = onn_image_decode_mask(bytes, size, out);
    onn_free(bytes);
    if (status != OCLNN_OK)
        onn_error_at(status, "%.300s", path);
fail:
    return status;
}

static enum oclnn_status count_classes(struct oclnn_dataset *d)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_image mask = {0};
    char path[ONN_FOLDER_PATH];
    int most = 0;
    for (int64_t i = 0; i < d->count; i++) {
        ONN_TRY(decode_file(d, &d->folder->file[i], path, &mask));
        const size_t n = (size_t)mask.width * (size_t)mask.height;
        for (size_t k = 0; k < n; k++)
            most = mask.pixel[k] != OCLNN_MASK_IGNORE && mask.pixel[k] > most ? mask.pixel[k] : most;
        onn_image_finish(&mask);
    }
    ONN_CHECK(most > 0, OCLNN_ERROR_ARGUMENT,
        "%.300s/masks: there is no class but 0; classes are the numbers 0, 1, …, and %d does not count",
        d->folder->dir, OCLNN_MASK_IGNORE);
    ONN_TRY(set_classes(d, most + 1));
    for (int i = 0; i < d->classes; i++)
        ONN_TRY((d->class_name[i] = onn_arena_printf(&d->arena, "%d", i)) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    d->folder->text += (size_t)d->classes * 32;
fail:
    onn_image_finish(&mask);
    return status;
}

static enum oclnn_status find_classes(struct oclnn_dataset *d)
{
    enum oclnn_status status = OCLNN_OK;
    char path[ONN_FOLDER_PATH];
    void *text = NULL;
    size_t bytes;
    ONN_TRY(onn_folder_path(path, d->folder->dir, "classes.txt", NULL));
    status = onn_fs_read(path, MAX_NAMES, &text, &bytes);
    if (status == OCLNN_ERROR_NOT_FOUND) {
        onn_error_clear();
        return count_classes(d);
    }
    if (status == OCLNN_OK)
        status = read_names(d, path, text);
fail:
    onn_free(text);
    return status;
}

enum oclnn_status onn_masks_open(struct oclnn_dataset *d, const char *dir)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_folder_names images = {0}, masks = {0};
    d->mask_bytes = (size_t)d->params.width * (size_t)d->params.height;
    ONN_TRY(onn_folder_begin(d, dir));
    ONN_TRY(list_part(dir, "images", &images));
    ONN_TRY(list_part(dir, "masks", &masks));
    ONN_TRY(pair(d, &images, &masks));
    d->scratch_bytes += d->mask_scratch;
    ONN_TRY(find_classes(d));
    ONN_TRY(onn_folder_end(d));
fail:
    onn_folder_names_finish(&images);
    onn_folder_names_finish(&masks);
    return status;
}

enum oclnn_status onn_masks_decode(const struct oclnn_dataset *d, const struct onn_file *file, int w, int h,
    uint8_t *mask)
{
    enum oclnn_status status = OCLNN_OK;
    const int width = d->params.width, height = d->params.height;
    struct onn_image whole = {0}, part = {0};
    char path[ONN_FOLDER_PATH];
    int to_w, to_h;
    ONN_TRY(decode_file(d, file, path, &whole));
    ONN_CHECK(whole.width == w && whole.height == h, OCLNN_ERROR_FORMAT,
        "%.300s: the mask has %d x %d pixels, its image %s %d x %d", path, whole.width, whole.height,
        file->name, w, h);
    status = onn_mask_check(whole.pixel, w, h, d->classes);
    if (status == OCLNN_OK)
        status = onn_folder_cover(w, h, &d->params, &to_w, &to_h);
    if (status == OCLNN_OK)
        status = onn_image_nearest_centre(&whole, to_w, to_h, width, height, &part);
    if (status != OCLNN_OK)
        onn_error_at(status, "%.300s", path);
    else
        memcpy(mask, part.pixel, d->mask_bytes);
fail:
    onn_image_finish(&whole);
    onn_image_finish(&part);
    return status;
}
