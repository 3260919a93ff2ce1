/* LSTM, GRU, RNN: shapes. */
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
    check("lstm x=7x2x10 w=1x20x10 r=1x20x5 hidden_size=5", "f32[7,1,2,5]");
    check("lstm x=7x2x10 w=2x20x10 r=2x20x5 b=2x40 direction=bidirectional", "f32[7,2,2,5]");
    check("gru x=2x7x10 w=1x15x10 r=1x15x5 layout=1 outs=2", "f32[2,7,1,5]");
    check("rnn x=2x7x10 w=1x5x10 r=1x5x5 direction=reverse", "f32[2,1,7,5]");
    check("rnn x=2x7x10 w=1x5x10 r=1x5x5 direction=up", "!direction=up");
    check("lstm x=7x2x10 w=1x20x10 r=1x20x5 lens=2:i32", "!b is");
    check("lstm x=7x2x10 w=1x20x10 r=1x20x5 b=- lens=2:i32", "!sequence_lens is not supported");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(infers_shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
