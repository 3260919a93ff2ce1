#include "common/compare.h"
#include "common/half.h"
#include "common/tool.h"
#include <math.h>
#include <string.h>

double tool_element(const oclnn_tensor *t, int64_t i)
{
    const void *data = oclnn_tensor_data(t);

    switch (oclnn_tensor_dtype(t)) {
    case OCLNN_F32: return (double)((const float *)data)[i];
    case OCLNN_F64: return ((const double *)data)[i];
    case OCLNN_F16: return tool_half_value(((const uint16_t *)data)[i]);
    case OCLNN_BF16: return tool_bf16_value(((const uint16_t *)data)[i]);
    case OCLNN_U8:
    case OCLNN_BOOL: return (double)((const uint8_t *)data)[i];
    case OCLNN_I8: return (double)((const int8_t *)data)[i];
    case OCLNN_I32: return (double)((const int32_t *)data)[i];
    case OCLNN_I64: return (double)((const int64_t *)data)[i];
    case OCLNN_NONE: break;
    }
    return NAN;
}

int64_t tool_elements(const oclnn_tensor *t)
{
    size_t size = oclnn_dtype_size(oclnn_tensor_dtype(t));

    return size ? (int64_t)(oclnn_tensor_bytes(t) / size) : 0;
}

static bool is_float(enum oclnn_dtype dtype)
{
    return dtype == OCLNN_F32 || dtype == OCLNN_F64 || dtype == OCLNN_F16 || dtype == OCLNN_BF16;
}

struct tool_difference tool_compare(const oclnn_tensor *got, const oclnn_tensor *want, double tolerance)
{
    struct tool_difference d = {.passes = true, .index = -1};
    struct oclnn_shape a = oclnn_tensor_shape(got), b = oclnn_tensor_shape(want);
    bool exact = !is_float(oclnn_tensor_dtype(want));
    int64_t n = tool_elements(want);
    double limit, worst = -1;

    d.is_same_shape = a.rank == b.rank && !memcmp(a.dim, b.dim, (size_t)b.rank * sizeof(b.dim[0]));
    if (!d.is_same_shape) {
        d.passes = false;
        return d;
    }
    for (int64_t i = 0; i < n; i++) {
        double w = fabs(tool_element(want, i));

        if (isfinite(w) && w > d.scale)
            d.scale = w;
    }
    limit = exact ? 0 : tolerance * d.scale + 1e-5;
    for (int64_t i = 0; i < n; i++) {
        double g = tool_element(got, i), w = tool_element(want, i), off;

        if (isfinite(g) && isfinite(w)) {
            off = fabs(g - w);
            if (off > d.max_abs)
                d.max_abs = off;
        } else {
            off = g == w || (isnan(g) && isnan(w)) ? 0 : INFINITY;
        }
        if (off > worst) {
            worst = off;
            d.index = i;
            d.got = g;
            d.want = w;
        }
        d.wrong += off > limit;
    }
    d.passes = d.wrong == 0;
    return d;
}

const char *tool_index_text(const oclnn_tensor *t, int64_t index, char text[static 200])
{
    struct oclnn_shape s = oclnn_tensor_shape(t);
    int64_t at[OCLNN_MAX_RANK] = {0};
    size_t used = 0;

    for (int i = s.rank - 1; i >= 0; i--) {
        at[i] = s.dim[i] > 0 ? index % s.dim[i] : 0;
        index = s.dim[i] > 0 ? index / s.dim[i] : 0;
    }
    used += (size_t)snprintf(text + used, 200 - used, "[");
    for (int i = 0; i < s.rank; i++)
        used += (size_t)snprintf(text + used, 200 - used, "%s%lld", i ? "," : "", (long long)at[i]);
    snprintf(text + used, 200 - used, "]");
    return text;
}
