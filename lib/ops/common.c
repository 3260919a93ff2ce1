/* What operators and planners share: defaults of the optional callbacks. */
#include "ops/op.h"

int onn_prob_own_inputs(const struct onn_prob *p)
{
    return p->n_in - (p->epi ? p->epi->n_extra : 0);
}

bool onn_prob_has(const struct onn_prob *p, int i)
{
    return i >= 0 && i < onn_prob_own_inputs(p) && p->in[i].dtype != OCLNN_NONE;
}

enum oclnn_status onn_infer_same(const struct onn_prob *p, struct onn_desc *out)
{
    out[0] = onn_desc_make(p->in[0].dtype, p->in[0].rank, p->in[0].dim);
    return OCLNN_OK;
}

double onn_default_flop(const struct onn_prob *p)
{
    int64_t n = p->n_out ? onn_desc_elements(&p->out[0]) : 0;
    return n > 0 ? (double)n : 0;
}

double onn_prob_flop(const struct onn_prob *p)
{
    return p->op->flop ? p->op->flop(p) : onn_default_flop(p);
}

double onn_prob_bytes(const struct onn_prob *p)
{
    double bytes = 0;
    for (int i = 0; i < p->n_in; i++)
        bytes += p->in[i].dtype ? (double)onn_desc_bytes(&p->in[i]) : 0;
    for (int i = 0; i < p->n_out; i++)
        bytes += p->out[i].dtype ? (double)onn_desc_bytes(&p->out[i]) : 0;
    return bytes;
}

const char *onn_refuse_f64(const struct onn_prob *p)
{
    bool any = false;
    for (int i = 0; i < p->n_in; i++)
        any = any || p->in[i].dtype == OCLNN_F64;
    return any && p->caps && !p->caps->has_fp64 ? "this device does not compute in f64" : NULL;
}

struct onn_cost onn_cost_passes(const struct onn_prob *p, double passes, double efficiency)
{
    return (struct onn_cost){.flop = onn_prob_flop(p),
        .bytes = onn_prob_bytes(p) * passes,
        .launches = 1,
        .efficiency = efficiency};
}

const char *onn_variant_refuse(const struct onn_variant *v, const struct onn_prob *p)
{
    return v->refuse ? v->refuse(p) : NULL;
}

int onn_variant_formats(const struct onn_variant *v, const struct onn_prob *p, struct onn_formats *out,
    int max)
{
    if (v->formats)
        return v->formats(p, out, max);
    if (max < 1)
        return 0;
    *out = (struct onn_formats){.n_in = 1, .n_out = 1};
    return 1;
}

struct onn_cost onn_variant_cost(const struct onn_variant *v, const struct onn_prob *p,
    const struct onn_tune *t)
{
    if (v->cost)
        return v->cost(p, t);
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p), 1, 0.05};
}

size_t onn_variant_workspace(const struct onn_variant *v, const struct onn_prob *p, const struct onn_tune *t)
{
    return v->workspace ? v->workspace(p, t) : 0;
}

void onn_tune_defaults(const struct onn_variant *v, struct onn_tune *t)
{
    *t = (struct onn_tune){{0}};
    for (int i = 0; v->tunables && i < ONN_TUNABLES && v->tunables[i].name; i++)
        t->v[i] = v->tunables[i].def;
}

const struct onn_format *onn_formats_in(const struct onn_formats *f, const struct onn_prob *p, int i)
{
    static const struct onn_format plain;
    int own = onn_prob_own_inputs(p);
    if (i >= own) /* an epilogue's extra input: like the output if it has the output's shape */
        return p->n_out && f->n_out && onn_desc_same_shape(&p->in[i], &p->out[0]) ? &f->out[0] : &plain;
    if (!f->n_in)
        return &plain;
    return &f->in[i < f->n_in ? i : f->n_in - 1];
}

const struct onn_format *onn_formats_out(const struct onn_formats *f, int i)
{
    static const struct onn_format plain;
    return f->n_out ? &f->out[i < f->n_out ? i : f->n_out - 1] : &plain;
}
