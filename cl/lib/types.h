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

/* Inlined whatever the compiler thinks of its size: constant arguments have to reach the loops. */
#define ONN_INLINE static inline __attribute__((always_inline))

#define ONN_DIV_UP(a, b) (((a) + (b)-1) / (b))

#endif
