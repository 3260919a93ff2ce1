/* How many cores a control group's limits leave. */
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void quota(void **state)
{
    (void)state;
    assert_int_equal(onn_thread_quota("200000 100000\n", NULL), 2);
    assert_int_equal(onn_thread_quota("150000 100000\n", NULL), 2); /* a core and a half keeps two busy */
    assert_int_equal(onn_thread_quota("1000 100000\n", NULL), 1);
    assert_int_equal(onn_thread_quota("max 100000\n", NULL), INT32_MAX);
    assert_int_equal(onn_thread_quota("-1\n", "100000\n"), INT32_MAX);
    assert_int_equal(onn_thread_quota("400000\n", "100000\n"), 4);
    assert_int_equal(onn_thread_quota("400000\n", "0\n"), INT32_MAX);
    assert_int_equal(onn_thread_quota("", NULL), INT32_MAX);
    assert_int_equal(onn_thread_quota("400000", NULL), INT32_MAX);
}

static void cores(void **state)
{
    (void)state;
    assert_true(onn_thread_cores() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quota),
        cmocka_unit_test(cores),
    };
    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
