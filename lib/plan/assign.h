/* assign: picks every node's kernel variant together with the formats of its operands, minimising predicted time
 * including the reorders between formats. No device is touched: capabilities are plain data. */
#ifndef ONN_PLAN_ASSIGN_H
#define ONN_PLAN_ASSIGN_H

#include "base/log.h"
#include "graph/graph.h"
#include "ops/op.h"

struct onn_choice {
    const struct onn_variant *variant; /* NULL: a view, no kernel */
    struct onn_formats formats;
    struct onn_tune tune;
    int tuple; /* number of its formats among the variant's */
    double time; /* predicted seconds */
};

/* Sees all candidates of a node, with p's formats plain, and may set their times by what was measured. */
typedef void (*onn_adjust_fn)(void *user, const struct onn_prob *p, struct onn_choice *c, int n);

struct onn_assign_options {
    const struct onn_caps *caps;
    const struct onn_log *log;
    enum onn_math math;
    const char *variant; /* use only this one where it does not refuse; NULL = all */
    const char *format; /* prefer this format ("plain", "nhwc", "c8"); NULL = by time */
    bool formats_off; /* everything plain */
    bool views_off;
    onn_adjust_fn adjust; /* NULL: predicted times only */
    void *adjust_user;
    const char *choices; /* a text of plan/choices.h: take these and nothing else; NULL = choose */
};

/* choice[g->n_nodes] is filled. Errors: OCLNN_ERROR_UNSUPPORTED when no variant takes a node,
 * OCLNN_ERROR_ARGUMENT when the given choices do not fit. */
enum oclnn_status onn_assign(const struct onn_graph *g, const struct onn_assign_options *options,
    struct onn_choice *choice);
/* Format of own input i / extra input of a node under a choice; `out_desc` is the node's output 0. */
struct onn_format onn_choice_in(const struct onn_choice *c, const struct onn_graph *g,
    const struct onn_node *n, int i);
struct onn_format onn_choice_out(const struct onn_choice *c, int i);
/* Predicted seconds for a cost on a device. */
double onn_cost_time(const struct onn_cost *cost, const struct onn_caps *caps);
/* Seconds to turn a value of this desc into another format. */
double onn_reorder_time(const struct onn_desc *d, const struct onn_caps *caps);

#endif
