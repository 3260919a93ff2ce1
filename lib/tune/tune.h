/* Measured choice: what the tuning database knows of a node's candidates replaces their predicted times, and what it does
 * not know is measured where that was asked for. */
#ifndef ONN_TUNE_TUNE_H
#define ONN_TUNE_TUNE_H

#include "plan/assign.h"
#include "runtime/context.h"

struct onn_tuner {
    struct oclnn_context *ctx;
    bool measure; /* else only what the database has */
    double budget_ns; /* of measuring; no new problem is begun behind it */
    double spent_ns;
    int measured, failed; /* candidates */
};

/* An onn_adjust_fn; user is a struct onn_tuner. Never fails: what cannot be measured keeps its predicted time. */
void onn_tune_adjust(void *user, const struct onn_prob *p, struct onn_choice *c, int n);

#endif
