/* Element-wise rows that gradients are made of: operand a is the gradient dy, b (and c) what the name says. Where it is
 * possible they take the forward output y and not x, so that the forward row can stay fused behind its producer. */
#include "ops/ew_rows.h"

#include <math.h>

PARAM_ATTRS(1, 1)
#define ROW(id, n, np, e, fl, w) EW_ROW(id, n, np, e, fl, w, NULL)

static double softplus_of(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}
static double mish_slope(double x)
{
    const double th = tanh(softplus_of(x));
    return th + x * (1 - th * th) / (1 + exp(-x));
}
static double gelu_tanh_slope(double x)
{
    const double k = 0.79788456080286535588, t = tanh(k * (x + 0.044715 * x * x * x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 3 * 0.044715 * x * x);
}
static double swish_slope(double x, double alpha)
{
    const double s = 1 / (1 + exp(-x * alpha));
    return s * (1 + x * alpha * (1 - s));
}

HOST(relu_dx, b <= 0 ? 0 : a)
HOST(leaky_relu_dx, b > 0 ? a : a * p->alpha)
HOST(prelu_dx, b > 0 ? a : a * c)
HOST(prelu_ds, b > 0 ? 0 : a * b)
HOST(clip_dx, b > p->alpha && b < p->beta ? a : 0)
HOST(clip_lo_dx, b > c ? a : 0)
HOST(clip_hi_dx, b < c ? a : 0)
HOST(sigmoid_dx, a *b *(1 - b))
HOST(tanh_dx, a *(1 - b * b))
HOST(hard_sigmoid_dx, b > 0 && b < 1 ? a * p->alpha : 0)
HOST(hard_swish_dx, a *(b <= -3 ? 0 : b >= 3 ? 1 : b / 3 + 0.5))
HOST(swish_dx, a *swish_slope(b, p->alpha))
HOST(mish_dx, a *mish_slope(b))
HOST(softplus_dx, a * -expm1(-b))
HOST(softsign_dx, a *(1 - fabs(b)) * (1 - fabs(b)))
HOST(elu_dx, b > 0 ? a : a * (b + p->alpha))
HOST(selu_dx, b > 0 ? a * p->beta : a * (b + (double)p->alpha * p->beta))
HOST(celu_dx, b > 0 ? a : a * (b / p->alpha + 1))
HOST(thresholded_relu_dx, b > p->alpha ? a : 0)
HOST(shrink_dx, b<-(double)p->alpha || b> p->alpha ? a : 0)
HOST(gelu_dx, a *(0.5 * erfc(-b * 0.70710678118654752440) + b * 0.39894228040143267794 * exp(-0.5 * b * b)))
HOST(gelu_tanh_dx, a *gelu_tanh_slope(b))
HOST(erf_dx, a * 1.12837916709551257390 * exp(-b * b))
HOST(sqrt_dx, 0.5 * a / b)
HOST(reciprocal_dx, -a *b *b)
HOST(sin_dx, a *cos(b))
HOST(cos_dx, -a *sin(b))
HOST(tan_dx, a *(1 + b * b))
HOST(asin_dx, a / sqrt((1 - b) * (1 + b)))
HOST(acos_dx, -a / sqrt((1 - b) * (1 + b)))
HOST(atan_dx, a / (1 + b * b))
HOST(sinh_dx, a *cosh(b))
HOST(cosh_dx, a *sinh(b))
HOST(asinh_dx, a / sqrt(1 + b * b))
HOST(acosh_dx, a / sqrt((b - 1) * (b + 1)))
HOST(atanh_dx, a / ((1 - b) * (1 + b)))
HOST(abs_dx, b > 0 ? a : b < 0 ? -a : 0)
HOST(div_db, -a *b / c)
HOST(pow_da, c == 0 ? 0 : a * c * pow(b, c - 1))
HOST(pow_db, b == 0 ? 0 : a * c * log(b))
HOST(l2_dx, c == 0 ? 0 : a * b / c)
HOST(eq_mask, a == b)

/* ---- expressions too long for their row ---- */
#define X_HARD_SWISH \
    "t = b * (T)(1.0f / 3.0f) + (T)(0.5f); t = b <= (T)(-3) ? (T)(0) : t; v = a * (b >= (T)(3) ? (T)(1) : " \
    "t);"
#define X_SWISH "t = (T)(1) / ((T)(1) + exp(-b * p0)); v = a * t * ((T)(1) + b * p0 * ((T)(1) - t));"
/* With e = exp(x), n = e (e + 2): tanh(softplus) = n / (n + 2), 1 - tanh^2 = 4 (n + 1) / (n + 2)^2. */
#define X_MISH \
    "const T e = exp(b > (T)(20) ? (T)(20) : b), n = e * (e + (T)(2)), d = (T)(1) / (n + (T)(2)); " \
    "v = a * (n * d + b * (e / ((T)(1) + e)) * (T)(4) * (n + (T)(1)) * d * d);"
#define X_SOFTSIGN "t = (T)(1) - fabs(b); v = a * t * t;"
#define X_GELU "a * (PHI(b) + b * (T)(0.39894228f) * exp((T)(-0.5f) * b * b))"
#define X_GELU_TANH \
    "t = tanh((T)(0.79788456f) * (b + (T)(0.044715f) * b * b * b)); v = a * ((T)(0.5f) * ((T)(1) + t) + " \
    "(T)(0.39894228f) * b * ((T)(1) - t * t) * ((T)(1) + (T)(0.134145f) * b * b));"

/* ---- rows ---- */
#define Z ONN_EW_ZERO
ROW(relu_dx, 2, 0, "b <= (T)(0) ? (T)(0) : a", Z, 1)
ROW(leaky_relu_dx, 2, 1, "b > (T)(0) ? a : a * p0", Z, 2)
ROW(prelu_dx, 3, 0, "b > (T)(0) ? a : a * c", Z, 2)
ROW(prelu_ds, 2, 0, "b > (T)(0) ? (T)(0) : a * b", Z, 2)
ROW(clip_dx, 2, 2, "((b > p0) & (b < p1)) ? a : (T)(0)", Z, 2)
ROW(clip_lo_dx, 3, 0, "b > c ? a : (T)(0)", Z, 1)
ROW(clip_hi_dx, 3, 0, "b < c ? a : (T)(0)", Z, 1)
ROW(sigmoid_dx, 2, 0, "a * b * ((T)(1) - b)", Z, 3)
ROW(tanh_dx, 2, 0, "a * ((T)(1) - b * b)", Z, 3)
ROW(hard_sigmoid_dx, 2, 1, "((b > (T)(0)) & (b < (T)(1))) ? a * p0 : (T)(0)", Z, 2)
ROW(hard_swish_dx, 2, 0, X_HARD_SWISH, Z, 5)
ROW(swish_dx, 2, 1, X_SWISH, Z, 14)
ROW(mish_dx, 2, 0, X_MISH, Z, 22)
ROW(softplus_dx, 2, 0, "a * -expm1(-b)", Z, 10)
ROW(softsign_dx, 2, 0, X_SOFTSIGN, Z, 3)
ROW(elu_dx, 2, 1, "b > (T)(0) ? a : a * (b + p0)", Z, 2)
ROW(selu_dx, 2, 2, "b > (T)(0) ? a * p1 : a * (b + p0 * p1)", Z, 3)
ROW(celu_dx, 2, 1, "b > (T)(0) ? a : a * (b / p0 + (T)(1))", Z, 5)
ROW(thresholded_relu_dx, 2, 1, "b > p0 ? a : (T)(0)", Z, 1)
ROW(shrink_dx, 2, 1, "((b < -p0) | (b > p0)) ? a : (T)(0)", Z, 2)
ROW(gelu_dx, 2, 0, X_GELU, Z, 28)
ROW(gelu_tanh_dx, 2, 0, X_GELU_TANH, Z, 26)
ROW(erf_dx, 2, 0, "a * (T)(1.1283792f) * exp(-b * b)", Z, 10)
ROW(sqrt_dx, 2, 0, "(T)(0.5f) * a / b", 0, 5)
ROW(reciprocal_dx, 2, 0, "-a * b * b", Z, 2)
ROW(sin_dx, 2, 0, "a * cos(b)", Z, 16)
ROW(cos_dx, 2, 0, "-a * sin(b)", Z, 16)
ROW(tan_dx, 2, 0, "a * ((T)(1) + b * b)", Z, 3)
ROW(asin_dx, 2, 0, "a / sqrt(((T)(1) - b) * ((T)(1) + b))", Z, 10)
ROW(acos_dx, 2, 0, "-a / sqrt(((T)(1) - b) * ((T)(1) + b))", Z, 10)
ROW(atan_dx, 2, 0, "a / ((T)(1) + b * b)", Z, 6)
ROW(sinh_dx, 2, 0, "a * cosh(b)", Z, 16)
ROW(cosh_dx, 2, 0, "a * sinh(b)", Z, 16)
ROW(asinh_dx, 2, 0, "a / sqrt((T)(1) + b * b)", Z, 10)
ROW(acosh_dx, 2, 0, "a / sqrt((b - (T)(1)) * (b + (T)(1)))", 0, 10)
ROW(atanh_dx, 2, 0, "a / (((T)(1) - b) * ((T)(1) + b))", Z, 7)
ROW(abs_dx, 2, 0, "b > (T)(0) ? a : (b < (T)(0) ? -a : (T)(0))", Z, 2)
ROW(div_db, 3, 0, "-a * b / c", 0, 6)
ROW(pow_da, 3, 0, "c == (T)(0) ? (T)(0) : a * c * pow(b, c - (T)(1))", Z, 24)
ROW(pow_db, 3, 0, "b == (T)(0) ? (T)(0) : a * c * log(b)", Z, 12)
ROW(l2_dx, 3, 0, "c == (T)(0) ? (T)(0) : a * b / c", Z, 6)
ROW(eq_mask, 2, 0, "a == b ? (T)(1) : (T)(0)", 0, 1)

extern const struct onn_op *const onn_ops_ew_dx[];
const struct onn_op *const onn_ops_ew_dx[] = {&row_relu_dx.op, &row_leaky_relu_dx.op, &row_prelu_dx.op,
    &row_prelu_ds.op, &row_clip_dx.op, &row_clip_lo_dx.op, &row_clip_hi_dx.op, &row_sigmoid_dx.op,
    &row_tanh_dx.op, &row_hard_sigmoid_dx.op, &row_hard_swish_dx.op, &row_swish_dx.op, &row_mish_dx.op,
    &row_softplus_dx.op, &row_softsign_dx.op, &row_elu_dx.op, &row_selu_dx.op, &row_celu_dx.op,
    &row_thresholded_relu_dx.op, &row_shrink_dx.op, &row_gelu_dx.op, &row_gelu_tanh_dx.op, &row_erf_dx.op,
    &row_sqrt_dx.op, &row_reciprocal_dx.op, &row_sin_dx.op, &row_cos_dx.op, &row_tan_dx.op, &row_asin_dx.op,
    &row_acos_dx.op, &row_atan_dx.op, &row_sinh_dx.op, &row_cosh_dx.op, &row_asinh_dx.op, &row_acosh_dx.op,
    &row_atanh_dx.op, &row_abs_dx.op, &row_div_db.op, &row_pow_da.op, &row_pow_db.op, &row_l2_dx.op,
    &row_eq_mask.op, NULL};
