/* Launches of Resize. Two resized dimensions at most and whole rows: the plane kernels; anything else: one
 * element per work-item with all taps. */
#include "ops/resize.h"
#include "ops/walk.h"

#include <limits.h>
#include <math.h>

#define GEO_RANK 9
/* Same structs as in cl/resize.cl. */
struct geo {
    int32_t rank, mode, nearest, exclude, crop, resized;
    float cubic, outside;
    struct onn_resize_axis axis[GEO_RANK];
    int64_t xs[GEO_RANK], ys[GEO_RANK];
};
struct plane {
    int32_t n1, n2, blk, linear, nearest, pad;
    struct onn_resize_axis h, w;
    int64_t xs1, xs2, xsh, xsw, ys1, ys2, ysh, ysw;
};

/* Physical dimensions from the largest to the smallest step of y; a blocked one is cut in blocks and lanes. */
static void make_geo(const struct onn_prob *p, const struct onn_resize *r, struct geo *g)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    const int64_t block = y->format.block > 1 ? y->format.block : 0;
    int order[ONN_MAX_RANK];
    *g = (struct geo){.mode = r->mode,
        .nearest = r->nearest,
        .exclude = r->exclude,
        .crop = r->crop,
        .cubic = r->cubic,
        .outside = r->outside};
    for (int d = 0; d < y->rank; d++) {
        int k = d;
        for (; k > 0 && y->stride[order[k - 1]] < y->stride[d]; k--)
            order[k] = order[k - 1];
        order[k] = d;
    }
    for (int i = 0; i < y->rank; i++) {
        const int d = order[i];
        if (r->resized >> d & 1)
            g->resized |= 1 << g->rank;
        g->axis[g->rank] = r->axis[d];
        if (block && y->format.axis == d)
            g->axis[g->rank].in = g->axis[g->rank].out = (int32_t)((y->dim[d] + block - 1) / block);
        g->xs[g->rank] = x->stride[d];
        g->ys[g->rank++] = y->stride[d];
    }
    if (block) {
        g->axis[g->rank].in = g->axis[g->rank].out = (int32_t)block;
        g->xs[g->rank] = g->ys[g->rank] = 1;
        g->rank++;
    }
}

/* Merges neighbours that are not resized and drops extents of 1. */
static void simplify(struct geo *g)
{
    int n = 0, resized = 0;
    for (int i = 0; i < g->rank; i++) {
        const int32_t size = g->axis[i].out;
        const bool moved = g->resized >> i & 1;
        if (!moved && size == 1)
            continue;
        if (n && !moved && !(resized >> (n - 1) & 1) && g->xs[n - 1] == g->xs[i] * size &&
            g->ys[n - 1] == g->ys[i] * size && (int64_t)g->axis[n - 1].out * size <= INT_MAX) {
            g->axis[n - 1].in = g->axis[n - 1].out = g->axis[n - 1].out * size;
            g->xs[n - 1] = g->xs[i];
            g->ys[n - 1] = g->ys[i];
            continue;
        }
        g->axis[n] = g->axis[i];
        g->xs[n] = g->xs[i];
        g->ys[n] = g->ys[i];
        resized |= moved << n;
        n++;
    }
    g->rank = n;
    g->resized = resized;
}

static bool make_plane(const struct geo *g, struct plane *out)
{
    const struct onn_resize_axis one = {.in = 1, .out = 1, .den = 1};
    struct plane s = {.n1 = 1,
        .n2 = 1,
        .blk = 1,
        .linear = g->mode == ONN_RESIZE_LINEAR,
        .nearest = g->nearest,
        .h = one,
        .w = one};
    int h = -1, w = -1, rank = g->rank, outer = 0;
    for (int i = 0; i < g->rank; i++)
        if (g->resized >> i & 1) {
            if (h >= 0)
                return false;
            h = w;
            w = i;
        }
    if (w < 0 || g->crop || g->mode == ONN_RESIZE_CUBIC)
        return false;
    if (rank - 1 > w) { /* what lies behind the columns must be one contiguous piece */
        rank--;
        if (rank - 1 > w || g->xs[rank] != 1 || g->ys[rank] != 1)
            return false;
        s.blk = g->axis[rank].out;
    }
    s.w = g->axis[w];
    s.xsw = g->xs[w];
    s.ysw = g->ys[w];
    if (h >= 0) {
        s.h = g->axis[h];
        s.xsh = g->xs[h];
        s.ysh = g->ys[h];
    }
    for (int i = 0; i < rank; i++) {
        if (i == w || i == h)
            continue;
        if (++outer > 2)
            return false;
        s.n1 = s.n2;
        s.xs1 = s.xs2;
        s.ys1 = s.ys2;
        s.n2 = g->axis[i].out;
        s.xs2 = g->xs[i];
        s.ys2 = g->ys[i];
    }
    *out = s;
    return true;
}

/* k if position o reads exactly o / k, else 0. */
static int factor(const struct onn_resize_axis *a, int nearest)
{
    if (a->in < 1 || a->out % a->in)
        return 0;
    const int k = a->out / a->in;
    if (a->out == 1)
        return 1;
    for (int o = 0; o < a->out; o++)
        if (onn_resize_nearest(onn_resize_at(a, o), a->in, nearest) != o / k)
            return 0;
    return k;
}

/* The program's defines for this element type: copies, floats, or integers by way of float. */
static struct onn_launch *start(const struct onn_prob *p, struct onn_bind *b, const char *kernel,
    bool compute)
{
    const enum oclnn_dtype dtype = p->in[0].dtype;
    struct onn_launch *l;
    if (!compute)
        l = onn_bind_add(b, "resize", kernel, "-D RESIZE_T=%s -D RESIZE_W=%d",
            onn_cl_uint(oclnn_dtype_size(dtype)), onn_cl_width(oclnn_dtype_size(dtype)));
    else if (dtype == OCLNN_F32)
        l = onn_bind_add(b, "resize", kernel, "-D RESIZE_F=1");
    else if (dtype == OCLNN_F16)
        l = onn_bind_add(b, "resize", kernel, "-D RESIZE_F=1 -D ONN_F16");
    else if (dtype == OCLNN_U8 || dtype == OCLNN_I8 || dtype == OCLNN_I32)
        l = onn_bind_add(b, "resize", kernel, "-D RESIZE_F=2 -D RESIZE_T=%s",
            dtype == OCLNN_U8       ? "uchar"
                : dtype == OCLNN_I8 ? "char"
                                    : "int");
    else {
        b->status =
            onn_error(OCLNN_ERROR_UNSUPPORTED, "resize: interpolation of %s", oclnn_dtype_name(dtype));
        return NULL;
    }
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    return l;
}

static void bind_plane(const struct onn_prob *p, struct onn_bind *b, const struct plane *s)
{
    const bool cpu = p->caps && p->caps->vector_cpu;
    const int64_t size = (int64_t)oclnn_dtype_size(p->in[0].dtype), planes = (int64_t)s->n1 * s->n2;
    const int kh = s->linear || !cpu ? 0 : factor(&s->h, s->nearest), kw = kh ? factor(&s->w, s->nearest) : 0;
    struct onn_launch *l = start(p, b, kw ? "resize_repeat" : cpu ? "resize_rows" : "resize_each", s->linear);
    onn_arg_bytes(b, l, s, sizeof *s);
    if (!cpu) {
        const int64_t total = planes * s->h.out * s->w.out * s->blk;
        onn_arg_int(b, l, total);
        onn_launch_size1(l, (size_t)total, 0);
        return;
    }
    const int64_t rows = planes * (kw ? s->h.in : s->h.out);
    const int64_t chunk = onn_cpu_chunk(p->caps, rows, (int64_t)s->w.out * s->blk * size * (kw ? kh : 1));
    onn_arg_int(b, l, rows);
    onn_arg_int(b, l, chunk);
    if (kw) {
        onn_arg_int(b, l, kh);
        onn_arg_int(b, l, kw);
    }
    onn_launch_size1(l, (size_t)((rows + chunk - 1) / chunk), 1);
}

const char *onn_resize_refuse(const struct onn_prob *p)
{
    struct onn_resize r;
    const struct onn_format *f = &p->out[0].format;
    if (f->block <= 1)
        return NULL;
    if (onn_resize_read(p, &r) != OCLNN_OK)
        return "its extents are not known";
    if (r.resized >> f->axis & 1)
        return "the blocked dimension is resized";
    if (r.crop && r.outside != 0 && p->out[0].dim[f->axis] % f->block)
        return "the extrapolation value would fill pad lanes";
    return NULL;
}

enum oclnn_status onn_resize_bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_resize r;
    struct geo g;
    struct plane s;
    int64_t total = 1;
    (void)t;
    if ((b->status = onn_resize_read(p, &r)) != OCLNN_OK || onn_desc_elements(&p->out[0]) == 0)
        return b->status;
    if (!r.resized)
        return onn_bind_copy(p, b, 0, &p->in[0], 0, &p->out[0]);
    make_geo(p, &r, &g);
    simplify(&g);
    for (int i = 0; i < g.rank; i++)
        total *= g.axis[i].out;
    if (make_plane(&g, &s)) {
        bind_plane(p, b, &s);
        return b->status;
    }
    struct onn_launch *l = start(p, b, "resize_any", r.mode != ONN_RESIZE_NEAREST || r.crop);
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_arg_int(b, l, total);
    onn_launch_size1(l, (size_t)total, 0);
    return b->status;
}
