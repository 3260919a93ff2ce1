/* CLBlast's GEMM on our queue. */
#include "runtime/internal.h"

#include <clblast_c.h>

enum oclnn_status onn_clblast_gemm(struct oclnn_context *ctx, const struct onn_gemm_call *call,
    const struct onn_buffer *a, int64_t a_offset, const struct onn_buffer *b, int64_t b_offset,
    struct onn_buffer *c, int64_t c_offset, struct onn_event **event)
{
    enum oclnn_status status;
    cl_command_queue queue;
    cl_event done = NULL;
    if (event)
        *event = NULL;
    ONN_CHECK(call->m > 0 && call->n > 0 && call->k > 0 && a_offset >= 0 && b_offset >= 0 && c_offset >= 0,
        OCLNN_ERROR_INTERNAL, "CLBlast: sizes %lld x %lld x %lld or a negative offset", (long long)call->m,
        (long long)call->n, (long long)call->k);
    ONN_TRY(onn_queue_get(ctx, &queue));
    atomic_store(&ctx->used_clblast, true);
    CLBlastStatusCode code =
        CLBlastSgemm(CLBlastLayoutRowMajor, call->a_transposed ? CLBlastTransposeYes : CLBlastTransposeNo,
            call->b_transposed ? CLBlastTransposeYes : CLBlastTransposeNo, (size_t)call->m, (size_t)call->n,
            (size_t)call->k, call->alpha, a->mem, (size_t)a_offset, (size_t)call->lda, b->mem,
            (size_t)b_offset, (size_t)call->ldb, call->beta, c->mem, (size_t)c_offset, (size_t)call->ldc,
            &queue, event ? &done : NULL);
    /* Its codes are OpenCL's, then its own from -1024 down. */
    if (code != CLBlastSuccess) {
        status = onn_cl_error("CLBlastSgemm", (cl_int)code);
        goto fail;
    }
    atomic_fetch_add_explicit(&ctx->launches, 1, memory_order_relaxed);
    if (event)
        *event = onn_event_from_cl(done);
    return OCLNN_OK;
fail:
    return onn_error_at(onn_queue_failed(ctx, status), "GEMM %lld x %lld x %lld", (long long)call->m,
        (long long)call->n, (long long)call->k);
}

void onn_clblast_forget(void)
{
    CLBlastClearCache();
}
