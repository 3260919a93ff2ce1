/* Softmax and LogSoftmax over the middle of [outer][len][inner], contiguous: y = exp(x - max) / sum, or its logarithm.
 *
 * softmax_ref    one item per (outer, inner); any element type. Global {outer * inner}.
 * softmax_rows   inner = 1, vector CPUs: an item takes rows_per rows. Local 1.
 * softmax_cols   inner >= VL, vector CPUs: an item takes VL adjacent columns. Global {ceil(inner / VL), outer}, local 1.
 * softmax_group  inner = 1, GPUs: a work-group of SMX_WG items per row.
 * Arguments      log: 1 = LogSoftmax. Defines: ONN_DT, VL, SMX_WG (128).
 * The maximum is subtracted first, so nothing overflows; NaN makes its row NaN. x may lie on y, but for softmax_cols.
 */
#include "lib/vec.h"
#include "lib/any.h"

#ifndef SMX_WG
#define SMX_WG 128
#endif
#define SMX_MAX(a, b) ((((a) > (b)) | ((a) != (a))) ? (a) : (b))

kernel void softmax_ref(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const int rows, const int len, const int inner,
                        const int want_log)
{
    const int r = (int)get_global_id(0);
    if (r >= rows)
        return;
    const long at = (long)(r / inner) * len * inner + r % inner;
    global const ANY_T *x = ONN_PTR(x) + at;
    global ANY_T *y = ONN_PTR(y) + at;
    ANY_F most = -INFINITY, sum = 0;
    for (int i = 0; i < len; i++) {
        const ANY_F v = (ANY_F)ANY_GET(x, (long)i * inner);
        most = SMX_MAX(most, v);
    }
    for (int i = 0; i < len;) {
        ANY_F part = 0;
        for (const int end = min(i + 256, len); i < end; i++)
            part += exp((ANY_F)ANY_GET(x, (long)i * inner) - most);
        sum += part;
    }
    const ANY_F shift = want_log ? log(sum) : 1 / sum;
    for (int i = 0; i < len; i++) {
        const ANY_F v = (ANY_F)ANY_GET(x, (long)i * inner) - most;
        ANY_SET(y, (long)i * inner, want_log ? v - shift : exp(v) * shift);
    }
}

#if ONN_DT == 1 || ONN_DT == 7
static inline void softmax_row(global const ANY_T *x, global ANY_T *y, const int len, const int want_log)
{
    float lane[VL], most = -INFINITY, sum = 0;
    ONN_V top = (ONN_V)(-INFINITY), total = (ONN_V)(0.0f);
    int i = 0;
    for (; i + VL <= len; i += VL) {
        const ONN_V v = ANY_VLOAD(x + i);
        top = SMX_MAX(top, v);
    }
    ONN_STORE(top, lane);
    for (int k = 0; k < VL; k++)
        most = SMX_MAX(most, lane[k]);
    for (; i < len; i++) {
        const float v = ANY_GET(x, i);
        most = SMX_MAX(most, v);
    }
    for (i = 0; i + VL <= len;) {
        ONN_V part = (ONN_V)(0.0f);
        for (const int end = min(i + 64 * VL, len); i + VL <= end; i += VL)
            part += onn_exp(ANY_VLOAD(x + i) - (ONN_V)(most));
        total += part;
    }
    for (; i < len; i++)
        sum += exp((float)ANY_GET(x, i) - most);
    ONN_STORE(total, lane);
    for (int k = 0; k < VL; k++)
        sum += lane[k];
    const float shift = want_log ? log(sum) : 1.0f / sum;
    if (want_log) {
        for (i = 0; i + VL <= len; i += VL)
            ANY_VSTORE(ANY_VLOAD(x + i) - (ONN_V)(most) - (ONN_V)(shift), y + i);
        for (; i < len; i++)
            ANY_SET(y, i, (float)ANY_GET(x, i) - most - shift);
    } else {
        for (i = 0; i + VL <= len; i += VL)
            ANY_VSTORE(onn_exp(ANY_VLOAD(x + i) - (ONN_V)(most)) * (ONN_V)(shift), y + i);
        for (; i < len; i++)
            ANY_SET(y, i, exp((float)ANY_GET(x, i) - most) * shift);
    }
}

kernel void softmax_rows(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const int rows, const int len, const int rows_per,
                         const int want_log)
{
    const int r0 = (int)get_global_id(0) * rows_per, r1 = min(rows, r0 + rows_per);
    for (int r = r0; r < r1; r++)
        softmax_row(ONN_PTR(x) + (long)r * len, ONN_PTR(y) + (long)r * len, len, want_log);
}

/* The last vector of a row starts so early that it is whole: its first columns are computed twice, with equal results.
 * In place the second one would read results of the first. */
kernel void softmax_cols(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const int len, const int inner, const int want_log)
{
    const int c = min((int)get_global_id(0) * VL, inner - VL);
    const long at = (long)get_global_id(1) * len * inner + c;
    global const ANY_T *x = ONN_PTR(x) + at;
    global ANY_T *y = ONN_PTR(y) + at;
    ONN_V top = (ONN_V)(-INFINITY), sum = (ONN_V)(0.0f);
    for (int i = 0; i < len; i++) {
        const ONN_V v = ANY_VLOAD(x + (long)i * inner);
        top = SMX_MAX(top, v);
    }
    for (int i = 0; i < len;) {
        ONN_V part = (ONN_V)(0.0f);
        for (const int end = min(i + 256, len); i < end; i++)
            part += onn_exp(ANY_VLOAD(x + (long)i * inner) - top);
        sum += part;
    }
    const ONN_V shift = want_log ? log(sum) : (ONN_V)(1.0f) / sum;
    for (int i = 0; i < len; i++) {
        const ONN_V v = ANY_VLOAD(x + (long)i * inner) - top;
        ANY_VSTORE(want_log ? v - shift : onn_exp(v) * shift, y + (long)i * inner);
    }
}
#endif

kernel void softmax_group(ONN_IN(ANY_T, x), ONN_OUT(ANY_T, y), const int len, const int want_log)
{
    local float part[SMX_WG];
    const int me = (int)get_local_id(0);
    const long at = (long)get_group_id(0) * len;
    global const ANY_T *x = ONN_PTR(x) + at;
    global ANY_T *y = ONN_PTR(y) + at;
    float most = -INFINITY, sum = 0;
    for (int i = me; i < len; i += SMX_WG) {
        const float v = (float)ANY_GET(x, i);
        most = SMX_MAX(most, v);
    }
    part[me] = most;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = SMX_WG / 2; n > 0; n /= 2) {
        if (me < n)
            part[me] = SMX_MAX(part[me], part[me + n]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    most = part[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = me; i < len; i += SMX_WG)
        sum += exp((float)ANY_GET(x, i) - most);
    part[me] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = SMX_WG / 2; n > 0; n /= 2) {
        if (me < n)
            part[me] += part[me + n];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const float shift = want_log ? log(part[0]) : 1.0f / part[0];
    for (int i = me; i < len; i += SMX_WG) {
        const float v = (float)ANY_GET(x, i) - most;
        ANY_SET(y, i, want_log ? v - shift : exp(v) * shift);
    }
}
