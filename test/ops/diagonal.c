/* Trilu and EyeLike against their definitions. */
#include "harness/harness.h"
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("trilu x=2x3x4", "f32[2,3,4]");
    onn_check_infer("trilu x=4", "!holds no matrices");
    onn_check_infer("eyelike x=3x4", "f32[3,4]");
    onn_check_infer("eyelike x=3x4 dtype=7", "i64[3,4]");
    onn_check_infer("eyelike x=3x4x5", "!3 dimensions");
    onn_check_infer("eyelike x=3x4 dtype=8", "!element type 8");
}

static void ref_trilu(struct onn_ref *r)
{
    const int64_t upper = *(const int64_t *)r->prob->attr;
    const struct onn_desc *y = &r->prob->out[0];
    const int64_t k = r->prob->n_in > 1 ? onn_blob_get_i64(r->prob->value[1], 0) : 0;
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        int64_t at[ONN_MAX_RANK];
        onn_ref_index(y, i, at);
        const int64_t d = at[y->rank - 1] - at[y->rank - 2];
        r->out[0][i] = (upper ? d >= k : d <= k) ? r->in[0][i] : 0;
    }
}

static void ref_eye(struct onn_ref *r)
{
    const int64_t k = *(const int64_t *)r->prob->attr;
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        int64_t at[ONN_MAX_RANK];
        onn_ref_index(&r->prob->out[0], i, at);
        r->out[0][i] = at[1] - at[0] == k;
    }
}

#define CASE(text, fn) \
    { \
        .problem = text, .ref = fn, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("trilu x=2x5x7", ref_trilu),
    CASE("trilu x=2x5x7 k=@1:scalar", ref_trilu),
    CASE("trilu x=5x7 k=@-2:scalar upper=0", ref_trilu),
    CASE("trilu x=7x5:i64 upper=0", ref_trilu),
    CASE("eyelike x=5x7", ref_eye),
    CASE("eyelike x=5x7 k=2", ref_eye),
    CASE("eyelike x=7x5:i64 k=-3", ref_eye),
    CASE("eyelike x=7x5 k=-9", ref_eye),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
