/* Runs that are stopped and go on: bit by bit as if they had not been, whatever options train them; with other options; on
 * other data. Without --all every second set of options, OCLNN_TEST_SEED chooses which. */
#include "train/stripes.h"
#include "train/trainer.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASSES STRIPES_CLASSES
#define EPOCHS 2

static oclnn_context *ctx;
static oclnn_dataset *data, *held_out;
static char path[] = "/tmp/oclnn-resume-XXXXXX", second[sizeof path + 2];
static bool every_set;

/* Deep enough that there is something to compute again. */
static oclnn_model *deep_network(void)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 3}, &g));
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 1, STRIPES_SIDE, STRIPES_SIDE));
    for (int i = 0; i < 10; i++) {
        v = oclnn_conv2d(g, v, 16, 3, &(struct oclnn_conv){.pad = {1, 1, 1, 1}});
        v = oclnn_relu(g, oclnn_batch_norm(g, v, NULL));
    }
    oclnn_output(g, "logits", oclnn_dense(g, oclnn_flatten(g, v), CLASSES, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    return m;
}

/* ---- the same options: the same bits ---- */

struct combination {
    const char *name;
    struct oclnn_trainer_params params;
    struct oclnn_fit fit;
    int batch; /* 0 = 50: six steps per epoch */
    bool validated, deep;
    int stops[3]; /* steps after which the run ends, 0 ends the list */
};
#define ADAM .optimizer = {.kind = OCLNN_ADAM, .lr = 0.01f}
static struct combination combinations[] = {
    {.name = "schedule and augmentation",
        .params = {ADAM, .schedule = {.kind = OCLNN_COSINE}},
        .fit = {.augment = {.flip = 1, .crop = 1}},
        .batch = 25,
        .stops = {17, 12, 24}},
    {.name = "inside a group of accumulated batches", .params = {ADAM, .accumulate = 4}, .stops = {5, 4, 7}},
    {.name = "averages", .params = {ADAM, .ema = 0.9f}, .validated = true, .stops = {4, 6}},
    {.name = "mixup",
        .params = {.optimizer = {.lr = 0.05f, .momentum = 0.9f}},
        .fit = {.augment = {.mixup = 0.3f, .rotate = 20}},
        .stops = {5}},
    {.name = "plateau",
        .params = {.optimizer = {.kind = OCLNN_RMSPROP, .lr = 1e-6f, .momentum = 0.5f},
            .schedule = {.kind = OCLNN_PLATEAU, .size = 1, .gamma = 0.5f}},
        .validated = true,
        .stops = {6, 8}},
    {.name = "clipping",
        .params = {.optimizer = {.kind = OCLNN_ADAGRAD}, .clip_norm = 0.5f, .clip_value = 0.1f},
        .stops = {3}},
    {.name = "lamb",
        .params = {.optimizer = {.kind = OCLNN_LAMB, .weight_decay = 0.01f},
            .schedule = {.kind = OCLNN_STEP, .size = 1, .warmup = 0.5f}},
        .stops = {7}},
    {.name = "frozen layers, smoothing",
        .params = {.optimizer = {.kind = OCLNN_LARS}, .freeze = "conv*", .label_smoothing = 0.1f},
        .stops = {7}},
    {.name = "the rest of an epoch", /* 80 + 80 + 80 + 60 */
        .params = {ADAM, .accumulate = 3, .ema = 0.5f},
        .fit = {.keep_last = 1, .augment = {.flip = 1}},
        .batch = 80,
        .stops = {4, 3, 5}},
    {.name = "memory budget", .params = {ADAM}, .deep = true, .stops = {4}},
};

struct watch {
    const char *copy; /* the checkpoint is copied here at step `stop`, before that step's own is written */
    int steps, stop;
    double loss[EPOCHS], top1[EPOCHS]; /* of training, per epoch */
};

static void copy_file(const char *from, const char *to)
{
    char part[4096];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in && out);
    for (size_t n; (n = fread(part, 1, sizeof part, in)) > 0;)
        assert_int_equal(fwrite(part, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static int on_step(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct watch *w = user;
    (void)t;
    (void)p;
    w->steps++;
    if (w->steps == w->stop && w->copy)
        copy_file(path, w->copy);
    return w->steps == w->stop;
}

static int on_epoch(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct watch *w = user;
    assert_int_equal(oclnn_trainer_get_epochs(t), p->epoch);
    w->loss[p->epoch] = p->loss;
    w->top1[p->epoch] = p->top1;
    return 0;
}

/* Everything that a trainer changes, and what it told, behind each other. */
struct everything {
    unsigned char *bytes;
    size_t n;
};

static oclnn_trainer *begin(const struct combination *c, oclnn_model **m)
{
    oclnn_trainer *t = NULL;
    *m = c->deep ? deep_network() : stripes_network(ctx, CLASSES);
    good(oclnn_trainer_create(*m, &c->params, &t));
    return t;
}

static struct everything end(oclnn_trainer *t, oclnn_model *m, struct watch *told)
{
    struct everything all = {0};
    all.bytes = onn_test_state(t, NULL, &all.n);
    all.bytes = realloc(all.bytes, all.n + sizeof told->loss);
    assert_non_null(all.bytes);
    memcpy(all.bytes + all.n, told->loss, sizeof told->loss);
    all.n += sizeof told->loss;
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    return all;
}

/* Stopped after `stop` steps and resumed by a new trainer (0: not). killed: from the last checkpoint before. */
static struct everything run(const struct combination *c, int stop, bool killed, struct watch *told)
{
    oclnn_model *m = NULL;
    oclnn_trainer *t = begin(c, &m);
    const oclnn_dataset *validation = c->validated ? held_out : NULL;
    struct oclnn_fit fit = c->fit;
    struct watch first = {.stop = stop, .copy = killed ? second : NULL};
    fit.epochs = EPOCHS;
    fit.batch = c->batch ? c->batch : 50;
    fit.on_epoch = on_epoch;
    if (stop) {
        fit.checkpoint = path;
        fit.checkpoint_steps = killed ? 1 : 0;
        fit.on_step = on_step;
        fit.user = &first;
        good(oclnn_trainer_fit(t, data, validation, &fit));
        assert_int_equal(first.steps, stop);
        *told = first;
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
        t = begin(c, &m);
        good(oclnn_trainer_load(t, killed ? second : path));
        assert_non_null(t->saved); /* the plans' choices come along */
        fit.checkpoint = NULL;
        fit.on_step = NULL;
    }
    fit.user = told;
    good(oclnn_trainer_fit(t, data, validation, &fit));
    assert_int_equal(oclnn_trainer_get_epochs(t), EPOCHS);
    return end(t, m, told);
}

static void compare(const struct combination *c, int stop, bool killed, const struct everything *want)
{
    struct watch told = {0};
    struct everything got = run(c, stop, killed, &told);
    assert_int_equal(got.n, want->n);
    if (memcmp(got.bytes, want->bytes, got.n) != 0)
        fail_msg("%s: other bits after a stop at step %d%s", c->name, stop, killed ? ", killed" : "");
    free(got.bytes);
}

static void resumes_bit_by_bit(void **state)
{
    const char *seed = getenv("OCLNN_TEST_SEED");
    (void)state;
    for (size_t i = 0; i < sizeof combinations / sizeof *combinations; i++) {
        struct combination *c = &combinations[i];
        struct watch told = {0};
        if (!every_set && !c->deep && (i + (size_t)(seed ? atoi(seed) : 1)) % 2)
            continue;
        c->params.seed = 4;
        if (c->deep) { /* so much that something is computed again */
            oclnn_model *m = NULL;
            struct oclnn_trainer_bytes bytes;
            oclnn_trainer *t = begin(c, &m);
            good(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.batch = 50}));
            good(oclnn_trainer_get_bytes(t, &bytes));
            c->params.memory_budget = bytes.arena * 7 / 10;
            oclnn_trainer_destroy(&t);
            oclnn_model_destroy(&m);
        }
        struct everything want = run(c, 0, false, &told);
        assert_true(told.loss[1] > 0 && told.loss[1] < told.loss[0] + 0.2);
        for (int k = 0; k < 3 && c->stops[k]; k++)
            compare(c, c->stops[k], false, &want);
        compare(c, c->stops[0], true, &want);
        free(want.bytes);
    }
}

/* What recompute aimed at comes out of the checkpoint: the same bytes in one try. */
static void keeps_what_is_computed_again(void **state)
{
    struct combination c = combinations[sizeof combinations / sizeof *combinations - 1];
    struct oclnn_trainer_bytes bytes[2];
    oclnn_model *m = NULL;
    (void)state;
    assert_true(c.deep && c.params.memory_budget);
    for (int k = 0; k < 2; k++) {
        oclnn_trainer *t = begin(&c, &m);
        if (k)
            good(oclnn_trainer_load(t, path));
        good(oclnn_trainer_fit(t, data, NULL,
            &(struct oclnn_fit){.epochs = 1 + k, .batch = 50, .checkpoint = path}));
        good(oclnn_trainer_get_bytes(t, &bytes[k]));
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
    }
    assert_true(bytes[0].recomputed > 0 && bytes[0].recomputed == bytes[1].recomputed);
    assert_int_equal(bytes[0].arena, bytes[1].arena);
}

/* ---- other options ---- */

static char warnings[8192];
static void note(void *user, enum oclnn_log_level level, const char *line)
{
    (void)user;
    const size_t at = strlen(warnings);
    if (level == OCLNN_LOG_WARN)
        snprintf(warnings + at, sizeof warnings - at, "%s\n", line);
}

/* A run of two epochs of which the second has other options; it stopped inside the first. */
static void goes_on_with_other_options(void **state)
{
    const struct oclnn_trainer_params plain = {.optimizer = {.kind = OCLNN_ADAM}, .seed = 4};
    static const struct {
        struct oclnn_trainer_params before, after;
        const char *passes_off, *warning;
    } cases[] = {
        {.after = {.clip_norm = 1}, .warning = "planned anew"},
        {.after = {.freeze = "conv*"}, .warning = "planned anew"},
        {.before = {.freeze = "conv*"}, .after = {.freeze = ""}, .warning = "planned anew"},
        {.passes_off = "updates", .warning = "planned anew"},
        {.after = {.ema = 0.9f}, .warning = "planned anew"},
        {.before = {.ema = 0.9f}, .after = {.ema = 0}, .warning = "planned anew"},
        {.before = {.accumulate = 3},
            .after = {.accumulate = 2},
            .warning = "2 of a begun group are left out"},
        {.before = {.accumulate = 3},
            .after = {.accumulate = 1},
            .warning = "2 of a begun group are left out"},
        {.after = {.memory_budget = 1 << 30}},
    };
    oclnn_context *own = NULL;
    oclnn_dataset *same = NULL;
    (void)state;
    good(
        oclnn_context_create(&(struct oclnn_context_params){.log = note, .log_level = OCLNN_LOG_WARN}, &own));
    same = stripes_data(own, STRIPES_COUNT, stripes_sample, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct watch w = {.stop = 2};
        for (int k = 0; k < 2; k++) {
            struct oclnn_trainer_params params = k ? cases[i].after : cases[i].before;
            oclnn_trainer *t = NULL;
            oclnn_model *m = stripes_network_with(own, CLASSES,
                &(struct oclnn_model_params){.passes_off = k ? cases[i].passes_off : NULL});
            params.optimizer = plain.optimizer;
            params.seed = plain.seed;
            good(oclnn_trainer_create(m, &params, &t));
            *warnings = '\0';
            if (k)
                good(oclnn_trainer_load(t, path));
            struct oclnn_fit fit = {.epochs = 2, .batch = 50, .checkpoint = path};
            if (!k) {
                fit.on_step = on_step;
                fit.user = &w;
            }
            good(oclnn_trainer_fit(t, same, NULL, &fit));
            if (k && cases[i].warning && !strstr(warnings, cases[i].warning))
                fail_msg("case %zu: no word of '%s' but '%s'", i, cases[i].warning, warnings);
            if (k)
                assert_int_equal(oclnn_trainer_get_epochs(t), 2);
            oclnn_trainer_destroy(&t);
            oclnn_model_destroy(&m);
        }
    }
    oclnn_dataset_destroy(&same);
    oclnn_context_destroy(&own);
}

/* An average that begins now begins at the weights, not at zero. */
static void averages_begin_at_the_weights(void **state)
{
    oclnn_model *m = stripes_network(ctx, CLASSES);
    oclnn_trainer *t = NULL;
    (void)state;
    good(oclnn_trainer_create(m, NULL, &t));
    good(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.batch = 100, .checkpoint = path}));
    oclnn_trainer_destroy(&t);
    good(oclnn_trainer_create(m, &(struct oclnn_trainer_params){.ema = 0.9f}, &t));
    good(oclnn_trainer_load(t, path));
    assert_int_equal(t->n_averages, t->n_params + 2); /* mean and variance */
    for (int k = 0; k < t->n_averages; k++) {
        const struct onn_average *a = &t->average[k];
        assert_memory_equal(a->blob->data, a->of->data, onn_desc_bytes(&a->of->desc));
    }
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

/* A text of choices that this library does not know. */
static void choices_of_another_library(void **state)
{
    oclnn_model *m = stripes_network(ctx, CLASSES);
    oclnn_trainer *t = NULL;
    (void)state;
    good(oclnn_trainer_create(m, NULL, &t));
    good(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.batch = 100, .checkpoint = path}));
    good(oclnn_trainer_load(t, path));
    for (struct onn_saved_choices *s = t->saved; s; s = s->next)
        s->text = "oclnn choices 2\nconv marvellous >\n";
    good(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.epochs = 2, .batch = 100}));
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

/* ---- other data ---- */

/* The same labels, other pixels. */
static enum oclnn_status other_sample(void *user, int64_t index, void *to, int64_t *label)
{
    const enum oclnn_status status = stripes_sample(user, index, to, label);
    ((uint8_t *)to)[3] ^= 1;
    return status;
}

static void interrupted_epoch_wants_its_data(void **state)
{
    const struct oclnn_fit usual = {.epochs = 2, .batch = 50, .augment = {.flip = 1, .zoom = 0.1f}};
    static const struct {
        struct oclnn_fit fit;
        int64_t count; /* of another set; 0: the same set */
        const char *want;
    } cases[] = {{{.batch = 25}, 0, "batch 50 (now 25)"}, {{.keep_last = 1}, 0, "(now 50 and the rest)"},
        {{.keep_order = 1}, 0, "order shuffled (now as it is)"},
        {{.augment = {.crop = 2}}, 0, "augmentation flip,zoom:0.1"}, {{0}, 200, "samples 300 (now 200)"},
        {{0}, STRIPES_COUNT, "data's fingerprint "}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oclnn_model *m = stripes_network(ctx, CLASSES);
        oclnn_trainer *t = NULL;
        struct oclnn_fit fit = usual, other = usual;
        struct watch w = {.stop = 4};
        oclnn_dataset *own = cases[i].count ? stripes_data(ctx, cases[i].count, other_sample, NULL) : NULL;
        const oclnn_dataset *set = own ? own : data;
        other.keep_last = cases[i].fit.keep_last;
        other.batch = cases[i].fit.batch ? cases[i].fit.batch : 50;
        other.keep_order = cases[i].fit.keep_order;
        if (cases[i].fit.augment.crop)
            other.augment = cases[i].fit.augment;
        fit.checkpoint = path;
        fit.on_step = on_step;
        fit.user = &w;
        good(oclnn_trainer_create(m, NULL, &t));
        good(oclnn_trainer_fit(t, data, NULL, &fit));
        good(oclnn_trainer_load(t, path));
        assert_int_equal(oclnn_trainer_fit(t, set, NULL, &other), OCLNN_ERROR_ARGUMENT);
        says(cases[i].want);
        says("epoch 1 was interrupted after 4 batches");
        assert_int_equal(oclnn_trainer_get_steps(t), 4);
        other.restart_epoch = 1;
        other.epochs = 1;
        good(oclnn_trainer_fit(t, set, NULL, &other)); /* a whole epoch */
        assert_int_equal(oclnn_trainer_get_steps(t),
            4 + (cases[i].count ? cases[i].count : STRIPES_COUNT) / other.batch);
        fit = usual;
        good(oclnn_trainer_fit(t, data, NULL, &fit)); /* between epochs anything goes */
        assert_int_equal(oclnn_trainer_get_epochs(t), 2);
        oclnn_trainer_destroy(&t);
        oclnn_model_destroy(&m);
        oclnn_dataset_destroy(&own);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(resumes_bit_by_bit),
        cmocka_unit_test(keeps_what_is_computed_again), cmocka_unit_test(goes_on_with_other_options),
        cmocka_unit_test(averages_begin_at_the_weights), cmocka_unit_test(choices_of_another_library),
        cmocka_unit_test(interrupted_epoch_wants_its_data)};
    every_set = argc > 1 && strcmp(argv[1], "--all") == 0;
    const int code = open_device(&ctx);
    if (code)
        return code;
    const int file = mkstemp(path);
    snprintf(second, sizeof second, "%s.2", path);
    data = stripes_data(ctx, STRIPES_COUNT, stripes_sample, NULL);
    held_out = stripes_data(ctx, 60, stripes_sample, NULL);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_dataset_destroy(&data);
    oclnn_dataset_destroy(&held_out);
    oclnn_context_destroy(&ctx);
    close(file);
    unlink(path);
    unlink(second);
    return failed;
}
