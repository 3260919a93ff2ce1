/* Reads ONNX models and tensors. A file is hostile input: the bytes are scanned and bounded before
 * protobuf-c sees them, external data cannot leave the model's folder, every declared size is compared with
 * the real one. */
#ifndef ONN_IO_ONNX_H
#define ONN_IO_ONNX_H

#include "base/log.h"
#include "graph/graph.h"

/* The newest opset of the default domain that the rewrites know; newer ones are accepted with a warning. */
#define ONN_ONNX_OPSET 25
/* protobuf's own limit for one message. */
#define ONN_ONNX_MAX_BYTES ((size_t)0x7fffffff)

/* What a file says about itself; for oclnn-info. */
struct onn_onnx_info {
    int64_t ir_version, model_version;
    int opset; /* of the default domain */
    int n_nodes;
    char producer[64], producer_version[32], graph_name[64], domain[64];
};

/* Where a model comes from. */
struct onn_onnx_source {
    const char *path; /* a file; or NULL and bytes, size */
    const void *bytes; /* not kept after the call */
    size_t size;
    const char *folder; /* with bytes: where external data may lie; NULL = external data is an error */
    const struct onn_log *log; /* may be NULL */
    struct onn_onnx_info *info; /* filled as far as known, may be NULL */
};

/* Imports a model: inputs that are not initialisers become inputs (unknown dimensions -1), initialisers and
 * Constant nodes constants, old opset forms the newest form, nodes in an order in which every value is made
 * before it is read. Errors: NOT_FOUND, IO, MEMORY, FORMAT (malformed), UNSUPPORTED (every operator that is
 * missing, with node names). */
enum oclnn_status onn_onnx_load(const struct onn_onnx_source *source, struct onn_graph **out);
enum oclnn_status onn_onnx_load_file(const char *path, const struct onn_log *log, struct onn_graph **out);
enum oclnn_status onn_onnx_load_memory(const void *bytes, size_t size, const char *folder,
    const struct onn_log *log, struct onn_graph **out);

/* Writes a graph with its constants, parameters and states (newest values, wherever they lie): IR version 8, the oldest
 * opset from 17 on that has every node's form. types: what is known of each value, by id, for the outputs' declarations;
 * may be NULL. The file appears whole or not at all. Errors: UNSUPPORTED (every node that ONNX has no form for; more than
 * 2 GiB), IO, MEMORY. */
enum oclnn_status onn_onnx_save(const struct onn_graph *g, const struct onn_desc *types, const char *path);

/* Reads one serialised TensorProto (input_0.pb); name[] gets its name, cut if need be. */
enum oclnn_status onn_tensor_pb_load(const char *path, char name[static 128], struct onn_blob **out);
/* The files PREFIX_0.pb, PREFIX_1.pb … of a folder, in order; n is 0 if there is none. The caller unrefs
 * the blobs and frees *list. */
enum oclnn_status onn_tensor_pb_load_all(const char *folder, const char *prefix, struct onn_blob ***list,
    int *n);
/* How many folders test_data_set_0, test_data_set_1 … lie beside a model (in folder `folder`). */
int onn_test_data_sets(const char *folder);

#endif
