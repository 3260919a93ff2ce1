/* Public tensors, blobs on the host, conversions. */
#include "tensor/blob.h"
#include "tensor/tensor.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void creates_tensors(void **state)
{
    (void)state;
    oclnn_tensor *t;
    const float data[6] = {1, 2, 3, 4, 5, 6};
    assert_int_equal(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(2, 3), data, &t), OCLNN_OK);
    assert_int_equal(oclnn_tensor_bytes(t), 24);
    assert_int_equal(oclnn_tensor_dtype(t), OCLNN_F32);
    assert_int_equal(oclnn_tensor_shape(t).rank, 2);
    assert_int_equal(oclnn_tensor_shape(t).dim[1], 3);
    assert_memory_equal(oclnn_tensor_data(t), data, sizeof data);
    oclnn_tensor_destroy(&t);
    assert_null(t);
    oclnn_tensor_destroy(&t);
    oclnn_tensor_destroy(NULL);
    assert_int_equal(oclnn_tensor_create(OCLNN_U8, (struct oclnn_shape){0}, NULL, &t),
        OCLNN_OK); /* a scalar */
    assert_int_equal(oclnn_tensor_bytes(t), 1);
    assert_int_equal(*(unsigned char *)oclnn_tensor_data(t), 0);
    oclnn_tensor_destroy(&t);
    assert_int_equal(oclnn_tensor_create(OCLNN_I64, OCLNN_SHAPE(0, 3), NULL, &t), OCLNN_OK);
    assert_int_equal(oclnn_tensor_bytes(t), 0);
    oclnn_tensor_destroy(&t);
}

static void refuses_bad_tensors(void **state)
{
    (void)state;
    oclnn_tensor *t = (void *)1;
    assert_int_equal(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(-1, 3), NULL, &t), OCLNN_ERROR_ARGUMENT);
    assert_null(t);
    assert_int_equal(oclnn_tensor_create(OCLNN_NONE, OCLNN_SHAPE(1), NULL, &t), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_tensor_create((enum oclnn_dtype)99, OCLNN_SHAPE(1), NULL, &t),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(INT64_MAX, 2), NULL, &t),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(INT64_MAX / 2), NULL, &t),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_tensor_create(OCLNN_F32, (struct oclnn_shape){.rank = 9}, NULL, &t),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(1), NULL, NULL), OCLNN_ERROR_ARGUMENT);
}

static void dtype_table(void **state)
{
    (void)state;
    assert_string_equal(oclnn_dtype_name(OCLNN_BF16), "bf16");
    assert_string_equal(oclnn_dtype_name((enum oclnn_dtype)77), "none");
    assert_int_equal(oclnn_dtype_size(OCLNN_I64), 8);
    assert_int_equal(onn_dtype_from_onnx(10), OCLNN_F16);
    assert_int_equal(onn_dtype_from_onnx(8), OCLNN_NONE); /* strings */
    assert_int_equal(onn_dtype_to_onnx(OCLNN_BOOL), 9);
    assert_int_equal(onn_dtype_from_name("f32:nhwc", 3), OCLNN_F32);
    assert_int_equal(onn_dtype_from_name("none", 4), OCLNN_NONE);
}

static void conversions(void **state)
{
    (void)state;
    const float from[] = {1.9f, -1.9f, 300, -300, NAN, INFINITY, 1e30f, -1e30f};
    int8_t i8[8];
    int64_t i64[8];
    unsigned char b[8];
    onn_convert(OCLNN_F32, from, OCLNN_I8, i8, 8);
    assert_memory_equal(i8, ((int8_t[]){1, -1, 127, -128, 0, 127, 127, -128}), 8);
    onn_convert(OCLNN_F32, from, OCLNN_I64, i64, 8);
    assert_true(i64[5] == INT64_MAX && i64[7] == INT64_MIN && i64[4] == 0 && i64[1] == -1);
    onn_convert(OCLNN_F32, from, OCLNN_BOOL, b, 8);
    assert_memory_equal(b, ((unsigned char[]){1, 1, 1, 1, 1, 1, 1, 1}), 8);
    const int64_t wide[] = {INT64_C(0x1234567890), -1, INT64_MAX};
    int32_t i32[3];
    double f64[3];
    onn_convert(OCLNN_I64, wide, OCLNN_I32, i32, 3);
    assert_true(i32[0] == 0x34567890 && i32[1] == -1 && i32[2] == -1);
    onn_convert(OCLNN_I64, wide, OCLNN_F64, f64, 3);
    assert_true(f64[0] == 78187493520.0 && f64[1] == -1);
    uint16_t half[8];
    float back[8];
    onn_convert(OCLNN_F32, from, OCLNN_F16, half, 8);
    onn_convert(OCLNN_F16, half, OCLNN_F32, back, 8);
    assert_true(back[2] == 300 && isnan(back[4]) && isinf(back[5]) && isinf(back[6]));
    onn_convert(OCLNN_F32, from, OCLNN_F32, back, 8);
    assert_memory_equal(from, back, sizeof back);
}

static void blobs(void **state)
{
    (void)state;
    struct onn_desc d = onn_desc_make(OCLNN_I32, 1, (int64_t[]){3});
    struct onn_blob *a, *b, *c;
    assert_int_equal(onn_blob_create(&d, (int32_t[]){7, 8, 9}, &a), OCLNN_OK);
    assert_int_equal(onn_blob_create(&d, NULL, &b), OCLNN_OK);
    assert_true(a->id != b->id && a->id != 0);
    assert_int_equal(onn_blob_get_i64(a, 2), 9);
    assert_int_equal(onn_blob_get_i64(b, 2), 0);
    uint64_t version = a->version;
    onn_blob_set_f64(a, 0, -2.5);
    assert_int_equal(onn_blob_get_i64(a, 0), -2);
    assert_true(a->version > version);
    c = onn_blob_ref(a);
    onn_blob_unref(&a);
    assert_null(a);
    assert_int_equal(onn_blob_get_i64(c, 1), 8);
    onn_blob_unref(&c);
    onn_blob_unref(&c);
    onn_blob_unref(&b);
    d.dim[0] = -1;
    assert_int_equal(onn_blob_create(&d, NULL, &a), OCLNN_ERROR_ARGUMENT);
    assert_null(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_tensors),
        cmocka_unit_test(refuses_bad_tensors),
        cmocka_unit_test(dtype_table),
        cmocka_unit_test(conversions),
        cmocka_unit_test(blobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
