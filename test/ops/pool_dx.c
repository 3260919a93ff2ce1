/* The gradients of pooling against their definition in double. */
#include "ops/pool_dx.h"
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
    onn_check_infer("maxpool_dx x=1x8x12x12 dy=1x8x6x6 kernel_shape=3 stride=2 pad=1", "f32[1,8,12,12]");
    onn_check_infer("maxpool_dx x=1x8x12x12 dy=1x8x7x6 kernel_shape=3 stride=2 pad=1", "!dy has extent 7");
    onn_check_infer("averagepool_dx dy=1x8x6x6 kernel_shape=2 stride=2 in=12,13", "f32[1,8,12,13]");
    onn_check_infer("averagepool_dx dy=1x8x6x6 kernel_shape=2 stride=2", "!attribute in has");
}

static void ref_pool_dx(struct onn_ref *r)
{
    const struct onn_pool_dx_attr *a = r->prob->attr;
    const bool is_max = onn_pool_dx_is_max(r->prob);
    const double *dy = r->in[r->n_in - 1];
    struct onn_window w;
    int64_t xd[5], yd[5];
    if (onn_pool_dx_window(r->prob, &w))
        return;
    window_dims(&r->prob->out[0], xd);
    window_dims(&r->prob->in[r->n_in - 1], yd);
    for (int64_t plane = 0; plane < xd[0] * xd[1]; plane++)
        for (int64_t o = 0; o < yd[2] * yd[3] * yd[4]; o++) {
            const int64_t taps = w.kernel[0] * w.kernel[1] * w.kernel[2];
            int64_t at[3], t[3], from[3], best_at = -1, count = 0, to[64], n = 0;
            double best = -INFINITY;
            window_split(w.out, o, at);
            for (int64_t i = 0; i < taps; i++) {
                bool inside = true, padded = true;
                window_split(w.kernel, i, t);
                for (int j = 0; j < 3; j++) {
                    from[j] = at[j] * w.stride[j] - w.begin[j] + t[j] * w.dilation[j];
                    inside = inside && from[j] >= 0 && from[j] < w.in[j];
                    padded = padded && from[j] < w.in[j] + w.end[j];
                }
                count += a->pool.count_include_pad ? padded : inside;
                if (!inside)
                    continue;
                to[n++] = window_at(xd, 0, plane, from);
                if (is_max && (best_at < 0 || r->in[0][to[n - 1]] > best)) {
                    best_at = to[n - 1];
                    best = r->in[0][best_at];
                }
            }
            const double v = dy[window_at(yd, 0, plane, at)];
            for (int64_t i = 0; i < n; i++)
                if (!is_max || to[i] == best_at) {
                    r->out[0][to[i]] += is_max ? v : v / (double)count;
                    r->scale[0][to[i]] += fabs(is_max ? v : v / (double)count);
                }
        }
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref_pool_dx \
    }
#define MEAN(text) \
    { \
        .problem = text, .ref = ref_pool_dx, .flags = ONN_CASE_NO_EXACT \
    }
static const struct onn_case cases[] = {
    CASE("maxpool_dx x=1x16x12x12 dy=1x16x6x6 kernel_shape=3 stride=2 pad=1"),
    CASE("maxpool_dx x=2x19x13x11 dy=2x19x6x5 kernel_shape=2 stride=2"),
    CASE("maxpool_dx x=1x5x13x11 dy=1x5x6x6 kernel_shape=3,2 stride=2 ceil_mode=1"),
    CASE("maxpool_dx x=1x24x9x9 dy=1x24x9x9 kernel_shape=5 pad=2"),
    CASE("maxpool_dx x=1x3x9x9 dy=1x3x7x7 kernel_shape=2 dilation=2"),
    CASE("maxpool_dx x=1x4x15 dy=1x4x7 kernel_shape=3 stride=2"),
    CASE("maxpool_dx x=1x2x5x6x7 dy=1x2x4x3x3 kernel_shape=2 stride=1,2,2"),
    CASE("maxpool_dx x=1x3x10x10 dy=1x3x5x5 kernel_shape=3 stride=2 auto_pad=SAME_UPPER"),
    CASE("maxpool_dx x=1x8x8x8 dy=1x8x3x3 kernel_shape=2 stride=3"),
    MEAN("averagepool_dx dy=1x16x6x6 in=12,12 kernel_shape=2 stride=2"),
    MEAN("averagepool_dx dy=1x21x9x9 in=9,9 kernel_shape=3 pad=1"),
    MEAN("averagepool_dx dy=1x8x5x5 in=9,9 kernel_shape=3 pad=1 count_include_pad=1 stride=2"),
    MEAN("averagepool_dx dy=1x8x6x5 in=10,9 kernel_shape=3 stride=2 pad=1 ceil_mode=1 count_include_pad=1"),
    MEAN("averagepool_dx dy=2x9x1x1 in=7,7 kernel_shape=7"),
    MEAN("averagepool_dx dy=1x3x7x7 in=9,9 kernel_shape=2 dilation=2"),
    MEAN("averagepool_dx dy=1x4x8 in=15 kernel_shape=3 stride=2 auto_pad=SAME_LOWER"),
    MEAN("averagepool_dx dy=1x2x4x5x6 in=5,6,7 kernel_shape=2"),
    {.problem = "maxpool_dx x=8x64x112x112 dy=8x64x56x56 kernel_shape=3 stride=2 pad=1",
        .flags = ONN_CASE_SLOW},
    {.problem = NULL},
};

WINDOW_MAIN(infers_shapes, cases)
