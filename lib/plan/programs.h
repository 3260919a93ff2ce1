/* programs: which kernels are compiled together. Drivers need tens of milliseconds for any program, even one whose code
 * they keep, so a plan has as few as its kernels' defines allow. */
#ifndef ONN_PLAN_PROGRAMS_H
#define ONN_PLAN_PROGRAMS_H

#include "ops/launch.h"

struct oclnn_context;
struct onn_program;

/* program[i] becomes the one that holds launch i's kernel, NULL for library calls: one that the context has, else a new
 * one. Launches go together where nobody's macros mean anything to the others: equal values, or names that do not occur
 * in their sources. generated: all generated kernels of the plan. */
enum oclnn_status onn_programs_get(struct oclnn_context *ctx, const struct onn_launch *const *launch, int n,
    const char *generated, struct onn_arena *arena, struct onn_program **program, int *n_programs);

#endif
