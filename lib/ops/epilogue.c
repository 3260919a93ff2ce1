/* What kernels that finish a tile need to know of the chain behind them. */
#include "ops/epilogue.h"
#include "ops/elementwise.h"

#include <math.h>

/* Is the step "+ an extra input of the output's shape"? */
static bool is_residual(const struct onn_prob *p, const struct onn_epi_step *s)
{
    return s->op == &onn_ew_add.op && s->extra >= 0 &&
        onn_desc_same_shape(&p->in[onn_prob_own_inputs(p) + s->extra], &p->out[0]);
}

/* Relu or Clip: narrows [lo, hi] as a further clip would. */
static bool is_clip(const struct onn_epi_step *s, float *lo, float *hi)
{
    const struct onn_ew_attr *attr = s->attr;
    if (s->op == &onn_ew_relu.op) {
        *lo = 0;
        *hi = INFINITY;
    } else if (s->op == &onn_ew_clip.op && attr) {
        *lo = attr->alpha;
        *hi = attr->beta;
    } else {
        return false;
    }
    return true;
}

/* Consumes residual and clip; returns how many steps that were. */
static int standard_part(const struct onn_prob *p, struct onn_epi_standard *out)
{
    const struct onn_epilogue *e = p->epi;
    int i = 0;
    *out = (struct onn_epi_standard){.residual = -1, .lo = -INFINITY, .hi = INFINITY};
    if (!e)
        return 0;
    if (i < e->n && is_residual(p, &e->step[i]))
        out->residual = e->step[i++].extra;
    if (i < e->n && is_clip(&e->step[i], &out->lo, &out->hi))
        i++;
    return i;
}

bool onn_epilogue_standard(const struct onn_prob *p, struct onn_epi_standard *out)
{
    const int taken = standard_part(p, out);
    return !p->epi || taken == p->epi->n;
}

bool onn_epilogue_tail(const struct onn_prob *p, struct onn_epi_tail *out)
{
    *out = (struct onn_epi_tail){.kind = ONN_ACT_NONE};
    int i = standard_part(p, &out->standard);
    if (!p->epi || i == p->epi->n)
        return true;
    const struct onn_epi_step *s = &p->epi->step[i];
    const struct onn_ew_row *row = onn_ew_row_for(s->op, s->attr);
    const struct onn_ew_attr *attr = s->attr;
    if (i + 1 != p->epi->n || s->extra >= 0 || !row || row->activation == ONN_ACT_NONE)
        return false;
    out->kind = row->activation;
    out->a = row->params > 0 && attr ? attr->alpha : 0;
    out->b = row->params > 1 && attr ? attr->beta : 0;
    return true;
}

const char *onn_epilogue_source(const struct onn_epilogue *epi, int from, int width, struct onn_arena *arena)
{
    struct onn_ew_code code = {.domain = ONN_EW_F};
    struct onn_str s = {0};
    const char *text = NULL;
    for (int i = from; i < epi->n; i++) {
        if (epi->step[i].extra >= 0)
            goto done;
        onn_ew_emit(&code, onn_ew_row_for(epi->step[i].op, epi->step[i].attr), epi->step[i].attr, "v", NULL,
            NULL);
    }
    onn_str_add(&s,
        "#define T float%d\n#define EXP exp\n#define K(x) x##f\nstatic inline T onn_epi_chain(T v)\n{\n",
        width);
    for (int i = 0; i < code.n_params; i++) {
        if (isinf(code.param[i]))
            onn_str_add(&s, "    const float q%d = %sINFINITY;\n", i, code.param[i] < 0 ? "-" : "");
        else
            onn_str_add(&s, "    const float q%d = %.9ef;\n", i, (double)code.param[i]);
    }
    onn_str_add(&s,
        "%s    return v;\n}\n#undef T\n#undef EXP\n#undef K\n#define ONN_EPI(v, kind, a, b) "
        "onn_epi_chain(v)\n",
        onn_str_text(&code.body));
    if (onn_str_ok(&s) && onn_str_ok(&code.body))
        text = onn_arena_strdup(arena, s.text);
done:
    onn_str_finish(&s);
    onn_str_finish(&code.body);
    return text;
}

double onn_epilogue_host(const struct onn_epilogue *epi, double v, const double *extra)
{
    for (int i = 0; i < epi->n; i++)
        v = onn_ew_step_host(&epi->step[i], v, epi->step[i].extra >= 0 ? extra[epi->step[i].extra] : 0);
    return v;
}
