/* The built-in networks that read images as sequences learn, alike when built and when read back from a file; and what
 * a file's scales, positions and tables become when it is fine-tuned. */
#include "harness/check.h"
#include "harness/train.h"
#include <oclnn/oclnn.h>

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { COUNT = 24, SIDE = 14, CLASSES = 3 };

static oclnn_context *ctx;
static float image[COUNT * SIDE * SIDE];
static int64_t label[COUNT];

/* A bright stripe whose direction is the class, in noise. */
static void make_images(void)
{
    uint64_t seed = 11;
    for (int i = 0; i < COUNT; i++) {
        const int at = (int)(onn_test_random(&seed) % SIDE);
        label[i] = i % CLASSES;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const bool on = label[i] == 0 ? x == at : label[i] == 1 ? y == at : (x + at) % SIDE == y;
                image[(i * SIDE + y) * SIDE + x] = (float)(onn_test_random(&seed) % 100) / 400 + (float)on;
            }
    }
}

/* Saves m, destroys it and loads the file. */
static oclnn_model *there_and_back(oclnn_model *m)
{
    char path[] = "/tmp/oclnn-sequence-XXXXXX";
    oclnn_model *again = NULL;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    good(oclnn_model_save(m, path));
    oclnn_model_destroy(&m);
    good(oclnn_model_load(ctx, path, NULL, &again));
    unlink(path);
    return again;
}

static oclnn_model *network(const char *name)
{
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    good(oclnn_zoo_build(name, g, &(struct oclnn_zoo_params){.size = SIDE, .classes = CLASSES}));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    return m;
}

/* Loss of `steps` steps on all images. Every parameter is trained: none is as it was. */
static void train(oclnn_model *m, const char *name, float lr, int steps, float *loss)
{
    const struct oclnn_binding in[] = {{.data = image,
                                           .bytes = sizeof image,
                                           .shape = OCLNN_SHAPE(COUNT, 1, SIDE, SIDE)},
        {0}};
    const struct oclnn_binding target[] = {{.data = label, .bytes = sizeof label}, {0}};
    const struct oclnn_trainer_params params = {.optimizer = {.kind = OCLNN_ADAM, .lr = lr}};
    oclnn_trainer *t = NULL;
    float *before[64] = {0};
    good(oclnn_trainer_create(m, &params, &t));
    const int n = oclnn_model_parameter_count(m);
    assert_in_range(n, 5, 64);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < n; i++) {
            struct oclnn_model_io io;
            size_t bytes = sizeof(float);
            good(oclnn_model_parameter(m, i, &io));
            for (int k = 0; k < io.shape.rank; k++)
                bytes *= (size_t)io.shape.dim[k];
            float *now = malloc(bytes);
            assert_non_null(now);
            good(oclnn_model_read_parameter(m, io.name, now, bytes));
            if (pass && memcmp(now, before[i], bytes) == 0)
                fail_msg("%s: %s is not trained", name, io.name);
            free(pass ? now : NULL);
            free(before[i]);
            before[i] = pass ? NULL : now;
        }
        for (int i = 0; i < steps && !pass; i++)
            good(oclnn_trainer_step(t, i ? NULL : in, i ? NULL : target, &loss[i]));
    }
    oclnn_trainer_destroy(&t);
}

/* The last of 30 losses is below `share` of the first. */
static void learns(const char *name, float lr, float share)
{
    enum { STEPS = 30 };
    float built[STEPS], loaded[2];
    oclnn_model *m = network(name);
    train(m, name, lr, STEPS, built);
    print_message("%s: loss %.3g, then %.3g\n", name, (double)built[0], (double)built[STEPS - 1]);
    if (!(built[STEPS - 1] < share * built[0]))
        fail_msg("%s: loss %g, after %d steps %g", name, (double)built[0], STEPS, (double)built[STEPS - 1]);
    oclnn_model_destroy(&m);
    m = there_and_back(network(name));
    train(m, name, lr, 2, loaded);
    for (int i = 0; i < 2;
         i++) /* the first loss says that the file is the same network, the second its training */
        if (!(loaded[i] > built[i] - 1e-4f && loaded[i] < built[i] + 1e-4f))
            fail_msg("%s: loss %d is %g from a file, %g without", name, i, (double)loaded[i],
                (double)built[i]);
    assert_int_equal(oclnn_model_fixed_count(m), 0);
    oclnn_model_destroy(&m);
}

static void lstm_learns(void **state)
{
    (void)state;
    learns("mnist-lstm", 0.002f, 0.75f);
}

static void transformer_learns(void **state)
{
    (void)state;
    learns("mnist-transformer", 0.005f, 0.3f);
}

static oclnn_value constant(oclnn_graph *g, struct oclnn_shape shape, const float *data)
{
    oclnn_tensor *t = NULL;
    good(oclnn_tensor_create(OCLNN_F32, shape, data, &t));
    const oclnn_value v = oclnn_constant(g, t);
    oclnn_tensor_destroy(&t);
    return v;
}

/* constant1 normalises the input, 2 and 3 are a scale and a shift, 4 is a grid, 5 a mask, 6 a table. */
static oclnn_model *with_constants(void)
{
    static const float normal[] = {.5f, .25f}, scale[] = {1, 1, 1, 1}, shift[] = {.1f, -.3f, 0, 2},
                       grid[] = {0, 1, 2, 3, 4}, mask[] = {0, 0, 0, -1e9f},
                       table[] = {.5f, .1f, -.2f, .7f, -.1f, .3f, .9f, -.4f};
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 2, 5, 5));
    const oclnn_value which = oclnn_input(g, "which", OCLNN_I64, OCLNN_SHAPE(-1));
    x = oclnn_mul(g, x, constant(g, OCLNN_SHAPE(2, 1, 1), normal));
    x = oclnn_sigmoid(g, oclnn_conv2d(g, x, 4, 3, &(struct oclnn_conv){.pad = {1, 1, 1, 1}}));
    x = oclnn_mul(g, x, constant(g, OCLNN_SHAPE(4, 1, 1), scale));
    x = oclnn_add(g, constant(g, OCLNN_SHAPE(4, 1, 1), shift), x);
    x = oclnn_add(g, x, constant(g, OCLNN_SHAPE(5), grid));
    x = oclnn_relu(g, oclnn_add(g, x, constant(g, OCLNN_SHAPE(4, 1, 1), mask)));
    x = oclnn_reduce_mean(g, x, OCLNN_LIST(2, 3), 0);
    x = oclnn_add(g, x, oclnn_gather(g, constant(g, OCLNN_SHAPE(2, 4), table), which, 0));
    oclnn_output(g, "logits", oclnn_dense(g, x, 3, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    return m;
}

static bool is_parameter(const oclnn_model *m, const char *name)
{
    struct oclnn_model_io io;
    for (int i = 0; i < oclnn_model_parameter_count(m); i++) {
        good(oclnn_model_parameter(m, i, &io));
        if (strcmp(io.name, name) == 0)
            return true;
    }
    return false;
}

static void scales_of_a_file_are_trained(void **state)
{
    static const float table[] = {.5f, .1f, -.2f, .7f, -.1f, .3f, .9f, -.4f};
    float x[100], now[8], loss[1];
    int64_t which[] = {0, 1}, wanted[] = {2, 0};
    oclnn_trainer *t = NULL;
    (void)state;
    oclnn_model *m = with_constants();
    good(oclnn_trainer_create(m, NULL, &t));
    assert_int_equal(oclnn_model_parameter_count(m), 4); /* what C calls a constant stays one */
    assert_int_equal(oclnn_model_fixed_count(m), 6);
    oclnn_trainer_destroy(&t);
    m = there_and_back(m);
    assert_int_equal(oclnn_model_parameter_count(m), 0);
    good(oclnn_trainer_create(m,
        &(struct oclnn_trainer_params){.optimizer = {.kind = OCLNN_SGD, .lr = 0.5f}, .freeze = "constant3"},
        &t));
    assert_int_equal(oclnn_model_parameter_count(m), 7);
    assert_int_equal(oclnn_model_fixed_count(m), 3);
    for (int i = 1; i <= 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "constant%d", i);
        assert_int_equal(is_parameter(m, name), i == 2 || i == 3 || i == 6);
    }
    for (int i = 0; i < 100; i++)
        x[i] = (float)(i % 7) - 3;
    good(oclnn_trainer_step(t,
        (const struct oclnn_binding[]){{.name = "x",
                                           .data = x,
                                           .bytes = sizeof x,
                                           .shape = OCLNN_SHAPE(2, 2, 5, 5)},
            {.name = "which", .data = which, .bytes = sizeof which, .shape = OCLNN_SHAPE(2)}, {0}},
        (const struct oclnn_binding[]){{.data = wanted, .bytes = sizeof wanted}, {0}}, loss));
    good(oclnn_model_read_parameter(m, "constant6", now, sizeof now));
    for (int i = 0; i < 8; i++)
        assert_true(now[i] != table[i]);
    good(oclnn_model_read_parameter(m, "constant2", now, 4 * sizeof *now));
    for (int i = 0; i < 3; i++) /* the mask hides the last one */
        assert_true(now[i] != 1);
    good(oclnn_model_read_parameter(m, "constant3", now, 4 * sizeof *now));
    assert_true(now[0] == .1f && now[1] == -.3f); /* frozen by name */
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scales_of_a_file_are_trained),
        cmocka_unit_test(lstm_learns),
        cmocka_unit_test(transformer_learns),
    };
    const int code = open_device(&ctx);
    if (code)
        return code;
    make_images();
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
