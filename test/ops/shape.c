/* Shape, Size, Constant, ConstantOfShape, Range: shapes, host values, and the fill kernel. */
#include "harness/harness.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void infers_shapes(void **state)
{
    (void)state;
    onn_check_infer("shape x=2x3x4", "i64[3]");
    onn_check_infer("shape x=2x3x4 start=1", "i64[2]");
    onn_check_infer("shape x=2x3x4 start=-1", "i64[1]");
    onn_check_infer("shape x=2x3x4 start=0 end=-1", "i64[2]");
    onn_check_infer("shape x=2x3x4 start=2 end=1", "i64[0]");
    onn_check_infer("size x=2x3x4", "i64[]");
    onn_check_infer("constantofshape shape=@2,3", "f32[2,3]");
    onn_check_infer("constantofshape shape=@()", "f32[]");
    onn_check_infer("constantofshape shape=@2,-3", "!entry 1 of the shape is -3");
    onn_check_infer("range start=@3:scalar limit=@9:scalar delta=@3:scalar", "i64[2]");
    onn_check_infer("range start=@10:scalar limit=@4:scalar delta=@-2:scalar", "i64[3]");
    onn_check_infer("range start=@10:scalar limit=@4:scalar delta=@2:scalar", "i64[0]");
    onn_check_infer("range start=@0:f32:scalar limit=@1:f32:scalar delta=@0.3:f32:scalar", "f32[4]");
    onn_check_infer("range start=@1:scalar limit=@4:scalar delta=@0:scalar", "!delta is 0");
}

/* The host function of a problem without data inputs. */
static void check_host(const char *text, int n, const int64_t *want)
{
    struct onn_problem p;
    struct onn_blob *out = NULL;
    assert_int_equal(onn_problem_parse(text, &p), OCLNN_OK);
    assert_int_equal(onn_problem_infer(&p), OCLNN_OK);
    assert_int_equal(onn_blob_create(&p.out[0], NULL, &out), OCLNN_OK);
    assert_int_equal(p.prob.op->host(&p.prob, &out), OCLNN_OK);
    assert_int_equal(onn_desc_elements(&out->desc), n);
    for (int i = 0; i < n; i++)
        assert_int_equal(onn_blob_get_i64(out, i), want[i]);
    onn_blob_unref(&out);
    onn_problem_finish(&p);
}

static void knows_values(void **state)
{
    (void)state;
    check_host("shape x=2x3x4", 3, (int64_t[]){2, 3, 4});
    check_host("shape x=2x3x4 start=-2 end=-1", 1, (int64_t[]){3});
    check_host("size x=2x3x4", 1, (int64_t[]){24});
    check_host("range start=@3:scalar limit=@10:scalar delta=@3:scalar", 3, (int64_t[]){3, 6, 9});
    check_host("range start=@3:scalar limit=@-2:scalar delta=@-2:scalar", 3, (int64_t[]){3, 1, -1});
    check_host("constantofshape shape=@3 value=@7", 3, (int64_t[]){7, 7, 7});
    check_host("constant ints=1,2,3", 3, (int64_t[]){1, 2, 3});
    check_host("constant int=5", 1, (int64_t[]){5});
    check_host("constant float=2", 1, (int64_t[]){2});
}

static void ref_filled(struct onn_ref *r)
{
    const struct onn_blob *const *value = r->prob->attr;
    for (int64_t i = 0; i < r->out_n[0]; i++)
        r->out[0][i] = *value ? onn_blob_get_f64(*value, 0) : 0;
}

#define CASE(text) \
    { \
        .problem = "constantofshape shape=" text, .ref = ref_filled, .c = 1 \
    }
static const struct onn_case cases[] = {
    CASE("@3,70,50"),
    CASE("@1000 value=@7"),
    CASE("@3,5 value=@1.5:f32"),
    CASE("@()"),
    CASE("@0,3"),
    {0},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(infers_shapes), cmocka_unit_test(knows_values)};
    const int failed = cmocka_run_group_tests(pure, NULL, NULL), ran = onn_harness_main(argc, argv, cases);
    return failed ? 1 : ran;
}
