/* Whole runs on a made data set: accuracy, early stopping, mistakes. */
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(learns), cmocka_unit_test(stops_early),
        cmocka_unit_test(mistakes)};
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
