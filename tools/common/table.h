/* Rows of text, printed as an aligned table, as Markdown or as CSV. */
#ifndef OCLNN_TOOLS_TABLE_H
#define OCLNN_TOOLS_TABLE_H

#include <stdio.h>

enum tool_table_form { TOOL_TABLE_TEXT, TOOL_TABLE_MD, TOOL_TABLE_CSV };

#define TOOL_TABLE_COLUMNS 24
struct tool_table {
    int columns, rows, capacity;
    struct {
        const char *title;
        int is_right; /* numbers */
    } column[TOOL_TABLE_COLUMNS];
    char **cell; /* rows * columns */
};

/* Columns are added before the first row; a title that starts with '>' is right-aligned. `title` must live on. */
void tool_table_column(struct tool_table *t, const char *title);
/* Starts a row of empty cells. */
void tool_table_row(struct tool_table *t);
/* Sets a cell of the last row. */
void tool_table_set(struct tool_table *t, int column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void tool_table_print(const struct tool_table *t, enum tool_table_form form, FILE *f);
void tool_table_finish(struct tool_table *t);

#endif
