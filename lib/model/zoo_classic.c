/* AlexNet, VGG, SqueezeNet and DenseNet, as torchvision defines them. */
#include "model/zoo.h"

static oclnn_value conv_relu(oclnn_graph *g, oclnn_value x, int filters, int size, int stride, int pad)
{
    return oclnn_relu(g,
        oclnn_conv2d(g, x, filters, size,
            &(struct oclnn_conv){.stride = {stride}, .pad = {pad, pad, pad, pad}}));
}

/* Krizhevsky 2014: "One weird trick for parallelizing convolutional neural networks". */
oclnn_value onn_zoo_alexnet(oclnn_graph *g, oclnn_value x, int classes)
{
    x = onn_zoo_max_pool(g, conv_relu(g, x, 64, 11, 4, 2), 3, 2, 0, 0);
    x = onn_zoo_max_pool(g, conv_relu(g, x, 192, 5, 1, 2), 3, 2, 0, 0);
    x = conv_relu(g, x, 384, 3, 1, 1);
    x = conv_relu(g, x, 256, 3, 1, 1);
    x = onn_zoo_max_pool(g, conv_relu(g, x, 256, 3, 1, 1), 3, 2, 0, 0);
    x = oclnn_flatten(g, onn_zoo_areas(g, x, 6));
    x = oclnn_relu(g, oclnn_dense(g, oclnn_dropout(g, x, 0.5f), 4096, NULL));
    x = oclnn_relu(g, oclnn_dense(g, oclnn_dropout(g, x, 0.5f), 4096, NULL));
    return oclnn_dense(g, x, classes, NULL);
}

/* Simonyan and Zisserman 2014, configuration D. */
oclnn_value onn_zoo_vgg16(oclnn_graph *g, oclnn_value x, int classes)
{
    static const int convs[5] = {2, 2, 3, 3, 3}, filters[5] = {64, 128, 256, 512, 512};
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < convs[i]; k++)
            x = conv_relu(g, x, filters[i], 3, 1, 1);
        x = oclnn_max_pool2d(g, x, 2, NULL);
    }
    x = oclnn_flatten(g, onn_zoo_areas(g, x, 7));
    x = oclnn_dropout(g, oclnn_relu(g, oclnn_dense(g, x, 4096, NULL)), 0.5f);
    x = oclnn_dropout(g, oclnn_relu(g, oclnn_dense(g, x, 4096, NULL)), 0.5f);
    return oclnn_dense(g, x, classes, NULL);
}

static oclnn_value fire(oclnn_graph *g, oclnn_value x, int squeeze, int expand)
{
    x = conv_relu(g, x, squeeze, 1, 1, 0);
    oclnn_value both[2];
    both[0] = conv_relu(g, x, expand, 1, 1, 0); /* in this order: it settles the names */
    both[1] = conv_relu(g, x, expand, 3, 1, 1);
    return oclnn_concat(g, both, 2, 1);
}

/* Iandola et al. 2016, version 1.1. */
oclnn_value onn_zoo_squeezenet(oclnn_graph *g, oclnn_value x, int classes)
{
    x = onn_zoo_max_pool(g, conv_relu(g, x, 64, 3, 2, 0), 3, 2, 0, 1);
    x = fire(g, fire(g, x, 16, 64), 16, 64);
    x = onn_zoo_max_pool(g, x, 3, 2, 0, 1);
    x = fire(g, fire(g, x, 32, 128), 32, 128);
    x = onn_zoo_max_pool(g, x, 3, 2, 0, 1);
    x = fire(g, fire(g, x, 48, 192), 48, 192);
    x = fire(g, fire(g, x, 64, 256), 64, 256);
    x = conv_relu(g, oclnn_dropout(g, x, 0.5f), classes, 1, 1, 0);
    return oclnn_flatten(g, oclnn_global_avg_pool(g, x));
}

/* Normalisation and ReLU stand in front of each convolution. */
static oclnn_value dense_layer(oclnn_graph *g, oclnn_value x, int growth)
{
    const struct onn_zoo_unit narrow = {.filters = 4 * growth, .height = 1, .act = oclnn_relu};
    oclnn_value y = onn_zoo_conv(g, oclnn_relu(g, oclnn_batch_norm(g, x, NULL)), &narrow);
    y = oclnn_conv2d(g, y, growth, 3, &(struct oclnn_conv){.pad = {1, 1, 1, 1}, .no_bias = 1});
    return oclnn_concat(g, (oclnn_value[]){x, y}, 2, 1);
}

/* Huang et al. 2016. */
oclnn_value onn_zoo_densenet121(oclnn_graph *g, oclnn_value x, int classes)
{
    static const int layers[4] = {6, 12, 24, 16};
    x = onn_zoo_conv(g, x,
        &(struct onn_zoo_unit){.filters = 64, .height = 7, .stride = 2, .act = oclnn_relu});
    x = onn_zoo_max_pool(g, x, 3, 2, 1, 0);
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < layers[i]; k++) {
            onn_zoo_scope(g, "block", i + 1, k + 1);
            x = dense_layer(g, x, 32);
        }
        oclnn_graph_scope(g, "");
        x = oclnn_relu(g, oclnn_batch_norm(g, x, NULL));
        if (i == 3)
            break;
        x = oclnn_conv2d(g, x, onn_zoo_channels(g, x) / 2, 1, &(struct oclnn_conv){.no_bias = 1});
        x = oclnn_avg_pool2d(g, x, 2, NULL);
    }
    return onn_zoo_head(g, x, classes);
}
