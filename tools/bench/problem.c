/* A single operator on one device: one row per kernel variant. */
#include "bench/rows.h"
#include "common/stats.h"
#include "common/tool.h"
#include <oclnn/info.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Runs one variant and format combination and adds its row. */
static enum oclnn_status run(const struct bench_job *job, oclnn_context *ctx, const oclnn_problem *problem,
    int variant, int formats)
{
    const struct bench_options *o = job->o;
    struct oclnn_problem_params params = {.variant = variant, .formats = formats, .runs = 1};
    struct oclnn_problem_result result;
    struct tool_samples samples = {0};
    double once_ms, *times;
    json_t *row;
    enum oclnn_status status = oclnn_problem_run(ctx, problem, &params, &once_ms, &result);

    if (status != OCLNN_OK)
        return status;
    params.runs = (int)fmin(fmax(1e3 * o->min_time / fmax(once_ms, 1), (double)o->min_runs), 10000);
    if (once_ms * params.runs > 2e3 * o->min_time + 500)
        params.runs = (int)fmax(3, (2e3 * o->min_time + 500) / once_ms);
    params.verify = o->verify != BENCH_VERIFY_OFF;
    params.tolerance = bench_tolerance(job);
    times = tool_alloc((size_t)params.runs, sizeof(*times));
    status = oclnn_problem_run(ctx, problem, &params, times, &result);
    if (status == OCLNN_OK) {
        for (int i = 0; i < params.runs; i++)
            tool_samples_add(&samples, times[i]);
        row = bench_row_start(job, oclnn_problem_text(problem), 0,
            oclnn_dtype_name(oclnn_problem_dtype(problem)));
        tool_json_set(row, "mode", tool_json_text("operator"));
        tool_json_set(row, "variant", tool_json_text(oclnn_problem_variant(problem, variant)));
        tool_json_set(row, "formats", tool_json_text(result.formats));
        tool_json_set(row, "kernels", json_integer(result.launches));
        tool_json_set(row, "workspace_bytes", json_integer((json_int_t)result.workspace_bytes));
        bench_row_times(job, row, &samples, 0, result.flop);
        tool_json_set(row, "gbs",
            tool_json_real(
                result.bytes / 1e6 / tool_json_get_real(json_object_get(row, "time_ms"), "median")));
        bench_row_verify(row,
            !params.verify      ? "none"
                : result.passed ? "pass"
                                : "fail",
            result.max_abs, result.max_rel);
        bench_report_add(job->report, row);
    }
    tool_samples_finish(&samples);
    free(times);
    return status;
}

/* Every format combination of a variant if it was asked for by name, else the first that it does not refuse. */
static bool run_variant(const struct bench_job *job, oclnn_context *ctx, const oclnn_problem *problem,
    int variant)
{
    bool ran = false, told = job->o->quiet;

    for (int formats = 0; !tool_interrupted(); formats++) {
        enum oclnn_status status = run(job, ctx, problem, variant, formats);

        if (status == OCLNN_ERROR_NOT_FOUND)
            return ran;
        if (status == OCLNN_ERROR_UNSUPPORTED) {
            if (!told)
                tool_warn("%s", oclnn_error_text(NULL));
            told = true;
        } else if (status != OCLNN_OK) {
            bench_job_fail(job, status, oclnn_problem_variant(problem, variant));
        }
        ran = ran || status == OCLNN_OK;
        if (ran && !job->o->variant)
            return true;
    }
    return ran;
}

void bench_problem(const struct bench_job *job)
{
    oclnn_context *ctx = NULL;
    oclnn_problem *problem = NULL;
    enum oclnn_status status = oclnn_problem_create(job->item, &problem);
    bool ran = false;

    if (status == OCLNN_OK)
        status = bench_context(job, &ctx);
    if (status != OCLNN_OK)
        bench_job_fail(job, status, NULL);
    for (int i = 0; status == OCLNN_OK && oclnn_problem_variant(problem, i); i++)
        if (!job->o->variant || !strcmp(job->o->variant, oclnn_problem_variant(problem, i)))
            ran = run_variant(job, ctx, problem, i) || ran;
    if (status == OCLNN_OK && !ran && !tool_interrupted())
        bench_report_error(job->report, job->device.name, job->item, "no kernel variant ran this problem");
    oclnn_problem_destroy(&problem);
    oclnn_context_destroy(&ctx);
}
