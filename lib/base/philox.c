#include "base/philox.h"

void onn_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[static 4])
{
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), (uint32_t)stream,
        (uint32_t)(stream >> 32)};
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c[0], b = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ key[0], (uint32_t)b,
            (uint32_t)(a >> 32) ^ c[3] ^ key[1], (uint32_t)a};
        for (int i = 0; i < 4; i++)
            c[i] = next[i];
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    for (int i = 0; i < 4; i++)
        out[i] = c[i];
}

static uint32_t next(struct onn_random *r)
{
    if (r->left == 0) {
        onn_philox(r->seed, r->stream, r->counter++, r->word);
        r->left = 4;
    }
    return r->word[--r->left];
}

double onn_random_unit(struct onn_random *r)
{
    return ((double)next(r) + 0.5) * 0x1p-32;
}

uint64_t onn_random_below(struct onn_random *r, uint64_t n)
{
    const uint64_t high = next(r), word = high << 32 | next(r);
    /* the upper half of the 128-bit product word * n, from 32-bit pieces */
    const uint64_t a = word >> 32, b = (uint32_t)word, c = n >> 32, d = (uint32_t)n;
    const uint64_t middle = a * d + (b * d >> 32), low = (uint32_t)middle + b * c;
    return a * c + (middle >> 32) + (low >> 32);
}
