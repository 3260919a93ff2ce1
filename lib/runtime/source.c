/* The text of a program: embedded kernels, or in development the files of the folder $OCLNN_CL_DIR. */
#include "base/env.h"
#include "base/fs.h"
#include "runtime/internal.h"
#include "runtime/program.h"

#include <string.h>

#define MAX_FILE_BYTES ((size_t)4 << 20)
#define MAX_HEADERS 32

static const char *embedded(const char *name, size_t length)
{
    for (const struct onn_cl_source *s = onn_cl_sources; s->name; s++)
        if (strlen(s->name) == length && memcmp(s->name, name, length) == 0)
            return s->text;
    return NULL;
}

/* The headers that one kernel file has pulled in so far; each is put in once. */
struct seen {
    char names[MAX_HEADERS][64];
    int count;
};

/* `#include "lib/x.h"`: the name's place in the line, else NULL. */
static const char *included(const char *line, size_t *length)
{
    line += strspn(line, " \t");
    if (*line++ != '#')
        return NULL;
    line += strspn(line, " \t");
    if (strncmp(line, "include", 7) != 0)
        return NULL;
    line += 7;
    line += strspn(line, " \t");
    if (*line++ != '"')
        return NULL;
    *length = strcspn(line, "\"\n");
    return line[*length] == '"' ? line : NULL;
}

static enum oclnn_status add_file(const char *folder, const char *name, size_t length, struct seen *seen,
    struct onn_str *out);

/* Copies a text line by line, headers in place of their #include lines. */
static enum oclnn_status add_text(const char *folder, const char *name, size_t name_length, const char *text,
    struct seen *seen, struct onn_str *out)
{
    enum oclnn_status status = OCLNN_OK;
    int number = 1;
    for (const char *line = text; *line && status == OCLNN_OK; number++) {
        size_t length = strcspn(line, "\n"), header_length = 0;
        const char *header = included(line, &header_length);
        bool known = false;
        for (int i = 0; header && i < seen->count; i++)
            known = known ||
                (strncmp(seen->names[i], header, header_length) == 0 && !seen->names[i][header_length]);
        if (!header) {
            onn_str_add(out, "%.*s\n", (int)length, line);
        } else {
            if (!known)
                status = add_file(folder, header, header_length, seen, out);
            onn_str_add(out, "#line %d \"%.*s\"\n", number + 1, (int)name_length, name);
        }
        line += length + (line[length] == '\n');
    }
    return status;
}

static enum oclnn_status add_file(const char *folder, const char *name, size_t length, struct seen *seen,
    struct onn_str *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_str path = {0};
    void *text = NULL;
    size_t bytes;
    ONN_CHECK(seen->count < MAX_HEADERS && length < sizeof seen->names[0], OCLNN_ERROR_BUILD,
        "kernel header '%.*s': too many headers or too long a name", (int)length, name);
    memcpy(seen->names[seen->count], name, length);
    seen->names[seen->count++][length] = '\0';
    onn_str_add(&path, "%s/%.*s", folder, (int)length, name);
    ONN_TRY(onn_fs_read(onn_str_text(&path), MAX_FILE_BYTES, &text, &bytes));
    onn_str_add(out, "#line 1 \"%.*s\"\n", (int)length, name);
    ONN_TRY(add_text(folder, name, length, text, seen, out));
fail:
    onn_str_finish(&path);
    onn_free(text);
    return status;
}

/* One kernel file: the folder's if it has it, else the embedded one. */
static enum oclnn_status add_source(const char *folder, const char *name, size_t length, struct onn_str *out)
{
    enum oclnn_status status = OCLNN_ERROR_NOT_FOUND;
    if (folder && length < 60) {
        char file[64];
        memcpy(file, name, length);
        memcpy(file + length, ".cl", 4);
        struct seen seen = {.count = 0};
        size_t before = out->length;
        status = add_file(folder, file, length + 3, &seen, out);
        /* Half a file with a header missing is an error; a folder without this file is not. */
        if (status != OCLNN_ERROR_NOT_FOUND || out->length != before)
            return status;
    }
    const char *text = embedded(name, length);
    if (!text)
        return onn_error(OCLNN_ERROR_NOT_FOUND, "no kernel source '%.*s'", (int)length, name);
    onn_str_add(out, "%s\n", text);
    return OCLNN_OK;
}

enum oclnn_status onn_source_text(const char *names, const char *prelude, struct onn_str *out)
{
    const char *folder = onn_fs_is_privileged() ? NULL : onn_env("OCLNN_CL_DIR");
    if (prelude)
        onn_str_add(out, "%s\n", prelude);
    for (const char *name = names; *name;) {
        size_t length = strcspn(name, "+");
        enum oclnn_status status = add_source(folder, name, length, out);
        if (status != OCLNN_OK)
            return status;
        name += length + (name[length] == '+');
    }
    return onn_str_ok(out) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

enum oclnn_status onn_source_mentions(const char *name, const char *prelude, const char *identifier,
    size_t length, bool *out)
{
    struct onn_str text = {0};
    enum oclnn_status status = onn_source_text(name, prelude, &text);
    const char *begin = onn_str_text(&text);
    const bool found = status != OCLNN_OK || onn_has_word(begin, begin + text.length, identifier, length);
    onn_str_finish(&text);
    *out = found;
    return status == OCLNN_ERROR_MEMORY ? status : OCLNN_OK;
}
