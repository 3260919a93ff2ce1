/* Errors: a status travels as return value, its sentence per thread. */
#ifndef ONN_BASE_STATUS_H
#define ONN_BASE_STATUS_H

#include <oclnn/status.h>

/* Keeps the sentence of the calling thread and returns `status`. */
enum oclnn_status onn_error(enum oclnn_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "place: " before the thread's sentence (outer callers know more about where). Returns `status`. */
enum oclnn_status onn_error_at(enum oclnn_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void onn_error_clear(void);

/* The jumping macros. They need a local `enum oclnn_status status` and one label `fail`. */
#define ONN_TRY(call) \
    do { \
        status = (call); \
        if (status != OCLNN_OK) \
            goto fail; \
    } while (0)

#define ONN_CHECK(condition, code, ...) \
    do { \
        if (!(condition)) { \
            status = onn_error((code), __VA_ARGS__); \
            goto fail; \
        } \
    } while (0)

#endif
