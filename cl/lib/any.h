/* Tensors of any element type, chosen by -D ONN_DT=n (number of enum oclnn_dtype; default 1, f32).
 *
 * ANY_T             type behind a pointer
 * ANY_A             type of arithmetic: float, int or long; double for f64 where the device has it
 * ANY_F             what is real in it: float or double
 * ANY_GET(p, i)     element i as ANY_A
 * ANY_SET(p, i, v)  stores v of type ANY_A (floats: rounded to nearest even)
 * ANY_LEAST, ANY_MOST  smallest and largest value of the arithmetic (-inf, inf)
 * ANY_VLOAD(p), ANY_VSTORE(v, p)  ONN_V to and from VL adjacent elements: f32 and f16 only
 */
#ifndef ONN_ANY_H
#define ONN_ANY_H

#include "lib/stored.h"
#include "lib/f64.h"

#ifndef ONN_DT
#define ONN_DT 1
#endif

#if ONN_DT == 2 || ONN_DT == 3 || ONN_DT == 4 || ONN_DT == 6
#define ANY_A int
#define ANY_IS_INT 1
#define ANY_LEAST INT_MIN
#define ANY_MOST INT_MAX
#elif ONN_DT == 5
#define ANY_A long
#define ANY_IS_INT 1
#define ANY_LEAST LONG_MIN
#define ANY_MOST LONG_MAX
#elif ONN_DT == 8 && defined(cl_khr_fp64)
#define ANY_A double
#define ANY_F double
#define ANY_IS_INT 0
#define ANY_LEAST (-INFINITY)
#define ANY_MOST INFINITY
#else
#define ANY_A float
#define ANY_IS_INT 0
#define ANY_LEAST (-INFINITY)
#define ANY_MOST INFINITY
#endif

#ifndef ANY_F
#define ANY_F float
#endif

#if ONN_DT == 7
#define ANY_T half
#define ANY_GET(p, i) vload_half((i), (p))
#define ANY_SET(p, i, v) vstore_half_rte((v), (i), (p))
#define ANY_VLOAD(p) onn_load_half(p)
#define ANY_VSTORE(v, p) onn_store_half((v), (p))
#elif ONN_DT == 8 && defined(cl_khr_fp64)
#define ANY_T double
#define ANY_GET(p, i) ((p)[i])
#define ANY_SET(p, i, v) ((p)[i] = (v))
#elif ONN_DT == 8
#define ANY_T ulong
#define ANY_GET(p, i) onn_from_f64((p)[i])
#define ANY_SET(p, i, v) ((p)[i] = onn_to_f64(v))
#elif ONN_DT == 9
#define ANY_T ushort
#define ANY_GET(p, i) as_float((uint)(p)[i] << 16)
#define ANY_SET(p, i, v) ((p)[i] = any_to_bf16(v))
static inline ushort any_to_bf16(const float f)
{
    const uint u = as_uint(f);
    return f == f ? (ushort)((u + 0x7fffu + (u >> 16 & 1u)) >> 16) : (ushort)0x7fc0;
}
#else
#if ONN_DT == 2 || ONN_DT == 6
#define ANY_T uchar
#elif ONN_DT == 3
#define ANY_T char
#elif ONN_DT == 4
#define ANY_T int
#elif ONN_DT == 5
#define ANY_T long
#else
#define ANY_T float
#define ANY_VLOAD(p) ONN_LOAD(p)
#define ANY_VSTORE(v, p) ONN_STORE(v, p)
#endif
#define ANY_GET(p, i) ((ANY_A)(p)[i])
#define ANY_SET(p, i, v) ((p)[i] = (ANY_T)(v))
#endif

#endif
