#include "harness/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Distance of neighbouring numbers around 1. */
static double epsilon(enum oclnn_dtype dtype)
{
    switch (dtype) {
    case OCLNN_F64: /* stored so, computed in float */
    case OCLNN_F32: return 0x1p-23;
    case OCLNN_F16: return 0x1p-10;
    case OCLNN_BF16: return 0x1p-7;
    default: return 0;
    }
}

/* want as the element type can hold it. */
static double rounded(enum oclnn_dtype dtype, double want)
{
    uint64_t cell = 0;
    if (!onn_dtype_is_float(dtype))
        return want;
    onn_store_f64(dtype, &cell, 0, want);
    return onn_load_f64(dtype, &cell, 0);
}

static void describe(struct onn_difference *diff, const struct onn_desc *desc, const char *what, int index,
    int64_t i, double got, double want, double tolerance)
{
    int64_t idx[ONN_MAX_RANK];
    int used = snprintf(diff->text, sizeof diff->text, "%s %d at [", what, index);
    onn_ref_index(desc, i, idx);
    for (int k = 0; k < desc->rank; k++)
        used += snprintf(diff->text + used, sizeof diff->text - (size_t)used, "%s%lld", k ? "," : "",
            (long long)idx[k]);
    snprintf(diff->text + used, sizeof diff->text - (size_t)used, "]: got %.9g, want %.9g, tolerance %.3g",
        got, want, tolerance);
    diff->differs = true;
}

struct side {
    const struct onn_desc *desc;
    const void *got;
    const double *want, *scale;
    const char *what;
    int index;
    int64_t n;
};

static void compare(const struct side *s, double c, bool exact, struct onn_difference *diff)
{
    double eps = epsilon(s->desc->dtype), largest = 0, scales = 0;
    int64_t wrong = 0;
    for (int64_t i = 0; i < s->n; i++) {
        if (isfinite(s->want[i]))
            largest = fmax(largest, fabs(s->want[i]));
        scales = fmax(scales, s->scale ? s->scale[i] : 0);
    }
    for (int64_t i = 0; i < s->n; i++) {
        double got = onn_load_f64(s->desc->dtype, s->got, i), want = rounded(s->desc->dtype, s->want[i]);
        /* Narrow types are stored once but computed in float: half a step of rounding, the rest as float. */
        double scale = scales > 0 ? s->scale[i] : largest, store = eps * fabs(want);
        double tolerance =
            exact ? 0 : fmax(store, c * fmin(eps, 0x1p-23) * scale + (eps > 0x1p-23 ? store : 0));
        if (eps > 0x1p-23 && !exact)
            tolerance += s->desc->dtype == OCLNN_F16 ? 0x1p-24 : 0; /* subnormal halves */
        double error = fabs(got - want);
        bool same = isnan(want) ? isnan(got) : got == want;
        if (same || (!isnan(got) && isfinite(want) && error <= tolerance)) {
            diff->worst =
                tolerance > 0 && isfinite(error) ? fmax(diff->worst, error / tolerance) : diff->worst;
            continue;
        }
        if (!diff->differs)
            describe(diff, s->desc, s->what, s->index, i, got, want, tolerance);
        wrong++;
    }
    if (wrong) {
        size_t used = strlen(diff->text);
        snprintf(diff->text + used, sizeof diff->text - used, " (%lld of %lld elements wrong)",
            (long long)wrong, (long long)s->n);
    }
}

void onn_data_compare(const struct onn_data *d, bool exact, double factor, struct onn_difference *out)
{
    const struct onn_prob *p = &d->problem->prob;
    double c = (d->test->c > 0 ? d->test->c : 4) * factor;
    *out = (struct onn_difference){0};
    if (!d->has_ref)
        return;
    for (int i = 0; i < p->n_out && !out->differs; i++)
        if (p->out[i].dtype)
            compare(&(struct side){&p->out[i], d->out[i], d->ref.out[i], d->ref.scale[i], "output", i,
                        d->ref.out_n[i]},
                c, exact, out);
    for (int i = 0; p->op->flags & ONN_OP_UPDATES && i < d->bare.n_in && !out->differs; i++)
        if (p->in[i].dtype)
            compare(&(struct side){&p->in[i], d->updated[i], d->ref.updated[i], NULL, "updated input", i,
                        d->ref.in_n[i]},
                c, exact, out);
}
