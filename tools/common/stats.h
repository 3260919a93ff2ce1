/* What is said about a list of times. */
#ifndef OCLNN_TOOLS_STATS_H
#define OCLNN_TOOLS_STATS_H

#include <stddef.h>

struct tool_stats {
    double min, median, mean, p90, p99;
    double spread; /* half the distance from p10 to p90, relative to the median */
};
/* n >= 1. `samples` keeps its order. */
struct tool_stats tool_stats(const double *samples, size_t n);

/* A growing list of times. Zeroed is empty. */
struct tool_samples {
    double *v;
    size_t n, capacity;
};
void tool_samples_add(struct tool_samples *s, double value);
void tool_samples_finish(struct tool_samples *s);

#endif
