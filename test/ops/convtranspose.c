/* ConvTranspose: shapes. */
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
    check("convtranspose x=1x8x4x4 w=8x3x2x2 stride=2", "f32[1,3,8,8]");
    check("convtranspose x=1x8x4x4 w=8x3x4x4 stride=2 pad=1", "f32[1,3,8,8]");
    check("convtranspose x=1x8x4x4 w=8x3x3x3 stride=2 pad=1 output_padding=1,1", "f32[1,3,8,8]");
    check("convtranspose x=1x8x4 w=8x2x3 group=4 stride=3", "f32[1,8,12]");
    check("convtranspose x=1x1x3x3 w=1x2x3x3 stride=3,2 output_shape=10,8", "f32[1,2,10,8]");
    check("convtranspose x=1x1x3x3 w=1x1x3x3 stride=2 auto_pad=SAME_UPPER", "f32[1,1,6,6]");
    check("convtranspose x=1x6x3x3 w=5x1x3x3", "!w has 5 input channels, x 6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(infers_shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
