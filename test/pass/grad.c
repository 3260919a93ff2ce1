/* Every operator's gradient, in two steps.
 *   1 differences: the graph of an instance and its gradient is computed on the host in double (interpret.h), and every
 *     differentiable input is moved along random directions d: (L(x + eps d) - L(x - eps d)) / 2 eps must equal
 *     <gradient, d>. This judges what onn_grad_append made, without any kernel.
 *   2 kernels: many instances become one plan; its outputs and gradients must equal those in double. How far apart they may
 *     be is measured: the same graph in double with rounding errors of fp32 put in (a few times), times C.
 * Rows are in grad_rows.c; an operator that has a gradient and no row is a failure, and so is one with fewer than 20 shapes.
 * Command line: [FILTER] [--all]; without --all a sample of the instances. Prints a table with --all. */
#include "pass/grad_case.h"
#include "pass/interpret.h"
#include <math.h>
#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SHAPES 20 /* of a row and, at least, of an operator */
#define SAMPLE 1 /* of a row's instances, for the kernels */
#define SAMPLE_DIFFERENCES 8
#define GROUP 512 /* instances of a plan at least: the more, the fewer kernels are compiled twice */
#define EPS 1e-6
#define DIRECTIONS 3
#define NOISES 4
#define C 8
#define C_WINOGRAD 8 /* on top, for convolutions: the transforms of F(4,3) */

struct total { /* of an operator */
    const char *name;
    int shapes, on_device, bad_differences, bad_kernels;
    double worst_difference, worst_kernel; /* error / tolerance */
};
static struct total total[256];
static int totals;

static struct total *total_of(const char *problem)
{
    const size_t n = strcspn(problem, " ");
    for (int i = 0; i < totals; i++)
        if (strlen(total[i].name) == n && !strncmp(total[i].name, problem, n))
            return &total[i];
    return NULL;
}

static void collect(const struct onn_op *op, void *user)
{
    (void)user;
    if (!op->grad || op->flags & ONN_OP_NO_GRAD)
        return;
    assert_true(totals < 256);
    total[totals++] = (struct total){.name = op->name};
}

/* ---- 1: analytic gradients against differences ---- */
static double loss_of(struct onn_interpreter *t, const struct onn_grad_graph *g)
{
    onn_interpret_run(t, 0, g->forward, 0);
    return onn_interpret_data(t, g->loss, NULL)[0];
}

/* Sum of |w * y|: what the rounding of the loss is relative to. */
static double size_of(const struct onn_interpreter *t, const struct onn_grad_case *o)
{
    double sum = 0;
    for (int i = 0; i < o->n_out; i++) {
        int64_t n;
        const double *y = onn_interpret_data(t, o->y[i], &n);
        for (int64_t k = 0; k < n; k++)
            sum += fabs(y[k] * onn_blob_get_f64(o->w[i], k));
    }
    return sum;
}

/* Moves input `slot` along `direction`: all elements, the last time a single one. */
static void check_direction(struct onn_interpreter *t, const struct onn_grad_graph *g,
    const struct onn_grad_case *o, int slot, int direction, uint64_t *seed, struct total *sum)
{
    int64_t n;
    double *x = onn_interpret_data(t, o->in[slot], &n), loss[2], got = 0, norm = 0;
    double *start = malloc((size_t)(n + 1) * sizeof *start), *d = malloc((size_t)(n + 1) * sizeof *d);
    const double *gradient = o->gradient[slot] ? onn_interpret_data(t, o->gradient[slot], NULL) : NULL;
    const int64_t lone = direction == DIRECTIONS - 1 && n ? onn_grad_draw(seed, 0, n - 1) : -1;
    assert_true(start && d);
    for (int64_t k = 0; k < n; k++) {
        start[k] = x[k];
        d[k] = lone >= 0 ? k == lone : (double)onn_grad_draw(seed, -100, 100) / 100;
        got += gradient ? gradient[k] * d[k] : 0;
        norm += gradient ? fabs(gradient[k] * d[k]) : 0;
    }
    for (int side = 0; side < 2; side++) {
        for (int64_t k = 0; k < n; k++)
            x[k] = start[k] + (side ? -EPS : EPS) * d[k];
        loss[side] = loss_of(t, g);
    }
    memcpy(x, start, (size_t)n * sizeof *x);
    const double want = (loss[0] - loss[1]) / (2 * EPS), size = size_of(t, o);
    /* fp32 constants in the graph; the difference's own rounding */
    const double tolerance = 1e-6 * norm + 1e-9 * size + 1e-9, error = fabs(got - want);
    sum->worst_difference = fmax(sum->worst_difference, error / tolerance);
    if (!(error <= tolerance)) {
        printf("FAIL %s\n  input %d, direction %d: gradient %.12g, differences %.12g, tolerance %.3g\n",
            o->text, slot, direction, got, want, tolerance);
        sum->bad_differences++;
    }
    free(start);
    free(d);
}

static void check_differences(struct onn_grad_case *o, struct total *sum)
{
    struct onn_grad_graph g = {0};
    struct onn_interpreter t;
    uint64_t seed = (uint64_t)strlen(o->text);
    onn_grad_graph_init(&g, &o, 1);
    onn_interpret_init(&t, g.full);
    onn_interpret_run(&t, 0, g.full->n_nodes, 0);
    for (int slot = 0; slot < o->n_in; slot++)
        for (int k = 0; k < DIRECTIONS; k++)
            check_direction(&t, &g, o, slot, k, &seed, sum);
    onn_interpret_finish(&t);
    onn_grad_graph_finish(&g, &o, 1);
}

/* ---- 2: kernels against analytic gradients ---- */
struct wanted { /* of one of the plan's outputs */
    double *exact; /* computed in double */
    double noise, most; /* largest effect of rounding errors; largest number */
};

static struct wanted *want(const struct onn_graph *g)
{
    struct onn_interpreter t;
    struct wanted *w = calloc((size_t)g->n_outputs + 1, sizeof *w);
    assert_non_null(w);
    onn_interpret_init(&t, g);
    for (int round = 0; round <= NOISES; round++) {
        onn_interpret_run(&t, 0, g->n_nodes, (uint64_t)round);
        for (int i = 0; i < g->n_outputs; i++) {
            int64_t n;
            const double *v = onn_interpret_data(&t, g->output[i], &n);
            if (!round) {
                w[i].exact = malloc((size_t)(n + 1) * sizeof *v);
                assert_non_null(w[i].exact);
                memcpy(w[i].exact, v, (size_t)n * sizeof *v);
            }
            for (int64_t k = 0; k < n; k++) {
                w[i].most = fmax(w[i].most, fabs(w[i].exact[k]));
                w[i].noise = fmax(w[i].noise, fabs(v[k] - w[i].exact[k]));
            }
        }
    }
    onn_interpret_finish(&t);
    return w;
}

/* Output `at` of the plan, called `name` of the case. */
static void check_output(struct onn_plan *plan, const struct wanted *w, int at, const struct onn_grad_case *o,
    const char *name, int i, struct total *sum)
{
    const int64_t n = onn_desc_elements(onn_plan_output_desc(plan, at));
    float *got = malloc((size_t)(n + 1) * sizeof *got);
    int64_t worst = 0;
    double error = 0;
    assert_non_null(got);
    onn_test_read(plan, at, got);
    for (int64_t k = 0; k < n; k++) {
        const double e = fabs((double)got[k] - w[at].exact[k]);
        if (!(e <= error)) { /* a NaN stays */
            error = e;
            worst = k;
        }
    }
    const double c = strncmp(o->text, "conv", 4) ? C : C * C_WINOGRAD;
    const double tolerance = c * (w[at].noise + 0x1p-24 * w[at].most) + 1e-30;
    sum->worst_kernel = fmax(sum->worst_kernel, error / tolerance);
    if (n && !(error <= tolerance)) {
        printf("FAIL %s\n  %s %d: element %lld is %.9g instead of %.9g, tolerance %.3g\n", o->text, name, i,
            (long long)worst, (double)got[worst], w[at].exact[worst], tolerance);
        sum->bad_kernels++;
    }
    free(got);
}

static void check_kernels(oclnn_context *ctx, struct onn_grad_case *const *cases, int n)
{
    struct onn_grad_graph g = {0};
    struct onn_derived_cache cache = {0};
    const struct onn_plan_options options = {0};
    if (!n)
        return;
    onn_grad_graph_init(&g, cases, n);
    struct wanted *w = want(g.full);
    struct onn_plan *plan = onn_test_plan(ctx, g.full, &options, &cache);
    onn_test_run(plan);
    for (int c = 0; c < n; c++) {
        struct total *sum = total_of(cases[c]->text);
        for (int i = 0; i < cases[c]->n_out; i++)
            check_output(plan, w, cases[c]->y_at + i, cases[c], "output", i, sum);
        for (int i = 0; i < cases[c]->n_in; i++)
            if (cases[c]->gradient[i])
                check_output(plan, w, cases[c]->g_at[i], cases[c], "gradient of input", i, sum);
        sum->on_device++;
    }
    onn_plan_destroy(&plan);
    onn_derived_finish(&cache);
    for (int i = 0; i < g.full->n_outputs; i++)
        free(w[i].exact);
    free(w);
    onn_grad_graph_finish(&g, cases, n);
}

/* ---- all rows ---- */
static int report(bool table, bool complete)
{
    int failures = 0, shapes = 0, on_device = 0;
    if (table)
        printf("%-28s %7s %22s %22s %8s\n", "operator", "shapes", "differences: failures",
            "kernels: failures", "of");
    for (int i = 0; i < totals; i++) {
        const struct total *t = &total[i];
        if (table && t->shapes)
            printf("%-28s %7d %11d (at %5.2f) %13d (at %5.2f) %8d\n", t->name, t->shapes, t->bad_differences,
                t->worst_difference, t->bad_kernels, t->worst_kernel, t->on_device);
        if (complete && t->shapes < SHAPES) {
            printf("FAIL %s: %d shapes in test/pass/grad_rows.c, not %d\n", t->name, t->shapes, SHAPES);
            failures++;
        }
        failures += t->bad_differences + t->bad_kernels;
        shapes += t->shapes;
        on_device += t->on_device;
    }
    printf("%d differentiable operators, %d shapes, kernels on %d of them, %d failures\n", totals, shapes,
        on_device, failures);
    return failures;
}

int main(int argc, char **argv)
{
    int sample = SAMPLE, n = 0, rows = 0;
    const char *filter = NULL;
    oclnn_context *ctx = NULL;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--all"))
            sample = SHAPES;
        else
            filter = argv[i];
    }
    setenv("OCLNN_SHARE", "on", 1); /* hardly any plan has kernels in common with another */
    /* No cache: keeping the kernels of these odd plans takes as long as making them. */
    const enum oclnn_status status =
        oclnn_context_create(&(struct oclnn_context_params){.cache_dir = ""}, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return 77;
    struct onn_grad_case *cases = calloc(SHAPES, GROUP * sizeof *cases);
    struct onn_grad_case **group = calloc(GROUP + SHAPES, sizeof *group);
    if (status != OCLNN_OK || !cases || !group)
        return 1;
    onn_op_each(collect, NULL);
    for (const struct onn_grad_row *row = onn_grad_rows; row->problem; row++) {
        struct total *sum = total_of(row->problem);
        if (!sum) {
            printf("FAIL %s: this operator has no gradient\n", row->problem);
            return 1;
        }
        if (filter && !strstr(row->problem, filter))
            continue;
        struct onn_grad_case *drawn = cases + rows * SHAPES;
        const int count = onn_grad_draw_cases(row, drawn, SHAPES);
        for (int i = 0; i < count && (i < SAMPLE_DIFFERENCES || sample == SHAPES || filter); i++)
            check_differences(&drawn[i], sum);
        for (int i = 0; i < count && i < sample; i++)
            group[n++] = &drawn[i];
        sum->shapes += count;
        if (++rows == GROUP || n >= GROUP) {
            check_kernels(ctx, group, n);
            rows = n = 0;
        }
        fflush(stdout);
    }
    check_kernels(ctx, group, n);
    const int failures = report(sample == SHAPES || filter, !filter);
    fflush(stdout);
    oclnn_context_destroy(&ctx);
    free(cases);
    free(group);
    return failures != 0;
}
