/* Max and average pooling on blocked data for vector CPUs, 1-D to 3-D: one vector of channels at a time.
 *
 * Layout     x, y: [N][channels/VL][D][H][W][VL], strides in elements by struct pool_args (channel: one block). Pad lanes
 *            of y's last block are left zero.
 * Defines    ONN_F16 (lib/stored.h), VL (lib/vec.h).
 * Work       one work-item per work-group; global size { ceil(out[0] * out[1] / rows), ceil(c / VL), n }.
 * Method     max keeps NaN; a window without any element gives -inf. average divides by the window's elements inside
 *            the image, or inside image and pads (count_pad).
 * Source     the definitions in the ONNX operators MaxPool and AveragePool.
 */
#include "lib/stored.h"
#include "lib/window.h"

struct poolb_args { /* struct pool_args of cl/pool.cl */
    struct onn_window win;
    int pad_end[3], n, c, count_pad, has_idx, column;
    long x_s[5], y_s[5], idx_s[5];
};

/* First and one past the last tap of dimension i that lies in [low, high) when the window starts at `start`. */
static inline int poolb_first(const struct poolb_args *a, int i, int start)
{
    return start >= 0 ? 0 : min(ONN_DIV_UP(-start, a->win.dilation[i]), a->win.taps[i]);
}

static inline int poolb_last(const struct poolb_args *a, int i, int start, int high)
{
    return start >= high ? 0 : min(ONN_DIV_UP(high - start, a->win.dilation[i]), a->win.taps[i]);
}

/* One output vector: the window that starts at the three numbers of `start`, whose rows and depth are cut already. */
static inline ONN_V poolb_window(const int is_max, const struct poolb_args *a, global const ONN_S *x, const int *start,
                                 const int *first, const int *last)
{
    ONN_V acc = (ONN_V)(is_max ? -INFINITY : 0.0f);
    for (int d = first[0]; d < last[0]; d++)
        for (int r = first[1]; r < last[1]; r++) {
            global const ONN_S *row = x + (start[0] + d * a->win.dilation[0]) * a->x_s[2] +
                                      (start[1] + r * a->win.dilation[1]) * a->x_s[3] + (long)start[2] * VL;
            for (int s = first[2]; s < last[2]; s++) {
                const ONN_V v = ONN_SLOAD(row + s * a->win.dilation[2] * VL);
                if (is_max)
                    acc = ((v <= acc) | (acc != acc)) ? acc : v;
                else
                    acc += v;
            }
        }
    return acc;
}

static inline __attribute__((always_inline)) void poolb_rows(const int is_max, const struct poolb_args *a,
                                                             global const ONN_S *x, global ONN_S *y, int unit, int cb, int n,
                                                             int rows)
{
    const int left = a->c - cb * VL, from = unit * rows, to = min(from + rows, a->win.out[0] * a->win.out[1]);
    x += n * a->x_s[0] + cb * a->x_s[1];
    y += n * a->y_s[0] + cb * a->y_s[1];
    for (int row = from; row < to; row++) {
        const int at[2] = {row / a->win.out[1], row % a->win.out[1]};
        int start[3], first[3], last[3], padded = 1;
        for (int i = 0; i < 2; i++) {
            start[i] = at[i] * a->win.stride[i] - a->win.pad[i];
            first[i] = poolb_first(a, i, start[i]);
            last[i] = max(poolb_last(a, i, start[i], a->win.in[i]), first[i]);
            padded *= poolb_last(a, i, start[i], a->win.in[i] + a->pad_end[i]);
        }
        global ONN_S *to_y = y + at[0] * a->y_s[2] + at[1] * a->y_s[3];
        for (int q = 0; q < a->win.out[2]; q++) {
            start[2] = q * a->win.stride[2] - a->win.pad[2];
            first[2] = poolb_first(a, 2, start[2]);
            last[2] = max(poolb_last(a, 2, start[2], a->win.in[2]), first[2]);
            ONN_V v = poolb_window(is_max, a, x, start, first, last);
            if (!is_max) {
                const int count = a->count_pad ? padded * poolb_last(a, 2, start[2], a->win.in[2] + a->pad_end[2])
                                               : (last[0] - first[0]) * (last[1] - first[1]) * (last[2] - first[2]);
                v /= (ONN_V)((float)count);
            }
            ONN_SSTORE(onn_mask(v, left), to_y + q * VL);
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void maxpool_blocked(ONN_IN(ONN_S, x), ONN_OUT(ONN_S, y),
                                                                           const struct poolb_args a, int rows)
{
    poolb_rows(1, &a, ONN_PTR(x), ONN_PTR(y), get_group_id(0), get_group_id(1), get_group_id(2), rows);
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void averagepool_blocked(ONN_IN(ONN_S, x), ONN_OUT(ONN_S, y),
                                                                               const struct poolb_args a, int rows)
{
    poolb_rows(0, &a, ONN_PTR(x), ONN_PTR(y), get_group_id(0), get_group_id(1), get_group_id(2), rows);
}
