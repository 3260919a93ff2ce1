/* The frame of every pass: a graph is read, a fresh one is appended to, a table maps old value ids to new ones.
 * The input graph is never changed. Values of the output remember the source graph's ids (onn_value.source). */
#ifndef ONN_PASS_REWRITE_H
#define ONN_PASS_REWRITE_H

#include "base/log.h"
#include "graph/graph.h"
#include "ops/op.h"

struct onn_rewrite {
    const struct onn_graph *in;
    struct onn_graph *out;
    int32_t *map; /* old value id -> new one, 0 = not made yet */
    int32_t *uses; /* readers of each old value, graph outputs included */
    bool *skip; /* old nodes that were swallowed by another one */
};

enum oclnn_status onn_rewrite_init(struct onn_rewrite *r, const struct onn_graph *in);
/* Frees everything; the output graph is handed over if `out` is not NULL and status is OK. */
enum oclnn_status onn_rewrite_finish(struct onn_rewrite *r, enum oclnn_status status, struct onn_graph **out);

/* The new id of an old value; inputs and persistent values are copied on first use. 0 for 0. */
int32_t onn_rewrite_value(struct onn_rewrite *r, int32_t old);
/* Declares that old value `old` is from now on new value `new_id`; names and source ids move along. */
void onn_rewrite_set(struct onn_rewrite *r, int32_t old, int32_t new_id);
/* Appends the old node unchanged (its outputs keep descs and names). */
enum oclnn_status onn_rewrite_copy_node(struct onn_rewrite *r, int32_t node);
/* Appends the old node with other inputs and epilogue; outputs keep descs and names. */
enum oclnn_status onn_rewrite_copy_node_with(struct onn_rewrite *r, int32_t node, int n_in, const int32_t *in,
    const struct onn_epilogue *epi);
/* Appends the old node with other attributes (copied) and inputs, without an epilogue. */
enum oclnn_status onn_rewrite_copy_node_as(struct onn_rewrite *r, int32_t node, const void *attr, int n_in,
    const int32_t *in);
/* Copies the graph's outputs. */
enum oclnn_status onn_rewrite_outputs(struct onn_rewrite *r);

/* Appends a node of operator `op_name` to graph `g`, infers its outputs and folds it on the host when all its inputs are
 * constants. Returns the id of output 0, or 0 after an error (sticky in g). */
int32_t onn_emit(struct onn_graph *g, const char *op_name, const char *name, const void *attr, int n_in,
    const int32_t *in);
/* The same where every input must be there: 0 if one is 0, after an error before. */
int32_t onn_emit_all(struct onn_graph *g, const char *op_name, const char *name, const void *attr, int n_in,
    const int32_t *in);
/* The same for several outputs; ids go to out[n_out]. */
enum oclnn_status onn_emit_many(struct onn_graph *g, const struct onn_op *op, const char *name,
    const void *attr, int n_in, const int32_t *in, int n_out, int32_t *out);

/* Fills p for a node of g; descs and values go to arrays in `arena`. caps stay NULL. */
enum oclnn_status onn_node_prob(const struct onn_graph *g, const struct onn_op *op, const void *attr,
    int n_in, const int32_t *in, int n_out, const int32_t *out, struct onn_arena *arena, struct onn_prob *p);
/* Drops nodes whose outputs nobody reads. */
enum oclnn_status onn_pass_prune(const struct onn_graph *in, struct onn_graph **out);
/* A whole pass of one step: `copy` makes what comes in place of each node, in order; what is no longer read is dropped. */
typedef enum oclnn_status (*onn_rewrite_fn)(struct onn_rewrite *r, int32_t node);
enum oclnn_status onn_rewrite_nodes(const struct onn_graph *in, onn_rewrite_fn copy, struct onn_graph **out);

#endif
