/* ScatterND and ScatterElements in place on y, which holds a copy of x already.
 *
 * Deterministic without atomics: updates that may meet at one element are applied one after the other by one
 * work-item. ScatterND: a work-item owns one column of the slices and walks over all updates. ScatterElements: a
 * work-item owns one line along the axis. Indices out of range are skipped.
 * Defines  SCATTER_F (0): 1 = float arithmetic, elements read and written by SCATTER_GET / SCATTER_SET (float,
 *          half with ONN_F16); 0 = integers of SCATTER_T (uint). SCATTER_I (long): type of the indices.
 * reduce   0 none (the last update wins), 1 add, 2 mul, 3 max, 4 min (NaN stays). Any work-group.
 */
#include "lib/types.h"
#include "lib/elem.h"

#ifndef SCATTER_F
#define SCATTER_F 0
#endif
#ifndef SCATTER_I
#define SCATTER_I long
#endif
#if SCATTER_F
#define SCATTER_T ONN_T
#define SCATTER_A float
#define SCATTER_NAN(v) isnan(v)
#define SCATTER_GET(p, i) ONN_GET(p, i)
#define SCATTER_SET(p, i, v) ONN_SET(p, i, v)
#else
#ifndef SCATTER_T
#define SCATTER_T uint
#endif
#define SCATTER_A SCATTER_T
#define SCATTER_NAN(v) 0
#define SCATTER_GET(p, i) ((p)[i])
#define SCATTER_SET(p, i, v) ((p)[i] = (v))
#endif
#define SCATTER_RANK 8

struct scatter_geo {
    int rank, axis;
    int dim[SCATTER_RANK];   /* elements: of the index tensor; nd: of y's indexed dimensions */
    long step[SCATTER_RANK]; /* strides in y */
};

static inline SCATTER_A scatter_join(SCATTER_A old, SCATTER_A v, int reduce)
{
    switch (reduce) {
    case 1: return old + v;
    case 2: return old * v;
    case 3: return old > v || SCATTER_NAN(old) ? old : v;
    case 4: return old < v || SCATTER_NAN(old) ? old : v;
    default: return v;
    }
}

kernel void scatter_nd(ONN_IN(SCATTER_I, index), ONN_IN(SCATTER_T, u), ONN_OUT(SCATTER_T, y), ONN_ARGS(struct scatter_geo, g),
    int count, int inner, int reduce)
{
    ONN_TAKE(struct scatter_geo, g);
    const int i = get_global_id(0);
    if (i >= inner)
        return;
    for (int j = 0; j < count; j++) {
        global const SCATTER_I *at = ONN_PTR(index) + (long)j * g.rank;
        long to = i;
        int inside = 1;
        for (int k = 0; k < g.rank; k++) {
            const long v = at[k] < 0 ? (long)at[k] + g.dim[k] : (long)at[k];
            inside &= v >= 0 && v < g.dim[k];
            to += v * g.step[k];
        }
        if (!inside)
            continue;
        const SCATTER_A v = SCATTER_GET(ONN_PTR(u), (long)j * inner + i);
        SCATTER_SET(ONN_PTR(y), to, reduce ? scatter_join(SCATTER_GET(ONN_PTR(y), to), v, reduce) : v);
    }
}

/* lines: elements of the index tensor over its extent along the axis; inner: those behind the axis. */
kernel void scatter_elements(ONN_IN(SCATTER_I, index), ONN_IN(SCATTER_T, u), ONN_OUT(SCATTER_T, y),
    ONN_ARGS(struct scatter_geo, g), int lines, int inner, int size, int reduce)
{
    ONN_TAKE(struct scatter_geo, g);
    int id = get_global_id(0);
    if (id >= lines)
        return;
    const long start = (long)(id / inner) * g.dim[g.axis] * inner + id % inner;
    long base = 0;
    for (int d = g.rank - 1; d >= 0; d--) {
        if (d == g.axis)
            continue;
        const int rest = id / g.dim[d];
        base += (id - rest * g.dim[d]) * g.step[d];
        id = rest;
    }
    for (int j = 0; j < g.dim[g.axis]; j++) {
        const long e = start + (long)j * inner, raw = ONN_PTR(index)[e], at = raw < 0 ? raw + size : raw;
        if (at < 0 || at >= size)
            continue;
        const long to = base + at * g.step[g.axis];
        const SCATTER_A v = SCATTER_GET(ONN_PTR(u), e);
        SCATTER_SET(ONN_PTR(y), to, reduce ? scatter_join(SCATTER_GET(ONN_PTR(y), to), v, reduce) : v);
    }
}
