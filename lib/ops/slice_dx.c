/* slice_dx: y is zero except y[start + i * step] = x[i]. The gradient of Slice, of Split's parts and of constant pads. */
#include "ops/slice_dx.h"
#include "ops/walk.h"

#include <stddef.h>
#include <string.h>

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_slice_dx_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    ONN_CHECK(onn_desc_is_known(x) && a->shape.n == x->rank && a->start.n == x->rank && a->step.n == x->rank,
        OCLNN_ERROR_ARGUMENT, "shape, start and step need one entry per dimension");
    for (int d = 0; d < x->rank; d++) {
        const int64_t last = a->start.v[d] + (x->dim[d] - 1) * a->step.v[d];
        ONN_CHECK(x->dim[d] == 0 ||
                (a->step.v[d] != 0 && a->start.v[d] >= 0 && a->start.v[d] < a->shape.v[d] && last >= 0 &&
                    last < a->shape.v[d]),
            OCLNN_ERROR_SHAPE, "dimension %d: elements %lld to %lld lie outside %lld", d,
            (long long)a->start.v[d], (long long)last, (long long)a->shape.v[d]);
    }
    out[0] = onn_desc_make(x->dtype, x->rank, a->shape.v);
fail:
    return status;
}

/* The part of the output that x goes to. */
static bool target(const struct onn_prob *p, const struct onn_desc *y, struct onn_desc *part)
{
    const struct onn_slice_dx_attr *a = p->attr;
    *part = *y;
    for (int d = 0; d < y->rank; d++)
        if ((p->in[0].dim[d] != y->dim[d] || a->step.v[d] != 1) &&
            !onn_view_slice(part, d, a->start.v[d], p->in[0].dim[d], a->step.v[d], part))
            return false;
    return true;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    struct onn_desc part;
    struct onn_walk w = {0};
    int64_t from[ONN_MAX_RANK];
    const struct onn_desc *x = &p->value[0]->desc;
    if (!target(p, &out[0]->desc, &part))
        return onn_error(OCLNN_ERROR_INTERNAL, "slice_dx: no target");
    onn_plain_strides(x->rank, x->dim, from);
    w.to_offset = part.offset;
    for (int d = 0; d < x->rank; d++)
        onn_walk_add(&w, x->dim[d], from[d], part.stride[d]);
    onn_walk_host(&w, oclnn_dtype_size(x->dtype), p->value[0]->data, out[0]->data);
    return OCLNN_OK;
}

static const char *refuse(const struct onn_prob *p)
{
    struct onn_desc part;
    return target(p, &p->out[0], &part) ? NULL : "the cut does not fall between blocks";
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    struct onn_desc part;
    (void)t;
    if (!target(p, &p->out[0], &part))
        return b->status = onn_error(OCLNN_ERROR_INTERNAL, "slice_dx: no target");
    if (onn_bind_fill(p, b, 0, &p->out[0], 0) != OCLNN_OK)
        return b->status;
    return onn_bind_copy(p, b, 0, &p->in[0], 0, &part);
}

static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    return onn_formats_same(p, out, max, 0);
}

static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    struct onn_cost c = onn_cost_copy(p, t);
    c.launches = 2;
    return c;
}

static const struct onn_variant copy = {
    .name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .refuse = refuse,
    .formats = formats,
    .cost = cost,
    .bind = bind,
};
static const struct onn_variant *const variants[] = {&copy, NULL};

#define LIST(field) \
    { \
#field, NULL, ONN_ATTR_INTS, offsetof(struct onn_slice_dx_attr, field), 0, 0, 0 \
    }
static const struct onn_attr attrs[] = {LIST(shape), LIST(start), LIST(step), {.type = ONN_ATTR_END}};

static const struct onn_op slice_dx = {
    .name = "slice_dx",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_slice_dx_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .host = host,
    .variants = variants,
    .flop = onn_flop_none,
};

extern const struct onn_op *const onn_ops_slice_dx[];
const struct onn_op *const onn_ops_slice_dx[] = {&slice_dx, NULL};
