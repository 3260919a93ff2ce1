/* Pooling: what its variants, and its gradients, share. */
#ifndef ONN_OPS_POOL_H
#define ONN_OPS_POOL_H

#include "ops/conv.h"

struct onn_pool_attr { /* maxpool and averagepool */
    struct onn_window_attr window;
    int64_t ceil_mode, count_include_pad, storage_order;
};
struct onn_pool_args { /* cl/pool.cl: struct pool_args */
    struct onn_window_args win;
    int32_t pad_end[3], n, c, count_pad, has_idx, column;
    int64_t x_s[5], y_s[5], idx_s[5];
};

bool onn_pool_is_max(const struct onn_prob *p);
enum oclnn_status onn_pool_window(const struct onn_prob *p, struct onn_window *w);
enum oclnn_status onn_pool_args(const struct onn_prob *p, struct onn_pool_args *a);

#endif
