/* Between the harness's files. */
#ifndef ONN_TEST_HARNESS_INTERNAL_H
#define ONN_TEST_HARNESS_INTERNAL_H

#include "harness/harness.h"
#include "plan/single.h"

/* One parsed case with its data: doubles for the reference, bytes of the real element types for the device. */
struct onn_data {
    struct onn_problem *problem;
    const struct onn_case *test;
    bool integer;
    struct onn_ref ref;
    struct onn_prob bare; /* the problem without its epilogue */
    void **in, **out, **updated; /* host arrays in the operands' types */
    struct onn_arena arena;
    bool has_ref;
};
/* Fills the inputs and runs the reference, epilogue included. False when memory is short. */
bool onn_data_make(struct onn_data *d, struct onn_problem *p, const struct onn_case *test, bool integer);
void onn_data_finish(struct onn_data *d);

/* Compares outputs (and updated inputs) with the reference; says where the first difference is. */
struct onn_difference {
    bool differs;
    char text[400];
    double worst; /* largest error / tolerance */
};
#define ONN_WINOGRAD_FACTOR 32 /* the transforms of F(4,3) multiply rounding errors by about this */
/* updated: compare d->updated with the reference's; exact: tolerance 0; factor: on the tolerance. */
void onn_data_compare(const struct onn_data *d, bool exact, double factor, struct onn_difference *out);

#endif
