/* GoogLeNet and Inception v3 without their auxiliary classifiers, as torchvision defines them.
 * Branches are assigned one by one: in an initialiser list the compiler may choose the order, and with it the names. */
#include "model/zoo.h"

/* Convolution, batch normalisation with epsilon 1e-3, ReLU; padded so that the size stays. */
static oclnn_value unit(oclnn_graph *g, oclnn_value x, int filters, int height, int width)
{
    return onn_zoo_conv(g, x,
        &(struct onn_zoo_unit){.filters = filters,
            .height = height,
            .width = width,
            .epsilon = 1e-3f,
            .act = oclnn_relu});
}

/* The same without pads. */
static oclnn_value valid(oclnn_graph *g, oclnn_value x, int filters, int size, int stride)
{
    return onn_zoo_conv(g, x,
        &(struct onn_zoo_unit){.filters = filters,
            .height = size,
            .stride = stride,
            .no_same = 1,
            .epsilon = 1e-3f,
            .act = oclnn_relu});
}

/* Filters: 1x1; 1x1 then 3x3; 1x1 then 3x3 (for the paper's 5x5, as torchvision does); behind the pool. */
static oclnn_value google_block(oclnn_graph *g, oclnn_value x, const int *f)
{
    oclnn_value branch[4];
    branch[0] = unit(g, x, f[0], 1, 1);
    branch[1] = unit(g, unit(g, x, f[1], 1, 1), f[2], 3, 3);
    branch[2] = unit(g, unit(g, x, f[3], 1, 1), f[4], 3, 3);
    branch[3] = unit(g, onn_zoo_max_pool(g, x, 3, 1, 1, 1), f[5], 1, 1);
    return oclnn_concat(g, branch, 4, 1);
}

/* Szegedy et al. 2014, with batch normalisation. */
oclnn_value onn_zoo_googlenet(oclnn_graph *g, oclnn_value x, int classes)
{
    static const int f[9][6] = {
        {64, 96, 128, 16, 32, 32},
        {128, 128, 192, 32, 96, 64},
        {192, 96, 208, 16, 48, 64},
        {160, 112, 224, 24, 64, 64},
        {128, 128, 256, 24, 64, 64},
        {112, 144, 288, 32, 64, 64},
        {256, 160, 320, 32, 128, 128},
        {256, 160, 320, 32, 128, 128},
        {384, 192, 384, 48, 128, 128},
    };
    x = onn_zoo_conv(g, x,
        &(struct onn_zoo_unit){.filters = 64, .height = 7, .stride = 2, .epsilon = 1e-3f, .act = oclnn_relu});
    x = onn_zoo_max_pool(g, x, 3, 2, 0, 1);
    x = unit(g, unit(g, x, 64, 1, 1), 192, 3, 3);
    x = onn_zoo_max_pool(g, x, 3, 2, 0, 1);
    for (int i = 0; i < 9; i++) {
        onn_zoo_scope(g, "inception", i < 2 ? 3 : i < 7 ? 4 : 5, i < 2 ? i + 1 : i < 7 ? i - 1 : i - 6);
        x = google_block(g, x, f[i]);
        oclnn_graph_scope(g, "");
        if (i == 1)
            x = onn_zoo_max_pool(g, x, 3, 2, 0, 1);
        else if (i == 6)
            x = onn_zoo_max_pool(g, x, 2, 2, 0, 1);
    }
    x = oclnn_dropout(g, oclnn_flatten(g, oclnn_global_avg_pool(g, x)), 0.2f);
    return oclnn_dense(g, x, classes, NULL);
}

/* ---- Inception v3: Szegedy et al. 2015; the blocks have torchvision's letters ---- */

static oclnn_value pool_unit(oclnn_graph *g, oclnn_value x, int filters)
{
    x = oclnn_avg_pool2d(g, x, 3, &(struct oclnn_pool){.stride = {1}, .pad = {1, 1, 1, 1}, .count_pad = 1});
    return unit(g, x, filters, 1, 1);
}

static oclnn_value block_a(oclnn_graph *g, oclnn_value x, int pool_filters)
{
    oclnn_value branch[4];
    branch[0] = unit(g, x, 64, 1, 1);
    branch[1] = unit(g, unit(g, x, 48, 1, 1), 64, 5, 5);
    branch[2] = unit(g, unit(g, unit(g, x, 64, 1, 1), 96, 3, 3), 96, 3, 3);
    branch[3] = pool_unit(g, x, pool_filters);
    return oclnn_concat(g, branch, 4, 1);
}

static oclnn_value block_b(oclnn_graph *g, oclnn_value x)
{
    oclnn_value branch[3];
    branch[0] = valid(g, x, 384, 3, 2);
    branch[1] = valid(g, unit(g, unit(g, x, 64, 1, 1), 96, 3, 3), 96, 3, 2);
    branch[2] = onn_zoo_max_pool(g, x, 3, 2, 0, 0);
    return oclnn_concat(g, branch, 3, 1);
}

static oclnn_value block_c(oclnn_graph *g, oclnn_value x, int c)
{
    oclnn_value deep = unit(g, unit(g, x, c, 1, 1), c, 7, 1);
    oclnn_value branch[4];
    branch[0] = unit(g, x, 192, 1, 1);
    branch[1] = unit(g, unit(g, unit(g, x, c, 1, 1), c, 1, 7), 192, 7, 1);
    branch[2] = unit(g, unit(g, unit(g, deep, c, 1, 7), c, 7, 1), 192, 1, 7);
    branch[3] = pool_unit(g, x, 192);
    return oclnn_concat(g, branch, 4, 1);
}

static oclnn_value block_d(oclnn_graph *g, oclnn_value x)
{
    oclnn_value wide = unit(g, unit(g, unit(g, x, 192, 1, 1), 192, 1, 7), 192, 7, 1);
    oclnn_value branch[3];
    branch[0] = valid(g, unit(g, x, 192, 1, 1), 320, 3, 2);
    branch[1] = valid(g, wide, 192, 3, 2);
    branch[2] = onn_zoo_max_pool(g, x, 3, 2, 0, 0);
    return oclnn_concat(g, branch, 3, 1);
}

static oclnn_value block_e(oclnn_graph *g, oclnn_value x)
{
    oclnn_value narrow = unit(g, x, 384, 1, 1), deep = unit(g, unit(g, x, 448, 1, 1), 384, 3, 3);
    oclnn_value branch[6];
    branch[0] = unit(g, x, 320, 1, 1);
    branch[1] = unit(g, narrow, 384, 1, 3);
    branch[2] = unit(g, narrow, 384, 3, 1);
    branch[3] = unit(g, deep, 384, 1, 3);
    branch[4] = unit(g, deep, 384, 3, 1);
    branch[5] = pool_unit(g, x, 192);
    return oclnn_concat(g, branch, 6, 1);
}

oclnn_value onn_zoo_inception_v3(oclnn_graph *g, oclnn_value x, int classes)
{
    x = unit(g, valid(g, valid(g, x, 32, 3, 2), 32, 3, 1), 64, 3, 3);
    x = onn_zoo_max_pool(g, x, 3, 2, 0, 0);
    x = valid(g, unit(g, x, 80, 1, 1), 192, 3, 1);
    x = onn_zoo_max_pool(g, x, 3, 2, 0, 0);
    x = block_a(g, block_a(g, block_a(g, x, 32), 64), 64);
    x = block_b(g, x);
    x = block_c(g, block_c(g, block_c(g, block_c(g, x, 128), 160), 160), 192);
    x = block_d(g, x);
    x = block_e(g, block_e(g, x));
    x = oclnn_flatten(g, oclnn_dropout(g, oclnn_global_avg_pool(g, x), 0.5f));
    return oclnn_dense(g, x, classes, NULL);
}
