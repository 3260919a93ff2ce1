/* What the files of the ONNX importer share. */
#ifndef ONN_IO_ONNX_INTERNAL_H
#define ONN_IO_ONNX_INTERNAL_H

#include "io/onnx.h"
#include "ops/op.h"

#include "onnx.pb-c.h"

/* ---- onnx_wire.c ---- */
/* Checks the raw bytes of a message against its descriptor: nesting, lengths, wire types, texts without
 * control characters, and the memory that protobuf-c would need. */
enum oclnn_status onn_wire_scan(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t size);
/* Scans, then unpacks. Free with protobuf_c_message_free_unpacked(message, onn_wire_allocator()). */
enum oclnn_status onn_wire_unpack(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
    size_t size, ProtobufCMessage **out);
ProtobufCAllocator *onn_wire_allocator(void);

/* ---- onnx_names.c: name -> number, open addressing ---- */
struct onn_names {
    const char **key; /* borrowed */
    int32_t *value;
    size_t capacity, count;
};
void onn_names_finish(struct onn_names *names);
/* False when memory is short. An existing entry is replaced. */
bool onn_names_set(struct onn_names *names, const char *key, int32_t value);
/* -1 if there is none. */
int32_t onn_names_get(const struct onn_names *names, const char *key);

/* ---- onnx_external.c: tensors that lie in files beside the model ---- */
struct onn_external {
    int dir; /* the model's folder, -1 = external data are not allowed */
    uint64_t budget; /* bytes that tensors may still take; grows by twice the size of every new file */
    struct onn_external_file {
        uint64_t device, inode;
    } * seen;
    int n_seen, cap_seen;
};
/* Folder of the file `path`, or `folder` itself if path is NULL. */
enum oclnn_status onn_external_open(struct onn_external *e, const char *path, const char *folder);
void onn_external_finish(struct onn_external *e);
/* Reads the tensor's bytes, which must be exactly `bytes` many, into *out (onn_free). */
enum oclnn_status onn_external_read(struct onn_external *e, const Onnx__TensorProto *t, size_t bytes,
    void **out);

/* ---- onnx_tensor.c ---- */
/* external may be NULL. Sentences name no tensor: the caller adds it. */
enum oclnn_status onn_tensor_import(Onnx__TensorProto *t, struct onn_external *external,
    struct onn_blob **out);

/* ---- onnx_sort.c ---- */
#define ONN_ONNX_MAX_NODES 1000000
/* Errors list every operator that is missing, with node names. */
enum oclnn_status onn_onnx_check_ops(const Onnx__GraphProto *g, int opset);
/* Node indices in an order in which every value is made before it is read; file order where that is one. */
enum oclnn_status onn_onnx_sort(const Onnx__GraphProto *g, int32_t **out);

/* ---- the state of an import ---- */
struct onn_import {
    const struct onn_log *log;
    int64_t ir_version;
    int opset;
    struct onn_external external;
    struct onn_arena scratch; /* lives until the import ends */
    int n_nodes; /* numbers of the names that are made up */
    int64_t n_warnings;
};

/* One graph being imported; the innermost scope sees the names of all outer ones. */
struct onn_scope {
    struct onn_import *import;
    struct onn_scope *parent;
    struct onn_graph *g;
    struct onn_names values; /* name -> value id */
    struct onn_desc *known; /* by value id: what early shape inference found; only for opsets that need it */
    int32_t n_known;
};

/* ---- onnx_attr.c: attributes in a neutral form, so that rewrites can add, drop and change them ---- */
struct onn_onnx_attr {
    const char *name;
    enum onn_attr_type type; /* END = dropped or used up */
    int64_t i;
    float f;
    const char *s; /* STRING; STRINGS are joined by ',' */
    int32_t n;
    const int64_t *ints;
    const float *floats;
    struct onn_blob *blob; /* TENSOR */
    struct onn_graph *graph; /* GRAPH, taken over by the scope's graph */
};

/* A node on its way from the file into the graph. */
#define ONN_ONNX_SPARE 4 /* room for inputs and attributes that rewrites add */
struct onn_onnx_node {
    struct onn_scope *scope;
    const char *type, *name;
    int n_in, cap_in, n_out, n_attr, cap_attr;
    int32_t *in;
    const char **out; /* names, "" = absent */
    struct onn_onnx_attr *attr;
};
/* Subgraphs come back through this, since an attribute may hold one. */
enum oclnn_status onn_import_subgraph(struct onn_scope *parent, const Onnx__GraphProto *proto,
    struct onn_graph **out);
enum oclnn_status onn_attrs_read(struct onn_onnx_node *n, const Onnx__NodeProto *proto);
/* The attribute struct of `op`, in the graph's arena; NULL if it has none. */
enum oclnn_status onn_attrs_fill(const struct onn_onnx_node *n, const struct onn_op *op, void **out);

/* The attribute `name`, removed from the list but readable; NULL if absent. */
const struct onn_onnx_attr *onn_onnx_attr_take(struct onn_onnx_node *n, const char *name);
const struct onn_onnx_attr *onn_onnx_attr_find(const struct onn_onnx_node *n, const char *name);
/* Add or replace. */
enum oclnn_status onn_onnx_attr_set_int(struct onn_onnx_node *n, const char *name, int64_t value);
enum oclnn_status onn_onnx_attr_set_string(struct onn_onnx_node *n, const char *name, const char *value);

/* ---- onnx_opset.c, onnx_opset_old.c: old forms become the newest one ---- */
/* May change type, inputs, outputs and attributes, and may append helper nodes before this one. */
enum oclnn_status onn_opset_rewrite(struct onn_onnx_node *n);
/* Is this type known, by itself or through a rewrite? Then the descriptor that it ends as, else NULL. */
const struct onn_op *onn_opset_op(const char *type, int opset);

/* Helpers of the rewrites. */
enum oclnn_status onn_rewrite_input(struct onn_onnx_node *n, int i, int32_t value);
enum oclnn_status onn_rewrite_ints(struct onn_onnx_node *n, int i, const int64_t *v, int count);
/* A scalar (rank 0) of input 0's element type (f32 where that is not known). */
enum oclnn_status onn_rewrite_scalar(struct onn_onnx_node *n, int i, enum oclnn_dtype dtype, double value);
/* What is known of value `id` at this point; rank -1 and dtype NONE if nothing. */
struct onn_desc onn_scope_desc(const struct onn_scope *s, int32_t id);
/* The rewrites of what opset 6 and older wrote differently: broadcast=1, axis=k and the like. */
enum oclnn_status onn_opset_broadcast(struct onn_onnx_node *n);
enum oclnn_status onn_opset_group_norm(struct onn_onnx_node *n);
enum oclnn_status onn_opset_resize10(struct onn_onnx_node *n);
enum oclnn_status onn_opset_upsample(struct onn_onnx_node *n);

#endif
