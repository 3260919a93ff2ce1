/* Optimisers: parameters and states are changed in place (their arguments are inputs of the node, hence const pointers
 * that are cast here). Item i works on elements i * per … of n.
 *
 * Arguments   param, grad; lr, scale: one float each; step (long, from 1) where the rule needs it; states a, b (any
 *             tensor where has_a, has_b are 0); struct opt_args; n; per.
 *             A scale (assign: guard) that is NaN leaves everything as it is.
 * Global      { ceil(n / per) }; *_norms: { parts }, part i gets the sums of squares of `per` elements of parameter and
 *             gradient (lamb: update), which the second launch adds up in order.
 * Defines     VL; ONN_ALONE: work-groups of one item.
 * Source      the papers named below; sgd, adam, adamw, rmsprop, adagrad count weight decay, momentum and epsilon as
 *             PyTorch does.
 */
#include "lib/vec.h"

/* On vector CPUs an item works on vectors already: groups of one keep compilers from putting items side by side. */
#ifdef ONN_ALONE
#define OPT_KERNEL __attribute__((reqd_work_group_size(1, 1, 1))) kernel
#else
#define OPT_KERNEL kernel
#endif

struct opt_args {
    float momentum, dampening, weight_decay, beta1, beta2, epsilon, trust, decay;
    float log_beta1, log_beta2;
    int nesterov, has_scale, has_a, has_b;
};

#define OPT_LOAD1(p) (*(p))
#define OPT_STORE1(v, p) (*(p) = (v))
/* Runs BODY(type, load, store) over i … end - 1: whole vectors, then the rest. */
#define OPT_LOOP(BODY)                                                                                       \
    {                                                                                                        \
        long i = get_global_id(0) * per;                                                                     \
        const long end = min(i + per, n);                                                                    \
        for (; i + VL <= end; i += VL)                                                                       \
            BODY(ONN_V, ONN_LOAD, ONN_STORE)                                                                 \
        for (; i < end; i++)                                                                                 \
            BODY(float, OPT_LOAD1, OPT_STORE1)                                                               \
    }
#define OPT_OPERANDS ONN_IN(float, param), ONN_IN(float, grad), ONN_IN(float, lr), ONN_IN(float, scale)
#define OPT_STATES ONN_IN(float, a), ONN_IN(float, b)
#define OPT_BEGIN                                                                                            \
    global float *param = (global float *)ONN_PTR(param), *sa = (global float *)ONN_PTR(a);                  \
    global float *sb = (global float *)ONN_PTR(b);                                                           \
    global const float *grad = ONN_PTR(grad);                                                                \
    const float rate = *ONN_PTR(lr), times = g.has_scale ? *ONN_PTR(scale) : 1.0f;                           \
    (void)grad;                                                                                              \
    (void)sa;                                                                                                \
    (void)sb;                                                                                                \
    (void)rate;                                                                                              \
    if (times != times) /* a NaN: this step must not count */                                                \
        return;

/* Momentum as in PyTorch: m = momentum m + (1 - dampening) g; Nesterov looks one step ahead. */
#define OPT_SGD(T, load, store)                                                                              \
    {                                                                                                        \
        const T p = load(param + i);                                                                         \
        T d = load(grad + i) * (T)(times) + p * (T)(g.weight_decay);                                         \
        if (g.has_a) {                                                                                       \
            const T m = load(sa + i) * (T)(g.momentum) + d * (T)(1.0f - g.dampening);                        \
            store(m, sa + i);                                                                                \
            d = g.nesterov ? d + m * (T)(g.momentum) : m;                                                    \
        }                                                                                                    \
        store(p - d * (T)(rate), param + i);                                                                 \
    }
OPT_KERNEL void opt_sgd(OPT_OPERANDS, OPT_STATES, const struct opt_args g, const long n, const long per)
{
    OPT_BEGIN
    OPT_LOOP(OPT_SGD)
}

/* Adam (Kingma, Ba 2015); AdamW (Loshchilov, Hutter 2019): decay goes straight to the parameter. 1 - beta^t through
 * expm1: no cancellation. */
#define OPT_MOMENTS(T, load, store, d)                                                                       \
    const T m = load(sa + i) * (T)(g.beta1) + (d) * (T)(1.0f - g.beta1);                                     \
    const T v = load(sb + i) * (T)(g.beta2) + (d) * (d) * (T)(1.0f - g.beta2);
#define OPT_CORRECTIONS                                                                                      \
    const float t = (float)*ONN_PTR(step), c1 = -expm1(t * g.log_beta1), c2 = sqrt(-expm1(t * g.log_beta2));
#define OPT_ADAM(T, load, store)                                                                             \
    {                                                                                                        \
        T p = load(param + i);                                                                               \
        T d = load(grad + i) * (T)(times);                                                                   \
        if (OPT_DECOUPLED)                                                                                   \
            p -= p * (T)(rate * g.weight_decay);                                                             \
        else                                                                                                 \
            d += p * (T)(g.weight_decay);                                                                    \
        OPT_MOMENTS(T, load, store, d)                                                                       \
        store(m, sa + i);                                                                                    \
        store(v, sb + i);                                                                                    \
        store(p - m * (T)(rate / c1) / (sqrt(v) / (T)(c2) + (T)(g.epsilon)), param + i);                     \
    }
#define OPT_DECOUPLED 0
OPT_KERNEL void opt_adam(OPT_OPERANDS, ONN_IN(long, step), OPT_STATES, const struct opt_args g, const long n, const long per)
{
    OPT_BEGIN
    OPT_CORRECTIONS
    OPT_LOOP(OPT_ADAM)
}
#undef OPT_DECOUPLED
#define OPT_DECOUPLED 1
OPT_KERNEL void opt_adamw(OPT_OPERANDS, ONN_IN(long, step), OPT_STATES, const struct opt_args g, const long n,
                      const long per)
{
    OPT_BEGIN
    OPT_CORRECTIONS
    OPT_LOOP(OPT_ADAM)
}

/* RMSProp (Tieleman, Hinton 2012); its alpha travels as beta2. */
#define OPT_RMSPROP(T, load, store)                                                                          \
    {                                                                                                        \
        const T p = load(param + i);                                                                         \
        const T d = load(grad + i) * (T)(times) + p * (T)(g.weight_decay);                                   \
        const T v = load(sa + i) * (T)(g.beta2) + d * d * (T)(1.0f - g.beta2);                               \
        T u = d / (sqrt(v) + (T)(g.epsilon));                                                                \
        store(v, sa + i);                                                                                    \
        if (g.has_b) {                                                                                       \
            u += load(sb + i) * (T)(g.momentum);                                                             \
            store(u, sb + i);                                                                                \
        }                                                                                                    \
        store(p - u * (T)(rate), param + i);                                                                 \
    }
OPT_KERNEL void opt_rmsprop(OPT_OPERANDS, OPT_STATES, const struct opt_args g, const long n, const long per)
{
    OPT_BEGIN
    OPT_LOOP(OPT_RMSPROP)
}

/* AdaGrad (Duchi, Hazan, Singer 2011). */
#define OPT_ADAGRAD(T, load, store)                                                                          \
    {                                                                                                        \
        const T p = load(param + i);                                                                         \
        const T d = load(grad + i) * (T)(times) + p * (T)(g.weight_decay);                                   \
        const T v = load(sa + i) + d * d;                                                                    \
        store(v, sa + i);                                                                                    \
        store(p - d * (T)(rate) / (sqrt(v) + (T)(g.epsilon)), param + i);                                    \
    }
OPT_KERNEL void opt_adagrad(OPT_OPERANDS, OPT_STATES, const struct opt_args g, const long n, const long per)
{
    OPT_BEGIN
    OPT_LOOP(OPT_ADAGRAD)
}

/* Norms from their parts, in order. */
static inline void opt_norms(global const float *part, const long parts, float *p, float *d)
{
    *p = *d = 0.0f;
    for (long k = 0; k < parts; k++) {
        *p += part[2 * k];
        *d += part[2 * k + 1];
    }
    *p = sqrt(*p);
    *d = sqrt(*d);
}

/* LARS (You, Gitman, Ginsburg 2017): the rate of a layer follows |param| / |grad|. */
OPT_KERNEL void opt_lars_norms(OPT_OPERANDS, OPT_STATES, ONN_OUT(float, part), const struct opt_args g, const long n,
                           const long per)
{
    OPT_BEGIN
    const long k = get_global_id(0), end = min((k + 1) * per, n);
    float sp = 0.0f, sd = 0.0f;
    for (long i = k * per; i < end; i++) {
        sp += param[i] * param[i];
        sd += grad[i] * times * (grad[i] * times);
    }
    ONN_PTR(part)[2 * k] = sp;
    ONN_PTR(part)[2 * k + 1] = sd;
}

#define OPT_LARS(T, load, store)                                                                             \
    {                                                                                                        \
        const T p = load(param + i);                                                                         \
        const T d = (load(grad + i) * (T)(times) + p * (T)(g.weight_decay)) * (T)(local_rate);               \
        const T m = load(sa + i) * (T)(g.momentum) + d;                                                      \
        store(m, sa + i);                                                                                    \
        store(p - m * (T)(rate), param + i);                                                                 \
    }
OPT_KERNEL void opt_lars(OPT_OPERANDS, OPT_STATES, ONN_IN(float, part), const struct opt_args g, const long n,
                     const long per, const long parts)
{
    OPT_BEGIN
    float np, nd;
    opt_norms(ONN_PTR(part), parts, &np, &nd);
    const float local_rate = np > 0.0f && nd > 0.0f ? g.trust * np / (nd + g.weight_decay * np + g.epsilon) : 1.0f;
    OPT_LOOP(OPT_LARS)
}

/* LAMB (You and others 2020): Adam's update, scaled to |param| / |update|. The first launch moves the moments. */
OPT_KERNEL void opt_lamb_norms(OPT_OPERANDS, ONN_IN(long, step), OPT_STATES, ONN_OUT(float, part), const struct opt_args g,
                           const long n, const long per)
{
    OPT_BEGIN
    OPT_CORRECTIONS
    const long k = get_global_id(0), end = min((k + 1) * per, n);
    float sp = 0.0f, su = 0.0f;
    for (long i = k * per; i < end; i++) {
        const float d = grad[i] * times, p = param[i];
        OPT_MOMENTS(float, OPT_LOAD1, OPT_STORE1, d)
        sa[i] = m;
        sb[i] = v;
        const float u = m / c1 / (sqrt(v) / c2 + g.epsilon) + g.weight_decay * p;
        sp += p * p;
        su += u * u;
    }
    ONN_PTR(part)[2 * k] = sp;
    ONN_PTR(part)[2 * k + 1] = su;
}

#define OPT_LAMB(T, load, store)                                                                             \
    {                                                                                                        \
        const T p = load(param + i);                                                                         \
        const T u = load(sa + i) / (T)(c1) / (sqrt(load(sb + i)) / (T)(c2) + (T)(g.epsilon)) +               \
                    p * (T)(g.weight_decay);                                                                 \
        store(p - u * (T)(rate * ratio), param + i);                                                         \
    }
OPT_KERNEL void opt_lamb(OPT_OPERANDS, ONN_IN(long, step), OPT_STATES, ONN_IN(float, part), const struct opt_args g,
                     const long n, const long per, const long parts)
{
    OPT_BEGIN
    OPT_CORRECTIONS
    float np, nu;
    opt_norms(ONN_PTR(part), parts, &np, &nu);
    const float ratio = np > 0.0f && nu > 0.0f ? np / nu : 1.0f;
    OPT_LOOP(OPT_LAMB)
}

#define OPT_ASSIGN(T, load, store) store(load(value + i), state + i);
#define OPT_ACCUMULATE(T, load, store) store(load(state + i) + load(value + i), state + i);
#define OPT_EMA(T, load, store)                                                                              \
    {                                                                                                        \
        const T s = load(state + i);                                                                         \
        store(s + (load(value + i) - s) * (T)(1.0f - decay), state + i);                                     \
    }
#define OPT_PAIR                                                                                             \
    global float *state = (global float *)ONN_PTR(state);                                                    \
    global const float *value = ONN_PTR(value);
OPT_KERNEL void opt_assign(ONN_IN(float, state), ONN_IN(float, value), ONN_IN(float, guard), const int guarded,
                       const long n, const long per)
{
    OPT_PAIR
    if (guarded && *ONN_PTR(guard) != *ONN_PTR(guard))
        return;
    OPT_LOOP(OPT_ASSIGN)
}
OPT_KERNEL void opt_accumulate(ONN_IN(float, state), ONN_IN(float, value), const long n, const long per)
{
    OPT_PAIR
    OPT_LOOP(OPT_ACCUMULATE)
}
OPT_KERNEL void opt_ema(ONN_IN(float, state), ONN_IN(float, value), const long n, const long per, const float decay)
{
    OPT_PAIR
    OPT_LOOP(OPT_EMA)
}
OPT_KERNEL void opt_count_up(ONN_IN(long, counter), const long n, const long per)
{
    global long *counter = (global long *)ONN_PTR(counter);
    const long k = get_global_id(0), end = min((k + 1) * per, n);
    for (long i = k * per; i < end; i++)
        counter[i] += 1;
}
