#include "base/env.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const known[] = {"OCLNN_DEVICE", "OCLNN_VERBOSE", "OCLNN_DUMP", "OCLNN_CL_DIR",
    "OCLNN_PASSES_OFF", "OCLNN_CACHE", "OCLNN_VECTOR_WIDTH", "OCLNN_STAGING", "OCLNN_CHAIN", "OCLNN_SHARE",
    "HOME", "XDG_CACHE_HOME", NULL};

const char *onn_env(const char *name)
{
    const char *const *k = known;
    while (*k && strcmp(*k, name) != 0)
        k++;
    assert(*k);
    const char *value = *k ? getenv(name) : NULL;
    return value && *value ? value : NULL;
}

bool onn_env_has(const char *name, const char *word)
{
    const char *value = onn_env(name);
    size_t length = strlen(word);
    while (value) {
        const char *end = strchr(value, ',');
        size_t have = end ? (size_t)(end - value) : strlen(value);
        if (have == length && memcmp(value, word, length) == 0)
            return true;
        value = end ? end + 1 : NULL;
    }
    return false;
}
