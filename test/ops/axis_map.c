/* axis_map against its definition. */
#include "ops/axis_map.h"
#include "harness/harness.h"
#include <math.h>

static void ref(struct onn_ref *r)
{
    const struct onn_axis_map_attr *a = r->prob->attr;
    const struct onn_desc *x = &r->prob->in[0], *y = &r->prob->out[0];
    int64_t at[ONN_MAX_RANK];
    int axis = 0;
    onn_axis_resolve(a->axis, x->rank, &axis);
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        onn_ref_index(y, i, at);
        const int64_t o = at[axis];
        for (int64_t j = (int64_t)r->in[1][o]; j < (int64_t)r->in[1][o + 1]; j++) {
            at[axis] = (int64_t)r->in[2][j];
            const double v = r->in[3][j] * r->in[0][onn_ref_at(x, at)];
            r->out[0][i] += v;
            r->scale[0][i] += fabs(v);
        }
    }
}

/* Five inputs, four outputs with 2, 0, 3 and 1 taps. */
#define MAP " s=@0,2,2,5,6:i32 i=@4,1,0,2,3,3:i32 w=@1,-2,3,1,2,0.5:f32"
#define CASE(text) \
    { \
        .problem = text, .ref = ref, .flags = ONN_CASE_NO_F16 \
    }
static const struct onn_case cases[] = {
    CASE("axis_map x=5" MAP),
    CASE("axis_map x=3x5 axis=1" MAP),
    CASE("axis_map x=5x19 axis=0" MAP),
    CASE("axis_map x=2x17x5x6 axis=2" MAP),
    CASE("axis_map x=2x16x6x5 axis=-1" MAP),
    CASE("axis_map x=2x5x4x3 axis=1" MAP),
    CASE("axis_map x=2x9x5x2x3 axis=2" MAP),
    {.problem = NULL},
};

int main(int argc, char **argv)
{
    return onn_harness_main(argc, argv, cases);
}
