/* A class for every pixel: learning, scores, what does not count, resuming, mistakes. */
#include "harness/check.h"
#include "harness/train.h"
#include "train/trainer.h"
#include <oclnn/oclnn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT 60
#define S 16
#define CLASSES 3

static oclnn_context *ctx;
static oclnn_dataset *data;
static char path[] = "/tmp/oclnn-segment-XXXXXX";

/* A bright and a dark square in noise; the last row does not count, and the image is made to mislead there. */
static enum oclnn_status sample(void *user, int64_t index, void *to, uint8_t *mask)
{
    uint64_t seed = (uint64_t)index + 5;
    uint8_t *pixel = to;
    const int ax = (int)(onn_test_random(&seed) % 10), ay = (int)(onn_test_random(&seed) % 9);
    const int bx = (int)(onn_test_random(&seed) % 10), by = (int)(onn_test_random(&seed) % 9);
    (void)user;
    for (int y = 0; y < S; y++)
        for (int x = 0; x < S; x++) {
            const bool bright = x >= ax && x < ax + 6 && y >= ay && y < ay + 6;
            const bool dark = x >= bx && x < bx + 6 && y >= by && y < by + 6;
            const int class = dark ? 2 : bright ? 1 : 0, level = class == 2 ? 20 : class == 1 ? 190 : 105;
            mask[y * S + x] = (uint8_t)(y == S - 1 ? OCLNN_MASK_IGNORE : class);
            for (int c = 0; c < 3; c++)
                pixel[(c * S + y) * S + x] = (uint8_t)(level + (int)(onn_test_random(&seed) % 50));
        }
    return OCLNN_OK;
}

static oclnn_model *network(int classes, bool pooled)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 3, S, S));
    const struct oclnn_conv padded = {.same = 1};
    v = oclnn_relu(g, oclnn_batch_norm(g, oclnn_conv2d(g, v, 8, 3, &padded), NULL));
    v = pooled ? oclnn_max_pool2d(g, v, 2, NULL) : v;
    oclnn_output(g, "logits", oclnn_conv2d(g, v, classes, 3, &padded));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    return m;
}

static const struct oclnn_trainer_params usual = {.optimizer = {.kind = OCLNN_ADAM, .lr = 0.02f}, .seed = 4};

struct seen {
    int steps, stop_at;
    double loss[6], top1[6];
    double best_iou;
    struct oclnn_score last;
};
static int on_step(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct seen *s = user;
    (void)t;
    (void)p;
    return ++s->steps == s->stop_at;
}
static int on_epoch(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    struct seen *s = user;
    (void)t;
    s->loss[p->epoch] = p->loss;
    s->top1[p->epoch] = p->top1;
    if (p->validation) {
        s->last = *p->validation;
        assert_int_equal(p->improved, s->last.iou > s->best_iou); /* the monitor of the fits that validate */
        s->best_iou = fmax(s->best_iou, s->last.iou);
    }
    return 0;
}

/* The score by its definition, from what the model itself computes. */
static struct oclnn_score score_of(oclnn_model *m, const oclnn_dataset *d, int ignore)
{
    static float x[3 * S * S], y[CLASSES * S * S];
    uint8_t pixel[3 * S * S], mask[S * S];
    double both[CLASSES] = {0}, either[CLASSES] = {0}, right = 0;
    struct oclnn_score score = {0};
    struct oclnn_dataset_info info;
    good(oclnn_dataset_get_info(d, &info));
    for (int64_t i = 0; i < info.count; i++) {
        good(sample(NULL, i, pixel, mask));
        for (int k = 0; k < 3 * S * S; k++)
            x[k] = (float)pixel[k] * (1.0f / 255);
        good(oclnn_model_run(m, OCLNN_IN(x), OCLNN_OUT(y)));
        for (int k = 0; k < S * S; k++) {
            int best = 0;
            if (mask[k] == OCLNN_MASK_IGNORE || mask[k] == ignore)
                continue;
            for (int c = 1; c < CLASSES; c++)
                best = y[c * S * S + k] > y[best * S * S + k] ? c : best;
            score.count++;
            right += best == mask[k];
            both[best] += best == mask[k];
            either[best]++;
            either[mask[k]] += best != mask[k];
        }
    }
    int n = 0;
    for (int c = 0; c < CLASSES; c++)
        if (either[c] > 0) {
            score.iou += both[c] / either[c];
            n++;
        }
    score.iou /= n;
    score.top1 = right / (double)score.count;
    return score;
}

static void learns(void **state)
{
    oclnn_model *m = network(CLASSES, false);
    oclnn_trainer *t = NULL;
    struct seen seen = {0};
    struct oclnn_score score;
    (void)state;
    good(oclnn_trainer_create(m, &usual, &t));
    good(oclnn_trainer_fit(t, data, data,
        &(struct oclnn_fit){.epochs = 6,
            .batch = 6,
            .augment = {.flip = 1, .crop = 1, .rotate = 5},
            .monitor = OCLNN_MONITOR_IOU,
            .on_epoch = on_epoch,
            .user = &seen}));
    assert_true(seen.loss[5] < 0.4 * seen.loss[0] && seen.top1[5] > seen.top1[0]);
    assert_true(seen.last.count == COUNT * S * (S - 1) && seen.last.top5 == 0);
    if (seen.last.top1 < 0.93 || seen.last.iou < 0.8)
        fail_msg("accuracy %g, IoU %g", seen.last.top1, seen.last.iou);
    good(oclnn_trainer_evaluate(t, data, 7, &score)); /* another batch size, a rest: the same answers */
    assert_true(score.top1 == seen.last.top1 && score.iou == seen.last.iou);
    oclnn_trainer_destroy(&t);
    const struct oclnn_score want = score_of(m, data, -1);
    assert_true(want.count == score.count);
    assert_true(fabs(want.top1 - score.top1) < 1e-3 && fabs(want.iou - score.iou) < 2e-3);
    oclnn_model_destroy(&m);
}

/* With class 0 left out as well the network learns to call everything 1 or 2. */
static void classes_can_be_left_out(void **state)
{
    oclnn_model *m = network(CLASSES, false);
    oclnn_trainer *t = NULL;
    struct oclnn_trainer_params params = usual;
    struct oclnn_score score;
    (void)state;
    params.use_ignore = 1;
    params.ignore_index = 0;
    good(oclnn_trainer_create(m, &params, &t));
    good(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.epochs = 3, .batch = 6}));
    good(oclnn_trainer_evaluate(t, data, 0, &score));
    oclnn_trainer_destroy(&t);
    const struct oclnn_score want = score_of(m, data, 0), all = score_of(m, data, -1);
    assert_true(want.count == score.count && score.count < all.count);
    assert_true(fabs(want.top1 - score.top1) < 1e-3 && fabs(want.iou - score.iou) < 2e-3);
    assert_true(score.top1 > 0.95 && all.top1 < 0.7);
    oclnn_model_destroy(&m);
}

static void run(int stop, struct seen *told, struct oclnn_score *score)
{
    oclnn_model *m = network(CLASSES, false);
    oclnn_trainer *t = NULL;
    struct oclnn_fit fit = {.epochs = 2,
        .batch = 15,
        .checkpoint = path,
        .augment = {.flip = 1, .zoom = 0.1f},
        .on_step = on_step,
        .on_epoch = on_epoch,
        .user = told};
    told->stop_at = stop;
    good(oclnn_trainer_create(m, &usual, &t));
    good(oclnn_trainer_fit(t, data, NULL, &fit));
    if (stop) {
        good(oclnn_trainer_load(t, path));
        good(oclnn_trainer_fit(t, data, NULL, &fit));
    }
    assert_int_equal(told->steps, 8);
    good(oclnn_trainer_evaluate(t, data, 0, score));
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

static void resumes_bit_by_bit(void **state)
{
    struct seen whole = {0}, parts = {0};
    struct oclnn_score want, got;
    (void)state;
    run(0, &whole, &want);
    run(3, &parts, &got);
    assert_memory_equal(whole.loss, parts.loss, sizeof whole.loss);
    assert_memory_equal(whole.top1, parts.top1, sizeof whole.top1);
    assert_memory_equal(&want, &got, sizeof want);
}

/* A batch without a pixel that counts changes nothing and is no error. */
static enum oclnn_status nothing(void *user, int64_t index, void *to, uint8_t *mask)
{
    enum oclnn_status status = sample(user, index, to, mask);
    if (index < 6)
        memset(mask, OCLNN_MASK_IGNORE, S * S);
    return status;
}

static void empty_masks(void **state)
{
    oclnn_model *m = network(CLASSES, false);
    oclnn_trainer *t = NULL;
    oclnn_dataset *d = NULL;
    struct oclnn_score score;
    (void)state;
    good(oclnn_dataset_create_masks(ctx, 12, OCLNN_SHAPE(3, S, S), CLASSES, nothing, NULL, NULL, &d));
    good(oclnn_trainer_create(m, &usual, &t));
    good(oclnn_trainer_fit(t, d, d, &(struct oclnn_fit){.epochs = 2, .batch = 6, .keep_order = 1}));
    good(oclnn_trainer_evaluate(t, d, 6, &score));
    assert_true(score.count == 6 * S * (S - 1) && score.loss > 0 && score.loss < 3);
    oclnn_dataset_destroy(&d);
    good(oclnn_dataset_create_masks(ctx, 6, OCLNN_SHAPE(3, S, S), CLASSES, nothing, NULL, NULL, &d));
    assert_int_equal(oclnn_trainer_evaluate(t, d, 6, &score), OCLNN_ERROR_ARGUMENT);
    says("no pixel that counts");
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_dataset_destroy(&d);
}

static void mistakes(void **state)
{
    oclnn_model *two = network(2, false), *small = network(CLASSES, true);
    oclnn_trainer *t = NULL;
    struct oclnn_fit fit = {.batch = 6};
    (void)state;
    good(oclnn_trainer_create(two, &usual, &t));
    assert_int_equal(oclnn_trainer_fit(t, data, NULL, &fit), OCLNN_ERROR_ARGUMENT);
    says("3 classes");
    fit.augment.mixup = 0.2f;
    assert_int_equal(oclnn_trainer_fit(t, data, NULL, &fit), OCLNN_ERROR_ARGUMENT);
    says("mixup");
    oclnn_trainer_destroy(&t);
    fit.augment.mixup = 0;
    good(oclnn_trainer_create(small, &usual, &t));
    assert_int_equal(oclnn_trainer_fit(t, data, NULL, &fit), OCLNN_ERROR_ARGUMENT);
    says("wants N x classes x 16 x 16");
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&two);
    oclnn_model_destroy(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(learns), cmocka_unit_test(classes_can_be_left_out),
        cmocka_unit_test(resumes_bit_by_bit), cmocka_unit_test(empty_masks), cmocka_unit_test(mistakes)};
    const int code = open_device(&ctx);
    if (code)
        return code;
    const int file = mkstemp(path);
    good(oclnn_dataset_create_masks(ctx, COUNT, OCLNN_SHAPE(3, S, S), CLASSES, sample, NULL, NULL, &data));
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_dataset_destroy(&data);
    oclnn_context_destroy(&ctx);
    close(file);
    unlink(path);
    return failed;
}
