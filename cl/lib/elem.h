/* Element type of float tensors. With ONN_F16 they are stored as half and computed in fp32, with ONN_F64 stored and computed
 * as double; a device without that stores their bits and computes in fp32.
 *
 * ONN_T            type behind a pointer
 * ONN_A            type of arithmetic: float or double
 * ONN_GET(p, i)    element i as ONN_A
 * ONN_SET(p, i, v) stores v, rounded to nearest even
 * ONN_FINISH(v, a, b) the activation behind a result (compile with ONN_ACT_T=float or double)
 */
#ifndef ONN_ELEM_H
#define ONN_ELEM_H

#include "lib/epi.h"

#include "lib/f64.h"

#if defined(ONN_F64) && defined(cl_khr_fp64)
#define ONN_A double
#else
#define ONN_A float
#endif

#ifdef ONN_F16
#define ONN_T half
#define ONN_GET(p, i) vload_half((i), (p))
#define ONN_SET(p, i, v) vstore_half_rte((v), (i), (p))
#elif defined(ONN_F64) && defined(cl_khr_fp64)
#define ONN_T double
#define ONN_GET(p, i) ((p)[i])
#define ONN_SET(p, i, v) ((p)[i] = (v))
#elif defined(ONN_F64)
#define ONN_T ulong
#define ONN_GET(p, i) onn_from_f64((p)[i])
#define ONN_SET(p, i, v) ((p)[i] = onn_to_f64(v))
#else
#define ONN_T float
#define ONN_GET(p, i) ((p)[i])
#define ONN_SET(p, i, v) ((p)[i] = (v))
#endif

#ifdef ONN_EPI
#define ONN_FINISH(v, a, b) ONN_EPI((v), 0, (a), (b))
#else
#define ONN_FINISH(v, a, b) (v)
#endif

/* Clip by comparisons: NaN passes. */
static inline ONN_A onn_elem_clip(ONN_A v, float lo, float hi)
{
    v = v < lo ? lo : v;
    return v > hi ? hi : v;
}

#endif
