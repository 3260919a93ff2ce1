/* OneHot: y[o][d][i] = values[1] where index[o][i] (negative: + depth) is d, else values[0].
 * Defines  ONEHOT_T (uint): unsigned type of the values' size; ONEHOT_I (long): type of the indices.
 * Work     one element of y per work-item, any work-group.
 */
#include "lib/types.h"

#ifndef ONEHOT_T
#define ONEHOT_T uint
#endif
#ifndef ONEHOT_I
#define ONEHOT_I long
#endif

kernel void onehot_each(ONN_IN(ONEHOT_I, index), ONN_IN(ONEHOT_T, values), ONN_OUT(ONEHOT_T, y), int total, int depth,
    int inner)
{
    const int id = get_global_id(0);
    if (id >= total)
        return;
    const int i = id % inner, d = id / inner % depth, o = id / inner / depth;
    long at = (long)ONN_PTR(index)[(long)o * inner + i];
    at = at < 0 ? at + depth : at;
    ONN_PTR(y)[id] = ONN_PTR(values)[at == d];
}
