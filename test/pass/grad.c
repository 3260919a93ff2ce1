/* Every operator's gradient against central differences. A row of the table is a problem (ops/problem.h) with places to
 * be drawn: {3-9} a number, {a:3-9} a number with a name, {a} the same number again, {a*4} four times that. All instances of a row become one
 * graph y_i = op(x_i …) with loss = sum of w_i * y_i, its gradient is appended and everything runs as one plan. Then
 * every differentiable input is moved along random directions d: (L(x + eps d) - L(x - eps d)) / 2 eps must equal
 * <gradient, d>. L is summed in double on the host from the plan's outputs y, so what is left is the rounding of y, which
 * the tolerance counts: operators without kinks allow a large eps. Data are distinct, evenly spaced numbers in random
 * order, away from 0 and from each other by more than the step, so that kinks (Relu, MaxPool) lie outside the interval.
 * Random operators are checked by their own tests.
 * Command line: [FILTER] [--all]; 20 instances a row with --all, else 5. */
#include "harness/train.h"
#include "ops/problem.h"
#include "pass/grad.h"
#include <math.h>
#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum flags {
    POSITIVE = 1, /* data in 0.2 … 1.2 */
    INSIDE = 2, /* data in 0.05 … 0.95 */
    ABOVE_ONE = 4, /* data in 1.1 … 2.1 */
    FIRST = 8, /* only input 0 is differentiable */
    TIES = 16, /* extremes: data as they are, but a step smaller than their distance */
    LAST_PROB = 32, /* the last float input is a probability */
    BN_TRAIN = 128, /* the running statistics have no gradient */
    GAP = 64, /* nothing near -0.3 and 0.3, where the operator jumps */
};
struct row {
    const char *problem;
    int flags;
};

static oclnn_context *ctx;
static uint64_t seed;

static int64_t draw(int64_t low, int64_t high)
{
    return low + (int64_t)(onn_test_random(&seed) % (uint64_t)(high - low + 1));
}

/* The row's text with numbers drawn. */
static void instance(const char *text, char *out, size_t room)
{
    int64_t named[26];
    size_t n = 0;
    while (*text && n + 24 < room) {
        if (*text != '{') {
            out[n++] = *text++;
            continue;
        }
        const char *at = text + 1;
        const int name = *at >= 'a' && *at <= 'z' ? *at - 'a' : -1;
        int64_t v;
        if (name >= 0 && at[1] != ':') {
            v = named[name] * (at[1] == '*' ? at[2] - '0' : 1);
        } else {
            long low, high;
            assert_int_equal(sscanf(name >= 0 ? at + 2 : at, "%ld-%ld", &low, &high), 2);
            v = draw(low, high);
            if (name >= 0)
                named[name] = v;
        }
        n += (size_t)snprintf(out + n, room - n, "%lld", (long long)v);
        text = strchr(text, '}') + 1;
    }
    out[n] = '\0';
}

#define MOST 20
#define INPUTS 8
struct one {
    char text[256];
    struct onn_problem problem;
    int n_in, n_out; /* differentiable inputs, float outputs */
    struct onn_blob *x[INPUTS]; /* the inputs that are moved */
    int32_t id[INPUTS], gradient[INPUTS];
    int y_at, g_at; /* positions among the plan's outputs */
    struct onn_blob *w[INPUTS];
};

/* n distinct numbers in low … high, in random order. */
static void spaced(struct onn_blob *b, int64_t n, double low, double high)
{
    for (int64_t i = 0; i < n; i++)
        onn_blob_set_f64(b, i, low + (high - low) * ((double)i + 0.5) / (double)n);
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t k = draw(0, i);
        const double t = onn_blob_get_f64(b, i);
        onn_blob_set_f64(b, i, onn_blob_get_f64(b, k));
        onn_blob_set_f64(b, k, t);
    }
}

static int32_t add_input(struct onn_graph *g, struct one *o, int i, int flags)
{
    const struct onn_desc *d = &o->problem.in[i];
    struct onn_blob *blob = NULL;
    if (!d->dtype)
        return 0;
    if (o->problem.value[i])
        return onn_graph_add_blob(g, "", ONN_ROLE_CONST, o->problem.value[i]);
    assert_int_equal(onn_blob_create(d, NULL, &blob), OCLNN_OK);
    const int64_t n = onn_desc_elements(d);
    if (d->dtype != OCLNN_F32) {
        const int64_t classes = o->problem.in[0].rank > 1 ? o->problem.in[0].dim[1] : 2;
        for (int64_t k = 0; k < n; k++)
            onn_blob_set_i64(blob, k, d->dtype == OCLNN_BOOL ? draw(0, 1) : draw(0, classes - 1));
    } else if (flags & INSIDE || (flags & LAST_PROB && i > 0)) {
        spaced(blob, n, 0.05, 0.95);
    } else if (flags & POSITIVE) {
        spaced(blob, n, 0.2, 1.2);
    } else if (flags & ABOVE_ONE) {
        spaced(blob, n, 1.1, 2.1);
    } else { /* no number of one input is one of another */
        spaced(blob, n, -1 + 0.013 * i, 1 + 0.011 * i + 1.0 / (double)(n + 1)); /* an odd n has no 0 */
    }
    for (int64_t k = 0; flags & TIES && o->problem.prob.n_in > 1 && k < n;
         k++) /* inputs on grids of their own */
        onn_blob_set_f64(blob, k, (rint(onn_blob_get_f64(blob, k) * 1024) + 0.3 * i) / 1024);
    for (int64_t k = 0; flags & GAP && k < n; k++) {
        const double v = onn_blob_get_f64(blob, k);
        onn_blob_set_f64(blob, k, fabs(v) < 0.3 ? v * 0.9 : v * 1.1);
    }
    const bool moves = d->dtype == OCLNN_F32 && !(flags & FIRST && i > 0) && !(flags & BN_TRAIN && i > 2);
    const int32_t id = onn_graph_add_blob(g, "x", moves ? ONN_ROLE_PARAM : ONN_ROLE_CONST, blob);
    if (moves) {
        assert_true(o->n_in < INPUTS);
        o->x[o->n_in] = blob;
        o->id[o->n_in++] = id;
    } else {
        onn_blob_unref(&blob);
    }
    return id;
}

/* Adds the instance to the graph: its node and its part of the loss. */
static int32_t add_one(struct onn_graph *g, struct one *o, int flags)
{
    if (onn_problem_parse(o->text, &o->problem) != OCLNN_OK || onn_problem_infer(&o->problem) != OCLNN_OK)
        fail_msg("%s: %s", o->text, oclnn_error_text(NULL));
    const struct onn_prob *p = &o->problem.prob;
    int32_t in[8], out[8], loss = 0;
    assert_true(p->n_in <= 8 && p->n_out <= INPUTS);
    for (int i = 0; i < p->n_in; i++)
        in[i] = add_input(g, o, i, flags);
    struct onn_graph *kept = g;
    const int32_t k = onn_graph_add_op(kept, p->op, o->text, p->attr, p->n_in, in, p->n_out);
    assert_true(k >= 0);
    for (int i = 0; i < p->n_out; i++) {
        out[i] = g->node[k].out[i];
        g->value[out[i]].desc = p->out[i];
    }
    for (int i = 0; i < p->n_out; i++) {
        if (p->out[i].dtype != OCLNN_F32)
            continue;
        struct onn_blob *w = onn_test_blob(p->out[i].rank, p->out[i].dim, 1, onn_test_random(&seed));
        o->w[o->n_out++] = w;
        const int32_t product = onn_test_node(g, "mul", NULL, 2,
            (int32_t[]){out[i], onn_graph_add_blob(g, "w", ONN_ROLE_CONST, w)});
        const int32_t sum = onn_test_node(g, "reshape", NULL, 2,
            (int32_t[]){onn_test_node(g, "reducesum", NULL, 1, &product), onn_graph_add_i64(g, NULL, 0)});
        onn_graph_add_output(g, "y", out[i]);
        loss = loss ? onn_test_node(g, "add", NULL, 2, (int32_t[]){loss, sum}) : sum;
    }
    return loss;
}

static float *room;

static double loss_of(struct onn_plan *plan, const struct one *o)
{
    double sum = 0;
    for (int i = 0; i < o->n_out; i++) {
        const int64_t n = onn_desc_elements(&o->w[i]->desc);
        onn_test_read(plan, o->y_at + i, room);
        for (int64_t k = 0; k < n; k++)
            sum += (double)room[k] * onn_blob_get_f64(o->w[i], k);
    }
    return sum;
}

/* Largest |w * y| sum: what the rounding of y is relative to. */
static double size_of(struct onn_plan *plan, const struct one *o)
{
    double sum = 0;
    for (int i = 0; i < o->n_out; i++) {
        onn_test_read(plan, o->y_at + i, room);
        for (int64_t k = 0; k < onn_desc_elements(&o->w[i]->desc); k++)
            sum += fabs((double)room[k] * onn_blob_get_f64(o->w[i], k));
    }
    return sum;
}

static void move(struct onn_blob *x, const double *start, const double *d, double eps)
{
    for (int64_t k = 0; k < onn_desc_elements(&x->desc); k++)
        onn_blob_set_f64(x, k, start[k] + eps * d[k]);
    x->version++;
}

#define DIRECTIONS 3
#define ELEMENTS 200000

/* Moves input `slot` of all instances at once. */
static int check_slot(struct onn_plan *plan, struct one *one, int n, int slot, const struct row *row)
{
    static double start[MOST][16384], d[MOST][16384], gradient[MOST][16384];
    double plus[MOST], eps[MOST], size[MOST];
    int failures = 0;
    for (int i = 0; i < n; i++) {
        if (slot >= one[i].n_in)
            continue;
        const int64_t count = onn_desc_elements(&one[i].x[slot]->desc);
        assert_true(count <= 16384);
        for (int64_t k = 0; k < count; k++)
            start[i][k] = onn_blob_get_f64(one[i].x[slot], k);
    }
    onn_test_run(plan);
    for (int i = 0; i < n; i++) {
        size[i] = size_of(plan, &one[i]);
        if (slot < one[i].n_in) {
            onn_test_read(plan, one[i].g_at + slot, room);
            for (int64_t k = 0; k < onn_desc_elements(&one[i].x[slot]->desc); k++)
                gradient[i][k] = room[k];
        }
    }
    for (int t = 0; t < DIRECTIONS; t++) {
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < n; i++) {
                if (slot >= one[i].n_in)
                    continue;
                const int64_t count = onn_desc_elements(&one[i].x[slot]->desc);
                if (side == 0) { /* all elements, or (last direction) one */
                    const int64_t lone = t == DIRECTIONS - 1 && count ? draw(0, count - 1) : -1;
                    for (int64_t k = 0; k < count; k++)
                        d[i][k] = lone >= 0 ? k == lone : (double)draw(-100, 100) / 100;
                    eps[i] = fmin(row->flags & TIES ? 1e-4 : 2e-3, 0.3 / (double)(count + 1));
                }
                move(one[i].x[slot], start[i], d[i], side ? -eps[i] : eps[i]);
            }
            onn_test_run(plan);
            for (int i = 0; i < n; i++) {
                if (slot >= one[i].n_in)
                    continue;
                const int64_t count = onn_desc_elements(&one[i].x[slot]->desc);
                if (side == 0) {
                    plus[i] = loss_of(plan, &one[i]);
                    continue;
                }
                double want = (plus[i] - loss_of(plan, &one[i])) / (2 * eps[i]), got = 0, norm = 0;
                for (int64_t k = 0; k < count; k++) {
                    got += gradient[i][k] * d[i][k];
                    norm += fabs(gradient[i][k] * d[i][k]);
                }
                const double tolerance = 3e-3 * norm + 4e-7 * size[i] / eps[i] + 1e-5;
                if (!(fabs(got - want) <= tolerance)) {
                    printf("FAIL %s\n  input %d, direction %d: gradient %.7g, differences %.7g, tolerance "
                           "%.3g\n",
                        one[i].text, slot, t, got, want, tolerance);
                    failures++;
                }
            }
        }
    }
    for (int i = 0; i < n; i++)
        if (slot < one[i].n_in) {
            memset(d[i], 0, sizeof d[i]);
            move(one[i].x[slot], start[i], d[i], 0);
        }
    return failures;
}

static int check_row(const struct row *row, int instances)
{
    static struct one one[MOST];
    struct onn_graph *g = NULL, *full = NULL;
    struct onn_derived_cache cache = {0};
    const struct onn_plan_options options = {0};
    int32_t loss = 0, wanted[MOST * INPUTS], gradient[MOST * INPUTS];
    int n_wanted = 0, failures = 0, outputs = 0, slots = 0;
    memset(one, 0, sizeof one);
    seed = 0;
    for (const char *c = row->problem; *c; c++)
        seed = seed * 31 + (unsigned char)*c;
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    for (int i = 0; i < instances; i++) {
        instance(row->problem, one[i].text, sizeof one[i].text);
        one[i].y_at = outputs;
        const int32_t part = add_one(g, &one[i], row->flags);
        outputs += one[i].n_out;
        loss = loss ? onn_test_node(g, "add", NULL, 2, (int32_t[]){loss, part}) : part;
        slots = one[i].n_in > slots ? one[i].n_in : slots;
    }
    onn_graph_add_output(g, "loss", loss);
    if (onn_pass_infer(g, NULL, false, &full) != OCLNN_OK)
        fail_msg("%s: %s", row->problem, oclnn_error_text(NULL));
    for (int32_t v = 1; v < full->n_values; v++) /* the same blob: the same input */
        for (int i = 0; i < instances; i++)
            for (int k = 0; k < one[i].n_in; k++)
                if (full->value[v].blob == one[i].x[k]) {
                    one[i].gradient[k] = n_wanted;
                    wanted[n_wanted++] = v;
                }
    if (onn_grad_append(full, full->output[full->n_outputs - 1], wanted, n_wanted, gradient) != OCLNN_OK)
        fail_msg("%s: %s", row->problem, oclnn_error_text(NULL));
    outputs = full->n_outputs;
    for (int i = 0; i < instances; i++) {
        one[i].g_at = outputs;
        for (int k = 0; k < one[i].n_in; k++, outputs++) {
            if (!gradient[one[i].gradient[k]])
                fail_msg("%s: input %d has no gradient", one[i].text, k);
            onn_graph_add_output(full, "gradient", gradient[one[i].gradient[k]]);
        }
    }
    struct onn_plan *plan = onn_test_plan(ctx, full, &options, &cache);
    for (int slot = 0; slot < slots; slot++)
        failures += check_slot(plan, one, instances, slot, row);
    onn_plan_destroy(&plan);
    onn_derived_finish(&cache);
    onn_graph_destroy(&full);
    onn_graph_destroy(&g);
    for (int i = 0; i < instances; i++) {
        for (int k = 0; k < one[i].n_in; k++)
            onn_blob_unref(&one[i].x[k]);
        for (int k = 0; k < one[i].n_out; k++)
            onn_blob_unref(&one[i].w[k]);
        onn_problem_finish(&one[i].problem);
    }
    return failures;
}

/* ---- the table ---- */
#define SHAPE "x={1-3}x{1-17}x{1-6}x{1-6}"
static const struct row rows[] = {
    {"relu " SHAPE, 0},
    {"leaky_relu " SHAPE " alpha=0.2", 0},
    {"prelu x=2x{c:1-9}x{3-5}x4 s={c}x1x1", 0},
    {"clip " SHAPE " min=-0.3 max=0.3", GAP},
    {"clip " SHAPE " lo=@-0.3:f32:scalar hi=@0.3:f32:scalar", GAP},
    {"sigmoid " SHAPE, 0},
    {"tanh " SHAPE, 0},
    {"hard_sigmoid " SHAPE " alpha=1.666667", GAP},
    {"hard_swish " SHAPE, 0},
    {"swish " SHAPE, 0},
    {"mish " SHAPE, 0},
    {"softplus " SHAPE, 0},
    {"softsign " SHAPE, 0},
    {"elu " SHAPE " alpha=0.7", 0},
    {"elu " SHAPE " alpha=-0.7", 0},
    {"selu " SHAPE, 0},
    {"celu " SHAPE " alpha=1.3", 0},
    {"thresholded_relu " SHAPE " alpha=0.3", GAP},
    {"shrink " SHAPE " lambd=0.3", GAP},
    {"gelu " SHAPE, 0},
    {"gelu " SHAPE " approximate=tanh", 0},
    {"erf " SHAPE, 0},
    {"exp " SHAPE, 0},
    {"log " SHAPE, POSITIVE},
    {"sqrt " SHAPE, POSITIVE},
    {"reciprocal " SHAPE, POSITIVE},
    {"sin " SHAPE, 0},
    {"cos " SHAPE, 0},
    {"tan " SHAPE, 0},
    {"asin " SHAPE, INSIDE},
    {"acos " SHAPE, INSIDE},
    {"atan " SHAPE, 0},
    {"sinh " SHAPE, 0},
    {"cosh " SHAPE, 0},
    {"asinh " SHAPE, 0},
    {"acosh " SHAPE, ABOVE_ONE},
    {"atanh " SHAPE, INSIDE},
    {"abs " SHAPE, 0},
    {"neg " SHAPE, 0},
    {"add a={n:1-3}x{c:1-9}x{h:2-5}x3 b={c}x1x1", 0},
    {"sub a={c:1-9}x1x4 b={n:1-3}x{c}x{2-5}x1", 0},
    {"mul a={n:1-3}x{c:1-9}x{2-5}x3 b={c}x1x1", 0},
    {"mul a={h:2-5}x1 b=3x1x{2-7}", 0},
    {"div a={n:1-3}x{c:1-9}x{2-5}x3 b={c}x1x1", POSITIVE},
    {"pow " SHAPE " e=@2:f32:scalar", 0},
    {"pow a={n:1-3}x{c:1-9}x{2-5}x3 b={c}x1x1", POSITIVE},
    {"pow " SHAPE " e=@0.7:f32:scalar", POSITIVE},
    {"max a={2-4}x{c:2-9} b={c}", TIES},
    {"max a={2-4}x{c:2-9} b=1 c=1x1", TIES},
    {"min a={2-4}x{c:2-9} b={c}", TIES},
    {"sum a={2-4}x{c:2-9} b={c} c=1", 0},
    {"mean a={2-4}x{c:2-9} b={c} c=1", 0},
    {"where c={n:2-4}x{c:2-9}:bool a={n}x{c} b={c}", 0},
    {"conv x={n:1-2}x{c:1-9}x{5-9}x{5-9} w={k:1-9}x{c}x3x{1-3} b={k} pad=1", 0},
    {"conv x={n:1-2}x{c:1-9}x{7-9}x{6-9} w={k:1-9}x{c}x{2-3}x3 stride={s:2-3} pad=1", 0},
    {"conv x=2x16x{5-8}x{5-7} w={17-33}x16x1x1 stride={1-2}", 0},
    {"conv x=2x16x{9-12}x{9-12} w=16x16x3x3 pad=1", 0},
    {"conv x={1-2}x{c:2-19}x{5-8}x{5-8} w={c}x1x3x3 group={c} pad=1 stride={1-2}", 0},
    {"conv x=1x4x{9-11}x{9-11} w=6x2x3x3 group=2 dilation=2 pad={1-2}", 0},
    {"conv x=1x{c:1-5}x{8-12} w={2-5}x{c}x3 stride={1-2} auto_pad=SAME_UPPER", 0},
    {"conv x=1x{c:1-3}x{4-5}x{4-6}x{4-6} w={2-3}x{c}x2x3x2 pad=1", 0},
    {"convtranspose x={1-2}x{c:1-9}x{3-5}x{3-5} w={c}x{k:1-9}x3x3 b={k} stride=2 pad=1 output_padding={0-1}",
        0},
    {"convtranspose x=1x4x{3-5}x{3-5} w=4x{1-5}x2x2 group=2 stride={1-2}", 0},
    {"convtranspose x=1x{c:1-4}x{3-5}x{3-5} w={c}x{1-5}x3x3 dilation=3 stride=1 output_padding=2", 0},
    {"gemm a={m:1-9}x{k:1-9} b={k}x{n:1-9} c={n} alpha=0.5 beta=2", 0},
    {"gemm a={k:1-9}x{m:1-9} b={n:1-9}x{k} transA=1 transB=1", 0},
    {"gemm a={m:1-9}x{k:1-9} b={n:1-9}x{k} c={m}x1 transB=1", 0},
    {"gemm a={k:1-9}x{m:1-9} b={k}x{n:1-9} transA=1", 0},
    {"matmul a={2-3}x{m:1-5}x{k:1-5} b={k}x{1-5}", 0},
    {"matmul a=2x1x{m:1-5}x{k:1-5} b=3x{k}x{1-5}", 0},
    {"matmul a={k:1-5} b={k}x{1-5}", 0},
    {"matmul a={2-3}x{1-4}x{k:1-5} b={k}", 0},
    {"maxpool x={1-2}x{1-17}x{6-9}x{6-9} kernel_shape=3 stride={1-2} pad={0-1}", TIES},
    {"maxpool x=1x{1-9}x{6-9}x{6-9} kernel_shape=2 stride=2 ceil_mode=1", TIES},
    {"maxpool x=1x{1-4}x{8-12} kernel_shape=3 stride=2 dilation={1-2}", TIES},
    {"averagepool x={1-2}x{1-17}x{6-9}x{6-9} kernel_shape=3 stride={1-2} pad=1 count_include_pad={0-1}", 0},
    {"averagepool x=1x{1-9}x{6-9}x{6-9} kernel_shape=2 stride=2 ceil_mode={0-1}", 0},
    {"globalaveragepool " SHAPE, 0},
    {"globalmaxpool " SHAPE, TIES},
    {"reducesum x={2-4}x{2-9}x{2-5} a=@1:i64", 0},
    {"reducesum x={2-4}x{2-9}x{2-5} a=@0,2:i64 keepdims=0", 0},
    {"reducemean x={2-4}x{2-9}x{2-5} a=@-1:i64 keepdims=0", 0},
    {"reducemax x={2-4}x{2-9}x{2-5} a=@1:i64", TIES},
    {"reducemin x={2-4}x{2-9}x{2-5} a=@1:i64 keepdims=0", TIES},
    {"reduceprod x={2-4}x{2-4}x{2-5} a=@1:i64", POSITIVE},
    {"reducel1 x={2-4}x{2-9}x{2-5} a=@1:i64", 0},
    {"reducel2 x={2-4}x{2-9}x{2-5} a=@1:i64", 0},
    {"reducesumsquare x={2-4}x{2-9} a=@0:i64", 0},
    {"reducelogsum x={2-4}x{2-9} a=@1:i64", POSITIVE},
    {"reducelogsumexp x={2-4}x{2-9}x3 a=@1:i64 keepdims=0", 0},
    {"softmax x={2-5}x{2-11}", 0},
    {"softmax x=2x{2-5}x{2-5}x3 axis=1", 0},
    {"logsoftmax x={2-5}x{2-11}", 0},
    {"softmax_ce x={n:2-5}x{2-11} t={n}:i64 smoothing=0.1", FIRST},
    {"nll x={n:2-5}x{2-11} t={n}:i64", FIRST},
    {"softmax_ce x={n:2-3}x{2-5}x{h:2-4}x3 t={n}x{h}x3:i32", FIRST},
    {"mse_each x={n:2-5}x{c:2-11} t={n}x{c}", 0},
    {"l1_each x={n:2-5}x{c:2-11} t={n}x{c}", TIES},
    {"huber_each x={n:2-5}x{c:2-11} t={n}x{c} alpha=0.3", 0},
    {"bce_each x={n:2-5}x{c:2-11} t={n}x{c}", FIRST | INSIDE},
    {"bce_logits_each x={n:2-5}x{c:2-11} t={n}x{c}", FIRST | LAST_PROB},
    {"focal_each x={n:2-5}x{c:2-11} t={n}x{c} alpha=0.25", FIRST | LAST_PROB},
    {"kl_each x={n:2-5}x{c:2-11} t={n}x{c}", FIRST | LAST_PROB},
    {"batchnormalization x={2-3}x{c:2-17}x{2-4}x{2-4} s={c} b={c} m={c} v={c}", POSITIVE},
    {"batchnormalization x={2-3}x{c:2-17}x{2-4}x{2-4} s={c} b={c} m={c} v={c} training_mode=1", BN_TRAIN},
    {"batchnormalization x={5-9}x{c:2-9} s={c} b={c} m={c} v={c} training_mode=1", BN_TRAIN},
    {"instancenormalization x={2-3}x{c:2-9}x{3-4}x{3-4} s={c} b={c}", 0},
    {"layernormalization x={2-3}x{3-5}x{c:3-9} s={c} b={c}", 0},
    {"layernormalization x={2-3}x{h:3-5}x{c:3-9} s={h}x{c} axis=1", 0},
    {"groupnormalization x={2-3}x6x{3-4}x{2-4} s=6 b=6 num_groups={g:2-3}", 0},
    {"lpnormalization x={2-4}x{3-9} axis=1 p={1-2}", 0},
    {"meanvariancenormalization x=2x{2-4}x{3-4}x3", 0},
    {"lrn x={1-2}x{5-9}x{2-4}x3 size={2-4} alpha=0.3", 0},
    {"concat a={n:1-3}x{2-9}x{h:2-4}x3 b={n}x{1-9}x{h}x3 c={n}x8x{h}x3", 0},
    {"concat a={2-4}x{c:2-3} b={1-4}x{c} axis=0", 0},
    {"split x={2-3}x12x{2-4}x3 axis=1 outs={2-4}", 0},
    {"split x={2-3}x7x{2-4} s=@3,4:i64 axis=1 outs=2", 0},
    {"slice x={2-3}x{5-9}x{4-6}x5 s=@1,-3:i64 e=@4,9:i64 a=@1,3:i64", 0},
    {"slice x={5-9}x{6-9} s=@-1,1:i64 e=@-100,100:i64 a=@0,1:i64 t=@-2,3:i64", 0},
    {"pad x={2-3}x{3-5}x{4-5}x{4-5} p=@0,0,1,2,0,0,2,1:i64", 0},
    {"pad x=2x{3-5}x{4-5} p=@0,1,2,0,0,3:i64 mode=reflect", 0},
    {"pad x=2x{3-5}x{4-5} p=@0,1,2,0,0,3:i64 mode=edge", 0},
    {"pad x=2x{3-5}x{4-5} p=@0,1,2,0,0,-1:i64", 0},
    {"reshape x={2-5}x6x4 s=@-1,8:i64", 0},
    {"flatten x={2-5}x{2-6}x{2-4}", 0},
    {"squeeze x={2-5}x1x{2-4} a=@1:i64", 0},
    {"unsqueeze x={2-5}x{2-4} a=@1:i64", 0},
    {"identity " SHAPE, 0},
    {"transpose x={2-4}x{2-5}x{2-6} perm=2,0,1", 0},
    {"expand x={2-4}x1x{2-5} s=@3,1,4,1:i64", 0},
    {"tile x={2-4}x{2-5} r=@2,3:i64", 0},
    {"depthtospace x={1-2}x12x{2-4}x{2-3} block=2 mode=CRD", 0},
    {"depthtospace x={1-2}x12x{2-4}x{2-3} block=2", 0},
    {"spacetodepth x={1-2}x{2-5}x4x6 block=2", 0},
    {"gather x=4x{2-5} k=@2,0,2,-1:i64", 0},
    {"gather x={2-3}x3x{2-5} k=@1,1,0,2:i32 axis=1", 0},
    {"gatherelements x={2-4}x{3-5} k=2x{1-3}:i64 axis=1", 0},
    {"gathernd x={3-4}x{c:2-5} k=@1:i64", 0},
    {"resize x=1x{1-9}x{3-5}x{3-5} r=- s=@1,1,2,2:f32 mode=nearest", 0},
    {"resize x=1x{1-9}x{3-5}x{3-5} r=- s=@1,1,1.7,2.4:f32 mode=linear", 0},
    {"resize x=1x{1-3}x{4-5}x{4-5} r=- s=@1,1,0.6,1.5:f32 mode=cubic", 0},
    {"resize x=1x{1-3}x{4-5}x{4-5} r=- s=- n=@1,1,7,3:i64 mode=linear coordinates=align_corners", 0},
    {"cumsum x={2-4}x{2-9} a=@1:i64 exclusive={0-1} reverse={0-1}", 0},
    {"topk x={2-4}x{4-9} k=@3:i64 outs=2", TIES},
    {"trilu x={2-4}x{3-5}x{3-5} upper={0-1}", 0},
    {"reversesequence x=4x2x{2-3} l=@4,2:i64 time_axis=0 batch_axis=1", 0},
    {"lstm hidden_size={h:1-5} x={2-4}x{n:1-3}x{c:1-5} w=1x{h*4}x{c} r=1x{h*4}x{h} b=1x{h*8} lens=- "
     "h=1x{n}x{h} "
     "c=1x{n}x{h} p=1x{h*3} outs=3",
        0},
    {"lstm hidden_size={h:1-5} x={2-4}x{n:1-3}x{c:1-5} w=2x{h*4}x{c} r=2x{h*4}x{h} b=2x{h*8} lens=- "
     "h=2x{n}x{h} "
     "c=2x{n}x{h} direction=bidirectional",
        0},
    {"lstm hidden_size={h:1-5} x={n:1-3}x{2-4}x{c:1-5} w=2x{h*4}x{c} r=2x{h*4}x{h} b=- lens=- h={n}x2x{h} "
     "c=- "
     "p=2x{h*3} direction=bidirectional layout=1 outs=2",
        0},
    {"lstm hidden_size={h:1-5} x={n:1-3}x{2-4}x{c:1-5} w=1x{h*4}x{c} r=1x{h*4}x{h} direction=reverse "
     "layout=1 outs=3 "
     "activations=Softsign,Softplus,Sigmoid",
        0},
    {"gru hidden_size={h:1-5} x={2-4}x{n:1-3}x{c:1-5} w=1x{h*3}x{c} r=1x{h*3}x{h} b=1x{h*6} lens=- "
     "h=1x{n}x{h} outs=2",
        0},
    {"gru hidden_size={h:1-5} x={2-4}x{n:1-3}x{c:1-5} w=2x{h*3}x{c} r=2x{h*3}x{h} b=2x{h*6} lens=- "
     "h=2x{n}x{h} outs=2 "
     "direction=bidirectional linear_before_reset={0-1}",
        0},
    {"gru hidden_size={h:1-5} x={n:1-3}x{2-4}x{c:1-5} w=1x{h*3}x{c} r=1x{h*3}x{h} b=1x{h*6} layout=1 "
     "direction=reverse "
     "linear_before_reset=1",
        0},
    {"rnn hidden_size={h:1-5} x={2-4}x{n:1-3}x{c:1-5} w=1x{h}x{c} r=1x{h}x{h} b=1x{h*2} lens=- h=1x{n}x{h} "
     "outs=2",
        0},
    {"rnn hidden_size={h:1-5} x={n:1-3}x{2-4}x{c:1-5} w=2x{h}x{c} r=2x{h}x{h} layout=1 "
     "direction=bidirectional "
     "activations=Softsign,Sigmoid outs=2",
        0},
    {NULL, 0},
};

int main(int argc, char **argv)
{
    int instances = 5, failures = 0, done = 0;
    const char *filter = NULL;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--all"))
            instances = MOST;
        else
            filter = argv[i];
    }
    const enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return 77;
    room = malloc(ELEMENTS * sizeof *room);
    if (status != OCLNN_OK || !room)
        return 1;
    for (const struct row *row = rows; row->problem; row++) {
        if (filter && !strstr(row->problem, filter))
            continue;
        failures += check_row(row, instances);
        done++;
        if (filter)
            printf("%s\n", row->problem);
        fflush(stdout);
    }
    printf("%d rows of %d instances, %d failures\n", done, instances, failures);
    oclnn_context_destroy(&ctx);
    free(room);
    return failures != 0;
}
