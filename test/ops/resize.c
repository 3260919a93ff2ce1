/* Resize against the formulas of the ONNX operator documentation, one axis after the other in double. */
#include "harness/harness.h"
#include "ops/resize.h"
#include <math.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("resize x=1x3x4x5 roi=- scales=@1,1,2,2:f32", "f32[1,3,8,10]");
    onn_check_infer("resize x=1x3x4x5 roi=- scales=@1,1,0.6,0.6:f32", "f32[1,3,2,3]");
    onn_check_infer("resize x=1x3x4x5 roi=- scales=- sizes=@1,3,7,9", "f32[1,3,7,9]");
    onn_check_infer("resize x=1x3x4x5 roi=- scales=- sizes=@8,9 axes=2,3 policy=not_larger", "f32[1,3,7,9]");
    onn_check_infer("resize x=1x3x4x5 roi=- scales=- sizes=@8,9 axes=2,3 policy=not_smaller",
        "f32[1,3,8,10]");
    onn_check_infer("resize x=?x3x4x5 roi=- scales=@1,1,2,2:f32", "f32[-1,3,8,10]");
    onn_check_infer("resize x=1x3x4x5 roi=- scales=@1,2:f32", "!2 scales are given for 4 axes");
    onn_check_infer("resize x=1x3x4x5 roi=- scales=@1,1,0,2:f32", "!entry 2 of the scales");
    onn_check_infer("resize x=1x3x4x5 roi=- scales=@1,1,2,2:f32 mode=area", "!no mode 'area'");
    onn_check_infer("resize x=1x3x4x5 roi=- scales=@1,1,0.5,2:f32 mode=linear antialias=1", "!antialias");
}

static bool is(const char *text, const char *word)
{
    return text && !strcmp(text, word);
}

/* x_original of the documentation, in float like the reference implementation. */
static float position(const struct onn_resize_attr *a, float x, float scale, float in, float out, float start,
    float end)
{
    const char *m = a->coordinates ? a->coordinates : "half_pixel";
    if (is(m, "align_corners"))
        return out == 1 ? 0 : x * (in - 1) / (out - 1);
    if (is(m, "asymmetric"))
        return x / scale;
    if (is(m, "pytorch_half_pixel"))
        return out > 1 ? (x + 0.5f) / scale - 0.5f : 0;
    if (is(m, "tf_half_pixel_for_nn"))
        return (x + 0.5f) / scale;
    if (is(m, "tf_crop_and_resize"))
        return out > 1 ? start * (in - 1) + x * (end - start) * (in - 1) / (out - 1)
                       : 0.5f * (start + end) * (in - 1);
    if (is(m, "half_pixel_symmetric"))
        return in / 2 * (1 - out / (scale * in)) + (x + 0.5f) / scale - 0.5f;
    return (x + 0.5f) / scale - 0.5f;
}

static double cubic(double a, double d)
{
    d = fabs(d);
    return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1
        : d < 2   ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
                  : 0;
}

/* Weight of input i (any integer, outside too) for position x. */
static double weight(const struct onn_resize_attr *a, float x, int64_t i)
{
    if (is(a->mode, "linear"))
        return fmax(0, 1 - fabs((double)x - (double)i));
    if (is(a->mode, "cubic"))
        return cubic(a->cubic_coeff_a, (double)x - (double)i);
    const char *n = a->nearest_mode ? a->nearest_mode : "round_prefer_floor";
    const double f = floor(x), d = (double)x - f;
    double pick = is(n, "floor")                              ? f
        : is(n, "ceil")                                       ? ceil(x)
        : d > 0.5 || (d == 0.5 && is(n, "round_prefer_ceil")) ? f + 1
                                                              : f;
    return pick == (double)i;
}

/* One axis: from[outer][in][inner] to to[outer][out][inner]; outside[] marks positions off the input. */
static void ref_axis(const struct onn_resize_attr *a, const struct onn_resize_axis *g, float scale,
    float start, float end, int64_t outer, int64_t inner, const double *from, double *to)
{
    const bool crop = is(a->coordinates, "tf_crop_and_resize");
    for (int64_t p = 0; p < g->out; p++) {
        const float x = position(a, (float)p, scale, (float)g->in, (float)g->out, start, end);
        for (int64_t o = 0; o < outer * inner; o++) {
            const double *src = from + o / inner * g->in * inner + o % inner;
            double sum = 0, weights = 0;
            for (int64_t i = (int64_t)floor(x) - 3; i <= (int64_t)floor(x) + 4; i++) {
                const int64_t at = i < 0 ? 0 : i >= g->in ? g->in - 1 : i;
                const double w = a->exclude_outside && at != i ? 0 : weight(a, x, i);
                sum += w * src[at * inner];
                weights += w;
            }
            to[(o / inner * g->out + p) * inner + o % inner] =
                crop && (x < 0 || x > (float)(g->in - 1)) ? NAN : sum / weights;
        }
    }
}

static void ref_resize(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    const struct onn_resize_attr *a = p->attr;
    struct onn_resize all;
    int64_t dim[ONN_MAX_RANK], n = 1;
    if (onn_resize_read(p, &all))
        return;
    for (int d = 0; d < p->in[0].rank; d++) {
        dim[d] = p->in[0].dim[d];
        n *= dim[d] > p->out[0].dim[d] ? dim[d] : p->out[0].dim[d];
    }
    double *now = onn_calloc((size_t)n, sizeof *now), *next = onn_calloc((size_t)n, sizeof *next);
    memcpy(now, r->in[0], (size_t)r->in_n[0] * sizeof *now);
    for (int d = 0; now && next && d < p->in[0].rank; d++) {
        int64_t outer = 1, inner = 1;
        float start = 0, end = 1, scale = (float)all.axis[d].out / (float)all.axis[d].in;
        int k = a->axes.n > 0 ? -1 : d;
        for (int i = 0; i < a->axes.n; i++)
            k = a->axes.v[i] == d ? i : k;
        if (k >= 0 && p->n_in > 2 && p->value[2])
            scale = (float)onn_blob_get_f64(p->value[2], k);
        if (k >= 0 && p->value[1] && onn_desc_elements(&p->in[1]) > 0) {
            start = (float)onn_blob_get_f64(p->value[1], k);
            end = (float)onn_blob_get_f64(p->value[1], onn_desc_elements(&p->in[1]) / 2 + k);
        }
        if (scale == 1 && all.axis[d].in == all.axis[d].out && start == 0 && end == 1)
            continue;
        for (int i = 0; i < d; i++)
            outer *= dim[i];
        for (int i = d + 1; i < p->in[0].rank; i++)
            inner *= dim[i];
        ref_axis(a, &all.axis[d], scale, start, end, outer, inner, now, next);
        dim[d] = all.axis[d].out;
        double *swap = now;
        now = next;
        next = swap;
    }
    for (int64_t i = 0; i < r->out_n[0]; i++)
        r->out[0][i] = isnan(now[i]) ? a->extrapolation_value : now[i];
    onn_free(now);
    onn_free(next);
}

#define NEAREST(text) \
    { \
        .problem = "resize x=" text, .ref = ref_resize, .c = 1 \
    }
#define SMOOTH(text) \
    { \
        .problem = "resize x=" text, .ref = ref_resize, .c = 32, .flags = ONN_CASE_NO_EXACT \
    }
static const struct onn_case cases[] = {
    NEAREST("2x19x5x11 roi=- scales=@1,1,2,2:f32 coordinates=asymmetric nearest=floor"),
    NEAREST("2x19x5x11 roi=- scales=@1,1,2,2:f32"),
    NEAREST("1x8x3x4 roi=- scales=@1,1,4,3:f32 coordinates=asymmetric nearest=floor"),
    NEAREST("1x5x7x9 roi=- scales=- sizes=@1,5,4,13"),
    NEAREST("1x5x7x9 roi=- scales=- sizes=@1,5,4,13 nearest=ceil coordinates=align_corners"),
    NEAREST("1x5x7x9 roi=- scales=@1,1,0.6,0.6:f32 nearest=round_prefer_ceil"),
    NEAREST("1x5x7x9 roi=- scales=- sizes=@7,8 axes=3,2 coordinates=tf_half_pixel_for_nn nearest=floor"),
    NEAREST("2x5x7 roi=- scales=@1,1,3:f32 coordinates=asymmetric nearest=floor"),
    NEAREST("1x3x3x4x5 roi=- scales=@1,1,2,2,2:f32 coordinates=asymmetric nearest=floor"),
    NEAREST("1x5x7x9:i64 roi=- scales=@1,1,2,2:f32"),
    NEAREST("4x6 roi=- scales=@2,0.5:f32 coordinates=asymmetric nearest=floor"),
    NEAREST("1x5x7x9 roi=- scales=@1,1,1,1:f32"),
    NEAREST("1x6x4x4 roi=- scales=@1,2,1,1:f32"),
    SMOOTH("2x19x5x11 roi=- scales=@1,1,2,2:f32 mode=linear"),
    SMOOTH("2x19x5x7 roi=- scales=- sizes=@2,19,9,12 mode=linear coordinates=align_corners"),
    SMOOTH("2x19x5x7 roi=- scales=- sizes=@2,19,3,4 mode=linear coordinates=pytorch_half_pixel"),
    SMOOTH("1x3x5x7 roi=- scales=- sizes=@1,3,1,1 mode=linear coordinates=pytorch_half_pixel"),
    SMOOTH("1x3x9x7 roi=- scales=@1,1,0.6,1.3:f32 mode=linear coordinates=half_pixel_symmetric"),
    SMOOTH("1x3x9x7 roi=- scales=@1,1,3,2:f32 mode=linear coordinates=asymmetric"),
    SMOOTH("2x5x7 roi=- scales=@1,1,2.5:f32 mode=linear"),
    SMOOTH("1x2x3x4x5 roi=- scales=@1,1,2,2,2:f32 mode=linear"),
    SMOOTH("1x2x3x600 roi=- scales=@1,1,1,2:f32 mode=linear"),
    SMOOTH("1x19x6x7 roi=- scales=@1,1,2,1.5:f32 mode=cubic"),
    SMOOTH("1x3x6x7 roi=- scales=@1,1,0.7,0.7:f32 mode=cubic exclude_outside=1 cubic_coeff_a=-0.5"),
    SMOOTH("1x8x6x7 roi=@0,0,0.4,0.6,1,1,0.6,0.8:f32 scales=- sizes=@1,8,3,3 mode=linear"
           " coordinates=tf_crop_and_resize"),
    SMOOTH("1x3x6x7 roi=@0,0,0.4,0.6,1,1,1.2,1.7:f32 scales=- sizes=@1,3,3,3 mode=linear"
           " coordinates=tf_crop_and_resize extrapolation_value=2"),
    SMOOTH("1x3x6x7 roi=@0,0,0.4,0.6,1,1,1.2,1.7:f32 scales=- sizes=@1,3,3,3 coordinates=tf_crop_and_resize"),
    {.problem = "resize x=1x32x52x52 roi=- scales=@1,1,2,2:f32 coordinates=asymmetric nearest=floor",
        .ref = ref_resize,
        .flags = ONN_CASE_SLOW},
    {.problem = "resize x=1x32x65x65 roi=- scales=- sizes=@1,32,257,257 mode=linear",
        .ref = ref_resize,
        .flags = ONN_CASE_SLOW},
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
