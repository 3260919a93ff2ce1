/* Whole runs on a made data set: accuracy, early stopping, mistakes. */
#include "train/stripes.h"
#include "train/trainer.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASSES STRIPES_CLASSES

static oclnn_context *ctx;
static oclnn_dataset *data;
static char path[] = "/tmp/oclnn-fit-XXXXXX", best_path[] = "/tmp/oclnn-best-XXXXXX";

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

/* With averages, what is saved is what was measured: weights and the normalisation's statistics. */
static void saves_what_it_measured(void **state)
{
    oclnn_model *m = network(CLASSES);
    oclnn_trainer *t = NULL;
    struct oclnn_score plain, measured, saved;
    struct oclnn_trainer_params averaged = usual;
    (void)state;
    averaged.ema = 0.9f;
    good(oclnn_trainer_create(m, &averaged, &t));
    good(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.epochs = 1, .batch = 20}));
    good(oclnn_trainer_evaluate(t, data, 60, &measured));
    good(oclnn_trainer_export(t, path));
    oclnn_trainer_destroy(&t);
    good(oclnn_trainer_create(m, &usual, &t));
    good(oclnn_trainer_evaluate(t, data, 60, &plain));
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    good(oclnn_model_load(ctx, path, NULL, &m));
    good(oclnn_trainer_create(m, &usual, &t));
    good(oclnn_trainer_evaluate(t, data, 60, &saved));
    assert_true(fabs(saved.loss - measured.loss) < 1e-5 * measured.loss);
    assert_true(fabs(plain.loss - measured.loss) > 1e-4 * measured.loss);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
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

/* ---- the best epoch ---- */

struct judged {
    int epochs, improved[16];
    struct oclnn_score score[16];
};
static int judge(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct judged *j = user;
    (void)t;
    j->improved[p->epoch] = p->improved;
    j->score[p->epoch] = *p->validation;
    j->epochs = p->epoch + 1;
    return 0;
}

/* The accuracy is whole long before the loss stops falling. */
static void goes_by_the_accuracy(void **state)
{
    oclnn_model *m = network(CLASSES);
    oclnn_trainer *t = NULL;
    struct oclnn_trainer_params params = usual;
    struct judged judged = {0};
    struct oclnn_score score;
    const struct oclnn_fit fit = {.epochs = 16,
        .batch = 60,
        .monitor = OCLNN_MONITOR_ACCURACY,
        .early_stop = 3,
        .checkpoint = path,
        .best_checkpoint = best_path,
        .on_epoch = judge,
        .user = &judged};
    int best = 0, last, by_loss = 0;
    (void)state;
    params.schedule = (struct oclnn_schedule){.kind = OCLNN_PLATEAU, .size = 2, .gamma = 0.5f};
    good(oclnn_trainer_create(m, &params, &t));
    good(oclnn_trainer_fit(t, data, data, &fit));
    last = judged.epochs - 1;
    for (int e = 0; e <= last; e++) {
        const int better = e == 0 || judged.score[e].top1 > judged.score[best].top1;
        assert_int_equal(judged.improved[e], better);
        best = better ? e : best;
        by_loss += e > best && judged.score[e].loss < judged.score[best].loss;
    }
    assert_true(last == best + 3 && by_loss > 0); /* by the loss it would have gone on */
    assert_true(t->monitor == OCLNN_MONITOR_ACCURACY && t->best == -judged.score[best].top1);
    assert_true(t->since_best == 3 && t->plateau == 0.5f);
    /* The last epoch's checkpoint has the best value so far, the best one's the weights that had it. */
    t->best = 0;
    t->monitor = OCLNN_MONITOR_LOSS;
    good(oclnn_trainer_load(t, path));
    assert_true(t->monitor == OCLNN_MONITOR_ACCURACY && t->best == -judged.score[best].top1);
    assert_int_equal(oclnn_trainer_get_epochs(t), last + 1);
    good(oclnn_trainer_load(t, best_path));
    assert_true(t->best == -judged.score[best].top1 && t->since_best == 0);
    assert_int_equal(oclnn_trainer_get_epochs(t), best + 1);
    good(oclnn_trainer_evaluate(t, data, 60, &score));
    assert_true(score.top1 == judged.score[best].top1 && score.loss == judged.score[best].loss);
    /* By another measure the search begins anew: the first epoch is the best so far. */
    struct oclnn_fit other = fit;
    other.monitor = OCLNN_MONITOR_LOSS;
    other.epochs = best + 2;
    memset(&judged, 0, sizeof judged);
    good(oclnn_trainer_fit(t, data, data, &other));
    assert_true(judged.epochs == best + 2 && judged.improved[best + 1]);
    assert_true(t->monitor == OCLNN_MONITOR_LOSS && t->best == judged.score[best + 1].loss);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

static void refuses(oclnn_trainer *t, const oclnn_dataset *validation, const struct oclnn_fit *fit,
    const char *words)
{
    assert_int_equal(oclnn_trainer_fit(t, data, validation, fit), OCLNN_ERROR_ARGUMENT);
    says(words);
}

static void mistakes_about_the_best(void **state)
{
    oclnn_model *m = network(CLASSES);
    oclnn_trainer *t = NULL;
    (void)state;
    good(oclnn_trainer_create(m, &usual, &t));
    refuses(t, NULL, &(struct oclnn_fit){.monitor = OCLNN_MONITOR_ACCURACY},
        "accuracy needs a validation set");
    refuses(t, data, &(struct oclnn_fit){.monitor = OCLNN_MONITOR_IOU}, "needs classes of pixels");
    refuses(t, data, &(struct oclnn_fit){.monitor = (enum oclnn_monitor)7}, "monitor = 7");
    refuses(t, NULL, &(struct oclnn_fit){.best_checkpoint = path}, "best checkpoint needs a validation set");
    refuses(t, data, &(struct oclnn_fit){.checkpoint = path, .best_checkpoint = path}, "are the same file");
    assert_int_equal(oclnn_trainer_get_steps(t), 0);
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

/* ---- the rest of an epoch ---- */

enum { COUNT = 50, WHOLE = 40, PIXELS = STRIPES_SIDE * STRIPES_SIDE };

static enum oclnn_status real_sample(void *user, int64_t index, void *to, int64_t *label)
{
    uint8_t pixel[PIXELS];
    const enum oclnn_status status = stripes_sample(user, index, pixel, label);
    for (int i = 0; i < PIXELS; i++)
        ((float *)to)[i] = (float)pixel[i] / 255;
    return status;
}

static void one_step(oclnn_trainer *t, int64_t first, int64_t n)
{
    static float x[COUNT * PIXELS];
    int64_t label[COUNT];
    for (int64_t i = 0; i < n; i++)
        good(real_sample(NULL, first + i, x + i * PIXELS, &label[i]));
    const struct oclnn_binding in[] = {{.data = x,
                                           .bytes = (size_t)(n * PIXELS) * sizeof *x,
                                           .shape = OCLNN_SHAPE(n, 1, STRIPES_SIDE, STRIPES_SIDE)},
        {0}};
    const struct oclnn_binding target[] = {{.data = label, .bytes = (size_t)n * sizeof *label}, {0}};
    float loss = 0;
    good(oclnn_trainer_step(t, in, target, &loss)); /* waits: the arrays are used again */
}

/* The same bits as steps by hand: whole batches, then one of what is left, which is the mean over its own samples. */
static void keeps_the_rest_of_an_epoch(void **state)
{
    oclnn_dataset *real = NULL;
    unsigned char *bytes[3];
    size_t n[3];
    (void)state;
    good(oclnn_dataset_create(ctx, COUNT, OCLNN_SHAPE(1, STRIPES_SIDE, STRIPES_SIDE), OCLNN_F32, CLASSES,
        real_sample, NULL, NULL, &real));
    for (int k = 0; k < 3; k++) { /* kept, by hand, left out */
        oclnn_model *m = network(CLASSES);
        oclnn_trainer *t = NULL;
        good(oclnn_trainer_create(m, &(struct oclnn_trainer_params){.optimizer = {.kind = OCLNN_ADAM}}, &t));
        for (int epoch = 0; epoch < 2 && k == 1; epoch++) {
            one_step(t, 0, WHOLE);
            one_step(t, WHOLE, COUNT - WHOLE);
        }
        if (k != 1)
            good(oclnn_trainer_fit(t, real, NULL,
                &(struct oclnn_fit){.epochs = 2, .batch = WHOLE, .keep_order = 1, .keep_last = k == 0}));
        assert_int_equal(oclnn_trainer_get_steps(t), k == 2 ? 2 : 4);
        bytes[k] = onn_test_state(t, NULL, &n[k]);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
    assert_true(n[0] == n[1] && n[0] == n[2]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    assert_memory_not_equal(bytes[0], bytes[2], n[0]);
    for (int k = 0; k < 3; k++)
        free(bytes[k]);
    oclnn_dataset_destroy(&real);
}

/* Less than one batch in all; a model that takes whole batches only. */
static void the_rest_alone(void **state)
{
    oclnn_model *m = network(CLASSES), *fixed = NULL;
    oclnn_trainer *t = NULL, *u = NULL;
    oclnn_graph *g = NULL;
    struct oclnn_fit fit = {.batch = 400, .keep_last = 1};
    (void)state;
    good(oclnn_trainer_create(m, &usual, &t));
    good(oclnn_trainer_fit(t, data, NULL, &fit));
    assert_int_equal(oclnn_trainer_get_steps(t), 1);
    good(oclnn_graph_create(NULL, &g));
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(80, 1, STRIPES_SIDE, STRIPES_SIDE));
    oclnn_output(g, "logits", oclnn_dense(g, oclnn_flatten(g, v), CLASSES, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &fixed));
    good(oclnn_trainer_create(fixed, &usual, &u));
    assert_int_equal(oclnn_trainer_fit(u, data, NULL, &fit), OCLNN_ERROR_ARGUMENT);
    says("batches of 80 samples only, an epoch of 300 leaves 60");
    fit.keep_last = 0;
    good(oclnn_trainer_fit(u, data, NULL, &fit));
    assert_int_equal(oclnn_trainer_get_steps(u), 3);
    oclnn_trainer_destroy(&t);
    oclnn_trainer_destroy(&u);
    oclnn_model_destroy(&m);
    oclnn_model_destroy(&fixed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_the_rest_of_an_epoch),
        cmocka_unit_test(the_rest_alone), cmocka_unit_test(learns), cmocka_unit_test(saves_what_it_measured),
        cmocka_unit_test(stops_early), cmocka_unit_test(goes_by_the_accuracy),
        cmocka_unit_test(mistakes_about_the_best), cmocka_unit_test(mistakes)};
    const int code = open_device(&ctx);
    if (code)
        return code;
    const int file = mkstemp(path), best_file = mkstemp(best_path);
    data = stripes_data(ctx, STRIPES_COUNT, stripes_sample, NULL);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_dataset_destroy(&data);
    oclnn_context_destroy(&ctx);
    close(file);
    unlink(path);
    close(best_file);
    unlink(best_path);
    return failed;
}
