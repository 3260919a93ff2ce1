/* A model that is written as ONNX and loaded again gives the same outputs: built-in networks and the models of
 * ../shared/data. `--all`: every network instead of a few small ones. */
#include <oclnn/oclnn.h>
#include <oclnn/zoo.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static oclnn_context *ctx;
static bool all;
static char path[] = "oclnn-save-XXXXXX";

static void check(enum oclnn_status status, const char *what)
{
    if (status != OCLNN_OK)
        fail_msg("%s: %s", what, oclnn_error_text(ctx));
}

/* Inputs of the declared shapes, free dimensions 1 (batch) or `free`. */
static int make_inputs(oclnn_model *m, int64_t free, oclnn_tensor **x, struct oclnn_binding *in)
{
    int n = oclnn_model_input_count(m);
    assert_true(n <= 8);
    for (int i = 0; i < n; i++) {
        struct oclnn_model_io io;
        check(oclnn_model_input(m, i, &io), "input");
        for (int k = 0; k < io.shape.rank; k++)
            if (io.shape.dim[k] < 0)
                io.shape.dim[k] = k ? free : 1;
        check(oclnn_tensor_create(io.dtype, io.shape, NULL, &x[i]), io.name);
        float *data = oclnn_tensor_data(x[i]);
        for (size_t k = 0; io.dtype == OCLNN_F32 && k < oclnn_tensor_bytes(x[i]) / sizeof *data; k++)
            data[k] = (float)((k * 2654435761u >> 7) % 256) / 128.0f - 1.0f;
        in[i] = (struct oclnn_binding){.tensor = x[i]};
    }
    return n;
}

static void compare(const char *name, const oclnn_tensor *a, const oclnn_tensor *b)
{
    double largest = 0, error = 0;
    struct oclnn_shape s = oclnn_tensor_shape(a), t = oclnn_tensor_shape(b);
    const enum oclnn_dtype dtype = oclnn_tensor_dtype(a);
    if (s.rank != t.rank || memcmp(s.dim, t.dim, sizeof s.dim) || dtype != oclnn_tensor_dtype(b))
        fail_msg("%s: another shape or type after export", name);
    if (dtype != OCLNN_F32) {
        assert_memory_equal(oclnn_tensor_data((oclnn_tensor *)a), oclnn_tensor_data((oclnn_tensor *)b),
            oclnn_tensor_bytes(a));
        return;
    }
    const float *u = oclnn_tensor_data((oclnn_tensor *)a), *v = oclnn_tensor_data((oclnn_tensor *)b);
    for (size_t i = 0; i < oclnn_tensor_bytes(a) / sizeof *u; i++) {
        largest = fmax(largest, fabs((double)u[i]));
        error = fmax(error, fabs((double)u[i] - (double)v[i]));
    }
    if (!(error <= 1e-5 * largest))
        fail_msg("%s: off by %g after export, largest %g", name, error, largest);
}

/* Runs, saves, loads, runs. */
static void there_and_back(const char *name, oclnn_model *m, int64_t free)
{
    oclnn_tensor *x[8] = {NULL}, *y[2][16] = {{NULL}};
    struct oclnn_binding in[9] = {{0}}, out[17] = {{0}};
    oclnn_model *again = NULL;
    int n = make_inputs(m, free, x, in), outputs = oclnn_model_output_count(m);
    assert_true(outputs <= 16);
    check(oclnn_model_save(m, path), name);
    check(oclnn_model_load(ctx, path, NULL, &again), name);
    assert_int_equal(oclnn_model_output_count(again), outputs);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < outputs; i++) {
            struct oclnn_model_io io;
            check(oclnn_model_output(m, i, &io), name); /* found by the first model's names in both */
            out[i] = (struct oclnn_binding){.name = io.name, .result = &y[k][i]};
        }
        check(oclnn_model_run(k ? again : m, in, out), name);
    }
    for (int i = 0; i < outputs; i++) {
        compare(name, y[0][i], y[1][i]);
        oclnn_tensor_destroy(&y[0][i]);
        oclnn_tensor_destroy(&y[1][i]);
    }
    for (int i = 0; i < n; i++)
        oclnn_tensor_destroy(&x[i]);
    oclnn_model_destroy(&again);
}

static void networks(void **state)
{
    static const char *const few[] = {"mlp784", "lenet5", "resnet20-cifar", "shufflenet-v2"};
    int n = all ? oclnn_zoo_count() : (int)(sizeof few / sizeof *few);
    (void)state;
    for (int i = 0; i < n; i++) {
        const char *name = all ? oclnn_zoo_name(i) : few[i];
        struct oclnn_zoo_info info;
        oclnn_graph *graph = NULL;
        oclnn_model *m = NULL;
        check(oclnn_zoo_describe(name, &info), name);
        check(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 7}, &graph), name);
        check(oclnn_zoo_build(name, graph, &(struct oclnn_zoo_params){.size = info.smallest, .classes = 10}),
            name);
        check(oclnn_model_create(ctx, &graph, NULL, &m), name);
        there_and_back(name, m, 1);
        oclnn_model_destroy(&m);
        print_message("%s: same outputs after export\n", name);
    }
}

static void files(void **state)
{
    static const struct {
        const char *name;
        int64_t free; /* size of free dimensions behind the batch */
        int small;
    } models[] = {{"mnist_8", 1, 1}, {"resnet20_cifar10", 32, 1}, {"squeezenet", 224, 0},
        {"mobilenet_v2", 224, 0}, {"super_resolution_10", 224, 0}, {"light_shufflenet", 224, 0},
        {"light_resnet50", 224, 0}, {"light_densenet121", 224, 0}, {"light_inception_v1", 224, 0},
        {"yolox_nano", 416, 0}, {"ultraface_rfb_320", 240, 0}, {"squeezenet_fp16", 224, 0},
        {"ppocr_v3_det_en", 64, 0}, {"ppocr_v2_rec_en", 320, 0}, {"lyt_net", 64, 0}, {"style_candy", 64, 0},
        {"lstr", 1, 0}, {"deeplab_v3", 1, 0}};
    const char *root = getenv("OCLNN_SOURCE_ROOT");
    int found = 0;
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char file[512];
        oclnn_model *m = NULL;
        snprintf(file, sizeof file, "%s/../shared/data/models/%s/model.onnx", root ? root : ".",
            models[i].name);
        if ((!all && !models[i].small) || access(file, R_OK) != 0)
            continue;
        check(oclnn_model_load(ctx, file, NULL, &m), file);
        there_and_back(models[i].name, m, models[i].free);
        oclnn_model_destroy(&m);
        found++;
        print_message("%s: same outputs after export\n", models[i].name);
    }
    if (!found)
        skip();
}

static void mistakes(void **state)
{
    oclnn_graph *graph = NULL;
    oclnn_model *m = NULL;
    (void)state;
    check(oclnn_graph_create(NULL, &graph), "graph");
    oclnn_output(graph, "y", oclnn_relu(graph, oclnn_input(graph, "x", OCLNN_F32, OCLNN_SHAPE(4))));
    check(oclnn_model_create(ctx, &graph, NULL, &m), "model");
    assert_int_equal(oclnn_model_save(NULL, path), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_model_save(m, NULL), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_model_save(m, ""), OCLNN_ERROR_ARGUMENT);
    assert_int_equal(oclnn_model_save(m, "/"), OCLNN_ERROR_IO);
    assert_int_equal(oclnn_model_save(m, "no such folder/m.onnx"), OCLNN_ERROR_NOT_FOUND);
    oclnn_model_destroy(&m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(networks), cmocka_unit_test(files),
        cmocka_unit_test(mistakes)};
    all = argc > 1 && strcmp(argv[1], "--all") == 0;
    if (oclnn_context_create(NULL, &ctx) == OCLNN_ERROR_NO_DEVICE) {
        puts("skipped: no device");
        return 77;
    }
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    oclnn_context_destroy(&ctx);
    return failed;
}
