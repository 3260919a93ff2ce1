/* What must not happen to a run: files overwritten by weights that are no numbers, progress lost over a damaged sample, one
 * bad batch that spoils the rest. */
#include "train/trainer.h"
#include "train/stripes.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLASSES STRIPES_CLASSES
#define S STRIPES_SIDE

static oclnn_context *ctx;
static oclnn_dataset *data;
static char folder[] = "/tmp/oclnn-safety-XXXXXX", checkpoint[64], best[64];

static oclnn_trainer *trainer(oclnn_model *m, const struct oclnn_trainer_params *params)
{
    oclnn_trainer *t = NULL;
    good(oclnn_trainer_create(m, params, &t));
    return t;
}

static char *contents(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *all = malloc(1 << 20);
    assert_true(f && all);
    *n = fread(all, 1, 1 << 20, f);
    fclose(f);
    return all;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* As an update may do that overflows. */
static int spoil(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct onn_blob *b = t->param[0].blob;
    if (p->step != p->steps)
        return 0;
    good(onn_blob_sync_host(b));
    onn_blob_set_f64(b, 3, *(const double *)user);
    b->version++;
    return 0;
}

/* The weights that the last step left are looked at before a file gets them. */
static void exploded_weights_are_not_saved(void **state)
{
    double values[] = {NAN, INFINITY, -1e30};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        oclnn_model *m = stripes_network(ctx, CLASSES);
        oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.seed = 1});
        struct oclnn_fit fit = {.batch = 150, .checkpoint = checkpoint};
        size_t n = 0, n_after = 0;
        good(oclnn_trainer_fit(t, data, NULL, &fit));
        good(oclnn_trainer_export(t, best));
        char *good_one = contents(checkpoint, &n);
        fit.epochs = 2;
        fit.on_step = spoil;
        fit.user = &values[i];
        assert_int_equal(oclnn_trainer_fit(t, data, NULL, &fit), OCLNN_ERROR_NUMERIC);
        says(t->param[0].name);
        char *after = contents(checkpoint, &n_after);
        assert_true(n == n_after && memcmp(good_one, after, n) == 0);
        free(after);
        free(good_one);
        good_one = contents(best, &n);
        assert_int_equal(oclnn_trainer_export(t, best), OCLNN_ERROR_NUMERIC);
        assert_int_equal(oclnn_trainer_save(t, checkpoint), OCLNN_ERROR_NUMERIC);
        after = contents(best, &n_after);
        assert_true(n == n_after && memcmp(good_one, after, n) == 0);
        free(after);
        free(good_one);
        good(oclnn_trainer_load(t, checkpoint)); /* back to the good ones */
        good(oclnn_trainer_export(t, best));
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
}

/* Averages are looked at as well; a variance may be larger than any weight. */
static void exploded_averages_are_not_saved(void **state)
{
    oclnn_model *m = stripes_network(ctx, CLASSES);
    oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.ema = 0.9f});
    (void)state;
    for (int k = 0; k < t->n_averages; k++) {
        float *number = t->average[k].blob->data, kept = *number;
        *number = 1e30f;
        assert_int_equal(oclnn_trainer_export(t, best),
            t->average[k].of_statistics ? OCLNN_OK : OCLNN_ERROR_NUMERIC);
        *number = NAN;
        assert_int_equal(oclnn_trainer_export(t, best), OCLNN_ERROR_NUMERIC);
        says(t->average[k].name);
        says(t->average[k].of_statistics ? "averaged statistics" : "averaged weights");
        *number = kept;
    }
    good(oclnn_trainer_export(t, best));
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

/* One step per epoch, with a rate that no network bears. */
static void one_step_too_large(void **state)
{
    const struct oclnn_param_group group = {.pattern = "*", .lr_scale = 1e30f};
    oclnn_model *m = stripes_network(ctx, CLASSES);
    oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.groups = &group, .group_count = 1});
    (void)state;
    unlink(checkpoint);
    assert_int_equal(oclnn_trainer_fit(t, data, NULL,
                         &(struct oclnn_fit){.batch = STRIPES_COUNT, .checkpoint = checkpoint}),
        OCLNN_ERROR_NUMERIC);
    assert_false(exists(checkpoint));
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

static enum oclnn_status real_sample(void *user, int64_t index, void *to, int64_t *label)
{
    uint8_t pixel[S * S];
    float *x = to;
    const enum oclnn_status status = stripes_sample(NULL, index, pixel, label);
    for (int i = 0; i < S * S; i++)
        x[i] = (float)pixel[i] / 255;
    if (user && index == 40)
        x[7] = NAN;
    return status;
}

/* A validation that gives no number is not the best so far, not even the first. */
static void validation_that_is_no_number(void **state)
{
    oclnn_dataset *train = NULL, *bad = NULL;
    oclnn_model *m = stripes_network(ctx, CLASSES);
    oclnn_trainer *t = trainer(m, NULL);
    struct oclnn_score score = {.loss = 7};
    (void)state;
    good(oclnn_dataset_create(ctx, 100, OCLNN_SHAPE(1, S, S), OCLNN_F32, CLASSES, real_sample, NULL, NULL,
        &train));
    good(oclnn_dataset_create(ctx, 60, OCLNN_SHAPE(1, S, S), OCLNN_F32, CLASSES, real_sample, train, NULL,
        &bad));
    unlink(best);
    unlink(checkpoint);
    assert_int_equal(oclnn_trainer_fit(t, train, bad,
                         &(struct oclnn_fit){.batch = 25, .best = best, .checkpoint = checkpoint}),
        OCLNN_ERROR_NUMERIC);
    says("samples 25 to 49");
    assert_true(!exists(best) && !exists(checkpoint) && isinf(t->best));
    assert_int_equal(oclnn_trainer_evaluate(t, bad, 60, &score), OCLNN_ERROR_NUMERIC);
    assert_true(score.loss == 7);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_dataset_destroy(&train);
    oclnn_dataset_destroy(&bad);
}

static int count_improved(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    (void)t;
    *(int *)user += p->improved;
    return 0;
}

/* The first validation is the best so far, in whatever epoch it comes. */
static void validation_from_the_second_epoch_on(void **state)
{
    oclnn_model *m = stripes_network(ctx, CLASSES);
    oclnn_trainer *t = trainer(m, NULL);
    int improved = 0;
    (void)state;
    unlink(best);
    good(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.batch = 100, .checkpoint = checkpoint}));
    good(oclnn_trainer_load(t, checkpoint));
    good(oclnn_trainer_fit(t, data, data,
        &(struct oclnn_fit){.epochs = 2,
            .batch = 100,
            .best = best,
            .on_epoch = count_improved,
            .user = &improved}));
    assert_true(improved == 1 && exists(best) && t->best > 0 && isfinite(t->best));
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

/* ---- steps of the program's own ---- */

#define N 12
static float x[N * S * S];
static int64_t label[N];

static enum oclnn_status step(oclnn_trainer *t, int first, int n, float *loss)
{
    const struct oclnn_binding in[] = {{.data = x + first * S * S,
                                           .bytes = (size_t)(n * S * S) * sizeof *x,
                                           .shape = OCLNN_SHAPE(n, 1, S, S)},
        {0}};
    const struct oclnn_binding target[] = {{.data = label + first, .bytes = (size_t)n * sizeof *label}, {0}};
    return oclnn_trainer_step(t, in, target, loss);
}

/* Without dropout, whose masks follow the number of steps. */
static oclnn_model *plain_network(void)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 1, S, S));
    v = oclnn_flatten(g, oclnn_relu(g, oclnn_batch_norm(g, oclnn_conv2d(g, v, 4, 3, NULL), NULL)));
    oclnn_output(g, "logits", oclnn_dense(g, v, CLASSES, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    return m;
}

/* Everything that training changes after three updates of `accumulate` batches each, and before the last of them one group
 * more, with a NaN in its batch `bad` (negative: there is no such group). Statistics follow every good batch, those of a
 * group that makes no update too: they count where there are no groups only. */
static unsigned char *state_around(const struct oclnn_trainer_params *params, int bad, size_t *n)
{
    const int batches = params->accumulate > 1 ? params->accumulate : 1;
    oclnn_model *m = plain_network();
    oclnn_trainer *t = trainer(m, params);
    float loss = 0;
    for (int group = 0; group < 4; group++)
        for (int k = 0; k < batches; k++) {
            const int at = 4 * k * S * S + 5;
            const float kept = x[at];
            if (group == 2 && bad < 0)
                continue;
            if (group == 2 && k == bad)
                x[at] = NAN;
            const enum oclnn_status status = step(t, 4 * k, 4, &loss);
            x[at] = kept;
            assert_int_equal(status, group == 2 && k == bad ? OCLNN_ERROR_NUMERIC : OCLNN_OK);
            if (status != OCLNN_OK)
                assert_int_equal(oclnn_trainer_save(t, checkpoint), OCLNN_ERROR_NUMERIC);
        }
    good(oclnn_trainer_save(t, checkpoint)); /* the last losses were good */
    unsigned char *all = onn_test_state(t, batches > 1 ? "state/" : NULL, n);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    return all;
}

/* Its update is left out; weights, moments, averages and the count that corrects the moments' bias go on as if it had not
 * been. */
static void bad_batch_counts_nowhere(void **state)
{
    static const struct oclnn_optimizer optimizers[] = {{.lr = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f},
        {.kind = OCLNN_ADAM, .lr = 0.01f}, {.kind = OCLNN_ADAMW, .weight_decay = 0.1f},
        {.kind = OCLNN_LAMB, .weight_decay = 0.01f}};
    (void)state;
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++)
        for (int batches = 1; batches <= (i < 2 ? 3 : 1); batches += 2) {
            const struct oclnn_trainer_params params = {.optimizer = optimizers[i],
                .accumulate = batches,
                .ema = 0.9f,
                .clip_norm = i == 1 ? 0.5f : 0};
            size_t n = 0, n_want = 0;
            unsigned char *want = state_around(&params, -1, &n_want);
            for (int bad = 0; bad < batches; bad++) {
                unsigned char *got = state_around(&params, bad, &n);
                assert_int_equal(n, n_want);
                for (size_t k = 0; k < n; k++)
                    if (got[k] != want[k])
                        fail_msg("optimiser %zu, bad batch %d of %d: byte %zu of %zu differs", i, bad,
                            batches, k, n);
                free(got);
            }
            free(want);
        }
}

/* A warm-up begins with it: the device must be told, whatever was in its memory. */
static void rate_of_zero_moves_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        oclnn_model *m = plain_network();
        oclnn_trainer *t = trainer(m, NULL);
        float loss = 0;
        size_t n = 0;
        float *before = onn_test_weights(t, &n);
        if (i % 2 == 0) /* else one that leaves a rate behind in the memory that is given back */
            good(oclnn_trainer_set_lr(t, 0));
        good(step(t, 0, N, &loss));
        float *after = onn_test_weights(t, &n);
        assert_int_equal(memcmp(before, after, n * sizeof *after) == 0, i % 2 == 0);
        free(before);
        free(after);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
}

static void labels_out_of_range(void **state)
{
    oclnn_model *m = stripes_network(ctx, CLASSES);
    oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.use_ignore = 1, .ignore_index = -100});
    oclnn_tensor *targets = NULL;
    float loss = 0;
    (void)state;
    label[2] = -100;
    good(step(t, 0, 4, &loss));
    label[2] = CLASSES;
    assert_int_equal(step(t, 0, 4, &loss), OCLNN_ERROR_ARGUMENT);
    says("target 2 is class 3, the prediction has 3 classes");
    label[2] = -1;
    assert_int_equal(step(t, 0, 4, NULL), OCLNN_ERROR_ARGUMENT);
    good(oclnn_tensor_create(OCLNN_I64, OCLNN_SHAPE(4), label, &targets));
    const struct oclnn_binding in[] = {{.data = x,
                                           .bytes = 4 * S * S * sizeof *x,
                                           .shape = OCLNN_SHAPE(4, 1, S, S)},
        {0}};
    const struct oclnn_binding target[] = {{.tensor = targets}, {0}};
    assert_int_equal(oclnn_trainer_step(t, in, target, &loss), OCLNN_ERROR_ARGUMENT);
    says("target 2 is class -1");
    label[2] = 1;
    good(step(t, 0, 4, &loss)); /* nothing was trained meanwhile */
    assert_int_equal(oclnn_trainer_get_steps(t), 2);
    oclnn_tensor_destroy(&targets);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

/* ---- a sample that cannot be read ---- */

static int64_t damaged = -1;
static enum oclnn_status damaged_sample(void *user, int64_t index, void *to, int64_t *class)
{
    if (index == damaged)
        return onn_error(OCLNN_ERROR_IO, "picture %lld is damaged", (long long)index);
    return stripes_sample(user, index, to, class);
}

/* The steps before it are saved; once it is mended the run goes on bit by bit. */
static void damaged_in_mid_epoch(void **state)
{
    const struct oclnn_trainer_params params = {.optimizer = {.kind = OCLNN_ADAM}, .seed = 3};
    const struct oclnn_fit fit = {.epochs = 2, .batch = 25, .keep_order = 1, .checkpoint = checkpoint};
    oclnn_dataset *torn = stripes_data(ctx, STRIPES_COUNT, damaged_sample, NULL);
    float *want = NULL;
    size_t n = 0;
    (void)state;
    for (damaged = -1; damaged < 200; damaged += 131) { /* none, in batch 5, in batch 10 */
        oclnn_model *m = stripes_network(ctx, CLASSES);
        oclnn_trainer *t = trainer(m, &params);
        unlink(checkpoint);
        if (damaged < 0) {
            good(oclnn_trainer_fit(t, torn, NULL, &fit));
            want = onn_test_weights(t, &n);
        } else {
            const int64_t at = damaged;
            assert_int_equal(oclnn_trainer_fit(t, torn, NULL, &fit), OCLNN_ERROR_IO);
            says("is damaged");
            assert_int_equal(oclnn_trainer_get_steps(t), at / 25);
            oclnn_trainer_destroy(&t);
            t = trainer(m, &params);
            good(oclnn_trainer_load(t, checkpoint));
            assert_int_equal(oclnn_trainer_get_steps(t), at / 25);
            assert_int_equal(t->batch_in_epoch, at / 25);
            damaged = -2;
            good(oclnn_trainer_fit(t, torn, NULL, &fit));
            damaged = at;
            float *got = onn_test_weights(t, &n);
            assert_memory_equal(got, want, n * sizeof *got);
            free(got);
        }
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
    free(want);
    oclnn_dataset_destroy(&torn);
}

/* ---- files that cannot be written ---- */

struct missing_folder {
    const char *folder;
    int make_at; /* the step after which it is there */
    int steps;
};
static int make_folder(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct missing_folder *m = user;
    (void)t;
    (void)p;
    if (++m->steps == m->make_at)
        assert_int_equal(mkdir(m->folder, 0700), 0);
    return 0;
}

/* The run goes on and tries again; only files that are missing in the end are an error. */
static void files_that_cannot_be_written(void **state)
{
    static const struct {
        int make_at;
        enum oclnn_status want;
    } cases[] = {{3, OCLNN_OK}, {1000, OCLNN_ERROR_NOT_FOUND}};
    char sub[80], in_sub[96], best_in_sub[96];
    (void)state;
    snprintf(sub, sizeof sub, "%s/sub", folder);
    snprintf(in_sub, sizeof in_sub, "%s/c.ckpt", sub);
    snprintf(best_in_sub, sizeof best_in_sub, "%s/best.onnx", sub);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct missing_folder missing = {.folder = sub, .make_at = cases[i].make_at};
        oclnn_model *m = stripes_network(ctx, CLASSES);
        oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.optimizer = {.kind = OCLNN_ADAM}});
        const struct oclnn_fit fit = {.epochs = 2,
            .batch = 150,
            .checkpoint = in_sub,
            .best = best_in_sub,
            .checkpoint_steps = 1,
            .on_step = make_folder,
            .user = &missing};
        assert_int_equal(oclnn_trainer_fit(t, data, data, &fit), cases[i].want);
        assert_int_equal(oclnn_trainer_get_steps(t), 4);
        assert_int_equal(oclnn_trainer_get_epochs(t), 2);
        if (cases[i].want == OCLNN_OK) {
            good(oclnn_trainer_load(t, in_sub));
            assert_int_equal(oclnn_trainer_get_epochs(t), 2);
            assert_true(exists(best_in_sub));
        } else {
            says(in_sub);
            assert_false(exists(sub));
        }
        unlink(in_sub);
        unlink(best_in_sub);
        rmdir(sub);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(exploded_weights_are_not_saved),
        cmocka_unit_test(exploded_averages_are_not_saved), cmocka_unit_test(one_step_too_large),
        cmocka_unit_test(validation_that_is_no_number), cmocka_unit_test(validation_from_the_second_epoch_on),
        cmocka_unit_test(bad_batch_counts_nowhere), cmocka_unit_test(rate_of_zero_moves_nothing),
        cmocka_unit_test(labels_out_of_range), cmocka_unit_test(damaged_in_mid_epoch),
        cmocka_unit_test(files_that_cannot_be_written)};
    const int code = open_device(&ctx);
    if (code)
        return code;
    if (!mkdtemp(folder))
        return 1;
    snprintf(checkpoint, sizeof checkpoint, "%s/c.ckpt", folder);
    snprintf(best, sizeof best, "%s/best.onnx", folder);
    data = stripes_data(ctx, STRIPES_COUNT, stripes_sample, NULL);
    for (int i = 0; i < N; i++) {
        uint8_t pixel[S * S];
        stripes_sample(NULL, i, pixel, &label[i]);
        for (int k = 0; k < S * S; k++)
            x[i * S * S + k] = (float)pixel[k] / 255;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_dataset_destroy(&data);
    oclnn_context_destroy(&ctx);
    unlink(checkpoint);
    unlink(best);
    rmdir(folder);
    return failed;
}
