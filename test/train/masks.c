/* Classes of pixels: mask files, folders of images and masks, how masks follow their images. */
#include <oclnn/data.h>

#include "harness/check.h"
#include "base/mem.h"
#include "io/image.h"
#include "train/augment.h"
#include "train/dataset.h"
#include "train/loader.h"
#include <math.h>
#include <stdint.h>

#include "train/pictures.h"

/* Brightness of the classes. Only 0 borders on others: no blurred border looks like a third class. */
static const uint8_t level[3] = {100, 0, 200};
static const int class_of[3] = {1, 0, 2}; /* of brightness / 100, rounded */

/* A disc of class 1 and a bar of class 2 on class 0; `seed` moves them. */
static void draw(int width, int height, int seed, uint8_t *mask)
{
    const int cx = width * (2 + seed % 3) / 6, cy = height / 3, r = height / 5;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const bool disc = (x - cx) * (x - cx) + (y - cy) * (y - cy) < r * r;
            const bool bar = y > height * 2 / 3 && x > width / 5 && x < width * (3 + seed % 2) / 5;
            *mask++ = disc ? 1 : bar ? 2 : 0;
        }
}

/* Image and mask of one drawing; with `hole` a corner of the mask does not count. */
static void write_pair(const char *folder, const char *stem, int width, int height, int seed, bool hole)
{
    uint8_t *mask = malloc((size_t)(width * height));
    oclnn_tensor *t = NULL;
    char name[128];
    draw(width, height, seed, mask);
    good(oclnn_tensor_create(OCLNN_U8, OCLNN_SHAPE(height, width, 3), NULL, &t));
    for (int i = 0; i < 3 * width * height; i++)
        ((uint8_t *)oclnn_tensor_data(t))[i] = level[mask[i / 3]];
    snprintf(name, sizeof name, "%s/images/%s.png", folder, stem);
    good(oclnn_image_save(temp_path(name), t, &(struct oclnn_image_params){.nhwc = 1}));
    for (int y = 0; hole && y < height / 8; y++)
        memset(mask + y * width, OCLNN_MASK_IGNORE, (size_t)width / 4);
    snprintf(name, sizeof name, "%s/masks/%s.png", folder, stem);
    picture_mask(name, width, height, mask, hole ? 0 : 3);
    oclnn_tensor_destroy(&t);
    free(mask);
}

static const char *folders(const char *name)
{
    static char spec[300];
    char part[64];
    picture_folder(name);
    snprintf(part, sizeof part, "%s/images", name);
    picture_folder(part);
    snprintf(part, sizeof part, "%s/masks", name);
    picture_folder(part);
    snprintf(spec, sizeof spec, "masks:%s", temp_path(name));
    return spec;
}

static void *read_file(const char *name, size_t *size)
{
    FILE *f = fopen(temp_path(name), "rb");
    static uint8_t bytes[1 << 16];
    assert_non_null(f);
    *size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return bytes;
}

/* Grey, and palettes of 1, 2, 4 and 8 bits per pixel: the numbers as they are stored. */
static void masks_are_numbers(void **state)
{
    static const int colours[] = {0, 2, 3, 16, 200};
    uint8_t want[13 * 7];
    struct onn_image got = {0};
    size_t size;
    (void)state;
    for (size_t k = 0; k < sizeof colours / sizeof *colours; k++) {
        for (int i = 0; i < 13 * 7; i++)
            want[i] = (uint8_t)(i * 5 % (colours[k] ? colours[k] : 256));
        picture_mask("m.png", 13, 7, want, colours[k]);
        const void *bytes = read_file("m.png", &size);
        good(onn_image_decode_mask(bytes, size, &got));
        assert_true(got.width == 13 && got.height == 7 && got.channels == 1);
        assert_memory_equal(got.pixel, want, sizeof want);
        onn_image_finish(&got);
        for (size_t cut = 0; cut < size - 12; cut += 5) { /* the last 12 bytes only say that it ends */
            assert_int_equal(onn_image_decode_mask(bytes, cut, &got), OCLNN_ERROR_FORMAT);
            assert_null(got.pixel);
        }
    }
    picture_png("m.png", 20, 10, 1);
    const void *bytes = read_file("m.png", &size);
    assert_int_equal(onn_image_decode_mask(bytes, size, &got), OCLNN_ERROR_UNSUPPORTED);
    says("several channels");
    picture_jpeg("m.png", 20, 10, 1);
    bytes = read_file("m.png", &size);
    assert_int_equal(onn_image_decode_mask(bytes, size, &got), OCLNN_ERROR_FORMAT);
    says("must be a PNG");
}

/* Where image and mask tell different classes, as a fraction; borders between classes, where an image is blurred, are
 * left out. */
static double disagree(const uint8_t *x, const uint8_t *mask, int n)
{
    int wrong = 0, clear = 0;
    for (int i = 0; i < n; i++) {
        const int class = class_of[(x[i] + 50) / 100 % 3];
        if (mask[i] == OCLNN_MASK_IGNORE || abs(x[i] - level[class]) > 4)
            continue;
        clear++;
        wrong += class != mask[i];
    }
    assert_true(clear > n / 2);
    return (double)wrong / clear;
}

static void folder(void **state)
{
    enum { S = 48 };
    static uint8_t x[3 * S * S], mask[S * S];
    struct oclnn_dataset_params p = {.width = S, .height = S};
    struct oclnn_dataset_info info;
    oclnn_dataset *d = NULL, *a = NULL, *b = NULL;
    int64_t label;
    (void)state;
    const char *spec = folders("f");
    write_pair("f", "a", 48, 48, 0, true);
    write_pair("f", "a-1", 100, 60, 1, false); /* "a-1.png" is in front of "a.png" */
    write_pair("f", "b", 60, 130, 2, true);
    write_pair("f", "c.d", 31, 29, 3, false);
    for (int round = 0; round < 2; round++) {
        good(oclnn_dataset_open(NULL, spec, &p, &d));
        good(oclnn_dataset_get_info(d, &info));
        assert_true(info.count == 4 && info.classes == 3 && info.per_pixel && info.dtype == OCLNN_U8);
        assert_string_equal(oclnn_dataset_class_name(d, 2), round ? "a bar" : "2");
        for (int again = 0; again < 2; again++) /* decoded, then kept */
            for (int i = 0; i < 4; i++) {
                int seen[3] = {0};
                memset(mask, 77, sizeof mask);
                good(onn_dataset_fetch_mask(d, i, x, &label, mask));
                for (int k = 0; k < S * S; k++)
                    seen[mask[k] < 3 ? mask[k] : 0]++;
                assert_true(label == 0 && seen[1] > 20 && seen[2] > 20);
                assert_true(disagree(x, mask, S * S) < 0.01);
            }
        good(oclnn_dataset_get_info(d, &info));
        assert_true(info.memory_bytes > 4 * 4 * S * S && info.memory_bytes <= info.memory_limit);
        good(oclnn_dataset_split(d, 0.25, 1, &a, &b));
        good(oclnn_dataset_get_info(b, &info));
        assert_true(info.count == 1 && info.per_pixel);
        oclnn_dataset_destroy(&a);
        oclnn_dataset_destroy(&b);
        oclnn_dataset_destroy(&d);
        temp_write("f/classes.txt", "ground\r\na disc \na bar\n", 22);
    }
    draw(48, 48, 0, mask); /* not resized: every number is there */
    good(oclnn_dataset_open(NULL, spec, &(struct oclnn_dataset_params){.width = S, .height = S, .grey = 1},
        &d));
    uint8_t got[S * S];
    good(onn_dataset_fetch_mask(d, 0, x, &label, got));
    for (int i = 0; i < S * S; i++)
        assert_int_equal(got[i], i / S < S / 8 && i % S < S / 4 ? OCLNN_MASK_IGNORE : mask[i]);
    oclnn_dataset_destroy(&d);
}

static void refuse(const char *spec, enum oclnn_status status, const char *word)
{
    oclnn_dataset *d = NULL;
    assert_int_equal(oclnn_dataset_open(NULL, spec, NULL, &d), status);
    assert_null(d);
    says(word);
}

static void fetch_fails(const char *spec, const char *word)
{
    static uint8_t x[3 * 224 * 224], mask[224 * 224];
    oclnn_dataset *d = NULL;
    int64_t label;
    good(oclnn_dataset_open(NULL, spec, NULL, &d));
    assert_int_equal(onn_dataset_fetch_mask(d, 0, x, &label, mask), OCLNN_ERROR_FORMAT);
    says(word);
    oclnn_dataset_destroy(&d);
}

static void bad_folders(void **state)
{
    uint8_t mask[40 * 30] = {0};
    (void)state;
    refuse("masks:/nowhere/at/all", OCLNN_ERROR_NOT_FOUND, "/nowhere/at/all/images");
    const char *spec = folders("g");
    refuse(spec, OCLNN_ERROR_ARGUMENT, "images: no image");
    picture_png("g/images/a.png", 40, 30, 1);
    refuse(spec, OCLNN_ERROR_ARGUMENT, "masks: no mask");
    picture_mask("g/masks/b.png", 40, 30, mask, 2);
    refuse(spec, OCLNN_ERROR_ARGUMENT, "images/a.png has no mask masks/a.png");
    picture_mask("g/masks/a.png", 40, 30, mask, 2);
    refuse(spec, OCLNN_ERROR_ARGUMENT, "masks/b.png has no image");
    remove(temp_path("g/masks/b.png"));
    refuse(spec, OCLNN_ERROR_ARGUMENT, "no class but 0");
    memset(mask, OCLNN_MASK_IGNORE, 600);
    picture_mask("g/masks/a.png", 40, 30, mask, 0);
    refuse(spec, OCLNN_ERROR_ARGUMENT, "no class but 0");
    mask[1100] = 4;
    picture_mask("g/masks/a.png", 30, 40, mask, 0);
    refuse(spec, OCLNN_ERROR_FORMAT, "a.png: the mask has 30 x 40 pixels, its image a.png 40 x 30");
    picture_mask("g/masks/a.png", 40, 30, mask, 0);
    picture_jpeg("g/images/a.jpeg", 40, 30, 1);
    refuse(spec, OCLNN_ERROR_ARGUMENT, "have the same name");
    remove(temp_path("g/images/a.jpeg"));
    temp_write("g/classes.txt", "one\ntwo\n", 8);
    fetch_fails(spec, "masks/a.png: pixel (20, 27) is 4: neither a class, 0 … 1, nor 255");
    temp_write("g/classes.txt", "one\n\nthree\n", 11);
    refuse(spec, OCLNN_ERROR_FORMAT, "classes.txt: line 2 is empty");
    temp_write("g/classes.txt", "one", 3);
    refuse(spec, OCLNN_ERROR_FORMAT, "classes.txt: 1 lines");
    remove(temp_path("g/classes.txt"));
    picture_png("g/masks/a.png", 40, 30, 2);
    refuse(spec, OCLNN_ERROR_UNSUPPORTED, "masks/a.png: PNG: 8 bits of several channels");
}

/* What operator augment makes of an image, from its formula, without colours and normalisation; -1: partly outside. */
static double bilinear(const float *row, const uint8_t *x, int size, int at_x, int at_y)
{
    const double u = (double)row[0] * at_x + (double)row[1] * at_y + (double)row[2];
    const double v = (double)row[3] * at_x + (double)row[4] * at_y + (double)row[5];
    double sum = 0;
    for (int k = 0; k < 4; k++) {
        const int px = (int)floor(u) + (k & 1), py = (int)floor(v) + (k >> 1);
        const double weight = (1 - fabs(u - px)) * (1 - fabs(v - py));
        if (weight == 0)
            continue;
        if (px < 0 || px >= size || py < 0 || py >= size)
            return -1;
        sum += weight * x[py * size + px];
    }
    return sum;
}

/* Image and mask go through the same map: away from borders they tell the same class. */
static void masks_follow_images(void **state)
{
    static const char *const texts[] = {"flip", "flip,flip_vertical,crop:5", "rotate:40,shear:0.3,zoom:0.3",
        "resize:0.5,flip,crop:3", "brightness:0.2,cutout:9"};
    enum { S = 40 };
    static uint8_t from[S * S], image[S * S], to[S * S];
    (void)state;
    draw(S, S, 1, from);
    for (int i = 0; i < S * S; i++)
        image[i] = level[from[i]];
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
        for (int64_t position = 0; position < 20; position++) {
            struct oclnn_augment a;
            float row[ONN_AUGMENT_ROW];
            int clear = 0, outside = 0;
            good(oclnn_augment_parse(texts[t], &a));
            onn_augment_draw(&a, &(struct onn_augment_at){3, 0, position, 3, S, S, position, 20}, row);
            onn_augment_mask(row, S, S, from, to);
            for (int y = 0; y < S; y++)
                for (int x = 0; x < S; x++) {
                    const double v = bilinear(row, image, S, x, y);
                    const int class = v < 0 ? 0 : class_of[lround(v / 100)];
                    outside += to[y * S + x] == OCLNN_MASK_IGNORE;
                    if (v < 0 || fabs(v - level[class]) > 1)
                        continue;
                    clear++;
                    assert_int_equal(to[y * S + x], class);
                }
            assert_true(clear > S * S / 4); /* zoomed out, half of it lies outside */
            assert_true((t == 0 || t == 4) ? outside == 0 : outside < S * S * 3 / 4);
        }
}

/* ---- the program's own, through the loader ---- */
enum { N = 22, H = 6, W = 9 };
static enum oclnn_status own_sample(void *user, int64_t index, void *x, uint8_t *mask)
{
    const int64_t *wrong = user;
    memset(x, (int)index, 3 * H * W);
    for (int i = 0; i < H * W; i++)
        mask[i] = (uint8_t)((index + i) % 5 == 4 ? OCLNN_MASK_IGNORE : (index + i) % 5);
    if (wrong && index == *wrong)
        mask[17] = 4;
    return OCLNN_OK;
}

static int64_t read_all(const oclnn_dataset *d, struct onn_loader_params p, uint8_t *masks)
{
    struct onn_loader *l = NULL;
    struct onn_batch b;
    bool end = false;
    int64_t n = 0;
    p.batch = 5;
    good(onn_loader_create(d, &p, &l));
    for (;;) {
        good(onn_loader_next(l, &b, &end));
        if (end)
            break;
        for (int64_t i = 0; i < b.n; i++) {
            const int64_t index = ((const uint8_t *)b.x)[i * 3 * H * W];
            memcpy(masks + index * H * W, b.mask + i * H * W, H * W);
        }
        n += b.n;
    }
    onn_loader_destroy(&l);
    return n;
}

static void loader(void **state)
{
    static uint8_t got[N * H * W], other[N * H * W];
    struct oclnn_dataset_info info;
    const struct oclnn_shape shape = OCLNN_SHAPE(3, H, W);
    const int64_t wrong = 13;
    oclnn_dataset *d = NULL;
    struct onn_loader *l = NULL;
    struct onn_batch b;
    bool end;
    (void)state;
    good(oclnn_dataset_create_masks(NULL, N, shape, 4, own_sample, NULL, NULL, &d));
    assert_int_equal(read_all(d, (struct onn_loader_params){.shuffle = true}, got), N);
    for (int i = 0; i < N * H * W; i++) {
        const int k = (i / (H * W) + i % (H * W)) % 5;
        assert_int_equal(got[i], k == 4 ? OCLNN_MASK_IGNORE : k);
    }
    read_all(d, (struct onn_loader_params){.use_ignore = true, .ignore_index = 2}, other);
    for (int i = 0; i < N * H * W; i++)
        assert_int_equal(other[i], got[i] == 2 ? OCLNN_MASK_IGNORE : got[i]);
    int flipped = 0;
    read_all(d, (struct onn_loader_params){.augment = {.flip = 1}}, other);
    for (int i = 0; i < N; i++) {
        const uint8_t *a = got + i * H * W, *c = other + i * H * W;
        const bool same = memcmp(a, c, H * W) == 0;
        flipped += !same;
        for (int k = 0; k < H * W && !same; k++)
            assert_int_equal(c[k], a[k / W * W + W - 1 - k % W]);
    }
    assert_true(flipped > 3 && flipped < N - 3);
    good(onn_loader_create(d, &(struct onn_loader_params){.batch = 7, .augment = {.rotate = 9}}, &l));
    good(onn_loader_next(l, &b, &end));
    good(oclnn_dataset_get_info(d, &info));
    assert_true(info.memory_bytes <= info.memory_limit && info.memory_bytes > 3 * 7 * 5 * H * W);
    onn_loader_destroy(&l);
    const struct onn_loader_params mixed = {.batch = 5, .augment = {.mixup = 0.2f}};
    assert_int_equal(onn_loader_create(d, &mixed, &l), OCLNN_ERROR_ARGUMENT);
    says("mixup");
    oclnn_dataset_destroy(&d);

    good(oclnn_dataset_create_masks(NULL, N, shape, 4, own_sample, (void *)(uintptr_t)&wrong, NULL, &d));
    good(onn_loader_create(d, &(struct onn_loader_params){.batch = N}, &l));
    assert_int_equal(onn_loader_next(l, &b, &end), OCLNN_ERROR_FORMAT);
    says("sample 13: pixel (8, 1) is 4");
    onn_loader_destroy(&l);
    oclnn_dataset_destroy(&d);
    for (int classes = 0; classes <= 256; classes += classes == 1 ? 255 : 1) /* 0, 1, 256 */
        assert_int_equal(oclnn_dataset_create_masks(NULL, N, shape, classes, own_sample, NULL, NULL, &d),
            OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_dataset_create_masks(NULL, N, OCLNN_SHAPE(H, W), 4, own_sample, NULL, NULL, &d),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_dataset_create_masks(NULL, N, shape, 4, NULL, NULL, NULL, &d),
        OCLNN_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(masks_are_numbers), cmocka_unit_test(folder),
        cmocka_unit_test(bad_folders), cmocka_unit_test(masks_follow_images), cmocka_unit_test(loader)};
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
