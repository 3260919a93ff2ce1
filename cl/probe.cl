/* Runs what a device claims to have, with numbers that only the real thing gets right.
 * out[0] fma; out[1] fp16; out[2] fp64; out[3] sub-group sum of the lane numbers, out[4] lanes of a sub-group.
 * a = 3, b = 5, c = 2048. One work-group of any size. Defines: PROBE_FP16, PROBE_FP64, PROBE_SUBGROUPS (default: none).
 * Pragmas for sub-groups, which have several names, come as a prelude. */
#ifdef PROBE_FP16
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#endif
#ifdef PROBE_FP64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
__kernel void probe_check(__global float *out, float a, float b, float c)
{
    float fp16 = 0.0f, fp64 = 0.0f, sum = 0.0f, lanes = 0.0f;
#ifdef PROBE_FP16
    half2 h = (half2)((half)a, (half)b);
    h = h * h + (half2)((half)1);
    half big = (half)c + (half)1; /* rounds to 2048: half has 11 bits */
    fp16 = (float)h.x + (float)h.y + (float)big;
#endif
#ifdef PROBE_FP64
    double d = (double)c;
    d = d * d * d * d;
    fp64 = (float)((d + (double)a) - d); /* 2^44 + 3 needs 45 bits */
#endif
#ifdef PROBE_SUBGROUPS
    sum = sub_group_reduce_add((float)get_sub_group_local_id());
    lanes = (float)get_sub_group_size();
#endif
    if (get_global_id(0) == 0) {
        out[0] = fma(a, b, 1.0f);
        out[1] = fp16;
        out[2] = fp64;
        out[3] = sum;
        out[4] = lanes;
    }
}
