/* Interoperation with a program's own OpenCL objects. The only public header that includes CL/cl.h. Tier 1. */
#ifndef OCLNN_OPENCL_H
#define OCLNN_OPENCL_H

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 300
#endif
#include <CL/cl.h>
#include <oclnn/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Creates a context around a program's own OpenCL objects, so that buffers are shared without a copy: see cl_mem in
 * struct oclnn_binding, OCLNN_IN_CL and OCLNN_OUT_CL (model.h).
 * @param context  must contain `device`; retained.
 * @param device  the device to run on.
 * @param queue  an in-order queue of that context and device, retained; NULL: the context makes its own.
 * @param params  as in oclnn_context_create, may be NULL; `devices` is ignored, `profiling` makes a second queue when
 *                the given one does not profile.
 * @param out  set to the new context; destroy it before the OpenCL objects are gone for good.
 * Errors: OCLNN_ERROR_ARGUMENT (NULL, or objects that do not belong together), OCLNN_ERROR_UNSUPPORTED (out-of-order
 * queue), OCLNN_ERROR_OPENCL, OCLNN_ERROR_MEMORY.
 */
OCLNN_API enum oclnn_status oclnn_context_create_from_cl(cl_context context, cl_device_id device,
    cl_command_queue queue, const struct oclnn_context_params *params, oclnn_context **out);

/**
 * Hands out a context's OpenCL objects; each pointer may be NULL. They are borrowed: retain what is kept longer than
 * the context. The queue is the one in use now; work put into it runs in order with the library's.
 * Errors: OCLNN_ERROR_ARGUMENT.
 */
OCLNN_API enum oclnn_status oclnn_context_get_cl(const oclnn_context *ctx, cl_context *context,
    cl_device_id *device, cl_command_queue *queue);

#ifdef __cplusplus
}
#endif
#endif
