/* Pad: constant, reflect, edge, wrap; on plain, channels last and blocked tensors. */
#include "ops/pad.h"
#include "ops/grads.h"
#include "ops/walk.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#define GEO_RANK 9
/* Same struct as in cl/pad.cl. */
struct geo {
    int32_t rank, mode, blk, pad;
    int32_t dim[GEO_RANK], size[GEO_RANK], before[GEO_RANK], pad2;
    int64_t xs[GEO_RANK], ys[GEO_RANK];
};

enum mode { MODE_CONSTANT, MODE_REFLECT, MODE_EDGE, MODE_WRAP, MODE_UNKNOWN };

static enum mode read_mode(const struct onn_prob *p)
{
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    const struct onn_pad_attr *a = p->attr;
    if (!a || !a->mode)
        return MODE_CONSTANT;
    for (int i = 0; i < 4; i++)
        if (strcmp(a->mode, names[i]) == 0)
            return (enum mode)i;
    return MODE_UNKNOWN;
}

static bool is_known(const struct onn_prob *p)
{
    return onn_prob_value(p, 1) && (!onn_prob_has(p, 3) || onn_prob_value(p, 3));
}

enum oclnn_status onn_pad_read(const struct onn_prob *p, int64_t *before, int64_t *after)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_blob *pads = onn_prob_value(p, 1);
    const int rank = p->in[0].rank;
    int64_t axes[ONN_MAX_RANK];
    int n = rank, axis = 0;
    ONN_CHECK(pads && is_known(p), OCLNN_ERROR_UNSUPPORTED, "the pads are not known at plan time");
    for (int d = 0; d < rank; d++)
        before[d] = after[d] = 0;
    if (onn_prob_has(p, 3))
        ONN_CHECK(onn_prob_ints(p, 3, axes, &n), OCLNN_ERROR_SHAPE, "more than %d axes", ONN_MAX_RANK);
    ONN_CHECK(onn_desc_elements(&pads->desc) == 2 * n, OCLNN_ERROR_SHAPE, "%lld pads are given for %d axes",
        (long long)onn_desc_elements(&pads->desc), n);
    for (int i = 0; i < n; i++) {
        ONN_CHECK(onn_axis_resolve(onn_prob_has(p, 3) ? axes[i] : i, rank, &axis), OCLNN_ERROR_ARGUMENT,
            "axis %lld is outside a tensor of %d dimensions", (long long)axes[i], rank);
        before[axis] = onn_blob_get_i64(pads, i);
        after[axis] = onn_blob_get_i64(pads, n + i);
        ONN_CHECK(before[axis] > INT_MIN / 2 && before[axis] < INT_MAX / 2 && after[axis] > INT_MIN / 2 &&
                after[axis] < INT_MAX / 2,
            OCLNN_ERROR_SHAPE, "the pads of dimension %d are out of range", axis);
    }
fail:
    return status;
}

/* The constant's bits; false if they are not known. */
static bool read_bits(const struct onn_prob *p, uint64_t *bits)
{
    *bits = 0;
    if (!onn_prob_has(p, 2))
        return true;
    const struct onn_blob *v = onn_prob_value(p, 2);
    if (!v || onn_desc_elements(&v->desc) < 1)
        return false;
    memcpy(bits, v->data, oclnn_dtype_size(v->desc.dtype));
    return true;
}

bool onn_pad_is_zero(const struct onn_prob *p)
{
    uint64_t bits;
    return read_mode(p) == MODE_CONSTANT && read_bits(p, &bits) && bits == 0;
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0];
    const enum mode mode = read_mode(p);
    int64_t before[ONN_MAX_RANK], after[ONN_MAX_RANK], dim[ONN_MAX_RANK];
    ONN_CHECK(mode != MODE_UNKNOWN, OCLNN_ERROR_UNSUPPORTED, "there is no mode '%s'",
        ((const struct onn_pad_attr *)p->attr)->mode);
    ONN_TRY(onn_check_index_type(p, 1, "the pads"));
    ONN_CHECK(!onn_prob_has(p, 2) || p->in[2].dtype == x->dtype, OCLNN_ERROR_DTYPE,
        "the constant is %s, the tensor %s", oclnn_dtype_name(p->in[2].dtype), oclnn_dtype_name(x->dtype));
    for (int d = 0; d < x->rank; d++)
        dim[d] = -1;
    if (x->rank >= 0 && is_known(p)) {
        ONN_TRY(onn_pad_read(p, before, after));
        for (int d = 0; d < x->rank; d++) {
            if (x->dim[d] < 0)
                continue;
            dim[d] = x->dim[d] + before[d] + after[d];
            ONN_CHECK(dim[d] >= 0, OCLNN_ERROR_SHAPE, "dimension %d would have %lld elements", d,
                (long long)dim[d]);
            ONN_CHECK(mode == MODE_CONSTANT || dim[d] == 0 || x->dim[d] > 0, OCLNN_ERROR_SHAPE,
                "dimension %d is empty and has nothing to repeat", d);
        }
    }
    out[0] = onn_desc_make(x->dtype, x->rank, dim);
fail:
    return status;
}

static void add_dim(struct geo *g, int64_t dim, int64_t size, int64_t before, int64_t xs, int64_t ys)
{
    const int last = g->rank - 1;
    if (dim == 1 && size == 1 && before == 0)
        return;
    /* Two neighbours without a border are one. */
    if (last >= 0 && !before && dim == size && !g->before[last] && g->dim[last] == g->size[last] &&
        g->xs[last] == xs * dim && g->ys[last] == ys * dim && dim * g->dim[last] <= INT_MAX) {
        g->dim[last] = g->size[last] = (int32_t)(g->dim[last] * dim);
        g->xs[last] = xs;
        g->ys[last] = ys;
        return;
    }
    g->dim[g->rank] = (int32_t)dim;
    g->size[g->rank] = (int32_t)size;
    g->before[g->rank] = (int32_t)before;
    g->xs[g->rank] = xs;
    g->ys[g->rank++] = ys;
}

/* Dimensions from the largest to the smallest step of y, the blocked one cut in blocks and lanes. */
static void make_geo(const struct onn_desc *x, const struct onn_desc *y, const int64_t *before, struct geo *g)
{
    int order[ONN_MAX_RANK];
    const int64_t block = y->format.block > 1 ? y->format.block : 0;
    for (int d = 0; d < y->rank; d++) {
        int k = d;
        for (; k > 0 && y->stride[order[k - 1]] < y->stride[d]; k--)
            order[k] = order[k - 1];
        order[k] = d;
    }
    for (int i = 0; i < y->rank; i++) {
        const int d = order[i];
        if (block && y->format.axis == d)
            add_dim(g, (y->dim[d] + block - 1) / block, (x->dim[d] + block - 1) / block, before[d] / block,
                x->stride[d], y->stride[d]);
        else
            add_dim(g, y->dim[d], x->dim[d], before[d], x->stride[d], y->stride[d]);
    }
    if (block)
        add_dim(g, block, block, 0, 1, 1);
    g->blk = 1;
    const int last = g->rank - 1;
    if (last > 0 && g->before[last] == 0 && g->dim[last] == g->size[last] && g->xs[last] == 1 &&
        g->ys[last] == 1) {
        g->blk = g->dim[last];
        g->rank--;
    }
    if (g->rank == 0)
        *g =
            (struct geo){.rank = 1, .mode = g->mode, .blk = 1, .dim = {1}, .size = {1}, .xs = {1}, .ys = {1}};
}

static const char *refuse(const struct onn_prob *p)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    const int64_t block = y->format.block > 1 ? y->format.block : 0;
    int64_t before[ONN_MAX_RANK], after[ONN_MAX_RANK];
    uint64_t bits = 0;
    if (!block)
        return NULL;
    const int axis = y->format.axis;
    if (onn_pad_read(p, before, after) != OCLNN_OK || !read_bits(p, &bits))
        return "the pads are not known";
    if (bits && (x->dim[axis] % block || y->dim[axis] % block))
        return "a constant other than 0 would fill pad lanes";
    if (before[axis] % block || after[axis] < 0)
        return "the cut does not fall between blocks";
    if ((before[axis] || after[axis]) && read_mode(p) != MODE_CONSTANT)
        return "only zeros can be added along the blocked dimension";
    return NULL;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    int64_t before[ONN_MAX_RANK], after[ONN_MAX_RANK], total = 1;
    uint64_t bits = 0;
    struct geo g = {.mode = (int32_t)read_mode(p)};
    (void)t;
    if ((b->status = onn_pad_read(p, before, after)) != OCLNN_OK)
        return b->status;
    if (!read_bits(p, &bits))
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "the constant is not known at plan time");
    if (onn_desc_elements(y) == 0)
        return b->status;
    if (onn_desc_elements(x) == 0) /* nothing but border */
        return onn_bind_fill(p, b, 0, y, bits);
    for (int d = 0; d < y->rank; d++)
        if (x->dim[d] > INT_MAX / 2 || y->dim[d] > INT_MAX / 2)
            return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "dimension %d is too long", d);
    make_geo(x, y, before, &g);
    for (int i = 0; i < g.rank; i++)
        total *= g.dim[i];
    const bool loop = p->caps && p->caps->vector_cpu;
    struct onn_launch *l = onn_bind_add(b, "pad", loop ? "pad_loop" : "pad_each", "-D PAD_T=%s -D PAD_W=%d",
        onn_cl_uint(oclnn_dtype_size(y->dtype)), onn_cl_width(oclnn_dtype_size(y->dtype)));
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &g, sizeof g);
    if (loop) {
        const int64_t width = g.dim[g.rank - 1], rows = total / width;
        const int64_t chunk =
            onn_cpu_chunk(p->caps, rows, width * g.blk * (int64_t)oclnn_dtype_size(y->dtype));
        onn_arg_int(b, l, rows);
        onn_arg_int(b, l, chunk);
        onn_arg_long(b, l, (int64_t)bits);
        onn_launch_size1(l, (size_t)((rows + chunk - 1) / chunk), 1);
    } else {
        onn_arg_int(b, l, total * g.blk);
        onn_arg_long(b, l, (int64_t)bits);
        onn_launch_size1(l, (size_t)(total * g.blk), 0);
    }
    return b->status;
}

/* Input position of output position o, -1 where the constant goes (as in cl/pad.cl). */
static int64_t map(int64_t o, int64_t before, int64_t size, enum mode mode)
{
    const int64_t i = o - before;
    if (i >= 0 && i < size)
        return i;
    if (mode == MODE_CONSTANT)
        return -1;
    if (mode == MODE_EDGE || size == 1)
        return i < 0 ? 0 : size - 1;
    const int64_t period = mode == MODE_REFLECT ? 2 * (size - 1) : size, m = ((i % period) + period) % period;
    return m < size ? m : period - m;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc, *y = &out[0]->desc;
    const enum mode mode = read_mode(p);
    const size_t size = oclnn_dtype_size(y->dtype);
    int64_t before[ONN_MAX_RANK], after[ONN_MAX_RANK], at[ONN_MAX_RANK] = {0}, xs[ONN_MAX_RANK];
    uint64_t bits = 0;
    enum oclnn_status status = onn_pad_read(p, before, after);
    if (status != OCLNN_OK)
        return status;
    if (!read_bits(p, &bits))
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "the constant is not known");
    onn_plain_strides(x->rank, x->dim, xs);
    const int64_t n = onn_desc_elements(y);
    for (int64_t k = 0; k < n; k++) {
        int64_t from = 0;
        bool inside = true;
        for (int d = 0; d < y->rank; d++) {
            const int64_t i = map(at[d], before[d], x->dim[d], mode);
            inside = inside && i >= 0;
            from += i * xs[d];
        }
        memcpy((unsigned char *)out[0]->data + (size_t)k * size,
            inside ? (const unsigned char *)p->value[0]->data + (size_t)from * size
                   : (const unsigned char *)&bits,
            size);
        for (int d = y->rank - 1; d >= 0 && ++at[d] == y->dim[d]; d--)
            at[d] = 0;
    }
    return OCLNN_OK;
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_formats_same(p, out, max, 1);
}

static uint32_t host_inputs(const struct onn_prob *p)
{
    uint32_t mask = 0;
    for (int i = 1; i < 4; i++)
        mask |= onn_prob_has(p, i) ? 1u << i : 0;
    return mask;
}

static const struct onn_variant rows = {
    .name = "rows",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = refuse,
    .formats = formats,
    .cost = onn_cost_copy,
    .bind = bind,
};

static enum oclnn_status bind_reference(const struct onn_prob *p, const struct onn_tune *t,
    struct onn_bind *b)
{
    return onn_bind_any_device(bind, p, t, b);
}

static const struct onn_variant reference = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = refuse,
    .formats = formats,
    .cost = onn_cost_reference,
    .bind = bind_reference,
};

static const struct onn_variant *const variants[] = {&rows, &reference, NULL};

static const struct onn_attr attrs[] = {
    {.name = "mode", .onnx = "mode", .type = ONN_ATTR_STRING, .offset = offsetof(struct onn_pad_attr, mode)},
    {.type = ONN_ATTR_END},
};

static const struct onn_op pad = {
    .name = "pad",
    .onnx = "Pad",
    .min_in = 2,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_pad_attr),
    .attrs = attrs,
    .since = 11,
    .infer = infer,
    .host = host,
    .host_inputs = host_inputs,
    .grad = onn_pad_grad,
    .variants = variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_pad[] = {&pad, NULL};
