/* Event files that TensorBoard shows: scalars and histograms over steps. */
#ifndef OCLNN_TOOLS_TB_EVENTS_H
#define OCLNN_TOOLS_TB_EVENTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* All zero: closed; adding to a closed one does nothing. */
struct tb_events {
    FILE *file;
    char *path;
};

/* All return TOOL_OK, or TOOL_FAILED after a message. */
/* Makes the folder (and its parents) if need be, and in it a fresh file with the name that TensorBoard looks for. */
int tb_events_open(struct tb_events *e, const char *folder);
/* The file is readable after each call: what is shown is up to date. */
int tb_events_scalar(struct tb_events *e, const char *tag, int64_t step, double value);
/* Counts of n values in equal intervals between the smallest and the largest; NaN and infinities are left out. */
int tb_events_histogram(struct tb_events *e, const char *tag, int64_t step, const float *value, size_t n);
int tb_events_close(struct tb_events *e);

#endif
