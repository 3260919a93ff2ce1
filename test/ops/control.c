/* If: it has no kernel; the infer pass inlines it (test/pass, test/io). Here: what its descriptor says. */
#include "harness/harness.h"
#include "ops/control.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void describes_if(void **state)
{
    const struct onn_op *op = onn_op_find_onnx("If");
    (void)state;
    assert_non_null(op);
    assert_true(op->flags & ONN_OP_HOST_ONLY);
    assert_null(op->variants);
    onn_check_infer("if c=scalar:bool", "!a branch is missing");
}

/* Types and shapes on which the branches agree; with a known condition those of the branch taken. */
static void infers_outputs(void **state)
{
    struct onn_graph *g[2] = {0};
    const int64_t dim[2][2] = {{2, 3}, {2, 5}};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const struct onn_desc d = onn_desc_make(OCLNN_F32, 2, dim[k]);
        assert_int_equal(onn_graph_create(&g[k]), OCLNN_OK);
        onn_graph_add_output(g[k], "y", onn_graph_add_input(g[k], "x", &d));
    }
    const struct onn_if_attr attr = {.then_branch = g[1], .else_branch = g[0]};
    const struct onn_desc in = onn_desc_make(OCLNN_BOOL, 0, NULL);
    struct onn_desc out;
    struct onn_blob *cond = NULL;
    const struct onn_blob *value[1] = {NULL};
    struct onn_prob p =
        {.op = onn_op_find("if"), .attr = &attr, .n_in = 1, .n_out = 1, .in = &in, .value = value};
    assert_int_equal(p.op->infer(&p, &out), OCLNN_OK);
    assert_int_equal(out.dim[0], 2);
    assert_int_equal(out.dim[1], -1);
    assert_int_equal(onn_blob_create(&in, NULL, &cond), OCLNN_OK);
    onn_blob_set_i64(cond, 0, 1);
    value[0] = cond;
    assert_int_equal(p.op->infer(&p, &out), OCLNN_OK);
    assert_int_equal(out.dim[1], 5);
    onn_blob_unref(&cond);
    onn_graph_destroy(&g[0]);
    onn_graph_destroy(&g[1]);
}

int main(void)
{
    const struct CMUnitTest pure[] = {cmocka_unit_test(describes_if), cmocka_unit_test(infers_outputs)};
    return cmocka_run_group_tests(pure, NULL, NULL);
}
