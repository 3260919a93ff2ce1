/* What every tool shares: messages, exit codes, parsing of option values, interrupts. */
#ifndef OCLNN_TOOLS_TOOL_H
#define OCLNN_TOOLS_TOOL_H

#include <oclnn/status.h>
#include <oclnn/tensor.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum tool_exit { TOOL_OK = 0, TOOL_FAILED = 1, TOOL_USAGE = 2, TOOL_INTERRUPTED = 130 };

/* Call first. Ctrl-C then only sets a flag the first time; the second one ends the program. */
void tool_init(const char *name);
const char *tool_name(void);
bool tool_interrupted(void);

/* "name: error: …" on stderr; both return TOOL_FAILED. tool_fail adds the library's last sentence. */
int tool_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
int tool_fail(enum oclnn_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text of the last of them. */
const char *tool_last_error(void);
/* The same and "Try 'name --help'."; returns TOOL_USAGE. With format NULL only the second line (getopt has spoken). */
int tool_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tool_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints "name x.y.z" for --version; returns TOOL_OK. */
int tool_version(void);
/* Flushes stdout and reports a full disk or a closed pipe: 'code' or TOOL_FAILED. */
int tool_finish(int code);

/* The escape sequence when `f` is a terminal and NO_COLOR is unset, else "". */
enum tool_colour { TOOL_RESET, TOOL_BOLD, TOOL_RED, TOOL_GREEN, TOOL_YELLOW };
const char *tool_colour(FILE *f, enum tool_colour colour);

/* Values of options; false (without a message) when `text` is not wholly a value in the range. */
bool tool_parse_int(const char *text, long min, long max, long *out);
bool tool_parse_double(const char *text, double min, double max, double *out);
/* "0.5s" "500ms" "2" (seconds) to seconds. */
bool tool_parse_time(const char *text, double *seconds);
/* Comma-separated numbers; returns how many, -1 if malformed or more than max. */
int tool_parse_doubles(const char *text, double *out, int max);
int tool_parse_ints(const char *text, long min, long *out, int max);
/* "1x3x224x224"; dimensions at least 0. */
bool tool_parse_shape(const char *text, struct oclnn_shape *out);
/* Index of `text` in a NULL-terminated list, -1 if it is not there. */
int tool_parse_word(const char *text, const char *const *words);

/* "1x3x224x224"; free dimensions are "?"; returns `text`. */
const char *tool_shape_text(const struct oclnn_shape *shape, char text[static 200]);
/* "12.3 MB"; returns `text`. */
const char *tool_bytes_text(double bytes, char text[static 32]);

/* Milliseconds of a monotonic clock. */
double tool_now_ms(void);

/* Log lines of the library on stderr: for oclnn_context_params.log. */
void tool_log(void *user, enum oclnn_log_level level, const char *line);

/* Hands every line that comes out of a pipe to `take` until the other side closes it; closes it. */
void tool_each_line(int fd, void (*take)(void *user, const char *line), void *user);

/* malloc, realloc and printf into fresh memory that report and leave the program when memory is short. */
void *tool_alloc(size_t count, size_t size);
void *tool_realloc(void *block, size_t count, size_t size);
char *tool_strdup(const char *text);
char *tool_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Does a path name a folder; a file? */
bool tool_is_folder(const char *path);
bool tool_is_file(const char *path);

#endif
