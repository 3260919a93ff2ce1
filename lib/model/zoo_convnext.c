/* ConvNeXt: Liu et al. 2022, as torchvision defines it. */
#include "model/zoo.h"

static const struct oclnn_init narrow = {.kind = OCLNN_INIT_NORMAL, .b = 0.02f};

static oclnn_value to_nhwc(oclnn_graph *g, oclnn_value x)
{
    return oclnn_transpose(g, x, OCLNN_LIST(0, 2, 3, 1));
}

static oclnn_value to_nchw(oclnn_graph *g, oclnn_value x)
{
    return oclnn_transpose(g, x, OCLNN_LIST(0, 3, 1, 2));
}

/* Over the channels of each position. */
static oclnn_value norm(oclnn_graph *g, oclnn_value x)
{
    return oclnn_layer_norm(g, x, &(struct oclnn_norm){.epsilon = 1e-6f});
}

static oclnn_value dense(oclnn_graph *g, oclnn_value x, int units)
{
    return oclnn_dense(g, x, units, &(struct oclnn_dense){.weight_init = narrow});
}

static oclnn_value block(oclnn_graph *g, oclnn_value x, int filters)
{
    oclnn_value y = oclnn_conv2d(g, x, filters, 7,
        &(struct oclnn_conv){.pad = {3, 3, 3, 3}, .group = filters, .weight_init = narrow});
    y = oclnn_gelu(g, dense(g, norm(g, to_nhwc(g, y)), 4 * filters));
    y = to_nchw(g, dense(g, y, filters));
    oclnn_value scale = oclnn_parameter(g, "layer_scale", OCLNN_F32, OCLNN_SHAPE(filters, 1, 1),
        &(struct oclnn_init){.kind = OCLNN_INIT_CONSTANT, .a = 1e-6f});
    return oclnn_add(g, x, oclnn_mul(g, y, scale));
}

oclnn_value onn_zoo_convnext_tiny(oclnn_graph *g, oclnn_value x, int classes)
{
    static const int blocks[4] = {3, 3, 9, 3};
    for (int i = 0; i < 4; i++) {
        int patch = i ? 2 : 4;
        if (i)
            x = to_nchw(g, norm(g, to_nhwc(g, x)));
        x = oclnn_conv2d(g, x, 96 << i, patch,
            &(struct oclnn_conv){.stride = {patch}, .weight_init = narrow});
        if (!i)
            x = to_nchw(g, norm(g, to_nhwc(g, x)));
        for (int k = 0; k < blocks[i]; k++) {
            onn_zoo_scope(g, "stage", i + 1, k);
            x = block(g, x, 96 << i);
        }
        oclnn_graph_scope(g, "");
    }
    x = oclnn_flatten(g, to_nchw(g, norm(g, to_nhwc(g, oclnn_global_avg_pool(g, x)))));
    return dense(g, x, classes);
}
