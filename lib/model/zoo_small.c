/* Small networks for digits and thumbnails, and U-Net. */
#include "model/zoo.h"

#include <math.h>

/* Weights and biases of these shallow networks begin within 1 / sqrt(fan-in): LeCun et al., Efficient BackProp (1998). */
static struct oclnn_init within(double fan_in)
{
    const float bound = fan_in > 0 ? (float)(1 / sqrt(fan_in)) : 1;
    return (struct oclnn_init){.kind = OCLNN_INIT_UNIFORM, .a = -bound, .b = bound};
}

static int64_t channels(const oclnn_graph *g, oclnn_value x)
{
    struct oclnn_shape s;
    return oclnn_value_shape(g, x, &s) == OCLNN_OK && s.rank > 1 ? s.dim[1] : 0;
}

static oclnn_value conv(oclnn_graph *g, oclnn_value x, int filters, int size, int pad)
{
    const struct oclnn_init init = within((double)channels(g, x) * size * size);
    return oclnn_relu(g,
        oclnn_conv2d(g, x, filters, size,
            &(struct oclnn_conv){.pad = {pad, pad, pad, pad}, .weight_init = init, .bias_init = init}));
}

/* Convolutions without pads, each with ReLU and a max-pool of 2. */
static oclnn_value conv_pool(oclnn_graph *g, oclnn_value x, int size, int n, const int *filters)
{
    for (int i = 0; i < n; i++)
        x = oclnn_max_pool2d(g, conv(g, x, filters[i], size, 0), 2, NULL);
    return x;
}

static oclnn_value dense(oclnn_graph *g, oclnn_value x, int units)
{
    const struct oclnn_init init = within((double)channels(g, x));
    return oclnn_dense(g, x, units, &(struct oclnn_dense){.weight_init = init, .bias_init = init});
}

static oclnn_value hidden(oclnn_graph *g, oclnn_value x, int units)
{
    return oclnn_relu(g, dense(g, x, units));
}

oclnn_value onn_zoo_mlp784(oclnn_graph *g, oclnn_value x, int classes)
{
    return dense(g, hidden(g, oclnn_flatten(g, x), 128), classes);
}

oclnn_value onn_zoo_mnist_conv1(oclnn_graph *g, oclnn_value x, int classes)
{
    x = conv(g, x, 32, 3, 0);
    return dense(g, oclnn_flatten(g, x), classes);
}

oclnn_value onn_zoo_mnist_conv2(oclnn_graph *g, oclnn_value x, int classes)
{
    x = conv_pool(g, x, 3, 2, (const int[]){32, 64});
    return dense(g, oclnn_flatten(g, x), classes);
}

/* LeCun et al. 1998, with ReLU and max-pooling. */
oclnn_value onn_zoo_lenet5(oclnn_graph *g, oclnn_value x, int classes)
{
    x = conv(g, x, 6, 5, 2);
    x = oclnn_max_pool2d(g, x, 2, NULL);
    x = oclnn_flatten(g, conv_pool(g, x, 5, 1, (const int[]){16}));
    return dense(g, hidden(g, hidden(g, x, 120), 84), classes);
}

oclnn_value onn_zoo_cifar_lenet(oclnn_graph *g, oclnn_value x, int classes)
{
    x = oclnn_flatten(g, conv_pool(g, x, 5, 2, (const int[]){6, 16}));
    return dense(g, hidden(g, hidden(g, x, 120), 84), classes);
}

oclnn_value onn_zoo_three_stage(oclnn_graph *g, oclnn_value x, int classes)
{
    x = oclnn_flatten(g, conv_pool(g, x, 3, 3, (const int[]){32, 64, 128}));
    return dense(g, oclnn_dropout(g, hidden(g, x, 256), 0.5f), classes);
}

/* Ronneberger et al. 2015, with batch normalisation and padded convolutions. */
static oclnn_value unet_two(oclnn_graph *g, oclnn_value x, int filters)
{
    const struct onn_zoo_unit unit = {.filters = filters, .height = 3, .act = oclnn_relu};
    return onn_zoo_conv(g, onn_zoo_conv(g, x, &unit), &unit);
}

oclnn_value onn_zoo_unet(oclnn_graph *g, oclnn_value x, int classes)
{
    enum { LEVELS = 4, WIDTH = 32 };
    oclnn_value skip[LEVELS];
    for (int i = 0; i < LEVELS; i++) {
        skip[i] = unet_two(g, i ? oclnn_max_pool2d(g, skip[i - 1], 2, NULL) : x, WIDTH << i);
        x = skip[i];
    }
    for (int i = LEVELS - 2; i >= 0; i--) {
        x = oclnn_conv_transpose2d(g, x, WIDTH << i, 2, &(struct oclnn_conv){.stride = {2}});
        x = unet_two(g, oclnn_concat(g, (oclnn_value[]){skip[i], x}, 2, 1), WIDTH << i);
    }
    return oclnn_conv2d(g, x, classes, 1, NULL);
}
