/* dropout_train against Philox written once more: every format gives the same numbers. */
#include "ops/dropout_train.h"
#include "harness/harness.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int i = 0; i < 10; i++, k0 += 0x9e3779b9u, k1 += 0xbb67ae85u) {
        const uint64_t a = (uint64_t)0xd2511f53u * c[0], b = (uint64_t)0xcd9e8d57u * c[2];
        const uint32_t c1 = c[1], c3 = c[3];
        c[0] = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c[1] = (uint32_t)b;
        c[2] = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c[3] = (uint32_t)a;
    }
}

/* Known answers of the paper's implementation (Random123, kat_vectors). */
static void philox_is_philox(void **state)
{
    uint32_t zero[4] = {0, 0, 0, 0}, ones[4] = {~0u, ~0u, ~0u, ~0u};
    (void)state;
    philox(zero, 0, 0);
    assert_true(
        zero[0] == 0x6627e8d5u && zero[1] == 0xe169c58du && zero[2] == 0xbc57ac4cu && zero[3] == 0x9b00dbd8u);
    philox(ones, ~0u, ~0u);
    assert_true(
        ones[0] == 0x408f276du && ones[1] == 0x41c83b0eu && ones[2] == 0xa20bc7c6u && ones[3] == 0x6d5451fdu);
}

static void ref(struct onn_ref *r)
{
    const struct onn_dropout_train_attr *a = r->prob->attr;
    const struct onn_desc *x = &r->prob->in[0];
    const uint64_t seed = (uint64_t)(int64_t)r->in[1][0], step = (uint64_t)(int64_t)r->in[1][1];
    int64_t px = 1, channels = x->dim[x->rank > 1 ? 1 : 0];
    for (int d = 2; d < x->rank; d++)
        px *= x->dim[d];
    const double limit = (double)a->ratio * 4294967296.0;
    for (int64_t i = 0; i < r->out_n[0]; i++) {
        const int64_t p = i % px, c = i / px % channels, n = x->rank > 1 ? i / px / channels : 0;
        const uint64_t at = (uint64_t)(n * px + p);
        uint32_t k[4] = {(uint32_t)at, (uint32_t)(c / 4), (uint32_t)step,
            (uint32_t)(step >> 32) ^ (uint32_t)(at >> 32)};
        philox(k, (uint32_t)seed, (uint32_t)(seed >> 32) ^ (uint32_t)a->stream);
        const double keep = a->ratio < 1 ? 1 / (1 - (double)a->ratio) : 0;
        r->out[0][i] = k[c % 4] >= (uint32_t)fmin(limit, 4294967295.0) ? r->in[0][i] * keep : 0;
        r->scale[0][i] = fabs(r->in[0][i]) + 1;
    }
}

#define CASE(text) \
    { \
        .problem = text, .ref = ref, .flags = ONN_CASE_NO_EXACT \
    }
static const struct onn_case cases[] = {
    CASE("dropout_train x=5x37 s=@1,2 ratio=0.5"),
    CASE("dropout_train x=2x19x5x7 s=@12345678901,3 ratio=0.3 stream=4"),
    CASE("dropout_train x=2x16x20x20 s=@7,1 ratio=0.1 stream=1"),
    CASE("dropout_train x=1000 s=@7,1 ratio=0.9"),
    CASE("dropout_train x=3x4x5 s=@7,1 ratio=1"),
    CASE("dropout_train x=3x4x5 s=@7,1 ratio=0"),
    {.problem = NULL},
};

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(philox_is_philox)};
    if (argc < 2 && cmocka_run_group_tests(tests, NULL, NULL) != 0)
        return 1;
    return onn_harness_main(argc, argv, cases);
}
