/* conv_dw against the derivative of the convolution's definition, in double. */
#include "ops/conv_dw.h"
#include "harness/conv_ref.h"
#include "harness/harness.h"
#include "ops/window_ref.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("conv_dw x=2x16x9x9 dy=2x32x7x7 kernel_shape=3", "f32[32,16,3,3]");
    onn_check_infer("conv_dw x=2x16x9x9 dy=2x32x5x5 kernel_shape=3 stride=2 pad=1 group=4", "f32[32,4,3,3]");
    onn_check_infer("conv_dw x=2x16x9x9 dy=1x32x7x7 kernel_shape=3", "!x has 2 images, dy 1");
    onn_check_infer("conv_dw x=2x16x9x9 dy=2x32x7x7 kernel_shape=3 group=5", "!group=5 does not divide");
}

static void ref_conv_dw(struct onn_ref *r)
{
    struct onn_conv_dw_geometry g;
    if (onn_conv_dw_geometry(r->prob, &g))
        return;
    const struct onn_conv_geometry forward = {.window = g.window,
        .n = g.n,
        .c = g.c,
        .k = g.k,
        .group = g.group,
        .c_group = g.c_group,
        .k_group = g.k_group};
    onn_conv_ref_sums(&forward, ONN_CONV_DW, r->in[0], r->in[1], r->out[0], r->scale[0]);
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref_conv_dw \
    }
static const struct onn_case cases[] = {
    CASE("conv_dw x=2x16x9x9 dy=2x16x9x9 kernel_shape=3 pad=1"),
    CASE("conv_dw x=1x16x8x8 dy=1x32x8x8 kernel_shape=1"),
    CASE("conv_dw x=2x3x11x13 dy=2x8x6x7 kernel_shape=3 stride=2 pad=1"),
    CASE("conv_dw x=2x5x7x6 dy=2x9x5x4 kernel_shape=3"),
    CASE("conv_dw x=1x24x10x10 dy=1x40x4x4 kernel_shape=5 stride=2,2 pad=1"),
    CASE("conv_dw x=1x17x6x7 dy=1x33x6x7 kernel_shape=3 pad=1"),
    CASE("conv_dw x=2x8x9x9 dy=2x8x9x9 kernel_shape=3 pad=2 dilation=2"),
    CASE("conv_dw x=2x16x7x7 dy=2x32x7x7 kernel_shape=3 pad=1 group=2"),
    CASE("conv_dw x=2x12x7x7 dy=2x6x7x7 kernel_shape=3 pad=1 group=3"),
    CASE("conv_dw x=2x24x9x9 dy=2x24x9x9 kernel_shape=3 pad=1 group=24"),
    CASE("conv_dw x=1x19x9x9 dy=1x19x5x5 kernel_shape=3 pad=1 stride=2 group=19"),
    CASE("conv_dw x=1x20x8x8 dy=1x20x8x8 kernel_shape=5 pad=2 group=20"),
    CASE("conv_dw x=2x4x15 dy=2x6x15 kernel_shape=3 pad=1"),
    CASE("conv_dw x=1x3x5x6x7 dy=1x4x4x5x6 kernel_shape=2"),
    CASE("conv_dw x=1x16x28x28 dy=1x16x14x14 kernel_shape=1 stride=2"),
    CASE("conv_dw x=3x8x5x5 dy=3x16x1x1 kernel_shape=5"),
    CASE("conv_dw x=1x64x14x14 dy=1x48x14x14 kernel_shape=3 pad=1"),
    CASE("conv_dw x=3x10x25x27 dy=3x20x25x27 kernel_shape=3 pad=1"),
    CASE("conv_dw x=2x16x20x36 dy=2x80x18x36 kernel_shape=3 pad=0,1,0,1 group=2"),
    CASE("conv_dw x=1x136x9x6 dy=1x81x9x6 kernel_shape=3 pad=1"),
    CASE("conv_dw x=3x70x9x9 dy=3x90x9x9 kernel_shape=1"),
    CASE("conv_dw x=2x33x17x23 dy=2x9x17x23 kernel_shape=1"),
    CASE("conv_dw x=1x9x5x300 dy=1x11x3x149 kernel_shape=3 stride=2 pad=1"),
    CASE("conv_dw x=9x24x4x3 dy=9x48x2x2 kernel_shape=1 stride=2"),
    CASE("conv_dw x=150x8x3x1 dy=150x8x3x1 kernel_shape=3,1 pad=1,0"),
    CASE("conv_dw x=2x3x47x53 dy=2x6x47x53 kernel_shape=3 pad=2,0,0,2 group=3"),
    CASE("conv_dw x=1x40x11x9 dy=1x40x6x9 kernel_shape=4,3 stride=2,1 dilation=1,2 pad=2,3,1,1 group=40"),
    {.problem = "conv_dw x=8x64x56x56 dy=8x64x56x56 kernel_shape=3 pad=1", .flags = ONN_CASE_SLOW},
    {.problem = "conv_dw x=8x128x28x28 dy=8x128x28x28 kernel_shape=3 pad=1", .flags = ONN_CASE_SLOW},
    {.problem = "conv_dw x=8x256x14x14 dy=8x256x14x14 kernel_shape=3 pad=1", .flags = ONN_CASE_SLOW},
    {.problem = "conv_dw x=8x512x7x7 dy=8x512x7x7 kernel_shape=3 pad=1", .flags = ONN_CASE_SLOW},
    {.problem = "conv_dw x=8x64x56x56 dy=8x256x56x56 kernel_shape=1", .flags = ONN_CASE_SLOW},
    {.problem = "conv_dw x=8x96x112x112 dy=8x96x112x112 kernel_shape=3 pad=1 group=96",
        .flags = ONN_CASE_SLOW},
    {.problem = "conv_dw x=64x1x28x28 dy=64x32x26x26 kernel_shape=3", .flags = ONN_CASE_SLOW},
    {.problem = "conv_dw x=8x3x224x224 dy=8x64x112x112 kernel_shape=7 stride=2 pad=3",
        .flags = ONN_CASE_SLOW},
    {.problem = NULL},
};

WINDOW_MAIN(infers_shapes, cases)
