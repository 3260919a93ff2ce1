/* Trilu (one triangle of matrices) and EyeLike (ones on a diagonal). */
#include "ops/walk.h"
#include "ops/grads.h"

#include <stddef.h>
#include <string.h>

struct trilu_attr {
    int64_t upper;
};
struct eyelike_attr {
    int64_t k, dtype; /* dtype: ONNX's number, 0 = as the input */
};

/* ---- Trilu ---- */

static bool read_k(const struct onn_prob *p, int64_t *k)
{
    const struct onn_blob *v = onn_prob_value(p, 1);
    *k = v && onn_desc_elements(&v->desc) > 0 ? onn_blob_get_i64(v, 0) : 0;
    return v || !onn_prob_has(p, 1);
}

static enum oclnn_status infer_trilu(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_desc *x = &p->in[0];
    if (x->rank >= 0 && x->rank < 2)
        return onn_error(OCLNN_ERROR_SHAPE, "a tensor of %d dimensions holds no matrices", (int)x->rank);
    return onn_infer_same(p, out);
}

static bool keeps(const struct onn_prob *p, int64_t k, int64_t row, int64_t col)
{
    const struct trilu_attr *a = p->attr;
    return a->upper ? col - row >= k : col - row <= k;
}

static enum oclnn_status host_trilu(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *y = &out[0]->desc;
    const size_t size = oclnn_dtype_size(y->dtype);
    const int64_t rows = y->dim[y->rank - 2], cols = y->dim[y->rank - 1], n = onn_desc_elements(y);
    int64_t k;
    read_k(p, &k);
    for (int64_t e = 0; e < n; e++) {
        unsigned char *to = (unsigned char *)out[0]->data + (size_t)e * size;
        if (keeps(p, k, e / cols % rows, e % cols))
            memcpy(to, (const unsigned char *)p->value[0]->data + (size_t)e * size, size);
        else
            memset(to, 0, size);
    }
    return OCLNN_OK;
}

static enum oclnn_status bind_trilu(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct trilu_attr *a = p->attr;
    const struct onn_desc *y = &p->out[0];
    const int64_t n = onn_desc_elements(y);
    int64_t k;
    (void)t;
    if (!read_k(p, &k))
        return b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "trilu: k is not known at plan time");
    if (n == 0)
        return b->status;
    struct onn_launch *l = onn_bind_add(b, "diagonal", "trilu_each", "-D DIAGONAL_T=%s",
        onn_cl_uint(oclnn_dtype_size(y->dtype)));
    onn_arg_in(l, 0);
    onn_arg_out(l, 0);
    onn_arg_int(b, l, n);
    onn_arg_int(b, l, y->dim[y->rank - 2]);
    onn_arg_int(b, l, y->dim[y->rank - 1]);
    onn_arg_long(b, l, k);
    onn_arg_int(b, l, a->upper != 0);
    onn_launch_size1(l, (size_t)n, 0);
    return b->status;
}

static uint32_t host_k(const struct onn_prob *p)
{
    return onn_prob_has(p, 1) ? 2 : 0;
}

/* ---- EyeLike ---- */

static enum oclnn_status infer_eye(const struct onn_prob *p, struct onn_desc *out)
{
    const struct eyelike_attr *a = p->attr;
    const struct onn_desc *x = &p->in[0];
    const enum oclnn_dtype dtype = a->dtype ? onn_dtype_from_onnx((int)a->dtype) : x->dtype;
    if (!dtype)
        return onn_error(OCLNN_ERROR_DTYPE, "element type %lld is not supported", (long long)a->dtype);
    if (x->rank >= 0 && x->rank != 2)
        return onn_error(OCLNN_ERROR_SHAPE, "the tensor has %d dimensions, not 2", (int)x->rank);
    out[0] = onn_desc_make(dtype, x->rank, x->dim);
    return OCLNN_OK;
}

/* Length of diagonal k and its first element's place. */
static int64_t diagonal(const struct onn_prob *p, const struct onn_desc *y, int64_t *row, int64_t *col)
{
    const struct eyelike_attr *a = p->attr;
    *row = a->k < 0 ? -a->k : 0;
    *col = a->k > 0 ? a->k : 0;
    const int64_t rows = y->dim[0] - *row, cols = y->dim[1] - *col, n = rows < cols ? rows : cols;
    return n > 0 ? n : 0;
}

static enum oclnn_status host_eye(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_desc *y = &out[0]->desc;
    int64_t row, col;
    const int64_t n = diagonal(p, y, &row, &col);
    memset(out[0]->data, 0, onn_desc_unpadded_bytes(y));
    for (int64_t i = 0; i < n; i++)
        onn_blob_set_f64(out[0], (row + i) * y->dim[1] + col + i, 1);
    return OCLNN_OK;
}

static enum oclnn_status bind_eye(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    const struct onn_desc *y = &p->out[0];
    const double one = 1;
    uint64_t bits = 0;
    int64_t row, col;
    (void)t;
    struct onn_desc line = onn_desc_make(y->dtype, 1, &(int64_t){diagonal(p, y, &row, &col)});
    onn_convert(OCLNN_F64, &one, y->dtype, &bits, 1);
    line.offset = y->offset + row * y->stride[0] + col * y->stride[1];
    line.stride[0] = y->stride[0] + y->stride[1];
    if (onn_bind_fill(p, b, 0, y, 0) != OCLNN_OK)
        return b->status;
    return onn_bind_fill(p, b, 0, &line, bits);
}

/* ---- tables ---- */

static const struct onn_attr trilu_attrs[] = {
    {.name = "upper",
        .onnx = "upper",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct trilu_attr, upper),
        .def = 1,
        .max = 1},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr eye_attrs[] = {
    {.name = "k", .onnx = "k", .type = ONN_ATTR_INT, .offset = offsetof(struct eyelike_attr, k)},
    {.name = "dtype", .onnx = "dtype", .type = ONN_ATTR_INT, .offset = offsetof(struct eyelike_attr, dtype)},
    {.type = ONN_ATTR_END},
};

static const struct onn_variant trilu_each = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_REFERENCE,
    .cost = onn_cost_copy,
    .bind = bind_trilu};
static const struct onn_variant *const trilu_variants[] = {&trilu_each, NULL};
static const struct onn_variant eye_fill = {.name = "reference",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_IN | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .cost = onn_cost_copy,
    .bind = bind_eye};
static const struct onn_variant *const eye_variants[] = {&eye_fill, NULL};

static const struct onn_op trilu = {
    .name = "trilu",
    .onnx = "Trilu",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attr_size = sizeof(struct trilu_attr),
    .attrs = trilu_attrs,
    .since = 14,
    .infer = infer_trilu,
    .host = host_trilu,
    .host_inputs = host_k,
    .grad = onn_same_grad,
    .variants = trilu_variants,
    .flop = onn_flop_none,
};
static const struct onn_op eyelike = {
    .name = "eyelike",
    .onnx = "EyeLike",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_NO_GRAD | ONN_OP_FROM_SHAPE,
    .attr_size = sizeof(struct eyelike_attr),
    .attrs = eye_attrs,
    .since = 9,
    .infer = infer_eye,
    .host = host_eye,
    .variants = eye_variants,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_diagonal[] = {&trilu, &eyelike, NULL};
