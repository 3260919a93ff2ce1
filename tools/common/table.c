#include "common/table.h"
#include "common/tool.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void tool_table_column(struct tool_table *t, const char *title)
{
    if (t->columns == TOOL_TABLE_COLUMNS)
        return;
    t->column[t->columns].is_right = title[0] == '>';
    t->column[t->columns++].title = title + (title[0] == '>');
}

void tool_table_row(struct tool_table *t)
{
    char **row;

    if (t->rows == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 16;
        t->cell = tool_realloc(t->cell, (size_t)t->capacity * (size_t)t->columns, sizeof(*t->cell));
    }
    row = t->cell + (size_t)t->rows++ * (size_t)t->columns;
    for (int c = 0; c < t->columns; c++)
        row[c] = NULL;
}

void tool_table_set(struct tool_table *t, int column, const char *format, ...)
{
    char **cell = &t->cell[(size_t)(t->rows - 1) * (size_t)t->columns + (size_t)column];
    va_list args;

    free(*cell);
    *cell = NULL;
    va_start(args, format);
    if (vasprintf(cell, format, args) < 0)
        *cell = NULL;
    va_end(args);
}

static const char *cell_at(const struct tool_table *t, int row, int column)
{
    const char *text =
        row < 0 ? t->column[column].title : t->cell[(size_t)row * (size_t)t->columns + (size_t)column];

    return text ? text : "";
}

static void print_csv(const struct tool_table *t, FILE *f)
{
    for (int r = -1; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++) {
            const char *text = cell_at(t, r, c);

            if (strpbrk(text, ",\"\n\r")) {
                fputc('"', f);
                for (; *text; text++) {
                    if (*text == '"')
                        fputc('"', f);
                    fputc(*text, f);
                }
                fputc('"', f);
            } else {
                fputs(text, f);
            }
            fputc(c + 1 < t->columns ? ',' : '\n', f);
        }
}

/* Terminal columns of a UTF-8 text: its bytes without the continuation bytes. */
static int width_of(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

static void print_cell(const char *text, int width, bool right, FILE *f)
{
    int fill = width - width_of(text);

    if (right)
        fprintf(f, "%*s%s", fill > 0 ? fill : 0, "", text);
    else
        fprintf(f, "%s%*s", text, fill > 0 ? fill : 0, "");
}

void tool_table_print(const struct tool_table *t, enum tool_table_form form, FILE *f)
{
    int width[TOOL_TABLE_COLUMNS] = {0};
    bool md = form == TOOL_TABLE_MD;

    if (form == TOOL_TABLE_CSV) {
        print_csv(t, f);
        return;
    }
    for (int r = -1; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++)
            if (width_of(cell_at(t, r, c)) > width[c])
                width[c] = width_of(cell_at(t, r, c));
    for (int r = -1; r < t->rows; r++) {
        fputs(md ? "| " : r < 0 ? tool_colour(f, TOOL_BOLD) : "", f);
        for (int c = 0; c < t->columns; c++) {
            bool last = c + 1 == t->columns;

            print_cell(cell_at(t, r, c), last && !md && !t->column[c].is_right ? 0 : width[c],
                t->column[c].is_right, f);
            fputs(last ? (md ? " |" : "") : md ? " | " : "  ", f);
        }
        fputs(md ? "\n" : r < 0 ? tool_colour(f, TOOL_RESET) : "", f);
        if (!md)
            fputc('\n', f);
        if (md && r < 0)
            for (int c = 0; c < t->columns; c++)
                fprintf(f, "| %s%s", t->column[c].is_right ? "---:" : "---",
                    c + 1 < t->columns ? " " : " |\n");
    }
}

void tool_table_finish(struct tool_table *t)
{
    for (int i = 0; i < t->rows * t->columns; i++)
        free(t->cell[i]);
    free(t->cell);
    *t = (struct tool_table){0};
}
