/* Charts as one SVG file: lines over a common axis, side by side, no script and nothing from a network. */
#ifndef OCLNN_TOOLS_SVG_H
#define OCLNN_TOOLS_SVG_H

#include <stdbool.h>

struct tool_svg_line {
    const char *name;
    const double *x, *y; /* n points; a y that is not finite is a gap */
    int n;
    bool is_dashed;
    int colour; /* number in a palette of 6 */
};

#define TOOL_SVG_LINES 6
struct tool_svg_chart {
    const char *title, *x_label, *y_label;
    struct tool_svg_line line[TOOL_SVG_LINES];
    int n_lines;
    bool whole_x; /* ticks of x at whole numbers only */
    bool log_y; /* powers of ten; values up to 0 are gaps */
};

/* Writes `n` charts side by side; the file is replaced in one step. TOOL_OK, or TOOL_FAILED after a message. */
int tool_svg_write(const char *path, const struct tool_svg_chart *charts, int n);

#endif
