/* A built-in network on a fixed picture. */
#ifndef ONN_TEST_NETWORK_H
#define ONN_TEST_NETWORK_H

#include <oclnn/oclnn.h>

/* Its scores, 10 classes, at its smallest size; free() them. *n: how many. *bytes (may be NULL): of its parameters on the
 * device. */
float *onn_test_scores(oclnn_context *ctx, const char *name, const struct oclnn_model_params *params,
    size_t *n, size_t *bytes);

#endif
