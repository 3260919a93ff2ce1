#include "pass/grad_case.h"
#include "pass/grad.h"
#include "pass/infer.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

int64_t onn_grad_draw(uint64_t *seed, int64_t low, int64_t high)
{
    return low + (int64_t)(onn_test_random(seed) % (uint64_t)(high - low + 1));
}

static uint64_t hash(const char *text)
{
    uint64_t h = 0;
    while (*text)
        h = h * 31 + (unsigned char)*text++;
    return h;
}

static void draw_text(const char *text, uint64_t *seed, char *out, size_t room)
{
    int64_t named[26];
    size_t n = 0;
    while (*text) {
        assert_true(n + 24 < room);
        if (*text != '{') {
            out[n++] = *text++;
            continue;
        }
        const char *at = text + 1;
        const int name = *at >= 'a' && *at <= 'z' ? *at - 'a' : -1;
        int64_t v;
        if (name >= 0 && at[1] != ':') {
            v = named[name] * (at[1] == '*' ? at[2] - '0' : 1);
        } else {
            long low, high;
            assert_int_equal(sscanf(name >= 0 ? at + 2 : at, "%ld-%ld", &low, &high), 2);
            v = onn_grad_draw(seed, low, high);
            if (name >= 0)
                named[name] = v;
        }
        n += (size_t)snprintf(out + n, room - n, "%lld", (long long)v);
        text = strchr(text, '}') + 1;
    }
    out[n] = '\0';
}

int onn_grad_draw_cases(const struct onn_grad_row *row, struct onn_grad_case *cases, int count)
{
    uint64_t seed = hash(row->problem);
    int n = 0;
    for (int tries = 0; n < count && tries < 50 * count; tries++) {
        cases[n] = (struct onn_grad_case){.row = row};
        draw_text(row->problem, &seed, cases[n].text, sizeof cases[n].text);
        bool fresh = true;
        for (int i = 0; i < n; i++)
            fresh &= strcmp(cases[i].text, cases[n].text) != 0;
        n += fresh;
    }
    return n;
}

/* n distinct numbers in low … high, in random order. */
static void spaced(struct onn_blob *b, int64_t n, double low, double high, uint64_t *seed)
{
    for (int64_t i = 0; i < n; i++)
        onn_blob_set_f64(b, i, low + (high - low) * ((double)i + 0.5) / (double)n);
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t k = onn_grad_draw(seed, 0, i);
        const double t = onn_blob_get_f64(b, i);
        onn_blob_set_f64(b, i, onn_blob_get_f64(b, k));
        onn_blob_set_f64(b, k, t);
    }
}

static void fill_whole(struct onn_blob *b, const struct onn_desc *x, int flags, uint64_t *seed)
{
    const struct onn_desc *d = &b->desc;
    const int64_t n = onn_desc_elements(d), classes = x->rank > 1 ? x->dim[1] : 2;
    const int64_t inner = d->rank > 1 ? d->dim[d->rank - 1] : 1;
    for (int64_t k = 0; k < n; k++)
        onn_blob_set_i64(b, k,
            d->dtype == OCLNN_BOOL          ? onn_grad_draw(seed, 0, 1)
                : flags & ONN_GRAD_DISTINCT ? (k / inner + k % inner) % x->dim[inner > 1 ? 1 : 0]
                                            : onn_grad_draw(seed, 0, classes - 1));
}

/* Distinct, evenly spaced numbers in random order, away from 0 and from each other by more than a step of the
 * differences, so that kinks lie outside the interval. */
static void fill_float(struct onn_blob *b, int i, bool several, int flags, uint64_t *seed)
{
    const int64_t n = onn_desc_elements(&b->desc);
    if (flags & ONN_GRAD_INSIDE || (flags & ONN_GRAD_LAST_PROB && i > 0))
        spaced(b, n, 0.05, 0.95, seed);
    else if (flags & ONN_GRAD_POSITIVE)
        spaced(b, n, 0.2, 1.2, seed);
    else if (flags & ONN_GRAD_ABOVE_ONE)
        spaced(b, n, 1.1, 2.1, seed);
    else /* no number of one input is one of another; an odd n has no 0 */
        spaced(b, n, -1 + 0.013 * i, 1 + 0.011 * i + 1.0 / (double)(n + 1), seed);
    for (int64_t k = 0; k < n; k++) {
        double v = onn_blob_get_f64(b, k);
        if (flags & ONN_GRAD_TIES && several)
            v = (rint(v * 1024) + 0.3 * i) / 1024;
        if (flags & ONN_GRAD_GAP)
            v = fabs(v) < 0.3 ? v * 0.9 : v * 1.1;
        onn_blob_set_f64(b, k, v);
    }
}

static int32_t add_input(struct onn_graph *g, struct onn_grad_case *o, int i, uint64_t *seed)
{
    const struct onn_desc *d = &o->problem.in[i];
    const int flags = o->row->flags;
    struct onn_blob *blob = NULL;
    if (!d->dtype)
        return 0;
    if (o->problem.value[i])
        return onn_graph_add_blob(g, "", ONN_ROLE_CONST, o->problem.value[i]);
    assert_int_equal(onn_blob_create(d, NULL, &blob), OCLNN_OK);
    if (d->dtype == OCLNN_F32)
        fill_float(blob, i, o->problem.prob.n_in > 1, flags, seed);
    else
        fill_whole(blob, &o->problem.in[0], flags, seed);
    const bool moves =
        d->dtype == OCLNN_F32 && !(flags & ONN_GRAD_FIRST && i > 0) && !(flags & ONN_GRAD_BN_TRAIN && i > 2);
    const int32_t id = onn_graph_add_blob(g, "x", moves ? ONN_ROLE_PARAM : ONN_ROLE_CONST, blob);
    if (moves) {
        assert_true(o->n_in < ONN_GRAD_OPERANDS);
        o->x[o->n_in++] = blob;
    } else {
        onn_blob_unref(&blob);
    }
    return id;
}

/* Adds the instance to the graph: its node and its part of the loss. */
static int32_t add_case(struct onn_graph *g, struct onn_grad_case *o)
{
    uint64_t seed = hash(o->text);
    if (onn_problem_parse(o->text, &o->problem) != OCLNN_OK || onn_problem_infer(&o->problem) != OCLNN_OK)
        fail_msg("%s: %s", o->text, oclnn_error_text(NULL));
    const struct onn_prob *p = &o->problem.prob;
    int32_t in[ONN_GRAD_OPERANDS], out[ONN_GRAD_OPERANDS], loss = 0;
    assert_true(p->n_in <= ONN_GRAD_OPERANDS && p->n_out <= ONN_GRAD_OPERANDS);
    o->n_in = o->n_out = 0;
    for (int i = 0; i < p->n_in; i++)
        in[i] = add_input(g, o, i, &seed);
    const int32_t k = onn_graph_add_op(g, p->op, o->text, p->attr, p->n_in, in, p->n_out);
    assert_true(k >= 0);
    for (int i = 0; i < p->n_out; i++) {
        out[i] = g->node[k].out[i];
        g->value[out[i]].desc = p->out[i];
    }
    for (int i = 0; i < p->n_out; i++) {
        if (p->out[i].dtype != OCLNN_F32)
            continue;
        struct onn_blob *w = onn_test_blob(p->out[i].rank, p->out[i].dim, 1, onn_test_random(&seed));
        o->w[o->n_out++] = w;
        const int32_t product = onn_test_node(g, "mul", NULL, 2,
            (int32_t[]){out[i], onn_graph_add_blob(g, "w", ONN_ROLE_CONST, w)});
        const int32_t sum = onn_test_node(g, "reshape", NULL, 2,
            (int32_t[]){onn_test_node(g, "reducesum", NULL, 1, &product), onn_graph_add_i64(g, NULL, 0)});
        onn_graph_add_output(g, "y", out[i]);
        loss = loss ? onn_test_node(g, "add", NULL, 2, (int32_t[]){loss, sum}) : sum;
    }
    return loss;
}

/* The cases' parameters in the full graph: the same blob is the same input. */
static void find_inputs(const struct onn_graph *full, struct onn_grad_case *const *cases, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < cases[i]->n_in; k++) {
            int32_t v = 1;
            while (v < full->n_values && full->value[v].blob != cases[i]->x[k])
                v++;
            if (v == full->n_values)
                fail_msg("%s: input %d is not in the graph", cases[i]->text, k);
            cases[i]->in[k] = v;
        }
}

void onn_grad_graph_init(struct onn_grad_graph *t, struct onn_grad_case *const *cases, int n)
{
    struct onn_graph *g = NULL;
    int32_t loss = 0;
    int outputs = 0, wanted = 0;
    assert_int_equal(onn_graph_create(&g), OCLNN_OK);
    for (int i = 0; i < n; i++) {
        cases[i]->y_at = outputs;
        const int32_t part = add_case(g, cases[i]);
        outputs += cases[i]->n_out;
        loss = loss ? onn_test_node(g, "add", NULL, 2, (int32_t[]){loss, part}) : part;
        wanted += cases[i]->n_in;
    }
    onn_graph_add_output(g, "loss", loss);
    if (onn_pass_infer(g, NULL, false, &t->full) != OCLNN_OK)
        fail_msg("%s: %s", cases[0]->text, oclnn_error_text(NULL));
    onn_graph_destroy(&g);
    t->forward = t->full->n_nodes;
    t->loss = t->full->output[outputs++];
    find_inputs(t->full, cases, n);
    int32_t *want = calloc((size_t)wanted + 1, sizeof *want), *got = calloc((size_t)wanted + 1, sizeof *got);
    assert_true(want && got);
    wanted = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < cases[i]->n_in; k++)
            want[wanted++] = cases[i]->in[k];
    if (onn_grad_append(t->full, t->loss, want, wanted, got) != OCLNN_OK)
        fail_msg("%s …: %s", cases[0]->text, oclnn_error_text(NULL));
    wanted = 0;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < cases[i]->n_out; k++)
            cases[i]->y[k] = t->full->output[cases[i]->y_at + k];
        for (int k = 0; k < cases[i]->n_in; k++) {
            cases[i]->gradient[k] = got[wanted++];
            if (!cases[i]->gradient[k] != !!(cases[i]->row->flags & ONN_GRAD_ZERO))
                fail_msg("%s: input %d has %s gradient", cases[i]->text, k,
                    cases[i]->gradient[k] ? "a" : "no");
            if (!cases[i]->gradient[k])
                continue;
            cases[i]->g_at[k] = outputs++;
            onn_graph_add_output(t->full, "gradient", cases[i]->gradient[k]);
        }
    }
    free(want);
    free(got);
}

void onn_grad_graph_finish(struct onn_grad_graph *t, struct onn_grad_case *const *cases, int n)
{
    onn_graph_destroy(&t->full);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < cases[i]->n_in; k++)
            onn_blob_unref(&cases[i]->x[k]);
        for (int k = 0; k < cases[i]->n_out; k++)
            onn_blob_unref(&cases[i]->w[k]);
        onn_problem_finish(&cases[i]->problem);
    }
}
