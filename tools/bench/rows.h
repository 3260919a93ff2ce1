/* One benchmark = one row: a JSON object with the fields that scripts rely on. */
#ifndef OCLNN_TOOLS_BENCH_ROWS_H
#define OCLNN_TOOLS_BENCH_ROWS_H

#include "bench/options.h"
#include "common/json.h"
#include <oclnn/device.h>
#include <oclnn/model.h>

/* What one device yields: rows, and {"device", "model", "message"} for what went wrong. */
struct bench_report {
    json_t *results, *errors; /* arrays */
    void (*done)(struct bench_report *r); /* called behind every new row or error; may be NULL */
    void *user;
};
void bench_report_init(struct bench_report *r);
void bench_report_finish(struct bench_report *r);
void bench_report_add(struct bench_report *r, json_t *row);
void bench_report_error(struct bench_report *r, const char *device, const char *model, const char *message);
/* 1 when there are errors or a row whose verification failed. */
int bench_report_code(const struct bench_report *r);

/* Everything that the options ask for, on one device. */
void bench_device(const struct bench_options *o, const char *selector, struct bench_report *r);

/* ---- the pieces of bench_device ---- */
struct bench_job {
    const struct bench_options *o;
    const char *selector, *item;
    long batch; /* 0 = not asked for */
    enum oclnn_dtype dtype; /* OCLNN_NONE = not asked for */
    struct bench_report *report;
    struct oclnn_device_info device;
    struct oclnn_device_speed speed; /* zeroed if it could not be measured */
    double round_trip_ms; /* negative: unknown */
    bool verify_small; /* without arguments: check against plain kernels at a small size */
};
/* Each adds a row or an error. */
void bench_network(const struct bench_job *job);
void bench_problem(const struct bench_job *job);
void bench_training(const struct bench_job *job);

/* --tol, or what suits the numbers: three digits, two where they are stored as f16. */
double bench_tolerance(const struct bench_job *job);
/* The context that a job is measured in. */
enum oclnn_status bench_context(const struct bench_job *job, oclnn_context **out);
/* A row with device, platform, driver, model, batch, dtype, mode. */
json_t *bench_row_start(const struct bench_job *job, const char *model, int64_t batch, const char *dtype);
/* "time_ms", the rates, and warnings about the clock. flop of one run, 0 = unknown; images 0 = no rate. */
struct tool_samples;
void bench_row_times(const struct bench_job *job, json_t *row, const struct tool_samples *samples,
    double images, double flop);
/* "layers": medians of `runs` times per node, from oclnn_model_profile or the like. */
typedef enum oclnn_status (
    *bench_profile)(void *user, int runs, struct oclnn_profile_row *rows, int capacity, int *count);
void bench_row_layers(const struct bench_job *job, json_t *row, bench_profile profile, void *user, int runs);
/* status: "pass", "fail", "none"; the numbers are left out for "none". */
void bench_row_verify(json_t *row, const char *status, double max_abs, double max_rel);
void bench_row_warn(json_t *row, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The library's last sentence as an error entry. */
void bench_job_fail(const struct bench_job *job, enum oclnn_status status, const char *what);
/* Calls `once` until time and number of runs suffice; the first failure ends it. */
enum oclnn_status bench_time(const struct bench_job *job, enum oclnn_status (*once)(void *user), void *user,
    struct tool_samples *samples);

#endif
