/* Program 2: a network built from C. Its answers do not depend on the batch, and hang on the seed alone. */
#include <oclnn/oclnn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SKIP = 77, PIXELS = 28 * 28, CLASSES = 10, BATCH = 3 };

static enum oclnn_status build(oclnn_context *ctx, uint64_t seed, oclnn_model **net)
{
    oclnn_graph *g;
    if (oclnn_graph_create(&(struct oclnn_graph_params){.seed = seed}, &g))
        return OCLNN_ERROR_MEMORY;
    oclnn_value x =
        oclnn_input(g, "image", OCLNN_F32, OCLNN_SHAPE(-1, 1, 28, 28)); /* -1: free, bound when run */
    x = oclnn_relu(g, oclnn_conv2d(g, x, 32, 3, NULL)); /* 32 filters 3x3, defaults */
    x = oclnn_max_pool2d(g, x, 2, NULL);
    x = oclnn_relu(g, oclnn_conv2d(g, x, 64, 3, &(struct oclnn_conv){.stride = {2, 2}, .pad = {1, 1, 1, 1}}));
    x = oclnn_dense(g, oclnn_flatten(g, x), CLASSES, NULL);
    oclnn_output(g, "logits", x);
    return oclnn_model_create(ctx, &g, NULL, net);
}

static enum oclnn_status run(oclnn_model *net, const float *images, int n, float *logits)
{
    struct oclnn_binding in[] = {{.name = "image",
                                     .data = (void *)images,
                                     .bytes = (size_t)n * PIXELS * sizeof(float),
                                     .shape = OCLNN_SHAPE(n, 1, 28, 28)},
        {.data = NULL}};
    struct oclnn_binding out[] = {{.name = "logits",
                                      .data = logits,
                                      .bytes = (size_t)n * CLASSES * sizeof(float)},
        {.data = NULL}};
    return oclnn_model_run(net, in, out);
}

static int check(const float *all, const float *one, const float *again, const float *other)
{
    double sum = 0, away = 0;
    for (int i = 0; i < BATCH * CLASSES; i++) {
        if (!(fabsf(all[i] - one[i]) <= 1e-3f * (1 + fabsf(all[i])))) {
            fprintf(stderr, "logit %d: %g in a batch, %g alone\n", i, (double)all[i], (double)one[i]);
            return 1;
        }
        sum += fabs((double)all[i]);
        away += fabs((double)all[i] - (double)other[i]);
    }
    if (memcmp(all, again, BATCH * CLASSES * sizeof *all) != 0 || !(sum > 0) || !(away > 0)) {
        fprintf(stderr, "the seed does not settle the weights\n");
        return 1;
    }
    return 0;
}

/* A mistake between the layers comes out at the end, with the layer's name. */
static int mistake(oclnn_context *ctx)
{
    oclnn_graph *g;
    oclnn_model *net;
    if (oclnn_graph_create(NULL, &g))
        return 1;
    oclnn_value x = oclnn_input(g, "image", OCLNN_F32, OCLNN_SHAPE(1, 64, 8, 8));
    x = oclnn_relu(g, oclnn_conv2d(g, x, 6, 3, &(struct oclnn_conv){.name = "stem", .group = 3}));
    oclnn_output(g, "y", x);
    if (oclnn_model_create(ctx, &g, NULL, &net) == OCLNN_ERROR_SHAPE && !g && !net &&
        strstr(oclnn_error_text(ctx), "layer 'stem' (conv2d): group=3 does not divide 64 input channels"))
        return 0;
    fprintf(stderr, "a mistake is reported as \"%s\"\n", oclnn_error_text(ctx));
    return 1;
}

int main(void)
{
    static float images[BATCH * PIXELS], logits[4][BATCH * CLASSES];
    oclnn_context *ctx = NULL;
    oclnn_model *net[3] = {NULL, NULL, NULL};
    int failed = 1, bad = 0;

    for (int i = 0; i < BATCH * PIXELS; i++)
        images[i] = (float)(i * 7919 % 255) / 255;
    enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return SKIP;
    if (!status && !build(ctx, 1, &net[0]) && !build(ctx, 1, &net[1]) && !build(ctx, 2, &net[2])) {
        bad |= run(net[0], images, BATCH, logits[0]);
        for (int i = 0; i < BATCH; i++)
            bad |= run(net[0], images + i * PIXELS, 1, logits[1] + i * CLASSES);
        bad |= run(net[1], images, BATCH, logits[2]);
        bad |= run(net[2], images, BATCH, logits[3]);
        failed = bad ? 1 : check(logits[0], logits[1], logits[2], logits[3]) | mistake(ctx);
    } else {
        bad = 1;
    }
    if (bad)
        fprintf(stderr, "%s\n", oclnn_error_text(ctx));
    for (int i = 0; i < 3; i++)
        oclnn_model_destroy(&net[i]);
    oclnn_context_destroy(&ctx);
    return failed;
}
