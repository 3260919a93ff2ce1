/* Transpose against its definition. */
#include "harness/harness.h"
#include "ops/transpose.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("transpose x=2x3x4", "f32[4,3,2]");
    onn_check_infer("transpose x=2x3x4 perm=1,0,2", "f32[3,2,4]");
    onn_check_infer("transpose x=?x3x4 perm=1,0,2", "f32[3,-1,4]");
    onn_check_infer("transpose x=2x3x4 perm=1,0", "!not a permutation");
    onn_check_infer("transpose x=2x3x4 perm=1,1,2", "!not a permutation");
}

static void ref_transpose(struct onn_ref *r)
{
    const struct onn_transpose_attr *a = r->prob->attr;
    const int rank = r->prob->in[0].rank;
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        int64_t to[ONN_MAX_RANK], from[ONN_MAX_RANK];
        onn_ref_index(&r->prob->out[0], i, to);
        for (int d = 0; d < rank; d++)
            from[a->perm.n > 0 ? a->perm.v[d] : rank - 1 - d] = to[d];
        r->out[0][i] = r->in[0][onn_ref_at(&r->prob->in[0], from)];
    }
}

#define CASE(text) \
    { \
        .problem = "transpose x=" text, .ref = ref_transpose, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("5x7"),
    CASE("2x19x9x7 perm=0,2,3,1"),
    CASE("2x9x7x19 perm=0,3,1,2"),
    CASE("2x3x8x5x5 perm=0,2,1,3,4"),
    CASE("2x3x4x5x2x2 perm=0,1,4,2,5,3"),
    CASE("40x33"),
    CASE("3x33x65 perm=0,2,1"),
    CASE("2x3x4x5x6"),
    CASE("7:i64"),
    CASE("3x300:u8"),
    CASE("2x16x4x4 perm=1,0,2,3"),
    CASE("0x3"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
