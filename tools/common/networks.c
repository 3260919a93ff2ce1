#include "common/networks.h"
#include "common/tool.h"
#include <oclnn/zoo.h>
#include <stdlib.h>
#include <string.h>

/* Large enough that every layer has something to do, small enough for plain kernels on a CPU. */
#define SMALL_SIZE 64

const char *tool_network_name(int index)
{
    return oclnn_zoo_name(index);
}

bool tool_is_network(const char *name)
{
    for (int i = 0; tool_network_name(i); i++)
        if (!strcmp(tool_network_name(i), name))
            return true;
    return false;
}

int tool_network_small_size(const char *name)
{
    struct oclnn_zoo_info info;

    if (oclnn_zoo_describe(name, &info) != OCLNN_OK || info.size <= SMALL_SIZE)
        return 0;
    return info.smallest > SMALL_SIZE ? info.smallest : SMALL_SIZE;
}

static enum oclnn_status build(const char *name, int size, oclnn_graph **out)
{
    struct oclnn_zoo_params params = {.size = size};
    enum oclnn_status status = oclnn_graph_create(NULL, out);

    if (status == OCLNN_OK)
        status = oclnn_zoo_build(name, *out, &params);
    if (status != OCLNN_OK)
        oclnn_graph_destroy(out);
    return status;
}

enum oclnn_status tool_model_open(oclnn_context *ctx, const char *item, int size,
    const struct oclnn_model_params *params, oclnn_model **out)
{
    oclnn_graph *graph = NULL;
    enum oclnn_status status;

    if (!tool_is_network(item))
        return oclnn_model_load(ctx, item, params, out);
    status = build(item, size, &graph);
    return status != OCLNN_OK ? status : oclnn_model_create(ctx, &graph, params, out);
}

char *tool_model_name(const char *item)
{
    const char *slash = strrchr(item, '/'), *file = slash ? slash + 1 : item;
    char *name, *dot;

    if (slash && slash != item && !strcmp(file, "model.onnx")) {
        char *folder = tool_strdup(item);

        folder[slash - item] = 0;
        name = tool_strdup(strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder);
        free(folder);
        return name;
    }
    name = tool_strdup(file);
    dot = strrchr(name, '.');
    if (dot && !strcmp(dot, ".onnx"))
        *dot = 0;
    return name;
}
