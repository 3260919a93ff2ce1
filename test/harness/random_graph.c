#include "harness/random_graph.h"
#include "harness/check.h"
#include "harness/train.h"

#define LAYERS 14
#define MAX_ELEMENTS 20000

static int draw(struct onn_drawn *d, int low, int high)
{
    return low + (int)(onn_test_random(&d->state) % (uint64_t)(high - low + 1));
}

static bool chance(struct onn_drawn *d, int percent)
{
    return draw(d, 1, 100) <= percent;
}

static struct oclnn_shape shape_of(const struct onn_drawn *d, int i)
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

static void keep(struct onn_drawn *d, oclnn_value y)
{
    good(oclnn_graph_status(d->g));
    if (d->n < ONN_DRAWN_VALUES)
        d->value[d->n++] = y;
}

/* A value with the dimensions of `s` but the one of `axis` (4: all), from a place that is drawn; -1: there is none. */
static int like(struct onn_drawn *d, struct oclnn_shape s, int axis)
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

static void convolution(struct onn_drawn *d, int i, struct oclnn_shape s)
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

static void of_one(struct onn_drawn *d, int i)
{
    const oclnn_value x = d->value[i];
    switch (draw(d, 0, 6)) {
    case 0: keep(d, oclnn_sigmoid(d->g, x)); break;
    case 1: keep(d, d->smooth ? oclnn_swish(d->g, x) : oclnn_hard_swish(d->g, x)); break;
    case 2: keep(d, d->smooth ? oclnn_gelu(d->g, x) : oclnn_leaky_relu(d->g, x, 0.125f)); break;
    case 3: keep(d, oclnn_batch_norm(d->g, x, NULL)); break;
    case 4: keep(d, oclnn_identity(d->g, x)); break;
    case 5: keep(d, oclnn_softmax(d->g, x, draw(d, 1, 3))); break;
    default: keep(d, d->smooth ? oclnn_tanh(d->g, x) : oclnn_relu(d->g, x));
    }
}

static void of_two(struct onn_drawn *d, int i, struct oclnn_shape s)
{
    const int k = like(d, chance(d, 20) ? OCLNN_SHAPE(s.dim[0], s.dim[1], 1, 1) : s, 4);
    if (k < 0)
        return;
    d->read[k] = true;
    const oclnn_value pair[2] = {d->value[i], d->value[k]};
    switch (draw(d, 0, 2)) {
    case 0: keep(d, oclnn_mul(d->g, pair[0], pair[1])); break;
    case 1: keep(d, d->smooth ? oclnn_sub(d->g, pair[0], pair[1]) : oclnn_max(d->g, pair, 2)); break;
    default: keep(d, oclnn_add(d->g, pair[0], pair[1]));
    }
}

static void join(struct onn_drawn *d, int i, struct oclnn_shape s)
{
    const int axis = chance(d, 75) ? 1 : draw(d, 2, 3), count = draw(d, 1, 4);
    int part[4] = {i};
    oclnn_value values[4] = {d->value[i]};
    int64_t sum = elements(s);
    for (int k = 1; k < count; k++) {
        part[k] = like(d, s, axis);
        values[k] = d->value[part[k]];
        sum += elements(shape_of(d, part[k]));
    }
    if (sum > MAX_ELEMENTS)
        return;
    keep(d, oclnn_concat(d->g, values, count, axis));
    for (int k = 1; k < count; k++)
        d->read[part[k]] = true;
}

static void cut(struct onn_drawn *d, int i, struct oclnn_shape s)
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

static void turn(struct onn_drawn *d, int i, struct oclnn_shape s)
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

static void window(struct onn_drawn *d, int i, struct oclnn_shape s)
{
    const oclnn_value x = d->value[i];
    const struct oclnn_pool around = {.stride = {1, 1}, .pad = {1, 1, 1, 1}};
    const struct oclnn_shape one = OCLNN_LIST(0, 0, 1, 1), none = OCLNN_LIST(0, 0, 0, 0);
    switch (draw(d, 0, 5)) {
    case 0:
        if (s.dim[2] > 1 && s.dim[3] > 1)
            keep(d, d->smooth ? oclnn_avg_pool2d(d->g, x, 2, NULL) : oclnn_max_pool2d(d->g, x, 2, NULL));
        break;
    case 1:
        keep(d, d->smooth ? oclnn_avg_pool2d(d->g, x, 3, &around) : oclnn_max_pool2d(d->g, x, 3, &around));
        break;
    case 2: keep(d, oclnn_avg_pool2d(d->g, x, 3, &around)); break;
    case 3: keep(d, oclnn_global_avg_pool(d->g, x)); break;
    case 4: keep(d, oclnn_pad(d->g, x, chance(d, 50) ? one : none, one, 0)); break;
    default:
        if (4 * elements(s) <= MAX_ELEMENTS)
            keep(d, oclnn_upsample(d->g, x, 2, NULL));
    }
}

static void layer(struct onn_drawn *d)
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

static void begin(struct onn_drawn *d, uint64_t seed, bool smooth)
{
    static const int channels[] = {3, 8, 16, 20};
    *d = (struct onn_drawn){.state = seed, .smooth = smooth};
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = seed}, &d->g));
    d->x = OCLNN_SHAPE(draw(d, 1, 2), channels[draw(d, 0, 3)], draw(d, 4, 11), draw(d, 4, 11));
    keep(d, oclnn_input(d->g, "x", OCLNN_F32, d->x));
    for (int k = 0; k < LAYERS; k++)
        layer(d);
}

void onn_draw_graph(struct onn_drawn *d, uint64_t seed)
{
    begin(d, seed, false);
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

void onn_draw_trainable(struct onn_drawn *d, uint64_t seed)
{
    oclnn_value last[ONN_DRAWN_VALUES];
    int n = 0;
    begin(d, seed, true);
    for (int i = 1; i < d->n; i++)
        if (!d->read[i])
            last[n++] = oclnn_flatten(d->g, oclnn_global_avg_pool(d->g, d->value[i]));
    last[n++] = oclnn_flatten(d->g, oclnn_global_avg_pool(d->g, oclnn_conv2d(d->g, d->value[0], 8, 1, NULL)));
    oclnn_output(d->g, "y", oclnn_dense(d->g, oclnn_concat(d->g, last, n, 1), 4, NULL));
    d->outputs = 1;
    good(oclnn_graph_status(d->g));
}

oclnn_tensor *onn_draw_input(const struct onn_drawn *d)
{
    oclnn_tensor *x = NULL;
    uint64_t state = 77;
    good(oclnn_tensor_create(OCLNN_F32, d->x, NULL, &x));
    float *data = oclnn_tensor_data(x);
    for (int64_t i = 0; i < elements(d->x); i++)
        data[i] = (float)(onn_test_random(&state) % 2001) / 1000 - 1;
    return x;
}
