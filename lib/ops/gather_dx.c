/* gather_dx, gatherelements_dx, gathernd_dx: every element of the result looks for the indices that name it and adds
 * their gradients in order: deterministic, no atomics. Inputs dy, indices; `shape` is the shape of the result. */
#include "ops/gather_dx.h"
#include "ops/reduce.h"
#include "ops/walk.h"

#include <limits.h>
#include <stddef.h>

static bool read_axis(const struct onn_prob *p, int *axis)
{
    const struct onn_gather_dx_attr *a = p->attr;
    return onn_axis_resolve(a->axis, a->shape.n, axis);
}

static bool is_elements(const struct onn_prob *p)
{
    return p->op->name[6] == 'e';
}
static bool is_nd(const struct onn_prob *p)
{
    return p->op->name[6] == 'n';
}

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_gather_dx_attr *a = p->attr;
    int axis = 0;
    ONN_CHECK(onn_dtype_is_float(p->in[0].dtype), OCLNN_ERROR_DTYPE, "the gradient is %s",
        oclnn_dtype_name(p->in[0].dtype));
    ONN_TRY(onn_check_index_type(p, 1, "the indices"));
    ONN_CHECK(a->shape.n >= 1 && a->shape.n <= ONN_MAX_RANK && (is_nd(p) || read_axis(p, &axis)),
        OCLNN_ERROR_ARGUMENT, "shape or axis is wrong");
    out[0] = onn_desc_make(p->in[0].dtype, a->shape.n, a->shape.v);
fail:
    return status;
}

static int64_t product(const int64_t *dim, int from, int to)
{
    int64_t n = 1;
    for (int i = from; i < to; i++)
        n *= dim[i];
    return n;
}

struct rows { /* cl/gather_dx.cl: struct gatherdx_rows */
    int32_t rows, inner, count, depth, index_step, pad;
    int32_t dim[ONN_MAX_RANK], step[ONN_MAX_RANK];
};
struct elements { /* cl/gather_dx.cl: struct gatherdx_elements */
    int32_t rank, axis, dim[ONN_MAX_RANK], index_dim[ONN_MAX_RANK];
};

static struct onn_launch *start(const struct onn_prob *p, struct onn_bind *b, const char *kernel)
{
    struct onn_launch *l = onn_bind_add(b, "gather_dx", kernel, "%s -D GATHER_I=%s",
        onn_any_define(p->in[0].dtype, b->arena), p->in[1].dtype == OCLNN_I32 ? "int" : "long");
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_out(l, 0);
    return l;
}

static enum oclnn_status bind_elements(const struct onn_prob *p, struct onn_bind *b)
{
    const struct onn_desc *x = &p->out[0], *k = &p->in[1];
    struct elements g = {.rank = x->rank};
    int axis = 0;
    if (!read_axis(p, &axis) || k->rank != x->rank)
        return b->status = onn_error(OCLNN_ERROR_INTERNAL, "gatherelements_dx: ranks differ");
    g.axis = axis;
    for (int d = 0; d < x->rank; d++) {
        g.dim[d] = (int32_t)x->dim[d];
        g.index_dim[d] = (int32_t)k->dim[d];
    }
    struct onn_launch *l = start(p, b, "gatherdx_elements");
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_launch_size1(l, (size_t)onn_desc_elements(x), 0);
    return b->status;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_gather_dx_attr *a = p->attr;
    const struct onn_desc *x = &p->out[0], *k = &p->in[1];
    struct rows g = {.depth = 1};
    int64_t outer, inner, count;
    int axis = 0;
    (void)t;
    if (onn_desc_elements(x) == 0)
        return b->status;
    if (onn_desc_elements(x) > INT_MAX || onn_desc_elements(&p->in[0]) > INT_MAX)
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "more than 31 bits of elements");
    if (is_elements(p))
        return bind_elements(p, b);
    if (is_nd(p)) {
        const int batch = (int)a->batch_dims;
        g.depth = (int32_t)k->dim[k->rank - 1];
        outer = product(x->dim, 0, batch);
        count = product(k->dim, batch, k->rank - 1);
        inner = product(x->dim, batch + g.depth, x->rank);
        g.rows = (int32_t)product(x->dim, batch, batch + g.depth);
        g.index_step = (int32_t)(count * g.depth);
        for (int d = 0; d < g.depth; d++) {
            g.dim[d] = (int32_t)x->dim[batch + d];
            g.step[d] = (int32_t)product(x->dim, batch + d + 1, batch + g.depth);
        }
    } else {
        read_axis(p, &axis);
        outer = product(x->dim, 0, axis);
        inner = product(x->dim, axis + 1, x->rank);
        count = onn_desc_elements(k);
        g.rows = g.dim[0] = (int32_t)x->dim[axis];
        g.step[0] = 1;
    }
    g.inner = (int32_t)inner;
    g.count = (int32_t)count;
    struct onn_launch *l = start(p, b, "gatherdx_rows");
    onn_arg_bytes(b, l, &g, sizeof g);
    onn_launch_size3(l, (size_t[3]){(size_t)inner, (size_t)g.rows, (size_t)outer}, (size_t[3]){0, 0, 0});
    return b->status;
}

static const char *refuse(const struct onn_prob *p)
{
    return p->in[0].dtype == OCLNN_F32 || p->in[0].dtype == OCLNN_F16 ? NULL : "only f32 and f16";
}

static const struct onn_variant reference = {.name = "reference",
    .flags = ONN_VARIANT_REFERENCE | ONN_VARIANT_EXACT,
    .refuse = refuse,
    .bind = bind};
static const struct onn_variant *const variants[] = {&reference, NULL};

static const struct onn_attr attrs[] = {{"axis", NULL, ONN_ATTR_INT,
                                            offsetof(struct onn_gather_dx_attr, axis), 0, 0, 0},
    {"batch_dims", NULL, ONN_ATTR_INT, offsetof(struct onn_gather_dx_attr, batch_dims), 0, 0, 8},
    {"shape", NULL, ONN_ATTR_INTS, offsetof(struct onn_gather_dx_attr, shape), 0, 0, 0},
    {.type = ONN_ATTR_END}};

#define DX(id) \
    static const struct onn_op id = {.name = #id, \
        .min_in = 2, \
        .max_in = 2, \
        .min_out = 1, \
        .max_out = 1, \
        .attr_size = sizeof(struct onn_gather_dx_attr), \
        .attrs = attrs, \
        .since = 1, \
        .infer = infer, \
        .variants = variants};
DX(gather_dx)
DX(gatherelements_dx)
DX(gathernd_dx)

extern const struct onn_op *const onn_ops_gather_dx[];
const struct onn_op *const onn_ops_gather_dx[] = {&gather_dx, &gatherelements_dx, &gathernd_dx, NULL};
