/* MobileNets, ShuffleNet and EfficientNet, as torchvision defines them (mobilenet-v1: as in its paper). */
#include "model/zoo.h"

#include <stddef.h>

/* Batch normalisation and activation are the same throughout a network. */
struct style {
    float epsilon, momentum;
    onn_zoo_activation *act;
};

static oclnn_value unit(oclnn_graph *g, oclnn_value x, int filters, int size, int stride, int group,
    const struct style *s, onn_zoo_activation *act)
{
    return onn_zoo_conv(g, x,
        &(struct onn_zoo_unit){.filters = filters,
            .height = size,
            .stride = stride,
            .group = group,
            .epsilon = s->epsilon,
            .momentum = s->momentum,
            .act = act});
}

static oclnn_value depthwise(oclnn_graph *g, oclnn_value x, int size, int stride, const struct style *s,
    onn_zoo_activation *act)
{
    int channels = onn_zoo_channels(g, x);
    return unit(g, x, channels, size, stride, channels, s, act);
}

/* Hu et al. 2017: channels weighted by what their means say. */
static oclnn_value squeeze_excite(oclnn_graph *g, oclnn_value x, int squeezed, onn_zoo_activation *inner,
    onn_zoo_activation *outer)
{
    oclnn_value s = inner(g, oclnn_conv2d(g, oclnn_global_avg_pool(g, x), squeezed, 1, NULL));
    return oclnn_mul(g, x, outer(g, oclnn_conv2d(g, s, onn_zoo_channels(g, x), 1, NULL)));
}

/* Howard et al. 2017. */
oclnn_value onn_zoo_mobilenet_v1(oclnn_graph *g, oclnn_value x, int classes)
{
    static const struct style s = {.act = oclnn_relu};
    static const int filters[13] = {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024};
    x = unit(g, x, 32, 3, 2, 1, &s, s.act);
    for (int i = 0; i < 13; i++) {
        x = depthwise(g, x, 3, i == 1 || i == 3 || i == 5 || i == 11 ? 2 : 1, &s, s.act);
        x = unit(g, x, filters[i], 1, 1, 1, &s, s.act);
    }
    return onn_zoo_head(g, x, classes);
}

/* Sandler et al. 2018. */
oclnn_value onn_zoo_mobilenet_v2(oclnn_graph *g, oclnn_value x, int classes)
{
    static const struct style s = {.act = oclnn_relu6};
    static const int rows[7][4] = {/* expansion, filters, blocks, stride */
        {1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2},
        {6, 320, 1, 1}};
    x = unit(g, x, 32, 3, 2, 1, &s, s.act);
    for (int i = 0; i < 7; i++)
        for (int k = 0; k < rows[i][2]; k++) {
            int stride = k ? 1 : rows[i][3], channels = onn_zoo_channels(g, x);
            onn_zoo_scope(g, "block", i + 1, k);
            oclnn_value y = rows[i][0] > 1 ? unit(g, x, channels * rows[i][0], 1, 1, 1, &s, s.act) : x;
            y = unit(g, depthwise(g, y, 3, stride, &s, s.act), rows[i][1], 1, 1, 1, &s, NULL);
            x = stride == 1 && channels == rows[i][1] ? oclnn_add(g, x, y) : y;
        }
    oclnn_graph_scope(g, "");
    x = oclnn_flatten(g, oclnn_global_avg_pool(g, unit(g, x, 1280, 1, 1, 1, &s, s.act)));
    return oclnn_dense(g, oclnn_dropout(g, x, 0.2f), classes, NULL);
}

/* Next multiple of 8, not less than nine tenths. */
static int round_channels(int n)
{
    int r = (n + 4) / 8 * 8;
    r = r < 8 ? 8 : r;
    return 10 * r < 9 * n ? r + 8 : r;
}

/* Howard et al. 2019, large. */
oclnn_value onn_zoo_mobilenet_v3(oclnn_graph *g, oclnn_value x, int classes)
{
    static const struct style s = {.epsilon = 1e-3f, .momentum = 0.99f};
    static const struct {
        int size, middle, filters, excite, swish, stride;
    } rows[15] = {{3, 16, 16, 0, 0, 1}, {3, 64, 24, 0, 0, 2}, {3, 72, 24, 0, 0, 1}, {5, 72, 40, 1, 0, 2},
        {5, 120, 40, 1, 0, 1}, {5, 120, 40, 1, 0, 1}, {3, 240, 80, 0, 1, 2}, {3, 200, 80, 0, 1, 1},
        {3, 184, 80, 0, 1, 1}, {3, 184, 80, 0, 1, 1}, {3, 480, 112, 1, 1, 1}, {3, 672, 112, 1, 1, 1},
        {5, 672, 160, 1, 1, 2}, {5, 960, 160, 1, 1, 1}, {5, 960, 160, 1, 1, 1}};
    x = unit(g, x, 16, 3, 2, 1, &s, oclnn_hard_swish);
    for (int i = 0; i < 15; i++) {
        onn_zoo_activation *act = rows[i].swish ? oclnn_hard_swish : oclnn_relu;
        int channels = onn_zoo_channels(g, x), middle = rows[i].middle;
        oclnn_value y = middle != channels ? unit(g, x, middle, 1, 1, 1, &s, act) : x;
        y = depthwise(g, y, rows[i].size, rows[i].stride, &s, act);
        if (rows[i].excite)
            y = squeeze_excite(g, y, round_channels(middle / 4), oclnn_relu, oclnn_hard_sigmoid);
        y = unit(g, y, rows[i].filters, 1, 1, 1, &s, NULL);
        x = rows[i].stride == 1 && channels == rows[i].filters ? oclnn_add(g, x, y) : y;
    }
    x = oclnn_flatten(g, oclnn_global_avg_pool(g, unit(g, x, 960, 1, 1, 1, &s, oclnn_hard_swish)));
    x = oclnn_hard_swish(g, oclnn_dense(g, x, 1280, NULL));
    return oclnn_dense(g, oclnn_dropout(g, x, 0.2f), classes, NULL);
}

/* Two groups: channel 0, c/2, 1, c/2 + 1 … */
static oclnn_value shuffle(oclnn_graph *g, oclnn_value x)
{
    struct oclnn_shape s;
    if (oclnn_value_shape(g, x, &s) != OCLNN_OK)
        return 0;
    x = oclnn_reshape(g, x, OCLNN_SHAPE(0, 2, s.dim[1] / 2, s.dim[2], s.dim[3]));
    x = oclnn_transpose(g, x, OCLNN_LIST(0, 2, 1, 3, 4));
    return oclnn_reshape(g, x, OCLNN_SHAPE(0, s.dim[1], s.dim[2], s.dim[3]));
}

/* Ma et al. 2018, width 1. */
oclnn_value onn_zoo_shufflenet_v2(oclnn_graph *g, oclnn_value x, int classes)
{
    static const struct style s = {.act = oclnn_relu};
    static const int blocks[3] = {4, 8, 4};
    x = onn_zoo_max_pool(g, unit(g, x, 24, 3, 2, 1, &s, s.act), 3, 2, 1, 0);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < blocks[i]; k++) {
            int stride = k ? 1 : 2, half = 58 << i;
            oclnn_value part[2] = {x, x};
            onn_zoo_scope(g, "stage", i + 2, k);
            if (k)
                oclnn_split(g, x, 1, NULL, 2, part);
            else
                part[0] = unit(g, depthwise(g, x, 3, 2, &s, NULL), half, 1, 1, 1, &s, s.act);
            part[1] = unit(g, part[1], half, 1, 1, 1, &s, s.act);
            part[1] = unit(g, depthwise(g, part[1], 3, stride, &s, NULL), half, 1, 1, 1, &s, s.act);
            x = shuffle(g, oclnn_concat(g, part, 2, 1));
        }
    oclnn_graph_scope(g, "");
    return onn_zoo_head(g, unit(g, x, 1024, 1, 1, 1, &s, s.act), classes);
}

/* Tan and Le 2019. */
oclnn_value onn_zoo_efficientnet_b0(oclnn_graph *g, oclnn_value x, int classes)
{
    static const struct style s = {.act = oclnn_swish};
    static const int rows[7][5] = {/* expansion, kernel, stride, filters, blocks */
        {1, 3, 1, 16, 1}, {6, 3, 2, 24, 2}, {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3}, {6, 5, 1, 112, 3},
        {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
    x = unit(g, x, 32, 3, 2, 1, &s, s.act);
    for (int i = 0; i < 7; i++)
        for (int k = 0; k < rows[i][4]; k++) {
            int stride = k ? 1 : rows[i][2], channels = onn_zoo_channels(g, x);
            onn_zoo_scope(g, "block", i + 1, k);
            oclnn_value y = rows[i][0] > 1 ? unit(g, x, channels * rows[i][0], 1, 1, 1, &s, s.act) : x;
            y = depthwise(g, y, rows[i][1], stride, &s, s.act);
            y = squeeze_excite(g, y, channels / 4, oclnn_swish, oclnn_sigmoid);
            y = unit(g, y, rows[i][3], 1, 1, 1, &s, NULL);
            x = stride == 1 && channels == rows[i][3] ? oclnn_add(g, x, y) : y;
        }
    oclnn_graph_scope(g, "");
    x = oclnn_flatten(g, oclnn_global_avg_pool(g, unit(g, x, 1280, 1, 1, 1, &s, s.act)));
    return oclnn_dense(g, oclnn_dropout(g, x, 0.2f), classes, NULL);
}
