/* 128-bit hashes (XXH3): keys of caches and checksums of files. Not for secrets. */
#ifndef ONN_BASE_HASH_H
#define ONN_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct onn_hash {
    uint64_t lo, hi;
};

#define ONN_HASH_HEX 33 /* bytes of a hexadecimal hash with its NUL */

struct onn_hash onn_hash_bytes(const void *data, size_t bytes);
/* The hash of a sequence: `hash` so far (start with {0}) followed by these bytes. Boundaries count: "ab"+"c" differs
 * from "a"+"bc". */
struct onn_hash onn_hash_add(struct onn_hash hash, const void *data, size_t bytes);
/* The same for a text; NULL counts as "". */
struct onn_hash onn_hash_add_text(struct onn_hash hash, const char *text);
bool onn_hash_equal(struct onn_hash a, struct onn_hash b);
void onn_hash_hex(struct onn_hash hash, char out[ONN_HASH_HEX]);

#endif
