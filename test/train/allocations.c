/* A step of training allocates nothing once there is a plan for it: neither host memory nor, by the context's own counters,
 * device objects; with accumulation, clipping, averages and a change of the rate too, and inside an epoch of fit. */
#include "harness/heap.h"
#include "runtime/context.h"
#include "train/stripes.h"
#include <oclnn/zoo.h>

#include <stdlib.h>

#define MOST (8 * 28 * 28)

static oclnn_context *ctx;
static float x[MOST];
static int64_t label[8] = {0, 1, 2, 0, 1, 2, 0, 1};

static oclnn_model *lenet(void)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(NULL, &g));
    good(oclnn_zoo_build("lenet5", g, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    return m;
}

static const struct oclnn_trainer_params variants[] = {{.optimizer = {.momentum = 0.9f}},
    {.optimizer = {.kind = OCLNN_ADAM}, .accumulate = 3, .clip_norm = 1, .clip_value = 0.5f, .ema = 0.9f}};

struct mark {
    struct onn_counters counters;
    bool begun;
};

static void begin(struct mark *m)
{
    m->counters = onn_context_counters(ctx);
    m->begun = true;
    onn_heap_fail(0, false);
}

static void end(const struct mark *m)
{
    const struct onn_counters now = onn_context_counters(ctx);
    assert_true(m->begun);
    assert_int_equal(onn_heap_calls(), 0);
    assert_int_equal(now.buffers_created, m->counters.buffers_created);
    assert_int_equal(now.kernels_created, m->counters.kernels_created);
    assert_int_equal(now.programs_built, m->counters.programs_built);
    assert_true(now.launches > m->counters.launches);
}

/* ---- steps of the program's own ---- */

static void steps(oclnn_model *m, int side, const struct oclnn_trainer_params *params)
{
    const size_t one = (size_t)side * (size_t)side;
    const struct oclnn_binding in[] = {{.data = x,
                                           .bytes = 8 * one * sizeof *x,
                                           .shape = OCLNN_SHAPE(8, 1, side, side)},
        {0}};
    const struct oclnn_binding target[] = {{.data = label, .bytes = sizeof label}, {0}};
    oclnn_trainer *t = NULL;
    struct mark mark = {0};
    float loss = 0;
    good(oclnn_trainer_create(m, params, &t));
    onn_heap_fail(0, false);
    for (int i = 0; i < 18; i++) {
        if (i == 6)
            begin(&mark);
        if (i % 4 == 0) /* a rate that the device has not */
            good(oclnn_trainer_set_lr(t, 0.01f / (float)(i + 1)));
        good(oclnn_trainer_step(t, in, target, i % 2 ? &loss : NULL));
        if (params->accumulate < 2)
            good(oclnn_trainer_step(t, NULL, NULL, &loss));
        if (i == 1)
            assert_true(onn_heap_calls() > 0); /* the counter counts */
    }
    end(&mark);
    assert_true(oclnn_trainer_get_steps(t) > 0);
    oclnn_trainer_destroy(&t);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    oclnn_model *m = lenet();
    steps(m, 28, &variants[0]);
    oclnn_model_destroy(&m);
    m = stripes_network(ctx, STRIPES_CLASSES);
    steps(m, STRIPES_SIDE, &variants[1]);
    oclnn_model_destroy(&m);
}

/* ---- fit ---- */

static int on_step(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct mark *m = user;
    (void)t;
    if (p->step == 4)
        begin(m);
    if (p->step > 4)
        end(m);
    return 0;
}

static void an_epoch_allocates_nothing_between_its_ends(void **state)
{
    (void)state;
    oclnn_dataset *data = stripes_data(ctx, STRIPES_COUNT, stripes_sample, NULL);
    oclnn_model *m = stripes_network(ctx, STRIPES_CLASSES);
    oclnn_trainer *t = NULL;
    struct mark mark = {0};
    good(oclnn_trainer_create(m, &variants[1], &t));
    good(oclnn_trainer_fit(t, data, NULL,
        &(struct oclnn_fit){.epochs = 2,
            .batch = 25,
            .augment = {.flip = 1, .crop = 1, .mixup = 0.2f},
            .on_step = on_step,
            .user = &mark}));
    assert_true(mark.begun);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_dataset_destroy(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(an_epoch_allocates_nothing_between_its_ends)};
    const int code = open_device(&ctx);
    if (code)
        return code;
    for (int i = 0; i < MOST; i++)
        x[i] = (float)((i * 7 + i / 64) % 29) / 29;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
