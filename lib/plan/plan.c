#include "plan/plan.h"
#include "base/clock.h"
#include "base/env.h"
#include "pass/passes.h"
#include "pass/rewrite.h"
#include "plan/build.h"
#include "plan/choices.h"
#include "plan/layout.h"

#include <string.h>

bool onn_list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (list && *list) {
        size_t have = strcspn(list, ",");
        if (have == length && memcmp(list, word, length) == 0)
            return true;
        list += have + (list[have] == ',');
    }
    return false;
}

static const char *name_of(const struct onn_op *op)
{
    return op->name;
}

static void dump_graph(const struct oclnn_context *ctx, const struct onn_graph *g, const char *pass)
{
    if (!onn_env_has("OCLNN_DUMP", "graph"))
        return;
    struct onn_str text = {0};
    onn_graph_dump(g, name_of, &text);
    struct onn_log log = *onn_context_log(ctx);
    log.level = OCLNN_LOG_DEBUG;
    onn_log(&log, OCLNN_LOG_INFO, "graph after %s: %d nodes", pass, g->n_nodes);
    for (const char *line = onn_str_text(&text); *line;) {
        size_t n = strcspn(line, "\n");
        onn_log(&log, OCLNN_LOG_INFO, "%.*s", (int)n, line);
        line += n + (line[n] == '\n');
    }
    onn_str_finish(&text);
}

/* Replaces *g by what the pass makes of it. */
static void advance(struct onn_graph **g, struct onn_graph *next)
{
    onn_graph_destroy(g);
    *g = next;
}

static const struct {
    const char *name;
    enum oclnn_status (*run)(const struct onn_graph *in, struct onn_graph **out);
} rewriting[] = {
    {"patterns", onn_pass_patterns},
    {"addend", onn_pass_addend},
    {"transpose", onn_pass_transpose},
    {"pad", onn_pass_pad},
    {"fold", onn_pass_fold},
    {"slopes", onn_pass_slopes},
};

/* What else a plan can do without. */
static const char *const optional[] = {"fuse", "updates", "early", "layout", "views", "inplace", "arena",
    "chain"};

const char *onn_plan_pass(int i)
{
    const int n = (int)(sizeof rewriting / sizeof *rewriting),
              rest = (int)(sizeof optional / sizeof *optional);
    return i < n ? rewriting[i].name : i < n + rest ? optional[i - n] : NULL;
}

static bool is_pass(const char *word, size_t length)
{
    for (int i = 0; onn_plan_pass(i); i++)
        if (strlen(onn_plan_pass(i)) == length && memcmp(onn_plan_pass(i), word, length) == 0)
            return true;
    return false;
}

enum oclnn_status onn_plan_check_passes(const char *list)
{
    while (list && *list) {
        size_t n = strcspn(list, ",");
        if (n > 0 && !is_pass(list, n)) {
            struct onn_str names = {0};
            for (int i = 0; onn_plan_pass(i); i++)
                onn_str_add(&names, "%s%s", i ? ", " : "", onn_plan_pass(i));
            enum oclnn_status status =
                onn_error(OCLNN_ERROR_ARGUMENT, "no pass is called \"%.*s\"; those that can be left out: %s",
                    (int)(n < 100 ? n : 100), list, onn_str_text(&names));
            onn_str_finish(&names);
            return status;
        }
        list += n + (list[n] == ',');
    }
    return OCLNN_OK;
}

struct variant_names {
    const char *name[128]; /* each once */
    int n;
};

static void note_variants(const struct onn_op *op, void *user)
{
    struct variant_names *known = user;
    const int most = (int)(sizeof known->name / sizeof *known->name);
    for (int i = 0; op->variants && op->variants[i]; i++) {
        int k = 0;
        while (k < known->n && strcmp(known->name[k], op->variants[i]->name) != 0)
            k++;
        if (k == known->n && k < most)
            known->name[known->n++] = op->variants[i]->name;
    }
}

enum oclnn_status onn_plan_check_variant(const char *name)
{
    struct variant_names known = {.n = 0};
    struct onn_str list = {0};
    if (!name)
        return OCLNN_OK;
    onn_op_each(note_variants, &known);
    for (int i = 0; i < known.n; i++) {
        if (strcmp(known.name[i], name) == 0) {
            onn_str_finish(&list);
            return OCLNN_OK;
        }
        onn_str_add(&list, "%s%s", i ? ", " : "", known.name[i]);
    }
    enum oclnn_status status = onn_error(OCLNN_ERROR_ARGUMENT,
        "no kernel variant is called \"%.100s\"; known ones: %s", name, onn_str_text(&list));
    onn_str_finish(&list);
    return status;
}

enum oclnn_status onn_plan_check_format(const char *name)
{
    struct onn_format format;
    for (int rank = 2; name && rank <= ONN_MAX_RANK; rank++)
        if (onn_format_parse(name, rank, &format))
            return OCLNN_OK;
    return !name ? OCLNN_OK
                 : onn_error(OCLNN_ERROR_ARGUMENT,
                       "no format is called \"%.100s\"; the usual ones: plain, nhwc, c8, c16", name);
}

static enum oclnn_status run_passes(struct oclnn_context *ctx, const struct onn_graph *source,
    const struct onn_binding *bindings, const struct onn_plan_options *o, struct onn_graph **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_graph *g = NULL, *next = NULL, *wide = NULL;
    if (onn_graph_has_half(source)) {
        ONN_TRY(onn_pass_widen(source, &wide));
        source = wide;
    }
    ONN_TRY(onn_pass_infer(source, bindings, o->freeze, &g));
    dump_graph(ctx, g, "infer");
    for (size_t i = 0; i < sizeof rewriting / sizeof *rewriting; i++) {
        if (onn_list_has(o->passes_off, rewriting[i].name))
            continue;
        ONN_TRY(rewriting[i].run(g, &next));
        advance(&g, next);
        dump_graph(ctx, g, rewriting[i].name);
    }
    if (o->storage == OCLNN_F16) {
        ONN_TRY(onn_pass_narrow(g, onn_context_caps(ctx), onn_context_log(ctx), &next));
        advance(&g, next);
        dump_graph(ctx, g, "narrow");
    }
    if (!onn_list_has(o->passes_off, "fuse")) {
        ONN_TRY(onn_pass_fuse(g, onn_context_caps(ctx), &next));
        advance(&g, next);
        dump_graph(ctx, g, "fuse");
    }
    if (!onn_list_has(o->passes_off, "updates")) {
        ONN_TRY(onn_pass_updates(g, &next));
        advance(&g, next);
        dump_graph(ctx, g, "updates");
    }
    if (!onn_list_has(o->passes_off, "early")) {
        ONN_TRY(onn_pass_early(g, &next));
        advance(&g, next);
        dump_graph(ctx, g, "early");
    }
    *out = g;
    g = NULL;
fail:
    onn_graph_destroy(&g);
    onn_graph_destroy(&wide);
    return status;
}

static enum oclnn_status choose_layout(struct onn_plan *p, struct onn_graph *g,
    const struct onn_plan_options *o)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_choice *choice = onn_calloc((size_t)g->n_nodes + 1, sizeof *choice);
    struct onn_log log = *onn_context_log(p->ctx);
    if (onn_env_has("OCLNN_VERBOSE", "dispatch"))
        log.level = OCLNN_LOG_DEBUG;
    struct onn_assign_options options = {.caps = onn_context_caps(p->ctx),
        .math = o->math,
        .variant = o->variant,
        .format = o->format,
        .log = &log,
        .formats_off = onn_list_has(o->passes_off, "layout"),
        .views_off = onn_list_has(o->passes_off, "views"),
        .adjust = o->adjust,
        .adjust_user = o->adjust_user,
        .choices = o->choices};
    ONN_TRY(choice ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_assign(g, &options, choice));
    onn_choices_text(g, choice, &p->choices);
    ONN_TRY(onn_str_ok(&p->choices) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_layout(g, choice, &options, &p->graph, &p->choice));
    dump_graph(p->ctx, p->graph, "layout");
fail:
    onn_free(choice);
    return status;
}

enum oclnn_status onn_plan_lay_out(struct oclnn_context *ctx, const struct onn_graph *source,
    const struct onn_binding *bindings, const struct onn_plan_options *options,
    struct onn_derived_cache *cache, struct onn_plan **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_graph *g = NULL;
    uint64_t start = onn_clock_ns();
    struct onn_plan *p = onn_calloc(1, sizeof *p);
    ONN_TRY(p ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    p->ctx = ctx;
    p->cache = cache;
    p->stage_outputs = options->stage_outputs;
    p->chains_off = onn_list_has(options->passes_off, "chain");
    ONN_TRY(run_passes(ctx, source, bindings, options, &g));
    ONN_TRY(choose_layout(p, g, options));
    p->place_options = (struct onn_place_options){.caps = onn_context_caps(ctx),
        .math = options->math,
        .views_off = onn_list_has(options->passes_off, "views"),
        .inplace_off = onn_list_has(options->passes_off, "inplace"),
        .arena_off = onn_list_has(options->passes_off, "arena")};
    ONN_TRY(onn_placement_make(p->graph, p->choice, &p->place_options, &p->place));
    for (int i = 0; i < p->place.n_segments; i++)
        p->stats.arena_bytes += p->place.segment_bytes[i];
    p->stats.plan_ms = (double)(onn_clock_ns() - start) * 1e-6;
    *out = p;
    p = NULL;
fail:
    onn_graph_destroy(&g);
    onn_plan_destroy(&p);
    return status;
}

enum oclnn_status onn_plan_create(struct oclnn_context *ctx, const struct onn_graph *source,
    const struct onn_binding *bindings, const struct onn_plan_options *options,
    struct onn_derived_cache *cache, struct onn_plan **out)
{
    enum oclnn_status status = onn_plan_lay_out(ctx, source, bindings, options, cache, out);
    if (status == OCLNN_OK && (status = onn_plan_build(*out)) != OCLNN_OK)
        onn_plan_destroy(out);
    return status;
}

void onn_plan_destroy(struct onn_plan **plan)
{
    struct onn_plan *p = plan ? *plan : NULL;
    if (!p)
        return;
    *plan = NULL;
    onn_chains_finish(p);
    for (int i = 0; i < p->n_steps; i++)
        onn_step_finish(&p->step[i]);
    onn_plan_finish_bound(p);
    for (int i = 0; p->segment && i < p->place.n_segments; i++)
        onn_buffer_destroy(&p->segment[i]);
    for (int s = 0; s < p->place.n_storages; s++) {
        if (p->own)
            onn_buffer_destroy(&p->own[s]);
        if (p->derived && p->derived[s])
            onn_derived_put(p->cache, &p->derived[s]);
    }
    onn_free(p->segment);
    onn_free(p->own);
    onn_free(p->derived);
    onn_free(p->node);
    onn_free(p->step);
    onn_free(p->version);
    onn_str_finish(&p->choices);
    onn_placement_finish(&p->place);
    onn_free(p->choice);
    onn_graph_destroy(&p->graph);
    onn_free(p);
}

void onn_plan_dump(const struct onn_plan *p, struct onn_str *out)
{
    const struct onn_graph *g = p->graph;
    for (int k = 0; k < g->n_nodes; k++) {
        const struct onn_node *n = &g->node[k];
        char shape[160];
        const struct onn_choice *c = &p->choice[k];
        int32_t s = n->n_out && n->out[0] ? p->place.storage[n->out[0]] : -1;
        static const char *const what[] = {"", " view", " pack", ""};
        onn_str_add(out, "%-28s %-16s %-12s%s %s%s", n->name, n->op->name,
            c->variant ? c->variant->name : "-", what[p->place.kind[k]],
            n->n_out ? onn_desc_text(&p->place.desc[n->out[0]], shape) : "",
            p->place.derived[k] ? " derived" : "");
        if (n->epi)
            for (int i = 0; i < n->epi->n; i++)
                onn_str_add(out, " +%s", n->epi->step[i].op->name);
        if (s >= 0 && p->place.store[s].kind == ONN_STORAGE_ARENA)
            onn_str_add(out, " @%zu", p->place.store[s].offset);
        onn_str_add(out, "\n");
    }
}
