/* One problem on made-up data: what it should give, and how far a variant is from that. For the self-test, the tuner and
 * benchmarks of single operators. */
#ifndef ONN_PLAN_CHECK_H
#define ONN_PLAN_CHECK_H

#include "plan/single.h"

/* Data and answers of one inferred problem, row-major on the host. */
struct onn_check {
    struct oclnn_context *ctx;
    const struct onn_problem *problem;
    void **in; /* per input; NULL where the problem knows the value or the input is absent */
    void **want; /* per output */
    void **got;
    struct onn_arena arena;
};
struct onn_check_difference {
    int output; /* of the worst element */
    int64_t index; /* row-major */
    double got, want; /* there */
    double max_abs, scale; /* largest difference; largest |want| */
    double limit; /* allowed for that output */
    int64_t wrong; /* elements over the limit */
};

/* Makes the inputs. positive: no number below 1/8 (for logarithms, roots, variances). p must outlive c. */
enum oclnn_status onn_check_init(struct oclnn_context *ctx, const struct onn_problem *p, bool positive,
    struct onn_check *c);
void onn_check_finish(struct onn_check *c);
/* The variant that the others are compared with: the last one. NULL if the operator has none. */
const struct onn_variant *onn_check_reference(const struct onn_op *op);
/* Computes want[] on the device with the reference variant. */
enum oclnn_status onn_check_want(struct onn_check *c);
/* Computes got[] on the host. False where the operator cannot do that. */
bool onn_check_host(struct onn_check *c);
/* Runs format tuple `tuple` of a variant into got[]. */
enum oclnn_status onn_check_run(struct onn_check *c, const struct onn_variant *v, int tuple,
    const struct onn_single_options *options, struct onn_single_result *result);
/* got[] against want[]: |got - want| <= tolerance * max|want| + absolute; integers must be equal; an element that is
 * not finite must be the same one in both. */
struct onn_check_difference onn_check_compare(const struct onn_check *c, double tolerance, double absolute);

#endif
