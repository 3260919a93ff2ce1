/* A data set for tests of whole runs, and a small network that learns it. */
#ifndef TEST_TRAIN_STRIPES_H
#define TEST_TRAIN_STRIPES_H

#include "harness/check.h"
#include "harness/train.h"
#include <oclnn/oclnn.h>

#define STRIPES_COUNT 300
#define STRIPES_SIDE 8
#define STRIPES_CLASSES 3

/* A bright stripe whose direction is the class, in noise. An oclnn_sample_function. */
static inline enum oclnn_status stripes_sample(void *user, int64_t index, void *to, int64_t *label)
{
    enum { S = STRIPES_SIDE };
    uint64_t seed = (uint64_t)index + 77;
    uint8_t *pixel = to;
    (void)user;
    *label = index % STRIPES_CLASSES;
    const int at = (int)(onn_test_random(&seed) % S);
    for (int y = 0; y < S; y++)
        for (int x = 0; x < S; x++) {
            const int on = *label == 0 ? x == at : *label == 1 ? y == at : (x + at) % S == y;
            pixel[y * S + x] = (uint8_t)(onn_test_random(&seed) % 120 + (on ? 120 : 0));
        }
    return OCLNN_OK;
}

static inline oclnn_dataset *stripes_data(oclnn_context *ctx, int64_t count, oclnn_sample_function sample,
    void *user)
{
    oclnn_dataset *data = NULL;
    good(oclnn_dataset_create(ctx, count, OCLNN_SHAPE(1, STRIPES_SIDE, STRIPES_SIDE), OCLNN_U8,
        STRIPES_CLASSES, sample, user, NULL, &data));
    return data;
}

static inline oclnn_model *stripes_network_with(oclnn_context *ctx, int classes,
    const struct oclnn_model_params *params)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 1, STRIPES_SIDE, STRIPES_SIDE));
    v = oclnn_relu(g, oclnn_batch_norm(g, oclnn_conv2d(g, v, 8, 3, NULL), NULL));
    v = oclnn_dropout(g, oclnn_flatten(g, oclnn_max_pool2d(g, v, 2, NULL)), 0.2f);
    oclnn_output(g, "logits", oclnn_dense(g, v, classes, NULL));
    good(oclnn_model_create(ctx, &g, params, &m));
    return m;
}

static inline oclnn_model *stripes_network(oclnn_context *ctx, int classes)
{
    return stripes_network_with(ctx, classes, NULL);
}

#endif
