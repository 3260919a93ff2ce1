/* Built-in networks, for benchmarks and as a start for training; made with the functions of ops.h. Tier 2. */
#ifndef OCLNN_ZOO_H
#define OCLNN_ZOO_H

#include <oclnn/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A built-in network. Its input is called "x", N C H W, its output "logits". */
struct oclnn_zoo_info {
    const char *name; /**< "resnet50"; static storage */
    int channels, size; /**< usual input: channels x size x size */
    int smallest; /**< least size that is taken (unet-128: and multiples of 8) */
    int classes; /**< usual number of logits; unet-128 gives so many for every pixel */
};

/** How many networks there are. */
OCLNN_API int oclnn_zoo_count(void);
/** Name of network `index`; NULL behind the last. */
OCLNN_API const char *oclnn_zoo_name(int index);
/** Describes a network. Errors: OCLNN_ERROR_NOT_FOUND, OCLNN_ERROR_ARGUMENT. */
OCLNN_API enum oclnn_status oclnn_zoo_describe(const char *name, struct oclnn_zoo_info *out);

/** Zero means default in every field. */
struct oclnn_zoo_params {
    int classes; /**< default: the network's usual number */
    int batch; /**< samples; default (and -1): free, bound when the model is run */
    int size; /**< height and width of the image; default: the network's usual one. A network that flattens its
                      features into a dense layer has other parameters then */
};
/**
 * Appends network `name` with its input and output to a graph, which gives the seed of the weights and the scope.
 * Networks are in inference form; training turns it into training form. Layers that act only in training and have no
 * operator here (stochastic depth) and auxiliary classifiers are left out.
 * @param params  NULL: defaults.
 * Errors: OCLNN_ERROR_NOT_FOUND (lists the names), OCLNN_ERROR_ARGUMENT (size too small, …), what building gave.
 */
OCLNN_API enum oclnn_status oclnn_zoo_build(const char *name, oclnn_graph *graph,
    const struct oclnn_zoo_params *params);

#ifdef __cplusplus
}
#endif
#endif
