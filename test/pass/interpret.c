#include "pass/interpret.h"
#include "harness/train.h"
#include "ops/elementwise.h"
#include "pass/refs.h"
#include "pass/rewrite.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void good(enum oclnn_status status)
{
    if (status != OCLNN_OK)
        fail_msg("%s: %s", oclnn_status_text(status), oclnn_error_text(NULL));
}

static struct onn_desc wide(const struct onn_desc *d)
{
    return onn_desc_make(d->dtype == OCLNN_F32 ? OCLNN_F64 : d->dtype, d->rank, d->dim);
}

void onn_interpret_init(struct onn_interpreter *t, const struct onn_graph *g)
{
    *t = (struct onn_interpreter){.g = g, .value = calloc((size_t)g->n_values, sizeof *t->value)};
    assert_non_null(t->value);
    for (int32_t v = 1; v < g->n_values; v++) {
        const struct onn_blob *from = g->value[v].blob;
        if (!from && !onn_desc_is_known(&g->value[v].desc))
            continue;
        const struct onn_desc d = wide(from ? &from->desc : &g->value[v].desc);
        good(onn_blob_create(&d, NULL, &t->value[v]));
        for (int64_t i = 0; from && i < onn_desc_elements(&d); i++) {
            if (onn_dtype_is_float(d.dtype))
                onn_blob_set_f64(t->value[v], i, onn_blob_get_f64(from, i));
            else
                onn_blob_set_i64(t->value[v], i, onn_blob_get_i64(from, i));
        }
    }
}

void onn_interpret_finish(struct onn_interpreter *t)
{
    for (int32_t v = 0; t->value && v < t->g->n_values; v++)
        onn_blob_unref(&t->value[v]);
    free(t->value);
    t->value = NULL;
}

double *onn_interpret_data(const struct onn_interpreter *t, int32_t value, int64_t *n)
{
    assert_true(t->value[value]->desc.dtype == OCLNN_F64);
    if (n)
        *n = onn_desc_elements(&t->value[value]->desc);
    return t->value[value]->data;
}

/* The operator's own host function on wide blobs: element-wise rows, and what only moves elements. */
static void run_host(struct onn_interpreter *t, const struct onn_node *n, const struct onn_prob *p,
    struct onn_arena *arena)
{
    struct onn_prob q = *p;
    struct onn_desc *d = onn_arena_calloc(arena, (size_t)(n->n_in + n->n_out) + 1, sizeof *d);
    const struct onn_blob **value = onn_arena_calloc(arena, (size_t)n->n_in + 1, sizeof *value);
    struct onn_blob *out[16] = {0};
    assert_true(d && value && n->n_out <= 16);
    for (int i = 0; i < n->n_in; i++) {
        value[i] = n->in[i] ? t->value[n->in[i]] : NULL;
        if (value[i])
            d[i] = value[i]->desc;
    }
    for (int i = 0; i < n->n_out; i++) {
        out[i] = t->value[n->out[i]];
        d[n->n_in + i] = out[i]->desc;
    }
    q.in = d;
    q.out = d + n->n_in;
    q.value = value;
    good(n->op->host(&q, out));
}

/* scale[i]: one array for each output, zeros where the reference does not say. */
static void run_ref(struct onn_interpreter *t, const struct onn_node *n, const struct onn_prob *p,
    onn_ref_fn ref, struct onn_arena *arena, double **scale)
{
    const double **in = onn_arena_calloc(arena, (size_t)n->n_in + 1, sizeof *in);
    double **out = onn_arena_calloc(arena, (size_t)n->n_out + 1, sizeof *out);
    int64_t *count = onn_arena_calloc(arena, (size_t)(n->n_in + n->n_out) + 1, sizeof *count);
    assert_true(in && out && count);
    for (int i = 0; i < n->n_in; i++) {
        const struct onn_blob *b = n->in[i] ? t->value[n->in[i]] : NULL;
        if (!b)
            continue;
        count[i] = onn_desc_elements(&b->desc);
        double *copy = onn_arena_calloc(arena, (size_t)count[i] + 1, sizeof *copy);
        assert_non_null(copy);
        for (int64_t k = 0; k < count[i]; k++)
            copy[k] = onn_blob_get_f64(b, k);
        in[i] = copy;
    }
    for (int i = 0; i < n->n_out; i++) {
        count[n->n_in + i] = onn_desc_elements(&t->value[n->out[i]]->desc);
        out[i] = onn_arena_calloc(arena, (size_t)count[n->n_in + i] + 1, sizeof *out[i]);
        assert_non_null(out[i]);
    }
    ref(&(struct onn_ref){.prob = p,
        .n_in = n->n_in,
        .n_out = n->n_out,
        .in = in,
        .in_n = count,
        .out_n = count + n->n_in,
        .out = out,
        .scale = scale});
    for (int i = 0; i < n->n_out; i++)
        for (int64_t k = 0; k < count[n->n_in + i]; k++)
            onn_blob_set_f64(t->value[n->out[i]], k, out[i][k]);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All numbers of the node's inputs, and 0: what stands among them was copied, not computed. */
static double *sources(const struct onn_interpreter *t, const struct onn_node *n, int64_t *count,
    struct onn_arena *arena)
{
    int64_t total = 1, at = 0;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && t->value[n->in[i]]->desc.dtype == OCLNN_F64)
            total += onn_desc_elements(&t->value[n->in[i]]->desc);
    double *all = onn_arena_calloc(arena, (size_t)total, sizeof *all);
    assert_non_null(all);
    all[at++] = 0;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && t->value[n->in[i]]->desc.dtype == OCLNN_F64) {
            const int64_t size = onn_desc_elements(&t->value[n->in[i]]->desc);
            memcpy(all + at, t->value[n->in[i]]->data, (size_t)size * sizeof *all);
            at += size;
        }
    qsort(all, (size_t)at, sizeof *all, ascending);
    *count = at;
    return all;
}

static void add_noise(struct onn_interpreter *t, const struct onn_node *n, double *const *scale,
    uint64_t *seed, struct onn_arena *arena)
{
    int64_t count;
    const double *copied = sources(t, n, &count, arena);
    for (int i = 0; i < n->n_out; i++) {
        struct onn_blob *b = t->value[n->out[i]];
        double *v = b->data, most = 0;
        bool said = false;
        if (b->desc.dtype != OCLNN_F64)
            continue;
        const int64_t size = onn_desc_elements(&b->desc);
        for (int64_t k = 0; k < size; k++) {
            most = fmax(most, fabs(v[k]));
            said |= scale[i][k] != 0;
        }
        for (int64_t k = 0; k < size; k++) {
            const double of = said ? fmax(scale[i][k], fabs(v[k])) : most;
            const double u = (double)(onn_test_random(seed) >> 40) * 0x1p-23 - 1;
            if (!bsearch(&v[k], copied, (size_t)count, sizeof *copied, ascending))
                v[k] += u * 0x1p-24 * of;
        }
    }
}

static void run_node(struct onn_interpreter *t, int32_t k, uint64_t *seed)
{
    const struct onn_node *n = &t->g->node[k];
    struct onn_arena arena = {0};
    struct onn_prob p;
    double **scale = onn_arena_calloc(&arena, (size_t)n->n_out + 1, sizeof *scale);
    assert_non_null(scale);
    for (int i = 0; i < n->n_out; i++) {
        scale[i] = onn_arena_calloc(&arena, (size_t)onn_desc_elements(&t->value[n->out[i]]->desc) + 1,
            sizeof *scale[i]);
        assert_non_null(scale[i]);
    }
    good(onn_node_prob(t->g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, &arena, &p));
    const bool row = (n->op->flags & ONN_OP_ELEMENTWISE) != 0;
    const onn_ref_fn ref = row ? NULL : onn_ref_find(&p);
    if (ref)
        run_ref(t, n, &p, ref, &arena, scale);
    else if (n->op->host)
        run_host(t, n, &p, &arena);
    else
        fail_msg("test/ops has no reference for %s", n->op->name);
    for (int64_t i = 0; row && i < onn_desc_elements(&t->value[n->out[0]]->desc); i++)
        scale[0][i] = fabs(onn_blob_get_f64(t->value[n->out[0]], i));
    if (*seed)
        add_noise(t, n, scale, seed, &arena);
    onn_arena_finish(&arena);
}

void onn_interpret_run(struct onn_interpreter *t, int32_t first, int32_t end, uint64_t noise)
{
    for (int32_t k = first; k < end; k++)
        run_node(t, k, &noise);
}
