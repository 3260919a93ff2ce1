/* --data: outputs against the promised ones; --compare-device: two devices against each other. */
#include "common/devices.h"
#include "common/tool.h"
#include "run/run.h"
#include <stdlib.h>

/* One line per output, to standard error where it is wrong. Returns TOOL_OK or TOOL_FAILED. */
static int compare_output(const struct runner *r, int k, const oclnn_tensor *got, const oclnn_tensor *want,
    const char *place, const char *what)
{
    struct tool_difference d = tool_compare(got, want, r->o->tolerance);
    struct oclnn_model_io io = {.name = "?"};
    char at[200], other[200];

    oclnn_model_output(r->model, k, &io);
    if (r->results) {
        json_t *row = json_object();

        tool_json_set(row, "data", tool_json_text(place));
        tool_json_set(row, "output", tool_json_text(io.name));
        tool_json_set(row, "status", tool_json_text(d.passes ? "pass" : "fail"));
        tool_json_set(row, "max_abs", tool_json_real(d.max_abs));
        tool_json_set(row, "max_rel", tool_json_real(d.scale > 0 ? d.max_abs / d.scale : 0));
        if (d.index >= 0) {
            tool_json_set(row, "index", tool_json_text(tool_index_text(want, d.index, at)));
            tool_json_set(row, "got", tool_json_real(d.got));
            tool_json_set(row, "wanted", tool_json_real(d.want));
        }
        json_array_append_new(r->results, row);
    }
    if (!d.is_same_shape) {
        struct oclnn_shape a = oclnn_tensor_shape(got), b = oclnn_tensor_shape(want);

        return tool_error("%s: output '%s': got shape %s, wanted %s (%s)", place, io.name,
            tool_shape_text(&a, at), tool_shape_text(&b, other), what);
    }
    if (!d.passes)
        return tool_error("%s: output '%s' at %s: got %.9g, wanted %.9g (%s); %lld of %lld elements are off, "
                          "largest "
                          "difference %.3g, largest value %.3g",
            place, io.name, tool_index_text(want, d.index, at), d.got, d.want, what, (long long)d.wrong,
            (long long)tool_elements(want), d.max_abs, d.scale);
    if (!r->results && !r->o->quiet)
        printf("%s: output '%s': pass, largest difference %.3g (%.2g of the largest value)\n", place, io.name,
            d.max_abs, d.scale > 0 ? d.max_abs / d.scale : 0);
    return TOOL_OK;
}

int run_feed(struct runner *r, struct tool_feed *f)
{
    struct tool_feed other = {0};
    enum oclnn_status status = tool_feed_run(f, r->model);
    int code = TOOL_OK;

    if (status != OCLNN_OK)
        return tool_fail(status, "%s", r->o->model);
    if (!r->other)
        return TOOL_OK;
    code = tool_feed_like(&other, r->other, f);
    if (code == TOOL_OK) {
        status = tool_feed_run(&other, r->other);
        if (status != OCLNN_OK)
            code = tool_fail(status, "%s, compared", r->o->model);
    }
    if (code == TOOL_OK) {
        int wrong = -1;

        for (int k = 0; k < f->n_out; k++)
            if (compare_output(r, k, f->out[k], other.out[k], r->o->compare_device ? "devices" : "variants",
                    r->o->compare_device ? r->o->compare_device : r->o->compare_variant) != TOOL_OK) {
                code = TOOL_FAILED;
                wrong = wrong < 0 ? k : wrong;
            }
        if (wrong >= 0)
            run_diverge(r, f, wrong);
    }
    tool_feed_finish(&other);
    return code;
}

static int run_set(struct runner *r, const char *folder)
{
    struct tool_feed f = {0};
    int code = tool_feed_folder(&f, r->model, folder);

    if (code == TOOL_OK)
        code = run_feed(r, &f);
    if (code == TOOL_OK && f.n_want == 0 && !r->o->quiet)
        tool_warn("%s has no output_0.pb: nothing is compared", folder);
    for (int k = 0; k < f.n_want && f.out && f.out[k]; k++)
        if (compare_output(r, k, f.out[k], f.want[k], folder, "the reference") != TOOL_OK)
            code = TOOL_FAILED;
    if (f.out && f.out[0] && r->o->out) {
        int saved = run_answers(r, &f, NULL);

        code = code == TOOL_OK ? saved : code;
    }
    tool_feed_finish(&f);
    return code;
}

int run_data(struct runner *r)
{
    char **set;
    int n, code = tool_data_sets(r->o->data, &set, &n);

    if (code != TOOL_OK)
        return code;
    if (n > 1 && r->o->out)
        code = tool_error("--out wants one test_data_set, %s has %d", r->o->data, n);
    for (int i = 0; i < n && !tool_interrupted() && !(n > 1 && r->o->out); i++) {
        int result = run_set(r, set[i]);

        code = code == TOOL_OK ? result : code;
    }
    tool_device_free(&set, &n);
    return code;
}
