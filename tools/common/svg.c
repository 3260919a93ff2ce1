#include "common/svg.h"
#include "common/tool.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pixels of one chart and of the frame inside it. */
#define WIDTH 480.0
#define HEIGHT 340.0
#define LEFT 64.0
#define RIGHT 16.0
#define TOP 40.0
#define BOTTOM 76.0
#define MAX_TICKS 24

/* Told apart also without colour: the second line of a pair is dashed. */
static const char *const palette[] = {"#0b62b8", "#d1495b", "#2a8a4a", "#8a5fbf", "#b7791f", "#4a5560"};
#define COLOURS (int)(sizeof(palette) / sizeof(*palette))

struct axis {
    double min, max, tick[MAX_TICKS];
    int n_ticks;
    bool is_log;
};

static void put_text(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        default: fputc((unsigned char)*text < 32 ? ' ' : *text, f);
        }
}

/* 1, 2 or 5 times a power of ten, the least that needs no more than `most` steps. */
static double nice_step(double range, int most, bool whole)
{
    double power = pow(10, floor(log10(range / most)));

    for (;; power *= 10)
        for (int k = 0; k < 3; k++) {
            double step = power * (k == 0 ? 1 : k == 1 ? 2 : 5);

            if (range / step <= most && (!whole || step >= 1))
                return step;
        }
}

static void add_tick(struct axis *a, double at)
{
    if (a->n_ticks < MAX_TICKS)
        a->tick[a->n_ticks++] = at;
}

/* Ticks of a range; the range grows to the ticks around it, but for whole numbers. */
static void set_ticks(struct axis *a, bool whole)
{
    double step, first;

    if (!(a->max > a->min)) {
        double room = a->is_log || whole ? .5 : a->min != 0 ? fabs(a->min) * .1 : 1;

        a->min -= room;
        a->max += room;
    }
    step = nice_step(a->max - a->min, 6, whole || a->is_log);
    first = floor(a->min / step + 1e-9);
    if (!whole) {
        a->min = first * step;
        a->max = ceil(a->max / step - 1e-9) * step;
    }
    for (double k = first; k * step <= a->max + step * 1e-9; k++)
        if (k * step >= a->min - step * 1e-9)
            add_tick(a, k * step);
}

static double value_of(const struct axis *a, double v)
{
    return !a->is_log ? v : v > 0 ? log10(v) : NAN;
}

static void find_range(const struct tool_svg_chart *c, struct axis *x, struct axis *y)
{
    *x = (struct axis){.min = INFINITY, .max = -INFINITY};
    *y = (struct axis){.min = INFINITY, .max = -INFINITY, .is_log = c->log_y};
    for (int k = 0; k < c->n_lines; k++)
        for (int i = 0; i < c->line[k].n; i++) {
            double at = c->line[k].x[i], v = value_of(y, c->line[k].y[i]);

            if (!isfinite(at) || !isfinite(v))
                continue;
            x->min = fmin(x->min, at);
            x->max = fmax(x->max, at);
            y->min = fmin(y->min, v);
            y->max = fmax(y->max, v);
        }
    if (!(x->min <= x->max)) {
        x->min = y->min = 0;
        x->max = y->max = 1;
    }
    set_ticks(x, c->whole_x);
    set_ticks(y, false);
}

static double place_x(const struct axis *a, double v)
{
    return LEFT + (v - a->min) / (a->max - a->min) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct axis *a, double v)
{
    return HEIGHT - BOTTOM - (v - a->min) / (a->max - a->min) * (HEIGHT - TOP - BOTTOM);
}

static void put_axes(FILE *f, const struct tool_svg_chart *c, const struct axis *x, const struct axis *y)
{
    double bottom = HEIGHT - BOTTOM, right = WIDTH - RIGHT;

    for (int i = 0; i < y->n_ticks; i++) {
        double at = place_y(y, y->tick[i]);

        fprintf(f, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", LEFT, at,
            right, at);
        fprintf(f, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", LEFT - 6,
            at + 4,
            y->is_log                      ? pow(10, y->tick[i])
                : fabs(y->tick[i]) < 1e-12 ? 0
                                           : y->tick[i]);
    }
    for (int i = 0; i < x->n_ticks; i++) {
        double at = place_x(x, x->tick[i]);

        fprintf(f, "<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", at, bottom, at,
            bottom + 4);
        fprintf(f, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n", at,
            bottom + 18, x->tick[i]);
    }
    fprintf(f, "<path class=\"axis\" d=\"M%.1f %.1fV%.1fH%.1f\" fill=\"none\"/>\n", LEFT, TOP, bottom, right);
    fprintf(f, "<text class=\"title\" x=\"%.1f\" y=\"24\" text-anchor=\"middle\">", (LEFT + right) / 2);
    put_text(f, c->title);
    fprintf(f, "</text>\n<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", (LEFT + right) / 2,
        bottom + 36);
    put_text(f, c->x_label);
    fprintf(f, "</text>\n<text transform=\"translate(16 %.1f) rotate(-90)\" text-anchor=\"middle\">",
        (TOP + bottom) / 2);
    put_text(f, c->y_label);
    fputs("</text>\n", f);
}

/* One path with gaps, and dots where there are few points, of which a single one would be invisible. */
static void put_line(FILE *f, const struct tool_svg_line *l, const struct axis *x, const struct axis *y)
{
    const char *colour = palette[(l->colour % COLOURS + COLOURS) % COLOURS];
    bool pen_down = false;

    fprintf(f, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s d=\"", colour,
        l->is_dashed ? " stroke-dasharray=\"6 4\"" : "");
    for (int i = 0; i < l->n; i++) {
        double v = value_of(y, l->y[i]);

        if (!isfinite(v) || !isfinite(l->x[i])) {
            pen_down = false;
            continue;
        }
        fprintf(f, "%c%.1f %.1f", pen_down ? 'L' : 'M', place_x(x, l->x[i]), place_y(y, v));
        pen_down = true;
    }
    fputs("\"/>\n", f);
    for (int i = 0; i < l->n && l->n <= 60; i++) {
        double v = value_of(y, l->y[i]);

        if (isfinite(v) && isfinite(l->x[i]))
            fprintf(f,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"%s\"><title>%g: %g</title></circle>\n",
                place_x(x, l->x[i]), place_y(y, v), colour, l->x[i], l->y[i]);
    }
}

static void put_legend(FILE *f, const struct tool_svg_chart *c)
{
    double at = LEFT, y = HEIGHT - 14;

    for (int k = 0; k < c->n_lines; k++) {
        const struct tool_svg_line *l = &c->line[k];

        fprintf(f,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"2\"%s/>\n",
            at, y - 4, at + 26, y - 4, palette[(l->colour % COLOURS + COLOURS) % COLOURS],
            l->is_dashed ? " stroke-dasharray=\"6 4\"" : "");
        fprintf(f, "<text x=\"%.1f\" y=\"%.1f\">", at + 32, y);
        put_text(f, l->name);
        fputs("</text>\n", f);
        at += 48 + 7 * (double)strlen(l->name);
    }
}

static void put_all(FILE *f, const struct tool_svg_chart *charts, int n)
{
    fprintf(f,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f "
        "%.0f\">\n",
        WIDTH * n, HEIGHT, WIDTH * n, HEIGHT);
    fputs("<style>text{font:12px "
          "sans-serif;fill:#222}.title{font-size:15px;font-weight:bold}.tick{font-size:11px;"
          "fill:#555}.grid{stroke:#e3e3e3}.axis{stroke:#555}</style>\n"
          "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        f);
    for (int i = 0; i < n; i++) {
        struct axis x, y;

        find_range(&charts[i], &x, &y);
        fprintf(f, "<g transform=\"translate(%.0f 0)\">\n", WIDTH * i);
        put_axes(f, &charts[i], &x, &y);
        for (int k = 0; k < charts[i].n_lines; k++)
            put_line(f, &charts[i].line[k], &x, &y);
        put_legend(f, &charts[i]);
        fputs("</g>\n", f);
    }
    fputs("</svg>\n", f);
}

int tool_svg_write(const char *path, const struct tool_svg_chart *charts, int n)
{
    char *part = tool_format("%s.part", path);
    FILE *f = fopen(part, "w");
    int code = TOOL_OK;

    if (f)
        put_all(f, charts, n);
    if (!f || ferror(f) || fflush(f))
        code = tool_error("%s: %s", part, strerror(errno));
    if (f && fclose(f) && code == TOOL_OK)
        code = tool_error("%s: %s", part, strerror(errno));
    if (code == TOOL_OK && rename(part, path))
        code = tool_error("%s: %s", path, strerror(errno));
    if (code != TOOL_OK && f)
        unlink(part);
    free(part);
    return code;
}
