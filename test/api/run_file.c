/* Program 1: load an ONNX file and run it. Needs ../shared/data beside the source tree (or a file as argument). */
#include <math.h>
#include <oclnn/oclnn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIP = 77 };

static int best(const float *v)
{
    int k = 0;
    for (int i = 1; i < 10; i++)
        k = v[i] > v[k] ? i : k;
    return k;
}

/* The digits' reference answers, which come with the model. */
static int compare(const char *folder, oclnn_model *net, int set)
{
    char path[600];
    oclnn_tensor *image = NULL, *want = NULL, *got = NULL;
    int wrong = 1;
    snprintf(path, sizeof path, "%s/test_data_set_%d/input_0.pb", folder, set);
    if (oclnn_tensor_load(path, &image))
        goto done;
    snprintf(path, sizeof path, "%s/test_data_set_%d/output_0.pb", folder, set);
    if (oclnn_tensor_load(path, &want))
        goto done;
    struct oclnn_binding in[] = {{.tensor = image}, {.data = NULL}},
                         out[] = {{.result = &got}, {.data = NULL}};
    if (oclnn_model_run(net, in, out))
        goto done;
    const float *g = oclnn_tensor_data(got), *w = oclnn_tensor_data(want);
    wrong = best(g) != best(w);
    for (int i = 0; i < 10; i++)
        wrong |= !(fabsf(g[i] - w[i]) <= 1e-3f * fabsf(w[best(w)]) + 1e-5f);
done:
    oclnn_tensor_destroy(&image);
    oclnn_tensor_destroy(&want);
    oclnn_tensor_destroy(&got);
    return wrong;
}

int main(int argc, char **argv)
{
    oclnn_context *ctx = NULL;
    oclnn_model *net = NULL;
    static float image[1 * 1 * 28 * 28], scores[10];
    const char *root = getenv("OCLNN_SOURCE_ROOT");
    char folder[400], path[500];
    int failed = 1;

    snprintf(folder, sizeof folder, "%s/../shared/data/models/mnist_8", root ? root : ".");
    snprintf(path, sizeof path, "%s/model.onnx", argc > 1 ? argv[1] : folder);
    FILE *there = fopen(path, "rb");
    if (!there)
        return SKIP;
    fclose(there);

    enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return SKIP;
    if (status || oclnn_model_load(ctx, path, NULL, &net) ||
        oclnn_model_run(net, OCLNN_IN(image), OCLNN_OUT(scores))) {
        fprintf(stderr, "%s\n", oclnn_error_text(ctx));
    } else {
        failed = 0;
        for (int set = 0; set < 3; set++)
            failed |= compare(folder, net, set);
    }
    oclnn_model_destroy(&net);
    oclnn_context_destroy(&ctx);
    return failed;
}
