/* Transposed convolution, one output element per work-item, gathered: any strides (plain, channels last, views), 1-D to
 * 3-D.
 *
 * Arguments  x, w, bias, res, y: tensors of ONN_T with the strides of struct convtranspose_args; bias and res may be any
 *            tensor where has_bias, has_res are 0. w is [C][K / groups][taps].
 * Defines    ONN_F16 or ONN_F64, ONN_EPI_KIND optional (lib/elem.h).
 * Work       global size { out[2], out[0] * out[1], n * k } or more, any local size.
 * Method     y[o] sums x[i] w[t] over the taps t with i * stride - pad + t * dilation == o.
 * Rounding   one fp32 sum over depth, height, width, c; bias, residual, clip.
 * Source     the definition in the ONNX operator ConvTranspose.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/window.h"

struct convtranspose_args {
    struct onn_window win;
    int n, k, c_group, k_group, has_bias, has_res;
    float lo, hi, act_a, act_b;
    long x_s[5], w_s[5], y_s[5], res_s[5], bias_s; /* n, c, d, h, w; w: c, k, d, h, w */
};

/* The input index that tap t of dimension i brings to output o, or -1. */
static inline int convtranspose_source(const struct onn_window *win, int i, int o, int t)
{
    const int v = o + win->pad[i] - t * win->dilation[i];
    const int at = v / win->stride[i];
    return v < 0 || at * win->stride[i] != v || at >= win->in[i] ? -1 : at;
}

kernel void convtranspose_reference(ONN_IN(ONN_T, x), ONN_IN(ONN_T, w), ONN_IN(ONN_T, bias), ONN_IN(ONN_T, res),
                                    ONN_OUT(ONN_T, y), const struct convtranspose_args a)
{
    const int q = get_global_id(0), d = get_global_id(1) / a.win.out[1], p = get_global_id(1) % a.win.out[1];
    const int n = get_global_id(2) / a.k, k = get_global_id(2) % a.k;
    if (q >= a.win.out[2] || d >= a.win.out[0])
        return;
    const int c0 = k / a.k_group * a.c_group;
    global const ONN_T *xp = ONN_PTR(x) + n * a.x_s[0] + c0 * a.x_s[1];
    global const ONN_T *wp = ONN_PTR(w) + c0 * a.w_s[0] + k % a.k_group * a.w_s[1];
    ONN_A sum = 0;
    for (int t = 0; t < a.win.taps[0]; t++) {
        const int di = convtranspose_source(&a.win, 0, d, t);
        if (di < 0)
            continue;
        for (int r = 0; r < a.win.taps[1]; r++) {
            const int hi = convtranspose_source(&a.win, 1, p, r);
            if (hi < 0)
                continue;
            for (int s = 0; s < a.win.taps[2]; s++) {
                const int wi = convtranspose_source(&a.win, 2, q, s);
                const long xo = di * a.x_s[2] + hi * a.x_s[3] + wi * a.x_s[4];
                const long wo = t * a.w_s[2] + r * a.w_s[3] + s * a.w_s[4];
                if (wi >= 0)
                    for (int c = 0; c < a.c_group; c++)
                        sum = fma(ONN_GET(xp, xo + c * a.x_s[1]), ONN_GET(wp, wo + c * a.w_s[0]), sum);
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
