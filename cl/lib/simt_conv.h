/* What tiled convolutions share (lib/simt.h, lib/elem.h): arguments, an exact quick division, and what follows the sums. */
#ifndef ONN_SIMT_CONV_H
#define ONN_SIMT_CONV_H

struct convt_args {
    int n, c_group, k_group, h, w, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    int channels_last, has_bias, has_res;
    float lo, hi, act_a, act_b;
    long x_s[4], y_s[4], res_s[4], w_s[4], bias_s; /* n, c, h, w; w: k, c, r, s */
};

/* a / b for 0 <= a < 2^22, b > 0, with inv = 1 / b: exact, and cheaper than a division. */
static inline int convt_div(int a, float inv)
{
    return (int)(((float)a + 0.5f) * inv);
}

/* Bias, residual, clip, store of column j of the item's sums: the outputs at n, p, q. kb: first output channel of the
 * group, k0: first of the tile in the group. */
static inline void convt_put(const float4 *acc, int j, const struct convt_args *g, global const ONN_T *bias,
                             global const ONN_T *res, global ONN_T *y, int kb, int k0, int iy, int n, int p, int q)
{
    const long to = n * g->y_s[0] + p * g->y_s[2] + q * g->y_s[3];
    const long from = n * g->res_s[0] + p * g->res_s[2] + q * g->res_s[3];
#pragma unroll
    for (int i = 0; i < SIMT_M; i++) {
        const int k = k0 + SIMT_AT(i, iy);
        if (k >= g->k_group)
            continue;
        float sum = simt_get(acc, i, j);
        if (g->has_bias)
            sum += ONN_GET(bias, (kb + k) * g->bias_s);
        if (g->has_res)
            sum += ONN_GET(res, from + (kb + k) * g->res_s[1]);
        ONN_SET(y, to + (kb + k) * g->y_s[1], ONN_FINISH(onn_elem_clip(sum, g->lo, g->hi), g->act_a, g->act_b));
    }
}

#endif
