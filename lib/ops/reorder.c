/* reorder: y = x in another format. Internal: the planner puts it between nodes that disagree. */
#include "ops/reorder.h"
#include "ops/pack.h"
#include "ops/walk.h"

#include <string.h>

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_reorder_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    out[0] = onn_desc_make(x->dtype, x->rank, x->dim);
    if (!onn_desc_is_known(x))
        return OCLNN_OK;
    ONN_CHECK(!a->format.block || a->format.axis < x->rank, OCLNN_ERROR_ARGUMENT,
        "a tensor of %d dimensions cannot be blocked along dimension %d", (int)x->rank, a->format.axis);
    if (!a->format.pack) {
        onn_desc_set_format(&out[0], a->format);
        return OCLNN_OK;
    }
    const struct onn_pack *pack = onn_pack_find(a->format.pack);
    ONN_CHECK(pack, OCLNN_ERROR_INTERNAL, "there is no packing number %d", a->format.pack);
    const int64_t elements = pack->elements(x, a->format.p);
    ONN_CHECK(elements >= 0, OCLNN_ERROR_SHAPE, "packing '%s' does not take this shape", pack->name);
    out[0].format = a->format;
    memset(out[0].stride, 0, sizeof out[0].stride);
    out[0].stride[0] = elements;
fail:
    return status;
}

/* Host blobs are plain row-major whatever their format says: folding keeps the values. */
static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    if (out[0]->desc.format.pack)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "packed weights are made on the device");
    memcpy(out[0]->data, p->value[0]->data, onn_desc_unpadded_bytes(&p->value[0]->desc));
    return OCLNN_OK;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    if (!p->out[0].format.pack)
        return onn_bind_copy(p, b, 0, &p->in[0], 0, &p->out[0]);
    const struct onn_pack *pack = onn_pack_find(p->out[0].format.pack);
    if (!pack)
        return b->status =
                   onn_error(OCLNN_ERROR_INTERNAL, "there is no packing number %d", p->out[0].format.pack);
    return pack->bind(p, b);
}

/* The format is the attribute's; the input's is whatever the producer chose. */
static int formats(const struct onn_prob *p, struct onn_formats *out, int max)
{
    const struct onn_reorder_attr *a = p->attr;
    if (max < 1)
        return 0;
    *out = (struct onn_formats){.n_in = 1, .n_out = 1};
    out->in[0] = p->in[0].format;
    out->out[0] = a->format;
    return 1;
}

static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    const double bytes = (double)onn_desc_bytes(&p->in[0]) + (double)onn_desc_bytes(&p->out[0]);
    return (struct onn_cost){.bytes = bytes, .launches = 1, .efficiency = 1};
}

static const struct onn_attr attrs[] = {{.type = ONN_ATTR_END}};

static const char *packs_not(const struct onn_prob *p)
{
    return p->out[0].format.pack ? "packing kernels read weights that are no views" : NULL;
}

static const struct onn_variant copy = {
    .name = "copy",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT,
    .refuse = packs_not,
    .formats = formats,
    .cost = cost,
    .bind = bind,
};

/* Opaque packs: like copy, but its input lies in one piece. */
static const struct onn_variant pack_weight = {
    .name = "pack",
    .flags = ONN_VARIANT_EXACT,
    .formats = formats,
    .cost = cost,
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
    .formats = formats,
    .cost = onn_cost_reference,
    .bind = bind_reference,
};

static const struct onn_variant *const variants[] = {&copy, &pack_weight, &reference, NULL};

static const struct onn_op reorder = {
    .name = "reorder",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct onn_reorder_attr),
    .attrs = attrs,
    .infer = infer,
    .host = host,
    .variants = variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_reorder[] = {&reorder, NULL};
