/* Element-wise operators: the table's functions against plain ones, on every layout, alone and in chains. */
#include "harness/harness.h"
#include "ops/elementwise.h"

#include <math.h>
#include <string.h>

typedef double (*fn)(double a, double b, double c);
#define FN(name, e) \
    static double f_##name(double a, double b, double c) \
    { \
        (void)a, (void)b, (void)c; \
        return e; \
    }
FN(relu, fmax(a, 0))
FN(leaky_relu, a < 0 ? 0.1f * a : a)
FN(prelu, a < 0 ? a * b : a)
FN(sigmoid, 1 / (1 + exp(-a)))
FN(hard_sigmoid, fmin(1, fmax(0, 0.2f * a + 0.5f)))
FN(hard_swish, a *fmin(1, fmax(0, a / 6 + 0.5)))
FN(swish, a / (1 + exp(-a)))
FN(mish, a *tanh(log1p(exp(a))))
FN(softplus, log1p(exp(a)))
FN(softsign, a / (1 + fabs(a)))
FN(elu, a < 0 ? 1.5 * expm1(a) : a)
FN(selu, 1.05070098735548 * (a < 0 ? 1.67326324235437 * expm1(a) : a))
FN(celu, a < 0 ? 2 * expm1(a / 2) : a)
FN(thresholded_relu, a > 0.25 ? a : 0)
FN(gelu, 0.5 * a * (1 + erf(a / sqrt(2))))
FN(gelu_tanh, 0.5 * a * (1 + tanh(sqrt(2 / 3.14159265358979324) * (a + 0.044715 * a * a * a))))
FN(reciprocal, 1 / a)
FN(sign, (a > 0) - (a < 0))
FN(neg, -a)
FN(not, a == 0)
FN(add, a + b)
FN(sub, a - b)
FN(mul, a *b)
FN(div, a / b)
FN(pymod, a - b * floor(a / b))
FN(equal, a == b)
FN(less, a < b)
FN(greater, a > b)
FN(less_equal, a <= b)
FN(greater_equal, a >= b)
FN(and, a != 0 && b != 0)
FN(or, a != 0 || b != 0)
FN(xor, (a != 0) != (b != 0))
FN(where, a != 0 ? b : c)
FN(same, a)
#define MATH1(name) \
    static double f_##name(double a, double b, double c) \
    { \
        (void)b, (void)c; \
        return name(a); \
    }
#define MATH2(name, function) \
    static double f_##name(double a, double b, double c) \
    { \
        (void)c; \
        return function(a, b); \
    }
MATH1(tanh)
MATH1(erf)
MATH1(exp)
MATH1(log)
MATH1(sqrt)
MATH1(floor)
MATH1(ceil)
MATH1(sin)
MATH1(cos)
MATH2(pow, pow)
MATH2(mod, fmod)
MATH2(max, fmax)
MATH2(min, fmin)

/* One reference for all: by name. */
#define ROW(name) \
    { \
#name, f_##name \
    }
static const struct {
    const char *name;
    fn f;
} functions[] = {ROW(relu), ROW(leaky_relu), ROW(prelu), ROW(sigmoid), ROW(hard_sigmoid), ROW(hard_swish),
    ROW(swish), ROW(mish), ROW(softplus), ROW(softsign), ROW(elu), ROW(selu), ROW(celu),
    ROW(thresholded_relu), ROW(gelu), ROW(reciprocal), ROW(sign), ROW(neg), ROW(not ), ROW(add), ROW(sub),
    ROW(mul), ROW(div), ROW(equal), ROW(less), ROW(greater), ROW(less_equal), ROW(greater_equal), ROW(and),
    ROW(or), ROW(xor), ROW(where), ROW(tanh), ROW(erf), ROW(exp), ROW(log), ROW(sqrt), ROW(floor), ROW(ceil),
    ROW(sin), ROW(cos), ROW(pow), ROW(max), ROW(min), {"sum", f_add}, {"mean", f_add}, {"cast", f_same}};

static void apply(struct onn_ref *r, fn f)
{
    const struct onn_desc *y = &r->prob->out[0];
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        double v[8] = {0}, result;
        for (int k = 0; k < r->n_in && k < 8; k++)
            v[k] = r->in[k][onn_ref_broadcast(&r->prob->in[k], y, i)];
        result = f(v[0], v[1], v[2]);
        for (int k = 2; k < r->n_in && f != f_where; k++)
            result = f(result, v[k], 0);
        r->out[0][i] = f == f_add && !strcmp(r->prob->op->name, "mean") ? result / r->n_in : result;
        for (int k = 0; k < r->n_in; k++)
            r->scale[0][i] += fabs(v[k]);
        r->scale[0][i] += fabs(result) + 1;
    }
}
static void ref(struct onn_ref *r)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (!strcmp(functions[i].name, r->prob->op->name))
            apply(r, functions[i].f);
}
static void ref_gelu_tanh(struct onn_ref *r)
{
    apply(r, f_gelu_tanh);
}
static void ref_fmod(struct onn_ref *r)
{
    apply(r, f_mod);
}
static void ref_pymod(struct onn_ref *r)
{
    apply(r, f_pymod);
}
static void ref_clip(struct onn_ref *r)
{
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        const double lo = r->n_in > 1 && r->in[1] ? r->in[1][0] : -INFINITY;
        const double hi = r->n_in > 2 && r->in[2] ? r->in[2][0] : INFINITY, a = r->in[0][i];
        r->out[0][i] = fmin(fmax(a, lo), hi);
    }
}

static void positive(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p, (void)i;
    for (int64_t k = 0; k < n; k++)
        data[k] = integer ? (double)(1 + k % 5) : 0.25 + (double)((k * 7919) % 97) / 64;
}
static void nonzero(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)p, (void)integer;
    for (int64_t k = 0; k < n; k++)
        data[k] = i == 0 ? (double)(k % 13 - 6) : (double)(k % 3 + 1) * (k % 2 ? 1 : -1);
}
static void truth(const struct onn_prob *p, int i, bool integer, double *data, int64_t n)
{
    (void)integer;
    for (int64_t k = 0; k < n; k++)
        data[k] = p->in[i].dtype == OCLNN_BOOL ? (double)((k * 31 / 7) % 2) : (double)(k % 11) - 5;
}

#define X "x=2x11x3x5"
#define REAL ONN_CASE_NO_INTEGER
static const struct onn_case cases[] = {
    {.problem = "relu " X, .ref = ref},
    {.problem = "relu x=3x17", .ref = ref},
    {.problem = "relu x=scalar", .ref = ref},
    {.problem = "relu x=1x16x9x7", .ref = ref},
    {.problem = "relu x=7:i32", .ref = ref},
    {.problem = "leaky_relu " X " alpha=0.1", .ref = ref, .flags = REAL},
    {.problem = "sigmoid " X, .ref = ref, .flags = REAL},
    {.problem = "tanh " X, .ref = ref, .flags = REAL},
    {.problem = "hard_sigmoid " X, .ref = ref, .flags = REAL},
    {.problem = "hard_swish " X, .ref = ref, .flags = REAL},
    {.problem = "swish " X, .ref = ref, .flags = REAL},
    {.problem = "mish " X, .ref = ref, .flags = REAL},
    {.problem = "softplus " X, .ref = ref, .flags = REAL},
    {.problem = "softsign " X, .ref = ref, .flags = REAL},
    {.problem = "elu " X " alpha=1.5", .ref = ref, .flags = REAL},
    {.problem = "selu " X, .ref = ref, .flags = REAL},
    {.problem = "celu " X " alpha=2", .ref = ref, .flags = REAL},
    {.problem = "thresholded_relu " X " alpha=0.25", .ref = ref, .flags = REAL},
    {.problem = "gelu " X, .ref = ref, .flags = REAL},
    {.problem = "gelu " X " approximate=tanh", .ref = ref_gelu_tanh, .flags = REAL},
    {.problem = "erf " X, .ref = ref, .flags = REAL},
    {.problem = "exp " X, .ref = ref, .flags = REAL},
    {.problem = "log " X, .ref = ref, .flags = REAL, .fill = positive},
    {.problem = "sqrt " X, .ref = ref, .flags = REAL, .fill = positive},
    {.problem = "reciprocal " X, .ref = ref, .flags = REAL, .fill = positive},
    {.problem = "floor " X, .ref = ref},
    {.problem = "ceil " X, .ref = ref},
    {.problem = "sign " X, .ref = ref},
    {.problem = "sin " X, .ref = ref, .flags = REAL},
    {.problem = "cos " X, .ref = ref, .flags = REAL},
    {.problem = "neg " X, .ref = ref},
    {.problem = "neg x=5x9:i64", .ref = ref},
    {.problem = "not x=2x11x3x5:bool", .ref = ref, .fill = truth},
    {.problem = "prelu " X " b=11x1x1", .ref = ref},
    {.problem = "add " X " b=2x11x3x5", .ref = ref},
    {.problem = "add " X " b=11x1x1", .ref = ref},
    {.problem = "add " X " b=2x11x1x1", .ref = ref},
    {.problem = "add " X " b=2x1x3x5", .ref = ref},
    {.problem = "add " X " b=5", .ref = ref},
    {.problem = "add " X " b=scalar", .ref = ref},
    {.problem = "add x=4x1x6 b=5x1", .ref = ref},
    {.problem = "add x=2x1x1x1 b=1x9x4x4", .ref = ref},
    {.problem = "mul x=1x19x8x8 b=1x19x1x1", .ref = ref},
    {.problem = "sub x=3x40:i64 b=40:i64", .ref = ref},
    {.problem = "mul x=2x8x3:i32 b=8x1:i32", .ref = ref},
    {.problem = "add x=0x4 b=4", .ref = ref},
    {.problem = "div " X " b=2x11x3x5", .ref = ref, .flags = REAL, .fill = positive},
    {.problem = "max " X " b=11x1x1", .ref = ref},
    {.problem = "min " X " b=3x5 c=1", .ref = ref},
    {.problem = "sum " X " b=2x11x3x5 c=scalar", .ref = ref},
    {.problem = "mean " X " b=2x11x3x5 c=2x11x3x5", .ref = ref, .flags = REAL},
    {.problem = "sum x=9 a=9 b=9 c=9 d=9 e=9 f=9 g=9", .ref = ref},
    {.problem = "pow " X " b=scalar", .ref = ref, .flags = REAL, .fill = positive},
    {.problem = "pow " X " b=@2:f32:scalar", .ref = ref, .flags = REAL},
    {.problem = "mod x=4x9:i32 b=9:i32", .ref = ref_pymod, .fill = nonzero},
    {.problem = "mod x=4x9 b=4x9 fmod=1", .ref = ref_fmod, .fill = nonzero},
    {.problem = "equal " X " b=11x1x1", .ref = ref},
    {.problem = "less x=2x11x3x5:i64 b=2x11x3x5:i64", .ref = ref},
    {.problem = "greater " X " b=3x5", .ref = ref},
    {.problem = "less_equal " X " b=2x11x3x5", .ref = ref},
    {.problem = "greater_equal " X " b=scalar", .ref = ref},
    {.problem = "and x=4x9:bool b=9:bool", .ref = ref, .fill = truth},
    {.problem = "or x=4x9:bool b=9:bool", .ref = ref, .fill = truth},
    {.problem = "xor x=4x9:bool b=9:bool", .ref = ref, .fill = truth},
    {.problem = "where x=2x11x3x5:bool a=2x11x3x5 b=11x1x1", .ref = ref, .fill = truth},
    {.problem = "where x=3x1:bool a=4:i64 b=3x4:i64", .ref = ref, .fill = truth},
    {.problem = "clip " X " lo=scalar hi=-", .ref = ref_clip},
    {.problem = "clip " X " lo=@-1:f32:scalar hi=@2:f32:scalar", .ref = ref_clip},
    {.problem = "clip x=9:i64 lo=- hi=scalar:i64", .ref = ref_clip},
    {.problem = "cast x=2x11x3x5:i64 to=1", .ref = ref},
    {.problem = "cast x=4x9:bool to=7", .ref = ref, .fill = truth},
    {.problem = "relu " X " +add=2x11x3x5 +sigmoid +mul=11x1x1 +clip{min=-0.5,max=0.5}",
        .ref = ref,
        .flags = REAL},
    {.problem = "mul " X " b=2x11x3x5 +sub~=scalar +relu", .ref = ref},
    {0},
};

static const char *const infer_checks[][2] = {
    {"add x=2x3 b=4x1x3", "f32[4,2,3]"},
    {"add x=?x3 b=1x3", "f32[-1,3]"},
    {"add x=2x3 b=4", "!do not broadcast"},
    {"add x=2x3 b=3:i32", "!input 1 is i32, but input 0 is f32"},
    {"less x=2x3:i64 b=3:i64", "bool[2,3]"},
    {"cast x=2:i64 to=10", "f16[2]"},
    {"cast x=2:i64 to=8", "!not supported"},
    {"prelu x=3 b=2x3", "!does not broadcast"},
    {"sigmoid x=3:i64", "!must be a floating-point type"},
};

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_infer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof infer_checks / sizeof infer_checks[0]; i++)
        onn_check_infer(infer_checks[i][0], infer_checks[i][1]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_infer)};
    if (argc == 1 && cmocka_run_group_tests(tests, NULL, NULL))
        return 1;
    return onn_harness_main(argc, argv, cases);
}
