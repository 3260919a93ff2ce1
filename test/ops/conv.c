/* Conv: shapes. */
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
    check("conv x=1x64x56x56 w=64x64x3x3 pad=1", "f32[1,64,56,56]");
    check("conv x=2x3x224x224 w=64x3x7x7 b=64 pad=3 stride=2", "f32[2,64,112,112]");
    check("conv x=1x32x15 w=8x16x4 group=2 dilation=2", "f32[1,8,9]");
    check("conv x=1x2x5x6x7 w=4x2x3x3x3", "f32[1,4,3,4,5]");
    check("conv x=1x3x15x15 w=8x3x4x4 auto_pad=SAME_UPPER stride=2", "f32[1,8,8,8]");
    check("conv x=1x3x15x15 w=8x3x4x4 auto_pad=VALID stride=2", "f32[1,8,6,6]");
    check("conv x=?x3x?x15 w=8x3x3x3 pad=1", "f32[?,8,?,15]");
    check("conv x=1x64x8x8 w=64x64x3x3 group=3", "!group=3 does not divide 64 input channels");
    check("conv x=1x64x8x8 w=64x32x3x3", "!w has 32 input channels per group");
    check("conv x=1x4x2x8 w=4x4x3x3", "!larger than the padded input of 2 along the height");
    check("conv x=1x4x8x8 w=4x4x3x3 b=5", "!bias has 5 elements for 4 output channels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(infers_shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
