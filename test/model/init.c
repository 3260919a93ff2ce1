/* Initial values: bounds, moments, orthogonality, the same seed's bits, and what takes the place of a layer's own. */
#include "model/init.h"
#include "base/mem.h"
#include "model/graph_api.h"

#include <math.h>
#include <oclnn/zoo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void good(enum oclnn_status status)
{
    if (status != OCLNN_OK)
        fail_msg("%s", oclnn_error_text(NULL));
}

static oclnn_graph *start(uint64_t seed)
{
    oclnn_graph *g = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = seed}, &g));
    return g;
}

static struct onn_value *named(const oclnn_graph *g, const char *name)
{
    int32_t id = onn_graph_find(g->graph, name);
    if (!id)
        fail_msg("no value is called %s", name);
    return &g->graph->value[id];
}

/* The values of one parameter; free(). */
static double *values(uint64_t seed, struct oclnn_shape shape, struct oclnn_init init)
{
    oclnn_graph *g = start(seed);
    oclnn_parameter(g, "w", OCLNN_F32, shape, &init);
    good(oclnn_graph_status(g));
    good(onn_init_params(g->graph));
    const struct onn_blob *b = named(g, "w")->blob;
    const int64_t n = onn_desc_elements(&b->desc);
    double *out = malloc((size_t)n * sizeof *out);
    for (int64_t i = 0; i < n; i++)
        out[i] = onn_blob_get_f64(b, i);
    oclnn_graph_destroy(&g);
    return out;
}

/* 60 x 150: fan-in 150, fan-out 60. */
static void moments(void **state)
{
    static const struct {
        enum oclnn_init_kind kind;
        double variance;
    } cases[] = {{OCLNN_INIT_KAIMING_UNIFORM, 2 / 150.}, {OCLNN_INIT_KAIMING_NORMAL, 2 / 150.},
        {OCLNN_INIT_XAVIER_UNIFORM, 2 / 210.}, {OCLNN_INIT_XAVIER_NORMAL, 2 / 210.},
        {OCLNN_INIT_ORTHOGONAL, 1 / 150.}};
    enum { N = 60 * 150 };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double *v = values(7, OCLNN_SHAPE(60, 5, 5, 6), (struct oclnn_init){.kind = cases[i].kind});
        double sum = 0, squares = 0, most = 0;
        for (int k = 0; k < N; k++) {
            sum += v[k];
            squares += v[k] * v[k];
            most = fmax(most, fabs(v[k]));
        }
        const double variance = squares / N, mean = sum / N;
        if (fabs(mean) > 5 * sqrt(cases[i].variance / N) || fabs(variance / cases[i].variance - 1) > 0.08)
            fail_msg("initialiser %d: mean %g, variance %g, not %g", (int)cases[i].kind, mean, variance,
                cases[i].variance);
        const double bound = sqrt(3 * cases[i].variance);
        if (cases[i].kind == OCLNN_INIT_KAIMING_UNIFORM || cases[i].kind == OCLNN_INIT_XAVIER_UNIFORM)
            assert_true(most <= bound * 1.000001 && most > 0.99 * bound);
        else
            assert_true(most > 1.2 * bound);
        free(v);
    }
}

/* Rows or columns, whichever are fewer, of length `gain` and at right angles. */
static void check_orthogonal(struct oclnn_shape shape, float a)
{
    const int rows = (int)shape.dim[0];
    int columns = 1;
    for (int i = 1; i < shape.rank; i++)
        columns *= (int)shape.dim[i];
    double *w = values(3, shape, (struct oclnn_init){.kind = OCLNN_INIT_ORTHOGONAL, .a = a});
    const double gain = a != 0 ? (double)a : 1;
    const bool wide = rows <= columns;
    const int n = wide ? rows : columns, length = wide ? columns : rows;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int k = 0; k < length; k++)
                sum +=
                    wide ? w[i * columns + k] * w[j * columns + k] : w[k * columns + i] * w[k * columns + j];
            if (fabs(sum - (i == j) * gain * gain) > 2e-6 * gain * gain)
                fail_msg("%d x %d: product of %d and %d is %g", rows, columns, i, j, sum);
        }
    free(w);
}

static void orthogonal(void **state)
{
    (void)state;
    check_orthogonal(OCLNN_SHAPE(8, 3, 3, 2), 0);
    check_orthogonal(OCLNN_SHAPE(40, 12), 1.5f);
    check_orthogonal(OCLNN_SHAPE(64, 64), 0.1f); /* the last row has one direction left */
    check_orthogonal(OCLNN_SHAPE(1, 7), 2);
    check_orthogonal(OCLNN_SHAPE(7, 1), 0);
    check_orthogonal(OCLNN_SHAPE(100, 9, 5), 0);
    free(values(1, OCLNN_SHAPE(0, 5), (struct oclnn_init){.kind = OCLNN_INIT_ORTHOGONAL}));
}

static void same_seed_same_bits(void **state)
{
    (void)state;
    for (int kind = OCLNN_INIT_KAIMING_UNIFORM; kind <= OCLNN_INIT_ORTHOGONAL; kind++) {
        const struct oclnn_init init = {.kind = (enum oclnn_init_kind)kind};
        double *a = values(5, OCLNN_SHAPE(9, 4), init), *b = values(5, OCLNN_SHAPE(9, 4), init);
        double *c = values(6, OCLNN_SHAPE(9, 4), init);
        assert_memory_equal(a, b, 36 * sizeof *a);
        assert_memory_not_equal(a, c, 36 * sizeof *a);
        free(a);
        free(b);
        free(c);
    }
}

static enum onn_init_kind kind_of(const oclnn_graph *g, const char *name)
{
    return named(g, name)->init->kind;
}

/* Weights of layers change, also those that a built-in network chose itself; biases, tables and gates do not. */
static void in_place_of_the_layers_own(void **state)
{
    const struct oclnn_init init = {.kind = OCLNN_INIT_XAVIER_NORMAL};
    static const char *const networks[] = {"lenet5", "mnist-lstm", "mnist-transformer", "unet-128"};
    oclnn_graph *g;
    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        int changed = 0, others = 0;
        g = start(1);
        good(oclnn_zoo_build(networks[i], g, NULL));
        good(oclnn_graph_set_init(g, &(struct oclnn_init){0}));
        for (int32_t v = 1; v < g->graph->n_values; v++)
            if (g->graph->value[v].init)
                assert_int_not_equal(g->graph->value[v].init->kind, ONN_INIT_XAVIER_NORMAL);
        good(oclnn_graph_set_init(g, &init));
        for (int32_t v = 1; v < g->graph->n_values; v++) {
            const struct onn_value *value = &g->graph->value[v];
            const bool is = value->init && value->init->kind == ONN_INIT_XAVIER_NORMAL;
            changed += is;
            others += value->init && !is;
            if (is)
                assert_true(value->desc.rank > 1 && value->init->fan_in > 0 && value->init->fan_out > 0);
            if (is && !strstr(value->name, ".weight"))
                fail_msg("%s has changed", value->name);
        }
        assert_true(changed >= 1 && others >= changed);
        if (i == 1)
            assert_int_equal(kind_of(g, "lstm.weight"), ONN_INIT_UNIFORM);
        if (i == 2)
            assert_int_equal(kind_of(g, "position"), ONN_INIT_NORMAL);
        oclnn_graph_destroy(&g);
    }
    g = start(1); /* what is appended later is as it says */
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(2, 8));
    x = oclnn_dense(g, x, 4, NULL);
    good(oclnn_graph_set_init(g, &init));
    oclnn_dense(g, x, 4, NULL);
    assert_int_equal(kind_of(g, "dense1.weight"), ONN_INIT_XAVIER_NORMAL);
    assert_int_equal(kind_of(g, "dense2.weight"), ONN_INIT_UNIFORM);
    oclnn_graph_destroy(&g);
}

static void mistakes(void **state)
{
    oclnn_graph *g = start(1);
    const struct oclnn_init none = {.kind = (enum oclnn_init_kind)99};
    const struct oclnn_dense bias = {.bias_init = {.kind = OCLNN_INIT_ORTHOGONAL}};
    (void)state;
    assert_int_equal(oclnn_graph_set_init(NULL, &none), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_graph_set_init(g, NULL), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_graph_set_init(g, &none), OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(NULL), "initialiser 99"));
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(2, 8));
    assert_int_equal(oclnn_dense(g, x, 4, &bias), 0);
    assert_int_equal(oclnn_graph_status(g), OCLNN_ERROR_ARGUMENT);
    assert_non_null(
        strstr(oclnn_error_text(NULL), "bias: an orthogonal matrix has at least 2 dimensions, not 1"));
    assert_int_equal(oclnn_graph_set_init(g, &bias.bias_init), OCLNN_ERROR_ARGUMENT); /* the mistake stays */
    oclnn_graph_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moments), cmocka_unit_test(orthogonal),
        cmocka_unit_test(same_seed_same_bits), cmocka_unit_test(in_place_of_the_layers_own),
        cmocka_unit_test(mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
