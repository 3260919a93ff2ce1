#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char sentence[1024];

const char *oclnn_status_name(enum oclnn_status status)
{
    switch (status) {
#define ROW(id, value, text) \
    case id: return #id;
        OCLNN_STATUS_LIST(ROW)
#undef ROW
    }
    return "OCLNN_ERROR_UNKNOWN";
}

const char *oclnn_status_text(enum oclnn_status status)
{
    switch (status) {
#define ROW(id, value, text) \
    case id: return text;
        OCLNN_STATUS_LIST(ROW)
#undef ROW
    }
    return "unknown status";
}

const char *oclnn_error_text(const struct oclnn_context *ctx)
{
    (void)ctx;
    return sentence;
}

void onn_error_clear(void)
{
    sentence[0] = '\0';
}

enum oclnn_status onn_error(enum oclnn_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return status;
}

/* ": inner", cut where the room ends. */
static void append(char *at, size_t room, const char *inner)
{
    const char *piece[] = {": ", inner};
    for (int i = 0; i < 2; i++)
        for (const char *c = piece[i]; *c && room > 1; c++, room--)
            *at++ = *c;
    *at = '\0';
}

enum oclnn_status onn_error_at(enum oclnn_status status, const char *format, ...)
{
    char inner[sizeof sentence];
    memcpy(inner, sentence, sizeof inner);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof sentence)
        append(sentence + used, sizeof sentence - (size_t)used, inner);
    return status;
}
