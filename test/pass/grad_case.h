/* One instance of a row of grad_rows.h, and graphs of several: y_i = op(x_i …), loss = sum of w_i * y_i, with the gradient
 * appended. */
#ifndef ONN_TEST_GRAD_CASE_H
#define ONN_TEST_GRAD_CASE_H

#include "harness/train.h"
#include "ops/problem.h"
#include "pass/grad_rows.h"

#define ONN_GRAD_OPERANDS 8
struct onn_grad_case {
    char text[320];
    const struct onn_grad_row *row;
    struct onn_problem problem;
    int n_in, n_out; /* differentiable inputs, float outputs */
    struct onn_blob *x[ONN_GRAD_OPERANDS], *w[ONN_GRAD_OPERANDS];
    /* ids in the full graph: inputs, their gradients (0: none), outputs; and where the last two are among the outputs */
    int32_t in[ONN_GRAD_OPERANDS], gradient[ONN_GRAD_OPERANDS], y[ONN_GRAD_OPERANDS];
    int y_at, g_at[ONN_GRAD_OPERANDS];
};

int64_t onn_grad_draw(uint64_t *seed, int64_t low, int64_t high);
/* Draws the row's numbers: `count` texts, all different if the row has so many; how many there are. */
int onn_grad_draw_cases(const struct onn_grad_row *row, struct onn_grad_case *cases, int count);

struct onn_grad_graph {
    struct onn_graph *full; /* inferred, outputs: every y, the loss, every gradient */
    int32_t forward, loss; /* nodes of the forward part; a value */
};
/* The same text always gets the same data. */
void onn_grad_graph_init(struct onn_grad_graph *t, struct onn_grad_case *const *cases, int n);
/* Frees what init made, in the cases too. */
void onn_grad_graph_finish(struct onn_grad_graph *t, struct onn_grad_case *const *cases, int n);

#endif
