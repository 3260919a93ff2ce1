/* ConvTranspose against the definition in double: the data gradient of a convolution. */
#include "harness/conv_ref.h"
#include "harness/harness.h"
#include "ops/convtranspose.h"
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
    onn_check_infer("convtranspose x=1x8x4x4 w=8x3x2x2 stride=2", "f32[1,3,8,8]");
    onn_check_infer("convtranspose x=1x8x4x4 w=8x3x4x4 stride=2 pad=1", "f32[1,3,8,8]");
    onn_check_infer("convtranspose x=1x8x4x4 w=8x3x3x3 stride=2 pad=1 output_padding=1,1", "f32[1,3,8,8]");
    onn_check_infer("convtranspose x=1x8x4 w=8x2x3 group=4 stride=3", "f32[1,8,12]");
    onn_check_infer("convtranspose x=1x1x3x3 w=1x2x3x3 stride=3,2 output_shape=10,8", "f32[1,2,10,8]");
    onn_check_infer("convtranspose x=1x1x3x3 w=1x1x3x3 stride=2 auto_pad=SAME_UPPER", "f32[1,1,6,6]");
    onn_check_infer("convtranspose x=1x6x3x3 w=5x1x3x3", "!w has 5 input channels, x 6");
    onn_check_infer("convtranspose x=1x6x3x3 w=6x1x3x3 output_padding=1,1",
        "!output_padding 1 is not below stride 1");
}

/* The data gradient of the convolution that leads from y to x. */
static void ref_convtranspose(struct onn_ref *r)
{
    struct onn_conv_geometry g, from_y;
    const struct onn_window *w = &g.window;

    if (onn_convtranspose_geometry(r->prob, &g))
        return;
    const int64_t pixels = w->out[0] * w->out[1] * w->out[2];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        r->out[0][i] = g.bias ? r->in[2][i / pixels % g.k] : 0;
        r->scale[0][i] = fabs(r->out[0][i]);
    }
    from_y = (struct onn_conv_geometry){.window = g.window,
        .n = g.n,
        .c = g.k,
        .k = g.c,
        .group = g.group,
        .c_group = g.k_group,
        .k_group = g.c_group};
    for (int i = 0; i < 3; i++) {
        from_y.window.in[i] = w->out[i];
        from_y.window.out[i] = w->in[i];
    }
    onn_conv_ref_sums(&from_y, ONN_CONV_DX, r->in[0], r->in[1], r->out[0], r->scale[0]);
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref_convtranspose \
    }
static const struct onn_case cases[] = {
    CASE("convtranspose x=1x8x5x6 w=8x3x2x2 b=3 stride=2"),
    CASE("convtranspose x=1x24x7x5 w=24x16x2x2 b=16 stride=2 +relu"),
    CASE("convtranspose x=2x16x5x6 w=16x8x4x4 stride=2 pad=1"),
    CASE("convtranspose x=1x9x5x4 w=9x17x4x4 b=17 stride=2 pad=1 +relu"),
    CASE("convtranspose x=1x8x5x6 w=8x5x3x3 stride=2 pad=1 output_padding=1,1"),
    CASE("convtranspose x=1x8x5x6 w=8x5x3x3 b=5 stride=2 pad=1 +add=1x5x9x11 +relu"),
    CASE("convtranspose x=1x16x6x6 w=16x8x3x3"),
    CASE("convtranspose x=1x8x4x4 w=8x2x3x3 group=4 stride=2"),
    CASE("convtranspose x=1x3x5x5 w=3x4x3x3 dilation=2 stride=2 pad=1"),
    CASE("convtranspose x=1x3x4x4 w=3x2x3x3 stride=3,2 output_shape=10,8"),
    CASE("convtranspose x=1x3x4x4 w=3x2x3x3 stride=2 auto_pad=SAME_UPPER"),
    CASE("convtranspose x=1x3x4x4 w=3x2x3x3 stride=2 auto_pad=SAME_LOWER"),
    CASE("convtranspose x=1x6x9 w=6x4x5 stride=3 pad=1"),
    CASE("convtranspose x=2x16x7x9 w=16x40x4x4 b=40 stride=2 pad=1"),
    CASE("convtranspose x=1x16x6x5 w=16x8x3x3 group=2 stride=2 pad=1"),
    CASE("convtranspose x=1x2x3x4x3 w=2x3x2x3x2 stride=2,1,2"),
    CASE("convtranspose x=2x24x7x9 w=24x1x3x3 group=24 stride=2 pad=1 output_padding=1,1"),
    CASE("convtranspose x=1x13x5x40 w=13x1x5x3 b=13 group=13 stride=1,2 pad=2,1,1,0 +relu"),
    CASE("convtranspose x=1x8x6x11 w=8x1x3x3 group=8 stride=3,2 dilation=2,3 pad=1 +add=1x8x18x25 "
         "+clip{min=-5,max=6}"),
    CASE("convtranspose x=1x9x3x2 w=9x1x2x2 group=9 stride=4 pad=1,0,0,1"),
    CASE("convtranspose x=2x7x6x5 w=7x1x5x5 b=7 group=7 stride=2 pad=2,1,1,2 output_padding=1,0 +relu"),
    CASE("convtranspose x=1x4x4x6 w=4x1x7x3 group=4 stride=3 pad=4,1,0,2"),
    CASE("convtranspose x=1x3x5x4 w=3x1x3x4 group=3 stride=2 dilation=2 pad=1"),
    CASE("convtranspose x=1x3x6x9 w=3x1x2x3 group=3 stride=3 dilation=2 pad=2,0,0,1 +add=1x3x16x28"),
    CASE("convtranspose x=2x19x13 w=19x1x4 group=19 stride=3 pad=2"),
    {.problem = "convtranspose x=8x144x28x28 w=144x1x3x3 group=144 stride=2 pad=1 output_padding=1,1",
        .ref = ref_convtranspose,
        .flags = ONN_CASE_SLOW},
    {.problem = "convtranspose x=8x512x7x7 w=512x512x3x3 stride=2 pad=1 output_padding=1,1",
        .ref = ref_convtranspose,
        .flags = ONN_CASE_SLOW},
    {.problem = NULL},
};

WINDOW_MAIN(infers_shapes, cases)
