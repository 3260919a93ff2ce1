/* The importer: tensors in each encoding, order of nodes, subgraphs, old opset forms, missing operators. */
#include "io/onnx.h"
#include "base/half.h"
#include "ops/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pb.h"
#include "temp.h"

#include <cmocka.h>

/* ---- tensors ---- */
static struct onn_blob *read_tensor(int dtype, int count, int field, const void *data, size_t bytes)
{
    static struct pb t;
    char name[128];
    struct onn_blob *blob = NULL;
    int64_t dim = count;
    pb_tensor(&t, "some name", dtype, &dim, 1, field, data, bytes);
    enum oclnn_status status = onn_tensor_pb_load(temp_write("t.pb", t.bytes, t.n), name, &blob);
    assert_int_equal(status == OCLNN_OK, blob != NULL);
    if (blob)
        assert_string_equal(name, "some name");
    return blob;
}

static void encodings(void **state)
{
    static const float f[] = {1, -2};
    static const double d[] = {1, -2};
    static const int64_t l[] = {1, -2};
    static const int32_t i32[] = {1, -2};
    static const int8_t i8[] = {1, -2};
    const uint16_t h[] = {onn_float_to_half(1), onn_float_to_half(-2)};
    const uint16_t b[] = {onn_float_to_bf16(1), onn_float_to_bf16(-2)};
    struct pb ints = {.n = 0}, halves = {.n = 0}, brains = {.n = 0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        pb_varint(&ints, (uint64_t)l[i]);
        pb_varint(&halves, h[i]);
        pb_varint(&brains, b[i]);
    }
    const struct {
        int dtype, field;
        const void *data;
        size_t bytes;
    } forms[] = {{1, 9, f, 8}, {1, 4, f, 8}, {11, 9, d, 16}, {11, 10, d, 16}, {7, 9, l, 16},
        {7, 7, ints.bytes, ints.n}, {6, 9, i32, 8}, {6, 5, ints.bytes, ints.n}, {3, 9, i8, 2},
        {3, 5, ints.bytes, ints.n}, {10, 9, h, 4}, {10, 5, halves.bytes, halves.n}, {16, 9, b, 4},
        {16, 5, brains.bytes, brains.n}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct onn_blob *blob = read_tensor(forms[i].dtype, 2, forms[i].field, forms[i].data, forms[i].bytes);
        assert_non_null(blob);
        assert_int_equal(onn_dtype_to_onnx(blob->desc.dtype), forms[i].dtype);
        assert_true(onn_blob_get_f64(blob, 0) == 1 && onn_blob_get_f64(blob, 1) == -2);
        onn_blob_unref(&blob);
    }
    struct onn_blob *blob = read_tensor(9, 3, 9, "\0\1\7", 3);
    assert_memory_equal(blob->data, "\0\1\1", 3); /* bool is 0 or 1 */
    onn_blob_unref(&blob);
    assert_null(read_tensor(1, 2, 9, f, 7));
    assert_null(read_tensor(1, 3, 4, f, 8));
    assert_null(read_tensor(1, 1 << 30, 9, f, 8));
}

static void test_data(void **state)
{
    static struct pb t;
    struct onn_blob **list = NULL;
    int n = -1;
    (void)state;
    assert_int_equal(onn_tensor_pb_load_all(temp, "input", &list, &n), OCLNN_OK);
    assert_int_equal(n, 0);
    assert_null(list);
    for (int i = 0; i < 3; i++) {
        char name[32];
        float v = (float)i;
        pb_tensor(&t, "x", 1, NULL, 0, 9, &v, 4);
        snprintf(name, sizeof name, "input_%d.pb", i);
        temp_write(name, t.bytes, t.n);
    }
    assert_int_equal(onn_tensor_pb_load_all(temp, "input", &list, &n), OCLNN_OK);
    assert_int_equal(n, 3);
    for (int i = 0; i < n; i++) {
        assert_true(onn_blob_get_f64(list[i], 0) == i);
        onn_blob_unref(&list[i]);
    }
    onn_free(list);
    assert_int_equal(onn_test_data_sets(temp), 0);
}

/* ---- models of a few nodes ---- */
static struct pb graph_pb;

static void begin(void)
{
    static struct pb v;
    graph_pb.n = 0;
    pb_value(&v, "x", 1, (int64_t[]){-1, 3, 8, 8}, 4);
    pb_sub(&graph_pb, 11, &v);
}

static void add_tensor(const char *name, int dtype, int64_t count, const void *data, size_t bytes)
{
    static struct pb t;
    pb_tensor(&t, name, dtype, &count, 1, 9, data, bytes);
    pb_sub(&graph_pb, 5, &t);
}

static enum oclnn_status finish(int opset, const char *output, struct onn_graph **out)
{
    static struct pb v, m;
    pb_value(&v, output, 1, NULL, 0);
    pb_sub(&graph_pb, 12, &v);
    pb_model(&m, &graph_pb, opset);
    return onn_onnx_load_memory(m.bytes, m.n, NULL, NULL, out);
}

/* One node that reads x (and others) and makes y. */
static struct onn_graph *one(struct pb *node, int opset)
{
    struct onn_graph *g = NULL;
    pb_sub(&graph_pb, 1, node);
    enum oclnn_status status = finish(opset, "y", &g);
    if (status != OCLNN_OK)
        print_error("%s\n", oclnn_error_text(NULL));
    assert_int_equal(status, OCLNN_OK);
    assert_int_equal(g->n_outputs, 1);
    return g;
}

static const struct onn_node *last(const struct onn_graph *g)
{
    return &g->node[g->n_nodes - 1];
}

static void assert_ints(const struct onn_graph *g, int input, int n, const int64_t *want)
{
    const struct onn_node *node = last(g);
    assert_true(input < node->n_in && node->in[input]);
    const struct onn_value *v = &g->value[node->in[input]];
    assert_non_null(v->blob);
    assert_int_equal(v->desc.dtype, OCLNN_I64);
    assert_int_equal(onn_desc_elements(&v->desc), n);
    for (int i = 0; i < n; i++)
        assert_int_equal(onn_blob_get_i64(v->blob, i), want[i]);
}

static void inputs_and_order(void **state)
{
    static struct pb n;
    static const float w[] = {1, 2, 3};
    struct onn_graph *g = NULL;
    struct onn_onnx_info info;
    (void)state;
    begin();
    pb_node(&n, "Relu", "b", "y"); /* written backwards */
    pb_sub(&graph_pb, 1, &n);
    pb_node(&n, "Relu", "a", "b");
    pb_sub(&graph_pb, 1, &n);
    pb_node(&n, "Relu", "x", "a");
    pb_text(&n, 3, "first");
    pb_sub(&graph_pb, 1, &n);
    add_tensor("x2", 1, 3, w, 12);
    static struct pb v, m;
    pb_value(&v, "x2", 1, (int64_t[]){3}, 1); /* an initialiser that is listed as an input too */
    pb_sub(&graph_pb, 11, &v);
    pb_value(&v, "y", 1, NULL, 0);
    pb_sub(&graph_pb, 12, &v);
    pb_model(&m, &graph_pb, 13);
    assert_int_equal(onn_onnx_load(&(struct onn_onnx_source){.bytes = m.bytes, .size = m.n, .info = &info},
                         &g),
        OCLNN_OK);
    assert_int_equal(g->n_inputs, 1);
    assert_int_equal(g->n_nodes, 3);
    assert_string_equal(g->node[0].name, "first");
    assert_string_equal(g->node[2].name, "Relu_2");
    assert_string_equal(g->value[g->output[0]].name, "y");
    const struct onn_desc *x = &g->value[g->input[0]].desc;
    assert_true(x->rank == 4 && x->dim[0] == -1 && x->dim[1] == 3 && x->dtype == OCLNN_F32);
    assert_int_equal(g->value[onn_graph_find(g, "x2")].role, ONN_ROLE_CONST);
    assert_int_equal(info.opset, 13);
    assert_int_equal(info.ir_version, 7);
    assert_string_equal(info.producer, "oclnn test");
    onn_graph_destroy(&g);
}

static void missing_operators(void **state)
{
    static struct pb n;
    struct onn_graph *g = NULL;
    (void)state;
    begin();
    pb_node(&n, "Blur", "x", "a");
    pb_text(&n, 3, "soft1");
    pb_sub(&graph_pb, 1, &n);
    pb_node(&n, "Relu", "a", "b");
    pb_text(&n, 7, "com.example");
    pb_sub(&graph_pb, 1, &n);
    pb_node(&n, "Blur", "b", "y");
    pb_sub(&graph_pb, 1, &n);
    assert_int_equal(finish(13, "y", &g), OCLNN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(oclnn_error_text(NULL), "Blur (node 'soft1', 'y')"));
    assert_non_null(strstr(oclnn_error_text(NULL), "com.example::Relu (node 'b')"));
}

static void branches(void **state)
{
    static struct pb n, inner, sub, v;
    struct onn_graph *g = NULL;
    (void)state;
    begin();
    pb_value(&v, "c", 9, NULL, 0);
    pb_sub(&graph_pb, 11, &v);
    /* a branch whose branch reads the outermost x */
    for (int level = 0; level < 2; level++) {
        pb_node(&n, level ? "If" : "Relu", level ? "c" : "x", level ? "t1" : "t0");
        if (level) {
            pb_attr_sub(&n, "then_branch", 6, 5, &inner);
            pb_attr_sub(&n, "else_branch", 6, 5, &inner);
        }
        sub.n = 0;
        pb_sub(&sub, 1, &n);
        pb_value(&v, level ? "t1" : "t0", 1, NULL, 0);
        pb_sub(&sub, 12, &v);
        inner = sub;
    }
    pb_node(&n, "If", "c", "y");
    pb_attr_sub(&n, "then_branch", 6, 5, &inner);
    pb_attr_sub(&n, "else_branch", 6, 5, &inner);
    g = one(&n, 13);
    assert_int_equal(g->n_nodes, 1);
    const struct onn_graph *const *then = g->node[0].attr;
    assert_int_equal(then[0]->n_outputs, 1);
    int32_t x = onn_graph_find(then[0], "x");
    assert_true(x > 0);
    assert_int_equal(then[0]->value[x].role, ONN_ROLE_OUTER);
    assert_int_equal(then[0]->value[x].source, onn_graph_find(g, "x"));
    onn_graph_destroy(&g);
}

static void constants(void **state)
{
    static struct pb n;
    struct onn_graph *g;
    (void)state;
    begin();
    pb_node(&n, "Constant", "", "shape");
    pb_attr_ints(&n, "value_ints", (int64_t[]){0, -1}, 2);
    pb_sub(&graph_pb, 1, &n);
    pb_node(&n, "Reshape", "x,shape", "y");
    g = one(&n, 13);
    assert_int_equal(g->n_nodes, 1);
    assert_ints(g, 1, 2, (int64_t[]){0, -1});
    onn_graph_destroy(&g);
}

/* ---- old forms ---- */
static void lists_became_inputs(void **state)
{
    static struct pb n;
    struct onn_graph *g;
    (void)state;
    begin();
    pb_node(&n, "Slice", "x", "y");
    pb_attr_ints(&n, "axes", (int64_t[]){2, 3}, 2);
    pb_attr_ints(&n, "starts", (int64_t[]){1, 2}, 2);
    pb_attr_ints(&n, "ends", (int64_t[]){-1, 7}, 2);
    g = one(&n, 9);
    assert_ints(g, 1, 2, (int64_t[]){1, 2});
    assert_ints(g, 2, 2, (int64_t[]){-1, 7});
    assert_ints(g, 3, 2, (int64_t[]){2, 3});
    onn_graph_destroy(&g);

    begin();
    pb_node(&n, "Pad", "x", "y");
    pb_attr_ints(&n, "paddings", (int64_t[]){0, 0, 1, 2, 0, 0, 3, 4}, 8);
    pb_attr_float(&n, "value", 2.5f);
    g = one(&n, 1);
    assert_ints(g, 1, 8, (int64_t[]){0, 0, 1, 2, 0, 0, 3, 4});
    assert_true(onn_blob_get_f64(g->value[last(g)->in[2]].blob, 0) == 2.5);
    onn_graph_destroy(&g);

    static const struct {
        const char *op;
        int opset;
    } axes[] = {{"Unsqueeze", 11}, {"ReduceSum", 11}, {"ReduceMean", 17}, {"ReduceMax", 13}, {"Squeeze", 12}};
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        begin();
        pb_node(&n, axes[i].op, "x", "y");
        pb_attr_ints(&n, "axes", (int64_t[]){0}, 1);
        g = one(&n, axes[i].opset);
        assert_int_equal(last(g)->n_in, 2);
        assert_ints(g, 1, 1, (int64_t[]){0});
        onn_graph_destroy(&g);
    }
}

static void clip_and_dropout(void **state)
{
    static struct pb n;
    struct onn_graph *g;
    (void)state;
    begin();
    pb_node(&n, "Clip", "x", "y");
    pb_attr_float(&n, "max", 6);
    g = one(&n, 6);
    assert_int_equal(last(g)->n_in, 3);
    assert_int_equal(last(g)->in[1], 0);
    const struct onn_value *v = &g->value[last(g)->in[2]];
    assert_true(v->desc.rank == 0 && v->desc.dtype == OCLNN_F32 && onn_blob_get_f64(v->blob, 0) == 6);
    onn_graph_destroy(&g);
    begin();
    pb_node(&n, "Dropout", "x", "y");
    pb_attr_float(&n, "ratio", 0.25f);
    pb_attr_int(&n, "is_test", 1);
    g = one(&n, 6);
    assert_true(onn_blob_get_f64(g->value[last(g)->in[1]].blob, 0) == 0.25);
    onn_graph_destroy(&g);
}

static void old_broadcast(void **state)
{
    static struct pb n;
    static const float w[] = {1, 2, 3};
    struct onn_graph *g;
    (void)state;
    begin();
    add_tensor("w", 1, 3, w, 12);
    pb_node(&n, "Mul", "x,w", "y");
    pb_attr_int(&n, "axis", 1);
    pb_attr_int(&n, "broadcast", 1);
    g = one(&n, 6);
    const struct onn_desc *d = &g->value[last(g)->in[1]].desc;
    assert_true(d->rank == 3 && d->dim[0] == 3 && d->dim[1] == 1 && d->dim[2] == 1);
    onn_graph_destroy(&g);
    /* the second operand is computed: a node before */
    begin();
    add_tensor("w", 1, 3, w, 12);
    pb_node(&n, "Relu", "w", "v");
    pb_sub(&graph_pb, 1, &n);
    pb_node(&n, "Add", "x,v", "y");
    pb_attr_int(&n, "axis", 1);
    pb_attr_int(&n, "broadcast", 1);
    g = one(&n, 6);
    assert_int_equal(g->n_nodes, 3);
    assert_string_equal(g->node[1].op->onnx, "Unsqueeze");
    onn_graph_destroy(&g);
}

static void upsample_became_resize(void **state)
{
    static struct pb n;
    struct onn_graph *g;
    (void)state;
    for (int opset = 1; opset <= 10; opset += 3) { /* 1, 4, 7, 10 */
        begin();
        add_tensor("s", 1, 4, (float[]){1, 1, 2, 3}, 16);
        pb_node(&n, opset == 10 ? "Resize" : "Upsample", opset == 10 ? "x,s" : "x", "y");
        pb_attr_text(&n, "mode", opset < 7 ? "bilinear" : "linear");
        if (opset < 7) {
            pb_attr_float(&n, "height_scale", 2);
            pb_attr_float(&n, "width_scale", 3);
        } else if (opset == 7) {
            pb_attr_floats(&n, "scales", (float[]){1, 1, 2, 3}, 4);
        }
        g = one(&n, opset);
        assert_string_equal(last(g)->op->onnx, "Resize");
        assert_int_equal(last(g)->n_in, 3);
        assert_int_equal(last(g)->in[1], 0);
        assert_true(onn_blob_get_f64(g->value[last(g)->in[2]].blob, 3) == 3);
        onn_graph_destroy(&g);
    }
}

static const struct onn_attr *row_of(const struct onn_op *op, const char *name)
{
    return onn_attr_find(op, name, strlen(name));
}

static void softmax_was_flat(void **state)
{
    static struct pb n;
    (void)state;
    for (int opset = 11; opset <= 13; opset += 2)
        for (int axis = -1; axis < 4; axis++) {
            begin();
            pb_node(&n, "Softmax", "x", "y");
            if (axis >= 0)
                pb_attr_int(&n, "axis", axis);
            struct onn_graph *g = one(&n, opset);
            const struct onn_attr *legacy = row_of(last(g)->op, "legacy"), *row = row_of(last(g)->op, "axis");
            assert_non_null(legacy);
            int64_t flat = *(const int64_t *)((const char *)last(g)->attr + legacy->offset);
            int64_t got = *(const int64_t *)((const char *)last(g)->attr + row->offset);
            assert_int_equal(flat, opset < 13 && axis != 3);
            assert_int_equal(got, axis >= 0 ? axis : opset < 13 ? 1 : -1);
            onn_graph_destroy(&g);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings),
        cmocka_unit_test(test_data),
        cmocka_unit_test(inputs_and_order),
        cmocka_unit_test(missing_operators),
        cmocka_unit_test(branches),
        cmocka_unit_test(constants),
        cmocka_unit_test(lists_became_inputs),
        cmocka_unit_test(clip_and_dropout),
        cmocka_unit_test(old_broadcast),
        cmocka_unit_test(upsample_became_resize),
        cmocka_unit_test(softmax_was_flat),
    };
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
