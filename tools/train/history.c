#include "train/history.h"
#include "common/json.h"
#include "common/svg.h"
#include "common/tool.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the log ---- */

static json_t *to_json(const struct history_row *r, bool is_step)
{
    json_t *o = json_object();

    tool_json_set(o, "kind", json_string(is_step ? "step" : "epoch"));
    tool_json_set(o, "epoch", json_integer(r->epoch));
    tool_json_set(o, "step", json_integer((json_int_t)r->step));
    tool_json_set(o, "updates", json_integer((json_int_t)r->steps));
    tool_json_set(o, "loss", tool_json_real(r->loss));
    tool_json_set(o, "top1", tool_json_real(r->top1));
    tool_json_set(o, "lr", tool_json_real(r->lr));
    tool_json_set(o, "images_per_s", tool_json_real(r->images_per_s));
    tool_json_set(o, "seconds", tool_json_real(r->seconds));
    if (isfinite(r->val_loss)) {
        tool_json_set(o, "val_loss", tool_json_real(r->val_loss));
        tool_json_set(o, "val_top1", tool_json_real(r->val_top1));
        if (isfinite(r->val_top5))
            tool_json_set(o, "val_top5", tool_json_real(r->val_top5));
        if (isfinite(r->val_iou))
            tool_json_set(o, "val_iou", tool_json_real(r->val_iou));
        tool_json_set(o, "improved", json_boolean(r->improved));
    }
    return o;
}

static double real_or_nan(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_number(v) ? json_number_value(v) : NAN;
}

static struct history_row from_json(const json_t *o)
{
    return (struct history_row){.epoch = (int)tool_json_get_real(o, "epoch"),
        .step = (int64_t)tool_json_get_real(o, "step"),
        .steps = (int64_t)tool_json_get_real(o, "updates"),
        .loss = real_or_nan(o, "loss"),
        .top1 = real_or_nan(o, "top1"),
        .val_loss = real_or_nan(o, "val_loss"),
        .val_top1 = real_or_nan(o, "val_top1"),
        .val_top5 = real_or_nan(o, "val_top5"),
        .val_iou = real_or_nan(o, "val_iou"),
        .lr = real_or_nan(o, "lr"),
        .images_per_s = real_or_nan(o, "images_per_s"),
        .seconds = real_or_nan(o, "seconds"),
        .improved = json_is_true(json_object_get(o, "improved"))};
}

static void keep(struct history *h, const struct history_row *row)
{
    h->row = tool_realloc(h->row, (size_t)h->n + 1, sizeof(*h->row));
    h->row[h->n++] = *row;
}

/* One line of an older log; false: it is not ours, or was cut off by a crash. */
static bool read_line(struct history *h, const char *line, size_t length, long end)
{
    json_t *o = length && line[length - 1] == '\n' ? json_loadb(line, length, 0, NULL) : NULL;
    const char *kind = o ? tool_json_get_text(o, "kind") : "";
    bool is_step = !strcmp(kind, "step"), ok = is_step || !strcmp(kind, "epoch");
    struct history_row row;

    if (ok) {
        row = from_json(o);
        h->line_end = tool_realloc(h->line_end, (size_t)h->n_lines + 1, sizeof(*h->line_end));
        h->line_epoch = tool_realloc(h->line_epoch, (size_t)h->n_lines + 1, sizeof(*h->line_epoch));
        h->line_step = tool_realloc(h->line_step, (size_t)h->n_lines + 1, sizeof(*h->line_step));
        h->line_end[h->n_lines] = end;
        h->line_epoch[h->n_lines] = row.epoch;
        h->line_step[h->n_lines++] = is_step ? row.step : INT64_MAX;
        if (!is_step)
            keep(h, &row);
    }
    json_decref(o);
    return ok;
}

static void read_log(struct history *h)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;

    while ((n = getline(&line, &capacity, h->log)) > 0 && read_line(h, line, (size_t)n, ftell(h->log)))
        continue;
    free(line);
}

int history_open(struct history *h, const char *log, const char *svg, int is_resumed)
{
    h->svg_path = svg;
    h->log_path = log;
    h->settled = !is_resumed;
    if (!log)
        return TOOL_OK;
    h->log = is_resumed ? fopen(log, "r+") : NULL;
    if (h->log)
        read_log(h);
    else
        h->log = fopen(log, "w");
    return h->log ? TOOL_OK : tool_error("%s: %s", log, strerror(errno));
}

int history_settle(struct history *h, int epoch, int64_t step)
{
    long end = 0;

    if (h->settled)
        return TOOL_OK;
    h->settled = 1;
    for (int i = 0; i < h->n_lines; i++)
        if (h->line_epoch[i] < epoch || (h->line_epoch[i] == epoch && h->line_step[i] <= step))
            end = h->line_end[i];
    while (h->n && h->row[h->n - 1].epoch >= epoch)
        h->n--;
    if (h->log && (fflush(h->log) || ftruncate(fileno(h->log), end) || fseek(h->log, end, SEEK_SET)))
        return tool_error("%s: %s", h->log_path, strerror(errno));
    return TOOL_OK;
}

static int write_line(struct history *h, const struct history_row *row, bool is_step)
{
    json_t *o;
    int code;

    if (!h->log)
        return TOOL_OK;
    o = to_json(row, is_step);
    code = tool_json_print(o, 1, h->log);
    json_decref(o);
    if (code == TOOL_OK && fflush(h->log))
        code = tool_error("%s: %s", h->log_path, strerror(errno));
    return code;
}

int history_add_step(struct history *h, const struct history_row *row)
{
    return write_line(h, row, true);
}

/* ---- the curves ---- */

static int draw(const struct history *h)
{
    const size_t n = (size_t)h->n;
    double *x = tool_alloc(n, sizeof(*x)), *y[4];
    struct tool_svg_chart chart[2] = {
        {.title = "Loss", .x_label = "epoch", .y_label = "loss", .whole_x = true},
        {.title = "Accuracy", .x_label = "epoch", .y_label = "right answers, %", .whole_x = true},
    };
    bool has_val = false;
    int code;

    for (int k = 0; k < 4; k++)
        y[k] = tool_alloc(n, sizeof(*y[k]));
    for (int i = 0; i < h->n; i++) {
        const struct history_row *r = &h->row[i];

        x[i] = r->epoch;
        y[0][i] = r->loss;
        y[1][i] = r->val_loss;
        y[2][i] = 100 * r->top1;
        y[3][i] = 100 * r->val_top1;
        has_val |= isfinite(r->val_loss);
    }
    for (int c = 0; c < 2; c++) {
        chart[c].n_lines = has_val ? 2 : 1;
        chart[c].line[0] = (struct tool_svg_line){"training", x, y[2 * c], h->n, false, 0};
        chart[c].line[1] = (struct tool_svg_line){"validation", x, y[2 * c + 1], h->n, true, 1};
    }
    code = tool_svg_write(h->svg_path, chart, 2);
    for (int k = 0; k < 4; k++)
        free(y[k]);
    free(x);
    return code;
}

int history_add_epoch(struct history *h, const struct history_row *row)
{
    int code = write_line(h, row, false);

    keep(h, row);
    return code == TOOL_OK && h->svg_path ? draw(h) : code;
}

int history_close(struct history *h)
{
    int code = TOOL_OK;

    if (h->log && (ferror(h->log) | fclose(h->log)))
        code = tool_error("%s: %s", h->log_path, strerror(errno));
    free(h->row);
    free(h->line_end);
    free(h->line_epoch);
    free(h->line_step);
    *h = (struct history){0};
    return code;
}
