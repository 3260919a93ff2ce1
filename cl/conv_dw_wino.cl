/* Gradient of a 3x3 convolution's weight with stride 1 on blocked data, for vector CPUs, by Winograd's F(3x3, 4x4).
 *
 * Layout     x, dy [N][channels/VL][H][W][VL] (strides by argument, pixel stride VL), pad lanes 0. With groups > 1 the
 *            channels of a group fill whole blocks. With one split dw is written plain, [K][C / groups][3][3]; else
 *            as parts that conv_dw_gather adds up and transposes: [split][groups * k_blocks][c_blocks][9][VL c][VL k].
 * Work       one work-item per work-group, global size { any }: the items (split, group, k tiles, c blocks) are dealt
 *            to the groups in turn, so that scratch is as large as the groups, not as the work. An item sums up to c_item
 *            blocks of input channels against k_item tiles of up to 3 blocks of output channels over its split's tiles.
 * Scratch    `own` floats of each work-group: transformed tiles of x [36][c block][tile][VL] and of dy
 *            [36][k tile][tile][3][VL], the sums [36][k tile][c / DWW_C][DWW_C][3][VL], one patch of 6x6 pixels.
 * Defines    VL (8), DWW_C (4, with VL 16: 8): input channels of a register tile; DWW_SET (24): tiles of a set.
 * Method     dy is cut into tiles of 4x4 pixels, x into the 6x6 that they see. A set of tiles is transformed, 36 products
 *            (channels x tiles) * (tiles x channels) are added to the sums; these are transformed back once, at the end.
 *            Points 0, 1, -1, 2, -2, infinity; factors of the points wait for the end, so that the sums of whole numbers
 *            are whole. Winograd 1980, Lavin and Gray 2015 (arXiv 1509.09308), turned round for the gradient.
 * Rounding   fp32 in the order of the tiles; error as of F(4x4, 3x3).
 */
#include "lib/vec.h"

#ifndef DWW_C
#define DWW_C (VL == 16 ? 8 : 4)
#endif
#ifndef DWW_SET
#define DWW_SET 24
#endif
#define DWW_N 3

struct dww_args {
    int p, q, h, w, pad_h, pad_w, c_blocks, k_blocks, groups; /* blocks of one group */
    int c, k; /* channels of one group */
    int k_tiles, c_items, k_items, splits, tiles;
    long x_s[3], dy_s[3]; /* n, channel block, row */
    long own, v_pitch, u_pitch, m_pitch;
};

/* Where a tile stands: x may point outside, inside says whether the tile's 6x6 pixels of x, 4x4 of dy all exist. */
struct dww_tile {
    long x, dy;
    int y0, x0, p0, q0, x_inside, dy_inside;
};

#define DWW_FN static __attribute__((noinline))
#define DWW_LOOP(i, n) _Pragma("unroll") for (int i = 0; i < (n); i++)
typedef ONN_V dww_v __attribute__((aligned(4)));
#define DWW_LOAD(p) (*(global const dww_v *)(p))
#define DWW_STORE(v, p) (*(global dww_v *)(p) = (v))

/* o[0], o[s] … o[5s] = the six values of x's transform of d[0 … 5]. */
#define DWW_X(d, o0, o1, o2, o3, o4, o5)                                                                               \
    {                                                                                                                  \
        const ONN_V a_ = fma((ONN_V)(-4.0f), d[2], d[4]), b_ = fma((ONN_V)(-4.0f), d[1], d[3]);                        \
        const ONN_V c_ = d[4] - d[2], e_ = d[3] - d[1];                                                                \
        o0 = fma((ONN_V)(4.0f), d[0], fma((ONN_V)(-5.0f), d[2], d[4]));                                                \
        o1 = a_ + b_;                                                                                                  \
        o2 = a_ - b_;                                                                                                  \
        o3 = fma((ONN_V)(2.0f), e_, c_);                                                                               \
        o4 = fma((ONN_V)(-2.0f), e_, c_);                                                                              \
        o5 = fma((ONN_V)(4.0f), d[1], fma((ONN_V)(-5.0f), d[3], d[5]));                                                \
    }
/* The same of dy's d[0 … 3]: the polynomial's values without the points' factors. */
#define DWW_DY(d, o0, o1, o2, o3, o4, o5)                                                                              \
    {                                                                                                                  \
        const ONN_V a_ = d[0] + d[2], b_ = d[1] + d[3];                                                                \
        const ONN_V c_ = fma((ONN_V)(4.0f), d[2], d[0]), e_ = fma((ONN_V)(4.0f), d[3], d[1]);                          \
        o0 = d[0];                                                                                                     \
        o1 = a_ + b_;                                                                                                  \
        o2 = a_ - b_;                                                                                                  \
        o3 = fma((ONN_V)(2.0f), e_, c_);                                                                               \
        o4 = fma((ONN_V)(-2.0f), e_, c_);                                                                              \
        o5 = d[3];                                                                                                     \
    }
/* 24 times the three weights of the six sums. */
#define DWW_OUT(m, o0, o1, o2)                                                                                         \
    {                                                                                                                  \
        const ONN_V a_ = m[1] + m[2], b_ = m[1] - m[2], c_ = m[3] + m[4], e_ = m[3] - m[4];                            \
        o0 = fma((ONN_V)(6.0f), m[0], fma((ONN_V)(-4.0f), a_, c_));                                                    \
        o1 = fma((ONN_V)(-4.0f), b_, 2.0f * e_);                                                                       \
        o2 = fma((ONN_V)(24.0f), m[5], 4.0f * (c_ - a_));                                                              \
    }

DWW_FN void dww_x(global const float *x, long row, global float *out, long pitch)
{
    ONN_V t[36];
    DWW_LOOP(i, 6)
    {
        ONN_V d[6];
        DWW_LOOP(j, 6) d[j] = DWW_LOAD(x + i * row + j * VL);
        DWW_X(d, t[i], t[6 + i], t[12 + i], t[18 + i], t[24 + i], t[30 + i])
    }
    DWW_LOOP(j, 6)
    {
        ONN_V o[6];
        DWW_X((t + j * 6), o[0], o[1], o[2], o[3], o[4], o[5])
        DWW_LOOP(i, 6) DWW_STORE(o[i], out + (i * 6 + j) * pitch);
    }
}

DWW_FN void dww_dy(global const float *dy, long row, global float *out, long pitch)
{
    ONN_V t[24];
    DWW_LOOP(i, 4)
    {
        ONN_V d[4];
        DWW_LOOP(j, 4) d[j] = DWW_LOAD(dy + i * row + j * VL);
        DWW_DY(d, t[i], t[4 + i], t[8 + i], t[12 + i], t[16 + i], t[20 + i])
    }
    DWW_LOOP(j, 6)
    {
        ONN_V o[6];
        DWW_DY((t + j * 4), o[0], o[1], o[2], o[3], o[4], o[5])
        DWW_LOOP(i, 6) DWW_STORE(o[i], out + (i * 6 + j) * pitch);
    }
}

/* The n x n pixels from row y0, column x0 on, of which those outside h x w are zero. */
DWW_FN void dww_patch(int n, global const float *from, long row, int y0, int x0, int h, int w, global float *to)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++, to += VL) {
            const int inside = (uint)(y0 + i) < (uint)h && (uint)(x0 + j) < (uint)w;
            DWW_STORE(inside ? DWW_LOAD(from + i * row + j * VL) : (ONN_V)(0.0f), to);
        }
}

/* sums += (quads x DWW_C channels of x) * (NV blocks of dy) over the tiles of a set. */
#define DWW_GEMM(NV, name)                                                                                             \
    DWW_FN void name(global const float *v, global const float *u, global float *m, int quads, int tiles,     \
        int first)                                                                                                     \
    {                                                                                                                  \
        for (int i = 0; i < quads; i++, m += DWW_C * DWW_N * VL) {                                                     \
            global const float *a = v + (long)(i / (VL / DWW_C)) * DWW_SET * VL + i % (VL / DWW_C) * DWW_C, *b = u;        \
            ONN_V acc[DWW_C * (NV)];                                                                                   \
            if (first)                                                                                                 \
                DWW_LOOP(j, DWW_C * (NV)) acc[j] = (ONN_V)(0.0f);                                                      \
            else                                                                                                       \
                DWW_LOOP(j, DWW_C * (NV)) acc[j] = DWW_LOAD(m + j * VL);                                               \
            for (int t = 0; t < tiles; t++, a += VL, b += DWW_N * VL) {                                                \
                ONN_V d[NV];                                                                                           \
                DWW_LOOP(k, NV) d[k] = DWW_LOAD(b + k * VL);                                                           \
                DWW_LOOP(c, DWW_C)                                                                                     \
                {                                                                                                      \
                    const ONN_V s = (ONN_V)(a[c]);                                                                     \
                    DWW_LOOP(k, NV) acc[c * (NV) + k] = fma(s, d[k], acc[c * (NV) + k]);                               \
                }                                                                                                      \
            }                                                                                                          \
            DWW_LOOP(j, DWW_C * (NV)) DWW_STORE(acc[j], m + j * VL);                                                   \
        }                                                                                                              \
    }
DWW_GEMM(3, dww_gemm_3)
DWW_GEMM(2, dww_gemm_2)
DWW_GEMM(1, dww_gemm_1)

/* The nine weights, VL output channels each. */
DWW_FN void dww_out(global const float *m, long pitch, ONN_V *o)
{
    ONN_V t[18];
    DWW_LOOP(i, 6)
    {
        ONN_V d[6];
        DWW_LOOP(j, 6) d[j] = DWW_LOAD(m + (i * 6 + j) * pitch);
        DWW_OUT(d, t[i], t[6 + i], t[12 + i])
    }
    DWW_LOOP(j, 3)
    {
        DWW_OUT((t + j * 6), o[j], o[3 + j], o[6 + j])
        DWW_LOOP(i, 3) o[i * 3 + j] /= (ONN_V)(576.0f);
    }
}

/* The weights of input channels c0 … c1 - 1 and the block of output channels that starts at k0; sums at m. */
DWW_FN void dww_write(global const float *m, int nv, global float *out, int c0, int c1, int k0, const struct dww_args *g)
{
    for (int c = c0; c < c1; c++) {
        ONN_V o[9];
        dww_out(m + ((long)(c - c0) / DWW_C * DWW_C * DWW_N + (c - c0) % DWW_C * nv) * VL, g->m_pitch, o);
        if (g->splits > 1) {
            global float *to = out + (((long)k0 / VL * g->c_blocks + c / VL) * 9 * VL + c % VL) * VL;
            for (int t = 0; t < 9; t++)
                DWW_STORE(o[t], to + t * VL * VL);
        } else if (c < g->c) {
            float lane[9 * VL];
            for (int t = 0; t < 9; t++)
                ONN_STORE(o[t], lane + t * VL);
            for (int l = 0; l < VL && k0 + l < g->k; l++)
                for (int t = 0; t < 9; t++)
                    out[((long)(k0 + l) * g->c + c) * 9 + t] = lane[t * VL + l];
        }
    }
}

/* Tiles from `first` on, n of them. */
DWW_FN void dww_tiles(struct dww_tile *tile, int first, int n, const struct dww_args *g)
{
    const int tq = ONN_DIV_UP(g->q, 4), tp = ONN_DIV_UP(g->p, 4);
    int image = first / (tp * tq), i = first % (tp * tq) / tq, j = first % tq;
    for (int t = 0; t < n; t++) {
        const int p0 = i * 4, q0 = j * 4, y0 = p0 - g->pad_h, x0 = q0 - g->pad_w;
        tile[t].p0 = p0;
        tile[t].q0 = q0;
        tile[t].y0 = y0;
        tile[t].x0 = x0;
        tile[t].x = image * g->x_s[0] + y0 * g->x_s[2] + (long)x0 * VL;
        tile[t].dy = image * g->dy_s[0] + p0 * g->dy_s[2] + (long)q0 * VL;
        tile[t].x_inside = y0 >= 0 && y0 + 6 <= g->h && x0 >= 0 && x0 + 6 <= g->w;
        tile[t].dy_inside = p0 + 4 <= g->p && q0 + 4 <= g->q;
        if (++j == tq) {
            j = 0;
            if (++i == tp) {
                i = 0;
                image++;
            }
        }
    }
}

/* One item: blocks c0 … c1 - 1 of x, tiles k0 … k1 - 1 of dy, tiles from … to - 1; x, dy and out stand at the group. */
DWW_FN void dww_item(global const float *x, global const float *dy, global float *out, global float *own, int c0, int c1,
    int k0, int k1, int from, int to, const struct dww_args *g)
{
    global float *v = own, *u = v + 36 * g->v_pitch, *m = u + 36 * g->u_pitch, *patch = m + 36 * g->m_pitch;
    struct dww_tile tile[DWW_SET];
    const int quads = (c1 - c0) * (VL / DWW_C);
    const long m_k = (long)quads * DWW_C * DWW_N * VL;
    for (int t0 = from, n; t0 < to; t0 += n) {
        n = min(DWW_SET, to - t0);
        dww_tiles(tile, t0, n, g);
        for (int c = c0; c < c1; c++)
            for (int t = 0; t < n; t++) {
                global const float *at = x + c * g->x_s[1] + tile[t].x;
                if (!tile[t].x_inside)
                    dww_patch(6, at, g->x_s[2], tile[t].y0, tile[t].x0, g->h, g->w, patch);
                dww_x(tile[t].x_inside ? at : patch, tile[t].x_inside ? g->x_s[2] : 6 * VL,
                    v + ((long)(c - c0) * DWW_SET + t) * VL, g->v_pitch);
            }
        for (int kt = k0; kt < k1; kt++) {
            const int kb0 = kt * g->k_blocks / g->k_tiles, kb1 = (kt + 1) * g->k_blocks / g->k_tiles;
            for (int kb = kb0; kb < kb1; kb++)
                for (int t = 0; t < n; t++) {
                    global const float *at = dy + kb * g->dy_s[1] + tile[t].dy;
                    if (!tile[t].dy_inside)
                        dww_patch(4, at, g->dy_s[2], tile[t].p0, tile[t].q0, g->p, g->q, patch);
                    dww_dy(tile[t].dy_inside ? at : patch, tile[t].dy_inside ? g->dy_s[2] : 4 * VL,
                        u + (((long)(kt - k0) * DWW_SET + t) * DWW_N + kb - kb0) * VL, g->u_pitch);
                }
        }
        for (int f = 0; f < 36; f++)
            for (int kt = k0; kt < k1; kt++) {
                const int nv = (kt + 1) * g->k_blocks / g->k_tiles - kt * g->k_blocks / g->k_tiles;
                global const float *vf = v + f * g->v_pitch;
                global const float *uf = u + f * g->u_pitch + (long)(kt - k0) * DWW_SET * DWW_N * VL;
                global float *mf = m + f * g->m_pitch + (kt - k0) * m_k;
                if (nv == 3)
                    dww_gemm_3(vf, uf, mf, quads, n, t0 == from);
                else if (nv == 2)
                    dww_gemm_2(vf, uf, mf, quads, n, t0 == from);
                else
                    dww_gemm_1(vf, uf, mf, quads, n, t0 == from);
            }
    }
    for (int kt = k0; kt < k1; kt++) {
        const int kb0 = kt * g->k_blocks / g->k_tiles, nv = (kt + 1) * g->k_blocks / g->k_tiles - kb0;
        for (int k = 0; k < nv; k++)
            dww_write(m + (kt - k0) * m_k + k * VL, nv, out, c0 * VL, c1 * VL, (kb0 + k) * VL, g);
    }
}

__attribute__((reqd_work_group_size(1, 1, 1))) kernel void conv_dw_wino(
    ONN_IN(float, x), ONN_IN(float, dy), ONN_OUT(float, out), ONN_OUT(float, scratch), const struct dww_args a)
{
    const struct dww_args g = a;
    const int items = g.splits * g.groups * g.k_items * g.c_items;
    for (int i = get_group_id(0); i < items; i += get_num_groups(0)) {
        const int ci = i % g.c_items, ki = i / g.c_items % g.k_items, rest = i / (g.c_items * g.k_items);
        const int group = rest % g.groups, split = rest / g.groups;
        const int c0 = ci * g.c_blocks / g.c_items, c1 = (ci + 1) * g.c_blocks / g.c_items;
        const int k0 = ki * g.k_tiles / g.k_items, k1 = (ki + 1) * g.k_tiles / g.k_items;
        const int from = (int)((long)g.tiles * split / g.splits), to = (int)((long)g.tiles * (split + 1) / g.splits);
        const long one = g.splits > 1 ? (long)g.k_blocks * g.c_blocks * 9 * VL * VL : (long)g.k * g.c * 9;
        dww_item(ONN_PTR(x) + (long)group * g.c_blocks * g.x_s[1], ONN_PTR(dy) + (long)group * g.k_blocks * g.dy_s[1],
            ONN_PTR(out) + ((long)split * g.groups + group) * one, ONN_PTR(scratch) + get_group_id(0) * g.own, c0, c1, k0,
            k1, from, to, &g);
    }
}
