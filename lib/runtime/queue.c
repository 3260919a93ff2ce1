/* The in-order compute queue: launches, events, waiting. A context has one queue in use; a second one is made when
 * profiling is switched, because OpenCL fixes that when a queue is made. */
#include "base/clock.h"
#include "runtime/internal.h"

#define SPIN_NS 200000 /* a wait this long is better slept through */
#define POLL_PAUSES 32 /* between two looks at an event: each look takes a lock of the driver's */

enum oclnn_status onn_queue_failed(struct oclnn_context *ctx, enum oclnn_status status)
{
    if (status == OCLNN_ERROR_DEVICE_LOST)
        atomic_store(&ctx->lost, true);
    return status;
}

enum oclnn_status onn_queue_get(struct oclnn_context *ctx, cl_command_queue *out)
{
    *out = atomic_load(&ctx->queue);
    if (atomic_load(&ctx->lost))
        return onn_error(OCLNN_ERROR_DEVICE_LOST, "device '%s' was lost: make a new context", ctx->caps.name);
    return OCLNN_OK;
}

enum oclnn_status onn_queue_open(struct oclnn_context *ctx, cl_command_queue given)
{
    enum oclnn_status status;
    if (!given)
        return onn_queue_set_profiling(ctx, false);
    cl_command_queue_properties properties = 0;
    cl_context owner = NULL;
    ONN_CL(clGetCommandQueueInfo(given, CL_QUEUE_CONTEXT, sizeof owner, &owner, NULL));
    ONN_CHECK(owner == ctx->cl, OCLNN_ERROR_ARGUMENT, "the cl_command_queue belongs to another cl_context");
    ONN_CL(clGetCommandQueueInfo(given, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL));
    ONN_CHECK(!(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE), OCLNN_ERROR_UNSUPPORTED,
        "the cl_command_queue is out of order");
    ONN_CL(clRetainCommandQueue(given));
    *(properties & CL_QUEUE_PROFILING_ENABLE ? &ctx->profiled : &ctx->plain) = given;
    ctx->given = given;
    atomic_store(&ctx->queue, given);
    return OCLNN_OK;
fail:
    return status;
}

bool onn_queue_is_given(const struct oclnn_context *ctx)
{
    return ctx->given && atomic_load(&ctx->queue) == ctx->given;
}

void onn_queue_close(struct oclnn_context *ctx)
{
    cl_command_queue queues[] = {ctx->plain, ctx->profiled};
    for (int i = 0; i < 2; i++)
        if (queues[i]) {
            clFinish(queues[i]);
            clReleaseCommandQueue(queues[i]);
        }
    ctx->plain = ctx->profiled = NULL;
    atomic_store(&ctx->queue, NULL);
}

enum oclnn_status onn_queue_set_profiling(struct oclnn_context *ctx, bool on)
{
    enum oclnn_status status = OCLNN_OK;
    cl_int code;
    onn_mutex_lock(&ctx->queue_lock);
    cl_command_queue *slot = on ? &ctx->profiled : &ctx->plain, now = atomic_load(&ctx->queue);
    cl_command_queue_properties properties = on ? CL_QUEUE_PROFILING_ENABLE : 0;
    if (!*slot)
        ONN_CL((*slot = clCreateCommandQueue(ctx->cl, ctx->device.id, properties, &code), code));
    /* Two queues know no order between them: the old one has to be empty first. */
    if (now && now != *slot)
        ONN_CL(clFinish(now));
    atomic_store(&ctx->queue, *slot);
fail:
    onn_mutex_unlock(&ctx->queue_lock);
    return onn_queue_failed(ctx, status);
}

/* The local size to pass: the caller's, the kernel's own, or NULL; and does it divide the global size? */
static enum oclnn_status check_sizes(const struct onn_kernel *k, int dims, const size_t *global,
    const size_t *local, const size_t **use)
{
    *use = local && local[0] ? local : k->required_local[0] ? k->required_local : NULL;
    if (dims < 1 || dims > 3)
        return onn_error(OCLNN_ERROR_INTERNAL, "kernel '%s': %d dimensions", k->name, dims);
    for (int i = 0; *use && i < dims; i++)
        if ((*use)[i] == 0 || global[i] % (*use)[i] != 0)
            return onn_error(OCLNN_ERROR_INTERNAL,
                "kernel '%s': local size %zu does not divide global size %zu", k->name, (*use)[i], global[i]);
    return OCLNN_OK;
}

enum oclnn_status onn_queue_launch(struct oclnn_context *ctx, const struct onn_kernel *k, int dims,
    const size_t *global, const size_t *local, struct onn_event **event)
{
    enum oclnn_status status;
    cl_command_queue queue;
    cl_event done = NULL;
    const size_t *use = NULL;
    if (event)
        *event = NULL;
    ONN_TRY(check_sizes(k, dims, global, local, &use));
    ONN_TRY(onn_queue_get(ctx, &queue));
    for (int i = 0; i < dims; i++)
        if (global[i] == 0)
            return OCLNN_OK; /* an empty tensor: OpenCL 1.2 refuses empty ranges */
    ONN_CL(clEnqueueNDRangeKernel(queue, k->cl, (cl_uint)dims, NULL, global, use, 0, NULL,
        event ? &done : NULL));
    atomic_fetch_add_explicit(&ctx->launches, 1, memory_order_relaxed);
    if (event)
        *event = onn_event_from_cl(done);
    return OCLNN_OK;
fail:
    return onn_error_at(onn_queue_failed(ctx, status),
        "kernel '%s', global %zu x %zu x %zu, local %zu x %zu x %zu", k->name, global[0],
        dims > 1 ? global[1] : 1, dims > 2 ? global[2] : 1, use ? use[0] : 0, use && dims > 1 ? use[1] : 0,
        use && dims > 2 ? use[2] : 0);
}

enum oclnn_status onn_queue_marker(struct oclnn_context *ctx, struct onn_event **event)
{
    enum oclnn_status status;
    cl_command_queue queue;
    cl_event done = NULL;
    *event = NULL;
    ONN_TRY(onn_queue_get(ctx, &queue));
    ONN_CL(clEnqueueMarkerWithWaitList(queue, 0, NULL, &done));
    atomic_fetch_add_explicit(&ctx->transfers, 1, memory_order_relaxed);
    *event = onn_event_from_cl(done);
    return OCLNN_OK;
fail:
    return onn_queue_failed(ctx, status);
}

enum oclnn_status onn_queue_flush(struct oclnn_context *ctx)
{
    enum oclnn_status status;
    cl_command_queue queue;
    ONN_TRY(onn_queue_get(ctx, &queue));
    ONN_CL(clFlush(queue));
    return OCLNN_OK;
fail:
    return onn_queue_failed(ctx, status);
}

enum oclnn_status onn_queue_finish(struct oclnn_context *ctx)
{
    enum oclnn_status status;
    cl_command_queue queue;
    ONN_TRY(onn_queue_get(ctx, &queue));
    ONN_CL(clFinish(queue));
    return OCLNN_OK;
fail:
    return onn_queue_failed(ctx, status);
}

static cl_event cl_from_event(const struct onn_event *event)
{
    return (cl_event)(uintptr_t)event;
}

/* CL_COMPLETE (0), a positive "not yet", or a negative error code. */
static cl_int state_of(cl_event event)
{
    cl_int state = CL_QUEUED;
    cl_int code = clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
    return code == CL_SUCCESS ? state : code;
}

static void pause_briefly(void)
{
    for (int i = 0; i < POLL_PAUSES; i++) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }
}

enum oclnn_status onn_event_wait_cl(struct oclnn_context *ctx, cl_command_queue queue, cl_event event)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CL(clFlush(queue));
    /* Where the device is this very processor, a spinning thread takes a core from the work that it waits for:
     * measured on two cores, up to 1.7 times the time. Elsewhere spinning spares a sleeper's wake-up. */
    uint64_t stop = onn_clock_ns() + (ctx->caps.is_cpu ? 0 : SPIN_NS);
    cl_int state = state_of(event);
    while (state > CL_COMPLETE && onn_clock_ns() < stop) {
        pause_briefly();
        state = state_of(event);
    }
    if (state > CL_COMPLETE) {
        cl_int code = clWaitForEvents(1, &event);
        state = state_of(event);
        if (state >= CL_COMPLETE && code != CL_SUCCESS)
            state = code; /* else the event's own code says more */
    }
    if (state < CL_COMPLETE) {
        /* The command failed on the device. Memory that was found missing only now is reported as such. */
        status = onn_cl_error("clWaitForEvents", state);
        if (status == OCLNN_ERROR_OPENCL)
            status = OCLNN_ERROR_DEVICE_LOST;
    }
fail:
    clReleaseEvent(event);
    return onn_queue_failed(ctx, status);
}

enum oclnn_status onn_event_wait(struct oclnn_context *ctx, struct onn_event **event)
{
    if (!event || !*event)
        return OCLNN_OK;
    cl_event taken = cl_from_event(*event);
    *event = NULL;
    return onn_event_wait_cl(ctx, atomic_load(&ctx->queue), taken);
}

bool onn_event_is_done(const struct onn_event *event)
{
    return !event || state_of(cl_from_event(event)) <= CL_COMPLETE;
}

double onn_event_time_ns(const struct onn_event *event)
{
    cl_ulong start = 0, end = 0;
    if (!event ||
        clGetEventProfilingInfo(cl_from_event(event), CL_PROFILING_COMMAND_START, sizeof start, &start,
            NULL) != CL_SUCCESS ||
        clGetEventProfilingInfo(cl_from_event(event), CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) !=
            CL_SUCCESS)
        return 0;
    return end > start ? (double)(end - start) : 0;
}

void onn_event_destroy(struct onn_event **event)
{
    if (!event || !*event)
        return;
    clReleaseEvent(cl_from_event(*event));
    *event = NULL;
}
