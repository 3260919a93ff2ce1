/* The unary activations behind a finished tile: v of ONN_V (or any vector or scalar type ONN_ACT_T), kind from
 * lib/ops/activation.h, a and b its parameters. All lanes of a launch take the same branch. NaN stays NaN. */
#ifndef ONN_ACTIVATION_H
#define ONN_ACTIVATION_H

#ifndef ONN_ACT_T
#define ONN_ACT_T ONN_V
#define ONN_ACT_EXP onn_exp
#else
#define ONN_ACT_EXP exp
#endif

/* A number with the digits of what is computed in. */
#ifdef ONN_F64
#define ONN_ACT_K(x) ((ONN_ACT_T)(x))
#else
#define ONN_ACT_K(x) ((ONN_ACT_T)(x##f))
#endif

/* The normal distribution function (1 + erf(v / sqrt(2))) / 2, within 7e-8. Below 0 it is exp(q(|v|)) / 2, above 1 minus that:
 * nothing cancels. q(a) = log(erfc(a / sqrt(2))) as a polynomial up to 5.5, fitted by Lawson's weighted least squares with
 * weights exp(q) / 2 + 0.001; from there on it is 0 or 1 to the last bit of a product with v. */
#ifdef ONN_F64
static inline ONN_ACT_T onn_phi(ONN_ACT_T v)
{
    return ONN_ACT_K(0.5) * (ONN_ACT_K(1.0) + erf(v * ONN_ACT_K(0.70710678118654752)));
}
#else
static inline ONN_ACT_T onn_phi(ONN_ACT_T v)
{
    const ONN_ACT_T a = fabs(v);
    ONN_ACT_T q = fma((ONN_ACT_T)(1.45620959e-7f), a, (ONN_ACT_T)(-3.43009242e-6f));
    q = fma(q, a, (ONN_ACT_T)(3.2304386e-5f));
    q = fma(q, a, (ONN_ACT_T)(-1.34231028e-4f));
    q = fma(q, a, (ONN_ACT_T)(-1.01802587e-4f));
    q = fma(q, a, (ONN_ACT_T)(4.91616223e-3f));
    q = fma(q, a, (ONN_ACT_T)(-3.64040062e-2f));
    q = fma(q, a, (ONN_ACT_T)(-3.1829372e-1f));
    q = fma(q, a, (ONN_ACT_T)(-7.97885835e-1f));
    const ONN_ACT_T h = a < (ONN_ACT_T)(5.5f) ? (ONN_ACT_T)(0.5f) * ONN_ACT_EXP(q * a) : (ONN_ACT_T)(0.0f);
    return v < (ONN_ACT_T)(0.0f) ? h : (ONN_ACT_T)(1.0f) - h;
}
#endif

static inline ONN_ACT_T onn_activate(ONN_ACT_T v, const int kind, const float a, const float b)
{
    const ONN_ACT_T zero = (ONN_ACT_T)(0.0f), one = (ONN_ACT_T)(1.0f), pa = (ONN_ACT_T)(a), pb = (ONN_ACT_T)(b);
    ONN_ACT_T t;
    switch (kind) {
    case 1: /* relu */
        return v < zero ? zero : v;
    case 2: /* clip */
        t = v < pa ? pa : v;
        return t > pb ? pb : t;
    case 3: /* leaky relu */
        return v < zero ? v * pa : v;
    case 4: /* sigmoid */
        return one / (one + ONN_ACT_EXP(-v));
    case 5:
        return tanh(v);
    case 6: /* hard sigmoid */
        t = v * pa + pb;
        t = t < zero ? zero : t;
        return t > one ? one : t;
    case 7: /* hard swish */
        t = v * (ONN_ACT_K(1.0) / ONN_ACT_K(6.0)) + (ONN_ACT_T)(0.5f);
        t = t < zero ? zero : t;
        return v * (t > one ? one : t);
    case 8: /* swish */
        return v / (one + ONN_ACT_EXP(-v * pa));
    case 9: /* mish: tanh(log(1 + e)) = n / (n + 2), n = e (e + 2) */
        t = ONN_ACT_EXP(v > (ONN_ACT_T)(20.0f) ? (ONN_ACT_T)(20.0f) : v);
        t = t * (t + (ONN_ACT_T)(2.0f));
        return v * (t / (t + (ONN_ACT_T)(2.0f)));
    case 10: /* softplus */
        return (v > zero ? v : zero) + log1p(exp(-fabs(v)));
    case 11: /* softsign */
        return v / (one + fabs(v));
    case 12: /* elu */
        return v < zero ? pa * expm1(v) : v;
    case 13: /* selu */
        return pb * (v < zero ? pa * expm1(v) : v);
    case 14: /* celu */
        return v < zero ? pa * expm1(v / pa) : v;
    case 15: /* thresholded relu */
        return v > pa ? v : zero;
    case 16: /* gelu */
        return v * onn_phi(v);
    case 17: /* gelu, tanh form */
        t = ONN_ACT_K(0.79788456080286536) * (v + ONN_ACT_K(0.044715) * v * v * v);
        return (ONN_ACT_T)(0.5f) * v * (one + tanh(t));
    case 18:
        return exp(v);
    case 19:
        return fabs(v);
    case 20:
        return -v;
    case 21:
        return sqrt(v);
    default:
        return v;
    }
}

#endif
