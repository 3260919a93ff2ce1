/* What the references of windowed operators share: position of [n, c, d, h, w] in a row-major tensor. */
#ifndef ONN_TEST_OPS_WINDOW_REF_H
#define ONN_TEST_OPS_WINDOW_REF_H

#include "ops/conv.h"

/* Dims of a tensor [a, b, spatial…] as five numbers, missing leading spatial ones as 1. */
static inline void window_dims(const struct onn_desc *d, int64_t dim[5])
{
    dim[0] = d->dim[0];
    dim[1] = d->dim[1];
    for (int i = 0; i < 3; i++)
        dim[2 + i] = i < 5 - d->rank ? 1 : d->dim[i - 5 + d->rank + 2];
}

static inline int64_t window_at(const int64_t dim[5], int64_t n, int64_t c, const int64_t at[3])
{
    return (((n * dim[1] + c) * dim[2] + at[0]) * dim[3] + at[1]) * dim[4] + at[2];
}

/* Index i of a spatial box as three numbers. */
static inline void window_split(const int64_t box[3], int64_t i, int64_t at[3])
{
    at[2] = i % box[2];
    at[1] = i / box[2] % box[1];
    at[0] = i / box[2] / box[1];
}

/* Runs the pure group and then the harness: what main() of these tests does. */
#define WINDOW_MAIN(pure, cases) \
    int main(int argc, char **argv) \
    { \
        const struct CMUnitTest tests[] = {cmocka_unit_test(pure)}; \
        if (argc < 2 && cmocka_run_group_tests(tests, NULL, NULL) != 0) \
            return 1; \
        return onn_harness_main(argc, argv, cases); \
    }

#endif
