/* Element-wise losses f(x, target) and their slopes *_dx(dy, x, target): a loss is such a row and a mean behind it
 * (pass/loss.h). alpha, beta are the parameters named at each row. */
#include "ops/ew_rows.h"
#include "ops/grads.h"

#include <math.h>

PARAM_ATTRS(1, 2)
#define ROW(id, n, np, e, w, grad_) EW_ROW(id, n, np, e, 0, w, grad_)

static double log_100(double x)
{
    const double y = log(x);
    return y < -100 ? -100
                    : y; /* as PyTorch: finite for wrong certainties, but what is not a number stays that */
}
static double logits(double x, double t)
{
    return (x > 0 ? x : 0) - x * t + log1p(exp(-fabs(x)));
}
/* Focal loss on logits (Lin and others 2017): weight(t) (1 - pt)^gamma * bce; alpha < 0: no weight. */
static double focal(double x, double t, double alpha, double gamma)
{
    const double p = 1 / (1 + exp(-x)), miss = p * (1 - t) + (1 - p) * t;
    return (alpha >= 0 ? alpha * t + (1 - alpha) * (1 - t) : 1) * pow(miss, gamma) * logits(x, t);
}
static double focal_slope(double x, double t, double alpha, double gamma)
{
    const double p = 1 / (1 + exp(-x)), miss = p * (1 - t) + (1 - p) * t;
    const double w = alpha >= 0 ? alpha * t + (1 - alpha) * (1 - t) : 1;
    return w *
        (pow(miss, gamma) * (p - t) +
            gamma * pow(miss, gamma - 1) * (1 - 2 * t) * p * (1 - p) * logits(x, t));
}
static double clamp(double x, double bound)
{
    return x < -bound ? -bound : x > bound ? bound : x;
}

HOST(mse_each, (a - b) * (a - b))
HOST(mse_dx, 2 * a * (b - c))
HOST(l1_each, fabs(a - b))
HOST(l1_dx, b > c ? a : b < c ? -a : 0)
HOST(huber_each,
    fabs(a - b) <= p->alpha ? 0.5 * (a - b) * (a - b) : p->alpha * (fabs(a - b) - 0.5 * p->alpha))
HOST(huber_dx, a *clamp(b - c, p->alpha))
HOST(bce_each, -(b *log_100(a) + (1 - b) * log_100(1 - a)))
HOST(bce_dx, a *(b - c) / fmax(b * (1 - b), 1e-12))
HOST(bce_logits_each, logits(a, b))
HOST(bce_logits_dx, a *(1 / (1 + exp(-b)) - c))
HOST(focal_each, focal(a, b, p->alpha, p->beta))
HOST(focal_dx, a *focal_slope(b, c, p->alpha, p->beta))
HOST(kl_each, b > 0 ? b * (log(b) - a) : 0)
HOST(kl_dx, -a *c)

#define X_BCE \
    "t = log(a); t = t < (T)(-100) ? (T)(-100) : t; " \
    "T u = log((T)(1) - a); u = u < (T)(-100) ? (T)(-100) : u; v = -(b * t + ((T)(1) - b) * u);"
#define X_BCE_DX "t = b * ((T)(1) - b); v = a * (b - c) / (t < (T)(1e-12f) ? (T)(1e-12f) : t);"
#define X_LOGITS(x, y) "((" x " > (T)(0) ? " x " : (T)(0)) - " x " * " y " + log1p(exp(-fabs(" x "))))"
#define X_WEIGHT(y) "(p0 >= (T)(0) ? p0 * " y " + ((T)(1) - p0) * ((T)(1) - " y ") : (T)(1))"
#define X_FOCAL \
    "t = (T)(1) / ((T)(1) + exp(-a)); t = t * ((T)(1) - b) + ((T)(1) - t) * b; " \
    "v = " X_WEIGHT("b") " * pow(t, p1) * " X_LOGITS("a", "b") ";"
#define X_FOCAL_DX \
    "t = (T)(1) / ((T)(1) + exp(-b)); const T m = t * ((T)(1) - c) + ((T)(1) - t) * c; " \
    "v = a * " X_WEIGHT( \
        "c") " * (pow(m, p1) * (t - c) + p1 * pow(m, p1 - (T)(1)) * ((T)(1) - (T)(2) * c) * " \
             "t * ((T)(1) - t) * " X_LOGITS("b", "c") ");"

ROW(mse_each, 2, 0, "t = a - b; v = t * t;", 2, onn_ew_grad)
ROW(mse_dx, 3, 0, "(T)(2) * a * (b - c)", 3, NULL)
ROW(l1_each, 2, 0, "fabs(a - b)", 2, onn_ew_grad)
ROW(l1_dx, 3, 0, "b > c ? a : (b < c ? -a : (T)(0))", 2, NULL)
/* alpha: delta */
ROW(huber_each, 2, 1, "t = fabs(a - b); v = t <= p0 ? (T)(0.5f) * t * t : p0 * (t - (T)(0.5f) * p0);", 4,
    onn_ew_grad)
ROW(huber_dx, 3, 1, "t = b - c; t = t < -p0 ? -p0 : t; v = a * (t > p0 ? p0 : t);", 4, NULL)
ROW(bce_each, 2, 0, X_BCE, 20, onn_ew_grad)
ROW(bce_dx, 3, 0, X_BCE_DX, 8, NULL)
ROW(bce_logits_each, 2, 0, X_LOGITS("a", "b"), 20, onn_ew_grad)
ROW(bce_logits_dx, 3, 0, "a * ((T)(1) / ((T)(1) + exp(-b)) - c)", 12, NULL)
/* alpha, beta = gamma */
ROW(focal_each, 2, 2, X_FOCAL, 50, onn_ew_grad)
ROW(focal_dx, 3, 2, X_FOCAL_DX, 70, NULL)
/* x: log-probabilities, target: probabilities */
ROW(kl_each, 2, 0, "b > (T)(0) ? b * (log(b) - a) : (T)(0)", 10, onn_ew_grad)
ROW(kl_dx, 3, 0, "-a * c", 1, NULL)

extern const struct onn_op *const onn_ops_ew_loss[];
const struct onn_op *const onn_ops_ew_loss[] = {&row_mse_each.op, &row_mse_dx.op, &row_l1_each.op,
    &row_l1_dx.op, &row_huber_each.op, &row_huber_dx.op, &row_bce_each.op, &row_bce_dx.op,
    &row_bce_logits_each.op, &row_bce_logits_dx.op, &row_focal_each.op, &row_focal_dx.op, &row_kl_each.op,
    &row_kl_dx.op, NULL};
