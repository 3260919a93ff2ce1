/* One operator alone: a problem, a variant and one of its format tuples, on host arrays. Tests, the tuner, the bench of
 * single operators and the self-test use it; the planner does not. */
#ifndef ONN_PLAN_SINGLE_H
#define ONN_PLAN_SINGLE_H

#include "ops/problem.h"
#include "plan/exec.h"

#define ONN_SINGLE_TUPLES 16 /* format tuples looked at per variant */

struct onn_single_options {
    const struct onn_tune *tune; /* NULL: the variant's defaults */
    size_t sentinel_bytes; /* watched bytes before and behind every tensor, rounded up to 64; 0: none */
    bool strided; /* inputs (outputs) are views of larger tensors where the variant takes that */
    bool inplace; /* output 0 lies on input 0; needs ONN_VARIANT_INPLACE0 and equal layouts */
    bool twice; /* run a second time on freshly poisoned buffers and compare the bytes */
    int repeats; /* timed runs after that */
    double *time_ns; /* repeats entries, may be NULL */
    void *const *updated; /* per input: where to read it back to after the run, or NULL; may be NULL itself */
};

struct onn_single_result {
    bool
        sentinels_ok; /* nothing outside the outputs was written: neither around them, nor in gaps of views */
    bool padlanes_ok; /* padding lanes of blocked outputs are 0 */
    bool inputs_ok; /* inputs unchanged (operators that update theirs: not looked at) */
    bool repeat_ok; /* the second run gave the same bytes */
    bool inplace; /* was run in place */
    int n_launches;
    size_t workspace; /* bytes */
    double best_ns, median_ns; /* of one run; 0 without repeats */
};

/* Format tuple `index` of a variant for an inferred problem: a copy of the problem whose descs (in[], out[]; room for
 * n_in and n_out) carry the formats. Returns NULL if the variant takes it, else the reason. An index at or behind the
 * number of tuples gives "" (the empty reason). */
const char *onn_single_formats(const struct oclnn_context *ctx, const struct onn_problem *p,
    const struct onn_variant *v, int index, struct onn_prob *prob, struct onn_desc *in, struct onn_desc *out);
/* Runs an inferred problem. in[i], out[i]: row-major host arrays; in[i] NULL takes the problem's known value; absent
 * ones are ignored. options may be NULL. Errors: OCLNN_ERROR_UNSUPPORTED with the reason if the variant refuses. */
enum oclnn_status onn_single_run(struct oclnn_context *ctx, const struct onn_problem *p,
    const struct onn_variant *v, int tuple, const struct onn_single_options *options, const void *const *in,
    void *const *out, struct onn_single_result *result);
/* "in c8 plain out c8": the formats of a tuple, for reports. */
void onn_single_formats_text(const struct onn_prob *prob, struct onn_str *s);
/* The variant of an operator by name; NULL if there is none. */
const struct onn_variant *onn_single_variant(const struct onn_op *op, const char *name);

#endif
