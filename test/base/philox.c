/* Philox against the answers of its paper's implementation; the numbers made from it. */
#include "base/philox.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void known_answers(void **state) /* Random123, kat_vectors */
{
    uint32_t w[4];
    (void)state;
    onn_philox(0, 0, 0, w);
    assert_true(w[0] == 0x6627e8d5u && w[1] == 0xe169c58du && w[2] == 0xbc57ac4cu && w[3] == 0x9b00dbd8u);
    onn_philox(UINT64_MAX, UINT64_MAX, UINT64_MAX, w);
    assert_true(w[0] == 0x408f276du && w[1] == 0x41c83b0eu && w[2] == 0xa20bc7c6u && w[3] == 0x6d5451fdu);
}

static void below_is_uniform(void **state)
{
    static const uint64_t limits[] = {1, 2, 3, 10, 1000003, (uint64_t)1 << 40, UINT64_MAX};
    (void)state;
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        struct onn_random r = {.seed = 7, .stream = k};
        double sum = 0, n = (double)limits[k];
        for (int i = 0; i < 4000; i++) {
            uint64_t v = onn_random_below(&r, limits[k]);
            assert_true(v < limits[k]);
            sum += (double)v;
        }
        /* mean (n - 1) / 2, deviation of the mean n / sqrt(12 * 4000): five of them */
        assert_true(fabs(sum / 4000 - (n - 1) / 2) <= 5 * n / sqrt(12.0 * 4000));
    }
    struct onn_random r = {.seed = 1};
    int count[6] = {0};
    for (int i = 0; i < 6000; i++)
        count[onn_random_below(&r, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(count[i], 850, 1150);
}

static void unit_is_open(void **state)
{
    struct onn_random r = {.seed = 3}, again = {.seed = 3};
    double sum = 0;
    (void)state;
    for (int i = 0; i < 10000; i++) {
        double v = onn_random_unit(&r);
        assert_true(v > 0 && v < 1 && v == onn_random_unit(&again));
        sum += v;
    }
    assert_true(fabs(sum / 10000 - 0.5) < 0.015);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers), cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(unit_is_open)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
