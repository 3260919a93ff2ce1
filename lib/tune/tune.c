#include "tune/tune.h"
#include "base/clock.h"
#include "plan/check.h"
#include "runtime/tunedb.h"

#include <string.h>

#define TOLERANCE 1e-3 /* of the largest value; what fails to keep it is wrong, not imprecise */
#define HOPELESS 8.0 /* predicted to take that many times the best: not measured */
#define GIVE_UP 1.5 /* times the best after LOOKS samples: not measured any further */
#define UNKNOWN 2.0 /* a candidate that was not measured counts as this many times the best that was */
#define KEEP 1.1 /* the predicted candidate stays unless another one is that many times faster */
#define RUNS_OFF 3 /* rounds in which the fastest and the predicted one are measured again, in turn */
#define LOOKS \
    2 /* samples of a millisecond before giving up; the best counts: what disturbs only makes slower */
#define REPEATS 6

/* "winograd43#0", "tiled#0 tile=4" */
static const char *candidate_name(const struct onn_choice *c, struct onn_str *s)
{
    s->length = 0;
    onn_str_add(s, "%s#%d", c->variant->name, c->tuple);
    for (int i = 0; c->variant->tunables && c->variant->tunables[i].name && i < ONN_TUNABLES; i++)
        if (c->tune.v[i] != c->variant->tunables[i].def)
            onn_str_add(s, " %s=%d", c->variant->tunables[i].name, (int)c->tune.v[i]);
    return onn_str_text(s);
}

/* Made-up data suit float operands only: integers are indices and sizes as a rule. */
static bool can_measure(const struct onn_prob *p)
{
    for (int i = 0; i < p->n_in; i++)
        if (p->in[i].dtype && !onn_dtype_is_float(p->in[i].dtype))
            return false;
    return p->n_in > 0 && p->n_out > 0 && !(p->op->flags & (ONN_OP_RANDOM | ONN_OP_UPDATES));
}

/* The candidate that is predicted to be the fastest, among those with a time in ns[] (NULL: among all); -1: none. */
static int predicted(const struct onn_choice *c, int n, const double *ns)
{
    int best = -1;
    for (int i = 0; i < n; i++)
        if (c[i].variant && (!ns || ns[i] > 0) && (best < 0 || c[i].time < c[best].time))
            best = i;
    return best;
}

static int fastest(const double *ns, int n)
{
    int best = -1;
    for (int i = 0; i < n; i++)
        if (ns[i] > 0 && (best < 0 || ns[i] < ns[best]))
            best = i;
    return best;
}

/* Right and how fast? A candidate that fails or errs is written down as bad, so that it is not tried again. */
static double measure_one(struct onn_tuner *t, struct onn_check *check, const struct onn_choice *c,
    double best)
{
    struct onn_single_options options = {.tune = &c->tune, .repeats = LOOKS};
    struct onn_single_result result;
    enum oclnn_status status = onn_check_run(check, c->variant, c->tuple, &options, &result);
    t->measured++;
    if (status == OCLNN_OK && !onn_check_compare(check, TOLERANCE, 1e-5).wrong) {
        if (best > 0 && result.best_ns > GIVE_UP * best)
            return result.best_ns;
        options.repeats = REPEATS;
        status = onn_check_run(check, c->variant, c->tuple, &options, &result);
        if (status == OCLNN_OK)
            return result.best_ns > 0 ? result.best_ns : 1;
    }
    t->failed++;
    onn_log(onn_context_log(t->ctx), OCLNN_LOG_WARN, "tuning: variant '%s' of %s %s here: not used",
        c->variant->name, check->problem->prob.op->name,
        status == OCLNN_OK ? "gives wrong numbers" : oclnn_error_text(NULL));
    onn_error_clear();
    return ONN_TUNEDB_BAD;
}

/* One disturbed measurement must not decide: the two that matter are measured again, in turn, and the best counts. */
static void run_off(struct onn_check *check, const struct onn_choice *c, const int pair[2], double *ns)
{
    for (int k = 0; k < 2 * RUNS_OFF && pair[0] != pair[1]; k++) {
        const int i = pair[k % 2];
        struct onn_single_options options = {.tune = &c[i].tune, .repeats = REPEATS};
        struct onn_single_result result;
        if (onn_check_run(check, c[i].variant, c[i].tuple, &options, &result) == OCLNN_OK &&
            result.best_ns > 0 && result.best_ns < ns[i])
            ns[i] = result.best_ns;
    }
}

/* Fills ns[] of the candidates worth it. */
static void measure(struct onn_tuner *t, const char *text, const struct onn_choice *c, int n, double *ns)
{
    const int likely = predicted(c, n, NULL);
    const double limit = likely >= 0 ? HOPELESS * c[likely].time : 0;
    struct onn_problem problem;
    struct onn_check check;
    struct onn_str name = {0};
    double best = -1;
    const struct onn_variant *first = NULL;
    bool choice =
        false; /* between kernels: one kernel's formats are better judged together with its neighbours */
    for (int i = 0; i < n; i++)
        if (c[i].variant && c[i].time <= limit) {
            choice |= first && (c[i].variant != first || c[i].tuple == c[0].tuple);
            first = first ? first : c[i].variant;
        }
    if (!choice || onn_problem_parse(text, &problem) != OCLNN_OK) {
        onn_error_clear();
        return;
    }
    if (onn_problem_infer(&problem) == OCLNN_OK &&
        onn_check_init(t->ctx, &problem, false, &check) == OCLNN_OK) {
        const bool ready = onn_check_want(&check) == OCLNN_OK;
        for (int i = 0; i < n && ready; i++) {
            if (!c[i].variant || c[i].time > limit || ns[i] > 0)
                continue;
            ns[i] = measure_one(t, &check, &c[i], best);
            if (best < 0 || ns[i] < best)
                best = ns[i];
        }
        if (best > 0)
            run_off(&check, c, (const int[2]){fastest(ns, n), predicted(c, n, ns)}, ns);
        for (int i = 0; i < n; i++)
            if (ns[i] > 0)
                onn_tunedb_add(t->ctx, text, candidate_name(&c[i], &name), ns[i]);
        onn_check_finish(&check);
    }
    onn_error_clear();
    onn_problem_finish(&problem);
    onn_str_finish(&name);
}

void onn_tune_adjust(void *user, const struct onn_prob *p, struct onn_choice *c, int n)
{
    struct onn_tuner *t = user;
    struct onn_prob q = *p;
    struct onn_str text = {0}, name = {0};
    double best = -1, *ns = onn_calloc((size_t)n + 1, sizeof *ns);
    int known = 0;
    q.value = NULL; /* the same times whatever the weights are */
    onn_prob_text(&q, &text);
    if (!ns || !onn_str_ok(&text) || n < 2 || !can_measure(&q))
        goto done;
    for (int i = 0; i < n; i++) {
        ns[i] =
            c[i].variant ? onn_tunedb_find(t->ctx, onn_str_text(&text), candidate_name(&c[i], &name)) : -1;
        known += ns[i] > 0;
    }
    if (t->measure && !known && t->spent_ns < t->budget_ns && !onn_context_caps(t->ctx)->slow) {
        uint64_t begin = onn_clock_ns();
        measure(t, onn_str_text(&text), c, n, ns);
        t->spent_ns += (double)(onn_clock_ns() - begin);
    }
    const int likely = predicted(c, n, ns), quick = fastest(ns, n);
    if (quick >= 0) {
        best = ns[quick];
        if (ns[likely] <= KEEP * best)
            ns[likely] = best * 0.999;
    }
    for (int i = 0; best > 0 && i < n; i++) {
        if (ns[i] > 0)
            c[i].time = ns[i] * 1e-9;
        else if (c[i].variant && c[i].time < UNKNOWN * best * 1e-9)
            c[i].time = UNKNOWN * best * 1e-9;
    }
done:
    onn_free(ns);
    onn_str_finish(&text);
    onn_str_finish(&name);
}
