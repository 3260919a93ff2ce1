/* oclnn-run: runs a network on images, arrays, test data or a labelled set. */
#include "common/devices.h"
#include "common/networks.h"
#include "common/tool.h"
#include "run/run.h"
#include <errno.h>
#include <oclnn/config.h>
#include <stdlib.h>
#include <string.h>

static int load_labels(struct runner *r)
{
    FILE *f = fopen(r->o->labels, "r");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;

    if (!f)
        return tool_error("%s: %s", r->o->labels, strerror(errno));
    while ((n = getline(&line, &capacity, f)) >= 0) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            line[--n] = 0;
        r->label = tool_realloc(r->label, (size_t)r->n_labels + 1, sizeof(*r->label));
        r->label[r->n_labels++] = tool_strdup(line);
    }
    free(line);
    fclose(f);
    return TOOL_OK;
}

static int open_on(const struct run_options *o, const char *device, const char *variant, oclnn_context **ctx,
    oclnn_model **model)
{
    struct oclnn_model_params params = {.variant = variant,
        .format = o->format,
        .passes_off = o->passes_off,
        .dtype = o->dtype};
    enum oclnn_status status;
    int code;

    if (!tool_is_network(o->model) && !tool_is_file(o->model))
        return tool_error("%s is neither a file nor a built-in network (oclnn-info --networks lists them)",
            o->model);
    code = tool_context(device, o->log_level, ctx);
    if (code != TOOL_OK)
        return code;
    status = tool_model_open(*ctx, o->model, 0, &params, model);
    if (status != OCLNN_OK)
        return strstr(oclnn_error_text(NULL), o->model) ? tool_error("%s", oclnn_error_text(NULL))
                                                        : tool_fail(status, "%s", o->model);
    return TOOL_OK;
}

static void print_line(void *user, const char *text)
{
    (void)user;
    puts(text);
}

/* A plan for the given or the declared shapes, so that --summary and --dump have something to show. */
static int prepare(struct runner *r)
{
    struct tool_feed f = {0};
    enum oclnn_status status;
    int code = tool_feed_random(&f, r->model, &r->o->shapes, 0);

    if (code == TOOL_OK && r->other)
        code = run_feed(r, &f);
    else if (code == TOOL_OK) {
        for (int i = 0; i < f.n_in; i++)
            f.bind_in[i] = (struct oclnn_binding){.tensor = f.in[i]};
        status = oclnn_model_prepare(r->model, f.bind_in);
        if (status != OCLNN_OK)
            code = tool_fail(status, "%s", r->o->model);
    }
    tool_feed_finish(&f);
    return code;
}

static int show(struct runner *r)
{
    enum oclnn_status status = OCLNN_OK;

    if (r->o->summary)
        status = oclnn_model_summary(r->model, print_line, NULL);
    if (status == OCLNN_OK && r->o->dump)
        status = oclnn_model_dump(r->model, print_line, NULL);
    return status == OCLNN_OK ? TOOL_OK : tool_fail(status, "%s", r->o->model);
}

static int run(struct runner *r)
{
    const struct run_options *o = r->o;
    int code = o->labels ? load_labels(r) : TOOL_OK, planned = TOOL_OK;

    if (code == TOOL_OK)
        code = open_on(o, o->device, o->variant, &r->ctx, &r->model);
    if (code == TOOL_OK && (o->compare_device || o->compare_variant))
        code = open_on(o, o->compare_device ? o->compare_device : o->device,
            o->compare_variant ? o->compare_variant : o->variant, &r->other_ctx, &r->other);
    if (code != TOOL_OK)
        return code;
    if (o->export_path) {
        enum oclnn_status status = oclnn_model_save(r->model, o->export_path);

        if (status != OCLNN_OK)
            return tool_fail(status, "%s", o->export_path);
    }
    if (o->data)
        code = run_data(r);
    else if (o->eval)
        code = run_evaluate(r);
    else if (o->n_inputs)
        code = run_inputs(r);
    else if (o->summary || o->dump || r->other)
        code = planned = prepare(r);
    if ((o->summary || o->dump) && planned == TOOL_OK) {
        int shown = show(r);

        code = code == TOOL_OK ? shown : code;
    }
    return code;
}

static int print_json(struct runner *r)
{
    json_t *all = json_object();
    struct oclnn_device_info device = {0};
    int code;

    if (r->ctx)
        oclnn_context_device(r->ctx, &device);
    tool_json_set(all, "oclnn", tool_json_text(OCLNN_VERSION));
    tool_json_set(all, "device", tool_json_text(device.name));
    tool_json_set(all, "model", tool_json_text(r->o->model));
    json_object_set(all, "results", r->results);
    code = tool_json_print(all, 0, stdout);
    json_decref(all);
    return code;
}

int main(int argc, char **argv)
{
    struct run_options o;
    struct runner r = {.o = &o};
    int code;

    tool_init("oclnn-run");
    code = run_options_parse(&o, argc, argv);
    if (code < 0) {
        r.results = o.json ? json_array() : NULL;
        code = run(&r);
        if (o.json && print_json(&r) != TOOL_OK)
            code = TOOL_FAILED;
        code = tool_interrupted() ? TOOL_INTERRUPTED : tool_finish(code);
        oclnn_model_destroy(&r.other);
        oclnn_context_destroy(&r.other_ctx);
        oclnn_model_destroy(&r.model);
        oclnn_context_destroy(&r.ctx);
        for (int i = 0; i < r.n_labels; i++)
            free(r.label[i]);
        free(r.label);
        json_decref(r.results);
    }
    run_options_finish(&o);
    return code;
}
