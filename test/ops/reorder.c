/* reorder: every usual format into every other; ragged channels, views, all element sizes. */
#include "harness/harness.h"

static void ref_same(struct onn_ref *r)
{
    for (int64_t i = 0; i < r->out_n[0]; i++)
        r->out[0][i] = r->in[0][i];
}

#define CASE(text) \
    { \
        .problem = "reorder x=" text, .ref = ref_same, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("2x16x9x7 f:c8"),
    CASE("2x16x9x7:f32:c8 f:plain"),
    CASE("1x3x33x31 f:c8"),
    CASE("2x3x33x31:f32:c8 f:plain"),
    CASE("2x19x5x7 f:c8"),
    CASE("2x19x5x7:f32:c8 f:plain"),
    CASE("1x19x6x5 f:c4"),
    CASE("1x19x6x5:f32:c4 f:plain"),
    CASE("2x35x6x5 f:c16"),
    CASE("2x35x6x5:f32:c16 f:plain"),
    CASE("2x35x6x5:f32:c16 f:c8"),
    CASE("2x35x6x5:f32:c8 f:c16"),
    CASE("2x5x6x5:f32:c4 f:c16"),
    CASE("2x19x6x5 f:nhwc"),
    CASE("2x19x6x5:f32:nhwc f:plain"),
    CASE("2x19x6x5:f32:nhwc f:c8"),
    CASE("2x19x6x5:f32:c8 f:nhwc"),
    CASE("1x3x40x41 f:nhwc"),
    CASE("1x3x40x41:f32:nhwc f:plain"),
    CASE("2x64x17x19 f:nhwc"),
    CASE("2x300x17x19:f32:nhwc f:plain"),
    CASE("2x19x1x1 f:c8"),
    CASE("2x19x1x1:f32:c8 f:plain"),
    CASE("1x5x3 f:c8"),
    CASE("1x5x3:f32:c8 f:plain"),
    CASE("2x9x3x4x5 f:c8"),
    CASE("2x9x3x4x5:f32:c8 f:nhwc"),
    CASE("3x12 f:c8"),
    CASE("1x64x56x56 f:c8"),
    CASE("1x64x56x56:f32:c8 f:plain"),
    CASE("2x3x4x5 f:order0321"),
    CASE("2x9x4x5:f32:c8 f:order2310"),
    CASE("2x19x5x7:u8 f:c8"),
    CASE("2x19x5x7:u8:c8 f:plain"),
    CASE("2x19x5x7:i64 f:c8"),
    CASE("2x19x5x7:i64:c8 f:nhwc"),
    CASE("2x19x5x7:i32 f:nhwc"),
    CASE("0x3x4x5 f:c8"),
    {.problem = "reorder x=1x64x112x112 f:c8", .ref = ref_same, .flags = ONN_CASE_SLOW},
    {.problem = "reorder x=1x64x112x112:f32:c8 f:plain", .ref = ref_same, .flags = ONN_CASE_SLOW},
    {.problem = "reorder x=1x3x224x224 f:c8", .ref = ref_same, .flags = ONN_CASE_SLOW},
    {.problem = "reorder x=1x64x112x112 f:nhwc", .ref = ref_same, .flags = ONN_CASE_SLOW},
    {.problem = "reorder x=1x64x112x112:f32:nhwc f:c8", .ref = ref_same, .flags = ONN_CASE_SLOW},
    {0},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
