/* Dropout in training: y = x / (1 - ratio) where the element's random number says so, else 0. The mask is a function of
 * (seed, step, stream, element) and never stored: the gradient runs the same kernel on dy.
 *
 * Arguments  x, state (long: seed, step), y; strides of n, channel block and pixel; see struct drop_args.
 * Layout     elements are (n, channel, pixel); four neighbouring channels of a pixel share one Philox counter, so the
 *            numbers do not depend on the layout. Lanes behind the last channel of a blocked tensor are written as 0.
 * Defines    ONN_DT (lib/any.h: f32, f16).
 * Work       global { ceil(px / per), ceil(c / 4) (of padded c), n }, any local size.
 */
#include "lib/types.h"
#include "lib/any.h"
#include "lib/rng.h"

struct drop_args {
    int n, c, c_all, px, per, block;
    uint stream, threshold;
    float scale;
    int pad;
    long x_s[3], y_s[3];
};

kernel void dropout_train(ONN_IN(ANY_T, x), ONN_IN(long, state), ONN_OUT(ANY_T, y), const struct drop_args a)
{
    const int c4 = get_global_id(1), n = get_global_id(2), p0 = get_global_id(0) * a.per, p1 = min(p0 + a.per, a.px);
    const ulong seed = (ulong)ONN_PTR(state)[0], step = (ulong)ONN_PTR(state)[1];
    const uint2 key = (uint2)((uint)seed, (uint)(seed >> 32) ^ a.stream);
    for (int p = p0; p < p1; p++) {
        const ulong at = (ulong)n * (ulong)a.px + (ulong)p;
        const uint4 r = onn_philox((uint4)((uint)at, (uint)c4, (uint)step, (uint)(step >> 32) ^ (uint)(at >> 32)), key);
        const uint word[4] = {r.x, r.y, r.z, r.w};
        for (int k = 0; k < 4 && c4 * 4 + k < a.c_all; k++) {
            const int c = c4 * 4 + k;
            const long xo = n * a.x_s[0] + c / a.block * a.x_s[1] + c % a.block + p * a.x_s[2];
            const long yo = n * a.y_s[0] + c / a.block * a.y_s[1] + c % a.block + p * a.y_s[2];
            const float v = word[k] >= a.threshold ? (float)ANY_GET(ONN_PTR(x), xo) * a.scale : 0.0f;
            ANY_SET(ONN_PTR(y), yo, c < a.c ? v : 0.0f);
        }
    }
}
