#include "plan/derived.h"

enum oclnn_status onn_derived_get(struct onn_derived_cache *cache, struct oclnn_context *ctx,
    struct onn_hash key, size_t bytes, struct onn_derived **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_derived *made = NULL;
    for (int i = 0; i < cache->n; i++)
        if (onn_hash_equal(cache->entry[i]->key, key)) {
            cache->entry[i]->refs++;
            *out = cache->entry[i];
            return OCLNN_OK;
        }
    made = onn_calloc(1, sizeof *made);
    if (!made ||
        !onn_array_grow((void **)&cache->entry, cache->n, &cache->cap, sizeof(struct onn_derived *))) {
        status = OCLNN_ERROR_MEMORY;
        goto fail;
    }
    *made = (struct onn_derived){.key = key, .version = UINT64_MAX, .refs = 1};
    ONN_TRY(onn_buffer_create(ctx, bytes ? bytes : 1, &made->buffer));
    cache->entry[cache->n++] = made;
    *out = made;
    return OCLNN_OK;
fail:
    onn_free(made);
    return status;
}

void onn_derived_put(struct onn_derived_cache *cache, struct onn_derived **entry)
{
    struct onn_derived *e = *entry;
    *entry = NULL;
    if (!e || --e->refs > 0)
        return;
    for (int i = 0; i < cache->n; i++)
        if (cache->entry[i] == e) {
            cache->entry[i] = cache->entry[--cache->n];
            break;
        }
    onn_buffer_destroy(&e->buffer);
    onn_free(e);
}

void onn_derived_finish(struct onn_derived_cache *cache)
{
    for (int i = 0; i < cache->n; i++) {
        onn_buffer_destroy(&cache->entry[i]->buffer);
        onn_free(cache->entry[i]);
    }
    onn_free(cache->entry);
    *cache = (struct onn_derived_cache){0};
}
