/* Networks of one layer, built from C and run on a device: their numbers against numbers worked out by hand. */
#include <oclnn/oclnn.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { SKIP = 77 };

static oclnn_context *ctx;
static oclnn_graph *g;
static const char *at; /* the case at hand */

static void check(enum oclnn_status status)
{
    if (status != OCLNN_OK)
        fail_msg("%s: %s", at, oclnn_error_text(ctx));
}

static void start(const char *what)
{
    at = what;
    check(oclnn_graph_create(NULL, &g));
}

static oclnn_value constant(enum oclnn_dtype dtype, struct oclnn_shape shape, const void *data)
{
    oclnn_tensor *t = NULL;
    check(oclnn_tensor_create(dtype, shape, data, &t));
    oclnn_value v = oclnn_constant(g, t);
    oclnn_tensor_destroy(&t);
    return v;
}

static double element(const oclnn_tensor *t, int i)
{
    const void *data = oclnn_tensor_data(t);
    switch (oclnn_tensor_dtype(t)) {
    case OCLNN_F32: return (double)((const float *)data)[i];
    case OCLNN_I64: return (double)((const int64_t *)data)[i];
    case OCLNN_I32: return ((const int32_t *)data)[i];
    default: return ((const uint8_t *)data)[i];
    }
}

/* Makes y the output, runs the network on x (NULL: it has no input) and compares. */
static void run(oclnn_value y, const oclnn_tensor *x, enum oclnn_dtype dtype, struct oclnn_shape shape,
    const double *want)
{
    oclnn_model *net = NULL;
    oclnn_tensor *got = NULL;
    const struct oclnn_binding in[] = {{.tensor = (oclnn_tensor *)x}, {0}}, out[] = {{.result = &got}, {0}};
    int64_t n = 1;
    oclnn_output(g, "y", y);
    check(oclnn_model_create(ctx, &g, NULL, &net));
    check(oclnn_model_run(net, x ? in : &in[1], out));
    struct oclnn_shape s = oclnn_tensor_shape(got);
    assert_int_equal(oclnn_tensor_dtype(got), dtype);
    if (s.rank != shape.rank)
        fail_msg("%s: %d dimensions instead of %d", at, s.rank, shape.rank);
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] != shape.dim[i])
            fail_msg("%s: dimension %d is %lld instead of %lld", at, i, (long long)s.dim[i],
                (long long)shape.dim[i]);
        n *= s.dim[i];
    }
    for (int i = 0; i < n; i++)
        if (!(fabs(element(got, i) - want[i]) <= 1e-5 * (1 + fabs(want[i]))))
            fail_msg("%s: element %d is %.9g instead of %.9g", at, i, element(got, i), want[i]);
    oclnn_tensor_destroy(&got);
    oclnn_model_destroy(&net);
}

/* x f32 as the network's only input. */
static oclnn_value input(struct oclnn_shape shape, const float *data, oclnn_tensor **x)
{
    check(oclnn_tensor_create(OCLNN_F32, shape, data, x));
    return oclnn_input(g, "x", OCLNN_F32, shape);
}

#define WANT(...) ((const double[]){__VA_ARGS__})

/* ---- windows of one dimension ---- */

static const float line[] = {1, 2, 3, 4, 5, 6, -1, 0, 2, -3, 1, 4}; /* two channels of 6 */
static const struct oclnn_init ones = {.kind = OCLNN_INIT_ONE}, half = {OCLNN_INIT_CONSTANT, 0.5f, 0};

static void on_line(const char *what,
    oclnn_value (*layer)(oclnn_graph *, oclnn_value, int, const struct oclnn_pool *), int size,
    const struct oclnn_pool *p, int64_t n, const double *want)
{
    oclnn_tensor *x;
    start(what);
    oclnn_value v = input(OCLNN_SHAPE(1, 2, 6), line, &x);
    run(layer(g, v, size, p), x, OCLNN_F32, OCLNN_SHAPE(1, 2, n), want);
    oclnn_tensor_destroy(&x);
}

static void pools(void **state)
{
    (void)state;
    on_line("max", oclnn_max_pool1d, 2, NULL, 3, WANT(2, 4, 6, 0, 2, 4));
    on_line("max same", oclnn_max_pool1d, 2, &(struct oclnn_pool){.stride = {1}, .same = 1}, 6,
        WANT(2, 3, 4, 5, 6, 6, 0, 2, 2, 1, 4, 4));
    on_line("max lower", oclnn_max_pool1d, 2, &(struct oclnn_pool){.stride = {1}, .same = 2}, 6,
        WANT(1, 2, 3, 4, 5, 6, -1, 0, 2, 2, 1, 4));
    on_line("max apart", oclnn_max_pool1d, 2, &(struct oclnn_pool){.dilation = {3}, .stride = {1}}, 3,
        WANT(4, 5, 6, -1, 1, 4));
    on_line("mean", oclnn_avg_pool1d, 3, NULL, 2, WANT(2, 5, 1.0 / 3, 2.0 / 3));
    on_line("mean of pads", oclnn_avg_pool1d, 2, &(struct oclnn_pool){.pad = {1, 1}, .count_pad = 1}, 4,
        WANT(0.5, 2.5, 4.5, 3, -0.5, 1, -1, 2));
    on_line("mean without pads", oclnn_avg_pool1d, 2, &(struct oclnn_pool){.pad = {1, 1}}, 4,
        WANT(1, 2.5, 4.5, 6, -1, 1, -1, 4));
}

static void convolutions(void **state)
{
    oclnn_tensor *x;
    (void)state;
    start("conv1d");
    oclnn_value v = input(OCLNN_SHAPE(1, 2, 6), line, &x);
    v = oclnn_conv1d(g, v, 1, 3,
        &(struct oclnn_conv){.pad = {1, 0}, .stride = {2}, .weight_init = ones, .bias_init = half});
    run(v, x, OCLNN_F32, OCLNN_SHAPE(1, 1, 3), WANT(2.5, 8.5, 17.5));
    oclnn_tensor_destroy(&x);
    start("conv1d depthwise");
    v = input(OCLNN_SHAPE(1, 2, 6), line, &x);
    v = oclnn_conv1d(g, v, 2, 2,
        &(struct oclnn_conv){.group = 2, .dilation = {3}, .no_bias = 1, .weight_init = half});
    run(v, x, OCLNN_F32, OCLNN_SHAPE(1, 2, 3), WANT(2.5, 3.5, 4.5, -2, 0.5, 3));
    oclnn_tensor_destroy(&x);
    start("conv_transpose1d");
    v = input(OCLNN_SHAPE(1, 2, 6), line, &x);
    v = oclnn_conv_transpose1d(g, v, 1, 2,
        &(struct oclnn_conv){.stride = {2}, .output_pad = {1}, .weight_init = ones, .no_bias = 1});
    run(v, x, OCLNN_F32, OCLNN_SHAPE(1, 1, 13), WANT(0, 0, 2, 2, 5, 5, 1, 1, 6, 6, 10, 10, 0));
    oclnn_tensor_destroy(&x);
}

static void products(void **state)
{
    static const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, -1, 2, 1, 1}, c[] = {10, 20};
    oclnn_tensor *x;
    (void)state;
    start("gemm");
    oclnn_value v = input(OCLNN_SHAPE(2, 3), a, &x);
    v = oclnn_gemm(g, v, constant(OCLNN_F32, OCLNN_SHAPE(2, 3), b), constant(OCLNN_F32, OCLNN_SHAPE(2), c),
        &(struct oclnn_gemm){.alpha = 2, .beta = 0.5f, .transpose_b = 1});
    run(v, x, OCLNN_F32, OCLNN_SHAPE(2, 2), WANT(1, 24, 1, 48));
    oclnn_tensor_destroy(&x);
    start("gemm, a transposed");
    v = input(OCLNN_SHAPE(2, 3), a, &x);
    v = oclnn_gemm(g, v, constant(OCLNN_F32, OCLNN_SHAPE(2, 1), c), 0,
        &(struct oclnn_gemm){.transpose_a = 1});
    run(v, x, OCLNN_F32, OCLNN_SHAPE(3, 1), WANT(90, 120, 150));
    oclnn_tensor_destroy(&x);
}

/* ---- element by element ---- */

static const float six[] = {-2, -0.5f, 0, 1, 2, 3}; /* [2,3] */

static void on_six(const char *what, oclnn_value (*make)(oclnn_value x), enum oclnn_dtype dtype,
    struct oclnn_shape shape, const double *want)
{
    oclnn_tensor *x;
    start(what);
    oclnn_value y = make(input(OCLNN_SHAPE(2, 3), six, &x));
    run(y, x, dtype, shape, want);
    oclnn_tensor_destroy(&x);
}

static oclnn_value row(float a, float b, float c)
{
    return constant(OCLNN_F32, OCLNN_SHAPE(3), (const float[]){a, b, c});
}

static oclnn_value i64(int64_t number)
{
    return oclnn_scalar(g, OCLNN_I64, (double)number);
}

#define MAKE(name, expression) \
    static oclnn_value make_##name(oclnn_value x) \
    { \
        return expression; \
    }
MAKE(neg, oclnn_neg(g, x))
MAKE(abs, oclnn_abs(g, x))
MAKE(exp, oclnn_exp(g, x))
MAKE(log, oclnn_log(g, oclnn_abs(g, oclnn_add(g, x, oclnn_scalar(g, OCLNN_F32, 4)))))
MAKE(sqrt, oclnn_sqrt(g, oclnn_mul(g, x, x)))
MAKE(pow, oclnn_pow(g, x, row(1, 2, 3)))
MAKE(sub, oclnn_sub(g, row(1, 2, 3), x))
MAKE(div, oclnn_div(g, x, row(1, 2, 4)))
MAKE(sum, oclnn_sum(g, (oclnn_value[]){x, row(1, 2, 3), x}, 3))
MAKE(max, oclnn_max(g, (oclnn_value[]){x, row(1, -2, 3), row(0, 0, 0)}, 3))
MAKE(min, oclnn_min(g, (oclnn_value[]){x, row(1, -2, 3)}, 2))
MAKE(equal, oclnn_equal(g, x, row(1, 2, 0)))
MAKE(less, oclnn_less(g, x, row(1, 2, 0)))
MAKE(less_equal, oclnn_less_equal(g, x, row(1, 2, 0)))
MAKE(greater, oclnn_greater(g, x, row(1, 2, 0)))
MAKE(greater_equal, oclnn_greater_equal(g, x, row(1, 2, 0)))
MAKE(and, oclnn_and(g, oclnn_less(g, x, row(2, 2, 2)), oclnn_greater(g, x, row(-1, -1, -1))))
MAKE(or, oclnn_or(g, oclnn_less(g, x, row(-1, -1, -1)), oclnn_greater(g, x, row(2, 2, 2))))
MAKE(not, oclnn_not(g, oclnn_less(g, x, row(0, 0, 0))))
MAKE(where, oclnn_where(g, oclnn_less(g, x, row(0, 0, 0)), oclnn_neg(g, x), row(10, 20, 30)))
MAKE(cast_int, oclnn_cast(g, x, OCLNN_I32))
MAKE(cast_bool, oclnn_cast(g, x, OCLNN_BOOL))
MAKE(mean, oclnn_reduce_mean(g, x, OCLNN_LIST(1), 0))
MAKE(reduce_sum, oclnn_reduce_sum(g, x, OCLNN_LIST(0), 1))
MAKE(reduce_max, oclnn_reduce_max(g, x, OCLNN_LIST(-1), 1))
MAKE(reduce_min, oclnn_reduce_min(g, x, OCLNN_LIST(-1), 0))
MAKE(prod, oclnn_reduce_prod(g, x, OCLNN_LIST(1), 0))
MAKE(l1, oclnn_reduce_l1(g, x, OCLNN_LIST(1), 0))
MAKE(l2, oclnn_reduce_l2(g, x, OCLNN_LIST(1), 0))
MAKE(sum_square, oclnn_reduce_sum_square(g, x, (struct oclnn_shape){0}, 0))
MAKE(log_sum, oclnn_reduce_log_sum(g, oclnn_abs(g, x), OCLNN_LIST(1), 0))
MAKE(log_sum_exp, oclnn_reduce_log_sum_exp(g, x, OCLNN_LIST(1), 0))

static void elementwise(void **state)
{
    const struct oclnn_shape s = OCLNN_SHAPE(2, 3);
    (void)state;
    on_six("neg", make_neg, OCLNN_F32, s, WANT(2, 0.5, 0, -1, -2, -3));
    on_six("abs", make_abs, OCLNN_F32, s, WANT(2, 0.5, 0, 1, 2, 3));
    on_six("exp", make_exp, OCLNN_F32, s, WANT(exp(-2), exp(-0.5), 1, exp(1), exp(2), exp(3)));
    on_six("log", make_log, OCLNN_F32, s, WANT(log(2), log(3.5), log(4), log(5), log(6), log(7)));
    on_six("sqrt", make_sqrt, OCLNN_F32, s, WANT(2, 0.5, 0, 1, 2, 3));
    on_six("pow", make_pow, OCLNN_F32, s, WANT(-2, 0.25, 0, 1, 4, 27));
    on_six("sub", make_sub, OCLNN_F32, s, WANT(3, 2.5, 3, 0, 0, 0));
    on_six("div", make_div, OCLNN_F32, s, WANT(-2, -0.25, 0, 1, 1, 0.75));
    on_six("sum", make_sum, OCLNN_F32, s, WANT(-3, 1, 3, 3, 6, 9));
    on_six("max", make_max, OCLNN_F32, s, WANT(1, 0, 3, 1, 2, 3));
    on_six("min", make_min, OCLNN_F32, s, WANT(-2, -2, 0, 1, -2, 3));
    on_six("equal", make_equal, OCLNN_BOOL, s, WANT(0, 0, 1, 1, 1, 0));
    on_six("less", make_less, OCLNN_BOOL, s, WANT(1, 1, 0, 0, 0, 0));
    on_six("less_equal", make_less_equal, OCLNN_BOOL, s, WANT(1, 1, 1, 1, 1, 0));
    on_six("greater", make_greater, OCLNN_BOOL, s, WANT(0, 0, 0, 0, 0, 1));
    on_six("greater_equal", make_greater_equal, OCLNN_BOOL, s, WANT(0, 0, 1, 1, 1, 1));
    on_six("and", make_and, OCLNN_BOOL, s, WANT(0, 1, 1, 1, 0, 0));
    on_six("or", make_or, OCLNN_BOOL, s, WANT(1, 0, 0, 0, 0, 1));
    on_six("not", make_not, OCLNN_BOOL, s, WANT(0, 0, 1, 1, 1, 1));
    on_six("where", make_where, OCLNN_F32, s, WANT(2, 0.5, 30, 10, 20, 30));
    on_six("cast to i32", make_cast_int, OCLNN_I32, s, WANT(-2, 0, 0, 1, 2, 3));
    on_six("cast to bool", make_cast_bool, OCLNN_BOOL, s, WANT(1, 1, 0, 1, 1, 1));
}

static void reductions(void **state)
{
    const struct oclnn_shape s = OCLNN_SHAPE(2);
    (void)state;
    on_six("reduce_mean", make_mean, OCLNN_F32, s, WANT(-2.5 / 3, 2));
    on_six("reduce_sum", make_reduce_sum, OCLNN_F32, OCLNN_SHAPE(1, 3), WANT(-1, 1.5, 3));
    on_six("reduce_max", make_reduce_max, OCLNN_F32, OCLNN_SHAPE(2, 1), WANT(0, 3));
    on_six("reduce_min", make_reduce_min, OCLNN_F32, s, WANT(-2, 1));
    on_six("reduce_prod", make_prod, OCLNN_F32, s, WANT(0, 6));
    on_six("reduce_l1", make_l1, OCLNN_F32, s, WANT(2.5, 6));
    on_six("reduce_l2", make_l2, OCLNN_F32, s, WANT(sqrt(4.25), sqrt(14)));
    on_six("reduce_sum_square", make_sum_square, OCLNN_F32, (struct oclnn_shape){0}, WANT(18.25));
    on_six("reduce_log_sum", make_log_sum, OCLNN_F32, s, WANT(log(2.5), log(6)));
    on_six("reduce_log_sum_exp", make_log_sum_exp, OCLNN_F32, s,
        WANT(log(exp(-2) + exp(-0.5) + 1), log(exp(1) + exp(2) + exp(3))));
}

/* ---- moving elements ---- */

static const int64_t picks[] = {2, 0, -1, 1};
MAKE(pad, oclnn_pad(g, x, OCLNN_LIST(1, 0), OCLNN_LIST(0, 1), 7))
MAKE(pad_reflect, oclnn_pad_reflect(g, x, OCLNN_LIST(0, 2), OCLNN_LIST(1, 1)))
MAKE(pad_edge, oclnn_pad_edge(g, x, OCLNN_LIST(0, 2), OCLNN_LIST(1, 0)))
MAKE(gather, oclnn_gather(g, x, constant(OCLNN_I64, OCLNN_SHAPE(2, 2), picks), 1))
MAKE(expand, oclnn_expand(g, oclnn_reduce_sum(g, x, OCLNN_LIST(1), 1), OCLNN_SHAPE(2, 1, 2)))
MAKE(flatten_0, oclnn_flatten_at(g, x, 0))
MAKE(flatten_2, oclnn_flatten_at(g, x, 2))
MAKE(shape_of, oclnn_shape_of(g, x))
MAKE(filled,
    oclnn_add(g, oclnn_constant_of_shape(g, oclnn_shape_of(g, x), OCLNN_F32, 2.5),
        oclnn_scalar(g, OCLNN_F32, 1)))
MAKE(range, oclnn_add(g, x, oclnn_cast(g, oclnn_range(g, i64(1), i64(8), i64(3)), OCLNN_F32)))

static void shapes(void **state)
{
    (void)state;
    on_six("pad", make_pad, OCLNN_F32, OCLNN_SHAPE(3, 4), WANT(7, 7, 7, 7, -2, -0.5, 0, 7, 1, 2, 3, 7));
    on_six("pad_reflect", make_pad_reflect, OCLNN_F32, OCLNN_SHAPE(3, 6),
        WANT(0, -0.5, -2, -0.5, 0, -0.5, 3, 2, 1, 2, 3, 2, 0, -0.5, -2, -0.5, 0, -0.5));
    on_six("pad_edge", make_pad_edge, OCLNN_F32, OCLNN_SHAPE(3, 5),
        WANT(-2, -2, -2, -0.5, 0, 1, 1, 1, 2, 3, 1, 1, 1, 2, 3));
    on_six("gather", make_gather, OCLNN_F32, OCLNN_SHAPE(2, 2, 2), WANT(0, -2, 0, -0.5, 3, 1, 3, 2));
    on_six("expand", make_expand, OCLNN_F32, OCLNN_SHAPE(2, 2, 2), WANT(-2.5, -2.5, 6, 6, -2.5, -2.5, 6, 6));
    on_six("flatten at 0", make_flatten_0, OCLNN_F32, OCLNN_SHAPE(1, 6), WANT(-2, -0.5, 0, 1, 2, 3));
    on_six("flatten at 2", make_flatten_2, OCLNN_F32, OCLNN_SHAPE(6, 1), WANT(-2, -0.5, 0, 1, 2, 3));
    on_six("shape_of", make_shape_of, OCLNN_I64, OCLNN_SHAPE(2), WANT(2, 3));
    on_six("constant_of_shape", make_filled, OCLNN_F32, OCLNN_SHAPE(2, 3),
        WANT(3.5, 3.5, 3.5, 3.5, 3.5, 3.5));
    on_six("range", make_range, OCLNN_F32, OCLNN_SHAPE(2, 3), WANT(-1, 3.5, 7, 2, 6, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(products),
        cmocka_unit_test(elementwise),
        cmocka_unit_test(reductions),
        cmocka_unit_test(shapes),
    };
    enum oclnn_status status = oclnn_context_create(NULL, &ctx);
    if (status == OCLNN_ERROR_NO_DEVICE)
        return SKIP;
    int failed = status ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    if (status)
        fprintf(stderr, "%s\n", oclnn_error_text(NULL));
    oclnn_context_destroy(&ctx);
    return failed;
}
