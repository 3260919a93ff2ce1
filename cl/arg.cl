/* Operators along one axis of [outer][len][inner], contiguous, one item per (outer, inner). Global {outer * inner}.
 *
 * arg_extreme  index (long) of the largest or smallest element; of equal ones the first, or the last. NaN wins.
 * arg_sum      running sum; exclusive: without the element itself; reverse: from the end.
 * arg_top      the k largest or smallest in order, of equal ones the lower index first: values and indices.
 *              Repeated selection: k * len steps, no scratch.
 * Defines      ONN_DT.
 */
#include "lib/types.h"
#include "lib/any.h"

/* Does b come before a? Ties go to the caller. */
#if ANY_IS_INT
#define ARG_BETTER(b, a) (largest ? (b) > (a) : (b) < (a))
#else
#define ARG_BETTER(b, a) ((b) != (b) ? (a) == (a) : (largest ? (b) > (a) : (b) < (a)))
#endif

kernel void arg_extreme(ONN_IN(ANY_T, x), ONN_OUT(long, y), const int rows, const int len, const int inner,
                        const int largest, const int last)
{
    const int r = (int)get_global_id(0);
    if (r >= rows)
        return;
    global const ANY_T *x = ONN_PTR(x) + (long)(r / inner) * len * inner + r % inner;
    ANY_A best = ANY_GET(x, 0);
    int at = 0;
    for (int i = 1; i < len; i++) {
        const ANY_A v = ANY_GET(x, (long)i * inner);
        if (ARG_BETTER(v, best) || (last && !ARG_BETTER(best, v))) {
            best = v;
            at = i;
        }
    }
    ONN_PTR(y)[r] = at;
}

kernel void arg_sum(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const int rows, const int len, const int inner,
                    const int exclusive, const int reverse)
{
    const int r = (int)get_global_id(0);
    if (r >= rows)
        return;
    const long at = (long)(r / inner) * len * inner + r % inner;
    ANY_A sum = 0;
    for (int k = 0; k < len; k++) {
        const long i = at + (long)(reverse ? len - 1 - k : k) * inner;
        const ANY_A v = ANY_GET(x_mem, x_off + i);
        if (exclusive)
            ANY_SET(y_mem, y_off + i, sum);
        sum += v;
        if (!exclusive)
            ANY_SET(y_mem, y_off + i, sum);
    }
}

kernel void arg_top(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, value), ONN_OUT(long, index), const int rows, const int len,
                    const int inner, const int k, const int largest)
{
    const int r = (int)get_global_id(0);
    if (r >= rows)
        return;
    global const ANY_T *x = ONN_PTR(x) + (long)(r / inner) * len * inner + r % inner;
    const long to = (long)(r / inner) * k * inner + r % inner;
    ANY_A before = 0;
    int before_at = -1;
    for (int n = 0; n < k; n++) {
        ANY_A best = 0;
        int at = -1;
        for (int i = 0; i < len; i++) {
            const ANY_A v = ANY_GET(x, (long)i * inner);
            /* Taken already: better than the one before, or equal and not behind it. */
            if (before_at >= 0 && (ARG_BETTER(v, before) || (!ARG_BETTER(before, v) && i <= before_at)))
                continue;
            if (at < 0 || ARG_BETTER(v, best)) {
                best = v;
                at = i;
            }
        }
        ANY_SET(value_mem, value_off + to + (long)n * inner, best);
        index_mem[index_off + to + (long)n * inner] = at;
        before = best;
        before_at = at;
    }
}
