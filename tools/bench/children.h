/* Each device is served by a process of its own: a driver may crash, and drivers that share libraries (two copies of
 * LLVM, say) can crash each other. The child is this program again with --child=SELECTOR; it prints one JSON object a line:
 * {"result": row} or {"error": entry}. What a crashing driver had not printed yet is lost, nothing else. */
#ifndef OCLNN_TOOLS_BENCH_CHILDREN_H
#define OCLNN_TOOLS_BENCH_CHILDREN_H

#include "bench/rows.h"

/* Runs the child for one device and moves what it prints into the report. argv as main got it. */
void bench_child_run(char **argv, int argc, const char *selector, struct bench_report *r);
/* The child's report->done: prints what is new. */
void bench_child_print(struct bench_report *r);

#endif
