/* Turns walks into launches of cl/reorder.cl. */
#include "ops/walk.h"

#include <limits.h>
#include <string.h>

/* Same struct as in cl/reorder.cl. */
struct geo {
    int32_t rank, limit, to_limit, pad;
    int32_t dim[ONN_WALK_RANK], weight[ONN_WALK_RANK];
    int64_t fs[ONN_WALK_RANK], ts[ONN_WALK_RANK];
};

struct job {
    const struct onn_prob *p;
    struct onn_bind *b;
    int in, out;
    size_t size;
};

const char *onn_cl_uint(size_t size)
{
    return size == 1 ? "uchar" : size == 2 ? "ushort" : size == 8 ? "ulong" : "uint";
}

int onn_cl_width(size_t size)
{
    return size == 8 ? 4 : 8;
}

int64_t onn_cpu_chunk(const struct onn_caps *caps, int64_t units, int64_t bytes)
{
    const int64_t items = (caps && caps->compute_units > 0 ? caps->compute_units : 1) * 4;
    const int64_t even = (units + items - 1) / items, least = bytes > 0 ? 16384 / bytes : 1;
    const int64_t chunk = even > least ? even : least;
    return chunk > 1 ? chunk : 1;
}

static bool is_vector_cpu(const struct onn_prob *p)
{
    return p->caps && p->caps->vector_cpu;
}

/* All dims of the walk but those of the mask bits `skip`. */
static struct geo make_geo(const struct onn_walk *w, unsigned skip)
{
    struct geo g = {.limit = w->masked ? (int32_t)w->limit : INT_MAX,
        .to_limit = w->masked ? (int32_t)w->to_limit : INT_MAX};
    for (int i = 0; i < w->rank; i++) {
        if (skip >> i & 1)
            continue;
        g.dim[g.rank] = (int32_t)w->dim[i];
        g.weight[g.rank] = (int32_t)w->weight[i];
        g.fs[g.rank] = w->from[i];
        g.ts[g.rank++] = w->to[i];
    }
    return g;
}

static int64_t geo_count(const struct geo *g)
{
    int64_t n = 1;
    for (int i = 0; i < g->rank; i++)
        n *= g->dim[i];
    return n;
}

static struct onn_launch *start(const struct job *j, const char *kernel, int side, const struct geo *g)
{
    const char *defines = j->size == 8 ? "-D REORDER_T=%s -D REORDER_U=4 -D REORDER_W=4"
        : side == 4                    ? "-D REORDER_T=%s -D REORDER_U=4"
                                       : "-D REORDER_T=%s";
    struct onn_launch *l = onn_bind_add(j->b, "reorder", kernel, defines, onn_cl_uint(j->size));
    if (j->in >= 0)
        onn_arg_in(l, j->in);
    onn_arg_out(l, j->out);
    onn_arg_bytes(j->b, l, g, sizeof *g);
    return l;
}

static void end(const struct job *j, struct onn_launch *l, const struct onn_walk *w)
{
    if (j->in >= 0)
        onn_arg_long(j->b, l, w->from_offset);
    onn_arg_long(j->b, l, w->to_offset);
}

/* Position of the dim with step 1 on the given side (the longest such), -1 if none. */
static int unit_dim(const struct onn_walk *w, const int64_t *stride)
{
    int best = -1;
    for (int i = 0; i < w->rank; i++)
        if (stride[i] == 1 && (best < 0 || w->dim[i] > w->dim[best]))
            best = i;
    return best;
}

/* The mask's finest dimension, -1 if there is no mask. */
static int lane_dim(const struct onn_walk *w)
{
    for (int i = w->rank - 1; i >= 0 && w->masked; i--)
        if (w->weight[i] == 1)
            return i;
    return -1;
}

static void bind_each(const struct job *j, const struct onn_walk *w)
{
    const struct geo g = make_geo(w, 0);
    struct onn_launch *l = start(j, "reorder_each", 8, &g);
    onn_arg_int(j->b, l, geo_count(&g));
    end(j, l, w);
    onn_launch_size1(l, (size_t)geo_count(&g), 0);
}

static void bind_tile_local(const struct job *j, const struct onn_walk *w, int a, int b)
{
    const struct geo g = make_geo(w, 1u << a | 1u << b);
    const int64_t tiles = (w->dim[a] + 31) / 32 * ((w->dim[b] + 31) / 32) * geo_count(&g);
    struct onn_launch *l = start(j, "reorder_tile_local", 8, &g);
    onn_arg_int(j->b, l, w->dim[a]);
    onn_arg_int(j->b, l, w->dim[b]);
    onn_arg_long(j->b, l, w->from[a]);
    onn_arg_long(j->b, l, w->to[b]);
    end(j, l, w);
    onn_launch_size2(l, (size_t)tiles * 32, 8, 32, 8);
}

static void bind_tile(const struct job *j, const struct onn_walk *w, int a, int b)
{
    const struct geo g = make_geo(w, 1u << a | 1u << b);
    const int64_t da = w->dim[a], db = w->dim[b], cap = 256;
    /* Pieces of 256 x 256: both sides of a piece stay in the caches. */
    const int64_t pa = da < cap ? da : cap, pb = db < cap ? db : cap;
    const int64_t units = geo_count(&g) * ((da + pa - 1) / pa) * ((db + pb - 1) / pb);
    const int64_t chunk = onn_cpu_chunk(j->p->caps, units, pa * pb * (int64_t)j->size);
    struct onn_launch *l = start(j, "reorder_tile",
        da % 8 && da % 4 == 0 && da < 8       ? 4
            : db % 8 && db % 4 == 0 && db < 8 ? 4
                                              : 8,
        &g);
    onn_arg_int(j->b, l, units);
    onn_arg_int(j->b, l, chunk);
    onn_arg_int(j->b, l, da);
    onn_arg_int(j->b, l, db);
    onn_arg_long(j->b, l, w->from[a]);
    onn_arg_long(j->b, l, w->to[b]);
    onn_arg_int(j->b, l, pa);
    onn_arg_int(j->b, l, pb);
    onn_arg_int(j->b, l, w->weight[a]);
    onn_arg_int(j->b, l, w->weight[b]);
    end(j, l, w);
    onn_launch_size1(l, (size_t)((units + chunk - 1) / chunk), 1);
}

static void bind_loop(const struct job *j, const struct onn_walk *w, int inner)
{
    const int64_t len = inner < 0 ? 1 : w->dim[inner], piece = len < 8192 ? len : 4096;
    int line = -1; /* a second dimension inside the unit where rows are short */
    for (int i = w->rank - 1; i >= 0 && len < 128 && line < 0; i--)
        if (i != inner && w->weight[i] == 0)
            line = i;
    const struct geo g = make_geo(w, (inner < 0 ? 0 : 1u << inner) | (line < 0 ? 0 : 1u << line));
    const int64_t n2 = line < 0 ? 1 : w->dim[line], lines = line < 0 || n2 * len < 8192 ? n2 : 4096 / len;
    const int64_t units = geo_count(&g) * ((len + piece - 1) / piece) * ((n2 + lines - 1) / lines);
    const int64_t chunk = onn_cpu_chunk(j->p->caps, units, piece * lines * (int64_t)j->size);
    struct onn_launch *l = start(j, "reorder_loop", 8, &g);
    onn_arg_int(j->b, l, units);
    onn_arg_int(j->b, l, chunk);
    onn_arg_int(j->b, l, len);
    onn_arg_int(j->b, l, piece);
    onn_arg_long(j->b, l, inner < 0 ? 1 : w->from[inner]);
    onn_arg_long(j->b, l, inner < 0 ? 1 : w->to[inner]);
    onn_arg_int(j->b, l, inner < 0 ? 0 : w->weight[inner]);
    onn_arg_int(j->b, l, n2);
    onn_arg_int(j->b, l, lines);
    onn_arg_long(j->b, l, line < 0 ? 0 : w->from[line]);
    onn_arg_long(j->b, l, line < 0 ? 0 : w->to[line]);
    end(j, l, w);
    onn_launch_size1(l, (size_t)((units + chunk - 1) / chunk), 1);
}

static void bind_fill(const struct job *j, const struct onn_walk *w, uint64_t bits)
{
    int inner = lane_dim(w);
    if (inner < 0)
        inner = unit_dim(w, w->to);
    const struct geo g = make_geo(w, inner < 0 ? 0 : 1u << inner);
    const int64_t len = inner < 0 ? 1 : w->dim[inner], want = is_vector_cpu(j->p) ? 4096 : 1;
    const int64_t piece = len < want ? len : want, units = geo_count(&g) * ((len + piece - 1) / piece);
    struct onn_launch *l = start(j, "reorder_fill", 8, &g);
    onn_arg_int(j->b, l, units);
    onn_arg_int(j->b, l, len);
    onn_arg_int(j->b, l, piece);
    onn_arg_long(j->b, l, inner < 0 ? 1 : w->to[inner]);
    onn_arg_int(j->b, l, inner < 0 ? 0 : w->weight[inner]);
    onn_arg_long(j->b, l, (int64_t)bits);
    end(j, l, w);
    onn_launch_size1(l, (size_t)units, 0);
}

static void bind_simple(const struct job *j, const struct onn_walk *w)
{
    const int a = unit_dim(w, w->to), b = unit_dim(w, w->from), lane = lane_dim(w);
    const bool plane = a >= 0 && b >= 0 && a != b;
    if (!is_vector_cpu(j->p)) {
        const bool fits =
            !j->p->caps || (j->p->caps->max_group >= 256 && j->p->caps->local_bytes >= 33 * 33 * 8);
        if (plane && !w->masked && w->dim[a] >= 8 && w->dim[b] >= 8 && fits)
            bind_tile_local(j, w, a, b);
        else
            bind_each(j, w);
        return;
    }
    /* In a tile the mask may lie only where it is free: zeros along a (blocked target), nothing along b. */
    const bool lane_fits =
        lane < 0 || (lane == a && w->to_limit % w->dim[a] == 0) || (lane == b && w->to_limit == w->limit);
    if (plane && lane_fits && w->dim[a] >= 4 && w->dim[b] >= 4)
        bind_tile(j, w, a, b);
    else
        bind_loop(j, w, lane >= 0 ? lane : a >= 0 ? a : w->rank - 1);
}

/* Cuts what one launch cannot index into halves along the outermost dimension. */
static void bind_parts(const struct job *j, const struct onn_walk *w, bool fill, uint64_t bits)
{
    int64_t total = 1;
    for (int i = 0; i < w->rank; i++)
        if (!onn_mul_i64(total, w->dim[i], &total))
            total = INT64_MAX;
    if (total <= INT_MAX) {
        if (fill)
            bind_fill(j, w, bits);
        else
            bind_simple(j, w);
        return;
    }
    int d = 0;
    while (w->dim[d] < 2)
        d++;
    const int64_t half = w->dim[d] / 2;
    struct onn_walk low = *w, high = *w;
    low.dim[d] = half;
    high.dim[d] = w->dim[d] - half;
    high.from_offset += half * w->from[d];
    high.to_offset += half * w->to[d];
    high.limit -= half * w->weight[d];
    high.to_limit -= half * w->weight[d];
    bind_parts(j, &low, fill, bits);
    bind_parts(j, &high, fill, bits);
}

static enum oclnn_status bind_walk(const struct job *j, const struct onn_walk *walk, bool fill, uint64_t bits)
{
    struct onn_walk w = *walk;
    for (int i = 0; i < w.rank; i++)
        if (w.dim[i] == 0)
            return j->b->status;
    onn_walk_simplify(&w);
    if (w.masked && w.to_limit > INT_MAX)
        return j->b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "a blocked dimension of %lld is too long",
                   (long long)w.to_limit);
    bind_parts(j, &w, fill, bits);
    return j->b->status;
}

enum oclnn_status onn_walk_bind(const struct onn_prob *p, struct onn_bind *b, int in, int out,
    const struct onn_walk *w)
{
    const struct job j = {p, b, in, out, oclnn_dtype_size(p->out[out].dtype)};
    return bind_walk(&j, w, false, 0);
}

/* Two blockings that do not nest: one walk per block of the source. */
static enum oclnn_status copy_blocks(const struct onn_prob *p, struct onn_bind *b, int in,
    const struct onn_desc *from, int out, const struct onn_desc *to)
{
    const int axis = from->format.axis, block = from->format.block, tb = to->format.block;
    const int64_t dim = from->dim[axis];
    for (int64_t at = 0; at < dim; at += block) {
        struct onn_desc f = *from, t = *to;
        f.format = onn_format_plain();
        f.offset += at / block * from->stride[axis];
        f.stride[axis] = 1;
        int64_t left = dim - at < block ? dim - at : block;
        if (to->format.axis != axis) {
            f.dim[axis] = t.dim[axis] = left;
            t.offset += at * to->stride[axis];
            if (onn_bind_copy(p, b, in, &f, out, &t) != OCLNN_OK)
                return b->status;
            continue;
        }
        for (int64_t c = at; left > 0;) { /* along the same axis: pieces that end where either block ends */
            const int64_t room = tb - c % tb, n = left < room ? left : room;
            struct onn_desc piece = t;
            piece.format = onn_format_plain();
            piece.stride[axis] = 1;
            piece.offset += c / tb * to->stride[axis] + c % tb;
            piece.dim[axis] = f.dim[axis] = n;
            if (onn_bind_copy(p, b, in, &f, out, &piece) != OCLNN_OK)
                return b->status;
            f.offset += n;
            c += n;
            left -= n;
        }
    }
    return b->status;
}

enum oclnn_status onn_bind_copy(const struct onn_prob *p, struct onn_bind *b, int in,
    const struct onn_desc *from, int out, const struct onn_desc *to)
{
    struct onn_walk w;
    if (from->format.pack || to->format.pack)
        return b->status = onn_error(OCLNN_ERROR_INTERNAL, "a packed weight cannot be copied");
    if (!onn_walk_descs(&w, from, to)) {
        if (from->format.axis == to->format.axis && to->dim[to->format.axis] % to->format.block) {
            const enum oclnn_status status = onn_bind_fill(p, b, out, to, 0); /* pad lanes */
            if (status != OCLNN_OK)
                return status;
        }
        return copy_blocks(p, b, in, from, out, to);
    }
    w.from_offset = from->offset - p->in[in].offset;
    w.to_offset = to->offset - p->out[out].offset;
    return onn_walk_bind(p, b, in, out, &w);
}

enum oclnn_status onn_bind_fill(const struct onn_prob *p, struct onn_bind *b, int out,
    const struct onn_desc *to, uint64_t bits)
{
    struct onn_walk w;
    if (!onn_walk_descs(&w, to, to))
        return b->status = onn_error(OCLNN_ERROR_INTERNAL, "a packed weight cannot be filled");
    w.to_offset = to->offset - p->out[out].offset;
    const struct job j = {p, b, -1, out, oclnn_dtype_size(to->dtype)};
    return bind_walk(&j, &w, true, bits);
}
