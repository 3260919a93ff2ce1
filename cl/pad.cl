/* Pad: y is x with a border on any side of any dimension (negative = cropped).
 *
 * Arguments  x, y; geometry g: rows of pixels over `rank` dimensions (the last one is the row), a pixel being
 *            blk contiguous elements; dim: extents of y, size: of x, before: border in front, xs, ys: strides.
 *            mode 0 constant, 1 reflect, 2 edge, 3 wrap. bits: the constant.
 * Defines    PAD_T (uint): unsigned type of the element's size.
 * Kernels    pad_each  one element per work-item; any group; total elements.
 *            pad_loop  vector CPUs: work-item = `chunk` rows; group 1.
 * Method     output coordinates mapped to input coordinates; the middle of a row is one copy.
 */
#include "lib/types.h"

#ifndef PAD_T
#define PAD_T uint
#endif
#ifndef PAD_W /* elements moved at once: 32 bytes at most */
#define PAD_W 8
#endif
#define PAD_RANK 9

struct pad_geo {
    int rank, mode, blk, pad;
    int dim[PAD_RANK], size[PAD_RANK], before[PAD_RANK], pad2;
    long xs[PAD_RANK], ys[PAD_RANK];
};

/* Input position of output position o, -1 where the constant goes. */
static inline int pad_map(int o, int before, int size, int mode)
{
    const int i = o - before;
    if (i >= 0 && i < size)
        return i;
    if (mode == 0)
        return -1;
    if (mode == 2 || size == 1)
        return i < 0 ? 0 : size - 1;
    const int period = mode == 1 ? 2 * (size - 1) : size, m = ((i % period) + period) % period;
    return m < size ? m : period - m;
}

kernel void pad_each(ONN_IN(PAD_T, x), ONN_OUT(PAD_T, y), ONN_ARGS(struct pad_geo, g), int total, ulong bits)
{
    ONN_TAKE(struct pad_geo, g);
    int id = get_global_id(0);
    if (id >= total)
        return;
    const int e = id % g.blk;
    long from = e, to = e;
    int inside = 1;
    id /= g.blk;
    for (int d = g.rank - 1; d >= 0; d--) {
        const int rest = id / g.dim[d], at = id - rest * g.dim[d], i = pad_map(at, g.before[d], g.size[d], g.mode);
        inside &= i >= 0;
        from += i * g.xs[d];
        to += at * g.ys[d];
        id = rest;
    }
    ONN_PTR(y)[to] = inside ? ONN_PTR(x)[from] : (PAD_T)bits;
}

static inline void pad_copy(global const PAD_T *x, global PAD_T *y, int n)
{
    int i = 0;
    for (; i + PAD_W <= n; i += PAD_W)
        ONN_CAT(vstore, PAD_W)(ONN_CAT(vload, PAD_W)(0, x + i), 0, y + i);
    for (; i < n; i++)
        y[i] = x[i];
}

static inline void pad_fill(global PAD_T *y, PAD_T v, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = v;
}

/* Pixels first … last-1 of a row, one by one. */
static inline void pad_pixels(global const PAD_T *x, global PAD_T *y, const struct pad_geo *g, int first, int last,
    PAD_T v)
{
    const int d = g->rank - 1;
    for (int o = first; o < last; o++) {
        const int i = pad_map(o, g->before[d], g->size[d], g->mode);
        if (i < 0)
            pad_fill(y + o * g->ys[d], v, g->blk);
        else
            pad_copy(x + i * g->xs[d], y + o * g->ys[d], g->blk);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void pad_loop(ONN_IN(PAD_T, x), ONN_OUT(PAD_T, y),
    ONN_ARGS(struct pad_geo, g), int rows, int chunk, ulong bits)
{
    ONN_TAKE(struct pad_geo, g);
    const int last_row = min((int)(get_group_id(0) + 1) * chunk, rows), d = g.rank - 1;
    const int width = g.dim[d], lo = clamp(g.before[d], 0, width), hi = clamp(g.before[d] + g.size[d], lo, width);
    const int whole = g.xs[d] == g.blk && g.ys[d] == g.blk;
    const PAD_T v = (PAD_T)bits;
    for (int row = get_group_id(0) * chunk; row < last_row; row++) {
        long from = 0, to = 0;
        int inside = 1, id = row;
        for (int k = d - 1; k >= 0; k--) {
            const int rest = id / g.dim[k], at = id - rest * g.dim[k];
            const int i = pad_map(at, g.before[k], g.size[k], g.mode);
            inside &= i >= 0;
            from += i * g.xs[k];
            to += at * g.ys[k];
            id = rest;
        }
        global const PAD_T *src = ONN_PTR(x) + from;
        global PAD_T *dst = ONN_PTR(y) + to;
        if (!inside) {
            if (g.ys[d] == g.blk)
                pad_fill(dst, v, width * g.blk);
            else
                for (int o = 0; o < width; o++)
                    pad_fill(dst + o * g.ys[d], v, g.blk);
            continue;
        }
        pad_pixels(src, dst, &g, 0, lo, v);
        if (whole)
            pad_copy(src + (lo - g.before[d]) * g.xs[d], dst + lo * g.ys[d], (hi - lo) * g.blk);
        else
            pad_pixels(src, dst, &g, lo, hi, v);
        pad_pixels(src, dst, &g, hi, width, v);
    }
}
