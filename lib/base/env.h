/* The environment variables that the library reads: OCLNN_DEVICE, OCLNN_VERBOSE, OCLNN_DUMP, OCLNN_CL_DIR,
 * OCLNN_PASSES_OFF, OCLNN_CACHE, OCLNN_VECTOR_WIDTH, OCLNN_STAGING, OCLNN_CHAIN, XDG_CACHE_HOME, HOME. Nothing else is looked at
 * (reliability promise P14). */
#ifndef ONN_BASE_ENV_H
#define ONN_BASE_ENV_H

#include <stdbool.h>

/* The variable's value, or NULL when unset or empty. `name` must be one of the list above. */
const char *onn_env(const char *name);
/* Is `word` one of the comma-separated words of variable `name`? */
bool onn_env_has(const char *name, const char *word);

#endif
