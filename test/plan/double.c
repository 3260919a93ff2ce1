/* f64 is computed in double where the device has it, and refused by name where it has not; whole numbers take no detour
 * through floats. */
#include "plan/check.h"
#include <math.h>
#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/context.h"

static oclnn_context *ctx;

/* What the device and the host's double make of the same numbers. */
static void same_as_host(const char *text, double tolerance)
{
    struct onn_problem p;
    struct onn_check c;
    if (onn_problem_parse(text, &p) != OCLNN_OK || onn_problem_infer(&p) != OCLNN_OK)
        fail_msg("%s: %s", text, oclnn_error_text(NULL));
    if (onn_check_init(ctx, &p, true, &c) != OCLNN_OK || onn_check_want(&c) != OCLNN_OK)
        fail_msg("%s: %s", text, oclnn_error_text(NULL));
    assert_true(onn_check_host(&c));
    const struct onn_check_difference d = onn_check_compare(&c, tolerance, 0);
    if (d.wrong)
        fail_msg("%s: host %.17g, device %.17g at %lld", text, d.got, d.want, (long long)d.index);
    onn_check_finish(&c);
    onn_problem_finish(&p);
}

static const char *const with_host[] = {"div x=3x7:f64 b=3x7:f64", "add x=3x7:f64 b=7:f64",
    "sigmoid x=3x7:f64", "tanh x=3x7:f64", "exp x=3x7:f64", "gelu x=3x7:f64",
    "gelu x=3x7:f64 approximate=tanh", "hard_swish x=3x7:f64", "mish x=3x7:f64", "swish x=3x7:f64",
    "softplus x=3x7:f64", "sqrt x=3x7:f64", "pow x=3x7:f64 b=7:f64", "reducemean x=3x7:f64 axes=@1",
    "reducesum x=3x7:f64 axes=@1", "reducel2 x=3x7:f64 axes=@0", "reducelogsumexp x=3x7:f64 axes=@1",
    "softmax x=3x7:f64 axis=1", "logsoftmax x=3x7:f64 axis=1",
    "layernormalization x=3x7:f64 s=7:f64 b=7:f64"};

static void as_the_host_computes(void **state)
{
    (void)state;
    if (!onn_context_caps(ctx)->has_fp64)
        skip();
    for (size_t i = 0; i < sizeof with_host / sizeof *with_host; i++)
        same_as_host(with_host[i], 1e-14);
}

/* One run with operands of our own; 1 + 2^-40 and its like need a double. */
#define TINY 0x1p-40
static void run(const char *text, const void *const *in, void *out)
{
    struct onn_problem p;
    struct onn_single_result result;
    void *outs[2] = {out, NULL};
    if (onn_problem_parse(text, &p) != OCLNN_OK || onn_problem_infer(&p) != OCLNN_OK)
        fail_msg("%s: %s", text, oclnn_error_text(NULL));
    if (onn_single_run(ctx, &p, onn_check_reference(p.prob.op), 0, NULL, in, outs, &result) != OCLNN_OK)
        fail_msg("%s: %s", text, oclnn_error_text(NULL));
    onn_problem_finish(&p);
}

static void digits_of_a_double(void **state)
{
    const double x[4] = {1 + TINY, 2, 3 + TINY, 1e300}, w[4] = {1, 1, 1, 0};
    double y[4];
    (void)state;
    if (!onn_context_caps(ctx)->has_fp64)
        skip();
    run("conv x=1x1x2x2:f64 w=1x1x2x2:f64", (const void *[]){x, w}, y);
    assert_true(y[0] == 6 + 2 * TINY);
    run("convtranspose x=1x4x1x1:f64 w=4x1x1x1:f64", (const void *[]){x, w}, y);
    assert_true(y[0] == 6 + 2 * TINY);
    run("matmul x=1x4:f64 w=4x1:f64", (const void *[]){x, w}, y);
    assert_true(y[0] == 6 + 2 * TINY);
    run("averagepool x=1x1x1x3:f64 kernel_shape=1,3", (const void *[]){x}, y);
    assert_true(fabs(y[0] - (2 + TINY * 2 / 3)) < 1e-15);
    run("maxpool x=1x1x1x3:f64 kernel_shape=1,3", (const void *[]){x}, y);
    assert_true(y[0] == 3 + TINY);
    run("add x=4:f64 b=4:f64", (const void *[]){x, x}, y);
    assert_true(y[0] == 2 + 2 * TINY && y[3] == 2e300);
    run("cumsum x=4:f64 axis=@0:scalar", (const void *[]){x, NULL}, y);
    assert_true(y[2] == 6 + 2 * TINY && y[3] == 1e300);
}

static void comparisons_and_casts(void **state)
{
    const double x[2] = {1 + TINY, 0x1p53}, one[2] = {1, 0x1p53};
    const int64_t whole[2] = {(INT64_C(1) << 53) - 1, -3};
    const uint8_t condition[2] = {1, 0};
    uint8_t flags[2];
    double y[2];
    int64_t back[2];
    float narrow[2];
    (void)state;
    if (!onn_context_caps(ctx)->has_fp64)
        skip();
    run("less x=2:f64 b=2:f64", (const void *[]){one, x}, flags);
    assert_true(flags[0] == 1 && flags[1] == 0);
    run("where c=2:bool x=2:f64 b=2:f64", (const void *[]){condition, x, one}, y);
    assert_true(y[0] == 1 + TINY && y[1] == 0x1p53);
    run("cast x=2:i64 to=11", (const void *[]){whole}, y);
    assert_true(y[0] == 0x1p53 - 1 && y[1] == -3);
    run("cast x=2:f64 to=7", (const void *[]){x}, back);
    assert_true(back[0] == 1 && back[1] == INT64_C(1) << 53);
    run("cast x=2:f64 to=1", (const void *[]){x}, narrow);
    assert_true(narrow[0] == 1.0f && narrow[1] == 0x1p53f);
}

static void whole_numbers(void **state)
{
    const int64_t big = (INT64_C(1) << 60) + 1, a[2] = {big, -big}, b[2] = {3, 5};
    const int32_t c[2] = {(1 << 30) + 1, -7}, d[2] = {1, 2};
    int64_t y[2];
    int32_t z[2];
    (void)state;
    run("add x=2:i64 b=2:i64", (const void *[]){a, b}, y);
    assert_true(y[0] == big + 3 && y[1] == 5 - big);
    run("mul x=2:i64 b=2:i64", (const void *[]){a, b}, y);
    assert_true(y[0] == big * 3 && y[1] == -big * 5);
    run("div x=2:i64 b=2:i64", (const void *[]){a, b}, y);
    assert_true(y[0] == big / 3 && y[1] == -big / 5);
    run("max x=2:i64 b=2:i64", (const void *[]){a, b}, y);
    assert_true(y[0] == big && y[1] == 5);
    run("reducesum x=2:i64 axes=@0 keepdims=0", (const void *[]){a, NULL}, y);
    assert_true(y[0] == 0);
    run("reducemax x=2:i64 axes=@0 keepdims=0", (const void *[]){a, NULL}, y);
    assert_true(y[0] == big);
    run("cumsum x=2:i64 axis=@0:scalar", (const void *[]){a, NULL}, y);
    assert_true(y[0] == big && y[1] == 0);
    run("add x=2:i32 b=2:i32", (const void *[]){c, d}, z);
    assert_true(z[0] == (1 << 30) + 2 && z[1] == -5);
    run("cast x=2:i64 to=6", (const void *[]){b}, z);
    assert_true(z[0] == 3 && z[1] == 5);
}

/* A device without double: who computes says no, who moves or converts goes on. */
static void refused_by_name(void **state)
{
    static const char *const computes[] = {"add x=2:f64 b=2:f64", "sigmoid x=2:f64",
        "conv x=1x1x2x2:f64 w=1x1x1x1:f64", "matmul x=1x4:f64 w=4x1:f64", "softmax x=3x7:f64 axis=1",
        "reducesum x=3x7:f64 axes=@1", "averagepool x=1x1x1x3:f64 kernel_shape=1,3",
        "cumsum x=4:f64 axis=@0:scalar"};
    static const char *const moves[] = {"transpose x=2x3:f64 perm=1,0", "cast x=2:f64 to=1",
        "cast x=2:f32 to=11"};
    const struct onn_caps caps = {.vector_cpu = true, .vector_width = 8, .max_group = 64};
    (void)state;
    for (size_t i = 0; i < 11; i++) {
        const char *text = i < 8 ? computes[i] : moves[i - 8];
        struct onn_problem p;
        bool taken = false;
        if (onn_problem_parse(text, &p) != OCLNN_OK || onn_problem_infer(&p) != OCLNN_OK)
            fail_msg("%s: %s", text, oclnn_error_text(NULL));
        p.prob.caps = &caps;
        for (int v = 0; p.prob.op->variants[v]; v++)
            taken = taken || !onn_variant_refuse(p.prob.op->variants[v], &p.prob);
        if (taken != (i >= 8))
            fail_msg("%s is %s", text, taken ? "taken" : "refused");
        const char *reason = onn_variant_refuse(onn_check_reference(p.prob.op), &p.prob);
        if (i < 8 && (!reason || !strstr(reason, "f64")))
            fail_msg("%s: %s", text, reason ? reason : "taken");
        onn_problem_finish(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_the_host_computes),
        cmocka_unit_test(digits_of_a_double), cmocka_unit_test(comparisons_and_casts),
        cmocka_unit_test(whole_numbers), cmocka_unit_test(refused_by_name)};
    if (oclnn_context_create(NULL, &ctx) == OCLNN_ERROR_NO_DEVICE) {
        puts("skipped: no device");
        return 77;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
