/* Peak arithmetic, copy bandwidth and launch cost, measured once per device and driver. */
#include "base/clock.h"
#include "runtime/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define FLOP_PER_ROUND 48.0 /* of measure_fma, per float: 24 fused multiply-adds */
#define RUN_NS \
    1500000.0 /* a run this long drowns launching and waiting; shorter ones meet less disturbance */
#define PHASE_NS 100000000.0 /* time for one phase; three of them make a measurement */
#define MIB ((size_t)1 << 20)
#define MAX_ROUNDS (1 << 22)
#define GOOD_SHARE 0.8 /* of the processor: with less, other programs were in the way */
#define MAX_TRIES 5

/* In the order of the notes' file. */
enum { GFLOPS, GBS, LAUNCH_US, SHARE, TRIES, NOTES };

struct bench {
    struct oclnn_context *ctx;
    struct onn_kernel *fma, *copy, *empty;
    struct onn_buffer *a, *b;
    size_t group;
    double share; /* of the processor that the last phase had; 1 on other devices */
};

/* Time of one launch with its wait, in ns. */
static enum oclnn_status time_launch(struct bench *x, const struct onn_kernel *k, size_t items, double *ns)
{
    enum oclnn_status status;
    struct onn_event *event = NULL;
    uint64_t begin = onn_clock_ns();
    ONN_TRY(onn_queue_launch(x->ctx, k, 1, &items, &x->group, &event));
    ONN_TRY(onn_event_wait(x->ctx, &event));
    *ns = (double)(onn_clock_ns() - begin);
fail:
    return status;
}

/* The best of several runs within the phase's time. */
static enum oclnn_status best_launch(struct bench *x, const struct onn_kernel *k, size_t items, double *best)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_caps *caps = &x->ctx->caps;
    double ns, spent = 0;
    *best = 0;
    uint64_t begin = onn_clock_cpu_ns();
    for (int i = 0; i < 60 && (i < 2 || spent < PHASE_NS); i++) {
        ONN_TRY(time_launch(x, k, items, &ns));
        spent += ns;
        if (i == 0 || ns < *best)
            *best = ns;
    }
    /* Of the whole phase: the clock runs on only when a thread is switched, too coarse for one run. */
    double busy = (double)(onn_clock_cpu_ns() - begin) / caps->compute_units;
    x->share = caps->is_cpu ? busy / spent : 1;
fail:
    return status;
}

static enum oclnn_status measure_fma(struct bench *x, double *gflops)
{
    enum oclnn_status status;
    const struct onn_caps *caps = &x->ctx->caps;
    size_t items = (size_t)caps->compute_units * (caps->vector_cpu ? 4 : 16) * x->group;
    double ns = 0, width = caps->vector_cpu ? caps->vector_width : 1;
    const float scale = 0.5f, shift = 0.25f; /* settles at 0.5: no overflow, no denormals */
    int rounds = 256;
    ONN_TRY(onn_buffer_create(x->ctx, items * (size_t)width * sizeof(float), &x->a));
    ONN_TRY(onn_kernel_set_buffer(x->fma, 0, x->a));
    ONN_TRY(onn_kernel_set_bytes(x->fma, 1, sizeof scale, &scale));
    ONN_TRY(onn_kernel_set_bytes(x->fma, 2, sizeof shift, &shift));
    /* The first launch may compile, and one hiccup must not end the search: the better of two decides. */
    for (; rounds < MAX_ROUNDS; rounds *= 2) {
        double again;
        ONN_TRY(onn_kernel_set_bytes(x->fma, 3, sizeof rounds, &rounds));
        ONN_TRY(time_launch(x, x->fma, items, &ns));
        ONN_TRY(time_launch(x, x->fma, items, &again));
        if (ns > RUN_NS && again > RUN_NS)
            break;
    }
    ONN_TRY(best_launch(x, x->fma, items, &ns));
    *gflops = FLOP_PER_ROUND * width * rounds * (double)items / ns;
fail:
    onn_buffer_destroy(&x->a);
    return status;
}

/* Large enough to miss the caches, small enough for little machines. */
static size_t copy_bytes(const struct onn_caps *caps)
{
    size_t bytes = caps->cache_bytes < 32 * MIB ? 64 * MIB : 2 * caps->cache_bytes;
    if (bytes > 128 * MIB)
        bytes = 128 * MIB;
    if (caps->max_alloc && bytes > caps->max_alloc / 2)
        bytes = caps->max_alloc / 2;
    if (caps->global_bytes && bytes > caps->global_bytes / 8)
        bytes = caps->global_bytes / 8;
    return bytes;
}

static enum oclnn_status measure_copy(struct bench *x, double *gbs)
{
    enum oclnn_status status;
    const struct onn_caps *caps = &x->ctx->caps;
    size_t vector = (caps->vector_cpu ? (size_t)caps->vector_width : 4) * sizeof(float);
    size_t vectors = copy_bytes(caps) / vector;
    /* A CPU's work-items walk through memory, a GPU's step side by side. */
    size_t items = caps->vector_cpu ? (size_t)caps->compute_units * 4 : vectors / 4 / x->group * x->group;
    int count = (int)(vectors / items), stride = caps->vector_cpu ? count : 1,
        step = caps->vector_cpu ? 1 : (int)items;
    size_t bytes = items * (size_t)count * vector;
    double ns;
    ONN_TRY(onn_buffer_create(x->ctx, bytes, &x->a));
    ONN_TRY(onn_buffer_create(x->ctx, bytes, &x->b));
    ONN_TRY(onn_kernel_set_bytes(x->copy, 2, sizeof count, &count));
    ONN_TRY(onn_kernel_set_bytes(x->copy, 3, sizeof stride, &stride));
    ONN_TRY(onn_kernel_set_bytes(x->copy, 4, sizeof step, &step));
    /* Backwards first: compiles, and gives the source pages of its own (untouched ones all read one page of zeros). */
    ONN_TRY(onn_kernel_set_buffer(x->copy, 0, x->b));
    ONN_TRY(onn_kernel_set_buffer(x->copy, 1, x->a));
    ONN_TRY(time_launch(x, x->copy, items, &ns));
    ONN_TRY(onn_kernel_set_buffer(x->copy, 0, x->a));
    ONN_TRY(onn_kernel_set_buffer(x->copy, 1, x->b));
    ONN_TRY(time_launch(x, x->copy, items, &ns));
    ONN_TRY(best_launch(x, x->copy, items, &ns));
    *gbs = 2.0 * (double)bytes / ns;
fail:
    onn_buffer_destroy(&x->a);
    onn_buffer_destroy(&x->b);
    return status;
}

static enum oclnn_status measure_launch(struct bench *x, double *us)
{
    enum oclnn_status status;
    const int launches = 200, never = 0;
    ONN_TRY(onn_buffer_create(x->ctx, x->group * sizeof(float), &x->a));
    ONN_TRY(onn_kernel_set_buffer(x->empty, 0, x->a));
    ONN_TRY(onn_kernel_set_bytes(x->empty, 1, sizeof never, &never));
    double ns, spent = 0;
    ONN_TRY(time_launch(x, x->empty, x->group, &ns));
    for (int run = 0; run < 5 && (run < 1 || spent < PHASE_NS); run++) {
        uint64_t begin = onn_clock_ns();
        for (int i = 0; i < launches - 1; i++)
            ONN_TRY(onn_queue_launch(x->ctx, x->empty, 1, &x->group, &x->group, NULL));
        ONN_TRY(time_launch(x, x->empty, x->group, &ns)); /* in order: its end is the end of all */
        ns = (double)(onn_clock_ns() - begin);
        spent += ns;
        if (run == 0 || ns * 1e-3 / launches < *us)
            *us = ns * 1e-3 / launches;
    }
fail:
    onn_buffer_destroy(&x->a);
    return status;
}

static enum oclnn_status measure(struct oclnn_context *ctx, double now[NOTES])
{
    enum oclnn_status status;
    const struct onn_caps *caps = &ctx->caps;
    struct bench x = {.ctx = ctx,
        .group = caps->vector_cpu   ? 1
            : caps->max_group < 256 ? caps->max_group
                                    : 256};
    struct onn_program *program = NULL;
    char defines[96];
    snprintf(defines, sizeof defines, "-D VW=%d -D CW=%d -D GROUP=%zu",
        caps->vector_cpu ? caps->vector_width : 1, caps->vector_cpu ? caps->vector_width : 4, x.group);
    ONN_TRY(onn_program_build(ctx, "measure", defines, NULL, &program));
    ONN_TRY(onn_kernel_create(ctx, program, "measure_fma", &x.fma));
    ONN_TRY(onn_kernel_create(ctx, program, "measure_copy", &x.copy));
    ONN_TRY(onn_kernel_create(ctx, program, "measure_empty", &x.empty));
    ONN_TRY(measure_fma(&x, &now[GFLOPS]));
    now[SHARE] = x.share;
    ONN_TRY(measure_copy(&x, &now[GBS]));
    ONN_TRY(measure_launch(&x, &now[LAUNCH_US]));
fail:
    onn_kernel_destroy(&x.fma);
    onn_kernel_destroy(&x.copy);
    onn_kernel_destroy(&x.empty);
    onn_program_destroy(program);
    return status;
}

/* One note for every width of vectors that kernels are measured with. */
static const char *note_kind(const struct onn_caps *caps)
{
    return caps->vector_width == 16 ? "speed16" : caps->vector_width == 4 ? "speed4" : "speed";
}

/* Measures again and keeps the better numbers: what disturbs only makes slower. */
static enum oclnn_status improve(struct oclnn_context *ctx, struct onn_note notes[NOTES])
{
    double now[NOTES] = {0};
    enum oclnn_status status = measure(ctx, now);
    if (status != OCLNN_OK)
        return status;
    for (int i = GFLOPS; i <= SHARE; i++) {
        bool better = i == LAUNCH_US ? now[i] < notes[i].value : now[i] > notes[i].value;
        if (better || notes[TRIES].value == 0)
            notes[i].value = now[i];
    }
    notes[TRIES].value++;
    onn_notes_write(ctx, note_kind(&ctx->caps), notes, NOTES);
    return OCLNN_OK;
}

enum oclnn_status onn_context_measure(struct oclnn_context *ctx)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_note notes[NOTES] = {{"peak_gflops", 0}, {"bandwidth_gbs", 0}, {"launch_us", 0}, {"share", 0},
        {"tries", 0}};
    onn_mutex_lock(&ctx->measure_lock);
    if (ctx->measured)
        goto fail;
    if (ctx->caps.slow) {
        /* A simulator would take minutes, and nobody chooses its kernels by speed. */
        notes[GFLOPS].value = notes[GBS].value = 0.1;
        notes[LAUNCH_US].value = 1000;
    } else {
        onn_notes_read(ctx, note_kind(&ctx->caps), notes, NOTES);
        if (notes[SHARE].value < GOOD_SHARE && notes[TRIES].value < MAX_TRIES)
            ONN_TRY(improve(ctx, notes));
    }
    ctx->caps.peak_gflops = notes[GFLOPS].value;
    ctx->caps.bandwidth_gbs = notes[GBS].value;
    ctx->caps.launch_us = notes[LAUNCH_US].value;
    ctx->measured = true;
    onn_log(&ctx->log, OCLNN_LOG_DEBUG, "%s: %.4g GFLOPS, %.4g GB/s, %.3g us a launch", ctx->caps.name,
        ctx->caps.peak_gflops, ctx->caps.bandwidth_gbs, ctx->caps.launch_us);
fail:
    onn_mutex_unlock(&ctx->measure_lock);
    return status;
}

enum oclnn_status oclnn_context_measure(oclnn_context *ctx, struct oclnn_device_speed *out)
{
    if (!ctx || !out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "oclnn_context_measure: %s is NULL", ctx ? "out" : "ctx");
    enum oclnn_status status = onn_context_measure(ctx);
    const struct onn_caps *caps = &ctx->caps;
    if (status == OCLNN_OK)
        *out = (struct oclnn_device_speed){.peak_gflops = caps->peak_gflops,
            .bandwidth_gbs = caps->bandwidth_gbs,
            .launch_us = caps->launch_us,
            .vector_width = caps->vector_width,
            .is_slow = caps->slow};
    return status;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum oclnn_status oclnn_context_round_trip(oclnn_context *ctx, double *ms)
{
    enum oclnn_status status;
    struct onn_program *program;
    struct onn_kernel *kernel = NULL;
    struct onn_buffer *buffer = NULL;
    const size_t one = 1;
    const int never = 0;
    float number = 1.0f;
    double times[51];
    if (!ctx || !ms)
        return onn_error(OCLNN_ERROR_ARGUMENT, "oclnn_context_round_trip: %s is NULL", ctx ? "ms" : "ctx");
    const int trips = ctx->caps.slow ? 5 : 51;
    ONN_TRY(onn_program_get(ctx, "measure", "-D GROUP=1", NULL, &program));
    ONN_TRY(onn_kernel_create(ctx, program, "measure_empty", &kernel));
    ONN_TRY(onn_buffer_create(ctx, sizeof number, &buffer));
    ONN_TRY(onn_kernel_set_buffer(kernel, 0, buffer));
    ONN_TRY(onn_kernel_set_bytes(kernel, 1, sizeof never, &never));
    for (int i = -2; i < trips; i++) { /* two to warm up: the first launch may compile */
        uint64_t begin = onn_clock_ns();
        ONN_TRY(onn_buffer_write(ctx, buffer, 0, sizeof number, &number, false));
        ONN_TRY(onn_queue_launch(ctx, kernel, 1, &one, &one, NULL));
        ONN_TRY(onn_buffer_read(ctx, buffer, 0, sizeof number, &number, true));
        if (i >= 0)
            times[i] = (double)(onn_clock_ns() - begin) * 1e-6;
    }
    qsort(times, (size_t)trips, sizeof *times, ascending);
    *ms = times[trips / 2];
fail:
    onn_kernel_destroy(&kernel);
    onn_buffer_destroy(&buffer);
    return status;
}
