/* Conv against the definition in double: shapes, strides, dilations, pads, groups, 1-D to 3-D, epilogues. */
#include "harness/conv_ref.h"
#include "harness/harness.h"
#include "ops/window_ref.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("conv x=1x64x56x56 w=64x64x3x3 pad=1", "f32[1,64,56,56]");
    onn_check_infer("conv x=2x3x224x224 w=64x3x7x7 b=64 pad=3 stride=2", "f32[2,64,112,112]");
    onn_check_infer("conv x=1x32x15 w=8x16x4 group=2 dilation=2", "f32[1,8,9]");
    onn_check_infer("conv x=1x2x5x6x7 w=4x2x3x3x3", "f32[1,4,3,4,5]");
    onn_check_infer("conv x=1x3x15x15 w=8x3x4x4 auto_pad=SAME_UPPER stride=2", "f32[1,8,8,8]");
    onn_check_infer("conv x=1x3x15x15 w=8x3x4x4 auto_pad=VALID stride=2", "f32[1,8,6,6]");
    onn_check_infer("conv x=?x3x?x15 w=8x3x3x3 pad=1", "f32[-1,8,-1,15]");
    onn_check_infer("conv x=1x64x8x8 w=64x64x3x3 group=3", "!group=3 does not divide 64 input channels");
    onn_check_infer("conv x=1x64x8x8 w=64x32x3x3", "!w has 32 input channels per group");
    onn_check_infer("conv x=1x4x2x8 w=4x4x3x3", "!larger than the padded input of 2 along the height");
    onn_check_infer("conv x=1x4x8x8 w=4x4x3x3 b=5", "!bias has 5 elements for 4 output channels");
    onn_check_infer("conv x=1x4x8x8 w=4x4x3x3 auto_pad=SAME", "!auto_pad=SAME is none of");
    onn_check_infer("conv x=1x4x8x8 w=4x4x3x3 pad=1,1,1", "!pad has 3 entries for 2 spatial dimensions");
}

static void ref_conv(struct onn_ref *r)
{
    struct onn_conv_geometry g;

    if (onn_conv_geometry(r->prob, &g))
        return;
    const int64_t pixels = g.window.out[0] * g.window.out[1] * g.window.out[2];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        r->out[0][i] = g.bias ? r->in[2][i / pixels % g.k] : 0;
        r->scale[0][i] = fabs(r->out[0][i]);
    }
    onn_conv_ref_sums(&g, ONN_CONV_Y, r->in[0], r->in[1], r->out[0], r->scale[0]);
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref_conv \
    }
#define SMOOTH(text) \
    { \
        .problem = text, .ref = ref_conv, .flags = ONN_CASE_NO_INTEGER | ONN_CASE_NO_F16 \
    }
static const struct onn_case cases[] = {
    CASE("conv x=1x3x9x11 w=5x3x3x3 b=5 pad=1"),
    CASE("conv x=2x16x8x8 w=16x16x3x3 b=16 pad=1 +relu"),
    CASE("conv x=1x24x13x9 w=40x24x3x3 pad=1 +add=1x40x13x9 +relu"),
    CASE("conv x=1x8x15x15 w=24x8x3x3 b=24 pad=1 stride=2"),
    CASE("conv x=1x17x9x9 w=33x17x1x1 b=33"),
    CASE("conv x=2x32x14x14 w=64x32x1x1 +relu"),
    CASE("conv x=1x32x9x9 w=16x32x1x1 stride=2"),
    CASE("conv x=1x3x33x31 w=16x3x7x7 b=16 pad=3 stride=2 +relu"),
    CASE("conv x=1x3x23x21 w=32x3x3x3 pad=1 stride=2 +clip{min=0,max=6}"),
    CASE("conv x=1x32x12x12 w=32x1x3x3 b=32 pad=1 group=32 +relu"),
    CASE("conv x=2x19x13x11 w=19x1x3x3 pad=1 group=19 stride=2"),
    CASE("conv x=1x24x17x17 w=24x1x5x5 b=24 pad=2 group=24"),
    CASE("conv x=1x16x14x14 w=16x1x3x3 pad=2 dilation=2 group=16"),
    /* windows as large as the image, or larger: parts of them never reach it */
    CASE("conv x=1x9x7x9 w=17x9x3x3 pad=6 dilation=6"),
    CASE("conv x=2x16x6x6 w=24x16x3x3 pad=12 dilation=12 stride=2"),
    CASE("conv x=1x8x5x6 w=40x8x3x3 pad=2,4,6,1 dilation=4,3"),
    CASE("conv x=1x8x3x3 w=8x8x1x35 pad=0,34,0,34"),
    CASE("conv x=2x9x10x13 w=18x1x3x5 b=18 pad=1,2,0,1 group=9 stride=2 +add=2x18x5x6"),
    CASE("conv x=1x5x23x7 w=5x1x7x2 pad=3,0,2,1 group=5 stride=3 +relu"),
    CASE("conv x=1x3x9x10 w=3x1x3x3 pad=2 group=3 stride=2 dilation=2"),
    CASE("conv x=1x16x9x9 w=32x8x3x3 pad=1 group=2"),
    CASE("conv x=1x12x9x9 w=18x4x3x3 pad=1 group=3 b=18"),
    CASE("conv x=1x8x20x20 w=8x8x3x3 dilation=3 pad=3"),
    CASE("conv x=1x4x7x9 w=6x4x2x3 pad=0,1,2,0 stride=1,2"),
    CASE("conv x=1x5x10x10 w=7x5x4x4 auto_pad=SAME_UPPER stride=2"),
    CASE("conv x=1x5x11x10 w=7x5x4x3 auto_pad=SAME_LOWER stride=3"),
    CASE("conv x=1x64x4x4 w=64x64x3x3 pad=1"),
    CASE(
        "conv x=1x16x10x9 w=52x16x3x3 b=52 pad=1"), /* Winograd: threes of blocks and one, with vectors of every width */
    CASE("conv x=1x8x1x1 w=8x8x3x3 pad=1"),
    CASE("conv x=1x16x29 w=24x16x5 b=24 pad=2 stride=2"),
    CASE("conv x=2x6x17 w=6x1x3 group=6 dilation=2"),
    CASE("conv x=1x3x5x6x7 w=4x3x3x2x3 b=4 pad=1,0,1,1,1,1 stride=1,2,1"),
    CASE("conv x=1x48x26x26 w=40x48x3x3 b=40 pad=1"),
    CASE("conv x=1x8x6x6 w=8x8x6x6"),
    CASE("conv x=1x12x20x70 w=3x12x9x9 b=3 pad=4"),
    CASE("conv x=2x5x9x130 w=1x5x3x3 pad=1 +relu"),
    CASE("conv x=1x5x9x31 w=2x5x3x5 b=2 pad=1,3,2,0 dilation=2 stride=2,1"),
    CASE("conv x=1x6x9x50 w=7x6x3x3 b=7 pad=1 +add=1x7x9x50"),
    CASE("conv x=1x24x7x6 w=36x6x1x1 group=4 b=36 +relu"),
    CASE("conv x=2x20x7x6 w=20x10x3x3 group=2 pad=1"),
    CASE("conv x=1x15x9x6 w=10x3x3x3 group=5 stride=2"),
    CASE("conv x=1x136x5x5 w=136x34x1x1 group=4 b=136"), /* tiles of one and of two of the merged groups */
    CASE("conv x=2x60x5x6 w=84x20x3x3 group=3 pad=1"),
    CASE("conv x=1x16x71x69 w=8x16x3x3 b=8 pad=1"),
    CASE("conv x=3x9x26x23 w=40x9x3x3 pad=1,0,1,2 +relu"),
    CASE("conv x=1x16x40x40 w=64x8x3x3 b=64 group=2 pad=1"),
    CASE("conv x=1x24x9x9 w=20x24x3x3 b=20 pad=1 +leaky_relu{alpha=0.25}"),
    SMOOTH("conv x=1x24x9x9 w=40x24x1x1 b=40 +add=1x40x9x9 +hard_swish"),
    SMOOTH("conv x=1x24x9x9 w=24x1x3x3 pad=1 group=24 +hard_swish"),
    SMOOTH("conv x=1x3x19x9 w=24x3x3x3 b=24 stride=2 +hard_swish"),
    SMOOTH("conv x=1x16x9x9 w=24x16x5x5 b=24 stride=2 pad=2 +hard_swish"),
    {.problem = NULL},
};

WINDOW_MAIN(infers_shapes, cases)
