/* Direct convolution on blocked data for vector CPUs: any R, S, stride, dilation, pads, groups.
 *
 * Layout   x, y, res: [N][channels/VL][H][W][VL], strides in elements by argument (pixel stride VL).
 *          Pad lanes of the last channel block are zero in x and res, and are left zero in y.
 * Weights  packed by conv2d_pack_blocked: [groups][k_blocks][c_blocks][R][S][VL c][VL k], followed by
 *          VL zeros, which the border reads in place of pixels outside the image.
 *          k_blocks, c_blocks count blocks of one group; with groups > 1 the channels of a group fill
 *          whole blocks.
 * Work     one work-item per work-group; global size
 *          { ceil(n*p*q / px_group), ceil(ceil(k_blocks / 3) / kt_group), groups }.
 *          A work-group computes px_group (<= ONN_PX_GROUP) flat pixels (of all images) x kt_group tiles of up to 3 blocks of output channels.
 *          c_one, k_one: channels of the groups that the packing merged into one; a tile reads the channel blocks of
 *          its own groups only. Without merging all channels of the group.
 * Defines  ONN_F16 (lib/stored.h; packed weights stay float), VL (8), tile sizes TILE_M*, ONN_PX_GROUP (64) (lib/tile.h); ONN_EPI optional; ONN_WITH_REACH.
 * Method   register tile of pixels x channels over [c][r][s]; a pixel outside the image takes its value
 *          from the zeros, so interior and border run the same multiply-add code; where the window is
 *          as large as the image (ONN_WITH_REACH), rows and columns outside for all pixels of a tile are left out. Own design.
 */
#include "lib/vec.h"
#include "lib/tile.h"

struct blocked_geo {
    int h, w, p, q, r, s;
    int stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
    long x_sn, x_sc, x_sh, y_sn, y_sh, res_sn, res_sh;
};

/* Fills px for pixels m .. m+n-1 of [N][P][Q] and repeats the last one TILE_PX times. */
ONN_TILE_FN void blocked_pixels(struct onn_px *px, int m, int n, const struct blocked_geo *g)
{
    int in = m / (g->p * g->q), ip = m % (g->p * g->q) / g->q, iq = m % g->q;
    for (int i = 0; i < n + TILE_PX; i++) {
        const int y0 = ip * g->stride_h - g->pad_h, x0 = iq * g->stride_w - g->pad_w;
        px[i].y0 = y0;
        px[i].x0 = x0;
        px[i].inside =
            y0 >= 0 && y0 + (g->r - 1) * g->dil_h < g->h && x0 >= 0 && x0 + (g->s - 1) * g->dil_w < g->w;
        px[i].x = in * g->x_sn + y0 * g->x_sh + (long)x0 * VL;
        px[i].y = in * g->y_sn + ip * g->y_sh + (long)iq * VL;
        px[i].res = in * g->res_sn + ip * g->res_sh + (long)iq * VL;
        if (i < n - 1 && ++iq == g->q) {
            iq = 0;
            if (++ip == g->p) {
                ip = 0;
                in++;
            }
        }
    }
}

/* Of the first 32 rows and columns of the window those (bits) that reach the image from some of mr pixels; the others are left
 * out, with ONN_WITH_REACH. */
#ifdef ONN_WITH_REACH
struct blocked_reach {
    uint rows, columns;
};
ONN_TILE_FN struct blocked_reach blocked_find(const struct onn_px *px, int mr, const struct blocked_geo *g)
{
    struct blocked_reach reach = {0, 0};
    for (int i = 0; i < mr; i++) {
        for (int r = 0; r < min(g->r, 32); r++)
            reach.rows |= (uint)((uint)(px[i].y0 + r * g->dil_h) < (uint)g->h) << r;
        for (int s = 0; s < min(g->s, 32); s++)
            reach.columns |= (uint)((uint)(px[i].x0 + s * g->dil_w) < (uint)g->w) << s;
    }
    return reach;
}
#define BLOCKED_REACH(mr) const struct blocked_reach reach = blocked_find(px, mr, g);
#define BLOCKED_SKIP(bits, i, step)                                                                                    \
    if ((i) < 32 && !(reach.bits >> (i) & 1)) {                                                                        \
        w += (step);                                                                                                   \
        continue;                                                                                                      \
    }
#else
#define BLOCKED_REACH(mr)
#define BLOCKED_SKIP(bits, i, step)
#endif

/* Sums of MR pixels x NV blocks over all channels and taps; see ONN_TILE_END. */
#define BLOCKED_TILE(MR, NV, name)                                                                                     \
    ONN_TILE_FN int name(ONN_V *out, const struct onn_px *px, int n, const struct onn_out *o,                          \
        global const ONN_S *x, global const float *w, long w_sk, global const ONN_S *zero, const struct blocked_geo *g, int c_blocks) \
    {                                                                                                                  \
        ONN_V acc[(MR) * (NV)];                                                                                        \
        global const ONN_S *src[MR];                                                                                   \
        int inside = 1;                                                                                                \
        ONN_LOOP(i, MR) inside &= px[i].inside;                                                                        \
        BLOCKED_REACH(MR)                                                                                              \
        ONN_TILE_ZERO(MR, NV, acc);                                                                                    \
        for (int cb = 0; cb < c_blocks; cb++, x += g->x_sc)                                                         \
            for (int r = 0; r < g->r; r++) {                                                                           \
                BLOCKED_SKIP(rows, r, g->s * VL * VL)                                                                  \
                for (int s = 0; s < g->s; s++, w += VL * VL) {                                                         \
                    BLOCKED_SKIP(columns, s, 0)                                                                        \
                    const int dy = r * g->dil_h, dx = s * g->dil_w;                                                    \
                    global const ONN_S *tap = x + dy * g->x_sh + (long)dx * VL;                                        \
                    ONN_LOOP(i, MR) src[i] = tap + px[i].x;                                                            \
                    if (!inside)                                                                                       \
                        ONN_LOOP(i, MR)                                                                                \
                        src[i] = (uint)(px[i].y0 + dy) < (uint)g->h && (uint)(px[i].x0 + dx) < (uint)g->w ? src[i] : zero; \
                    ONN_TILE_STEP(MR, NV, acc, src, w, w_sk)                                                           \
                }                                                                                                      \
            }                                                                                                          \
        ONN_TILE_END(MR, NV, out, acc, n, o, px);                                                                      \
    }
ONN_TILE_SHAPES(BLOCKED_TILE, blocked_tile)

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_blocked(ONN_IN(ONN_S, x), ONN_IN(ONN_S, w),
    ONN_OUT(ONN_S, y), ONN_IN(ONN_S, bias), ONN_IN(ONN_S, res), int n, int c_blocks, int h, int wd, int k,
    int k_blocks, int p, int q, int r, int s, int stride_h, int stride_w, int pad_h, int pad_w, int dil_h,
    int dil_w, int groups, int c_one, int k_one, long x_sn, long x_sc, long x_sh, long y_sn, long y_sc, long y_sh, long res_sn,
    long res_sc, long res_sh, int px_group, int kt_group, int has_res, float lo, float hi, int epi_kind,
    float epi_a, float epi_b)
{
    const struct blocked_geo g = {h, wd, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w, x_sn,
        x_sc, x_sh, y_sn, y_sh, res_sn, res_sh};
    const int first = get_group_id(0) * px_group, last = min(first + px_group, n * p * q),
              grp = get_group_id(2);
    const int kt_last = min((int)(get_group_id(1) + 1) * kt_group, ONN_DIV_UP(k_blocks, TILE_N));
    const long w_sk = (long)c_blocks * r * s * VL * VL;
    global const ONN_S *zero = (global const ONN_S *)(ONN_PACKED(w) + groups * k_blocks * w_sk);
    global const ONN_S *xg = ONN_PTR(x) + grp * (long)c_blocks * x_sc;
    struct onn_px px[ONN_PX_GROUP + TILE_PX];
    blocked_pixels(px, first, last - first, &g);
    for (int kt = get_group_id(1) * kt_group; kt < kt_last; kt++) {
        const int kb = onn_tile_block(kt, k_blocks), nv = onn_tile_block(kt + 1, k_blocks) - kb;
        const long kg = (long)grp * k_blocks + kb;
        const struct onn_out o = {ONN_PTR(y) + kg * y_sc, ONN_PTR(res) + kg * res_sc, ONN_PTR(bias) + kg * VL,
            y_sc, res_sc, has_res, k - (int)kg * VL, nv, lo, hi, epi_kind, epi_a, epi_b,
            ONN_FIRST | ONN_LAST};
        const int own = onn_own_first(kb, c_one, k_one), own_n = onn_own_end(kb + nv, c_blocks, c_one, k_one) - own;
        global const float *wt = ONN_PACKED(w) + kg * w_sk + (long)own * r * s * VL * VL;
        global const ONN_S *xt = xg + own * x_sc;
        for (int m = 0, np; m < last - first; m += np) {
            ONN_V acc[TILE_ACC];
            np = onn_tile_pixels(last - first - m, nv);
            if (!ONN_TILE_CALL(blocked_tile, np, nv, (acc, px + m, np, &o, xt, wt, w_sk, zero, &g, own_n)))
                onn_tile_store(acc, np, &o, px + m);
        }
    }
}

/* Packs w[K][C/groups][R][S] into [groups][k_blocks][c_blocks][R][S][VL c][VL k] with zeros in the tails,
 * and writes the VL zeros behind it. Global size { c_blocks, groups * k_blocks, 1 }; k, c: channels of one group.
 */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv2d_pack_blocked(ONN_IN(ONN_S, w),
    ONN_OUT(ONN_S, u), int k, int c, int r, int s)
{
    const int cb = get_group_id(0), c_blocks = get_num_groups(0), k_blocks = ONN_DIV_UP(k, VL), rs = r * s;
    const int grp = get_group_id(1) / k_blocks, kb = get_group_id(1) % k_blocks;
    global const ONN_S *src = ONN_PTR(w) + (long)grp * k * c * rs;
    global float *dst = ONN_PACKED_OUT(u) + ((long)get_group_id(1) * c_blocks + cb) * rs * VL * VL;
    for (int t = 0; t < rs; t++)
        for (int i = 0; i < VL; i++)
            for (int j = 0; j < VL; j++) {
                const int ci = cb * VL + i, kj = kb * VL + j;
                *dst++ = ci < c && kj < k ? ONN_SGET(src + ((long)kj * c + ci) * rs + t) : 0.0f;
            }
    if (cb == 0 && get_group_id(1) == 0)
        ONN_STORE((ONN_V)(0.0f), ONN_PACKED_OUT(u) + (long)get_num_groups(1) * c_blocks * rs * VL * VL);
}
