/* Softmax and LogSoftmax against plain loops. */
#include "harness/harness.h"
#include "ops/softmax.h"

#include <math.h>

static void ref(struct onn_ref *r)
{
    const struct onn_prob *p = r->prob;
    struct onn_oli s;
    if (!onn_softmax_oli(p, &p->in[0], &s))
        return;
    for (int64_t row = 0; row < s.outer * s.inner; row++) {
        const int64_t at = row / s.inner * s.len * s.inner + row % s.inner;
        double most = -INFINITY, sum = 0;
        for (int64_t i = 0; i < s.len; i++)
            most = fmax(most, r->in[0][at + i * s.inner]);
        for (int64_t i = 0; i < s.len; i++)
            sum += exp(r->in[0][at + i * s.inner] - most);
        for (int64_t i = 0; i < s.len; i++) {
            const double v = r->in[0][at + i * s.inner] - most;
            r->out[0][at + i * s.inner] = p->op->name[0] == 'l' ? v - log(sum) : exp(v) / sum;
            r->scale[0][at + i * s.inner] = 1 + fabs(v);
        }
    }
}

#define C(text) \
    { \
        .problem = text, .ref = ref, .flags = ONN_CASE_NO_INTEGER \
    }
static const struct onn_case cases[] = {
    C("softmax x=3x10"),
    C("softmax x=5x1000"),
    C("softmax x=2x21x9x7 axis=1"),
    C("softmax x=2x5x3x33 axis=-1"),
    C("softmax x=2x5x6x4 axis=2"),
    C("softmax x=2x4x2x3 axis=1"), /* fewer columns than lanes, fewer items than a work-group */
    C("softmax x=2x3x4 axis=1 legacy=1"),
    C("softmax x=2x3x4 axis=0 legacy=1"),
    C("logsoftmax x=3x10"),
    C("logsoftmax x=2x21x9x7 axis=1"),
    C("logsoftmax x=4x77"),
    {0},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
