/* Random changes of a batch of images: bytes in, normalised floats out. One row of the table (lib/ops/augment.h) per image:
 * a 2x3 affine map from output to input pixels, a 3x4 colour matrix, a rectangle that is cut out, weight and partner of a
 * mixup. Sampling is bilinear; what lies outside is 0 after normalisation.
 *
 * Arguments  x [N,C,H,W] (uchar), table [N,24], norm [C,2], y [N,C,H2,W2]; sizes: struct augment_args.
 * augment_ref    one item per output pixel, all its channels. Global {W2, H2, N}, any local size.
 * augment_rows   vectors of VL pixels, `per` rows per item, vector CPUs. Images that are only shifted and mirrored by whole
 *                pixels are copied row by row, the rest is gathered. W2 >= VL: the last vector starts early enough; W >= 2.
 *                Global {ceil(H2 / per), N}.
 * Defines        VL (lib/vec.h).
 * A table with NaN or numbers without sense gives wrong pixels, but no access outside of x.
 */
#include "lib/vec.h"

#define AUG_ROW 24
#define AUG_COLOUR 6
#define AUG_CUTOUT 18
#define AUG_WEIGHT 22
#define AUG_PARTNER 23

struct augment_args {
    int n, c, h, w, h2, w2, per;
};

/* In front of the image by more than a pixel is as good as by one, and fits an int; NaN becomes outside too. */
#define AUG_LIMIT(s, size) fmin(fmax((s), -2.0f), (float)(size) + 1.0f)

static inline int aug_cut(global const float *t, const int X, const int Y)
{
    return X >= t[AUG_CUTOUT] && X < t[AUG_CUTOUT + 2] && Y >= t[AUG_CUTOUT + 1] && Y < t[AUG_CUTOUT + 3];
}

static inline int aug_partner(global const float *t, const int n)
{
    const float p = t[AUG_PARTNER];
    return p > 0 ? p < n ? (int)p : n - 1 : 0;
}

/* Channel c of output pixel (X, Y) of one image. */
static inline float aug_pixel(global const uchar *x, global const float *t, global const float *norm,
                              const struct augment_args *a, const int c, const int X, const int Y)
{
    const float sx = AUG_LIMIT(t[0] * X + (t[1] * Y + t[2]), a->w), sy = AUG_LIMIT(t[3] * X + (t[4] * Y + t[5]), a->h);
    const int x0 = (int)floor(sx), y0 = (int)floor(sy), three = a->c == 3;
    const float fx = sx - x0, fy = sy - y0;
    float inside = 0, v[3] = {0, 0, 0};
    if (aug_cut(t, X, Y))
        return 0;
    for (int k = 0; k < 4; k++) {
        const int px = x0 + (k & 1), py = y0 + (k >> 1);
        if (px < 0 || px >= a->w || py < 0 || py >= a->h)
            continue;
        const float weight = (k & 1 ? fx : 1 - fx) * (k >> 1 ? fy : 1 - fy);
        global const uchar *at = x + (long)(three ? 0 : c) * a->h * a->w + (long)py * a->w + px;
        inside += weight;
        v[0] += weight * at[0];
        if (three) {
            v[1] += weight * at[(long)a->h * a->w];
            v[2] += weight * at[2 * (long)a->h * a->w];
        }
    }
    global const float *m = t + AUG_COLOUR + (three ? 4 * c : 0);
    const float colour = three ? m[0] * v[0] + m[1] * v[1] + m[2] * v[2] + m[3] * inside : m[0] * v[0] + m[3] * inside;
    return colour * norm[2 * c] + norm[2 * c + 1] * inside;
}

kernel void augment_ref(ONN_IN(uchar, x), ONN_IN(float, table), ONN_IN(float, norm), ONN_OUT(float, y),
                        const struct augment_args a)
{
    const int X = get_global_id(0), Y = get_global_id(1), n = get_global_id(2);
    const long image = (long)a.c * a.h * a.w;
    global const float *t = ONN_PTR(table) + n * AUG_ROW;
    const float weight = t[AUG_WEIGHT];
    const int m = aug_partner(t, a.n);
    for (int c = 0; c < a.c; c++) {
        float v = aug_pixel(ONN_PTR(x) + n * image, t, ONN_PTR(norm), &a, c, X, Y);
        if (weight != 1)
            v = weight * v + (1 - weight) * aug_pixel(ONN_PTR(x) + m * image, ONN_PTR(table) + m * AUG_ROW, ONN_PTR(norm),
                                                &a, c, X, Y);
        ONN_PTR(y)[(((long)n * a.c + c) * a.h2 + Y) * a.w2 + X] = v;
    }
}

/* ---- vectors ---- */
#define AUG_BYTES ONN_CAT(uchar, VL)
#define AUG_FLOATS(v) ONN_CAT(convert_float, VL)(v)
#define AUG_INTS(v) ONN_CAT(convert_int, VL)(v)
#define AUG_IF(mask, v) ONN_AS_V(ONN_AS_VI(v) & (mask))
#if VL == 4
#define AUG_REVERSE(v) (v).s3210
#elif VL == 8
#define AUG_REVERSE(v) (v).s76543210
#else
#define AUG_REVERSE(v) (v).sfedcba9876543210
#endif

/* ---- whole pixels: rows are copied ---- */
struct aug_shift { /* input x = sign X + x, input y = sign_y Y + y */
    int is, reverse, x, up, y, plain;
};

static inline void aug_shift_of(global const float *t, struct aug_shift *s)
{
    s->is = t[1] == 0 && t[3] == 0 && fabs(t[0]) == 1 && fabs(t[4]) == 1 && t[2] == floor(t[2]) && t[5] == floor(t[5]) &&
        fabs(t[2]) < 262144 && fabs(t[5]) < 262144;
    s->reverse = t[0] < 0;
    s->up = t[4] < 0;
    s->x = s->is ? (int)t[2] : 0;
    s->y = s->is ? (int)t[5] : 0;
    s->plain = 1; /* is the colour matrix the identity? */
    for (int k = 0; k < 12; k++)
        s->plain &= t[AUG_COLOUR + k] == (k % 5 == 0 ? 1.0f : 0.0f);
}

/* y[i] = (add ? y[i] : 0) + a + sum of f[k] * x[k * from +- i] */
ONN_INLINE void aug_copy(global const uchar *x, const int reverse, const int planes, const long from, const float *f,
                         const float a, const int add, const int n, global float *y)
{
    int i = 0;
    for (; i + VL <= n || (i < n && n >= VL && !add); i += VL) {
        i = min(i, n - VL);
        ONN_V v = (ONN_V)(0.0f);
        for (int k = 0; k < planes; k++) {
            global const uchar *at = x + k * from;
            const ONN_V u = AUG_FLOATS(ONN_CAT(vload, VL)(0, reverse ? at - i - (VL - 1) : at + i));
            v = v + f[k] * (reverse ? AUG_REVERSE(u) : u);
        }
        v = v + a;
        ONN_STORE(add ? v + ONN_LOAD(y + i) : v, y + i);
    }
    for (; i < n; i++) {
        float v = 0;
        for (int k = 0; k < planes; k++)
            v = v + f[k] * x[k * from + (reverse ? -i : i)];
        v = v + a;
        y[i] = add ? v + y[i] : v;
    }
}

static inline void aug_zero(global float *y, const int n)
{
    for (int i = 0; i < n; i++)
        y[i] = 0;
}

static inline void aug_copy_row(global const uchar *x, global const float *t, global const float *norm,
                                const struct augment_args *g, const struct aug_shift *s, const int Y, const float weight,
                                const int add, global float *y)
{
    const int row = s->up ? s->y - Y : s->y + Y;
    const int begin = max(0, s->reverse ? s->x - g->w + 1 : -s->x), end = min(g->w2, s->reverse ? s->x + 1 : g->w - s->x);
    const int some = row >= 0 && row < g->h && begin < end;
    const long from = (long)g->h * g->w, plane = (long)g->h2 * g->w2;
    const int whole = begin == 0 && end == g->w2;
    for (int c = 0; c < g->c; c++) {
        global float *to = y + c * plane;
        if (!add && !(some && whole)) {
            aug_zero(to, some ? begin : g->w2);
            if (some)
                aug_zero(to + end, g->w2 - end);
        }
        if (!some)
            continue;
        const int mix = g->c == 3 && !s->plain, m = AUG_COLOUR + (g->c == 3 ? 4 * c : 0);
        const float scale = norm[2 * c] * weight;
        global const uchar *at = x + (mix ? 0 : c * from) + (long)row * g->w + (s->reverse ? s->x - begin : s->x + begin);
        const float f[3] = {scale * (mix ? t[m] : t[AUG_COLOUR]), scale * t[m + 1], scale * t[m + 2]};
        const float a = scale * t[m + 3] + weight * norm[2 * c + 1];
        if (mix)
            aug_copy(at, s->reverse, 3, from, f, a, add, end - begin, to + begin);
        else if (s->reverse)
            aug_copy(at, 1, 1, from, f, a, add, end - begin, to + begin);
        else
            aug_copy(at, 0, 1, from, f, a, add, end - begin, to + begin);
    }
}

/* ---- anything else: four neighbours of every pixel, in two pairs of adjacent bytes ---- */
#define AUG_PAIRS ONN_CAT(ushort, VL)
#ifdef __ENDIAN_LITTLE__
#define AUG_FIRST(v) ((v) & (ushort)255)
#define AUG_SECOND(v) ((v) >> (ushort)8)
#else
#define AUG_FIRST(v) ((v) >> (ushort)8)
#define AUG_SECOND(v) ((v) & (ushort)255)
#endif

struct aug_place { /* of VL output pixels beside each other in the input */
    int up[VL], down[VL]; /* addresses of the pairs */
    ONN_V wa, wb, wc, wd, inside; /* weights of their pixels: 0 for what is no neighbour or outside of the image */
};

ONN_INLINE void aug_find(global const float *t, const struct augment_args *g, const int X, const int Y,
                         struct aug_place *p)
{
    const int w = g->w, h = g->h;
    const ONN_V x = AUG_FLOATS(onn_lanes() + X);
    const ONN_V sx = AUG_LIMIT(x * t[0] + (t[1] * Y + t[2]), w), sy = AUG_LIMIT(x * t[3] + (t[4] * Y + t[5]), h);
    const ONN_V lx = floor(sx), ly = floor(sy), fx = sx - lx, fy = sy - ly;
    const ONN_VI x0 = AUG_INTS(lx), y0 = AUG_INTS(ly), y1 = y0 + 1;
    /* At the image's sides the pair is moved inwards: its first pixel may be the right neighbour, and so on. */
    const ONN_VI pair = clamp(x0, 0, w - 2);
    const ONN_V left = AUG_IF(x0 == pair, 1.0f - fx) + AUG_IF(x0 + 1 == pair, fx);
    const ONN_V right = AUG_IF(x0 == pair, fx) + AUG_IF(x0 == pair + 1, 1.0f - fx);
    const ONN_V above = AUG_IF((y0 >= 0) & (y0 < h), 1.0f - fy), below = AUG_IF((y1 >= 0) & (y1 < h), fy);
    ONN_CAT(vstore, VL)(clamp(y0, 0, h - 1) * w + pair, 0, p->up);
    ONN_CAT(vstore, VL)(clamp(y1, 0, h - 1) * w + pair, 0, p->down);
    p->wa = left * above;
    p->wb = right * above;
    p->wc = left * below;
    p->wd = right * below;
    p->inside = (left + right) * (above + below);
}

ONN_INLINE AUG_PAIRS aug_gather(global const uchar *x, const int *at)
{
    ushort v[VL];
    for (int k = 0; k < VL; k++)
        v[k] = as_ushort(vload2(0, x + at[k]));
    return ONN_CAT(vload, VL)(0, v);
}

ONN_INLINE ONN_V aug_sample(global const uchar *x, const struct aug_place *p)
{
    const AUG_PAIRS up = aug_gather(x, p->up), down = aug_gather(x, p->down);
    return AUG_FLOATS(AUG_FIRST(up)) * p->wa + AUG_FLOATS(AUG_SECOND(up)) * p->wb +
        AUG_FLOATS(AUG_FIRST(down)) * p->wc + AUG_FLOATS(AUG_SECOND(down)) * p->wd;
}

/* Output pixels X … X + VL - 1 of row Y of one image, times `weight`. Lanes below `skip` were there before: they are not
 * added again. */
ONN_INLINE void aug_vector(global const uchar *x, global const float *t, global const float *norm,
                           const struct augment_args *g, const int X, const int Y, const float weight, const int add,
                           const int skip, global float *y)
{
    const long from = (long)g->h * g->w, plane = (long)g->h2 * g->w2;
    global const float *m = t + AUG_COLOUR;
    ONN_V v[3];
    struct aug_place p;
    ONN_VI keep = add ? onn_lanes() >= skip : (ONN_VI)(-1);
    aug_find(t, g, X, Y, &p);
    if (Y >= t[AUG_CUTOUT + 1] && Y < t[AUG_CUTOUT + 3]) {
        const ONN_V at = AUG_FLOATS(onn_lanes() + X);
        keep &= (at < t[AUG_CUTOUT]) | (at >= t[AUG_CUTOUT + 2]);
    }
    for (int c = 0; c < g->c; c++) {
        if (g->c != 3)
            v[0] = aug_sample(x + c * from, &p);
        else if (c == 0)
            for (int k = 0; k < 3; k++)
                v[k] = aug_sample(x + k * from, &p);
        const ONN_V colour = g->c == 3
            ? m[4 * c] * v[0] + m[4 * c + 1] * v[1] + m[4 * c + 2] * v[2] + m[4 * c + 3] * p.inside
            : m[0] * v[0] + m[3] * p.inside;
        const ONN_V out = AUG_IF(keep, weight * (colour * norm[2 * c] + norm[2 * c + 1] * p.inside));
        global float *to = y + c * plane;
        ONN_STORE(add ? ONN_LOAD(to) + out : out, to);
    }
}

/* Rows first … end - 1 of one image, stored or added. */
static inline void aug_rows(global const uchar *x, global const float *t, global const float *norm,
                            const struct augment_args *g, const int first, const int end, const float weight,
                            const int add, global float *y)
{
    struct aug_shift s;
    aug_shift_of(t, &s);
    for (int Y = first; Y < end; Y++) {
        const int cut = Y >= t[AUG_CUTOUT + 1] && Y < t[AUG_CUTOUT + 3];
        if (s.is && !cut) {
            aug_copy_row(x, t, norm, g, &s, Y, weight, add, y + (long)Y * g->w2);
            continue;
        }
        for (int at = 0; at < g->w2; at += VL) {
            const int X = min(at, g->w2 - VL);
            aug_vector(x, t, norm, g, X, Y, weight, add, at - X, y + (long)Y * g->w2 + X);
        }
    }
}

kernel void augment_rows(ONN_IN(uchar, x), ONN_IN(float, table), ONN_IN(float, norm), ONN_OUT(float, y),
                         const struct augment_args a)
{
    const int n = get_global_id(1), first = get_global_id(0) * a.per, end = min(first + a.per, a.h2);
    const long image = (long)a.c * a.h * a.w;
    global const float *t = ONN_PTR(table) + n * AUG_ROW;
    global float *to = ONN_PTR(y) + (long)n * a.c * a.h2 * a.w2;
    const float weight = t[AUG_WEIGHT];
    const int m = aug_partner(t, a.n);
    aug_rows(ONN_PTR(x) + n * image, t, ONN_PTR(norm), &a, first, end, weight, 0, to);
    if (weight != 1)
        aug_rows(ONN_PTR(x) + m * image, ONN_PTR(table) + m * AUG_ROW, ONN_PTR(norm), &a, first, end, 1 - weight, 1, to);
}
