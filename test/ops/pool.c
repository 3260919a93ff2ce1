/* MaxPool and AveragePool against the definition in double. */
#include "harness/harness.h"
#include "ops/pool.h"
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
    onn_check_infer("maxpool x=1x64x112x112 kernel_shape=3 stride=2 pad=1", "f32[1,64,56,56]");
    onn_check_infer("maxpool x=1x64x113x113 kernel_shape=3 stride=2 ceil_mode=1", "f32[1,64,56,56]");
    onn_check_infer("maxpool x=1x64x112x112 kernel_shape=3 stride=2 ceil_mode=1", "f32[1,64,56,56]");
    onn_check_infer("maxpool x=1x1x4x4 kernel_shape=1 stride=2 pad=1 ceil_mode=1", "f32[1,1,3,3]");
    onn_check_infer("averagepool x=1x2x5x5x5 kernel_shape=2 auto_pad=SAME_LOWER", "f32[1,2,5,5,5]");
    onn_check_infer("averagepool x=1x2x9 kernel_shape=3", "f32[1,2,7]");
    onn_check_infer("averagepool x=1x2x9x9", "!kernel_shape is missing");
    onn_check_infer("averagepool x=1x2x9x9 kernel_shape=11", "!larger than the padded input");
}

static void ref_pool(struct onn_ref *r)
{
    const struct onn_pool_attr *a = r->prob->attr;
    const bool is_max = onn_pool_is_max(r->prob);
    struct onn_window w;
    int64_t xd[5], yd[5];

    if (onn_pool_window(r->prob, &w))
        return;
    window_dims(&r->prob->in[0], xd);
    window_dims(&r->prob->out[0], yd);
    for (int64_t plane = 0; plane < xd[0] * xd[1]; plane++)
        for (int64_t o = 0; o < yd[2] * yd[3] * yd[4]; o++) {
            int64_t at[3], t[3], from[3], best_at = 0, count = 0;
            double sum = 0, scale = 0, best = -INFINITY;
            window_split(w.out, o, at);
            for (int64_t i = 0; i < w.kernel[0] * w.kernel[1] * w.kernel[2]; i++) {
                bool inside = true, padded = true;
                window_split(w.kernel, i, t);
                for (int j = 0; j < 3; j++) {
                    from[j] = at[j] * w.stride[j] - w.begin[j] + t[j] * w.dilation[j];
                    inside = inside && from[j] >= 0 && from[j] < w.in[j];
                    padded = padded && from[j] < w.in[j] + w.end[j];
                }
                count += a->count_include_pad ? padded : inside;
                if (!inside)
                    continue;
                const double v = r->in[0][window_at(xd, 0, plane, from)];
                sum += v;
                scale += fabs(v);
                if (v > best) {
                    best = v;
                    best_at = a->storage_order
                        ? ((plane * xd[4] + from[2]) * xd[3] + from[1]) * xd[2] + from[0]
                        : window_at(xd, 0, plane, from);
                }
            }
            r->out[0][window_at(yd, 0, plane, at)] = is_max ? best : sum / (double)count;
            r->scale[0][window_at(yd, 0, plane, at)] = is_max ? fabs(best) : scale / (double)count;
            if (r->n_out > 1)
                r->out[1][window_at(yd, 0, plane, at)] = (double)best_at;
        }
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref_pool \
    }
#define MEAN(text) \
    { \
        .problem = text, .ref = ref_pool, .flags = ONN_CASE_NO_EXACT \
    }
static const struct onn_case cases[] = {
    CASE("maxpool x=1x16x12x12 kernel_shape=3 stride=2 pad=1"),
    CASE("maxpool x=2x19x13x11 kernel_shape=2 stride=2"),
    CASE("maxpool x=1x5x13x11 kernel_shape=3,2 stride=2 ceil_mode=1"),
    CASE("maxpool x=1x24x14x14 kernel_shape=5 pad=2"),
    CASE("maxpool x=1x3x9x9 kernel_shape=2 dilation=2"),
    CASE("maxpool x=2x3x8x7 kernel_shape=3 stride=2 pad=1 outs=2"),
    CASE("maxpool x=1x2x6x7 kernel_shape=2 outs=2 storage_order=1"),
    CASE("maxpool x=1x4x15 kernel_shape=3 stride=2"),
    CASE("maxpool x=1x2x5x6x7 kernel_shape=2 stride=1,2,2"),
    CASE("maxpool x=1x3x10x10 kernel_shape=3 stride=2 auto_pad=SAME_UPPER"),
    MEAN("averagepool x=1x16x12x12 kernel_shape=2 stride=2"),
    MEAN("averagepool x=1x21x9x9 kernel_shape=3 pad=1"),
    MEAN("averagepool x=1x8x9x9 kernel_shape=3 pad=1 count_include_pad=1 stride=2"),
    MEAN("averagepool x=1x8x10x9 kernel_shape=3 stride=2 pad=1 ceil_mode=1 count_include_pad=1"),
    MEAN("averagepool x=1x8x10x9 kernel_shape=3 stride=2 ceil_mode=1"),
    MEAN("averagepool x=1x8x7x7 kernel_shape=7"),
    MEAN("averagepool x=1x3x9x9 kernel_shape=2 dilation=2"),
    MEAN("averagepool x=1x4x15 kernel_shape=3 stride=2 auto_pad=SAME_LOWER"),
    MEAN("averagepool x=1x2x5x6x7 kernel_shape=2"),
    {.problem = NULL},
};

WINDOW_MAIN(infers_shapes, cases)
