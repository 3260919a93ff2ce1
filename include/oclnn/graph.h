/* Networks built from C: the graph that the layer functions of ops.h append to. Tier 2. */
#ifndef OCLNN_GRAPH_H
#define OCLNN_GRAPH_H

#include <oclnn/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A network under construction. Thread-safety: one thread at a time. */
typedef struct oclnn_graph oclnn_graph;

/** A value in a graph; 0 is invalid and what every builder returns after a mistake. */
typedef int32_t oclnn_value;

/** Zero means default in every field. */
struct oclnn_graph_params {
    uint64_t seed; /**< of the parameters' initial values; same seed, same bits */
};
/** Creates an empty graph. The caller destroys it, or hands it to oclnn_model_create.
 *  Errors: OCLNN_ERROR_ARGUMENT, _MEMORY. */
OCLNN_API enum oclnn_status oclnn_graph_create(const struct oclnn_graph_params *params, oclnn_graph **out);
/** Destroys and NULLs *graph; accepts NULL and a pointer to NULL. */
OCLNN_API void oclnn_graph_destroy(oclnn_graph **graph);
/** The first mistake made so far: OCLNN_OK if none; its sentence names the layer.
 *  Errors: OCLNN_ERROR_ARGUMENT (NULL), those of the builders in ops.h. */
OCLNN_API enum oclnn_status oclnn_graph_status(const oclnn_graph *graph);
/** Names the layers that follow: "stage1." puts "stage1." before their names. "" ends it. */
OCLNN_API void oclnn_graph_scope(oclnn_graph *graph, const char *prefix);

/** Adds an input; -1 dimensions are bound when the model is run. */
OCLNN_API oclnn_value oclnn_input(oclnn_graph *graph, const char *name, enum oclnn_dtype dtype,
    struct oclnn_shape shape);
/** Makes `value` an output called `name`. */
OCLNN_API void oclnn_output(oclnn_graph *graph, const char *name, oclnn_value value);
/** Shape of a value as far as it is known (-1: free). Errors: OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_value_shape(const oclnn_graph *graph, oclnn_value value,
    struct oclnn_shape *out);

#ifdef __cplusplus
}
#endif
#endif
