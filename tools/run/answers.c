/* What the outputs of a run say. */
#include "common/files.h"
#include "common/tool.h"
#include "run/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void run_top(const oclnn_tensor *scores, int64_t first, int64_t n, int k, int64_t *top)
{
    double *best = tool_alloc((size_t)k, sizeof(*best));
    int found = 0;

    for (int64_t i = 0; i < n; i++) {
        double v = tool_element(scores, first + i);
        int at = found;

        while (at > 0 && (v > best[at - 1] || isnan(best[at - 1])))
            at--;
        if (at == k)
            continue;
        found += found < k;
        for (int m = found - 1; m > at; m--) {
            best[m] = best[m - 1];
            top[m] = top[m - 1];
        }
        best[at] = v;
        top[at] = i;
    }
    for (; found < k; found++)
        top[found] = -1;
    free(best);
}

const char *run_label(const struct runner *r, int64_t class_number)
{
    if (!r->label)
        return NULL;
    if (class_number < 0)
        return "background";
    return class_number < r->n_labels ? r->label[class_number] : NULL;
}

/* Scores of classes: [N, classes] or with trailing dimensions of 1. Sets the number of classes. */
static bool is_classes(const oclnn_tensor *t, int64_t *rows, int64_t *classes)
{
    struct oclnn_shape s = oclnn_tensor_shape(t);

    if (s.rank == 1) {
        *rows = 1;
        *classes = s.dim[0];
    } else if (s.rank >= 2) {
        *rows = s.dim[0];
        *classes = s.dim[1];
        for (int i = 2; i < s.rank; i++)
            if (s.dim[i] != 1)
                return false;
    } else {
        return false;
    }
    return *classes > 1 && *rows >= 1;
}

static void print_classes(struct runner *r, const oclnn_tensor *t, int64_t rows, int64_t classes,
    json_t *list)
{
    int k = (int)(r->o->top < classes ? r->o->top : classes);
    int64_t *top = tool_alloc((size_t)k, sizeof(*top));

    for (int64_t row = 0; row < rows; row++) {
        run_top(t, row * classes, classes, k, top);
        if (rows > 1 && !list)
            printf("  image %lld\n", (long long)row);
        for (int i = 0; i < k && top[i] >= 0; i++) {
            double score = tool_element(t, row * classes + top[i]);
            int64_t number = top[i] - r->o->label_offset;
            const char *label = run_label(r, number);

            if (list) {
                json_t *entry = json_object();

                tool_json_set(entry, "row", json_integer(row));
                tool_json_set(entry, "class", json_integer(number));
                tool_json_set(entry, "score", tool_json_real(score));
                if (label)
                    tool_json_set(entry, "label", tool_json_text(label));
                json_array_append_new(list, entry);
            } else {
                printf("  %10.6f  %5lld%s%s\n", score, (long long)number, label ? "  " : "",
                    label ? label : "");
            }
        }
    }
    free(top);
}

static json_t *describe(const oclnn_tensor *t, const char *name, bool json)
{
    double min = INFINITY, max = -INFINITY, sum = 0;
    int64_t n = tool_elements(t), odd = 0;
    struct oclnn_shape s = oclnn_tensor_shape(t);
    char text[200];

    for (int64_t i = 0; i < n; i++) {
        double v = tool_element(t, i);

        if (!isfinite(v)) {
            odd++;
            continue;
        }
        min = v < min ? v : min;
        max = v > max ? v : max;
        sum += v;
    }
    tool_shape_text(&s, text);
    if (!json) {
        printf("  output '%s' %s %s: min %.6g, mean %.6g, max %.6g", name,
            oclnn_dtype_name(oclnn_tensor_dtype(t)), text, n > odd ? min : 0,
            n > odd ? sum / (double)(n - odd) : 0, n > odd ? max : 0);
        printf(odd ? ", %lld not finite\n" : "\n", (long long)odd);
        return NULL;
    }
    json_t *entry = json_object();

    tool_json_set(entry, "name", tool_json_text(name));
    tool_json_set(entry, "dtype", tool_json_text(oclnn_dtype_name(oclnn_tensor_dtype(t))));
    tool_json_set(entry, "shape", tool_json_text(text));
    tool_json_set(entry, "min", tool_json_real(min));
    tool_json_set(entry, "mean", tool_json_real(n > odd ? sum / (double)(n - odd) : 0));
    tool_json_set(entry, "max", tool_json_real(max));
    tool_json_set(entry, "not_finite", json_integer(odd));
    return entry;
}

static const char *output_name(const struct runner *r, int k)
{
    struct oclnn_model_io io = {.name = ""};

    oclnn_model_output(r->model, k, &io);
    return io.name;
}

static int save(struct runner *r, const struct tool_feed *f)
{
    const char *path = r->o->out, *dot = strrchr(path, '.');
    struct tool_arrays arrays = {.n = f->n_out};
    struct oclnn_image_params params = r->o->image;
    enum oclnn_status status;
    int code;

    if (dot && !strcmp(dot, ".png")) {
        status = oclnn_image_save(path, f->out[0], &params);
        return status == OCLNN_OK ? TOOL_OK : tool_fail(status, "%s", path);
    }
    if (!dot || strcmp(dot, ".npz") != 0)
        return tool_error("--out %s: the name must end in .npz or .png", path);
    arrays.name = tool_alloc((size_t)f->n_out, sizeof(*arrays.name));
    arrays.tensor = tool_alloc((size_t)f->n_out, sizeof(*arrays.tensor));
    for (int k = 0; k < f->n_out; k++) {
        const char *name = output_name(r, k);

        /* A name that no archive should hold becomes the output's number. */
        arrays.name[k] =
            name[0] && name[0] != '/' && !strstr(name, "..") ? tool_strdup(name) : tool_format("out_%d", k);
        arrays.tensor[k] = f->out[k];
    }
    code = tool_save_npz(path, &arrays);
    memset(arrays.tensor, 0, (size_t)f->n_out * sizeof(*arrays.tensor)); /* they stay the feed's */
    tool_arrays_finish(&arrays);
    return code;
}

int run_answers(struct runner *r, const struct tool_feed *f, const char *name)
{
    int64_t rows, classes;
    json_t *entry = NULL, *outputs = NULL;

    if (name && r->results) {
        entry = json_object();
        tool_json_set(entry, "input", tool_json_text(name));
        outputs = json_array();
    } else if (name) {
        printf("%s\n", name);
    }
    if (name && is_classes(f->out[0], &rows, &classes)) {
        json_t *top = r->results ? json_array() : NULL;

        print_classes(r, f->out[0], rows, classes, top);
        if (top)
            tool_json_set(entry, "top", top);
    }
    for (int k = 0; name && k < f->n_out; k++) {
        if (r->results)
            json_array_append_new(outputs, describe(f->out[k], output_name(r, k), true));
        else if (k > 0 || !is_classes(f->out[0], &rows, &classes))
            describe(f->out[k], output_name(r, k), false);
    }
    if (entry) {
        tool_json_set(entry, "outputs", outputs);
        json_array_append_new(r->results, entry);
    }
    return r->o->out ? save(r, f) : TOOL_OK;
}
