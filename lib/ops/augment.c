/* Random changes of images on the device, and their normalisation. What happens to which image stands in a table that is
 * an input: one plan serves every batch. */
#include "ops/augment.h"

#include "ops/walk.h"
#include <limits.h>

struct augment_args { /* cl/augment.cl */
    int32_t n, c, h, w, h2, w2, per;
};

static bool is(const struct onn_desc *d, int64_t rows, int64_t columns)
{
    return d->rank < 0 ||
        (d->rank == 2 && (d->dim[0] < 0 || rows < 0 || d->dim[0] == rows) &&
            (d->dim[1] < 0 || d->dim[1] == columns));
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_augment_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    if (x->dtype != OCLNN_U8 || p->in[1].dtype != OCLNN_F32 || p->in[2].dtype != OCLNN_F32)
        return onn_error(OCLNN_ERROR_DTYPE, "images, table and norm are %s, %s, %s instead of u8, f32, f32",
            oclnn_dtype_name(x->dtype), oclnn_dtype_name(p->in[1].dtype), oclnn_dtype_name(p->in[2].dtype));
    if (x->rank != 4)
        return onn_error(OCLNN_ERROR_SHAPE, "images of rank %d, not N x C x H x W", x->rank);
    if (!is(&p->in[1], x->dim[0], ONN_AUGMENT_ROW))
        return onn_error(OCLNN_ERROR_SHAPE, "the table is not %lld x %d", (long long)x->dim[0],
            ONN_AUGMENT_ROW);
    if (!is(&p->in[2], x->dim[1], 2))
        return onn_error(OCLNN_ERROR_SHAPE, "norm is not %lld x 2", (long long)x->dim[1]);
    int64_t dim[4] = {x->dim[0], x->dim[1], a->height ? a->height : x->dim[2],
        a->width ? a->width : x->dim[3]};
    out[0] = onn_desc_make(OCLNN_F32, 4, dim);
    return OCLNN_OK;
}

static const char *refuse(const struct onn_prob *p)
{
    const struct onn_desc *x = &p->in[0];
    /* places are found in floats and addressed in an image by an int */
    if (x->dim[2] > 65536 || x->dim[3] > 65536 || x->dim[2] * x->dim[3] > INT_MAX || x->dim[0] > INT_MAX)
        return "images this large are not supported";
    return p->out[0].dim[2] > INT_MAX || p->out[0].dim[3] > INT_MAX ? "a dimension does not fit 31 bits"
                                                                    : NULL;
}

static const char *refuse_rows(const struct onn_prob *p)
{
    if (!p->caps || !p->caps->vector_cpu || p->caps->vector_width < 4)
        return "for vector CPUs";
    if (p->in[0].dim[3] < 2 || p->out[0].dim[3] < p->caps->vector_width)
        return "rows are shorter than a vector";
    return refuse(p);
}

static enum oclnn_status bind_as(const struct onn_prob *p, struct onn_bind *b, bool rows)
{
    const struct onn_desc *x = &p->in[0], *y = &p->out[0];
    struct augment_args a = {(int32_t)x->dim[0], (int32_t)x->dim[1], (int32_t)x->dim[2], (int32_t)x->dim[3],
        (int32_t)y->dim[2], (int32_t)y->dim[3], 1};
    if (onn_desc_elements(y) == 0)
        return b->status;
    if (rows) { /* enough work for an item; a batch has items enough */
        int64_t row = y->dim[1] * y->dim[3], per = row < 4096 ? 4096 / row : 1;
        a.per = (int32_t)(per < a.h2 ? per : a.h2);
    }
    struct onn_launch *l = onn_bind_add(b, "augment", rows ? "augment_rows" : "augment_ref", "-D VL=%d",
        rows ? p->caps->vector_width : 8);
    for (int i = 0; i < 3; i++)
        onn_arg_in(l, i);
    onn_arg_out(l, 0);
    onn_arg_bytes(b, l, &a, sizeof a);
    if (rows)
        onn_launch_size2(l, (size_t)((a.h2 + a.per - 1) / a.per), (size_t)a.n, 1, 1);
    else
        onn_launch_size3(l, (size_t[3]){(size_t)a.w2, (size_t)a.h2, (size_t)a.n}, (size_t[3]){0, 0, 0});
    return b->status;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return bind_as(p, b, false);
}

static enum oclnn_status bind_rows(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return bind_as(p, b, true);
}

static double flop(const struct onn_prob *p)
{
    return 20 * (double)onn_desc_elements(&p->out[0]); /* four weights, colour matrix, normalisation */
}

static struct onn_cost cost(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){.flop = flop(p), .bytes = onn_prob_bytes(p), .launches = 1, .efficiency = 0.03};
}

static struct onn_cost cost_rows(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){.flop = flop(p), .bytes = onn_prob_bytes(p), .launches = 1, .efficiency = 0.2};
}

static const struct onn_variant rows = {.name = "rows",
    .flags = ONN_VARIANT_EXACT,
    .refuse = refuse_rows,
    .cost = cost_rows,
    .bind = bind_rows};
static const struct onn_variant reference = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE | ONN_VARIANT_EXACT,
    .refuse = refuse,
    .cost = cost,
    .bind = bind};
static const struct onn_variant *const variants[] = {&rows, &reference, NULL};

static const struct onn_attr attrs[] = {{"height", NULL, ONN_ATTR_INT,
                                            offsetof(struct onn_augment_attr, height), 0, 0, 65536},
    {"width", NULL, ONN_ATTR_INT, offsetof(struct onn_augment_attr, width), 0, 0, 65536},
    {.type = ONN_ATTR_END}};

static const struct onn_op augment = {.name = "augment",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_NO_GRAD,
    .attr_size = sizeof(struct onn_augment_attr),
    .attrs = attrs,
    .since = 1,
    .infer = infer,
    .variants = variants,
    .flop = flop};

extern const struct onn_op *const onn_ops_augment[];
const struct onn_op *const onn_ops_augment[] = {&augment, NULL};
