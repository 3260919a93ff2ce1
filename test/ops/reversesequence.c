/* ReverseSequence against its definition. */
#include "harness/harness.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("reversesequence x=4x3x2 length=3:i64", "f32[4,3,2]");
    onn_check_infer("reversesequence x=4x3x2 length=4:i64", "!4 lengths are given for a batch of 3");
    onn_check_infer("reversesequence x=4x3x2 length=4:i64 batch_axis=0", "!axes 0 and 1");
}

static void ref_reverse(struct onn_ref *r)
{
    const int64_t *axis = r->prob->attr; /* batch, time */
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        int64_t at[ONN_MAX_RANK];
        onn_ref_index(&r->prob->out[0], i, at);
        const int64_t n = (int64_t)r->in[1][at[axis[0]]], t = at[axis[1]];
        at[axis[1]] = t < n ? n - 1 - t : t;
        r->out[0][i] = r->in[0][onn_ref_at(&r->prob->in[0], at)];
    }
}

static void fill(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p;
    (void)integer;
    for (int64_t k = 0; i == 1 && k < n; k++)
        data[k] = (double)(k % 4 + 1);
}

#define CASE(text) \
    { \
        .problem = "reversesequence x=" text, .ref = ref_reverse, .c = 1, .fill = fill \
    }
static const struct onn_case cases[] = {
    CASE("4x5 length=5:i64"),
    CASE("5x4 length=5:i64 batch_axis=0 time_axis=1"),
    CASE("4x5x7 length=5:i64"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
