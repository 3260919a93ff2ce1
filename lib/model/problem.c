/* Single operators for benchmarks: the public face of ops/problem.h and plan/single.h. */
#include "plan/check.h"
#include "ops/problem.h"
#include <oclnn/info.h>

#include <stdio.h>
#include <string.h>

struct oclnn_problem {
    struct onn_problem problem;
    struct onn_str text;
};

enum oclnn_status oclnn_problem_create(const char *text, oclnn_problem **out)
{
    enum oclnn_status status;
    struct oclnn_problem *p = NULL;
    ONN_CHECK(text && out, OCLNN_ERROR_ARGUMENT, "oclnn_problem_create: %s is NULL", text ? "out" : "text");
    *out = NULL;
    ONN_CHECK((p = onn_calloc(1, sizeof *p)), OCLNN_ERROR_MEMORY, "out of host memory");
    status = onn_problem_parse(text, &p->problem);
    if (status != OCLNN_OK) { /* nothing is left to finish */
        onn_free(p);
        return status;
    }
    ONN_TRY(onn_problem_infer(&p->problem));
    onn_prob_text(&p->problem.prob, &p->text);
    ONN_CHECK(onn_str_ok(&p->text), OCLNN_ERROR_MEMORY, "out of host memory");
    *out = p;
    return OCLNN_OK;
fail:
    oclnn_problem_destroy(&p);
    return status;
}

void oclnn_problem_destroy(oclnn_problem **problem)
{
    if (!problem || !*problem)
        return;
    onn_problem_finish(&(*problem)->problem);
    onn_str_finish(&(*problem)->text);
    onn_free(*problem);
    *problem = NULL;
}

const char *oclnn_problem_text(const oclnn_problem *problem)
{
    return problem ? onn_str_text(&problem->text) : "";
}

enum oclnn_dtype oclnn_problem_dtype(const oclnn_problem *problem)
{
    return problem && problem->problem.prob.n_in > 0 ? problem->problem.in[0].dtype : OCLNN_NONE;
}

static const struct onn_variant *variant_at(const struct onn_op *op, int index)
{
    for (int i = 0; op->variants && op->variants[i] && index >= 0; i++)
        if (i == index)
            return op->variants[i];
    return NULL;
}

const char *oclnn_problem_variant(const oclnn_problem *problem, int index)
{
    const struct onn_variant *v = problem ? variant_at(problem->problem.prob.op, index) : NULL;
    return v ? v->name : NULL;
}

/* The words for a format tuple; fails when there is no such tuple or the variant refuses it. */
static enum oclnn_status look_at_tuple(const struct oclnn_context *ctx, const struct onn_problem *p,
    const struct onn_variant *v, int tuple, char *text, size_t size)
{
    enum oclnn_status status;
    struct onn_prob prob;
    struct onn_str words = {0};
    struct onn_desc *in = onn_calloc((size_t)p->prob.n_in + 1, sizeof *in);
    struct onn_desc *out = onn_calloc((size_t)p->prob.n_out + 1, sizeof *out);
    ONN_CHECK(in && out, OCLNN_ERROR_MEMORY, "out of host memory");
    const char *reason = onn_single_formats(ctx, p, v, tuple, &prob, in, out);
    ONN_CHECK(!reason || *reason, OCLNN_ERROR_NOT_FOUND, "variant %s has no format combination %d", v->name,
        tuple);
    ONN_CHECK(!reason, OCLNN_ERROR_UNSUPPORTED, "variant %s refuses: %s", v->name, reason);
    onn_single_formats_text(&prob, &words);
    snprintf(text, size, "%s", onn_str_text(&words));
    status = OCLNN_OK;
fail:
    onn_str_finish(&words);
    onn_free(in);
    onn_free(out);
    return status;
}

enum oclnn_status oclnn_problem_run(oclnn_context *ctx, const oclnn_problem *problem,
    const struct oclnn_problem_params *params, double *time_ms, struct oclnn_problem_result *out)
{
    static const struct oclnn_problem_params defaults = {0};
    enum oclnn_status status;
    struct onn_check check = {0};
    struct onn_single_result result;
    double *ns = NULL;
    ONN_CHECK(ctx && problem && out, OCLNN_ERROR_ARGUMENT, "oclnn_problem_run: %s is NULL",
        !ctx          ? "ctx"
            : problem ? "out"
                      : "problem");
    params = params ? params : &defaults;
    const struct onn_problem *p = &problem->problem;
    const struct onn_variant *v = variant_at(p->prob.op, params->variant);
    int runs = params->runs > 0 ? params->runs : 0;
    *out = (struct oclnn_problem_result){.flop = onn_prob_flop(&p->prob), .bytes = onn_prob_bytes(&p->prob)};
    ONN_CHECK(v, OCLNN_ERROR_NOT_FOUND, "%s has no variant %d", p->prob.op->name, params->variant);
    ONN_TRY(look_at_tuple(ctx, p, v, params->formats, out->formats, sizeof out->formats));
    ONN_CHECK((ns = onn_calloc((size_t)runs + 1, sizeof *ns)), OCLNN_ERROR_MEMORY, "out of host memory");
    ONN_TRY(onn_check_init(ctx, p, false, &check));
    struct onn_single_options options = {.repeats = runs, .time_ns = ns};
    ONN_TRY(onn_check_run(&check, v, params->formats, &options, &result));
    out->launches = result.n_launches;
    out->workspace_bytes = result.workspace;
    for (int i = 0; time_ms && i < runs; i++)
        time_ms[i] = ns[i] * 1e-6;
    if (params->verify) {
        ONN_TRY(onn_check_want(&check));
        struct onn_check_difference d =
            onn_check_compare(&check, params->tolerance > 0 ? params->tolerance : 1e-3, 1e-5);
        out->passed = d.wrong == 0;
        out->max_abs = d.max_abs;
        out->max_rel = d.scale > 0 ? d.max_abs / d.scale : 0;
    }
    status = OCLNN_OK;
fail:
    onn_check_finish(&check);
    onn_free(ns);
    return status;
}
