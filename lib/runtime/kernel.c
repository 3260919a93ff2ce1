#include "runtime/internal.h"

enum oclnn_status onn_kernel_create(struct oclnn_context *ctx, struct onn_program *program, const char *name,
    struct onn_kernel **out)
{
    enum oclnn_status status = OCLNN_OK;
    cl_int code;
    *out = NULL;
    struct onn_kernel *k = onn_calloc(1, sizeof *k);
    if (!k)
        return OCLNN_ERROR_MEMORY;
    k->ctx = ctx;
    k->name = onn_strdup(name);
    if (!k->name) {
        status = OCLNN_ERROR_MEMORY;
        goto fail;
    }
    ONN_CL((k->cl = clCreateKernel(program->cl, name, &code), code));
    /* Some drivers refuse a launch without a local size of a kernel that requires one. */
    if (clGetKernelWorkGroupInfo(k->cl, ctx->device.id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE,
            sizeof k->required_local, k->required_local, NULL) != CL_SUCCESS)
        k->required_local[0] = 0;
    atomic_fetch_add(&ctx->kernels_created, 1);
    *out = k;
    return OCLNN_OK;
fail:
    onn_kernel_destroy(&k);
    return onn_error_at(onn_queue_failed(ctx, status), "kernel '%s' of program '%s'", name, program->name);
}

void onn_kernel_destroy(struct onn_kernel **kernel)
{
    if (!kernel || !*kernel)
        return;
    struct onn_kernel *k = *kernel;
    if (k->cl)
        clReleaseKernel(k->cl);
    onn_free(k->name);
    onn_free(k);
    *kernel = NULL;
}

static enum oclnn_status set_arg(struct onn_kernel *k, int index, size_t size, const void *value)
{
    enum oclnn_status status;
    ONN_CL(clSetKernelArg(k->cl, (cl_uint)index, size, value));
    return OCLNN_OK;
fail:
    return onn_error_at(onn_queue_failed(k->ctx, status), "kernel '%s', argument %d of %zu bytes", k->name,
        index, size);
}

enum oclnn_status onn_kernel_set_buffer(struct onn_kernel *k, int index, const struct onn_buffer *buffer)
{
    cl_mem mem = buffer ? buffer->mem : NULL;
    return set_arg(k, index, sizeof mem, &mem);
}

enum oclnn_status onn_kernel_set_bytes(struct onn_kernel *k, int index, size_t size, const void *value)
{
    return set_arg(k, index, size, value);
}

enum oclnn_status onn_kernel_set_local(struct onn_kernel *k, int index, size_t bytes)
{
    return set_arg(k, index, bytes, NULL);
}
