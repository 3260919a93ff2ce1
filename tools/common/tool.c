#include "common/tool.h"
#include <oclnn/config.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *program = "oclnn";
static volatile sig_atomic_t interrupted;
static char last_message[512];

static void on_interrupt(int number)
{
    if (interrupted)
        _exit(TOOL_INTERRUPTED);
    interrupted = number;
}

void tool_init(const char *name)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    program = name;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error that tool_finish reports */
}

const char *tool_name(void)
{
    return program;
}

bool tool_interrupted(void)
{
    return interrupted != 0;
}

static void message(const char *kind, enum tool_colour colour, const char *format, va_list args)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s%s:%s ", program, tool_colour(stderr, colour), kind,
        tool_colour(stderr, TOOL_RESET));
    vfprintf(stderr, format, args);
}

int tool_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(last_message, sizeof(last_message), format, args);
    va_end(args);
    va_start(args, format);
    message("error", TOOL_RED, format, args);
    va_end(args);
    fputc('\n', stderr);
    return TOOL_FAILED;
}

const char *tool_last_error(void)
{
    return last_message;
}

int tool_fail(enum oclnn_status status, const char *format, ...)
{
    va_list args;
    char place[256];
    const char *sentence = oclnn_error_text(NULL);

    va_start(args, format);
    vsnprintf(place, sizeof(place), format, args);
    va_end(args);
    return tool_error("%s: %s (%s)", place, sentence[0] ? sentence : oclnn_status_text(status),
        oclnn_status_name(status));
}

int tool_usage(const char *format, ...)
{
    va_list args;

    if (format) {
        va_start(args, format);
        message("error", TOOL_RED, format, args);
        va_end(args);
        fputc('\n', stderr);
    }
    fprintf(stderr, "Try '%s --help'.\n", program);
    return TOOL_USAGE;
}

void tool_warn(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message("warning", TOOL_YELLOW, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int tool_version(void)
{
    printf("%s %s\n", program, OCLNN_VERSION);
    return tool_finish(TOOL_OK);
}

int tool_finish(int code)
{
    if (fflush(stdout) || ferror(stdout)) {
        if (errno != EPIPE)
            tool_error("cannot write to standard output: %s", strerror(errno));
        return code == TOOL_OK ? TOOL_FAILED : code;
    }
    return code;
}

const char *tool_colour(FILE *f, enum tool_colour colour)
{
    static const char *const code[] = {"\033[0m", "\033[1m", "\033[31m", "\033[32m", "\033[33m"};
    const char *off = getenv("NO_COLOR");

    if ((off && off[0]) || !isatty(fileno(f)))
        return "";
    return code[colour];
}

bool tool_parse_int(const char *text, long min, long max, long *out)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (end == text || *end || errno || value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool tool_parse_double(const char *text, double min, double max, double *out)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end || !isfinite(value) || value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool tool_parse_time(const char *text, double *seconds)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || !isfinite(value) || value < 0)
        return false;
    if (!strcmp(end, "ms"))
        value /= 1000;
    else if (!strcmp(end, "us"))
        value /= 1e6;
    else if (*end && strcmp(end, "s"))
        return false;
    *seconds = value;
    return value <= 1e6;
}

int tool_parse_doubles(const char *text, double *out, int max)
{
    int n = 0;

    for (;;) {
        char *end;
        double value = strtod(text, &end);

        if (end == text || n == max || !isfinite(value) || (*end && *end != ','))
            return -1;
        out[n++] = value;
        if (!*end)
            return n;
        text = end + 1;
    }
}

int tool_parse_ints(const char *text, long min, long *out, int max)
{
    int n = 0;

    for (;;) {
        char *end;
        long value;

        errno = 0;
        value = strtol(text, &end, 10);
        if (end == text || n == max || errno || value < min || (*end && *end != ','))
            return -1;
        out[n++] = value;
        if (!*end)
            return n;
        text = end + 1;
    }
}

bool tool_parse_shape(const char *text, struct oclnn_shape *out)
{
    *out = (struct oclnn_shape){0};
    for (;;) {
        char *end;
        long long value;

        errno = 0;
        value = strtoll(text, &end, 10);
        if (end == text || out->rank == OCLNN_MAX_RANK || errno || value < 0 || (*end && *end != 'x'))
            return false;
        out->dim[out->rank++] = value;
        if (!*end)
            return true;
        text = end + 1;
    }
}

int tool_parse_word(const char *text, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(text, words[i]))
            return i;
    return -1;
}

const char *tool_shape_text(const struct oclnn_shape *shape, char text[static 200])
{
    size_t used = 0;

    if (shape->rank <= 0)
        return shape->rank ? strcpy(text, "any shape") : strcpy(text, "scalar");
    for (int i = 0; i < shape->rank && i < OCLNN_MAX_RANK; i++) {
        if (shape->dim[i] < 0)
            used += (size_t)snprintf(text + used, 200 - used, "%s?", i ? "x" : "");
        else
            used +=
                (size_t)snprintf(text + used, 200 - used, "%s%lld", i ? "x" : "", (long long)shape->dim[i]);
    }
    return text;
}

const char *tool_bytes_text(double bytes, char text[static 32])
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int i = 0;

    while (bytes >= 1024 && i < 4) {
        bytes /= 1024;
        i++;
    }
    snprintf(text, 32, i && bytes < 100 ? "%.1f %s" : "%.0f %s", bytes, unit[i]);
    return text;
}

double tool_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void tool_log(void *user, enum oclnn_log_level level, const char *line)
{
    static const char *const name[] = {"", "error", "warning", "info", "debug"};

    (void)user;
    fprintf(stderr, "%s: %s: %s\n", program, level >= 1 && level <= 4 ? name[level] : "log", line);
}

static void no_memory(void)
{
    tool_error("out of memory");
    exit(TOOL_FAILED);
}

void tool_each_line(int fd, void (*take)(void *user, const char *line), void *user)
{
    FILE *f = fdopen(fd, "r");
    char *line = NULL;
    size_t capacity = 0;

    if (!f) {
        close(fd);
        return;
    }
    while (getline(&line, &capacity, f) > 0)
        take(user, line);
    free(line);
    fclose(f);
}

void *tool_alloc(size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size ? size : 1);

    if (!block)
        no_memory();
    return block;
}

void *tool_realloc(void *block, size_t count, size_t size)
{
    block = reallocarray(block, count ? count : 1, size);
    if (!block)
        no_memory();
    return block;
}

char *tool_strdup(const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        no_memory();
    return copy;
}

char *tool_format(const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        no_memory();
    return text;
}

bool tool_is_folder(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool tool_is_file(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && !S_ISDIR(s.st_mode);
}
