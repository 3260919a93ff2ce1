#include "harness/train.h"

#include "ops/optimizer.h"
#include "ops/problem.h"
#include "pass/grad.h"
#include "pass/infer.h"
#include "train/trainer.h"
#include "harness/check.h"

#include <stdlib.h>

static void good_graph(const struct onn_graph *g)
{
    if (g->status != OCLNN_OK)
        fail_msg("%s", g->error ? g->error : "graph error");
}

uint64_t onn_test_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct onn_blob *onn_test_blob(int rank, const int64_t *dim, double scale, uint64_t seed)
{
    const struct onn_desc desc = onn_desc_make(OCLNN_F32, rank, dim);
    struct onn_blob *blob = NULL;
    good(onn_blob_create(&desc, NULL, &blob));
    for (int64_t i = 0; i < onn_desc_elements(&desc); i++)
        onn_blob_set_f64(blob, i, scale * ((double)(onn_test_random(&seed) >> 40) * 0x1p-23 - 1));
    return blob;
}

int32_t onn_test_param(struct onn_graph *g, const char *name, int rank, const int64_t *dim, double scale,
    uint64_t seed)
{
    struct onn_blob *blob = onn_test_blob(rank, dim, scale, seed);
    const int32_t id = onn_graph_add_blob(g, name, ONN_ROLE_PARAM, blob);
    onn_blob_unref(&blob);
    return id;
}

int32_t onn_test_input(struct onn_graph *g, const char *name, enum oclnn_dtype dtype, int rank,
    const int64_t *dim)
{
    const struct onn_desc desc = onn_desc_make(dtype, rank, dim);
    return onn_graph_add_input(g, name, &desc);
}

int32_t onn_test_node(struct onn_graph *g, const char *op, const void *attr, int n_in, const int32_t *in)
{
    const struct onn_op *found = onn_op_find(op);
    if (!found)
        fail_msg("no operator '%s'", op);
    const int32_t k =
        onn_graph_add_op(g, found, op, attr, n_in, in, found->min_out == ONN_VARIADIC ? 1 : found->min_out);
    good_graph(g);
    return g->node[k].n_out ? g->node[k].out[0] : 0;
}

int32_t onn_test_node_text(struct onn_graph *g, const char *text, int n_in, const int32_t *in)
{
    struct onn_problem p;
    if (onn_problem_parse(text, &p) != OCLNN_OK)
        fail_msg("%s: %s", text, oclnn_error_text(NULL));
    const int32_t id = onn_test_node(g, p.prob.op->name, p.attr, n_in, in);
    onn_problem_finish(&p);
    return id;
}

static struct onn_binding *bindings_of(const struct onn_graph *g)
{
    struct onn_binding *b = calloc((size_t)g->n_inputs + 1, sizeof *b);
    assert_non_null(b);
    for (int i = 0; i < g->n_inputs; i++)
        b[i].desc = g->value[g->input[i]].desc;
    return b;
}

struct onn_graph *onn_test_training(const struct onn_graph *source, const char *update, const void *attr,
    bool momentum, bool gradients)
{
    struct onn_graph *g = NULL;
    struct onn_binding *bindings = bindings_of(source);
    int32_t wanted[64], gradient[64];
    int n = 0;
    good(onn_pass_infer(source, bindings, false, &g));
    free(bindings);
    for (int32_t v = 1; v < g->n_values && n < 64; v++)
        if (g->value[v].role == ONN_ROLE_PARAM)
            wanted[n++] = v;
    good(onn_grad_append(g, g->output[0], wanted, n, gradient));
    const int32_t lr = onn_test_input(g, "lr", OCLNN_F32, 1, (int64_t[]){1});
    for (int i = 0; i < n; i++) {
        assert_true(gradient[i] > 0);
        if (gradients)
            onn_graph_add_output(g, "gradient", gradient[i]);
        if (!update)
            continue;
        const struct onn_desc *d = &g->value[wanted[i]].desc;
        int32_t in[5] = {wanted[i], gradient[i], lr, 0, 0};
        if (momentum) {
            struct onn_blob *state = onn_test_blob(d->rank, d->dim, 0, 1);
            in[4] = onn_graph_add_blob(g, "momentum", ONN_ROLE_STATE, state);
            onn_blob_unref(&state);
        }
        onn_graph_add_op(g, onn_op_find(update), update, attr, momentum ? 5 : 3, in, 0);
    }
    good_graph(g);
    return g;
}

struct onn_plan *onn_test_plan(struct oclnn_context *ctx, const struct onn_graph *g,
    const struct onn_plan_options *options, struct onn_derived_cache *cache)
{
    struct onn_plan *plan = NULL;
    struct onn_binding *bindings = bindings_of(g);
    const enum oclnn_status status = onn_plan_create(ctx, g, bindings, options, cache, &plan);
    free(bindings);
    good(status);
    return plan;
}

void onn_test_write(struct onn_plan *p, int input, const void *data)
{
    good(onn_buffer_write(p->ctx, onn_plan_input(p, input), 0, onn_desc_bytes(onn_plan_input_desc(p, input)),
        data, true));
}

void onn_test_read(struct onn_plan *p, int output, float *data)
{
    size_t offset = 0;
    struct onn_buffer *buffer = onn_plan_output(p, output, &offset);
    assert_non_null(buffer);
    good(
        onn_buffer_read(p->ctx, buffer, offset, onn_desc_bytes(onn_plan_output_desc(p, output)), data, true));
}

float *onn_test_read_all(struct onn_plan *p, size_t *n)
{
    const int outputs = p->graph->n_outputs;
    *n = 0;
    for (int i = 0; i < outputs; i++)
        *n += (size_t)onn_desc_elements(onn_plan_output_desc(p, i));
    float *all = calloc(*n ? *n : 1, sizeof *all), *at = all;
    assert_non_null(all);
    for (int i = 0; i < outputs; i++) {
        onn_test_read(p, i, at);
        at += onn_desc_elements(onn_plan_output_desc(p, i));
    }
    return all;
}

void onn_test_run(struct onn_plan *p)
{
    good(onn_plan_run(p, NULL));
    good(onn_queue_finish(p->ctx));
}

float *onn_test_weights(const struct oclnn_trainer *t, size_t *n)
{
    size_t count = 0;
    for (int i = 0; i < t->n_params; i++)
        count += (size_t)onn_desc_elements(&t->param[i].blob->desc);
    float *all = malloc(count * sizeof *all), *at = all;
    for (int i = 0; i < t->n_params; i++) {
        struct onn_blob *b = t->param[i].blob;
        good(onn_blob_sync_host(b));
        memcpy(at, b->data, onn_desc_bytes(&b->desc));
        at += onn_desc_elements(&b->desc);
    }
    *n = count;
    return all;
}

struct state {
    const char *without;
    unsigned char *bytes;
    size_t n;
};
static enum oclnn_status add_state(void *user, const char *name, struct onn_blob *blob)
{
    struct state *s = user;
    const size_t n = onn_desc_bytes(&blob->desc);
    if (s->without && strncmp(name, s->without, strlen(s->without)) == 0)
        return OCLNN_OK;
    good(onn_blob_sync_host(blob));
    s->bytes = realloc(s->bytes, s->n + n);
    assert_non_null(s->bytes);
    memcpy(s->bytes + s->n, blob->data, n);
    s->n += n;
    return OCLNN_OK;
}

unsigned char *onn_test_state(struct oclnn_trainer *t, const char *without, size_t *n)
{
    struct state s = {.without = without};
    good(onn_trainer_visit(t, add_state, &s));
    *n = s.n;
    return s.bytes;
}
