/* Arithmetic, comparisons, logic and reductions for networks built from C. Tier 2.
 *
 * What ops.h says of errors, shapes, ownership and threads holds here too. Operators of several values broadcast as
 * numpy does: shapes are aligned at their last dimensions, and a dimension of 1 is repeated; what does not fit is
 * OCLNN_ERROR_SHAPE, different element types are OCLNN_ERROR_DTYPE. Types: floating
 * point; sums, products, quotients, extremes, comparisons and their reductions also integers. */
#ifndef OCLNN_OPS_MATH_H
#define OCLNN_OPS_MATH_H

#include <oclnn/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- of one value: y has x's shape ---- */

OCLNN_API oclnn_value oclnn_neg(oclnn_graph *graph, oclnn_value x); /**< -x */
OCLNN_API oclnn_value oclnn_abs(oclnn_graph *graph, oclnn_value x); /**< |x| */
OCLNN_API oclnn_value oclnn_exp(oclnn_graph *graph, oclnn_value x); /**< e^x */
OCLNN_API oclnn_value oclnn_log(oclnn_graph *graph, oclnn_value x); /**< natural logarithm; NaN below 0 */
OCLNN_API oclnn_value oclnn_sqrt(oclnn_graph *graph, oclnn_value x); /**< square root; NaN below 0 */
/** x as elements of type `dtype`: real numbers lose their fraction in an integer; bool is x != 0. */
OCLNN_API oclnn_value oclnn_cast(oclnn_graph *graph, oclnn_value x, enum oclnn_dtype dtype);

/* ---- of several values, broadcast ---- */

OCLNN_API oclnn_value oclnn_add(oclnn_graph *graph, oclnn_value a, oclnn_value b); /**< a + b */
OCLNN_API oclnn_value oclnn_sub(oclnn_graph *graph, oclnn_value a, oclnn_value b); /**< a - b */
OCLNN_API oclnn_value oclnn_mul(oclnn_graph *graph, oclnn_value a, oclnn_value b); /**< a * b */
/** a / b; integers are cut towards 0, and divided by 0 they are 0. */
OCLNN_API oclnn_value oclnn_div(oclnn_graph *graph, oclnn_value a, oclnn_value b);
/** a to the power of b, of a's type; b may have another one. */
OCLNN_API oclnn_value oclnn_pow(oclnn_graph *graph, oclnn_value a, oclnn_value b);
/** values[0] + values[1] + … of `count` values. */
OCLNN_API oclnn_value oclnn_sum(oclnn_graph *graph, const oclnn_value *values, int count);
/** The largest of `count` values; NaN where one is NaN. */
OCLNN_API oclnn_value oclnn_max(oclnn_graph *graph, const oclnn_value *values, int count);
/** The smallest of `count` values; NaN where one is NaN. */
OCLNN_API oclnn_value oclnn_min(oclnn_graph *graph, const oclnn_value *values, int count);

/* ---- comparisons and logic, broadcast: y is bool. They have no gradient ---- */

OCLNN_API oclnn_value oclnn_equal(oclnn_graph *graph, oclnn_value a, oclnn_value b); /**< a == b */
OCLNN_API oclnn_value oclnn_less(oclnn_graph *graph, oclnn_value a, oclnn_value b); /**< a < b */
OCLNN_API oclnn_value oclnn_less_equal(oclnn_graph *graph, oclnn_value a, oclnn_value b); /**< a <= b */
OCLNN_API oclnn_value oclnn_greater(oclnn_graph *graph, oclnn_value a, oclnn_value b); /**< a > b */
OCLNN_API oclnn_value oclnn_greater_equal(oclnn_graph *graph, oclnn_value a, oclnn_value b); /**< a >= b */
OCLNN_API oclnn_value oclnn_and(oclnn_graph *graph, oclnn_value a, oclnn_value b); /**< both are not 0 */
OCLNN_API oclnn_value oclnn_or(oclnn_graph *graph, oclnn_value a,
    oclnn_value b); /**< one or both are not 0 */
OCLNN_API oclnn_value oclnn_not(oclnn_graph *graph, oclnn_value x); /**< x == 0 */
/** condition ? a : b, element by element. Types: condition bool; a and b of one type, any. */
OCLNN_API oclnn_value oclnn_where(oclnn_graph *graph, oclnn_value condition, oclnn_value a, oclnn_value b);

/* ---- reductions: over the dimensions in `axes` (negative: from the end; rank 0: all); keep 1: they stay as 1, 0: they
 * vanish. oclnn_reduce_sum(g, x, OCLNN_LIST(2, 3), 1) makes [N,C,1,1] of [N,C,H,W]. ---- */

/** The sum divided by the number of elements. */
OCLNN_API oclnn_value oclnn_reduce_mean(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep);
/** The sum. */
OCLNN_API oclnn_value oclnn_reduce_sum(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep);
/** The largest element. */
OCLNN_API oclnn_value oclnn_reduce_max(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep);
/** The smallest element. */
OCLNN_API oclnn_value oclnn_reduce_min(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep);
/** The product. */
OCLNN_API oclnn_value oclnn_reduce_prod(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep);
/** The sum of |x|. */
OCLNN_API oclnn_value oclnn_reduce_l1(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep);
/** The square root of the sum of x^2. */
OCLNN_API oclnn_value oclnn_reduce_l2(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes, int keep);
/** The sum of x^2. */
OCLNN_API oclnn_value oclnn_reduce_sum_square(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes,
    int keep);
/** log(sum of x). */
OCLNN_API oclnn_value oclnn_reduce_log_sum(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes,
    int keep);
/** log(sum of exp(x)). */
OCLNN_API oclnn_value oclnn_reduce_log_sum_exp(oclnn_graph *graph, oclnn_value x, struct oclnn_shape axes,
    int keep);

#ifdef __cplusplus
}
#endif
#endif
