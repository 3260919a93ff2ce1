/* What a model looks like and where its time goes: plan info, profile, summary, dump. */
#include "model/model.h"
#include "pass/rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum oclnn_status oclnn_model_plan_info(const oclnn_model *model, struct oclnn_plan_info *out)
{
    if (!model || !out || !model->current)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the model has no plan yet: run or prepare it");
    const struct onn_plan *p = model->current->plan;
    struct onn_counters now = onn_context_counters(model->ctx);
    *out = (struct oclnn_plan_info){
        .nodes = p->graph->n_nodes,
        .kernels = p->stats.kernels,
        .programs = p->stats.programs,
        .flop = p->stats.flop,
        .parameter_bytes = p->stats.parameter_bytes,
        .derived_bytes = p->stats.derived_bytes,
        .arena_bytes = p->stats.arena_bytes,
        .arena_tensor_bytes = p->place.tensor_bytes,
        .arena_lower_bound = p->place.lower_bound,
        .workspace_bytes = p->place.workspace_bytes,
        .padding_bytes = p->place.padding,
        .staging_bytes = p->stats.staging_bytes,
        .tune_ms = model->tuner.spent_ns / 1e6,
        .plan_ms = p->stats.plan_ms,
        .build_ms = p->stats.build_ms,
        .cache_hits = (int)(now.cache_hits - model->before.cache_hits),
        .cache_misses = (int)(now.cache_misses - model->before.cache_misses),
    };
    return OCLNN_OK;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double bytes_moved(const struct onn_plan *p, int k)
{
    const struct onn_node *n = &p->graph->node[k];
    double bytes = 0;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i])
            bytes += (double)onn_desc_unpadded_bytes(&p->place.desc[n->in[i]]);
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            bytes += (double)onn_desc_unpadded_bytes(&p->place.desc[n->out[i]]);
    return bytes;
}

/* The value whose shape stands for the node: its output, or what it updates. */
static int32_t shown_value(const struct onn_node *n)
{
    return n->n_out && n->out[0] ? n->out[0] : n->in[0];
}

static enum oclnn_status fill_row(const struct onn_plan *p, struct onn_arena *names, int k, double time_ns,
    struct oclnn_profile_row *row)
{
    const int32_t shown = shown_value(&p->graph->node[k]);
    const struct onn_node *n = &p->graph->node[k];
    struct onn_arena scratch = {0};
    struct onn_prob prob;
    char text[160], format[48];
    enum oclnn_status status = onn_placed_prob(p->graph, &p->place, k, &p->place_options, &scratch, &prob);
    if (status == OCLNN_OK) {
        *row = (struct oclnn_profile_row){.op = n->op->name,
            .time_ms = time_ns * 1e-6,
            .bytes = bytes_moved(p, k),
            .variant = p->choice[k].variant ? p->choice[k].variant->name : "copy",
            .flop = n->op->flop ? n->op->flop(&prob) : onn_default_flop(&prob)};
        row->node = onn_arena_strdup(names, n->name);
        row->format = onn_arena_strdup(names, onn_format_name(&p->place.desc[shown].format, format));
        onn_desc_text(&p->place.desc[shown], text);
        size_t length = strnlen(text, sizeof row->shape - 1);
        memcpy(row->shape, text, length);
        row->shape[length] = '\0';
        if (!row->node || !row->format)
            status = OCLNN_ERROR_MEMORY;
    }
    onn_arena_finish(&scratch);
    return status;
}

enum oclnn_status onn_plan_rows(struct onn_plan *p, struct onn_arena *names, int runs,
    struct oclnn_profile_row *rows, int capacity, int *n_rows)
{
    enum oclnn_status status = OCLNN_OK;
    size_t nodes = (size_t)p->graph->n_nodes;
    runs = runs < 1 ? 1 : runs > 1000 ? 1000 : runs;
    double *times = onn_calloc(nodes + 1, (size_t)(runs + 1) * sizeof *times);
    ONN_TRY(times ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    onn_arena_finish(names);
    double *one = times + nodes * (size_t)runs;
    for (int r = 0; r < runs; r++) {
        ONN_TRY(onn_plan_profile(p, one));
        for (size_t k = 0; k < nodes; k++)
            times[k * (size_t)runs + (size_t)r] = one[k];
    }
    *n_rows = 0;
    for (int k = 0; k < p->graph->n_nodes; k++) {
        if (!p->node[k].n || p->place.derived[k])
            continue;
        if (rows && *n_rows < capacity) {
            qsort(times + (size_t)k * (size_t)runs, (size_t)runs, sizeof *times, ascending);
            ONN_TRY(
                fill_row(p, names, k, times[(size_t)k * (size_t)runs + (size_t)runs / 2], &rows[*n_rows]));
        }
        ++*n_rows;
    }
fail:
    onn_free(times);
    return status;
}

enum oclnn_status oclnn_model_profile(oclnn_model *model, int runs, struct oclnn_profile_row *rows,
    int capacity, int *n_rows)
{
    if (!model || !model->current || !n_rows)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the model has no plan yet: run it first");
    return onn_plan_rows(model->current->plan, &model->names, runs, rows, capacity, n_rows);
}

static void write_lines(struct onn_str *text, void (*line)(void *user, const char *text), void *user)
{
    char *at = text->text;
    while (at && *at) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        line(user, at);
        at = end ? end + 1 : NULL;
    }
}

enum oclnn_status oclnn_model_dump(oclnn_model *model, void (*line)(void *user, const char *text), void *user)
{
    struct onn_str text = {0};
    if (!model || !line || !model->current)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the model has no plan yet: run or prepare it");
    onn_plan_dump(model->current->plan, &text);
    enum oclnn_status status = onn_str_ok(&text) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    if (status == OCLNN_OK)
        write_lines(&text, line, user);
    onn_str_finish(&text);
    return status;
}

enum oclnn_status oclnn_model_choices(oclnn_model *model, void (*line)(void *user, const char *text),
    void *user)
{
    struct onn_str text = {0};
    if (!model || !line || !model->current)
        return onn_error(OCLNN_ERROR_ARGUMENT, "the model has no plan yet: run or prepare it");
    onn_str_add(&text, "%s", onn_str_text(&model->current->plan->choices));
    enum oclnn_status status = onn_str_ok(&text) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    if (status == OCLNN_OK)
        write_lines(&text, line, user);
    onn_str_finish(&text);
    return status;
}

static const char *grouped(double value, char text[static 32])
{
    static const char *const unit[] = {"", " k", " M", " G", " T"};
    int u = 0;
    while (value >= 10000 && u < 4) {
        value /= 1000;
        u++;
    }
    snprintf(text, 32, "%.*f%s", u ? 1 : 0, value, unit[u]);
    return text;
}

/* The source graph with the current plan's shapes: users see their own layers, not what the passes made of them. */
static enum oclnn_status summarise(struct oclnn_model *m, struct onn_str *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_graph *g = NULL;
    double parameters = 0, flop = 0;
    char shape[160], a[32], b[32];
    ONN_TRY(onn_pass_infer(m->graph, m->current->binding, true, &g));
    onn_str_add(out, "%-32s %-20s %-24s %12s %10s\n", "layer", "operator", "output", "parameters", "FLOP");
    for (int k = 0; k < g->n_nodes; k++) {
        const struct onn_node *n = &g->node[k];
        struct onn_arena scratch = {0};
        struct onn_prob p;
        double own = 0, work = 0;
        status = onn_node_prob(g, n->op, n->attr, n->n_in, n->in, n->n_out, n->out, &scratch, &p);
        if (status == OCLNN_OK) {
            for (int i = 0; i < n->n_in; i++)
                if (n->in[i] && onn_value_is_persistent(&g->value[n->in[i]]))
                    own += (double)onn_desc_elements(&p.in[i]);
            work = n->op->flop ? n->op->flop(&p) : onn_default_flop(&p);
        }
        onn_arena_finish(&scratch);
        ONN_TRY(status);
        parameters += own;
        flop += work;
        onn_str_add(out, "%-32s %-20s %-24s %12s %10s\n", n->name, n->op->onnx ? n->op->onnx : n->op->name,
            n->n_out && n->out[0] ? onn_desc_text(&g->value[n->out[0]].desc, shape) : "", grouped(own, a),
            grouped(work, b));
    }
    onn_str_add(out, "%d layers, %s parameters, %s FLOP\n", g->n_nodes, grouped(parameters, a),
        grouped(flop, b));
fail:
    onn_graph_destroy(&g);
    return status;
}

enum oclnn_status oclnn_model_summary(oclnn_model *model, void (*line)(void *user, const char *text),
    void *user)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_str text = {0};
    ONN_CHECK(model && line, OCLNN_ERROR_ARGUMENT, "the model or the line function is NULL");
    ONN_CHECK(model->current, OCLNN_ERROR_ARGUMENT, "the model has no plan yet: run or prepare it");
    ONN_TRY(summarise(model, &text));
    ONN_TRY(onn_str_ok(&text) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    write_lines(&text, line, user);
fail:
    onn_str_finish(&text);
    return status;
}
