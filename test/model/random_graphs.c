/* Random graphs of layers that share, cut, join and turn each other's values: as planned, in a format that is drawn and with
 * a pass that is left out, they give what they give without any pass and with the plainest kernels; twice the same bits.
 * Command line: onn_random_main's. */
#include "harness/check.h"
#include "harness/passes.h"
#include "harness/random_graph.h"
#include "harness/train.h"
#include <oclnn/oclnn.h>

#include <math.h>

static oclnn_context *ctx;

struct answer {
    int n;
    oclnn_tensor *y[ONN_DRAWN_VALUES];
};

static void forget(struct answer *a)
{
    for (int i = 0; i < a->n; i++)
        oclnn_tensor_destroy(&a->y[i]);
}

static void run(oclnn_model *m, const struct onn_drawn *d, struct answer *a)
{
    oclnn_tensor *x = onn_draw_input(d);
    struct oclnn_binding out[ONN_DRAWN_VALUES + 1] = {0};
    *a = (struct answer){.n = d->outputs};
    for (int i = 0; i < a->n; i++)
        out[i].result = &a->y[i];
    good(oclnn_model_run(m, (struct oclnn_binding[]){{.tensor = x}, {0}}, out));
    oclnn_tensor_destroy(&x);
}

static void answers(uint64_t seed, const struct oclnn_model_params *params, struct answer *a)
{
    struct onn_drawn d;
    struct answer again;
    oclnn_model *m = NULL;
    onn_draw_graph(&d, seed);
    good(oclnn_model_create(ctx, &d.g, params, &m));
    run(m, &d, a);
    run(m, &d, &again);
    for (int i = 0; i < a->n; i++)
        if (memcmp(oclnn_tensor_data(a->y[i]), oclnn_tensor_data(again.y[i]), oclnn_tensor_bytes(a->y[i])) !=
            0)
            fail_msg("graph %d: the second run gives other bits in output %d", (int)seed, i);
    forget(&again);
    oclnn_model_destroy(&m);
}

static void compare(uint64_t seed, const char *what, const struct answer *want, const struct answer *got)
{
    assert_int_equal(want->n, got->n);
    for (int i = 0; i < want->n; i++) {
        const float *a = oclnn_tensor_data(want->y[i]), *b = oclnn_tensor_data(got->y[i]);
        const size_t n = oclnn_tensor_bytes(want->y[i]) / sizeof(float);
        double largest = 0;
        assert_int_equal(oclnn_tensor_bytes(got->y[i]), n * sizeof(float));
        for (size_t k = 0; k < n; k++)
            largest = fmax(largest, fabs((double)a[k]));
        for (size_t k = 0; k < n; k++)
            if (!(fabs((double)a[k] - (double)b[k]) <= 2e-4 * largest + 1e-6))
                fail_msg("graph %d, %s: output %d at %zu is %g instead of %g (largest %g); again: "
                         "random_graphs --seed %d "
                         "--graphs 1",
                    (int)seed, what, i, k, (double)b[k], (double)a[k], largest, (int)seed);
    }
}

static void check(uint64_t seed)
{
    static const char *const formats[] = {"plain", "nhwc", "c8", "c16"};
    struct answer want, got;
    uint64_t state = seed + 1000;
    const char *format = formats[onn_test_random(&state) % 4], *left_out = onn_any_pass(&state);
    answers(seed, &(struct oclnn_model_params){.variant = "reference", .passes_off = onn_every_pass()},
        &want);
    answers(seed, NULL, &got);
    compare(seed, "as planned", &want, &got);
    forget(&got);
    answers(seed, &(struct oclnn_model_params){.format = format}, &got);
    compare(seed, format, &want, &got);
    forget(&got);
    answers(seed, &(struct oclnn_model_params){.passes_off = left_out}, &got);
    compare(seed, left_out, &want, &got);
    forget(&got);
    forget(&want);
}

int main(int argc, char **argv)
{
    return onn_random_main(argc, argv,
        &(struct onn_random_test){.ctx = &ctx, .check = check, .sample = 20, .full = 1000});
}
