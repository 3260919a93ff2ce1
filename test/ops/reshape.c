/* Reshape, Flatten, Squeeze, Unsqueeze, Identity: the elements stay, the shape is checked by infers_shapes. */
#include "harness/harness.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("reshape x=2x3x4 shape=@6,4", "f32[6,4]");
    onn_check_infer("reshape x=2x3x4 shape=@0,-1", "f32[2,12]");
    onn_check_infer("reshape x=2x3x4 shape=@-1", "f32[24]");
    onn_check_infer("reshape x=2x3x4 shape=@2,0,2,2", "f32[2,3,2,2]");
    onn_check_infer("reshape x=0x3x4 shape=@3,4,0 allowzero=1", "f32[3,4,0]");
    onn_check_infer("reshape x=?x3x4 shape=@0,-1", "f32[-1,12]");
    onn_check_infer("reshape x=?x3x4 shape=@-1,4", "f32[-1,4]");
    onn_check_infer("reshape x=2x3x4 shape=@5,-1", "!do not fit");
    onn_check_infer("reshape x=2x3x4 shape=@-1,-1", "!twice");
    onn_check_infer("reshape x=2x3x4 shape=@7,4", "!does not have");
    onn_check_infer("reshape x=2x3 shape=@2,3,0", "!only 2 dimensions");
    onn_check_infer("reshape x=2x3 shape=@2,-3", "!is -3");
    onn_check_infer("flatten x=2x3x4x5", "f32[2,60]");
    onn_check_infer("flatten x=2x3x4x5 axis=0", "f32[1,120]");
    onn_check_infer("flatten x=2x3x4x5 axis=-1", "f32[24,5]");
    onn_check_infer("flatten x=2x3x4x5 axis=4", "f32[120,1]");
    onn_check_infer("flatten x=?x3x4x5", "f32[-1,60]");
    onn_check_infer("flatten x=2x3 axis=3", "!outside");
    onn_check_infer("squeeze x=1x3x1x5", "f32[3,5]");
    onn_check_infer("squeeze x=1x3x1x5 axes=@0", "f32[3,1,5]");
    onn_check_infer("squeeze x=1x3x1x5 axes=@-2", "f32[1,3,5]");
    onn_check_infer("squeeze x=1x3x1x5 axes=@1", "!cannot be squeezed");
    onn_check_infer("unsqueeze x=3x4 axes=@0,3", "f32[1,3,4,1]");
    onn_check_infer("unsqueeze x=3x4 axes=@-1", "f32[3,4,1]");
    onn_check_infer("unsqueeze x=3x4 axes=@0,0", "!twice");
    onn_check_infer("unsqueeze x=3x4 axes=@5", "!outside");
    onn_check_infer("identity x=3x4:i64", "i64[3,4]");
}

static void ref_same(struct onn_ref *r)
{
    for (int64_t i = 0; i < r->out_n[0]; i++)
        r->out[0][i] = r->in[0][i];
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref_same, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("reshape x=2x16x9x7 shape=@2,-1"),
    CASE("reshape x=2x19x9x7 shape=@0,19,63"),
    CASE("reshape x=2x3x5:i64 shape=@30"),
    CASE("reshape x=1:u8 shape=@()"),
    CASE("reshape x=0x4 shape=@4,0 allowzero=1"),
    CASE("flatten x=2x19x1x1"),
    CASE("flatten x=2x19x3x2 axis=2"),
    CASE("squeeze x=2x19x1x1 axes=@2,3"),
    CASE("squeeze x=1x1x1"),
    CASE("unsqueeze x=5x19x2 axes=@0,4"),
    CASE("unsqueeze x=scalar axes=@0"),
    CASE("identity x=2x19x5x7"),
    CASE("identity x=7:i64"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
