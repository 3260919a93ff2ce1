/* Which constants of a graph become parameters. */
#include "pass/trainable.h"
#include "harness/check.h"
#include "harness/train.h"

#define DIMS(...) \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) \
    { \
        __VA_ARGS__ \
    }

static struct onn_graph *start(void)
{
    struct onn_graph *g = NULL;
    good(onn_graph_create(&g));
    return g;
}

static int32_t constant(struct onn_graph *g, const char *name, bool stored, int rank, const int64_t *dim)
{
    struct onn_blob *blob = onn_test_blob(rank, dim, 0.5, 7u + (unsigned)g->n_values);
    const int32_t v = onn_graph_add_blob(g, name, ONN_ROLE_CONST, blob);
    onn_blob_unref(&blob);
    g->value[v].stored = stored;
    return v;
}

static int32_t node(struct onn_graph *g, const char *text, int n, const int32_t *in)
{
    return onn_test_node_text(g, text, n, in);
}

static int32_t input(struct onn_graph *g)
{
    const struct onn_desc d = onn_desc_make(OCLNN_F32, 4, (int64_t[]){1, 4, 3, 3});
    return onn_graph_add_input(g, "x", &d);
}

/* The names of all parameters, in order, each with a space behind it. */
static void expect(struct onn_graph *g, const char *names)
{
    for (int round = 0; round < 2; round++) { /* marking again changes nothing */
        char text[200] = "";
        good(onn_graph_mark_trainable(g));
        good(onn_graph_mark_scales(g));
        for (int32_t v = 1; v < g->n_values; v++)
            if (g->value[v].role == ONN_ROLE_PARAM) {
                const size_t n = strlen(text);
                snprintf(text + n, sizeof text - n, "%s ", g->value[v].name);
            }
        assert_string_equal(text, names);
    }
    onn_graph_destroy(&g);
}

/* conv(x, weight) * scale + shift. */
static struct onn_graph *scaled(bool weight_stored, bool scale_stored)
{
    struct onn_graph *g = start();
    const int32_t w = constant(g, "weight", weight_stored, DIMS(4, 4, 1, 1));
    const int32_t scale = constant(g, "scale", scale_stored, DIMS(1, 4, 1, 1));
    int32_t v = node(g, "conv x=1 w=1", 2, (int32_t[]){input(g), w});
    v = node(g, "mul a=1 b=1", 2, (int32_t[]){v, scale});
    v = node(g, "add a=1 b=1", 2, (int32_t[]){v, constant(g, "shift", true, DIMS(4, 1, 1))});
    onn_graph_add_output(g, "y", v);
    return g;
}

static void what_nodes_hold(void **state)
{
    (void)state;
    expect(scaled(true, true), "weight scale shift ");
    expect(scaled(true, false), "weight shift ");
    expect(scaled(false, false), "weight scale shift "); /* the file keeps its weights in nodes */
}

/* A weight that a normalisation makes of another one and of a gain times a number. */
static void weights_that_are_computed(void **state)
{
    struct onn_graph *g = start();
    (void)state;
    const int32_t raw = constant(g, "raw", true, DIMS(4, 4, 1, 1)), gain = constant(g, "gain", true, DIMS(4));
    const int32_t other = constant(g, "other", true, DIMS(4, 4, 1, 1));
    const int32_t flat =
        node(g, "reshape x=1", 2, (int32_t[]){raw, onn_graph_add_i64(g, (int64_t[]){1, 4, 4}, 3)});
    const int32_t scale = node(g, "mul a=1 b=1", 2, (int32_t[]){gain, onn_graph_add_f32(g, 0.3f)});
    int32_t in[5] = {flat, scale};
    for (int i = 2; i < 5; i++)
        in[i] = constant(g, i == 2 ? "zeros" : "statistics", false, DIMS(4));
    int32_t w = node(g, "batchnormalization x=1 s=1 b=1 m=1 v=1", 5, in);
    w = node(g, "reshape x=1", 2, (int32_t[]){w, onn_graph_add_i64(g, (int64_t[]){4, 4, 1, 1}, 4)});
    int32_t v = node(g, "conv x=1 w=1", 2, (int32_t[]){input(g), w});
    v = node(g, "conv x=1 w=1", 2, (int32_t[]){v, other});
    onn_graph_add_output(g, "y", v);
    expect(g, "raw gain other ");
}

/* A gain of one number, beside a number that a node holds or none. */
static void single_numbers(void **state)
{
    (void)state;
    for (int literal = 0; literal < 2; literal++) {
        struct onn_graph *g = start();
        const int32_t w = constant(g, "weight", true, DIMS(4, 4, 1, 1));
        const int32_t gain = constant(g, "gain", true, 0, NULL);
        int32_t v = node(g, "conv x=1 w=1", 2, (int32_t[]){input(g), w});
        v = node(g, "mul a=1 b=1", 2, (int32_t[]){v, gain});
        if (literal)
            v = node(g, "mul a=1 b=1", 2, (int32_t[]){v, constant(g, "half", false, 0, NULL)});
        onn_graph_add_output(g, "y", v);
        expect(g, literal ? "weight gain " : "weight ");
    }
}

/* A token repeated for each image stands in front of what a layer made; zeros that pad it are no token. */
static void tokens(void **state)
{
    struct onn_graph *g = start();
    (void)state;
    const int32_t w = constant(g, "weight", true, DIMS(4, 4, 1, 1));
    const int32_t made = node(g, "conv x=1 w=1", 2, (int32_t[]){input(g), w});
    const int32_t token = constant(g, "token", true, DIMS(1, 4, 1, 3)),
                  zeros = constant(g, "zeros", true, DIMS(1, 4, 1, 3));
    memset(g->value[zeros].blob->data, 0, 12 * sizeof(float));
    const int32_t one =
        node(g, "expand x=1", 2, (int32_t[]){token, onn_graph_add_i64(g, (int64_t[]){1, 4, 1, 3}, 4)});
    onn_graph_add_output(g, "y", node(g, "concat a=1 b=1 c=1 axis=2", 3, (int32_t[]){one, made, zeros}));
    expect(g, "weight token ");
}

/* A product of two values of the network is no weight, whatever constants they hang on. */
static void products_of_values(void **state)
{
    struct onn_graph *g = start();
    (void)state;
    const int32_t x = input(g);
    const int32_t shifted = node(g, "add a=1 b=1", 2, (int32_t[]){x, constant(g, "grid", true, DIMS(3, 3))});
    onn_graph_add_output(g, "y", node(g, "matmul a=1 b=1", 2, (int32_t[]){x, shifted}));
    expect(g, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_nodes_hold),
        cmocka_unit_test(weights_that_are_computed), cmocka_unit_test(single_numbers),
        cmocka_unit_test(tokens), cmocka_unit_test(products_of_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
