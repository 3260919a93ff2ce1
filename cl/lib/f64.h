/* f64 as bits, for devices that do not calculate with it: tensors are stored in it, arithmetic is fp32. Beyond float's range:
 * infinity, zero.
 *
 * onn_from_f64(bits)  the nearest float
 * onn_to_f64(f)       the bits of f, exactly
 */
#ifndef ONN_F64_H
#define ONN_F64_H

#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

static inline float onn_from_f64(const ulong d)
{
    const uint sign = (uint)(d >> 32) & 0x80000000u;
    const int e = (int)(d >> 52 & 0x7ff) - 1023;
    const ulong m = d & 0xfffffffffffffUL;
    if (e == 1024)
        return as_float(sign | 0x7f800000u | (m ? 0x400000u : 0u));
    if (e < -126)
        return as_float(sign | as_uint(ldexp((float)(m >> 28 | 0x1000000UL), max(e, -300) - 24)));
    const ulong r = ((ulong)(e + 127) << 52 | m) + 0xfffffffUL + (m >> 29 & 1UL);
    return e > 127 ? as_float(sign | 0x7f800000u) : as_float(sign | (uint)(r >> 29));
}

static inline ulong onn_to_f64(const float f)
{
    const uint u = as_uint(f), a = u & 0x7fffffffu;
    const ulong sign = (ulong)(u & 0x80000000u) << 32;
    if (a == 0)
        return sign;
    if (a >= 0x7f800000u)
        return sign | 0x7ff0000000000000UL | (ulong)(a & 0x7fffffu) << 29;
    if (a >= 0x800000u)
        return sign | (((ulong)a << 29) + (896UL << 52));
    const int z = (int)clz(a) - 8;
    return sign | (ulong)(897 - z) << 52 | (((ulong)a << (29 + z)) & 0xfffffffffffffUL);
}

#endif
