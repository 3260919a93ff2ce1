/* The problem grammar, attributes, launches as values, walks. */
#include "ops/problem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void round_trip(const char *text, const char *want)
{
    struct onn_problem p;
    struct onn_str s = {0}, again = {0};
    if (onn_problem_parse(text, &p) != OCLNN_OK)
        fail_msg("%s: %s", text, oclnn_error_text(NULL));
    if (onn_problem_infer(&p) != OCLNN_OK)
        fail_msg("%s: %s", text, oclnn_error_text(NULL));
    onn_prob_text(&p.prob, &s);
    if (strcmp(onn_str_text(&s), want ? want : text))
        fail_msg("%s: printed %s", text, onn_str_text(&s));
    onn_problem_finish(&p);
    assert_int_equal(onn_problem_parse(onn_str_text(&s), &p), OCLNN_OK);
    assert_int_equal(onn_problem_infer(&p), OCLNN_OK);
    onn_prob_text(&p.prob, &again);
    assert_string_equal(onn_str_text(&s), onn_str_text(&again));
    onn_problem_finish(&p);
    onn_str_finish(&s);
    onn_str_finish(&again);
}

static void texts_survive(void **state)
{
    (void)state;
    round_trip("conv x=1x64x56x56 w=64x64x3x3", NULL);
    round_trip("conv  x=1x64x56x56\tw=64x64x3x3 pad=1 stride=2 group=1",
        "conv x=1x64x56x56 w=64x64x3x3 pad=1,1,1,1 stride=2,2");
    round_trip("conv w=1x64x56:f16 anything=8x64x3:f16 stride=2 b=8:f16",
        "conv x=1x64x56:f16 w=8x64x3:f16 b=8:f16 stride=2,");
    round_trip("conv x=?x3x8x8 w=4x3x3x3 b=- pad=0,1,2,1", NULL);
    round_trip("conv x=1x16x8x8:c8 w=16x16x1x1 f:c8", NULL);
    round_trip("conv x=1x16x8x8:nhwc w=16x16x1x1 f:nhwc", NULL);
    round_trip("conv x=1x16x8x8 w=16x16x1x1 auto_pad=SAME_UPPER opset=7 math=tf32", NULL);
    round_trip("reorder x=1x16x8x8:nhwc f:c8", NULL);
}

static void fails(const char *text, const char *what)
{
    struct onn_problem p;
    if (onn_problem_parse(text, &p) == OCLNN_OK)
        fail_msg("%s parses", text);
    if (!strstr(oclnn_error_text(NULL), what))
        fail_msg("%s: %s", text, oclnn_error_text(NULL));
}

static void errors_have_columns(void **state)
{
    (void)state;
    fails("", "column 1");
    fails("nothing x=1", "no operator is named \"nothing\"");
    fails("conv x=1x2y3", "column 11");
    fails("conv x=1x", "expected a dimension");
    fails("conv x=1x3x8x8:f99", "column 16");
    fails("conv x=1x3x8x8:dim7x8", "column 16");
    fails("conv x=1x1x1x1x1x1x1x1x1", "more dimensions");
    fails("conv x=99999999999999999999", "expected an integer");
    fails("conv x=1x3x8x8 group=two", "column 22");
    fails("conv x=1x3x8x8 group=1,2", "expected one number");
    fails("conv x=1x3x8x8 pad=1,,2", "expected an integer");
    fails("conv x=1x3x8x8 pad=1;2", "column 21");
    fails("conv x=1 w=1 b=1 more=1", "column 18");
    fails("conv x=1x3x8x8 word", "expected KEY=VALUE");
    fails("conv x=1x3x8x8 +nothing", "no element-wise operator");
    fails("conv x=1x3x8x8 math=fp8", "expected fp32");
    fails("conv x=@1,2:scalar", "a scalar has one number");
    fails("conv x=", "expected a dimension");
}

static void values_are_held(void **state)
{
    (void)state;
    struct onn_problem p;
    assert_int_equal(onn_problem_parse("conv x=@1,-2,3 w=@0.5,1e3:f32 b=@7:i32:scalar", &p), OCLNN_OK);
    assert_int_equal(p.prob.n_in, 3);
    assert_int_equal(p.in[0].dtype, OCLNN_I64);
    assert_int_equal(p.in[0].dim[0], 3);
    assert_int_equal(onn_blob_get_i64(p.prob.value[0], 1), -2);
    assert_true(onn_blob_get_f64(p.prob.value[1], 1) == 1000);
    assert_int_equal(p.in[2].rank, 0);
    assert_int_equal(onn_blob_get_i64(p.prob.value[2], 0), 7);
    onn_problem_finish(&p);
    assert_int_equal(onn_problem_parse("conv x=@()", &p), OCLNN_OK);
    assert_int_equal(p.in[0].dim[0], 0);
    onn_problem_finish(&p);
}

/* ---- attributes ---- */
struct attrs {
    int64_t number;
    float ratio;
    struct onn_ints list;
    struct onn_floats floats;
    const char *text;
};
static const struct onn_attr rows[] = {
    {"number", NULL, ONN_ATTR_INT, offsetof(struct attrs, number), 3, 1, 5},
    {"ratio", NULL, ONN_ATTR_FLOAT, offsetof(struct attrs, ratio), 0.5, 0, 0},
    {"list", NULL, ONN_ATTR_INTS, offsetof(struct attrs, list), 0, 0, 9},
    {"floats", NULL, ONN_ATTR_FLOATS, offsetof(struct attrs, floats), 0, 0, 0},
    {"text", NULL, ONN_ATTR_STRING, offsetof(struct attrs, text), 0, 0, 0},
    {.type = ONN_ATTR_END},
};
static const struct onn_op op = {.name = "fake", .attrs = rows, .attr_size = sizeof(struct attrs)};

static void attributes(void **state)
{
    (void)state;
    struct onn_arena arena = {0}, other = {0};
    struct attrs *a = onn_attr_defaults(&op, &arena);
    assert_true(a->number == 3 && a->ratio == 0.5f && a->list.n == -1 && a->floats.n == -1 && !a->text);
    assert_int_equal(onn_attr_check(&op, a), OCLNN_OK);
    int64_t v[] = {1, 12};
    a->list = (struct onn_ints){2, v};
    a->text = "abc";
    assert_int_equal(onn_attr_check(&op, a), OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(NULL), "attribute list is 12"));
    v[1] = 2;
    struct attrs *copy = onn_attr_copy(&op, a, &other);
    v[1] = 77;
    assert_int_equal(copy->list.v[1], 2);
    onn_arena_finish(&arena);
    assert_string_equal(copy->text, "abc");
    assert_int_equal(onn_ints_get(&copy->list, 1, 9), 2);
    assert_int_equal(onn_ints_get(&copy->list, 2, 9), 9);
    assert_int_equal(onn_ints_get(&(struct onn_ints){-1, NULL}, 0, 4), 4);
    copy->number = 6;
    assert_int_equal(onn_attr_check(&op, copy), OCLNN_ERROR_ARGUMENT);
    onn_arena_finish(&other);
}

static void adds_ops_to_graphs(void **state)
{
    (void)state;
    struct onn_graph *g;
    struct onn_desc d = onn_desc_make(OCLNN_F32, 0, NULL);
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    int32_t x = onn_graph_add_input(g, "x", &d);
    int64_t v[] = {4};
    struct attrs a = {.number = 2, .list = {1, v}, .floats = {-1, NULL}};
    int32_t n = onn_graph_add_op(g, &op, "n", &a, 1, &x, 1);
    v[0] = 0;
    const struct attrs *got = g->node[n].attr;
    assert_true(got->number == 2 && got->list.v[0] == 4);
    got = g->node[onn_graph_add_op(g, &op, "m", NULL, 1, &x, 1)].attr;
    assert_int_equal(got->number, 3);
    onn_graph_destroy(&g);
}

/* ---- launches and walks ---- */
static void launches_are_values(void **state)
{
    (void)state;
    struct onn_arena arena = {0};
    struct onn_bind b = {.arena = &arena};
    struct onn_launch *l = onn_bind_add(&b, "file", "kernel", "-D N=%d", 8);
    onn_arg_in(l, 1);
    onn_arg_int(&b, l, -7);
    onn_launch_size2(l, 10, 3, 8, 1);
    assert_string_equal(l->defines, "-D N=8");
    assert_int_equal(l->n_args, 2);
    assert_int_equal(*(const int32_t *)l->arg[1].value, -7);
    assert_true(l->global[0] == 16 && l->global[1] == 3 && l->local[0] == 8 && l->local[1] == 1);
    onn_launch_size1(l, 10, 0);
    assert_true(l->global[0] == 10 && l->local[0] == 0);
    assert_int_equal(b.status, OCLNN_OK);
    onn_arg_int(&b, l, INT64_C(1) << 31);
    assert_int_equal(b.status, OCLNN_ERROR_UNSUPPORTED);
    assert_null(onn_bind_add(&b, "file", "kernel", "%s", ""));
    onn_arg_in(NULL, 0); /* what follows an error is ignored */
    onn_launch_size1(NULL, 1, 1);
    onn_bind_finish(&b);
    onn_arena_finish(&arena);
}

static void walks_merge(void **state)
{
    (void)state;
    struct onn_nd nd;
    const int64_t dim[] = {2, 3, 1, 4, 5}, packed[] = {60, 20, 20, 5, 1}, gap[] = {70, 20, 9, 5, 1};
    const int64_t channel[] = {0, 1, 1, 0, 0};
    assert_true(onn_nd_make(&nd, 5, dim, 1, (const int64_t *[]){packed}));
    assert_true(nd.rank == 1 && nd.dim[0] == 120 && nd.stride[0][0] == 1);
    assert_true(onn_nd_make(&nd, 5, dim, 2, (const int64_t *[]){packed, gap}));
    assert_true(nd.rank == 2 && nd.dim[0] == 2 && nd.dim[1] == 60 && nd.stride[1][0] == 70);
    assert_true(onn_nd_make(&nd, 5, dim, 2, (const int64_t *[]){packed, channel}));
    assert_true(
        nd.rank == 3 && nd.dim[1] == 3 && nd.dim[2] == 20 && nd.stride[1][1] == 1 && nd.stride[1][2] == 0);
    assert_true(onn_nd_make(&nd, 2, (int64_t[]){1, 1}, 1, (const int64_t *[]){packed}));
    assert_true(nd.rank == 1 && nd.dim[0] == 1);
    assert_true(onn_nd_make(&nd, 2, (int64_t[]){5, 0}, 1, (const int64_t *[]){packed}));
    assert_true(nd.rank == 1 && nd.dim[0] == 0);
    assert_false(onn_nd_make(&nd, 1, (int64_t[]){INT64_C(1) << 31}, 1, (const int64_t *[]){packed}));
    assert_true(
        onn_nd_make(&nd, 2, (int64_t[]){1 << 16, 1 << 16}, 1, (const int64_t *[]){(int64_t[]){1 << 16, 1}}));
    assert_int_equal(nd.rank, 2); /* one dimension would not fit an int */
}

static void broadcast_strides(void **state)
{
    (void)state;
    int64_t s[ONN_MAX_RANK];
    struct onn_desc out = onn_desc_make(OCLNN_F32, 3, (int64_t[]){2, 3, 4});
    struct onn_desc a = onn_desc_make(OCLNN_F32, 2, (int64_t[]){3, 1});
    assert_true(onn_nd_broadcast(&a, &out, s));
    assert_true(s[0] == 0 && s[1] == 1 && s[2] == 0);
    a = onn_desc_make(OCLNN_F32, 1, (int64_t[]){3});
    assert_false(onn_nd_broadcast(&a, &out, s));
    onn_desc_set_format(&out, onn_format_blocked(1, 8));
    assert_false(onn_nd_broadcast(&out, &out, s));
}

static void count_op(const struct onn_op *each, void *user)
{
    int *n = user;
    assert_ptr_equal(onn_op_find(each->name), each); /* names are unique */
    assert_true(!each->onnx || onn_op_find_onnx(each->onnx));
    assert_true(each->attr_size || !each->attrs || each->attrs[0].type == ONN_ATTR_END);
    assert_non_null(each->infer);
    ++*n;
}

static void registry_is_sound(void **state)
{
    (void)state;
    int n = 0;
    onn_op_each(count_op, &n);
    assert_true(n > 0);
    assert_null(onn_op_find("no such operator"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_survive),
        cmocka_unit_test(errors_have_columns),
        cmocka_unit_test(values_are_held),
        cmocka_unit_test(attributes),
        cmocka_unit_test(adds_ops_to_graphs),
        cmocka_unit_test(launches_are_values),
        cmocka_unit_test(walks_merge),
        cmocka_unit_test(broadcast_strides),
        cmocka_unit_test(registry_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
