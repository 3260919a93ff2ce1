/* Program 4: two runs in flight. What comes out is what one run at a time gives. */
#include <oclnn/oclnn.h>
#include <stdio.h>
#include <string.h>

enum { SKIP = 77, RUNS = 7, PIXELS = 28 * 28, CLASSES = 10 };

static float image[RUNS][PIXELS], want[RUNS][CLASSES], got[RUNS][CLASSES];

static int runs(oclnn_model *net)
{
    struct oclnn_binding in[RUNS][2], out[RUNS][2];
    oclnn_job *job[2] = {NULL, NULL};

    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    for (int i = 0; i < RUNS; i++) {
        for (int k = 0; k < PIXELS; k++)
            image[i][k] = (float)((i + 1) * (k + 3) % 31) / 31;
        in[i][0].data = image[i];
        in[i][0].bytes = sizeof image[i];
        out[i][0].data = want[i];
        out[i][0].bytes = sizeof want[i];
        if (oclnn_model_run(net, in[i], out[i]))
            return 1;
        out[i][0].data = got[i];
    }
    for (int i = 0; i < RUNS; i++) {
        if (job[i & 1] && oclnn_job_wait(&job[i & 1]))
            return 1;
        if (oclnn_model_run_async(net, in[i], out[i], &job[i & 1])) /* upload i+1 while i computes */
            return 1;
    }
    for (int i = 0; i < 2; i++)
        if (oclnn_job_wait(&job[i]) || job[i])
            return 1;
    if (memcmp(got, want, sizeof got) != 0) {
        fprintf(stderr, "two runs in flight give other numbers\n");
        return 1;
    }
    return 0;
}

int main(void)
{
    oclnn_context *ctx = NULL;
    oclnn_graph *g = NULL;
    oclnn_model *net = NULL;
    enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return SKIP;
    int failed = status || oclnn_graph_create(NULL, &g) ||
        oclnn_zoo_build("lenet5", g, &(struct oclnn_zoo_params){.batch = 1}) ||
        oclnn_model_create(ctx, &g, NULL, &net) || runs(net);
    if (failed)
        fprintf(stderr, "%s\n", oclnn_error_text(ctx));
    oclnn_model_destroy(&net);
    oclnn_graph_destroy(&g);
    oclnn_context_destroy(&ctx);
    return failed;
}
