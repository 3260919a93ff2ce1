/* Expand (broadcast to a shape) and Tile (repeat): copies whose source stands still along some dimensions. */
#include "ops/walk.h"
#include "ops/grads.h"

/* ---- Expand ---- */

static enum oclnn_status infer_expand(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0];
    int64_t shape[ONN_MAX_RANK], dim[ONN_MAX_RANK];
    int n = 0;
    ONN_TRY(onn_check_index_type(p, 1, "the shape"));
    const int64_t length = onn_prob_length(p, 1);
    ONN_CHECK(length <= ONN_MAX_RANK, OCLNN_ERROR_UNSUPPORTED, "the shape has more than %d dimensions",
        ONN_MAX_RANK);
    if (x->rank < 0 || !onn_prob_ints(p, 1, shape, &n)) {
        const int rank = x->rank < 0 || length < 0 ? -1 : length > x->rank ? (int)length : x->rank;
        for (int d = 0; d < rank; d++)
            dim[d] = -1;
        out[0] = onn_desc_make(x->dtype, rank, dim);
        return OCLNN_OK;
    }
    for (int d = 0; d < n; d++)
        ONN_CHECK(shape[d] >= 0, OCLNN_ERROR_SHAPE, "entry %d of the shape is %lld", d, (long long)shape[d]);
    const int rank = onn_broadcast(x->rank, x->dim, n, shape, dim);
    char text[160];
    ONN_CHECK(rank >= 0, OCLNN_ERROR_SHAPE, "%s cannot be broadcast to the shape given",
        onn_desc_text(x, text));
    out[0] = onn_desc_make(x->dtype, rank, dim);
fail:
    return status;
}

/* x's strides under y's dims, 0 where it is broadcast. */
static void expand_walk(const struct onn_desc *x, const int64_t *xs, const struct onn_desc *y,
    const int64_t *ys, struct onn_walk *w)
{
    const int lead = y->rank - x->rank;
    *w = (struct onn_walk){0};
    for (int d = 0; d < y->rank; d++)
        onn_walk_add(w, y->dim[d], d < lead || x->dim[d - lead] == 1 ? 0 : xs[d - lead], ys[d]);
}

static enum oclnn_status host_expand(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc, *y = &out[0]->desc;
    int64_t xs[ONN_MAX_RANK], ys[ONN_MAX_RANK];
    struct onn_walk w;
    onn_plain_strides(x->rank, x->dim, xs);
    onn_plain_strides(y->rank, y->dim, ys);
    expand_walk(x, xs, y, ys, &w);
    onn_walk_host(&w, oclnn_dtype_size(y->dtype), p->value[0]->data, out[0]->data);
    return OCLNN_OK;
}

static enum oclnn_status bind_expand(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_walk w;
    (void)t;
    expand_walk(&p->in[0], p->in[0].stride, &p->out[0], p->out[0].stride, &w);
    return onn_walk_bind(p, b, 0, 0, &w);
}

/* ---- Tile ---- */

static enum oclnn_status infer_tile(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_desc *x = &p->in[0];
    int64_t repeats[ONN_MAX_RANK], dim[ONN_MAX_RANK];
    int n = 0;
    ONN_TRY(onn_check_index_type(p, 1, "the repeats"));
    const bool known = onn_prob_ints(p, 1, repeats, &n);
    ONN_CHECK(!known || x->rank < 0 || n == x->rank, OCLNN_ERROR_SHAPE,
        "%d repeats are given for %d dimensions", n, (int)x->rank);
    for (int d = 0; d < x->rank; d++) {
        dim[d] = -1;
        if (!known)
            continue;
        ONN_CHECK(repeats[d] >= 0, OCLNN_ERROR_SHAPE, "repeat %d is %lld", d, (long long)repeats[d]);
        if (x->dim[d] >= 0)
            ONN_CHECK(onn_mul_i64(x->dim[d], repeats[d], &dim[d]), OCLNN_ERROR_SHAPE,
                "the result is too large");
    }
    out[0] = onn_desc_make(x->dtype, x->rank, dim);
fail:
    return status;
}

static void tile_walk(const struct onn_desc *x, const int64_t *xs, const struct onn_desc *y,
    const int64_t *ys, struct onn_walk *w)
{
    *w = (struct onn_walk){0};
    for (int d = 0; d < y->rank; d++) {
        onn_walk_add(w, x->dim[d] ? y->dim[d] / x->dim[d] : 0, 0, ys[d] * x->dim[d]);
        onn_walk_add(w, x->dim[d], xs[d], ys[d]);
    }
}

static enum oclnn_status host_tile(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *x = &p->value[0]->desc, *y = &out[0]->desc;
    int64_t xs[ONN_MAX_RANK], ys[ONN_MAX_RANK];
    struct onn_walk w;
    onn_plain_strides(x->rank, x->dim, xs);
    onn_plain_strides(y->rank, y->dim, ys);
    tile_walk(x, xs, y, ys, &w);
    onn_walk_host(&w, oclnn_dtype_size(y->dtype), p->value[0]->data, out[0]->data);
    return OCLNN_OK;
}

static enum oclnn_status bind_tile(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_walk w;
    (void)t;
    tile_walk(&p->in[0], p->in[0].stride, &p->out[0], p->out[0].stride, &w);
    return onn_walk_bind(p, b, 0, 0, &w);
}

/* ---- tables ---- */

static uint32_t host_inputs(const struct onn_prob *p)
{
    (void)p;
    return 2;
}

/* Plain and channels last: nothing here knows blocks. */
static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    struct onn_formats list[4];
    const int n = onn_formats_same(p, list, 4, 1);
    int made = 0;
    for (int i = 0; i < n && made < max; i++)
        if (list[i].in[0].block <= 1 && (!list[i].in[0].permuted || p->in[0].rank == p->out[0].rank))
            out[made++] = list[i];
    return made;
}

#define EXPAND_FLAGS \
    (ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE)

static const struct onn_variant expand_copy = {.name = "reference",
    .flags = EXPAND_FLAGS,
    .formats = formats,
    .cost = onn_cost_copy,
    .bind = bind_expand};
static const struct onn_variant *const expand_variants[] = {&expand_copy, NULL};
static const struct onn_variant tile_copy = {.name = "reference",
    .flags = EXPAND_FLAGS,
    .formats = formats,
    .cost = onn_cost_copy,
    .bind = bind_tile};
static const struct onn_variant *const tile_variants[] = {&tile_copy, NULL};

static const struct onn_attr attrs[] = {{.type = ONN_ATTR_END}};

static const struct onn_op expand = {
    .name = "expand",
    .onnx = "Expand",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .since = 8,
    .infer = infer_expand,
    .host = host_expand,
    .host_inputs = host_inputs,
    .grad = onn_expand_grad,
    .variants = expand_variants,
    .flop = onn_flop_none,
};
static const struct onn_op tile = {
    .name = "tile",
    .onnx = "Tile",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .since = 6,
    .infer = infer_tile,
    .host = host_tile,
    .host_inputs = host_inputs,
    .grad = onn_tile_grad,
    .variants = tile_variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_expand[] = {&expand, &tile, NULL};
