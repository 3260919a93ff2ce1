/* ReverseSequence: every sequence of a batch reversed up to its own length. */
#include "ops/walk.h"
#include "ops/grads.h"

#include <stddef.h>
#include <string.h>

struct reverse_attr {
    int64_t batch_axis, time_axis;
};

static enum oclnn_status infer(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct reverse_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0], *n = &p->in[1];
    ONN_TRY(onn_check_index_type(p, 1, "the lengths"));
    ONN_CHECK(a->batch_axis + a->time_axis == 1 && a->batch_axis >= 0 && a->time_axis >= 0,
        OCLNN_ERROR_ARGUMENT, "batch and time must be the axes 0 and 1");
    ONN_CHECK(x->rank < 0 || x->rank >= 2, OCLNN_ERROR_SHAPE, "the tensor has %d dimensions, not 2 or more",
        (int)x->rank);
    ONN_CHECK(x->rank < 0 || !onn_desc_is_known(n) || x->dim[a->batch_axis] < 0 ||
            onn_desc_elements(n) == x->dim[a->batch_axis],
        OCLNN_ERROR_SHAPE, "%lld lengths are given for a batch of %lld", (long long)onn_desc_elements(n),
        (long long)x->dim[a->batch_axis]);
    ONN_TRY(onn_infer_same(p, out));
fail:
    return status;
}

static int64_t inner_of(const struct onn_desc *x)
{
    int64_t n = 1;
    for (int d = 2; d < x->rank; d++)
        n *= x->dim[d];
    return n;
}

static enum oclnn_status host(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct reverse_attr *a = p->attr;
    const struct onn_desc *x = &p->value[0]->desc;
    const size_t row = (size_t)inner_of(x) * oclnn_dtype_size(x->dtype);
    for (int64_t i = 0; i < x->dim[0]; i++)
        for (int64_t k = 0; k < x->dim[1]; k++) {
            const int64_t t = a->time_axis ? k : i, b = a->time_axis ? i : k, extent = x->dim[a->time_axis];
            int64_t n = onn_blob_get_i64(p->value[1], b);
            n = n > extent ? extent : n;
            const int64_t s = t < n ? n - 1 - t : t, from = a->time_axis ? b * extent + s : s * x->dim[1] + b;
            memcpy((unsigned char *)out[0]->data + (size_t)(i * x->dim[1] + k) * row,
                (const unsigned char *)p->value[0]->data + (size_t)from * row, row);
        }
    return OCLNN_OK;
}

static enum oclnn_status bind(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct reverse_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    const int64_t n = onn_desc_elements(x);
    (void)t;
    if (n == 0)
        return b->status;
    if (n > INT32_MAX)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "%lld elements do not fit 31 bits", (long long)n);
    struct onn_launch *l =
        onn_bind_add(b, "reversesequence", "reversesequence_each", "-D REVERSE_T=%s -D REVERSE_I=%s",
            onn_cl_uint(oclnn_dtype_size(x->dtype)), p->in[1].dtype == OCLNN_I32 ? "int" : "long");
    onn_arg_in(l, 0);
    onn_arg_in(l, 1);
    onn_arg_out(l, 0);
    onn_arg_int(b, l, x->dim[0]);
    onn_arg_int(b, l, x->dim[1]);
    onn_arg_int(b, l, inner_of(x));
    onn_arg_int(b, l, a->time_axis == 0);
    onn_launch_size1(l, (size_t)n, 0);
    return b->status;
}

static const struct onn_variant each = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE,
    .cost = onn_cost_copy,
    .bind = bind};
static const struct onn_variant *const variants[] = {&each, NULL};

static const struct onn_attr attrs[] = {
    {.name = "batch_axis",
        .onnx = "batch_axis",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct reverse_attr, batch_axis),
        .def = 1,
        .max = 1},
    {.name = "time_axis",
        .onnx = "time_axis",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct reverse_attr, time_axis),
        .max = 1},
    {.type = ONN_ATTR_END},
};

static const struct onn_op reversesequence = {
    .name = "reversesequence",
    .onnx = "ReverseSequence",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct reverse_attr),
    .attrs = attrs,
    .since = 10,
    .infer = infer,
    .host = host,
    .grad = onn_same_grad,
    .variants = variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_reversesequence[] = {&reversesequence, NULL};
