/* Batch normalisation in training, and its gradient.
 *
 * bn_parts       mean and sum of squared deviations of a piece of at most 1024 pixels of one image. Passes
 * bn_statistics  one channel per item: the parts put together in order (Chan's formula), running values. Global {c}
 * bn_normalise   y = (x - mean) * dev * scale + bias, + res, clipped to [lo, hi]. Passes
 * bn_dx_parts    sums of dy and dy (x - mean) dev over a piece. Passes. Here and in bn_dx: mask 1 takes dy as 0 where y <= 0,
 *                mask 2 where not lo < y < hi; y is computed as in bn_normalise, without res and clip.
 * bn_dx_sums     one channel per item: their sums = dbias, dscale. Global {c}
 * bn_dx          dx = scale dev (dy - dbias / m - x' dscale / m), m values per channel. Passes
 * bn_whole       the first three in one launch, bn_dx_whole the last three: an item has VL channels of all images, so that the
 *                second pass, from the last image back, finds what is left of the first in the caches. Global {ceil(c / VL)}
 * Layout         strides of image, channel (block) and pixel; VL channels lie side by side (BN_SCALAR: any strides).
 * Passes         global { pieces, ceil(c / VL), n } (BN_SCALAR: { pieces, c, n }), any local size. Lanes behind the last channel are written as 0.
 * Parts          [image * pieces + piece][2][padded c] floats; sums and statistics: [2][c] floats.
 * Defines        ONN_DT (lib/any.h: f32; f16 with BN_SCALAR), VL, BN_SCALAR: one channel per item.
 */
#include "lib/vec.h"
#include "lib/any.h"

#ifndef BN_SCALAR
#define BN_W VL
#define BN_KERNEL __attribute__((reqd_work_group_size(1, 1, 1))) kernel
#define BN_V ONN_V
#define BN_LOAD(p) ANY_VLOAD(p)
#define BN_STORE(v, p) ANY_VSTORE(v, p)
#define BN_SAVE(v, p) ONN_STORE(v, p)
#define BN_PART(p, left) onn_load_part(p, left)
#define BN_MASK(v, left) onn_mask(v, left)
#else
#define BN_W 1
#define BN_KERNEL kernel
#define BN_V float
#define BN_LOAD(p) ((float)ANY_GET(p, 0))
#define BN_STORE(v, p) ANY_SET(p, 0, v)
#define BN_SAVE(v, p) (*(p) = (v))
#define BN_PART(p, left) (*(p))
#define BN_MASK(v, left) ((void)(left), (v))
#endif
#define BN_PIECE 1024
#define BN_SHORT 256 /* of a piece that is read twice: it stays in the nearest cache */

struct bn_args {
    int n, c, px, pieces, parts, outs, has_res, mask;
    float epsilon, momentum, lo, hi;
    long x_s[3], y_s[3], z_s[3];
};

static inline int bn_padded(const int c)
{
    return ONN_DIV_UP(c, BN_W) * BN_W;
}

/* Mean and squared deviations of `count` pixels. Four sums each: one alone would wait for its last addition. */
static inline void bn_piece(global const ANY_T *x, const long step, const int count, BN_V *mean, BN_V *square)
{
    BN_V s0 = (BN_V)(0.0f), s1 = s0, s2 = s0, s3 = s0;
    int p = 0;
    for (; p + 4 <= count; p += 4) {
        s0 += BN_LOAD(x + p * step);
        s1 += BN_LOAD(x + (p + 1) * step);
        s2 += BN_LOAD(x + (p + 2) * step);
        s3 += BN_LOAD(x + (p + 3) * step);
    }
    for (; p < count; p++)
        s0 += BN_LOAD(x + p * step);
    const BN_V m = (s0 + s1 + (s2 + s3)) / (BN_V)((float)count);
    s0 = s1 = s2 = s3 = (BN_V)(0.0f);
    for (p = 0; p + 4 <= count; p += 4) {
        const BN_V d0 = BN_LOAD(x + p * step) - m, d1 = BN_LOAD(x + (p + 1) * step) - m;
        const BN_V d2 = BN_LOAD(x + (p + 2) * step) - m, d3 = BN_LOAD(x + (p + 3) * step) - m;
        s0 = fma(d0, d0, s0);
        s1 = fma(d1, d1, s1);
        s2 = fma(d2, d2, s2);
        s3 = fma(d3, d3, s3);
    }
    for (; p < count; p++) {
        const BN_V d = BN_LOAD(x + p * step) - m;
        s0 = fma(d, d, s0);
    }
    *mean = m;
    *square = s0 + s1 + (s2 + s3);
}

BN_KERNEL void bn_parts(ONN_IN(ANY_T, x), ONN_OUT(float, part), const struct bn_args a)
{
    const int piece = get_global_id(0), cb = get_global_id(1), n = get_global_id(2);
    const int p0 = piece * BN_PIECE, p1 = min(p0 + BN_PIECE, a.px);
    global const ANY_T *x = ONN_PTR(x) + n * a.x_s[0] + cb * a.x_s[1];
    global float *out = ONN_PTR(part) + (long)(n * a.pieces + piece) * 2 * bn_padded(a.c) + cb * BN_W;
    BN_V mean, square;
    bn_piece(x + p0 * a.x_s[2], a.x_s[2], p1 - p0, &mean, &square);
    BN_SAVE(mean, out);
    BN_SAVE(square, out + bn_padded(a.c));
}

BN_KERNEL void bn_statistics(ONN_IN(float, part), ONN_IN(ANY_T, running_mean), ONN_IN(ANY_T, running_var),
                          ONN_OUT(ANY_T, new_mean), ONN_OUT(ANY_T, new_var), ONN_OUT(ANY_T, mean), ONN_OUT(ANY_T, dev),
                          ONN_OUT(float, kept), const struct bn_args a)
{
    const int c = get_global_id(0), padded = bn_padded(a.c);
    if (c >= a.c)
        return;
    float mean = 0.0f, square = 0.0f, count = 0.0f;
    for (int i = 0; i < a.parts; i++) {
        global const float *p = ONN_PTR(part) + (long)i * 2 * padded + c;
        const int piece = i % a.pieces;
        const float more = (float)min(BN_PIECE, a.px - piece * BN_PIECE), all = count + more, d = p[0] - mean;
        mean += d * (more / all);
        square += p[padded] + d * d * (count * more / all);
        count = all;
    }
    const float variance = square / count, dev = 1.0f / sqrt(variance + a.epsilon);
    if (a.outs & 2)
        ANY_SET(ONN_PTR(new_mean), c, (float)ANY_GET(ONN_PTR(running_mean), c) * a.momentum + mean * (1.0f - a.momentum));
    if (a.outs & 4)
        ANY_SET(ONN_PTR(new_var), c, (float)ANY_GET(ONN_PTR(running_var), c) * a.momentum + variance * (1.0f - a.momentum));
    if (a.outs & 8)
        ANY_SET(ONN_PTR(mean), c, mean);
    if (a.outs & 16)
        ANY_SET(ONN_PTR(dev), c, dev);
    ONN_PTR(kept)[c] = mean;
    ONN_PTR(kept)[a.c + c] = dev;
}

/* BN_W numbers of a vector of c, from channel cb * BN_W on. */
static inline BN_V bn_channels(global const float *p, const int cb, const int c)
{
    return BN_PART(p + cb * BN_W, c - cb * BN_W);
}
#ifndef BN_SCALAR
#define BN_CHANNELS(p, cb, c) bn_channels(p, cb, c)
#else
#define BN_CHANNELS(p, cb, c) ((float)ANY_GET(p, cb))
#endif

/* The one place where y is computed from x - mean: the mask of a gradient has to agree with it in every bit, so what is
 * contracted is not left to the compiler. */
static inline BN_V bn_affine(const BN_V centred, const BN_V factor, const BN_V bias)
{
    return fma(centred, factor, bias);
}

/* y of pixels p0 … p1 - 1. */
static inline void bn_normalise_piece(global const ANY_T *x, global const ANY_T *res, global ANY_T *y, const int p0,
                                      const int p1, const BN_V mean, const BN_V factor, const BN_V bias,
                                      const int left, const struct bn_args *a)
{
    const BN_V lo = (BN_V)(a->lo), hi = (BN_V)(a->hi);
    for (int p = p0; p < p1; p++) {
        BN_V v = bn_affine(BN_LOAD(x + p * a->x_s[2]) - mean, factor, bias);
        if (a->has_res)
            v += BN_LOAD(res + p * a->z_s[2]);
        v = v < lo ? lo : v; /* NaN stays NaN */
        BN_STORE(BN_MASK(v > hi ? hi : v, left), y + p * a->y_s[2]);
    }
}

static inline BN_V bn_slope(const BN_V d, const BN_V y, const struct bn_args *a)
{
    const BN_V zero = (BN_V)(0.0f);
    if (a->mask == 1)
        return y <= zero ? zero : d;
    if (a->mask == 2)
        return ((y > (BN_V)(a->lo)) & (y < (BN_V)(a->hi))) ? d : zero;
    return d;
}

BN_KERNEL void bn_normalise(ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, bias), ONN_IN(float, kept),
                         ONN_IN(ANY_T, res), ONN_OUT(ANY_T, y), const struct bn_args a)
{
    const int cb = get_global_id(1), n = get_global_id(2), left = a.c - cb * BN_W;
    const int p0 = get_global_id(0) * BN_PIECE, p1 = min(p0 + BN_PIECE, a.px);
    global const ANY_T *x = ONN_PTR(x) + n * a.x_s[0] + cb * a.x_s[1];
    global const ANY_T *res = ONN_PTR(res) + n * a.z_s[0] + cb * a.z_s[1];
    global ANY_T *y = ONN_PTR(y) + n * a.y_s[0] + cb * a.y_s[1];
    const BN_V mean = bn_channels(ONN_PTR(kept), cb, a.c);
    const BN_V factor = BN_CHANNELS(ONN_PTR(scale), cb, a.c) * bn_channels(ONN_PTR(kept) + a.c, cb, a.c);
    const BN_V bias = BN_CHANNELS(ONN_PTR(bias), cb, a.c);
    bn_normalise_piece(x, res, y, p0, p1, mean, factor, bias, left, &a);
}

/* Sums of dy and dy (x - mean) over pixels p0 … p1 - 1. */
static inline void bn_dx_piece(global const ANY_T *dy, global const ANY_T *x, const int p0, const int p1, const BN_V mean,
                               const BN_V factor, const BN_V bias, const struct bn_args *a, BN_V *sum, BN_V *moment)
{
    *sum = *moment = (BN_V)(0.0f);
    for (int p = p0; p < p1;) {
        BN_V s = (BN_V)(0.0f), m = (BN_V)(0.0f);
        for (const int end = min(p + 128, p1); p < end; p++) {
            const BN_V centred = BN_LOAD(x + p * a->x_s[2]) - mean;
            const BN_V d = bn_slope(BN_LOAD(dy + p * a->y_s[2]), bn_affine(centred, factor, bias), a);
            s += d;
            m = fma(d, centred, m);
        }
        *sum += s;
        *moment += m;
    }
}

/* dx of pixels p0 … p1 - 1; flat and slope: what the gradients of bias and scale take off. */
static inline void bn_dx_write(global const ANY_T *dy, global const ANY_T *x, global ANY_T *dx, const int p0, const int p1,
                               const BN_V mean, const BN_V factor, const BN_V bias, const BN_V flat, const BN_V slope,
                               const int left, const struct bn_args *a)
{
    for (int p = p0; p < p1; p++) {
        const BN_V centred = BN_LOAD(x + p * a->x_s[2]) - mean;
        const BN_V d = bn_slope(BN_LOAD(dy + p * a->y_s[2]), bn_affine(centred, factor, bias), a);
        BN_STORE(BN_MASK((d - flat - centred * slope) * factor, left), dx + p * a->z_s[2]);
    }
}

BN_KERNEL void bn_dx_parts(ONN_IN(ANY_T, dy), ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, mean),
                        ONN_IN(ANY_T, dev), ONN_IN(ANY_T, bias), ONN_OUT(float, part), const struct bn_args a)
{
    const int piece = get_global_id(0), cb = get_global_id(1), n = get_global_id(2);
    const int p0 = piece * BN_PIECE, p1 = min(p0 + BN_PIECE, a.px);
    global const ANY_T *x = ONN_PTR(x) + n * a.x_s[0] + cb * a.x_s[1];
    global const ANY_T *dy = ONN_PTR(dy) + n * a.y_s[0] + cb * a.y_s[1];
    global float *out = ONN_PTR(part) + (long)(n * a.pieces + piece) * 2 * bn_padded(a.c) + cb * BN_W;
    const BN_V mean = BN_CHANNELS(ONN_PTR(mean), cb, a.c), dev = BN_CHANNELS(ONN_PTR(dev), cb, a.c);
    const BN_V factor = BN_CHANNELS(ONN_PTR(scale), cb, a.c) * dev, bias = BN_CHANNELS(ONN_PTR(bias), cb, a.c);
    BN_V sum, moment;
    bn_dx_piece(dy, x, p0, p1, mean, factor, bias, &a, &sum, &moment);
    BN_SAVE(sum, out);
    BN_SAVE(moment * dev, out + bn_padded(a.c));
}

BN_KERNEL void bn_dx_sums(ONN_IN(float, part), ONN_OUT(ANY_T, dscale), ONN_OUT(ANY_T, dbias), ONN_OUT(float, kept),
                       const struct bn_args a)
{
    const int c = get_global_id(0), padded = bn_padded(a.c);
    if (c >= a.c)
        return;
    float sum = 0.0f, moment = 0.0f;
    for (int i = 0; i < a.parts; i++) {
        sum += ONN_PTR(part)[(long)i * 2 * padded + c];
        moment += ONN_PTR(part)[((long)i * 2 + 1) * padded + c];
    }
    if (a.outs & 2)
        ANY_SET(ONN_PTR(dscale), c, moment);
    if (a.outs & 4)
        ANY_SET(ONN_PTR(dbias), c, sum);
    ONN_PTR(kept)[c] = sum;
    ONN_PTR(kept)[a.c + c] = moment;
}

BN_KERNEL void bn_dx(ONN_IN(ANY_T, dy), ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, mean), ONN_IN(ANY_T, dev),
                  ONN_IN(ANY_T, bias), ONN_IN(float, kept), ONN_OUT(ANY_T, dx), const struct bn_args a)
{
    const int cb = get_global_id(1), n = get_global_id(2), left = a.c - cb * BN_W;
    const int p0 = get_global_id(0) * BN_PIECE, p1 = min(p0 + BN_PIECE, a.px);
    global const ANY_T *x = ONN_PTR(x) + n * a.x_s[0] + cb * a.x_s[1];
    global const ANY_T *dy = ONN_PTR(dy) + n * a.y_s[0] + cb * a.y_s[1];
    global ANY_T *dx = ONN_PTR(dx) + n * a.z_s[0] + cb * a.z_s[1];
    const float part = 1.0f / ((float)a.n * (float)a.px);
    const BN_V mean = BN_CHANNELS(ONN_PTR(mean), cb, a.c), dev = BN_CHANNELS(ONN_PTR(dev), cb, a.c);
    const BN_V factor = BN_CHANNELS(ONN_PTR(scale), cb, a.c) * dev, bias = BN_CHANNELS(ONN_PTR(bias), cb, a.c);
    const BN_V flat = bn_channels(ONN_PTR(kept), cb, a.c) * (BN_V)(part);
    const BN_V slope = bn_channels(ONN_PTR(kept) + a.c, cb, a.c) * dev * (BN_V)(part);
    bn_dx_write(dy, x, dx, p0, p1, mean, factor, bias, flat, slope, left, &a);
}

#ifndef BN_SCALAR
/* Lanes below `left` as numbers of an argument. */
static inline void bn_set(global ANY_T *to, const int first, const int left, const BN_V v)
{
    float t[VL];
    ONN_STORE(v, t);
    for (int i = 0; i < min(VL, left); i++)
        ANY_SET(to, first + i, t[i]);
}

BN_KERNEL void bn_whole(ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, bias), ONN_IN(ANY_T, running_mean),
                        ONN_IN(ANY_T, running_var), ONN_IN(ANY_T, res), ONN_OUT(ANY_T, y), ONN_OUT(ANY_T, new_mean),
                        ONN_OUT(ANY_T, new_var), ONN_OUT(ANY_T, mean), ONN_OUT(ANY_T, dev), const struct bn_args a)
{
    const int cb = get_global_id(0), c0 = cb * VL, left = a.c - c0;
    global const ANY_T *x = ONN_PTR(x) + cb * a.x_s[1], *res = ONN_PTR(res) + cb * a.z_s[1];
    global ANY_T *y = ONN_PTR(y) + cb * a.y_s[1];
    BN_V mean = (BN_V)(0.0f), square = mean;
    float count = 0.0f;
    for (int n = 0; n < a.n; n++)
        for (int p = 0; p < a.px; p += BN_SHORT) {
            const int here = min(BN_SHORT, a.px - p);
            const float more = (float)here, all = count + more;
            BN_V m, s;
            bn_piece(x + n * a.x_s[0] + p * a.x_s[2], a.x_s[2], here, &m, &s);
            const BN_V d = m - mean;
            mean += d * (BN_V)(more / all);
            square += s + d * d * (BN_V)(count * more / all);
            count = all;
        }
    const BN_V variance = square / (BN_V)(count), one = (BN_V)(1.0f), keep = (BN_V)(a.momentum);
    const BN_V dev = one / sqrt(variance + (BN_V)(a.epsilon));
    if (a.outs & 2)
        bn_set(ONN_PTR(new_mean), c0, left, BN_CHANNELS(ONN_PTR(running_mean), cb, a.c) * keep + mean * (one - keep));
    if (a.outs & 4)
        bn_set(ONN_PTR(new_var), c0, left, BN_CHANNELS(ONN_PTR(running_var), cb, a.c) * keep + variance * (one - keep));
    if (a.outs & 8)
        bn_set(ONN_PTR(mean), c0, left, mean);
    if (a.outs & 16)
        bn_set(ONN_PTR(dev), c0, left, dev);
    const BN_V factor = BN_CHANNELS(ONN_PTR(scale), cb, a.c) * dev, bias = BN_CHANNELS(ONN_PTR(bias), cb, a.c);
    for (int n = a.n - 1; n >= 0; n--)
        bn_normalise_piece(x + n * a.x_s[0], res + n * a.z_s[0], y + n * a.y_s[0], 0, a.px, mean, factor, bias, left, &a);
}

BN_KERNEL void bn_dx_whole(ONN_IN(ANY_T, dy), ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, mean),
                           ONN_IN(ANY_T, dev), ONN_IN(ANY_T, bias), ONN_OUT(ANY_T, dx), ONN_OUT(ANY_T, dscale),
                           ONN_OUT(ANY_T, dbias), const struct bn_args a)
{
    const int cb = get_global_id(0), c0 = cb * VL, left = a.c - c0;
    global const ANY_T *x = ONN_PTR(x) + cb * a.x_s[1], *dy = ONN_PTR(dy) + cb * a.y_s[1];
    global ANY_T *dx = ONN_PTR(dx) + cb * a.z_s[1];
    const BN_V part = (BN_V)(1.0f / ((float)a.n * (float)a.px));
    const BN_V mean = BN_CHANNELS(ONN_PTR(mean), cb, a.c), dev = BN_CHANNELS(ONN_PTR(dev), cb, a.c);
    const BN_V factor = BN_CHANNELS(ONN_PTR(scale), cb, a.c) * dev, bias = BN_CHANNELS(ONN_PTR(bias), cb, a.c);
    BN_V sum = (BN_V)(0.0f), moment = sum;
    for (int n = 0; n < a.n; n++)
        for (int p = 0; p < a.px; p += BN_PIECE) {
            BN_V s, m;
            bn_dx_piece(dy + n * a.y_s[0], x + n * a.x_s[0], p, min(p + BN_PIECE, a.px), mean, factor, bias, &a, &s, &m);
            sum += s;
            moment += m * dev;
        }
    if (a.outs & 2)
        bn_set(ONN_PTR(dscale), c0, left, moment);
    if (a.outs & 4)
        bn_set(ONN_PTR(dbias), c0, left, sum);
    for (int n = a.n - 1; n >= 0; n--)
        bn_dx_write(dy + n * a.y_s[0], x + n * a.x_s[0], dx + n * a.z_s[0], 0, a.px, mean, factor, bias, sum * part,
                    moment * dev * part, left, &a);
}
#endif
