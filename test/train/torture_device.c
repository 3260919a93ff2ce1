/* Every allocation fails once while a trainer is made, steps, saves, loads, exports and fits. A call that failed is made once
 * more: it must then give what it would have given at once. */
#include "harness/torture.h"
#include "io/temp.h"
#include "runtime/context.h"
#include "train/trainer.h"
#include <oclnn/oclnn.h>

#include <string.h>

#define TRY(call) \
    do { \
        if (status == OCLNN_OK) \
            status = (call); \
    } while (0)
/* The same, and again where there was no memory. */
#define TWICE(call) \
    do { \
        if (status == OCLNN_OK && (status = (call)) == OCLNN_ERROR_MEMORY) \
            status = (call); \
    } while (0)

enum { N = 6, C = 2, S = 6, CLASSES = 3, SAMPLE = C * S * S };

static oclnn_context *shared; /* programs stay compiled in it */
static float x[N * SAMPLE];
static int64_t label[N];

static void no_log(void *user, enum oclnn_log_level level, const char *line)
{
    (void)user;
    (void)level;
    (void)line;
}

static enum oclnn_status build(oclnn_model **out)
{
    oclnn_graph *g = NULL;
    enum oclnn_status status = oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g);
    if (status != OCLNN_OK)
        return status;
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, C, S, S));
    v = oclnn_relu(g, oclnn_batch_norm(g, oclnn_conv2d(g, v, 4, 3, NULL), NULL));
    v = oclnn_dropout(g, oclnn_flatten(g, v), 0.2f);
    oclnn_output(g, "logits", oclnn_dense(g, v, CLASSES, NULL));
    return oclnn_model_create(shared, &g, NULL, out);
}

static enum oclnn_status step(oclnn_trainer *t, int n, float *loss)
{
    const struct oclnn_binding in[] = {{.data = x,
                                           .bytes = (size_t)n * SAMPLE * sizeof *x,
                                           .shape = OCLNN_SHAPE(n, C, S, S)},
        {0}};
    const struct oclnn_binding target[] = {{.data = label, .bytes = (size_t)n * sizeof *label}, {0}};
    return oclnn_trainer_step(t, in, target, loss);
}

static enum oclnn_status mix_blob(void *user, const char *name, struct onn_blob *blob)
{
    enum oclnn_status status = onn_blob_sync_host(blob);
    (void)name;
    if (status == OCLNN_OK)
        onn_torture_mix(user, blob->data, onn_desc_bytes(&blob->desc));
    return status;
}

/* Everything that steps change. */
static enum oclnn_status mix_state(oclnn_trainer *t, uint64_t *answer)
{
    const int64_t steps = oclnn_trainer_get_steps(t);
    onn_torture_mix(answer, &steps, sizeof steps);
    return onn_trainer_visit(t, mix_blob, answer);
}

static void finish(oclnn_trainer **t, oclnn_model **m)
{
    oclnn_trainer_destroy(t);
    oclnn_model_destroy(m);
}

static enum oclnn_status start(const struct oclnn_trainer_params *params, oclnn_model **m, oclnn_trainer **t)
{
    enum oclnn_status status = OCLNN_OK;
    TWICE(build(m));
    TWICE(oclnn_trainer_create(*m, params, t));
    return status;
}

static const struct oclnn_param_group group = {.pattern = "conv*", .lr_scale = 0.5f};
static const struct oclnn_trainer_params adam = {.optimizer = {.kind = OCLNN_ADAM},
                                             .clip_norm = 1,
                                             .ema = 0.9f},
                                         grouped = {.optimizer = {.momentum = 0.9f},
                                             .groups = &group,
                                             .group_count = 1,
                                             .freeze = "*bias",
                                             .accumulate = 2,
                                             .seed = 3};

static enum oclnn_status some_steps(const struct oclnn_trainer_params *params, uint64_t *answer)
{
    oclnn_model *m = NULL;
    oclnn_trainer *t = NULL;
    enum oclnn_status status = start(params, &m, &t);
    for (int i = 0; i < 4; i++) {
        float loss = 0;
        TWICE(step(t, i % 2 ? N : N - 1, &loss)); /* two plans */
        onn_torture_mix(answer, &loss, sizeof loss);
    }
    TRY(mix_state(t, answer));
    finish(&t, &m);
    return status;
}

static enum oclnn_status steps(uint64_t *answer)
{
    return some_steps(&adam, answer);
}

static enum oclnn_status steps_of_groups(uint64_t *answer)
{
    return some_steps(&grouped, answer);
}

static enum oclnn_status budget(uint64_t *answer)
{
    struct oclnn_trainer_params params = adam;
    params.memory_budget = (size_t)64 << 20;
    return some_steps(&params, answer);
}

static enum oclnn_status gradients(uint64_t *answer)
{
    oclnn_model *m = NULL;
    oclnn_trainer *t = NULL;
    enum oclnn_status status = start(NULL, &m, &t);
    float loss = 0, bias[CLASSES] = {0};
    struct oclnn_trainer_bytes bytes;
    int rows = 0;
    TRY(oclnn_trainer_keep_gradients(t));
    TWICE(step(t, N, &loss));
    const int last = t ? t->n_params - 1 : 0;
    TRY(oclnn_trainer_read_gradient(t, t->param[last].name, bias, sizeof bias));
    TRY(oclnn_trainer_get_bytes(t, &bytes));
    TRY(oclnn_trainer_profile(t, 1, NULL, 0, &rows));
    onn_torture_mix(answer, bias, sizeof bias);
    onn_torture_mix(answer, &rows, sizeof rows);
    finish(&t, &m);
    return status;
}

/* What is loaded is what was saved; what could not be loaded has changed nothing. */
static enum oclnn_status save_and_load(uint64_t *answer)
{
    const char *path = temp_path("run.ckpt");
    oclnn_model *m = NULL;
    oclnn_trainer *t = NULL;
    uint64_t before = 0, after = 0;
    float loss = 0;
    enum oclnn_status status = start(&adam, &m, &t);
    TWICE(step(t, N, &loss));
    TWICE(oclnn_trainer_save(t, path));
    TWICE(step(t, N, &loss));
    TRY(mix_state(t, &before));
    TRY(oclnn_trainer_load(t, path));
    if (status == OCLNN_ERROR_MEMORY && before && mix_state(t, &after) == OCLNN_OK && after != before)
        status =
            onn_error(OCLNN_ERROR_INTERNAL, "a checkpoint that could not be loaded has changed the trainer");
    else if (status == OCLNN_ERROR_MEMORY && before)
        status = oclnn_trainer_load(t, path);
    TRY(mix_state(t, answer));
    TWICE(step(t, N, &loss));
    TRY(mix_state(t, answer));
    finish(&t, &m);
    return status;
}

static enum oclnn_status save_and_export(uint64_t *answer)
{
    const char *path = temp_path("net.onnx");
    oclnn_model *m = NULL, *back = NULL;
    oclnn_trainer *t = NULL;
    float loss = 0, scores[CLASSES] = {0};
    const struct oclnn_binding in[] = {{.data = x,
                                           .bytes = SAMPLE * sizeof *x,
                                           .shape = OCLNN_SHAPE(1, C, S, S)},
        {0}};
    enum oclnn_status status = start(&adam, &m, &t);
    TWICE(step(t, N, &loss));
    TWICE(oclnn_trainer_export(t, path));
    TWICE(oclnn_model_load(shared, path, NULL, &back));
    TWICE(oclnn_model_run(back, in, OCLNN_OUT(scores)));
    onn_torture_mix(answer, scores, sizeof scores);
    TRY(mix_state(t, answer)); /* weights and averages are each in their place again */
    oclnn_model_destroy(&back);
    finish(&t, &m);
    return status;
}

static enum oclnn_status sample(void *user, int64_t index, void *to, int64_t *class)
{
    unsigned char *pixel = to;
    (void)user;
    for (int i = 0; i < SAMPLE; i++)
        pixel[i] = (unsigned char)(index * 31 + i * 7);
    *class = index % CLASSES;
    return OCLNN_OK;
}

static enum oclnn_status fit(uint64_t *answer)
{
    oclnn_dataset *data = NULL;
    oclnn_model *m = NULL;
    oclnn_trainer *t = NULL;
    struct oclnn_score score = {0};
    const struct oclnn_fit fit = {.batch = 4,
        .augment = {.flip = 1},
        .checkpoint = temp_path("fit.ckpt"),
        .best = temp_path("best.onnx")};
    enum oclnn_status status = start(&adam, &m, &t);
    TRY(oclnn_dataset_create(shared, 13, OCLNN_SHAPE(C, S, S), OCLNN_U8, CLASSES, sample, NULL, NULL, &data));
    TRY(oclnn_trainer_fit(t, data, data, &fit));
    TRY(oclnn_trainer_evaluate(t, data, 5, &score));
    onn_torture_mix(answer, &score, sizeof score);
    TRY(mix_state(t, answer));
    finish(&t, &m);
    oclnn_dataset_destroy(&data);
    return status;
}

int main(int argc, char **argv)
{
    static const struct onn_torture scenarios[] = {
        {"steps", steps, 60},
        {"steps of groups", steps_of_groups, 60},
        {"steps in a budget", budget, 20},
        {"gradients, profile", gradients, 30},
        {"save and load", save_and_load, 80},
        {"export", save_and_export, 60},
        {"fit", fit, 60},
        {0},
    };
    if (temp_make(NULL))
        return 1;
    for (int i = 0; i < N * SAMPLE; i++)
        x[i] = (float)(i % 13) / 13;
    for (int i = 0; i < N; i++)
        label[i] = i % CLASSES;
    enum oclnn_status status =
        oclnn_context_create(&(struct oclnn_context_params){.log = no_log, .log_level = OCLNN_LOG_DEBUG},
            &shared);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return 77;
    if (status != OCLNN_OK) {
        fprintf(stderr, "%s\n", oclnn_error_text(NULL));
        return 1;
    }
    int result = onn_torture_main(argc, argv, scenarios);
    oclnn_context_destroy(&shared);
    temp_remove(NULL);
    return result;
}
