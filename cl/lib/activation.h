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
        return (ONN_ACT_T)(0.5f) * v * (one + erf(v * ONN_ACT_K(0.70710678118654752)));
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
