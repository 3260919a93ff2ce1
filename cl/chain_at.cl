/* What stands in front of kernels that have become functions of a chain (cl/chain.cl): where they are comes as an argument
 * instead of from the driver. lib/plan/chain_text.c puts ONN_AT_PARAM in front of their parameters. Their helpers must not ask where they are: a helper
 * gets such numbers as arguments (test/plan/chain_text.c looks for those that do not). */
#include "lib/chain.h"

#define ONN_AT_PARAM const struct onn_at *onn_at,
#undef get_global_id /* caps.adds_ids */
#define get_group_id(d) (onn_at->group[d])
#define get_num_groups(d) (onn_at->groups[d])
#define get_local_id(d) (onn_at->item[d])
#define get_local_size(d) (onn_at->items[d])
#define get_global_id(d) (onn_at->group[d] * onn_at->items[d] + onn_at->item[d])
#define get_global_size(d) (onn_at->groups[d] * onn_at->items[d])
#define reqd_work_group_size(x, y, z) unused
#define ONN_CHAIN_FN static __attribute__((noinline))
