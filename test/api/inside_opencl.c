/* Program 5: a network between two kernels of a program's own, on its context, queue and buffers. Nothing waits in between,
 * and what comes out is what the same network gives on host arrays. */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS /* clCreateCommandQueue: every device has it */
#include <oclnn/opencl.h>
#include <oclnn/oclnn.h>
#include <stdio.h>
#include <string.h>

enum { SKIP = 77, PIXELS = 28 * 28, CLASSES = 10, FRAMES = 5 };

static const char
    *const source = /* a camera's bytes to pixels; scores to a number that the rest of the program takes */
    "kernel void pixels(global const uchar *raw, global float *image)\n"
    "{ size_t i = get_global_id(0); image[i] = raw[i] / 255.0f; }\n"
    "kernel void scale(global const float *scores, global float *result)\n"
    "{ size_t i = get_global_id(0); result[i] = 2.0f * scores[i] + 1.0f; }\n";

struct pipeline {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    cl_program program;
    cl_kernel pixels, scale;
    cl_mem raw, image, scores, result;
};

static cl_device_id find_device(void)
{
    cl_platform_id platform[16];
    cl_device_id device = NULL;
    cl_uint n = 0;
    if (clGetPlatformIDs(16, platform, &n) != CL_SUCCESS)
        return NULL;
    for (cl_uint i = 0; i < n && i < 16 && !device; i++)
        if (clGetDeviceIDs(platform[i], CL_DEVICE_TYPE_DEFAULT, 1, &device, NULL) != CL_SUCCESS)
            device = NULL;
    return device;
}

static cl_mem buffer(struct pipeline *p, size_t bytes)
{
    return clCreateBuffer(p->context, CL_MEM_READ_WRITE, bytes, NULL, NULL);
}

static int open_pipeline(struct pipeline *p)
{
    p->context = clCreateContext(NULL, 1, &p->device, NULL, NULL, NULL);
    p->queue = p->context ? clCreateCommandQueue(p->context, p->device, 0, NULL) : NULL;
    p->program =
        p->queue ? clCreateProgramWithSource(p->context, 1, (const char **)&source, NULL, NULL) : NULL;
    if (!p->program || clBuildProgram(p->program, 1, &p->device, "", NULL, NULL) != CL_SUCCESS)
        return 1;
    p->pixels = clCreateKernel(p->program, "pixels", NULL);
    p->scale = clCreateKernel(p->program, "scale", NULL);
    p->raw = buffer(p, PIXELS);
    p->image = buffer(p, PIXELS * sizeof(float));
    p->scores = buffer(p, CLASSES * sizeof(float));
    p->result = buffer(p, CLASSES * sizeof(float));
    return !p->pixels || !p->scale || !p->raw || !p->image || !p->scores || !p->result ||
        clSetKernelArg(p->pixels, 0, sizeof(cl_mem), &p->raw) ||
        clSetKernelArg(p->pixels, 1, sizeof(cl_mem), &p->image) ||
        clSetKernelArg(p->scale, 0, sizeof(cl_mem), &p->scores) ||
        clSetKernelArg(p->scale, 1, sizeof(cl_mem), &p->result);
}

static void close_pipeline(struct pipeline *p)
{
    cl_mem buffers[] = {p->raw, p->image, p->scores, p->result};
    for (int i = 0; i < 4; i++)
        if (buffers[i])
            clReleaseMemObject(buffers[i]);
    if (p->pixels)
        clReleaseKernel(p->pixels);
    if (p->scale)
        clReleaseKernel(p->scale);
    if (p->program)
        clReleaseProgram(p->program);
    if (p->queue)
        clReleaseCommandQueue(p->queue);
    if (p->context)
        clReleaseContext(p->context);
}

static int frames(struct pipeline *p, oclnn_model *net)
{
    static unsigned char raw[FRAMES][PIXELS];
    static float image[PIXELS], want[CLASSES], got[FRAMES][CLASSES];
    const size_t pixels = PIXELS, classes = CLASSES;
    for (int f = 0; f < FRAMES; f++)
        for (int i = 0; i < PIXELS; i++)
            raw[f][i] = (unsigned char)((f + 1) * (i + 3) % 251);
    for (int f = 0; f < FRAMES; f++) /* one queue, and no wait but the last read's */
        if (clEnqueueWriteBuffer(p->queue, p->raw, CL_FALSE, 0, PIXELS, raw[f], 0, NULL, NULL) ||
            clEnqueueNDRangeKernel(p->queue, p->pixels, 1, NULL, &pixels, NULL, 0, NULL, NULL) ||
            oclnn_model_run(net, OCLNN_IN_CL(p->image), OCLNN_OUT_CL(p->scores)) ||
            clEnqueueNDRangeKernel(p->queue, p->scale, 1, NULL, &classes, NULL, 0, NULL, NULL) ||
            clEnqueueReadBuffer(p->queue, p->result, f == FRAMES - 1, 0, sizeof got[f], got[f], 0, NULL,
                NULL))
            return 1;
    for (int f = 0; f < FRAMES; f++) {
        for (int i = 0; i < PIXELS; i++)
            image[i] = (float)raw[f][i] / 255.0f;
        if (oclnn_model_run(net, OCLNN_IN(image), OCLNN_OUT(want)))
            return 1;
        for (int i = 0; i < CLASSES; i++) {
            const float d = got[f][i] - (2.0f * want[i] + 1.0f);
            if (!(d < 1e-4f && d > -1e-4f)) { /* the driver's division rounds as it likes */
                fprintf(stderr, "frame %d, class %d: %g, from host arrays %g\n", f, i, (double)got[f][i],
                    (double)(2.0f * want[i] + 1.0f));
                return 1;
            }
        }
    }
    return 0;
}

int main(void)
{
    struct pipeline p;
    oclnn_context *ctx = NULL;
    oclnn_graph *g = NULL;
    oclnn_model *net = NULL;
    memset(&p, 0, sizeof p);
    p.device = find_device();
    if (!p.device)
        return SKIP;
    int failed = open_pipeline(&p);
    if (failed)
        fprintf(stderr, "the program's own OpenCL does not work\n");
    failed = failed || oclnn_context_create_from_cl(p.context, p.device, p.queue, NULL, &ctx) ||
        oclnn_graph_create(NULL, &g) ||
        oclnn_zoo_build("lenet5", g, &(struct oclnn_zoo_params){.batch = 1}) ||
        oclnn_model_create(ctx, &g, NULL, &net) || frames(&p, net);
    if (failed)
        fprintf(stderr, "%s\n", oclnn_error_text(ctx));
    oclnn_model_destroy(&net);
    oclnn_graph_destroy(&g);
    oclnn_context_destroy(&ctx);
    close_pipeline(&p);
    return failed;
}
