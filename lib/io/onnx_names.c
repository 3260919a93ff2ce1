#include "io/onnx_internal.h"

#include <string.h>
#include <xxhash.h>

static size_t slot_of(const struct onn_names *names, const char *key)
{
    /* Seeded with an address, so that a file cannot be made in which all names collide. */
    size_t at = (size_t)XXH3_64bits_withSeed(key, strlen(key), (XXH64_hash_t)(uintptr_t)names->key);
    for (at &= names->capacity - 1; names->key[at] && strcmp(names->key[at], key);)
        at = (at + 1) & (names->capacity - 1);
    return at;
}

static bool grow(struct onn_names *names)
{
    struct onn_names wider = {.capacity = names->capacity ? names->capacity * 2 : 64};
    wider.key = onn_calloc(wider.capacity, sizeof *wider.key);
    wider.value = onn_calloc(wider.capacity, sizeof *wider.value);
    if (!wider.key || !wider.value) {
        onn_names_finish(&wider);
        return false;
    }
    for (size_t i = 0; i < names->capacity; i++)
        if (names->key[i]) {
            size_t at = slot_of(&wider, names->key[i]);
            wider.key[at] = names->key[i];
            wider.value[at] = names->value[i];
            wider.count++;
        }
    onn_names_finish(names);
    *names = wider;
    return true;
}

void onn_names_finish(struct onn_names *names)
{
    onn_free(names->key);
    onn_free(names->value);
    *names = (struct onn_names){0};
}

bool onn_names_set(struct onn_names *names, const char *key, int32_t value)
{
    if (names->count * 2 >= names->capacity && !grow(names))
        return false;
    size_t at = slot_of(names, key);
    names->count += names->key[at] == NULL;
    names->key[at] = key;
    names->value[at] = value;
    return true;
}

int32_t onn_names_get(const struct onn_names *names, const char *key)
{
    size_t at = names->capacity ? slot_of(names, key) : 0;
    return names->capacity && names->key[at] ? names->value[at] : -1;
}
