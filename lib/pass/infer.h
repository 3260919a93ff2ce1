/* infer: binds input shapes, works out every shape, folds what is constant (shape arithmetic included), takes the
 * branch of an If whose condition is known. Graph in, fresh graph out. */
#ifndef ONN_PASS_INFER_H
#define ONN_PASS_INFER_H

#include "graph/graph.h"

/* What is known of graph input i: its desc (dims all known) and, for small inputs that steer shapes or branches, its
 * value (or NULL). */
struct onn_binding {
    struct onn_desc desc;
    struct onn_blob *value;
};
/* `freeze`: parameters and states count as constants and may be folded (inference without training). */
enum oclnn_status onn_pass_infer(const struct onn_graph *in, const struct onn_binding *bindings, bool freeze,
    struct onn_graph **out);
/* What is known of every value of a source graph without binding its inputs, desc[n_values]: free dimensions stay -1;
 * where nothing follows, what the value itself says. */
enum oclnn_status onn_pass_types(const struct onn_graph *g, struct onn_desc *desc);
/* Input i must be known on the host: it (or what is computed from it) steers shapes or branches. flags[n_inputs]. */
enum oclnn_status onn_pass_steering(const struct onn_graph *in, bool *flags);

#endif
