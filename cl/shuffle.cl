/* Channel shuffle of blocked tensors for vector CPUs: y channel k takes x channel k % group * (c / group) + k / group.
 *
 * Arguments  x, y: [N][channels/VL][rows][width][VL]; strides in elements for image, channel block, row (pixels stand
 *            VL apart). c channels, `part` pixels for one work-group.
 * Defines    VL (8).
 * Work       one work-item per work-group; global size { ceil(width / part), rows * blocks of channels, N }.
 *            Pad lanes of y are left zero.
 */
#include "lib/vec.h"

/* One element of each pointer. By way of an array in memory the load would have to wait for the stores. */
#define SHUFFLE_4(s, k, i) s[k][i], s[k + 1][i], s[k + 2][i], s[k + 3][i]
#if VL == 4
#define SHUFFLE_TAKE(s, i) ((float4)(SHUFFLE_4(s, 0, i)))
#elif VL == 8
#define SHUFFLE_TAKE(s, i) ((float8)(SHUFFLE_4(s, 0, i), SHUFFLE_4(s, 4, i)))
#else
#define SHUFFLE_TAKE(s, i) \
    ((float16)(SHUFFLE_4(s, 0, i), SHUFFLE_4(s, 4, i), SHUFFLE_4(s, 8, i), SHUFFLE_4(s, 12, i)))
#endif

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void shuffle_blocked(ONN_IN(float, x), ONN_OUT(float, y), int c,
    int group, int rows, int width, int part, long x_sn, long x_sc, long x_sh, long y_sn, long y_sc, long y_sh)
{
    const int row = get_group_id(1) % rows, block = get_group_id(1) / rows, n = get_group_id(2);
    const int first = get_group_id(0) * part, last = min(first + part, width), each = c / group;
    const int lanes = min(VL, c - block * VL);
    global const float *from = ONN_PTR(x) + n * x_sn + row * x_sh + (long)first * VL, *src[VL];
    global float *to = ONN_PTR(y) + n * y_sn + block * y_sc + row * y_sh + (long)first * VL;
    for (int i = 0; i < VL; i++) {
        const int k = block * VL + min(i, lanes - 1), channel = k % group * each + k / group;
        src[i] = from + channel / VL * x_sc + channel % VL;
    }
    for (int i = 0; i < (last - first) * VL; i += VL)
        ONN_STORE(onn_mask(SHUFFLE_TAKE(src, i), lanes), to + i);
}
