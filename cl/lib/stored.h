/* What kernels on vectors store: float, or with ONN_F16 half. Arithmetic is fp32 either way.
 *
 * ONN_S             type behind a pointer
 * ONN_SLOAD(p)      ONN_V from VL adjacent elements, aligned as an element
 * ONN_SSTORE(v, p)  the other way, rounded to nearest even
 * ONN_SGET(p), ONN_SPUT(v, p)  one element
 * ONN_PACKED(w), ONN_PACKED_OUT(u)  an argument of ONN_S that holds floats: a packing, whatever the tensors' type
 * onn_sload_part(p, n)  VL elements of which only the first n exist; the others read as zero
 *
 * Halves go through the processor's own instruction where the compiler offers it, through the driver's vload_half where it
 * calculates with half, else through integers: vload_half lane by lane is what some drivers make of it.
 */
#ifndef ONN_STORED_H
#define ONN_STORED_H

#include "lib/vec.h"

#define ONN_VU ONN_CAT(uint, VL)
#define ONN_VH ONN_CAT(ushort, VL)

#if defined(__F16C__) && defined(__has_builtin) && VL >= 8
#if __has_builtin(__builtin_ia32_vcvtph2ps256) && __has_builtin(__builtin_ia32_vcvtps2ph256)
#define ONN_F16C 1
typedef short onn_f16c_h __attribute__((vector_size(16)));
typedef float onn_f16c_v __attribute__((vector_size(32)));
ONN_INLINE float8 onn_half_8(const ushort8 h)
{
    return __builtin_astype(__builtin_ia32_vcvtph2ps256(__builtin_astype(h, onn_f16c_h)), float8);
}
ONN_INLINE ushort8 onn_8_half(const float8 v)
{
    return __builtin_astype(__builtin_ia32_vcvtps2ph256(__builtin_astype(v, onn_f16c_v), 0), ushort8);
}
#endif
#endif

ONN_INLINE ONN_V onn_load_half(global const half *p)
{
#if defined(ONN_F16C) && VL == 16
    return (float16)(onn_half_8(vload8(0, (global const ushort *)p)), onn_half_8(vload8(1, (global const ushort *)p)));
#elif defined(ONN_F16C)
    return onn_half_8(vload8(0, (global const ushort *)p));
#elif defined(cl_khr_fp16)
    return ONN_CAT(vload_half, VL)(0, p);
#else
    const ONN_VU u = ONN_CAT(convert_uint, VL)(ONN_CAT(vload, VL)(0, (global const ushort *)p));
    const ONN_VU e = (u & 0x7fffu) << 13;
    const ONN_VU moved = e + (ONN_VU)(112u << 23); /* the exponent's other bias; twice for infinity and NaN */
    const ONN_VU normal = e >= (ONN_VU)(31u << 23) ? moved + (ONN_VU)(112u << 23) : moved;
    /* 2^-14 (1 + m) - 2^-14 is what a mantissa without its one stands for */
    const ONN_V small = ONN_AS_V(e + (ONN_VU)(113u << 23)) - (ONN_V)(0x1p-14f);
    const ONN_VU v = e < (ONN_VU)(1u << 23) ? ONN_CAT(as_uint, VL)(small) : normal;
    return ONN_AS_V(v | (u & 0x8000u) << 16);
#endif
}

ONN_INLINE void onn_store_half(const ONN_V v, global half *p)
{
#if defined(ONN_F16C) && VL == 16
    vstore8(onn_8_half(v.lo), 0, (global ushort *)p);
    vstore8(onn_8_half(v.hi), 1, (global ushort *)p);
#elif defined(ONN_F16C)
    vstore8(onn_8_half(v), 0, (global ushort *)p);
#elif defined(cl_khr_fp16)
    ONN_CAT(ONN_CAT(vstore_half, VL), _rte)(v, 0, p);
#else
    const ONN_VU u = ONN_CAT(as_uint, VL)(v), a = u & 0x7fffffffu;
    const ONN_VU normal = (a - (ONN_VU)(112u << 23) + (ONN_VU)(0xfffu) + (a >> 13 & 1u)) >> 13;
    /* beside 1/2 a float has as many digits as a small half */
    const ONN_VU small = ONN_CAT(as_uint, VL)(ONN_AS_V(a) + (ONN_V)(0.5f)) - (ONN_VU)(126u << 23);
    ONN_VU h = a < (ONN_VU)(113u << 23) ? small : normal;
    h = a >= (ONN_VU)(143u << 23) ? (ONN_VU)(0x7c00u) : h;
    h = a > (ONN_VU)(255u << 23) ? (ONN_VU)(0x7e00u) : h;
    ONN_CAT(vstore, VL)(ONN_CAT(convert_ushort, VL)(h | (u >> 16 & 0x8000u)), 0, (global ushort *)p);
#endif
}

#define ONN_PACKED(w) ((global const float *)ONN_PTR(w))
#define ONN_PACKED_OUT(u) ((global float *)ONN_PTR(u))

#ifdef ONN_F16
#define ONN_S half
#define ONN_SLOAD(p) onn_load_half(p)
#define ONN_SSTORE(v, p) onn_store_half((v), (p))
#define ONN_SGET(p) vload_half(0, (p))
#define ONN_SPUT(v, p) vstore_half_rte((v), 0, (p))
ONN_INLINE ONN_V onn_sload_part(global const half *p, int n)
{
    if (n >= VL)
        return onn_load_half(p);
    float t[VL];
    for (int i = 0; i < VL; i++)
        t[i] = i < n ? vload_half(i, p) : 0.0f;
    return ONN_CAT(vload, VL)(0, t);
}
#else
#define ONN_S float
#define ONN_SLOAD(p) ONN_LOAD(p)
#define ONN_SSTORE(v, p) ONN_STORE(v, p)
#define ONN_SGET(p) (*(p))
#define ONN_SPUT(v, p) (*(p) = (v))
#define onn_sload_part(p, n) onn_load_part((p), (n))
#endif

#endif
