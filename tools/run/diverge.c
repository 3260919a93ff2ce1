/* --compare-device, --compare-variant: which step of the network is the first whose results differ. */
#include "common/tool.h"
#include "run/run.h"
#include <stdlib.h>
#include <string.h>

struct search {
    struct runner *r;
    const struct tool_feed *inputs;
    int n_layers, looks;
    signed char *known; /* per layer: 0 not looked at, 1 differs, -1 agrees */
    struct tool_difference difference; /* of the layer looked at last */
    char at[200]; /* where */
};

static enum oclnn_status run_watched(oclnn_model *model, int layer, struct tool_feed *f,
    const struct tool_feed *inputs)
{
    enum oclnn_status status = oclnn_model_watch(model, layer);

    if (status == OCLNN_OK && tool_feed_like(f, model, inputs) != TOOL_OK)
        status = OCLNN_ERROR_MEMORY;
    return status == OCLNN_OK ? tool_feed_run(f, model) : status;
}

/* Runs both models with what the layer makes as additional outputs. A layer that cannot be looked at counts as right. */
static bool look(struct search *s, int layer)
{
    struct tool_feed a = {0}, b = {0};
    int own;
    bool differs = false;

    oclnn_model_watch(s->r->model, -1);
    own = oclnn_model_output_count(s->r->model);
    s->looks++;
    if (run_watched(s->r->model, layer, &a, s->inputs) == OCLNN_OK &&
        run_watched(s->r->other, layer, &b, s->inputs) == OCLNN_OK)
        for (int k = own; k < a.n_out && k < b.n_out && !differs; k++) {
            s->difference = tool_compare(a.out[k], b.out[k], s->r->o->tolerance);
            differs = !s->difference.passes;
            if (s->difference.index >= 0)
                tool_index_text(b.out[k], s->difference.index, s->at);
        }
    tool_feed_finish(&a);
    tool_feed_finish(&b);
    s->known[layer] = differs ? 1 : -1;
    return differs;
}

static bool is_off(struct search *s, int layer)
{
    return s->known[layer] ? s->known[layer] > 0 : look(s, layer);
}

/* The layers that `layer` depends on, in order, itself the last. */
static int ancestors(const struct search *s, int layer, int *list)
{
    bool *needed = tool_alloc((size_t)s->n_layers, sizeof(*needed));
    struct oclnn_layer info;
    int n = 0;

    needed[layer] = true;
    for (int l = layer; l >= 0; l--)
        if (needed[l] && oclnn_model_layer(s->r->model, l, &info) == OCLNN_OK)
            for (int i = 0; i < info.inputs; i++) {
                int from = oclnn_model_layer_input(s->r->model, l, i);

                if (from >= 0)
                    needed[from] = true;
            }
    for (int l = 0; l <= layer; l++)
        if (needed[l])
            list[n++] = l;
    free(needed);
    return n;
}

/* From a layer that is off: one that is off while everything that it reads agrees. Halving finds it where layers follow each
 * other; where branches join, the search begins again in front of an input that is off too. */
static int first_off(struct search *s, int layer)
{
    int *list = tool_alloc((size_t)s->n_layers, sizeof(*list)), next = layer;
    struct oclnn_layer info = {0};

    while (next >= 0 && !tool_interrupted()) {
        int low = 0, high = ancestors(s, next, list) - 1;

        while (low < high && !tool_interrupted()) {
            int middle = (low + high) / 2;

            if (is_off(s, list[middle]))
                high = middle;
            else
                low = middle + 1;
        }
        layer = list[low];
        next = -1;
        oclnn_model_layer(s->r->model, layer, &info);
        for (int i = 0; i < info.inputs && next < 0; i++) {
            int from = oclnn_model_layer_input(s->r->model, layer, i);

            if (from >= 0 && is_off(s, from))
                next = from;
        }
    }
    free(list);
    return layer;
}

static void report(struct search *s, int layer)
{
    struct oclnn_layer info = {.name = "", .op = "", .output = ""};

    oclnn_model_layer(s->r->model, layer, &info);
    look(s, layer);
    if (s->r->results) {
        json_t *row = json_object();

        tool_json_set(row, "first_diverging_layer", tool_json_text(info.name));
        tool_json_set(row, "number", json_integer(layer));
        tool_json_set(row, "op", tool_json_text(info.op));
        tool_json_set(row, "output", tool_json_text(info.output));
        tool_json_set(row, "max_abs", tool_json_real(s->difference.max_abs));
        json_array_append_new(s->r->results, row);
    }
    tool_error("the first layer that diverges is number %d of %d, '%s' (%s): its result '%s' at %s is %.9g, "
               "wanted %.9g; everything that it reads agrees",
        layer, s->n_layers, info.name, info.op, info.output, s->at, s->difference.got, s->difference.want);
}

void run_diverge(struct runner *r, const struct tool_feed *f, int output)
{
    struct search s = {.r = r, .inputs = f, .n_layers = oclnn_model_layer_count(r->model)};
    int layer = oclnn_model_output_layer(r->model, output);

    if (layer < 0 || oclnn_model_layer_count(r->other) != s.n_layers)
        return;
    s.known = tool_alloc((size_t)s.n_layers, sizeof(*s.known));
    if (is_off(&s, layer)) {
        layer = first_off(&s, layer);
        if (!tool_interrupted())
            report(&s, layer);
    } else {
        tool_error("no layer diverges when its result is looked at: the difference comes with what is fused");
    }
    oclnn_model_watch(r->model, -1);
    oclnn_model_watch(r->other, -1);
    free(s.known);
}
