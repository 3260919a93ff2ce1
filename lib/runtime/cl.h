/* OpenCL's header as this room uses it: names up to 3.0, calls up to 1.2 unless a probe allowed more. */
#ifndef ONN_RUNTIME_CL_H
#define ONN_RUNTIME_CL_H

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 300
#endif
#ifndef CL_USE_DEPRECATED_OPENCL_1_2_APIS
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS /* clCreateCommandQueue: the only one that 1.2 devices have */
#endif
#include "base/status.h"
#include <CL/cl.h>
#include <CL/cl_ext.h>

/* "CL_INVALID_VALUE"; "unknown code" for a number nobody has listed. */
const char *onn_cl_name(cl_int code);
/* The status that fits the code, with the sentence "clFoo failed: CL_BAR (-nn)". `call` is the source text of the
 * call; its first clXxx word is taken as the name. */
enum oclnn_status onn_cl_error(const char *call, cl_int code);

/* The third and last jumping macro: needs `status` and `fail:` like ONN_TRY. For calls that return their code
 * through a pointer: ONN_CL((x = clCreateFoo(..., &code), code)). */
#define ONN_CL(call) \
    do { \
        cl_int onn_cl_code = (call); \
        if (onn_cl_code != CL_SUCCESS) { \
            status = onn_cl_error(#call, onn_cl_code); \
            goto fail; \
        } \
    } while (0)

#endif
