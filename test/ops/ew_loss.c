/* Element-wise losses: kernels against the rows' functions in double, slopes against central differences. */
#include "harness/harness.h"
#include "ops/elementwise.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static void slopes_are_right(void **state)
{
    static const struct {
        const char *name;
        double low, high;
        float alpha, beta;
    } rows[] = {{"mse", -2, 2, 0, 0}, {"l1", -2, 2, 0, 0}, {"huber", -3, 3, 0.7f, 0},
        {"bce", 0.05, 0.95, 0, 0}, {"bce_logits", -4, 4, 0, 0}, {"focal", -4, 4, 0.25f, 2},
        {"focal", -4, 4, -1, 1.5f}, {"kl", -4, -0.1, 0, 0}};
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        char each[32], dx[32];
        const struct onn_ew_attr attr = {.alpha = rows[k].alpha, .beta = rows[k].beta};
        snprintf(each, sizeof each, "%s_each", rows[k].name);
        snprintf(dx, sizeof dx, "%s_dx", rows[k].name);
        const struct onn_ew_row *f = onn_ew_row(onn_op_find(each)), *d = onn_ew_row(onn_op_find(dx));
        assert_true(f && d);
        for (int i = 0; i < 40; i++) {
            const double x = rows[k].low + (rows[k].high - rows[k].low) * (i + 0.41) / 40,
                         t = 0.1 + 0.8 * (i % 3) / 2;
            const double h = 1e-6,
                         want = (f->host(x + h, t, 0, &attr) - f->host(x - h, t, 0, &attr)) / (2 * h);
            const double got = d->host(1, x, t, &attr);
            if (!(fabs(got - want) <= 1e-6 * fmax(1, fabs(want))))
                fail_msg("%s(%g, %g): %g, but the differences give %g", dx, x, t, got, want);
        }
    }
}

static void ref(struct onn_ref *r)
{
    const struct onn_ew_row *row = onn_ew_row(r->prob->op);
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        double v[3] = {0, 0, 0};
        for (int k = 0; k < r->n_in; k++)
            v[k] = r->in[k][onn_ref_broadcast(&r->prob->in[k], &r->prob->out[0], i)];
        r->out[0][i] = row->host(v[0], v[1], v[2], r->prob->attr);
        r->scale[0][i] = fabs(r->out[0][i]) + 4;
    }
}

/* Probabilities for x and target. */
static void inside(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)integer;
    for (int64_t k = 0; (p->n_in == 2 || i > 0) && k < n; k++)
        data[k] = 0.05 + 0.9 * fabs(data[k] - trunc(data[k]));
}

/* Logarithms are bounded, but a certainty that is no number, or outside 0 … 1, must not look like a finite loss. */
static void nonsense_is_not_hidden(void **state)
{
    const struct onn_ew_row *bce = onn_ew_row(onn_op_find("bce_each"));
    const struct onn_ew_attr attr = {0};
    (void)state;
    assert_true(bce->host(0, 1, 0, &attr) == 100 && bce->host(1, 0, 0, &attr) == 100);
    assert_true(isnan(bce->host(NAN, 1, 0, &attr)) && isnan(bce->host(-0.5, 0.5, 0, &attr)) &&
        isnan(bce->host(1.5, 0.5, 0, &attr)));
}

#define ROW(text) \
    { \
        .problem = text, .ref = ref, .c = 8, .flags = ONN_CASE_NO_INTEGER | ONN_CASE_NO_F16, .fill = inside \
    }
static const struct onn_case cases[] = {
    ROW("mse_each x=7x33 t=7x33"),
    ROW("mse_dx dy=7x33 x=7x33 t=7x33"),
    ROW("l1_each x=231 t=231"),
    ROW("l1_dx dy=231 x=231 t=231"),
    ROW("huber_each x=7x33 t=7x33 alpha=0.3"),
    ROW("huber_dx dy=7x33 x=7x33 t=7x33 alpha=0.3"),
    ROW("bce_each x=7x33 t=7x33"),
    ROW("bce_dx dy=7x33 x=7x33 t=7x33"),
    ROW("bce_logits_each x=7x33 t=7x33"),
    ROW("bce_logits_dx dy=7x33 x=7x33 t=7x33"),
    ROW("focal_each x=7x33 t=7x33 alpha=0.25"),
    ROW("focal_dx dy=7x33 x=7x33 t=7x33 alpha=0.25"),
    ROW("focal_dx dy=7x33 x=7x33 t=7x33 alpha=-1 beta=1.5"),
    ROW("kl_each x=7x33 t=7x33"),
    ROW("kl_dx dy=7x33 x=7x33 t=7x33"),
    ROW("bce_logits_each x=2x8x5x5 t=2x8x5x5"),
    {.problem = NULL},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(slopes_are_right),
        cmocka_unit_test(nonsense_is_not_hidden)};
    if (argc < 2 && cmocka_run_group_tests(tests, NULL, NULL) != 0)
        return 1;
    return onn_harness_main(argc, argv, cases);
}
