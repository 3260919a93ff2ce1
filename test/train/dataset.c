/* Data sets: every kind, what is said of wrong ones, dividing. */
#include <oclnn/data.h>

#include "base/mem.h"
#include "train/dataset.h"
#include "train/loader.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "train/pictures.h"

#include <cmocka.h>

static char text[2048];

static const char *spec(const char *kind, const char *name)
{
    snprintf(text, sizeof text, "%s:%s", kind, temp_path(name));
    return text;
}

static oclnn_dataset *open_it(const char *what, const struct oclnn_dataset_params *params)
{
    oclnn_dataset *d = NULL;
    if (oclnn_dataset_open(NULL, what, params, &d) != OCLNN_OK)
        fail_msg("%s: %s", what, oclnn_error_text(NULL));
    return d;
}

/* Must fail with this status and name `word`. */
static void refuse(const char *what, const struct oclnn_dataset_params *params, enum oclnn_status status,
    const char *word)
{
    oclnn_dataset *d = NULL;
    assert_int_equal(oclnn_dataset_open(NULL, what, params, &d), status);
    assert_null(d);
    if (!strstr(oclnn_error_text(NULL), word))
        fail_msg("'%s' does not say '%s'", oclnn_error_text(NULL), word);
}

static void mnist(void **state)
{
    static const unsigned char head[] = {0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 6};
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 5, 3, 1, 4, 1, 2};
    unsigned char images[16 + 120];
    struct oclnn_dataset_info info;
    uint8_t x[24];
    int64_t label;
    (void)state;
    memcpy(images, head, 16);
    for (int i = 0; i < 120; i++)
        images[16 + i] = (unsigned char)i;
    picture_folder("mnist");
    temp_write("mnist/train-images-idx3-ubyte", images, sizeof images);
    temp_write("mnist/train-labels-idx1-ubyte", labels, sizeof labels);
    oclnn_dataset *d = open_it(spec("mnist", "mnist/train"), NULL);
    assert_int_equal(oclnn_dataset_get_info(d, &info), OCLNN_OK);
    assert_true(info.count == 5 && info.classes == 5 && info.dtype == OCLNN_U8 && info.shape.rank == 3);
    assert_true(info.shape.dim[0] == 1 && info.shape.dim[1] == 4 && info.shape.dim[2] == 6);
    assert_true(info.memory_bytes >= 120 && info.memory_bytes <= info.memory_limit);
    assert_int_equal(onn_dataset_fetch(d, 2, x, &label), OCLNN_OK);
    assert_true(label == 4 && x[0] == 48 && x[23] == 71);
    assert_string_equal(oclnn_dataset_class_name(d, 4), "4");
    assert_null(oclnn_dataset_class_name(d, 5));
    assert_null(oclnn_dataset_class_name(d, -1));
    float norm[2];
    onn_dataset_norm(d, norm);
    assert_true(norm[0] == 1.0f / 255 && norm[1] == 0);
    oclnn_dataset_destroy(&d);
    assert_null(d);
    d = open_it(spec("mnist", "mnist"), &(struct oclnn_dataset_params){.mean = {0.5f}, .deviation = {0.25f}});
    onn_dataset_norm(d, norm);
    assert_true(norm[0] == 4.0f / 255 && norm[1] == -2);
    oclnn_dataset_destroy(&d);
    temp_write("mnist/train-labels-idx1-ubyte", (const unsigned char[]){0, 0, 8, 1, 0, 0, 0, 4, 3, 1, 4, 1},
        12);
    refuse(spec("mnist", "mnist/train"), NULL, OCLNN_ERROR_FORMAT,
        "train-labels-idx1-ubyte: 4 labels for 5 images");
    temp_write("mnist/train-images-idx3-ubyte", images, sizeof images - 1);
    refuse(spec("mnist", "mnist/train"), NULL, OCLNN_ERROR_FORMAT, "train-images-idx3-ubyte");
    refuse(spec("mnist", "none/train"), NULL, OCLNN_ERROR_NOT_FOUND, "none/train");
}

static void cifar(void **state)
{
    static unsigned char record[3073];
    struct oclnn_dataset_info info;
    static uint8_t x[3072];
    int64_t label;
    (void)state;
    picture_folder("cifar");
    for (int i = 1; i <= 5; i++) {
        char name[64];
        memset(record, 10 * i, sizeof record);
        record[0] = (unsigned char)i;
        snprintf(name, sizeof name, "cifar/data_batch_%d.bin", i);
        temp_write(name, record, sizeof record);
    }
    oclnn_dataset *d = open_it(spec("cifar10", "cifar"), NULL);
    assert_int_equal(oclnn_dataset_get_info(d, &info), OCLNN_OK);
    assert_true(info.count == 5 && info.classes == 10 && info.shape.dim[0] == 3 && info.shape.dim[2] == 32);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(onn_dataset_fetch(d, i, x, &label), OCLNN_OK);
        assert_true(label == i + 1 && x[0] == 10 * (i + 1) && x[3071] == x[0]);
    }
    oclnn_dataset_destroy(&d);
    remove(temp_path("cifar/data_batch_4.bin"));
    refuse(spec("cifar10", "cifar"), NULL, OCLNN_ERROR_NOT_FOUND, "data_batch_4.bin");
    temp_write("cifar/data_batch_4.bin", record, 100);
    refuse(spec("cifar10", "cifar"), NULL, OCLNN_ERROR_FORMAT,
        "data_batch_4.bin: the last record is cut off");
    snprintf(text, sizeof text, "cifar10:%s,%s", temp_path("cifar/data_batch_1.bin"),
        temp_path("cifar/data_batch_5.bin"));
    d = open_it(text, NULL);
    assert_true(oclnn_dataset_get_info(d, &info) == OCLNN_OK && info.count == 2);
    oclnn_dataset_destroy(&d);
}

static void npy(void **state)
{
    oclnn_tensor *x = NULL;
    struct oclnn_dataset_info info;
    (void)state;
    assert_int_equal(oclnn_tensor_create(OCLNN_U8, OCLNN_SHAPE(3, 2, 4, 5), NULL, &x), OCLNN_OK);
    assert_int_equal(oclnn_tensor_save(temp_path("x.npy"), x), OCLNN_OK);
    oclnn_tensor_destroy(&x);
    temp_write("l.csv", "0\n7\n2\n", 6);
    snprintf(text, sizeof text, "npy:%s,%s", temp_path("x.npy"), temp_path("l.csv"));
    oclnn_dataset *d = open_it(text, NULL);
    assert_true(oclnn_dataset_get_info(d, &info) == OCLNN_OK && info.count == 3 && info.classes == 8);
    oclnn_dataset_destroy(&d);
    temp_write("l.csv", "0\n-7\n2\n", 7);
    refuse(text, NULL, OCLNN_ERROR_FORMAT, "sample 1 has class -7");
    temp_write("l.csv", "0\n7\n", 4);
    refuse(text, NULL, OCLNN_ERROR_FORMAT, "l.csv: 2 labels for 3 images");
    refuse("tar:x", NULL, OCLNN_ERROR_ARGUMENT, "tar:x");
    refuse("", NULL, OCLNN_ERROR_ARGUMENT, "mnist:");
    struct oclnn_dataset_params bad[] = {{.width = 5}, {.width = -1, .height = 4}, {.threads = -1},
        {.scale = INFINITY}, {.deviation = {1, NAN}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(text, &bad[i], OCLNN_ERROR_ARGUMENT, "dataset");
    assert_int_equal(oclnn_dataset_open(NULL, NULL, NULL, &d), OCLNN_ERROR_ARGUMENT);
}

/* What reading the same file through the image calls gives. */
static void compare_with_image(const uint8_t *x, const char *name, struct oclnn_image_params p)
{
    oclnn_tensor *t = NULL;
    p.u8 = 1;
    assert_int_equal(oclnn_image_load(temp_path(name), &p, &t), OCLNN_OK);
    assert_memory_equal(x, oclnn_tensor_data(t), oclnn_tensor_bytes(t));
    oclnn_tensor_destroy(&t);
}

static void folder(void **state)
{
    struct oclnn_dataset_info info;
    struct oclnn_dataset_params p = {.width = 24, .height = 24};
    struct oclnn_image_params fitted = {.short_side = 24, .crop_width = 24, .crop_height = 24};
    static uint8_t x[3 * 24 * 24];
    int64_t label;
    (void)state;
    picture_folder("f");
    picture_folder("f/dogs");
    picture_folder("f/cats");
    picture_folder("f/.hidden");
    picture_jpeg("f/dogs/b.JPG", 60, 40, 1);
    picture_jpeg("f/dogs/a.jpeg", 24, 90, 2);
    picture_png("f/cats/c.png", 50, 30, 3);
    temp_write("f/cats/notes.txt", "no image", 8);
    temp_write("f/readme.jpg", "not in a class", 14);
    oclnn_dataset *d = open_it(spec("folder", "f"), &p);
    assert_int_equal(oclnn_dataset_get_info(d, &info), OCLNN_OK);
    assert_true(info.count == 3 && info.classes == 2 && info.shape.dim[0] == 3 && info.dtype == OCLNN_U8);
    assert_string_equal(oclnn_dataset_class_name(d, 0), "cats");
    assert_string_equal(oclnn_dataset_class_name(d, 1), "dogs");
    static const char *const names[] = {"f/cats/c.png", "f/dogs/a.jpeg", "f/dogs/b.JPG"};
    for (int round = 0; round < 2; round++) /* decoded, then kept */
        for (int i = 0; i < 3; i++) {
            memset(x, 0, sizeof x);
            assert_int_equal(onn_dataset_fetch(d, i, x, &label), OCLNN_OK);
            assert_int_equal(label, i > 0);
            compare_with_image(x, names[i], fitted);
        }
    oclnn_dataset_get_info(d, &info);
    assert_true(info.memory_bytes > 3 * sizeof x && info.memory_bytes <= info.memory_limit);
    oclnn_dataset_destroy(&d);

    p.cache_bytes = 2 * (sizeof x + 100); /* room for two */
    p.grey = fitted.grey = 1;
    d = open_it(spec("folder", "f"), &p);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(onn_dataset_fetch(d, i, x, &label), OCLNN_OK);
        compare_with_image(x, names[i], fitted);
    }
    oclnn_dataset_get_info(d, &info);
    assert_true(info.shape.dim[0] == 1 && info.memory_bytes <= info.memory_limit);
    oclnn_dataset_destroy(&d);

    /* not square: what covers it, then the centre; 60 x 40 to 30 x 10 is 30 x 20 */
    p = (struct oclnn_dataset_params){.width = 30, .height = 10};
    d = open_it(spec("folder", "f"), &p);
    assert_int_equal(onn_dataset_fetch(d, 2, x, &label), OCLNN_OK);
    compare_with_image(x, names[2],
        (struct oclnn_image_params){.width = 30, .height = 20, .crop_width = 30, .crop_height = 10});
    oclnn_dataset_destroy(&d);
}

static void fetch_fails(const char *what, int64_t index, const char *word)
{
    static uint8_t x[3 * 224 * 224];
    int64_t label;
    oclnn_dataset *d = open_it(what, NULL);
    assert_int_equal(onn_dataset_fetch(d, index, x, &label), OCLNN_ERROR_FORMAT);
    if (!strstr(oclnn_error_text(NULL), word))
        fail_msg("'%s' does not say '%s'", oclnn_error_text(NULL), word);
    oclnn_dataset_destroy(&d);
}

static void bad_folders(void **state)
{
    static unsigned char bytes[1 << 16];
    static char what[512];
    (void)state;
    snprintf(what, sizeof what, "folder:%s", temp_path("g"));
    refuse(what, NULL, OCLNN_ERROR_NOT_FOUND, "/g");
    picture_folder("g");
    refuse(what, NULL, OCLNN_ERROR_ARGUMENT, "/g: 0 folders");
    picture_folder("g/one");
    picture_png("g/one/1.png", 30, 30, 1);
    refuse(what, NULL, OCLNN_ERROR_ARGUMENT, "1 folders");
    picture_folder("g/two");
    refuse(what, NULL, OCLNN_ERROR_ARGUMENT, "g/two: no image");
    temp_write("g/two/2.jpg", "GIF89a and so on", 16);
    refuse(what, NULL, OCLNN_ERROR_FORMAT, "g/two/2.jpg: neither JPEG nor PNG");
    temp_write("g/two/2.jpg", "", 0);
    refuse(what, NULL, OCLNN_ERROR_FORMAT, "g/two/2.jpg: the file is empty");
    temp_write("g/two/2.jpg", "\xff\xd8\xff\xe0\x00\x10", 6);
    refuse(what, NULL, OCLNN_ERROR_FORMAT, "g/two/2.jpg: the image's header is cut off");
    temp_write("g/two/2.jpg", "\xff\xd8\xff\xda\x00\x10 scan without frame", 24);
    refuse(what, NULL, OCLNN_ERROR_FORMAT, "2.jpg: JPEG: no frame header");
    /* 65535 x 65535 pixels */
    temp_write("g/two/2.jpg", "\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03 and more", 22);
    refuse(what, NULL, OCLNN_ERROR_UNSUPPORTED, "2.jpg: 65535 x 65535 pixels");
    temp_write("g/two/2.jpg", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff", 24);
    refuse(what, NULL, OCLNN_ERROR_UNSUPPORTED, "2.jpg: 4294967295 x 4294967295 pixels");
    picture_png("g/two/2.jpg", 4096, 1, 1); /* would be 917504 x 224 pixels */
    refuse(what, NULL, OCLNN_ERROR_UNSUPPORTED, "2.jpg: 4096 x 1 pixels are too narrow");
    remove(temp_path("g/two/2.jpg"));
    assert_int_equal(mkfifo(temp_path("g/two/2.jpg"), 0600), 0);
    refuse(what, NULL, OCLNN_ERROR_IO, "2.jpg: no regular file");
    remove(temp_path("g/two/2.jpg"));

    /* whole headers, damage behind them */
    picture_jpeg("g/two/2.jpg", 300, 200, 5);
    FILE *f = fopen(temp_path("g/two/2.jpg"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    temp_write("g/two/2.jpg", bytes, n * 2 / 3);
    fetch_fails(what, 1, "g/two/2.jpg: JPEG: Premature end");
    picture_png("g/two/2.jpg", 300, 200, 5);
    f = fopen(temp_path("g/two/2.jpg"), "rb");
    n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    temp_write("g/two/2.jpg", bytes, n / 2);
    fetch_fails(what, 1, "g/two/2.jpg: PNG");
}

struct own {
    int calls;
    enum oclnn_status status;
    int64_t bad;
};

static enum oclnn_status own_sample(void *user, int64_t index, void *x, int64_t *label)
{
    struct own *o = user;
    o->calls++;
    ((float *)x)[0] = (float)index;
    ((float *)x)[1] = -(float)index;
    *label = index == o->bad ? 3 : index % 3;
    return index == 11 ? o->status : OCLNN_OK;
}

static void own(void **state)
{
    struct own o = {.bad = -1};
    oclnn_dataset *d = NULL, *a = NULL, *b = NULL;
    struct oclnn_dataset_info info;
    float x[2];
    int64_t label;
    (void)state;
    assert_int_equal(oclnn_dataset_create(NULL, 30, OCLNN_SHAPE(2), OCLNN_F32, 3, own_sample, &o, NULL, &d),
        OCLNN_OK);
    assert_int_equal(oclnn_dataset_get_info(d, &info), OCLNN_OK);
    assert_true(info.count == 30 && info.dtype == OCLNN_F32 && info.shape.rank == 1 && info.classes == 3);
    assert_int_equal(onn_dataset_fetch(d, 7, x, &label), OCLNN_OK);
    assert_true(x[0] == 7 && x[1] == -7 && label == 1);
    assert_int_equal(oclnn_dataset_split(d, 0.5, 1, &a, &b), OCLNN_OK);
    assert_int_equal(o.calls, 31);
    oclnn_dataset_destroy(&a);
    oclnn_dataset_destroy(&b);
    o.status = OCLNN_ERROR_IO;
    assert_int_equal(onn_dataset_fetch(d, 11, x, &label), OCLNN_ERROR_IO);
    assert_non_null(
        strstr(oclnn_error_text(NULL), "sample 11: the program's function returned OCLNN_ERROR_IO"));
    assert_int_equal(oclnn_dataset_split(d, 0.5, 1, &a, &b), OCLNN_ERROR_IO);
    assert_true(!a && !b);
    o = (struct own){.bad = 5};
    assert_int_equal(oclnn_dataset_split(d, 0.5, 1, &a, &b), OCLNN_ERROR_FORMAT);
    assert_non_null(strstr(oclnn_error_text(NULL), "sample 5 has label 3, outside of 0 … 2"));
    oclnn_dataset_destroy(&d);
    const struct oclnn_shape picture = OCLNN_SHAPE(3, 8, 8), open_shape = OCLNN_SHAPE(-1, 8);
    const struct oclnn_shape huge = OCLNN_SHAPE((int64_t)1 << 40, (int64_t)1 << 40);
    assert_int_equal(oclnn_dataset_create(NULL, 0, picture, OCLNN_U8, 3, own_sample, &o, NULL, &d),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_dataset_create(NULL, 9, picture, OCLNN_I32, 3, own_sample, &o, NULL, &d),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_dataset_create(NULL, 9, picture, OCLNN_U8, 0, own_sample, &o, NULL, &d),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_dataset_create(NULL, 9, picture, OCLNN_U8, 3, NULL, &o, NULL, &d),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_dataset_create(NULL, 9, OCLNN_SHAPE(8, 8), OCLNN_U8, 3, own_sample, &o, NULL, &d),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_dataset_create(NULL, 9, open_shape, OCLNN_F32, 3, own_sample, &o, NULL, &d),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_dataset_create(NULL, 9, huge, OCLNN_F32, 3, own_sample, &o, NULL, &d),
        OCLNN_ERROR_ARGUMENT);
    assert_null(d);
    oclnn_dataset_destroy(&d);
    oclnn_dataset_destroy(NULL);
}

/* Class of sample i: 70 of 0, 20 of 1, 10 of 2. */
static enum oclnn_status uneven(void *user, int64_t index, void *x, int64_t *label)
{
    (void)user;
    *(float *)x = (float)index;
    *label = index % 10 < 7 ? 0 : index % 10 < 9 ? 1 : 2;
    return OCLNN_OK;
}

static void count(const oclnn_dataset *d, int classes[3], char seen[100])
{
    struct oclnn_dataset_info info;
    float last = -1;
    assert_int_equal(oclnn_dataset_get_info(d, &info), OCLNN_OK);
    for (int64_t i = 0; i < info.count; i++) {
        float x;
        int64_t label;
        assert_int_equal(onn_dataset_fetch(d, i, &x, &label), OCLNN_OK);
        assert_true(x > last);
        last = x;
        classes[label]++;
        seen[(int)x]++;
    }
}

static void split(void **state)
{
    oclnn_dataset *d = NULL, *a = NULL, *b = NULL, *c = NULL, *e = NULL;
    struct oclnn_dataset_info before, info;
    char seen[100] = {0}, first[100] = {0};
    int ca[3] = {0}, cb[3] = {0};
    (void)state;
    assert_int_equal(oclnn_dataset_create(NULL, 100, OCLNN_SHAPE(1), OCLNN_F32, 3, uneven, NULL, NULL, &d),
        OCLNN_OK);
    oclnn_dataset_get_info(d, &before);
    assert_int_equal(oclnn_dataset_split(d, 0.2, 5, &a, &b), OCLNN_OK);
    count(a, ca, seen);
    count(b, cb, seen);
    assert_true(ca[0] == 56 && ca[1] == 16 && ca[2] == 8 && cb[0] == 14 && cb[1] == 4 && cb[2] == 2);
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    /* a part of a part; the same seed, the same samples */
    assert_int_equal(oclnn_dataset_split(a, 0.25, 5, &c, &e), OCLNN_OK);
    count(e, (int[3]){0}, first);
    oclnn_dataset_destroy(&c);
    oclnn_dataset_destroy(&e);
    assert_int_equal(oclnn_dataset_split(a, 0.25, 5, &c, &e), OCLNN_OK);
    memset(seen, 0, sizeof seen);
    count(e, (int[3]){0}, seen);
    assert_memory_equal(seen, first, sizeof seen);
    assert_string_equal(oclnn_dataset_class_name(e, 2), "2");
    oclnn_dataset_destroy(&c);
    oclnn_dataset_destroy(&e);
    assert_int_equal(oclnn_dataset_split(a, 0.25, 6, &c, &e), OCLNN_OK);
    memset(seen, 0, sizeof seen);
    count(e, (int[3]){0}, seen);
    assert_true(memcmp(seen, first, sizeof seen) != 0);
    oclnn_dataset_destroy(&c);
    oclnn_dataset_destroy(&e);
    oclnn_dataset_destroy(&a);
    oclnn_dataset_destroy(&b);
    static const double bad[] = {0, 1, -0.1, 1.5, NAN, 0.001, 0.999};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(oclnn_dataset_split(d, bad[i], 5, &a, &b), OCLNN_ERROR_ARGUMENT);
        assert_true(!a && !b);
    }
    oclnn_dataset_get_info(d, &info);
    assert_true(info.memory_bytes == before.memory_bytes && info.memory_limit == before.memory_limit);
    oclnn_dataset_destroy(&d);
}

/* ---- fingerprints ---- */

static void fingerprint(const oclnn_dataset *d, char out[ONN_FINGERPRINT])
{
    assert_int_equal(onn_dataset_fingerprint(d, out), OCLNN_OK);
}

/* Of "idx/train" with these bytes at one place of the images and of the labels. */
static void of_idx(uint8_t pixel, uint8_t class, char out[ONN_FINGERPRINT])
{
    unsigned char images[16 + 120] = {0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 6};
    unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 5, 3, 1, 4, 1, 2};
    images[16 + 70] = pixel;
    labels[10] = class;
    temp_write("idx/train-images-idx3-ubyte", images, sizeof images);
    temp_write("idx/train-labels-idx1-ubyte", labels, sizeof labels);
    oclnn_dataset *d = open_it(spec("mnist", "idx/train"), NULL);
    fingerprint(d, out);
    oclnn_dataset_destroy(&d);
}

static void of_folder(char out[ONN_FINGERPRINT])
{
    oclnn_dataset *d = open_it(spec("folder", "h"), NULL);
    fingerprint(d, out);
    oclnn_dataset_destroy(&d);
}

static enum oclnn_status numbered(void *user, int64_t index, void *x, int64_t *label)
{
    const int *shift = user;
    if (*shift < 0)
        return OCLNN_ERROR_IO;
    *(float *)x = (float)(index + *shift);
    *label = index % 4;
    return OCLNN_OK;
}

static void fingerprints(void **state)
{
    char a[ONN_FINGERPRINT], b[ONN_FINGERPRINT];
    (void)state;
    picture_folder("idx");
    of_idx(7, 4, a);
    assert_int_equal(strlen(a), ONN_FINGERPRINT - 1);
    of_idx(7, 4, b);
    assert_string_equal(a, b);
    of_idx(8, 4, b);
    assert_string_not_equal(a, b);
    of_idx(7, 3, b);
    assert_string_not_equal(a, b);

    picture_folder("h");
    picture_folder("h/one");
    picture_folder("h/two");
    picture_png("h/one/a.png", 20, 12, 1);
    picture_png("h/two/b.png", 20, 12, 2);
    of_folder(a);
    of_folder(b);
    assert_string_equal(a, b);
    picture_png("h/two/b.png", 40, 24, 2); /* another size of the file */
    of_folder(b);
    assert_string_not_equal(a, b);
    picture_png("h/two/b.png", 20, 12, 2);
    assert_int_equal(rename(temp_path("h/two/b.png"), temp_path("h/two/c.png")), 0);
    of_folder(b);
    assert_string_not_equal(a, b);

    for (int shift = 0; shift >= -1; shift--) {
        oclnn_dataset *d = NULL, *part[4] = {NULL};
        int now = 0;
        assert_int_equal(oclnn_dataset_create(NULL, 40, OCLNN_SHAPE(1), OCLNN_F32, 4, numbered, &now, NULL,
                             &d),
            OCLNN_OK);
        fingerprint(d, a);
        assert_int_equal(oclnn_dataset_split(d, 0.5, 1, &part[0], &part[1]), OCLNN_OK);
        assert_int_equal(oclnn_dataset_split(d, 0.5, 2, &part[2], &part[3]), OCLNN_OK);
        for (int i = 0; i < 4; i++) { /* parts have their own */
            fingerprint(part[i], b);
            assert_string_not_equal(a, b);
            memcpy(a, b, sizeof a);
        }
        fingerprint(d, a);
        now = shift ? shift : 1;
        fingerprint(d, b);
        assert_string_not_equal(a, b);
        assert_int_equal(strlen(b), shift ? 0 : ONN_FINGERPRINT - 1); /* not known where it cannot be read */
        for (int i = 0; i < 4; i++)
            oclnn_dataset_destroy(&part[i]);
        oclnn_dataset_destroy(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fingerprints), cmocka_unit_test(mnist),
        cmocka_unit_test(cifar), cmocka_unit_test(npy), cmocka_unit_test(folder),
        cmocka_unit_test(bad_folders), cmocka_unit_test(own), cmocka_unit_test(split)};
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
