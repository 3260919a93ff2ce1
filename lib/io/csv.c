/* Labels from a csv file: quoted fields may hold commas and doubled quotes, but no line ends. */
#include "io/samples.h"

#include "base/fs.h"
#include <string.h>

#define MAX_FILE ((size_t)1 << 30)

/* Moves behind the next field of the line; [*begin, *end) is its text without quotes. False at the line's
 * end. */
static bool next_field(const char **at, const char **begin, const char **end)
{
    const char *p = *at;
    if (!p || !*p || *p == '\n' || *p == '\r')
        return false;
    if (*p == '"') {
        *begin = ++p;
        while (*p && *p != '\n' && !(*p == '"' && p[1] != '"'))
            p += *p == '"' ? 2 : 1;
        *end = p;
        p += *p == '"';
        while (*p && *p != ',' && *p != '\n')
            p++;
    } else {
        *begin = p;
        while (*p && *p != ',' && *p != '\n' && *p != '\r')
            p++;
        *end = p;
    }
    *at = *p == ',' ? p + 1 : p;
    return true;
}

static const char *next_line(const char *at)
{
    const char *end = strchr(at, '\n');
    return end ? end + 1 : at + strlen(at);
}

static bool is_word(const char *begin, const char *end, const char *word)
{
    return (size_t)(end - begin) == strlen(word) && !memcmp(begin, word, strlen(word));
}

static bool number(const char *p, const char *end, int32_t *out)
{
    int64_t v = 0;
    bool minus = p < end && *p == '-';
    p += minus;
    if (p == end)
        return false;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9' || v > INT32_MAX)
            return false;
        v = v * 10 + (*p - '0');
    }
    *out = (int32_t)(minus ? -v : v);
    return v <= INT32_MAX;
}

/* The column by its title: "class" before "label"; -1 = no titles, the last column. */
static int find_column(const char *line)
{
    const char *begin, *end;
    int column = -1, i = 0;
    for (const char *at = line; next_field(&at, &begin, &end); i++) {
        if (is_word(begin, end, "class"))
            return i;
        if (is_word(begin, end, "label") && column < 0)
            column = i;
    }
    return column;
}

static bool label_of(const char *line, int column, int32_t *out)
{
    const char *begin = line, *end = line;
    int i = 0;
    for (const char *at = line; next_field(&at, &begin, &end); i++)
        if (i == column)
            return number(begin, end, out);
    return column < 0 && i > 0 && number(begin, end, out);
}

enum oclnn_status onn_csv_labels(const char *path, int64_t n, int32_t *labels)
{
    enum oclnn_status status = OCLNN_OK;
    void *bytes = NULL;
    size_t size;
    int64_t count = 0;
    ONN_TRY(onn_fs_read(path, MAX_FILE, &bytes, &size));
    const char *line = bytes;
    ONN_CHECK(strlen(line) == size, OCLNN_ERROR_FORMAT, "%.300s: the text holds a NUL byte", path);
    int column = find_column(line);
    int32_t first;
    if (column >= 0 || (*line && !label_of(line, -1, &first)))
        line = next_line(line); /* titles */
    for (; *line; line = next_line(line)) {
        if (*line == '\n' || *line == '\r')
            continue;
        ONN_CHECK(count < n, OCLNN_ERROR_FORMAT, "%.300s: more than %lld labels", path, (long long)n);
        ONN_CHECK(label_of(line, column, &labels[count]), OCLNN_ERROR_FORMAT,
            "%.300s: row %lld has no whole number", path, (long long)count);
        count++;
    }
    ONN_CHECK(count == n, OCLNN_ERROR_FORMAT, "%.300s: %lld labels for %lld images", path, (long long)count,
        (long long)n);
fail:
    onn_free(bytes);
    return status;
}
