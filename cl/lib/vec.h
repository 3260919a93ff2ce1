/* Vectors of the blocked layouts. Apart from lib/types.h, so that kernels without vectors do not depend on their width and
 * may share a program with any that do.
 *
 * VL        vector width of the blocked layouts (4, 8 or 16)
 * ONN_V     float vector of VL lanes; ONN_LOAD / ONN_STORE need no alignment beyond a float's
 */
#ifndef ONN_VEC_H
#define ONN_VEC_H

#include "lib/types.h"

#ifndef VL
#define VL 8
#endif

#define ONN_V ONN_CAT(float, VL)
#define ONN_VI ONN_CAT(int, VL)
#define ONN_LOAD(p) ONN_CAT(vload, VL)(0, (p))
#define ONN_STORE(v, p) ONN_CAT(vstore, VL)((v), 0, (p))
#define ONN_AS_VI(v) ONN_CAT(as_int, VL)(v)
#define ONN_AS_V(v) ONN_CAT(as_float, VL)(v)

/* Lane numbers 0 .. VL-1. */
ONN_INLINE ONN_VI onn_lanes(void)
{
#if VL == 4
    return (int4)(0, 1, 2, 3);
#elif VL == 8
    return (int8)(0, 1, 2, 3, 4, 5, 6, 7);
#else
    return (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
}

/* Keeps lanes below n and clears the others. */
ONN_INLINE ONN_V onn_mask(ONN_V v, int n)
{
    return n >= VL ? v : ONN_AS_V(ONN_AS_VI(v) & (onn_lanes() < (ONN_VI)(n)));
}

/* Loads VL floats of which only the first n exist; the others read as zero. */
ONN_INLINE ONN_V onn_load_part(global const float *p, int n)
{
    if (n >= VL)
        return ONN_LOAD(p);
    float t[VL];
    for (int i = 0; i < VL; i++)
        t[i] = i < n ? p[i] : 0.0f;
    return ONN_CAT(vload, VL)(0, t);
}

#include "lib/exp.h" /* outside of any #if: includes are pasted once per file */

#include "lib/epi.h"

#endif
