/* Transposed convolution on blocked data for vector CPUs: 1-D and 2-D, any stride, dilation, pads, groups.
 *
 * Layout     x, y, res: [N][channels/VL][H][W][VL], strides in elements by argument (pixel stride VL). Pad lanes of the
 *            last channel block are zero in x and res, and are left zero in y.
 * Weights    packed by convtranspose_pack: [groups][k_blocks][c_blocks][R][S][VL c][VL k], followed by at least VL zeros
 *            at element `zeros`. With groups > 1 the channels of a group fill whole blocks.
 * Defines    ONN_F16 (lib/stored.h; packed weights stay float), VL (8), tile sizes TILE_M*, ONN_PX_GROUP (64) (lib/tile.h); ONN_EPI_KIND optional. At most 64 taps.
 * Work       one work-item per work-group; global size { groups_per_phase * phases, ceil(ceil(k_blocks / 3) / kt_group),
 *            groups }, phases = min(stride_h, p) * min(stride_w, q). A work-group computes px_group (<= ONN_PX_GROUP) pixels
 *            of one phase (flat, of all images) x kt_group tiles of up to 3 channel blocks. Phases alternate: they differ in
 *            work, and drivers deal neighbouring work-groups to one core.
 * Method     the rows and columns of y fall into stride_h x stride_w phases; the pixels of one phase see the same taps and
 *            neighbouring inputs, so that each phase is a dense convolution with few taps: a gather, nothing is added up
 *            in memory.
 */
#include "lib/vec.h"
#include "lib/tile.h"

#define CTB_TAPS 64

struct ctb_geo {
    int h, w, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
};

/* A tap of one phase, counted from the phase's pixel: its input is dy rows and dx columns away, x elements; weights at w. */
struct ctb_tap {
    long x, w;
    int dy, dx;
};

/* The taps that reach a phase, and how far they reach. */
struct ctb_phase {
    struct ctb_tap tap[CTB_TAPS];
    int taps, top, bottom, left, right;
};

/* Sums of MR pixels x NV blocks over all channels and taps; see ONN_TILE_END. */
#define CTB_TILE(MR, NV, name)                                                                                         \
    ONN_TILE_FN int name(ONN_V *out, const struct onn_px *px, int n, const struct onn_out *o, global const ONN_S *x,   \
        long x_sc, global const float *w, long w_sc, long w_sk, global const ONN_S *zero, const struct ctb_phase *ph,  \
        const struct ctb_geo *g, int c_blocks)                                                                         \
    {                                                                                                                  \
        ONN_V acc[(MR) * (NV)];                                                                                        \
        global const ONN_S *src[MR];                                                                                   \
        int inside = 1;                                                                                                \
        ONN_LOOP(i, MR) inside &= px[i].inside;                                                                        \
        ONN_TILE_ZERO(MR, NV, acc);                                                                                    \
        for (int cb = 0; cb < c_blocks; cb++, x += x_sc, w += w_sc)                                                    \
            for (int t = 0; t < ph->taps; t++) {                                                                       \
                const struct ctb_tap *tap = &ph->tap[t];                                                               \
                ONN_LOOP(i, MR) src[i] = x + tap->x + px[i].x;                                                         \
                if (!inside)                                                                                           \
                    ONN_LOOP(i, MR)                                                                                    \
                    src[i] = (uint)(px[i].y0 + tap->dy) < (uint)g->h && (uint)(px[i].x0 + tap->dx) < (uint)g->w ? src[i] : zero; \
                ONN_TILE_STEP(MR, NV, acc, src, w + tap->w, w_sk)                                                      \
            }                                                                                                          \
        ONN_TILE_END(MR, NV, out, acc, n, o, px);                                                                      \
    }
ONN_TILE_SHAPES(CTB_TILE, ctb_tile)

/* Taps of the phase whose first pixel is row a, column b of y. */
ONN_TILE_FN void ctb_taps(struct ctb_phase *ph, const struct ctb_geo *g, int a, int b, long x_sh)
{
    ph->taps = ph->top = ph->bottom = ph->left = ph->right = 0;
    for (int r = 0; r < g->r; r++) {
        const int y = a + g->pad_h - r * g->dil_h;
        if (y % g->stride_h)
            continue;
        for (int s = 0; s < g->s; s++) {
            const int c = b + g->pad_w - s * g->dil_w;
            if (c % g->stride_w)
                continue;
            struct ctb_tap *tap = &ph->tap[ph->taps++];
            tap->dy = y / g->stride_h;
            tap->dx = c / g->stride_w;
            tap->x = tap->dy * x_sh + (long)tap->dx * VL;
            tap->w = (long)(r * g->s + s) * VL * VL;
            ph->top = min(ph->top, tap->dy);
            ph->bottom = max(ph->bottom, tap->dy);
            ph->left = min(ph->left, tap->dx);
            ph->right = max(ph->right, tap->dx);
        }
    }
}

/* Strides of images and rows. */
struct ctb_strides {
    long x_n, x_h, y_n, y_h, res_n, res_h;
};

/* Fills px for pixels m .. m+n-1 of the phase [N][rows][columns] that starts at (a, b), and repeats the last one. */
ONN_TILE_FN void ctb_pixels(struct onn_px *px, int m, int n, int a, int b, const struct ctb_phase *ph,
    const struct ctb_geo *g, const struct ctb_strides *st)
{
    const int rows = ONN_DIV_UP(g->p - a, g->stride_h), columns = ONN_DIV_UP(g->q - b, g->stride_w);
    int in = m / (rows * columns), i = m % (rows * columns) / columns, j = m % columns;
    for (int k = 0; k < n + TILE_PX; k++) {
        const int y = a + i * g->stride_h;
        const long x = (b + (long)j * g->stride_w) * VL;
        px[k].y0 = i;
        px[k].x0 = j;
        px[k].inside = i + ph->top >= 0 && i + ph->bottom < g->h && j + ph->left >= 0 && j + ph->right < g->w;
        px[k].x = in * st->x_n + i * st->x_h + (long)j * VL;
        px[k].y = in * st->y_n + y * st->y_h + x;
        px[k].res = in * st->res_n + y * st->res_h + x;
        if (k < n - 1 && ++j == columns) {
            j = 0;
            if (++i == rows) {
                i = 0;
                in++;
            }
        }
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void convtranspose_blocked(
    ONN_IN(ONN_S, x), ONN_IN(ONN_S, w), ONN_OUT(ONN_S, y), ONN_IN(ONN_S, bias), ONN_IN(ONN_S, res), int n, int c_blocks, int h,
    int wd, int k, int k_blocks, int p, int q, int r, int s, int stride_h, int stride_w, int pad_h, int pad_w, int dil_h,
    int dil_w, long x_sn, long x_sc, long x_sh, long y_sn, long y_sc, long y_sh, long res_sn, long res_sc, long res_sh,
    int px_group, int kt_group, long zeros, int has_res, float lo, float hi, int epi_kind, float epi_a,
    float epi_b)
{
    const struct ctb_geo g = {h, wd, p, q, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w};
    const struct ctb_strides st = {x_sn, x_sh, y_sn, y_sh, res_sn, res_sh};
    const int across = min(stride_w, q), phases = min(stride_h, p) * across;
    const int phase = get_group_id(0) % phases, a = phase / across, b = phase % across;
    const int pixels = n * ONN_DIV_UP(p - a, stride_h) * ONN_DIV_UP(q - b, stride_w);
    const int first = get_group_id(0) / phases * px_group, count = min(px_group, pixels - first), grp = get_group_id(2);
    const int kt_last = min((int)(get_group_id(1) + 1) * kt_group, ONN_DIV_UP(k_blocks, TILE_N));
    const long w_sc = (long)r * s * VL * VL, w_sk = c_blocks * w_sc;
    global const ONN_S *xg = ONN_PTR(x) + grp * (long)c_blocks * x_sc;
    global const ONN_S *zero = (global const ONN_S *)(ONN_PACKED(w) + zeros);
    struct ctb_phase ph;
    struct onn_px px[ONN_PX_GROUP + TILE_PX];
    if (count <= 0)
        return;
    ctb_taps(&ph, &g, a, b, x_sh);
    ctb_pixels(px, first, count, a, b, &ph, &g, &st);
    for (int kt = get_group_id(1) * kt_group; kt < kt_last; kt++) {
        const int kb = onn_tile_block(kt, k_blocks), nv = onn_tile_block(kt + 1, k_blocks) - kb;
        const long kg = (long)grp * k_blocks + kb;
        const struct onn_out o = {ONN_PTR(y) + kg * y_sc, ONN_PTR(res) + kg * res_sc, ONN_PTR(bias) + kg * VL, y_sc, res_sc,
                                  has_res, k - (int)kg * VL, nv, lo, hi, epi_kind, epi_a, epi_b, ONN_FIRST | ONN_LAST};
        global const float *wt = ONN_PACKED(w) + kg * w_sk;
        for (int m = 0, np; m < count; m += np) {
            ONN_V acc[TILE_ACC];
            np = onn_tile_pixels(count - m, nv);
            if (!ONN_TILE_CALL(ctb_tile, np, nv, (acc, px + m, np, &o, xg, x_sc, wt, w_sc, w_sk, zero, &ph, &g, c_blocks)))
                onn_tile_store(acc, np, &o, px + m);
        }
    }
}

/* Packs w[C][K/groups][R][S] into [groups][k_blocks][c_blocks][R][S][VL c][VL k] with zeros in the tails, or, with c 0,
 * writes nothing but zeros. Global size { c_blocks, groups * k_blocks, 1 }; k, c: channels of one group. */
__attribute__((reqd_work_group_size(1, 1, 1))) kernel void convtranspose_pack(ONN_IN(ONN_S, w), ONN_OUT(ONN_S, u), int k,
                                                                              int c, int r, int s)
{
    const int cb = get_group_id(0), c_blocks = get_num_groups(0), k_blocks = ONN_DIV_UP(k, VL), rs = r * s;
    const int grp = get_group_id(1) / k_blocks, kb = get_group_id(1) % k_blocks;
    global const ONN_S *src = ONN_PTR(w) + (long)grp * c * k * rs;
    global float *dst = ONN_PACKED_OUT(u) + ((long)get_group_id(1) * c_blocks + cb) * rs * VL * VL;
    for (int t = 0; t < rs; t++)
        for (int i = 0; i < VL; i++)
            for (int j = 0; j < VL; j++) {
                const int ci = cb * VL + i, kj = kb * VL + j;
                *dst++ = ci < c && kj < k ? ONN_SGET(src + ((long)ci * k + kj) * rs + t) : 0.0f;
            }
}
