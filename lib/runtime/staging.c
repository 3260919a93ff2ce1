#include "runtime/staging.h"
#include "runtime/internal.h"

#include <string.h>

enum { SLOTS = 2 };
#define PIECE ((size_t)2 << 20) /* the device fetches one while the host copies the next */

struct slot {
    char *host;
    cl_event event; /* of the last command that uses it; NULL: none has since it was waited for */
    void *to; /* reads: where the bytes belong */
    uint64_t run; /* reads: whose */
};

struct onn_staging {
    struct oclnn_context *ctx;
    cl_mem mem;
    void *host; /* of mem, mapped as long as it lives */
    size_t bytes;
    int next; /* the slot that has been used the longest time ago */
    struct slot slot[SLOTS];
};

/* Slots begin on cache lines. */
static size_t stride(const struct onn_staging *s)
{
    return (s->bytes + 63) / 64 * 64;
}

size_t onn_staging_bytes(const struct onn_staging *staging)
{
    return staging ? SLOTS * stride(staging) : 0;
}

static enum oclnn_status pin(struct onn_staging *s)
{
    enum oclnn_status status = OCLNN_OK;
    cl_command_queue queue;
    cl_int code;
    const size_t bytes = onn_staging_bytes(s);
    ONN_TRY(onn_queue_get(s->ctx, &queue));
    ONN_CL(
        (s->mem = clCreateBuffer(s->ctx->cl, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, NULL, &code),
            code));
    ONN_CL((s->host = clEnqueueMapBuffer(queue, s->mem, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0,
                NULL, NULL, &code),
        code));
    atomic_fetch_add(&s->ctx->buffers_created, 1);
fail:
    return onn_queue_failed(s->ctx, status);
}

enum oclnn_status onn_staging_create(struct oclnn_context *ctx, size_t bytes, struct onn_staging **out)
{
    *out = NULL;
    if (!ctx->caps.staged || bytes == 0 || bytes > ONN_STAGING_MOST)
        return OCLNN_OK;
    struct onn_staging *s = onn_calloc(1, sizeof *s);
    if (!s)
        return OCLNN_ERROR_MEMORY;
    *s = (struct onn_staging){.ctx = ctx, .bytes = bytes};
    const enum oclnn_status status = pin(s);
    if (status == OCLNN_OK) {
        for (int i = 0; i < SLOTS; i++)
            s->slot[i].host = (char *)s->host + (size_t)i * stride(s);
        *out = s;
        return OCLNN_OK;
    }
    onn_log(&ctx->log, OCLNN_LOG_WARN, "no pinned memory (%zu bytes), transfers will be slower: %s",
        onn_staging_bytes(s), oclnn_error_text(NULL));
    onn_staging_destroy(&s);
    return status == OCLNN_ERROR_DEVICE_LOST ? status : OCLNN_OK;
}

/* Makes the slot free: waits for its command, delivers what it read. */
static enum oclnn_status settle(struct onn_staging *s, struct slot *slot)
{
    cl_event event = slot->event;
    void *to = slot->to;
    slot->event = NULL;
    slot->to = NULL;
    if (!event)
        return OCLNN_OK;
    const enum oclnn_status status = onn_event_wait_cl(s->ctx, atomic_load(&s->ctx->queue), event);
    if (status == OCLNN_OK && to)
        memcpy(to, slot->host, s->bytes);
    return status;
}

void onn_staging_destroy(struct onn_staging **staging)
{
    struct onn_staging *s = staging ? *staging : NULL;
    if (!s)
        return;
    *staging = NULL;
    for (int i = 0; i < SLOTS; i++)
        settle(s, &s->slot[(s->next + i) % SLOTS]);
    if (s->host)
        clEnqueueUnmapMemObject(atomic_load(&s->ctx->queue), s->mem, s->host, 0, NULL, NULL);
    if (s->mem)
        clReleaseMemObject(s->mem);
    onn_free(s);
}

/* The next slot, free, and the queue for it. */
static enum oclnn_status take(struct onn_staging *s, struct slot **slot, cl_command_queue *queue)
{
    enum oclnn_status status;
    *slot = &s->slot[s->next];
    ONN_TRY(settle(s, *slot));
    ONN_TRY(onn_queue_get(s->ctx, queue));
    s->next = (s->next + 1) % SLOTS;
fail:
    return status;
}

enum oclnn_status onn_staging_write(struct onn_staging *s, struct onn_buffer *to, const void *from)
{
    enum oclnn_status status;
    cl_command_queue queue = NULL;
    struct slot *slot;
    ONN_TRY(take(s, &slot, &queue));
    for (size_t at = 0, n; at < s->bytes; at += n) {
        n = s->bytes - at < PIECE ? s->bytes - at : PIECE;
        const bool last = at + n == s->bytes;
        memcpy(slot->host + at, (const char *)from + at, n);
        ONN_CL(clEnqueueWriteBuffer(queue, to->mem, CL_FALSE, at, n, slot->host + at, 0, NULL,
            last ? &slot->event : NULL));
        atomic_fetch_add_explicit(&s->ctx->transfers, 1, memory_order_relaxed);
        if (!last)
            ONN_CL(clFlush(queue));
    }
    return OCLNN_OK;
fail:
    if (queue)
        clFinish(queue); /* pieces without an event may be under way */
    return onn_queue_failed(s->ctx, status);
}

enum oclnn_status onn_staging_read_start(struct onn_staging *s, struct onn_buffer *from, size_t offset,
    void *to, uint64_t run, struct onn_event **event)
{
    enum oclnn_status status;
    cl_command_queue queue;
    struct slot *slot;
    onn_event_destroy(event);
    ONN_TRY(take(s, &slot, &queue));
    ONN_CL(
        clEnqueueReadBuffer(queue, from->mem, CL_FALSE, offset, s->bytes, slot->host, 0, NULL, &slot->event));
    atomic_fetch_add_explicit(&s->ctx->transfers, 1, memory_order_relaxed);
    slot->to = to;
    slot->run = run;
    ONN_CL(clRetainEvent(slot->event));
    *event = onn_event_from_cl(slot->event);
    return OCLNN_OK;
fail:
    return onn_queue_failed(s->ctx, status);
}

enum oclnn_status onn_staging_settle(struct onn_staging *s, uint64_t run)
{
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &s->slot[(s->next + i) % SLOTS]; /* the older one first */
        if (!slot->to || slot->run > run)
            continue;
        const enum oclnn_status one = settle(s, slot);
        status = status == OCLNN_OK ? one : status;
    }
    return status;
}
