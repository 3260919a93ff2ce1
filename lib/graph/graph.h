/* The graph: append-only arrays of values and nodes; ids are positions, 0 is "no value". Building is sticky: the
 * first error is kept with its node's name and reported by the finishing call. One thread at a time. */
#ifndef ONN_GRAPH_GRAPH_H
#define ONN_GRAPH_GRAPH_H

#include "base/mem.h"
#include "tensor/blob.h"
#include "tensor/desc.h"

struct onn_op;
struct onn_epilogue; /* ops/epilogue.h */

enum onn_role {
    ONN_ROLE_NONE, /* made by a node */
    ONN_ROLE_INPUT, /* given by the user at each run */
    ONN_ROLE_CONST, /* blob, never changes */
    ONN_ROLE_PARAM, /* blob, trainable */
    ONN_ROLE_STATE, /* blob, changed by training or kept between runs: BN statistics, moments, counters */
    ONN_ROLE_OUTER, /* in a subgraph: the enclosing graph's value `source` */
};

struct onn_value {
    const char *name; /* may be "" */
    struct onn_desc desc;
    struct onn_blob *blob; /* CONST, PARAM, STATE; a known value of an INPUT (it steers shapes) */
    uint8_t role;
    bool stored; /* CONST: an initialiser of a file, not a number that the text of a node holds */
    int32_t node, slot; /* producer, -1 if none */
    int32_t source; /* the same value in the graph this one was made from, 0 if new there */
    struct onn_init *init; /* PARAM without blob yet: how to fill it */
};

/* Initial values of a parameter that a layer builder made. */
enum onn_init_kind {
    ONN_INIT_ZERO,
    ONN_INIT_ONE,
    ONN_INIT_KAIMING_UNIFORM,
    ONN_INIT_KAIMING_NORMAL,
    ONN_INIT_XAVIER_UNIFORM,
    ONN_INIT_XAVIER_NORMAL,
    ONN_INIT_UNIFORM,
    ONN_INIT_NORMAL,
    ONN_INIT_CONSTANT,
    ONN_INIT_ORTHOGONAL
};
struct onn_init {
    enum onn_init_kind kind;
    float a, b; /* bounds, mean and deviation, the constant, or the gain (0 = 1) */
    int64_t fan_in, fan_out;
};

struct onn_node {
    const struct onn_op *op;
    const char *name;
    const void *attr; /* op->attr_size bytes, zeroed where unset and defaulted; NULL if the op has none */
    int32_t n_in, n_out;
    const int32_t *in, *out; /* value ids; an absent optional input is 0 */
    const struct onn_epilogue *epi; /* NULL = nothing fused; its extra inputs stand at the end of in[] */
    int32_t source; /* node of the source graph, -1 if new */
};

struct onn_graph {
    struct onn_arena arena;
    struct onn_value *value; /* value[0] is the invalid one */
    int32_t n_values, cap_values;
    struct onn_node *node;
    int32_t n_nodes, cap_nodes;
    int32_t *input, *output;
    int32_t n_inputs, cap_inputs, n_outputs, cap_outputs;
    struct onn_blob **held; /* references that attributes of nodes rely on */
    int32_t n_held, cap_held;
    struct onn_graph **sub; /* subgraphs that attributes of nodes point to; owned */
    int32_t n_sub, cap_sub;
    enum oclnn_status status; /* sticky */
    char *error; /* the sentence of the sticky error, in the arena */
    uint64_t seed; /* initialisers */
    bool training;
};

enum oclnn_status onn_graph_create(struct onn_graph **out);
void onn_graph_destroy(struct onn_graph **graph);

/* Append. All return the new value's id, or 0 after an error (sticky). Names and attributes are copied. */
int32_t onn_graph_add_value(struct onn_graph *g, const char *name, const struct onn_desc *desc);
int32_t onn_graph_add_input(struct onn_graph *g, const char *name, const struct onn_desc *desc);
/* Takes its own reference of the blob. */
int32_t onn_graph_add_blob(struct onn_graph *g, const char *name, enum onn_role role, struct onn_blob *blob);
int32_t onn_graph_add_param(struct onn_graph *g, const char *name, const struct onn_desc *desc,
    const struct onn_init *init);
/* A constant of n int64 / one float / …: small helpers for passes and gradients. rank-0 if n is -1 (scalar). */
int32_t onn_graph_add_i64(struct onn_graph *g, const int64_t *v, int n);
int32_t onn_graph_add_f32(struct onn_graph *g, float v);
/* A node with n_out new values (descs unknown until inferred). Returns the node's index or -1. attr_size bytes are
 * copied from attr (may be NULL when attr_size is 0); lists and strings that it points to are not: they must lie in
 * g->arena (onn_graph_add_op of ops/op.h copies them). in[] entries may be 0 for absent optional inputs. */
int32_t onn_graph_add_node(struct onn_graph *g, const struct onn_op *op, const char *name, const void *attr,
    size_t attr_size, int n_in, const int32_t *in, int n_out);
/* The same with given output values (they must have no producer; 0 = absent). */
int32_t onn_graph_add_node_to(struct onn_graph *g, const struct onn_op *op, const char *name,
    const void *attr, size_t attr_size, int n_in, const int32_t *in, int n_out, const int32_t *out);
void onn_graph_add_output(struct onn_graph *g, const char *name, int32_t value);
/* A tensor or a subgraph in a node's attributes lives as long as the graph: hold_blob takes a reference of its own,
 * hold_sub takes the subgraph over (also when it fails). */
enum oclnn_status onn_graph_hold_blob(struct onn_graph *g, struct onn_blob *blob);
enum oclnn_status onn_graph_hold_sub(struct onn_graph *g, struct onn_graph *sub);
/* Value id by name; 0 if there is none. */
int32_t onn_graph_find(const struct onn_graph *g, const char *name);
/* Keeps the first error with its place; returns `status`. */
enum oclnn_status onn_graph_fail(struct onn_graph *g, enum oclnn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Is the value persistent (blob or to be initialised)? */
static inline bool onn_value_is_persistent(const struct onn_value *v)
{
    return v->role == ONN_ROLE_CONST || v->role == ONN_ROLE_PARAM || v->role == ONN_ROLE_STATE;
}
/* How many node inputs (and graph outputs) read each value: n_values counters, to be freed by the caller. */
int32_t *onn_graph_count_uses(const struct onn_graph *g);
/* A readable dump, one node a line; op names through `op_name`. */
struct onn_str;
void onn_graph_dump(const struct onn_graph *g, const char *(*op_name)(const struct onn_op *),
    struct onn_str *out);

#endif
