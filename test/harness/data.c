#include "harness/internal.h"

#include "ops/elementwise.h"
#include <math.h>
#include <string.h>

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

int64_t onn_ref_elements(const struct onn_desc *d)
{
    int64_t n = d->dtype ? onn_desc_elements(d) : 0;
    return n < 0 ? 0 : n;
}

int64_t onn_ref_at(const struct onn_desc *d, const int64_t *idx)
{
    int64_t at = 0;
    for (int i = 0; i < d->rank; i++)
        at = at * d->dim[i] + idx[i];
    return at;
}

void onn_ref_index(const struct onn_desc *d, int64_t i, int64_t *idx)
{
    for (int k = d->rank - 1; k >= 0; k--) {
        idx[k] = i % d->dim[k];
        i /= d->dim[k];
    }
}

int64_t onn_ref_broadcast(const struct onn_desc *d, const struct onn_desc *out, int64_t i)
{
    int64_t idx[ONN_MAX_RANK], at = 0;
    onn_ref_index(out, i, idx);
    for (int k = 0; k < d->rank; k++)
        at = at * d->dim[k] + (d->dim[k] == 1 ? 0 : idx[out->rank - d->rank + k]);
    return at;
}

static void fill(struct onn_data *d, int i, double *data, int64_t n)
{
    const struct onn_prob *p = &d->problem->prob;
    uint64_t state = 1000u * (unsigned)i + 17u;
    enum oclnn_dtype dtype = p->in[i].dtype;
    if (p->value && p->value[i]) {
        for (int64_t k = 0; k < n; k++)
            data[k] = onn_blob_get_f64(p->value[i], k);
        return;
    }
    bool whole = d->integer || !onn_dtype_is_float(dtype);
    int64_t low = dtype == OCLNN_BOOL || dtype == OCLNN_U8 ? 0 : -3, span = dtype == OCLNN_BOOL ? 2 : 7;
    for (int64_t k = 0; k < n; k++) {
        uint64_t r = next_random(&state);
        data[k] = whole ? (double)(low + (int64_t)(r % (uint64_t)span)) : (double)(r >> 40) * 0x1p-23 - 1;
    }
    if (d->test->fill)
        d->test->fill(p, i, d->integer, data, n);
}

static double *doubles(struct onn_data *d, int64_t n)
{
    return onn_arena_calloc(&d->arena, (size_t)n + 1, sizeof(double));
}

static bool make_inputs(struct onn_data *d)
{
    const struct onn_prob *p = &d->problem->prob;
    const double **in = onn_arena_calloc(&d->arena, (size_t)p->n_in + 1, sizeof *in);
    int64_t *counts = onn_arena_calloc(&d->arena, (size_t)p->n_in + 1, sizeof *counts);
    d->ref.updated = onn_arena_calloc(&d->arena, (size_t)p->n_in + 1, sizeof(double *));
    d->in = onn_arena_calloc(&d->arena, (size_t)p->n_in + 1, sizeof(void *));
    d->updated = onn_arena_calloc(&d->arena, (size_t)p->n_in + 1, sizeof(void *));
    if (!in || !counts || !d->in || !d->updated || !d->ref.updated)
        return false;
    d->ref.in = in;
    d->ref.in_n = counts;
    for (int i = 0; i < p->n_in; i++) {
        int64_t n = counts[i] = onn_ref_elements(&p->in[i]);
        if (!p->in[i].dtype)
            continue;
        double *data = doubles(d, n);
        d->ref.updated[i] = doubles(d, n);
        d->in[i] = onn_arena_calloc(&d->arena, (size_t)n + 1, 8);
        d->updated[i] = onn_arena_calloc(&d->arena, (size_t)n + 1, 8);
        if (!data || !d->in[i] || !d->updated[i] || !d->ref.updated[i])
            return false;
        fill(d, i, data, n);
        for (int64_t k = 0; k < n; k++) { /* what the element type makes of it is what everyone gets */
            onn_store_f64(p->in[i].dtype, d->in[i], k, data[k]);
            data[k] = onn_load_f64(p->in[i].dtype, d->in[i], k);
        }
        memcpy(d->ref.updated[i], data, (size_t)n * sizeof *data);
        in[i] = data;
    }
    return true;
}

static void apply_epilogue(struct onn_data *d)
{
    const struct onn_prob *p = &d->problem->prob;
    int own = onn_prob_own_inputs(p);
    for (int k = 0; p->epi && k < p->epi->n; k++) {
        const struct onn_epi_step *step = &p->epi->step[k];
        for (int64_t i = 0; i < d->ref.out_n[0]; i++) {
            double extra = 0, *v = &d->ref.out[0][i], *scale = &d->ref.scale[0][i];
            if (step->extra >= 0)
                extra =
                    d->ref.in[own + step->extra][onn_ref_broadcast(&p->in[own + step->extra], &p->out[0], i)];
            *v = onn_ew_step_host(step, *v, extra);
            *scale = *scale * fmax(1, fabs(extra)) + fabs(extra);
        }
    }
}

bool onn_data_make(struct onn_data *d, struct onn_problem *p, const struct onn_case *test, bool integer)
{
    *d = (struct onn_data){.problem = p, .test = test, .integer = integer, .bare = p->prob};
    d->bare.n_in = onn_prob_own_inputs(&p->prob);
    d->bare.epi = NULL;
    int n_out = p->prob.n_out;
    int64_t *counts = onn_arena_calloc(&d->arena, (size_t)n_out + 1, sizeof *counts);
    d->ref.out = onn_arena_calloc(&d->arena, (size_t)n_out + 1, sizeof(double *));
    d->ref.scale = onn_arena_calloc(&d->arena, (size_t)n_out + 1, sizeof(double *));
    d->out = onn_arena_calloc(&d->arena, (size_t)n_out + 1, sizeof(void *));
    d->ref.prob = &d->bare;
    d->ref.n_in = d->bare.n_in;
    d->ref.n_out = n_out;
    d->ref.out_n = counts;
    if (!counts || !d->ref.out || !d->ref.scale || !d->out || !make_inputs(d))
        return false;
    for (int i = 0; i < n_out; i++) {
        int64_t n = counts[i] = onn_ref_elements(&p->prob.out[i]);
        d->ref.out[i] = doubles(d, n);
        d->ref.scale[i] = doubles(d, n);
        d->out[i] = onn_arena_calloc(&d->arena, (size_t)n + 1, 8);
        if (!d->ref.out[i] || !d->ref.scale[i] || !d->out[i])
            return false;
    }
    if (test->ref) {
        test->ref(&d->ref);
        d->has_ref = true;
        apply_epilogue(d);
    }
    return true;
}

void onn_data_finish(struct onn_data *d)
{
    onn_arena_finish(&d->arena);
}
