/* The exporter: what is written reads back as the same computation; names, free dimensions, subgraphs, canonical forms
 * that ONNX writes otherwise; operator tests of ONNX go there and back where that data is installed (a sample of them;
 * `--all`: each). */
#include "base/hash.h"
#include "io/onnx.h"
#include "model/graph_api.h"
#include "pass/infer.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pb.h"
#include "temp.h"

#include <cmocka.h>

#define NODE_TESTS "/usr/share/libonnx-testdata/data/node"

/* ---- helpers ---- */
static enum oclnn_status save(const struct onn_graph *g, const char *path)
{
    struct onn_desc *types = onn_calloc((size_t)g->n_values, sizeof *types);
    assert_non_null(types);
    enum oclnn_status status = onn_pass_types(g, types);
    if (status == OCLNN_OK)
        status = onn_onnx_save(g, types, path);
    onn_free(types);
    return status;
}

static struct onn_graph *load(const char *path)
{
    struct onn_graph *g = NULL;
    if (onn_onnx_load_file(path, NULL, &g) != OCLNN_OK)
        fail_msg("%s", oclnn_error_text(NULL));
    return g;
}

/* Everything the host can work out for these inputs; NULL if shapes depend on data. */
static struct onn_graph *evaluate(const struct onn_graph *g, struct onn_blob *const *inputs, int n)
{
    struct onn_binding binding[32] = {{.value = NULL}};
    struct onn_graph *out = NULL;
    if (g->n_inputs != n || n > 32)
        return NULL;
    for (int i = 0; i < n; i++)
        binding[i] = (struct onn_binding){.desc = inputs[i]->desc, .value = inputs[i]};
    return onn_pass_infer(g, binding, true, &out) == OCLNN_OK ? out : NULL;
}

/* Are all outputs of both the same? Those that the host could not compute must come from the same nodes. */
static bool same_outputs(const struct onn_graph *a, const struct onn_graph *b, double tolerance)
{
    bool same = a->n_outputs == b->n_outputs;
    for (int i = 0; same && i < a->n_outputs; i++) {
        const struct onn_value *x = &a->value[a->output[i]], *y = &b->value[b->output[i]];
        same =
            x->desc.dtype == y->desc.dtype && onn_desc_same_shape(&x->desc, &y->desc) && !x->blob == !y->blob;
        for (int64_t k = 0; same && x->blob && k < onn_desc_elements(&x->desc); k++) {
            const double u = onn_blob_get_f64(x->blob, k), v = onn_blob_get_f64(y->blob, k);
            same = u == v || (isnan(u) && isnan(v)) || fabs(u - v) <= tolerance * fmax(1, fabs(u));
        }
        if (same && !x->blob)
            same = a->n_nodes == b->n_nodes;
    }
    return same;
}

/* ---- every operator test of ONNX ---- */
static bool all;

struct tally {
    int models, computed, refused;
};

static void there_and_back(const char *folder, struct tally *t)
{
    char path[512];
    const char *again = temp_path("again.onnx");
    struct onn_graph *g = NULL, *h = NULL, *u = NULL, *v = NULL;
    struct onn_blob **in = NULL;
    int n = 0;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    if (onn_onnx_load_file(path, NULL, &g) != OCLNN_OK)
        return; /* an operator that is not there */
    t->models++;
    if (save(g, again) != OCLNN_OK)
        fail_msg("%s: %s", folder, oclnn_error_text(NULL));
    h = load(again);
    assert_int_equal(g->n_inputs, h->n_inputs);
    assert_int_equal(g->n_outputs, h->n_outputs);
    for (int i = 0; i < g->n_outputs; i++)
        assert_string_equal(g->value[g->output[i]].name, h->value[h->output[i]].name);
    snprintf(path, sizeof path, "%s/test_data_set_0", folder);
    if (onn_tensor_pb_load_all(path, "input", &in, &n) == OCLNN_OK && (u = evaluate(g, in, n))) {
        v = evaluate(h, in, n);
        if (!v)
            fail_msg("%s: %s", folder, oclnn_error_text(NULL));
        if (!same_outputs(u, v, 1e-6))
            fail_msg("%s: other outputs after export", folder);
        t->computed += u->value[u->output[0]].blob != NULL;
    } else {
        t->refused++;
    }
    for (int i = 0; i < n; i++)
        onn_blob_unref(&in[i]);
    onn_free(in);
    onn_graph_destroy(&g);
    onn_graph_destroy(&h);
    onn_graph_destroy(&u);
    onn_graph_destroy(&v);
}

static void operator_tests(void **state)
{
    struct tally t = {0};
    DIR *dir = opendir(NODE_TESTS);
    (void)state;
    if (!dir)
        skip();
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char folder[400];
        if (e->d_name[0] == '.' || (!all && onn_hash_bytes(e->d_name, strlen(e->d_name)).lo % 6))
            continue;
        snprintf(folder, sizeof folder, NODE_TESTS "/%.200s", e->d_name);
        there_and_back(folder, &t);
    }
    closedir(dir);
    print_message("%d operator tests exported, %d of them computed on the host, %d not plannable\n", t.models,
        t.computed, t.refused);
    assert_true(t.models > 50 && t.computed > 40);
}

/* ---- canonical forms ---- */
static const float numbers[24] = {-3, -2.5f, -1, -0.25f, 0, 0.125f, 0.5f, 1, 2, 3, 4, 5, -6, 7, 8, 0.75f,
    1.5f, -7, 6, 2.25f, -4, 0.0625f, 9, -1.25f};

struct form {
    const char *op, *attributes;
    int inputs; /* x and so many small constants */
    const char *types; /* ONNX operators that stand for it */
};

static void canonical_forms(void **state)
{
    static const struct form table[] = {
        {"clip", "min=-1 max=2", 1, "Clip"},
        {"clip", "max=2", 1, "Clip"},
        {"clip", "", 1, "Clip"},
        {"swish", "", 1, "Sigmoid Mul"},
        {"swish", "alpha=1.5", 1, "Mul Sigmoid Mul"},
        {"softmax", "axis=1 legacy=1", 1, "Shape Flatten Softmax Reshape"},
        {"logsoftmax", "axis=0 legacy=1", 1, "Shape Flatten LogSoftmax Reshape"},
        {"softmax", "axis=2 legacy=1", 1, "Softmax"},
        {"softmax", "axis=1", 1, "Softmax"},
        {"reducemean", "over=0,2", 1, "ReduceMean"},
        {"reducesum", "over=1 keepdims=0", 1, "ReduceSum"},
        {"reducemax", "", 1, "ReduceMax"},
        {"matmul", "", 3, "MatMul Add"},
        {"gelu", "", 1, "Gelu"},
        {"mish", "", 1, "Mish"},
        {"lrn", "size=3", 1, "LRN"},
        {"cast", "to=7", 1, "Cast"},
        {"flatten", "axis=2", 1, "Flatten"},
    };
    const int64_t dim[3] = {2, 3, 4};
    const struct onn_desc desc = onn_desc_make(OCLNN_F32, 3, dim);
    struct onn_blob *x;
    (void)state;
    assert_int_equal(onn_blob_create(&desc, numbers, &x), OCLNN_OK);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *path = temp_path("form.onnx");
        oclnn_graph *g;
        oclnn_tensor *w, *b;
        char types[256] = "";
        assert_int_equal(oclnn_graph_create(NULL, &g), OCLNN_OK);
        assert_int_equal(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(4, 2), numbers, &w), OCLNN_OK);
        assert_int_equal(oclnn_tensor_create(OCLNN_F32, OCLNN_SHAPE(2), numbers + 8, &b), OCLNN_OK);
        oclnn_value in[3] = {oclnn_input(g, "x", OCLNN_F32, OCLNN_SHAPE(-1, 3, 4))};
        for (int k = 1; k < table[i].inputs; k++)
            in[k] = oclnn_constant(g, k == 1 ? w : b);
        oclnn_output(g, "y", oclnn_op(g, table[i].op, table[i].attributes, in, table[i].inputs));
        if (oclnn_graph_status(g) != OCLNN_OK || save(g->graph, path) != OCLNN_OK)
            fail_msg("%s: %s", table[i].op, oclnn_error_text(NULL));
        struct onn_graph *h = load(path), *u = evaluate(g->graph, &x, 1), *v = evaluate(h, &x, 1);
        for (int k = 0; k < h->n_nodes; k++)
            snprintf(types + strlen(types), sizeof types - strlen(types), "%s%s", k ? " " : "",
                h->node[k].op->onnx);
        assert_string_equal(types, table[i].types);
        assert_int_equal(h->value[h->input[0]].desc.dim[0], -1);
        if (!u || !v || !same_outputs(u, v, 1e-6))
            fail_msg("%s %s: other outputs after export", table[i].op, table[i].attributes);
        if (strcmp(table[i].op, "matmul") &&
            strcmp(table[i].op, "lrn")) /* the others must have been compared */
            assert_non_null(u->value[u->output[0]].blob);
        onn_graph_destroy(&h);
        onn_graph_destroy(&u);
        onn_graph_destroy(&v);
        oclnn_tensor_destroy(&w);
        oclnn_tensor_destroy(&b);
        oclnn_graph_destroy(&g);
    }
    onn_blob_unref(&x);
}

/* ---- names and declarations ---- */
static void names(void **state)
{
    const char *path = temp_path("names.onnx");
    struct onn_graph *g, *h;
    const int64_t dim[2] = {-1, 3};
    const struct onn_desc desc = onn_desc_make(OCLNN_F32, 2, dim);
    (void)state;
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    const struct onn_op *relu = onn_op_find("relu"), *add = onn_op_find("add");
    int32_t x = onn_graph_add_input(g, "x", &desc), in[2] = {x, onn_graph_add_f32(g, 2)};
    int32_t a = onn_graph_add_op(g, add, "value_0", NULL, 2, in, 1); /* nameless outputs and constants */
    in[0] = g->node[a].out[0];
    int32_t r = onn_graph_add_op(g, relu, "value_0", NULL, 1, in, 1);
    onn_graph_add_output(g, "y", g->node[r].out[0]);
    onn_graph_add_output(g, "y", g->node[r].out[0]); /* the same value twice */
    onn_graph_add_output(g, "x", x);
    assert_int_equal(g->status, OCLNN_OK);
    if (save(g, path) != OCLNN_OK)
        fail_msg("%s", oclnn_error_text(NULL));
    h = load(path);
    assert_int_equal(h->n_outputs, 3);
    assert_string_equal(h->value[h->output[0]].name, "y");
    assert_string_not_equal(h->value[h->output[1]].name, "y");
    assert_string_equal(h->value[h->output[2]].name, "x");
    for (int v = 1; v < h->n_values; v++)
        assert_int_equal(onn_graph_find(h, h->value[v].name), v);
    const struct onn_desc *y = &h->value[h->output[0]].desc;
    assert_int_equal(y->dtype, OCLNN_F32);
    assert_int_equal(y->rank, 2);
    assert_int_equal(y->dim[0], -1);
    assert_int_equal(y->dim[1], 3);
    onn_graph_destroy(&g);
    onn_graph_destroy(&h);
}

/* ---- subgraphs ---- */
static void branch(struct pb *g, const char *op)
{
    static struct pb node, v;
    g->n = 0;
    pb_node(&node, op, "x", "inner");
    pb_sub(g, 1, &node);
    pb_text(g, 2, op);
    pb_value(&v, "inner", 1, NULL, 0);
    pb_sub(g, 12, &v);
}

static void subgraphs(void **state)
{
    static struct pb graph, node, v, then_branch, else_branch, m;
    const char *path = temp_path("if.onnx");
    struct onn_graph *g, *h;
    struct onn_blob *in[2];
    const struct onn_desc flag = onn_desc_make(OCLNN_BOOL, 0, NULL),
                          line = onn_desc_make(OCLNN_F32, 1, (int64_t[]){3});
    (void)state;
    pb_value(&v, "x", 1, (int64_t[]){3}, 1);
    pb_sub(&graph, 11, &v);
    pb_value(&v, "c", 9, NULL, 0);
    pb_sub(&graph, 11, &v);
    branch(&then_branch, "Abs");
    branch(&else_branch, "Neg");
    pb_node(&node, "If", "c", "y");
    pb_attr_sub(&node, "then_branch", 6, 5, &then_branch);
    pb_attr_sub(&node, "else_branch", 6, 5, &else_branch);
    pb_sub(&graph, 1, &node);
    pb_value(&v, "y", 1, (int64_t[]){3}, 1);
    pb_sub(&graph, 12, &v);
    pb_model(&m, &graph, 17);
    assert_int_equal(onn_onnx_load_memory(m.bytes, m.n, NULL, NULL, &g), OCLNN_OK);
    if (save(g, path) != OCLNN_OK)
        fail_msg("%s", oclnn_error_text(NULL));
    h = load(path);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(onn_blob_create(&line, numbers, &in[0]), OCLNN_OK);
        assert_int_equal(onn_blob_create(&flag, &(uint8_t){(uint8_t)k}, &in[1]), OCLNN_OK);
        struct onn_graph *u = evaluate(h, in, 2);
        assert_non_null(u);
        assert_non_null(u->value[u->output[0]].blob);
        assert_true(onn_blob_get_f64(u->value[u->output[0]].blob, 0) == 3); /* |-3| and -(-3) */
        assert_true(onn_blob_get_f64(u->value[u->output[0]].blob, 2) == 1);
        onn_graph_destroy(&u);
        onn_blob_unref(&in[0]);
        onn_blob_unref(&in[1]);
    }
    onn_graph_destroy(&g);
    onn_graph_destroy(&h);
}

/* ---- what cannot be written ---- */
static void refusals(void **state)
{
    const char *path = temp_path("refused.onnx");
    struct onn_graph *g;
    const struct onn_desc desc = onn_desc_make(OCLNN_F32, 4, (int64_t[]){1, 2, 3, 3});
    struct stat st;
    (void)state;
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    assert_int_equal(save(g, path), OCLNN_ERROR_ARGUMENT); /* no outputs */
    const struct onn_op *inner = onn_op_find("conv_dw");
    assert_non_null(inner);
    int32_t in[2] = {onn_graph_add_input(g, "x", &desc), onn_graph_add_input(g, "dy", &desc)};
    int32_t k = onn_graph_add_op(g, inner, "gradient of c", NULL, 2, in, 1);
    assert_true(k >= 0);
    onn_graph_add_output(g, "dw", g->node[k].out[0]);
    assert_int_equal(save(g, path), OCLNN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(oclnn_error_text(NULL), "'gradient of c' (conv_dw)"));
    assert_int_not_equal(stat(path, &st), 0);
    onn_graph_destroy(&g);

    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    in[0] = onn_graph_add_param(g, "w", &desc, NULL); /* never filled */
    k = onn_graph_add_op(g, onn_op_find("relu"), "r", NULL, 1, in, 1);
    onn_graph_add_output(g, "y", g->node[k].out[0]);
    assert_int_equal(save(g, path), OCLNN_ERROR_ARGUMENT);
    assert_non_null(strstr(oclnn_error_text(NULL), "'w' has no data"));
    onn_graph_destroy(&g);

    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    in[0] = onn_graph_add_input(g, "x", &desc);
    onn_graph_add_output(g, "x", in[0]);
    assert_int_equal(save(g, temp_path("no such folder/m.onnx")), OCLNN_ERROR_NOT_FOUND);
    onn_graph_destroy(&g);
}

/* Three times 1 GiB in one constant that is never touched: refused before anything is written. */
static void too_big(void **state)
{
    const char *path = temp_path("big.onnx");
    struct onn_graph *g;
    struct onn_blob *blob;
    const struct onn_desc desc = onn_desc_make(OCLNN_U8, 1, (int64_t[]){3LL << 30});
    struct stat st;
    (void)state;
    if (onn_blob_create(&desc, NULL, &blob) != OCLNN_OK)
        skip();
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    int32_t in[1] = {onn_graph_add_blob(g, "w", ONN_ROLE_CONST, blob)};
    int32_t k = onn_graph_add_op(g, onn_op_find("identity"), "i", NULL, 1, in, 1);
    onn_graph_add_output(g, "y", g->node[k].out[0]);
    assert_int_equal(onn_onnx_save(g, NULL, path), OCLNN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(oclnn_error_text(NULL), "at most 2147483647"));
    assert_int_not_equal(stat(path, &st), 0);
    onn_blob_unref(&blob);
    onn_graph_destroy(&g);
}

int main(int argc, char **argv)
{
    all = argc > 1 && strcmp(argv[1], "--all") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_forms),
        cmocka_unit_test(names),
        cmocka_unit_test(subgraphs),
        cmocka_unit_test(refusals),
        cmocka_unit_test(too_big),
        cmocka_unit_test(operator_tests),
    };
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
