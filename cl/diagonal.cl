/* Trilu: keeps one triangle of the last two dimensions, the rest of y is 0.
 * Arguments  rows x cols matrices, contiguous; kept: c - r >= k (upper) or c - r <= k (lower).
 * Defines    DIAGONAL_T (uint): unsigned type of the element's size.
 * Work       one element per work-item, any work-group.
 */
#include "lib/types.h"

#ifndef DIAGONAL_T
#define DIAGONAL_T uint
#endif

kernel void trilu_each(ONN_IN(DIAGONAL_T, x), ONN_OUT(DIAGONAL_T, y), int total, int rows, int cols, long k, int upper)
{
    const int id = get_global_id(0);
    if (id >= total)
        return;
    const long d = (long)(id % cols) - id / cols % rows;
    const int keep = upper ? d >= k : d <= k;
    ONN_PTR(y)[id] = keep ? ONN_PTR(x)[id] : 0;
}
