/* Split against its definition. */
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
    onn_check_infer("split x=6x4 outs=2", "f32[3,4]");
    onn_check_infer("split x=7x4 outs=2 num_outputs=2", "f32[4,4]");
    onn_check_infer("split x=6x4 sizes=@1,5 outs=2", "f32[1,4]");
    onn_check_infer("split x=6x?  sizes=@1,5 outs=2", "f32[1,-1]");
    onn_check_infer("split x=6x4 sizes=@1,4 outs=2", "!sum up to 5");
    onn_check_infer("split x=6x4 sizes=@1,4,1 outs=2", "!3 sizes");
    onn_check_infer("split x=6x4 sizes=@7,-1 outs=2", "!size 1 is -1");
    onn_check_infer("split x=6x4 outs=2 axis=2", "!axis");
}

static void ref_split(struct onn_ref *r)
{
    const struct onn_split_attr *a = r->prob->attr;
    int64_t at[ONN_MAX_RANK], start = 0;
    int axis = 0;
    onn_axis_resolve(a->axis, r->prob->in[0].rank, &axis);
    for (int k = 0; k < r->n_out; k++) {
        for (int64_t i = 0; i < r->out_n[k]; i++) {
            onn_ref_index(&r->prob->out[k], i, at);
            at[axis] += start;
            r->out[k][i] = r->in[0][onn_ref_at(&r->prob->in[0], at)];
        }
        start += r->prob->out[k].dim[axis];
    }
}

#define CASE(text) \
    { \
        .problem = "split x=" text, .ref = ref_split, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("2x32x5x7 outs=2 axis=1"),
    CASE("2x24x5x7 sizes=@8,11,5 outs=3 axis=1"),
    CASE("2x24x5x7 sizes=@16,5,3 outs=3 axis=1"),
    CASE("2x19x5x7 outs=3 axis=-1"),
    CASE("7:i64 outs=3 num_outputs=3"),
    CASE("4x6 sizes=@0,4 outs=2"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
