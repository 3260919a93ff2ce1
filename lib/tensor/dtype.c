#include "base/half.h"
#include "tensor/blob.h"
#include "tensor/desc.h"

#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
    int onnx;
} rows[] = {
#define ROW(id, name, bytes, onnx) {name, bytes, onnx},
    OCLNN_DTYPE_LIST(ROW)
#undef ROW
};
#define N_ROWS ((int)(sizeof rows / sizeof rows[0]))

const char *oclnn_dtype_name(enum oclnn_dtype dtype)
{
    return (int)dtype >= 0 && (int)dtype < N_ROWS ? rows[dtype].name : rows[0].name;
}

size_t oclnn_dtype_size(enum oclnn_dtype dtype)
{
    return (int)dtype >= 0 && (int)dtype < N_ROWS ? rows[dtype].bytes : 0;
}

enum oclnn_dtype onn_dtype_from_onnx(int number)
{
    for (int i = 1; i < N_ROWS; i++)
        if (rows[i].onnx == number)
            return (enum oclnn_dtype)i;
    return OCLNN_NONE;
}

int onn_dtype_to_onnx(enum oclnn_dtype dtype)
{
    return (int)dtype >= 0 && (int)dtype < N_ROWS ? rows[dtype].onnx : 0;
}

enum oclnn_dtype onn_dtype_from_name(const char *name, size_t length)
{
    for (int i = 1; i < N_ROWS; i++)
        if (strlen(rows[i].name) == length && !strncmp(rows[i].name, name, length))
            return (enum oclnn_dtype)i;
    return OCLNN_NONE;
}

bool onn_dtype_is_float(enum oclnn_dtype dtype)
{
    return dtype == OCLNN_F32 || dtype == OCLNN_F16 || dtype == OCLNN_F64 || dtype == OCLNN_BF16;
}

/* A cast of an out-of-range float to an integer is undefined in C: saturate, NaN gives 0. */
static int64_t to_i64(double v)
{
    if (v != v)
        return 0;
    if (v >= 0x1p63)
        return INT64_MAX;
    return v <= -0x1p63 ? INT64_MIN : (int64_t)v;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

double onn_load_f64(enum oclnn_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case OCLNN_F32: return ((const float *)data)[i];
    case OCLNN_F64: return ((const double *)data)[i];
    case OCLNN_F16: return onn_half_to_float(((const uint16_t *)data)[i]);
    case OCLNN_BF16: return onn_bf16_to_float(((const uint16_t *)data)[i]);
    case OCLNN_U8: return ((const uint8_t *)data)[i];
    case OCLNN_I8: return ((const int8_t *)data)[i];
    case OCLNN_I32: return ((const int32_t *)data)[i];
    case OCLNN_I64: return (double)((const int64_t *)data)[i];
    case OCLNN_BOOL: return ((const uint8_t *)data)[i] != 0;
    case OCLNN_NONE: break;
    }
    return 0;
}

int64_t onn_load_i64(enum oclnn_dtype dtype, const void *data, int64_t i)
{
    return dtype == OCLNN_I64 ? ((const int64_t *)data)[i] : to_i64(onn_load_f64(dtype, data, i));
}

void onn_store_f64(enum oclnn_dtype dtype, void *data, int64_t i, double v)
{
    switch (dtype) {
    case OCLNN_F32: ((float *)data)[i] = (float)v; break;
    case OCLNN_F64: ((double *)data)[i] = v; break;
    case OCLNN_F16: ((uint16_t *)data)[i] = onn_float_to_half((float)v); break;
    case OCLNN_BF16: ((uint16_t *)data)[i] = onn_float_to_bf16((float)v); break;
    case OCLNN_U8: ((uint8_t *)data)[i] = (uint8_t)clamp(to_i64(v), 0, UINT8_MAX); break;
    case OCLNN_I8: ((int8_t *)data)[i] = (int8_t)clamp(to_i64(v), INT8_MIN, INT8_MAX); break;
    case OCLNN_I32: ((int32_t *)data)[i] = (int32_t)clamp(to_i64(v), INT32_MIN, INT32_MAX); break;
    case OCLNN_I64: ((int64_t *)data)[i] = to_i64(v); break;
    case OCLNN_BOOL: ((uint8_t *)data)[i] = v != 0; break;
    case OCLNN_NONE: break;
    }
}

/* Integer to integer wraps as ONNX's Cast does; to a float it rounds once, straight from the integer. */
void onn_store_i64(enum oclnn_dtype dtype, void *data, int64_t i, int64_t v)
{
    switch (dtype) {
    case OCLNN_F32: ((float *)data)[i] = (float)v; break;
    case OCLNN_F64: ((double *)data)[i] = (double)v; break;
    case OCLNN_F16: ((uint16_t *)data)[i] = onn_float_to_half((float)v); break;
    case OCLNN_BF16: ((uint16_t *)data)[i] = onn_float_to_bf16((float)v); break;
    case OCLNN_U8: ((uint8_t *)data)[i] = (uint8_t)(uint64_t)v; break;
    case OCLNN_I8: ((int8_t *)data)[i] = (int8_t)(uint8_t)(uint64_t)v; break;
    case OCLNN_I32: ((int32_t *)data)[i] = (int32_t)(uint32_t)(uint64_t)v; break;
    case OCLNN_I64: ((int64_t *)data)[i] = v; break;
    case OCLNN_BOOL: ((uint8_t *)data)[i] = v != 0; break;
    case OCLNN_NONE: break;
    }
}

void onn_convert(enum oclnn_dtype from, const void *src, enum oclnn_dtype to, void *dst, int64_t n)
{
    if (n <= 0)
        return;
    if (from == to) {
        memmove(dst, src, (size_t)n * oclnn_dtype_size(from));
    } else if (from == OCLNN_F32 && to == OCLNN_F16) {
        for (int64_t i = 0; i < n; i++)
            ((uint16_t *)dst)[i] = onn_float_to_half(((const float *)src)[i]);
    } else if (from == OCLNN_F16 && to == OCLNN_F32) {
        for (int64_t i = 0; i < n; i++)
            ((float *)dst)[i] = onn_half_to_float(((const uint16_t *)src)[i]);
    } else if (onn_dtype_is_float(from)) {
        for (int64_t i = 0; i < n; i++)
            onn_store_f64(to, dst, i, onn_load_f64(from, src, i));
    } else {
        for (int64_t i = 0; i < n; i++)
            onn_store_i64(to, dst, i, onn_load_i64(from, src, i));
    }
}
