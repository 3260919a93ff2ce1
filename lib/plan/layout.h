/* layout: writes the chosen formats into the graph and inserts the reorder nodes between them. */
#ifndef ONN_PLAN_LAYOUT_H
#define ONN_PLAN_LAYOUT_H

#include "plan/assign.h"

/* Returns a fresh graph and its choices (array of (*out)->n_nodes, to be freed). */
enum oclnn_status onn_layout(const struct onn_graph *g, const struct onn_choice *choice,
    const struct onn_assign_options *options, struct onn_graph **out, struct onn_choice **out_choice);

#endif
