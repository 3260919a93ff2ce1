/* The passes on updates: one node for all that differ in their tensors only, the same bits as without it, no update behind a
 * reader of what it writes; and none in front of a reader of the old value. */
#include "harness/train.h"
#include "ops/optimizer.h"
#include "pass/passes.h"
#include <oclnn/device.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MOST 64

static oclnn_context *ctx;

/* A graph of updates, and the blobs that it changes. */
struct net {
    struct onn_graph *g;
    struct onn_blob *blob[MOST];
    int n;
    int32_t lr, scale, step;
};

static int32_t persistent(struct net *t, enum onn_role role, int64_t n)
{
    assert_true(t->n < MOST);
    struct onn_blob *b = onn_test_blob(1, &n, 1, 100u + (unsigned)t->n);
    for (int64_t i = 0; i < n && role == ONN_ROLE_STATE; i++) /* second moments are positive */
        onn_blob_set_f64(b, i, onn_blob_get_f64(b, i) + 1.5);
    t->blob[t->n++] = b;
    return onn_graph_add_blob(t->g, "", role, b);
}

static int32_t constant(struct net *t, int64_t n, unsigned seed)
{
    struct onn_blob *b = onn_test_blob(1, &n, 1, seed);
    const int32_t id = onn_graph_add_blob(t->g, "", ONN_ROLE_CONST, b);
    onn_blob_unref(&b);
    return id;
}

/* Scalars; the output is there because a plan wants one. */
static struct net start(void)
{
    struct net t = {0};
    assert_int_equal(onn_graph_create(&t.g), OCLNN_OK);
    const int32_t x = onn_test_input(t.g, "x", OCLNN_F32, 1, (int64_t[]){3});
    onn_graph_add_output(t.g, "y", onn_test_node(t.g, "relu", NULL, 1, &x));
    t.lr = onn_graph_add_f32(t.g, 0.05f);
    t.scale = onn_graph_add_f32(t.g, 0.7f);
    t.step = onn_graph_add_i64(t.g, (int64_t[]){3}, 1);
    return t;
}

static void update(struct net *t, const char *op, const void *attr, int n, const int32_t *in)
{
    onn_graph_add_op(t->g, onn_op_find(op), op, attr, n, in, 0);
    assert_int_equal(t->g->status, OCLNN_OK);
}

/* Runs the graph three times and returns everything that it may have changed; counts nodes of two operators. */
static float *answer(const struct net *t, const char *off, const char *const op[2], int count[2], size_t *n)
{
    struct onn_derived_cache cache = {0};
    const struct onn_plan_options options = {.passes_off = off};
    struct onn_blob *kept[MOST];
    for (int i = 0; i < t->n; i++)
        assert_int_equal(onn_blob_create(&t->blob[i]->desc, t->blob[i]->data, &kept[i]), OCLNN_OK);
    struct onn_plan *p = onn_test_plan(ctx, t->g, &options, &cache);
    onn_test_write(p, 0, (float[]){1, 2, 3});
    for (int i = 0; i < 3; i++)
        onn_test_run(p);
    *n = count[0] = count[1] = 0;
    for (int k = 0; k < p->graph->n_nodes; k++)
        for (int i = 0; i < 2; i++)
            count[i] += strcmp(p->graph->node[k].op->name, op[i]) == 0;
    for (int i = 0; i < t->n; i++)
        *n += (size_t)onn_desc_elements(&t->blob[i]->desc);
    float *all = malloc(*n * sizeof *all), *at = all;
    assert_non_null(all);
    for (int i = 0; i < t->n; i++) {
        const size_t bytes = onn_desc_bytes(&t->blob[i]->desc);
        assert_int_equal(onn_blob_sync_host(t->blob[i]), OCLNN_OK);
        memcpy(at, t->blob[i]->data, bytes);
        at += bytes / sizeof *at;
    }
    onn_plan_destroy(&p);
    onn_derived_finish(&cache);
    for (int i = 0; i < t->n; i++) { /* as it was, for the next run */
        for (int64_t k = 0; k < onn_desc_elements(&kept[i]->desc); k++)
            onn_blob_set_f64(t->blob[i], k, onn_blob_get_f64(kept[i], k));
        onn_blob_unref(&kept[i]);
    }
    return all;
}

/* The same bits with and without the pass; so many nodes of op[0] and op[1] with it, and without. Ends t. */
static void check(struct net *t, const char *const op[2], const int with[2], const int without[2])
{
    int on[2], off[2];
    size_t n;
    float *joined = answer(t, NULL, op, on, &n), *single = answer(t, "updates", op, off, &n);
    for (size_t i = 0; i < n; i++)
        if (memcmp(&joined[i], &single[i], sizeof *joined) != 0)
            fail_msg("%s: number %zu of %zu is %.9g joined and %.9g alone", op[0], i, n, (double)joined[i],
                (double)single[i]);
    for (int i = 0; i < 2; i++)
        if (on[i] != with[i] || off[i] != without[i])
            fail_msg("%d and %d nodes '%s' with and without the pass; expected were %d and %d", on[i], off[i],
                op[i], with[i], without[i]);
    free(joined);
    free(single);
    for (int i = 0; i < t->n; i++)
        onn_blob_unref(&t->blob[i]);
    onn_graph_destroy(&t->g);
}

static const int64_t sizes[] = {1, 7, 8, 9, 64, 1000, 4097, 5000, 3, 1368, 1369, 16};
#define SIZES (int)(sizeof sizes / sizeof *sizes)

/* Every rule with more parameters than one launch takes, every third with another weight decay. */
static void joins_and_keeps_bits(void **state)
{
    static const struct {
        const char *op;
        int states;
        bool step;
    } rules[] = {{"sgd", 0, false}, {"sgd", 1, false}, {"adam", 2, true}, {"adamw", 2, true},
        {"rmsprop", 1, false}, {"rmsprop", 2, false}, {"adagrad", 1, false}, {"lars", 1, false}};
    (void)state;
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        struct net t = start();
        for (int i = 0; i < SIZES; i++) {
            const struct onn_optimizer_attr attr = {.momentum = 0.9f,
                .beta1 = 0.9f,
                .beta2 = 0.99f,
                .epsilon = 1e-3f,
                .trust = 0.1f,
                .weight_decay = i % 3 ? 0.01f : 0};
            int32_t in[7] = {persistent(&t, ONN_ROLE_PARAM, sizes[i]),
                constant(&t, sizes[i], 9u + (unsigned)i), t.lr, t.scale};
            int n = 4;
            if (rules[r].step)
                in[n++] = t.step;
            for (int k = 0; k < rules[r].states; k++)
                in[n++] = persistent(&t, ONN_ROLE_STATE, sizes[i]);
            update(&t, rules[r].op, &attr, n, in);
        }
        const bool one = strcmp(rules[r].op, "lars") == 0;
        check(&t, (const char *const[]){rules[r].op, "relu"}, (int[]){one ? SIZES : 2, 1}, (int[]){SIZES, 1});
    }
}

static void joins_states(void **state)
{
    static const char *const ops[] = {"assign", "accumulate", "ema"};
    (void)state;
    for (int r = 0; r < 3; r++) {
        struct net t = start();
        for (int i = 0; i < SIZES; i++) {
            const struct onn_optimizer_attr attr = {.decay = 0.9f};
            const int32_t in[3] = {persistent(&t, ONN_ROLE_STATE, sizes[i]),
                constant(&t, sizes[i], 9u + (unsigned)i), t.scale};
            update(&t, ops[r], &attr, r == 1 ? 2 : 3, in);
        }
        check(&t, (const char *const[]){ops[r], "relu"}, (int[]){1, 1}, (int[]){SIZES, 1});
    }
}

/* An average reads the weight that its optimiser has just written: that one may not wait, the average may. */
static void readers_see_what_was_written(void **state)
{
    struct net t = start();
    const struct onn_optimizer_attr attr = {.decay = 0.5f};
    (void)state;
    for (int i = 0; i < 5; i++) {
        const int32_t p = persistent(&t, ONN_ROLE_PARAM, sizes[i]);
        update(&t, "sgd", &attr, 3, (int32_t[]){p, constant(&t, sizes[i], 9u + (unsigned)i), t.lr});
        update(&t, "ema", &attr, 2, (int32_t[]){persistent(&t, ONN_ROLE_STATE, sizes[i]), p});
    }
    check(&t, (const char *const[]){"sgd", "ema"}, (int[]){5, 1}, (int[]){5, 5});
}

/* The same parameter twice: in the order of the graph. */
static void twice_in_order(void **state)
{
    struct net t = start();
    const struct onn_optimizer_attr attr = {.decay = 0.5f};
    (void)state;
    const int32_t p = persistent(&t, ONN_ROLE_PARAM, 9), q = persistent(&t, ONN_ROLE_PARAM, 9);
    for (int i = 0; i < 2; i++) {
        update(&t, "sgd", &attr, 3, (int32_t[]){p, constant(&t, 9, 9u + (unsigned)i), t.lr});
        update(&t, "assign", &attr, 2, (int32_t[]){q, p});
        update(&t, "accumulate", &attr, 2, (int32_t[]){p, q});
    }
    check(&t, (const char *const[]){"sgd", "assign"}, (int[]){2, 2}, (int[]){2, 2});
}

/* Places of the k-th node of an operator. */
static int place(const struct onn_graph *g, const char *op, int k)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (strcmp(g->node[i].op->name, op) == 0 && k-- == 0)
            return i;
    fail_msg("no such node '%s'", op);
    return -1;
}

/* x p -> y, y q -> z, z p -> the end; then both are updated with y. That of q moves in front of the last node, which reads p
 * only; that of p stays behind that node and behind the assignment, which reads it too. */
static void early_but_behind_readers(void **state)
{
    struct net t = start();
    struct onn_graph *g = NULL;
    (void)state;
    const int32_t p = persistent(&t, ONN_ROLE_PARAM, 3), q = persistent(&t, ONN_ROLE_PARAM, 3);
    const int32_t copy = persistent(&t, ONN_ROLE_STATE, 3);
    const int32_t y = onn_test_node(t.g, "mul", NULL, 2, (int32_t[]){t.g->input[0], p});
    const int32_t z = onn_test_node(t.g, "add", NULL, 2, (int32_t[]){y, q});
    onn_graph_add_output(t.g, "end", onn_test_node(t.g, "sub", NULL, 2, (int32_t[]){z, p}));
    update(&t, "assign", NULL, 2, (int32_t[]){copy, p});
    update(&t, "sgd", &(struct onn_optimizer_attr){0}, 3, (int32_t[]){p, y, t.lr});
    update(&t, "sgd", &(struct onn_optimizer_attr){0}, 3, (int32_t[]){q, y, t.lr});
    assert_int_equal(onn_pass_early(t.g, &g), OCLNN_OK);
    assert_int_equal(g->n_nodes, t.g->n_nodes);
    assert_int_equal(place(g, "sgd", 0), place(g, "add", 0) + 1); /* q */
    assert_true(place(g, "sub", 0) > place(g, "sgd", 0));
    assert_int_equal(place(g, "sgd", 1), g->n_nodes - 1); /* p: behind "sub", which reads it */
    assert_true(place(g, "assign", 0) < place(g, "sgd", 1));
    onn_graph_destroy(&g);
    check(&t, (const char *const[]){"sgd", "assign"}, (int[]){1, 1}, (int[]){2, 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(early_but_behind_readers),
        cmocka_unit_test(joins_and_keeps_bits), cmocka_unit_test(joins_states),
        cmocka_unit_test(readers_see_what_was_written), cmocka_unit_test(twice_in_order)};
    const enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE) {
        puts("skipped: no device");
        return 77;
    }
    if (status != OCLNN_OK)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oclnn_context_destroy(&ctx);
    return failed;
}
