/* Training steps whose layers are joined into few launches (plan/chain.h) give the same bits as layer by layer. */
#include "train/stripes.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

enum { S = STRIPES_SIDE, CLASSES = STRIPES_CLASSES, BATCH = 10, STEPS = 8 };

static oclnn_context *ctx[2]; /* layer by layer, joined */

static oclnn_model *network(oclnn_context *c)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(BATCH, 1, S, S));
    x = oclnn_conv2d(g, x, 12, 3, &(struct oclnn_conv){.pad = {1, 1, 1, 1}});
    x = oclnn_relu(g, oclnn_batch_norm(g, x, NULL));
    oclnn_value y = oclnn_add(g, x, oclnn_conv2d(g, x, 12, 1, NULL));
    y = oclnn_max_pool2d(g, y, 2, NULL);
    oclnn_output(g, "logits", oclnn_dense(g, oclnn_flatten(g, y), CLASSES, NULL));
    good(oclnn_model_create(c, &g, &(struct oclnn_model_params){.tune = 2}, &m));
    return m;
}

static void same_bits(void **state)
{
    static float x[BATCH * S * S], loss[2][STEPS];
    static int64_t label[BATCH];
    float *weight[2];
    size_t n[2];
    int chains[2];
    (void)state;
    if (!ctx[0] || !ctx[1] || !onn_context_caps(ctx[1])->joins)
        skip();
    for (int k = 0; k < 2; k++) {
        const struct oclnn_binding in[] = {{.data = x, .bytes = sizeof x}, {0}},
                                   target[] = {{.data = label, .bytes = sizeof label}, {0}};
        oclnn_model *m = network(ctx[k]);
        oclnn_trainer *t = NULL;
        good(oclnn_trainer_create(m,
            &(struct oclnn_trainer_params){.optimizer = {.kind = OCLNN_ADAM, .lr = 0.01f},
                .clip_norm = 1,
                .ema = 0.9f,
                .accumulate = 2},
            &t));
        for (int step = 0; step < STEPS; step++) {
            for (int i = 0; i < BATCH * S * S; i++)
                x[i] = (float)((i * 7919 + step * 104729) % 1000) / 500.0f - 1.0f;
            for (int i = 0; i < BATCH; i++)
                label[i] = (i * 5 + step) % CLASSES;
            good(oclnn_trainer_step(t, in, target, &loss[k][step]));
        }
        chains[k] = t->current->plan->n_chains;
        weight[k] = onn_test_weights(t, &n[k]);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
    assert_int_equal(chains[0], 0);
    assert_true(chains[1] > 0);
    assert_true(loss[0][0] > 0 && loss[0][STEPS - 1] != loss[0][0]);
    assert_memory_equal(loss[0], loss[1], sizeof loss[0]);
    assert_true(n[0] > 0 && n[0] == n[1]);
    assert_memory_equal(weight[0], weight[1], n[0] * sizeof(float));
    free(weight[0]);
    free(weight[1]);
}

static int open_contexts(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        k ? unsetenv("OCLNN_CHAIN") : setenv("OCLNN_CHAIN", "off", 1);
        oclnn_context_create(NULL, &ctx[k]);
    }
    return 0;
}

static int close_contexts(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++)
        oclnn_context_destroy(&ctx[k]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits)};
    return cmocka_run_group_tests_name("chained", tests, open_contexts, close_contexts);
}
