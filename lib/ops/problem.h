/* The one problem grammar of tests, bench, tuner and dumps: an operator with its operands as a line of text.
 *
 *   conv x=1x64x56x56 w=64x64x3x3:f32 b=- pad=1 stride=2 group=1 +add=1x64x28x28 +clip{min=0,max=6}
 *
 * The first word is the operator's name; then, in any order, words KEY=VALUE parted by blanks:
 *   attribute=VALUE  KEY is one of the operator's attributes. A list is "1,2,3", an empty list "()". A number for a
 *                    list is a list of one; but pad, stride, dilation, kernel and kernel_shape given as one number
 *                    are that number for every spatial dimension of input 0 (pad: for both ends). "1," is a list of
 *                    one even there. A text with blanks stands between single quotes. A tensor is given as @VALUES.
 *   name=SHAPE       any other KEY is the next input. SHAPE is dims parted by x (1x3x8x8), "scalar", or "-" for an
 *                    absent optional input; "?" is an unknown dimension. Behind it ":dtype" (f32 if absent) and
 *                    ":format" (plain if absent; the names of onn_format_name).
 *   name=@1,2,3      an input whose value is known: a list of these, i64 if absent; with ":scalar" one number of rank
 *                    0, "@()" is an empty list.
 *   outs=N           number of outputs where it is not the operator's least.
 *   opset=N          ONNX opset for the few rules that depend on it.   math=tf32|fp16|bf16   what may be rounded.
 *   f:FMT/FMT/…      formats of the outputs (plain where none is given).
 *   +step            an element-wise step behind output 0: +relu, +add=SHAPE (the shape of its extra input), +sub~=SHAPE
 *                    (swapped operands), attributes in braces: +leaky_relu{alpha=0.1}. In the order given.
 * onn_prob_text prints the same grammar: what it prints parses to the same problem. */
#ifndef ONN_OPS_PROBLEM_H
#define ONN_OPS_PROBLEM_H

#include "ops/op.h"

/* Owns everything that prob points to. Must not be moved: prob points into it. */
struct onn_problem {
    struct onn_prob prob; /* in[], value[], attr and epi set; out[] after onn_problem_infer */
    void *attr;
    struct onn_desc *in, *out;
    struct onn_blob **value;
    struct onn_epilogue epi;
    const char *formats; /* the word behind f:, NULL if none */
    struct onn_arena arena;
    struct onn_blob **held; /* constant inputs and tensor attributes */
    int n_held, cap_held;
};

/* Errors: OCLNN_ERROR_ARGUMENT with the column, OCLNN_ERROR_NOT_FOUND for an unknown operator, OCLNN_ERROR_MEMORY.
 * After an error nothing is left to finish. */
enum oclnn_status onn_problem_parse(const char *text, struct onn_problem *out);
/* Checks attributes and counts, then fills prob.out with the shapes (and the formats of f:). */
enum oclnn_status onn_problem_infer(struct onn_problem *p);
void onn_problem_finish(struct onn_problem *p);

#endif
