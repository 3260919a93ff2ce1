#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

struct onn_hash onn_hash_bytes(const void *data, size_t bytes)
{
    XXH128_hash_t h = XXH3_128bits(bytes ? data : "", bytes);
    return (struct onn_hash){.lo = h.low64, .hi = h.high64};
}

struct onn_hash onn_hash_add(struct onn_hash hash, const void *data, size_t bytes)
{
    struct onn_hash piece = onn_hash_bytes(data, bytes);
    uint64_t chain[5] = {hash.lo, hash.hi, piece.lo, piece.hi, bytes};
    return onn_hash_bytes(chain, sizeof chain);
}

struct onn_hash onn_hash_add_text(struct onn_hash hash, const char *text)
{
    return onn_hash_add(hash, text, text ? strlen(text) : 0);
}

bool onn_hash_equal(struct onn_hash a, struct onn_hash b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

void onn_hash_hex(struct onn_hash hash, char out[ONN_HASH_HEX])
{
    snprintf(out, ONN_HASH_HEX, "%016" PRIx64 "%016" PRIx64, hash.hi, hash.lo);
}
