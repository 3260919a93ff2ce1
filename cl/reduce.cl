/* Reductions over any set of dimensions.
 *
 * reduce_ref    any strides: one item per output; struct red_split gives the walks. Global {outputs}.
 * reduce_rows   [rows][len] contiguous, vector CPUs: an item reduces rows_per rows with whole vectors. Local 1.
 * reduce_group  GPUs: up to two kept and two reduced dimensions, any strides. A work-group of RED_WG items takes RED_LANES
 *               neighbouring outputs and one part of what they reduce, RED_WG / RED_LANES terms at a time; RED_LANES is 1
 *               where the terms are neighbours in memory, more where the outputs are. Global {RED_WG * tiles * parts * outer}.
 *               reduce_group_end adds the parts in order, one output per item. Global {outputs}.
 * reduce_cols   [n0][n1][len][VL lanes]: vectors of adjacent outputs; channel blocks and channels last. Local 1,
 *               global {vectors, n1, n0}.
 * reduce_channels  one number per channel of [n][channel blocks][px][VL]: an item reduces its block in some images to a vector of
 *               floats, [part][block][VL]; reduce_channels_end adds those in order. Local 1, global {parts, blocks}, {blocks}.
 * Defines       ONN_DT (lib/any.h; rows, cols, channels: f32, f16), VL, RED_OP, RED_WG (64), RED_LANES (1): powers of two. Local
 *               memory is RED_WG numbers.
 * Accuracy      sums in parts of at most 256 terms (vectors: 64), parts added up: error grows with n / 256 + 256.
 * NaN           passes through max and min. Lanes behind the last channel are written as 0 (or not at all).
 */
#include "lib/vec.h"
#include "lib/any.h"

/* 0 sum, 1 mean, 2 max, 3 min, 4 prod, 5 l1, 6 l2, 7 sum of squares, 8 log sum, 9 log sum exp */
#ifndef RED_OP
#define RED_OP 0
#endif
#ifndef RED_WG
#define RED_WG 64
#endif
#ifndef RED_LANES
#define RED_LANES 1
#endif
#define RED_ROWS (RED_WG / RED_LANES)

#if RED_OP == 2
#define RED_INIT ANY_LEAST
#define RED_COMBINE(a, b) ((((a) > (b)) | ((a) != (a))) ? (a) : (b))
#elif RED_OP == 3
#define RED_INIT ANY_MOST
#define RED_COMBINE(a, b) ((((a) < (b)) | ((a) != (a))) ? (a) : (b))
#elif RED_OP == 4
#define RED_INIT 1
#define RED_COMBINE(a, b) ((a) * (b))
#else
#define RED_INIT 0
#define RED_COMBINE(a, b) ((a) + (b))
#endif

#if RED_OP == 5
#define RED_MAP(v) ((v) < 0 ? -(v) : (v))
#elif RED_OP == 6 || RED_OP == 7
#define RED_MAP(v) ((v) * (v))
#else
#define RED_MAP(v) (v)
#endif

/* What a root or a logarithm of an integer goes through: a float has too few digits. */
#ifdef cl_khr_fp64
#define RED_REAL double
#else
#define RED_REAL float
#endif
#if RED_OP == 1
#define RED_POST(v, n) ((v) / (n))
#elif RED_OP == 6 && ANY_IS_INT
#define RED_POST(v, n) ((ANY_A)sqrt((RED_REAL)(v)))
#elif RED_OP == 6
#define RED_POST(v, n) sqrt(v)
#elif RED_OP == 8 && ANY_IS_INT
#define RED_POST(v, n) ((ANY_A)log((RED_REAL)(v)))
#elif RED_OP == 8
#define RED_POST(v, n) log(v)
#else
#define RED_POST(v, n) (v)
#endif

struct red_split {
    int nk, nr, kd[8], rd[8]; /* kept and reduced dimensions, outermost first */
    long xk[8], xr[8], yk[8];
};

static inline ANY_A red_walk(global const ANY_T *x, const struct red_split *g, const int count)
{
    const int inner = g->nr ? g->rd[g->nr - 1] : 1, rows = inner ? count / inner : 0;
    const long step = g->nr ? g->xr[g->nr - 1] : 0;
#if RED_OP == 9
    ANY_F most = -INFINITY;
    for (int i = 0; i < count; i++) {
        long at = 0;
        for (int d = g->nr - 1, rest = i; d >= 0; d--) {
            at += rest % g->rd[d] * g->xr[d];
            rest /= g->rd[d];
        }
        const ANY_F v = (ANY_F)ANY_GET(x, at);
        most = ((most > v) | (most != most)) ? most : v;
    }
    const ANY_F shift = isinf(most) ? 0 : most;
    ANY_F total = 0;
#else
    ANY_A total = RED_INIT;
#endif
    for (int row = 0; row < rows; row++) {
        long at = 0;
        for (int d = g->nr - 2, rest = row; d >= 0; d--) {
            at += rest % g->rd[d] * g->xr[d];
            rest /= g->rd[d];
        }
        for (int i = 0; i < inner;) {
            const int end = min(i + 256, inner);
#if RED_OP == 9
            ANY_F part = 0;
            for (; i < end; i++)
                part += exp((ANY_F)ANY_GET(x, at + i * step) - shift);
            total += part;
#else
            ANY_A part = RED_INIT;
            for (; i < end; i++) {
                const ANY_A v = ANY_GET(x, at + i * step);
                part = RED_COMBINE(part, RED_MAP(v));
            }
            total = RED_COMBINE(total, part);
#endif
        }
    }
#if RED_OP == 9
    return (ANY_A)(shift + log(total));
#else
    return RED_POST(total, (ANY_A)count);
#endif
}

kernel void reduce_ref(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), ONN_ARGS(struct red_split, g), const int outputs,
                       const int count)
{
    ONN_TAKE(struct red_split, g);
    const int o = (int)get_global_id(0);
    if (o >= outputs)
        return;
    long xo = x_off, yo = y_off;
    for (int d = g.nk - 1, rest = o; d >= 0; d--) {
        const int k = rest % g.kd[d];
        rest /= g.kd[d];
        xo += k * g.xk[d];
        yo += k * g.yk[d];
    }
    ANY_SET(y_mem, yo, red_walk(x_mem + xo, &g, count));
}

#if (ONN_DT == 1 || ONN_DT == 7) && RED_OP != 9
#define RED_V(v) ((ONN_V)(v))

static inline ONN_V red_map(const ONN_V v)
{
    return RED_MAP(v);
}
static inline ONN_V red_combine(const ONN_V a, const ONN_V b)
{
    return RED_COMBINE(a, b);
}
static inline float red_combine1(const float a, const float b)
{
    return RED_COMBINE(a, b);
}

/* Reduces len adjacent elements. */
static inline float red_row(global const ANY_T *x, const int len)
{
    ONN_V total = RED_V((float)RED_INIT);
    int i = 0;
    while (i + 4 * VL <= len) {
        ONN_V a = RED_V((float)RED_INIT), b = a, c = a, d = a;
        const int end = min(len, i + 64 * 4 * VL);
        for (; i + 4 * VL <= end; i += 4 * VL) {
            a = red_combine(a, red_map(ANY_VLOAD(x + i)));
            b = red_combine(b, red_map(ANY_VLOAD(x + i + VL)));
            c = red_combine(c, red_map(ANY_VLOAD(x + i + 2 * VL)));
            d = red_combine(d, red_map(ANY_VLOAD(x + i + 3 * VL)));
        }
        total = red_combine(total, red_combine(red_combine(a, b), red_combine(c, d)));
    }
    for (; i + VL <= len; i += VL)
        total = red_combine(total, red_map(ANY_VLOAD(x + i)));
    float lane[VL], rest = (float)RED_INIT;
    ONN_STORE(total, lane);
    for (; i < len; i++) {
        const float v = ANY_GET(x, i);
        rest = red_combine1(rest, RED_MAP(v));
    }
    for (int n = VL / 2; n > 0; n /= 2)
        for (int k = 0; k < n; k++)
            lane[k] = red_combine1(lane[k], lane[k + n]);
    return RED_POST(red_combine1(lane[0], rest), (float)len);
}

kernel void reduce_rows(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const int rows, const int len, const int rows_per)
{
    const int r0 = (int)get_global_id(0) * rows_per, r1 = min(rows, r0 + rows_per);
    for (int r = r0; r < r1; r++)
        ANY_SET(ONN_PTR(y), r, red_row(ONN_PTR(x) + (long)r * len, len));
}

struct red_cols {
    int n0, n1, len, lanes; /* lanes: outputs per n0 */
    int masked, pad;        /* 1: whole vectors are stored, 0 behind the last lane */
    long x_s0, x_s1, x_sl, y_s0, y_s1;
};

/* Reduces len vectors x_sl apart. */
static inline ONN_V red_vectors(global const ANY_T *x, const long x_sl, const int len)
{
    ONN_V total = RED_V((float)RED_INIT);
    for (int i = 0; i < len;) {
        ONN_V a = RED_V((float)RED_INIT), b = a, c = a, d = a;
        const int end = min(len, i + 256);
        for (; i + 4 <= end; i += 4) {
            a = red_combine(a, red_map(ANY_VLOAD(x + i * x_sl)));
            b = red_combine(b, red_map(ANY_VLOAD(x + (i + 1) * x_sl)));
            c = red_combine(c, red_map(ANY_VLOAD(x + (i + 2) * x_sl)));
            d = red_combine(d, red_map(ANY_VLOAD(x + (i + 3) * x_sl)));
        }
        for (; i < end; i++)
            a = red_combine(a, red_map(ANY_VLOAD(x + i * x_sl)));
        total = red_combine(total, red_combine(red_combine(a, b), red_combine(c, d)));
    }
    return total;
}

struct red_channels {
    int n, px, images, parts, c;
    long x_sn, x_sc;
};

kernel void reduce_channels(ONN_IN(ANY_T, x), ONN_OUT(float, part), const struct red_channels g)
{
    const int part = (int)get_global_id(0), block = (int)get_global_id(1);
    const int n0 = part * g.images, n1 = min(n0 + g.images, g.n);
    global const ANY_T *x = ONN_PTR(x) + block * g.x_sc;
    ONN_V total = RED_V((float)RED_INIT);
    for (int n = n0; n < n1; n++)
        total = red_combine(total, red_vectors(x + n * g.x_sn, VL, g.px));
    ONN_STORE(total, ONN_PTR(part) + ((long)part * ONN_DIV_UP(g.c, VL) + block) * VL);
}

kernel void reduce_channels_end(ONN_IN(float, part), ONN_OUT(ANY_T, y), const struct red_channels g)
{
    const int block = (int)get_global_id(0), blocks = ONN_DIV_UP(g.c, VL);
    float lane[VL];
    ONN_V total = RED_V((float)RED_INIT);
    for (int i = 0; i < g.parts; i++)
        total = red_combine(total, ONN_LOAD(ONN_PTR(part) + ((long)i * blocks + block) * VL));
    total = RED_POST(total, (float)g.n * (float)g.px);
    ONN_STORE(total, lane);
    for (int k = 0; k < min(VL, g.c - block * VL); k++)
        ANY_SET(ONN_PTR(y), block * VL + k, lane[k]);
}

kernel void reduce_cols(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const struct red_cols g)
{
    const int v = (int)get_global_id(0), o1 = (int)get_global_id(1), o0 = (int)get_global_id(2);
    const int left = g.lanes - (o1 + v) * VL;
    global const ANY_T *x = ONN_PTR(x) + o0 * g.x_s0 + o1 * g.x_s1 + v * VL;
    global ANY_T *y = ONN_PTR(y) + o0 * g.y_s0 + o1 * g.y_s1 + v * VL;
    if (left <= 0)
        return;
    if (left < VL && !g.masked) {
        for (int k = 0; k < left; k++) {
            float total = (float)RED_INIT;
            for (int i = 0; i < g.len;) {
                float part = (float)RED_INIT;
                for (const int end = min(i + 256, g.len); i < end; i++) {
                    const float e = ANY_GET(x, i * g.x_sl + k);
                    part = red_combine1(part, RED_MAP(e));
                }
                total = red_combine1(total, part);
            }
            ANY_SET(y, k, RED_POST(total, (float)g.len));
        }
        return;
    }
    ONN_V total = red_vectors(x, g.x_sl, g.len);
    total = RED_POST(total, (float)g.len);
    if (g.masked == 2 && left < VL) { /* blocked in, plain out: only what exists */
        float lane[VL];
        ONN_STORE(total, lane);
        for (int k = 0; k < left; k++)
            ANY_SET(y, k, lane[k]);
        return;
    }
    ANY_VSTORE(onn_mask(total, left), y);
}
#endif

#if RED_OP != 9
struct red_group {
    int outer, channels, n, px; /* kept: o, c; reduced: n, p */
    int step_n, step_px;        /* RED_ROWS terms as n and p */
    int part, parts;            /* terms of a part */
    long x_so, x_sc, x_sn, x_sp, y_so, y_sc;
};

ONN_INLINE ANY_A red_two(const ANY_A a, const ANY_A b)
{
    return RED_COMBINE(a, b);
}

/* The term at n, p; then RED_ROWS terms on. */
ONN_INLINE ANY_A red_next(global const ANY_T *x, const struct red_group *g, int *n, int *p)
{
    const ANY_A v = ANY_GET(x, *n * g->x_sn + *p * g->x_sp);
    const int over = *p + g->step_px >= g->px;
    *p += g->step_px - (over ? g->px : 0);
    *n += g->step_n + over;
    return RED_MAP(v);
}

/* Every RED_ROWS-th term from `first` on. Four at a time, so that as many loads are under way. */
ONN_INLINE ANY_A red_terms(global const ANY_T *x, const struct red_group *g, const int first, const int end)
{
    ANY_A total = RED_INIT;
    for (int i = first, n = first / g->px, p = first % g->px; i < end;) {
        ANY_A a = RED_INIT, b = a, c = a, d = a;
        for (int turn = 0; turn < 64 && i + 3 * RED_ROWS < end; turn++, i += 4 * RED_ROWS) {
            const ANY_A v0 = red_next(x, g, &n, &p), v1 = red_next(x, g, &n, &p);
            const ANY_A v2 = red_next(x, g, &n, &p), v3 = red_next(x, g, &n, &p);
            a = red_two(a, v0);
            b = red_two(b, v1);
            c = red_two(c, v2);
            d = red_two(d, v3);
        }
        for (int turn = 0; turn < 3 && i < end && i + 3 * RED_ROWS >= end; turn++, i += RED_ROWS)
            a = red_two(a, red_next(x, g, &n, &p));
        total = red_two(total, red_two(red_two(a, b), red_two(c, d)));
    }
    return total;
}

__attribute__((reqd_work_group_size(RED_WG, 1, 1))) kernel void reduce_group(ONN_IN(ANY_T, x), ONN_OUT(ANY_A, part),
                                                                             ONN_OUT(ANY_T, y), const struct red_group g)
{
    local ANY_A sums[RED_WG];
    const int me = (int)get_local_id(0), tiles = ONN_DIV_UP(g.channels, RED_LANES), group = (int)get_group_id(0);
    const int c = group % tiles * RED_LANES + me % RED_LANES, at = group / tiles % g.parts, o = group / tiles / g.parts;
    const int begin = at * g.part, end = min(begin + g.part, g.n * g.px);
    global const ANY_T *x = ONN_PTR(x) + o * g.x_so + min(c, g.channels - 1) * g.x_sc;
    sums[me] = red_terms(x, &g, begin + me / RED_LANES, end);
    for (int reach = RED_WG / 2; reach >= RED_LANES; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < reach)
            sums[me] = red_two(sums[me], sums[me + reach]);
    }
    if (me >= RED_LANES || c >= g.channels)
        return;
    if (g.parts > 1)
        ONN_PTR(part)[((long)o * g.parts + at) * g.channels + c] = sums[me];
    else
        ANY_SET(ONN_PTR(y), o * g.y_so + c * g.y_sc, RED_POST(sums[me], (ANY_A)end));
}

kernel void reduce_group_end(ONN_IN(ANY_A, part), ONN_OUT(ANY_T, y), const struct red_group g)
{
    const int c = (int)get_global_id(0) % g.channels, o = (int)get_global_id(0) / g.channels;
    if (o >= g.outer)
        return;
    ANY_A total = RED_INIT;
    for (int i = 0; i < g.parts; i++)
        total = red_two(total, ONN_PTR(part)[((long)o * g.parts + i) * g.channels + c]);
    ANY_SET(ONN_PTR(y), o * g.y_so + c * g.y_sc, RED_POST(total, (ANY_A)g.n * (ANY_A)g.px));
}
#endif
