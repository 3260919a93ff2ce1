/* Shape, Size, Constant, ConstantOfShape, Range. All are folded on the host; only ConstantOfShape has a kernel, for
 * results that are too big to keep as constants. */
#include "ops/shape.h"
#include "ops/walk.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* ---- Shape, Size ---- */

static void shape_range(const struct onn_prob *p, int rank, int *first, int *last)
{
    const struct onn_shape_attr *a = p->attr;
    int64_t start = a ? a->start : 0, end = a ? a->end : rank;
    start = start < 0 ? start + rank : start;
    end = end < 0 ? end + rank : end;
    *first = (int)(start < 0 ? 0 : start > rank ? rank : start);
    *last = (int)(end < *first ? *first : end > rank ? rank : end);
}

static enum oclnn_status infer_shape(const struct onn_prob *p, struct onn_desc *out)
{
    int64_t n = -1;
    if (p->in[0].rank >= 0) {
        int first, last;
        shape_range(p, p->in[0].rank, &first, &last);
        n = last - first;
    }
    out[0] = onn_desc_make(OCLNN_I64, 1, &n);
    return OCLNN_OK;
}

/* Needs the input's dims, not its value. */
static enum oclnn_status host_shape(const struct onn_prob *p, struct onn_blob *const *out)
{
    int first, last;
    shape_range(p, p->in[0].rank, &first, &last);
    for (int d = first; d < last; d++) {
        if (p->in[0].dim[d] < 0)
            return onn_error(OCLNN_ERROR_UNSUPPORTED, "dimension %d is not known", d);
        onn_blob_set_i64(out[0], d - first, p->in[0].dim[d]);
    }
    return OCLNN_OK;
}

static enum oclnn_status infer_size(const struct onn_prob *p, struct onn_desc *out)
{
    (void)p;
    out[0] = onn_desc_make(OCLNN_I64, 0, NULL);
    return OCLNN_OK;
}

static enum oclnn_status host_size(const struct onn_prob *p, struct onn_blob *const *out)
{
    const int64_t n = onn_desc_elements(&p->in[0]);
    if (n < 0)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "the input's shape is not known");
    onn_blob_set_i64(out[0], 0, n);
    return OCLNN_OK;
}

/* ---- Constant ---- */

static enum oclnn_status infer_constant(const struct onn_prob *p, struct onn_desc *out)
{
    const struct onn_constant_attr *a = p->attr;
    int64_t n;
    if (a->value) {
        out[0] = onn_desc_make(a->value->desc.dtype, a->value->desc.rank, a->value->desc.dim);
    } else if (a->value_ints.n >= 0) {
        n = a->value_ints.n;
        out[0] = onn_desc_make(OCLNN_I64, 1, &n);
    } else if (a->value_floats.n >= 0) {
        n = a->value_floats.n;
        out[0] = onn_desc_make(OCLNN_F32, 1, &n);
    } else if (a->value_int != INT64_MIN) {
        out[0] = onn_desc_make(OCLNN_I64, 0, NULL);
    } else if (!isnan(a->value_float)) {
        out[0] = onn_desc_make(OCLNN_F32, 0, NULL);
    } else {
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "the constant has no value (or one of strings, or sparse)");
    }
    return OCLNN_OK;
}

static enum oclnn_status host_constant(const struct onn_prob *p, struct onn_blob *const *out)
{
    const struct onn_constant_attr *a = p->attr;
    const void *from = a->value     ? a->value->data
        : a->value_ints.n >= 0      ? (const void *)a->value_ints.v
        : a->value_floats.n >= 0    ? (const void *)a->value_floats.v
        : a->value_int != INT64_MIN ? (const void *)&a->value_int
                                    : &a->value_float;
    const size_t bytes = onn_desc_unpadded_bytes(&out[0]->desc);
    if (bytes)
        memcpy(out[0]->data, from, bytes);
    return OCLNN_OK;
}

/* ---- ConstantOfShape ---- */

static enum oclnn_status infer_filled(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_constantofshape_attr *a = p->attr;
    const enum oclnn_dtype dtype = a && a->value ? a->value->desc.dtype : OCLNN_F32;
    int64_t dim[ONN_MAX_RANK];
    int n = 0;
    ONN_CHECK(!a || !a->value || onn_desc_elements(&a->value->desc) == 1, OCLNN_ERROR_ARGUMENT,
        "the value must be one element");
    ONN_TRY(onn_check_index_type(p, 0, "the shape"));
    if (!onn_prob_ints(p, 0, dim, &n)) {
        const int64_t length = onn_prob_length(p, 0);
        ONN_CHECK(length <= ONN_MAX_RANK, OCLNN_ERROR_UNSUPPORTED, "the shape has more than %d dimensions",
            ONN_MAX_RANK);
        for (int d = 0; d < length; d++)
            dim[d] = -1;
        out[0] = onn_desc_make(dtype, length < 0 ? -1 : (int)length, dim);
        return OCLNN_OK;
    }
    for (int d = 0; d < n; d++)
        ONN_CHECK(dim[d] >= 0, OCLNN_ERROR_SHAPE, "entry %d of the shape is %lld", d, (long long)dim[d]);
    out[0] = onn_desc_make(dtype, n, dim);
    ONN_CHECK(onn_desc_elements(&out[0]) >= 0, OCLNN_ERROR_SHAPE, "the result is too large");
fail:
    return status;
}

static uint64_t filled_bits(const struct onn_prob *p)
{
    const struct onn_constantofshape_attr *a = p->attr;
    uint64_t bits = 0;
    if (a && a->value)
        memcpy(&bits, a->value->data, oclnn_dtype_size(a->value->desc.dtype));
    return bits;
}

static enum oclnn_status host_filled(const struct onn_prob *p, struct onn_blob *const *out)
{
    const uint64_t bits = filled_bits(p);
    const size_t size = oclnn_dtype_size(out[0]->desc.dtype);
    const int64_t n = onn_desc_elements(&out[0]->desc);
    for (int64_t i = 0; i < n; i++)
        memcpy((unsigned char *)out[0]->data + (size_t)i * size, &bits, size);
    return OCLNN_OK;
}

static enum oclnn_status bind_filled(const struct onn_prob *p, const struct onn_tune *t, struct onn_bind *b)
{
    (void)t;
    return onn_bind_fill(p, b, 0, &p->out[0], filled_bits(p));
}

static struct onn_cost cost_filled(const struct onn_prob *p, const struct onn_tune *t)
{
    (void)t;
    return (struct onn_cost){.bytes = (double)onn_desc_bytes(&p->out[0]), .launches = 1, .efficiency = 1};
}

/* ---- Range ---- */

static enum oclnn_status infer_range(const struct onn_prob *p, struct onn_desc *out)
{
    enum oclnn_status status = OCLNN_OK;
    const enum oclnn_dtype dtype = p->in[0].dtype;
    const struct onn_blob *v[3];
    int64_t n = -1;
    bool known = true;
    for (int i = 0; i < 3; i++) {
        ONN_CHECK(p->in[i].dtype == dtype, OCLNN_ERROR_DTYPE, "start, limit and delta differ in type");
        v[i] = onn_prob_value(p, i);
        ONN_CHECK(!v[i] || onn_desc_elements(&v[i]->desc) == 1, OCLNN_ERROR_SHAPE, "input %d is no scalar",
            i);
        known = known && v[i];
    }
    if (known && onn_dtype_is_float(dtype)) {
        const double start = onn_blob_get_f64(v[0], 0), limit = onn_blob_get_f64(v[1], 0);
        const double count = ceil((limit - start) / onn_blob_get_f64(v[2], 0));
        ONN_CHECK(count == count && count < 1e12, OCLNN_ERROR_ARGUMENT, "the range has no end");
        n = count > 0 ? (int64_t)count : 0;
    } else if (known) {
        const int64_t start = onn_blob_get_i64(v[0], 0), limit = onn_blob_get_i64(v[1], 0);
        const int64_t delta = onn_blob_get_i64(v[2], 0);
        int64_t span;
        ONN_CHECK(delta != 0 && delta != INT64_MIN, OCLNN_ERROR_ARGUMENT, "delta is %lld", (long long)delta);
        ONN_CHECK(!__builtin_sub_overflow(delta > 0 ? limit : start, delta > 0 ? start : limit, &span),
            OCLNN_ERROR_ARGUMENT, "the range is too large");
        const int64_t by = delta > 0 ? delta : -delta;
        n = span > 0 ? (span - 1) / by + 1 : 0;
    }
    out[0] = onn_desc_make(dtype, 1, &n);
fail:
    return status;
}

static enum oclnn_status host_range(const struct onn_prob *p, struct onn_blob *const *out)
{
    const int64_t n = out[0]->desc.dim[0];
    if (onn_dtype_is_float(out[0]->desc.dtype)) {
        const double start = onn_blob_get_f64(p->value[0], 0), delta = onn_blob_get_f64(p->value[2], 0);
        for (int64_t i = 0; i < n; i++)
            onn_blob_set_f64(out[0], i, start + (double)i * delta);
    } else {
        const int64_t start = onn_blob_get_i64(p->value[0], 0), delta = onn_blob_get_i64(p->value[2], 0);
        for (int64_t i = 0; i < n; i++)
            onn_blob_set_i64(out[0], i, start + i * delta);
    }
    return OCLNN_OK;
}

static uint32_t host_all(const struct onn_prob *p)
{
    return (1u << p->n_in) - 1;
}

/* ---- tables ---- */

static const struct onn_attr shape_attrs[] = {
    {.name = "start",
        .onnx = "start",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_shape_attr, start)},
    {.name = "end",
        .onnx = "end",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_shape_attr, end),
        .def = ONN_SHAPE_END},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr constant_attrs[] = {
    {.name = "value",
        .onnx = "value",
        .type = ONN_ATTR_TENSOR,
        .offset = offsetof(struct onn_constant_attr, value)},
    {.name = "ints",
        .onnx = "value_ints",
        .type = ONN_ATTR_INTS,
        .offset = offsetof(struct onn_constant_attr, value_ints)},
    {.name = "floats",
        .onnx = "value_floats",
        .type = ONN_ATTR_FLOATS,
        .offset = offsetof(struct onn_constant_attr, value_floats)},
    {.name = "int",
        .onnx = "value_int",
        .type = ONN_ATTR_INT,
        .offset = offsetof(struct onn_constant_attr, value_int),
        .def = (double)INT64_MIN},
    {.name = "float",
        .onnx = "value_float",
        .type = ONN_ATTR_FLOAT,
        .offset = offsetof(struct onn_constant_attr, value_float),
        .def = NAN},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr filled_attrs[] = {
    {.name = "value",
        .onnx = "value",
        .type = ONN_ATTR_TENSOR,
        .offset = offsetof(struct onn_constantofshape_attr, value)},
    {.type = ONN_ATTR_END},
};
static const struct onn_attr no_attrs[] = {{.type = ONN_ATTR_END}};

static const struct onn_variant fill = {
    .name = "fill",
    .flags = ONN_VARIANT_EXACT | ONN_VARIANT_STRIDED_OUT | ONN_VARIANT_REFERENCE,
    .cost = cost_filled,
    .bind = bind_filled,
};
static const struct onn_variant *const filled_variants[] = {&fill, NULL};

static const struct onn_op shape = {
    .name = "shape",
    .onnx = "Shape",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_HOST_ONLY | ONN_OP_FROM_SHAPE | ONN_OP_NO_GRAD,
    .attr_size = sizeof(struct onn_shape_attr),
    .attrs = shape_attrs,
    .since = 1,
    .infer = infer_shape,
    .host = host_shape,
    .flop = onn_flop_none,
};
static const struct onn_op size = {
    .name = "size",
    .onnx = "Size",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_HOST_ONLY | ONN_OP_FROM_SHAPE | ONN_OP_NO_GRAD,
    .attrs = no_attrs,
    .since = 1,
    .infer = infer_size,
    .host = host_size,
    .flop = onn_flop_none,
};
static const struct onn_op constant = {
    .name = "constant",
    .onnx = "Constant",
    .min_in = 0,
    .max_in = 0,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_HOST_ONLY | ONN_OP_NO_GRAD,
    .attr_size = sizeof(struct onn_constant_attr),
    .attrs = constant_attrs,
    .since = 1,
    .infer = infer_constant,
    .host = host_constant,
    .flop = onn_flop_none,
};
static const struct onn_op constantofshape = {
    .name = "constantofshape",
    .onnx = "ConstantOfShape",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_NO_GRAD,
    .attr_size = sizeof(struct onn_constantofshape_attr),
    .attrs = filled_attrs,
    .since = 9,
    .infer = infer_filled,
    .host = host_filled,
    .host_inputs = host_all,
    .variants = filled_variants,
    .flop = onn_flop_none,
};
static const struct onn_op range = {
    .name = "range",
    .onnx = "Range",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .flags = ONN_OP_HOST_ONLY | ONN_OP_NO_GRAD,
    .attrs = no_attrs,
    .since = 11,
    .infer = infer_range,
    .host = host_range,
    .host_inputs = host_all,
    .flop = onn_flop_none,
};

const struct onn_op *const onn_ops_shape[] = {&shape, &size, &constant, &constantofshape, &range, NULL};
