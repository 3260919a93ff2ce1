/* Images: PNG and JPEG decode, resizing and cropping, numbers, saving. */
#include "io/image.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <turbojpeg.h>

#include "temp.h"

#include <cmocka.h>

#define W 37
#define H 23

static oclnn_tensor *picture(void)
{
    oclnn_tensor *t = NULL;
    assert_int_equal(oclnn_tensor_create(OCLNN_U8, OCLNN_SHAPE(1, 3, H, W), NULL, &t), OCLNN_OK);
    unsigned char *p = oclnn_tensor_data(t);
    for (int i = 0; i < 3 * H * W; i++)
        p[i] = (unsigned char)(i * 7 + i / W * 11);
    return t;
}

static void png_round_trip(void **state)
{
    oclnn_tensor *t = picture(), *back = NULL;
    (void)state;
    const unsigned char *p = oclnn_tensor_data(t);
    assert_int_equal(oclnn_image_save(temp_path("a.png"), t, NULL), OCLNN_OK);
    assert_int_equal(oclnn_image_load(temp_path("a.png"), &(struct oclnn_image_params){.u8 = 1}, &back),
        OCLNN_OK);
    assert_memory_equal(oclnn_tensor_data(back), p, 3 * H * W);
    oclnn_tensor_destroy(&back);

    struct oclnn_image_params n = {.scale = 1 / 255.f,
        .mean = {0.1f, 0.2f, 0.3f},
        .deviation = {0.5f, 0.6f, 0.7f},
        .bgr = 1,
        .nhwc = 1};
    assert_int_equal(oclnn_image_load(temp_path("a.png"), &n, &back), OCLNN_OK);
    struct oclnn_shape s = oclnn_tensor_shape(back);
    assert_int_equal(s.dim[1], H);
    assert_int_equal(s.dim[3], 3);
    const float *f = oclnn_tensor_data(back);
    for (int i = 0; i < H * W; i++)
        for (int c = 0; c < 3; c++)
            assert_float_equal(f[3 * i + c], (p[(2 - c) * H * W + i] / 255.f - n.mean[c]) / n.deviation[c],
                1e-6);
    /* and back to the same pixels */
    oclnn_tensor *again = NULL;
    assert_int_equal(oclnn_image_save(temp_path("b.png"), back, &n), OCLNN_OK);
    assert_int_equal(oclnn_image_load(temp_path("b.png"), &(struct oclnn_image_params){.u8 = 1}, &again),
        OCLNN_OK);
    assert_memory_equal(oclnn_tensor_data(again), p, 3 * H * W);
    oclnn_tensor_destroy(&again);
    oclnn_tensor_destroy(&back);

    assert_int_equal(oclnn_image_load(temp_path("a.png"), &(struct oclnn_image_params){.grey = 1}, &back),
        OCLNN_OK);
    assert_int_equal(oclnn_tensor_shape(back).dim[1], 1);
    float want = 0.299f * p[5] + 0.587f * p[H * W + 5] + 0.114f * p[2 * H * W + 5];
    assert_float_equal(((float *)oclnn_tensor_data(back))[5], want, 0.51);
    oclnn_tensor_destroy(&back);
    oclnn_tensor_destroy(&t);
}

static void jpeg_decode(void **state)
{
    unsigned char pixels[W * H * 3], *bytes = NULL;
    unsigned long size = 0;
    struct onn_image image;
    (void)state;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W * 3; x++)
            pixels[y * W * 3 + x] = (unsigned char)(x + 4 * y);
    tjhandle tj = tjInitCompress();
    assert_int_equal(tjCompress2(tj, pixels, W, 0, H, TJPF_RGB, &bytes, &size, TJSAMP_444, 98, 0), 0);
    tjDestroy(tj);
    assert_int_equal(onn_image_decode(bytes, size, &image), OCLNN_OK);
    for (int i = 0; i < W * H * 3; i++)
        assert_in_range(image.pixel[i] + 8 - pixels[i], 0, 16);
    onn_image_finish(&image);
    for (unsigned long cut = 0; cut < size - 2; cut += 5) {
        assert_int_not_equal(onn_image_decode(bytes, cut, &image), OCLNN_OK);
        assert_null(image.pixel);
    }
    for (unsigned long i = 2; i < size; i++) { /* damage: any result, no harm */
        bytes[i] ^= 0x41;
        onn_image_decode(bytes, size, &image);
        onn_image_finish(&image);
        bytes[i] ^= 0x41;
    }
    tjFree(bytes);
}

static void png_damage(void **state)
{
    oclnn_tensor *t = picture();
    static unsigned char bytes[1 << 16];
    struct onn_image image;
    (void)state;
    assert_int_equal(oclnn_image_save(temp_path("c.png"), t, NULL), OCLNN_OK);
    oclnn_tensor_destroy(&t);
    FILE *f = fopen(temp_path("c.png"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    for (size_t cut = 0; cut < n - 12; cut += 7)
        assert_int_not_equal(onn_image_decode(bytes, cut, &image), OCLNN_OK);
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 0x21;
        onn_image_decode(bytes, n, &image);
        onn_image_finish(&image);
        bytes[i] ^= 0x21;
    }
    /* 60000 x 60000 pixels in a small file */
    static const unsigned char wide[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R',
        0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 2, 0, 0, 0, 0x50, 0x3c, 0x4f, 0x5d};
    assert_int_not_equal(onn_image_decode(wide, sizeof wide, &image), OCLNN_OK);
    assert_int_equal(onn_image_decode("GIF89a..", 8, &image), OCLNN_ERROR_FORMAT);
}

static void resize(void **state)
{
    struct onn_image in, out;
    (void)state;
    assert_int_equal(onn_image_alloc(W, H, 3, &in), OCLNN_OK);
    memset(in.pixel, 77, W * H * 3); /* one colour stays one colour, at any size */
    for (int w = 1; w < 90; w += 11)
        for (int h = 1; h < 90; h += 13) {
            assert_int_equal(onn_image_resize(&in, w, h, &out), OCLNN_OK);
            for (int i = 0; i < w * h * 3; i++)
                assert_int_equal(out.pixel[i], 77);
            onn_image_finish(&out);
        }
    /* halving: the triangle over four pixels, 1 3 3 1 of 8 */
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W * 3; x++)
            in.pixel[y * W * 3 + x] = (unsigned char)(x / 3 * 5);
    in.width = W;
    assert_int_equal(onn_image_crop(&in, 36, H, &out), OCLNN_OK);
    onn_image_finish(&in);
    assert_int_equal(onn_image_resize(&out, 18, H, &in), OCLNN_OK);
    for (int x = 1; x < 17; x++) {
        const unsigned char *p = out.pixel + 3 * (2 * x - 1);
        assert_int_equal(in.pixel[3 * x], (p[0] + 3 * p[3] + 3 * p[6] + p[9] + 4) / 8);
    }
    onn_image_finish(&in);
    onn_image_finish(&out);
}

static void fitting(void **state)
{
    oclnn_tensor *t = picture(), *back = NULL;
    (void)state;
    assert_int_equal(oclnn_image_save(temp_path("d.png"), t, NULL), OCLNN_OK);
    oclnn_tensor_destroy(&t);
    struct oclnn_image_params p = {.short_side = 46, .crop_width = 40, .crop_height = 30};
    assert_int_equal(oclnn_image_load(temp_path("d.png"), &p, &back), OCLNN_OK);
    assert_int_equal(oclnn_tensor_shape(back).dim[2], 30);
    assert_int_equal(oclnn_tensor_shape(back).dim[3], 40);
    oclnn_tensor_destroy(&back);
    const struct oclnn_image_params wrong[] = {{.short_side = -1}, {.width = 5}, {.crop_height = 5},
        {.crop_width = 99, .crop_height = 5}, {.u8 = 1, .scale = 2},
        {.short_side = 5, .width = 5, .height = 5}, {.short_side = 2000000000}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(oclnn_image_load(temp_path("d.png"), &wrong[i], &back), OCLNN_ERROR_ARGUMENT);
        assert_null(back);
    }
    assert_int_equal(oclnn_image_load(temp_path("none.png"), NULL, &back), OCLNN_ERROR_NOT_FOUND);
    assert_int_equal(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(2, 3, 4, 4), NULL, &t), OCLNN_OK);
    assert_int_equal(oclnn_image_save(temp_path("e.png"), t, NULL), OCLNN_ERROR_SHAPE);
    oclnn_tensor_destroy(&t);
    assert_int_equal(oclnn_tensor_create(OCLNN_I64, OCLNN_SHAPE(3, 4, 4), NULL, &t), OCLNN_OK);
    assert_int_equal(oclnn_image_save(temp_path("e.png"), t, NULL), OCLNN_ERROR_DTYPE);
    oclnn_tensor_destroy(&t);
}

/* The middle of a resized image is the same as resizing all of it and cutting, at any size and with any channels. */
static void resize_centre(void **state)
{
    static const int sizes[][4] = {{60, 40, 20, 40}, {20, 25, 20, 20}, {71, 51, 1, 1}, {36, 90, 30, 31},
        {7, 9, 7, 5}, {140, 100, 33, 99}};
    (void)state;
    for (int channels = 1; channels <= 4; channels++) {
        struct onn_image in, all, want, got;
        assert_int_equal(onn_image_alloc(71, 51, channels, &in), OCLNN_OK);
        for (int i = 0; i < 71 * 51 * channels; i++)
            in.pixel[i] = (unsigned char)(i * 2654435761u >> 13);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            const int *s = sizes[k];
            assert_int_equal(onn_image_resize(&in, s[0], s[1], &all), OCLNN_OK);
            assert_int_equal(onn_image_crop(&all, s[2], s[3], &want), OCLNN_OK);
            assert_int_equal(onn_image_resize_centre(&in, s[0], s[1], s[2], s[3], &got), OCLNN_OK);
            assert_true(got.width == s[2] && got.height == s[3] && got.channels == channels);
            assert_memory_equal(got.pixel, want.pixel, (size_t)(s[2] * s[3] * channels));
            onn_image_finish(&all);
            onn_image_finish(&want);
            onn_image_finish(&got);
        }
        assert_int_equal(onn_image_resize_centre(&in, 20, 20, 21, 5, &got), OCLNN_ERROR_ARGUMENT);
        onn_image_finish(&in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_round_trip),
        cmocka_unit_test(jpeg_decode),
        cmocka_unit_test(png_damage),
        cmocka_unit_test(resize),
        cmocka_unit_test(resize_centre),
        cmocka_unit_test(fitting),
    };
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
