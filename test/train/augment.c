/* What is drawn for an image: repeatable, with the distributions that were asked for; and the text form. */
#include "train/augment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct oclnn_augment everything = {1, 1, 4, 0.2f, 10, 0.2f, 0.2f, 0.1f, 0.3f, 0.4f, 8, 0.2f};

static void draw(const struct oclnn_augment *a, int64_t position, float *row)
{
    onn_augment_draw(a, &(struct onn_augment_at){42, 3, position, 3, 32, 48, position % 16, 16}, row);
}

static void same_arguments_same_bits(void **state)
{
    struct onn_augment_at at = {42, 3, 1000, 3, 32, 48, 8, 16};
    float a[ONN_AUGMENT_ROW], b[ONN_AUGMENT_ROW];
    (void)state;
    onn_augment_draw(&everything, &at, a);
    onn_augment_draw(&everything, &at, b);
    assert_memory_equal(a, b, sizeof a);
    struct onn_augment_at others[3] = {at, at, at};
    others[0].seed++;
    others[1].epoch++;
    others[2].position++;
    for (int i = 0; i < 3; i++) {
        onn_augment_draw(&everything, &others[i], b);
        assert_true(memcmp(a, b, sizeof a) != 0);
    }
    onn_augment_none(b);
    onn_augment_draw(&(struct oclnn_augment){0}, &at, a);
    a[ONN_AUGMENT_PARTNER] = 0; /* itself: the weight is 1 */
    assert_memory_equal(a, b, sizeof a);
}

/* Where output pixel (x, y) comes from. */
static void where(const float *row, double x, double y, double *to)
{
    to[0] = (double)row[0] * x + (double)row[1] * y + (double)row[2];
    to[1] = (double)row[3] * x + (double)row[4] * y + (double)row[5];
}

static void flips_and_crops_are_whole(void **state)
{
    const struct oclnn_augment a = {.flip = 1, .flip_vertical = 1, .crop = 4};
    int flips[2] = {0}, shifts[9] = {0};
    (void)state;
    for (int i = 0; i < 4000; i++) {
        float row[ONN_AUGMENT_ROW];
        draw(&a, i, row);
        assert_true(fabsf(row[0]) == 1 && row[1] == 0 && row[3] == 0 && fabsf(row[4]) == 1);
        assert_true(row[2] == floorf(row[2]) && row[5] == floorf(row[5]));
        flips[0] += row[0] < 0;
        flips[1] += row[4] < 0;
        float shift = row[2] - (row[0] < 0 ? 47.0f : 0.0f);
        assert_true(fabsf(shift) <= 4);
        shifts[(int)shift + 4]++;
        /* done twice, a flip is nothing (where there is no shift) */
        double once[2], twice[2];
        where(row, 5, 7, once);
        where(row, once[0], once[1], twice);
        assert_true(row[0] > 0 || twice[0] == 5 + 0 * (double)shift);
    }
    assert_in_range(flips[0], 1850, 2150);
    assert_in_range(flips[1], 1850, 2150);
    for (int i = 0; i < 9; i++)
        assert_in_range(shifts[i], 340, 550);
}

static void geometry(void **state)
{
    float row[ONN_AUGMENT_ROW];
    double least = 10, most = -10, to[2];
    (void)state;
    for (int i = 0; i < 2000; i++) { /* a rotation keeps the centre and lengths; angles fill their range */
        draw(&(struct oclnn_augment){.rotate = 30}, i, row);
        where(row, 23.5, 15.5, to);
        assert_true(fabs(to[0] - 23.5) < 1e-4 && fabs(to[1] - 15.5) < 1e-4);
        assert_true(fabs(hypot((double)row[0], (double)row[3]) - 1) < 1e-6);
        double angle = atan2((double)row[3], (double)row[0]) * 57.29577951308232;
        least = fmin(least, angle);
        most = fmax(most, angle);
    }
    assert_true(least >= -30.001 && least < -29.5 && most <= 30.001 && most > 29.5);
    for (int i = 0; i < 2000; i++) { /* a window inside of the image, the same part of both sides */
        draw(&(struct oclnn_augment){.resize = 0.25f}, i, row);
        assert_true(row[0] >= 0.7999f && row[0] <= 1 && row[0] == row[4] && row[1] == 0 && row[3] == 0);
        where(row, -0.5, -0.5, to); /* the corner of the first pixel */
        assert_true(to[0] > -0.5001 && to[1] > -0.5001);
        where(row, 47.5, 31.5, to);
        assert_true(to[0] < 47.5001 && to[1] < 31.5001);
    }
    for (int i = 0; i < 500; i++) {
        draw(&(struct oclnn_augment){.zoom = 0.2f}, i, row);
        assert_true(row[0] == row[4] && 1 / row[0] >= 0.7999f && 1 / row[0] <= 1.2001f);
        draw(&(struct oclnn_augment){.shear = 0.2f}, i, row);
        assert_true(row[0] == 1 && row[4] == 1 && row[3] == 0 && fabsf(row[1]) <= 0.2001f);
        draw(&(struct oclnn_augment){.cutout = 8}, i, row);
        const float *c = row + ONN_AUGMENT_CUTOUT;
        assert_true(
            c[2] - c[0] == 8 && c[3] - c[1] == 8 && c[0] >= -4 && c[2] <= 52 && c[1] >= -4 && c[3] <= 36);
    }
}

static void colours(void **state)
{
    float row[ONN_AUGMENT_ROW];
    const float *c = row + ONN_AUGMENT_COLOUR;
    double sum = 0;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        draw(&(struct oclnn_augment){.brightness = 0.2f}, i, row);
        assert_true(c[0] == 1 && c[1] == 0 && c[5] == 1 && c[3] == c[7] && fabsf(c[3]) <= 51.01f);
        sum += (double)c[3];
        draw(&(struct oclnn_augment){.contrast = 0.3f}, i, row); /* 128 stays */
        assert_true(fabsf(c[0] * 128 + c[3] - 128) < 1e-3f && fabsf(c[0] - 1) <= 0.3001f);
        draw(&(struct oclnn_augment){.saturation = 0.5f}, i, row); /* grey stays grey */
        for (int k = 0; k < 3; k++)
            assert_true(fabsf(c[4 * k] + c[4 * k + 1] + c[4 * k + 2] - 1) < 1e-5f && c[4 * k + 3] == 0);
    }
    assert_true(fabs(sum / 2000) < 5 * 51 / sqrt(3.0 * 2000));
}

static void mixup(void **state)
{
    static const float alphas[] = {0.001f, 0.2f, 1, 4};
    (void)state;
    for (int k = 0; k < 4; k++) {
        const struct oclnn_augment a = {.mixup = alphas[k]};
        double sum = 0, squares = 0;
        int partners[16] = {0};
        for (int i = 0; i < 8000; i++) {
            float row[ONN_AUGMENT_ROW], w = 0;
            draw(&a, 16 * i + i % 16, row); /* a weight belongs to a batch: one image of each */
            w = row[ONN_AUGMENT_WEIGHT];
            int partner = (int)row[ONN_AUGMENT_PARTNER];
            assert_true(w >= 0 && w <= 1 && partner >= 0 && partner < 16 && partner != i % 16);
            partners[partner]++;
            sum += (double)w;
            squares += (double)w * (double)w;
        }
        /* Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1)) */
        double mean = sum / 8000, variance = squares / 8000 - mean * mean,
               want = 0.25 / (2 * (double)alphas[k] + 1);
        assert_true(fabs(mean - 0.5) < 5 * sqrt(want / 8000));
        assert_true(fabs(variance / want - 1) < 0.06);
        for (int i = 0; i < 16; i++)
            assert_in_range(partners[i], 390, 610);
    }
    float row[ONN_AUGMENT_ROW];
    onn_augment_draw(&everything, &(struct onn_augment_at){1, 0, 5, 3, 8, 8, 0, 1},
        row); /* alone in its batch */
    assert_true(row[ONN_AUGMENT_WEIGHT] == 1 && row[ONN_AUGMENT_PARTNER] == 0);
}

static void text(void **state)
{
    static const char *const bad[] = {"flop", "crop", "crop:", "crop:x", "crop:1.5", "crop:-1", "zoom:1",
        "flip:2", "flip,", ",flip", "flip,,crop:4", "rotate:181", "rotate:1e1", "mixup:0.2.1", "mixup:.",
        "crop:99999999999", "flip crop:4", "Flip"};
    struct oclnn_augment a, before;
    (void)state;
    assert_int_equal(oclnn_augment_parse("flip,crop:4,rotate:10,shear:0.2,zoom:.25,mixup:0.5", &a), OCLNN_OK);
    assert_true(a.flip == 1 && a.crop == 4 && a.rotate == 10 && a.shear == 0.2f && a.zoom == 0.25f &&
        a.mixup == 0.5f);
    assert_true(a.cutout == 0 && a.flip_vertical == 0 && a.resize == 0);
    assert_int_equal(oclnn_augment_parse(
                         "flip-vertical,resize:0.2,brightness:0.1,contrast:0.3,saturation:0.4,cutout:8", &a),
        OCLNN_OK);
    assert_true(
        a.flip_vertical == 1 && a.flip == 0 && a.cutout == 8 && a.saturation == 0.4f && a.contrast == 0.3f);
    before = a;
    assert_int_equal(oclnn_augment_parse("flip_vertical", &a), OCLNN_OK); /* as the field is called */
    assert_true(a.flip_vertical == 1 && a.cutout == 0);
    a = before;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(oclnn_augment_parse(bad[i], &a), OCLNN_ERROR_ARGUMENT);
        assert_memory_equal(&a, &before, sizeof a);
    }
    assert_int_equal(oclnn_augment_parse("flip,crap:4", &a), OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(NULL), "'crap:4'"));
    assert_int_equal(oclnn_augment_parse("", &a), OCLNN_OK);
    const struct oclnn_augment none = {0};
    assert_memory_equal(&a, &none, sizeof a);
    assert_int_equal(oclnn_augment_parse(NULL, &a), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(onn_augment_check(&everything), OCLNN_OK);
    assert_int_equal(onn_augment_check(&(struct oclnn_augment){.shear = NAN}), OCLNN_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_arguments_same_bits),
        cmocka_unit_test(flips_and_crops_are_whole), cmocka_unit_test(geometry), cmocka_unit_test(colours),
        cmocka_unit_test(mixup), cmocka_unit_test(text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
