#include "io/npy.h"

#include "base/fs.h"
#include "io/onnx.h"
#include <oclnn/io.h>
#include <stdio.h>
#include <string.h>

static const char magic[6] = "\x93NUMPY";

/* numpy's type characters, and what they become. */
static const struct type {
    const char *code; /* without byte order */
    enum oclnn_dtype dtype;
    int size;
    bool is_signed;
} types[] = {
    {"f4", OCLNN_F32, 4, true},
    {"f2", OCLNN_F16, 2, true},
    {"f8", OCLNN_F64, 8, true},
    {"u1", OCLNN_U8, 1, false},
    {"i1", OCLNN_I8, 1, true},
    {"b1", OCLNN_BOOL, 1, false},
    {"i4", OCLNN_I32, 4, true},
    {"i8", OCLNN_I64, 8, true},
    {"i2", OCLNN_I32, 2, true},
    {"u2", OCLNN_I32, 2, false},
    {"u4", OCLNN_I64, 4, false},
    {"u8", OCLNN_I64, 8, false},
};

struct header {
    const struct type *type;
    bool big_endian, fortran;
    int rank;
    int64_t dim[ONN_MAX_RANK];
};

/* ---- the header: a Python dictionary with three known keys ---- */
struct reader {
    const char *at, *end;
};

static void skip_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

static bool take(struct reader *r, const char *word)
{
    skip_space(r);
    size_t length = strlen(word);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length))
        return false;
    r->at += length;
    return true;
}

static bool take_text(struct reader *r, char out[static 24])
{
    skip_space(r);
    if (r->at == r->end || (*r->at != '\'' && *r->at != '"'))
        return false;
    char quote = *r->at++;
    size_t n = 0;
    while (r->at < r->end && *r->at != quote && n < 23)
        out[n++] = *r->at++;
    out[n] = '\0';
    return r->at < r->end && *r->at++ == quote;
}

static bool take_number(struct reader *r, int64_t *out)
{
    skip_space(r);
    int64_t v = 0;
    const char *start = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
        if (!onn_mul_i64(v, 10, &v) || !onn_add_i64(v, *r->at - '0', &v))
            return false;
    *out = v;
    take(r, "L"); /* Python 2 */
    return r->at > start;
}

static enum oclnn_status bad_header(const char *what)
{
    return onn_error(OCLNN_ERROR_FORMAT, "npy: the header's %s cannot be understood", what);
}

static enum oclnn_status read_shape(struct reader *r, struct header *h)
{
    if (!take(r, "("))
        return bad_header("shape");
    while (!take(r, ")")) {
        if (h->rank == ONN_MAX_RANK)
            return onn_error(OCLNN_ERROR_UNSUPPORTED, "npy: more than %d dimensions", ONN_MAX_RANK);
        if (!take_number(r, &h->dim[h->rank++]))
            return bad_header("shape");
        if (!take(r, ",") && (r->at == r->end || *r->at != ')'))
            return bad_header("shape");
    }
    return OCLNN_OK;
}

static enum oclnn_status read_descr(struct reader *r, struct header *h)
{
    char text[24];
    skip_space(r);
    if (r->at < r->end && *r->at == '[')
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "npy: structured types are not supported");
    if (!take_text(r, text))
        return bad_header("descr");
    const char *code = strchr("<>|=", *text) && *text ? text + 1 : text;
    h->big_endian = *text == '>';
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].code, code))
            h->type = &types[i];
    return h->type ? OCLNN_OK
                   : onn_error(OCLNN_ERROR_UNSUPPORTED, "npy: element type '%s' is not supported", text);
}

static enum oclnn_status read_dict(const char *text, size_t length, struct header *h)
{
    enum oclnn_status status = OCLNN_OK;
    struct reader r = {text, text + length};
    unsigned seen = 0;
    char key[24];
    ONN_CHECK(take(&r, "{"), OCLNN_ERROR_FORMAT, "npy: the header is no dictionary");
    while (!take(&r, "}")) {
        unsigned bit = 0;
        ONN_CHECK(take_text(&r, key) && take(&r, ":"), OCLNN_ERROR_FORMAT,
            "npy: the header is no dictionary");
        if (!strcmp(key, "descr")) {
            bit = 1;
            ONN_TRY(read_descr(&r, h));
        } else if (!strcmp(key, "fortran_order")) {
            bit = 2;
            h->fortran = take(&r, "True");
            ONN_CHECK(h->fortran || take(&r, "False"), OCLNN_ERROR_FORMAT,
                "npy: fortran_order is no truth value");
        } else if (!strcmp(key, "shape")) {
            bit = 4;
            ONN_CHECK(!(seen & 4), OCLNN_ERROR_FORMAT, "npy: two shapes");
            ONN_TRY(read_shape(&r, h));
        }
        ONN_CHECK(bit, OCLNN_ERROR_FORMAT, "npy: the header has an unknown key");
        seen |= bit;
        take(&r, ",");
    }
    ONN_CHECK(seen == 7, OCLNN_ERROR_FORMAT, "npy: the header lacks descr, fortran_order or shape");
fail:
    return status;
}

static enum oclnn_status read_header(const uint8_t *bytes, size_t size, struct header *h, size_t *data)
{
    size_t length, start;
    if (size < 10 || memcmp(bytes, magic, sizeof magic))
        return onn_error(OCLNN_ERROR_FORMAT, "npy: no numpy array");
    if (bytes[6] == 1) {
        length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
        start = 10;
    } else if ((bytes[6] == 2 || bytes[6] == 3) && size >= 12) {
        length = (size_t)bytes[8] | (size_t)bytes[9] << 8 | (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
        start = 12;
    } else {
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "npy: version %d is not supported", bytes[6]);
    }
    if (length > size - start)
        return onn_error(OCLNN_ERROR_FORMAT, "npy: the header runs over the end");
    *data = start + length;
    return read_dict((const char *)bytes + start, length, h);
}

/* ---- elements ---- */
static uint64_t load_bits(const uint8_t *at, int size, bool big_endian)
{
    uint64_t v = 0;
    for (int i = 0; i < size; i++)
        v |= (uint64_t)at[big_endian ? size - 1 - i : i] << (8 * i);
    return v;
}

static enum oclnn_status store(const struct header *h, uint64_t bits, void *to, int64_t i)
{
    switch (oclnn_dtype_size(h->type->dtype)) {
    case 1: ((uint8_t *)to)[i] = h->type->dtype == OCLNN_BOOL ? bits != 0 : (uint8_t)bits; break;
    case 2: ((uint16_t *)to)[i] = (uint16_t)bits; break;
    case 4:
        ((uint32_t *)to)[i] =
            h->type->size == 2 && h->type->is_signed ? (uint32_t)(int16_t)bits : (uint32_t)bits;
        break;
    default:
        if (h->type->size == 8 && !h->type->is_signed && bits > INT64_MAX)
            return onn_error(OCLNN_ERROR_FORMAT, "npy: a uint64 does not fit int64");
        ((uint64_t *)to)[i] = bits;
    }
    return OCLNN_OK;
}

/* Element by element: other byte orders, widened types, columns first. */
static enum oclnn_status convert(const struct header *h, const uint8_t *from, void *to, int64_t n)
{
    int64_t index[ONN_MAX_RANK] = {0}, step[ONN_MAX_RANK] = {0}, at = 0;
    for (int d = 0; d < h->rank; d++)
        step[d] = d ? step[d - 1] * h->dim[d - 1] : 1;
    for (int64_t i = 0; i < n; i++) {
        int64_t source = h->fortran ? at : i;
        uint64_t bits = load_bits(from + source * h->type->size, h->type->size, h->big_endian);
        enum oclnn_status status = store(h, bits, to, i);
        if (status != OCLNN_OK)
            return status;
        for (int d = h->rank - 1; h->fortran && d >= 0;
             d--) { /* the next index in rows, its place in columns */
            at += step[d];
            if (++index[d] < h->dim[d])
                break;
            at -= step[d] * h->dim[d];
            index[d] = 0;
        }
    }
    return OCLNN_OK;
}

enum oclnn_status onn_npy_decode(const void *bytes, size_t size, struct oclnn_tensor **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct header h = {0};
    size_t data = 0, elements = 1, need = 0;
    *out = NULL;
    ONN_TRY(read_header(bytes, size, &h, &data));
    for (int i = 0; i < h.rank; i++)
        ONN_CHECK(onn_mul_size(elements, (size_t)h.dim[i], &elements), OCLNN_ERROR_FORMAT,
            "npy: the shape's product is too big");
    ONN_CHECK(onn_mul_size(elements, (size_t)h.type->size, &need) && need == size - data, OCLNN_ERROR_FORMAT,
        "npy: %zu bytes of data, the shape needs %zu elements of %d", size - data, elements, h.type->size);
    struct onn_desc desc = onn_desc_make(h.type->dtype, h.rank, h.dim);
    const uint8_t *from = (const uint8_t *)bytes + data;
    bool same = !h.big_endian && !(h.fortran && h.rank > 1) && h.type->dtype != OCLNN_BOOL &&
        (size_t)h.type->size == oclnn_dtype_size(h.type->dtype) &&
        (h.type->is_signed || h.type->dtype == OCLNN_U8);
    ONN_TRY(onn_tensor_from_desc(&desc, same ? from : NULL, out));
    if (!same)
        ONN_TRY(convert(&h, from, (*out)->data, (int64_t)elements));
fail:
    if (status != OCLNN_OK)
        oclnn_tensor_destroy(out);
    return status;
}

/* ---- writing ---- */
size_t onn_npy_header(const struct onn_desc *desc, char out[static ONN_NPY_HEADER])
{
    const char *code = "f4";
    for (size_t i = sizeof types / sizeof *types; i-- > 0;)
        if (types[i].dtype == desc->dtype && (size_t)types[i].size == oclnn_dtype_size(desc->dtype) &&
            !(desc->dtype == OCLNN_I64 && !types[i].is_signed))
            code = types[i].code;
    int n = snprintf(out + 10, ONN_NPY_HEADER - 10, "{'descr': '%s%s', 'fortran_order': False, 'shape': (",
        code[1] == '1' ? "|" : "<", code);
    for (int i = 0; i < desc->rank; i++)
        n += snprintf(out + 10 + n, (size_t)(ONN_NPY_HEADER - 10 - n), "%s%lld%s", i ? " " : "",
            (long long)desc->dim[i], desc->rank == 1 || i < desc->rank - 1 ? "," : "");
    n += snprintf(out + 10 + n, (size_t)(ONN_NPY_HEADER - 10 - n), "), }");
    size_t total = ((size_t)n + 11 + 63) / 64 * 64; /* with the closing newline */
    memset(out + 10 + n, ' ', total - 10 - (size_t)n);
    out[total - 1] = '\n';
    memcpy(out, magic, sizeof magic);
    out[6] = 1;
    out[7] = 0;
    out[8] = (char)((total - 10) & 255);
    out[9] = (char)((total - 10) >> 8);
    return total;
}

enum oclnn_status onn_npy_encode(const struct oclnn_tensor *tensor, void **bytes, size_t *size)
{
    char header[ONN_NPY_HEADER];
    struct onn_desc desc = tensor->desc;
    if (desc.dtype == OCLNN_BF16)
        desc.dtype = OCLNN_F32;
    size_t length = onn_npy_header(&desc, header), data, total;
    int64_t elements = onn_desc_elements(&desc);
    *bytes = NULL;
    if (!onn_mul_size((size_t)elements, oclnn_dtype_size(desc.dtype), &data) ||
        !onn_add_size(data, length, &total))
        return onn_error(OCLNN_ERROR_MEMORY, "npy: the tensor is too big");
    char *block = onn_alloc(total);
    if (!block)
        return OCLNN_ERROR_MEMORY;
    memcpy(block, header, length);
    if (desc.dtype != tensor->desc.dtype)
        onn_convert(tensor->desc.dtype, tensor->data, desc.dtype, block + length, elements);
    else if (data)
        memcpy(block + length, tensor->data, data);
    *bytes = block;
    *size = total;
    return OCLNN_OK;
}

/* ---- the public calls ---- */
static enum oclnn_status load_pb(const char *path, oclnn_tensor **out)
{
    char name[128];
    struct onn_blob *blob = NULL;
    enum oclnn_status status = onn_tensor_pb_load(path, name, &blob);
    if (status == OCLNN_OK)
        status = onn_tensor_from_desc(&blob->desc, blob->data, out);
    onn_blob_unref(&blob);
    return status;
}

enum oclnn_status oclnn_tensor_load(const char *path, oclnn_tensor **out)
{
    enum oclnn_status status = OCLNN_OK;
    void *bytes = NULL;
    size_t size;
    ONN_CHECK(path && out, OCLNN_ERROR_ARGUMENT, "tensor load: path or out is NULL");
    *out = NULL;
    ONN_TRY(onn_fs_read(path, (size_t)1 << 46, &bytes, &size));
    if (size >= sizeof magic && !memcmp(bytes, magic, sizeof magic)) {
        status = onn_npy_decode(bytes, size, out);
        if (status != OCLNN_OK)
            onn_error_at(status, "%.300s", path);
    } else {
        onn_free(bytes);
        bytes = NULL;
        status = load_pb(path, out);
    }
fail:
    onn_free(bytes);
    return status;
}

enum oclnn_status oclnn_tensor_save(const char *path, const oclnn_tensor *tensor)
{
    void *bytes = NULL;
    size_t size;
    if (!path || !tensor)
        return onn_error(OCLNN_ERROR_ARGUMENT, "tensor save: path or tensor is NULL");
    enum oclnn_status status = onn_npy_encode(tensor, &bytes, &size);
    if (status == OCLNN_OK)
        status = onn_fs_write(path, bytes, size, false);
    onn_free(bytes);
    return status;
}
