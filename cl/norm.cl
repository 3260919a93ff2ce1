/* Normalisations of rows: y = (x - mean) / sqrt(variance + epsilon) * scale + bias, mean and variance of each row.
 * Instance, layer and group normalisation are all of this kind (struct norm_rows, lib/ops/norm.h).
 *
 * norm_ref       one item per row, any element type. Global {rows}.
 * norm_rows      vector CPUs (f32, f16): an item takes rows_per rows. Local 1.
 * norm_group     GPUs: a work-group of NRM_WG items per row.
 * norm_blocked   instance normalisation of [n][blocks][px][VL], vector CPUs: an item takes a block of channels of one
 *                image. Global {blocks, n}, local 1. Pad lanes stay 0.
 * norm_over      mean-variance normalisation over any dimensions (struct norm_split): one item per kept index.
 * norm_lp        y = x / norm over the middle of [outer][len][inner]; p 1 or 2; a norm of 0 gives 0.
 * Arguments      absent scale, bias: any tensor with flag bit 1, 2 clear; outputs mean and 1/deviation: bits 4, 8.
 * Defines        ONN_DT, VL, NRM_WG (128). Variance is taken in a second pass: no cancellation.
 */
#include "lib/vec.h"
#include "lib/any.h"

#ifndef NRM_WG
#define NRM_WG 128
#endif

struct norm_rows {
    int rows, len, seg, period, channels;
    float epsilon;
};

static inline ANY_F norm_get(global const ANY_T *p, const int i, const int there, const ANY_F otherwise)
{
    return there ? (ANY_F)ANY_GET(p, i) : otherwise;
}

static inline void norm_note(global float *mean_out, global float *dev_out, const int row, const float mean,
                             const float dev, const int flags)
{
    if (flags & 4)
        mean_out[row] = mean;
    if (flags & 8)
        dev_out[row] = dev;
}

kernel void norm_ref(ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, bias), ONN_OUT(ANY_T, y),
                     ONN_OUT(float, mean), ONN_OUT(float, dev), const struct norm_rows g, const int flags)
{
    const int row = (int)get_global_id(0), base = row % g.period * g.channels;
    if (row >= g.rows)
        return;
    global const ANY_T *x = ONN_PTR(x) + (long)row * g.len;
    global ANY_T *y = ONN_PTR(y) + (long)row * g.len;
    ANY_F sum = 0, square = 0;
    for (int i = 0; i < g.len;) {
        ANY_F part = 0;
        for (const int end = min(i + 256, g.len); i < end; i++)
            part += (ANY_F)ANY_GET(x, i);
        sum += part;
    }
    const ANY_F mean = sum / (ANY_F)g.len;
    for (int i = 0; i < g.len;) {
        ANY_F part = 0;
        for (const int end = min(i + 256, g.len); i < end; i++) {
            const ANY_F d = (ANY_F)ANY_GET(x, i) - mean;
            part += d * d;
        }
        square += part;
    }
    const ANY_F dev = 1 / sqrt(square / (ANY_F)g.len + g.epsilon);
    norm_note(ONN_PTR(mean), ONN_PTR(dev), row, mean, dev, flags);
    for (int i = 0; i < g.len; i++) {
        const int c = base + i / g.seg;
        const ANY_F v = ((ANY_F)ANY_GET(x, i) - mean) * dev;
        ANY_SET(y, i, v * norm_get(ONN_PTR(scale), c, flags & 1, 1.0f) + norm_get(ONN_PTR(bias), c, flags & 2, 0.0f));
    }
}

#if ONN_DT == 1 || ONN_DT == 7
/* Sum of x, or of squares of x - mean. */
static inline float norm_sum(global const ANY_T *x, const int len, const float mean, const int square)
{
    ONN_V total = (ONN_V)(0.0f);
    float lane[VL], rest = 0;
    int i = 0;
    while (i + VL <= len) {
        ONN_V part = (ONN_V)(0.0f);
        for (const int end = min(len, i + 64 * VL); i + VL <= end; i += VL) {
            const ONN_V v = ANY_VLOAD(x + i) - (ONN_V)(mean);
            part = square ? fma(v, v, part) : part + v;
        }
        total += part;
    }
    for (; i < len; i++) {
        const float v = ANY_GET(x, i) - mean;
        rest += square ? v * v : v;
    }
    ONN_STORE(total, lane);
    for (int k = 0; k < VL; k++)
        rest += lane[k];
    return rest;
}

kernel void norm_rows(ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, bias), ONN_OUT(ANY_T, y),
                      ONN_OUT(float, mean), ONN_OUT(float, dev), const struct norm_rows g, const int flags,
                      const int rows_per)
{
    const int r0 = (int)get_global_id(0) * rows_per, r1 = min(g.rows, r0 + rows_per);
    global const ANY_T *scale = ONN_PTR(scale), *bias = ONN_PTR(bias);
    for (int row = r0; row < r1; row++) {
        const int base = row % g.period * g.channels;
        global const ANY_T *x = ONN_PTR(x) + (long)row * g.len;
        global ANY_T *y = ONN_PTR(y) + (long)row * g.len;
        const float mean = norm_sum(x, g.len, 0.0f, 0) / (float)g.len;
        const float dev = 1.0f / sqrt(norm_sum(x, g.len, mean, 1) / (float)g.len + g.epsilon);
        norm_note(ONN_PTR(mean), ONN_PTR(dev), row, mean, dev, flags);
        if (g.seg == 1) {
            int i = 0;
            for (; i + VL <= g.len; i += VL) {
                ONN_V v = (ANY_VLOAD(x + i) - (ONN_V)(mean)) * (ONN_V)(dev);
                if (flags & 1)
                    v *= ANY_VLOAD(scale + base + i);
                if (flags & 2)
                    v += ANY_VLOAD(bias + base + i);
                ANY_VSTORE(v, y + i);
            }
            for (; i < g.len; i++) {
                const float v = ((float)ANY_GET(x, i) - mean) * dev;
                ANY_SET(y, i, v * norm_get(scale, base + i, flags & 1, 1.0f) +
                    norm_get(bias, base + i, flags & 2, 0.0f));
            }
            continue;
        }
        for (int s = 0; s * g.seg < g.len; s++) {
            const float a = dev * norm_get(scale, base + s, flags & 1, 1.0f);
            const float b = norm_get(bias, base + s, flags & 2, 0.0f);
            const int end = (s + 1) * g.seg;
            int i = s * g.seg;
            for (; i + VL <= end; i += VL)
                ANY_VSTORE((ANY_VLOAD(x + i) - (ONN_V)(mean)) * (ONN_V)(a) + (ONN_V)(b), y + i);
            for (; i < end; i++)
                ANY_SET(y, i, ((float)ANY_GET(x, i) - mean) * a + b);
        }
    }
}

/* Strides of whole blocks; c: channels that exist. */
kernel void norm_blocked(ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, bias), ONN_OUT(ANY_T, y),
                         const int c, const int px, const long x_sn, const long x_sc, const long y_sn,
                         const long y_sc, const float epsilon, const int flags)
{
    const int cb = (int)get_global_id(0), n = (int)get_global_id(1), left = min(VL, c - cb * VL);
    global const ANY_T *x = ONN_PTR(x) + n * x_sn + cb * x_sc;
    global ANY_T *y = ONN_PTR(y) + n * y_sn + cb * y_sc;
    ONN_V sum = (ONN_V)(0.0f), square = sum;
    float t[VL], u[VL];
    for (int i = 0; i < px;) {
        ONN_V part = (ONN_V)(0.0f);
        for (const int end = min(i + 256, px); i < end; i++)
            part += ANY_VLOAD(x + (long)i * VL);
        sum += part;
    }
    const ONN_V mean = sum / (ONN_V)((float)px);
    for (int i = 0; i < px;) {
        ONN_V part = (ONN_V)(0.0f);
        for (const int end = min(i + 256, px); i < end; i++) {
            const ONN_V d = ANY_VLOAD(x + (long)i * VL) - mean;
            part = fma(d, d, part);
        }
        square += part;
    }
    for (int k = 0; k < VL; k++) {
        t[k] = k < left ? norm_get(ONN_PTR(scale), cb * VL + k, flags & 1, 1.0f) : 0.0f;
        u[k] = k < left ? norm_get(ONN_PTR(bias), cb * VL + k, flags & 2, 0.0f) : 0.0f;
    }
    const ONN_V a = onn_mask(ONN_LOAD(t) / sqrt(square / (ONN_V)((float)px) + (ONN_V)(epsilon)), left);
    const ONN_V b = ONN_LOAD(u);
    for (int i = 0; i < px; i++)
        ANY_VSTORE((ANY_VLOAD(x + (long)i * VL) - mean) * a + b, y + (long)i * VL);
}
#endif

static inline float norm_tree(local float *part, const float mine, const int me)
{
    barrier(CLK_LOCAL_MEM_FENCE);
    part[me] = mine;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = NRM_WG / 2; n > 0; n /= 2) {
        if (me < n)
            part[me] += part[me + n];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return part[0];
}

kernel void norm_group(ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, bias), ONN_OUT(ANY_T, y),
                       ONN_OUT(float, mean), ONN_OUT(float, dev), const struct norm_rows g, const int flags)
{
    local float part[NRM_WG];
    const int row = (int)get_group_id(0), me = (int)get_local_id(0), base = row % g.period * g.channels;
    global const ANY_T *x = ONN_PTR(x) + (long)row * g.len;
    global ANY_T *y = ONN_PTR(y) + (long)row * g.len;
    float sum = 0, square = 0;
    for (int i = me; i < g.len; i += NRM_WG)
        sum += (float)ANY_GET(x, i);
    const float mean = norm_tree(part, sum, me) / (float)g.len;
    for (int i = me; i < g.len; i += NRM_WG) {
        const float d = (float)ANY_GET(x, i) - mean;
        square += d * d;
    }
    const float dev = 1.0f / sqrt(norm_tree(part, square, me) / (float)g.len + g.epsilon);
    if (me == 0)
        norm_note(ONN_PTR(mean), ONN_PTR(dev), row, mean, dev, flags);
    for (int i = me; i < g.len; i += NRM_WG) {
        const int c = base + i / g.seg;
        const float v = ((float)ANY_GET(x, i) - mean) * dev;
        ANY_SET(y, i, v * norm_get(ONN_PTR(scale), c, flags & 1, 1.0f) + norm_get(ONN_PTR(bias), c, flags & 2, 0.0f));
    }
}

struct norm_split {
    int nk, nr, kd[8], rd[8]; /* kept and normalised dimensions, outermost first */
    long k[8], r[8];          /* strides, of x and y alike */
};

static inline long norm_at(const int n, const int *dim, const long *stride, int i)
{
    long at = 0;
    for (int d = n - 1; d >= 0; d--) {
        at += i % dim[d] * stride[d];
        i /= dim[d];
    }
    return at;
}

kernel void norm_over(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), ONN_ARGS(struct norm_split, g), const int groups,
                      const int count)
{
    ONN_TAKE(struct norm_split, g);
    const int o = (int)get_global_id(0);
    if (o >= groups)
        return;
    const long base = norm_at(g.nk, g.kd, g.k, o);
    float sum = 0, square = 0;
    for (int i = 0; i < count;) {
        float part = 0;
        for (const int end = min(i + 256, count); i < end; i++)
            part += (float)ANY_GET(x_mem, x_off + base + norm_at(g.nr, g.rd, g.r, i));
        sum += part;
    }
    const float mean = sum / (float)count;
    for (int i = 0; i < count;) {
        float part = 0;
        for (const int end = min(i + 256, count); i < end; i++) {
            const float d = (float)ANY_GET(x_mem, x_off + base + norm_at(g.nr, g.rd, g.r, i)) - mean;
            part += d * d;
        }
        square += part;
    }
    const float dev = 1.0f / (sqrt(square / (float)count) + 1e-9f);
    for (int i = 0; i < count; i++) {
        const long at = base + norm_at(g.nr, g.rd, g.r, i);
        ANY_SET(y_mem, y_off + at, ((float)ANY_GET(x_mem, x_off + at) - mean) * dev);
    }
}

kernel void norm_lp(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const int rows, const int len, const int inner, const int p)
{
    const int r = (int)get_global_id(0);
    if (r >= rows)
        return;
    const long at = (long)(r / inner) * len * inner + r % inner;
    float sum = 0;
    for (int i = 0; i < len; i++) {
        const float v = (float)ANY_GET(x_mem, x_off + at + (long)i * inner);
        sum += p == 1 ? fabs(v) : v * v;
    }
    const float norm = p == 1 ? sum : sqrt(sum);
    for (int i = 0; i < len; i++) {
        const float v = (float)ANY_GET(x_mem, x_off + at + (long)i * inner);
        ANY_SET(y_mem, y_off + at + (long)i * inner, norm == 0 ? 0.0f : v / norm);
    }
}
