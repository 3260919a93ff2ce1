/* Gradients of pooling: what their variants share. */
#ifndef ONN_OPS_POOL_DX_H
#define ONN_OPS_POOL_DX_H

#include "ops/pool.h"

/* maxpool_dx: inputs x, dy; averagepool_dx: input dy. Output dx. */
struct onn_pool_dx_attr {
    struct onn_pool_attr pool;
    struct onn_ints in; /* averagepool_dx: spatial extents of dx */
};
struct onn_pool_dx_args { /* cl/pool_dx.cl: struct pooldx_args */
    struct onn_window_args win;
    int32_t pad_end[3], n, c, count_pad;
    int64_t x_s[5], dy_s[5], dx_s[5];
};
bool onn_pool_dx_is_max(const struct onn_prob *p);
/* The forward window. */
enum oclnn_status onn_pool_dx_window(const struct onn_prob *p, struct onn_window *w);
enum oclnn_status onn_pool_dx_args(const struct onn_prob *p, struct onn_pool_dx_args *a);

#endif
