#include "plan/assign.h"
#include "ops/pack.h"
#include "pass/rewrite.h"
#include "plan/choices.h"

#include <string.h>

#define MAX_CANDIDATES 32
#define SWEEPS 4

struct candidates {
    int n;
    struct onn_choice c[MAX_CANDIDATES];
};

struct assign {
    const struct onn_graph *g;
    const struct onn_assign_options *o;
    struct candidates *node;
    int *chosen;
    int32_t *first_use, *next_use; /* consumers of a value as a list of (node, operand) slots */
    int32_t *use_node, *use_operand;
};

/* Nominal speeds: from reported limits only, so that the same device gets the same plan however busy it was when it
 * was measured. */
static double nominal_flops(const struct onn_caps *caps)
{
    double clock = (caps->clock_mhz > 0 ? caps->clock_mhz : 2000) * 1e6;
    double lanes = caps->vector_cpu ? caps->vector_width * 4.0 : 256.0; /* per unit and clock */
    return (caps->compute_units > 0 ? caps->compute_units : 2) * clock * lanes;
}

double onn_cost_time(const struct onn_cost *cost, const struct onn_caps *caps)
{
    double peak = nominal_flops(caps), bandwidth = caps->vector_cpu ? 15e9 : 200e9;
    /* A processor's threads fall asleep between kernels and have to be woken: measured inside of networks. */
    const double launch = caps->vector_cpu ? 8e-6 : 2e-6;
    double efficiency = cost->efficiency > 0 ? cost->efficiency : 0.05;
    double compute = cost->flop / (peak * efficiency), memory = cost->bytes / bandwidth;
    return (compute > memory ? compute : memory) + cost->launches * launch;
}

double onn_reorder_time(const struct onn_desc *d, const struct onn_caps *caps)
{
    struct onn_cost cost = {.bytes = 2.0 * (double)onn_desc_unpadded_bytes(d),
        .launches = 1,
        .efficiency = 1};
    return onn_cost_time(&cost, caps);
}

static int own_inputs(const struct onn_node *n)
{
    return n->n_in - (n->epi ? n->epi->n_extra : 0);
}

struct onn_format onn_choice_out(const struct onn_choice *c, int i)
{
    int last = c->formats.n_out - 1;
    return last < 0 ? onn_format_plain() : c->formats.out[i < last ? i : last];
}

struct onn_format onn_choice_in(const struct onn_choice *c, const struct onn_graph *g,
    const struct onn_node *n, int i)
{
    if (i >= own_inputs(n)) {
        bool same = n->in[i] && onn_desc_same_shape(&g->value[n->in[i]].desc, &g->value[n->out[0]].desc);
        return same ? onn_choice_out(c, 0) : onn_format_plain();
    }
    int last = c->formats.n_in - 1;
    return last < 0 ? onn_format_plain() : c->formats.in[i < last ? i : last];
}

/* A packing's size stands in its stride: costs count its bytes. */
static void set_format(struct onn_desc *d, struct onn_format format)
{
    onn_desc_set_format(d, format);
    if (format.pack) {
        const struct onn_pack *pack = onn_pack_find(format.pack);
        int64_t elements = pack ? pack->elements(d, format.p) : -1;
        d->stride[0] = elements > 0 ? elements : 0;
    }
}

static void apply_formats(const struct onn_graph *g, const struct onn_node *n, const struct onn_choice *c,
    struct onn_desc *in, struct onn_desc *out)
{
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i])
            set_format(&in[i], onn_choice_in(c, g, n, i));
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            onn_desc_set_format(&out[i], onn_choice_out(c, i));
}

/* Of variants that predict nothing. One element per work-item is far from what a processor's vectors can do. */
static struct onn_cost default_cost(const struct onn_prob *p)
{
    return (struct onn_cost){onn_prob_flop(p), onn_prob_bytes(p), 1, p->caps->vector_cpu ? 0.01 : 0.05};
}

static bool wants_plain(const struct onn_assign_options *o, const struct onn_formats *f)
{
    if (!o->formats_off)
        return true;
    for (int i = 0; i < f->n_out; i++)
        if (!onn_format_is_plain(&f->out[i]))
            return false;
    for (int i = 0; i < f->n_in; i++)
        if (!f->in[i].pack && !onn_format_is_plain(&f->in[i]))
            return false;
    return true;
}

/* A soft preference: another format than the wished one looks ten times slower. */
static double preference(const struct onn_assign_options *o, const struct onn_formats *f)
{
    char text[48];
    if (!o->format || f->n_out < 1)
        return 1;
    return strcmp(onn_format_name(&f->out[0], text), o->format) == 0 ? 1 : 10;
}

static void add_candidate(struct candidates *list, const struct onn_choice *c)
{
    if (list->n < MAX_CANDIDATES)
        list->c[list->n++] = *c;
}

/* The same with other values of the tunables, one changed at a time. Only a measurement can tell them apart: their
 * predicted time is the default's, and the default comes first. */
static void add_tuned(const struct assign *a, struct candidates *list, const struct onn_choice *base)
{
    const struct onn_tunable *t = base->variant->tunables;
    for (int i = 0; (a->o->adjust || a->o->choices) && t && t[i].name && i < ONN_TUNABLES; i++)
        for (const int32_t *value = t[i].values; *value; value++) {
            struct onn_choice c = *base;
            c.tune.v[i] = *value;
            if (*value != t[i].def)
                add_candidate(list, &c);
        }
}

static void add_variant(const struct assign *a, struct candidates *list, const struct onn_node *n,
    struct onn_prob *p, struct onn_desc *in, struct onn_desc *out, const struct onn_variant *v)
{
    struct onn_formats tuple[8];
    int tuples = 1;
    memset(tuple, 0, sizeof tuple);
    tuple[0].n_in = n->n_in ? 1 : 0;
    tuple[0].n_out = 1;
    if (v->formats)
        tuples = v->formats(p, tuple, 8);
    for (int t = 0; t < tuples; t++) {
        struct onn_choice c = {.variant = v, .formats = tuple[t]};
        if (!wants_plain(a->o, &tuple[t]))
            continue;
        apply_formats(a->g, n, &c, in, out);
        const char *reason = v->refuse ? v->refuse(p) : NULL;
        if (reason) {
            onn_log(a->o->log, OCLNN_LOG_DEBUG, "dispatch: %s (%s): %s refused: %s", n->name, n->op->name,
                v->name, reason);
            continue;
        }
        c.tuple = t;
        onn_tune_defaults(v, &c.tune);
        struct onn_cost cost = v->cost ? v->cost(p, &c.tune) : default_cost(p);
        c.time = onn_cost_time(&cost, a->o->caps);
        add_candidate(list, &c);
        add_tuned(a, list, &c);
    }
}

/* Why the plainest kernel does not take the node in plain formats. */
static const char *plain_reason(const struct assign *a, const struct onn_node *n, const struct onn_prob *p,
    struct onn_desc *in, struct onn_desc *out)
{
    const struct onn_variant *last = NULL;
    struct onn_choice none = {.formats = {.n_in = 1, .n_out = 1}};
    for (int i = 0; n->op->variants && n->op->variants[i]; i++)
        last = n->op->variants[i];
    if (!last)
        return "it has no kernels";
    apply_formats(a->g, n, &none, in, out);
    const char *reason = last->refuse ? last->refuse(p) : NULL;
    return reason ? reason : "what was asked for leaves none";
}

/* What the caller wishes, on top of what is fast. */
static void apply_wishes(const struct assign *a, struct candidates *list)
{
    for (int i = 0; i < list->n; i++) {
        struct onn_choice *c = &list->c[i];
        if (!c->variant)
            continue;
        c->time *= preference(a->o, &c->formats);
        if (a->o->variant && strcmp(a->o->variant, c->variant->name) == 0)
            c->time *= 1e-6; /* wins wherever it does not refuse */
    }
}

/* Keeps the candidate that the given choices name. */
static enum oclnn_status take_given(const struct assign *a, struct candidates *list, int k)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_node *n = &a->g->node[k];
    size_t length;
    const char *line = onn_choices_line(a->o->choices, k, &length);
    struct onn_str text = {0};
    int found = -1;
    for (int i = 0; line && i < list->n && found < 0; i++) {
        const size_t begin = text.length;
        onn_choice_text(n, &list->c[i], &text);
        if (onn_str_ok(&text) && text.length - begin == length &&
            memcmp(onn_str_text(&text) + begin, line, length) == 0)
            found = i;
    }
    ONN_CHECK(onn_str_ok(&text), OCLNN_ERROR_MEMORY, "out of host memory");
    ONN_CHECK(found >= 0, OCLNN_ERROR_ARGUMENT, "the choices do not fit node '%s' (%s): '%.*s'", n->name,
        n->op->name, line ? (int)(length < 200 ? length : 200) : 0, line ? line : "");
    list->c[0] = list->c[found];
    list->n = 1;
fail:
    onn_str_finish(&text);
    return status;
}

static void add_views(const struct assign *a, struct candidates *list, struct onn_prob *p,
    struct onn_desc *in, struct onn_desc *out)
{
    const struct onn_caps *caps = a->o->caps;
    struct onn_format f[3] = {onn_format_plain(), onn_format_nhwc(in[0].rank),
        onn_format_blocked(1, caps->vector_width > 1 ? caps->vector_width : 16)};
    for (int k = 0; k < (a->o->formats_off ? 1 : 3); k++) {
        if ((k == 1 && in[0].rank < 3) || (k == 2 && in[0].rank < 2))
            continue;
        onn_desc_set_format(&in[0], f[k]);
        struct onn_desc view = out[0];
        onn_desc_set_format(&view, onn_format_plain());
        if (!p->op->view(p, &view))
            continue;
        struct onn_choice c = {.variant = NULL, .time = 1e-8};
        c.formats.n_in = p->n_in > 1 ? 2 : 1;
        c.formats.n_out = 1;
        c.formats.in[0] = f[k];
        c.formats.out[0] = view.format;
        if (wants_plain(a->o, &c.formats))
            add_candidate(list, &c);
    }
}

static enum oclnn_status list_candidates(struct assign *a, int k)
{
    enum oclnn_status status = OCLNN_OK;
    const struct onn_node *n = &a->g->node[k];
    struct onn_arena scratch = {0};
    struct onn_prob p;
    ONN_TRY(onn_node_prob(a->g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, &scratch, &p));
    p.caps = a->o->caps;
    p.math = a->o->math;
    p.epi = n->epi;
    struct onn_desc *in = (struct onn_desc *)p.in, *out = (struct onn_desc *)p.out;
    for (int v = 0; n->op->variants && n->op->variants[v]; v++) {
        struct onn_choice none = {0};
        none.formats.n_in = none.formats.n_out = 1;
        apply_formats(a->g, n, &none, in, out);
        add_variant(a, &a->node[k], n, &p, in, out, n->op->variants[v]);
    }
    if (n->op->view && !n->epi && !a->o->views_off) {
        struct onn_choice none = {0};
        apply_formats(a->g, n, &none, in, out);
        add_views(a, &a->node[k], &p, in, out);
    }
    if (a->o->adjust && !a->o->choices) {
        struct onn_choice none = {0};
        none.formats.n_in = none.formats.n_out = 1;
        apply_formats(a->g, n, &none, in, out);
        a->o->adjust(a->o->adjust_user, &p, a->node[k].c, a->node[k].n);
    }
    apply_wishes(a, &a->node[k]);
    if (a->o->choices)
        ONN_TRY(take_given(a, &a->node[k], k));
    ONN_CHECK(a->node[k].n > 0, OCLNN_ERROR_UNSUPPORTED,
        "node '%s' (%s): no kernel takes its %s input: %s. A Cast to f32 in front of it helps where the "
        "element type is "
        "the reason",
        n->name, n->op->onnx ? n->op->onnx : n->op->name, n->n_in ? oclnn_dtype_name(in[0].dtype) : "absent",
        plain_reason(a, n, &p, in, out));
fail:
    onn_arena_finish(&scratch);
    return status;
}

/* Format in which value `id` leaves its producer under the present choices. */
static struct onn_format produced(const struct assign *a, int32_t id)
{
    const struct onn_value *v = &a->g->value[id];
    return v->node < 0 ? onn_format_plain()
                       : onn_choice_out(&a->node[v->node].c[a->chosen[v->node]], v->slot);
}

static double transition(const struct assign *a, int32_t id, struct onn_format from, struct onn_format to)
{
    const struct onn_value *v = &a->g->value[id];
    if (onn_format_equal(&from, &to) || v->role == ONN_ROLE_CONST)
        return 0;
    return onn_reorder_time(&v->desc, a->o->caps);
}

static double cost_here(const struct assign *a, int k, const struct onn_choice *c, bool behind)
{
    const struct onn_node *n = &a->g->node[k];
    double time = c->time;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i])
            time += transition(a, n->in[i], produced(a, n->in[i]), onn_choice_in(c, a->g, n, i));
    for (int i = 0; behind && i < n->n_out; i++) {
        struct onn_format from = onn_choice_out(c, i);
        for (int32_t u = n->out[i] ? a->first_use[n->out[i]] : 0; u; u = a->next_use[u]) {
            int user = a->use_node[u];
            if (user < 0) { /* a graph output: plain */
                time += transition(a, n->out[i], from, onn_format_plain());
                continue;
            }
            const struct onn_node *m = &a->g->node[user];
            const struct onn_choice *d = &a->node[user].c[a->chosen[user]];
            time += transition(a, n->out[i], from, onn_choice_in(d, a->g, m, a->use_operand[u]));
        }
    }
    return time;
}

static bool choose(struct assign *a, int k, bool behind)
{
    int best = 0;
    double least = 0;
    for (int c = 0; c < a->node[k].n; c++) {
        double time = cost_here(a, k, &a->node[k].c[c], behind);
        if (c == 0 || time < least) {
            best = c;
            least = time;
        }
    }
    bool changed = a->chosen[k] != best;
    a->chosen[k] = best;
    return changed;
}

static enum oclnn_status list_uses(struct assign *a)
{
    const struct onn_graph *g = a->g;
    size_t slots = (size_t)g->n_outputs + 1;
    for (int k = 0; k < g->n_nodes; k++)
        slots += (size_t)g->node[k].n_in;
    a->first_use = onn_calloc((size_t)g->n_values, sizeof *a->first_use);
    a->next_use = onn_calloc(slots, sizeof *a->next_use);
    a->use_node = onn_calloc(slots, sizeof *a->use_node);
    a->use_operand = onn_calloc(slots, sizeof *a->use_operand);
    if (!a->first_use || !a->next_use || !a->use_node || !a->use_operand)
        return OCLNN_ERROR_MEMORY;
    int32_t used = 1;
    for (int k = 0; k < g->n_nodes; k++)
        for (int i = 0; i < g->node[k].n_in; i++) {
            int32_t id = g->node[k].in[i];
            if (!id)
                continue;
            a->use_node[used] = k;
            a->use_operand[used] = i;
            a->next_use[used] = a->first_use[id];
            a->first_use[id] = used++;
        }
    for (int i = 0; i < g->n_outputs; i++) {
        a->use_node[used] = -1;
        a->next_use[used] = a->first_use[g->output[i]];
        a->first_use[g->output[i]] = used++;
    }
    return OCLNN_OK;
}

enum oclnn_status onn_assign(const struct onn_graph *g, const struct onn_assign_options *options,
    struct onn_choice *choice)
{
    enum oclnn_status status = OCLNN_OK;
    struct assign a = {.g = g, .o = options};
    a.node = onn_calloc((size_t)g->n_nodes + 1, sizeof *a.node);
    a.chosen = onn_calloc((size_t)g->n_nodes + 1, sizeof *a.chosen);
    ONN_TRY(a.node && a.chosen ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(list_uses(&a));
    if (options->choices)
        ONN_TRY(onn_choices_check(options->choices, g->n_nodes));
    for (int k = 0; k < g->n_nodes; k++) {
        ONN_TRY(list_candidates(&a, k));
        choose(&a, k, false);
    }
    bool changed = true;
    for (int sweep = 0; sweep < SWEEPS && changed; sweep++) {
        changed = false;
        for (int i = 0; i < g->n_nodes; i++)
            changed |= choose(&a, sweep & 1 ? i : g->n_nodes - 1 - i, true);
    }
    for (int k = 0; k < g->n_nodes; k++)
        choice[k] = a.node[k].c[a.chosen[k]];
fail:
    onn_free(a.node);
    onn_free(a.chosen);
    onn_free(a.first_use);
    onn_free(a.next_use);
    onn_free(a.use_node);
    onn_free(a.use_operand);
    return status;
}
