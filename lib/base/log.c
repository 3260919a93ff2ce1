#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void onn_log(const struct onn_log *log, enum oclnn_log_level level, const char *format, ...)
{
    if (!log || !log->fn || level > log->level)
        return;
    char line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log->fn(log->user, level, line);
}
