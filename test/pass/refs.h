/* The references in double of every operator: the tables of test/ops/<family>.c, linked into one program. */
#ifndef ONN_TEST_REFS_H
#define ONN_TEST_REFS_H

#include "harness/harness.h"

/* The reference that computes problem p; NULL if there is none. */
onn_ref_fn onn_ref_find(const struct onn_prob *p);

#endif
