/* chain: consecutive nodes of a plan as one launch, for processors, where a launch costs as much as a small kernel: its
 * work-groups go through the nodes' work-groups by themselves (cl/chain.cl). The nodes' own kernels are made when somebody
 * wants them: profiles, buffers that a program brings along. */
#ifndef ONN_PLAN_CHAIN_H
#define ONN_PLAN_CHAIN_H

#include "plan/exec.h"

struct onn_plan;
struct onn_chain {
    struct onn_kernel *kernel;
    struct onn_buffer *table, *count;
    size_t workers; /* work-groups: they wait for each other awake, so each wants a core */
    int first, last; /* nodes; those between that are not the chain's are derived ones or launch nothing */
};

/* Chooses what goes into chains. p's steps are prepared, launch[i] is what p->step[i] was made from; generated: all generated
 * kernels of the plan. *out NULL: nothing. It uses what it was given until onn_chains_drop. */
struct onn_chains;
enum oclnn_status onn_chains_collect(struct onn_plan *p, const struct onn_launch *const *launch,
    const char *generated, struct onn_arena *arena, struct onn_chains **out);
void onn_chains_drop(struct onn_chains **chains);
bool onn_chains_have(const struct onn_chains *chains, int step);
/* Programs, kernels, tables: p->chain. Accepts NULL. */
enum oclnn_status onn_chains_make(struct onn_chains *chains);
enum oclnn_status onn_chain_enqueue(const struct onn_plan *p, const struct onn_chain *chain,
    struct onn_event **event);
void onn_chains_finish(struct onn_plan *p);

/* chain_stage.c: may nodes a and b of a placed plan run at the same time? */
bool onn_chain_may_overlap(const struct onn_plan *p, int a, int b);

#endif
