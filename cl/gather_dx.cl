/* Gradients of gathers: each element of the result adds the gradients of the indices that name it, in their order.
 *
 * gatherdx_rows      result [outer][rows][inner], dy [outer][count][inner], indices [outer or 1][count][depth].
 *                    Global { inner, rows, outer }.
 * gatherdx_elements  one element of the result per item (GatherElements). Global {elements}.
 * Defines            ONN_DT (lib/any.h), GATHER_I int or long.
 * Rounding           fp32, one sum in the order of the indices.
 */
#include "lib/types.h"
#include "lib/any.h"

#ifndef GATHER_I
#define GATHER_I long
#endif

struct gatherdx_rows {
    int rows, inner, count, depth, index_step, pad;
    int dim[8], step[8];
};

kernel void gatherdx_rows(ONN_IN(ANY_T, dy), ONN_IN(GATHER_I, index), ONN_OUT(ANY_T, dx), ONN_ARGS(struct gatherdx_rows, g))
{
    ONN_TAKE(struct gatherdx_rows, g);
    const int i = get_global_id(0), row = get_global_id(1);
    const long outer = get_global_id(2);
    global const GATHER_I *index = ONN_PTR(index) + outer * g.index_step;
    global const ANY_T *dy = ONN_PTR(dy) + outer * g.count * g.inner + i;
    float sum = 0.0f;
    for (int j = 0; j < g.count; j++) {
        int at = 0;
        for (int d = 0; d < g.depth; d++) {
            const int k = (int)index[j * g.depth + d];
            at += (k < 0 ? k + g.dim[d] : k) * g.step[d];
        }
        if (at == row)
            sum += (float)ANY_GET(dy, (long)j * g.inner);
    }
    ANY_SET(ONN_PTR(dx), (outer * g.rows + row) * g.inner + i, sum);
}

struct gatherdx_elements {
    int rank, axis, dim[8], index_dim[8];
};

kernel void gatherdx_elements(ONN_IN(ANY_T, dy), ONN_IN(GATHER_I, index), ONN_OUT(ANY_T, dx),
                              ONN_ARGS(struct gatherdx_elements, g))
{
    ONN_TAKE(struct gatherdx_elements, g);
    int rest = get_global_id(0), want = 0, inside = 1;
    long at = 0, step = 1, axis_step = 1; /* position in the indices with 0 along the axis */
    for (int d = g.rank - 1; d >= 0; d--) {
        const int k = rest % g.dim[d];
        rest /= g.dim[d];
        if (d == g.axis) {
            want = k;
            axis_step = step;
        } else {
            inside &= k < g.index_dim[d];
            at += k * step;
        }
        step *= g.index_dim[d];
    }
    float sum = 0.0f;
    for (int j = 0; j < g.index_dim[g.axis] && inside; j++) {
        const int k = (int)ONN_PTR(index)[at + j * axis_step];
        if ((k < 0 ? k + g.dim[g.axis] : k) == want)
            sum += (float)ANY_GET(ONN_PTR(dy), at + j * axis_step);
    }
    ANY_SET(ONN_PTR(dx), get_global_id(0), sum);
}
