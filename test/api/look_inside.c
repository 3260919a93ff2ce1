/* What a layer computes as an additional output: without it the layer is fused away, and with it the answer stays. */
#include <oclnn/oclnn.h>
#include <stdio.h>
#include <string.h>

enum { SKIP = 77, N = 6 };

#define EXPECT(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, oclnn_error_text(NULL)); \
            return 1; \
        } \
    } while (0)

/* y = tanh(relu(x) + x) */
static enum oclnn_status build(oclnn_context *ctx, oclnn_model **net)
{
    oclnn_graph *g;
    if (oclnn_graph_create(NULL, &g))
        return OCLNN_ERROR_MEMORY;
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(1, N));
    oclnn_output(g, "y", oclnn_tanh(g, oclnn_add(g, oclnn_relu(g, x), x)));
    return oclnn_model_create(ctx, &g, NULL, net);
}

static int layer_of(const oclnn_model *net, const char *op)
{
    struct oclnn_layer layer;
    for (int i = 0; i < oclnn_model_layer_count(net); i++)
        if (oclnn_model_layer(net, i, &layer) == OCLNN_OK && strcmp(layer.op, op) == 0)
            return i;
    return -1;
}

static int look(oclnn_model *net)
{
    static float x[N] = {-2, -1, 0, 0.25f, 1, 2};
    float plain[N], y[N], sum[N];
    const struct oclnn_binding two[] = {{.data = y, .bytes = sizeof y}, {.data = sum, .bytes = sizeof sum},
        {.data = NULL}};
    const int relu = layer_of(net, "relu"), add = layer_of(net, "add"), tanh = layer_of(net, "tanh");
    EXPECT(relu == 0 && add == 1 && tanh == 2 && oclnn_model_layer_count(net) == 3);
    EXPECT(oclnn_model_layer_input(net, add, 0) == relu && oclnn_model_layer_input(net, add, 1) == -1);
    EXPECT(oclnn_model_layer_input(net, relu, 0) == -1 && oclnn_model_layer_input(net, 9, 0) == -1);
    EXPECT(oclnn_model_output_layer(net, 0) == tanh && oclnn_model_output_layer(net, 1) == -1);
    EXPECT(oclnn_model_run(net, OCLNN_IN(x), OCLNN_OUT(plain)) == OCLNN_OK);
    EXPECT(oclnn_model_watch(net, add) == OCLNN_OK && oclnn_model_output_count(net) == 2);
    EXPECT(oclnn_model_run(net, OCLNN_IN(x), two) == OCLNN_OK);
    EXPECT(memcmp(plain, y, sizeof y) == 0);
    for (int i = 0; i < N; i++)
        EXPECT(sum[i] == (x[i] > 0 ? 2 * x[i] : x[i])); /* exact */
    EXPECT(oclnn_model_watch(net, relu) == OCLNN_OK && oclnn_model_output_count(net) == 2);
    EXPECT(oclnn_model_run(net, OCLNN_IN(x), two) == OCLNN_OK);
    EXPECT(sum[0] == 0 && sum[5] == 2);
    EXPECT(oclnn_model_watch(net, 3) == OCLNN_ERROR_ARGUMENT && oclnn_model_output_count(net) == 2);
    EXPECT(oclnn_model_watch(net, -1) == OCLNN_OK && oclnn_model_output_count(net) == 1);
    EXPECT(oclnn_model_run(net, OCLNN_IN(x), OCLNN_OUT(y)) == OCLNN_OK && memcmp(plain, y, sizeof y) == 0);
    return 0;
}

int main(void)
{
    oclnn_context *ctx;
    oclnn_model *net = NULL;
    if (oclnn_context_create(NULL, &ctx) == OCLNN_ERROR_NO_DEVICE)
        return SKIP;
    int failed = build(ctx, &net) != OCLNN_OK || look(net);
    oclnn_model_destroy(&net);
    oclnn_context_destroy(&ctx);
    return failed;
}
