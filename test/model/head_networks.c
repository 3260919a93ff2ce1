/* Another number of classes for built-in networks (`--all`: each) and for files; such a network goes through a file. */
#include "model/graph_api.h"
#include "model/model.h"

#include <oclnn/oclnn.h>
#include <oclnn/train.h>
#include <oclnn/zoo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static oclnn_context *ctx;
static bool all;

static void check(enum oclnn_status status, const char *what)
{
    if (status != OCLNN_OK)
        fail_msg("%s: %s", what, oclnn_error_text(ctx));
}

static oclnn_model *network(const char *name)
{
    oclnn_graph *graph = NULL;
    oclnn_model *m = NULL;
    check(oclnn_graph_create(NULL, &graph), name);
    check(oclnn_zoo_build(name, graph, NULL), name);
    check(oclnn_model_create(ctx, &graph, NULL, &m), name);
    return m;
}

/* The shape of output 0 for one picture, worked out without compiling anything. */
static struct onn_desc output(const oclnn_model *m)
{
    struct onn_binding bind = {.desc = m->graph->value[m->graph->input[0]].desc};
    struct onn_graph *g = NULL;
    bind.desc.dim[0] = 1;
    bind.desc = onn_desc_make(bind.desc.dtype, bind.desc.rank, bind.desc.dim);
    check(onn_pass_infer(m->graph, &bind, true, &g), "infer");
    struct onn_desc d = g->value[g->output[0]].desc;
    onn_graph_destroy(&g);
    return d;
}

static int parameters(const oclnn_model *m)
{
    int n = 0;
    for (int v = 1; v < m->graph->n_values; v++)
        n += m->graph->value[v].role == ONN_ROLE_PARAM;
    return n;
}

static const struct onn_blob *blob(const oclnn_model *m, const char *name)
{
    const int32_t v = onn_graph_find(m->graph, name);
    if (!v || !m->graph->value[v].blob)
        fail_msg("no parameter '%s'", name);
    return m->graph->value[v].blob;
}

static void networks(void **state)
{
    static const char *const few[] = {"mlp784", "mnist-conv2", "resnet20-cifar", "unet-128", "squeezenet",
        "shufflenet-v2", NULL};
    (void)state;
    for (int i = 0; all ? i < oclnn_zoo_count() : few[i] != NULL; i++) {
        const char *name = all ? oclnn_zoo_name(i) : few[i];
        oclnn_model *m = network(name);
        const int before = parameters(m);
        check(oclnn_model_replace_head(m, 7, 0), name);
        assert_int_equal(parameters(m), before);
        struct onn_desc d = output(m);
        if (d.dim[1] != 7)
            fail_msg("%s: %lld classes", name, (long long)d.dim[1]);
        struct oclnn_model_io io;
        check(oclnn_model_output(m, 0, &io), name);
        assert_int_equal(io.shape.dim[1], 7);
        assert_int_equal(io.shape.dim[0], -1);
        oclnn_model_destroy(&m);
    }
}

/* Runs, gets another head, runs, trains a step, goes through a file. */
static void in_use(void **state)
{
    static float x[2 * 784], y[2 * 4];
    static const int64_t classes[2] = {3, 0};
    char path[] = "oclnn-head-XXXXXX";
    oclnn_model *m = network("lenet5"), *again = NULL;
    oclnn_tensor *before = NULL;
    oclnn_trainer *t = NULL;
    float loss = 0;
    const struct oclnn_binding in[2] = {{.data = x, .bytes = sizeof x, .shape = OCLNN_SHAPE(2, 1, 28, 28)},
        {0}};
    const struct oclnn_binding target[2] = {{.data = (void *)classes,
                                                .bytes = sizeof classes,
                                                .shape = OCLNN_SHAPE(2)},
        {0}};
    (void)state;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = (float)(i % 17) / 17;
    check(oclnn_model_run(m, in, (struct oclnn_binding[]){{.result = &before}, {0}}), "before");
    assert_int_equal(oclnn_tensor_shape(before).dim[1], 10);
    check(oclnn_model_replace_head(m, 4, 0), "head");
    check(oclnn_model_run(m, in, OCLNN_OUT(y)), "after");
    check(oclnn_trainer_create(m, NULL, &t), "trainer");
    check(oclnn_trainer_step(t, in, target, &loss), "step");
    assert_true(loss > 0 && loss < 100);
    oclnn_trainer_destroy(&t);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    check(oclnn_model_save(m, path), "save");
    check(oclnn_model_load(ctx, path, NULL, &again), "load");
    struct oclnn_model_io io;
    check(oclnn_model_output(again, 0, &io), "output");
    assert_int_equal(io.shape.dim[1], 4);
    for (int v = 1; v < again->graph->n_values; v++) /* the old head did not come along */
        assert_true(again->graph->value[v].desc.rank != 2 || again->graph->value[v].desc.dim[0] != 10);
    unlink(path);
    oclnn_tensor_destroy(&before);
    oclnn_model_destroy(&again);
    oclnn_model_destroy(&m);
}

static void files(void **state)
{
    static const struct {
        const char *name, *weight;
        int dim;
    } models[] = {{"squeezenet", "conv10_w_0", 1}, {"mobilenet_v2", NULL, 1}, {"mnist_8", NULL, 1},
        {"resnet20_cifar10", NULL, 1}};
    const char *root = getenv("OCLNN_SOURCE_ROOT");
    int found = 0;
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char file[512];
        oclnn_model *m = NULL;
        snprintf(file, sizeof file, "%s/../shared/data/models/%s/model.onnx", root ? root : ".",
            models[i].name);
        if (access(file, R_OK) != 0)
            continue;
        found++;
        check(oclnn_model_load(ctx, file, NULL, &m), file);
        check(oclnn_model_replace_head(m, 5, 0), file);
        if (models[i].weight)
            assert_int_equal(blob(m, models[i].weight)->desc.dim[0], 5);
        struct onn_desc d = output(m);
        if (d.dim[models[i].dim] != 5)
            fail_msg("%s: %lld classes", models[i].name, (long long)d.dim[models[i].dim]);
        oclnn_model_destroy(&m);
    }
    if (!found)
        skip();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(networks), cmocka_unit_test(in_use),
        cmocka_unit_test(files)};
    all = argc > 1 && strcmp(argv[1], "--all") == 0;
    if (oclnn_context_create(NULL, &ctx) == OCLNN_ERROR_NO_DEVICE) {
        puts("skipped: no device");
        return 77;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
