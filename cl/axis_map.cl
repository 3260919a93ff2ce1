/* A sparse linear map along one axis of [outer][len][inner]: y[o] = sum of weight[j] x[index[j]], j from start[o] to
 * start[o + 1] - 1.
 *
 * Arguments  x, start, index, weight, y; len (of x), out (of y), inner, piece: elements of `inner` per item.
 * Defines    ONN_DT (lib/any.h: f32, f16), VL; ONN_ALONE: work-groups of one item.
 * Work       global { ceil(inner / piece), out, outer }, any local size.
 * Rounding   fp32, one sum in the order of j.
 */
#include "lib/vec.h"
#include "lib/any.h"

/* On vector CPUs an item works on vectors already: groups of one keep compilers from putting items side by side. */
#ifdef ONN_ALONE
#define AXIS_KERNEL __attribute__((reqd_work_group_size(1, 1, 1))) kernel
#else
#define AXIS_KERNEL kernel
#endif

AXIS_KERNEL void axis_map(ONN_IN(ANY_T, x), ONN_IN(int, start), ONN_IN(int, index), ONN_IN(float, weight), ONN_OUT(ANY_T, y),
                     const int len, const int out, const int inner, const int piece)
{
    const int o = get_global_id(1), j0 = ONN_PTR(start)[o], j1 = ONN_PTR(start)[o + 1];
    global const ANY_T *x = ONN_PTR(x) + (long)get_global_id(2) * len * inner;
    global ANY_T *y = ONN_PTR(y) + ((long)get_global_id(2) * out + o) * inner;
    int i = get_global_id(0) * piece;
    const int end = min(i + piece, inner);
    for (; i + VL <= end; i += VL) {
        ONN_V sum = (ONN_V)(0.0f);
        for (int j = j0; j < j1; j++)
            sum = fma((ONN_V)(ONN_PTR(weight)[j]), ANY_VLOAD(x + (long)ONN_PTR(index)[j] * inner + i), sum);
        ANY_VSTORE(sum, y + i);
    }
    for (; i < end; i++) {
        float sum = 0.0f;
        for (int j = j0; j < j1; j++)
            sum = fma(ONN_PTR(weight)[j], (float)ANY_GET(x, (long)ONN_PTR(index)[j] * inner + i), sum);
        ANY_SET(y, i, sum);
    }
}
