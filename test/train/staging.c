/* Training with batches that go through pinned memory gives the same bits as without: whole runs with validation, and steps
 * with the program's own batches, whose arrays change as soon as a step has returned its loss. */
#include "train/stripes.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

enum { N = STRIPES_COUNT, S = STRIPES_SIDE, CLASSES = STRIPES_CLASSES };

static oclnn_context *ctx[2]; /* staged or not */

/* Few kernels: what is compared is how bytes come to them. */
static oclnn_model *network(oclnn_context *c)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 1, S, S));
    oclnn_output(g, "logits", oclnn_dense(g, oclnn_flatten(g, x), CLASSES, NULL));
    good(oclnn_model_create(c, &g, NULL, &m));
    return m;
}

struct outcome {
    float *weight;
    size_t n;
    double loss[2], top1[2];
};

static int on_epoch(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct outcome *o = user;
    (void)t;
    o->loss[p->epoch] = p->validation->loss;
    o->top1[p->epoch] = p->top1;
    return 0;
}

static void same(struct outcome o[2])
{
    assert_true(o[0].n > 0 && o[0].n == o[1].n);
    assert_memory_equal(o[0].weight, o[1].weight, o[0].n * sizeof(float));
    assert_memory_equal(o[0].loss, o[1].loss, sizeof o[0].loss);
    assert_memory_equal(o[0].top1, o[1].top1, sizeof o[0].top1);
    free(o[0].weight);
    free(o[1].weight);
}

/* A rate that changes with every step; pixels, tables, classes, second classes and shares as inputs. */
static void whole_runs(void **state)
{
    struct outcome o[2] = {{0}};
    (void)state;
    for (int k = 0; k < 2; k++) {
        oclnn_dataset *data = stripes_data(ctx[k], N, stripes_sample, NULL);
        oclnn_model *m = network(ctx[k]);
        oclnn_trainer *t = NULL;
        good(oclnn_trainer_create(m,
            &(struct oclnn_trainer_params){.seed = 4,
                .optimizer = {.lr = 0.05f},
                .schedule = {.kind = OCLNN_COSINE}},
            &t));
        good(oclnn_trainer_fit(t, data, data,
            &(struct oclnn_fit){.epochs = 2,
                .batch = 25,
                .augment = {.flip = 1, .crop = 1, .mixup = 0.3f},
                .on_epoch = on_epoch,
                .user = &o[k]}));
        o[k].weight = onn_test_weights(t, &o[k].n);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
        oclnn_dataset_destroy(&data);
    }
    assert_true(o[0].loss[1] > 0 && o[0].loss[1] != o[0].loss[0]); /* something happened */
    same(o);
}

static void own_batches(void **state)
{
    enum { BATCH = 30, STEPS = 12 };
    (void)state;
    struct outcome o[2] = {{0}};
    for (int k = 0; k < 2; k++) {
        static float x[BATCH * S * S];
        static int64_t label[BATCH];
        const struct oclnn_binding in[] = {{.data = x,
                                               .bytes = sizeof x,
                                               .shape = OCLNN_SHAPE(BATCH, 1, S, S)},
            {0}};
        const struct oclnn_binding target[] = {{.data = label, .bytes = sizeof label}, {0}};
        oclnn_model *m = network(ctx[k]);
        oclnn_trainer *t = NULL;
        float loss = 0;
        good(oclnn_trainer_create(m, &(struct oclnn_trainer_params){.optimizer = {.lr = 0.05f}}, &t));
        for (int step = 0; step < STEPS; step++) {
            for (int i = 0; i < BATCH; i++) {
                uint8_t pixel[S * S];
                good(stripes_sample(NULL, step * BATCH + i, pixel, &label[i]));
                for (int j = 0; j < S * S; j++)
                    x[i * S * S + j] = (float)pixel[j] / 255;
            }
            good(oclnn_trainer_set_lr(t, 0.05f / (float)(step + 1)));
            good(oclnn_trainer_step(t, in, target, &loss));
            o[k].loss[0] += (double)loss;
        }
        o[k].weight = onn_test_weights(t, &o[k].n);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
    same(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_runs),
        cmocka_unit_test(own_batches),
    };
    for (int k = 0; k < 2; k++) {
        setenv("OCLNN_STAGING", k ? "on" : "off", 1);
        const enum oclnn_status status = oclnn_context_create(NULL, &ctx[k]);
        if (status == OCLNN_ERROR_NO_DEVICE)
            return 77;
        if (status != OCLNN_OK)
            return 1;
    }
    unsetenv("OCLNN_STAGING");
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx[0]);
    oclnn_context_destroy(&ctx[1]);
    return failed;
}
