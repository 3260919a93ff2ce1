/* The table of built-in networks, and what their builders share. */
#include "model/zoo.h"

#include "base/mem.h"
#include "model/graph_api.h"
#include <oclnn/zoo.h>

#include <stdio.h>
#include <string.h>

static const struct network {
    struct oclnn_zoo_info info; /* name, channels, size, smallest, classes */
    onn_zoo_builder *build;
} networks[] = {
    {{"mlp784", 1, 28, 1, 10}, onn_zoo_mlp784},
    {{"mnist-conv1", 1, 28, 3, 10}, onn_zoo_mnist_conv1},
    {{"mnist-conv2", 1, 28, 10, 10}, onn_zoo_mnist_conv2},
    {{"lenet5", 1, 28, 12, 10}, onn_zoo_lenet5},
    {{"mnist-lstm", 1, 28, 1, 10}, onn_zoo_mnist_lstm},
    {{"mnist-transformer", 1, 28, 7, 10}, onn_zoo_mnist_transformer},
    {{"cifar-lenet", 3, 32, 16, 10}, onn_zoo_cifar_lenet},
    {{"resnet20-cifar", 3, 32, 8, 10}, onn_zoo_resnet20_cifar},
    {{"resnet18-cifar", 3, 32, 8, 10}, onn_zoo_resnet18_cifar},
    {{"three-stage-224", 3, 224, 22, 2}, onn_zoo_three_stage},
    {{"unet-128", 3, 128, 8, 2}, onn_zoo_unet},
    {{"alexnet", 3, 224, 63, 1000}, onn_zoo_alexnet},
    {{"vgg16", 3, 224, 32, 1000}, onn_zoo_vgg16},
    {{"squeezenet", 3, 224, 25, 1000}, onn_zoo_squeezenet},
    {{"googlenet", 3, 224, 32, 1000}, onn_zoo_googlenet},
    {{"inception-v3", 3, 299, 75, 1000}, onn_zoo_inception_v3},
    {{"resnet18", 3, 224, 32, 1000}, onn_zoo_resnet18},
    {{"resnet50", 3, 224, 32, 1000}, onn_zoo_resnet50},
    {{"resnext50", 3, 224, 32, 1000}, onn_zoo_resnext50},
    {{"densenet121", 3, 224, 32, 1000}, onn_zoo_densenet121},
    {{"mobilenet-v1", 3, 224, 32, 1000}, onn_zoo_mobilenet_v1},
    {{"mobilenet-v2", 3, 224, 32, 1000}, onn_zoo_mobilenet_v2},
    {{"mobilenet-v3", 3, 224, 32, 1000}, onn_zoo_mobilenet_v3},
    {{"shufflenet-v2", 3, 224, 32, 1000}, onn_zoo_shufflenet_v2},
    {{"efficientnet-b0", 3, 224, 32, 1000}, onn_zoo_efficientnet_b0},
    {{"convnext-tiny", 3, 224, 32, 1000}, onn_zoo_convnext_tiny},
};
enum { COUNT = sizeof networks / sizeof *networks };

int oclnn_zoo_count(void)
{
    return COUNT;
}

const char *oclnn_zoo_name(int index)
{
    return index >= 0 && index < COUNT ? networks[index].info.name : NULL;
}

static enum oclnn_status find(const char *name, const struct network **out)
{
    struct onn_str names = {0};
    *out = NULL;
    if (!name)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the network's name is NULL");
    for (int i = 0; i < COUNT; i++) {
        if (strcmp(networks[i].info.name, name) == 0)
            *out = &networks[i];
        onn_str_add(&names, " %s", networks[i].info.name);
    }
    if (!*out)
        onn_error(OCLNN_ERROR_NOT_FOUND, "no built-in network is called '%s'; there are%s", name,
            onn_str_text(&names));
    onn_str_finish(&names);
    return *out ? OCLNN_OK : OCLNN_ERROR_NOT_FOUND;
}

enum oclnn_status oclnn_zoo_describe(const char *name, struct oclnn_zoo_info *out)
{
    const struct network *n;
    if (!out)
        return onn_error(OCLNN_ERROR_ARGUMENT, "out is NULL");
    enum oclnn_status status = find(name, &n);
    if (status == OCLNN_OK)
        *out = n->info;
    return status;
}

enum oclnn_status oclnn_zoo_build(const char *name, oclnn_graph *graph, const struct oclnn_zoo_params *params)
{
    static const struct oclnn_zoo_params none = {0};
    enum oclnn_status status;
    const struct network *n;
    const struct oclnn_zoo_params *p = params ? params : &none;
    ONN_CHECK(graph, OCLNN_ERROR_ARGUMENT, "the graph is NULL");
    ONN_TRY(find(name, &n));
    int size = p->size ? p->size : n->info.size, classes = p->classes ? p->classes : n->info.classes;
    ONN_CHECK(size >= n->info.smallest, OCLNN_ERROR_ARGUMENT,
        "%s: images of %d pixels, at least %d are needed", name, size, n->info.smallest);
    ONN_CHECK(classes > 0, OCLNN_ERROR_ARGUMENT, "%s: %d classes", name, classes);
    ONN_CHECK(p->batch >= -1, OCLNN_ERROR_ARGUMENT, "%s: batch of %d", name, p->batch);
    const char *scope = graph->scope; /* builders leave theirs */
    oclnn_value x = oclnn_input(graph, "x", OCLNN_F32,
        OCLNN_SHAPE(p->batch ? p->batch : -1, n->info.channels, size, size));
    x = n->build(graph, x, classes);
    graph->scope = scope;
    oclnn_output(graph, "logits", x);
    ONN_TRY(oclnn_graph_status(graph));
    return OCLNN_OK;
fail:
    return status;
}

/* ---- shared by the builders ---- */

oclnn_value onn_zoo_conv(oclnn_graph *g, oclnn_value x, const struct onn_zoo_unit *u)
{
    int width = u->width ? u->width : u->height;
    int rows = u->no_same ? 0 : u->height / 2, cols = u->no_same ? 0 : width / 2;
    x = oclnn_conv2d(g, x, u->filters, 0,
        &(struct oclnn_conv){.kernel = {u->height, width},
            .stride = {u->stride},
            .pad = {rows, cols, rows, cols},
            .group = u->group,
            .no_bias = 1});
    x = oclnn_batch_norm(g, x, &(struct oclnn_norm){.epsilon = u->epsilon, .momentum = u->momentum});
    return u->act ? u->act(g, x) : x;
}

oclnn_value onn_zoo_head(oclnn_graph *g, oclnn_value x, int classes)
{
    return oclnn_dense(g, oclnn_flatten(g, oclnn_global_avg_pool(g, x)), classes, NULL);
}

static int dimension(const oclnn_graph *g, oclnn_value x, int i)
{
    struct oclnn_shape shape;
    if (!x || oclnn_value_shape(g, x, &shape) != OCLNN_OK || shape.rank <= i || shape.dim[i] > 0x7fffffff)
        return 0;
    return (int)shape.dim[i];
}

int onn_zoo_channels(const oclnn_graph *g, oclnn_value x)
{
    return dimension(g, x, 1);
}

oclnn_value onn_zoo_areas(oclnn_graph *g, oclnn_value x, int size)
{
    int height = dimension(g, x, 2);
    return height > size && height % size == 0 ? oclnn_avg_pool2d(g, x, height / size, NULL) : x;
}

oclnn_value onn_zoo_max_pool(oclnn_graph *g, oclnn_value x, int size, int stride, int pad, int ceil_mode)
{
    return oclnn_max_pool2d(g, x, size,
        &(struct oclnn_pool){.stride = {stride}, .pad = {pad, pad, pad, pad}, .ceil_mode = ceil_mode});
}

void onn_zoo_scope(oclnn_graph *g, const char *stem, int a, int b)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s%d.%d.", stem, a, b);
    oclnn_graph_scope(g, prefix);
}
