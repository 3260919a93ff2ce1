/* Random graphs of layers that share, cut, join and turn each other's values: as planned, in a format that is drawn and with
 * a pass that is left out, they give what they give without any pass and with the plainest kernels; twice the same bits.
 * Command line: [--all] [--seed N] [--graphs N] [--verbose]. Graph N is always the same one; graphs count from --seed on. */
#include "harness/check.h"
#include "harness/train.h"
#include <oclnn/oclnn.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define SAMPLE 20 /* graphs in the test command */
#define FULL 1000
#define LAYERS 14
#define MAX_VALUES 48
#define MAX_ELEMENTS 20000

static oclnn_context *ctx;
static struct {
    uint64_t seed;
    int graphs;
    bool verbose;
} options = {.seed = 1, .graphs = SAMPLE};

/* ---- the generator ---- */
struct drawing {
    oclnn_graph *g;
    uint64_t state;
    int n, outputs;
    oclnn_value value[MAX_VALUES];
    bool read[MAX_VALUES];
    struct oclnn_shape x; /* the input's */
};

static int draw(struct drawing *d, int low, int high)
{
    return low + (int)(onn_test_random(&d->state) % (uint64_t)(high - low + 1));
}

static bool chance(struct drawing *d, int percent)
{
    return draw(d, 1, 100) <= percent;
}

static struct oclnn_shape shape_of(const struct drawing *d, int i)
{
    struct oclnn_shape s = {0};
    good(oclnn_value_shape(d->g, d->value[i], &s));
    assert_int_equal(s.rank, 4);
    return s;
}

static int64_t elements(struct oclnn_shape s)
{
    return s.dim[0] * s.dim[1] * s.dim[2] * s.dim[3];
}

static void keep(struct drawing *d, oclnn_value y)
{
    good(oclnn_graph_status(d->g));
    if (d->n < MAX_VALUES)
        d->value[d->n++] = y;
}

/* A value with the dimensions of `s` but the one of `axis` (4: all), from a place that is drawn; -1: there is none. */
static int like(struct drawing *d, struct oclnn_shape s, int axis)
{
    for (int k = draw(d, 0, d->n - 1), i = 0; i < d->n; i++, k = (k + 1) % d->n) {
        const struct oclnn_shape t = shape_of(d, k);
        bool same = true;
        for (int a = 0; a < 4; a++)
            same &= a == axis || s.dim[a] == t.dim[a];
        if (same)
            return k;
    }
    return -1;
}

static void convolution(struct drawing *d, int i, struct oclnn_shape s)
{
    static const int counts[] = {3, 8, 12, 16, 24, 40};
    const int size = chance(d, 50) ? 1 : 3, p = size / 2, stride = chance(d, 20) && s.dim[2] > 3 ? 2 : 1;
    const bool depthwise = chance(d, 25);
    const int filters = depthwise ? (int)s.dim[1] : counts[draw(d, 0, 5)];
    if ((int64_t)filters * s.dim[0] * s.dim[2] * s.dim[3] <= MAX_ELEMENTS)
        keep(d,
            oclnn_conv2d(d->g, d->value[i], filters, size,
                &(struct oclnn_conv){.stride = {stride, stride},
                    .pad = {p, p, p, p},
                    .group = depthwise ? filters : 1}));
}

static void of_one(struct drawing *d, int i)
{
    const oclnn_value x = d->value[i];
    switch (draw(d, 0, 6)) {
    case 0: keep(d, oclnn_sigmoid(d->g, x)); break;
    case 1: keep(d, oclnn_hard_swish(d->g, x)); break;
    case 2: keep(d, oclnn_leaky_relu(d->g, x, 0.125f)); break;
    case 3: keep(d, oclnn_batch_norm(d->g, x, NULL)); break;
    case 4: keep(d, oclnn_identity(d->g, x)); break;
    case 5: keep(d, oclnn_softmax(d->g, x, draw(d, 1, 3))); break;
    default: keep(d, oclnn_relu(d->g, x));
    }
}

static void of_two(struct drawing *d, int i, struct oclnn_shape s)
{
    const int k = like(d, chance(d, 20) ? OCLNN_SHAPE(s.dim[0], s.dim[1], 1, 1) : s, 4);
    if (k < 0)
        return;
    d->read[k] = true;
    const oclnn_value pair[2] = {d->value[i], d->value[k]};
    switch (draw(d, 0, 2)) {
    case 0: keep(d, oclnn_mul(d->g, pair[0], pair[1])); break;
    case 1: keep(d, oclnn_max(d->g, pair, 2)); break;
    default: keep(d, oclnn_add(d->g, pair[0], pair[1]));
    }
}

static void join(struct drawing *d, int i, struct oclnn_shape s)
{
    const int axis = chance(d, 75) ? 1 : draw(d, 2, 3), count = draw(d, 1, 4);
    oclnn_value part[4] = {d->value[i]};
    int64_t sum = elements(s);
    for (int k = 1; k < count; k++) {
        const int other = like(d, s, axis);
        part[k] = d->value[other];
        sum += elements(shape_of(d, other));
        d->read[other] = true;
    }
    if (sum <= MAX_ELEMENTS)
        keep(d, oclnn_concat(d->g, part, count, axis));
}

static void cut(struct drawing *d, int i, struct oclnn_shape s)
{
    const int axis = chance(d, 75) ? 1 : draw(d, 2, 3), n = (int)s.dim[axis];
    if (n < 2)
        return;
    int at = draw(d, 1, n - 1);
    if (n > 8 && chance(d, 60))
        at = at < 8 ? 8 : at / 8 * 8;
    if (chance(d, 60)) {
        oclnn_value piece[2];
        oclnn_split(d->g, d->value[i], axis, (int64_t[]){at, n - at}, 2, piece);
        keep(d, piece[0]);
        keep(d, piece[1]);
    } else {
        const bool front = chance(d, 50);
        keep(d, oclnn_slice(d->g, d->value[i], axis, front ? 0 : at, front ? at : n, chance(d, 20) ? 2 : 1));
    }
}

static void turn(struct drawing *d, int i, struct oclnn_shape s)
{
    const oclnn_value x = d->value[i];
    const int64_t *n = s.dim;
    switch (draw(d, 0, 4)) {
    case 0: keep(d, oclnn_transpose(d->g, x, OCLNN_LIST(0, 1, 3, 2))); break;
    case 1: keep(d, oclnn_transpose(d->g, x, OCLNN_LIST(0, 2, 3, 1))); break;
    case 2: keep(d, oclnn_transpose(d->g, x, OCLNN_LIST(0, 3, 1, 2))); break;
    case 3:
        if (n[2] % 2 == 0)
            keep(d, oclnn_reshape(d->g, x, OCLNN_SHAPE(n[0], 2 * n[1], n[2] / 2, n[3])));
        break;
    default:
        if (n[1] % 2 == 0)
            keep(d, oclnn_reshape(d->g, x, OCLNN_SHAPE(n[0], n[1] / 2, n[2], 2 * n[3])));
    }
}

static void window(struct drawing *d, int i, struct oclnn_shape s)
{
    const oclnn_value x = d->value[i];
    const struct oclnn_pool around = {.stride = {1, 1}, .pad = {1, 1, 1, 1}};
    const struct oclnn_shape one = OCLNN_LIST(0, 0, 1, 1), none = OCLNN_LIST(0, 0, 0, 0);
    switch (draw(d, 0, 5)) {
    case 0:
        if (s.dim[2] > 1 && s.dim[3] > 1)
            keep(d, oclnn_max_pool2d(d->g, x, 2, NULL));
        break;
    case 1: keep(d, oclnn_max_pool2d(d->g, x, 3, &around)); break;
    case 2: keep(d, oclnn_avg_pool2d(d->g, x, 3, &around)); break;
    case 3: keep(d, oclnn_global_avg_pool(d->g, x)); break;
    case 4: keep(d, oclnn_pad(d->g, x, chance(d, 50) ? one : none, one, 0)); break;
    default:
        if (4 * elements(s) <= MAX_ELEMENTS)
            keep(d, oclnn_upsample(d->g, x, 2, NULL));
    }
}

static void layer(struct drawing *d)
{
    const int i = chance(d, 60) && d->n > 3 ? draw(d, d->n - 3, d->n - 1) : draw(d, 0, d->n - 1),
              before = d->n;
    const struct oclnn_shape s = shape_of(d, i);
    const int kind = draw(d, 1, 100);
    if (kind <= 25)
        convolution(d, i, s);
    else if (kind <= 40)
        of_one(d, i);
    else if (kind <= 55)
        of_two(d, i, s);
    else if (kind <= 77)
        join(d, i, s);
    else if (kind <= 87)
        cut(d, i, s);
    else if (kind <= 92)
        turn(d, i, s);
    else
        window(d, i, s);
    d->read[i] |= d->n > before;
}

static void build(struct drawing *d, uint64_t seed)
{
    static const int channels[] = {3, 8, 16, 20};
    *d = (struct drawing){.state = seed};
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = seed}, &d->g));
    d->x = OCLNN_SHAPE(draw(d, 1, 2), channels[draw(d, 0, 3)], draw(d, 4, 11), draw(d, 4, 11));
    keep(d, oclnn_input(d->g, "x", OCLNN_F32, d->x));
    for (int k = 0; k < LAYERS; k++)
        layer(d);
    for (int i = 1; i < d->n; i++)
        if (!d->read[i] || chance(d, 10)) {
            char name[16];
            snprintf(name, sizeof name, "y%d", i);
            oclnn_output(d->g, name, d->value[i]);
            d->outputs++;
        }
    if (!d->outputs && ++d->outputs)
        oclnn_output(d->g, "x1", oclnn_relu(d->g, d->value[0]));
    good(oclnn_graph_status(d->g));
}

/* ---- the comparison ---- */
struct answer {
    int n;
    oclnn_tensor *y[MAX_VALUES];
};

static void forget(struct answer *a)
{
    for (int i = 0; i < a->n; i++)
        oclnn_tensor_destroy(&a->y[i]);
}

static void run(oclnn_model *m, const struct drawing *d, struct answer *a)
{
    oclnn_tensor *x = NULL;
    struct oclnn_binding out[MAX_VALUES + 1] = {0};
    uint64_t state = 77;
    good(oclnn_tensor_create(OCLNN_F32, d->x, NULL, &x));
    float *data = oclnn_tensor_data(x);
    for (int64_t i = 0; i < elements(d->x); i++)
        data[i] = (float)(onn_test_random(&state) % 2001) / 1000 - 1;
    *a = (struct answer){.n = d->outputs};
    for (int i = 0; i < a->n; i++)
        out[i].result = &a->y[i];
    good(oclnn_model_run(m, (struct oclnn_binding[]){{.tensor = x}, {0}}, out));
    oclnn_tensor_destroy(&x);
}

static void answers(uint64_t seed, const struct oclnn_model_params *params, struct answer *a)
{
    struct drawing d;
    struct answer again;
    oclnn_model *m = NULL;
    build(&d, seed);
    good(oclnn_model_create(ctx, &d.g, params, &m));
    run(m, &d, a);
    run(m, &d, &again);
    for (int i = 0; i < a->n; i++)
        if (memcmp(oclnn_tensor_data(a->y[i]), oclnn_tensor_data(again.y[i]), oclnn_tensor_bytes(a->y[i])) !=
            0)
            fail_msg("graph %d: the second run gives other bits in output %d", (int)seed, i);
    forget(&again);
    oclnn_model_destroy(&m);
}

static void compare(uint64_t seed, const char *what, const struct answer *want, const struct answer *got)
{
    assert_int_equal(want->n, got->n);
    for (int i = 0; i < want->n; i++) {
        const float *a = oclnn_tensor_data(want->y[i]), *b = oclnn_tensor_data(got->y[i]);
        const size_t n = oclnn_tensor_bytes(want->y[i]) / sizeof(float);
        double largest = 0;
        assert_int_equal(oclnn_tensor_bytes(got->y[i]), n * sizeof(float));
        for (size_t k = 0; k < n; k++)
            largest = fmax(largest, fabs((double)a[k]));
        for (size_t k = 0; k < n; k++)
            if (!(fabs((double)a[k] - (double)b[k]) <= 2e-4 * largest + 1e-6))
                fail_msg("graph %d, %s: output %d at %zu is %g instead of %g (largest %g); again: "
                         "random_graphs --seed %d "
                         "--graphs 1",
                    (int)seed, what, i, k, (double)b[k], (double)a[k], largest, (int)seed);
    }
}

static void check(uint64_t seed)
{
    static const char *const formats[] = {"plain", "nhwc", "c8", "c16"};
    static const char *const off[] = {"patterns", "addend", "transpose", "pad", "fold", "slopes", "fuse",
        "early", "layout", "views", "inplace", "arena", "chain"};
    struct answer want, got;
    uint64_t state = seed + 1000;
    const char *format = formats[onn_test_random(&state) % 4], *left_out = off[onn_test_random(&state) % 13];
    answers(seed,
        &(struct oclnn_model_params){.variant = "reference",
            .passes_off = "patterns,addend,transpose,pad,fold,slopes,fuse,updates,early,layout,views,inplace,"
                          "arena,chain"},
        &want);
    answers(seed, NULL, &got);
    compare(seed, "as planned", &want, &got);
    forget(&got);
    answers(seed, &(struct oclnn_model_params){.format = format}, &got);
    compare(seed, format, &want, &got);
    forget(&got);
    answers(seed, &(struct oclnn_model_params){.passes_off = left_out}, &got);
    compare(seed, left_out, &want, &got);
    forget(&got);
    forget(&want);
}

static void random_graphs(void **state)
{
    (void)state;
    for (int i = 0; i < options.graphs; i++) {
        if (options.verbose)
            printf("graph %d\n", (int)options.seed + i), fflush(stdout);
        check(options.seed + (uint64_t)i);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_graphs)};
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--all"))
            options.graphs = FULL;
        else if (!strcmp(argv[i], "--verbose"))
            options.verbose = true;
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            options.seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--graphs") && i + 1 < argc)
            options.graphs = atoi(argv[++i]);
        else
            return fprintf(stderr, "usage: %s [--all] [--seed N] [--graphs N] [--verbose]\n", argv[0]), 2;
    }
    const int none = open_device(&ctx);
    if (none)
        return none;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
