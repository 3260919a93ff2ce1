/* Argument conventions shared by all kernels.
 *
 * ONN_IN, ONN_OUT
 *           one tensor argument is a pair: the buffer, and an offset into it in elements
 * ONN_PTR   the address such a pair stands for
 */
#ifndef ONN_TYPES_H
#define ONN_TYPES_H

#define ONN_CAT_(a, b) a##b
#define ONN_CAT(a, b) ONN_CAT_(a, b)

#define ONN_IN(T, x) global const T *x##_mem, long x##_off
#define ONN_OUT(T, x) global T *x##_mem, long x##_off
#define ONN_PTR(x) (x##_mem + x##_off)

/* A struct by value that is read at indices known only while running: ONN_ARGS in the list of arguments, ONN_TAKE as the first
 * statement. Where a compiler cannot do that (ONN_COPY_ARGS, from the library), x is a copy in private memory, made under
 * a condition that always holds: without one the compiler would see through the copy. */
#ifdef ONN_COPY_ARGS
#define ONN_ARGS(T, x) const T x##_arg
#define ONN_TAKE(T, x)                                                                                                 \
    T x;                                                                                                               \
    if (get_work_dim() != 0)                                                                                           \
    x = x##_arg
#else
#define ONN_ARGS(T, x) const T x
#define ONN_TAKE(T, x)
#endif

/* Inlined whatever the compiler thinks of its size: constant arguments have to reach the loops. */
#define ONN_INLINE static inline __attribute__((always_inline))

#define ONN_DIV_UP(a, b) (((a) + (b)-1) / (b))

#endif
