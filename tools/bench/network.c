/* A network on one device: load, first answer, timed runs, verification. */
#include "bench/rows.h"
#include "common/devices.h"
#include "common/networks.h"
#include "common/stats.h"
#include "common/tool.h"
#include <stdlib.h>
#include <string.h>

struct run {
    const struct bench_job *job;
    oclnn_context *ctx;
    oclnn_model *model;
    struct tool_feed feed;
    struct tool_samples samples;
    double context_ms, load_ms, first_ms;
};

static enum oclnn_status once(void *user)
{
    struct run *r = user;

    return r->job->o->resident ? oclnn_model_run_resident(r->model) : tool_feed_run(&r->feed, r->model);
}

static int fill_feed(struct run *r)
{
    const struct bench_options *o = r->job->o;
    char **sets;
    int n, code;

    if (!o->data)
        return tool_feed_random(&r->feed, r->model, &o->shapes, r->job->batch);
    if (!tool_is_folder(o->data))
        return tool_feed_npz(&r->feed, r->model, o->data);
    code = tool_data_sets(o->data, &sets, &n);
    if (code == TOOL_OK)
        code = tool_feed_folder(&r->feed, r->model, sets[0]);
    tool_device_free(&sets, &n);
    return code;
}

static void add_plan(const struct run *r, json_t *row)
{
    struct oclnn_plan_info p = {0};
    json_t *bytes = json_object(), *cache = json_object();

    if (oclnn_model_plan_info(r->model, &p) != OCLNN_OK) {
        json_decref(bytes);
        json_decref(cache);
        return;
    }
    tool_json_set(row, "kernels", json_integer(p.kernels));
    tool_json_set(row, "programs", json_integer(p.programs));
    tool_json_set(row, "nodes", json_integer(p.nodes));
    tool_json_set(row, "gflop", tool_json_real(p.flop / 1e9));
    tool_json_set(row, "context_ms", tool_json_real(r->context_ms));
    tool_json_set(row, "load_ms", tool_json_real(r->load_ms));
    tool_json_set(row, "tune_ms", tool_json_real(p.tune_ms));
    tool_json_set(row, "plan_ms", tool_json_real(p.plan_ms));
    tool_json_set(row, "build_ms", tool_json_real(p.build_ms));
    tool_json_set(row, "first_answer_ms", tool_json_real(r->first_ms));
    tool_json_set(cache, "hits", json_integer(p.cache_hits));
    tool_json_set(cache, "misses", json_integer(p.cache_misses));
    tool_json_set(row, "cache", cache);
    tool_json_set(bytes, "parameters", json_integer((json_int_t)p.parameter_bytes));
    tool_json_set(bytes, "derived", json_integer((json_int_t)p.derived_bytes));
    tool_json_set(bytes, "arena", json_integer((json_int_t)p.arena_bytes));
    tool_json_set(bytes, "arena_tensors", json_integer((json_int_t)p.arena_tensor_bytes));
    tool_json_set(bytes, "arena_lower_bound", json_integer((json_int_t)p.arena_lower_bound));
    tool_json_set(bytes, "workspace", json_integer((json_int_t)p.workspace_bytes));
    tool_json_set(bytes, "padding", json_integer((json_int_t)p.padding_bytes));
    tool_json_set(bytes, "staging", json_integer((json_int_t)p.staging_bytes));
    tool_json_set(row, "bytes", bytes);
    if (r->job->round_trip_ms >= 0)
        tool_json_set(row, "round_trip_ms", tool_json_real(r->job->round_trip_ms));
}

#define EXTRA_RUNS 5
#define PIPELINED_RUNS 10

/* Milliseconds per run with two in flight: each is enqueued before the one in front of it was waited for. */
static enum oclnn_status time_pipelined(const struct run *r, double *ms)
{
    oclnn_job *job[2] = {NULL, NULL};
    enum oclnn_status status = OCLNN_OK;
    double start = tool_now_ms();

    for (int i = 0; i < PIPELINED_RUNS && status == OCLNN_OK && !tool_interrupted(); i++) {
        status = oclnn_job_wait(&job[i % 2]);
        if (status == OCLNN_OK)
            status = oclnn_model_run_async(r->model, r->feed.bind_in, r->feed.bind_out, &job[i % 2]);
    }
    for (int i = 0; i < 2; i++) {
        enum oclnn_status waited = oclnn_job_wait(&job[(PIPELINED_RUNS + i) % 2]);

        status = status == OCLNN_OK ? waited : status;
    }
    *ms = (tool_now_ms() - start) / PIPELINED_RUNS;
    return status;
}

/* Where a run's time goes: the host's part, until everything is enqueued; transfers, as what a run on data that is in
 * device memory takes less; and what is left of both with two runs in flight. Slow devices are not asked. */
static void add_parts(struct run *r, json_t *row, double median_ms)
{
    struct tool_samples enqueue = {0}, resident = {0};
    enum oclnn_status status = OCLNN_OK;
    double pipelined = 0;

    if (r->job->speed.is_slow || r->job->o->resident)
        return;
    for (int i = 0; i < EXTRA_RUNS && status == OCLNN_OK && !tool_interrupted(); i++) {
        oclnn_job *job = NULL;
        double start = tool_now_ms();

        status = oclnn_model_run_async(r->model, r->feed.bind_in, r->feed.bind_out, &job);
        tool_samples_add(&enqueue, tool_now_ms() - start);
        if (status == OCLNN_OK)
            status = oclnn_job_wait(&job);
        start = tool_now_ms();
        if (status == OCLNN_OK)
            status = oclnn_model_run_resident(r->model);
        tool_samples_add(&resident, tool_now_ms() - start);
    }
    if (status == OCLNN_OK)
        status = time_pipelined(r, &pipelined);
    if (status == OCLNN_OK && resident.n > 0) {
        double transfer = median_ms - tool_stats(resident.v, resident.n).median;

        tool_json_set(row, "enqueue_ms", tool_json_real(tool_stats(enqueue.v, enqueue.n).median));
        tool_json_set(row, "transfer_ms", tool_json_real(transfer > 0 ? transfer : 0));
        tool_json_set(row, "pipelined_ms", tool_json_real(pipelined));
    }
    tool_samples_finish(&enqueue);
    tool_samples_finish(&resident);
}

static enum oclnn_status profile(void *user, int runs, struct oclnn_profile_row *rows, int capacity,
    int *count)
{
    const struct run *r = user;

    return oclnn_model_profile(r->model, runs, rows, capacity, count);
}

/* Compares outputs with `want`; adds "verify". */
static void verify_against(json_t *row, oclnn_tensor *const *got, oclnn_tensor *const *want, int n,
    double tolerance, const char *what)
{
    double max_abs = 0, max_rel = 0;
    bool passes = true;

    for (int i = 0; i < n; i++) {
        struct tool_difference d = tool_compare(got[i], want[i], tolerance);
        char at[200];

        if (!d.is_same_shape) {
            char a[200], b[200];
            struct oclnn_shape sa = oclnn_tensor_shape(got[i]), sb = oclnn_tensor_shape(want[i]);

            bench_row_warn(row, "output %d has shape %s, %s has %s", i, tool_shape_text(&sa, a), what,
                tool_shape_text(&sb, b));
        } else if (!d.passes) {
            bench_row_warn(row, "output %d is wrong in %lld of %lld elements: %s is %.9g, %s has %.9g", i,
                (long long)d.wrong, (long long)tool_elements(want[i]), tool_index_text(want[i], d.index, at),
                d.got, what, d.want);
        }
        passes = passes && d.passes;
        if (d.max_abs > max_abs)
            max_abs = d.max_abs;
        if (d.scale > 0 && d.max_abs / d.scale > max_rel)
            max_rel = d.max_abs / d.scale;
    }
    bench_row_verify(row, passes ? "pass" : "fail", max_abs, max_rel);
}

static enum oclnn_status open_model(const struct run *r, const char *variant, enum oclnn_dtype dtype,
    int size, oclnn_model **out)
{
    const struct bench_options *o = r->job->o;
    struct oclnn_model_params params = {.variant = variant,
        .format = o->format,
        .passes_off = o->passes_off,
        .tune = o->tune,
        .tune_ms = o->tune_ms,
        .dtype = dtype};

    return tool_model_open(r->ctx, r->job->item, size, &params, out);
}

/* The same network, weights and inputs through the chosen and through the plain kernels. size 0: as it is timed. */
static void verify_plain(struct run *r, json_t *row, int size)
{
    oclnn_model *fast = NULL, *plain = NULL;
    struct tool_feed a = {0}, b = {0};
    enum oclnn_status status = open_model(r, r->job->o->variant, r->job->dtype, size, &fast);

    if (status == OCLNN_OK)
        status = open_model(r, "reference", OCLNN_F32, size, &plain);
    if (status == OCLNN_OK) {
        int code = size ? tool_feed_random(&a, fast, NULL, 1) : tool_feed_like(&a, fast, &r->feed);

        if (code != TOOL_OK || tool_feed_like(&b, plain, &a) != TOOL_OK)
            status = OCLNN_ERROR_ARGUMENT; /* its message is out */
    }
    if (status == OCLNN_OK)
        status = tool_feed_run(&a, fast);
    if (status == OCLNN_OK)
        status = tool_feed_run(&b, plain);
    if (status == OCLNN_OK) {
        verify_against(row, a.out, b.out, a.n_out, bench_tolerance(r->job), "the plain variant");
    } else {
        bench_row_warn(row, "not verified: %s", oclnn_error_text(NULL));
        bench_row_verify(row, r->job->o->verify == BENCH_VERIFY_STRICT ? "fail" : "none", 0, 0);
    }
    tool_feed_finish(&a);
    tool_feed_finish(&b);
    oclnn_model_destroy(&fast);
    oclnn_model_destroy(&plain);
}

static void add_verify(struct run *r, json_t *row)
{
    const struct bench_options *o = r->job->o;

    if (o->verify == BENCH_VERIFY_OFF)
        bench_row_verify(row, "none", 0, 0);
    else if (r->feed.n_want > 0)
        verify_against(row, r->feed.out, r->feed.want, r->feed.n_want, bench_tolerance(r->job),
            "the reference");
    else if (o->verify == BENCH_VERIFY_STRICT)
        verify_plain(r, row, 0);
    else if (r->job->verify_small)
        verify_plain(r, row, tool_network_small_size(r->job->item));
    else
        bench_row_verify(row, "none", 0, 0);
}

static const char *dtype_of(const struct run *r)
{
    const struct tool_feed *f = &r->feed;

    if (r->job->dtype)
        return oclnn_dtype_name(r->job->dtype);
    return f->n_in > 0 ? oclnn_dtype_name(oclnn_tensor_dtype(f->in[0])) : "none";
}

/* From opening to the row. What fails becomes an error entry. */
static enum oclnn_status measure(struct run *r, const char *name)
{
    const struct bench_options *o = r->job->o;
    struct oclnn_plan_info plan = {0};
    double start = tool_now_ms();
    enum oclnn_status status = open_model(r, o->variant, r->job->dtype, 0, &r->model);
    int64_t batch;
    json_t *row;

    r->load_ms = tool_now_ms() - start;
    if (status != OCLNN_OK)
        return status;
    if (fill_feed(r) != TOOL_OK) {
        bench_report_error(r->job->report, r->job->device.name, r->job->item, tool_last_error());
        return OCLNN_OK;
    }
    start = tool_now_ms();
    status = tool_feed_run(&r->feed, r->model);
    r->first_ms = r->load_ms + tool_now_ms() - start;
    if (status == OCLNN_OK)
        status = bench_time(r->job, once, r, &r->samples);
    if (status != OCLNN_OK)
        return status;
    batch = tool_feed_batch(&r->feed);
    row = bench_row_start(r->job, name, batch, dtype_of(r));
    oclnn_model_plan_info(r->model, &plan);
    add_plan(r, row);
    bench_row_times(r->job, row, &r->samples, (double)batch, plan.flop);
    add_parts(r, row, tool_json_get_real(json_object_get(row, "time_ms"), "median"));
    if (o->outputs && tool_feed_save(&r->feed, o->outputs) != TOOL_OK)
        bench_report_error(r->job->report, r->job->device.name, r->job->item, tool_last_error());
    if (o->per_layer)
        bench_row_layers(r->job, row, profile, r, 5);
    add_verify(r, row);
    bench_report_add(r->job->report, row);
    return OCLNN_OK;
}

void bench_network(const struct bench_job *job)
{
    struct run r = {.job = job};
    char *name = tool_model_name(job->item);
    double start = tool_now_ms();
    enum oclnn_status status = bench_context(job, &r.ctx);

    r.context_ms = tool_now_ms() - start;
    if (status == OCLNN_OK)
        status = measure(&r, name);
    if (status != OCLNN_OK)
        bench_job_fail(job, status, NULL);
    tool_feed_finish(&r.feed);
    tool_samples_finish(&r.samples);
    oclnn_model_destroy(&r.model);
    oclnn_context_destroy(&r.ctx);
    free(name);
}
