/* programs: which kernels are compiled together. Drivers need tens of milliseconds for any program, even one whose code
 * they keep, so a plan has as few as its kernels' defines allow. */
#ifndef ONN_PLAN_PROGRAMS_H
#define ONN_PLAN_PROGRAMS_H

#include "ops/launch.h"

struct oclnn_context;
struct onn_program;

/* program[i] becomes the one that holds launch i's kernel, NULL for library calls: one that the context has, else a new
 * one. Launches go together where nobody's macros mean anything to the others: equal values, or names that do not occur
 * in their sources, or names that begin with ONN_WITH_, which only add parts that some launches need. generated: all generated kernels of the plan. Where caps.shares is off, every file is a program of its
 * own, and every generated text: more of them, but the same for every plan. */
enum oclnn_status onn_programs_get(struct oclnn_context *ctx, const struct onn_launch *const *launch, int n,
    const char *generated, struct onn_arena *arena, struct onn_program **program, int *n_programs);

/* How launches would be dealt to programs; launch, generated and arena stay in use. reuse: programs that the context has
 * are taken into account. */
struct onn_deal;
enum oclnn_status onn_programs_deal(struct oclnn_context *ctx, const struct onn_launch *const *launch, int n,
    const char *generated, bool reuse, struct onn_arena *arena, struct onn_deal **out);
/* Launches of one number could share a program; -1: a library call, or a program that the context has. */
int onn_deal_group(const struct onn_deal *d, int i);
/* A program in which the kernels of the launches in_chain of group g are functions of one kernel, onn_chain, that works in
 * `buffers` buffers (cl/chain.cl). kernel[] (room for all launches) gets their names in the order of their numbers. */
enum oclnn_status onn_programs_chain(const struct onn_deal *d, int g, const bool *in_chain, int buffers,
    const char **kernel, int *n_kernels, struct onn_program **out);

#endif
