#include "common/networks.h"
#include "common/tool.h"
#include <stdlib.h>
#include <string.h>

#if __has_include(<oclnn/zoo.h>)
#include <oclnn/zoo.h>
#define HAS_ZOO 1
#else
#define HAS_ZOO 0
#endif

const char *tool_network_name(int index)
{
#if HAS_ZOO
    return oclnn_zoo_name(index);
#else
    (void)index;
    return NULL;
#endif
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
    (void)name;
    return 0;
}

static enum oclnn_status build(const char *name, int size, oclnn_graph **out)
{
    (void)size;
#if HAS_ZOO
    return oclnn_zoo_build(name, NULL, out);
#else
    (void)name;
    *out = NULL;
    return OCLNN_ERROR_UNSUPPORTED;
#endif
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
