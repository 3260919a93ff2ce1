#include "harness/internal.h"

#include "base/clock.h"
#include <oclnn/device.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILTERS 16

struct run {
    oclnn_context *ctx;
    const char *program, *variant, *dtype, *problem, *filter[MAX_FILTERS];
    const struct onn_case *cases;
    int n_filters, tuple, n_cases;
    bool bench, verbose, all;
    int runs, failures, case_runs;
    double worst;
    enum oclnn_dtype now; /* element type of this pass */
};

static void log_line(void *user, enum oclnn_log_level level, const char *line)
{
    (void)user;
    (void)level;
    fprintf(stderr, "%s\n", line);
}

/* One line of what failed and one of how to see it again. */
static void failed(struct run *r, const struct onn_problem *p, const char *variant, int tuple,
    const char *mode, const char *what)
{
    struct onn_str text = {0}, formats = {0};
    struct onn_desc in[64], out[64];
    struct onn_prob prob;
    const struct onn_variant *v = onn_single_variant(p->prob.op, variant);
    onn_prob_text(&p->prob, &text);
    if (v && p->prob.n_in <= 64 && p->prob.n_out <= 64) {
        const char *reason = onn_single_formats(r->ctx, p, v, tuple, &prob, in, out);
        if (!reason || *reason)
            onn_single_formats_text(&prob, &formats);
    }
    printf("FAIL %s | %s tuple %d (%s) | %s: %s\n", onn_str_text(&text), variant, tuple,
        onn_str_text(&formats), mode, what);
    printf("  repro: %s --variant %s --tuple %d --problem '%s'\n", r->program, variant, tuple,
        onn_str_text(&text));
    fflush(stdout);
    onn_str_finish(&text);
    onn_str_finish(&formats);
    r->failures++;
}

static const char *result_text(const struct onn_single_result *result)
{
    if (!result->sentinels_ok)
        return "wrote outside its outputs";
    if (!result->padlanes_ok)
        return "padding lanes of an output are not 0";
    if (!result->inputs_ok)
        return "changed an input";
    return result->repeat_ok ? NULL : "a second run gave other bytes";
}

/* One run of a variant in one mode; compares. */
static void check_one(struct run *r, struct onn_data *d, const struct onn_variant *v, int tuple,
    const struct onn_single_options *options, const char *mode)
{
    struct onn_single_result result;
    struct onn_difference diff;
    struct onn_single_options o = *options;
    if (d->problem->prob.op->flags & ONN_OP_UPDATES)
        o.updated = d->updated;
    enum oclnn_status status =
        onn_single_run(r->ctx, d->problem, v, tuple, &o, (const void *const *)d->in, d->out, &result);
    r->runs++;
    r->case_runs++;
    if (status != OCLNN_OK) {
        failed(r, d->problem, v->name, tuple, mode, oclnn_error_text(NULL));
        return;
    }
    if (o.inplace && !result.inplace)
        return;
    bool exact = d->integer && v->flags & ONN_VARIANT_EXACT && !(d->test->flags & ONN_CASE_NO_EXACT);
    onn_data_compare(d, exact, v->flags & ONN_VARIANT_WINOGRAD ? ONN_WINOGRAD_FACTOR : 1, &diff);
    r->worst = diff.worst > r->worst ? diff.worst : r->worst;
    if (diff.differs)
        failed(r, d->problem, v->name, tuple, mode, diff.text);
    else if (result_text(&result))
        failed(r, d->problem, v->name, tuple, mode, result_text(&result));
}

/* All modes of one variant and format tuple. */
static void check_tuple(struct run *r, struct onn_data *integer, struct onn_data *real,
    const struct onn_variant *v, int tuple)
{
    struct onn_data *any = integer ? integer : real;
    if (integer)
        check_one(r, integer, v, tuple, &(struct onn_single_options){.sentinel_bytes = 64, .twice = true},
            "integer");
    if (real)
        check_one(r, real, v, tuple, &(struct onn_single_options){.sentinel_bytes = 256, .twice = true},
            "real");
    if (v->flags & (ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT))
        check_one(r, any, v, tuple, &(struct onn_single_options){.sentinel_bytes = 64, .strided = true},
            "views");
    if (v->flags & ONN_VARIANT_INPLACE0)
        check_one(r, any, v, tuple, &(struct onn_single_options){.sentinel_bytes = 64, .inplace = true},
            "in place");
}

static void bench_tuple(struct run *r, struct onn_data *d, const struct onn_variant *v, int tuple)
{
    struct onn_single_result result;
    struct onn_str text = {0};
    struct onn_single_options options = {.repeats = 15};
    enum oclnn_status status =
        onn_single_run(r->ctx, d->problem, v, tuple, &options, (const void *const *)d->in, d->out, &result);
    r->runs++;
    r->case_runs++;
    if (status != OCLNN_OK) {
        failed(r, d->problem, v->name, tuple, "bench", oclnn_error_text(NULL));
        return;
    }
    onn_prob_text(&d->problem->prob, &text);
    printf("%-14s tuple %d  %10.3f us (median %10.3f)  %8.2f GFLOP/s  %7.2f GB/s  %d launches  %s\n", v->name,
        tuple, result.best_ns * 1e-3, result.median_ns * 1e-3,
        onn_prob_flop(&d->problem->prob) / result.best_ns, onn_prob_bytes(&d->problem->prob) / result.best_ns,
        result.n_launches, onn_str_text(&text));
    fflush(stdout);
    onn_str_finish(&text);
}

/* The operator's own evaluation on the host, where it has one. */
static void check_host(struct run *r, struct onn_data *d)
{
    struct onn_prob p = d->bare;
    struct onn_difference diff;
    enum oclnn_status status = OCLNN_OK;
    struct onn_blob **in = calloc((size_t)p.n_in + 1, sizeof *in),
                    **out = calloc((size_t)p.n_out + 1, sizeof *out);
    for (int i = 0; i < p.n_in && status == OCLNN_OK; i++)
        if (p.in[i].dtype)
            status = onn_blob_create(&p.in[i], d->in[i], &in[i]);
    for (int i = 0; i < p.n_out && status == OCLNN_OK; i++)
        status = onn_blob_create(&p.out[i], NULL, &out[i]);
    p.value = (const struct onn_blob *const *)in;
    if (status == OCLNN_OK)
        status = p.op->host(&p, out);
    r->runs++;
    r->case_runs++;
    for (int i = 0; i < p.n_out && status == OCLNN_OK; i++)
        memcpy(d->out[i], out[i]->data, onn_desc_bytes(&out[i]->desc));
    if (status == OCLNN_OK) {
        bool exact = d->integer && !(d->test->flags & (ONN_CASE_NO_EXACT | ONN_CASE_NO_INTEGER));
        onn_data_compare(d, exact, 1, &diff);
        if (diff.differs)
            failed(r, d->problem, "host", 0, d->integer ? "integer" : "real", diff.text);
    } else if (status != OCLNN_ERROR_UNSUPPORTED) { /* "not for these operands" is an answer */
        failed(r, d->problem, "host", 0, "host function", oclnn_error_text(NULL));
    }
    for (int i = 0; i < p.n_in; i++)
        onn_blob_unref(&in[i]);
    for (int i = 0; i < p.n_out; i++)
        onn_blob_unref(&out[i]);
    free(in);
    free(out);
}

static void check_variants(struct run *r, struct onn_problem *p, const struct onn_case *test)
{
    const struct onn_op *op = p->prob.op;
    struct onn_data data[2];
    struct onn_data *integer = test->flags & ONN_CASE_NO_INTEGER || r->bench ? NULL : &data[0];
    struct onn_data *real = test->flags & ONN_CASE_NO_REAL && integer ? NULL : &data[1];
    if ((integer && !onn_data_make(integer, p, test, true)) ||
        (real && !onn_data_make(real, p, test, false))) {
        failed(r, p, "-", 0, "data", "out of host memory");
        return;
    }
    struct onn_desc *in = calloc((size_t)p->prob.n_in + 1, sizeof *in);
    struct onn_desc *out = calloc((size_t)p->prob.n_out + 1, sizeof *out);
    for (int k = 0; op->variants && op->variants[k]; k++) {
        const struct onn_variant *v = op->variants[k];
        if (r->variant && strcmp(r->variant, v->name))
            continue;
        for (int tuple = 0; tuple < ONN_SINGLE_TUPLES; tuple++) {
            struct onn_prob prob;
            const char *reason = onn_single_formats(r->ctx, p, v, tuple, &prob, in, out);
            if (reason && !*reason)
                break;
            if (reason && r->verbose)
                printf("     %s: %s tuple %d refuses: %s\n", test->problem, v->name, tuple, reason);
            if (reason || (r->tuple >= 0 && tuple != r->tuple))
                continue;
            int before = r->failures;
            if (r->bench)
                bench_tuple(r, real, v, tuple);
            else
                check_tuple(r, integer, real, v, tuple);
            if (r->verbose && !r->bench)
                printf("%s %s: %s tuple %d\n", before == r->failures ? "ok  " : "FAIL", test->problem,
                    v->name, tuple);
        }
    }
    if (op->host && !p->prob.epi && !r->bench && !(test->flags & ONN_CASE_NO_HOST) && test->ref &&
        (!r->variant || !strcmp(r->variant, "host"))) {
        if (integer)
            check_host(r, integer);
        if (real)
            check_host(r, real);
    }
    free(in);
    free(out);
    if (integer)
        onn_data_finish(integer);
    if (real)
        onn_data_finish(real);
}

/* The case in another float type: false if nothing in it is f32. */
static bool retype(struct onn_problem *p, enum oclnn_dtype dtype)
{
    bool any = false;
    for (int i = 0; i < p->prob.n_in; i++)
        if (p->in[i].dtype == OCLNN_F32 && !p->value[i]) {
            p->in[i].dtype = dtype;
            any = true;
        }
    return any;
}

/* The test command takes a sample, chosen by a hash of the problem and the seed in OCLNN_TEST_SEED: of long tables about
 * SAMPLE cases, of these every second in f16 too. --all, filters and --bench run everything (suite `figures` does). */
#define SAMPLE 12
static bool runs_everything(const struct run *r)
{
    return r->all || r->bench || r->problem || r->n_filters;
}
static uint64_t draw(const struct onn_case *test)
{
    const char *seed = getenv("OCLNN_TEST_SEED");
    uint64_t hash = 1469598103934665603u + (seed ? strtoull(seed, NULL, 10) : 0) * 0x9E3779B97F4A7C15u;
    for (const char *c = test->problem; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return hash ^ hash >> 29;
}
static bool draws_f16(const struct run *r, const struct onn_case *test)
{
    return runs_everything(r) || r->dtype || r->n_cases <= SAMPLE || draw(test) >> 40 & 1;
}
/* A few of each family; those that stand first are the plainest. */
static bool takes_f64(const struct run *r, const struct onn_case *test)
{
    return runs_everything(r) || test - r->cases < 3;
}
static bool sampled(const struct run *r, const struct onn_case *test)
{
    return runs_everything(r) || r->n_cases <= SAMPLE || draw(test) % (uint64_t)r->n_cases < SAMPLE;
}

static void run_case(struct run *r, const struct onn_case *test)
{
    static const enum oclnn_dtype dtypes[] = {OCLNN_F32, OCLNN_F16, OCLNN_F64};
    r->case_runs = 0;
    for (int i = 0; i < 3; i++) {
        struct onn_problem p;
        if (r->dtype && strcmp(r->dtype, oclnn_dtype_name(dtypes[i])))
            continue;
        if (i && (test->flags & ONN_CASE_NO_F16 || (r->bench && !r->dtype)))
            continue;
        if (i == 1 ? !draws_f16(r, test) : i == 2 && !takes_f64(r, test))
            continue;
        if (onn_problem_parse(test->problem, &p) != OCLNN_OK) {
            printf("FAIL %s\n  %s\n", test->problem, oclnn_error_text(NULL));
            r->failures++;
            return;
        }
        if (i && !retype(&p, dtypes[i])) {
            onn_problem_finish(&p);
            continue;
        }
        if (onn_problem_infer(&p) == OCLNN_OK) {
            check_variants(r, &p, test);
        } else if (!i) {
            printf("FAIL %s\n  %s\n", test->problem, oclnn_error_text(NULL));
            r->failures++;
            r->case_runs++;
        } else if (r->verbose) {
            printf("     %s: no %s: %s\n", test->problem, oclnn_dtype_name(dtypes[i]),
                oclnn_error_text(NULL));
        }
        onn_problem_finish(&p);
    }
    if (!r->case_runs && !r->variant && !r->dtype && r->tuple < 0) {
        printf("FAIL %s\n  no variant takes it (--verbose says why)\n", test->problem);
        r->failures++;
    }
}

static bool selected(const struct run *r, const struct onn_case *test)
{
    if (test->flags & ONN_CASE_SLOW && !r->bench && !r->all && !r->n_filters)
        return false;
    for (int i = 0; i < r->n_filters; i++)
        if (strstr(test->problem, r->filter[i]))
            return true;
    return r->n_filters == 0;
}

static bool read_arguments(struct run *r, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(a, "--bench"))
            r->bench = true;
        else if (!strcmp(a, "--verbose"))
            r->verbose = true;
        else if (!strcmp(a, "--all"))
            r->all = true;
        else if (!strcmp(a, "--variant") && value)
            r->variant = argv[++i];
        else if (!strcmp(a, "--tuple") && value)
            r->tuple = atoi(argv[++i]);
        else if (!strcmp(a, "--dtype") && value)
            r->dtype = argv[++i];
        else if (!strcmp(a, "--problem") && value)
            r->problem = argv[++i];
        else if (*a == '-' || r->n_filters == MAX_FILTERS)
            return false;
        else
            r->filter[r->n_filters++] = a;
    }
    return true;
}

/* A problem from the command line, with reference and tolerance of its operator's first case in the table. */
static void run_problem(struct run *r, const struct onn_case *cases)
{
    struct onn_case test = {.problem = r->problem};
    size_t length = strcspn(r->problem, " ");
    for (; cases->problem; cases++)
        if (strcspn(cases->problem, " ") == length && !strncmp(cases->problem, r->problem, length)) {
            test = *cases;
            test.problem = r->problem;
            break;
        }
    run_case(r, &test);
}

int onn_harness_main(int argc, char **argv, const struct onn_case *cases)
{
    struct run r = {.program = argv[0], .tuple = -1};
    if (!read_arguments(&r, argc, argv)) {
        fprintf(stderr,
            "usage: %s [FILTER]... [--variant NAME] [--tuple N] [--dtype f32|f16|f64] [--verbose] [--all] "
            "[--bench]\n"
            "       [--problem TEXT]\n",
            argv[0]);
        return 2;
    }
    struct oclnn_context_params params = {.log = log_line, .log_level = OCLNN_LOG_WARN};
    struct oclnn_device_info info;
    enum oclnn_status status = oclnn_context_create(&params, &r.ctx);
    if (status == OCLNN_ERROR_NO_DEVICE) {
        printf("skipped: %s\n", oclnn_error_text(NULL));
        return 77;
    }
    if (status != OCLNN_OK || oclnn_context_device(r.ctx, &info) != OCLNN_OK) {
        printf("no context: %s\n", oclnn_error_text(NULL));
        return 1;
    }
    uint64_t start = onn_clock_ns();
    r.cases = cases;
    while (cases[r.n_cases].problem)
        r.n_cases++;
    if (r.problem)
        run_problem(&r, cases);
    else
        for (const struct onn_case *test = cases; test->problem; test++)
            if (selected(&r, test) && sampled(&r, test))
                run_case(&r, test);
    onn_program_cache_flush(r.ctx);
    printf("%d runs, %d failed on %s (largest error %.2f of the tolerance, %.1f s)\n", r.runs, r.failures,
        info.name, r.worst, (double)(onn_clock_ns() - start) * 1e-9);
    oclnn_context_destroy(&r.ctx);
    return r.failures ? 1 : 0;
}
