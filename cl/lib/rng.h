/* Philox 4x32-10: random numbers as a function of a counter and a key, so that any work-item can make any of them.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). */
#ifndef ONN_RNG_H
#define ONN_RNG_H

static inline uint4 onn_philox(uint4 c, uint2 k)
{
    for (int i = 0; i < 10; i++) {
        const uint lo0 = 0xd2511f53u * c.x, hi0 = mul_hi(0xd2511f53u, c.x);
        const uint lo1 = 0xcd9e8d57u * c.z, hi1 = mul_hi(0xcd9e8d57u, c.z);
        c = (uint4)(hi1 ^ c.y ^ k.x, lo1, hi0 ^ c.w ^ k.y, lo0);
        k += (uint2)(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}

#endif
