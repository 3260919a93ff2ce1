/* Every loss on data sets of classes: its value, its gradient and the scores are those of a reference in double. */
#include "train/trainer.h"
#include "train/stripes.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 5
#define C 2
#define S 3
#define PIXELS (S * S)
#define MOST 4 /* classes */
#define RATE 0.25

static oclnn_context *ctx;
static bool full; /* --all: every row of the tables */

/* What the network ends in. */
enum end { PLAIN, SIGMOID, SOFTMAX, LOG_SOFTMAX };

struct problem {
    enum oclnn_loss loss;
    enum end end;
    int outputs;
    bool masks, ignore, weighted; /* ignore: class 1 does not count */
    float smoothing, alpha, gamma;
};

static const float weights[MOST] = {0.5f, 2, 1.25f, 0.75f};

/* One linear layer over the features of a position: of a pixel its channels, of an image everything. */
struct network {
    int positions, features; /* positions: per image */
    double w[MOST * C * PIXELS + MOST];
};

static int classes_of(const struct problem *p)
{
    return p->outputs == 1 ? 2 : p->outputs;
}

static uint64_t draw(int64_t index, int i)
{
    uint64_t seed = (uint64_t)(index * 1000 + i) + 3;
    return onn_test_random(&seed) >> 20;
}
static uint8_t pixel_of(int64_t index, int i)
{
    return (uint8_t)(draw(index, i) % 256);
}
/* -1: does not count in a mask; the corner never does. */
static int class_of(const struct problem *p, int64_t index, int i)
{
    if (p->masks && i == 0)
        return -1;
    return (int)(draw(index, 500 + i) % (uint64_t)classes_of(p));
}

static enum oclnn_status image(void *user, int64_t index, void *to, int64_t *label)
{
    for (int i = 0; i < C * PIXELS; i++)
        ((uint8_t *)to)[i] = pixel_of(index, i);
    *label = class_of(user, index, 1);
    return OCLNN_OK;
}
static enum oclnn_status mask(void *user, int64_t index, void *to, uint8_t *classes)
{
    for (int i = 0; i < C * PIXELS; i++)
        ((uint8_t *)to)[i] = pixel_of(index, i);
    for (int i = 0; i < PIXELS; i++) {
        const int k = class_of(user, index, i);
        classes[i] = (uint8_t)(k < 0 ? OCLNN_MASK_IGNORE : k);
    }
    return OCLNN_OK;
}

static oclnn_dataset *data_of(const struct problem *p)
{
    oclnn_dataset *d = NULL;
    struct problem *user = (struct problem *)p;
    const struct oclnn_shape shape = OCLNN_SHAPE(C, S, S);
    if (p->masks)
        good(oclnn_dataset_create_masks(ctx, N, shape, classes_of(p), mask, user, NULL, &d));
    else
        good(oclnn_dataset_create(ctx, N, shape, OCLNN_U8, classes_of(p), image, user, NULL, &d));
    return d;
}

static oclnn_model *model_of(const struct problem *p)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, C, S, S));
    v = p->masks ? oclnn_conv2d(g, v, p->outputs, 1, NULL)
                 : oclnn_dense(g, oclnn_flatten(g, v), p->outputs, NULL);
    v = p->end == SIGMOID   ? oclnn_sigmoid(g, v)
        : p->end == SOFTMAX ? oclnn_softmax(g, v, 1)
        : p->end == PLAIN   ? v
                            : oclnn_log_softmax(g, v, 1);
    oclnn_output(g, "y", v);
    good(oclnn_model_create(ctx, &g, NULL, &m));
    return m;
}

/* ---- the reference ---- */

/* Scores of one position. */
static void scores(const struct problem *p, const struct network *net, int64_t index, int at, double *y)
{
    double sum = 0;
    for (int k = 0; k < p->outputs; k++) {
        y[k] = net->w[p->outputs * net->features + k];
        for (int f = 0; f < net->features; f++)
            y[k] += net->w[k * net->features + f] *
                ((double)pixel_of(index, p->masks ? f * PIXELS + at : f) * (double)(1.0f / 255));
        sum += exp(y[k]);
    }
    for (int k = 0; k < p->outputs; k++)
        y[k] = p->end == SIGMOID    ? 1 / (1 + exp(-y[k]))
            : p->end == SOFTMAX     ? exp(y[k]) / sum
            : p->end == LOG_SOFTMAX ? y[k] - log(sum)
                                    : y[k];
}

static double bce(double q, double t)
{
    return -t * log(q) - (1 - t) * log(1 - q);
}

static double each(const struct problem *p, double y, double t)
{
    const double q = 1 / (1 + exp(-y)), alpha = p->alpha != 0 ? (double)p->alpha : 0.25;
    const double gamma = p->gamma != 0 ? (double)p->gamma : 2, d = fabs(y - t);
    const double delta = p->alpha != 0 ? (double)p->alpha : 1;
    switch (p->loss) {
    case OCLNN_LOSS_BCE: return bce(y, t);
    case OCLNN_LOSS_BCE_LOGITS: return bce(q, t);
    case OCLNN_LOSS_FOCAL:
        return (alpha * t + (1 - alpha) * (1 - t)) * pow(q * (1 - t) + (1 - q) * t, gamma) * bce(q, t);
    case OCLNN_LOSS_MSE: return d * d;
    case OCLNN_LOSS_L1: return d;
    case OCLNN_LOSS_HUBER: return d <= delta ? d * d / 2 : delta * (d - delta / 2);
    case OCLNN_LOSS_KL: return t > 0 ? t * (log(t) - y) : 0;
    default: fail_msg("no such loss"); return 0;
    }
}

/* The class of a position, -1 where it does not count. */
static int counted(const struct problem *p, int64_t index, int at)
{
    const int k = class_of(p, index, p->masks ? at : 1);
    return p->ignore && k == 1 ? -1 : k;
}

/* What a position of class k shall give at output o. */
static double target(const struct problem *p, int k, int o, bool training)
{
    const double s = training ? (double)p->smoothing : 0;
    const bool is = p->outputs == 1 ? k == 1 : k == o;
    return (1 - s) * (is ? 1 : 0) + s / classes_of(p);
}

static double dice_of(const struct problem *p, const struct network *net, int64_t n, int first, int last,
    bool training)
{
    double both = 0, all = 0, y[MOST];
    const double smooth = p->alpha != 0 ? (double)p->alpha : 1;
    for (int at = 0; at < net->positions; at++) {
        const int k = counted(p, n, at);
        scores(p, net, n, at, y);
        double sum = 0;
        for (int o = 0; o < p->outputs; o++)
            sum += exp(y[o]);
        for (int o = first; o < last && k >= 0; o++) {
            const double t = target(p, k, o, training);
            const bool is_logit = p->loss == OCLNN_LOSS_DICE_LOGITS;
            const double q = !is_logit ? y[o] : p->outputs == 1 ? 1 / (1 + exp(-y[o])) : exp(y[o]) / sum;
            both += q * t;
            all += q + t;
        }
    }
    return 1 - (2 * both + smooth) / (all + smooth);
}

static double dice(const struct problem *p, const struct network *net, bool training)
{
    double sum = 0;
    for (int64_t n = 0; n < N; n++)
        for (int o = 0; o < (p->masks ? p->outputs : 1); o++)
            sum += dice_of(p, net, n, p->masks ? o : 0, p->masks ? o + 1 : p->outputs, training);
    return sum / (N * (p->masks ? p->outputs : 1));
}

static double loss_of(const struct problem *p, const struct network *net, bool training)
{
    double sum = 0, all = 0, y[MOST];
    if (p->loss == OCLNN_LOSS_DICE || p->loss == OCLNN_LOSS_DICE_LOGITS)
        return dice(p, net, training);
    for (int64_t n = 0; n < N; n++)
        for (int at = 0; at < net->positions; at++) {
            const int k = counted(p, n, at);
            if (k < 0)
                continue;
            const double weight = p->weighted ? (double)weights[k] : 1;
            scores(p, net, n, at, y);
            for (int o = 0; o < p->outputs; o++)
                sum += weight * each(p, y[o], target(p, k, o, training));
            all += weight * p->outputs;
        }
    return sum / (p->loss == OCLNN_LOSS_KL ? N : all);
}

static struct oclnn_score score_of(const struct problem *p, const struct network *net)
{
    struct oclnn_score s = {.loss = loss_of(p, net, false)};
    double both[MOST] = {0}, either[MOST] = {0}, y[MOST];
    const bool is_logit =
        p->loss == OCLNN_LOSS_BCE_LOGITS || p->loss == OCLNN_LOSS_FOCAL || p->loss == OCLNN_LOSS_DICE_LOGITS;
    int n_classes = 0;
    for (int64_t n = 0; n < N; n++)
        for (int at = 0; at < net->positions; at++) {
            const int k = counted(p, n, at);
            int best = 0;
            scores(p, net, n, at, y);
            for (int o = 1; o < p->outputs; o++)
                best = y[o] > y[best] ? o : best;
            if (p->outputs == 1)
                best = y[0] > (is_logit ? 0 : 0.5);
            if (k < 0)
                continue;
            s.count++;
            s.top1 += best == k;
            either[k]++;
            either[best] += best != k;
            both[k] += best == k;
        }
    for (int k = 0; k < classes_of(p); k++) {
        s.iou += either[k] > 0 ? both[k] / either[k] : 0;
        n_classes += either[k] > 0;
    }
    s.iou = p->masks ? s.iou / n_classes : 0;
    s.top1 /= (double)s.count;
    return s;
}

/* ---- the trainer ---- */

static void read_network(const struct problem *p, const oclnn_trainer *t, struct network *net)
{
    size_t n = 0;
    float *w = onn_test_weights(t, &n);
    net->positions = p->masks ? PIXELS : 1;
    net->features = p->masks ? C : C * PIXELS;
    assert_int_equal(n, p->outputs * (net->features + 1));
    for (size_t i = 0; i < n; i++)
        net->w[i] = (double)w[i];
    free(w);
}

static int keep_loss(void *user, oclnn_trainer *t, const struct oclnn_progress *p)
{
    (void)t;
    *(double *)user = p->loss;
    return 0;
}

static void near(const struct problem *p, const char *what, double got, double want, double most)
{
    if (!(fabs(got - want) <= most))
        fail_msg("loss %d of %d outputs, masks %d: %s is %.9g, not %.9g", (int)p->loss, p->outputs, p->masks,
            what, got, want);
}

static struct oclnn_trainer_params params_of(const struct problem *p)
{
    return (struct oclnn_trainer_params){.loss = p->loss,
        .optimizer = {.kind = OCLNN_SGD, .lr = (float)RATE},
        .label_smoothing = p->smoothing,
        .use_ignore = p->ignore,
        .ignore_index = 1,
        .class_weights = p->weighted ? weights : NULL,
        .class_count = p->weighted ? classes_of(p) : 0,
        .alpha = p->alpha,
        .gamma = p->gamma};
}

static void compare(const struct problem *p)
{
    oclnn_dataset *data = data_of(p);
    oclnn_model *m = model_of(p);
    oclnn_trainer *t = NULL;
    struct network before, after;
    struct oclnn_score score;
    double loss = -1;
    const struct oclnn_trainer_params params = params_of(p);
    good(oclnn_trainer_create(m, &params, &t));
    read_network(p, t, &before);
    const struct oclnn_score want = score_of(p, &before);
    good(oclnn_trainer_evaluate(t, data, N, &score));
    near(p, "the loss of evaluation", score.loss, want.loss, 2e-5 * (1 + fabs(want.loss)));
    assert_int_equal(score.count, want.count);
    near(p, "the accuracy", score.top1, want.top1, 1e-12);
    near(p, "the IoU", score.iou, want.iou, 1e-12);
    good(oclnn_trainer_fit(t, data, NULL,
        &(struct oclnn_fit){.batch = N, .keep_order = 1, .on_step = keep_loss, .user = &loss}));
    const double trained = loss_of(p, &before, true);
    near(p, "the loss of training", loss, trained, 2e-5 * (1 + fabs(trained)));
    read_network(p, t, &after);
    for (int i = 0; i < p->outputs * (before.features + 1); i++) {
        struct network moved = before;
        const double h = 1e-5;
        moved.w[i] += h;
        const double up = loss_of(p, &moved, true);
        moved.w[i] -= 2 * h;
        const double slope = (up - loss_of(p, &moved, true)) / (2 * h);
        near(p, "a gradient", (before.w[i] - after.w[i]) / RATE, slope, 1e-4 * (1 + fabs(slope)));
    }
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_dataset_destroy(&data);
}

/* The first ones are the sample of a usual run. */
static void compare_all(const struct problem *problems, size_t n, size_t sample)
{
    for (size_t i = 0; i < (full ? n : sample); i++)
        compare(&problems[i]);
}

static void images(void **state)
{
    static const struct problem problems[] = {
        {.loss = OCLNN_LOSS_BCE_LOGITS, .outputs = 4, .weighted = true, .smoothing = 0.1f},
        {.loss = OCLNN_LOSS_FOCAL, .outputs = 1, .weighted = true, .gamma = 1.5f},
        {.loss = OCLNN_LOSS_MSE, .outputs = 3, .ignore = true},
        {.loss = OCLNN_LOSS_KL, .end = LOG_SOFTMAX, .outputs = 3, .smoothing = 0.2f},
        {.loss = OCLNN_LOSS_BCE, .end = SOFTMAX, .outputs = 3},
        {.loss = OCLNN_LOSS_BCE_LOGITS, .outputs = 1},
        {.loss = OCLNN_LOSS_HUBER, .outputs = 3, .alpha = 0.25f},
        {.loss = OCLNN_LOSS_DICE, .end = SIGMOID, .outputs = 1},
    };
    (void)state;
    compare_all(problems, sizeof problems / sizeof *problems, 2);
}

static void pixels(void **state)
{
    static const struct problem problems[] = {
        {.loss = OCLNN_LOSS_BCE, .end = SIGMOID, .outputs = 1},
        {.loss = OCLNN_LOSS_L1, .outputs = 3, .weighted = true, .ignore = true},
        {.loss = OCLNN_LOSS_DICE, .end = SOFTMAX, .outputs = 3, .alpha = 2},
        {.loss = OCLNN_LOSS_DICE_LOGITS, .outputs = 1},
        {.loss = OCLNN_LOSS_BCE_LOGITS, .outputs = 1, .weighted = true, .smoothing = 0.1f},
        {.loss = OCLNN_LOSS_FOCAL, .outputs = 3, .alpha = 0.6f, .ignore = true},
        {.loss = OCLNN_LOSS_KL, .end = LOG_SOFTMAX, .outputs = 2},
        {.loss = OCLNN_LOSS_DICE_LOGITS, .outputs = 3, .ignore = true, .smoothing = 0.1f},
    };
    (void)state;
    compare_all(problems, sizeof problems / sizeof *problems, 2);
}

/* Two classes of which a single output tells the second; mixed images have mixed targets. */
static enum oclnn_status two_stripes(void *user, int64_t index, void *to, int64_t *label)
{
    return stripes_sample(user, index / 2 * STRIPES_CLASSES + index % 2, to, label);
}

static void learns(void **state)
{
    oclnn_model *m = stripes_network(ctx, 1);
    oclnn_trainer *t = NULL;
    oclnn_dataset *data = NULL;
    struct oclnn_score score;
    (void)state;
    good(oclnn_dataset_create(ctx, 200, OCLNN_SHAPE(1, STRIPES_SIDE, STRIPES_SIDE), OCLNN_U8, 2, two_stripes,
        NULL, NULL, &data));
    good(oclnn_trainer_create(m,
        &(struct oclnn_trainer_params){.loss = OCLNN_LOSS_BCE_LOGITS,
            .optimizer = {.kind = OCLNN_ADAM, .lr = 0.01f}},
        &t));
    good(oclnn_trainer_fit(t, data, NULL,
        &(struct oclnn_fit){.epochs = 8, .batch = 20, .augment = {.mixup = 0.2f}}));
    good(oclnn_trainer_evaluate(t, data, 0, &score));
    if (!(score.top1 > 0.9 && score.top5 == 1))
        fail_msg("only %g right", score.top1);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_dataset_destroy(&data);
}

static void counts(void **state)
{
    const struct problem problems[] = {{.outputs = 4}, {.outputs = 3, .masks = true}};
    (void)state;
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        const struct problem *p = &problems[i];
        oclnn_dataset *data = data_of(p), *first = NULL, *second = NULL;
        int64_t got[3][MOST], want[MOST] = {0};
        for (int64_t n = 0; n < N; n++)
            for (int at = 0; at < (p->masks ? PIXELS : 1); at++)
                if (counted(p, n, at) >= 0)
                    want[counted(p, n, at)]++;
        good(oclnn_dataset_split(data, 0.4, 1, &first, &second));
        good(oclnn_dataset_get_counts(data, got[0], p->outputs));
        good(oclnn_dataset_get_counts(first, got[1], p->outputs));
        good(oclnn_dataset_get_counts(second, got[2], p->outputs));
        for (int k = 0; k < p->outputs; k++)
            assert_true(got[0][k] == want[k] && got[1][k] + got[2][k] == want[k]);
        assert_int_equal(oclnn_dataset_get_counts(data, got[0], 2), OCLNN_ERROR_ARGUMENT);
        says("classes, not 2");
        oclnn_dataset_destroy(&first);
        oclnn_dataset_destroy(&second);
        oclnn_dataset_destroy(&data);
    }
}

/* ---- mistakes ---- */

static void refused(const struct problem *network, const struct oclnn_trainer_params *params, int classes,
    const char *words)
{
    oclnn_model *m = model_of(network);
    oclnn_trainer *t = NULL;
    struct problem labels = *network;
    labels.outputs = classes;
    oclnn_dataset *data = data_of(&labels);
    good(oclnn_trainer_create(m, params, &t));
    assert_int_equal(oclnn_trainer_fit(t, data, NULL, &(struct oclnn_fit){.batch = N}), OCLNN_ERROR_ARGUMENT);
    says(words);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_dataset_destroy(&data);
}

static void mistakes(void **state)
{
    static const struct {
        struct problem network;
        enum oclnn_loss loss;
        int classes;
        const char *words;
    } cases[] = {
        {{.outputs = 3}, OCLNN_LOSS_BCE, 3, "or bce-logits"},
        {{.outputs = 3, .masks = true}, OCLNN_LOSS_DICE, 3, "comes from Conv"},
        {{.outputs = 3, .end = SOFTMAX}, OCLNN_LOSS_KL, 3, "log-probabilities"},
        {{.outputs = 3, .end = SOFTMAX, .masks = true}, OCLNN_LOSS_DICE_LOGITS, 3, "comes from Softmax"},
        {{.outputs = 1, .end = SIGMOID}, OCLNN_LOSS_FOCAL, 2, "leave it out"},
        {{.outputs = 1}, OCLNN_LOSS_KL, 2, "at least two classes"},
        {{.outputs = 1}, OCLNN_LOSS_BCE_LOGITS, 3, "has 3 classes, the prediction only 2"},
        {{.outputs = 1}, OCLNN_LOSS_SOFTMAX_CE, 2, "has 2 classes, the prediction only 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(&cases[i].network, &(struct oclnn_trainer_params){.loss = cases[i].loss}, cases[i].classes,
            cases[i].words);
    const struct problem three = {.outputs = 3};
    refused(&three,
        &(struct oclnn_trainer_params){.loss = OCLNN_LOSS_MSE, .class_weights = weights, .class_count = 2}, 3,
        "weights of 2 classes, the prediction has 3");
}

static void weights_want_classes(void **state)
{
    static float x[N * C * PIXELS], y[N * 3];
    const struct problem three = {.outputs = 3};
    struct oclnn_trainer_params params = {.class_weights = weights, .class_count = 3};
    oclnn_model *m = model_of(&three);
    oclnn_trainer *t = NULL;
    (void)state;
    params.loss = OCLNN_LOSS_DICE;
    assert_int_equal(oclnn_trainer_create(m, &params, &t), OCLNN_ERROR_ARGUMENT);
    says("no class_weights");
    params.loss = OCLNN_LOSS_MSE;
    const float negative[3] = {1, -1, 1};
    params.class_weights = negative;
    assert_int_equal(oclnn_trainer_create(m, &params, &t), OCLNN_ERROR_ARGUMENT);
    says("class_weights[1] = -1");
    params.class_weights = weights;
    good(oclnn_trainer_create(m, &params, &t));
    const struct oclnn_binding in[] = {{.data = x, .bytes = sizeof x, .shape = OCLNN_SHAPE(N, C, S, S)}, {0}};
    const struct oclnn_binding to[] = {{.data = y, .bytes = sizeof y}, {0}};
    assert_int_equal(oclnn_trainer_step(t, in, to, NULL), OCLNN_ERROR_ARGUMENT);
    says("targets that are classes");
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(images), cmocka_unit_test(pixels),
        cmocka_unit_test(learns), cmocka_unit_test(counts), cmocka_unit_test(mistakes),
        cmocka_unit_test(weights_want_classes)};
    full = argc > 1 && !strcmp(argv[1], "--all");
    const int code = open_device(&ctx);
    if (code)
        return code;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
