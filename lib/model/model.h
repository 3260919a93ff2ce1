/* A model: source graph, its blobs, the plans made for it. */
#ifndef ONN_MODEL_MODEL_H
#define ONN_MODEL_MODEL_H

#include "plan/plan.h"
#include "tune/tune.h"
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
    uint64_t run; /* its number */
    enum oclnn_status status; /* of what was done for it beside waiting for the event */
    bool busy;
};

struct oclnn_model {
    struct oclnn_context *ctx;
    struct onn_graph *graph;
    struct onn_plan_options options;
    struct onn_tuner tuner; /* what options.adjust works with */
    char *text[4]; /* copies of the option strings */
    struct onn_derived_cache derived;
    struct onn_cached_plan *plan;
    int n_plans, max_plans;
    uint64_t stamp;
    struct onn_cached_plan *current; /* of the most recent run or prepare */
    bool *steering; /* per input: its value is part of the plan's key */
    struct onn_binding *wanted; /* scratch for one call: what the inputs look like */
    void **buffer; /* scratch for one call: per output, the program's buffer */
    uint64_t begun, done; /* runs enqueued; of these, known to be over */
    struct oclnn_job job[ONN_MAX_JOBS];
    struct onn_counters before; /* of the context when the current plan was begun */
    struct onn_arena names; /* of the profile */
    bool from_file; /* nothing says there which constants are parameters */
    int32_t watched; /* so many outputs, the last ones, were added by oclnn_model_watch */
};

/* Finds or makes the plan for m->wanted. */
enum oclnn_status onn_model_plan(struct oclnn_model *m);
/* Destroys all plans: the graph or its options have changed. */
void onn_model_forget_plans(struct oclnn_model *m);
/* run.c: fills m->wanted from a list of inputs; need_data: entries must carry data. */
enum oclnn_status onn_model_read_inputs(struct oclnn_model *m, const struct oclnn_binding *list,
    bool need_data);
/* Enqueues the bytes of a checked list into inputs of p; number[i]: where the model's input i is (NULL: the same). */
enum oclnn_status onn_model_write_inputs(struct oclnn_model *m, struct onn_plan *p,
    const struct oclnn_binding *list, const int *number, bool idle);
/* One entry into input i. idle: no run that may read it is under way, so the host may write it itself where it can. */
enum oclnn_status onn_model_write(struct onn_plan *p, int i, const struct oclnn_binding *b, bool idle);
/* report.c: see oclnn_model_profile; names live in `names`. */
enum oclnn_status onn_plan_rows(struct onn_plan *p, struct onn_arena *names, int runs,
    struct oclnn_profile_row *rows, int capacity, int *n_rows);
/* Takes over a source graph (also on failure). */
enum oclnn_status onn_model_from_graph(struct oclnn_context *ctx, struct onn_graph **graph,
    const struct oclnn_model_params *params, struct oclnn_model **out);

#endif
