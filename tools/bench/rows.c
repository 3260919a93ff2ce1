#include "bench/rows.h"
#include "common/stats.h"
#include "common/tool.h"
#include <oclnn/config.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Times vary more than this: clocks or neighbours are not at rest. */
#define UNSTABLE_SPREAD 0.025
/* More than this part of a run goes into launching kernels. */
#define LAUNCH_BOUND 0.8

void bench_report_init(struct bench_report *r)
{
    r->results = json_array();
    r->errors = json_array();
}

void bench_report_finish(struct bench_report *r)
{
    json_decref(r->results);
    json_decref(r->errors);
    r->results = r->errors = NULL;
}

void bench_report_add(struct bench_report *r, json_t *row)
{
    json_array_append_new(r->results, row);
    if (r->done)
        r->done(r);
}

void bench_report_error(struct bench_report *r, const char *device, const char *model, const char *message)
{
    json_t *entry = json_object();

    tool_json_set(entry, "device", tool_json_text(device));
    if (model)
        tool_json_set(entry, "model", tool_json_text(model));
    tool_json_set(entry, "message", tool_json_text(message));
    json_array_append_new(r->errors, entry);
    if (r->done)
        r->done(r);
}

int bench_report_code(const struct bench_report *r)
{
    size_t i;
    json_t *row;

    if (json_array_size(r->errors) > 0)
        return TOOL_FAILED;
    json_array_foreach(r->results, i,
        row) if (!strcmp(tool_json_get_text(json_object_get(row, "verify"), "status"),
                     "fail")) return TOOL_FAILED;
    return TOOL_OK;
}

void bench_job_fail(const struct bench_job *job, enum oclnn_status status, const char *what)
{
    const char *sentence = oclnn_error_text(NULL);
    char *message = tool_format("%s%s%s (%s)", what ? what : "", what ? ": " : "",
        sentence[0] ? sentence : oclnn_status_text(status), oclnn_status_name(status));

    bench_report_error(job->report, job->device.name[0] ? job->device.name : job->selector, job->item,
        message);
    free(message);
}

/* A command that gives this row again. */
static json_t *repro(const struct bench_job *job)
{
    const struct bench_options *o = job->o;
    char *text = tool_format("oclnn-bench '%s' -d %s", job->item, job->selector);
    json_t *value;

    struct {
        const char *option, *value;
    } part[] = {{o->train ? "--train" : NULL, ""}, {"--data", o->data}, {"--variant", o->variant},
        {"--format", o->format}, {"--passes-off", o->passes_off}, {o->resident ? "--resident" : NULL, ""},
        {o->cold ? "--cold" : NULL, ""}};

    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        char *longer;

        if (!part[i].option || !part[i].value)
            continue;
        longer = tool_format("%s %s%s%s%s", text, part[i].option, part[i].value[0] ? " '" : "", part[i].value,
            part[i].value[0] ? "'" : "");
        free(text);
        text = longer;
    }
    for (int i = 0; i < o->shapes.n; i++) {
        char shape[200],
            *longer = tool_format("%s --shape '%s=%s'", text, o->shapes.item[i].name,
                tool_shape_text(&o->shapes.item[i].shape, shape));

        free(text);
        text = longer;
    }
    if (job->dtype) {
        char *longer = tool_format("%s --dtype %s", text, oclnn_dtype_name(job->dtype));

        free(text);
        text = longer;
    }
    if (job->batch) {
        char *longer = tool_format("%s --batch %ld", text, job->batch);

        free(text);
        text = longer;
    }
    value = tool_json_text(text);
    free(text);
    return value;
}

double bench_tolerance(const struct bench_job *job)
{
    if (job->o->tolerance >= 0)
        return job->o->tolerance;
    return job->dtype == OCLNN_F16 ? TOOL_TOLERANCE_F16 : TOOL_TOLERANCE;
}

json_t *bench_row_start(const struct bench_job *job, const char *model, int64_t batch, const char *dtype)
{
    json_t *row = json_object();

    tool_json_set(row, "version", tool_json_text(OCLNN_VERSION));
    tool_json_set(row, "device", tool_json_text(job->device.name));
    tool_json_set(row, "selector", tool_json_text(job->selector));
    tool_json_set(row, "platform", tool_json_text(job->device.platform));
    tool_json_set(row, "driver", tool_json_text(job->device.driver));
    tool_json_set(row, "model", tool_json_text(model));
    if (batch > 0)
        tool_json_set(row, "batch", json_integer(batch));
    tool_json_set(row, "dtype", tool_json_text(dtype));
    tool_json_set(row, "mode", tool_json_text("infer"));
    if (job->o->resident)
        tool_json_set(row, "resident", json_true());
    tool_json_set(row, "warnings", json_array());
    tool_json_set(row, "repro", repro(job));
    return row;
}

void bench_row_warn(json_t *row, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    if (text)
        json_array_append_new(json_object_get(row, "warnings"), tool_json_text(text));
    free(text);
}

void bench_row_times(const struct bench_job *job, json_t *row, const struct tool_samples *samples,
    double images, double flop)
{
    struct tool_stats s = tool_stats(samples->v, samples->n);
    json_t *time = json_object(), *list = json_array();

    for (size_t i = 0; i < samples->n; i++)
        json_array_append_new(list, tool_json_real(samples->v[i]));
    tool_json_set(time, "min", tool_json_real(s.min));
    tool_json_set(time, "median", tool_json_real(s.median));
    tool_json_set(time, "mean", tool_json_real(s.mean));
    tool_json_set(time, "p90", tool_json_real(s.p90));
    tool_json_set(time, "p99", tool_json_real(s.p99));
    tool_json_set(time, "samples", list);
    tool_json_set(row, "time_ms", time);
    if (images > 0 && s.median > 0)
        tool_json_set(row, "images_per_s", tool_json_real(images / s.median * 1e3));
    if (flop > 0 && s.median > 0) {
        double gflops = flop / s.median / 1e6;

        tool_json_set(row, "gflops", tool_json_real(gflops));
        if (job->speed.peak_gflops > 0)
            tool_json_set(row, "percent_of_peak", tool_json_real(100 * gflops / job->speed.peak_gflops));
    }
    if (samples->n >= 5 && s.spread > UNSTABLE_SPREAD)
        bench_row_warn(row, "times vary by %.0f %%: clocks or other programs are not at rest",
            100 * s.spread);
    if (job->speed.launch_us > 0) {
        double launches = tool_json_get_real(row, "kernels") * job->speed.launch_us / 1e3;

        if (launches > LAUNCH_BOUND * s.median)
            bench_row_warn(row, "bound by launches: %.0f kernels take %.3g ms to launch",
                tool_json_get_real(row, "kernels"), launches);
    }
}

void bench_row_verify(json_t *row, const char *status, double max_abs, double max_rel)
{
    json_t *verify = json_object();

    tool_json_set(verify, "status", tool_json_text(status));
    if (strcmp(status, "none") != 0) {
        tool_json_set(verify, "max_abs", tool_json_real(max_abs));
        tool_json_set(verify, "max_rel", tool_json_real(max_rel));
    }
    tool_json_set(row, "verify", verify);
}

enum oclnn_status bench_time(const struct bench_job *job, enum oclnn_status (*once)(void *user), void *user,
    struct tool_samples *samples)
{
    /* A device that needs a second for a run gets by with three runs, a simulator with one. */
    double start, least = 1e3 * job->o->min_time, most = 2 * least + 500;

    for (long i = 0; i < job->o->warmup; i++) {
        double before = tool_now_ms();
        enum oclnn_status status = once(user);

        if (status != OCLNN_OK)
            return status;
        if (tool_now_ms() - before > least || tool_interrupted())
            break;
    }
    start = tool_now_ms();
    for (;;) {
        double before = tool_now_ms(), spent;
        enum oclnn_status status = once(user);

        if (status != OCLNN_OK)
            return status;
        tool_samples_add(samples, tool_now_ms() - before);
        spent = tool_now_ms() - start;
        if (tool_interrupted() || (spent >= least && samples->n >= (size_t)job->o->min_runs))
            return OCLNN_OK;
        if (spent >= most && (samples->n >= 3 || spent >= 10 * most || job->speed.is_slow))
            return OCLNN_OK;
    }
}

/* No faster than its FLOP at the measured peak and its bytes at the measured bandwidth; 0: not known. (FLOP are those of the
 * direct algorithm: Winograd may be faster.) */
static double roofline_ms(const struct bench_job *job, const struct oclnn_profile_row *row)
{
    double compute = job->speed.peak_gflops > 0 ? row->flop / job->speed.peak_gflops / 1e6 : 0;
    double memory = job->speed.bandwidth_gbs > 0 ? row->bytes / job->speed.bandwidth_gbs / 1e6 : 0;

    return compute > memory ? compute : memory;
}

static json_t *layers_of(const struct bench_job *job, const struct oclnn_profile_row *rows, int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++) {
        json_t *layer = json_object();

        tool_json_set(layer, "node", tool_json_text(rows[i].node ? rows[i].node : ""));
        tool_json_set(layer, "op", tool_json_text(rows[i].op ? rows[i].op : ""));
        tool_json_set(layer, "variant", tool_json_text(rows[i].variant ? rows[i].variant : ""));
        tool_json_set(layer, "format", tool_json_text(rows[i].format ? rows[i].format : ""));
        tool_json_set(layer, "shape", tool_json_text(rows[i].shape));
        tool_json_set(layer, "time_ms", tool_json_real(rows[i].time_ms));
        tool_json_set(layer, "roofline_ms", tool_json_real(roofline_ms(job, &rows[i])));
        if (rows[i].time_ms > 0) {
            tool_json_set(layer, "gflops", tool_json_real(rows[i].flop / rows[i].time_ms / 1e6));
            tool_json_set(layer, "gbs", tool_json_real(rows[i].bytes / rows[i].time_ms / 1e6));
        }
        json_array_append_new(list, layer);
    }
    return list;
}

void bench_row_layers(const struct bench_job *job, json_t *row, bench_profile profile, void *user, int runs)
{
    struct oclnn_profile_row *rows;
    int n = 0, capacity;

    if (profile(user, 1, NULL, 0, &n) != OCLNN_OK || n <= 0) {
        bench_row_warn(row, "no times per layer: %s", oclnn_error_text(NULL));
        return;
    }
    capacity = n;
    rows = tool_alloc((size_t)n, sizeof(*rows));
    if (profile(user, runs, rows, capacity, &n) != OCLNN_OK)
        bench_row_warn(row, "no times per layer: %s", oclnn_error_text(NULL));
    else
        tool_json_set(row, "layers", layers_of(job, rows, n < capacity ? n : capacity));
    free(rows);
}

enum oclnn_status bench_context(const struct bench_job *job, oclnn_context **out)
{
    const struct oclnn_context_params params = {.devices = job->selector,
        .log = tool_log,
        .log_level = job->o->log_level,
        .cache_dir = job->o->cold ? "" : NULL};

    return oclnn_context_create(&params, out);
}
