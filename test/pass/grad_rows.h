/* What the gradients' test runs on: one or more rows for every differentiable operator. */
#ifndef ONN_TEST_GRAD_ROWS_H
#define ONN_TEST_GRAD_ROWS_H

enum onn_grad_row_flags {
    ONN_GRAD_POSITIVE = 1, /* data in 0.2 … 1.2 */
    ONN_GRAD_INSIDE = 2, /* data in 0.05 … 0.95 */
    ONN_GRAD_ABOVE_ONE = 4, /* data in 1.1 … 2.1 */
    ONN_GRAD_FIRST = 8, /* only input 0 is differentiable */
    ONN_GRAD_TIES = 16, /* extremes: the inputs' numbers lie on grids of their own */
    ONN_GRAD_LAST_PROB = 32, /* the last float input is a probability */
    ONN_GRAD_GAP = 64, /* nothing near -0.3 and 0.3, where the operator jumps */
    ONN_GRAD_BN_TRAIN = 128, /* the running statistics have no gradient */
    ONN_GRAD_ZERO = 256, /* steps: no gradient flows back, the differences must be 0 */
    ONN_GRAD_DISTINCT = 512, /* no two indices of a row or column are equal */
};
/* A problem (ops/problem.h) with places to be drawn: {3-9} a number, {a:3-9} a number with a name, {a} the same number
 * again, {a*4} four times that. */
struct onn_grad_row {
    const char *problem;
    int flags;
};
extern const struct onn_grad_row onn_grad_rows[]; /* ends with a NULL problem */

#endif
