/* Philox4x32-10: random numbers as a function of a counter, so that any of them can be had alone and in any order.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). */
#ifndef ONN_BASE_PHILOX_H
#define ONN_BASE_PHILOX_H

#include <stdint.h>

/* Four words of block `counter` of stream `stream`. */
void onn_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[static 4]);

/* Numbers one after the other from blocks `counter`, `counter` + 1, …: begin with {seed, stream, counter}. */
struct onn_random {
    uint64_t seed, stream, counter;
    uint32_t word[4];
    int left;
};
/* Uniform in 0 … 1, both outside. */
double onn_random_unit(struct onn_random *r);
/* Uniform in 0 … n - 1; n >= 1. The bias is below n / 2^64. */
uint64_t onn_random_below(struct onn_random *r, uint64_t n);

#endif
