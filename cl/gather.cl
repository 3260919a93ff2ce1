/* Gather, GatherElements, GatherND: rows or single elements picked by an index tensor.
 *
 * Negative indices count from the end; indices out of range are clamped (ONNX leaves them undefined).
 * Defines  GATHER_T (uint): unsigned type of the element's size. GATHER_I (long): type of the indices.
 * Kernels  any work-group; one work-item per piece of a row (`piece` elements; 1 on GPUs, so that neighbours
 *          read neighbours).
 *   gather_rows      y[o][j][i] = x[o][index[j]][i]; strides x_so, x_sa, y_so, y_sj, rows contiguous.
 *   gather_nd        y[o][j][i] = x[o][index[o][j][0..k)][i]; dim, step: extents and strides of the k indexed
 *                    dimensions.
 *   gather_elements  y[a][j][b] = x[a][index[a][j][b]][b] over `rank` dimensions, axis replaced.
 */
#include "lib/types.h"

#ifndef GATHER_T
#define GATHER_T uint
#endif
#ifndef GATHER_I
#define GATHER_I long
#endif
#ifndef GATHER_W /* elements moved at once: 32 bytes at most */
#define GATHER_W 8
#endif
#define GATHER_RANK 8

struct gather_geo {
    int rank, axis;
    int dim[GATHER_RANK];   /* elements: of the index tensor; nd: of x's indexed dimensions */
    long step[GATHER_RANK]; /* strides in x */
};

static inline int gather_index(GATHER_I v, int size)
{
    const long i = v < 0 ? (long)v + size : (long)v;
    return (int)clamp(i, 0L, (long)size - 1);
}

static inline void gather_copy(global const GATHER_T *x, global GATHER_T *y, int n)
{
    int i = 0;
    for (; i + GATHER_W <= n; i += GATHER_W)
        ONN_CAT(vstore, GATHER_W)(ONN_CAT(vload, GATHER_W)(0, x + i), 0, y + i);
    for (; i < n; i++)
        y[i] = x[i];
}

kernel void gather_rows(ONN_IN(GATHER_T, x), ONN_IN(GATHER_I, index), ONN_OUT(GATHER_T, y), int outer, int count,
    int inner, int size, long x_so, long x_sa, int piece)
{
    const int pieces = ONN_DIV_UP(inner, piece), id = get_global_id(0);
    const int start = id % pieces * piece, row = id / pieces, o = row / count, j = row - o * count;
    if (o >= outer)
        return;
    const int at = gather_index(ONN_PTR(index)[j], size);
    gather_copy(ONN_PTR(x) + o * x_so + at * x_sa + start, ONN_PTR(y) + (long)row * inner + start,
        min(piece, inner - start));
}

kernel void gather_nd(ONN_IN(GATHER_T, x), ONN_IN(GATHER_I, index), ONN_OUT(GATHER_T, y), ONN_ARGS(struct gather_geo, g),
    int outer, int count, int inner, long x_so, int piece)
{
    ONN_TAKE(struct gather_geo, g);
    const int pieces = ONN_DIV_UP(inner, piece), id = get_global_id(0);
    const int start = id % pieces * piece, row = id / pieces, o = row / count;
    if (o >= outer)
        return;
    global const GATHER_I *at = ONN_PTR(index) + (long)row * g.rank;
    long from = o * x_so;
    for (int k = 0; k < g.rank; k++)
        from += gather_index(at[k], g.dim[k]) * g.step[k];
    gather_copy(ONN_PTR(x) + from + start, ONN_PTR(y) + (long)row * inner + start, min(piece, inner - start));
}

kernel void gather_elements(ONN_IN(GATHER_T, x), ONN_IN(GATHER_I, index), ONN_OUT(GATHER_T, y), ONN_ARGS(struct gather_geo, g),
    int total, int size)
{
    ONN_TAKE(struct gather_geo, g);
    int id = get_global_id(0);
    if (id >= total)
        return;
    long from = gather_index(ONN_PTR(index)[id], size) * g.step[g.axis];
    const int to = id;
    for (int d = g.rank - 1; d >= 0; d--) {
        const int rest = id / g.dim[d], at = id - rest * g.dim[d];
        from += d == g.axis ? 0 : at * g.step[d];
        id = rest;
    }
    ONN_PTR(y)[to] = ONN_PTR(x)[from];
}
