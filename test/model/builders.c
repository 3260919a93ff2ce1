/* The layer functions without a device: shapes, names, parameters, and the first mistake. */
#include "model/graph_api.h"

#include <math.h>
#include <oclnn/model.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static oclnn_graph *start(void)
{
    oclnn_graph *g;
    assert_int_equal(oclnn_graph_create(NULL, &g), OCLNN_OK);
    return g;
}

static void check(const oclnn_graph *g, oclnn_value v, struct oclnn_shape want)
{
    struct oclnn_shape got;
    if (oclnn_graph_status(g) != OCLNN_OK)
        fail_msg("%s", oclnn_error_text(NULL));
    assert_int_equal(oclnn_value_shape(g, v, &got), OCLNN_OK);
    assert_int_equal(got.rank, want.rank);
    for (int i = 0; i < want.rank; i++)
        assert_int_equal(got.dim[i], want.dim[i]);
}

static const struct onn_value *named(const oclnn_graph *g, const char *name)
{
    int32_t id = onn_graph_find(g->graph, name);
    if (!id)
        fail_msg("no value is called %s", name);
    return &g->graph->value[id];
}

static void program_2(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "image", OCLNN_F32, OCLNN_SHAPE(-1, 1, 28, 28));
    x = oclnn_relu(g, oclnn_conv2d(g, x, 32, 3, NULL));
    check(g, x, OCLNN_SHAPE(-1, 32, 26, 26));
    x = oclnn_max_pool2d(g, x, 2, NULL);
    check(g, x, OCLNN_SHAPE(-1, 32, 13, 13));
    x = oclnn_relu(g, oclnn_conv2d(g, x, 64, 3, &(struct oclnn_conv){.stride = {2, 2}, .pad = {1, 1, 1, 1}}));
    check(g, x, OCLNN_SHAPE(-1, 64, 7, 7));
    x = oclnn_dense(g, oclnn_flatten(g, x), 10, NULL);
    check(g, x, OCLNN_SHAPE(-1, 10));
    oclnn_output(g, "logits", x);
    assert_int_equal(oclnn_graph_status(g), OCLNN_OK);
    assert_int_equal(named(g, "logits")->node, g->graph->n_nodes - 1);
    assert_string_equal(g->graph->node[0].name, "conv1");
    assert_string_equal(g->graph->node[2].name, "max_pool1");
    const struct onn_value *w = named(g, "conv2.weight");
    assert_int_equal(w->role, ONN_ROLE_PARAM);
    assert_int_equal(w->init->kind, ONN_INIT_KAIMING_UNIFORM);
    assert_int_equal(w->init->fan_in, 32 * 9);
    assert_int_equal(named(g, "conv2.bias")->init->kind, ONN_INIT_ZERO);
    assert_int_equal(named(g, "dense1.weight")->init->fan_in, 64 * 49);
    oclnn_graph_destroy(&g);
}

static void convolutions(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(2, 8, 15, 17)), y;
    y = oclnn_conv2d(g, x, 16, 0, &(struct oclnn_conv){.kernel = {1, 7}, .pad = {0, 3, 0, 3}, .no_bias = 1});
    check(g, y, OCLNN_SHAPE(2, 16, 15, 17));
    assert_int_equal(onn_graph_find(g->graph, "conv1.bias"), 0);
    y = oclnn_conv2d(g, x, 8, 3, &(struct oclnn_conv){.name = "dw", .group = 8, .stride = {2}, .same = 1});
    check(g, y, OCLNN_SHAPE(2, 8, 8, 9));
    assert_int_equal(named(g, "dw.weight")->desc.dim[1], 1);
    y = oclnn_conv2d(g, x, 4, 3, &(struct oclnn_conv){.dilation = {2, 3}});
    check(g, y, OCLNN_SHAPE(2, 4, 11, 11));
    y = oclnn_conv_transpose2d(g, x, 6, 2, &(struct oclnn_conv){.stride = {2}});
    check(g, y, OCLNN_SHAPE(2, 6, 30, 34));
    y = oclnn_conv_transpose2d(g, x, 6, 3,
        &(struct oclnn_conv){.stride = {2}, .pad = {1, 1, 1, 1}, .output_pad = {1, 1}, .group = 2});
    check(g, y, OCLNN_SHAPE(2, 6, 30, 34));
    y = oclnn_input(g, "free", OCLNN_F32, OCLNN_SHAPE(-1, 3, -1, -1));
    y = oclnn_conv2d(g, y, 5, 3, NULL);
    check(g, y, OCLNN_SHAPE(-1, 5, -1, -1));
    y = oclnn_dense(g, oclnn_input(g, "tokens", OCLNN_F32, OCLNN_SHAPE(-1, 9, 12)), 5, NULL);
    check(g, y, OCLNN_SHAPE(-1, 9, 5));
    oclnn_value m = oclnn_input(g, "rows", OCLNN_F32, OCLNN_SHAPE(-1, 12));
    check(g,
        oclnn_gemm(g, m, oclnn_parameter(g, "v", OCLNN_F32, OCLNN_SHAPE(5, 12), NULL), 0,
            &(struct oclnn_gemm){.transpose_b = 1}),
        OCLNN_SHAPE(-1, 5));
    y = oclnn_matmul(g, y, oclnn_parameter(g, "m", OCLNN_F32, OCLNN_SHAPE(5, 3), NULL));
    check(g, y, OCLNN_SHAPE(-1, 9, 3));
    oclnn_graph_destroy(&g);
}

static void lines(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 8, 100)), y;
    y = oclnn_conv1d(g, x, 16, 5, NULL);
    check(g, y, OCLNN_SHAPE(-1, 16, 96));
    assert_int_equal(named(g, "conv1.weight")->desc.rank, 3);
    assert_int_equal(named(g, "conv1.weight")->init->fan_in, 8 * 5);
    y = oclnn_conv1d(g, y, 16, 3,
        &(struct oclnn_conv){.stride = {2}, .pad = {2, 1}, .dilation = {3}, .group = 16});
    check(g, y, OCLNN_SHAPE(-1, 16, 47));
    check(g, oclnn_conv1d(g, y, 4, 4, &(struct oclnn_conv){.same = 2, .stride = {4}}),
        OCLNN_SHAPE(-1, 4, 12));
    check(g, oclnn_conv_transpose1d(g, y, 4, 2, &(struct oclnn_conv){.stride = {2}, .output_pad = {1}}),
        OCLNN_SHAPE(-1, 4, 95));
    check(g, oclnn_max_pool1d(g, x, 3, NULL), OCLNN_SHAPE(-1, 8, 33));
    check(g, oclnn_max_pool1d(g, x, 3, &(struct oclnn_pool){.ceil_mode = 1}), OCLNN_SHAPE(-1, 8, 34));
    check(g, oclnn_avg_pool1d(g, x, 3, &(struct oclnn_pool){.stride = {2}, .pad = {1, 1}}),
        OCLNN_SHAPE(-1, 8, 50));
    check(g, oclnn_global_avg_pool(g, x), OCLNN_SHAPE(-1, 8, 1));
    check(g, oclnn_batch_norm(g, x, NULL), OCLNN_SHAPE(-1, 8, 100));
    y = oclnn_input(g, "long", OCLNN_F32, OCLNN_SHAPE(1, 2, -1));
    check(g, oclnn_conv1d(g, y, 4, 3, NULL), OCLNN_SHAPE(1, 4, -1));
    oclnn_graph_destroy(&g);
}

static void pools_and_resizing(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 8, 14, 15));
    check(g, oclnn_max_pool2d(g, x, 3, &(struct oclnn_pool){.stride = {2}}), OCLNN_SHAPE(-1, 8, 6, 7));
    check(g, oclnn_max_pool2d(g, x, 3, &(struct oclnn_pool){.stride = {2}, .ceil_mode = 1}),
        OCLNN_SHAPE(-1, 8, 7, 7));
    check(g, oclnn_avg_pool2d(g, x, 0, &(struct oclnn_pool){.kernel = {2, 5}}), OCLNN_SHAPE(-1, 8, 7, 3));
    check(g, oclnn_avg_pool2d(g, x, 3, &(struct oclnn_pool){.stride = {1}, .same = 1, .count_pad = 1}),
        OCLNN_SHAPE(-1, 8, 14, 15));
    check(g, oclnn_global_avg_pool(g, x), OCLNN_SHAPE(-1, 8, 1, 1));
    check(g, oclnn_global_max_pool(g, x), OCLNN_SHAPE(-1, 8, 1, 1));
    check(g, oclnn_resize2d(g, x, 28, 20, &(struct oclnn_resize){.mode = OCLNN_LINEAR}),
        OCLNN_SHAPE(-1, 8, 28, 20));
    check(g, oclnn_upsample(g, x, 2, NULL), OCLNN_SHAPE(-1, 8, 28, 30));
    oclnn_graph_destroy(&g);
}

static void norms(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 8, 5, 6));
    check(g, oclnn_batch_norm(g, x, &(struct oclnn_norm){.name = "bn"}), OCLNN_SHAPE(-1, 8, 5, 6));
    assert_int_equal(named(g, "bn.scale")->role, ONN_ROLE_PARAM);
    assert_int_equal(named(g, "bn.scale")->init->kind, ONN_INIT_ONE);
    assert_int_equal(named(g, "bn.bias")->init->kind, ONN_INIT_ZERO);
    assert_int_equal(named(g, "bn.mean")->role, ONN_ROLE_STATE);
    assert_int_equal(named(g, "bn.variance")->role, ONN_ROLE_STATE);
    assert_int_equal(named(g, "bn.variance")->init->kind, ONN_INIT_ONE);
    check(g, oclnn_layer_norm(g, x, &(struct oclnn_norm){.name = "ln", .axis = -2}),
        OCLNN_SHAPE(-1, 8, 5, 6));
    assert_int_equal(named(g, "ln.scale")->desc.rank, 2);
    check(g, oclnn_instance_norm(g, x, NULL), OCLNN_SHAPE(-1, 8, 5, 6));
    check(g, oclnn_group_norm(g, x, 4, NULL), OCLNN_SHAPE(-1, 8, 5, 6));
    check(g, oclnn_lrn(g, x, 5, NULL), OCLNN_SHAPE(-1, 8, 5, 6));
    check(g, oclnn_dropout(g, x, 0.25f), OCLNN_SHAPE(-1, 8, 5, 6));
    check(g, oclnn_softmax(g, x, 1), OCLNN_SHAPE(-1, 8, 5, 6));
    check(g, oclnn_log_softmax(g, x, -1), OCLNN_SHAPE(-1, 8, 5, 6));
    oclnn_graph_destroy(&g);
}

static void elementwise(void **state)
{
    (void)state;
    oclnn_value (*const unary[])(oclnn_graph *, oclnn_value) = {oclnn_relu, oclnn_relu6, oclnn_prelu,
        oclnn_sigmoid, oclnn_tanh, oclnn_hard_sigmoid, oclnn_hard_swish, oclnn_swish, oclnn_gelu,
        oclnn_identity, oclnn_neg, oclnn_abs, oclnn_exp, oclnn_log, oclnn_sqrt};
    oclnn_value (*const binary[])(oclnn_graph *, oclnn_value, oclnn_value) = {oclnn_add, oclnn_sub, oclnn_mul,
        oclnn_div, oclnn_pow, oclnn_equal, oclnn_less, oclnn_less_equal, oclnn_greater, oclnn_greater_equal};
    oclnn_value (*const several[])(oclnn_graph *, const oclnn_value *, int) = {oclnn_sum, oclnn_max,
        oclnn_min};
    oclnn_value (*const reductions[])(oclnn_graph *, oclnn_value, struct oclnn_shape,
        int) = {oclnn_reduce_mean, oclnn_reduce_sum, oclnn_reduce_max, oclnn_reduce_min, oclnn_reduce_prod,
        oclnn_reduce_l1, oclnn_reduce_l2, oclnn_reduce_sum_square, oclnn_reduce_log_sum,
        oclnn_reduce_log_sum_exp};
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 8, 5, 6));
    oclnn_value c = oclnn_input(g, "c", OCLNN_F32, OCLNN_SHAPE(8, 1, 1)), in[3] = {x, c, x};
    for (size_t i = 0; i < sizeof unary / sizeof *unary; i++)
        check(g, unary[i](g, x), OCLNN_SHAPE(-1, 8, 5, 6));
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
        check(g, binary[i](g, x, c), OCLNN_SHAPE(-1, 8, 5, 6));
    for (size_t i = 0; i < sizeof several / sizeof *several; i++)
        check(g, several[i](g, in, 3), OCLNN_SHAPE(-1, 8, 5, 6));
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++) {
        check(g, reductions[i](g, x, OCLNN_LIST(2, -1), 0), OCLNN_SHAPE(-1, 8));
        check(g, reductions[i](g, x, OCLNN_LIST(1), 1), OCLNN_SHAPE(-1, 1, 5, 6));
        check(g, reductions[i](g, x, (struct oclnn_shape){0}, 0), (struct oclnn_shape){0});
    }
    check(g, oclnn_leaky_relu(g, x, 0.1f), OCLNN_SHAPE(-1, 8, 5, 6));
    check(g, oclnn_clip(g, x, -INFINITY, 3), OCLNN_SHAPE(-1, 8, 5, 6));
    assert_int_equal(g->graph->node[g->graph->n_nodes - 1].in[1], 0);
    assert_non_null(named(g, "relu6_1"));
    check(g, oclnn_add(g, x, oclnn_scalar(g, OCLNN_F32, 2)), OCLNN_SHAPE(-1, 8, 5, 6));
    oclnn_graph_destroy(&g);
}

static enum oclnn_dtype dtype_of(const oclnn_graph *g, oclnn_value v)
{
    return (enum oclnn_dtype)g->graph->value[v].desc.dtype;
}

static void logic(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 8, 5, 6));
    oclnn_value c = oclnn_input(g, "c", OCLNN_F32, OCLNN_SHAPE(8, 1, 1)), less = oclnn_less(g, x, c);
    assert_int_equal(dtype_of(g, less), OCLNN_BOOL);
    check(g, oclnn_and(g, less, oclnn_not(g, oclnn_or(g, less, oclnn_equal(g, c, c)))),
        OCLNN_SHAPE(-1, 8, 5, 6));
    oclnn_value y = oclnn_where(g, less, c, x);
    check(g, y, OCLNN_SHAPE(-1, 8, 5, 6));
    assert_int_equal(dtype_of(g, y), OCLNN_F32);
    y = oclnn_cast(g, less, OCLNN_F16);
    check(g, y, OCLNN_SHAPE(-1, 8, 5, 6));
    assert_int_equal(dtype_of(g, y), OCLNN_F16);
    oclnn_graph_destroy(&g);
}

static void shapes(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 8, 5, 6)), part[3];
    oclnn_value c = oclnn_input(g, "c", OCLNN_F32, OCLNN_SHAPE(8, 5));
    check(g, oclnn_concat(g, (oclnn_value[]){x, x, x}, 3, 1), OCLNN_SHAPE(-1, 24, 5, 6));
    check(g, oclnn_split(g, x, 1, NULL, 2, part), OCLNN_SHAPE(-1, 4, 5, 6));
    check(g, part[1], OCLNN_SHAPE(-1, 4, 5, 6));
    oclnn_split(g, x, -1, (const int64_t[]){1, 2, 3}, 3, part);
    check(g, part[2], OCLNN_SHAPE(-1, 8, 5, 3));
    check(g, oclnn_slice(g, x, 3, 1, 1000, 2), OCLNN_SHAPE(-1, 8, 5, 3));
    check(g, oclnn_pad(g, x, OCLNN_LIST(0, 0, 1, 2), OCLNN_LIST(0, 0, 3, 0), 0), OCLNN_SHAPE(-1, 8, 9, 8));
    check(g, oclnn_pad(g, x, OCLNN_LIST(0, 0, 0, 0), OCLNN_LIST(0, 0, 1, 1), 1), OCLNN_SHAPE(-1, 8, 6, 7));
    check(g, oclnn_pad_edge(g, x, OCLNN_LIST(0, 0, 1, 2), OCLNN_LIST(0, 0, 3, 0)), OCLNN_SHAPE(-1, 8, 9, 8));
    check(g, oclnn_pad_reflect(g, x, OCLNN_LIST(0, 0, 1, 2), OCLNN_LIST(0, 0, 3, 0)),
        OCLNN_SHAPE(-1, 8, 9, 8));
    oclnn_value i = oclnn_input(g, "i", OCLNN_I64, OCLNN_SHAPE(4, -1));
    check(g, oclnn_gather(g, x, i, 1), OCLNN_SHAPE(-1, 4, -1, 5, 6));
    check(g, oclnn_gather(g, x, oclnn_scalar(g, OCLNN_I64, 2), -1), OCLNN_SHAPE(-1, 8, 5));
    check(g, oclnn_expand(g, oclnn_input(g, "one", OCLNN_F32, OCLNN_SHAPE(-1, 1, 3)), OCLNN_SHAPE(1, 7, 1)),
        OCLNN_SHAPE(-1, 7, 3));
    check(g, oclnn_flatten_at(g, x, 2), OCLNN_SHAPE(-1, 30));
    check(g, oclnn_flatten_at(g, x, -1), OCLNN_SHAPE(-1, 6));
    check(g, oclnn_flatten_at(g, x, 0), OCLNN_SHAPE(1, -1));
    check(g, oclnn_shape_of(g, x), OCLNN_SHAPE(4));
    oclnn_value n = oclnn_scalar(g, OCLNN_I64, 7), step = oclnn_scalar(g, OCLNN_I64, 2);
    check(g, oclnn_range(g, oclnn_scalar(g, OCLNN_I64, 0), n, step), OCLNN_SHAPE(4));
    check(g, oclnn_constant_of_shape(g, oclnn_shape_of(g, c), OCLNN_I32, 3), OCLNN_SHAPE(-1, -1));
    check(g, oclnn_reshape(g, x, OCLNN_SHAPE(0, 2, 4, 30)), OCLNN_SHAPE(-1, 2, 4, 30));
    check(g, oclnn_flatten(g, x), OCLNN_SHAPE(-1, 240));
    check(g, oclnn_transpose(g, x, OCLNN_LIST(0, 2, 3, 1)), OCLNN_SHAPE(-1, 5, 6, 8));
    oclnn_value u = oclnn_unsqueeze(g, x, OCLNN_LIST(1, 3));
    check(g, u, OCLNN_SHAPE(-1, 1, 8, 1, 5, 6));
    check(g, oclnn_squeeze(g, u, OCLNN_LIST(1)), OCLNN_SHAPE(-1, 8, 1, 5, 6));
    oclnn_graph_destroy(&g);
}

static void any_operator(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 8, 9, 9)), out[2];
    oclnn_value w = oclnn_parameter(g, "w", OCLNN_F32, OCLNN_SHAPE(16, 8, 3, 3), NULL);
    check(g, oclnn_op(g, "conv", "pad=1 stride=2", (oclnn_value[]){x, w}, 2), OCLNN_SHAPE(-1, 16, 5, 5));
    check(g, oclnn_op(g, "elu", "alpha=0.5", &x, 1), OCLNN_SHAPE(-1, 8, 9, 9));
    check(g, oclnn_op(g, "mish", NULL, &x, 1), OCLNN_SHAPE(-1, 8, 9, 9));
    oclnn_op_many(g, "split", "axis=1", &x, 1, out, 2);
    check(g, out[1], OCLNN_SHAPE(-1, 4, 9, 9));
    assert_non_null(named(g, "elu1"));
    assert_int_equal(oclnn_op(g, "conv", "pad=1 y=3x3", (oclnn_value[]){x, w}, 2), 0);
    assert_int_equal(oclnn_graph_status(g), OCLNN_ERROR_ARGUMENT);
    oclnn_graph_destroy(&g);
    g = start();
    assert_int_equal(oclnn_op(g, "nonsense", NULL, NULL, 0), 0);
    assert_int_equal(oclnn_graph_status(g), OCLNN_ERROR_NOT_FOUND);
    oclnn_graph_destroy(&g);
}

static void names(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_value x = oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(1, 4, 4, 4));
    oclnn_graph_scope(g, "a.");
    oclnn_value y = oclnn_relu(g, x);
    oclnn_relu(g, y);
    oclnn_graph_scope(g, "b.");
    oclnn_relu(g, y);
    oclnn_graph_scope(g, "a.");
    oclnn_conv2d(g, y, 2, 1, &(struct oclnn_conv){.name = "relu3"});
    oclnn_relu(g, y); /* "a.relu3" is taken */
    oclnn_graph_scope(g, NULL);
    oclnn_relu(g, y);
    oclnn_output(g, "x_too", x);
    oclnn_output(g, "first", y);
    oclnn_output(g, "second", y);
    if (oclnn_graph_status(g) != OCLNN_OK)
        fail_msg("%s", oclnn_error_text(NULL));
    const char *const made[] = {"a.relu2", "b.relu1", "a.relu3", "a.relu4", "relu1", "x", "x_too", "first",
        "second"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        assert_non_null(named(g, made[i]));
    assert_int_equal(g->graph->n_outputs, 3);
    oclnn_relu(g, oclnn_conv2d(g, y, 2, 1, &(struct oclnn_conv){.name = "first"}));
    assert_int_equal(oclnn_graph_status(g), OCLNN_ERROR_ARGUMENT);
    oclnn_graph_destroy(&g);
}

/* ---- mistakes: each one alone in a fresh graph ---- */

static oclnn_value x4(oclnn_graph *g)
{
    return oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 64, 8, 8));
}

static void wrong(oclnn_graph **g, oclnn_value v, enum oclnn_status status, const char *sentence)
{
    assert_int_equal(v, 0);
    assert_int_equal(oclnn_relu(*g, v), 0); /* what follows keeps quiet */
    assert_int_equal(oclnn_input(*g, "more", OCLNN_F32, OCLNN_SHAPE(1)), 0);
    oclnn_output(*g, "y", v);
    assert_int_equal(oclnn_graph_status(*g), status);
    if (!strstr(oclnn_error_text(NULL), sentence))
        fail_msg("\"%s\" instead of \"%s\"", oclnn_error_text(NULL), sentence);
    oclnn_graph_destroy(g);
    *g = start();
}

static void first_mistake(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    const struct oclnn_conv three = {.group = 3}, negative = {.pad = {0, 0, -1, 0}},
                            both = {.same = 1, .pad = {1}}, stride = {.stride = {-1}},
                            out = {.output_pad = {1, 1}};
    wrong(&g, oclnn_conv2d(g, x4(g), 6, 3, &three), OCLNN_ERROR_SHAPE,
        "layer 'conv1' (conv2d): group=3 does not divide 64 input channels");
    wrong(&g, oclnn_conv2d(g, x4(g), 6, 3, &negative), OCLNN_ERROR_ARGUMENT, "pad[2]=-1");
    wrong(&g, oclnn_conv2d(g, x4(g), 6, 3, &both), OCLNN_ERROR_ARGUMENT, "same is set");
    wrong(&g, oclnn_conv2d(g, x4(g), 6, 3, &stride), OCLNN_ERROR_ARGUMENT, "stride is -1x-1");
    wrong(&g, oclnn_conv2d(g, x4(g), 6, 3, &out), OCLNN_ERROR_ARGUMENT, "output_pad");
    wrong(&g, oclnn_conv2d(g, x4(g), 0, 3, NULL), OCLNN_ERROR_ARGUMENT, "0 filters");
    wrong(&g, oclnn_conv2d(g, x4(g), 6, 0, NULL), OCLNN_ERROR_ARGUMENT, "kernel");
    wrong(&g, oclnn_conv2d(g, x4(g), 6, 11, NULL), OCLNN_ERROR_SHAPE, "layer 'conv1' (conv2d)");
    wrong(&g, oclnn_conv2d(g, x4(g), 2147483647, 2147483647, NULL), OCLNN_ERROR_SHAPE, "too big");
    wrong(&g, oclnn_conv2d(g, oclnn_flatten(g, x4(g)), 6, 3, NULL), OCLNN_ERROR_SHAPE,
        "4 dimensions are needed");
    wrong(&g, oclnn_dense(g, x4(g), 0, NULL), OCLNN_ERROR_ARGUMENT, "layer 'dense1' (dense): 0 units");
    wrong(&g, oclnn_batch_norm(g, x4(g), &(struct oclnn_norm){.momentum = 1}), OCLNN_ERROR_ARGUMENT,
        "momentum is 1");
    wrong(&g, oclnn_group_norm(g, x4(g), 5, NULL), OCLNN_ERROR_SHAPE, "5 groups");
    wrong(&g, oclnn_dropout(g, x4(g), 1), OCLNN_ERROR_ARGUMENT, "ratio is 1");
    wrong(&g, oclnn_softmax(g, x4(g), 4), OCLNN_ERROR_ARGUMENT, "axis 4 of 4");
    wrong(&g, oclnn_clip(g, x4(g), 1, 0), OCLNN_ERROR_ARGUMENT, "low is 1");
    wrong(&g, oclnn_split(g, x4(g), 1, NULL, 3, (oclnn_value[3]){1, 1, 1}), OCLNN_ERROR_SHAPE,
        "3 equal pieces");
    wrong(&g, oclnn_reshape(g, x4(g), OCLNN_SHAPE(1, -1, -1)), OCLNN_ERROR_SHAPE,
        "layer 'reshape1' (reshape)");
    wrong(&g, oclnn_concat(g, NULL, 2, 1), OCLNN_ERROR_ARGUMENT, "NULL");
    wrong(&g, oclnn_relu(g, 99), OCLNN_ERROR_ARGUMENT, "layer 'relu1' (relu): input 0 is value 99");
    wrong(&g, oclnn_add(g, x4(g), 0), OCLNN_ERROR_ARGUMENT, "layer 'add1' (add): input 1 is value 0");
    wrong(&g, oclnn_conv2d(g, oclnn_input(g, "i", OCLNN_I32, OCLNN_SHAPE(1, 3, 8, 8)), 4, 3, NULL),
        OCLNN_ERROR_DTYPE, "i32");
    wrong(&g, oclnn_input(g, "x", (enum oclnn_dtype)77, OCLNN_SHAPE(1)), OCLNN_ERROR_DTYPE,
        "element type 77");
    wrong(&g, oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-2)), OCLNN_ERROR_SHAPE, "dimension 0 is -2");
    oclnn_graph_destroy(&g);
}

static void first_mistake_more(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    const struct oclnn_shape line = OCLNN_SHAPE(1, 4, 50), one = OCLNN_SHAPE(1, 0, 0, 0);
    wrong(&g, oclnn_conv1d(g, x4(g), 6, 3, NULL), OCLNN_ERROR_SHAPE,
        "layer 'conv1' (conv1d): x is f32[-1,64,8,8], 3 dimensions are needed");
#define X3 oclnn_input(g, "x", OCLNN_F32, line)
#define CONV(...) &(struct oclnn_conv){__VA_ARGS__}
    wrong(&g, oclnn_conv1d(g, X3, 6, 3, CONV(.stride = {2, 2})), OCLNN_ERROR_ARGUMENT, "stride is 2x2");
    wrong(&g, oclnn_conv1d(g, X3, 6, 3, CONV(.kernel = {3, 3})), OCLNN_ERROR_ARGUMENT, "the kernel is 3x3");
    wrong(&g, oclnn_conv1d(g, X3, 6, 3, CONV(.dilation = {0, 2})), OCLNN_ERROR_ARGUMENT, "dilation is 0x2");
    wrong(&g, oclnn_conv1d(g, X3, 6, 3, CONV(.pad = {1, 1, 1})), OCLNN_ERROR_ARGUMENT, "pad[2]=1");
    wrong(&g, oclnn_conv1d(g, X3, 6, 3, CONV(.output_pad = {1})), OCLNN_ERROR_ARGUMENT, "output_pad");
    wrong(&g, oclnn_conv1d(g, X3, 6, 3, CONV(.same = 3)), OCLNN_ERROR_ARGUMENT, "same=3");
    wrong(&g, oclnn_conv_transpose1d(g, X3, 6, 3, CONV(.output_pad = {0, 1})), OCLNN_ERROR_ARGUMENT,
        "output_pad[1]=1");
    wrong(&g, oclnn_max_pool1d(g, X3, 2, &(struct oclnn_pool){.pad = {0, 0, 0, 1}}), OCLNN_ERROR_ARGUMENT,
        "pad[3]=1");
    wrong(&g, oclnn_max_pool1d(g, X3, 2, &(struct oclnn_pool){.count_pad = 1}), OCLNN_ERROR_ARGUMENT,
        "count_pad is only for averages");
    wrong(&g, oclnn_avg_pool1d(g, X3, 51, NULL), OCLNN_ERROR_SHAPE, "layer 'avg_pool1' (avg_pool1d)");
    wrong(&g, oclnn_avg_pool1d(g, X3, -1, NULL), OCLNN_ERROR_ARGUMENT, "the kernel is -1");
    wrong(&g, oclnn_gemm(g, X3, 1, 0, NULL), OCLNN_ERROR_SHAPE, "layer 'gemm1' (gemm)");
    wrong(&g, oclnn_reduce_prod(g, X3, OCLNN_LIST(3), 0), OCLNN_ERROR_ARGUMENT, "axis 3 of 3");
    wrong(&g, oclnn_reduce_l2(g, X3, OCLNN_LIST(0, -3), 0), OCLNN_ERROR_ARGUMENT,
        "layer 'reduce_l2_1' (reduce_l2): axis 0 is given twice");
    wrong(&g, oclnn_and(g, X3, oclnn_scalar(g, OCLNN_BOOL, 1)), OCLNN_ERROR_DTYPE, "layer 'and1' (and)");
    wrong(&g, oclnn_where(g, X3, 1, 1), OCLNN_ERROR_DTYPE, "layer 'where1' (where)");
    wrong(&g, oclnn_less(g, X3, oclnn_scalar(g, OCLNN_I32, 1)), OCLNN_ERROR_DTYPE, "layer 'less1' (less)");
    wrong(&g, oclnn_cast(g, X3, OCLNN_NONE), OCLNN_ERROR_DTYPE, "element type 0");
    wrong(&g, oclnn_cast(g, X3, (enum oclnn_dtype)77), OCLNN_ERROR_DTYPE, "element type 77");
    wrong(&g, oclnn_gather(g, X3, 1, 0), OCLNN_ERROR_DTYPE, "layer 'gather1' (gather)");
    wrong(&g, oclnn_gather(g, X3, 1, 3), OCLNN_ERROR_ARGUMENT, "axis 3 of 3");
    wrong(&g, oclnn_pad_edge(g, X3, one, one), OCLNN_ERROR_ARGUMENT, "x has 3 dimensions, before 4");
    wrong(&g, oclnn_pad_reflect(g, X3, OCLNN_LIST(0, 0, 2), OCLNN_LIST(0, 0, -53)), OCLNN_ERROR_SHAPE,
        "layer 'pad_reflect1' (pad_reflect): dimension 2 would have -1 elements");
    wrong(&g, oclnn_expand(g, X3, OCLNN_SHAPE(3, 50)), OCLNN_ERROR_SHAPE, "layer 'expand1' (expand)");
    wrong(&g, oclnn_expand(g, X3, (struct oclnn_shape){.rank = 9}), OCLNN_ERROR_ARGUMENT, "9 dimensions");
    wrong(&g, oclnn_flatten_at(g, X3, 4), OCLNN_ERROR_ARGUMENT, "axis 4 of 3");
    wrong(&g, oclnn_constant_of_shape(g, X3, OCLNN_F32, 0), OCLNN_ERROR_DTYPE, "constant_of_shape");
    wrong(&g, oclnn_constant_of_shape(g, oclnn_shape_of(g, X3), OCLNN_NONE, 0), OCLNN_ERROR_DTYPE,
        "element type 0");
    wrong(&g, oclnn_sum(g, &(oclnn_value){0}, 0), OCLNN_ERROR_ARGUMENT, "layer 'sum1' (sum): 0 inputs");
    wrong(&g, oclnn_reduce_sum(g, X3, (struct oclnn_shape){.rank = -1}, 0), OCLNN_ERROR_ARGUMENT, "-1 axes");
    wrong(&g, oclnn_squeeze(g, X3, OCLNN_LIST(1)), OCLNN_ERROR_SHAPE, "layer 'squeeze1' (squeeze)");
    oclnn_graph_destroy(&g);
}

static void model_create_reports(void **state)
{
    (void)state;
    oclnn_graph *g = start();
    oclnn_model *net = (void *)g;
    oclnn_output(g, "y", oclnn_conv2d(g, x4(g), 6, 3, &(struct oclnn_conv){.name = "stem", .group = 3}));
    assert_int_equal(oclnn_model_create(NULL, &g, NULL, &net), OCLNN_ERROR_SHAPE);
    assert_non_null(strstr(oclnn_error_text(NULL), "layer 'stem' (conv2d)"));
    assert_null(g);
    assert_null(net);
    assert_int_equal(oclnn_model_create(NULL, &g, NULL, &net), OCLNN_ERROR_ARGUMENT);
    g = start();
    assert_int_equal(oclnn_model_create(NULL, &g, NULL, &net), OCLNN_ERROR_ARGUMENT);
    assert_null(g);
    assert_int_equal(oclnn_relu(NULL, 1), 0);
    assert_int_equal(oclnn_graph_status(NULL), OCLNN_ERROR_ARGUMENT);
    oclnn_output(NULL, "y", 1);
    oclnn_graph_destroy(NULL);
    oclnn_graph_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(program_2),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(lines),
        cmocka_unit_test(pools_and_resizing),
        cmocka_unit_test(norms),
        cmocka_unit_test(elementwise),
        cmocka_unit_test(logic),
        cmocka_unit_test(shapes),
        cmocka_unit_test(any_operator),
        cmocka_unit_test(names),
        cmocka_unit_test(first_mistake),
        cmocka_unit_test(first_mistake_more),
        cmocka_unit_test(model_create_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
