/* The graph's arrays, stickiness, ownership and dump. */
#include "graph/graph.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* The graph only carries operators' addresses. */
static const char marks[2];
#define OP_A ((const struct onn_op *)(const void *)&marks[0])
#define OP_B ((const struct onn_op *)(const void *)&marks[1])

static const char *name_of(const struct onn_op *op)
{
    return op == OP_A ? "conv" : "relu";
}

static struct onn_desc f32(int64_t n)
{
    return onn_desc_make(OCLNN_F32, 1, &n);
}

static void builds_and_dumps(void **state)
{
    (void)state;
    struct onn_graph *g;
    struct onn_desc d = f32(4);
    struct onn_blob *blob;
    struct onn_init init = {.kind = ONN_INIT_ONE};
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    char name[] = "input";
    int32_t x = onn_graph_add_input(g, name, &d);
    name[0] = '!'; /* the graph has its own copy */
    assert_int_equal(onn_blob_create(&d, NULL, &blob), OCLNN_OK);
    int32_t w = onn_graph_add_blob(g, "w", ONN_ROLE_CONST, blob), p = onn_graph_add_param(g, "p", &d, &init);
    assert_int_equal(blob->refs, 2);
    onn_blob_unref(&blob);
    const int attr = 42;
    int32_t a = onn_graph_add_node(g, OP_A, "first", &attr, sizeof attr, 3, (int32_t[]){x, w, 0}, 1);
    assert_int_equal(a, 0);
    assert_int_equal(*(const int *)g->node[a].attr, 42);
    int32_t y = g->node[a].out[0];
    int32_t b = onn_graph_add_node(g, OP_B, "", NULL, 0, 1, &y, 2);
    onn_graph_add_output(g, "result", g->node[b].out[1]);
    assert_int_equal(g->status, OCLNN_OK);
    assert_int_equal(onn_graph_find(g, "input"), x);
    assert_int_equal(onn_graph_find(g, "result"), g->node[b].out[1]);
    assert_int_equal(onn_graph_find(g, "nothing"), 0);
    assert_int_equal(onn_graph_find(g, ""), 0);
    assert_int_equal(g->value[g->node[b].out[1]].node, b);
    assert_int_equal(g->value[g->node[b].out[1]].slot, 1);
    assert_int_equal(g->value[p].init->kind, ONN_INIT_ONE);
    int32_t *uses = onn_graph_count_uses(g);
    assert_true(uses[x] == 1 && uses[w] == 1 && uses[y] == 1 && uses[p] == 0 && uses[g->node[b].out[1]] == 1);
    onn_free(uses);
    struct onn_str s = {0};
    onn_graph_dump(g, name_of, &s);
    assert_string_equal(onn_str_text(&s),
        "graph: 2 nodes, 6 values\n"
        "input %1 \"input\" f32[4]\n"
        "const %2 \"w\" f32[4]\n"
        "param %3 \"p\" f32[4]\n"
        "%4 = conv(%1, %2, -) \"first\" : none[?]\n"
        "%5, %6 = relu(%4) : none[?] none[?]\n"
        "output %6 \"result\" none[?]\n");
    onn_str_finish(&s);
    onn_graph_destroy(&g);
    assert_null(g);
    onn_graph_destroy(&g);
}

static void first_error_sticks(void **state)
{
    (void)state;
    struct onn_graph *g;
    struct onn_desc d = f32(4);
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    int32_t x = onn_graph_add_input(g, "x", &d);
    assert_int_equal(onn_graph_add_node(g, OP_A, "bad", NULL, 0, 1, (int32_t[]){77}, 1), -1);
    assert_int_equal(g->status, OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(g->error, "bad: input 0 is value 77"));
    assert_int_equal(onn_graph_add_input(g, "y", &d), 0);
    assert_int_equal(onn_graph_add_node(g, OP_A, "good", NULL, 0, 1, &x, 1), -1);
    onn_graph_fail(g, OCLNN_ERROR_SHAPE, "another");
    assert_int_equal(g->status, OCLNN_ERROR_ARGUMENT);
    onn_graph_destroy(&g);
}

static void values_have_one_producer(void **state)
{
    (void)state;
    struct onn_graph *g;
    struct onn_desc d = f32(4);
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    int32_t x = onn_graph_add_input(g, "x", &d), y = onn_graph_add_value(g, "y", NULL);
    assert_int_equal(onn_graph_add_node_to(g, OP_A, "n", NULL, 0, 1, &x, 2, (int32_t[]){y, 0}), 0);
    assert_int_equal(onn_graph_add_node_to(g, OP_A, "again", NULL, 0, 1, &x, 1, &y), -1);
    assert_int_equal(g->status, OCLNN_ERROR_ARGUMENT);
    onn_graph_destroy(&g);
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    onn_graph_add_output(g, "z", 5);
    assert_int_equal(g->status, OCLNN_ERROR_ARGUMENT);
    onn_graph_destroy(&g);
}

static void holds_what_attributes_need(void **state)
{
    (void)state;
    struct onn_graph *g, *sub;
    struct onn_desc d = f32(2);
    struct onn_blob *blob;
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    assert_int_equal(onn_graph_create(&sub), OCLNN_OK);
    assert_int_equal(onn_blob_create(&d, NULL, &blob), OCLNN_OK);
    assert_int_equal(onn_graph_hold_blob(g, blob), OCLNN_OK);
    assert_int_equal(onn_graph_hold_sub(g, sub), OCLNN_OK);
    assert_int_equal(blob->refs, 2);
    int32_t c = onn_graph_add_i64(g, (int64_t[]){5, 6}, 2), s = onn_graph_add_i64(g, (int64_t[]){7}, -1);
    int32_t f = onn_graph_add_f32(g, 1.5f);
    assert_int_equal(g->value[c].desc.dim[0], 2);
    assert_int_equal(onn_blob_get_i64(g->value[c].blob, 1), 6);
    assert_int_equal(g->value[s].desc.rank, 0);
    assert_int_equal(onn_blob_get_i64(g->value[s].blob, 0), 7);
    assert_true(onn_blob_get_f64(g->value[f].blob, 0) == 1.5);
    onn_graph_destroy(&g);
    assert_int_equal(blob->refs, 1);
    onn_blob_unref(&blob);
}

static void grows(void **state)
{
    (void)state;
    struct onn_graph *g;
    struct onn_desc d = f32(1);
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    int32_t v = onn_graph_add_input(g, "x", &d);
    for (int i = 0; i < 1000; i++) {
        int32_t n = onn_graph_add_node(g, OP_A, "n", NULL, 0, 1, &v, 20);
        v = g->node[n].out[19];
    }
    assert_int_equal(g->status, OCLNN_OK);
    assert_int_equal(g->n_values, 20002);
    onn_graph_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_and_dumps),
        cmocka_unit_test(first_error_sticks),
        cmocka_unit_test(values_have_one_producer),
        cmocka_unit_test(holds_what_attributes_need),
        cmocka_unit_test(grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
