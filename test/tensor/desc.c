/* Formats, strides, extents, broadcasting. */
#include "tensor/desc.h"
#include "tensor/host_format.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct onn_desc f32(int rank, const int64_t *dim)
{
    return onn_desc_make(OCLNN_F32, rank, dim);
}

static void plain_strides(void **state)
{
    (void)state;
    struct onn_desc d = f32(4, (int64_t[]){2, 3, 4, 5});
    assert_int_equal(d.stride[0], 60);
    assert_int_equal(d.stride[3], 1);
    assert_int_equal(onn_desc_elements(&d), 120);
    assert_int_equal(onn_desc_extent(&d), 120);
    assert_int_equal(onn_desc_bytes(&d), 480);
    assert_int_equal(onn_desc_at(&d, (int64_t[]){1, 2, 3, 4}), 119);
    assert_true(onn_desc_is_packed(&d));
    d.offset = 3;
    assert_int_equal(onn_desc_extent(&d), 123);
    assert_false(onn_desc_is_packed(&d));
}

static void blocked_strides(void **state)
{
    (void)state;
    struct onn_desc d = f32(4, (int64_t[]){2, 11, 4, 5});
    onn_desc_set_format(&d, onn_format_blocked(1, 8)); /* 2 blocks of channels */
    assert_int_equal(d.stride[3], 8);
    assert_int_equal(d.stride[2], 40);
    assert_int_equal(d.stride[1], 160);
    assert_int_equal(d.stride[0], 320);
    assert_int_equal(onn_desc_extent(&d), 640);
    assert_int_equal(onn_desc_unpadded_bytes(&d), 2 * 11 * 20 * 4);
    assert_int_equal(onn_desc_at(&d, (int64_t[]){1, 10, 0, 1}), 320 + 160 + 8 + 2);
}

static void channels_last(void **state)
{
    (void)state;
    struct onn_desc d = f32(4, (int64_t[]){2, 3, 4, 5});
    onn_desc_set_format(&d, onn_format_nhwc(4));
    assert_int_equal(d.stride[1], 1);
    assert_int_equal(d.stride[3], 3);
    assert_int_equal(d.stride[2], 15);
    assert_int_equal(d.stride[0], 60);
    struct onn_format same = {.permuted = 1, .order = {0, 2, 3, 1}}, plain = onn_format_nhwc(2);
    assert_true(onn_format_equal(&d.format, &same));
    assert_true(onn_format_is_plain(&plain));
    struct onn_format identity = {.permuted = 1, .order = {0, 1, 2, 3}};
    assert_true(onn_format_is_plain(&identity));
}

static void pixels_at_one_distance(void **state)
{
    (void)state;
    int64_t s[3];
    struct onn_desc d = f32(4, (int64_t[]){2, 11, 4, 5}), row = f32(1, (int64_t[]){7}), none = f32(0, NULL);
    onn_desc_set_format(&d, onn_format_blocked(1, 8));
    assert_true(onn_desc_pixel_strides(&d, s));
    assert_true(s[0] == 320 && s[1] == 160 && s[2] == 8);
    d.stride[2] = 48; /* a view of wider rows */
    assert_false(onn_desc_pixel_strides(&d, s));
    d.dim[2] = 1; /* of one row only */
    assert_true(onn_desc_pixel_strides(&d, s));
    assert_int_equal(s[2], 8);
    assert_true(onn_desc_pixel_strides(&row, s));
    assert_true(s[0] == 0 && s[1] == 1 && s[2] == 0);
    assert_true(onn_desc_pixel_strides(&none, s));
    assert_true(s[0] == 0 && s[1] == 0 && s[2] == 0);
}

static void names_parse_back(void **state)
{
    (void)state;
    struct onn_format all[] = {onn_format_plain(), onn_format_nhwc(3), onn_format_nhwc(4), onn_format_nhwc(5),
        onn_format_blocked(1, 16), onn_format_blocked(0, 8), onn_format_pack(3, 8, 2, 0),
        {.permuted = 1, .order = {1, 0, 2}, .axis = 2, .block = 4}};
    const int rank[] = {4, 3, 4, 5, 4, 4, 4, 3};
    const char *names[] = {"plain", "nhwc", "nhwc", "nhwc", "c16", "dim0x8", "pack3(8,2,0,0)",
        "order10+dim2x4"};
    for (int i = 0; i < 8; i++) {
        char text[48];
        struct onn_format back;
        assert_string_equal(onn_format_name(&all[i], text), names[i]);
        assert_true(onn_format_parse(text, rank[i], &back));
        assert_true(onn_format_equal(&all[i], &back));
    }
    const char *bad[] = {"", "c", "c8x", "c1", "order", "order00", "order12", "dim4x8", "nhwcc8",
        "pack0(0,0,0,0)"};
    for (int i = 0; i < 10; i++) {
        struct onn_format f;
        assert_false(onn_format_parse(bad[i], 4, &f));
    }
}

static void sizes_are_checked(void **state)
{
    (void)state;
    struct onn_desc d = f32(2, (int64_t[]){INT64_MAX / 2, 3});
    assert_int_equal(onn_desc_elements(&d), -1);
    assert_int_equal(onn_desc_extent(&d), -1);
    assert_int_equal(onn_desc_bytes(&d), 0);
    d = f32(2, (int64_t[]){-1, 3});
    assert_false(onn_desc_is_known(&d));
    assert_int_equal(onn_desc_elements(&d), -1);
    d = f32(3, (int64_t[]){INT64_MAX, 0, 3});
    assert_int_equal(onn_desc_elements(&d), 0);
    assert_int_equal(onn_desc_extent(&d), 0);
    d = f32(2, (int64_t[]){INT64_MAX - 5, 1});
    onn_desc_set_format(&d, onn_format_blocked(1, 255));
    assert_int_equal(onn_desc_extent(&d), -1);
}

static void texts(void **state)
{
    (void)state;
    char text[160];
    struct onn_desc d = f32(4, (int64_t[]){1, 3, 224, -1});
    assert_string_equal(onn_desc_text(&d, text), "f32[1,3,224,-1]");
    d = f32(3, (int64_t[]){1, 3, 8});
    onn_desc_set_format(&d, onn_format_blocked(1, 8));
    assert_string_equal(onn_desc_text(&d, text), "f32[1,3,8]:c8");
    d = f32(0, NULL);
    assert_string_equal(onn_desc_text(&d, text), "f32[]");
}

static void broadcasts(void **state)
{
    (void)state;
    int64_t out[ONN_MAX_RANK];
    assert_int_equal(onn_broadcast(3, (int64_t[]){2, 1, 4}, 2, (int64_t[]){3, 1}, out), 3);
    assert_int_equal(out[0], 2);
    assert_int_equal(out[1], 3);
    assert_int_equal(out[2], 4);
    assert_int_equal(onn_broadcast(1, (int64_t[]){2}, 1, (int64_t[]){3}, out), -1);
    assert_int_equal(onn_broadcast(1, (int64_t[]){-1}, 1, (int64_t[]){3}, out), 1);
    assert_int_equal(out[0], 3);
    assert_int_equal(onn_broadcast(1, (int64_t[]){0}, 1, (int64_t[]){1}, out), 1);
    assert_int_equal(out[0], 0);
    assert_int_equal(onn_broadcast(1, (int64_t[]){-1}, 1, (int64_t[]){1}, out), 1);
    assert_int_equal(out[0], -1);
    int64_t own[ONN_MAX_RANK] = {3, 1}; /* the result may lie on an operand, whose rank grows */
    assert_int_equal(onn_broadcast(2, own, 4, (int64_t[]){2, 5, 1, 7}, own), 4);
    assert_memory_equal(own, ((int64_t[]){2, 5, 3, 7}), 4 * sizeof *own);
    int64_t other[ONN_MAX_RANK] = {6, 1, 4};
    assert_int_equal(onn_broadcast(4, (int64_t[]){2, 1, 9, 1}, 3, other, other), 4);
    assert_memory_equal(other, ((int64_t[]){2, 6, 9, 4}), 4 * sizeof *other);
    int axis;
    assert_true(onn_axis_resolve(-1, 3, &axis));
    assert_int_equal(axis, 2);
    assert_false(onn_axis_resolve(3, 3, &axis));
    assert_false(onn_axis_resolve(0, 0, &axis));
}

static void scatter_and_gather(void **state)
{
    (void)state;
    float plain[2 * 5 * 3], back[2 * 5 * 3], bytes[2 * 8 * 3 + 8];
    struct onn_desc d = f32(3, (int64_t[]){2, 5, 3});
    struct onn_format formats[] = {onn_format_plain(), onn_format_nhwc(3), onn_format_blocked(1, 4)};
    for (int i = 0; i < 30; i++)
        plain[i] = (float)i + 1;
    for (int f = 0; f < 3; f++) {
        unsigned char mask[56] = {0};
        onn_desc_set_format(&d, formats[f]);
        d.offset = 8;
        for (int i = 0; i < 56; i++)
            bytes[i] = -1;
        onn_host_scatter(&d, plain, bytes);
        onn_host_gather(&d, bytes, back);
        assert_memory_equal(plain, back, sizeof plain);
        onn_host_mask(&d, mask);
        for (int i = 0; i < 56; i++) {
            if (mask[i] != 1)
                assert_true(bytes[i] == (mask[i] == 2 ? 0.0f : -1.0f));
            else
                assert_true(bytes[i] > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_strides),
        cmocka_unit_test(blocked_strides),
        cmocka_unit_test(channels_last),
        cmocka_unit_test(pixels_at_one_distance),
        cmocka_unit_test(names_parse_back),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(texts),
        cmocka_unit_test(broadcasts),
        cmocka_unit_test(scatter_and_gather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
