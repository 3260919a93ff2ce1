#include "harness/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

void onn_check_infer(const char *problem, const char *want)
{
    struct onn_problem p;
    char got[160];
    if (onn_problem_parse(problem, &p) != OCLNN_OK)
        fail_msg("%s: %s", problem, oclnn_error_text(NULL));
    if (onn_problem_infer(&p) != OCLNN_OK) {
        if (*want != '!' || !strstr(oclnn_error_text(NULL), want + 1))
            fail_msg("%s: got \"%s\", want \"%s\"", problem, oclnn_error_text(NULL), want);
    } else if (strcmp(onn_desc_text(&p.prob.out[0], got), want) != 0) {
        fail_msg("%s: got %s, want %s", problem, got, want);
    }
    onn_problem_finish(&p);
}
