/* Built-in networks: trainable parameters as published, output shapes, every size that is claimed to work. */
#include "model/graph_api.h"
#include "pass/rewrite.h"

#include <oclnn/zoo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct {
    const char *name;
    int64_t parameters;
    double macs; /* multiply-adds in 1e9 for one usual image, as torchvision states them; 0: not stated */
} counts[] = {
    {"mlp784", 784 * 128 + 128 + 128 * 10 + 10, 0},
    {"mnist-conv1", 320 + 21632 * 10 + 10, 0},
    {"mnist-conv2", 320 + 18496 + 16010, 0},
    {"lenet5", 61706, 0},
    {"mnist-lstm", 512 * 28 + 512 * 128 + 1024 + 1290, 0},
    {"mnist-transformer", 3200 + 16 * 64 + 2 * (128 + 12480 + 4160 + 128 + 8320 + 8256) + 128 + 650, 0},
    {"cifar-lenet", 62006, 0},
    {"resnet20-cifar", 272474, 0},
    {"resnet18-cifar", 11173962, 0},
    {"three-stage-224", 896 + 18496 + 73856 + 86528 * 256 + 256 + 514, 0},
    {"unet-128", 1927042, 0},
    {"alexnet", 61100840, 0.71},
    {"vgg16", 138357544, 15.47},
    {"squeezenet", 1235496, 0.35},
    {"googlenet", 6624904, 1.5},
    {"inception-v3", 23834568, 5.71},
    {"resnet18", 11689512, 1.81},
    {"resnet50", 25557032, 4.09},
    {"resnext50", 25028904, 4.23},
    {"densenet121", 7978856, 2.83},
    {"mobilenet-v1", 4231976, 0.57},
    {"mobilenet-v2", 3504872, 0.3},
    {"mobilenet-v3", 5483032, 0.22},
    {"shufflenet-v2", 2278604, 0.14},
    {"efficientnet-b0", 5288548, 0.39},
    {"convnext-tiny", 28589128, 4.46},
};

static oclnn_graph *build(const char *name, const struct oclnn_zoo_params *params)
{
    oclnn_graph *g;
    assert_int_equal(oclnn_graph_create(NULL, &g), OCLNN_OK);
    if (oclnn_zoo_build(name, g, params) != OCLNN_OK)
        fail_msg("%s: %s", name, oclnn_error_text(NULL));
    return g;
}

static int64_t trainable(const oclnn_graph *g)
{
    int64_t sum = 0;
    for (int i = 1; i < g->graph->n_values; i++)
        if (g->graph->value[i].role == ONN_ROLE_PARAM)
            sum += onn_desc_elements(&g->graph->value[i].desc);
    return sum;
}

static struct oclnn_shape logits(const oclnn_graph *g)
{
    struct oclnn_shape s;
    assert_int_equal(g->graph->n_outputs, 1);
    assert_string_equal(g->graph->value[g->graph->output[0]].name, "logits");
    assert_int_equal(oclnn_value_shape(g, g->graph->output[0], &s), OCLNN_OK);
    return s;
}

static void parameter_counts(void **state)
{
    (void)state;
    int n = sizeof counts / sizeof *counts, wrong = 0;
    assert_int_equal(n, oclnn_zoo_count());
    for (int i = 0; i < n; i++) {
        struct oclnn_zoo_info info;
        oclnn_graph *g = build(counts[i].name, NULL);
        assert_int_equal(oclnn_zoo_describe(counts[i].name, &info), OCLNN_OK);
        if (trainable(g) != counts[i].parameters) {
            print_error("%s: %lld parameters, wanted %lld\n", info.name, (long long)trainable(g),
                (long long)counts[i].parameters);
            wrong++;
        }
        struct oclnn_shape s = logits(g);
        assert_int_equal(s.dim[0], -1); /* the batch stays free */
        assert_int_equal(s.dim[1], info.classes);
        assert_int_equal(s.rank, strcmp(info.name, "unet-128") == 0 ? 4 : 2);
        oclnn_graph_destroy(&g);
    }
    assert_int_equal(wrong, 0);
}

static double multiply_adds(const oclnn_graph *g)
{
    double sum = 0;
    for (int i = 0; i < g->graph->n_nodes; i++) {
        const struct onn_node *n = &g->graph->node[i];
        struct onn_arena arena = {0};
        struct onn_prob p;
        if (strcmp(n->op->name, "conv") && strcmp(n->op->name, "gemm") && strcmp(n->op->name, "matmul"))
            continue;
        assert_int_equal(onn_node_prob(g->graph, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, &arena,
                             &p),
            0);
        sum += onn_prob_flop(&p) / 2;
        onn_arena_finish(&arena);
    }
    return sum;
}

static void work(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        oclnn_graph *g = build(counts[i].name, &(struct oclnn_zoo_params){.batch = 1});
        double macs = multiply_adds(g) / 1e9;
        /* stated with two digits, some with activations counted too */
        if (counts[i].macs > 0 &&
            !(macs > 0.96 * counts[i].macs - 0.005 && macs < 1.02 * counts[i].macs + 0.005))
            fail_msg("%s: %g GMAC, wanted %g", counts[i].name, macs, counts[i].macs);
        oclnn_graph_destroy(&g);
    }
}

static void sizes_and_classes(void **state)
{
    (void)state;
    for (int i = 0; oclnn_zoo_name(i); i++) {
        struct oclnn_zoo_info info;
        oclnn_zoo_describe(oclnn_zoo_name(i), &info);
        oclnn_graph *g =
            build(info.name, &(struct oclnn_zoo_params){.classes = 7, .batch = 3, .size = info.smallest});
        struct oclnn_shape s = logits(g);
        assert_int_equal(s.dim[0], 3);
        assert_int_equal(s.dim[1], 7);
        oclnn_graph_destroy(&g);
        assert_int_equal(oclnn_graph_create(NULL, &g), OCLNN_OK);
        assert_int_equal(oclnn_zoo_build(info.name, g, &(struct oclnn_zoo_params){.size = info.smallest - 1}),
            info.smallest > 1 ? OCLNN_ERROR_ARGUMENT : OCLNN_OK);
        oclnn_graph_destroy(&g);
    }
}

static void names_are_unique(void **state)
{
    (void)state;
    for (int i = 0; oclnn_zoo_name(i); i++) {
        oclnn_graph *g = build(oclnn_zoo_name(i), NULL);
        for (int v = 1; v < g->graph->n_values; v++) {
            const struct onn_value *value = &g->graph->value[v];
            if (*value->name && onn_graph_find(g->graph, value->name) != v)
                fail_msg("%s: two values are called %s", oclnn_zoo_name(i), value->name);
            if (!*value->name && value->role != ONN_ROLE_CONST)
                fail_msg("%s: value %d has no name", oclnn_zoo_name(i), v);
        }
        oclnn_graph_destroy(&g);
    }
}

static void mistakes(void **state)
{
    (void)state;
    oclnn_graph *g;
    assert_int_equal(oclnn_graph_create(NULL, &g), OCLNN_OK);
    assert_int_equal(oclnn_zoo_build("resnet51", g, NULL), OCLNN_ERROR_NOT_FOUND);
    assert_non_null(strstr(oclnn_error_text(NULL), "resnet50"));
    assert_int_equal(oclnn_zoo_build(NULL, g, NULL), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_zoo_build("mlp784", NULL, NULL), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_zoo_build("mlp784", g, &(struct oclnn_zoo_params){.classes = -1}),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_zoo_build("mlp784", g, &(struct oclnn_zoo_params){.batch = -2}),
        OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_graph_status(g), OCLNN_OK); /* nothing was appended so far */
    assert_null(oclnn_zoo_name(-1));
    assert_null(oclnn_zoo_name(oclnn_zoo_count()));
    oclnn_graph_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_counts),
        cmocka_unit_test(work),
        cmocka_unit_test(sizes_and_classes),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
