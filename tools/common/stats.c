#include "common/stats.h"
#include "common/tool.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The value below which a fraction q lies, interpolated between neighbours. */
static double quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t low = (size_t)floor(at);
    size_t high = low + 1 < n ? low + 1 : low;

    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

struct tool_stats tool_stats(const double *samples, size_t n)
{
    struct tool_stats s = {0};
    double *sorted, sum = 0;

    if (n == 0)
        return s;
    sorted = tool_alloc(n, sizeof(*sorted));
    memcpy(sorted, samples, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare);
    for (size_t i = 0; i < n; i++)
        sum += sorted[i];
    s.min = sorted[0];
    s.median = quantile(sorted, n, .5);
    s.mean = sum / (double)n;
    s.p90 = quantile(sorted, n, .9);
    s.p99 = quantile(sorted, n, .99);
    s.spread = s.median > 0 ? (s.p90 - quantile(sorted, n, .1)) / 2 / s.median : 0;
    free(sorted);
    return s;
}

void tool_samples_add(struct tool_samples *s, double value)
{
    if (s->n == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 64;
        s->v = tool_realloc(s->v, s->capacity, sizeof(*s->v));
    }
    s->v[s->n++] = value;
}

void tool_samples_finish(struct tool_samples *s)
{
    free(s->v);
    *s = (struct tool_samples){0};
}
