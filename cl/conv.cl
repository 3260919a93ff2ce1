/* Direct convolution, one output element per work-item: any strides (plain, channels last, views), 1-D to 3-D.
 *
 * Arguments  x, w, bias, res, y: tensors of ONN_T with the strides of struct conv_args; bias and res may be any
 *            tensor where has_bias, has_res are 0.
 * Defines    ONN_F16 or ONN_F64, ONN_EPI_KIND optional (lib/elem.h).
 * Work       global size { out[2], out[0] * out[1], n * k } or more, any local size.
 * Rounding   one fp32 sum over c, depth, height, width in this order, started with 0; bias, residual, clip.
 * Source     the definition in the ONNX operator Conv.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/window.h"

struct conv_args {
    struct onn_window win;
    int n, k, c_group, k_group, has_bias, has_res;
    float lo, hi, act_a, act_b;
    long x_s[5], w_s[5], y_s[5], res_s[5], bias_s; /* n, c, d, h, w */
};

kernel void conv_reference(ONN_IN(ONN_T, x), ONN_IN(ONN_T, w), ONN_IN(ONN_T, bias), ONN_IN(ONN_T, res),
                           ONN_OUT(ONN_T, y), const struct conv_args a)
{
    const int q = get_global_id(0), d = get_global_id(1) / a.win.out[1], p = get_global_id(1) % a.win.out[1];
    const int n = get_global_id(2) / a.k, k = get_global_id(2) % a.k;
    if (q >= a.win.out[2] || d >= a.win.out[0])
        return;
    global const ONN_T *xp = ONN_PTR(x) + n * a.x_s[0] + (long)(k / a.k_group * a.c_group) * a.x_s[1];
    global const ONN_T *wp = ONN_PTR(w) + k * a.w_s[0];
    const int d0 = d * a.win.stride[0] - a.win.pad[0], h0 = p * a.win.stride[1] - a.win.pad[1];
    const int w0 = q * a.win.stride[2] - a.win.pad[2];
    ONN_A sum = 0;
    for (int c = 0; c < a.c_group; c++)
        for (int t = 0; t < a.win.taps[0]; t++) {
            const int di = d0 + t * a.win.dilation[0];
            if ((uint)di >= (uint)a.win.in[0])
                continue;
            for (int r = 0; r < a.win.taps[1]; r++) {
                const int hi = h0 + r * a.win.dilation[1];
                if ((uint)hi >= (uint)a.win.in[1])
                    continue;
                const long xo = c * a.x_s[1] + di * a.x_s[2] + hi * a.x_s[3];
                const long wo = c * a.w_s[1] + t * a.w_s[2] + r * a.w_s[3];
                for (int s = 0; s < a.win.taps[2]; s++) {
                    const int wi = w0 + s * a.win.dilation[2];
                    if ((uint)wi < (uint)a.win.in[2])
                        sum = fma(ONN_GET(xp, xo + wi * a.x_s[4]), ONN_GET(wp, wo + s * a.w_s[4]), sum);
                }
            }
        }
    if (a.has_bias)
        sum += ONN_GET(ONN_PTR(bias), k * a.bias_s);
    if (a.has_res)
        sum += ONN_GET(ONN_PTR(res), n * a.res_s[0] + k * a.res_s[1] + d * a.res_s[2] + p * a.res_s[3] + q * a.res_s[4]);
    ONN_SET(ONN_PTR(y), n * a.y_s[0] + k * a.y_s[1] + d * a.y_s[2] + p * a.y_s[3] + q * a.y_s[4],
            ONN_FINISH(onn_elem_clip(sum, a.lo, a.hi), a.act_a, a.act_b));
}
