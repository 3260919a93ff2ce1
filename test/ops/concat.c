/* Concat against its definition; the harness also writes and reads views. */
#include "harness/harness.h"
#include "ops/concat.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("concat a=1x3x4 b=1x5x4", "f32[1,8,4]");
    onn_check_infer("concat a=1x3x4 b=1x3x2 axis=-1", "f32[1,3,6]");
    onn_check_infer("concat a=?x3x4 b=1x5x4", "f32[1,8,4]");
    onn_check_infer("concat a=1x?x4 b=1x5x4", "f32[1,-1,4]");
    onn_check_infer("concat a=1x3x4 b=1x5x5", "!dimension 2 of input 1");
    onn_check_infer("concat a=1x3x4 b=1x5", "!has 2 dimensions");
    onn_check_infer("concat a=1x3x4 b=1x5x4:i32", "!input 1 is i32");
    onn_check_infer("concat a=1x3x4 b=1x5x4 axis=3", "!axis");
}

static void ref_concat(struct onn_ref *r)
{
    const struct onn_concat_attr *a = r->prob->attr;
    int64_t at[ONN_MAX_RANK];
    int axis = 0;
    onn_axis_resolve(a->axis, r->prob->out[0].rank, &axis);
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        int k = 0;
        onn_ref_index(&r->prob->out[0], i, at);
        while (at[axis] >= r->prob->in[k].dim[axis])
            at[axis] -= r->prob->in[k++].dim[axis];
        r->out[0][i] = r->in[k][onn_ref_at(&r->prob->in[k], at)];
    }
}

#define CASE(text) \
    { \
        .problem = "concat " text, .ref = ref_concat, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("a=2x8x5x7 b=2x16x5x7"),
    CASE("a=2x16x5x7 b=2x5x5x7"),
    CASE("a=2x3x5x7 b=2x5x5x7 c=2x19x5x7"),
    CASE("a=1x19x3x4 b=1x19x5x4 axis=2"),
    CASE("a=2x19x3x4 b=2x19x3x1 axis=-1"),
    CASE("a=1x3x4 b=2x3x4 axis=0"),
    CASE("a=3 b=5 axis=0"),
    CASE("a=3:i64 b=0:i64 c=2:i64 axis=0"),
    CASE("a=1x3x70x70 b=1x2x70x70"),
    CASE("a=4x3"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
