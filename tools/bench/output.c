#include "bench/output.h"
#include "common/svg.h"
#include "common/table.h"
#include "common/tool.h"
#include <oclnn/config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum column {
    COL_DEVICE,
    COL_MODEL,
    COL_BATCH,
    COL_DTYPE,
    COL_MEDIAN,
    COL_P90,
    COL_IMAGES,
    COL_GFLOPS,
    COL_PEAK,
    COL_FIRST,
    COL_MEMORY,
    COL_CHECK,
    COL_DRIVER,
    COL_REPRO,
};
static const char *const titles[] = {"device", "model", ">batch", "dtype", ">median ms", ">p90 ms",
    ">images/s", ">GFLOPS", ">% peak", ">first ms", ">memory", "check", "driver", "repro"};

/* A number of about four digits; nothing for a field that is not there. */
static void set_real(struct tool_table *t, int column, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    double v = json_number_value(value);

    if (json_is_number(value))
        tool_table_set(t, column, v >= 1000 ? "%.0f" : v >= 100 ? "%.1f" : v >= 10 ? "%.2f" : "%.3f", v);
}

static void fill_row(struct tool_table *t, const json_t *row, bool whole)
{
    const json_t *time = json_object_get(row, "time_ms"), *bytes = json_object_get(row, "bytes");
    char text[32];

    tool_table_row(t);
    tool_table_set(t, COL_DEVICE, "%s %s", tool_json_get_text(row, "selector"),
        tool_json_get_text(row, "device"));
    if (!whole)
        tool_table_set(t, COL_DEVICE, "%s %.32s", tool_json_get_text(row, "selector"),
            tool_json_get_text(row, "device"));
    tool_table_set(t, COL_MODEL, "%s", tool_json_get_text(row, "model"));
    if (json_object_get(row, "variant"))
        tool_table_set(t, COL_MODEL, "%s (%s)", tool_json_get_text(row, "model"),
            tool_json_get_text(row, "variant"));
    if (json_object_get(row, "batch"))
        tool_table_set(t, COL_BATCH, "%.0f", tool_json_get_real(row, "batch"));
    tool_table_set(t, COL_DTYPE, "%s", tool_json_get_text(row, "dtype"));
    set_real(t, COL_MEDIAN, time, "median");
    set_real(t, COL_P90, time, "p90");
    set_real(t, COL_IMAGES, row, "images_per_s");
    set_real(t, COL_GFLOPS, row, "gflops");
    set_real(t, COL_PEAK, row, "percent_of_peak");
    set_real(t, COL_FIRST, row, "first_answer_ms");
    if (bytes)
        tool_table_set(t, COL_MEMORY, "%s",
            tool_bytes_text(tool_json_get_real(bytes, "parameters") + tool_json_get_real(bytes, "derived") +
                    tool_json_get_real(bytes, "arena") + tool_json_get_real(bytes, "staging"),
                text));
    tool_table_set(t, COL_CHECK, "%s", tool_json_get_text(json_object_get(row, "verify"), "status"));
    if (whole) {
        tool_table_set(t, COL_DRIVER, "%s", tool_json_get_text(row, "driver"));
        tool_table_set(t, COL_REPRO, "%s", tool_json_get_text(row, "repro"));
    }
}

static void print_layers(const json_t *row, enum tool_table_form form, FILE *f)
{
    static const char *const layer_titles[] = {"node", "op", "variant", "format", "shape", ">ms", ">%",
        ">GFLOPS", ">GB/s", ">roof ms"};
    const json_t *layers = json_object_get(row, "layers");
    struct tool_table t = {0};
    double sum = 0;
    size_t i;
    json_t *layer;

    json_array_foreach(layers, i, layer) sum += tool_json_get_real(layer, "time_ms");
    for (i = 0; i < sizeof(layer_titles) / sizeof(layer_titles[0]); i++)
        tool_table_column(&t, layer_titles[i]);
    json_array_foreach(layers, i, layer)
    {
        double ms = tool_json_get_real(layer, "time_ms");

        tool_table_row(&t);
        tool_table_set(&t, 0, "%s", tool_json_get_text(layer, "node"));
        tool_table_set(&t, 1, "%s", tool_json_get_text(layer, "op"));
        tool_table_set(&t, 2, "%s", tool_json_get_text(layer, "variant"));
        tool_table_set(&t, 3, "%s", tool_json_get_text(layer, "format"));
        tool_table_set(&t, 4, "%s", tool_json_get_text(layer, "shape"));
        tool_table_set(&t, 5, "%.4f", ms);
        tool_table_set(&t, 6, "%.1f", sum > 0 ? 100 * ms / sum : 0);
        set_real(&t, 7, layer, "gflops");
        set_real(&t, 8, layer, "gbs");
        if (tool_json_get_real(layer, "roofline_ms") > 0)
            tool_table_set(&t, 9, "%.4f", tool_json_get_real(layer, "roofline_ms"));
    }
    fprintf(f, "\n%s on %s: %zu layers, %.3f ms\n%s", tool_json_get_text(row, "model"),
        tool_json_get_text(row, "device"), json_array_size(layers), sum, form == TOOL_TABLE_MD ? "\n" : "");
    tool_table_print(&t, form, f);
    tool_table_finish(&t);
}

static void print_table(const struct bench_options *o, const struct bench_report *r,
    enum tool_table_form form, FILE *f)
{
    struct tool_table t = {0};
    bool csv = form == TOOL_TABLE_CSV;
    size_t i, k, columns = csv ? sizeof(titles) / sizeof(titles[0]) : COL_DRIVER;
    json_t *row, *warning;

    for (i = 0; i < columns; i++)
        tool_table_column(&t, titles[i]);
    if (o->compare)
        tool_table_column(&t, ">base/now");
    json_array_foreach(r->results, i, row)
    {
        fill_row(&t, row, csv);
        if (json_object_get(row, "ratio"))
            tool_table_set(&t, (int)columns, "%.3f", tool_json_get_real(row, "ratio"));
    }
    if (json_array_size(r->results) > 0)
        tool_table_print(&t, form, f);
    tool_table_finish(&t);
    if (csv)
        return;
    json_array_foreach(r->results, i, row) if (json_object_get(row, "layers")) print_layers(row, form, f);
    fputs("\n", f);
    json_array_foreach(r->results, i, row) json_array_foreach(json_object_get(row, "warnings"), k, warning)
        fprintf(f, "- %s on %s: %s\n", tool_json_get_text(row, "model"), tool_json_get_text(row, "selector"),
            json_string_value(warning));
    fprintf(f, "oclnn %s; ", OCLNN_VERSION);
    if (json_array_size(r->results) > 0) {
        row = json_array_get(r->results, 0);
        fprintf(f, "first row again: %s", tool_json_get_text(row, "repro"));
    }
    fputs("\n", f);
}

static int print_json(const struct bench_report *r, FILE *f)
{
    json_t *all = json_object();
    int code;

    tool_json_set(all, "oclnn", tool_json_text(OCLNN_VERSION));
    json_object_set(all, "results", r->results);
    json_object_set(all, "errors", r->errors);
    code = tool_json_print(all, 0, f);
    json_decref(all);
    return code;
}

static int print_lines(const struct bench_report *r, FILE *f)
{
    int code = TOOL_OK;
    size_t i;
    json_t *row;

    json_array_foreach(r->results, i, row) if (code == TOOL_OK) code = tool_json_print(row, 1, f);
    return code;
}

#define MAX_CHARTS 8

/* --roofline: one chart per row that has layers, measured and least time over the layer's number. */
static int draw_roofline(const char *path, const struct bench_report *r)
{
    struct tool_svg_chart chart[MAX_CHARTS] = {{0}};
    char *title[MAX_CHARTS];
    double *points[MAX_CHARTS];
    int n = 0, code;
    size_t i, k;
    json_t *row, *layer;

    json_array_foreach(r->results, i, row)
    {
        const json_t *layers = json_object_get(row, "layers");
        size_t size = json_array_size(layers);

        if (size == 0 || n == MAX_CHARTS)
            continue;
        double *x = points[n] = tool_alloc(3 * size, sizeof(**points)), *time = x + size,
               *roof = x + 2 * size;

        json_array_foreach(layers, k, layer)
        {
            x[k] = (double)k + 1;
            time[k] = tool_json_get_real(layer, "time_ms");
            roof[k] = tool_json_get_real(layer, "roofline_ms");
        }
        title[n] =
            tool_format("%s on %.32s", tool_json_get_text(row, "model"), tool_json_get_text(row, "device"));
        chart[n] = (struct tool_svg_chart){.title = title[n],
            .x_label = "layer",
            .y_label = "ms",
            .line = {{.name = "measured", .x = x, .y = time, .n = (int)size},
                {.name = "at the roofline",
                    .x = x,
                    .y = roof,
                    .n = (int)size,
                    .is_dashed = true,
                    .colour = 1}},
            .n_lines = 2,
            .whole_x = true,
            .log_y = true};
        n++;
    }
    code = n ? tool_svg_write(path, chart, n) : tool_error("--roofline %s: no layer was timed", path);
    while (n-- > 0) {
        free(title[n]);
        free(points[n]);
    }
    return code;
}

int bench_output(const struct bench_options *o, const struct bench_report *r)
{
    FILE *f = o->output ? fopen(o->output, "w") : stdout;
    int code = TOOL_OK;
    size_t i;
    json_t *entry;

    if (!f)
        return tool_error("%s: %s", o->output, strerror(errno));
    switch (o->form) {
    case BENCH_TABLE: print_table(o, r, TOOL_TABLE_TEXT, f); break;
    case BENCH_MD: print_table(o, r, TOOL_TABLE_MD, f); break;
    case BENCH_CSV: print_table(o, r, TOOL_TABLE_CSV, f); break;
    case BENCH_JSON: code = print_json(r, f); break;
    case BENCH_JSONL: code = print_lines(r, f); break;
    }
    if (f == stdout) {
        code = tool_finish(code);
    } else {
        int bad = ferror(f);

        if (fclose(f) || bad)
            code = tool_error("cannot write %s: %s", o->output, strerror(errno));
    }
    if (o->roofline && draw_roofline(o->roofline, r) != TOOL_OK)
        code = TOOL_FAILED;
    json_array_foreach(r->errors, i, entry)
    {
        const char *model = tool_json_get_text(entry, "model");

        tool_error("%s%s%s: %s", tool_json_get_text(entry, "device"), model[0] ? ", " : "", model,
            tool_json_get_text(entry, "message"));
    }
    return code;
}
