/* Tensors against what they should be. */
#ifndef OCLNN_TOOLS_COMPARE_H
#define OCLNN_TOOLS_COMPARE_H

#include <oclnn/tensor.h>
#include <stdbool.h>

#define TOOL_TOLERANCE 1e-3
#define TOOL_TOLERANCE_F16 1e-2 /* numbers stored as f16 between the layers */

struct tool_difference {
    bool is_same_shape, passes;
    int64_t index; /* row-major, of the worst element */
    double got, want; /* there */
    double max_abs, scale; /* largest |got - want| and largest |want|, both over finite elements */
    int64_t wrong; /* elements out of tolerance */
};
/* |got - want| <= tolerance * max|want| + 1e-5; an element that is not finite must be the same one in both. Integers
 * must be equal. */
struct tool_difference tool_compare(const oclnn_tensor *got, const oclnn_tensor *want, double tolerance);
/* Element i as double; any element type. */
double tool_element(const oclnn_tensor *t, int64_t i);
int64_t tool_elements(const oclnn_tensor *t);
/* "[0,12,3]" of a row-major index; returns `text`. */
const char *tool_index_text(const oclnn_tensor *t, int64_t index, char text[static 200]);

#endif
