/* ReverseSequence: the first length[b] time steps in reverse, the others as they are.
 * Arguments  y and x: dim0 x dim1 x inner, contiguous; time_first: dim0 is the time and dim1 the batch, or vice
 *            versa. Lengths are clamped to the extent of the time.
 * Defines    REVERSE_T (uint): unsigned type of the element's size; REVERSE_I (long): type of the lengths.
 * Work       one element per work-item, any work-group. Exactly as many items as elements: with a test for those behind
 *            the last one Intel's compiler for CPUs (2026.2) makes a kernel that writes nothing.
 */
#include "lib/types.h"

#ifndef REVERSE_T
#define REVERSE_T uint
#endif
#ifndef REVERSE_I
#define REVERSE_I long
#endif

kernel void reversesequence_each(ONN_IN(REVERSE_T, x), ONN_IN(REVERSE_I, length), ONN_OUT(REVERSE_T, y), int dim0,
    int dim1, int inner, int time_first)
{
    const int id = get_global_id(0);
    const int i = id % inner, b1 = id / inner % dim1, b0 = id / inner / dim1;
    const int t = time_first ? b0 : b1, b = time_first ? b1 : b0;
    const int n = (int)clamp((long)ONN_PTR(length)[b], 0L, (long)(time_first ? dim0 : dim1));
    const int s = t < n ? n - 1 - t : t;
    const long from = time_first ? (long)s * dim1 + b : (long)b * dim1 + s;
    ONN_PTR(y)[id] = ONN_PTR(x)[from * inner + i];
}
