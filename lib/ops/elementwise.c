/* The table of element-wise operators. A new one is a HOST line and a ROW line. */
#include "ops/elementwise.h"
#include "ops/grads.h"

#include <math.h>

#define ATTR_FLOAT(member, d) \
    { \
#member, #member, ONN_ATTR_FLOAT, offsetof(struct onn_ew_attr, member), d, 0, 0 \
    }
#define ATTR_INT(text, onnx_text, member, d, lo, hi) \
    { \
        text, onnx_text, ONN_ATTR_INT, offsetof(struct onn_ew_attr, member), d, lo, hi \
    }
#define ATTR_LAST \
    { \
        NULL, NULL, ONN_ATTR_END, 0, 0, 0, 0 \
    }

static const struct onn_attr leaky_attrs[] = {ATTR_FLOAT(alpha, 0.01), ATTR_LAST};
static const struct onn_attr hard_attrs[] = {ATTR_FLOAT(alpha, 0.2), ATTR_FLOAT(beta, 0.5), ATTR_LAST};
static const struct onn_attr alpha_attrs[] = {ATTR_FLOAT(alpha, 1.0), ATTR_LAST};
static const struct onn_attr selu_attrs[] = {ATTR_FLOAT(alpha, 1.67326319217681884765625),
    {"gamma", "gamma", ONN_ATTR_FLOAT, offsetof(struct onn_ew_attr, beta), 1.05070102214813232421875, 0, 0},
    ATTR_LAST};
static const struct onn_attr gelu_attrs[] = {{"approximate", "approximate", ONN_ATTR_STRING,
                                                 offsetof(struct onn_ew_attr, approximate), 0, 0, 0},
    ATTR_LAST};
/* Not ONNX's: bounds of a Clip that is a step of a chain, or that has no bounds as inputs. */
static const struct onn_attr clip_attrs[] = {{"min", NULL, ONN_ATTR_FLOAT,
                                                 offsetof(struct onn_ew_attr, alpha), -INFINITY, 0, 0},
    {"max", NULL, ONN_ATTR_FLOAT, offsetof(struct onn_ew_attr, beta), INFINITY, 0, 0}, ATTR_LAST};
static const struct onn_attr cast_attrs[] = {ATTR_INT("to", "to", to, 1, 0, 64), ATTR_LAST};
static const struct onn_attr mod_attrs[] = {ATTR_INT("fmod", "fmod", fmod, 0, 0, 1), ATTR_LAST};
static const struct onn_attr isinf_attrs[] = {ATTR_INT("negative", "detect_negative", negative, 1, 0, 1),
    ATTR_INT("positive", "detect_positive", positive, 1, 0, 1), ATTR_LAST};
static const struct onn_attr shrink_attrs[] = {{"lambd", "lambd", ONN_ATTR_FLOAT,
                                                   offsetof(struct onn_ew_attr, alpha), 0.5, 0, 0},
    {"bias", "bias", ONN_ATTR_FLOAT, offsetof(struct onn_ew_attr, beta), 0.0, 0, 0}, ATTR_LAST};
#define no_attrs NULL

/* ---- host functions ---- */
#define HOST(name, expression) \
    static double host_##name(double a, double b, double c, const struct onn_ew_attr *p) \
    { \
        (void)a, (void)b, (void)c, (void)p; \
        return expression; \
    }
#define HOST_INT(name, expression) \
    static int64_t int_##name(int64_t a, int64_t b, int64_t c, const struct onn_ew_attr *p) \
    { \
        (void)a, (void)b, (void)c, (void)p; \
        return expression; \
    }
/* Wrapping arithmetic: signed overflow is undefined in C. */
#define WRAP(x, op, y) ((int64_t)((uint64_t)(x)op(uint64_t)(y)))

static double bound(double x, double lo, double hi)
{
    x = x < lo ? lo : x;
    return x > hi ? hi : x;
}
static double floor_mod(double a, double b)
{
    const double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static int64_t divide(int64_t a, int64_t b)
{
    if (b == 0)
        return 0;
    return b == -1 ? WRAP(0, -, a) : a / b;
}
static int64_t modulo(int64_t a, int64_t b, bool sign_of_a)
{
    if (b == 0 || b == -1)
        return 0;
    const int64_t r = a % b;
    return !sign_of_a && r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static int64_t power(int64_t a, int64_t b)
{
    if (b < 0)
        return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;
    uint64_t result = 1, base = (uint64_t)a;
    for (; b > 0; b >>= 1, base *= base)
        if (b & 1)
            result *= base;
    return (int64_t)result;
}

HOST(relu, a < 0 ? 0 : a)
HOST(leaky_relu, a < 0 ? a * p->alpha : a)
HOST(prelu, a < 0 ? a * b : a)
HOST(clip, bound(a, p->alpha, p->beta))
HOST(clip_lo, a < b ? b : a)
HOST(clip_hi, a > b ? b : a)
HOST(sigmoid, 1 / (1 + exp(-a)))
HOST(tanh, tanh(a))
HOST(hard_sigmoid, bound(a * p->alpha + p->beta, 0, 1))
HOST(hard_swish, a *bound(a / 6 + 0.5, 0, 1))
HOST(swish, a / (1 + exp(-a * p->alpha)))
HOST(mish, a *tanh((a > 0 ? a : 0) + log1p(exp(-fabs(a)))))
HOST(softplus, (a > 0 ? a : 0) + log1p(exp(-fabs(a))))
HOST(softsign, a / (1 + fabs(a)))
HOST(elu, a < 0 ? p->alpha * expm1(a) : a)
HOST(selu, p->beta *(a < 0 ? p->alpha * expm1(a) : a))
HOST(celu, a < 0 ? p->alpha * expm1(a / p->alpha) : a)
HOST(thresholded_relu, a > p->alpha ? a : 0)
HOST(shrink, a<-(double)p->alpha ? a + p->beta : a> p->alpha ? a - p->beta : 0)
HOST(gelu, 0.5 * a * erfc(-a * 0.70710678118654752440))
HOST(gelu_tanh, 0.5 * a * (1 + tanh(0.79788456080286535588 * (a + 0.044715 * a * a * a))))
HOST(erf, erf(a))
HOST(exp, exp(a))
HOST(log, log(a))
HOST(sqrt, sqrt(a))
HOST(reciprocal, 1 / a)
HOST(square, a *a)
HOST(abs, fabs(a))
HOST(floor, floor(a))
HOST(ceil, ceil(a))
HOST(round, nearbyint(a))
HOST(sign, a > 0 ? 1 : a < 0 ? -1 : a)
HOST(sin, sin(a))
HOST(cos, cos(a))
HOST(tan, tan(a))
HOST(asin, asin(a))
HOST(acos, acos(a))
HOST(atan, atan(a))
HOST(sinh, sinh(a))
HOST(cosh, cosh(a))
HOST(asinh, asinh(a))
HOST(acosh, acosh(a))
HOST(atanh, atanh(a))
HOST(neg, -a)
HOST(not, a == 0)
HOST(isnan, a != a)
HOST(isinf, (p->negative && a == -INFINITY) || (p->positive && a == INFINITY))
HOST(add, a + b)
HOST(sub, a - b)
HOST(mul, a *b)
HOST(div, a / b)
HOST(mod, p->fmod ? fmod(a, b) : floor_mod(a, b))
HOST(pow, pow(a, b))
HOST(max, a > b || a != a ? a : b)
HOST(min, a < b || a != a ? a : b)
HOST(and, a != 0 && b != 0)
HOST(or, a != 0 || b != 0)
HOST(xor, (a != 0) != (b != 0))
HOST(equal, a == b)
HOST(less, a < b)
HOST(greater, a > b)
HOST(less_equal, a <= b)
HOST(greater_equal, a >= b)
HOST(where, a != 0 ? b : c)
HOST(cast, a)
HOST(same, a)

HOST_INT(relu, a < 0 ? 0 : a)
HOST_INT(prelu, a < 0 ? WRAP(a, *, b) : a)
HOST_INT(clip_lo, a < b ? b : a)
HOST_INT(clip_hi, a > b ? b : a)
HOST_INT(abs, a < 0 ? WRAP(0, -, a) : a)
HOST_INT(same, a)
HOST_INT(sign, (a > 0) - (a < 0))
HOST_INT(neg, WRAP(0, -, a))
HOST_INT(not, a == 0)
HOST_INT(add, WRAP(a, +, b))
HOST_INT(sub, WRAP(a, -, b))
HOST_INT(mul, WRAP(a, *, b))
HOST_INT(square, WRAP(a, *, a))
HOST_INT(div, divide(a, b))
HOST_INT(mod, modulo(a, b, p->fmod != 0))
HOST_INT(pow, power(a, b))
HOST_INT(max, a > b ? a : b)
HOST_INT(min, a < b ? a : b)
HOST_INT(and, a &&b)
HOST_INT(or, a || b)
HOST_INT(xor, (a != 0) != (b != 0))
HOST_INT(equal, a == b)
HOST_INT(less, a < b)
HOST_INT(greater, a > b)
HOST_INT(less_equal, a <= b)
HOST_INT(greater_equal, a >= b)
HOST_INT(where, a ? b : c)

/* ---- expressions too long for their row. EXP is a faster exp, clamped at both ends; PHI(x) = (1 +
 * erf(x / sqrt(2))) / 2 ---- */
#define X_CLIP "t = a < p0 ? p0 : a; v = t > p1 ? p1 : t;"
#define X_HARD_SIGMOID "t = a * p0 + p1; t = t < (T)(0) ? (T)(0) : t; v = t > (T)(1) ? (T)(1) : t;"
#define X_HARD_SWISH \
    "t = a * ((T)(1) / (T)(6)) + (T)(0.5f); t = t < (T)(0) ? (T)(0) : t; v = a * (t > (T)(1) ? (T)(1) : t);"
/* tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2), e = exp(a): no cancellation, and 1 from 20 on. */
#define X_MISH "t = EXP(a > (T)(20) ? (T)(20) : a); t = t * (t + (T)(2)); v = a * (t / (t + (T)(2)));"
#define X_SOFTPLUS "(a > (T)(0) ? a : (T)(0)) + log1p(exp(-fabs(a)))"
#define X_GELU "a * PHI(a)"
#define X_GELU_TANH \
    "(T)(0.5f) * a * ((T)(1) + tanh((T)(K(0.79788456080286536)) * (a + (T)(K(0.044715)) * a * a * a)))"
#define X_SIGN "a > (T)(0) ? (T)(1) : (a < (T)(0) ? (T)(-1) : a)"
/* The divisor 0 gives 0 and -1 a negation: both trap on some machines. */
#define X_DIV_INT \
    "t = a / (((b == (T)(0)) | (b == (T)(-1))) ? (T)(1) : b); t = b == (T)(-1) ? -a : t; " \
    "v = b == (T)(0) ? (T)(0) : t;"
#define X_MOD \
    "t = fmod(a, b); v = p0 != (T)(0) ? t : (((t != (T)(0)) & ((t < (T)(0)) != (b < (T)(0)))) ? t + b : t);"
#define X_MOD_INT \
    "t = a % (((b == (T)(0)) | (b == (T)(-1))) ? (T)(1) : b); " \
    "v = ((p0 == (T)(0)) & (t != (T)(0)) & ((t < (T)(0)) != (b < (T)(0)))) ? t + b : t;"
#define X_POW_INT \
    "t = a; T n = b; v = (T)(1); if (n < 0) v = t == 1 ? (T)(1) : (t == -1 ? ((n & 1) ? (T)(-1) : (T)(1)) " \
    ": (T)(0)); " \
    "else for (; n > 0; n >>= 1, t *= t) if (n & 1) v *= t;"
#define X_SHRINK "a < -p0 ? a + p1 : (a > p0 ? a - p1 : (T)(0))"
#define X_ISINF \
    "(((a == (T)(INFINITY)) & (p1 != (T)(0))) | ((a == (T)(-INFINITY)) & (p0 != (T)(0)))) ? (T)(1) : (T)(0)"
#define TRUTH(condition) "(" condition ") ? (T)(1) : (T)(0)"

/* ---- rows ---- */
#define ROW_FULL(id, onnx_name, least, most, op_flags, bytes, attr_rows, e, ei, fl, np, act, w, h, hi) \
    const struct onn_ew_row onn_ew_##id = { \
        .op = {.name = #id, \
            .onnx = onnx_name, \
            .min_in = least, \
            .max_in = most, \
            .min_out = 1, \
            .max_out = 1, \
            .flags = ONN_OP_ELEMENTWISE | (op_flags), \
            .attr_size = bytes, \
            .attrs = attr_rows, \
            .since = 1, \
            .infer = onn_ew_infer, \
            .host = onn_ew_host, \
            .grad = onn_ew_grad, \
            .variants = onn_ew_variants, \
            .flop = onn_ew_flop}, \
        .expr = e, \
        .expr_int = ei, \
        .ew_flags = fl, \
        .params = np, \
        .activation = act, \
        .cost = w, \
        .host = h, \
        .host_int = hi, \
    }
#define SIZE_no_attrs 0
#define SIZED sizeof(struct onn_ew_attr)
/* Unary float function without / with attributes, and operators on any type. */
#define UNARY(id, onnx, e, fl, act, w) \
    static ROW_FULL(id, onnx, 1, 1, 0, 0, NULL, e, NULL, ONN_EW_FLOAT | (fl), 0, act, w, host_##id, NULL)
#define UNARY_A(id, onnx, attrs, np, e, fl, act, w) \
    static ROW_FULL(id, onnx, 1, 1, 0, SIZED, attrs, e, NULL, ONN_EW_FLOAT | (fl), np, act, w, host_##id, \
        NULL)
#define ANY(id, onnx, n, e, ei, fl, w, hi) \
    static ROW_FULL(id, onnx, n, n, 0, 0, NULL, e, ei, fl, 0, 0, w, host_##id, hi)
#define NARY(id, onnx, e, ei, fl, w, h, hi) \
    static ROW_FULL(id, onnx, 1, ONN_VARIADIC, 0, 0, NULL, e, ei, ONN_EW_CHAIN | (fl), 0, 0, w, h, hi)
#define LOGIC(id, onnx, n, condition) \
    static ROW_FULL(id, onnx, n, n, ONN_OP_NO_GRAD, 0, NULL, TRUTH(condition), TRUTH(condition), \
        ONN_EW_BOOL, 0, 0, 1, host_##id, int_##id)

ROW_FULL(relu, "Relu", 1, 1, 0, 0, NULL, "a < (T)(0) ? (T)(0) : a", "a < (T)(0) ? (T)(0) : a", ONN_EW_ZERO, 0,
    ONN_ACT_RELU, 1, host_relu, int_relu);
UNARY_A(leaky_relu, "LeakyRelu", leaky_attrs, 1, "a < (T)(0) ? a * p0 : a", ONN_EW_ZERO, ONN_ACT_LEAKY_RELU,
    2);
static ROW_FULL(prelu, "PRelu", 2, 2, 0, 0, NULL, "a < (T)(0) ? a * b : a", "a < (T)(0) ? a * b : a",
    ONN_EW_LEFT | ONN_EW_ZERO, 0, 0, 2, host_prelu, int_prelu);
ROW_FULL(clip, "Clip", 1, 3, 0, SIZED, clip_attrs, X_CLIP, NULL, ONN_EW_LEFT, 2, ONN_ACT_CLIP, 2, host_clip,
    NULL);
UNARY(sigmoid, "Sigmoid", "(T)(1) / ((T)(1) + EXP(-a))", 0, ONN_ACT_SIGMOID, 10);
UNARY(tanh, "Tanh", "tanh(a)", ONN_EW_ZERO, ONN_ACT_TANH, 15);
UNARY_A(hard_sigmoid, "HardSigmoid", hard_attrs, 2, X_HARD_SIGMOID, 0, ONN_ACT_HARD_SIGMOID, 4);
UNARY(hard_swish, "HardSwish", X_HARD_SWISH, ONN_EW_ZERO, ONN_ACT_HARD_SWISH, 5);
UNARY_A(swish, "Swish", alpha_attrs, 1, "a / ((T)(1) + EXP(-a * p0))", ONN_EW_ZERO, ONN_ACT_SWISH, 12);
UNARY(mish, "Mish", X_MISH, ONN_EW_ZERO, ONN_ACT_MISH, 16);
UNARY(softplus, "Softplus", X_SOFTPLUS, 0, ONN_ACT_SOFTPLUS, 20);
UNARY(softsign, "Softsign", "a / ((T)(1) + fabs(a))", ONN_EW_ZERO, ONN_ACT_SOFTSIGN, 4);
UNARY_A(elu, "Elu", alpha_attrs, 1, "a < (T)(0) ? p0 * expm1(a) : a", ONN_EW_ZERO, ONN_ACT_ELU, 12);
UNARY_A(selu, "Selu", selu_attrs, 2, "p1 * (a < (T)(0) ? p0 * expm1(a) : a)", ONN_EW_ZERO, ONN_ACT_SELU, 12);
UNARY_A(celu, "Celu", alpha_attrs, 1, "a < (T)(0) ? p0 * expm1(a / p0) : a", ONN_EW_ZERO, ONN_ACT_CELU, 14);
UNARY_A(thresholded_relu, "ThresholdedRelu", alpha_attrs, 1, "a > p0 ? a : (T)(0)", 0,
    ONN_ACT_THRESHOLDED_RELU, 2);
UNARY_A(shrink, "Shrink", shrink_attrs, 2, X_SHRINK, 0, 0, 3);
UNARY_A(gelu, "Gelu", gelu_attrs, 0, X_GELU, ONN_EW_ZERO, ONN_ACT_GELU, 20);
ROW_FULL(gelu_tanh, NULL, 1, 1, 0, SIZED, NULL, X_GELU_TANH, NULL, ONN_EW_ZERO | ONN_EW_FLOAT, 0,
    ONN_ACT_GELU_TANH, 20, host_gelu_tanh, NULL);
ROW_FULL(clip_lo, NULL, 2, 2, 0, 0, NULL, "a < b ? b : a", "a < b ? b : a", ONN_EW_LEFT | ONN_EW_ZERO, 0, 0,
    1, host_clip_lo, int_clip_lo);
ROW_FULL(clip_hi, NULL, 2, 2, 0, 0, NULL, "a > b ? b : a", "a > b ? b : a", ONN_EW_LEFT | ONN_EW_ZERO, 0, 0,
    1, host_clip_hi, int_clip_hi);
ROW_FULL(square, NULL, 1, 1, 0, 0, NULL, "a * a", "a * a", ONN_EW_ZERO, 0, 0, 1, host_square, int_square);
UNARY(erf, "Erf", "erf(a)", ONN_EW_ZERO, 0, 15);
UNARY(exp, "Exp", "exp(a)", 0, ONN_ACT_EXP, 8);
UNARY(log, "Log", "log(a)", 0, 0, 8);
UNARY(sqrt, "Sqrt", "sqrt(a)", ONN_EW_ZERO, ONN_ACT_SQRT, 4);
UNARY(reciprocal, "Reciprocal", "(T)(1) / a", 0, 0, 4);
UNARY(sin, "Sin", "sin(a)", ONN_EW_ZERO, 0, 15);
UNARY(cos, "Cos", "cos(a)", 0, 0, 15);
UNARY(tan, "Tan", "tan(a)", ONN_EW_ZERO, 0, 20);
UNARY(asin, "Asin", "asin(a)", ONN_EW_ZERO, 0, 15);
UNARY(acos, "Acos", "acos(a)", 0, 0, 15);
UNARY(atan, "Atan", "atan(a)", ONN_EW_ZERO, 0, 15);
UNARY(sinh, "Sinh", "sinh(a)", ONN_EW_ZERO, 0, 15);
UNARY(cosh, "Cosh", "cosh(a)", 0, 0, 15);
UNARY(asinh, "Asinh", "asinh(a)", ONN_EW_ZERO, 0, 15);
UNARY(acosh, "Acosh", "acosh(a)", 0, 0, 15);
UNARY(atanh, "Atanh", "atanh(a)", ONN_EW_ZERO, 0, 15);
static ROW_FULL(abs, "Abs", 1, 1, 0, 0, NULL, "fabs(a)", "a < (T)(0) ? -a : a", ONN_EW_ZERO, 0, ONN_ACT_ABS,
    1, host_abs, int_abs);
ANY(floor, "Floor", 1, "floor(a)", "a", ONN_EW_ZERO, 1, int_same);
ANY(ceil, "Ceil", 1, "ceil(a)", "a", ONN_EW_ZERO, 1, int_same);
ANY(round, "Round", 1, "rint(a)", "a", ONN_EW_ZERO, 1, int_same);
ANY(sign, "Sign", 1, X_SIGN, X_SIGN, ONN_EW_ZERO, 2, int_sign);
/* -0 is not 0: pad lanes have to be cleared. */
static ROW_FULL(neg, "Neg", 1, 1, 0, 0, NULL, "-a", "-a", 0, 0, ONN_ACT_NEG, 1, host_neg, int_neg);
LOGIC(not, "Not", 1, "a == (T)(0)");
static ROW_FULL(isnan, "IsNaN", 1, 1, ONN_OP_NO_GRAD, 0, NULL, TRUTH("a != a"), NULL, ONN_EW_BOOL, 0, 0, 1,
    host_isnan, NULL);
static ROW_FULL(isinf, "IsInf", 1, 1, ONN_OP_NO_GRAD, SIZED, isinf_attrs, X_ISINF, NULL, ONN_EW_BOOL, 2, 0, 2,
    host_isinf, NULL);
ROW_FULL(add, "Add", 2, 2, 0, 0, NULL, "a + b", "a + b", ONN_EW_ZERO | ONN_EW_COMMUTES, 0, 0, 1, host_add,
    int_add);
ANY(sub, "Sub", 2, "a - b", "a - b", ONN_EW_ZERO, 1, int_sub);
ANY(mul, "Mul", 2, "a * b", "a * b", ONN_EW_ZERO | ONN_EW_COMMUTES, 1, int_mul);
ANY(div, "Div", 2, "a / b", X_DIV_INT, 0, 4, int_div);
static ROW_FULL(mod, "Mod", 2, 2, ONN_OP_NO_GRAD, SIZED, mod_attrs, X_MOD, X_MOD_INT, 0, 1, 0, 8, host_mod,
    int_mod);
ANY(pow, "Pow", 2, "pow(a, b)", X_POW_INT, ONN_EW_MIXED | ONN_EW_SCALAR_INT, 20, int_pow);
NARY(max, "Max", "((a > b) | (a != a)) ? a : b", "a > b ? a : b", ONN_EW_ZERO | ONN_EW_COMMUTES, 1, host_max,
    int_max);
NARY(min, "Min", "((a < b) | (a != a)) ? a : b", "a < b ? a : b", ONN_EW_ZERO | ONN_EW_COMMUTES, 1, host_min,
    int_min);
NARY(sum, "Sum", "a + b", "a + b", ONN_EW_ZERO | ONN_EW_COMMUTES, 1, host_add, int_add);
NARY(mean, "Mean", "a + b", NULL, ONN_EW_ZERO | ONN_EW_MEAN | ONN_EW_FLOAT, 1, host_add, NULL);
LOGIC(and, "And", 2, "(a != (T)(0)) & (b != (T)(0))");
LOGIC(or, "Or", 2, "(a != (T)(0)) | (b != (T)(0))");
LOGIC(xor, "Xor", 2, "(a != (T)(0)) != (b != (T)(0))");
LOGIC(equal, "Equal", 2, "a == b");
LOGIC(less, "Less", 2, "a < b");
LOGIC(greater, "Greater", 2, "a > b");
LOGIC(less_equal, "LessOrEqual", 2, "a <= b");
LOGIC(greater_equal, "GreaterOrEqual", 2, "a >= b");
static ROW_FULL(where, "Where", 3, 3, 0, 0, NULL, "a != (T)(0) ? b : c", "a != (T)(0) ? b : c", ONN_EW_COND,
    0, 0, 1, host_where, int_where);
static ROW_FULL(cast, "Cast", 1, 1, 0, SIZED, cast_attrs, "a", "a", ONN_EW_CAST | ONN_EW_ZERO, 0, 0, 1,
    host_cast, int_same);
static ROW_FULL(castlike, "CastLike", 2, 2, 0, 0, NULL, "a", "a",
    ONN_EW_CAST | ONN_EW_LIKE | ONN_EW_MIXED | ONN_EW_ZERO, 0, 0, 1, host_cast, int_same);
/* x, scale, bias, mean, variance; the last four per channel. */
ROW_FULL(batchnorm, NULL, 5, 5, 0, SIZED, NULL, "(x0 - x3) * (x1 / sqrt(x4 + p0)) + x2", NULL, ONN_EW_TEXT, 1,
    0, 4, host_same, NULL);
#define OP(id) &onn_ew_##id.op
extern const struct onn_op *const onn_ops_elementwise[];
const struct onn_op *const onn_ops_elementwise[] = {OP(relu), OP(leaky_relu), OP(prelu), OP(clip),
    OP(sigmoid), OP(tanh), OP(hard_sigmoid), OP(hard_swish), OP(swish), OP(mish), OP(softplus), OP(softsign),
    OP(elu), OP(selu), OP(celu), OP(thresholded_relu), OP(shrink), OP(gelu), OP(erf), OP(exp), OP(log),
    OP(sqrt), OP(reciprocal), OP(sin), OP(cos), OP(tan), OP(asin), OP(acos), OP(atan), OP(sinh), OP(cosh),
    OP(asinh), OP(acosh), OP(atanh), OP(abs), OP(floor), OP(ceil), OP(round), OP(sign), OP(neg), OP(not ),
    OP(isnan), OP(isinf), OP(add), OP(sub), OP(mul), OP(div), OP(mod), OP(pow), OP(max), OP(min), OP(sum),
    OP(mean), OP(and), OP(or), OP(xor), OP(equal), OP(less), OP(greater), OP(less_equal), OP(greater_equal),
    OP(where), OP(cast), OP(castlike), NULL};

const struct onn_ew_row *onn_ew_row(const struct onn_op *op)
{
    return op && op->flags & ONN_OP_ELEMENTWISE ? (const struct onn_ew_row *)(const void *)op : NULL;
}

const struct onn_ew_row *onn_ew_row_for(const struct onn_op *op, const struct onn_ew_attr *attr)
{
    if (op == &onn_ew_gelu.op && attr && attr->approximate && attr->approximate[0] == 't')
        return &onn_ew_gelu_tanh;
    return onn_ew_row(op);
}
