/* Whole runs on a made data set: accuracy, early stopping, resuming bit by bit, mistakes. */
#include "train/stripes.h"
#include "train/trainer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASSES STRIPES_CLASSES

static oclnn_context *ctx;
static oclnn_dataset *data;
static char path[] = "/tmp/oclnn-fit-XXXXXX";

static oclnn_model *network(int classes)
{
    return stripes_network(ctx, classes);
}

static const struct oclnn_trainer_params usual = {.optimizer = {.kind = OCLNN_ADAM, .lr = 0.01f},
    .schedule = {.kind = OCLNN_COSINE},
    .seed = 4};

struct seen {
    int epochs, steps, stop_at;
    struct oclnn_score last;
    double loss[3], top1[3]; /* of training, per epoch */
};
static int on_epoch(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct seen *s = user;
    (void)t;
    assert_int_equal(p->epoch, s->epochs);
    s->epochs++;
    s->last = *p->validation;
    return 0;
}
static int on_step(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct seen *s = user;
    (void)t;
    assert_true(p->loss > 0 && p->lr > 0 && p->steps == 12);
    return ++s->steps == s->stop_at;
}

static int note_means(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct seen *s = user;
    assert_int_equal(oclnn_trainer_get_epochs(t), p->epoch);
    s->loss[p->epoch] = p->loss;
    s->top1[p->epoch] = p->top1;
    return 0;
}

static void learns(void **state)
{
    oclnn_model *m = network(CLASSES);
    oclnn_trainer *t = NULL;
    oclnn_dataset *train = NULL, *test = NULL;
    struct seen seen = {0};
    struct oclnn_score score;
    (void)state;
    good(oclnn_dataset_split(data, 0.2, 1, &train, &test));
    good(oclnn_trainer_create(m, &usual, &t));
    good(oclnn_trainer_fit(t, train, test,
        &(struct oclnn_fit){.epochs = 20,
            .batch = 20,
            .on_epoch = on_epoch,
            .on_step = on_step,
            .user = &seen}));
    assert_int_equal(seen.epochs, 20);
    assert_int_equal(seen.steps, 20 * 12);
    good(oclnn_trainer_evaluate(t, test, 7, &score)); /* another batch size, a rest: the same answer */
    assert_int_equal(score.count, 60);
    assert_true(score.top1 == seen.last.top1 && score.top5 == 1);
    if (!(score.top1 > 0.9))
        fail_msg("only %g right", score.top1);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_dataset_destroy(&train);
    oclnn_dataset_destroy(&test);
}

/* Weights of a run of 3 epochs that is stopped after `stop` steps, saved and resumed by a new trainer (0: not); what it
 * tells of its epochs. */
static float *run(int stop, size_t *n, struct seen *told)
{
    oclnn_model *m = network(CLASSES);
    oclnn_trainer *t = NULL;
    struct oclnn_fit fit = {.epochs = 3,
        .batch = 25,
        .checkpoint = stop ? path : NULL,
        .augment = {.flip = 1, .crop = 1},
        .on_epoch = note_means,
        .user = told};
    struct seen seen = {.stop_at = stop};
    good(oclnn_trainer_create(m, &usual, &t));
    if (stop) { /* ends inside an epoch, or behind its last step */
        struct oclnn_fit first = fit;
        first.on_step = on_step;
        first.user = &seen; /* of both callbacks */
        good(oclnn_trainer_fit(t, data, NULL, &first));
        memcpy(told->loss, seen.loss, sizeof seen.loss);
        memcpy(told->top1, seen.top1, sizeof seen.top1);
        assert_int_equal(oclnn_trainer_get_steps(t), stop);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
        m = network(CLASSES);
        good(oclnn_trainer_create(m, &usual, &t));
        good(oclnn_trainer_load(t, path));
        assert_non_null(t->saved); /* the plans' choices come along */
    }
    good(oclnn_trainer_fit(t, data, NULL, &fit));
    assert_int_equal(oclnn_trainer_get_steps(t), 36);
    float *all = onn_test_weights(t, n);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    return all;
}

static void resumes_bit_by_bit(void **state)
{
    static const int stops[] = {0, 17, 12, 36}; /* an epoch has 12 steps */
    struct seen want = {0};
    size_t n = 0;
    float *whole = run(0, &n, &want);
    (void)state;
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        struct seen told = {0};
        float *parts = run(stops[i], &n, &told);
        assert_memory_equal(whole, parts, n * sizeof *whole);
        assert_memory_equal(told.loss, want.loss, sizeof want.loss);
        assert_memory_equal(told.top1, want.top1, sizeof want.top1);
        free(parts);
    }
    assert_true(want.loss[2] > 0 && want.loss[2] < want.loss[0] && want.top1[2] > want.top1[0]);
    free(whole);
}

static void stops_early(void **state)
{
    oclnn_model *m = network(CLASSES);
    oclnn_trainer *t = NULL;
    struct oclnn_trainer_params params = usual;
    struct seen seen = {0};
    (void)state;
    params.optimizer.lr = 1e-12f; /* nothing gets better */
    good(oclnn_trainer_create(m, &params, &t));
    good(oclnn_trainer_fit(t, data, data,
        &(struct oclnn_fit){.epochs = 50,
            .batch = 100,
            .early_stop = 2,
            .on_epoch = on_epoch,
            .user = &seen}));
    assert_true(seen.epochs >= 3 && seen.epochs < 20);
    /* It stays ended, also after a resume, until more patience is asked for. */
    const struct oclnn_fit rest = {.epochs = seen.epochs + 1,
        .batch = 100,
        .early_stop = 2,
        .checkpoint = path};
    const int64_t steps = oclnn_trainer_get_steps(t);
    good(oclnn_trainer_save(t, path));
    good(oclnn_trainer_load(t, path));
    good(oclnn_trainer_fit(t, data, data, &rest));
    assert_int_equal(oclnn_trainer_get_steps(t), steps);
    assert_int_equal(oclnn_trainer_get_epochs(t), seen.epochs);
    struct oclnn_fit patient = rest;
    patient.early_stop = 3;
    good(oclnn_trainer_fit(t, data, data, &patient));
    assert_int_equal(oclnn_trainer_get_steps(t), steps + 3);
    assert_int_equal(oclnn_trainer_get_epochs(t), seen.epochs + 1);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

static void mistakes(void **state)
{
    oclnn_model *m = network(2), *other = network(CLASSES);
    oclnn_trainer *t = NULL, *u = NULL;
    (void)state;
    good(oclnn_trainer_create(m, &usual, &t));
    assert_int_equal(oclnn_trainer_fit(t, data, NULL, NULL), OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(NULL), "3 classes"));
    assert_int_equal(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.early_stop = 1}),
        OCLNN_ERROR_ARGUMENT);
    good(oclnn_trainer_create(other, &usual, &u));
    assert_int_equal(oclnn_trainer_fit(u, data, NULL, &(struct oclnn_fit){.batch = 400}),
        OCLNN_ERROR_ARGUMENT);
    good(oclnn_trainer_save(u, path));
    assert_int_equal(oclnn_trainer_load(t, path), OCLNN_ERROR_SHAPE);
    assert_non_null(strstr(oclnn_error_text(NULL), "another network"));
    assert_int_equal(oclnn_trainer_load(u, "/nowhere"), OCLNN_ERROR_NOT_FOUND);
    assert_int_equal(oclnn_trainer_save(u, "/nowhere/file"), OCLNN_ERROR_NOT_FOUND);
    oclnn_trainer_destroy(&t);
    oclnn_trainer_destroy(&u);
    oclnn_model_destroy(&m);
    oclnn_model_destroy(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(learns), cmocka_unit_test(resumes_bit_by_bit),
        cmocka_unit_test(stops_early), cmocka_unit_test(mistakes)};
    const int code = open_device(&ctx);
    if (code)
        return code;
    const int file = mkstemp(path);
    data = stripes_data(ctx, STRIPES_COUNT, stripes_sample, NULL);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_dataset_destroy(&data);
    oclnn_context_destroy(&ctx);
    close(file);
    unlink(path);
    return failed;
}
