/* Element-wise rows without an ONNX name, with up to two parameters: gradients (ew_dx.c) and losses (ew_loss.c). Included
 * by those files only: the macros make statics. */
#ifndef ONN_OPS_EW_ROWS_H
#define ONN_OPS_EW_ROWS_H

#include "ops/elementwise.h"

/* host_name: the same expression in double; parameters are p->alpha and p->beta. */
#define HOST(name, expression) \
    static double host_##name(double a, double b, double c, const struct onn_ew_attr *p) \
    { \
        (void)a, (void)b, (void)c, (void)p; \
        return expression; \
    }

/* The attributes' table param_attrs; defaults of alpha and beta. */
#define PARAM_ATTRS(alpha_, beta_) \
    static const struct onn_attr param_attrs[] = { \
        {"alpha", NULL, ONN_ATTR_FLOAT, offsetof(struct onn_ew_attr, alpha), alpha_, 0, 0}, \
        {"beta", NULL, ONN_ATTR_FLOAT, offsetof(struct onn_ew_attr, beta), beta_, 0, 0}, \
        {.type = ONN_ATTR_END}, \
    };

/* row_id: n operands, np of alpha and beta as p0, p1; fl: flags; w: flop. */
#define EW_ROW(id, n, np, e, fl, w, grad_) \
    static const struct onn_ew_row row_##id = { \
        .op = {.name = #id, \
            .min_in = n, \
            .max_in = n, \
            .min_out = 1, \
            .max_out = 1, \
            .flags = ONN_OP_ELEMENTWISE, \
            .attr_size = (np) ? sizeof(struct onn_ew_attr) : 0, \
            .attrs = (np) ? param_attrs : NULL, \
            .since = 1, \
            .infer = onn_ew_infer, \
            .host = onn_ew_host, \
            .grad = grad_, \
            .variants = onn_ew_variants, \
            .flop = onn_ew_flop}, \
        .expr = e, \
        .ew_flags = ONN_EW_FLOAT | (fl), \
        .params = np, \
        .cost = w, \
        .host = host_##id, \
    };

#endif
