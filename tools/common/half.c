#include "common/half.h"
#include "common/tool.h"
#include <math.h>
#include <string.h>

double tool_half_value(uint16_t half)
{
    int exponent = half >> 10 & 31, mantissa = half & 1023;
    double v = exponent == 0 ? ldexp(mantissa, -24)
        : exponent == 31     ? (mantissa ? (double)NAN : (double)INFINITY)
                             : ldexp(1024 + mantissa, exponent - 25);

    return half & 0x8000 ? -v : v;
}

double tool_bf16_value(uint16_t bf16)
{
    uint32_t bits = (uint32_t)bf16 << 16;
    float f;

    memcpy(&f, &bits, sizeof(f));
    return (double)f;
}

uint16_t tool_half_bits(float value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double v = fabs((double)value), steps;
    int exponent;

    if (isnan(value))
        return 0x7e00;
    if (v >= 65520)
        return sign | 0x7c00;
    frexp(v, &exponent);
    if (exponent < -13)
        exponent = -13; /* below: subnormal, steps of 2^-24 */
    steps = nearbyint(ldexp(v, 11 - exponent));
    if (steps >= 2048) {
        steps /= 2;
        exponent++;
    }
    if (steps < 1024)
        return sign | (uint16_t)steps;
    return sign | (uint16_t)((exponent + 14) << 10 | ((int)steps - 1024));
}

uint16_t tool_bf16_bits(float value)
{
    uint32_t bits;

    if (isnan(value))
        return 0x7fc0;
    memcpy(&bits, &value, sizeof(bits));
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

int tool_to_float_type(oclnn_tensor **tensor, enum oclnn_dtype dtype)
{
    oclnn_tensor *to;
    const float *from = oclnn_tensor_data(*tensor);
    int64_t n = (int64_t)(oclnn_tensor_bytes(*tensor) / sizeof(*from));
    enum oclnn_status status;

    if (oclnn_tensor_dtype(*tensor) == dtype)
        return TOOL_OK;
    if (oclnn_tensor_dtype(*tensor) != OCLNN_F32 ||
        (dtype != OCLNN_F16 && dtype != OCLNN_BF16 && dtype != OCLNN_F64))
        return tool_error("cannot turn %s numbers into %s", oclnn_dtype_name(oclnn_tensor_dtype(*tensor)),
            oclnn_dtype_name(dtype));
    status = oclnn_tensor_create(dtype, oclnn_tensor_shape(*tensor), NULL, &to);
    if (status != OCLNN_OK)
        return tool_fail(status, "input");
    for (int64_t i = 0; i < n; i++) {
        if (dtype == OCLNN_F16)
            ((uint16_t *)oclnn_tensor_data(to))[i] = tool_half_bits(from[i]);
        else if (dtype == OCLNN_BF16)
            ((uint16_t *)oclnn_tensor_data(to))[i] = tool_bf16_bits(from[i]);
        else
            ((double *)oclnn_tensor_data(to))[i] = (double)from[i];
    }
    oclnn_tensor_destroy(tensor);
    *tensor = to;
    return TOOL_OK;
}
