/* Devices by the selector that every tool takes with -d. */
#ifndef OCLNN_TOOLS_DEVICES_H
#define OCLNN_TOOLS_DEVICES_H

#include <oclnn/device.h>

/* Every device, listed by a child process: a driver that crashes while it is listed costs an error, not the tool, and
 * the caller's process stays free of drivers. *out is malloc'ed. Returns TOOL_OK, or TOOL_FAILED after a message. */
int tool_device_list(struct oclnn_device_info **out, int *n);

/* Splits "0:0,gpu" at commas (not those in "name~A, B") and replaces "all" by every device's selector. *out: n malloc'ed strings in a malloc'ed
 * array. Returns TOOL_OK, or an exit code after a message. */
int tool_device_expand(const char *spec, char ***out, int *n);
void tool_device_free(char ***list, int *n);

/* Prints the table of --list-devices; returns an exit code. */
int tool_device_print(void);

/* Opens a context with the tools' usual log (level 0 = warnings). Returns TOOL_OK, or TOOL_FAILED after a message. */
int tool_context(const char *selector, enum oclnn_log_level level, oclnn_context **out);

#endif
