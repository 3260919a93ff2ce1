/* A free batch dimension needs no shape where arrays are given: it follows from their bytes. What does not divide, or
 * leaves more than one dimension open, is an error that names the input. */
#include <oclnn/oclnn.h>
#include <stdio.h>
#include <string.h>

enum { SKIP = 77, FEATURES = 6 };

/* y = sum over the features of each row, from an input whose dimensions -1 are free. */
static enum oclnn_status build(oclnn_context *ctx, struct oclnn_shape shape, oclnn_model **net)
{
    oclnn_graph *g;
    enum oclnn_status status = oclnn_graph_create(NULL, &g);
    if (status)
        return status;
    oclnn_value x = oclnn_input(g, "rows", OCLNN_F32, shape);
    oclnn_output(g, "sums", oclnn_reduce_sum(g, x, OCLNN_LIST(1), 0));
    return oclnn_model_create(ctx, &g, NULL, net);
}

static int expect(oclnn_context *ctx, enum oclnn_status got, enum oclnn_status want, const char *words)
{
    if (got == want && (!words || strstr(oclnn_error_text(ctx), words)))
        return 0;
    fprintf(stderr, "status %s, wanted %s with \"%s\": %s\n", oclnn_status_text(got), oclnn_status_text(want),
        words ? words : "", oclnn_error_text(ctx));
    return 1;
}

static int check(oclnn_context *ctx)
{
    static float five[5][FEATURES], two[2][FEATURES], odd[FEATURES + 1];
    float sums[5] = {0}, pair[2] = {0};
    oclnn_model *net = NULL, *open = NULL;
    struct oclnn_shape shape;
    int failed = expect(ctx, build(ctx, OCLNN_SHAPE(-1, FEATURES), &net), OCLNN_OK, NULL) ||
        expect(ctx, build(ctx, OCLNN_SHAPE(-1, -1), &open), OCLNN_OK, NULL);
    for (int i = 0; i < 5 * FEATURES; i++)
        five[i / FEATURES][i % FEATURES] = two[i / FEATURES % 2][i % FEATURES] = (float)(i / FEATURES + 1);
    if (!failed) {
        failed |= expect(ctx, oclnn_model_run(net, OCLNN_IN(five), OCLNN_OUT(sums)), OCLNN_OK, NULL);
        failed |= expect(ctx, oclnn_model_output_shape(net, 0, &shape), OCLNN_OK, NULL);
        failed |= shape.rank != 1 || shape.dim[0] != 5;
        for (int i = 0; i < 5; i++)
            failed |= sums[i] != (float)(FEATURES * (i + 1));
        failed |= expect(ctx, oclnn_model_run(net, OCLNN_IN(two), OCLNN_OUT(pair)), OCLNN_OK, NULL);
        failed |= pair[0] != FEATURES * 5 || pair[1] != FEATURES * 4;
        failed |= expect(ctx, oclnn_model_run(net, OCLNN_IN(odd), OCLNN_OUT(pair)), OCLNN_ERROR_SHAPE,
            "input 'rows' is f32[-1,6]: 28 bytes are given, not a multiple of the 24");
        failed |= expect(ctx, oclnn_model_run(open, OCLNN_IN(two), OCLNN_OUT(pair)), OCLNN_ERROR_SHAPE,
            "input 'rows' is f32[-1,-1]: give its shape");
        failed |= expect(ctx, oclnn_model_run(net, OCLNN_IN(two), OCLNN_OUT(pair)), OCLNN_OK, NULL);
        if (failed)
            fprintf(stderr, "sums %g %g %g %g %g; %g %g\n", (double)sums[0], (double)sums[1], (double)sums[2],
                (double)sums[3], (double)sums[4], (double)pair[0], (double)pair[1]);
    }
    oclnn_model_destroy(&net);
    oclnn_model_destroy(&open);
    return failed;
}

int main(void)
{
    oclnn_context *ctx = NULL;
    enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return SKIP;
    if (status)
        return 1;
    const int failed = check(ctx);
    oclnn_context_destroy(&ctx);
    return failed;
}
