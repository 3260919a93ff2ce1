/* Attributes of the operators along one axis. */
#ifndef ONN_OPS_ARG_H
#define ONN_OPS_ARG_H

#include <stdint.h>

struct onn_arg_attr {
    int64_t axis, keepdims, select_last_index; /* ArgMax, ArgMin */
    int64_t exclusive, reverse; /* CumSum */
    int64_t largest, sorted; /* TopK */
};

#endif
