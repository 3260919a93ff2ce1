#include "tensor/desc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct onn_format onn_format_plain(void)
{
    return (struct onn_format){0};
}

/* The order with every unset entry filled in: entries behind a format's rank count as unpermuted, so that formats
 * compare and print the same however their tails were left. True if it is not the identity. */
static bool full_order(const struct onn_format *f, int order[ONN_MAX_RANK])
{
    unsigned seen = 0;
    bool permuted = false;
    for (int i = 0; i < ONN_MAX_RANK; i++) {
        int v = f->permuted ? f->order[i] : i;
        order[i] = v >= ONN_MAX_RANK || seen & 1u << v ? i : v;
        seen |= 1u << order[i];
        permuted |= order[i] != i;
    }
    return permuted;
}

static void set_order(struct onn_format *f, const int order[ONN_MAX_RANK])
{
    f->permuted = 1;
    for (int i = 0; i < ONN_MAX_RANK; i++)
        f->order[i] = (uint8_t)order[i];
}

struct onn_format onn_format_nhwc(int rank)
{
    struct onn_format f = {0};
    if (rank < 3 || rank > ONN_MAX_RANK)
        return f;
    int order[ONN_MAX_RANK];
    for (int i = 0; i < ONN_MAX_RANK; i++)
        order[i] = i == 0 || i >= rank ? i : i == rank - 1 ? 1 : i + 1;
    set_order(&f, order);
    return f;
}

struct onn_format onn_format_blocked(int axis, int block)
{
    return (struct onn_format){.axis = (uint8_t)axis, .block = (uint8_t)block};
}

struct onn_format onn_format_pack(int pack, int p0, int p1, int p2)
{
    return (struct onn_format){.pack = (uint8_t)pack, .p = {(uint8_t)p0, (uint8_t)p1, (uint8_t)p2, 0}};
}

static int block_of(const struct onn_format *f)
{
    return f->pack || f->block <= 1 ? 0 : f->block;
}

bool onn_format_equal(const struct onn_format *a, const struct onn_format *b)
{
    if (a->pack || b->pack)
        return a->pack == b->pack && !memcmp(a->p, b->p, sizeof a->p);
    int oa[ONN_MAX_RANK], ob[ONN_MAX_RANK];
    full_order(a, oa);
    full_order(b, ob);
    return !memcmp(oa, ob, sizeof oa) && block_of(a) == block_of(b) && (!block_of(a) || a->axis == b->axis);
}

bool onn_format_is_plain(const struct onn_format *f)
{
    int order[ONN_MAX_RANK];
    return !f->pack && !block_of(f) && !full_order(f, order);
}

const char *onn_format_name(const struct onn_format *f, char text[static 48])
{
    int order[ONN_MAX_RANK], n = 0, used = 0;
    if (f->pack) {
        snprintf(text, 48, "pack%d(%d,%d,%d,%d)", f->pack, f->p[0], f->p[1], f->p[2], f->p[3]);
        return text;
    }
    if (full_order(f, order)) {
        for (int i = 0; i < ONN_MAX_RANK; i++)
            n = order[i] != i ? i + 1 : n;
        struct onn_format last = onn_format_nhwc(n), mine = {0};
        set_order(&mine, order);
        if (onn_format_equal(&last, &mine)) {
            used = snprintf(text, 48, "nhwc");
        } else {
            used = snprintf(text, 48, "order");
            for (int i = 0; i < n; i++)
                used += snprintf(text + used, 48 - (size_t)used, "%d", order[i]);
        }
    }
    const char *plus = used ? "+" : "";
    if (!block_of(f))
        snprintf(text + used, 48 - (size_t)used, "%s", used ? "" : "plain");
    else if (f->axis == 1)
        snprintf(text + used, 48 - (size_t)used, "%sc%d", plus, f->block);
    else
        snprintf(text + used, 48 - (size_t)used, "%sdim%dx%d", plus, f->axis, f->block);
    return text;
}

static bool parse_order(const char **p, struct onn_format *f)
{
    int order[ONN_MAX_RANK], n = 0;
    unsigned seen = 0;
    for (; **p >= '0' && **p < '0' + ONN_MAX_RANK && n < ONN_MAX_RANK; ++*p) {
        order[n] = **p - '0';
        seen |= 1u << order[n++];
    }
    if (!n || seen != (1u << n) - 1) /* must be a permutation of 0 … n-1 */
        return false;
    for (; n < ONN_MAX_RANK; n++)
        order[n] = n;
    set_order(f, order);
    return true;
}

bool onn_format_parse(const char *text, int rank, struct onn_format *out)
{
    struct onn_format f = {0};
    int pack, p[4] = {0}, used = 0, axis = 1, block;
    *out = f;
    if (!strcmp(text, "plain"))
        return true;
    if (sscanf(text, "pack%3d(%3d,%3d,%3d,%3d)%n", &pack, &p[0], &p[1], &p[2], &p[3], &used) == 5) {
        f = onn_format_pack(pack, p[0], p[1], p[2]);
        f.p[3] = (uint8_t)p[3];
        *out = f;
        return text[used] == 0 && used > 0 && pack > 0 && pack < 256;
    }
    const char *s = text;
    bool ordered = true;
    if (!strncmp(s, "nhwc", 4)) {
        f = onn_format_nhwc(rank);
        s += 4;
    } else if (!strncmp(s, "order", 5)) {
        s += 5;
        if (!parse_order(&s, &f))
            return false;
    } else {
        ordered = false;
    }
    if (ordered && *s == 0) {
        *out = f;
        return true;
    }
    if (ordered && *s++ != '+')
        return false;
    used = 0;
    if (sscanf(s, "c%3d%n", &block, &used) != 1 || !used) {
        used = 0;
        if (sscanf(s, "dim%1dx%3d%n", &axis, &block, &used) != 2)
            return false;
    }
    if (!used || s[used] || axis < 0 || axis >= rank || block < 2 || block > 255)
        return false;
    f.axis = (uint8_t)axis;
    f.block = (uint8_t)block;
    *out = f;
    return true;
}

struct onn_desc onn_desc_make(enum oclnn_dtype dtype, int rank, const int64_t *dim)
{
    struct onn_desc d = {.dtype = dtype, .rank = rank};
    for (int i = 0; i < rank && i < ONN_MAX_RANK; i++)
        d.dim[i] = dim[i];
    onn_desc_set_format(&d, onn_format_plain());
    return d;
}

struct onn_desc onn_desc_of_shape(enum oclnn_dtype dtype, struct oclnn_shape shape)
{
    return onn_desc_make(dtype, shape.rank, shape.dim);
}

/* Extent of dimension i counted in what stride[i] counts: elements, or blocks along the blocked axis. */
static int64_t steps(const struct onn_desc *d, int i)
{
    int block = block_of(&d->format);
    if (!block || i != d->format.axis || d->dim[i] < 0)
        return d->dim[i];
    return d->dim[i] / block + (d->dim[i] % block != 0);
}

void onn_desc_set_format(struct onn_desc *d, struct onn_format format)
{
    d->format = format;
    d->offset = 0;
    if (format.pack)
        return; /* the packed element count in stride[0] is the caller's business */
    int order[ONN_MAX_RANK];
    full_order(&format, order);
    int64_t step = block_of(&format) ? block_of(&format) : 1;
    memset(d->stride, 0, sizeof d->stride);
    for (int k = d->rank - 1; k >= 0; k--) {
        int i = order[k];
        int64_t n = i < d->rank ? steps(d, i) : -1;
        d->stride[i] = step;
        if (n < 0 || !onn_mul_i64(step, n ? n : 1, &step)) {
            memset(d->stride, 0, sizeof d->stride); /* unknown or too big: onn_desc_extent says -1 */
            return;
        }
    }
}

bool onn_desc_is_known(const struct onn_desc *d)
{
    for (int i = 0; i < d->rank; i++)
        if (d->dim[i] < 0)
            return false;
    return d->rank >= 0;
}

int64_t onn_desc_elements(const struct onn_desc *d)
{
    int64_t n = 1;
    if (!onn_desc_is_known(d) || d->rank > ONN_MAX_RANK)
        return -1;
    for (int i = 0; i < d->rank; i++)
        if (d->dim[i] == 0)
            return 0;
    for (int i = 0; i < d->rank; i++)
        if (!onn_mul_i64(n, d->dim[i], &n))
            return -1;
    return n;
}

int64_t onn_desc_extent(const struct onn_desc *d)
{
    if (d->format.pack)
        return d->stride[0] >= 0 ? d->stride[0] : -1;
    int64_t elements = onn_desc_elements(d);
    if (elements <= 0)
        return elements;
    if (elements > INT64_MAX >> 8) /* with padding lanes the strides would not fit and were left 0 */
        return -1;
    int64_t last = block_of(&d->format) ? block_of(&d->format) - 1 : 0;
    if (!onn_add_i64(last, d->offset, &last))
        return -1;
    for (int i = 0; i < d->rank; i++) {
        int64_t far;
        if (!onn_mul_i64(steps(d, i) - 1, d->stride[i], &far) || !onn_add_i64(last, far, &last))
            return -1;
    }
    return onn_add_i64(last, 1, &last) ? last : -1;
}

size_t onn_desc_bytes(const struct onn_desc *d)
{
    int64_t n = onn_desc_extent(d);
    size_t bytes;
    return n > 0 && onn_mul_size((size_t)n, oclnn_dtype_size(d->dtype), &bytes) ? bytes : 0;
}

size_t onn_desc_unpadded_bytes(const struct onn_desc *d)
{
    int64_t n = onn_desc_elements(d);
    size_t bytes;
    return n > 0 && onn_mul_size((size_t)n, oclnn_dtype_size(d->dtype), &bytes) ? bytes : 0;
}

bool onn_desc_is_packed(const struct onn_desc *d)
{
    if (d->format.pack)
        return d->offset == 0;
    struct onn_desc want = *d;
    onn_desc_set_format(&want, d->format);
    for (int i = 0; i < d->rank; i++)
        if (steps(d, i) != 1 && want.stride[i] != d->stride[i]) /* a single step has no stride */
            return false;
    return d->offset == 0;
}

bool onn_desc_same_shape(const struct onn_desc *a, const struct onn_desc *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

int64_t onn_desc_at(const struct onn_desc *d, const int64_t *idx)
{
    int64_t at = d->offset;
    int block = block_of(&d->format);
    for (int i = 0; i < d->rank; i++) {
        if (block && i == d->format.axis)
            at += idx[i] / block * d->stride[i] + idx[i] % block;
        else
            at += idx[i] * d->stride[i];
    }
    return at;
}

bool onn_desc_pixel_strides(const struct onn_desc *d, int64_t s[3])
{
    int64_t px = 1;
    s[0] = d->rank > 1 ? d->stride[0] : 0;
    s[1] = d->rank > 1 ? d->stride[1] : d->rank ? d->stride[0] : 0;
    s[2] = 0;
    for (int i = d->rank - 1; i >= 2; i--) {
        if (d->dim[i] == 1)
            continue;
        if (s[2] == 0)
            s[2] = d->stride[i];
        else if (d->stride[i] != s[2] * px)
            return false;
        px *= d->dim[i];
    }
    return true;
}

const char *onn_desc_text(const struct onn_desc *d, char text[static 160])
{
    int used = snprintf(text, 160, "%s[", oclnn_dtype_name(d->dtype));
    if (d->rank < 0)
        used += snprintf(text + used, 160 - (size_t)used, "?");
    for (int i = 0; i < d->rank && i < ONN_MAX_RANK && used < 120; i++) {
        const char *comma = i ? "," : "";
        used += snprintf(text + used, 160 - (size_t)used, "%s%lld", comma, (long long)d->dim[i]);
    }
    char name[48];
    bool plain = onn_format_is_plain(&d->format);
    snprintf(text + used, 160 - (size_t)used, "]%s%s", plain ? "" : ":",
        plain ? "" : onn_format_name(&d->format, name));
    return text;
}

bool onn_axis_resolve(int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return false;
    *out = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

int onn_broadcast(int rank_a, const int64_t *a, int rank_b, const int64_t *b, int64_t *out)
{
    int rank = rank_a > rank_b ? rank_a : rank_b;
    if (rank_a < 0 || rank_b < 0 || rank > ONN_MAX_RANK)
        return -1;
    for (int i = rank - 1; i >= 0; i--) { /* from the end: out may be a or b, with a larger rank */
        int ia = i - (rank - rank_a), ib = i - (rank - rank_b);
        int64_t x = ia < 0 ? 1 : a[ia], y = ib < 0 ? 1 : b[ib];
        if (x == y || y == 1)
            out[i] = x;
        else if (x == 1)
            out[i] = y;
        else if (x < 0 || y < 0)
            out[i] =
                x < 0 ? y : x; /* an unknown one must turn out to be 1 or the known one, which is not 1 */
        else
            return -1;
    }
    return rank;
}
