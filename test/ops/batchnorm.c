/* BatchNormalization in inference against its formula, alone and with a chain behind it. */
#include "harness/harness.h"
#include "ops/norm.h"

#include <math.h>

static void ref(struct onn_ref *r)
{
    const struct onn_desc *x = &r->prob->in[0];
    const struct onn_batchnorm_attr *a = r->prob->attr;
    int64_t idx[ONN_MAX_RANK];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        onn_ref_index(x, i, idx);
        const int64_t c = idx[1];
        const double k = r->in[1][c] / sqrt(r->in[4][c] + (double)a->epsilon);
        r->out[0][i] = (r->in[0][i] - r->in[3][c]) * k + r->in[2][c];
        r->scale[0][i] = (fabs(r->in[0][i]) + fabs(r->in[3][c])) * fabs(k) + fabs(r->in[2][c]) + 1;
    }
}

static void fill(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p, (void)integer;
    for (int64_t k = 0; k < n; k++)
        data[k] = i == 4 ? 0.5 + (double)(k % 7) / 4 : (double)(k * 7919 % 101) / 50 - 1;
}

#define C(text) \
    { \
        .problem = text, .ref = ref, .c = 8, .flags = ONN_CASE_NO_INTEGER, .fill = fill \
    }
static const struct onn_case cases[] = {
    C("batchnormalization x=2x11x5x7 s=11 b=11 m=11 v=11"),
    C("batchnormalization x=3x9 s=9 b=9 m=9 v=9"),
    C("batchnormalization x=2x5x30 s=5 b=5 m=5 v=5 epsilon=0.01"),
    C("batchnormalization x=1x16x8x8 s=16 b=16 m=16 v=16 +add=1x16x8x8 +relu"),
    C("batchnormalization x=1x4x3x4x5 s=4 b=4 m=4 v=4 +sigmoid"),
    {0},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
