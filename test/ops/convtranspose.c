/* ConvTranspose against the definition in double, by scattering. */
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

static void ref_convtranspose(struct onn_ref *r)
{
    struct onn_conv_geometry g;
    const struct onn_window *w = &g.window;
    int64_t xd[5], wd[5], yd[5];

    if (onn_convtranspose_geometry(r->prob, &g))
        return;
    window_dims(&r->prob->in[0], xd);
    window_dims(&r->prob->in[1], wd);
    window_dims(&r->prob->out[0], yd);
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        r->out[0][i] = g.bias ? r->in[2][i / (yd[2] * yd[3] * yd[4]) % g.k] : 0;
        r->scale[0][i] = fabs(r->out[0][i]);
    }
    for (int64_t n = 0; n < g.n; n++)
        for (int64_t c = 0; c < g.c; c++)
            for (int64_t i = 0; i < xd[2] * xd[3] * xd[4]; i++)
                for (int64_t k = 0; k < g.k_group; k++)
                    for (int64_t j = 0; j < wd[2] * wd[3] * wd[4]; j++) {
                        int64_t at[3], t[3], to[3];
                        bool inside = true;
                        window_split(w->in, i, at);
                        window_split(w->kernel, j, t);
                        for (int d = 0; d < 3; d++) {
                            to[d] = at[d] * w->stride[d] - w->begin[d] + t[d] * w->dilation[d];
                            inside = inside && to[d] >= 0 && to[d] < w->out[d];
                        }
                        if (!inside)
                            continue;
                        const double v = r->in[0][window_at(xd, n, c, at)] * r->in[1][window_at(wd, c, k, t)];
                        const int64_t y = window_at(yd, n, c / g.c_group * g.k_group + k, to);
                        r->out[0][y] += v;
                        r->scale[0][y] += fabs(v);
                    }
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
    {.problem = NULL},
};

WINDOW_MAIN(infers_shapes, cases)
