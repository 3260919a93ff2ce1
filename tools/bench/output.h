/* Printing what was measured. */
#ifndef OCLNN_TOOLS_BENCH_OUTPUT_H
#define OCLNN_TOOLS_BENCH_OUTPUT_H

#include "bench/rows.h"

/* Returns TOOL_OK, or TOOL_FAILED after a message. */
int bench_output(const struct bench_options *o, const struct bench_report *r);

#endif
