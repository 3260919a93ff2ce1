/* TensorProto in each of its encodings. Declared size and real size must agree before anything is
 * allocated. */
#include "io/onnx_internal.h"

#include "base/half.h"
#include <string.h>

static enum oclnn_status desc_of(const Onnx__TensorProto *t, struct onn_desc *desc, size_t *elements,
    size_t *bytes)
{
    int64_t dim[ONN_MAX_RANK];
    enum oclnn_dtype dtype = t->has_data_type ? onn_dtype_from_onnx(t->data_type) : OCLNN_NONE;
    if (!dtype)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "element type %d of ONNX is not supported",
            (int)t->data_type);
    if (t->n_dims > ONN_MAX_RANK)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "%zu dimensions, at most %d are supported", t->n_dims,
            ONN_MAX_RANK);
    *elements = 1;
    bool fits = true;
    for (size_t i = 0; i < t->n_dims; i++) {
        dim[i] = t->dims[i];
        if (dim[i] < 0)
            return onn_error(OCLNN_ERROR_FORMAT, "dimension %zu is %lld", i, (long long)dim[i]);
        fits = fits && onn_mul_size(*elements, (size_t)dim[i], elements);
    }
    if (!fits || !onn_mul_size(*elements, oclnn_dtype_size(dtype), bytes) || *bytes > INT64_MAX)
        return onn_error(OCLNN_ERROR_FORMAT, "the product of the dimensions is too big");
    *desc = onn_desc_make(dtype, (int)t->n_dims, dim);
    return OCLNN_OK;
}

static enum oclnn_status wrong_count(const char *what, size_t have, size_t want)
{
    return onn_error(OCLNN_ERROR_FORMAT, "%s holds %zu, the shape needs %zu", what, have, want);
}

/* int32_data carries every type of up to 32 bits; halfs as bit patterns. */
static enum oclnn_status from_i32(const Onnx__TensorProto *t, struct onn_blob *blob)
{
    static const struct {
        enum oclnn_dtype dtype;
        int32_t min, max;
    } ranges[] = {{OCLNN_I32, INT32_MIN, INT32_MAX}, {OCLNN_U8, 0, 255}, {OCLNN_I8, -128, 127},
        {OCLNN_BOOL, 0, 1}, {OCLNN_F16, 0, 65535}, {OCLNN_BF16, 0, 65535}};
    size_t k = 0, n = sizeof ranges / sizeof *ranges;
    while (k < n && ranges[k].dtype != blob->desc.dtype)
        k++;
    if (k == n)
        return onn_error(OCLNN_ERROR_FORMAT, "int32_data in a tensor of %s",
            oclnn_dtype_name(blob->desc.dtype));
    for (size_t i = 0; i < t->n_int32_data; i++) {
        int32_t v = t->int32_data[i];
        if (v < ranges[k].min || v > ranges[k].max)
            return onn_error(OCLNN_ERROR_FORMAT, "int32_data: %d is no %s", (int)v,
                oclnn_dtype_name(blob->desc.dtype));
        switch (oclnn_dtype_size(blob->desc.dtype)) {
        case 4: ((int32_t *)blob->data)[i] = v; break;
        case 2: ((uint16_t *)blob->data)[i] = (uint16_t)v; break;
        default: ((uint8_t *)blob->data)[i] = (uint8_t)v; break;
        }
    }
    return OCLNN_OK;
}

/* The typed lists. Exactly the one that belongs to the element type may be filled. */
static enum oclnn_status from_list(const Onnx__TensorProto *t, const struct onn_desc *desc, size_t elements,
    struct onn_blob **out)
{
    const void *data = NULL;
    size_t have = t->n_int32_data, lists = 0;
    const char *what = "int32_data";
    lists = (t->n_int32_data > 0) + (t->n_float_data > 0) + (t->n_int64_data > 0) + (t->n_double_data > 0) +
        (t->n_string_data > 0) + (t->n_uint64_data > 0);
    if (desc->dtype == OCLNN_F32) {
        data = t->float_data, have = t->n_float_data, what = "float_data";
    } else if (desc->dtype == OCLNN_I64) {
        data = t->int64_data, have = t->n_int64_data, what = "int64_data";
    } else if (desc->dtype == OCLNN_F64) {
        data = t->double_data, have = t->n_double_data, what = "double_data";
    }
    if (lists > 1 || (lists == 1 && !have))
        return onn_error(OCLNN_ERROR_FORMAT, "a tensor of %s has its data in another type's list",
            oclnn_dtype_name(desc->dtype));
    if (have != elements)
        return wrong_count(what, have, elements);
    enum oclnn_status status = onn_blob_create(desc, data, out);
    if (status == OCLNN_OK && !data && elements)
        status = from_i32(t, *out);
    return status;
}

enum oclnn_status onn_tensor_import(Onnx__TensorProto *t, struct onn_external *external,
    struct onn_blob **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_desc desc;
    size_t elements = 0, bytes = 0;
    void *read = NULL;
    *out = NULL;
    ONN_TRY(desc_of(t, &desc, &elements, &bytes));
    ONN_CHECK(!t->segment, OCLNN_ERROR_UNSUPPORTED, "tensors in segments are not supported");
    if (t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
        ONN_CHECK(!t->has_raw_data, OCLNN_ERROR_FORMAT, "both raw_data and external data");
        ONN_TRY(onn_external_read(external, t, bytes, &read));
        ONN_TRY(onn_blob_take(&desc, &read, out));
    } else if (t->has_raw_data) {
        if (t->raw_data.len != bytes)
            ONN_TRY(wrong_count("raw_data (bytes)", t->raw_data.len, bytes));
        ONN_CHECK(!t->n_float_data && !t->n_int32_data && !t->n_int64_data && !t->n_double_data,
            OCLNN_ERROR_FORMAT, "both raw_data and a typed list");
        read = t->raw_data.data; /* a block of our allocator (onn_wire_allocator), handed on without a copy */
        t->raw_data = (ProtobufCBinaryData){0};
        t->has_raw_data = 0;
        if (bytes)
            ONN_TRY(onn_blob_take(&desc, &read, out));
        else
            ONN_TRY(onn_blob_create(&desc, NULL, out));
    } else {
        ONN_TRY(from_list(t, &desc, elements, out));
    }
    if (desc.dtype == OCLNN_BOOL) /* any byte but 0 counts as true; kernels rely on 0 and 1 */
        for (size_t i = 0; i < elements; i++)
            ((uint8_t *)(*out)->data)[i] = ((uint8_t *)(*out)->data)[i] != 0;
fail:
    onn_free(read);
    if (status != OCLNN_OK)
        onn_blob_unref(out);
    return status;
}
