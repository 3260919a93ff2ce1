/* MaxPool and AveragePool: shapes. */
#include "ops/problem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Infers the problem and compares the output, or the error's sentence (from '!'). */
static void check(const char *text, const char *want)
{
    struct onn_problem p;
    char got[160];

    assert_int_equal(onn_problem_parse(text, &p), OCLNN_OK);
    if (onn_problem_infer(&p) != OCLNN_OK) {
        if (*want != '!' || !strstr(oclnn_error_text(NULL), want + 1))
            fail_msg("%s: got \"%s\", want \"%s\"", text, oclnn_error_text(NULL), want);
    } else if (strcmp(onn_desc_text(&p.prob.out[0], got), want) != 0) {
        fail_msg("%s: got %s, want %s", text, got, want);
    }
    onn_problem_finish(&p);
}

static void infers_shapes(void **state)
{
    (void)state;
    check("maxpool x=1x64x112x112 kernel_shape=3 stride=2 pad=1", "f32[1,64,56,56]");
    check("maxpool x=1x64x113x113 kernel_shape=3 stride=2 ceil_mode=1", "f32[1,64,56,56]");
    check("maxpool x=1x64x112x112 kernel_shape=3 stride=2 ceil_mode=1", "f32[1,64,56,56]");
    check("averagepool x=1x2x5x5x5 kernel_shape=2 auto_pad=SAME_LOWER", "f32[1,2,5,5,5]");
    check("averagepool x=1x2x9 kernel_shape=3", "f32[1,2,7]");
    check("averagepool x=1x2x9x9", "!kernel_shape is missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(infers_shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
