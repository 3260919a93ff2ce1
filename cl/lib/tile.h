/* Register tile shared by the convolution kernels for vector CPUs.
 *
 * A tile is mr pixels x nv blocks of VL output channels, held in mr * nv vector accumulators. The inner
 * step broadcasts one input value of each pixel and multiplies it with nv weight vectors. mr and nv are
 * literals at every use and the functions are inlined, so that all loops unroll and the accumulators
 * live in registers; a finished tile goes through a small array to one shared epilogue, which keeps the
 * programs small (compile time) and costs a few cycles.
 *
 * Shapes: nv = 3, 2 or 1, with TILE_M3, TILE_M2, TILE_M1 pixels; TILE_M3B and TILE_M2B are smaller
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
#define TILE_N 3
#define TILE_PX TILE_M1 /* most pixels of any tile */
#define TILE_ACC (TILE_M3 * 3 > TILE_M1 ? TILE_M3 * 3 : TILE_M1) /* most vectors of any tile */

#define ONN_FIRST 1 /* add bias and residual; without it: add what y already holds */
#define ONN_LAST 2 /* clip, clear pad lanes, run ONN_EPI */

/* Where and how a finished tile is written. */
struct onn_out {
    global float *y; /* first channel block of the tile */
    global const float *res; /* same block of the residual; not read when has_res is 0 */
    global const float *bias; /* first channel of the tile */
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

/* The loops run to constants and test against mr and nv: a bound known only after inlining unrolls too
 * late for the arrays to become registers. */
ONN_INLINE void onn_tile_zero(const int n, ONN_V *acc)
{
#pragma unroll
    for (int i = 0; i < TILE_ACC; i++)
        if (i < n)
            acc[i] = (ONN_V)(0.0f);
}

ONN_INLINE void onn_tile_copy(const int n, ONN_V *to, const ONN_V *from)
{
#pragma unroll
    for (int i = 0; i < TILE_ACC; i++)
        if (i < n)
            to[i] = from[i];
}

/* acc += x (VL channels of mr pixels) * w (VL x nv blocks, w_sk between blocks). */
ONN_INLINE void onn_tile_fma(const int mr, const int nv, ONN_V *acc, global const float *const *x,
    global const float *w, long w_sk)
{
#pragma unroll
    for (int c = 0; c < VL; c++) {
        ONN_V b[TILE_N];
#pragma unroll
        for (int v = 0; v < TILE_N; v++)
            if (v < nv)
                b[v] = ONN_LOAD(w + v * w_sk + c * VL);
#pragma unroll
        for (int i = 0; i < TILE_PX; i++)
            if (i < mr) {
                const ONN_V a = (ONN_V)(x[i][c]);
#pragma unroll
                for (int v = 0; v < TILE_N; v++)
                    if (v < nv)
                        acc[i * nv + v] = fma(a, b[v], acc[i * nv + v]);
            }
    }
}

ONN_INLINE ONN_V onn_clip(ONN_V t, float lo, float hi)
{
    t = t < (ONN_V)(lo) ? (ONN_V)(lo) : t;
    return t > (ONN_V)(hi) ? (ONN_V)(hi) : t;
}

/* Epilogue for n pixels x o->nv blocks, acc[i * nv + v]. */
static void onn_tile_store(const ONN_V *acc, int n, const struct onn_out *o, const struct onn_px *px)
{
    const int steps = o->steps;
    for (int v = 0; v < o->nv; v++) {
        const int left = o->k_left - v * VL;
        const ONN_V bias = steps & ONN_FIRST ? onn_load_part(o->bias + v * VL, left) : (ONN_V)(0.0f);
        global float *y = o->y + v * o->y_sc;
        global const float *res = o->res + v * o->res_sc;
        for (int i = 0; i < n; i++) {
            ONN_V t = acc[i * o->nv + v] + bias;
            if (!(steps & ONN_FIRST))
                t += ONN_LOAD(y + px[i].y);
            else if (o->has_res)
                t += ONN_LOAD(res + px[i].res);
            if (steps & ONN_LAST)
                t = onn_mask(onn_clip(t, o->lo, o->hi), left);
            ONN_STORE(t, y + px[i].y);
        }
#ifdef ONN_EPI
        if (steps & ONN_LAST)
            for (int i = 0; i < n; i++)
                ONN_STORE(onn_mask(ONN_EPI(ONN_LOAD(y + px[i].y), o->kind, o->a, o->b), left), y + px[i].y);
#endif
    }
}

/* Ends a tile: stores it from registers in the usual case (whole blocks, all pixels, no ONN_EPI) and returns 1;
 * else leaves it in out for onn_tile_store. */
ONN_INLINE int onn_tile_end(const int mr, const int nv, ONN_V *out, ONN_V *acc, int n,
    const struct onn_out *o, const struct onn_px *px)
{
#ifndef ONN_EPI
    if (n == mr && o->steps == (ONN_FIRST | ONN_LAST) && o->k_left >= nv * VL) {
#pragma unroll
        for (int v = 0; v < TILE_N; v++)
            if (v < nv) {
                const ONN_V bias = ONN_LOAD(o->bias + v * VL);
#pragma unroll
                for (int i = 0; i < TILE_PX; i++)
                    if (i < mr)
                        acc[i * nv + v] += bias;
            }
        if (o->has_res) {
#pragma unroll
            for (int v = 0; v < TILE_N; v++)
                if (v < nv)
#pragma unroll
                    for (int i = 0; i < TILE_PX; i++)
                        if (i < mr)
                            acc[i * nv + v] += ONN_LOAD(o->res + v * o->res_sc + px[i].res);
        }
#pragma unroll
        for (int v = 0; v < TILE_N; v++)
            if (v < nv)
#pragma unroll
                for (int i = 0; i < TILE_PX; i++)
                    if (i < mr)
                        ONN_STORE(onn_clip(acc[i * nv + v], o->lo, o->hi), o->y + v * o->y_sc + px[i].y);
        return 1;
    }
#endif
    onn_tile_copy(mr * nv, out, acc);
    return 0;
}

#endif
