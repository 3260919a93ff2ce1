/* Status codes, the last error's sentence and the log callback. Tier 0: needs nothing else. */
#ifndef OCLNN_STATUS_H
#define OCLNN_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define OCLNN_API __attribute__((visibility("default")))
#else
#define OCLNN_API
#endif

/* One row per status: id, value, text. Everything that lists statuses is made from this list. */
#define OCLNN_STATUS_LIST(X) \
    X(OCLNN_OK, 0, "success") \
    X(OCLNN_ERROR_ARGUMENT, -1, "invalid argument") \
    X(OCLNN_ERROR_MEMORY, -2, "out of host memory") \
    X(OCLNN_ERROR_DEVICE_MEMORY, -3, "out of device memory") \
    X(OCLNN_ERROR_IO, -4, "input/output error") \
    X(OCLNN_ERROR_FORMAT, -5, "malformed data") \
    X(OCLNN_ERROR_UNSUPPORTED, -6, "unsupported") \
    X(OCLNN_ERROR_SHAPE, -7, "shapes do not fit") \
    X(OCLNN_ERROR_DTYPE, -8, "element types do not fit") \
    X(OCLNN_ERROR_NOT_FOUND, -9, "not found") \
    X(OCLNN_ERROR_NO_DEVICE, -10, "no such device") \
    X(OCLNN_ERROR_DEVICE_LOST, -11, "device lost") \
    X(OCLNN_ERROR_OPENCL, -12, "OpenCL call failed") \
    X(OCLNN_ERROR_BUILD, -13, "kernel build failed") \
    X(OCLNN_ERROR_NUMERIC, -14, "value is not finite") \
    X(OCLNN_ERROR_TIMEOUT, -15, "timed out") \
    X(OCLNN_ERROR_INTERNAL, -16, "internal error")

/** Result of every call that can fail: 0 is success, negative is an error. */
enum oclnn_status {
#define OCLNN_STATUS_ROW(id, value, text) id = value,
    OCLNN_STATUS_LIST(OCLNN_STATUS_ROW)
#undef OCLNN_STATUS_ROW
};

/** Returns the id of @p status as text ("OCLNN_ERROR_SHAPE"); never NULL; static storage. */
OCLNN_API const char *oclnn_status_name(enum oclnn_status status);
/** Returns the short text of @p status ("shapes do not fit"); never NULL; static storage. */
OCLNN_API const char *oclnn_status_text(enum oclnn_status status);

struct oclnn_context;
/**
 * Returns the sentence of the calling thread's last error: what failed, where (node, shapes) and why.
 * @param ctx  unused today, may be NULL; kept so that a context may own its sentence later.
 * Never NULL; "" before the first error; valid until the thread's next failing call.
 */
OCLNN_API const char *oclnn_error_text(const struct oclnn_context *ctx);

/** Severity of a log line; a context passes on lines at or below its level. */
enum oclnn_log_level { OCLNN_LOG_ERROR = 1, OCLNN_LOG_WARN, OCLNN_LOG_INFO, OCLNN_LOG_DEBUG };

/** Receives one line without newline. May be called from any thread that uses the context. */
typedef void (*oclnn_log_fn)(void *user, enum oclnn_log_level level, const char *line);

#ifdef __cplusplus
}
#endif
#endif
