/* npy and npz: what is written comes back, what numpy writes is understood, what lies is refused. */
#include "io/npy.h"
#include <oclnn/io.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "temp.h"

#include <cmocka.h>

static oclnn_tensor *make(enum oclnn_dtype dtype, struct oclnn_shape shape)
{
    oclnn_tensor *t = NULL;
    assert_int_equal(oclnn_tensor_create(dtype, shape, NULL, &t), OCLNN_OK);
    unsigned char *data = oclnn_tensor_data(t);
    for (size_t i = 0; i < oclnn_tensor_bytes(t); i++)
        data[i] = dtype == OCLNN_BOOL ? i & 1 : (unsigned char)(i * 37 % 97);
    return t;
}

static void assert_same(const oclnn_tensor *a, const oclnn_tensor *b)
{
    struct oclnn_shape sa = oclnn_tensor_shape(a), sb = oclnn_tensor_shape(b);
    assert_int_equal(oclnn_tensor_dtype(a), oclnn_tensor_dtype(b));
    assert_memory_equal(&sa, &sb, sizeof sa);
    assert_int_equal(oclnn_tensor_bytes(a), oclnn_tensor_bytes(b));
    assert_memory_equal(oclnn_tensor_data(a), oclnn_tensor_data(b), oclnn_tensor_bytes(a));
}

static const enum oclnn_dtype kept[] = {OCLNN_F32, OCLNN_U8, OCLNN_I8, OCLNN_I32, OCLNN_I64, OCLNN_BOOL,
    OCLNN_F16, OCLNN_F64};
#define KEPT ((int)(sizeof kept / sizeof *kept))

static void round_trip(void **state)
{
    const struct oclnn_shape shapes[] = {{0}, OCLNN_SHAPE(5), OCLNN_SHAPE(0, 3), OCLNN_SHAPE(2, 3, 4),
        OCLNN_SHAPE(1, 2, 1, 2, 1, 2, 1, 2)};
    (void)state;
    for (int i = 0; i < KEPT; i++)
        for (int k = 0; k < 5; k++) {
            oclnn_tensor *t = make(kept[i], shapes[k]), *back = NULL;
            assert_int_equal(oclnn_tensor_save(temp_path("t.npy"), t), OCLNN_OK);
            assert_int_equal(oclnn_tensor_load(temp_path("t.npy"), &back), OCLNN_OK);
            assert_same(t, back);
            oclnn_tensor_destroy(&t);
            oclnn_tensor_destroy(&back);
        }
}

static size_t file(char *out, int version, const char *header, const void *data, size_t bytes)
{
    size_t n = strlen(header), start = version == 1 ? 10 : 12;
    memcpy(out, "\x93NUMPY", 6);
    memset(out + 6, 0, 6);
    out[6] = (char)version;
    out[8] = (char)(n & 255);
    out[9] = (char)(n >> 8);
    memcpy(out + start, header, n);
    memcpy(out + start + n, data, bytes);
    return start + n + bytes;
}

static void other_layouts(void **state)
{
    static const unsigned char big[] = {0, 1, 0, 2, 0xff, 0xff, 0, 4, 0, 5, 0, 6};
    static const int32_t rows[] = {1, -1, 5, 2, 4, 6};
    char bytes[512];
    oclnn_tensor *t = NULL;
    (void)state;
    /* columns first, big-endian, two bytes: all at once */
    for (int version = 1; version <= 3; version++) {
        size_t n =
            file(bytes, version, "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n", big, 12);
        assert_int_equal(onn_npy_decode(bytes, n, &t), OCLNN_OK);
        assert_int_equal(oclnn_tensor_dtype(t), OCLNN_I32);
        assert_memory_equal(oclnn_tensor_data(t), rows, sizeof rows);
        oclnn_tensor_destroy(&t);
    }
    size_t n = file(bytes, 1, "{'shape': (2L,), 'descr': '<u4', 'fortran_order': False}",
        "\xff\xff\xff\xff\1\0\0\0", 8);
    assert_int_equal(onn_npy_decode(bytes, n, &t), OCLNN_OK);
    assert_int_equal(((int64_t *)oclnn_tensor_data(t))[0], 0xffffffff);
    oclnn_tensor_destroy(&t);
    n = file(bytes, 1, "{'shape': (1,), 'descr': '<u8', 'fortran_order': False}",
        "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    assert_int_equal(onn_npy_decode(bytes, n, &t), OCLNN_ERROR_FORMAT);
}

static void hostile_headers(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
        "{'descr': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'fortran_order': False, 'shape': (2,)}",
    };
    char bytes[512];
    oclnn_tensor *t = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t n = file(bytes, 1, bad[i], "12345678", 8);
        assert_int_not_equal(onn_npy_decode(bytes, n, &t), OCLNN_OK);
        assert_null(t);
    }
    size_t n = file(bytes, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", "12345678", 8);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_not_equal(onn_npy_decode(bytes, cut, &t), OCLNN_OK);
    assert_int_equal(onn_npy_decode(bytes, n, &t), OCLNN_OK);
    oclnn_tensor_destroy(&t);
    bytes[6] = 9;
    assert_int_equal(onn_npy_decode(bytes, n, &t), OCLNN_ERROR_UNSUPPORTED);
}

static size_t slurp(const char *path, char **out)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *out = malloc(1 << 16);
    size_t n = fread(*out, 1, 1 << 16, f);
    fclose(f);
    return n;
}

static void archive(void **state)
{
    const char *names[KEPT] = {"a", "b", "weights/c", "/d/Conv_output_0", "e", "f", "g", "h"};
    oclnn_tensor *t[KEPT], *back = NULL;
    oclnn_npz *npz = NULL;
    char *one, *two;
    (void)state;
    for (int i = 0; i < KEPT; i++)
        t[i] = make(kept[i], OCLNN_SHAPE(3, i + 1));
    assert_int_equal(oclnn_npz_save(temp_path("a.npz"), KEPT, names, (const oclnn_tensor *const *)t),
        OCLNN_OK);
    assert_int_equal(oclnn_npz_save(temp_path("b.npz"), KEPT, names, (const oclnn_tensor *const *)t),
        OCLNN_OK);
    size_t n = slurp(temp_path("a.npz"), &one);
    assert_int_equal(slurp(temp_path("b.npz"), &two), n);
    assert_memory_equal(one, two, n);
    assert_int_equal(oclnn_npz_open(temp_path("a.npz"), &npz), OCLNN_OK);
    assert_int_equal(oclnn_npz_count(npz), KEPT);
    for (int i = 0; i < KEPT; i++) {
        assert_string_equal(oclnn_npz_name(npz, i), names[i]);
        assert_int_equal(oclnn_npz_find(npz, names[i]), i);
        assert_int_equal(oclnn_npz_get(npz, i, &back), OCLNN_OK);
        assert_same(t[i], back);
        oclnn_tensor_destroy(&back);
        oclnn_tensor_destroy(&t[i]);
    }
    assert_int_equal(oclnn_npz_find(npz, "nothing"), -1);
    assert_null(oclnn_npz_name(npz, KEPT));
    assert_int_equal(oclnn_npz_get(npz, KEPT, &back), OCLNN_ERROR_ARGUMENT);
    oclnn_npz_destroy(&npz);
    /* any byte changed, any length cut: an error or an archive, never harm */
    for (size_t i = 0; i < n; i += 3) {
        memcpy(two, one, n);
        two[i] = (char)(two[i] ^ 0x55);
        temp_write("c.npz", two, i % 2 ? n : i);
        if (oclnn_npz_open(temp_path("c.npz"), &npz) == OCLNN_OK)
            for (int k = 0; k < oclnn_npz_count(npz); k++) {
                oclnn_npz_get(npz, k, &back);
                oclnn_tensor_destroy(&back);
            }
        oclnn_npz_destroy(&npz);
    }
    free(one);
    free(two);
    assert_int_equal(oclnn_npz_open(temp_path("none.npz"), &npz), OCLNN_ERROR_NOT_FOUND);
    assert_int_equal(oclnn_npz_save(temp_path("d.npz"), 1, (const char *[]){""},
                         (const oclnn_tensor *const[]){NULL}),
        OCLNN_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(other_layouts),
        cmocka_unit_test(hostile_headers),
        cmocka_unit_test(archive),
    };
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
