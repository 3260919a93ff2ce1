/* Softmax cross-entropy and negative log-likelihood, and their gradients (lib/ops/cross_entropy.h has the formula).
 *
 * ce_rows    one position per item: loss and label weight to part[2 * row], lse. Global {rows}.
 * ce_group   the same, GPUs: a work-group of CE_WG per position, classes side by side (inner 1). Global {CE_WG * rows}.
 * ce_parts   adds CE_CHUNK of these pairs: items every CE_WG-th of them, the items a tree. Groups of CE_WG, global
 *            {CE_WG * ceil(count / CE_CHUNK)}.
 * ce_total   one group of CE_WG adds what is left in the same way, and divides.
 * ce_dx      one position per item: dx of all its classes. Global {rows}.
 * ce_dx_each GPUs: one element of dx per item; no smoothing with class weights. Global {rows * classes}.
 * Layout     x [n][classes][inner], labels and lse [n][inner], all plain.
 * Defines    ONN_DT (lib/any.h: f32, f16), CE_LABEL int or long, CE_WG (64), a power of two: local memory is 8 * CE_WG.
 * Rounding   fp32; exponentials are taken against the row's largest logit, so none overflows.
 */
#include "lib/any.h"
#include "lib/types.h"

#ifndef CE_LABEL
#define CE_LABEL long
#endif
#ifndef CE_WG
#define CE_WG 64
#endif
#define CE_CHUNK 4096

struct ce_args {
    int rows, inner, classes, has_weights, nll, sum, has_lse, has_total;
    long ignore;
    float smoothing, pad;
};

kernel void ce_rows(ONN_IN(ANY_T, x), ONN_IN(CE_LABEL, labels), ONN_IN(ANY_T, weights), ONN_OUT(ANY_T, lse),
                    ONN_OUT(float, part), const struct ce_args a)
{
    const int row = get_global_id(0);
    if (row >= a.rows)
        return;
    global const ANY_T *x = ONN_PTR(x) + (long)(row / a.inner) * a.classes * a.inner + row % a.inner;
    const long label = ONN_PTR(labels)[row];
    float most = -INFINITY, sum = 0.0f, log_sum = 0.0f;
    if (!a.nll) {
        for (int c = 0; c < a.classes; c++) {
            const float v = (float)ANY_GET(x, (long)c * a.inner);
            most = ((most > v) | (most != most)) ? most : v;
        }
        const float shift = isinf(most) ? 0.0f : most;
        for (int c = 0; c < a.classes; c++)
            sum += exp((float)ANY_GET(x, (long)c * a.inner) - shift);
        log_sum = shift + log(sum);
    }
    if (a.has_lse)
        ANY_SET(ONN_PTR(lse), row, log_sum);
    float loss = 0.0f, weight = 0.0f;
    if (label != a.ignore) {
        const int inside = label >= 0 && label < a.classes;
        const int at = inside ? (int)label : 0;
        weight = a.has_weights ? (float)ANY_GET(ONN_PTR(weights), at) : 1.0f;
        loss = inside ? weight * (log_sum - (float)ANY_GET(x, (long)at * a.inner)) : NAN;
        if (a.smoothing > 0.0f) {
            float even = 0.0f;
            for (int c = 0; c < a.classes; c++)
                even += (a.has_weights ? (float)ANY_GET(ONN_PTR(weights), c) : 1.0f) *
                        (log_sum - (float)ANY_GET(x, (long)c * a.inner));
            loss = (1.0f - a.smoothing) * loss + a.smoothing / (float)a.classes * even;
        }
    }
    ONN_PTR(part)[2 * row] = loss;
    ONN_PTR(part)[2 * row + 1] = weight;
}

/* Every item gets the largest (the sum) of what all have. */
ONN_INLINE float ce_all(const float own, const int largest, const int me, local float *all)
{
    barrier(CLK_LOCAL_MEM_FENCE); /* the last result has been read */
    all[me] = own;
    for (int n = CE_WG / 2; n > 0; n /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < n) {
            const float a = all[me], b = all[me + n];
            all[me] = !largest ? a + b : ((a > b) | (a != a)) ? a : b;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return all[0];
}

__attribute__((reqd_work_group_size(CE_WG, 1, 1))) kernel void
ce_group(ONN_IN(ANY_T, x), ONN_IN(CE_LABEL, labels), ONN_IN(ANY_T, weights), ONN_OUT(ANY_T, lse), ONN_OUT(float, part),
         const struct ce_args a)
{
    local float all[CE_WG];
    const int row = get_group_id(0), me = get_local_id(0), classes = a.nll ? 0 : a.classes;
    global const ANY_T *x = ONN_PTR(x) + (long)row * a.classes;
    const long label = ONN_PTR(labels)[row];
    float most = -INFINITY, sum = 0.0f, even = 0.0f;
    for (int c = me; c < classes; c += CE_WG) {
        const float v = (float)ANY_GET(x, c);
        most = ((most > v) | (most != most)) ? most : v;
    }
    most = ce_all(most, 1, me, all);
    const float shift = isinf(most) ? 0.0f : most;
    for (int c = me; c < classes; c += CE_WG)
        sum += exp((float)ANY_GET(x, c) - shift);
    sum = ce_all(sum, 0, me, all);
    const float log_sum = a.nll ? 0.0f : shift + log(sum);
    for (int c = me; a.smoothing > 0.0f && c < a.classes; c += CE_WG)
        even += (a.has_weights ? (float)ANY_GET(ONN_PTR(weights), c) : 1.0f) * (log_sum - (float)ANY_GET(x, c));
    even = ce_all(even, 0, me, all);
    if (me != 0)
        return;
    if (a.has_lse)
        ANY_SET(ONN_PTR(lse), row, log_sum);
    const int used = label != a.ignore, inside = label >= 0 && label < a.classes, at = inside ? (int)label : 0;
    const float weight = !used ? 0.0f : a.has_weights ? (float)ANY_GET(ONN_PTR(weights), at) : 1.0f;
    float loss = !used ? 0.0f : inside ? weight * (log_sum - (float)ANY_GET(x, at)) : NAN;
    if (used && a.smoothing > 0.0f)
        loss = (1.0f - a.smoothing) * loss + a.smoothing / (float)a.classes * even;
    ONN_PTR(part)[2 * row] = loss;
    ONN_PTR(part)[2 * row + 1] = weight;
}

/* To the group's first item: the sum of pairs first … last - 1. */
ONN_INLINE float2 ce_sum(global const float *part, int first, int last, int me, local float2 *sums)
{
    float2 sum = (float2)(0.0f);
    for (int i = first + me; i < last; i += CE_WG)
        sum += vload2(i, part);
    sums[me] = sum;
    for (int n = CE_WG / 2; n > 0; n /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < n)
            sums[me] += sums[me + n];
    }
    return sums[me];
}

__attribute__((reqd_work_group_size(CE_WG, 1, 1))) kernel void ce_parts(ONN_IN(float, part), ONN_OUT(float, sum),
                                                                        int count)
{
    local float2 sums[CE_WG];
    const int first = get_group_id(0) * CE_CHUNK;
    const float2 all = ce_sum(ONN_PTR(part), first, first + min(CE_CHUNK, count - first), get_local_id(0), sums);
    if (get_local_id(0) == 0)
        vstore2(all, get_group_id(0), ONN_PTR(sum));
}

__attribute__((reqd_work_group_size(CE_WG, 1, 1))) kernel void
ce_total(ONN_IN(float, part), ONN_OUT(ANY_T, loss), ONN_OUT(ANY_T, total), const struct ce_args a, int count)
{
    local float2 sums[CE_WG];
    const float2 all = ce_sum(ONN_PTR(part), 0, count, get_local_id(0), sums);
    const float sum = all.x, weight = a.sum ? 1.0f : all.y;
    if (get_local_id(0) != 0)
        return;
    ANY_SET(ONN_PTR(loss), 0, weight == 0.0f ? 0.0f : sum / weight); /* nothing counts: 0 */
    if (a.has_total)
        ANY_SET(ONN_PTR(total), 0, weight);
}

kernel void ce_dx(ONN_IN(ANY_T, dloss), ONN_IN(ANY_T, x), ONN_IN(CE_LABEL, labels), ONN_IN(ANY_T, lse),
                  ONN_IN(ANY_T, total), ONN_IN(ANY_T, weights), ONN_OUT(ANY_T, dx), const struct ce_args a)
{
    const int row = get_global_id(0);
    if (row >= a.rows)
        return;
    const long at = (long)(row / a.inner) * a.classes * a.inner + row % a.inner, label = ONN_PTR(labels)[row];
    global const ANY_T *x = ONN_PTR(x) + at;
    global ANY_T *dx = ONN_PTR(dx) + at;
    const int used = label != a.ignore, inside = label >= 0 && label < a.classes;
    const float total = (float)ANY_GET(ONN_PTR(total), 0);
    const float factor = used && total != 0.0f ? (float)ANY_GET(ONN_PTR(dloss), 0) / total : 0.0f;
    const float log_sum = (float)ANY_GET(ONN_PTR(lse), row), even = a.smoothing / (float)a.classes;
    const float hard = (1.0f - a.smoothing) *
                       (!inside ? NAN : a.has_weights ? (float)ANY_GET(ONN_PTR(weights), (int)label) : 1.0f);
    float weights = (float)a.classes; /* their sum */
    if (a.has_weights && even > 0.0f) {
        weights = 0.0f;
        for (int c = 0; c < a.classes; c++)
            weights += (float)ANY_GET(ONN_PTR(weights), c);
    }
    const float pull = hard + even * weights;
    for (int c = 0; c < a.classes; c++) {
        const float p = a.nll ? 0.0f : exp((float)ANY_GET(x, (long)c * a.inner) - log_sum);
        const float w = a.has_weights ? (float)ANY_GET(ONN_PTR(weights), c) : 1.0f;
        const float d = p * pull - even * w - (c == label ? hard : 0.0f);
        ANY_SET(dx, (long)c * a.inner, used ? factor * d : 0.0f);
    }
}

kernel void ce_dx_each(ONN_IN(ANY_T, dloss), ONN_IN(ANY_T, x), ONN_IN(CE_LABEL, labels), ONN_IN(ANY_T, lse),
                       ONN_IN(ANY_T, total), ONN_IN(ANY_T, weights), ONN_OUT(ANY_T, dx), const struct ce_args a)
{
    const int i = get_global_id(0), outer = i / a.inner, c = outer % a.classes;
    const int row = outer / a.classes * a.inner + i % a.inner;
    if (row >= a.rows)
        return;
    const long label = ONN_PTR(labels)[row];
    const int used = label != a.ignore, inside = label >= 0 && label < a.classes;
    const float total = (float)ANY_GET(ONN_PTR(total), 0);
    const float factor = used && total != 0.0f ? (float)ANY_GET(ONN_PTR(dloss), 0) / total : 0.0f;
    const float even = a.smoothing / (float)a.classes;
    const float hard = (1.0f - a.smoothing) *
                       (!inside ? NAN : a.has_weights ? (float)ANY_GET(ONN_PTR(weights), (int)label) : 1.0f);
    const float p = a.nll ? 0.0f : exp((float)ANY_GET(ONN_PTR(x), i) - (float)ANY_GET(ONN_PTR(lse), row));
    const float d = p * (hard + even * (float)a.classes) - even - (c == label ? hard : 0.0f);
    ANY_SET(ONN_PTR(dx), i, used ? factor * d : 0.0f);
}
