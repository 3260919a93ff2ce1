/* Printing what was measured. */
#ifndef OCLNN_TOOLS_BENCH_OUTPUT_H
#define OCLNN_TOOLS_BENCH_OUTPUT_H

#include "bench/rows.h"

/* Returns TOOL_OK, or TOOL_FAILED after a message. */
int bench_output(const struct bench_options *o, const struct bench_report *r);
/* --compare: adds "base_ms" and "ratio" (base / now, above 1 = faster now). TOOL_FAILED where something became slower than
 * the limit, and after a message. */
int bench_compare(const struct bench_options *o, struct bench_report *r);

#endif
