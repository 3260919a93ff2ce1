/* Random convolutions, forward and both gradients, against the definition in double: every variant that does not refuse,
 * in every format tuple. Small whole numbers, tolerance 0; Winograd, whose fractions never cancel in fp32, on real numbers
 * within its error bound. The gradients' operators are those that the gradient of Conv emits, attributes and turned weights
 * included.
 * Command line: [--all] [--seed N] [--kind y|dx|dw] [--problems N] [--only INDEX] [--verbose]. Problem INDEX of a kind
 * and a seed is always the same one. */
#include "harness/conv_ref.h"
#include "harness/internal.h"
#include "harness/train.h"
#include "pass/grad.h"
#include "pass/rewrite.h"
#include <math.h>
#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"

#define SAMPLE 150 /* problems of a kind in the test command */
#define FULL_Y 2500
#define FULL_GRADIENT 5000 /* of each */
#define MAX_PRODUCTS 150000
#define MAX_VARIANTS 32

static const char *const kind_name[] = {"y", "dx", "dw"};

static struct {
    oclnn_context *ctx;
    const char *program, *kind;
    uint64_t seed;
    int problems, only;
    bool all, verbose;
} run = {.only = -1, .seed = 1};

static struct {
    const char *name[MAX_VARIANTS], *op[MAX_VARIANTS];
    int problems[MAX_VARIANTS], last[MAX_VARIANTS];
    int n, runs, mismatches;
    double worst; /* error of real numbers as a part of the tolerance */
} tally;

/* ---- the generator ---- */
struct drawn {
    int spatial, auto_pad; /* auto_pad: index of auto_pads */
    int64_t n, c, k, group, in[3], kernel[3], stride[3], dilation[3], begin[3], end[3], out[3];
};
static const char *const auto_pads[] = {"", " auto_pad=SAME_UPPER", " auto_pad=SAME_LOWER",
    " auto_pad=VALID"};

static int64_t draw(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)(onn_test_random(state) % (uint64_t)(high - low + 1));
}

static bool chance(uint64_t *state, int percent)
{
    return draw(state, 0, 99) < percent;
}

/* Around the widths of vectors and tiles as often as not. */
static int64_t draw_channels(uint64_t *state)
{
    static const int64_t edge[] = {1, 3, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 47, 48, 49, 65};
    return chance(state, 60) ? edge[draw(state, 0, sizeof edge / sizeof *edge - 1)] : draw(state, 1, 34);
}

static int64_t draw_extent(uint64_t *state)
{
    static const int64_t edge[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 25, 31, 33, 63, 65};
    return chance(state, 70) ? edge[draw(state, 0, sizeof edge / sizeof *edge - 1)] : draw(state, 1, 30);
}

static void draw_channel_counts(uint64_t *state, struct drawn *d)
{
    d->group = 1;
    d->c = draw_channels(state);
    d->k = draw_channels(state);
    if (chance(state, 20)) { /* one filter per channel, sometimes two */
        d->group = d->c;
        d->k = d->c * (chance(state, 25) ? 2 : 1);
    } else if (chance(state, 25)) {
        d->group = draw(state, 2, 6);
        d->c = d->group * (chance(state, 40) ? 8 * draw(state, 1, 2) : draw(state, 1, 9));
        d->k = d->group * (chance(state, 40) ? 8 * draw(state, 1, 3) : draw(state, 1, 9));
    }
}

static void draw_axis(uint64_t *state, struct drawn *d, int i, bool square, bool winograd)
{
    static const int64_t kernels[] = {1, 1, 1, 2, 3, 3, 3, 3, 3, 4, 5, 7};
    if (winograd) {
        d->kernel[i] = 3;
        d->stride[i] = d->dilation[i] = 1;
    } else if (square && i > 0) {
        d->kernel[i] = d->kernel[0];
        d->stride[i] = d->stride[0];
        d->dilation[i] = d->dilation[0];
    } else {
        d->kernel[i] = kernels[draw(state, 0, sizeof kernels / sizeof *kernels - 1)];
        d->stride[i] = chance(state, 60) ? 1 : draw(state, 1, 3);
        d->dilation[i] = chance(state, 75) ? 1 : draw(state, 1, 3);
    }
    const int64_t reach = (d->kernel[i] - 1) * d->dilation[i];
    const bool even = chance(state, 60);
    d->in[i] = draw_extent(state);
    d->begin[i] = even ? reach / 2 : draw(state, 0, reach + (chance(state, 10) ? draw(state, 1, 6) : 0));
    d->end[i] = even ? reach / 2 : draw(state, 0, reach + (chance(state, 10) ? draw(state, 1, 6) : 0));
    const int64_t room =
        d->auto_pad == 0 ? d->in[i] + d->begin[i] + d->end[i] : d->in[i] + (d->auto_pad == 3 ? 0 : reach);
    d->out[i] = room > reach ? (room - reach - 1) / d->stride[i] + 1 : 0;
}

/* Draws until the problem has an output and is small. */
static void draw_problem(uint64_t *state, struct drawn *d)
{
    double products;
    do {
        const int64_t spatial = draw(state, 1, 20);
        *d = (struct drawn){.spatial = spatial < 4 ? 1 : spatial < 20 ? 2 : 3, .n = draw(state, 1, 3)};
        d->auto_pad = chance(state, 15) ? (int)draw(state, 1, 3) : 0;
        const bool square = chance(state, 60), winograd = chance(state, 25);
        draw_channel_counts(state, d);
        products = (double)(d->n * d->k * (d->c / d->group));
        for (int i = 0; i < d->spatial; i++) {
            draw_axis(state, d, i, square, winograd);
            products *= (double)(d->out[i] * d->kernel[i]);
        }
    } while (products < 1 || products > MAX_PRODUCTS);
}

static void add_list(struct onn_str *s, const char *name, const int64_t *v, const int64_t *more, int n)
{
    onn_str_add(s, " %s=", name);
    for (int i = 0; i < n; i++)
        onn_str_add(s, "%s%lld", i ? "," : "", (long long)v[i]);
    for (int i = 0; more && i < n; i++)
        onn_str_add(s, ",%lld", (long long)more[i]);
    if (n == 1 && !more)
        onn_str_add(s, ",");
}

static void add_tail(uint64_t *state, const struct drawn *d, struct onn_str *s)
{
    const int64_t tail = draw(state, 0, 9);
    if (tail > 2 && tail < 5) {
        onn_str_add(s, " +add=%lldx%lld", (long long)d->n, (long long)d->k);
        for (int i = 0; i < d->spatial; i++)
            onn_str_add(s, "x%lld", (long long)d->out[i]);
    }
    if (tail < 2 || tail == 4)
        onn_str_add(s, " +relu");
    else if (tail == 2)
        onn_str_add(s, " +clip{min=-5,max=6}");
}

/* Problem `index` of this run as a line of text; a forward problem may have a bias and something behind. */
static void problem_text(enum onn_conv_side side, int index, struct onn_str *s)
{
    uint64_t start = run.seed * 1000003u + (uint64_t)side * 7919u + (uint64_t)index * 2654435761u;
    uint64_t state = onn_test_random(&start); /* streams of neighbours have nothing in common */
    struct drawn d;
    draw_problem(&state, &d);
    onn_str_add(s, "conv x=%lldx%lld", (long long)d.n, (long long)d.c);
    for (int i = 0; i < d.spatial; i++)
        onn_str_add(s, "x%lld", (long long)d.in[i]);
    onn_str_add(s, " w=%lldx%lld", (long long)d.k, (long long)(d.c / d.group));
    for (int i = 0; i < d.spatial; i++)
        onn_str_add(s, "x%lld", (long long)d.kernel[i]);
    if (side == ONN_CONV_Y && chance(&state, 50))
        onn_str_add(s, " b=%lld", (long long)d.k);
    if (d.auto_pad)
        onn_str_add(s, "%s", auto_pads[d.auto_pad]);
    else
        add_list(s, "pad", d.begin, d.end, d.spatial);
    add_list(s, "stride", d.stride, NULL, d.spatial);
    add_list(s, "dilation", d.dilation, NULL, d.spatial);
    onn_str_add(s, " group=%lld", (long long)d.group);
    if (side == ONN_CONV_Y)
        add_tail(&state, &d, s);
}

/* ---- data and reference of the problem at hand ---- */
enum numbers { WHOLE, REAL, REAL_TILES, NUMBERS };
static struct {
    enum onn_conv_side side;
    enum numbers numbers;
    uint64_t seed;
    struct onn_conv_geometry g; /* of the forward convolution */
    double *w; /* its weight */
    int64_t n_w, *from; /* dx: element i of the operator's weight is w[from[i]] */
} now;

static void numbers(int i, double *data, int64_t n)
{
    uint64_t start = now.seed + (unsigned)i, state = onn_test_random(&start);
    for (int64_t k = 0; k < n; k++) {
        const uint64_t r = onn_test_random(&state);
        if (now.numbers == REAL || now.numbers == REAL_TILES)
            data[k] = (double)(r >> 40) * 0x1p-23 - 1;
        else
            data[k] = (double)(r % 7) - 3;
    }
}

static void fill(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p;
    (void)integer;
    if (now.side != ONN_CONV_DX || i != 1) {
        numbers(i, data, n);
        return;
    }
    numbers(1, now.w, now.n_w);
    for (int64_t k = 0; k < n; k++)
        data[k] = now.w[now.from[k]];
}

/* Winograd adds and subtracts all products of a tile of 4 x 4 outputs and relies on what cancels: the outputs of a tile
 * share their rounding errors, however small one of them is. */
static void spread_over_tiles(const struct onn_desc *y, double *scale)
{
    const int64_t q = y->dim[y->rank - 1], p = y->rank > 3 ? y->dim[y->rank - 2] : 1;
    const int64_t planes = onn_ref_elements(y) / (p * q);
    for (int64_t i = 0; i < planes; i++)
        for (int64_t t = 0; t < (p + 3) / 4 * ((q + 3) / 4); t++) {
            const int64_t top = t / ((q + 3) / 4) * 4, left = t % ((q + 3) / 4) * 4;
            double most = 0;
            for (int k = 0; k < 32; k++) { /* once to look, once to write */
                const int64_t row = top + k % 16 / 4, column = left + k % 4;
                double *s = &scale[(i * p + row) * q + column];
                if (row >= p || column >= q)
                    continue;
                most = fmax(most, *s);
                if (k >= 16)
                    *s = most;
            }
        }
}

static void reference(struct onn_ref *r)
{
    const int64_t pixels = now.g.window.out[0] * now.g.window.out[1] * now.g.window.out[2];
    for (int64_t i = 0; now.side == ONN_CONV_Y && i < r->out_n[0]; i++) {
        r->out[0][i] = r->n_in > 2 && r->in[2] ? r->in[2][i / pixels % now.g.k] : 0;
        r->scale[0][i] = fabs(r->out[0][i]);
    }
    onn_conv_ref_sums(&now.g, now.side, r->in[0], now.side == ONN_CONV_DX ? now.w : r->in[1], r->out[0],
        r->scale[0]);
    if (now.numbers == REAL_TILES)
        spread_over_tiles(&r->prob->out[0], r->scale[0]);
}

/* The operator that the gradient of Conv emits for this forward problem, as a problem of its own. */
static void derive(const struct onn_problem *forward, struct onn_problem *out)
{
    struct onn_graph *g = NULL;
    struct onn_blob *w = NULL;
    struct onn_arena scratch = {0};
    struct onn_str text = {0};
    struct onn_prob p;
    const struct onn_desc *x = &forward->in[0], *y = &forward->prob.out[0];
    int32_t wanted[2], gradient[2];
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    assert_int_equal(onn_blob_create(&forward->in[1], NULL, &w), OCLNN_OK);
    for (int64_t i = 0; i < now.n_w; i++) /* numbered, to see where each goes */
        onn_blob_set_f64(w, i, (double)i);
    wanted[0] = onn_test_input(g, "x", OCLNN_F32, x->rank, x->dim);
    wanted[1] = onn_graph_add_blob(g, "w", ONN_ROLE_CONST, w);
    const int32_t v = onn_test_node(g, "conv", forward->attr, 2, wanted);
    g->value[v].desc = *y;
    const int32_t dy = onn_test_input(g, "dy", OCLNN_F32, y->rank, y->dim);
    const int32_t loss = onn_emit(g, "reducesum", "loss", NULL, 1,
        (int32_t[]){onn_emit(g, "mul", "mul", NULL, 2, (int32_t[]){v, dy})});
    if (onn_grad_append(g, loss, wanted, 2, gradient) != OCLNN_OK)
        fail_msg("%s", oclnn_error_text(NULL));
    const struct onn_value *made = &g->value[gradient[now.side == ONN_CONV_DW]];
    assert_true(made->node >= 0);
    const struct onn_node *n = &g->node[made->node];
    assert_int_equal(onn_node_prob(g, n->op, n->attr, n->n_in, n->in, 1, n->out, &scratch, &p), OCLNN_OK);
    if (now.side == ONN_CONV_DX) {
        const struct onn_blob *turned = g->value[n->in[1]].blob;
        assert_non_null(turned);
        now.from = calloc((size_t)now.n_w, sizeof *now.from);
        assert_non_null(now.from);
        for (int64_t i = 0; i < now.n_w; i++)
            now.from[i] = (int64_t)onn_blob_get_f64(turned, i);
    }
    p.value = NULL;
    onn_prob_text(&p, &text);
    if (onn_problem_parse(onn_str_text(&text), out) != OCLNN_OK || onn_problem_infer(out) != OCLNN_OK)
        fail_msg("%s: %s", onn_str_text(&text), oclnn_error_text(NULL));
    onn_str_finish(&text);
    onn_arena_finish(&scratch);
    onn_blob_unref(&w);
    onn_graph_destroy(&g);
}

/* ---- running ---- */
static void mismatch(const struct onn_problem *p, int index, const struct onn_variant *v, int tuple,
    const char *what)
{
    struct onn_str text = {0};
    onn_prob_text(&p->prob, &text);
    printf("FAIL %s | %s tuple %d: %s\n  repro: %s --seed %llu --kind %s --only %d\n", onn_str_text(&text),
        v->name, tuple, what, run.program, (unsigned long long)run.seed, kind_name[now.side], index);
    fflush(stdout);
    onn_str_finish(&text);
    tally.mismatches++;
}

static void count(const struct onn_problem *p, const struct onn_variant *v, int index)
{
    int k = 0;
    while (k < tally.n && (tally.name[k] != v->name || tally.op[k] != p->prob.op->name))
        k++;
    if (k == tally.n) {
        assert_true(tally.n < MAX_VARIANTS);
        tally.name[k] = v->name;
        tally.op[k] = p->prob.op->name;
        tally.last[k] = -1;
        tally.n++;
    }
    tally.problems[k] += tally.last[k] != index;
    tally.last[k] = index;
    tally.runs++;
}

static void check(struct onn_problem *p, int index, struct onn_data *d, const struct onn_variant *v,
    int tuple)
{
    const struct onn_single_options options = {.sentinel_bytes = 64,
        .twice = index % 16 == 0,
        .strided = index % 4 == 1 && v->flags & (ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT)};
    struct onn_single_result result;
    struct onn_difference diff;
    count(p, v, index);
    if (onn_single_run(run.ctx, p, v, tuple, &options, (const void *const *)d->in, d->out, &result) !=
        OCLNN_OK) {
        mismatch(p, index, v, tuple, oclnn_error_text(NULL));
        return;
    }
    onn_data_compare(d, d->integer, v->flags & ONN_VARIANT_WINOGRAD ? ONN_WINOGRAD_FACTOR : 1, &diff);
    tally.worst = fmax(tally.worst, diff.worst);
    if (diff.differs)
        mismatch(p, index, v, tuple, diff.text);
    else if (!result.sentinels_ok || !result.inputs_ok || !result.padlanes_ok || !result.repeat_ok)
        mismatch(p, index, v, tuple, "wrote where it must not, or differs in a second run");
}

static struct onn_data *data_of(struct onn_problem *p, enum numbers kind)
{
    static const struct onn_case test = {.ref = reference, .fill = fill};
    struct onn_data *d = malloc(sizeof *d);
    assert_non_null(d);
    now.numbers = kind;
    assert_true(onn_data_make(d, p, &test, kind == WHOLE));
    return d;
}

static void check_variants(struct onn_problem *p, int index)
{
    struct onn_data *data[NUMBERS] = {0};
    struct onn_desc in[8], out[2];
    struct onn_prob prob;
    assert_true(p->prob.n_in <= 8 && p->prob.n_out <= 2);
    for (int k = 0; p->prob.op->variants[k]; k++) {
        const struct onn_variant *v = p->prob.op->variants[k];
        for (int tuple = 0; tuple < ONN_SINGLE_TUPLES; tuple++) {
            const char *reason = onn_single_formats(run.ctx, p, v, tuple, &prob, in, out);
            if (reason && !*reason)
                break;
            if (reason)
                continue;
            const bool winograd = v->flags & ONN_VARIANT_WINOGRAD;
            const enum numbers kind[2] = {WHOLE, winograd ? REAL_TILES : REAL};
            for (int j = winograd; j < (winograd || index % 8 == 0 ? 2 : 1); j++) {
                if (!data[kind[j]])
                    data[kind[j]] = data_of(p, kind[j]);
                check(p, index, data[kind[j]], v, tuple);
            }
        }
    }
    for (int i = 0; i < NUMBERS; i++)
        if (data[i]) {
            onn_data_finish(data[i]);
            free(data[i]);
        }
}

static void one_problem(enum onn_conv_side side, int index)
{
    struct onn_problem forward, derived;
    struct onn_str text = {0};
    problem_text(side, index, &text);
    if (run.verbose)
        printf("%s %d: %s\n", kind_name[side], index, onn_str_text(&text));
    if (onn_problem_parse(onn_str_text(&text), &forward) != OCLNN_OK ||
        onn_problem_infer(&forward) != OCLNN_OK || onn_conv_geometry(&forward.prob, &now.g) != OCLNN_OK)
        fail_msg("%s: %s", onn_str_text(&text), oclnn_error_text(NULL));
    now.side = side;
    now.seed = run.seed * 1000003u + (uint64_t)index * 0x100000u;
    now.n_w = onn_ref_elements(&forward.in[1]);
    now.w = calloc((size_t)now.n_w, sizeof *now.w);
    assert_non_null(now.w);
    if (side == ONN_CONV_Y) {
        check_variants(&forward, index);
    } else {
        derive(&forward, &derived);
        check_variants(&derived, index);
        onn_problem_finish(&derived);
    }
    free(now.w);
    free(now.from);
    now.w = NULL;
    now.from = NULL;
    onn_problem_finish(&forward);
    onn_str_finish(&text);
}

static void all_of(enum onn_conv_side side)
{
    struct oclnn_device_info info;
    const uint64_t start = onn_clock_ns();
    const int full = side == ONN_CONV_Y ? FULL_Y : FULL_GRADIENT;
    const int n = run.problems ? run.problems
        : run.all              ? full
                               : SAMPLE / (onn_context_caps(run.ctx)->slow ? 10 : 1);
    if (run.kind && strcmp(run.kind, kind_name[side]))
        skip();
    memset(&tally, 0, sizeof tally);
    for (int i = 0; i < n; i++)
        if (run.only < 0 || i == run.only)
            one_problem(side, i);
    assert_int_equal(oclnn_context_device(run.ctx, &info), OCLNN_OK);
    const struct onn_counters c = onn_context_counters(run.ctx);
    printf("convolution %s: %d problems, %d variants, %d mismatches on %s (%d runs, %llu programs, largest "
           "error %.2f of the tolerance, %.1f s, seed %llu)\n",
        kind_name[side], run.only < 0 ? n : 1, tally.n, tally.mismatches, info.name, tally.runs,
        (unsigned long long)(c.programs_built + c.cache_hits), tally.worst,
        (double)(onn_clock_ns() - start) * 1e-9, (unsigned long long)run.seed);
    for (int i = 0; i < tally.n; i++)
        printf("  %s %s: %d problems\n", tally.op[i], tally.name[i], tally.problems[i]);
    assert_true(tally.n > 0);
    assert_int_equal(tally.mismatches, 0);
}

static void forward(void **state)
{
    (void)state;
    all_of(ONN_CONV_Y);
}

static void data_gradient(void **state)
{
    (void)state;
    all_of(ONN_CONV_DX);
}

static void weight_gradient(void **state)
{
    (void)state;
    all_of(ONN_CONV_DW);
}

static bool read_arguments(int argc, char **argv)
{
    const char *seed = getenv("OCLNN_TEST_SEED");
    run.program = argv[0];
    if (seed)
        run.seed = strtoull(seed, NULL, 10);
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(a, "--all"))
            run.all = true;
        else if (!strcmp(a, "--verbose"))
            run.verbose = true;
        else if (!strcmp(a, "--seed") && value)
            run.seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(a, "--kind") && value)
            run.kind = argv[++i];
        else if (!strcmp(a, "--problems") && value)
            run.problems = atoi(argv[++i]);
        else if (!strcmp(a, "--only") && value)
            run.problems = 1 + (run.only = atoi(argv[++i]));
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forward), cmocka_unit_test(data_gradient),
        cmocka_unit_test(weight_gradient)};
    if (!read_arguments(argc, argv)) {
        fprintf(stderr,
            "usage: %s [--all] [--seed N] [--kind y|dx|dw] [--problems N] [--only INDEX] [--verbose]\n",
            argv[0]);
        return 2;
    }
    if (oclnn_context_create(NULL, &run.ctx) == OCLNN_ERROR_NO_DEVICE) {
        puts("skipped: no device");
        return 77;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    onn_program_cache_flush(run.ctx);
    oclnn_context_destroy(&run.ctx);
    return failed;
}
