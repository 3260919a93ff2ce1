/* Optimisers: parameters and states are changed in place (their arguments are inputs of the node, hence const pointers
 * that are cast here).
 *
 * Several     all but lars, lamb and count_up update up to 4 or 10 parameters. Arguments: for each its tensors (parameter,
 *             gradient or value, states; of those behind the last any, 0 elements); lr, scale: one float each; step (long, from 1) where
 *             the rule needs it; assign, ema: guard; ema: step; struct opt_args; struct opt_pieces; per. at.end[k] items work on
 *             parameters 0 … k, each on `per` elements of one; global size { the last at.end } or more.
 * One         lars, lamb: its tensors, lr, scale, step, parts of norms, struct opt_args, n, per: item i works on elements
 *             i * per … of n, global { ceil(n / per) }; *_norms: { parts }, part i gets the sums of squares of `per`
 *             elements of parameter and gradient (lamb: update), which the second launch adds up in order.
 * Count       opt_count_up: counter (long), guard, whether it counts (long), n, per; items as above.
 *             A scale (assign, ema, count_up: guard) that is NaN leaves everything as it is.
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
    int nesterov, has_scale, has_a, has_b, has_step;
};

#define OPT_MOST 10
struct opt_pieces {
    long n[OPT_MOST], end[OPT_MOST];
};
#define OPT_LIST4(M) M(0), M(1), M(2), M(3)
#define OPT_LIST10(M) OPT_LIST4(M), M(4), M(5), M(6), M(7), M(8), M(9)
#define OPT_ALL4(M) M(0) M(1) M(2) M(3)
#define OPT_ALL10(M) OPT_ALL4(M) M(4) M(5) M(6) M(7) M(8) M(9)
/* Tensors of parameter k as arguments: parameter and gradient, then so many states. */
#define OPT_ARGS0(k) ONN_IN(float, p##k), ONN_IN(float, d##k)
#define OPT_ARGS1(k) OPT_ARGS0(k), ONN_IN(float, a##k)
#define OPT_ARGS2(k) OPT_ARGS1(k), ONN_IN(float, b##k)
/* Choices and not branches: some compilers fail where arguments are read inside of one. */
#define OPT_TAKE(k, to, from) to = piece_ == k ? (global float *)ONN_PTR(from) : to;
#define OPT_CASE0(k) OPT_TAKE(k, param, p##k) OPT_TAKE(k, grad_, d##k)
#define OPT_CASE1(k) OPT_CASE0(k) OPT_TAKE(k, sa, a##k)
#define OPT_CASE2(k) OPT_CASE1(k) OPT_TAKE(k, sb, b##k)
#define OPT_COMMON const struct opt_args g, const struct opt_pieces at, const long per

/* The parameter that this item works on, and the item's number among those of the parameter. */
#define OPT_FIND(MOST, CASE)                                                                                 \
    global float *param = (global float *)ONN_PTR(p0), *sa = param, *sb = param, *grad_ = param;             \
    int piece_ = 0;                                                                                          \
    long before_ = 0, n = 0;                                                                                 \
    for (int k_ = 0; k_ < MOST; k_++) {                                                                      \
        const bool behind = (long)get_global_id(0) >= at.end[k_];                                            \
        before_ = behind ? at.end[k_] : before_;                                                             \
        piece_ += behind;                                                                                    \
    }                                                                                                        \
    for (int k_ = 0; k_ < MOST; k_++)                                                                        \
        n = piece_ == k_ ? at.n[k_] : n;                                                                     \
    OPT_ALL##MOST(CASE)                                                                                      \
    const long item = get_global_id(0) - before_; /* behind the last piece n is 0: nothing is done */        \
    global const float *grad = grad_;                                                                        \
    (void)sa;                                                                                                \
    (void)sb;                                                                                                \
    (void)g;
/* Kernels for up to 4 and up to 10 parameters: an argument costs some drivers half a microsecond. */
#define OPT_SEVERAL(name, STATES, SCALARS, BEGIN, BODY)                                                      \
    OPT_KERNEL void name##_4(OPT_LIST4(OPT_ARGS##STATES), SCALARS OPT_COMMON)                                \
    {                                                                                                        \
        OPT_FIND(4, OPT_CASE##STATES)                                                                        \
        BEGIN OPT_LOOP(BODY)                                                                                 \
    }                                                                                                        \
    OPT_KERNEL void name##_10(OPT_LIST10(OPT_ARGS##STATES), SCALARS OPT_COMMON)                              \
    {                                                                                                        \
        OPT_FIND(10, OPT_CASE##STATES)                                                                       \
        BEGIN OPT_LOOP(BODY)                                                                                 \
    }

#define OPT_LOAD1(p) (*(p))
#define OPT_STORE1(v, p) (*(p) = (v))
/* Runs BODY(type, load, store) over i … end - 1: whole vectors, then the rest. */
#define OPT_LOOP(BODY)                                                                                       \
    {                                                                                                        \
        long i = item * per;                                                                                 \
        const long end = min(i + per, n);                                                                    \
        for (; i + VL <= end; i += VL)                                                                       \
            BODY(ONN_V, ONN_LOAD, ONN_STORE)                                                                 \
        for (; i < end; i++)                                                                                 \
            BODY(float, OPT_LOAD1, OPT_STORE1)                                                               \
    }
#define OPT_SCALARS ONN_IN(float, lr), ONN_IN(float, scale),
#define OPT_STEPPED OPT_SCALARS ONN_IN(long, step),
#define OPT_BEGIN                                                                                            \
    const float rate = *ONN_PTR(lr), times = g.has_scale ? *ONN_PTR(scale) : 1.0f;                           \
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
OPT_SEVERAL(opt_sgd, 0, OPT_SCALARS, OPT_BEGIN, OPT_SGD)
OPT_SEVERAL(opt_sgd_momentum, 1, OPT_SCALARS, OPT_BEGIN, OPT_SGD)

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
OPT_SEVERAL(opt_adam, 2, OPT_STEPPED, OPT_BEGIN OPT_CORRECTIONS, OPT_ADAM)
#undef OPT_DECOUPLED
#define OPT_DECOUPLED 1
OPT_SEVERAL(opt_adamw, 2, OPT_STEPPED, OPT_BEGIN OPT_CORRECTIONS, OPT_ADAM)

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
OPT_SEVERAL(opt_rmsprop, 1, OPT_SCALARS, OPT_BEGIN, OPT_RMSPROP)
OPT_SEVERAL(opt_rmsprop_momentum, 2, OPT_SCALARS, OPT_BEGIN, OPT_RMSPROP)

/* AdaGrad (Duchi, Hazan, Singer 2011). */
#define OPT_ADAGRAD(T, load, store)                                                                          \
    {                                                                                                        \
        const T p = load(param + i);                                                                         \
        const T d = load(grad + i) * (T)(times) + p * (T)(g.weight_decay);                                   \
        const T v = load(sa + i) + d * d;                                                                    \
        store(v, sa + i);                                                                                    \
        store(p - d * (T)(rate) / (sqrt(v) + (T)(g.epsilon)), param + i);                                    \
    }
OPT_SEVERAL(opt_adagrad, 1, OPT_SCALARS, OPT_BEGIN, OPT_ADAGRAD)

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

#define OPT_ONE                                                                                              \
    const long item = get_global_id(0);                                                                      \
    global float *param = (global float *)ONN_PTR(p0), *sa = (global float *)ONN_PTR(a0);                    \
    global const float *grad = ONN_PTR(d0);                                                                  \
    (void)grad;                                                                                              \
    (void)sa;

/* LARS (You, Gitman, Ginsburg 2017): the rate of a layer follows |param| / |grad|. */
OPT_KERNEL void opt_lars_norms(OPT_ARGS1(0), OPT_SCALARS ONN_OUT(float, part), const struct opt_args g, const long n,
                           const long per)
{
    OPT_ONE
    OPT_BEGIN
    const long end = min((item + 1) * per, n);
    float sp = 0.0f, sd = 0.0f;
    for (long i = item * per; i < end; i++) {
        sp += param[i] * param[i];
        sd += grad[i] * times * (grad[i] * times);
    }
    ONN_PTR(part)[2 * item] = sp;
    ONN_PTR(part)[2 * item + 1] = sd;
}

#define OPT_LARS(T, load, store)                                                                             \
    {                                                                                                        \
        const T p = load(param + i);                                                                         \
        const T d = (load(grad + i) * (T)(times) + p * (T)(g.weight_decay)) * (T)(local_rate);               \
        const T m = load(sa + i) * (T)(g.momentum) + d;                                                      \
        store(m, sa + i);                                                                                    \
        store(p - m * (T)(rate), param + i);                                                                 \
    }
OPT_KERNEL void opt_lars(OPT_ARGS1(0), OPT_SCALARS ONN_IN(float, part), const struct opt_args g, const long n,
                     const long per, const long parts)
{
    OPT_ONE
    OPT_BEGIN
    float np, nd;
    opt_norms(ONN_PTR(part), parts, &np, &nd);
    const float local_rate = np > 0.0f && nd > 0.0f ? g.trust * np / (nd + g.weight_decay * np + g.epsilon) : 1.0f;
    OPT_LOOP(OPT_LARS)
}

/* LAMB (You and others 2020): Adam's update, scaled to |param| / |update|. The first launch moves the moments. */
OPT_KERNEL void opt_lamb_norms(OPT_ARGS2(0), OPT_STEPPED ONN_OUT(float, part),
                           const struct opt_args g, const long n, const long per)
{
    OPT_ONE
    OPT_BEGIN
    OPT_CORRECTIONS
    global float *sb = (global float *)ONN_PTR(b0);
    const long end = min((item + 1) * per, n);
    float sp = 0.0f, su = 0.0f;
    for (long i = item * per; i < end; i++) {
        const float d = grad[i] * times, p = param[i];
        OPT_MOMENTS(float, OPT_LOAD1, OPT_STORE1, d)
        sa[i] = m;
        sb[i] = v;
        const float u = m / c1 / (sqrt(v) / c2 + g.epsilon) + g.weight_decay * p;
        sp += p * p;
        su += u * u;
    }
    ONN_PTR(part)[2 * item] = sp;
    ONN_PTR(part)[2 * item + 1] = su;
}

#define OPT_LAMB(T, load, store)                                                                             \
    {                                                                                                        \
        const T p = load(param + i);                                                                         \
        const T u = load(sa + i) / (T)(c1) / (sqrt(load(sb + i)) / (T)(c2) + (T)(g.epsilon)) +               \
                    p * (T)(g.weight_decay);                                                                 \
        store(p - u * (T)(rate * ratio), param + i);                                                         \
    }
OPT_KERNEL void opt_lamb(OPT_ARGS2(0), OPT_STEPPED ONN_IN(float, part), const struct opt_args g,
                     const long n, const long per, const long parts)
{
    OPT_ONE
    OPT_BEGIN
    OPT_CORRECTIONS
    global float *sb = (global float *)ONN_PTR(b0);
    float np, nu;
    opt_norms(ONN_PTR(part), parts, &np, &nu);
    const float ratio = np > 0.0f && nu > 0.0f ? np / nu : 1.0f;
    OPT_LOOP(OPT_LAMB)
}

/* The state is the parameter, what it gets the gradient. */
#define OPT_ASSIGN(T, load, store) store(load(grad + i), param + i);
#define OPT_ACCUMULATE(T, load, store) store(load(param + i) + load(grad + i), param + i);
#define OPT_EMA(T, load, store)                                                                              \
    {                                                                                                        \
        const T s = load(param + i);                                                                         \
        store(s + (load(grad + i) - s) * (T)(rest), param + i);                                              \
    }
#define OPT_GUARD ONN_IN(float, guard),
#define OPT_GUARDED                                                                                          \
    if (g.has_scale && *ONN_PTR(guard) != *ONN_PTR(guard))                                                   \
        return;
OPT_SEVERAL(opt_assign, 0, OPT_GUARD, OPT_GUARDED, OPT_ASSIGN)
OPT_SEVERAL(opt_accumulate, 0, , , OPT_ACCUMULATE)
/* The decay after t values: (1 + t) / (10 + t) at most, so that the first ones are forgotten soon. */
#define OPT_EMA_BEGIN                                                                                        \
    OPT_GUARDED                                                                                              \
    float rest = 1.0f - g.decay;                                                                             \
    if (g.has_step)                                                                                          \
        rest = max(rest, 9.0f / (10.0f + (float)*ONN_PTR(step)));
#define OPT_AVERAGED OPT_GUARD ONN_IN(long, step),
OPT_SEVERAL(opt_ema, 0, OPT_AVERAGED, OPT_EMA_BEGIN, OPT_EMA)
OPT_KERNEL void opt_count_up(ONN_IN(long, counter), ONN_IN(float, guard), const long guarded, const long n,
                             const long per)
{
    if (guarded && *ONN_PTR(guard) != *ONN_PTR(guard))
        return;
    global long *counter = (global long *)ONN_PTR(counter);
    const long k = get_global_id(0), end = min((k + 1) * per, n);
    for (long i = k * per; i < end; i++)
        counter[i] += 1;
}
