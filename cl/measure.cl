/* What the device reaches: fused multiply-adds, copying, launching.
 * Defines: VW floats per vector of measure_fma (1 4 8 16), CW of measure_copy (4 8 16), GROUP work-items per group. */
#ifndef VW
#define VW 1
#endif
#ifndef CW
#define CW 4
#endif
#ifndef GROUP
#define GROUP 1
#endif
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#if VW == 1
#define FMA_T float
#else
#define FMA_T JOIN(float, VW)
#endif
#define COPY_T JOIN(float, CW)

/* Twelve independent chains hide a latency of six cycles on two units; they and two operands fit 16 registers.
 * 24 fused multiply-adds of VW floats per round; out: one vector per work-item. */
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
measure_fma(__global FMA_T *out, float scale, float shift, int rounds)
{
    FMA_T m = (FMA_T)(scale), s = (FMA_T)(shift);
    FMA_T x0 = s, x1 = s + 1.0f, x2 = s + 2.0f, x3 = s + 3.0f, x4 = s + 4.0f, x5 = s + 5.0f;
    FMA_T x6 = s + 6.0f, x7 = s + 7.0f, x8 = s + 8.0f, x9 = s + 9.0f, xa = s + 10.0f, xb = s + 11.0f;
    for (int i = 0; i < rounds; i++) {
#define STEP                                                                                                 \
    x0 = fma(x0, m, s), x1 = fma(x1, m, s), x2 = fma(x2, m, s), x3 = fma(x3, m, s);                          \
    x4 = fma(x4, m, s), x5 = fma(x5, m, s), x6 = fma(x6, m, s), x7 = fma(x7, m, s);                          \
    x8 = fma(x8, m, s), x9 = fma(x9, m, s), xa = fma(xa, m, s), xb = fma(xb, m, s);
        STEP
        STEP
    }
    out[get_global_id(0)] = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + xa + xb;
}

/* Work-item i copies vectors i * item_stride + j * step, j < count. */
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
measure_copy(__global const COPY_T *from, __global COPY_T *to, int count, int item_stride, int step)
{
    size_t at = get_global_id(0) * (size_t)item_stride;
    for (int j = 0; j < count; j++, at += step)
        to[at] = from[at];
}

/* A launch that does nothing the compiler could know. */
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void measure_empty(__global float *out, int never)
{
    if (never)
        out[get_global_id(0)] = 1.0f;
}
