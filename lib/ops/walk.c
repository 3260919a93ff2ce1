#include "ops/walk.h"

#include <string.h>

void onn_walk_add(struct onn_walk *w, int64_t dim, int64_t from, int64_t to)
{
    if (w->rank == ONN_WALK_RANK) /* callers stay below: 8 logical dims split at most once each */
        return;
    w->dim[w->rank] = dim;
    w->from[w->rank] = from;
    w->to[w->rank] = to;
    w->weight[w->rank++] = 0;
}

static void add_masked(struct onn_walk *w, int64_t dim, int64_t from, int64_t to, int64_t weight)
{
    onn_walk_add(w, dim, from, to);
    w->weight[w->rank - 1] = weight;
}

void onn_plain_strides(int rank, const int64_t *dim, int64_t *stride)
{
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= dim[i] > 0 ? dim[i] : 1;
    }
}

static int64_t block_of(const struct onn_desc *d, int axis)
{
    return d->format.block > 1 && d->format.axis == axis ? d->format.block : 0;
}

/* Stride of one element along a dimension that is not split. */
static int64_t step_of(const struct onn_desc *d, int axis)
{
    return d->stride[axis];
}

static bool add_blocked(struct onn_walk *w, const struct onn_desc *from, const struct onn_desc *to, int i,
    int64_t fb, int64_t tb)
{
    const int64_t dim = from->dim[i], fs = step_of(from, i), ts = step_of(to, i);
    w->masked = true;
    w->limit = dim;
    w->to_limit = tb ? (dim + tb - 1) / tb * tb : dim;
    if (!fb || !tb) {
        const int64_t block = fb ? fb : tb;
        add_masked(w, (dim + block - 1) / block, fb ? fs : fs * block, tb ? ts : ts * block, block);
        add_masked(w, block, fb ? 1 : fs, tb ? 1 : ts, 1);
        return true;
    }
    const int64_t small = fb < tb ? fb : tb, large = fb < tb ? tb : fb;
    if (large % small)
        return false;
    add_masked(w, (dim + large - 1) / large, fs * (large / fb), ts * (large / tb), large);
    if (large > small)
        add_masked(w, large / small, fb == large ? small : fs, tb == large ? small : ts, small);
    add_masked(w, small, 1, 1, 1);
    return true;
}

bool onn_walk_descs(struct onn_walk *w, const struct onn_desc *from, const struct onn_desc *to)
{
    memset(w, 0, sizeof *w);
    if (from->format.pack || to->format.pack)
        return false;
    for (int i = 0; i < from->rank; i++) {
        const int64_t fb = block_of(from, i), tb = block_of(to, i);
        if (!fb && !tb)
            onn_walk_add(w, from->dim[i], step_of(from, i), step_of(to, i));
        else if (w->masked || !add_blocked(w, from, to, i, fb, tb))
            return false;
    }
    return true;
}

static void move_dim(struct onn_walk *w, int to, int from)
{
    w->dim[to] = w->dim[from];
    w->from[to] = w->from[from];
    w->to[to] = w->to[from];
    w->weight[to] = w->weight[from];
}

static int64_t magnitude(int64_t v)
{
    return v < 0 ? -v : v;
}

/* Insertion sort: largest target stride first; equal ones keep their order. */
static void sort_dims(struct onn_walk *w)
{
    for (int i = 1; i < w->rank; i++) {
        const int64_t dim = w->dim[i], from = w->from[i], to = w->to[i], weight = w->weight[i];
        int k = i;
        for (; k > 0 && magnitude(w->to[k - 1]) < magnitude(to); k--)
            move_dim(w, k, k - 1);
        w->dim[k] = dim;
        w->from[k] = from;
        w->to[k] = to;
        w->weight[k] = weight;
    }
}

void onn_walk_simplify(struct onn_walk *w)
{
    int n = 0;
    int64_t top = 0;
    for (int i = 0; i < w->rank; i++) {
        top += (w->dim[i] - 1) * w->weight[i];
        if (w->dim[i] != 1)
            move_dim(w, n++, i);
    }
    w->rank = n;
    if (w->masked && top < w->limit) {
        w->masked = false;
        memset(w->weight, 0, sizeof w->weight);
    }
    sort_dims(w);
    n = 0;
    for (int i = 1; i < w->rank; i++) {
        const int64_t d = w->dim[i];
        if (w->from[n] == w->from[i] * d && w->to[n] == w->to[i] * d && w->weight[n] == w->weight[i] * d) {
            const int64_t outer = w->dim[n];
            move_dim(w, n, i);
            w->dim[n] = outer * d;
        } else {
            move_dim(w, ++n, i);
        }
    }
    if (w->rank)
        w->rank = n + 1;
}

/* One row of n elements, then zeros up to n_to. */
static void host_row(size_t size, int64_t n, int64_t n_to, const unsigned char *from, int64_t fs,
    unsigned char *to, int64_t ts)
{
    if (n > 0 && fs == 1 && ts == 1) {
        memcpy(to, from, (size_t)n * size);
    } else {
        for (int64_t i = 0; i < n; i++)
            memcpy(to + i * ts * (int64_t)size, from + i * fs * (int64_t)size, size);
    }
    for (int64_t i = n; i < n_to; i++)
        memset(to + i * ts * (int64_t)size, 0, size);
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

void onn_walk_host(const struct onn_walk *walk, size_t size, const void *from, void *to)
{
    struct onn_walk w = *walk;
    onn_walk_simplify(&w);
    int64_t at[ONN_WALK_RANK] = {0}, f = w.from_offset, t = w.to_offset, c = 0;
    for (int i = 0; i < w.rank; i++)
        if (w.dim[i] == 0)
            return;
    const int last = w.rank - 1;
    const int64_t len = w.rank ? w.dim[last] : 1, fs = w.rank ? w.from[last] : 1,
                  ts = w.rank ? w.to[last] : 1;
    for (;;) {
        int64_t n = len, n_to = len;
        if (w.masked) {
            const int64_t step = w.weight[last]; /* 0 or 1: the mask's finest dimension or none of it */
            n = step ? clamp(w.limit - c, 0, len) : c < w.limit ? len : 0;
            n_to = step ? clamp(w.to_limit - c, 0, len) : c < w.to_limit ? len : 0;
        }
        host_row(size, n, n_to, (const unsigned char *)from + f * (int64_t)size, fs,
            (unsigned char *)to + t * (int64_t)size, ts);
        int i = last - 1;
        for (; i >= 0; i--) {
            f += w.from[i];
            t += w.to[i];
            c += w.weight[i];
            if (++at[i] < w.dim[i])
                break;
            f -= w.from[i] * w.dim[i];
            t -= w.to[i] * w.dim[i];
            c -= w.weight[i] * w.dim[i];
            at[i] = 0;
        }
        if (i < 0)
            return;
    }
}
