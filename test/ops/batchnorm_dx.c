/* Batch normalisation in training and its gradient against their formulas in double. */
#include "harness/harness.h"
#include "ops/batchnorm_train.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("batchnormalization x=2x5x3x3 s=5 b=5 m=5 v=5 training_mode=1 outs=5", "f32[2,5,3,3]");
    onn_check_infer("batchnorm_dx dy=2x5x3x3 x=2x5x3x3 s=5 m=5 d=5 outs=3", "f32[2,5,3,3]");
    onn_check_infer("batchnorm_dx dy=2x5x3x3 x=2x5x3x3 s=5 m=4 d=5", "!input 3 must have one number");
    onn_check_infer("batchnorm_dx dy=2x5x3x3 x=2x5x3x3 s=5 m=5 d=5 b=5 mask=1", "f32[2,5,3,3]");
    onn_check_infer("batchnorm_dx dy=2x5x3x3 x=2x5x3x3 s=5 m=5 d=5 mask=1", "!needs the bias");
    onn_check_infer("batchnorm_dx dy=2x5x3x3 x=2x5x3x3 s=5 m=5 d=5 b=4", "!input 5 must have one number");
}

/* Calls fn for each element of channel c; pixels behind a channel. */
#define EACH(x, c, i) \
    for (int64_t n_ = 0, px_ = onn_ref_elements(x) / ((x)->dim[0] * (x)->dim[1]); n_ < (x)->dim[0]; n_++) \
        for (int64_t i = (n_ * (x)->dim[1] + (c)) * px_; i < (n_ * (x)->dim[1] + (c) + 1) * px_; i++)

static void ref_train(struct onn_ref *r)
{
    const struct onn_batchnorm_attr *a = r->prob->attr;
    const struct onn_desc *x = &r->prob->in[0];
    const double count = (double)r->in_n[0] / (double)x->dim[1];
    for (int64_t c = 0; c < x->dim[1]; c++) {
        double mean = 0, variance = 0;
        EACH(x, c, i)
        mean += r->in[0][i] / count;
        EACH(x, c, i)
        variance += (r->in[0][i] - mean) * (r->in[0][i] - mean) / count;
        const double dev = 1 / sqrt(variance + a->epsilon);
        EACH(x, c, i)
        {
            r->out[0][i] = (r->in[0][i] - mean) * dev * r->in[1][c] + r->in[2][c];
            r->scale[0][i] = (fabs(r->in[0][i]) + fabs(mean)) * dev * fabs(r->in[1][c]) + fabs(r->in[2][c]);
        }
        const double more[4] = {r->in[3][c] * a->momentum + mean * (1 - (double)a->momentum),
            r->in[4][c] * a->momentum + variance * (1 - (double)a->momentum), mean, dev};
        for (int k = 1; k < r->n_out; k++) {
            r->out[k][c] = more[k - 1];
            r->scale[k][c] = fabs(more[k - 1]) + 1;
        }
    }
}

/* Does the gradient of element i of channel c pass the activation? */
static bool passes(const struct onn_ref *r, int64_t c, int64_t i)
{
    const struct onn_batchnorm_dx_attr *a = r->prob->attr;
    if (!a->mask)
        return true;
    const double y = (r->in[1][i] - r->in[3][c]) * r->in[4][c] * r->in[2][c] + r->in[5][c];
    return a->mask == ONN_MASK_RELU ? y > 0 : y > a->lo && y < a->hi;
}

static void ref_dx(struct onn_ref *r)
{
    const struct onn_desc *x = &r->prob->in[1];
    const double count = (double)r->in_n[1] / (double)x->dim[1];
    for (int64_t c = 0; c < x->dim[1]; c++) {
        const double scale = r->in[2][c], mean = r->in[3][c], dev = r->in[4][c];
        double sum = 0, moment = 0, sums = 0, moments = 0;
        EACH(x, c, i)
        {
            const double dy = passes(r, c, i) ? r->in[0][i] : 0;
            sum += dy;
            moment += dy * (r->in[1][i] - mean) * dev;
            sums += fabs(dy);
            moments += fabs(dy) * (fabs(r->in[1][i]) + fabs(mean)) * fabs(dev);
        }
        EACH(x, c, i)
        {
            const double v = (r->in[1][i] - mean) * dev, dy = passes(r, c, i) ? r->in[0][i] : 0;
            r->out[0][i] = scale * dev * (dy - sum / count - v * moment / count);
            r->scale[0][i] =
                fabs(scale * dev) * (fabs(r->in[0][i]) + sums / count + fabs(v) * moments / count);
        }
        if (r->n_out > 1) {
            r->out[1][c] = moment;
            r->scale[1][c] = moments;
        }
        if (r->n_out > 2) {
            r->out[2][c] = sum;
            r->scale[2][c] = sums;
        }
    }
}

/* A mean that is large beside the deviation: sums of squares would be wrong in the second digit, a piece's mean that is
 * rounded in the fifth or sixth. */
static void fill_far(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p;
    (void)integer;
    for (int64_t k = 0; k < n && i == 0; k++)
        data[k] += 1000;
}

#define FAR(text) \
    { \
        .problem = text, .ref = ref_train, .fill = fill_far, .c = 512, \
        .flags = ONN_CASE_NO_INTEGER | ONN_CASE_NO_F16 \
    }
#define TRAIN(text) \
    { \
        .problem = text, .ref = ref_train, .c = 32, .flags = ONN_CASE_NO_INTEGER \
    }
#define DX(text) \
    { \
        .problem = text, .ref = ref_dx, .c = 32, .flags = ONN_CASE_NO_INTEGER \
    }
static const struct onn_case cases[] = {
    TRAIN("batchnormalization x=2x5x3x3 s=5 b=5 m=5 v=5 training_mode=1"),
    TRAIN("batchnormalization x=3x16x9x7 s=16 b=16 m=16 v=16 training_mode=1 outs=3 momentum=0.8"),
    TRAIN("batchnormalization x=2x19x40x40 s=19 b=19 m=19 v=19 training_mode=1 outs=5"),
    TRAIN("batchnormalization x=16x9 s=9 b=9 m=9 v=9 training_mode=1 outs=5 epsilon=0.01"),
    TRAIN("batchnormalization x=4x6x11 s=6 b=6 m=6 v=6 training_mode=1 outs=5"),
    TRAIN("batchnormalization x=2x19x9x7 s=19 b=19 m=19 v=19 training_mode=1 outs=5 +relu"),
    TRAIN("batchnormalization x=3x16x40x40 s=16 b=16 m=16 v=16 training_mode=1 outs=5 +add=3x16x40x40 +relu"),
    TRAIN("batchnormalization x=2x5x3x3 s=5 b=5 m=5 v=5 training_mode=1 outs=5 +clip{min=-0.5,max=0.75}"),
    TRAIN("batchnormalization x=16x9 s=9 b=9 m=9 v=9 training_mode=1 outs=5 +add=16x9"),
    FAR("batchnormalization x=2x19x40x40 s=19 b=19 m=19 v=19 training_mode=1 outs=5"), /* three launches on two cores */
    FAR("batchnormalization x=3x16x41x40 s=16 b=16 m=16 v=16 training_mode=1 outs=5"), /* one */
    DX("batchnorm_dx dy=3x16x41x40 x=3x16x41x40 s=16 m=16 d=16 b=16 mask=1 outs=3"),
    DX("batchnorm_dx dy=2x19x40x40 x=2x19x40x40 s=19 m=19 d=19 b=19 mask=1 outs=3"),
    DX("batchnorm_dx dy=3x16x9x7 x=3x16x9x7 s=16 m=16 d=16 b=16 mask=2 lo=-0.5 hi=0.75 outs=3"),
    DX("batchnorm_dx dy=16x9 x=16x9 s=9 m=9 d=9 b=9 mask=1 outs=3"),
    DX("batchnorm_dx dy=2x5x3x3 x=2x5x3x3 s=5 m=5 d=5"),
    DX("batchnorm_dx dy=2x19x40x40 x=2x19x40x40 s=19 m=19 d=19 outs=3"),
    DX("batchnorm_dx dy=3x16x9x7 x=3x16x9x7 s=16 m=16 d=16 outs=3"),
    DX("batchnorm_dx dy=16x9 x=16x9 s=9 m=9 d=9 outs=3"),
    DX("batchnorm_dx dy=4x6x11 x=4x6x11 s=6 m=6 d=6 outs=3"),
    {.problem = NULL},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(infers_shapes)};
    if (argc < 2 && cmocka_run_group_tests(tests, NULL, NULL) != 0)
        return 1;
    return onn_harness_main(argc, argv, cases);
}
