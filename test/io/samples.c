/* Labelled samples: idx, CIFAR-10, npy with labels. */
#include <oclnn/io.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "temp.h"

#include <cmocka.h>

static void put_idx(const char *name, int packed, const unsigned char *head, size_t n, size_t bytes)
{
    unsigned char all[4096];
    memcpy(all, head, n);
    for (size_t i = 0; i < bytes; i++)
        all[n + i] = (unsigned char)(i % 7);
    if (!packed) {
        temp_write(name, all, n + bytes);
        return;
    }
    gzFile f = gzopen(temp_path(name), "wb");
    assert_int_equal(gzwrite(f, all, (unsigned)(n + bytes)), n + bytes);
    gzclose(f);
}

static const char *spec(const char *kind, const char *name)
{
    static char text[512];
    snprintf(text, sizeof text, "%s:%s", kind, temp_path(name));
    return text;
}

static enum oclnn_status try_open(const char *text)
{
    oclnn_samples *s = NULL;
    enum oclnn_status status = oclnn_samples_open(text, &s);
    assert_int_equal(status == OCLNN_OK, s != NULL);
    oclnn_samples_destroy(&s);
    return status;
}

static void mnist(void **state)
{
    static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 6};
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 5};
    oclnn_samples *s = NULL;
    oclnn_tensor *x = NULL;
    struct oclnn_samples_info info;
    int32_t y[2];
    (void)state;
    put_idx("t10k-images-idx3-ubyte.gz", 1, images, 16, 120);
    put_idx("t10k-labels-idx1-ubyte", 0, labels, 8, 5);
    char folder[512];
    snprintf(folder, sizeof folder, "mnist:%s", temp);
    assert_int_equal(try_open(folder), OCLNN_OK); /* a folder means its test set */
    assert_int_equal(oclnn_samples_open(spec("mnist", "t10k"), &s), OCLNN_OK);
    assert_int_equal(oclnn_samples_get_info(s, &info), OCLNN_OK);
    assert_true(
        info.count == 5 && info.channels == 1 && info.height == 4 && info.width == 6 && info.classes == 5);
    assert_int_equal(oclnn_samples_get(s, 3, 2, &x, y), OCLNN_OK);
    assert_int_equal(oclnn_tensor_shape(x).dim[0], 2);
    for (int i = 0; i < 48; i++)
        assert_int_equal(((unsigned char *)oclnn_tensor_data(x))[i], (72 + i) % 7);
    assert_true(y[0] == 3 && y[1] == 4);
    oclnn_tensor_destroy(&x);
    struct oclnn_image_params p = {.scale = 0.5f, .mean = {1}};
    assert_int_equal(oclnn_samples_get_f32(s, 0, 1, &p, &x, NULL), OCLNN_OK);
    assert_float_equal(((float *)oclnn_tensor_data(x))[3], 0.5, 0);
    oclnn_tensor_destroy(&x);
    assert_int_equal(oclnn_samples_get(s, 4, 2, &x, y), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_samples_get(s, -1, 2, &x, y), OCLNN_ERROR_ARGUMENT);
    oclnn_samples_destroy(&s);

    /* sizes that lie */
    static const struct {
        unsigned char head[16];
        size_t bytes;
    } bad[] = {{{0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 6}, 119},
        {{0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 6}, 121},
        {{0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 5}, 120},
        {{0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, 120},
        {{0, 0, 8, 3, 0, 255, 255, 255, 0, 0, 255, 255, 0, 0, 0, 1}, 120}, {{0, 0, 13, 3, 0, 0, 0, 5}, 120},
        {{0, 0, 8, 1, 0, 0, 0, 5}, 120}, {{1, 2, 3}, 120},
        {{0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 6}, 0}};
    put_idx("bad-labels-idx1-ubyte", 0, labels, 8, 5);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int packed = 0; packed < 2; packed++) {
            remove(temp_path("bad-images-idx3-ubyte"));
            put_idx(packed ? "bad-images-idx3-ubyte.gz" : "bad-images-idx3-ubyte", packed, bad[i].head, 16,
                bad[i].bytes);
            assert_int_equal(try_open(spec("mnist", "bad")), OCLNN_ERROR_FORMAT);
        }
    assert_int_equal(try_open(spec("mnist", "none")), OCLNN_ERROR_NOT_FOUND);
}

static void cifar(void **state)
{
    static unsigned char records[3 * 3073];
    oclnn_samples *s = NULL;
    oclnn_tensor *x = NULL;
    struct oclnn_samples_info info;
    char list[1024];
    (void)state;
    for (int i = 0; i < 3; i++) {
        memset(records + i * 3073, 10 * i, 3073);
        records[i * 3073] = (unsigned char)(i * 4);
    }
    temp_write("a.bin", records, sizeof records);
    gzFile f = gzopen(temp_path("b.bin.gz"), "wb");
    gzwrite(f, records, 3073 * 2);
    gzclose(f);
    snprintf(list, sizeof list, "cifar10:%s,%s", temp_path("a.bin"), temp_path("b.bin.gz"));
    assert_int_equal(oclnn_samples_open(list, &s), OCLNN_OK);
    oclnn_samples_get_info(s, &info);
    assert_true(info.count == 5 && info.channels == 3 && info.height == 32 && info.classes == 9);
    int32_t y[5];
    assert_int_equal(oclnn_samples_get(s, 0, 5, &x, y), OCLNN_OK);
    assert_true(y[2] == 8 && y[4] == 4);
    assert_int_equal(((unsigned char *)oclnn_tensor_data(x))[4 * 3072], 10);
    oclnn_tensor_destroy(&x);
    oclnn_samples_destroy(&s);
    temp_write("a.bin", records, sizeof records - 1);
    assert_int_equal(try_open(spec("cifar10", "a.bin")), OCLNN_ERROR_FORMAT);
    records[0] = 10;
    temp_write("a.bin", records, sizeof records);
    assert_int_equal(try_open(spec("cifar10", "a.bin")), OCLNN_ERROR_FORMAT);
    temp_write("a.bin", "", 0);
    assert_int_equal(try_open(spec("cifar10", "a.bin")), OCLNN_ERROR_FORMAT);
    assert_int_equal(try_open("cifar10:"), OCLNN_ERROR_FORMAT);
    assert_int_equal(try_open("cifar10:,"), OCLNN_ERROR_ARGUMENT);
    /* a packed file that ends early */
    unsigned char bytes[65536];
    FILE *g = fopen(temp_path("b.bin.gz"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, g);
    fclose(g);
    temp_write("b.bin.gz", bytes, n - 9);
    assert_int_equal(try_open(spec("cifar10", "b.bin.gz")), OCLNN_ERROR_FORMAT);
}

static enum oclnn_status with_csv(const char *csv, int32_t *y)
{
    char text[512];
    oclnn_samples *s = NULL;
    oclnn_tensor *x = NULL;
    temp_write("l.csv", csv, strlen(csv));
    snprintf(text, sizeof text, "npy:%s,%s", temp_path("x.npy"), temp_path("l.csv"));
    enum oclnn_status status = oclnn_samples_open(text, &s);
    if (status == OCLNN_OK) {
        assert_int_equal(oclnn_samples_get(s, 0, 2, &x, y), OCLNN_OK);
        oclnn_tensor_destroy(&x);
    }
    oclnn_samples_destroy(&s);
    return status;
}

static void npy(void **state)
{
    static const char *const good[] = {"index,file,class,label\n0,a,7,\"x, y\"\n1,b,-3,z\n", "7\n-3\n",
        "a,7\r\nb,-3\r\n", "name,number\na,7\nb,-3",
        "\"odd \"\"name\"\", really\",label\n\"a\"\"\",7\nb,-3\n\n"};
    static const char *const bad[] = {"", "7\n", "7\n-3\n1\n", "class\n7\nx\n", "7\n99999999999\n",
        "class\n7\n\"-3\n\n,,,", "\n\n\n", "class\n7\n1.5\n"};
    oclnn_tensor *x = NULL, *l = NULL;
    int32_t y[2];
    (void)state;
    assert_int_equal(oclnn_tensor_create(OCLNN_U8, OCLNN_SHAPE(2, 3, 4, 5), NULL, &x), OCLNN_OK);
    assert_int_equal(oclnn_tensor_save(temp_path("x.npy"), x), OCLNN_OK);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(with_csv(good[i], y), OCLNN_OK);
        assert_true(y[0] == 7 && y[1] == -3);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(with_csv(bad[i], y), OCLNN_ERROR_FORMAT);
    assert_int_equal(oclnn_tensor_create(OCLNN_I64, OCLNN_SHAPE(2), (int64_t[]){5, 6}, &l), OCLNN_OK);
    assert_int_equal(oclnn_tensor_save(temp_path("l.npy"), l), OCLNN_OK);
    char text[512];
    snprintf(text, sizeof text, "npy:%s,%s", temp_path("x.npy"), temp_path("l.npy"));
    assert_int_equal(try_open(text), OCLNN_OK);
    snprintf(text, sizeof text, "npy:%s,%s", temp_path("l.npy"), temp_path("l.npy"));
    assert_int_equal(try_open(text), OCLNN_ERROR_FORMAT);
    assert_int_equal(try_open("npy:x"), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(try_open("other:x"), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(try_open(""), OCLNN_ERROR_ARGUMENT);
    oclnn_tensor_destroy(&x);
    oclnn_tensor_destroy(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mnist),
        cmocka_unit_test(cifar),
        cmocka_unit_test(npy),
    };
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
