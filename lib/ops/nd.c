/* Walks over several tensors at once: fewer, longer dimensions mean fewer divisions in a kernel. */
#include "ops/launch.h"

#include <limits.h>

static bool merges(const struct onn_nd *nd, int operands, int64_t inner, const int64_t *stride)
{
    int last = nd->rank - 1;
    if (nd->rank == 0 || inner * nd->dim[last] > INT32_MAX)
        return false;
    for (int k = 0; k < operands; k++)
        if (nd->stride[k][last] != stride[k] * inner)
            return false;
    return true;
}

bool onn_nd_make(struct onn_nd *nd, int rank, const int64_t *dim, int operands, const int64_t *const *strides)
{
    *nd = (struct onn_nd){0};
    if (operands > ONN_ND_OPERANDS)
        return false;
    for (int i = 0; i < rank; i++)
        if (dim[i] == 0) { /* nothing to walk over */
            nd->rank = 1;
            return true;
        }
    for (int i = 0; i < rank; i++) {
        int64_t step[ONN_ND_OPERANDS] = {0};
        if (dim[i] < 0 || dim[i] > INT32_MAX)
            return false;
        if (dim[i] == 1)
            continue;
        for (int k = 0; k < operands; k++)
            step[k] = strides[k][i];
        if (merges(nd, operands, dim[i], step))
            nd->dim[nd->rank - 1] *= (int32_t)dim[i];
        else if (nd->rank == ONN_ND_RANK)
            return false;
        else
            nd->dim[nd->rank++] = (int32_t)dim[i];
        for (int k = 0; k < operands; k++)
            nd->stride[k][nd->rank - 1] = step[k];
    }
    if (nd->rank == 0) { /* one element: kernels may rely on one dimension */
        nd->rank = 1;
        nd->dim[0] = 1;
    }
    return true;
}

bool onn_nd_broadcast(const struct onn_desc *a, const struct onn_desc *out, int64_t *strides)
{
    if (a->format.pack || a->format.block > 1 || a->rank > out->rank)
        return false;
    int lead = out->rank - a->rank;
    for (int i = 0; i < out->rank; i++) {
        if (i >= lead && a->dim[i - lead] != out->dim[i] && a->dim[i - lead] != 1)
            return false;
        strides[i] = i < lead || a->dim[i - lead] == 1 ? 0 : a->stride[i - lead];
    }
    return true;
}
