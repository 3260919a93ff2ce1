/* Types and argument conventions shared by all kernels.
 *
 * VL        vector width of the blocked layouts (4, 8 or 16)
 * ONN_V     float vector of VL lanes; ONN_LOAD / ONN_STORE need no alignment beyond a float's
 * ONN_IN, ONN_OUT
 *           one tensor argument is a pair: the buffer, and an offset into it in elements
 * ONN_PTR   the address such a pair stands for
 */
#ifndef ONN_TYPES_H
#define ONN_TYPES_H

#ifndef VL
#define VL 8
#endif

#define ONN_CAT_(a, b) a##b
#define ONN_CAT(a, b) ONN_CAT_(a, b)

#define ONN_V ONN_CAT(float, VL)
#define ONN_VI ONN_CAT(int, VL)
#define ONN_LOAD(p) ONN_CAT(vload, VL)(0, (p))
#define ONN_STORE(v, p) ONN_CAT(vstore, VL)((v), 0, (p))
#define ONN_AS_VI(v) ONN_CAT(as_int, VL)(v)
#define ONN_AS_V(v) ONN_CAT(as_float, VL)(v)

#define ONN_IN(T, x) global const T *x##_mem, long x##_off
#define ONN_OUT(T, x) global T *x##_mem, long x##_off
#define ONN_PTR(x) (x##_mem + x##_off)

/* Inlined whatever the compiler thinks of its size: constant arguments have to reach the loops. */
#define ONN_INLINE static inline __attribute__((always_inline))

#define ONN_DIV_UP(a, b) (((a) + (b)-1) / (b))

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

/* The activation behind a result: ONN_EPI_KIND is its number in lib/activation.h, not defined = none. */
#ifdef ONN_EPI_KIND
#include "lib/activation.h"
#ifndef ONN_EPI
#define ONN_EPI(v, kind, a, b) onn_activate((v), ONN_EPI_KIND, (a), (b))
#endif
#endif

#endif
