/* The self-test: every kernel variant against the plain one on this device and driver. */
#include "model/selftest.h"
#include "plan/check.h"
#include <oclnn/info.h>

#include <stdio.h>
#include <string.h>

/* Largest differences, relative to the largest value: direct sums in another order, Winograd, 16-bit storage. */
#define TOLERANCE_DIRECT 1e-5
#define TOLERANCE_WINOGRAD 2e-4
#define TOLERANCE_F16 3e-3
#define TOLERANCE_BF16 2e-2

struct test {
    struct oclnn_context *ctx;
    const char *only;
    void (*report)(void *user, const struct oclnn_self_test_row *row);
    void *user;
    struct oclnn_self_test_count *count;
    bool found;
    enum oclnn_status status; /* of the whole: memory ran out */
    struct onn_check check;
    const char *text; /* of the problem */
};

static void say(struct test *t, struct oclnn_self_test_row row)
{
    row.problem = t->text ? t->text : "";
    row.variant = row.variant ? row.variant : "";
    row.formats = row.formats ? row.formats : "";
    row.reason = row.reason ? row.reason : "";
    t->count->passed += row.verdict == OCLNN_PASS;
    t->count->failed += row.verdict == OCLNN_FAIL;
    t->count->refused += row.verdict == OCLNN_REFUSED;
    t->count->untested += row.verdict == OCLNN_UNTESTED;
    if (t->report)
        t->report(t->user, &row);
}

static double tolerance_of(const struct onn_problem *p, const struct onn_variant *v)
{
    switch (p->prob.n_in ? p->in[0].dtype : OCLNN_F32) {
    case OCLNN_F16: return TOLERANCE_F16;
    case OCLNN_BF16: return TOLERANCE_BF16;
    default: return v->flags & ONN_VARIANT_WINOGRAD ? TOLERANCE_WINOGRAD : TOLERANCE_DIRECT;
    }
}

/* What is wrong with got[] or with the run; NULL if nothing. */
static const char *judge(struct test *t, const struct onn_variant *v, const struct onn_single_result *result,
    struct oclnn_self_test_row *row, char *text, size_t size)
{
    struct onn_check_difference d = onn_check_compare(&t->check, tolerance_of(t->check.problem, v), 1e-6);
    row->max_abs = d.max_abs;
    row->limit = d.limit;
    if (d.wrong) {
        snprintf(text, size, "output %d at %lld: got %.9g, wanted %.9g; %lld elements are off", d.output,
            (long long)d.index, d.got, d.want, (long long)d.wrong);
        return text;
    }
    if (!result)
        return NULL;
    return !result->sentinels_ok ? "it writes beside its outputs"
        : !result->padlanes_ok   ? "padding lanes of a blocked output are not 0"
        : !result->inputs_ok     ? "it changes its inputs"
        : !result->repeat_ok     ? "a second run gives other bits"
                                 : NULL;
}

/* The formats of a tuple as text, and why it is refused ("" = there is no such tuple). */
static const char *look(struct test *t, const struct onn_variant *v, int tuple, struct onn_str *formats)
{
    const struct onn_problem *p = t->check.problem;
    struct onn_prob prob;
    struct onn_desc *in = onn_calloc((size_t)p->prob.n_in + 1, sizeof *in);
    struct onn_desc *out = onn_calloc((size_t)p->prob.n_out + 1, sizeof *out);
    const char *reason = in && out ? onn_single_formats(t->ctx, p, v, tuple, &prob, in, out) : "";
    if (!reason)
        onn_single_formats_text(&prob, formats);
    onn_free(in);
    onn_free(out);
    return reason;
}

static void test_variant(struct test *t, const struct onn_variant *v)
{
    struct onn_single_options options = {.sentinel_bytes = 256, .twice = true};
    const struct onn_op *op = t->check.problem->prob.op;
    const char *refusal = NULL, *seen = NULL;
    int ran = 0;
    for (int tuple = 0; tuple < ONN_SINGLE_TUPLES; tuple++) {
        struct onn_str formats = {0};
        struct onn_single_result result;
        struct oclnn_self_test_row row = {.op = op->name, .variant = v->name};
        char text[256];
        refusal = look(t, v, tuple, &formats);
        if (!refusal) {
            enum oclnn_status status = onn_check_run(&t->check, v, tuple, &options, &result);
            row.formats = onn_str_text(&formats);
            row.reason =
                status == OCLNN_OK ? judge(t, v, &result, &row, text, sizeof text) : oclnn_error_text(NULL);
            row.verdict = row.reason ? OCLNN_FAIL : OCLNN_PASS;
            say(t, row);
            ran++;
        }
        onn_str_finish(&formats);
        if (refusal && !*refusal)
            break;
        seen = refusal ? refusal : seen;
    }
    if (!ran)
        say(t,
            (struct oclnn_self_test_row){.verdict = OCLNN_REFUSED,
                .op = op->name,
                .variant = v->name,
                .reason = seen});
}

/* The plain variant itself against the host, where the host can compute the operator. */
static void test_reference(struct test *t, const struct onn_variant *reference)
{
    struct oclnn_self_test_row row = {.verdict = OCLNN_PASS,
        .op = t->check.problem->prob.op->name,
        .variant = reference->name,
        .formats = "against the host"};
    char text[256];
    if (!onn_check_host(&t->check))
        return;
    row.reason = judge(t, reference, NULL, &row, text, sizeof text);
    if (row.reason)
        row.verdict = OCLNN_FAIL;
    say(t, row);
}

static void test_problem(struct test *t, struct onn_problem *p, bool positive)
{
    const struct onn_variant *reference = onn_check_reference(p->prob.op);
    struct onn_str text = {0};
    enum oclnn_status status = onn_check_init(t->ctx, p, positive, &t->check);
    onn_prob_text(&p->prob, &text);
    t->text = onn_str_text(&text);
    if (status == OCLNN_ERROR_MEMORY)
        t->status = status;
    if (status == OCLNN_OK && (status = onn_check_want(&t->check)) == OCLNN_OK) {
        test_reference(t, reference);
        for (int i = 0; p->prob.op->variants[i]; i++)
            test_variant(t, p->prob.op->variants[i]);
    } else {
        say(t,
            (struct oclnn_self_test_row){.verdict =
                                             status == OCLNN_ERROR_UNSUPPORTED ? OCLNN_UNTESTED : OCLNN_FAIL,
                .op = p->prob.op->name,
                .variant = reference->name,
                .reason = oclnn_error_text(NULL)});
    }
    onn_check_finish(&t->check);
    t->text = NULL;
    onn_str_finish(&text);
}

static void test_op(const struct onn_op *op, void *user)
{
    static const enum oclnn_dtype types[] = {OCLNN_F32, OCLNN_F16};
    struct test *t = user;
    const char *why = NULL;
    int ran = 0;
    if (t->status != OCLNN_OK || (t->only && strcmp(t->only, op->name) != 0))
        return;
    t->found = true;
    if (!op->variants || !op->variants[0] || op->flags & ONN_OP_HOST_ONLY)
        return; /* it has no kernels */
    if (op->flags & (ONN_OP_RANDOM | ONN_OP_UPDATES))
        why = op->flags & ONN_OP_RANDOM ? "its numbers are random" : "it changes its inputs";
    for (size_t type = 0; type < sizeof types / sizeof types[0] && !why; type++) {
        enum oclnn_status status = OCLNN_OK;
        for (int i = 0; status != OCLNN_ERROR_NOT_FOUND; i++) {
            struct onn_problem p;
            bool positive;
            status = onn_self_test_problem(op, i, types[type], &p, &positive);
            if (status != OCLNN_OK)
                continue;
            test_problem(t, &p, positive);
            onn_problem_finish(&p);
            ran++;
        }
    }
    if (!ran)
        say(t,
            (struct oclnn_self_test_row){.verdict = OCLNN_UNTESTED,
                .op = op->name,
                .reason = why ? why : "no problem is known for it"});
}

enum oclnn_status oclnn_self_test(oclnn_context *ctx, const char *op,
    void (*report)(void *user, const struct oclnn_self_test_row *row), void *user,
    struct oclnn_self_test_count *count)
{
    struct oclnn_self_test_count ignored;
    struct test t = {.ctx = ctx,
        .only = op,
        .report = report,
        .user = user,
        .count = count ? count : &ignored};
    if (!ctx)
        return onn_error(OCLNN_ERROR_ARGUMENT, "oclnn_self_test: ctx is NULL");
    *t.count = (struct oclnn_self_test_count){0};
    onn_op_each(test_op, &t);
    if (!t.found)
        return onn_error(OCLNN_ERROR_NOT_FOUND, "there is no operator \"%s\"", op ? op : "");
    return t.status;
}
