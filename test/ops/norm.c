/* Instance, layer and group normalisation against plain loops. */
#include "harness/harness.h"
#include "ops/norm.h"

#include <math.h>

static void ref(struct onn_ref *r)
{
    struct onn_norm_rows g;
    if (!onn_norm_rows(r->prob, &g))
        return;
    for (int64_t row = 0; row < g.rows; row++) {
        const double *x = r->in[0] + row * g.len;
        double mean = 0, square = 0;
        for (int i = 0; i < g.len; i++)
            mean += x[i] / g.len;
        for (int i = 0; i < g.len; i++)
            square += (x[i] - mean) * (x[i] - mean);
        const double dev = 1 / sqrt(square / g.len + (double)g.epsilon);
        for (int i = 0; i < g.len; i++) {
            const int64_t c = row % g.period * g.channels + i / g.seg;
            const double bias = r->n_in > 2 && r->in[2] ? r->in[2][c] : 0;
            r->out[0][row * g.len + i] = (x[i] - mean) * dev * r->in[1][c] + bias;
            r->scale[0][row * g.len + i] =
                (fabs(x[i]) + fabs(mean)) * dev * fabs(r->in[1][c]) + fabs(bias) + 1;
        }
        if (r->n_out > 1)
            r->out[1][row] = mean;
        if (r->n_out > 2)
            r->out[2][row] = dev;
    }
}

#define C(text) \
    { \
        .problem = text, .ref = ref, .c = 16, .flags = ONN_CASE_NO_INTEGER \
    }
static const struct onn_case cases[] = {
    C("instancenormalization x=2x11x9x7 s=11 b=11"),
    C("instancenormalization x=1x3x40 s=3 b=3"),
    C("instancenormalization x=1x24x8x8 s=24 b=24"),
    C("layernormalization x=4x6x37 s=37 b=37"),
    C("layernormalization x=4x64 s=64"),
    C("layernormalization x=2x3x4x5 s=4x5 b=4x5 axis=2"),
    C("layernormalization x=4x6x40 s=40 b=40 outs=3"),
    C("groupnormalization x=2x12x5x7 s=12 b=12 num_groups=3"),
    C("groupnormalization x=1x8x9 s=8 b=8 num_groups=8"),
    {0},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
