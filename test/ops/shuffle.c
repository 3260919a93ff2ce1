/* channelshuffle against its definition, in every format; the pass that makes it of three nodes. */
#include "harness/harness.h"
#include "ops/shuffle.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("channelshuffle x=1x12x3x4 group=3", "f32[1,12,3,4]");
    onn_check_infer("channelshuffle x=?x12x3 group=4", "f32[-1,12,3]");
    onn_check_infer("channelshuffle x=1x10x3x4 group=4", "!does not divide 10");
    onn_check_infer("channelshuffle x=12", "!1 dimensions");
}

static void ref_shuffle(struct onn_ref *r)
{
    const struct onn_shuffle_attr *a = r->prob->attr;
    const struct onn_desc *x = &r->prob->in[0];
    const int64_t each = x->dim[1] / a->group;
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        int64_t at[ONN_MAX_RANK];
        onn_ref_index(x, i, at);
        at[1] = at[1] % a->group * each + at[1] / a->group;
        r->out[0][i] = r->in[0][onn_ref_at(x, at)];
    }
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref_shuffle, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("channelshuffle x=2x12x3x5 group=3"),
    CASE("channelshuffle x=1x136x7x9 group=4"),
    CASE("channelshuffle x=1x17x4x4 group=17"),
    CASE("channelshuffle x=3x15x11 group=5"),
    CASE("channelshuffle x=2x8x1x1 group=2"),
    CASE("channelshuffle x=1x6x40x50 group=2"),
    CASE("channelshuffle x=4x6 group=3"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
