#include "tensor/blob.h"

#include "runtime/context.h"

#include <stdatomic.h>
#include <string.h>

/* Gives ids out. Not state that a result depends on: ids are compared for equality only. */
static _Atomic uint64_t last_id;

enum oclnn_status onn_blob_bytes(const struct onn_desc *desc, size_t *bytes)
{
    char text[160];
    int64_t elements = onn_desc_elements(desc);
    if (elements >= 0 && oclnn_dtype_size(desc->dtype) &&
        onn_mul_size((size_t)elements, oclnn_dtype_size(desc->dtype), bytes) && *bytes <= PTRDIFF_MAX)
        return OCLNN_OK;
    return onn_error(OCLNN_ERROR_ARGUMENT, "constant: %s has no known size or is too big",
        onn_desc_text(desc, text));
}

enum oclnn_status onn_blob_take(const struct onn_desc *desc, void **block, struct onn_blob **out)
{
    *out = NULL;
    struct onn_blob *blob = onn_calloc(1, sizeof *blob);
    if (!blob)
        return OCLNN_ERROR_MEMORY;
    *blob = (struct onn_blob){.refs = 1,
        .desc = onn_desc_make(desc->dtype, desc->rank, desc->dim),
        .data = *block,
        .id = atomic_fetch_add(&last_id, 1) + 1,
        .version = 1};
    *block = NULL;
    *out = blob;
    return OCLNN_OK;
}

enum oclnn_status onn_blob_create(const struct onn_desc *desc, const void *data, struct onn_blob **out)
{
    size_t bytes = 0;
    *out = NULL;
    enum oclnn_status status = onn_blob_bytes(desc, &bytes);
    if (status != OCLNN_OK)
        return status;
    void *block = onn_alloc(bytes);
    if (!block)
        return OCLNN_ERROR_MEMORY;
    if (data && bytes)
        memcpy(block, data, bytes);
    else
        memset(block, 0, bytes);
    status = onn_blob_take(desc, &block, out);
    onn_free(block);
    return status;
}

struct onn_blob *onn_blob_ref(struct onn_blob *blob)
{
    if (blob)
        __atomic_add_fetch(&blob->refs, 1, __ATOMIC_RELAXED);
    return blob;
}

void onn_blob_unref(struct onn_blob **blob)
{
    if (!blob || !*blob)
        return;
    struct onn_blob *b = *blob;
    *blob = NULL;
    if (__atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    onn_buffer_destroy(&b->buffer);
    if (!b->shared)
        onn_free(b->data);
    onn_free(b);
}

/* Moves to another device by way of the host. */
static enum oclnn_status leave_device(struct onn_blob *blob)
{
    enum oclnn_status status;
    ONN_TRY(onn_blob_sync_host(blob));
    if (blob->shared) {
        void *copy = onn_memdup(blob->data, onn_desc_bytes(&blob->desc));
        ONN_TRY(copy ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        blob->data = copy;
        blob->shared = false;
    }
    onn_buffer_destroy(&blob->buffer);
fail:
    return status;
}

enum oclnn_status onn_blob_device(struct onn_blob *blob, struct oclnn_context *ctx, struct onn_buffer **out)
{
    enum oclnn_status status;
    size_t bytes = onn_desc_bytes(&blob->desc);
    *out = NULL;
    if (blob->buffer && blob->context != ctx)
        ONN_TRY(leave_device(blob));
    if (!blob->buffer) {
        ONN_CHECK(!blob->host_stale, OCLNN_ERROR_INTERNAL, "constant %llu has neither host nor device bytes",
            (unsigned long long)blob->id);
        blob->shared = onn_buffer_share(ctx, blob->data, bytes, &blob->buffer);
        if (!blob->shared)
            ONN_TRY(onn_buffer_create(ctx, bytes ? bytes : 4, &blob->buffer));
        blob->context = ctx;
        blob->buffer_version = 0;
    }
    if (!blob->host_stale && blob->buffer_version != blob->version) {
        if (bytes && !blob->shared)
            ONN_TRY(onn_buffer_write(ctx, blob->buffer, 0, bytes, blob->data, true));
        blob->buffer_version = blob->version;
    }
    *out = blob->buffer;
    return OCLNN_OK;
fail:
    return status;
}

enum oclnn_status onn_blob_sync_host(struct onn_blob *blob)
{
    if (!blob->host_stale)
        return OCLNN_OK;
    if (blob->shared) { /* a plan updates these bytes: wait until it has */
        enum oclnn_status status = onn_queue_finish(blob->context);
        if (status != OCLNN_OK)
            return status;
        blob->host_stale = false;
        blob->buffer_version = blob->version;
        return OCLNN_OK;
    }
    size_t bytes = onn_desc_bytes(&blob->desc);
    if (!blob->buffer)
        return onn_error(OCLNN_ERROR_INTERNAL, "constant %llu has neither host nor device bytes",
            (unsigned long long)blob->id);
    if (!blob->data) {
        blob->data = onn_calloc(bytes, 1);
        if (!blob->data)
            return OCLNN_ERROR_MEMORY;
    }
    if (bytes) {
        enum oclnn_status status = onn_buffer_read(blob->context, blob->buffer, 0, bytes, blob->data, true);
        if (status != OCLNN_OK)
            return status;
    }
    blob->host_stale = false;
    blob->buffer_version = blob->version;
    return OCLNN_OK;
}

double onn_blob_get_f64(const struct onn_blob *blob, int64_t i)
{
    return onn_load_f64(blob->desc.dtype, blob->data, i);
}

int64_t onn_blob_get_i64(const struct onn_blob *blob, int64_t i)
{
    return onn_load_i64(blob->desc.dtype, blob->data, i);
}

void onn_blob_set_f64(struct onn_blob *blob, int64_t i, double value)
{
    onn_store_f64(blob->desc.dtype, blob->data, i, value);
    blob->version++;
}

void onn_blob_set_i64(struct onn_blob *blob, int64_t i, int64_t value)
{
    onn_store_i64(blob->desc.dtype, blob->data, i, value);
    blob->version++;
}
