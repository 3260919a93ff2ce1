/* Expand and Tile against their definitions. */
#include "harness/harness.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("expand x=3x1 shape=@2,1,6", "f32[2,3,6]");
    onn_check_infer("expand x=3x4 shape=@1", "f32[3,4]");
    onn_check_infer("expand x=?x1 shape=@1,4", "f32[-1,4]");
    onn_check_infer("expand x=3x4 shape=@2,4", "!cannot be broadcast");
    onn_check_infer("tile x=2x3 repeats=@2,3", "f32[4,9]");
    onn_check_infer("tile x=?x3 repeats=@2,3", "f32[-1,9]");
    onn_check_infer("tile x=2x3 repeats=@2", "!1 repeats are given for 2");
    onn_check_infer("tile x=2x3 repeats=@2,-1", "!repeat 1 is -1");
}

static void ref_expand(struct onn_ref *r)
{
    for (int64_t i = 0; i < r->out_n[0]; i++)
        r->out[0][i] = r->in[0][onn_ref_broadcast(&r->prob->in[0], &r->prob->out[0], i)];
}

static void ref_tile(struct onn_ref *r)
{
    const struct onn_desc *x = &r->prob->in[0], *y = &r->prob->out[0];
    int64_t at[ONN_MAX_RANK];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        onn_ref_index(y, i, at);
        for (int d = 0; d < y->rank; d++)
            at[d] %= x->dim[d];
        r->out[0][i] = r->in[0][onn_ref_at(x, at)];
    }
}

#define EXPAND(text) \
    { \
        .problem = "expand x=" text, .ref = ref_expand, .c = 1 \
    }
#define TILE(text) \
    { \
        .problem = "tile x=" text, .ref = ref_tile, .c = 1 \
    }
static const struct onn_case cases[] = {
    EXPAND("1x19x1x1 shape=@2,19,5,7"),
    EXPAND("2x1x5x7 shape=@2,19,5,7"),
    EXPAND("5 shape=@3,4,5"),
    EXPAND("scalar shape=@3,4"),
    EXPAND("3x1:i64 shape=@1,4"),
    EXPAND("3x4 shape=@1,1"),
    EXPAND("1x3 shape=@0,3"),
    TILE("2x3x4x5 repeats=@1,2,1,3"),
    TILE("2x19x3x4 repeats=@2,1,2,1"),
    TILE("5:i64 repeats=@4"),
    TILE("2x3:u8 repeats=@1,1"),
    TILE("2x3 repeats=@0,2"),
    TILE("1x1x1x2x1x1x1x3 repeats=@2,2,2,2,2,2,2,2"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
