/* Local response normalisation over channels of [n][c][px]: y = x / (bias + scale * sum of squares)^beta, the sum
 * running over `before` channels in front to `behind` channels after.
 *
 * lrn_ref    one item per pixel, any element type. Global {n * px}.
 * lrn_cols   vectors of VL pixels, vector CPUs (f32, f16). The last vector starts so early that it is whole.
 *            Global {ceil(px / VL), n}, local 1; px >= VL; x must not lie on y.
 * Defines    ONN_DT, VL.
 */
#include "lib/vec.h"
#include "lib/any.h"

#define LRN_POWER(T, v) (beta == 0.75f ? (T)(1.0f) / (sqrt(v) * sqrt(sqrt(v))) : pow(v, (T)(-beta)))

kernel void lrn_ref(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const int n, const int c, const int px, const int before,
                    const int behind, const float scale, const float beta, const float bias)
{
    const int i = (int)get_global_id(0);
    if (i >= n * px)
        return;
    const long at = (long)(i / px) * c * px + i % px;
    for (int k = 0; k < c; k++) {
        float sum = 0;
        for (int j = max(0, k - before); j <= min(c - 1, k + behind); j++) {
            const float v = (float)ANY_GET(x_mem, x_off + at + (long)j * px);
            sum += v * v;
        }
        const float base = bias + scale * sum;
        ANY_SET(y_mem, y_off + at + (long)k * px,
            (float)ANY_GET(x_mem, x_off + at + (long)k * px) * LRN_POWER(float, base));
    }
}

#if ONN_DT == 1 || ONN_DT == 7
kernel void lrn_cols(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const int c, const int px, const int before,
                     const int behind, const float scale, const float beta, const float bias)
{
    const int p = min((int)get_global_id(0) * VL, px - VL);
    const long at = (long)get_global_id(1) * c * px + p;
    global const ANY_T *x = ONN_PTR(x) + at;
    global ANY_T *y = ONN_PTR(y) + at;
    for (int k = 0; k < c; k++) {
        ONN_V sum = (ONN_V)(0.0f);
        for (int j = max(0, k - before); j <= min(c - 1, k + behind); j++) {
            const ONN_V v = ANY_VLOAD(x + (long)j * px);
            sum = fma(v, v, sum);
        }
        const ONN_V base = (ONN_V)(bias) + (ONN_V)(scale) * sum;
        ANY_VSTORE(ANY_VLOAD(x + (long)k * px) * LRN_POWER(ONN_V, base), y + (long)k * px);
    }
}
#endif
