/* Matrix product, one output element per work-item: any strides, any batch.
 *
 * Arguments  a, b, c, r, y: tensors of ONN_T described by struct gemm_args (lib/gemm.h); c and r may be any tensor
 *            where has_c, has_r are 0.
 * Defines    ONN_F16 or ONN_F64, ONN_EPI_KIND optional (lib/elem.h).
 * Work       global size { n, m, batches } or more, any local size.
 * Rounding   one fp32 sum over k in ascending order.
 * Source     the definition in the ONNX operators Gemm and MatMul.
 */
#include "lib/types.h"
#include "lib/elem.h"
#include "lib/gemm.h"

kernel void gemm_reference(ONN_IN(ONN_T, a), ONN_IN(ONN_T, b), ONN_IN(ONN_T, c), ONN_IN(ONN_T, r), ONN_OUT(ONN_T, y),
                           const struct gemm_args g)
{
    const int n = get_global_id(0), m = get_global_id(1);
    if (n >= g.n || m >= g.m)
        return;
    const struct gemm_offset o = gemm_batch(&g, get_global_id(2));
    global const ONN_T *ap = ONN_PTR(a) + o.a + m * g.a_m, *bp = ONN_PTR(b) + o.b + n * g.b_n;
    ONN_A sum = 0;
    for (int k = 0; k < g.k; k++)
        sum = fma(ONN_GET(ap, k * g.a_k), ONN_GET(bp, k * g.b_k), sum);
    sum *= g.alpha;
    if (g.has_c)
        sum = fma((ONN_A)g.beta, ONN_GET(ONN_PTR(c), o.c + m * g.c_m + n * g.c_n), sum);
    if (g.has_r)
        sum += ONN_GET(ONN_PTR(r), o.r + m * g.r_m + n * g.r_n);
    ONN_SET(ONN_PTR(y), o.y + m * g.y_m + n * g.y_n, ONN_FINISH(onn_elem_clip(sum, g.lo, g.hi), g.act_a, g.act_b));
}
