/* Recurrent networks learn: which of three symbols a sequence began with (it must be kept through the noise behind it),
 * and whether its first symbol is its last one (both directions). Whole networks through the public interface. */
#include <oclnn/oclnn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define N 96 /* sequences */
#define STEPS 7
#define SYMBOLS 3
#define HIDDEN 12

static oclnn_context *ctx;
static float x[N * STEPS * SYMBOLS];
static int64_t label[N];

static void good(enum oclnn_status status)
{
    if (status != OCLNN_OK)
        fail_msg("%s: %s", oclnn_status_text(status), oclnn_error_text(NULL));
}

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* One-hot symbols. same: the label is whether the first symbol is the last, else which one is the first. */
static void make_sequences(bool same)
{
    uint32_t state = 7;
    memset(x, 0, sizeof x);
    for (int i = 0; i < N; i++) {
        int symbol[STEPS];
        for (int t = 0; t < STEPS; t++)
            symbol[t] = (int)(next(&state) % SYMBOLS);
        if (same && i % 2)
            symbol[STEPS - 1] = symbol[0];
        for (int t = 0; t < STEPS; t++)
            x[(i * STEPS + t) * SYMBOLS + symbol[t]] = 1;
        label[i] = same ? symbol[0] == symbol[STEPS - 1] : symbol[0];
    }
}

struct net {
    const char *op, *attributes;
    int gates, directions;
    bool last; /* the states at the end, else the mean of all states */
};

static oclnn_model *network(const struct net *net, int classes)
{
    const struct oclnn_init init = {.kind = OCLNN_INIT_UNIFORM, .a = -0.3f, .b = 0.3f};
    const int64_t rows = net->gates * HIDDEN, d = net->directions;
    oclnn_graph *g = NULL;
    oclnn_model *m = NULL;
    oclnn_value out[2];
    char attributes[96];
    good(oclnn_graph_create(&(struct oclnn_graph_params){.seed = 5}, &g));
    const oclnn_value v = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, STEPS, SYMBOLS));
    const oclnn_value in[] = {v, oclnn_parameter(g, "w", OCLNN_F32, OCLNN_SHAPE(d, rows, SYMBOLS), &init),
        oclnn_parameter(g, "r", OCLNN_F32, OCLNN_SHAPE(d, rows, HIDDEN), &init),
        oclnn_parameter(g, "b", OCLNN_F32, OCLNN_SHAPE(d, 2 * rows), &init)};
    snprintf(attributes, sizeof attributes, "layout=1 hidden_size=%d %s", HIDDEN, net->attributes);
    oclnn_op_many(g, net->op, attributes, in, 4, out, 2);
    const oclnn_value state = net->last ? out[1] : oclnn_reduce_mean(g, out[0], OCLNN_LIST(1), 0);
    oclnn_output(g, "logits",
        oclnn_dense(g, oclnn_reshape(g, state, OCLNN_SHAPE(0, d * HIDDEN)), classes, NULL));
    good(oclnn_model_create(ctx, &g, NULL, &m));
    return m;
}

static void learns(const struct net *net, bool same, int steps)
{
    oclnn_trainer *t = NULL;
    float first = 0, last = 0;
    make_sequences(same);
    oclnn_model *m = network(net, same ? 2 : SYMBOLS);
    good(oclnn_trainer_create(m,
        &(struct oclnn_trainer_params){.optimizer = {.kind = OCLNN_ADAM, .lr = 0.02f}}, &t));
    const struct oclnn_binding in[] = {{.data = x,
                                           .bytes = sizeof x,
                                           .shape = OCLNN_SHAPE(N, STEPS, SYMBOLS)},
        {0}};
    const struct oclnn_binding target[] = {{.data = label, .bytes = sizeof label}, {0}};
    good(oclnn_trainer_step(t, in, target, &first));
    for (int i = 0; i < steps; i++)
        good(oclnn_trainer_step(t, NULL, NULL, &last));
    printf("%s %s: loss %.3g, then %.3g\n", net->op, net->attributes, (double)first, (double)last);
    if (!(last < 0.05f))
        fail_msg("%s: loss %g, after %d steps %g", net->op, (double)first, steps, (double)last);
    oclnn_trainer_destroy(&t);
    oclnn_model_destroy(&m);
}

static void lstm_remembers_the_first_symbol(void **state)
{
    (void)state;
    learns(&(struct net){"lstm", "", 4, 1, true}, false, 120);
}

static void gru_remembers_the_first_symbol(void **state)
{
    (void)state;
    learns(&(struct net){"gru", "", 3, 1, true}, false, 120);
    learns(&(struct net){"gru", "linear_before_reset=1", 3, 1, true}, false, 120);
}

static void rnn_remembers_the_first_symbol(void **state)
{
    (void)state;
    learns(&(struct net){"rnn", "", 1, 1, true}, false, 200);
}

static void two_directions_compare_both_ends(void **state)
{
    (void)state;
    learns(&(struct net){"lstm", "direction=bidirectional", 4, 2, true}, true, 200);
    learns(&(struct net){"lstm", "direction=bidirectional", 4, 2, false}, true, 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lstm_remembers_the_first_symbol),
        cmocka_unit_test(gru_remembers_the_first_symbol),
        cmocka_unit_test(rnn_remembers_the_first_symbol),
        cmocka_unit_test(two_directions_compare_both_ends),
    };
    const enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return 77;
    if (status != OCLNN_OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
