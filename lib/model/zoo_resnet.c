/* Residual networks: He et al. 2015, Xie et al. 2016 (ResNeXt), as torchvision defines them, and those for CIFAR. */
#include "model/zoo.h"

static oclnn_value unit(oclnn_graph *g, oclnn_value x, int filters, int size, int stride, int group,
    onn_zoo_activation *act)
{
    return onn_zoo_conv(g, x,
        &(struct onn_zoo_unit){.filters = filters,
            .height = size,
            .stride = stride,
            .group = group,
            .act = act});
}

/* The short cut: a projection where the shape changes. */
static oclnn_value add_and_relu(oclnn_graph *g, oclnn_value x, oclnn_value y, int filters, int stride)
{
    if (stride != 1 || onn_zoo_channels(g, x) != filters)
        x = unit(g, x, filters, 1, stride, 1, NULL);
    return oclnn_relu(g, oclnn_add(g, y, x));
}

static oclnn_value basic(oclnn_graph *g, oclnn_value x, int filters, int stride)
{
    oclnn_value y = unit(g, x, filters, 3, stride, 1, oclnn_relu);
    return add_and_relu(g, x, unit(g, y, filters, 3, 1, 1, NULL), filters, stride);
}

/* The stride lies on the 3x3 convolution. */
static oclnn_value bottleneck(oclnn_graph *g, oclnn_value x, int middle, int filters, int stride, int group)
{
    oclnn_value y = unit(g, x, middle, 1, 1, 1, oclnn_relu);
    y = unit(g, y, middle, 3, stride, group, oclnn_relu);
    return add_and_relu(g, x, unit(g, y, filters, 1, 1, 1, NULL), filters, stride);
}

static oclnn_value basic_stages(oclnn_graph *g, oclnn_value x, int stages, int width, int blocks)
{
    for (int i = 0; i < stages; i++)
        for (int k = 0; k < blocks; k++) {
            onn_zoo_scope(g, "layer", i + 1, k);
            x = basic(g, x, width << i, i && !k ? 2 : 1);
        }
    oclnn_graph_scope(g, "");
    return x;
}

static oclnn_value stem(oclnn_graph *g, oclnn_value x)
{
    return onn_zoo_max_pool(g, unit(g, x, 64, 7, 2, 1, oclnn_relu), 3, 2, 1, 0);
}

static oclnn_value deep(oclnn_graph *g, oclnn_value x, int classes, int middle, int group)
{
    static const int blocks[4] = {3, 4, 6, 3};
    x = stem(g, x);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < blocks[i]; k++) {
            onn_zoo_scope(g, "layer", i + 1, k);
            x = bottleneck(g, x, middle << i, 256 << i, i && !k ? 2 : 1, group);
        }
    oclnn_graph_scope(g, "");
    return onn_zoo_head(g, x, classes);
}

oclnn_value onn_zoo_resnet20_cifar(oclnn_graph *g, oclnn_value x, int classes)
{
    x = unit(g, x, 16, 3, 1, 1, oclnn_relu);
    return onn_zoo_head(g, basic_stages(g, x, 3, 16, 3), classes);
}

oclnn_value onn_zoo_resnet18_cifar(oclnn_graph *g, oclnn_value x, int classes)
{
    x = unit(g, x, 64, 3, 1, 1, oclnn_relu);
    return onn_zoo_head(g, basic_stages(g, x, 4, 64, 2), classes);
}

oclnn_value onn_zoo_resnet18(oclnn_graph *g, oclnn_value x, int classes)
{
    return onn_zoo_head(g, basic_stages(g, stem(g, x), 4, 64, 2), classes);
}

oclnn_value onn_zoo_resnet50(oclnn_graph *g, oclnn_value x, int classes)
{
    return deep(g, x, classes, 64, 1);
}

/* 32 groups of 4 filters. */
oclnn_value onn_zoo_resnext50(oclnn_graph *g, oclnn_value x, int classes)
{
    return deep(g, x, classes, 128, 32);
}
