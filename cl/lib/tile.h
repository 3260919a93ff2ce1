/* Register tile shared by the convolution kernels for vector CPUs.
 *
 * A tile is mr pixels x nv blocks of VL output channels, held in mr * nv vector accumulators. The inner
 * step broadcasts one input value of each pixel and multiplies it with nv weight vectors. Each shape has a
 * function of its own with literal mr and nv, so that all loops unroll and the accumulators live in
 * registers. A tile of whole blocks is stored from there (ONN_TILE_END); others go through a small array to
 * one shared epilogue.
 *
 * Shapes: nv = 3, 2 or (ONN_WITH_TILE_1) 1, with TILE_M3, TILE_M2, TILE_M1 pixels; TILE_M3B and TILE_M2B are smaller
 * versions for remainders. The k_blocks of a group are dealt evenly over ceil(k_blocks / 3) tiles (so
 * nv is 3 or 2, and 1 only when k_blocks is 1), pixels evenly over ceil(n / mr) tiles. Spare pixels
 * repeat the last one and are not stored.
 *
 * Epilogue: bias, residual, clip to [lo, hi] by comparisons that keep NaN, pad lanes of the last channel
 * block cleared, store. With ONN_EPI defined the tile is read again (from L1), passed through
 * ONN_EPI(v, kind, a, b) on whole vectors, cleared and stored again.
 */
#ifndef ONN_TILE_H
#define ONN_TILE_H

#include "lib/stored.h"

#ifndef TILE_M3
#if VL == 16 || defined(ONN_REGS32)
#define TILE_M3 8
#define TILE_M3B 7
#define TILE_M2 12
#define TILE_M2B 10
#define TILE_M1 16
#else
#define TILE_M3 4
#define TILE_M3B 3
#define TILE_M2 6
#define TILE_M2B 5
#define TILE_M1 12
#endif
#endif

/* Functions of the tiles are not inlined: PoCL compiles the body of a kernel three times, what it calls once. They
 * come from macros, as do their loops: with literal bounds these unroll where they stand, while inlined functions
 * with constant arguments would be compiled for every bound first. Together this compiles several times faster. */
#define ONN_TILE_FN static __attribute__((noinline))
#define ONN_LOOP(i, n) _Pragma("unroll") for (int i = 0; i < (n); i++)

/* What vload and vstore do, without a call that has to be linked and inlined at each use. */
typedef ONN_V onn_tile_v __attribute__((aligned(4)));
#define ONN_TILE_LOAD(p) (*(global const onn_tile_v *)(p))
#define ONN_TILE_STORE(v, p) (*(global onn_tile_v *)(p) = (v))

/* The same for what tensors hold, and one step of a tile whose inputs are a tensor's. Halves are widened into memory first:
 * their multiplication would take them out of registers one by one. (volatile: or it would do so still.) */
#ifdef ONN_F16
#define ONN_TILE_SLOAD(p) ONN_SLOAD(p)
#define ONN_TILE_SSTORE(v, p) ONN_SSTORE(v, p)
#define ONN_TILE_STEP(MR, NV, acc, src, w, w_sk)                                                                       \
    {                                                                                                                  \
        ONN_V wide_[MR];                                                                                               \
        const float *row_[MR];                                                                                         \
        ONN_LOOP(i_, MR) *(volatile ONN_V *)&wide_[i_] = ONN_SLOAD(src[i_]);                                           \
        ONN_LOOP(i_, MR) row_[i_] = (const float *)&wide_[i_];                                                         \
        ONN_TILE_FMA(MR, NV, acc, row_, w, w_sk)                                                                       \
    }
#else
#define ONN_TILE_SLOAD(p) ONN_TILE_LOAD(p)
#define ONN_TILE_SSTORE(v, p) ONN_TILE_STORE(v, p)
#define ONN_TILE_STEP(MR, NV, acc, src, w, w_sk) ONN_TILE_FMA(MR, NV, acc, src, w, w_sk)
#endif

#define TILE_N 3
#define TILE_PX TILE_M1 /* most pixels of any tile */
#define TILE_ACC (TILE_M3 * 3 > TILE_M1 ? TILE_M3 * 3 : TILE_M1) /* most vectors of any tile */

#define ONN_FIRST 1 /* add bias and residual; without it: add what y already holds */
#define ONN_LAST 2 /* clip, clear pad lanes, run ONN_EPI */

/* Where and how a finished tile is written. */
struct onn_out {
    global ONN_S *y; /* first channel block of the tile */
    global const ONN_S *res; /* same block of the residual; not read when has_res is 0 */
    global const ONN_S *bias; /* first channel of the tile */
    long y_sc, res_sc; /* channel-block strides */
    int has_res;
    int k_left; /* output channels from the tile's first one to the end: masks the tail */
    int nv; /* blocks of the tile */
    float lo, hi; /* clip */
    int kind; /* for ONN_EPI */
    float a, b;
    int steps; /* ONN_FIRST | ONN_LAST unless C is split */
};

/* First of k_blocks blocks of K tile t; tile t ends where tile t + 1 begins. */
ONN_INLINE int onn_tile_block(int t, int k_blocks)
{
    return t * k_blocks / ONN_DIV_UP(k_blocks, TILE_N);
}

/* Channel blocks that output blocks kb … end - 1 of a merged group depend on: the groups that these blocks lie in, of c_one
 * input and k_one output channels each. */
ONN_INLINE int onn_own_first(int kb, int c_one, int k_one)
{
    return kb * VL / k_one * c_one / VL;
}
ONN_INLINE int onn_own_end(int end, int c_blocks, int c_one, int k_one)
{
    return min(ONN_DIV_UP(((end * VL - 1) / k_one + 1) * c_one, VL), c_blocks); /* pad lanes belong to no group */
}

/* Pixels of the next tile when left remain and are dealt evenly. */
ONN_INLINE int onn_tile_pixels(int left, int nv)
{
    const int most = nv == 3 ? TILE_M3 : nv == 2 ? TILE_M2 : TILE_M1;
    return ONN_DIV_UP(left, ONN_DIV_UP(left, most));
}

/* A pixel of a tile: offsets where it is read and written. An array of these, not one array for each
 * member: compilers would load several offsets as one vector and take it apart again in the inner loop. */
struct onn_px {
    long x, y, res;
    int y0, x0; /* input position of tap (0, 0); may lie outside the image */
    int inside; /* no tap leaves the image */
};

/* Pixels that one work-group may be given (px_group): their offsets are found once, for all K tiles. */
#ifndef ONN_PX_GROUP
#define ONN_PX_GROUP 64
#endif

#define ONN_TILE_ZERO(MR, NV, acc) ONN_LOOP(i_, (MR) * (NV)) acc[i_] = (ONN_V)(0.0f)

#define ONN_TILE_COPY(MR, NV, to, from) ONN_LOOP(i_, (MR) * (NV)) to[i_] = from[i_]

/* acc += x (VL channels of MR pixels) * w (VL x NV blocks, w_sk between blocks). Unrolled over all VL channels, so that
 * offsets are constants: with a counter in the addresses loads are moved up and accumulators spilled. */
#define ONN_TILE_FMA(MR, NV, acc, x, w, w_sk)                                                                          \
    ONN_LOOP(c_, VL)                                                                                                   \
    {                                                                                                                  \
        ONN_V b_[NV];                                                                                                  \
        ONN_LOOP(v_, NV) b_[v_] = ONN_TILE_LOAD((w) + v_ * (w_sk) + c_ * VL);                                          \
        ONN_LOOP(i_, MR)                                                                                               \
        {                                                                                                              \
            const ONN_V a_ = (ONN_V)(x[i_][c_]);                                                                       \
            ONN_LOOP(v_, NV) acc[i_ * (NV) + v_] = fma(a_, b_[v_], acc[i_ * (NV) + v_]);                               \
        }                                                                                                              \
    }

/* The tile of one block takes a quarter of the compiler's time: it is there for launches that
 * have such a tile: with k_blocks 1, Winograd also with a last group of one. Called without, it would compute too little. */
#ifdef ONN_WITH_TILE_1
#define ONN_TILE_IF_1(yes, no) yes
#else
#define ONN_TILE_IF_1(yes, no) no
#endif

/* Defines one function for each shape: F(MR, NV, name with the shape behind it). */
#define ONN_TILE_SHAPES(F, name)                                                                                       \
    F(TILE_M3, 3, name##_3) F(TILE_M3B, 3, name##_3b) F(TILE_M2, 2, name##_2) F(TILE_M2B, 2, name##_2b)                \
    ONN_TILE_IF_1(F(TILE_M1, 1, name##_1), )

/* Calls the one for np pixels x nv blocks; args in parentheses. */
#define ONN_TILE_CALL(name, np, nv, args)                                                                              \
    ((nv) == 3 ? (np) > TILE_M3B ? name##_3 args : name##_3b args :                                                    \
     ONN_TILE_IF_1((nv) == 1 ? name##_1 args :, )                                                                      \
     (np) > TILE_M2B ? name##_2 args : name##_2b args)

ONN_INLINE ONN_V onn_clip(ONN_V t, float lo, float hi)
{
    t = t < (ONN_V)(lo) ? (ONN_V)(lo) : t;
    return t > (ONN_V)(hi) ? (ONN_V)(hi) : t;
}

/* Epilogue for n pixels x o->nv blocks, acc[i * nv + v]. */
ONN_TILE_FN void onn_tile_store(const ONN_V *acc, int n, const struct onn_out *o, const struct onn_px *px)
{
    const int steps = o->steps;
    for (int v = 0; v < o->nv; v++) {
        const int left = o->k_left - v * VL;
        const ONN_V bias = steps & ONN_FIRST ? onn_sload_part(o->bias + v * VL, left) : (ONN_V)(0.0f);
        global ONN_S *y = o->y + v * o->y_sc;
        global const ONN_S *res = o->res + v * o->res_sc;
        for (int i = 0; i < n; i++) {
            ONN_V t = acc[i * o->nv + v] + bias;
            if (!(steps & ONN_FIRST))
                t += ONN_SLOAD(y + px[i].y);
            else if (o->has_res)
                t += ONN_SLOAD(res + px[i].res);
            if (steps & ONN_LAST)
                t = onn_mask(onn_clip(t, o->lo, o->hi), left);
            ONN_SSTORE(t, y + px[i].y);
        }
#ifdef ONN_EPI
        if (steps & ONN_LAST)
            for (int i = 0; i < n; i++)
                ONN_SSTORE(onn_mask(ONN_EPI(ONN_SLOAD(y + px[i].y), o->kind, o->a, o->b), left), y + px[i].y);
#endif
    }
}

/* Ends a tile's function: stores it from registers in the usual case (whole blocks, all pixels, no ONN_EPI) and
 * returns 1; else leaves it in out for onn_tile_store and returns 0. */
#ifdef ONN_EPI
#define ONN_TILE_FAST(MR, NV, acc, n, o, px)
#else
#define ONN_TILE_FAST(MR, NV, acc, n, o, px)                                                                           \
    if (n == (MR) && o->steps == (ONN_FIRST | ONN_LAST) && o->k_left >= (NV) * VL) {                                   \
        ONN_LOOP(v_, NV)                                                                                               \
        {                                                                                                              \
            const ONN_V bias_ = ONN_TILE_SLOAD(o->bias + v_ * VL);                                                     \
            ONN_LOOP(i_, MR) acc[i_ * (NV) + v_] += bias_;                                                             \
        }                                                                                                              \
        if (o->has_res)                                                                                                \
            ONN_LOOP(v_, NV)                                                                                           \
            ONN_LOOP(i_, MR) acc[i_ * (NV) + v_] += ONN_TILE_SLOAD(o->res + v_ * o->res_sc + px[i_].res);              \
        ONN_LOOP(v_, NV)                                                                                               \
        ONN_LOOP(i_, MR) ONN_TILE_SSTORE(onn_clip(acc[i_ * (NV) + v_], o->lo, o->hi), o->y + v_ * o->y_sc + px[i_].y); \
        return 1;                                                                                                      \
    }
#endif
#define ONN_TILE_END(MR, NV, out, acc, n, o, px)                                                                       \
    ONN_TILE_FAST(MR, NV, acc, n, o, px)                                                                               \
    ONN_TILE_COPY(MR, NV, out, acc);                                                                                   \
    return 0

#endif
