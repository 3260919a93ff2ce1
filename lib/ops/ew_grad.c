/* Gradients of the element-wise rows, by name. */
#include "ops/elementwise.h"
#include "ops/grads.h"

#include <math.h>
#include <string.h>

/* How the gradient of a unary row is made: an operator on (dy, x) or (dy, y), with the row's own attributes. */
enum source { FROM_X, FROM_Y, NOTHING };
static const struct unary {
    const char *row, *dx;
    enum source from;
} unary[] = {
    {"relu", "relu_dx", FROM_Y},
    {"leaky_relu", "leaky_relu_dx", FROM_X}, /* from y where alpha > 0, see below */
    {"sigmoid", "sigmoid_dx", FROM_Y},
    {"tanh", "tanh_dx", FROM_Y},
    {"hard_sigmoid", "hard_sigmoid_dx", FROM_Y},
    {"hard_swish", "hard_swish_dx", FROM_X},
    {"swish", "swish_dx", FROM_X},
    {"mish", "mish_dx", FROM_X},
    {"softplus", "softplus_dx", FROM_Y},
    {"softsign", "softsign_dx", FROM_Y},
    {"elu", "elu_dx", FROM_Y},
    {"selu", "selu_dx", FROM_Y},
    {"celu", "celu_dx", FROM_Y},
    {"thresholded_relu", "thresholded_relu_dx", FROM_X},
    {"shrink", "shrink_dx", FROM_X},
    {"gelu", "gelu_dx", FROM_X},
    {"erf", "erf_dx", FROM_X},
    {"exp", "mul", FROM_Y},
    {"log", "div", FROM_X},
    {"sqrt", "sqrt_dx", FROM_Y},
    {"reciprocal", "reciprocal_dx", FROM_Y},
    {"sin", "sin_dx", FROM_X},
    {"cos", "cos_dx", FROM_X},
    {"tan", "tan_dx", FROM_Y},
    {"asin", "asin_dx", FROM_X},
    {"acos", "acos_dx", FROM_X},
    {"atan", "atan_dx", FROM_X},
    {"sinh", "sinh_dx", FROM_X},
    {"cosh", "cosh_dx", FROM_X},
    {"asinh", "asinh_dx", FROM_X},
    {"acosh", "acosh_dx", FROM_X},
    {"atanh", "atanh_dx", FROM_X},
    {"abs", "abs_dx", FROM_X},
    {"floor", NULL, NOTHING},
    {"ceil", NULL, NOTHING},
    {"round", NULL, NOTHING},
    {"sign", NULL, NOTHING},
};

/* Elu, Selu and Celu with a negative alpha: y does not tell the sign of x. dx = dy * (x < 0 ? slope(y) : above). */
static int32_t negative_alpha(struct onn_grad *g, const char *row, const struct onn_ew_attr *a)
{
    const int32_t dy = g->dout[0], y = g->out[0];
    const bool selu = !strcmp(row, "selu"), celu = !strcmp(row, "celu");
    const double shift = selu ? (double)a->alpha * a->beta : a->alpha;
    int32_t slope = onn_grad_2(g, "add", NULL, y, onn_grad_number(g, shift));
    if (celu)
        slope = onn_grad_scale(g, slope, 1.0 / a->alpha);
    const int32_t below = onn_grad_2(g, "less", NULL, g->in[0], onn_grad_number(g, 0));
    const int32_t above = selu ? onn_grad_scale(g, dy, a->beta) : dy;
    return onn_grad_3(g, "where", NULL, below, onn_grad_2(g, "mul", NULL, dy, slope), above);
}

static void unary_grad(struct onn_grad *g, const struct onn_prob *p, const struct unary *u)
{
    const struct onn_ew_attr *a = p->attr;
    const char *dx = u->dx;
    enum source from = u->from;
    if (from == NOTHING)
        return;
    const bool has_alpha = !strcmp(u->row, "elu") || !strcmp(u->row, "selu") || !strcmp(u->row, "celu");
    if (has_alpha && a && a->alpha < 0) {
        g->add(g, 0, negative_alpha(g, u->row, a));
        return;
    }
    if (!strcmp(u->row, "leaky_relu") && a && a->alpha > 0)
        from = FROM_Y;
    const struct onn_op *op = onn_op_find(dx);
    if (!strcmp(u->row, "gelu") && onn_ew_row_for(p->op, a) == &onn_ew_gelu_tanh)
        dx = "gelu_tanh_dx";
    g->add(g, 0,
        onn_grad_2(g, dx, op && op->attr_size ? a : NULL, g->dout[0], from == FROM_X ? g->in[0] : g->out[0]));
}

static void add_back(struct onn_grad *g, int i, int32_t dx)
{
    if (g->needed[i])
        g->add(g, i, onn_grad_unbroadcast(g, dx, g->in[i]));
}

static enum oclnn_status clip_grad(struct onn_grad *g, const struct onn_prob *p)
{
    struct onn_ew_attr bounds = {0};
    int32_t dx = g->dout[0];
    for (int i = 1; i < g->n_in; i++)
        if (g->needed[i])
            return onn_grad_refuse(g, i, "a bound");
    if (onn_ew_clip_bounds(p, &bounds.alpha, &bounds.beta)) {
        g->add(g, 0, onn_grad_2(g, "clip_dx", &bounds, dx, g->out[0]));
        return OCLNN_OK;
    }
    if (onn_prob_has(p, 1))
        dx = onn_grad_3(g, "clip_lo_dx", NULL, dx, g->out[0], g->in[1]);
    if (onn_prob_has(p, 2))
        dx = onn_grad_3(g, "clip_hi_dx", NULL, dx, g->out[0], g->in[2]);
    g->add(g, 0, dx);
    return OCLNN_OK;
}

/* Max and Min: the gradient is shared evenly by the operands that equal the result. */
static void extreme_grad(struct onn_grad *g)
{
    int32_t mask[64], count = 0;
    const int n = g->n_in < 64 ? g->n_in : 64;
    for (int i = 0; i < n; i++) {
        mask[i] = onn_grad_2(g, "eq_mask", NULL, g->in[i], g->out[0]);
        count = count ? onn_grad_2(g, "add", NULL, count, mask[i]) : mask[i];
    }
    const int32_t share = onn_grad_2(g, "div", NULL, g->dout[0], count);
    for (int i = 0; i < n; i++)
        if (g->needed[i])
            add_back(g, i, onn_grad_2(g, "mul", NULL, share, mask[i]));
}

static void pow_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const int32_t dy = g->dout[0], a = g->in[0], b = g->in[1];
    const bool known = p->value && p->value[1] && onn_desc_elements(&p->in[1]) == 1;
    const double exponent = known ? onn_blob_get_f64(p->value[1], 0) : 0;
    if (g->needed[0]) {
        if (known && exponent == 2)
            add_back(g, 0, onn_grad_2(g, "mul", NULL, onn_grad_scale(g, dy, 2), a));
        else if (known)
            add_back(g, 0, onn_grad_3(g, "pow_da", NULL, dy, a, onn_grad_number(g, exponent)));
        else
            add_back(g, 0, onn_grad_3(g, "pow_da", NULL, dy, a, b));
    }
    if (g->needed[1])
        add_back(g, 1, onn_grad_3(g, "pow_db", NULL, dy, a, g->out[0]));
}

static bool binary_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const char *row = p->op->name;
    const int32_t dy = g->dout[0], *in = g->in;
    if (!strcmp(row, "add") || !strcmp(row, "sum")) {
        for (int i = 0; i < g->n_in; i++)
            add_back(g, i, dy);
    } else if (!strcmp(row, "mean")) {
        const int32_t part = onn_grad_scale(g, dy, 1.0 / g->n_in);
        for (int i = 0; i < g->n_in; i++)
            add_back(g, i, part);
    } else if (!strcmp(row, "sub")) {
        add_back(g, 0, dy);
        if (g->needed[1])
            add_back(g, 1, onn_grad_1(g, "neg", NULL, dy));
    } else if (!strcmp(row, "neg")) {
        g->add(g, 0, onn_grad_1(g, "neg", NULL, dy));
    } else if (!strcmp(row, "mul")) {
        for (int i = 0; i < 2; i++)
            if (g->needed[i])
                add_back(g, i, onn_grad_2(g, "mul", NULL, dy, in[1 - i]));
    } else if (!strcmp(row, "div")) {
        if (g->needed[0])
            add_back(g, 0, onn_grad_2(g, "div", NULL, dy, in[1]));
        if (g->needed[1])
            add_back(g, 1, onn_grad_3(g, "div_db", NULL, dy, g->out[0], in[1]));
    } else if (!strcmp(row, "pow")) {
        pow_grad(g, p);
    } else if (!strcmp(row, "max") || !strcmp(row, "min")) {
        extreme_grad(g);
    } else {
        return false;
    }
    return true;
}

static void prelu_grad(struct onn_grad *g)
{
    if (g->needed[0])
        g->add(g, 0, onn_grad_3(g, "prelu_dx", NULL, g->dout[0], g->in[0], g->in[1]));
    if (g->needed[1])
        add_back(g, 1, onn_grad_2(g, "prelu_ds", NULL, g->dout[0], g->in[0]));
}

static void where_grad(struct onn_grad *g)
{
    const int32_t dy = g->dout[0], zero = onn_grad_number(g, 0);
    if (g->needed[1])
        add_back(g, 1, onn_grad_3(g, "where", NULL, g->in[0], dy, zero));
    if (g->needed[2])
        add_back(g, 2, onn_grad_3(g, "where", NULL, g->in[0], zero, dy));
}

static void cast_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const struct onn_ew_attr back = {.to = onn_dtype_to_onnx(p->in[0].dtype)};
    if (onn_dtype_is_float(p->in[0].dtype) && onn_dtype_is_float(p->out[0].dtype))
        g->add(g, 0,
            p->in[0].dtype == p->out[0].dtype ? g->dout[0] : onn_grad_1(g, "cast", &back, g->dout[0]));
}

/* Losses element by element: f(x, target). */
static enum oclnn_status loss_grad(struct onn_grad *g, const struct onn_prob *p)
{
    char name[48];
    const size_t n = strlen(p->op->name) - strlen("_each");
    memcpy(name, p->op->name, n);
    memcpy(name + n, "_dx", 4);
    const bool even = !strcmp(name, "mse_dx") || !strcmp(name, "l1_dx") || !strcmp(name, "huber_dx");
    const int32_t dx = onn_grad_3(g, name, p->attr, g->dout[0], g->in[0], g->in[1]);
    if (g->needed[0])
        add_back(g, 0, dx);
    if (g->needed[1] && !even)
        return onn_grad_refuse(g, 1, "the target of a loss");
    if (g->needed[1])
        add_back(g, 1, onn_grad_1(g, "neg", NULL, dx));
    return OCLNN_OK;
}

enum oclnn_status onn_ew_grad(struct onn_grad *g, const struct onn_prob *p)
{
    const char *row = p->op->name;
    const size_t length = strlen(row);
    for (size_t i = 0; i < sizeof unary / sizeof unary[0]; i++)
        if (!strcmp(unary[i].row, row)) {
            unary_grad(g, p, &unary[i]);
            return OCLNN_OK;
        }
    if (length > 5 && !strcmp(row + length - 5, "_each"))
        return loss_grad(g, p);
    if (!strcmp(row, "clip"))
        return clip_grad(g, p);
    if (!strcmp(row, "prelu"))
        prelu_grad(g);
    else if (!strcmp(row, "where"))
        where_grad(g);
    else if (!strcmp(row, "cast") || !strcmp(row, "castlike"))
        cast_grad(g, p);
    else if (!binary_grad(g, p))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "node '%s' (%s) has no gradient", g->name, row);
    return OCLNN_OK;
}
