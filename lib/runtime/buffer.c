#include "runtime/internal.h"

#define SHARE_FROM ((size_t)4096) /* copying less costs less than a driver's bookkeeping */
#define OWN_FROM ((size_t)2 << 20) /* buffers from here on lie in memory of ours: huge pages */

static void CL_CALLBACK free_block(cl_mem mem, void *block)
{
    (void)mem;
    onn_free(block);
}

/* A cl_mem over a block of ours that frees it when its last user is done; NULL: not here. */
static cl_mem over(struct oclnn_context *ctx, void *block, size_t bytes)
{
    cl_int code;
    if (!ctx->caps.host_memory || !onn_is_line_aligned(block) ||
        (ctx->caps.max_alloc && bytes > ctx->caps.max_alloc))
        return NULL;
    cl_mem mem = clCreateBuffer(ctx->cl, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, block, &code);
    if (code != CL_SUCCESS)
        return NULL;
    if (clSetMemObjectDestructorCallback(mem, free_block, block) != CL_SUCCESS) {
        clReleaseMemObject(mem);
        return NULL;
    }
    return mem;
}

bool onn_buffer_share(struct oclnn_context *ctx, void *block, size_t bytes, struct onn_buffer **out)
{
    *out = NULL;
    if (!block || bytes < SHARE_FROM)
        return false;
    struct onn_buffer *b = onn_calloc(1, sizeof *b);
    if (!b)
        return false;
    *b = (struct onn_buffer){.ctx = ctx, .mem = over(ctx, block, bytes), .bytes = bytes, .host = block};
    if (!b->mem) {
        onn_free(b);
        return false;
    }
    atomic_fetch_add(&ctx->buffers_created, 1);
    *out = b;
    return true;
}

/* Over memory of ours: our allocator asks for huge pages, drivers do not, and the host may look inside. */
static cl_mem create_own(struct oclnn_context *ctx, size_t bytes, void **host)
{
    /* smaller blocks do not begin on a line */
    void *block = ctx->caps.host_memory ? onn_alloc(bytes < SHARE_FROM ? SHARE_FROM : bytes) : NULL;
    cl_mem mem = block ? over(ctx, block, bytes) : NULL;
    if (!mem)
        onn_free(block);
    *host = mem ? block : NULL;
    return mem;
}

static enum oclnn_status create(struct oclnn_context *ctx, size_t bytes, size_t own_from,
    struct onn_buffer **out)
{
    enum oclnn_status status = OCLNN_OK;
    cl_int code;
    *out = NULL;
    struct onn_buffer *b = onn_calloc(1, sizeof *b);
    if (!b)
        return OCLNN_ERROR_MEMORY;
    b->ctx = ctx;
    b->bytes = bytes;
    ONN_CHECK(!ctx->caps.max_alloc || bytes <= ctx->caps.max_alloc, OCLNN_ERROR_DEVICE_MEMORY,
        "buffer of %zu bytes: device '%s' allows %zu in one piece", bytes, ctx->caps.name,
        ctx->caps.max_alloc);
    if (bytes && bytes >= own_from)
        b->mem = create_own(ctx, bytes, &b->host);
    /* On shared memory the driver then places it where host and device both reach it without a copy. */
    cl_mem_flags flags = CL_MEM_READ_WRITE | (ctx->caps.unified ? CL_MEM_ALLOC_HOST_PTR : 0);
    if (!b->mem)
        ONN_CL((b->mem = clCreateBuffer(ctx->cl, flags, bytes ? bytes : 1, NULL, &code), code));
    atomic_fetch_add(&ctx->buffers_created, 1);
    *out = b;
    return OCLNN_OK;
fail:
    onn_free(b);
    return onn_error_at(onn_queue_failed(ctx, status), "buffer of %zu bytes", bytes);
}

enum oclnn_status onn_buffer_create(struct oclnn_context *ctx, size_t bytes, struct onn_buffer **out)
{
    return create(ctx, bytes, OWN_FROM, out);
}

enum oclnn_status onn_buffer_create_open(struct oclnn_context *ctx, size_t bytes, struct onn_buffer **out)
{
    return create(ctx, bytes, 0, out);
}

void *onn_buffer_host(const struct onn_buffer *buffer)
{
    return buffer->host;
}

enum oclnn_status onn_buffer_wrap_none(struct oclnn_context *ctx, struct onn_buffer **out)
{
    *out = onn_calloc(1, sizeof **out);
    if (!*out)
        return OCLNN_ERROR_MEMORY;
    (*out)->ctx = ctx;
    return OCLNN_OK;
}

enum oclnn_status onn_cl_mem_bytes(void *cl_mem_handle, size_t *bytes)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_CL(clGetMemObjectInfo(cl_mem_handle, CL_MEM_SIZE, sizeof *bytes, bytes, NULL));
fail:
    return status;
}

/* What OpenCL says about a program's own memory object, asked once per binding. */
static enum oclnn_status describe(struct onn_buffer *b, cl_mem mem)
{
    enum oclnn_status status = OCLNN_OK;
    cl_context owner = NULL;
    cl_mem_object_type type = 0;
    ONN_CL(clGetMemObjectInfo(mem, CL_MEM_CONTEXT, sizeof owner, &owner, NULL));
    ONN_CHECK(owner == b->ctx->cl, OCLNN_ERROR_ARGUMENT, "the cl_mem belongs to another cl_context");
    ONN_CL(clGetMemObjectInfo(mem, CL_MEM_TYPE, sizeof type, &type, NULL));
    ONN_CHECK(type == CL_MEM_OBJECT_BUFFER, OCLNN_ERROR_ARGUMENT,
        "the cl_mem is not a buffer (an image, a pipe)");
    ONN_CL(clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof b->bytes, &b->bytes, NULL));
    ONN_CL(clGetMemObjectInfo(mem, CL_MEM_FLAGS, sizeof b->flags, &b->flags, NULL));
    ONN_CL(clGetMemObjectInfo(mem, CL_MEM_OFFSET, sizeof b->origin, &b->origin, NULL));
    ONN_CL(clGetMemObjectInfo(mem, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof b->root, &b->root, NULL));
    b->root = b->root ? b->root : mem;
fail:
    return status;
}

enum oclnn_status onn_buffer_rewrap(struct onn_buffer *b, void *cl_mem_handle)
{
    enum oclnn_status status = OCLNN_OK;
    cl_mem mem = cl_mem_handle, old = b->mem;
    if (mem == old) /* retained since: no other object can have the handle */
        return OCLNN_OK;
    *b = (struct onn_buffer){.ctx = b->ctx};
    if (mem) {
        ONN_TRY(describe(b, mem));
        ONN_CL(clRetainMemObject(mem));
        b->mem = mem;
    }
fail:
    if (status != OCLNN_OK)
        *b = (struct onn_buffer){.ctx = b->ctx};
    if (old)
        clReleaseMemObject(old);
    return status;
}

enum oclnn_status onn_buffer_wrap(struct oclnn_context *ctx, void *cl_mem_handle, struct onn_buffer **out)
{
    enum oclnn_status status = onn_buffer_wrap_none(ctx, out);
    ONN_TRY(status);
    ONN_CHECK(cl_mem_handle, OCLNN_ERROR_ARGUMENT, "cl_mem is NULL");
    ONN_TRY(onn_buffer_rewrap(*out, cl_mem_handle));
    return OCLNN_OK;
fail:
    onn_buffer_destroy(out);
    return status;
}

bool onn_buffer_is(const struct onn_buffer *b, const void *cl_mem_handle)
{
    return b->mem && b->mem == cl_mem_handle;
}

bool onn_buffer_overlaps(const struct onn_buffer *a, const struct onn_buffer *b)
{
    return a->mem && b->mem && a->root == b->root && a->origin < b->origin + b->bytes &&
        b->origin < a->origin + a->bytes;
}

bool onn_buffer_is_readable(const struct onn_buffer *b)
{
    return !(b->flags & CL_MEM_WRITE_ONLY);
}

bool onn_buffer_is_writable(const struct onn_buffer *b)
{
    return !(b->flags & CL_MEM_READ_ONLY);
}

void onn_buffer_destroy(struct onn_buffer **buffer)
{
    if (!buffer || !*buffer)
        return;
    if ((*buffer)->mem)
        clReleaseMemObject((*buffer)->mem);
    onn_free(*buffer);
    *buffer = NULL;
}

size_t onn_buffer_bytes(const struct onn_buffer *buffer)
{
    return buffer->bytes;
}

/* The queue for one command more. */
static enum oclnn_status queue_for_transfer(struct oclnn_context *ctx, cl_command_queue *queue)
{
    atomic_fetch_add_explicit(&ctx->transfers, 1, memory_order_relaxed);
    return onn_queue_get(ctx, queue);
}

static enum oclnn_status check_range(const struct onn_buffer *b, size_t offset, size_t bytes,
    const char *verb)
{
    if (offset <= b->bytes && bytes <= b->bytes - offset)
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_ARGUMENT, "cannot %s %zu bytes at %zu of a buffer of %zu bytes", verb, bytes,
        offset, b->bytes);
}

enum oclnn_status onn_buffer_write(struct oclnn_context *ctx, struct onn_buffer *b, size_t offset,
    size_t bytes, const void *src, bool blocking)
{
    enum oclnn_status status;
    cl_command_queue queue;
    ONN_TRY(check_range(b, offset, bytes, "write"));
    ONN_TRY(queue_for_transfer(ctx, &queue));
    if (bytes > 0)
        ONN_CL(clEnqueueWriteBuffer(queue, b->mem, blocking, offset, bytes, src, 0, NULL, NULL));
    return OCLNN_OK;
fail:
    return onn_queue_failed(ctx, status);
}

enum oclnn_status onn_buffer_read(struct oclnn_context *ctx, struct onn_buffer *b, size_t offset,
    size_t bytes, void *dst, bool blocking)
{
    enum oclnn_status status;
    cl_command_queue queue;
    cl_event event = NULL;
    ONN_TRY(check_range(b, offset, bytes, "read"));
    ONN_TRY(queue_for_transfer(ctx, &queue));
    if (bytes == 0)
        return OCLNN_OK;
    /* Not the driver's own blocking read: its sleeping wait costs more than a short answer takes. */
    ONN_CL(
        clEnqueueReadBuffer(queue, b->mem, CL_FALSE, offset, bytes, dst, 0, NULL, blocking ? &event : NULL));
    if (blocking)
        ONN_TRY(onn_event_wait_cl(ctx, queue, event));
    return OCLNN_OK;
fail:
    return onn_queue_failed(ctx, status);
}

enum oclnn_status onn_buffer_read_start(struct oclnn_context *ctx, struct onn_buffer *b, size_t offset,
    size_t bytes, void *dst, struct onn_event **event)
{
    enum oclnn_status status;
    cl_command_queue queue;
    cl_event started = NULL;
    onn_event_destroy(event);
    ONN_TRY(check_range(b, offset, bytes, "read"));
    ONN_TRY(queue_for_transfer(ctx, &queue));
    ONN_CL(clEnqueueReadBuffer(queue, b->mem, CL_FALSE, offset, bytes, dst, 0, NULL, &started));
    *event = onn_event_from_cl(started);
    return OCLNN_OK;
fail:
    return onn_queue_failed(ctx, status);
}

enum oclnn_status onn_buffer_copy(struct oclnn_context *ctx, struct onn_buffer *from, size_t from_offset,
    struct onn_buffer *to, size_t to_offset, size_t bytes)
{
    enum oclnn_status status;
    cl_command_queue queue;
    ONN_TRY(check_range(from, from_offset, bytes, "copy"));
    ONN_TRY(check_range(to, to_offset, bytes, "copy"));
    ONN_TRY(queue_for_transfer(ctx, &queue));
    if (bytes > 0 && (from->mem != to->mem || from_offset != to_offset))
        ONN_CL(clEnqueueCopyBuffer(queue, from->mem, to->mem, from_offset, to_offset, bytes, 0, NULL, NULL));
    return OCLNN_OK;
fail:
    return onn_queue_failed(ctx, status);
}

enum oclnn_status onn_buffer_fill(struct oclnn_context *ctx, struct onn_buffer *b, unsigned char byte)
{
    enum oclnn_status status;
    cl_command_queue queue;
    ONN_TRY(queue_for_transfer(ctx, &queue));
    /* One byte as pattern: CPU drivers turn it into memset and loop over anything longer. */
    if (b->bytes > 0)
        ONN_CL(clEnqueueFillBuffer(queue, b->mem, &byte, 1, 0, b->bytes, 0, NULL, NULL));
    return OCLNN_OK;
fail:
    return onn_queue_failed(ctx, status);
}
