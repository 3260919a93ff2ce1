/* Element type of float tensors. Arithmetic is always fp32; with ONN_F16 the tensors are stored as half, with
 * ONN_F64 as double.
 *
 * ONN_T            type behind a pointer
 * ONN_GET(p, i)    element i as float
 * ONN_SET(p, i, v) stores v, rounded to nearest even
 * ONN_FINISH(v, a, b) the activation behind a result, a float (compile with ONN_ACT_T=float)
 */
#ifndef ONN_ELEM_H
#define ONN_ELEM_H

#include "lib/epi.h"

#ifdef ONN_F16
#define ONN_T half
#define ONN_GET(p, i) vload_half((i), (p))
#define ONN_SET(p, i, v) vstore_half_rte((v), (i), (p))
#elif defined(ONN_F64)
#include "lib/f64.h"
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
static inline float onn_elem_clip(float v, float lo, float hi)
{
    v = v < lo ? lo : v;
    return v > hi ? hi : v;
}

#endif
