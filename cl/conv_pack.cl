/* Packs the weights of a grouped convolution whose groups do not fill whole channel blocks: `merge` groups become one
 * dense one, with zeros where a channel does not belong to the group.
 *
 * Arguments  w: [K][C / groups][R][S]; u: [K / k][k_blocks][c_blocks][R][S][VL c][VL k], the layout of conv_blocked.cl,
 *            with zeros in the tails. k, c: channels of one merged group.
 * Defines    VL; ONN_F16 (lib/stored.h): w is half, u stays float.
 * Work       one work-item per work-group; global size { c_blocks, merged groups * k_blocks, 1 }.
 */
#include "lib/stored.h"

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv_pack_merged(ONN_IN(ONN_S, w), ONN_OUT(ONN_S, u), int k,
                                                                            int c, int r, int s, int merge)
{
    const int cb = get_group_id(0), c_blocks = get_num_groups(0), k_blocks = ONN_DIV_UP(k, VL), rs = r * s;
    const int grp = get_group_id(1) / k_blocks, kb = get_group_id(1) % k_blocks, c_one = c / merge, k_one = k / merge;
    global const ONN_S *src = ONN_PTR(w) + (long)grp * k * c_one * rs;
    global float *dst = ONN_PACKED_OUT(u) + ((long)get_group_id(1) * c_blocks + cb) * rs * VL * VL;
    for (int t = 0; t < rs; t++)
        for (int i = 0; i < VL; i++)
            for (int j = 0; j < VL; j++) {
                const int ci = cb * VL + i, kj = kb * VL + j;
                const int belongs = ci < c && kj < k && ci / c_one == kj / k_one;
                *dst++ = belongs ? ONN_SGET(src + ((long)kj * c_one + ci % c_one) * rs + t) : 0.0f;
            }
}
