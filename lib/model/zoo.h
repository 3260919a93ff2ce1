/* The built-in networks' builders. They use the public layer functions only, as a user would. */
#ifndef ONN_MODEL_ZOO_H
#define ONN_MODEL_ZOO_H

#include <oclnn/ops.h>

/* Appends a network behind image x (N C H W) and returns its logits. */
typedef oclnn_value onn_zoo_builder(oclnn_graph *g, oclnn_value x, int classes);

onn_zoo_builder onn_zoo_mlp784, onn_zoo_mnist_conv1, onn_zoo_mnist_conv2, onn_zoo_lenet5, onn_zoo_cifar_lenet,
    onn_zoo_three_stage, onn_zoo_unet;
onn_zoo_builder onn_zoo_mnist_lstm, onn_zoo_mnist_transformer;
onn_zoo_builder onn_zoo_alexnet, onn_zoo_vgg16, onn_zoo_squeezenet, onn_zoo_densenet121;
onn_zoo_builder onn_zoo_googlenet, onn_zoo_inception_v3;
onn_zoo_builder onn_zoo_resnet18_cifar, onn_zoo_resnet20_cifar, onn_zoo_resnet18, onn_zoo_resnet50,
    onn_zoo_resnext50;
onn_zoo_builder onn_zoo_mobilenet_v1, onn_zoo_mobilenet_v2, onn_zoo_mobilenet_v3, onn_zoo_shufflenet_v2;
onn_zoo_builder onn_zoo_efficientnet_b0, onn_zoo_convnext_tiny;

/* ---- what they share (zoo.c) ---- */
typedef oclnn_value onn_zoo_activation(oclnn_graph *g, oclnn_value x);
/* Convolution without bias, batch normalisation, activation (NULL: none). */
struct onn_zoo_unit {
    int filters, height, width; /* width 0: as height */
    int stride, group, no_same; /* no_same 1: no pads, else half the kernel on each side */
    float epsilon, momentum; /* of the batch normalisation; 0: default */
    onn_zoo_activation *act;
};
oclnn_value onn_zoo_conv(oclnn_graph *g, oclnn_value x, const struct onn_zoo_unit *unit);
/* Global mean, flatten, dense. */
oclnn_value onn_zoo_head(oclnn_graph *g, oclnn_value x, int classes);
/* Channels of x; 0 after a mistake. */
int onn_zoo_channels(const oclnn_graph *g, oclnn_value x);
/* Mean over size x size equal areas; x itself where its height is no multiple of `size`. */
oclnn_value onn_zoo_areas(oclnn_graph *g, oclnn_value x, int size);
oclnn_value onn_zoo_max_pool(oclnn_graph *g, oclnn_value x, int size, int stride, int pad, int ceil_mode);
/* The scope "stage3.1.": stem, a, b. */
void onn_zoo_scope(oclnn_graph *g, const char *stem, int a, int b);

#endif
