/* All items on one device. */
#include "bench/rows.h"
#include "common/networks.h"
#include "common/tool.h"
#include <stdlib.h>
#include <string.h>

static const char *const usual[] = {"resnet50", "mobilenet-v2", "squeezenet", "mnist-conv2"};
static const char *const usual_slow[] = {"mnist-conv2"};

/* What is known of the device before anything is timed. False: there is no such device; the error is in the report. */
static bool look_at_device(struct bench_job *job)
{
    struct oclnn_context_params params = {.devices = job->selector,
        .log = tool_log,
        .log_level = job->o->log_level};
    oclnn_context *ctx = NULL;
    enum oclnn_status status = oclnn_context_create(&params, &ctx);

    job->round_trip_ms = -1;
    if (status == OCLNN_OK)
        status = oclnn_context_device(ctx, &job->device);
    if (status != OCLNN_OK) {
        bench_job_fail(job, status, NULL);
        oclnn_context_destroy(&ctx);
        return false;
    }
    if (oclnn_context_measure(ctx, &job->speed) != OCLNN_OK)
        memset(&job->speed, 0, sizeof(job->speed));
    if (oclnn_context_round_trip(ctx, &job->round_trip_ms) != OCLNN_OK)
        job->round_trip_ms = -1;
    oclnn_context_destroy(&ctx);
    return true;
}

static void run_item(struct bench_job *job)
{
    const struct bench_options *o = job->o;

    if (bench_is_problem(job->item)) {
        bench_problem(job);
        return;
    }
    if (!tool_is_network(job->item) && !tool_is_file(job->item)) {
        char *text =
            tool_format("%s is neither a file nor a built-in network (oclnn-info --networks lists them)",
                job->item);

        bench_report_error(job->report, job->device.name, job->item, text);
        free(text);
        return;
    }
    const int batches = o->n_batch ? o->n_batch : 1, dtypes = o->n_dtype ? o->n_dtype : 1;

    for (int i = 0; i < batches * dtypes && !tool_interrupted(); i++) {
        job->batch = o->n_batch ? o->batch[i / dtypes] : 0;
        job->dtype = o->n_dtype ? o->dtype[i % dtypes] : OCLNN_NONE;
        if (o->train)
            bench_training(job);
        else
            bench_network(job);
    }
}

void bench_device(const struct bench_options *o, const char *selector, struct bench_report *r)
{
    struct bench_job job = {.o = o, .selector = selector, .report = r};
    const char *const *items = o->item;
    int n = o->n_items;

    if (!look_at_device(&job))
        return;
    /* "best" may mean another device tomorrow: rows and repro lines name the one it was. */
    if (job.device.selector[0])
        job.selector = job.device.selector;
    if (n == 0) {
        items = job.speed.is_slow ? usual_slow : usual;
        n = job.speed.is_slow ? 1 : (int)(sizeof(usual) / sizeof(usual[0]));
        job.verify_small = true;
        if (job.speed.is_slow)
            tool_warn("%s is a simulator or very slow (%.3g ms a launch): mnist-conv2 only", job.device.name,
                job.speed.launch_us / 1e3);
    }
    for (int i = 0; i < n && !tool_interrupted(); i++) {
        job.item = items[i];
        run_item(&job);
    }
}
