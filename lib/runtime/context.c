#include "base/env.h"
#include "runtime/internal.h"
#include <oclnn/opencl.h>

#include <stdlib.h>
#include <string.h>

const struct onn_caps *onn_context_caps(const struct oclnn_context *ctx)
{
    return &ctx->caps;
}

const struct onn_log *onn_context_log(const struct oclnn_context *ctx)
{
    return &ctx->log;
}

struct onn_counters onn_context_counters(const struct oclnn_context *ctx)
{
    return (struct onn_counters){
        .buffers_created = atomic_load(&ctx->buffers_created),
        .kernels_created = atomic_load(&ctx->kernels_created),
        .programs_built = atomic_load(&ctx->programs_built),
        .cache_hits = atomic_load(&ctx->cache_hits),
        .cache_misses = atomic_load(&ctx->cache_misses),
        .launches = atomic_load(&ctx->launches),
        .transfers = atomic_load(&ctx->transfers),
        .build_ms = (double)atomic_load(&ctx->build_ns) * 1e-6,
    };
}

/* Everything but the OpenCL objects. */
static enum oclnn_status context_begin(const struct oclnn_context_params *params, struct oclnn_context **out)
{
    enum oclnn_status status;
    struct oclnn_context *ctx = onn_calloc(1, sizeof *ctx);
    *out = ctx;
    if (!ctx)
        return OCLNN_ERROR_MEMORY;
    ctx->log.fn = params->log;
    ctx->log.user = params->log_user;
    ctx->log.level = params->log_level ? params->log_level : OCLNN_LOG_WARN;
    /* Whoever sets the variable wants to read the lines that it asks for. */
    if (onn_env("OCLNN_VERBOSE") && ctx->log.level < OCLNN_LOG_INFO)
        ctx->log.level = OCLNN_LOG_INFO;
    ctx->log_builds = onn_env_has("OCLNN_VERBOSE", "build");
    ONN_TRY(onn_mutex_init(&ctx->queue_lock));
    ONN_TRY(onn_mutex_init(&ctx->program_lock));
    ONN_TRY(onn_mutex_init(&ctx->measure_lock));
    ONN_TRY(onn_mutex_init(&ctx->tune_lock));
    ONN_TRY(onn_cache_find_dir(params->cache_dir, &ctx->cache_dir));
fail:
    return status;
}

/* The rest, once ctx->device and ctx->cl are there. */
static enum oclnn_status context_open(struct oclnn_context *ctx, cl_command_queue queue, bool profiling)
{
    enum oclnn_status status = OCLNN_ERROR_MEMORY;
    char *extensions = onn_device_extensions(ctx->device.id);
    if (!extensions)
        goto fail;
    onn_probe_reported(&ctx->device, extensions, &ctx->caps);
    ONN_TRY(onn_probe_wanted(&ctx->caps));
    ctx->device_key = onn_cache_device_key(&ctx->device);
    ONN_TRY(onn_queue_open(ctx, queue));
    onn_probe_run(ctx, extensions);
    /* Counters tell of the caller's work. */
    ctx->buffers_created = ctx->kernels_created = ctx->programs_built = ctx->launches = ctx->transfers = 0;
    ctx->cache_hits = ctx->cache_misses = ctx->build_ns = 0;
    ctx->device.info.has_fp16 = ctx->caps.has_fp16;
    ctx->device.info.has_fp64 = ctx->caps.has_fp64;
    if (profiling)
        ONN_TRY(onn_queue_set_profiling(ctx, true));
    onn_log(&ctx->log, OCLNN_LOG_INFO, "device %s: %s (%s, driver %s)", ctx->device.info.selector,
        ctx->caps.name, ctx->caps.platform, ctx->caps.driver);
fail:
    onn_free(extensions);
    return status;
}

enum oclnn_status oclnn_context_create(const struct oclnn_context_params *params, oclnn_context **out)
{
    static const struct oclnn_context_params defaults = {.devices = NULL};
    enum oclnn_status status;
    struct onn_device *devices = NULL;
    struct oclnn_context *ctx = NULL;
    int count = 0, chosen = 0;
    cl_int code;
    if (!out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "oclnn_context_create: out is NULL");
    *out = NULL;
    if (!params)
        params = &defaults;
    ONN_TRY(context_begin(params, &ctx));
    ONN_TRY(onn_device_find_all(&devices, &count));
    const char *selector = params->devices ? params->devices : onn_env("OCLNN_DEVICE");
    ONN_TRY(onn_device_select(devices, count, selector ? selector : "best", &chosen));
    ctx->device = devices[chosen];
    cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)ctx->device.platform,
        0};
    ONN_CL((ctx->cl = clCreateContext(properties, 1, &ctx->device.id, NULL, NULL, &code), code));
    ONN_TRY(context_open(ctx, NULL, params->profiling));
    *out = ctx;
    ctx = NULL;
fail:
    onn_free(devices);
    oclnn_context_destroy(&ctx);
    return status;
}

/* Is `device` one of the context's? */
static bool context_has(cl_context context, cl_device_id device)
{
    size_t bytes = 0;
    bool found = false;
    if (clGetContextInfo(context, CL_CONTEXT_DEVICES, 0, NULL, &bytes) != CL_SUCCESS)
        return false;
    cl_device_id *ids = onn_alloc(bytes);
    if (ids && clGetContextInfo(context, CL_CONTEXT_DEVICES, bytes, ids, NULL) == CL_SUCCESS)
        for (size_t i = 0; i < bytes / sizeof *ids; i++)
            found = found || ids[i] == device;
    onn_free(ids);
    return found;
}

/* The list's row for a handle; a sub-device has none and describes itself. */
static enum oclnn_status find_device(cl_device_id id, struct onn_device *out)
{
    struct onn_device *devices;
    int count;
    if (onn_device_find_all(&devices, &count) == OCLNN_OK) {
        for (int i = 0; i < count; i++)
            if (devices[i].id == id)
                *out = devices[i];
        onn_free(devices);
        if (out->id == id)
            return OCLNN_OK;
    }
    enum oclnn_status status = onn_device_describe(id, out);
    out->info.selector[0] = '\0';
    return status;
}

enum oclnn_status oclnn_context_create_from_cl(cl_context context, cl_device_id device,
    cl_command_queue queue, const struct oclnn_context_params *params, oclnn_context **out)
{
    static const struct oclnn_context_params defaults = {.devices = NULL};
    enum oclnn_status status;
    struct oclnn_context *ctx = NULL;
    if (!out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "oclnn_context_create_from_cl: out is NULL");
    *out = NULL;
    if (!params)
        params = &defaults;
    ONN_CHECK(context && device, OCLNN_ERROR_ARGUMENT, "oclnn_context_create_from_cl: %s is NULL",
        context ? "device" : "context");
    ONN_CHECK(context_has(context, device), OCLNN_ERROR_ARGUMENT,
        "oclnn_context_create_from_cl: the device is not in the cl_context");
    ONN_TRY(context_begin(params, &ctx));
    ONN_TRY(find_device(device, &ctx->device));
    ONN_CL(clRetainContext(context));
    ctx->cl = context;
    ONN_TRY(context_open(ctx, queue, params->profiling));
    *out = ctx;
    ctx = NULL;
fail:
    oclnn_context_destroy(&ctx);
    return status;
}

enum oclnn_status oclnn_context_get_cl(const oclnn_context *ctx, cl_context *context, cl_device_id *device,
    cl_command_queue *queue)
{
    if (!ctx)
        return onn_error(OCLNN_ERROR_ARGUMENT, "oclnn_context_get_cl: ctx is NULL");
    if (context)
        *context = ctx->cl;
    if (device)
        *device = ctx->device.id;
    if (queue)
        *queue = atomic_load(&ctx->queue);
    return OCLNN_OK;
}

enum oclnn_status oclnn_context_device(const oclnn_context *ctx, struct oclnn_device_info *out)
{
    if (!ctx || !out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "oclnn_context_device: %s is NULL", ctx ? "out" : "ctx");
    *out = ctx->device.info;
    return OCLNN_OK;
}

void oclnn_context_destroy(oclnn_context **pointer)
{
    if (!pointer || !*pointer)
        return;
    struct oclnn_context *ctx = *pointer;
    onn_program_cache_flush(ctx); /* after every answer was given: reading binaries back can be slow */
    onn_queue_close(ctx);
    onn_program_finish_all(ctx);
    if (atomic_load(&ctx->used_clblast))
        onn_clblast_forget();
    if (ctx->cl)
        clReleaseContext(ctx->cl);
    onn_mutex_finish(&ctx->queue_lock);
    onn_mutex_finish(&ctx->program_lock);
    onn_mutex_finish(&ctx->measure_lock);
    onn_mutex_finish(&ctx->tune_lock);
    onn_tunedb_destroy(ctx->tunedb);
    onn_free(ctx->cache_dir);
    onn_free(ctx);
    *pointer = NULL;
}
