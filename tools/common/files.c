#include "common/files.h"
#include "common/tool.h"
#include <errno.h>
#include <oclnn/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tool_arrays_find(const struct tool_arrays *a, const char *name)
{
    for (int i = 0; i < a->n; i++)
        if (!strcmp(a->name[i], name))
            return i;
    return -1;
}

void tool_arrays_finish(struct tool_arrays *a)
{
    for (int i = 0; i < a->n; i++) {
        free(a->name[i]);
        oclnn_tensor_destroy(&a->tensor[i]);
    }
    free(a->name);
    free(a->tensor);
    *a = (struct tool_arrays){0};
}

/* The library's sentence names the file where it can; not twice. */
static int fail(enum oclnn_status status, const char *path)
{
    const char *sentence = oclnn_error_text(NULL);

    if (strstr(sentence, path))
        return tool_error("%s (%s)", sentence, oclnn_status_name(status));
    return tool_fail(status, "%s", path);
}

int tool_load_array(const char *path, oclnn_tensor **out)
{
    enum oclnn_status status = oclnn_tensor_load(path, out);

    return status == OCLNN_OK ? TOOL_OK : fail(status, path);
}

int tool_load_npz(const char *path, struct tool_arrays *out)
{
    oclnn_npz *npz = NULL;
    enum oclnn_status status = oclnn_npz_open(path, &npz);
    int n = status == OCLNN_OK ? oclnn_npz_count(npz) : 0;

    *out = (struct tool_arrays){0};
    out->name = tool_alloc((size_t)n, sizeof(*out->name));
    out->tensor = tool_alloc((size_t)n, sizeof(*out->tensor));
    for (int i = 0; i < n && status == OCLNN_OK; i++) {
        out->name[out->n++] = tool_strdup(oclnn_npz_name(npz, i));
        status = oclnn_npz_get(npz, i, &out->tensor[i]);
    }
    oclnn_npz_destroy(&npz);
    if (status == OCLNN_OK)
        return TOOL_OK;
    tool_arrays_finish(out);
    return fail(status, path);
}

int tool_save_npz(const char *path, const struct tool_arrays *arrays)
{
    enum oclnn_status status = oclnn_npz_save(path, arrays->n, (const char *const *)arrays->name,
        (const oclnn_tensor *const *)arrays->tensor);

    return status == OCLNN_OK ? TOOL_OK : fail(status, path);
}

int tool_read_text(const char *path, char **out)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t n = 0, got = 0;

    *out = NULL;
    if (!f)
        return tool_error("cannot read %s: %s", path, strerror(errno));
    do {
        text = tool_realloc(text, n + 65536 + 1, 1);
        got = fread(text + n, 1, 65536, f);
        n += got;
    } while (got);
    text[n] = '\0';
    got = (size_t)ferror(f);
    fclose(f);
    if (got || strlen(text) != n) {
        free(text);
        return got ? tool_error("cannot read %s", path) : tool_error("%s is no text", path);
    }
    *out = text;
    return TOOL_OK;
}
