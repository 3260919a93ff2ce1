/* DepthToSpace and SpaceToDepth against their definitions. */
#include "harness/harness.h"
#include "ops/space.h"
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("depthtospace x=1x12x3x4 block=2", "f32[1,3,6,8]");
    onn_check_infer("spacetodepth x=1x3x6x8 block=2", "f32[1,12,3,4]");
    onn_check_infer("spacetodepth x=?x3x?x8 block=2", "f32[-1,12,-1,4]");
    onn_check_infer("depthtospace x=1x10x3x4 block=2", "!no multiple of 4");
    onn_check_infer("spacetodepth x=1x3x5x8 block=2", "!no multiple of 2");
    onn_check_infer("depthtospace x=12x3x4 block=2", "!3 dimensions");
}

static void ref_space(struct onn_ref *r)
{
    const struct onn_space_attr *a = r->prob->attr;
    const bool wide = strcmp(r->prob->op->name, "depthtospace") == 0,
               crd = a->mode && !strcmp(a->mode, "CRD");
    const struct onn_desc *w = wide ? &r->prob->out[0] : &r->prob->in[0];
    const struct onn_desc *deep = wide ? &r->prob->in[0] : &r->prob->out[0];
    const int64_t s = a->block;
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        int64_t at[ONN_MAX_RANK];
        onn_ref_index(w, i, at);
        const int64_t rs = at[2] % s, q = at[3] % s;
        const int64_t c = wide && crd ? (at[1] * s + rs) * s + q : (rs * s + q) * w->dim[1] + at[1];
        const int64_t in[4] = {at[0], c, at[2] / s, at[3] / s}, k = onn_ref_at(deep, in);
        r->out[0][wide ? i : k] = r->in[0][wide ? k : i];
    }
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref_space, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("depthtospace x=2x12x3x5 block=2"),
    CASE("depthtospace x=2x12x3x5 block=2 mode=CRD"),
    CASE("depthtospace x=1x9x17x20 block=3"),
    CASE("depthtospace x=1x9x17x20 block=3 mode=CRD"),
    CASE("spacetodepth x=2x3x6x10 block=2"),
    CASE("spacetodepth x=1x5x9x6 block=3"),
    CASE("spacetodepth x=1x5x3x2 block=1"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
