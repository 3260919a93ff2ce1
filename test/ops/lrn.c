/* LRN, LpNormalization and MeanVarianceNormalization against plain loops. */
#include "harness/harness.h"
#include "ops/norm.h"

#include <math.h>

static void ref_lrn(struct onn_ref *r)
{
    const struct onn_desc *x = &r->prob->in[0];
    const struct onn_lrn_attr *a = r->prob->attr;
    int64_t idx[ONN_MAX_RANK], other[ONN_MAX_RANK];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        double sum = 0;
        onn_ref_index(x, i, idx);
        onn_ref_index(x, i, other);
        const int64_t from = idx[1] - (a->size - 1) / 2;
        for (int64_t c = from; c < from + a->size; c++)
            if (c >= 0 && c < x->dim[1]) {
                other[1] = c;
                sum += pow(r->in[0][onn_ref_at(x, other)], 2);
            }
        r->out[0][i] = r->in[0][i] / pow(a->bias + a->alpha / (double)a->size * sum, a->beta);
    }
}

/* Axis 1. */
static void ref_lp(struct onn_ref *r)
{
    const struct onn_desc *x = &r->prob->in[0];
    const struct onn_lpnorm_attr *a = r->prob->attr;
    int64_t idx[ONN_MAX_RANK];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        double sum = 0;
        onn_ref_index(x, i, idx);
        for (idx[1] = 0; idx[1] < x->dim[1]; idx[1]++)
            sum += pow(fabs(r->in[0][onn_ref_at(x, idx)]), (double)a->p);
        r->out[0][i] = r->in[0][i] / pow(sum, 1 / (double)a->p);
    }
}

/* Axes 0, 2, 3. */
static void ref_mvn(struct onn_ref *r)
{
    const struct onn_desc *x = &r->prob->in[0];
    const double n = (double)(r->out_n[0] / x->dim[1]);
    int64_t idx[ONN_MAX_RANK];
    for (int64_t c = 0; c < x->dim[1]; c++) {
        double mean = 0, square = 0;
        for (int pass = 0; pass < 3; pass++)
            for (int64_t i = 0; i < r->out_n[0]; i++) {
                onn_ref_index(x, i, idx);
                if (idx[1] != c)
                    continue;
                const double v = r->in[0][i];
                if (pass == 0)
                    mean += v / n;
                else if (pass == 1)
                    square += (v - mean) * (v - mean) / n;
                else
                    r->out[0][i] = (v - mean) / (sqrt(square) + 1e-9);
                r->scale[0][i] = 4;
            }
    }
}

#define C(text, function) \
    { \
        .problem = text, .ref = function, .c = 8, .flags = ONN_CASE_NO_INTEGER \
    }
static const struct onn_case cases[] = {
    C("lrn x=2x11x5x7 size=5", ref_lrn),
    C("lrn x=1x4x3x3 size=3 alpha=0.5 beta=0.5 bias=2", ref_lrn),
    C("lrn x=1x9x40 size=4 alpha=0.5 beta=0.6", ref_lrn),
    C("lpnormalization x=2x11x5 axis=1", ref_lp),
    C("lpnormalization x=2x11x5 axis=1 p=1", ref_lp),
    C("meanvariancenormalization x=2x11x5x7", ref_mvn),
    {0},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
