/* What the files of the ONNX exporter share. Messages and what they point to live in one arena until the file is
 * written; the big tensors are not copied into it. */
#ifndef ONN_IO_ONNX_EXPORT_H
#define ONN_IO_ONNX_EXPORT_H

#include "io/onnx.h"
#include "ops/op.h"

#include "onnx.pb-c.h"

struct onn_names; /* io/onnx_internal.h */

struct onn_export {
    struct onn_arena arena;
    struct onn_names
        *taken; /* every name of the whole tree: 0 = some value has it, 1 = it stands in the file */
    int opset; /* the oldest in which all nodes so far have this form */
    enum oclnn_status status; /* of the last value that could not be written */
    int n_made; /* numbers of the names that are made up */
    int n_missing;
    struct onn_str missing; /* nodes without an ONNX form */
};

/* A graph or a subgraph on its way into the file. */
struct onn_export_graph {
    struct onn_export *e;
    struct onn_export_graph *outer;
    const struct onn_graph *g;
    const struct onn_desc *types; /* by value id; NULL = only what the values themselves say */
    const char **name; /* by value id; NULL = no name yet */
    bool *live; /* by value id: an output or a subgraph needs it */
    bool *written; /* by value id: the initialiser stands in the file */
    Onnx__NodeProto **node;
    Onnx__TensorProto **tensor;
    int n_nodes, cap_nodes, n_tensors, cap_tensors;
};

/* ---- onnx_export.c ---- */
/* The value's name in the file, made up where it has none; "" for value 0. A persistent value becomes an initialiser.
 * NULL after an error. */
const char *onn_export_value(struct onn_export_graph *s, int32_t id);
/* What NULL from the functions that return a name means. */
enum oclnn_status onn_export_status(const struct onn_export *e);
/* A name that nothing else has; NULL if memory is short. */
const char *onn_export_fresh(struct onn_export *e, const char *stem);
/* A fresh initialiser; NULL after an error. */
const char *onn_export_const(struct onn_export_graph *s, enum oclnn_dtype dtype, int rank, int64_t n,
    const void *data);
/* What is known of a value: rank -1 and dtype NONE if nothing. */
struct onn_desc onn_export_type(const struct onn_export_graph *s, int32_t id);
enum oclnn_status onn_export_tensor(struct onn_export *e, struct onn_blob *blob, const char *name,
    Onnx__TensorProto **out);
/* outer NULL: the main graph. */
enum oclnn_status onn_export_graph(struct onn_export *e, struct onn_export_graph *outer,
    const struct onn_graph *g, const struct onn_desc *types, Onnx__GraphProto **out);

/* ---- onnx_export_node.c ---- */
/* Appends an operator's node without attributes; names are copied pointers. */
enum oclnn_status onn_export_node(struct onn_export_graph *s, const char *type, const char *name, int n_in,
    const char *const *in, int n_out, const char *const *out, Onnx__NodeProto **node);
/* Appends node k of the graph: one ONNX node, or several where ONNX has no single one for it. */
enum oclnn_status onn_export_step(struct onn_export_graph *s, int32_t k);

#endif
