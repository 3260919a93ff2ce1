/* The self-test's problems. */
#ifndef ONN_MODEL_SELFTEST_H
#define ONN_MODEL_SELFTEST_H

#include "ops/op.h"
#include "ops/problem.h"

/* A problem with "$" behind each shape whose element type is varied. Small, with odd sizes that leave remainders. */
struct onn_self_test_case {
    const char *text;
    bool positive; /* only on numbers above 0 */
};
/* Ends with a NULL text. */
extern const struct onn_self_test_case onn_self_test_cases[];

/* Case `index` of an operator, from the table, or one made up for operators that take equal shapes; parsed for this
 * element type and inferred. NOT_FOUND behind the last; any other error: this type or shape is not for the operator.
 * *positive is set; the caller finishes *out after success. */
enum oclnn_status onn_self_test_problem(const struct onn_op *op, int index, enum oclnn_dtype dtype,
    struct onn_problem *out, bool *positive);
/* Bits of element types for which a case infers and has a variant that does not refuse it; 0 = no case. */
unsigned onn_self_test_dtypes(const struct onn_op *op);

#endif
