/* The trainer through its public interface; weights are looked at through its own list of parameters. */
#include "train/trainer.h"
#include "harness/check.h"
#include "harness/train.h"
#include <math.h>
#include <oclnn/oclnn.h>
#include <stdlib.h>
#include <string.h>

#define N 16
#define C 2
#define S 6
#define CLASSES 3

static oclnn_context *ctx;
static float x[N * C * S * S];
static int64_t label[N];

enum kind { PLAIN, NORMALISED, DROPPED, SOFTMAXED };

static oclnn_model *network_with(enum kind kind, const struct oclnn_model_params *params)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 3}, &g));
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, C, S, S));
    v = oclnn_conv2d(g, v, 5, 3, NULL);
    if (kind == NORMALISED)
        v = oclnn_batch_norm(g, v, NULL);
    v = oclnn_relu(g, v);
    v = oclnn_flatten(g, v);
    if (kind == DROPPED)
        v = oclnn_dropout(g, v, 0.5f);
    v = oclnn_dense(g, v, CLASSES, NULL);
    oclnn_output(g, "logits", kind == SOFTMAXED ? oclnn_softmax(g, v, -1) : v);
    good(oclnn_model_create(ctx, &g, params, &m));
    return m;
}

static oclnn_model *network(enum kind kind)
{
    return network_with(kind, NULL);
}

static oclnn_trainer *trainer(oclnn_model *m, const struct oclnn_trainer_params *params)
{
    oclnn_trainer *t = NULL;
    good(oclnn_trainer_create(m, params, &t));
    return t;
}

/* Samples first … first + n - 1. */
static enum oclnn_status try_step(oclnn_trainer *t, int first, int n, float *loss)
{
    const size_t one = (size_t)(C * S * S);
    const struct oclnn_binding in[] = {{.data = x + (size_t)first * one,
                                           .bytes = (size_t)n * one * sizeof *x,
                                           .shape = OCLNN_SHAPE(n, C, S, S)},
        {0}};
    const struct oclnn_binding target[] = {{.data = label + first, .bytes = (size_t)n * sizeof *label}, {0}};
    return oclnn_trainer_step(t, in, target, loss);
}

static float step(oclnn_trainer *t, int first, int n)
{
    float loss = 0;
    good(try_step(t, first, n, &loss));
    return loss;
}

static double largest_difference(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

static void loss_goes_down(void **state)
{
    (void)state;
    for (int kind = PLAIN; kind <= DROPPED; kind++) {
        oclnn_model *m = network((enum kind)kind);
        oclnn_trainer *t =
            trainer(m, &(struct oclnn_trainer_params){.optimizer = {.kind = OCLNN_ADAM, .lr = 0.01f}});
        const float first = step(t, 0, N);
        float last = first;
        for (int i = 0; i < 30; i++)
            good(oclnn_trainer_step(t, NULL, NULL, &last));
        if (!(last < 0.5f * first))
            fail_msg("network %d: loss %g, then %g", kind, (double)first, (double)last);
        assert_int_equal(oclnn_trainer_get_steps(t), 31);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
}

/* A network that ends in a softmax trains as the one without it. */
static void softmax_is_not_applied_twice(void **state)
{
    float *w[2], loss[2] = {0};
    size_t n = 0;
    (void)state;
    for (int k = 0; k < 2; k++) {
        oclnn_model *m = network(k ? SOFTMAXED : PLAIN);
        oclnn_trainer *t =
            trainer(m, &(struct oclnn_trainer_params){.optimizer = {.kind = OCLNN_SGD, .lr = 0.1f}});
        loss[k] = step(t, 0, N);
        for (int i = 0; i < 5; i++)
            step(t, 0, N);
        w[k] = onn_test_weights(t, &n);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
    assert_true(fabsf(loss[0] - loss[1]) < 1e-6f);
    assert_true(largest_difference(w[0], w[1], n) < 1e-6);
    free(w[0]);
    free(w[1]);
}

static void accumulation_is_a_larger_batch(void **state)
{
    float *w[2];
    size_t n = 0;
    (void)state;
    for (int k = 0; k < 2; k++) {
        oclnn_model *m = network(PLAIN);
        oclnn_trainer *t = trainer(m,
            &(struct oclnn_trainer_params){.accumulate = k ? 4 : 1,
                .optimizer = {.lr = 0.1f, .momentum = 0.9f}});
        for (int i = 0; i < 3; i++)
            for (int part = 0; part < (k ? 4 : 1); part++)
                step(t, part * N / 4, k ? N / 4 : N);
        assert_int_equal(oclnn_trainer_get_steps(t), 3);
        w[k] = onn_test_weights(t, &n);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
    assert_true(largest_difference(w[0], w[1], n) < 1e-5);
    free(w[0]);
    free(w[1]);
}

static void same_seed_same_bits(void **state)
{
    float *w[3];
    size_t n = 0;
    (void)state;
    for (int k = 0; k < 3; k++) {
        oclnn_model *m = network(DROPPED);
        oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.seed = k == 2 ? 8 : 7});
        for (int i = 0; i < 4; i++)
            step(t, 0, N);
        w[k] = onn_test_weights(t, &n);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
    assert_memory_equal(w[0], w[1], n * sizeof(float));
    assert_true(largest_difference(w[0], w[2], n) > 0); /* another seed drops others */
    for (int k = 0; k < 3; k++)
        free(w[k]);
}

static void not_finite_changes_nothing(void **state)
{
    oclnn_model *m = network(NORMALISED);
    oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.optimizer = {.kind = OCLNN_ADAM}});
    const float kept = x[5];
    float loss = 0;
    size_t n;
    (void)state;
    step(t, 0, N);
    float *before = onn_test_weights(t, &n);
    x[5] = NAN;
    assert_int_equal(try_step(t, 0, N, &loss), OCLNN_ERROR_NUMERIC);
    x[5] = kept;
    assert_non_null(strstr(oclnn_error_text(NULL), "not a number"));
    float *after = onn_test_weights(t, &n);
    assert_memory_equal(before, after, n * sizeof *after);
    assert_true(step(t, 0, N) > 0); /* and goes on, also with the statistics of the batch norm */
    free(before);
    free(after);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

static void model_runs_with_new_weights(void **state)
{
    oclnn_model *m = network(PLAIN);
    static float a[N * CLASSES], b[N * CLASSES];
    const struct oclnn_binding in[] = {{.data = x, .bytes = sizeof x, .shape = OCLNN_SHAPE(N, C, S, S)}, {0}};
    (void)state;
    good(oclnn_model_run(m, in, OCLNN_OUT(a)));
    oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.optimizer = {.lr = 0.1f}});
    for (int i = 0; i < 20; i++)
        step(t, 0, N);
    good(oclnn_model_run(m, in, OCLNN_OUT(b)));
    assert_true(largest_difference(a, b, N * CLASSES) > 0.1);
    double loss = 0; /* of the model's own answer: what the next step reports */
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int k = 0; k < CLASSES; k++)
            sum += exp((double)b[i * CLASSES + k]);
        loss += (log(sum) - (double)b[i * CLASSES + label[i]]) / N;
    }
    assert_true(fabs(loss - (double)step(t, 0, N)) < 1e-4);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

static void frozen_and_clipped(void **state)
{
    oclnn_model *m = network(PLAIN);
    const struct oclnn_param_group groups[] = {{.pattern = "dense*", .lr_scale = 0.5f}};
    oclnn_trainer *t = trainer(m,
        &(struct oclnn_trainer_params){.optimizer = {.lr = 1},
            .freeze = "*,!dense*,!*.bias", /* the convolution's weight */
            .groups = groups,
            .group_count = 1,
            .clip_norm = 0.01f});
    size_t n;
    (void)state;
    float *before = onn_test_weights(t, &n), *after;
    good(oclnn_trainer_keep_gradients(t));
    step(t, 0, N);
    after = onn_test_weights(t, &n);
    size_t at = 0;
    double norm = 0;
    for (int i = 0; i < t->n_params; i++) {
        const bool dense = strncmp(t->param[i].name, "dense", 5) == 0;
        for (int64_t k = 0; k < onn_desc_elements(&t->param[i].blob->desc); k++, at++) {
            const double change = ((double)after[at] - (double)before[at]) / (dense ? 0.5 : 1);
            norm += change * change;
            if (t->param[i].frozen)
                assert_true(change == 0);
        }
    }
    if (fabs(sqrt(norm) - 0.01) > 1e-4)
        fail_msg("the update's norm is %g", sqrt(norm));
    float bias[CLASSES];
    good(oclnn_trainer_read_gradient(t, "dense1.bias", bias, sizeof bias));
    assert_true(fabs((double)bias[0] + (double)bias[1] + (double)bias[2]) < 1e-6); /* of a softmax */
    assert_int_equal(oclnn_trainer_read_gradient(t, "conv1.weight", bias, sizeof bias),
        OCLNN_ERROR_NOT_FOUND);
    free(before);
    free(after);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

static double first_of(struct onn_blob *b)
{
    good(onn_blob_sync_host(b));
    return onn_blob_get_f64(b, 0);
}

/* Of weights and of the normalisation's statistics; the decay is 2/11, 3/12, … at first. */
static void averages(void **state)
{
    enum { STEPS = 6 };
    oclnn_model *m = network(NORMALISED);
    oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.optimizer = {.lr = 0.1f}, .ema = 0.4f});
    double want[32];
    (void)state;
    assert_true(t->n_averages > t->n_params && t->n_averages <= 32);
    for (int k = 0; k < t->n_averages; k++)
        want[k] = first_of(t->average[k].of);
    for (int i = 1; i <= STEPS; i++) {
        const double decay = fmin(0.4, (1.0 + i) / (10.0 + i));
        step(t, 0, N);
        for (int k = 0; k < t->n_averages; k++)
            want[k] = decay * want[k] + (1 - decay) * first_of(t->average[k].of);
    }
    for (int k = 0; k < t->n_averages; k++) {
        const double got = first_of(t->average[k].blob);
        if (!(fabs(got - want[k]) < 1e-6 * fmax(1, fabs(want[k]))))
            fail_msg("%s: %g instead of %g", t->average[k].entry, got, want[k]);
    }
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

/* All parameters in few launches: the bits of one launch each. */
static void joined_updates_keep_the_bits(void **state)
{
    const struct oclnn_param_group groups[] = {{.pattern = "*bias", .weight_decay = -1}};
    (void)state;
    for (int kind = OCLNN_SGD; kind <= OCLNN_LAMB; kind++) {
        float *w[2];
        size_t n = 0;
        for (int k = 0; k < 2; k++) {
            oclnn_model *m =
                network_with(NORMALISED, &(struct oclnn_model_params){.passes_off = k ? "updates" : NULL});
            oclnn_trainer *t = trainer(m,
                &(struct oclnn_trainer_params){.optimizer = {.kind = (enum oclnn_optimizer_kind)kind,
                                                   .momentum = 0.9f,
                                                   .weight_decay = 0.01f},
                    .groups = groups,
                    .group_count = 1,
                    .accumulate = 2,
                    .clip_norm = 1,
                    .ema = 0.9f});
            for (int i = 0; i < 4; i++)
                step(t, i % 2 * N / 2, N / 2);
            w[k] = onn_test_weights(t, &n);
            oclnn_trainer_destroy(&t);
            oclnn_model_destroy(&m);
        }
        assert_memory_equal(w[0], w[1], n * sizeof *w[0]);
        free(w[0]);
        free(w[1]);
    }
}

/* A deeper network, so that there is something to compute again. */
static oclnn_model *deep(void)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 3}, &g));
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, C, S, S));
    for (int i = 0; i < 24; i++) {
        v = oclnn_conv2d(g, v, 16, 3, &(struct oclnn_conv){.pad = {1, 1, 1, 1}});
        v = oclnn_relu(g, oclnn_batch_norm(g, v, NULL));
    }
    v = oclnn_dropout(g, oclnn_flatten(g, v), 0.5f);
    oclnn_output(g, "logits", oclnn_dense(g, v, CLASSES, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    return m;
}

static void memory_budget(void **state)
{
    float *w[2];
    size_t n = 0, full = 0;
    uint64_t buffers[2];
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct oclnn_trainer_bytes bytes;
        oclnn_model *m = deep();
        buffers[k] = onn_context_counters(ctx).buffers_created;
        oclnn_trainer *t =
            trainer(m, &(struct oclnn_trainer_params){.memory_budget = full * 6 / 10, .seed = 1});
        for (int i = 0; i < 3; i++)
            step(t, 0, N);
        good(oclnn_trainer_get_bytes(t, &bytes));
        assert_true(k ? bytes.arena <= full * 6 / 10 && bytes.recomputed > 0 : bytes.recomputed == 0);
        buffers[k] = onn_context_counters(ctx).buffers_created - buffers[k];
        full = bytes.arena;
        w[k] = onn_test_weights(t, &n);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
    assert_true(largest_difference(w[0], w[1], n) < 1e-5);
    /* No plan that does not keep to the budget is ever built: the memory may not be there. */
    assert_int_equal(buffers[0], buffers[1]);
    free(w[0]);
    free(w[1]);
    oclnn_model *m = deep();
    oclnn_trainer *t = trainer(m, &(struct oclnn_trainer_params){.memory_budget = 1000});
    float loss;
    assert_int_equal(try_step(t, 0, N, &loss), OCLNN_ERROR_DEVICE_MEMORY);
    assert_non_null(strstr(oclnn_error_text(NULL), "the budget is 1000"));
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

static void mistakes(void **state)
{
    oclnn_model *m = network(PLAIN);
    oclnn_trainer *t = NULL;
    (void)state;
    assert_int_equal(oclnn_trainer_create(m, &(struct oclnn_trainer_params){.output = "nothing"}, &t),
        OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(NULL), "nothing"));
    static const char *const freeze[][2] = {{"*", "all 4 parameters"},
        {"conv*,fc*", "called 'fc*'; there are conv"}, {"*,!fc", "called 'fc'"},
        {"*,!dense*,dense*", "all 4 parameters"}};
    for (size_t i = 0; i < sizeof freeze / sizeof *freeze; i++) {
        const struct oclnn_trainer_params p = {.freeze = freeze[i][0]};
        assert_int_equal(oclnn_trainer_create(m, &p, &t), OCLNN_ERROR_ARGUMENT);
        if (!strstr(oclnn_error_text(NULL), freeze[i][1]))
            fail_msg("%s: %s", freeze[i][0], oclnn_error_text(NULL));
    }
    const struct oclnn_param_group group = {.pattern = "fc*", .lr_scale = 2};
    const struct oclnn_trainer_params grouped = {.groups = &group, .group_count = 1};
    assert_int_equal(oclnn_trainer_create(m, &grouped, &t), OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(NULL), "parameter group: none of the 4 parameters"));
    assert_int_equal(oclnn_trainer_create(m, &(struct oclnn_trainer_params){.optimizer = {.lr = -1}}, &t),
        OCLNN_ERROR_ARGUMENT);
    assert_null(t);
    t = trainer(m, NULL);
    const struct oclnn_binding in[] = {{.data = x, .bytes = sizeof x, .shape = OCLNN_SHAPE(N, C, S, S)}, {0}};
    const struct oclnn_binding few[] = {{.data = label, .bytes = 3 * sizeof *label}, {0}};
    assert_int_equal(oclnn_trainer_step(t, in, few, NULL), OCLNN_ERROR_SHAPE);
    assert_int_equal(oclnn_trainer_step(t, NULL, NULL, NULL), OCLNN_ERROR_ARGUMENT);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(loss_goes_down),
        cmocka_unit_test(softmax_is_not_applied_twice), cmocka_unit_test(accumulation_is_a_larger_batch),
        cmocka_unit_test(same_seed_same_bits), cmocka_unit_test(not_finite_changes_nothing),
        cmocka_unit_test(model_runs_with_new_weights), cmocka_unit_test(frozen_and_clipped),
        cmocka_unit_test(averages), cmocka_unit_test(joined_updates_keep_the_bits),
        cmocka_unit_test(memory_budget), cmocka_unit_test(mistakes)};
    const int code = open_device(&ctx);
    if (code)
        return code;
    uint64_t seed = 9;
    for (int i = 0; i < N * C * S * S; i++)
        x[i] = (float)((double)(onn_test_random(&seed) >> 40) * 0x1p-23 - 1);
    for (int i = 0; i < N; i++)
        label[i] = (int64_t)(onn_test_random(&seed) % CLASSES);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
