/* exp for ONN_V within 2 ulp over [-87, 88], clamped outside (no infinity, no denormals): for sigmoid and softmax, where
 * nothing depends on the far ends. Included by lib/vec.h. NaN stays NaN. Cody-Waite reduction and a polynomial of degree 6 (Cephes' expf). */
#ifndef ONN_EXP_H
#define ONN_EXP_H

static inline ONN_V onn_exp(ONN_V x)
{
    x = x < (ONN_V)(-87.0f) ? (ONN_V)(-87.0f) : x;
    x = x > (ONN_V)(88.0f) ? (ONN_V)(88.0f) : x;
    /* n = the integer nearest to x / ln 2, by adding 1.5 * 2^23: its low bits are then those of n. */
    const ONN_V t = fma(x, (ONN_V)(1.44269504f), (ONN_V)(12582912.0f));
    const ONN_V n = t - (ONN_V)(12582912.0f);
    ONN_V r = fma(n, (ONN_V)(-0.693359375f), x);
    r = fma(n, (ONN_V)(2.12194440e-4f), r);
    ONN_V p = fma((ONN_V)(1.9875691500e-4f), r, (ONN_V)(1.3981999507e-3f));
    p = fma(p, r, (ONN_V)(8.3334519073e-3f));
    p = fma(p, r, (ONN_V)(4.1665795894e-2f));
    p = fma(p, r, (ONN_V)(1.6666665459e-1f));
    p = fma(p, r, (ONN_V)(5.0000001201e-1f));
    p = fma(p * r, r, r) + (ONN_V)(1.0f);
    return p * ONN_AS_V((ONN_CAT(as_int, VL)(t) + (ONN_VI)(127)) << 23);
}

#endif
