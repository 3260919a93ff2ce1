/* Models by file or by built-in name. */
#ifndef OCLNN_TOOLS_NETWORKS_H
#define OCLNN_TOOLS_NETWORKS_H

#include <oclnn/model.h>
#include <stdbool.h>

bool tool_is_network(const char *name);
/* Name of built-in network `index`; NULL behind the last. */
const char *tool_network_name(int index);
/* The smallest image that the network can take, for verification; 0 = only the usual one. */
int tool_network_small_size(const char *name);
/* size: height and width of a built-in network's image, 0 = the usual one; files have their own. */
enum oclnn_status tool_model_open(oclnn_context *ctx, const char *item, int size,
    const struct oclnn_model_params *params, oclnn_model **out);
/* "…/resnet50/model.onnx" is called resnet50, "…/net.onnx" is called net. malloc'ed. */
char *tool_model_name(const char *item);

#endif
