/* Gemm and MatMul: shapes. */
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
    check("gemm a=3x4 b=4x5", "f32[3,5]");
    check("gemm a=4x3 b=5x4 c=5 transA=1 transB=1", "f32[3,5]");
    check("gemm a=3x4 b=5x4", "!inner dimensions differ: a has 4, b has 5");
    check("gemm a=3x4 b=4x5 c=2x5", "!does not broadcast");
    check("matmul a=2x1x3x4 b=7x4x5", "f32[2,7,3,5]");
    check("matmul a=4 b=4", "f32[]");
    check("matmul a=4 b=2x4x5", "f32[2,5]");
    check("matmul a=2x3x4 b=4", "f32[2,3]");
    check("matmul a=2x3x4 b=3x4x5", "!do not broadcast");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(infers_shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
