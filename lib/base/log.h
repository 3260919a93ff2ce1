/* Log lines go to the callback of whoever owns the context. A NULL log swallows everything. */
#ifndef ONN_BASE_LOG_H
#define ONN_BASE_LOG_H

#include <oclnn/status.h>

struct onn_log {
    oclnn_log_fn fn;
    void *user;
    enum oclnn_log_level level;
};

void onn_log(const struct onn_log *log, enum oclnn_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
