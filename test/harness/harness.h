/* The operator harness. A test of a family, test/ops/<family>.c, is a table of cases and a reference in double; the
 * harness runs every case on every variant that does not refuse, in every format tuple, in f32 and f16 (a few
 * in f64 too), and checks
 *   - integer data: variants marked EXACT must give the reference's numbers, tolerance 0
 *   - real data: |got - want| <= c * eps * scale, scale from the reference
 *   - views as inputs and outputs, and in place, for variants whose flags say so
 *   - sentinels around every buffer, inputs unchanged, padding lanes 0, poisoned workspace and outputs
 *   - a second run gives the same bytes
 *   - the operator's host function, if it has one.
 *
 *     static void ref_relu(struct onn_ref *r)
 *     {
 *         for (int64_t i = 0; i < r->out_n[0]; i++)
 *             r->out[0][i] = r->in[0][i] > 0 ? r->in[0][i] : 0;
 *     }
 *     static const struct onn_case cases[] = {
 *         {"relu x=2x3x5x7", ref_relu},
 *         {.problem = "relu x=1x16x4x4", .ref = ref_relu, .c = 1},
 *         {0},
 *     };
 *     int main(int argc, char **argv)
 *     {
 *         return onn_harness_main(argc, argv, cases);
 *     }
 *
 * Command line: [FILTER]… (substrings of problems) [--variant NAME] [--tuple N] [--dtype f32|f16|f64] [--verbose]
 * [--bench] (times instead of checking) [--problem TEXT] (this one, with the reference of the first case of its
 * operator). OCLNN_DEVICE selects the device. Exit: 0 passed, 1 failed, 77 no device.
 * Pure checks go before: cmocka groups in the same main, onn_check_infer for shapes. */
#ifndef ONN_TEST_HARNESS_H
#define ONN_TEST_HARNESS_H

#include "ops/problem.h"

/* What a reference sees: row-major arrays in double, holding exactly what the device gets. */
struct onn_ref {
    const struct onn_prob
        *prob; /* inferred, plain formats, without the epilogue (the harness applies that) */
    int n_in, n_out;
    const double *const *in; /* NULL: absent */
    const int64_t *in_n, *out_n; /* elements */
    double **out; /* to be filled */
    double *
        *scale; /* zeroed; may be filled with what rounding errors are relative to: the sum of |a*b| of the
                       * element. Where an output's are all 0 the largest |out| counts */
    double *
        *updated; /* copies of in[]; operators that update their inputs in place write the new values there */
};
typedef void (*onn_ref_fn)(struct onn_ref *r);
/* Overwrites the default data of input i (integers -3 … 3, or real numbers in -1 … 1): indices, positive numbers. */
typedef void (*onn_fill_fn)(const struct onn_prob *p, int i, bool integer, double *data, int64_t n);

enum onn_case_flags {
    ONN_CASE_NO_INTEGER = 1, /* no integer data: exp, sqrt … are never exact */
    ONN_CASE_NO_REAL = 2,
    ONN_CASE_NO_F16 = 4, /* no f64 either */
    ONN_CASE_NO_HOST = 8, /* do not look at the host function */
    ONN_CASE_NO_EXACT = 16, /* integer data, but within the tolerance: a mean, a division */
    ONN_CASE_SLOW = 32, /* only with --bench or --all */
};
struct onn_case {
    const char *problem; /* ops/problem.h */
    onn_ref_fn ref; /* NULL: only the checks that need none (random operators) */
    double c; /* of the tolerance; 0 stands for 4 */
    uint32_t flags;
    onn_fill_fn fill;
};

/* cases ends with a NULL problem. */
int onn_harness_main(int argc, char **argv, const struct onn_case *cases);

/* Index arithmetic for references. */
int64_t onn_ref_elements(const struct onn_desc *d);
/* Row-major position of idx[rank] in a tensor of d's dims. */
int64_t onn_ref_at(const struct onn_desc *d, const int64_t *idx);
/* idx[] of position i. */
void onn_ref_index(const struct onn_desc *d, int64_t i, int64_t *idx);
/* Position in a tensor that is broadcast (numpy rules) to `out`, for position i of out. */
int64_t onn_ref_broadcast(const struct onn_desc *d, const struct onn_desc *out, int64_t i);

/* A cmocka check (fails the running test): infers the problem and compares output 0's text, or, when want begins with
 * '!', that the error's sentence contains the rest. */
void onn_check_infer(const char *problem, const char *want);

#endif
