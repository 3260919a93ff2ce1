/* Random graphs of smooth layers in training: gradients of all parameters as planned, and with a pass left out, are those without
 * any pass and with the plainest kernels; the same bits in a second step at a rate of 0.
 * Command line: onn_random_main's. */
#include "harness/check.h"
#include "harness/passes.h"
#include "harness/random_graph.h"
#include "harness/train.h"
#include <oclnn/train.h>

#include <math.h>
#include <stdlib.h>

#define MAX_PARAMETERS 64

static oclnn_context *ctx;

struct gradients {
    float loss;
    int n;
    char name[MAX_PARAMETERS][48];
    size_t count[MAX_PARAMETERS];
    float *value[MAX_PARAMETERS];
};

static void forget(struct gradients *g)
{
    for (int i = 0; i < g->n; i++)
        free(g->value[i]);
}

static void read_all(oclnn_trainer *t, const oclnn_model *m, struct gradients *out)
{
    for (int i = 0; i < oclnn_model_parameter_count(m); i++) {
        struct oclnn_model_io io;
        size_t n = 1;
        good(oclnn_model_parameter(m, i, &io));
        for (int a = 0; a < io.shape.rank; a++)
            n *= (size_t)io.shape.dim[a];
        assert_true(out->n < MAX_PARAMETERS);
        float *value = malloc(n * sizeof *value);
        assert_non_null(value);
        const enum oclnn_status status = oclnn_trainer_read_gradient(t, io.name, value, n * sizeof *value);
        if (status == OCLNN_ERROR_NOT_FOUND) { /* nothing that it is part of reaches the loss */
            free(value);
            continue;
        }
        good(status);
        snprintf(out->name[out->n], sizeof *out->name, "%s", io.name);
        out->count[out->n] = n;
        out->value[out->n++] = value;
    }
}

static void same_bits(const struct gradients *a, const struct gradients *b, uint64_t seed)
{
    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++)
        if (memcmp(a->value[i], b->value[i], a->count[i] * sizeof(float)) != 0)
            fail_msg("graph %d: the second step gives other bits for %s", (int)seed, a->name[i]);
}

/* Gradients of one step. */
static void gradients_of(uint64_t seed, const struct oclnn_model_params *params, struct gradients *out)
{
    struct onn_drawn d;
    struct gradients again = {0};
    oclnn_model *m = NULL;
    oclnn_trainer *t = NULL;
    float target[2 * 4] = {0.5f, -1, 0.25f, 2, -0.5f, 1, 0.75f, -2};
    const struct oclnn_trainer_params settings = {.loss = OCLNN_LOSS_MSE};
    onn_draw_trainable(&d, seed);
    oclnn_tensor *x = onn_draw_input(&d);
    const struct oclnn_binding in[] = {{.tensor = x}, {0}},
                               to[] = {{.data = target, .bytes = (size_t)d.x.dim[0] * 4 * sizeof(float)},
                                   {0}};
    *out = (struct gradients){0};
    good(oclnn_model_create(ctx, &d.g, params, &m));
    good(oclnn_trainer_create(m, &settings, &t));
    good(oclnn_trainer_keep_gradients(t));
    good(oclnn_trainer_set_lr(t, 0));
    good(oclnn_trainer_step(t, in, to, &out->loss));
    read_all(t, m, out);
    good(oclnn_trainer_step(t, in, to, &again.loss));
    read_all(t, m, &again);
    same_bits(out, &again, seed);
    assert_memory_equal(&out->loss, &again.loss, sizeof(float));
    forget(&again);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
    oclnn_tensor_destroy(&x);
}

static void compare(uint64_t seed, const char *what, const struct gradients *want,
    const struct gradients *got)
{
    double all = 0;
    assert_int_equal(want->n, got->n);
    if (!(fabs((double)want->loss - (double)got->loss) <= 1e-4 * fabs((double)want->loss)))
        fail_msg("graph %d, %s: loss %g instead of %g", (int)seed, what, (double)got->loss,
            (double)want->loss);
    for (int i = 0; i < want->n; i++)
        for (size_t k = 0; k < want->count[i]; k++)
            all = fmax(all, fabs((double)want->value[i][k]));
    for (int i = 0; i < want->n; i++) {
        double largest = 0;
        for (size_t k = 0; k < want->count[i]; k++)
            largest = fmax(largest, fabs((double)want->value[i][k]));
        for (size_t k = 0; k < want->count[i]; k++) {
            const double a = (double)want->value[i][k], b = (double)got->value[i][k];
            if (!(fabs(a - b) <= 1e-3 * largest + 1e-5 * all))
                fail_msg("graph %d, %s: the gradient of %s at %zu is %g instead of %g (largest %g, of all "
                         "%g); again: "
                         "random_training --seed %d --graphs 1",
                    (int)seed, what, want->name[i], k, b, a, largest, all, (int)seed);
        }
    }
}

static void check(uint64_t seed)
{
    struct gradients want, got;
    uint64_t state = seed + 2000;
    const char *left_out = onn_any_pass(&state);
    gradients_of(seed, &(struct oclnn_model_params){.variant = "reference", .passes_off = onn_every_pass()},
        &want);
    gradients_of(seed, NULL, &got);
    compare(seed, "as planned", &want, &got);
    forget(&got);
    gradients_of(seed, &(struct oclnn_model_params){.passes_off = left_out}, &got);
    compare(seed, left_out, &want, &got);
    forget(&got);
    forget(&want);
}

int main(int argc, char **argv)
{
    return onn_random_main(argc, argv,
        &(struct onn_random_test){.ctx = &ctx, .check = check, .sample = 10, .full = 500});
}
