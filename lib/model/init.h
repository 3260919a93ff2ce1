/* Initial values of parameters. */
#ifndef ONN_MODEL_INIT_H
#define ONN_MODEL_INIT_H

#include "graph/graph.h"

/* Gives every parameter that has an initialiser and no blob its values: counter-based random numbers from the graph's
 * seed and the parameter's position, so the same seed gives the same bits. */
enum oclnn_status onn_init_params(struct onn_graph *g);

#endif
