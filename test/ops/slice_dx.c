/* slice_dx against its definition. */
#include "harness/harness.h"
#include "ops/slice_dx.h"

static void ref(struct onn_ref *r)
{
    const struct onn_slice_dx_attr *a = r->prob->attr;
    const struct onn_desc *x = &r->prob->in[0], *y = &r->prob->out[0];
    int64_t at[ONN_MAX_RANK];
    for (int64_t i = 0; i < r->in_n[0]; i++) {
        onn_ref_index(x, i, at);
        for (int d = 0; d < x->rank; d++)
            at[d] = a->start.v[d] + at[d] * a->step.v[d];
        r->out[0][onn_ref_at(y, at)] = r->in[0][i];
    }
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref \
    }
static const struct onn_case cases[] = {
    CASE("slice_dx x=3x4 shape=5,9 start=1,2 step=1,1"),
    CASE("slice_dx x=2x3x4x5 shape=2,8,4,11 start=0,2,0,1 step=1,1,1,2"),
    CASE("slice_dx x=2x16x4x5 shape=2,32,4,5 start=0,16,0,0 step=1,1,1,1"),
    CASE("slice_dx x=1x5x6x7 shape=1,5,6,7 start=0,4,5,6 step=1,-1,-1,-1"),
    CASE("slice_dx x=1x17x3x3 shape=1,17,7,8 start=0,0,1,2 step=1,1,2,2"),
    CASE("slice_dx x=6 shape=20 start=19 step=-3"),
    CASE("slice_dx x=1x1x1 shape=3,3,3 start=1,1,1 step=1,1,1"),
    {.problem = NULL},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
