/* Every allocation fails once, with a device: contexts, planning, running, looking at models, single operators. */
#include "harness/torture.h"
#include <oclnn/oclnn.h>
#include <oclnn/zoo.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call) \
    do { \
        if (status == OCLNN_OK) \
            status = (call); \
    } while (0)

enum { BATCH = 2, PIXELS = 28 * 28, CLASSES = 10 };

static oclnn_context *shared, *staged; /* programs stay compiled in them */
static float image[BATCH * PIXELS];

static void count_line(void *user, const char *text)
{
    onn_torture_mix(user, text, strlen(text));
}

/* A log line's words are no part of the answer; that it is asked for at all makes its text be made. */
static void no_log(void *user, enum oclnn_log_level level, const char *line)
{
    (void)user;
    (void)level;
    (void)line;
}

static enum oclnn_status build(oclnn_context *ctx, oclnn_model **net)
{
    oclnn_graph *g = NULL;
    enum oclnn_status status = oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g);
    TRY(oclnn_zoo_build("mnist-conv2", g, NULL));
    TRY(oclnn_model_create(ctx, &g, NULL, net));
    oclnn_graph_destroy(&g);
    return status;
}

static enum oclnn_status run(oclnn_model *net, int batch, uint64_t *answer)
{
    static float scores[BATCH * CLASSES];
    const struct oclnn_binding in[] = {{.data = image,
                                           .bytes = (size_t)batch * PIXELS * sizeof(float),
                                           .shape = OCLNN_SHAPE(batch, 1, 28, 28)},
        {0}};
    const struct oclnn_binding out[] = {{.data = scores, .bytes = (size_t)batch * CLASSES * sizeof(float)},
        {0}};
    enum oclnn_status status = oclnn_model_run(net, in, out);
    if (status == OCLNN_OK)
        onn_torture_mix(answer, scores, out[0].bytes);
    return status;
}

static enum oclnn_status model_run(uint64_t *answer)
{
    oclnn_model *net = NULL;
    enum oclnn_status status = build(shared, &net);
    TRY(run(net, 1, answer));
    TRY(run(net, BATCH, answer)); /* a second plan with the same parameters */
    TRY(oclnn_model_dump(net, count_line, answer)); /* the same plan, or an error */
    TRY(run(net, 1, answer));
    oclnn_model_destroy(&net);
    return status;
}

/* After a failed call the same model does it. */
static enum oclnn_status again(uint64_t *answer)
{
    oclnn_model *net = NULL;
    uint64_t first = 0;
    enum oclnn_status status = build(shared, &net);
    if (status == OCLNN_OK && run(net, 1, &first) != OCLNN_OK) {
        /* The second attempt may fail too where every allocation does. */
        first = 0;
        TRY(run(net, 1, &first));
    }
    *answer = first;
    oclnn_model_destroy(&net);
    return status;
}

static enum oclnn_status jobs(oclnn_context *ctx, uint64_t *answer)
{
    static float scores[CLASSES];
    oclnn_model *net = NULL;
    oclnn_job *job[3] = {NULL, NULL, NULL};
    const struct oclnn_binding in[] = {{.data = image,
                                           .bytes = PIXELS * sizeof(float),
                                           .shape = OCLNN_SHAPE(1, 1, 28, 28)},
        {0}};
    enum oclnn_status status = build(ctx, &net);
    for (int i = 0; i < 3; i++)
        TRY(oclnn_model_run_async(net, in, OCLNN_OUT(scores), &job[i]));
    for (int i = 0; i < 3; i++) {
        enum oclnn_status waited = job[i] ? oclnn_job_wait(&job[i]) : OCLNN_OK;
        TRY(waited);
    }
    if (status == OCLNN_OK)
        onn_torture_mix(answer, scores, sizeof scores);
    oclnn_model_destroy(&net);
    return status;
}

static enum oclnn_status model_jobs(uint64_t *answer)
{
    return jobs(shared, answer);
}

/* Through pinned memory, which is made with the plan. */
static enum oclnn_status staged_jobs(uint64_t *answer)
{
    return jobs(staged, answer);
}

static enum oclnn_status model_looks(uint64_t *answer)
{
    struct oclnn_profile_row rows[32];
    oclnn_model *net = NULL;
    struct oclnn_plan_info info;
    int count = 0;
    enum oclnn_status status = build(shared, &net);
    TRY(run(net, 1, answer));
    TRY(oclnn_model_summary(net, count_line, answer));
    TRY(oclnn_model_dump(net, count_line, answer));
    TRY(oclnn_model_plan_info(net, &info));
    TRY(oclnn_model_profile(net, 1, rows, 32, &count));
    onn_torture_mix(answer, &count, sizeof count);
    oclnn_model_destroy(&net);
    return status;
}

static enum oclnn_status model_results(uint64_t *answer)
{
    oclnn_model *net = NULL;
    oclnn_tensor *x = NULL, *y = NULL;
    enum oclnn_status status = build(shared, &net);
    TRY(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(1, 1, 28, 28), image, &x));
    const struct oclnn_binding in[] = {{.tensor = x}, {0}}, out[] = {{.result = &y}, {0}};
    TRY(oclnn_model_run(net, in, out));
    if (status == OCLNN_OK)
        onn_torture_mix(answer, oclnn_tensor_data(y), oclnn_tensor_bytes(y));
    oclnn_tensor_destroy(&x);
    oclnn_tensor_destroy(&y);
    oclnn_model_destroy(&net);
    return status;
}

static const char *data_file(const char *name)
{
    static char path[4096];
    const char *root = getenv("OCLNN_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/../shared/data/models/%s/model.onnx", root ? root : ".", name);
    FILE *f = fopen(path, "rb");
    if (f)
        fclose(f);
    return f ? path : NULL;
}

static enum oclnn_status model_file(uint64_t *answer)
{
    const char *path = data_file("mnist_8");
    oclnn_model *net = NULL;
    if (!path)
        return OCLNN_OK;
    enum oclnn_status status = oclnn_model_load(shared, path, NULL, &net);
    TRY(run(net, 1, answer));
    TRY(oclnn_model_dump(net, count_line, answer));
    oclnn_model_destroy(&net);
    return status;
}

/* Branches that are joined, pools, many layers: the planner's long way. */
static enum oclnn_status model_branches(uint64_t *answer)
{
    oclnn_graph *g = NULL;
    oclnn_model *net = NULL;
    enum oclnn_status status = oclnn_graph_create(NULL, &g);
    TRY(oclnn_zoo_build("squeezenet", g, &(struct oclnn_zoo_params){.batch = 1, .size = 64}));
    TRY(oclnn_model_create(shared, &g, NULL, &net));
    oclnn_graph_destroy(&g);
    TRY(oclnn_model_prepare(net, (struct oclnn_binding[]){{.shape = OCLNN_SHAPE(1, 3, 64, 64)}, {0}}));
    TRY(oclnn_model_dump(net, count_line, answer));
    oclnn_model_destroy(&net);
    return status;
}

/* An If on an input, a graph with shapes to compute. */
static enum oclnn_status model_steered(uint64_t *answer)
{
    const char *path = data_file("silero_vad");
    oclnn_model *net = NULL;
    struct oclnn_model_io io;
    if (!path)
        return OCLNN_OK;
    enum oclnn_status status = oclnn_model_load(shared, path, NULL, &net);
    for (int i = 0; status == OCLNN_OK && i < oclnn_model_input_count(net); i++) {
        TRY(oclnn_model_input(net, i, &io));
        onn_torture_mix(answer, io.name, strlen(io.name));
    }
    oclnn_model_destroy(&net);
    return status;
}

static enum oclnn_status problem(uint64_t *answer)
{
    oclnn_problem *p = NULL;
    struct oclnn_problem_result result = {0};
    enum oclnn_status status = oclnn_problem_create("conv x=1x8x6x6 w=8x8x3x3 pad=1 +relu", &p);
    TRY(oclnn_problem_run(shared, p, &(struct oclnn_problem_params){.verify = 1}, NULL, &result));
    onn_torture_mix(answer, &result.passed, sizeof result.passed);
    oclnn_problem_destroy(&p);
    return status;
}

static enum oclnn_status devices(uint64_t *answer)
{
    struct oclnn_device_info info[4];
    int count = 0;
    enum oclnn_status status = oclnn_device_list(info, 4, &count);
    onn_torture_mix(answer, &count, sizeof count);
    return status;
}

static enum oclnn_status context(const char *cache_dir, uint64_t *answer)
{
    oclnn_context *ctx = NULL;
    oclnn_model *net = NULL;
    enum oclnn_status status = oclnn_context_create(&(struct oclnn_context_params){.cache_dir = cache_dir,
                                                        .log = no_log,
                                                        .log_level = OCLNN_LOG_DEBUG},
        &ctx);
    if (status == OCLNN_OK)
        status = build(ctx, &net);
    TRY(run(net, 1, answer));
    oclnn_model_destroy(&net);
    oclnn_context_destroy(&ctx);
    return status;
}

static enum oclnn_status context_cached(uint64_t *answer)
{
    return context(NULL, answer);
}

static enum oclnn_status context_only(uint64_t *answer)
{
    oclnn_context *ctx = NULL;
    struct oclnn_device_info info;
    enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    TRY(oclnn_context_device(ctx, &info));
    if (status == OCLNN_OK)
        onn_torture_mix(answer, info.name, strlen(info.name));
    oclnn_context_destroy(&ctx);
    return status;
}

int main(int argc, char **argv)
{
    static const struct onn_torture scenarios[] = {
        {"device list", devices, 0},
        {"context", context_only, 40},
        {"context, plan, run", context_cached, 40},
        {"plan and run", model_run, 100},
        {"run again", again, 100},
        {"jobs", model_jobs, 50},
        {"staged jobs", staged_jobs, 50},
        {"summary, dump, profile", model_looks, 100},
        {"results", model_results, 50},
        {"branches", model_branches, 40},
        {"ONNX file", model_file, 100},
        {"ONNX file with If", model_steered, 100},
        {"single operator", problem, 100},
        {0},
    };
    for (int i = 0; i < BATCH * PIXELS; i++)
        image[i] = (float)(i % 13) - 6;
    setenv("OCLNN_SHARE", "on", 1); /* fewer programs, fewer allocations */
    enum oclnn_status status =
        oclnn_context_create(&(struct oclnn_context_params){.log = no_log, .log_level = OCLNN_LOG_DEBUG},
            &shared);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return 77;
    setenv("OCLNN_STAGING", "on", 1);
    if (status == OCLNN_OK)
        status = oclnn_context_create(&(struct oclnn_context_params){.log = no_log}, &staged);
    unsetenv("OCLNN_STAGING");
    if (status != OCLNN_OK) {
        fprintf(stderr, "%s\n", oclnn_error_text(NULL));
        return 1;
    }
    int result = onn_torture_main(argc, argv, scenarios);
    oclnn_context_destroy(&shared);
    oclnn_context_destroy(&staged);
    return result;
}
