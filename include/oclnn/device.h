/* Devices and contexts. Tier 1. */
#ifndef OCLNN_DEVICE_H
#define OCLNN_DEVICE_H

#include <oclnn/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is known of a device without using it. Strings are never NULL-terminated short: they fit. */
struct oclnn_device_info {
    char name[128]; /**< CL_DEVICE_NAME */
    char platform[64]; /**< the platform's name */
    char vendor[64];
    char driver[64]; /**< driver version */
    char version[64]; /**< "OpenCL 3.0 …" */
    char selector[16]; /**< "P:D", a string that selects exactly this device */
    int is_cpu, is_gpu; /**< the reported type */
    int compute_units, clock_mhz;
    size_t global_bytes, max_alloc_bytes, local_bytes, max_group_size; /**< bytes; work-items */
    int has_fp16, has_fp64, unified_memory;
};

/**
 * Lists every device of every platform, in the order of the ICD loader. A platform without devices is normal.
 * @param out  room for `capacity` entries, may be NULL when capacity is 0.
 * @param count  set to the number of devices there are (may exceed capacity).
 * Errors: OCLNN_ERROR_NO_DEVICE when there is no OpenCL platform at all (count is 0 then).
 */
OCLNN_API enum oclnn_status oclnn_device_list(struct oclnn_device_info *out, int capacity, int *count);

/** A context: one device, its queue and its program cache. Thread-safety: safe to share. */
typedef struct oclnn_context oclnn_context;

/** Zero means default in every field. */
struct oclnn_context_params {
    /** Which device: "gpu", "cpu", "best", "P:D", "N" (position in oclnn_device_list), "name~TEXT", "uuid=…".
     *  TEXT is a part of the device's name, else of the platform's, in any case. NULL: $OCLNN_DEVICE, else "best"
     *  (GPU before CPU, real devices before simulators). Several matches of one that is not "gpu", "cpu" or "best"
     *  are an error that lists them. */
    const char *devices;
    oclnn_log_fn log; /**< receives log lines; NULL: none */
    void *log_user; /**< handed to log */
    enum oclnn_log_level log_level; /**< lines at or below pass; default OCLNN_LOG_WARN */
    const char *cache_dir; /**< program cache; NULL: $XDG_CACHE_HOME/oclnn; "" switches it off */
    int profiling; /**< 1: the queue takes times per kernel */
};

/**
 * Creates a context on one device.
 * Errors: OCLNN_ERROR_NO_DEVICE (no platform, nothing matches, several match: the sentence lists the candidates),
 * OCLNN_ERROR_OPENCL, OCLNN_ERROR_MEMORY. The caller destroys *out after everything made from it.
 */
OCLNN_API enum oclnn_status oclnn_context_create(const struct oclnn_context_params *params,
    oclnn_context **out);
/** Waits for the queue, destroys and NULLs *ctx; accepts NULL and a pointer to NULL. */
OCLNN_API void oclnn_context_destroy(oclnn_context **ctx);
/** What this context runs on. Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_context_device(const oclnn_context *ctx, struct oclnn_device_info *out);

/** Probed and measured facts of a context's device (measured once per driver, then read from the cache). */
struct oclnn_device_speed {
    double peak_gflops; /**< fp32 fused multiply-add, 2 FLOP each, in 1e9 FLOP/s */
    double bandwidth_gbs; /**< copy, read + written bytes, 1e9 bytes/s */
    double launch_us; /**< one small launch back to back */
    int vector_width; /**< fp32 lanes that CPU kernels use, 1 elsewhere */
    int is_slow; /**< a simulator */
};
/** Tells the device's speed: measured unless the cache knows it.
 *  Errors: OCLNN_ERROR_ARGUMENT, _MEMORY, _DEVICE_MEMORY, _BUILD, _OPENCL. */
OCLNN_API enum oclnn_status oclnn_context_measure(oclnn_context *ctx, struct oclnn_device_speed *out);
/**
 * The device's empty round trip: write one number, run a kernel of one work-item, read the number back.
 * @param ms  the median of some tens of them, in milliseconds.
 * Errors: OCLNN_ERROR_ARGUMENT, _MEMORY, _DEVICE_MEMORY, _BUILD, _OPENCL.
 */
OCLNN_API enum oclnn_status oclnn_context_round_trip(oclnn_context *ctx, double *ms);

#ifdef __cplusplus
}
#endif
#endif
