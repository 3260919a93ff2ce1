/* A model: source graph, its blobs, the plans made for it. */
#ifndef ONN_MODEL_MODEL_H
#define ONN_MODEL_MODEL_H

#include "plan/plan.h"
#include <oclnn/model.h>

#define ONN_MAX_JOBS 8

/* A plan and what it was made for. */
struct onn_cached_plan {
    struct onn_plan *plan;
    struct onn_binding *binding; /* per graph input; values are owned */
    uint64_t used; /* stamp: the smallest goes first */
};

struct oclnn_job {
    struct oclnn_model *model;
    struct onn_event *event;
    bool busy;
};

struct oclnn_model {
    struct oclnn_context *ctx;
    struct onn_graph *graph;
    struct onn_plan_options options;
    char *text[3]; /* copies of the option strings */
    struct onn_derived_cache derived;
    struct onn_cached_plan *plan;
    int n_plans, max_plans;
    uint64_t stamp;
    struct onn_cached_plan *current; /* of the most recent run or prepare */
    bool *steering; /* per input: its value is part of the plan's key */
    struct onn_binding *wanted; /* scratch for one call: what the inputs look like */
    struct oclnn_job job[ONN_MAX_JOBS];
    struct onn_counters before; /* of the context when the current plan was begun */
    struct onn_arena names; /* of the profile */
};

/* Finds or makes the plan for m->wanted. */
enum oclnn_status onn_model_plan(struct oclnn_model *m);
/* Takes over a source graph (also on failure). */
enum oclnn_status onn_model_from_graph(struct oclnn_context *ctx, struct onn_graph **graph,
    const struct oclnn_model_params *params, struct oclnn_model **out);

#endif
