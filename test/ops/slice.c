/* Slice against numpy's rules. */
#include "harness/harness.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("slice x=20x10x5 starts=@0,0 ends=@3,10", "f32[3,10,5]");
    onn_check_infer("slice x=20x10x5 starts=@0,0,3 ends=@20,10,4", "f32[20,10,1]");
    onn_check_infer("slice x=20x10x5 starts=@1 ends=@1000 axes=@1", "f32[20,9,5]");
    onn_check_infer("slice x=20x10x5 starts=@0 ends=@-1 axes=@-2", "f32[20,9,5]");
    onn_check_infer("slice x=20x10x5 starts=@20,10,4 ends=@0,0,1 axes=@0,1,2 steps=@-1,-3,-2", "f32[19,3,2]");
    onn_check_infer("slice x=20 starts=@-1 ends=@-1000 axes=@0 steps=@-1", "f32[20]");
    onn_check_infer("slice x=20 starts=@1000 ends=@1001", "f32[0]");
    onn_check_infer("slice x=20 starts=@5 ends=@3", "f32[0]");
    onn_check_infer("slice x=20 starts=@0 ends=@9223372036854775807 axes=@0 steps=@7", "f32[3]");
    onn_check_infer("slice x=?x10 starts=@2 ends=@5 axes=@1", "f32[-1,3]");
    onn_check_infer("slice x=?x10 starts=@2 ends=@5 axes=@0", "f32[-1,10]");
    onn_check_infer("slice x=20x10 starts=@0 ends=@5 axes=@2", "!axis 2 is outside");
    onn_check_infer("slice x=20x10 starts=@0 ends=@5 axes=@1 steps=@0", "!step along axis 1 is 0");
    onn_check_infer("slice x=20x10 starts=@0 ends=@5,6", "!one entry per axis");
}

static int64_t value(const struct onn_prob *p, int i, int k)
{
    return onn_blob_get_i64(p->value[i], k);
}

static void ref_slice(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const int n = (int)p->in[1].dim[0], rank = p->in[0].rank;
    int64_t start[ONN_MAX_RANK] = {0}, step[ONN_MAX_RANK], at[ONN_MAX_RANK];
    for (int d = 0; d < rank; d++)
        step[d] = 1;
    for (int k = 0; k < n; k++) {
        int axis = k;
        if (p->n_in > 3 && p->value[3])
            onn_axis_resolve(value(p, 3, k), rank, &axis);
        const int64_t size = p->in[0].dim[axis];
        step[axis] = p->n_in > 4 && p->value[4] ? value(p, 4, k) : 1;
        start[axis] = value(p, 1, k) + (value(p, 1, k) < 0 ? size : 0);
        const int64_t top = step[axis] < 0 ? size - 1 : size;
        start[axis] = start[axis] < 0 ? 0 : start[axis] > top ? top : start[axis];
    }
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        onn_ref_index(&p->out[0], i, at);
        for (int d = 0; d < rank; d++)
            at[d] = start[d] + at[d] * step[d];
        r->out[0][i] = r->in[0][onn_ref_at(&p->in[0], at)];
    }
}

#define CASE(text) \
    { \
        .problem = "slice x=" text, .ref = ref_slice, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("2x24x5x7 starts=@8 ends=@24 axes=@1"),
    CASE("2x24x5x7 starts=@8 ends=@13 axes=@1"),
    CASE("2x19x5x7 starts=@8 ends=@100 axes=@1"),
    CASE("2x19x5x7 starts=@1,2 ends=@4,-1 axes=@2,3"),
    CASE("2x19x6x7 starts=@0,0 ends=@100,100 axes=@2,3 steps=@2,2"),
    CASE("2x19x6x7 starts=@-1,-1 ends=@-100,-100 axes=@2,3 steps=@-1,-2"),
    CASE("2x19x6x7 starts=@1 ends=@2 axes=@0"),
    CASE("9:i64 starts=@7 ends=@0 axes=@0 steps=@-3"),
    CASE("4x5:u8 starts=@0,1 ends=@4,3"),
    CASE("4x5 starts=@3 ends=@3"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
