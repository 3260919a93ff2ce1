/* OneHot against its definition; NonZero on the host. */
#include "harness/harness.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("onehot index=2x3:i64 depth=@5 values=2", "f32[2,3,5]");
    onn_check_infer("onehot index=2x3:i64 depth=@5 values=2 axis=0", "f32[5,2,3]");
    onn_check_infer("onehot index=2x3:i64 depth=@5 values=2 axis=-2", "f32[2,5,3]");
    onn_check_infer("onehot index=2x3:i64 depth=@5 values=3", "!two");
    onn_check_infer("onehot index=2x3:i64 depth=@0 values=2", "!depth is 0");
    onn_check_infer("nonzero x=@0,3,0,4", "i64[1,2]");
    onn_check_infer("nonzero x=3x4", "i64[2,-1]");
}

static void ref_onehot(struct onn_ref *r)
{
    const struct onn_desc *y = &r->prob->out[0];
    const int64_t axis = *(const int64_t *)r->prob->attr;
    const int a = (int)(axis < 0 ? axis + y->rank : axis);
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        int64_t at[ONN_MAX_RANK], in[ONN_MAX_RANK];
        onn_ref_index(y, i, at);
        for (int d = 0; d + 1 < y->rank; d++)
            in[d] = at[d < a ? d : d + 1];
        double k = r->in[0][onn_ref_at(&r->prob->in[0], in)];
        k += k < 0 ? (double)y->dim[a] : 0;
        r->out[0][i] = r->in[2][k == (double)at[a]];
    }
}

#define CASE(text) \
    { \
        .problem = "onehot index=" text, .ref = ref_onehot, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("2x3:i64 depth=@5 values=2"),
    CASE("2x3:i32 depth=@5 values=2 axis=0"),
    CASE("7:i64 depth=@4 values=2:i64 axis=-2"),
    CASE("scalar:i64 depth=@4 values=2:u8"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
