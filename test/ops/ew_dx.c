/* The element-wise rows of gradients: the kernels against the rows' own functions in double, and those functions
 * against central differences of the forward rows'. */
#include "harness/harness.h"
#include "ops/elementwise.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct onn_ew_row *row_of(const char *name)
{
    const struct onn_ew_row *row = onn_ew_row(onn_op_find(name));
    assert_non_null(row);
    return row;
}

/* dy = 1: row_dx(1, x or y) is the slope. */
static void check_slope(const char *name, bool from_y, double low, double high, float alpha, float beta)
{
    char dx[48];
    const struct onn_ew_attr attr = {.alpha = alpha, .beta = beta};
    const struct onn_ew_row *f = row_of(name);
    snprintf(dx, sizeof dx, "%s_dx", name);
    const struct onn_ew_row *d = row_of(dx);
    for (int i = 0; i < 57; i++) {
        const double x = low + (high - low) * (i + 0.37) / 57, h = 1e-6 * fmax(1, fabs(x));
        const double want = (f->host(x + h, 0, 0, &attr) - f->host(x - h, 0, 0, &attr)) / (2 * h);
        const double got = d->host(1, from_y ? f->host(x, 0, 0, &attr) : x, 0, &attr);
        if (!(fabs(got - want) <= 1e-6 * fmax(1, fabs(want))))
            fail_msg("%s at %g: %g, but the differences give %g", dx, x, got, want);
    }
}

static void slopes_are_right(void **state)
{
    static const char *const from_y[] = {"relu", "sigmoid", "tanh", "softplus", "softsign", "tan"};
    static const char *const from_x[] = {"hard_swish", "mish", "gelu", "erf", "sin", "cos", "sinh", "cosh",
        "asinh", "atan", "abs"};
    (void)state;
    for (size_t i = 0; i < sizeof from_y / sizeof from_y[0]; i++)
        check_slope(from_y[i], true, -1.5, 1.5, 0, 0);
    for (size_t i = 0; i < sizeof from_x / sizeof from_x[0]; i++)
        check_slope(from_x[i], false, -4, 4, 0, 0);
    check_slope("asin", false, -0.95, 0.95, 0, 0);
    check_slope("acos", false, -0.95, 0.95, 0, 0);
    check_slope("atanh", false, -0.95, 0.95, 0, 0);
    check_slope("acosh", false, 1.1, 5, 0, 0);
    check_slope("sqrt", true, 0.1, 5, 0, 0);
    check_slope("reciprocal", true, 0.2, 5, 0, 0);
    check_slope("swish", false, -4, 4, 1.5f, 0);
    check_slope("leaky_relu", false, -4, 4, 0.1f, 0);
    check_slope("hard_sigmoid", true, -4, 4, 0.2f, 0.5f);
    check_slope("elu", true, -4, 4, 0.7f, 0);
    check_slope("selu", true, -4, 4, 1.6f, 1.05f);
    check_slope("celu", true, -4, 4, 1.3f, 0);
    check_slope("thresholded_relu", false, -4, 4, 0.7f, 0);
    check_slope("shrink", false, -4, 4, 0.5f, 0.2f);
    check_slope("clip", true, -4, 4, -1.1f, 2.2f);
}

static void ref(struct onn_ref *r)
{
    const struct onn_ew_row *row = onn_ew_row(r->prob->op);
    const struct onn_desc *y = &r->prob->out[0];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        double v[3] = {0, 0, 0};
        for (int k = 0; k < r->n_in; k++)
            v[k] = r->in[k][onn_ref_broadcast(&r->prob->in[k], y, i)];
        r->out[0][i] = row->host(v[0], v[1], v[2], r->prob->attr);
        r->scale[0][i] = fabs(r->out[0][i]) + fabs(v[0]) * 4;
    }
}

static void positive(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p;
    (void)integer;
    for (int64_t k = 0; i > 0 && k < n; k++)
        data[k] = 0.1 + 0.8 * fabs(data[k] - trunc(data[k]));
}
static void above_one(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    positive(p, i, integer, data, n);
    for (int64_t k = 0; i > 0 && k < n; k++)
        data[k] += 1;
}

#define EXACT(text) \
    { \
        .problem = text, .ref = ref \
    }
#define REAL(text) \
    { \
        .problem = text, .ref = ref, .c = 8, .flags = ONN_CASE_NO_INTEGER \
    }
#define IN_0_1(text) \
    { \
        .problem = text, .ref = ref, .c = 8, .flags = ONN_CASE_NO_INTEGER, .fill = positive \
    }
#define OVER_1(text) \
    { \
        .problem = text, .ref = ref, .c = 16, .flags = ONN_CASE_NO_INTEGER, .fill = above_one \
    }
#define S " dy=2x17x5x7 x=2x17x5x7"
static const struct onn_case cases[] = {
    EXACT("relu_dx" S),
    EXACT("relu_dx dy=300 y=300"),
    EXACT("leaky_relu_dx alpha=0.5" S),
    EXACT("prelu_dx" S " slope=17x1x1"),
    EXACT("prelu_ds" S),
    EXACT("clip_dx alpha=-1 beta=2" S),
    EXACT("clip_lo_dx" S " b=scalar"),
    EXACT("clip_hi_dx" S " b=scalar"),
    EXACT("sigmoid_dx" S),
    EXACT("tanh_dx" S),
    EXACT("hard_sigmoid_dx alpha=0.5" S),
    REAL("hard_swish_dx" S),
    REAL("swish_dx alpha=1.5" S),
    REAL("mish_dx" S),
    IN_0_1("softplus_dx" S),
    EXACT("softsign_dx" S),
    EXACT("elu_dx alpha=0.5" S),
    EXACT("selu_dx alpha=2 beta=0.5" S),
    REAL("celu_dx alpha=1.5" S),
    EXACT("thresholded_relu_dx alpha=0.5" S),
    EXACT("shrink_dx alpha=0.5" S),
    REAL("gelu_dx" S),
    REAL("gelu_tanh_dx" S),
    REAL("erf_dx" S),
    IN_0_1("sqrt_dx" S),
    EXACT("reciprocal_dx" S),
    REAL("sin_dx" S),
    REAL("cos_dx" S),
    EXACT("tan_dx" S),
    IN_0_1("asin_dx" S),
    IN_0_1("acos_dx" S),
    REAL("atan_dx" S),
    REAL("sinh_dx" S),
    REAL("cosh_dx" S),
    REAL("asinh_dx" S),
    OVER_1("acosh_dx" S),
    IN_0_1("atanh_dx" S),
    EXACT("abs_dx" S),
    IN_0_1("div_db" S " b=17x1x1"),
    IN_0_1("pow_da" S " e=scalar"),
    IN_0_1("pow_db" S " y=2x17x5x7"),
    IN_0_1("l2_dx" S " y=2x1x1x1"),
    EXACT("eq_mask" S),
    EXACT("eq_mask a=2x17x5x7 b=1x17x1x1"),
    EXACT("relu_dx dy=2x16x4x4 y=2x16x4x4 +add=2x16x4x4"),
    {.problem = NULL},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(slopes_are_right)};
    if (argc < 2 && cmocka_run_group_tests(tests, NULL, NULL) != 0)
        return 1;
    return onn_harness_main(argc, argv, cases);
}
