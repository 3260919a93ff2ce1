/* Gradient of a convolution's weight, one weight per work-item: any strides (plain, channels last, views), 1-D to 3-D.
 *
 * Arguments  x, dy, dw: tensors of ONN_T with the strides of struct conv_dw_args.
 * Defines    ONN_F16 or ONN_F64 optional (lib/elem.h).
 * Work       global size { taps[2], taps[0] * taps[1], k * c_group }, any local size.
 * Method     dw[k][c][t] = sum of dy[n][k][o] x[n][c][o * stride - pad + t * dilation].
 * Rounding   fp32; one sum per row of dy, rows summed per image, images summed: short chains.
 * Source     the derivative of the definition in the ONNX operator Conv.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/window.h"

struct conv_dw_args {
    struct onn_window win;
    int n, k, c_group, k_group;
    long x_s[5], dy_s[5], dw_s[5]; /* n, c, d, h, w */
};

/* First output position whose input position i * stride + base is inside, and one past the last. */
static inline int conv_dw_from(int base, int stride)
{
    return base >= 0 ? 0 : (stride - 1 - base) / stride;
}
static inline int conv_dw_to(int base, int stride, int size, int n)
{
    return base >= size ? 0 : min(n, (size - 1 - base) / stride + 1);
}

kernel void conv_dw_reference(ONN_IN(ONN_T, x), ONN_IN(ONN_T, dy), ONN_OUT(ONN_T, dw), const struct conv_dw_args a)
{
    const int s = get_global_id(0), t = get_global_id(1) / a.win.taps[1], r = get_global_id(1) % a.win.taps[1];
    const int k = get_global_id(2) / a.c_group, c = get_global_id(2) % a.c_group;
    const int bd = t * a.win.dilation[0] - a.win.pad[0], bh = r * a.win.dilation[1] - a.win.pad[1];
    const int bw = s * a.win.dilation[2] - a.win.pad[2];
    const int d0 = conv_dw_from(bd, a.win.stride[0]), d1 = conv_dw_to(bd, a.win.stride[0], a.win.in[0], a.win.out[0]);
    const int p0 = conv_dw_from(bh, a.win.stride[1]), p1 = conv_dw_to(bh, a.win.stride[1], a.win.in[1], a.win.out[1]);
    const int q0 = conv_dw_from(bw, a.win.stride[2]), q1 = conv_dw_to(bw, a.win.stride[2], a.win.in[2], a.win.out[2]);
    global const ONN_T *xp = ONN_PTR(x) + (long)(k / a.k_group * a.c_group + c) * a.x_s[1] + bd * a.x_s[2] +
                             bh * a.x_s[3] + bw * a.x_s[4];
    global const ONN_T *yp = ONN_PTR(dy) + k * a.dy_s[1];
    const long xd = a.win.stride[0] * a.x_s[2], xh = a.win.stride[1] * a.x_s[3], xw = a.win.stride[2] * a.x_s[4];
    ONN_A total = 0;
    for (int n = 0; n < a.n; n++) {
        ONN_A image = 0;
        for (int d = d0; d < d1; d++)
            for (int p = p0; p < p1; p++) {
                const long xo = n * a.x_s[0] + d * xd + p * xh, yo = n * a.dy_s[0] + d * a.dy_s[2] + p * a.dy_s[3];
                ONN_A row = 0;
                for (int q = q0; q < q1; q++)
                    row = fma(ONN_GET(xp, xo + q * xw), ONN_GET(yp, yo + q * a.dy_s[4]), row);
                image += row;
            }
        total += image;
    }
    ONN_SET(ONN_PTR(dw), k * a.dw_s[0] + c * a.dw_s[1] + t * a.dw_s[2] + r * a.dw_s[3] + s * a.dw_s[4], total);
}
