/* Max and average pooling, one output element per work-item: any strides (plain, channels last, views), 1-D to 3-D.
 *
 * Arguments  x, y: tensors of ONN_T; idx: long tensor of the strides of idx_s, any tensor where has_idx is 0.
 * Defines    ONN_F16 or ONN_F64 optional (lib/elem.h).
 * Work       global size { out[2], out[0] * out[1], n * c } or more, any local size.
 * Method     max keeps the first of equal elements and passes NaN; a window without any element gives -inf.
 *            average divides by the window's elements inside the image, or inside image and pads (count_pad).
 *            idx is the position of the maximum in x as if plain; column: height runs fastest.
 * Source     the definitions in the ONNX operators MaxPool and AveragePool.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/window.h"

struct pool_args {
    struct onn_window win;
    int pad_end[3], n, c, count_pad, has_idx, column;
    long x_s[5], y_s[5], idx_s[5]; /* n, c, d, h, w */
};

/* First and one past the last tap of dimension i that lies in [low, high) when the window starts at `start`. */
static inline int pool_first(const struct pool_args *a, int i, int start, int low)
{
    return start >= low ? 0 : min(ONN_DIV_UP(low - start, a->win.dilation[i]), a->win.taps[i]);
}

static inline int pool_last(const struct pool_args *a, int i, int start, int high)
{
    return start >= high ? 0 : min(ONN_DIV_UP(high - start, a->win.dilation[i]), a->win.taps[i]);
}

struct pool_range {
    int start[3], first[3], last[3];
};

static inline struct pool_range pool_window(const struct pool_args *a, int rows, int column)
{
    struct pool_range r;
    const int at[3] = {rows / a->win.out[1], rows % a->win.out[1], column};
    for (int i = 0; i < 3; i++) {
        r.start[i] = at[i] * a->win.stride[i] - a->win.pad[i];
        r.first[i] = pool_first(a, i, r.start[i], 0);
        r.last[i] = max(pool_last(a, i, r.start[i], a->win.in[i]), r.first[i]);
    }
    return r;
}

static inline long pool_at(const long *s, int n, int c, int d, int h, int w)
{
    return n * s[0] + c * s[1] + d * s[2] + h * s[3] + w * s[4];
}

kernel void maxpool_reference(ONN_IN(ONN_T, x), ONN_OUT(ONN_T, y), ONN_OUT(long, idx), const struct pool_args a)
{
    const int n = get_global_id(2) / a.c, c = get_global_id(2) % a.c;
    const int q = get_global_id(0), d = get_global_id(1) / a.win.out[1], p = get_global_id(1) % a.win.out[1];
    if (q >= a.win.out[2] || d >= a.win.out[0])
        return;
    const struct pool_range r = pool_window(&a, get_global_id(1), get_global_id(0));
    const long base = n * a.x_s[0] + c * a.x_s[1];
    ONN_A best = -INFINITY;
    int bd = -1, bh = 0, bw = 0;
    for (int i = r.first[0]; i < r.last[0]; i++)
        for (int j = r.first[1]; j < r.last[1]; j++)
            for (int k = r.first[2]; k < r.last[2]; k++) {
                const int di = r.start[0] + i * a.win.dilation[0], hi = r.start[1] + j * a.win.dilation[1];
                const int wi = r.start[2] + k * a.win.dilation[2];
                const ONN_A v = ONN_GET(ONN_PTR(x), base + di * a.x_s[2] + hi * a.x_s[3] + wi * a.x_s[4]);
                /* !(v <= best) is also true for a NaN v, and stays false once best is NaN unless v is NaN again. */
                if (bd < 0 || (best == best && !(v <= best))) {
                    best = v;
                    bd = di;
                    bh = hi;
                    bw = wi;
                }
            }
    ONN_SET(ONN_PTR(y), pool_at(a.y_s, n, c, d, p, q), best);
    if (a.has_idx) {
        const long plane = get_global_id(2);
        long at = 0;
        if (bd >= 0 && !a.column)
            at = ((plane * a.win.in[0] + bd) * a.win.in[1] + bh) * a.win.in[2] + bw;
        else if (bd >= 0)
            at = ((plane * a.win.in[2] + bw) * a.win.in[1] + bh) * a.win.in[0] + bd;
        ONN_PTR(idx)[pool_at(a.idx_s, n, c, d, p, q)] = at;
    }
}

kernel void averagepool_reference(ONN_IN(ONN_T, x), ONN_OUT(ONN_T, y), const struct pool_args a)
{
    const int n = get_global_id(2) / a.c, c = get_global_id(2) % a.c;
    const int q = get_global_id(0), d = get_global_id(1) / a.win.out[1], p = get_global_id(1) % a.win.out[1];
    if (q >= a.win.out[2] || d >= a.win.out[0])
        return;
    const struct pool_range r = pool_window(&a, get_global_id(1), get_global_id(0));
    const long base = n * a.x_s[0] + c * a.x_s[1];
    ONN_A sum = 0;
    for (int i = r.first[0]; i < r.last[0]; i++)
        for (int j = r.first[1]; j < r.last[1]; j++)
            for (int k = r.first[2]; k < r.last[2]; k++)
                sum += ONN_GET(ONN_PTR(x), base + (r.start[0] + i * a.win.dilation[0]) * a.x_s[2] +
                                               (r.start[1] + j * a.win.dilation[1]) * a.x_s[3] +
                                               (r.start[2] + k * a.win.dilation[2]) * a.x_s[4]);
    int count = 1;
    for (int i = 0; i < 3; i++)
        count *= a.count_pad ? pool_last(&a, i, r.start[i], a.win.in[i] + a.pad_end[i]) : r.last[i] - r.first[i];
    ONN_SET(ONN_PTR(y), pool_at(a.y_s, n, c, d, p, q), sum / (ONN_A)count);
}
