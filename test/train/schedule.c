/* Learning rates against their formulas. */
#include "train/trainer.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void rate_is(struct oclnn_schedule s, double e, double want)
{
    assert_int_equal(onn_schedule_check(&s), OCLNN_OK);
    const double got = (double)onn_schedule_rate(&s, 0.4f, e, 20, 0.25f);
    if (fabs(got - want) > 1e-6)
        fail_msg("kind %d after %g epochs: %g, should be %g", (int)s.kind, e, got, want);
}

static void kinds(void **state)
{
    const double pi = acos(-1.0);
    (void)state;
    rate_is((struct oclnn_schedule){0}, 7.5, 0.4);
    rate_is((struct oclnn_schedule){.kind = OCLNN_STEP, .size = 3, .gamma = 0.5f}, 5.9, 0.2);
    rate_is((struct oclnn_schedule){.kind = OCLNN_STEP, .size = 3, .gamma = 0.5f}, 6, 0.1);
    rate_is((struct oclnn_schedule){.kind = OCLNN_STEP}, 10, 0.04);
    rate_is((struct oclnn_schedule){.kind = OCLNN_MULTI_STEP, .milestones = {4, 9}}, 3.9, 0.4);
    rate_is((struct oclnn_schedule){.kind = OCLNN_MULTI_STEP, .milestones = {4, 9}}, 4, 0.04);
    rate_is((struct oclnn_schedule){.kind = OCLNN_MULTI_STEP, .milestones = {4, 9}}, 12, 0.004);
    rate_is((struct oclnn_schedule){.kind = OCLNN_EXPONENTIAL, .gamma = 0.5f}, 2.5, 0.1);
    rate_is((struct oclnn_schedule){.kind = OCLNN_POLYNOMIAL, .power = 2}, 10, 0.1);
    rate_is((struct oclnn_schedule){.kind = OCLNN_COSINE}, 10, 0.2);
    rate_is((struct oclnn_schedule){.kind = OCLNN_COSINE, .end = 0.1f}, 5, 0.1 + 0.3 * (1 + cos(pi / 4)) / 2);
    rate_is((struct oclnn_schedule){.kind = OCLNN_COSINE, .period = 4}, 9, 0.4 * (1 + cos(pi / 4)) / 2);
    rate_is((struct oclnn_schedule){.kind = OCLNN_ONE_CYCLE}, 0, 0.016);
    rate_is((struct oclnn_schedule){.kind = OCLNN_ONE_CYCLE}, 6, 0.4);
    rate_is((struct oclnn_schedule){.kind = OCLNN_ONE_CYCLE}, 20, 0.4 / 250000);
    rate_is((struct oclnn_schedule){.kind = OCLNN_PLATEAU}, 3, 0.1);
    rate_is((struct oclnn_schedule){.warmup = 2}, 0.5, 0.1);
}

static void mistakes(void **state)
{
    struct oclnn_schedule unknown = {.kind = (enum oclnn_schedule_kind)99}, size = {.size = -1};
    struct oclnn_schedule order = {.kind = OCLNN_MULTI_STEP, .milestones = {9, 4}};
    (void)state;
    assert_int_equal(onn_schedule_check(&unknown), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(onn_schedule_check(&size), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(onn_schedule_check(&order), OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(NULL), "9, 4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kinds), cmocka_unit_test(mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
