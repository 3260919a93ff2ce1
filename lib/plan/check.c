#include "plan/check.h"

#include <math.h>
#include <string.h>

/* Quarters from -2 to 2 (positive: eighths from 1/8 to 2): sums of their products are exact in fp32, so direct variants
 * must agree to the last bit. */
static void fill(const struct onn_desc *d, int input, bool positive, void *data)
{
    int64_t n = onn_desc_elements(d);
    uint32_t state = 2463534242u + 7919u * (uint32_t)input;
    for (int64_t i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        int part = (int)(state >> 8) % 17;
        if (onn_dtype_is_float(d->dtype))
            onn_store_f64(d->dtype, data, i, positive ? (part + 1) / 8.0 : (part - 8) / 4.0);
        else
            onn_store_i64(d->dtype, data, i, part & 1); /* small enough for an index */
    }
}

static void *make_array(struct onn_check *c, const struct onn_desc *d)
{
    size_t bytes;
    int64_t n = onn_desc_elements(d);
    if (n < 0 || !onn_mul_size((size_t)n, oclnn_dtype_size(d->dtype), &bytes))
        return NULL;
    return onn_arena_alloc(&c->arena, bytes ? bytes : 1);
}

enum oclnn_status onn_check_init(struct oclnn_context *ctx, const struct onn_problem *p, bool positive,
    struct onn_check *c)
{
    enum oclnn_status status;
    int n_in = p->prob.n_in, n_out = p->prob.n_out;
    *c = (struct onn_check){.ctx = ctx, .problem = p};
    c->in = onn_arena_calloc(&c->arena, (size_t)n_in + 1, sizeof *c->in);
    c->want = onn_arena_calloc(&c->arena, (size_t)n_out + 1, sizeof *c->want);
    c->got = onn_arena_calloc(&c->arena, (size_t)n_out + 1, sizeof *c->got);
    ONN_CHECK(c->in && c->want && c->got, OCLNN_ERROR_MEMORY, "out of host memory");
    for (int i = 0; i < n_in; i++) {
        if (!p->in[i].dtype || p->value[i])
            continue;
        ONN_CHECK(onn_desc_is_known(&p->in[i]), OCLNN_ERROR_SHAPE, "%s: input %d has unknown dimensions",
            p->prob.op->name, i);
        ONN_CHECK((c->in[i] = make_array(c, &p->in[i])), OCLNN_ERROR_MEMORY, "%s: input %d is too big",
            p->prob.op->name, i);
        fill(&p->in[i], i, positive, c->in[i]);
    }
    for (int i = 0; i < n_out; i++) {
        if (!p->out[i].dtype)
            continue;
        ONN_CHECK(onn_desc_is_known(&p->out[i]), OCLNN_ERROR_UNSUPPORTED,
            "%s: the shape of output %d depends on data", p->prob.op->name, i);
        c->want[i] = make_array(c, &p->out[i]);
        c->got[i] = make_array(c, &p->out[i]);
        ONN_CHECK(c->want[i] && c->got[i], OCLNN_ERROR_MEMORY, "%s: output %d is too big", p->prob.op->name,
            i);
    }
    return OCLNN_OK;
fail:
    onn_check_finish(c);
    return status;
}

void onn_check_finish(struct onn_check *c)
{
    onn_arena_finish(&c->arena);
    *c = (struct onn_check){0};
}

const struct onn_variant *onn_check_reference(const struct onn_op *op)
{
    const struct onn_variant *last = NULL;
    for (int i = 0; op->variants && op->variants[i]; i++)
        last = op->variants[i];
    return last;
}

static enum oclnn_status run(struct onn_check *c, const struct onn_variant *v, int tuple,
    const struct onn_single_options *options, void **out, struct onn_single_result *result)
{
    return onn_single_run(c->ctx, c->problem, v, tuple, options, (const void *const *)c->in,
        (void *const *)out, result);
}

enum oclnn_status onn_check_want(struct onn_check *c)
{
    const struct onn_variant *reference = onn_check_reference(c->problem->prob.op);
    struct onn_single_result result;
    if (!reference)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "%s has no kernels", c->problem->prob.op->name);
    return run(c, reference, 0, NULL, c->want, &result);
}

bool onn_check_host(struct onn_check *c)
{
    const struct onn_problem *p = c->problem;
    struct onn_prob prob = p->prob;
    int n_in = prob.n_in, n_out = prob.n_out;
    bool ok = prob.op->host && !prob.epi;
    struct onn_blob **in = onn_calloc((size_t)n_in + 1, sizeof *in),
                    **out = onn_calloc((size_t)n_out + 1, sizeof *out);
    ok = ok && in && out;
    for (int i = 0; ok && i < n_in; i++) {
        if (p->value[i])
            in[i] = onn_blob_ref(p->value[i]);
        else if (p->in[i].dtype)
            ok = onn_blob_create(&p->in[i], c->in[i], &in[i]) == OCLNN_OK;
    }
    for (int i = 0; ok && i < n_out; i++)
        if (p->out[i].dtype)
            ok = onn_blob_create(&p->out[i], NULL, &out[i]) == OCLNN_OK;
    if (ok) {
        prob.value = (const struct onn_blob *const *)in;
        ok = prob.op->host(&prob, out) == OCLNN_OK;
    }
    for (int i = 0; ok && i < n_out; i++)
        if (out[i])
            memcpy(c->got[i], out[i]->data, onn_desc_bytes(&out[i]->desc));
    for (int i = 0; in && i < n_in; i++)
        onn_blob_unref(&in[i]);
    for (int i = 0; out && i < n_out; i++)
        onn_blob_unref(&out[i]);
    onn_free(in);
    onn_free(out);
    return ok;
}

enum oclnn_status onn_check_run(struct onn_check *c, const struct onn_variant *v, int tuple,
    const struct onn_single_options *options, struct onn_single_result *result)
{
    return run(c, v, tuple, options, c->got, result);
}

/* Adds what one output says to d. */
static void compare_output(const struct onn_check *c, int output, double tolerance, double absolute,
    struct onn_check_difference *d)
{
    const struct onn_desc *desc = &c->problem->out[output];
    int64_t n = onn_desc_elements(desc);
    bool exact = !onn_dtype_is_float(desc->dtype);
    double scale = 0, limit;
    for (int64_t i = 0; i < n; i++) {
        double w = fabs(onn_load_f64(desc->dtype, c->want[output], i));
        if (isfinite(w) && w > scale)
            scale = w;
    }
    limit = exact ? 0 : tolerance * scale + absolute;
    d->scale = scale > d->scale ? scale : d->scale;
    for (int64_t i = 0; i < n; i++) {
        double got = onn_load_f64(desc->dtype, c->got[output], i),
               want = onn_load_f64(desc->dtype, c->want[output], i);
        bool finite = isfinite(got) && isfinite(want);
        double off = finite ? fabs(got - want) : got == want || (isnan(got) && isnan(want)) ? 0 : INFINITY;
        d->wrong += off > limit;
        if (off > d->max_abs || d->index < 0) {
            d->max_abs = off;
            d->output = output;
            d->index = i;
            d->got = got;
            d->want = want;
            d->limit = limit;
        }
    }
}

struct onn_check_difference onn_check_compare(const struct onn_check *c, double tolerance, double absolute)
{
    struct onn_check_difference d = {.index = -1};
    for (int i = 0; i < c->problem->prob.n_out; i++)
        if (c->problem->out[i].dtype)
            compare_output(c, i, tolerance, absolute, &d);
    return d;
}
