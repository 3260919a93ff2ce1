/* Derived values: packed, folded or reordered forms of constants and parameters. One cache per model, shared by its
 * plans: an entry is known by the text of how it is made and by the versions of what it is made from. */
#ifndef ONN_PLAN_DERIVED_H
#define ONN_PLAN_DERIVED_H

#include "base/hash.h"
#include "runtime/context.h"

struct onn_derived {
    struct onn_hash key; /* how it is made: operators, attributes, formats, ids of the sources */
    uint64_t version; /* sum of the sources' versions when it was made last; UINT64_MAX = never */
    struct onn_buffer *buffer;
    int refs; /* plans that use it */
};
struct onn_derived_cache {
    struct onn_derived **entry;
    int n, cap;
};
/* Finds or makes the entry and takes a reference. Buffers of `bytes` come uninitialised. */
enum oclnn_status onn_derived_get(struct onn_derived_cache *cache, struct oclnn_context *ctx,
    struct onn_hash key, size_t bytes, struct onn_derived **out);
/* Gives a reference back; the buffer goes with the last one. */
void onn_derived_put(struct onn_derived_cache *cache, struct onn_derived **entry);
void onn_derived_finish(struct onn_derived_cache *cache);

#endif
