/* Batch normalisation in training, and its gradient, for GPUs: plain and channels last.
 *
 * bng_parts      mean and sum of squared deviations of one part of a channel's pixels (all images)
 * bng_normalise  y = (x - mean) * dev * scale + bias, + res, clipped to [lo, hi]; its first part writes the statistics
 * bng_dx_parts   sums of dy and dy (x - mean) dev of a part. Here and in bng_dx: mask 1 takes dy as 0 where y <= 0, mask 2
 *                where not lo < y < hi; y is computed as in bng_normalise, without res and clip
 * bng_dx         dx = scale dev (dy - dbias / m - x' dscale / m), m pixels; its first part writes dbias = sum of dy, dscale
 * Method         a work-group of BNG_WG items takes a part of BNG_LANES channels, BNG_ROWS = BNG_WG / BNG_LANES pixels at a
 *                time: BNG_LANES is 1 where pixels are neighbours in memory, more where channels are. Where there is one
 *                part, the second kernel sums up for itself and the first is not run. Sums: items, then a tree; parts in
 *                the same way. Means and deviations are put together by Chan's formula: no cancellation.
 * Work           global { BNG_WG * ceil(c / BNG_LANES) * parts }, groups of BNG_WG.
 * Layout         strides of image, channel, pixel. part: [part][2][c] floats, any tensor where there is one part.
 * Defines        ONN_DT (lib/any.h: f32, f16), BNG_WG (256), BNG_LANES (1): powers of two. Local memory: 12 * BNG_WG bytes.
 */
#include "lib/any.h"
#include "lib/types.h"

#ifndef BNG_WG
#define BNG_WG 256
#endif
#ifndef BNG_LANES
#define BNG_LANES 1
#endif
#define BNG_ROWS (BNG_WG / BNG_LANES)
#define BNG_AHEAD 4 /* pixels that an item loads before it looks at them */
#define BNG_KERNEL __attribute__((reqd_work_group_size(BNG_WG, 1, 1))) kernel

struct bng_args {
    int n, c, px, part, parts, step_n, step_px, outs, has_res, mask; /* part: pixels of one; steps: BNG_ROWS pixels */
    float epsilon, momentum, lo, hi;
    long x_s[3], y_s[3], z_s[3]; /* y: or dy; z: dx or what is added */
};

/* What an item works on: its channel, and a pixel of its part. */
struct bng_at {
    int c, here; /* here: the channel exists */
    int part, i, end, n, px;
};

static inline struct bng_at bng_begin(const struct bng_args *a)
{
    const int tiles = ONN_DIV_UP(a->c, BNG_LANES), group = (int)get_group_id(0), me = (int)get_local_id(0);
    const int c = group % tiles * BNG_LANES + me % BNG_LANES, part = group / tiles;
    const int begin = part * a->part, i = begin + me / BNG_LANES;
    const struct bng_at at = {min(c, a->c - 1), c < a->c, part, i, min(begin + a->part, a->n * a->px), i / a->px, i % a->px};
    return at;
}

ONN_INLINE void bng_next(const struct bng_args *a, struct bng_at *at)
{
    const int over = at->px + a->step_px >= a->px;
    at->i += BNG_ROWS;
    at->px += a->step_px - (over ? a->px : 0);
    at->n += a->step_n + over;
}

ONN_INLINE long bng_of(const long *s, const struct bng_at *at)
{
    return at->n * s[0] + at->c * s[1] + at->px * s[2];
}

/* Are there BNG_AHEAD pixels left for this item? */
ONN_INLINE int bng_many(const struct bng_at *at)
{
    return at->i + (BNG_AHEAD - 1) * BNG_ROWS < at->end;
}

/* ---- statistics ---- */
struct bng_stat {
    float mean, square, count;
};

static inline struct bng_stat bng_join(const struct bng_stat a, const struct bng_stat b)
{
    const float all = a.count + b.count, share = all > 0.0f ? b.count / all : 0.0f, d = b.mean - a.mean;
    const struct bng_stat s = {a.mean + d * share, a.square + b.square + d * d * (a.count * share), all};
    return s;
}

static inline struct bng_stat bng_of_pixels(global const ANY_T *x, const struct bng_args *a, struct bng_at at)
{
    struct bng_stat stat = {0.0f, 0.0f, 0.0f};
    for (; bng_many(&at);) {
        float v[BNG_AHEAD], sum = 0.0f, square = 0.0f;
#pragma unroll
        for (int k = 0; k < BNG_AHEAD; k++) {
            v[k] = (float)ANY_GET(x, bng_of(a->x_s, &at));
            bng_next(a, &at);
        }
#pragma unroll
        for (int k = 0; k < BNG_AHEAD; k++)
            sum += v[k];
        const float mean = sum * (1.0f / BNG_AHEAD);
#pragma unroll
        for (int k = 0; k < BNG_AHEAD; k++)
            square = fma(v[k] - mean, v[k] - mean, square);
        const struct bng_stat more = {mean, square, BNG_AHEAD};
        stat = bng_join(stat, more);
    }
    for (; at.i < at.end; bng_next(a, &at)) {
        const struct bng_stat more = {(float)ANY_GET(x, bng_of(a->x_s, &at)), 0.0f, 1.0f};
        stat = bng_join(stat, more);
    }
    return stat;
}

static inline struct bng_stat bng_of_parts(global const float *part, const struct bng_args *a, const int c)
{
    struct bng_stat stat = {0.0f, 0.0f, 0.0f};
    for (int i = (int)get_local_id(0) / BNG_LANES; i < a->parts; i += BNG_ROWS) {
        const float count = (float)(min((i + 1) * a->part, a->n * a->px) - i * a->part);
        const struct bng_stat more = {part[2 * i * a->c + c], part[(2 * i + 1) * a->c + c], count};
        stat = bng_join(stat, more);
    }
    return stat;
}

/* Every item gets what all items of its channel have together. */
static inline struct bng_stat bng_tree(struct bng_stat own, local float *mean, local float *square, local float *count)
{
    const int me = (int)get_local_id(0);
    mean[me] = own.mean;
    square[me] = own.square;
    count[me] = own.count;
    for (int reach = BNG_WG / 2; reach >= BNG_LANES; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < reach) {
            const struct bng_stat a = {mean[me], square[me], count[me]};
            const struct bng_stat b = {mean[me + reach], square[me + reach], count[me + reach]};
            const struct bng_stat s = bng_join(a, b);
            mean[me] = s.mean;
            square[me] = s.square;
            count[me] = s.count;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const struct bng_stat all = {mean[me % BNG_LANES], square[me % BNG_LANES], count[me % BNG_LANES]};
    return all;
}

BNG_KERNEL void bng_parts(ONN_IN(ANY_T, x), ONN_OUT(float, part), const struct bng_args a)
{
    local float mean[BNG_WG], square[BNG_WG], count[BNG_WG];
    const struct bng_at at = bng_begin(&a);
    const struct bng_stat s = bng_tree(bng_of_pixels(ONN_PTR(x), &a, at), mean, square, count);
    if (get_local_id(0) >= BNG_LANES || !at.here)
        return;
    ONN_PTR(part)[2 * at.part * a.c + at.c] = s.mean;
    ONN_PTR(part)[(2 * at.part + 1) * a.c + at.c] = s.square;
}

/* The gradient's mask has to agree with the fma in every bit. NaN stays NaN. */
ONN_INLINE float bng_y(const float centred, const float factor, const float bias, const float res, const struct bng_args *a)
{
    const float v = fma(centred, factor, bias) + res, low = v < a->lo ? a->lo : v;
    return low > a->hi ? a->hi : low;
}

BNG_KERNEL void bng_normalise(ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, bias), ONN_IN(ANY_T, running_mean),
                              ONN_IN(ANY_T, running_var), ONN_IN(ANY_T, res), ONN_IN(float, part), ONN_OUT(ANY_T, y),
                              ONN_OUT(ANY_T, new_mean), ONN_OUT(ANY_T, new_var), ONN_OUT(ANY_T, mean), ONN_OUT(ANY_T, dev),
                              const struct bng_args a)
{
    local float means[BNG_WG], squares[BNG_WG], counts[BNG_WG];
    struct bng_at at = bng_begin(&a);
    struct bng_stat s;
    if (a.parts == 1)
        s = bng_of_pixels(ONN_PTR(x), &a, at);
    else
        s = bng_of_parts(ONN_PTR(part), &a, at.c);
    s = bng_tree(s, means, squares, counts);
    const float variance = s.square / s.count, dev = 1.0f / sqrt(variance + a.epsilon);
    if (at.part == 0 && get_local_id(0) < BNG_LANES && at.here) {
        if (a.outs & 2)
            ANY_SET(ONN_PTR(new_mean), at.c,
                    (float)ANY_GET(ONN_PTR(running_mean), at.c) * a.momentum + s.mean * (1.0f - a.momentum));
        if (a.outs & 4)
            ANY_SET(ONN_PTR(new_var), at.c,
                    (float)ANY_GET(ONN_PTR(running_var), at.c) * a.momentum + variance * (1.0f - a.momentum));
        if (a.outs & 8)
            ANY_SET(ONN_PTR(mean), at.c, s.mean);
        if (a.outs & 16)
            ANY_SET(ONN_PTR(dev), at.c, dev);
    }
    const float factor = (float)ANY_GET(ONN_PTR(scale), at.c) * dev, bias = (float)ANY_GET(ONN_PTR(bias), at.c);
    for (; bng_many(&at);) {
        float v[BNG_AHEAD], r[BNG_AHEAD];
        long to[BNG_AHEAD];
#pragma unroll
        for (int k = 0; k < BNG_AHEAD; k++) {
            v[k] = (float)ANY_GET(ONN_PTR(x), bng_of(a.x_s, &at));
            r[k] = a.has_res ? (float)ANY_GET(ONN_PTR(res), bng_of(a.z_s, &at)) : 0.0f;
            to[k] = bng_of(a.y_s, &at);
            bng_next(&a, &at);
        }
#pragma unroll
        for (int k = 0; k < BNG_AHEAD; k++)
            if (at.here)
                ANY_SET(ONN_PTR(y), to[k], bng_y(v[k] - s.mean, factor, bias, r[k], &a));
    }
    for (; at.i < at.end; bng_next(&a, &at)) {
        const float r = a.has_res ? (float)ANY_GET(ONN_PTR(res), bng_of(a.z_s, &at)) : 0.0f;
        if (at.here)
            ANY_SET(ONN_PTR(y), bng_of(a.y_s, &at),
                    bng_y((float)ANY_GET(ONN_PTR(x), bng_of(a.x_s, &at)) - s.mean, factor, bias, r, &a));
    }
}

/* ---- gradient ---- */
struct bng_channel {
    float mean, dev, factor, bias;
};

/* x - mean, and the gradient that passes the mask. */
ONN_INLINE float2 bng_pixel(const float x, const float dy, const struct bng_channel *f, const struct bng_args *a)
{
    const float centred = x - f->mean, y = fma(centred, f->factor, f->bias);
    const int stops = a->mask == 1 ? y <= 0.0f : a->mask == 2 ? !(y > a->lo && y < a->hi) : 0;
    return (float2)(centred, stops ? 0.0f : dy);
}

/* Sums of dy and of dy (x - mean). */
ONN_INLINE float2 bng_dx_pixels(global const ANY_T *dy, global const ANY_T *x, const struct bng_channel *f,
                                const struct bng_args *a, struct bng_at at)
{
    float2 total = (float2)(0.0f);
    while (at.i < at.end) {
        float2 sum = (float2)(0.0f);
        for (int turn = 0; turn < 32 && bng_many(&at); turn++) {
            float v[BNG_AHEAD], d[BNG_AHEAD];
#pragma unroll
            for (int k = 0; k < BNG_AHEAD; k++) {
                v[k] = (float)ANY_GET(x, bng_of(a->x_s, &at));
                d[k] = (float)ANY_GET(dy, bng_of(a->y_s, &at));
                bng_next(a, &at);
            }
#pragma unroll
            for (int k = 0; k < BNG_AHEAD; k++) {
                const float2 p = bng_pixel(v[k], d[k], f, a);
                sum += (float2)(p.y, p.x * p.y);
            }
        }
        for (int turn = 0; turn < BNG_AHEAD && at.i < at.end && !bng_many(&at); turn++, bng_next(a, &at)) {
            const float2 p = bng_pixel((float)ANY_GET(x, bng_of(a->x_s, &at)), (float)ANY_GET(dy, bng_of(a->y_s, &at)), f, a);
            sum += (float2)(p.y, p.x * p.y);
        }
        total += sum;
    }
    return (float2)(total.x, total.y * f->dev);
}

ONN_INLINE float2 bng_dx_of_parts(global const float *part, const struct bng_args *a, const int c)
{
    float2 sum = (float2)(0.0f);
    for (int i = (int)get_local_id(0) / BNG_LANES; i < a->parts; i += BNG_ROWS)
        sum += (float2)(part[2 * i * a->c + c], part[(2 * i + 1) * a->c + c]);
    return sum;
}

ONN_INLINE float2 bng_dx_tree(const float2 own, local float2 *sums)
{
    const int me = (int)get_local_id(0);
    sums[me] = own;
    for (int reach = BNG_WG / 2; reach >= BNG_LANES; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < reach)
            sums[me] += sums[me + reach];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return sums[me % BNG_LANES];
}

static inline struct bng_channel bng_channel(global const ANY_T *scale, global const ANY_T *mean, global const ANY_T *dev,
                                          global const ANY_T *bias, const int c)
{
    const float d = (float)ANY_GET(dev, c);
    const struct bng_channel f = {(float)ANY_GET(mean, c), d, (float)ANY_GET(scale, c) * d, (float)ANY_GET(bias, c)};
    return f;
}

BNG_KERNEL void bng_dx_parts(ONN_IN(ANY_T, dy), ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, mean),
                             ONN_IN(ANY_T, dev), ONN_IN(ANY_T, bias), ONN_OUT(float, part), const struct bng_args a)
{
    local float2 sums[BNG_WG];
    const struct bng_at at = bng_begin(&a);
    const struct bng_channel f = bng_channel(ONN_PTR(scale), ONN_PTR(mean), ONN_PTR(dev), ONN_PTR(bias), at.c);
    const float2 sum = bng_dx_tree(bng_dx_pixels(ONN_PTR(dy), ONN_PTR(x), &f, &a, at), sums);
    if (get_local_id(0) >= BNG_LANES || !at.here)
        return;
    ONN_PTR(part)[2 * at.part * a.c + at.c] = sum.x;
    ONN_PTR(part)[(2 * at.part + 1) * a.c + at.c] = sum.y;
}

BNG_KERNEL void bng_dx(ONN_IN(ANY_T, dy), ONN_IN(ANY_T, x), ONN_IN(ANY_T, scale), ONN_IN(ANY_T, mean), ONN_IN(ANY_T, dev),
                       ONN_IN(ANY_T, bias), ONN_IN(float, part), ONN_OUT(ANY_T, dx), ONN_OUT(ANY_T, dscale),
                       ONN_OUT(ANY_T, dbias), const struct bng_args a)
{
    local float2 sums[BNG_WG];
    struct bng_at at = bng_begin(&a);
    const struct bng_channel f = bng_channel(ONN_PTR(scale), ONN_PTR(mean), ONN_PTR(dev), ONN_PTR(bias), at.c);
    float2 sum;
    if (a.parts == 1)
        sum = bng_dx_pixels(ONN_PTR(dy), ONN_PTR(x), &f, &a, at);
    else
        sum = bng_dx_of_parts(ONN_PTR(part), &a, at.c);
    sum = bng_dx_tree(sum, sums);
    if (at.part == 0 && get_local_id(0) < BNG_LANES && at.here) {
        if (a.outs & 2)
            ANY_SET(ONN_PTR(dscale), at.c, sum.y);
        if (a.outs & 4)
            ANY_SET(ONN_PTR(dbias), at.c, sum.x);
    }
    const float each = 1.0f / ((float)a.n * (float)a.px), flat = sum.x * each, slope = sum.y * f.dev * each;
    for (; bng_many(&at);) {
        float v[BNG_AHEAD], d[BNG_AHEAD];
        long to[BNG_AHEAD];
#pragma unroll
        for (int k = 0; k < BNG_AHEAD; k++) {
            v[k] = (float)ANY_GET(ONN_PTR(x), bng_of(a.x_s, &at));
            d[k] = (float)ANY_GET(ONN_PTR(dy), bng_of(a.y_s, &at));
            to[k] = bng_of(a.z_s, &at);
            bng_next(&a, &at);
        }
#pragma unroll
        for (int k = 0; k < BNG_AHEAD; k++) {
            const float2 p = bng_pixel(v[k], d[k], &f, &a);
            if (at.here)
                ANY_SET(ONN_PTR(dx), to[k], (p.y - flat - p.x * slope) * f.factor);
        }
    }
    for (; at.i < at.end; bng_next(&a, &at)) {
        const float2 p = bng_pixel((float)ANY_GET(ONN_PTR(x), bng_of(a.x_s, &at)),
                                   (float)ANY_GET(ONN_PTR(dy), bng_of(a.y_s, &at)), &f, &a);
        if (at.here)
            ANY_SET(ONN_PTR(dx), bng_of(a.z_s, &at), (p.y - flat - p.x * slope) * f.factor);
    }
}
