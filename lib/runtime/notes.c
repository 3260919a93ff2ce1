/* Small text files of measured numbers: "name value" lines, then a line with their checksum. */
#include "base/fs.h"
#include "runtime/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADLINE "oclnn notes 1"
#define MAX_BYTES 65536

static void file_name(const struct oclnn_context *ctx, const char *kind, char *out, size_t size)
{
    char hex[ONN_HASH_HEX];
    onn_hash_hex(ctx->device_key, hex);
    snprintf(out, size, "%s-%.16s.txt", kind, hex);
}

/* The checksum also covers the device's whole key, of which the name shows a part. */
static void checksum(const struct oclnn_context *ctx, const char *text, size_t bytes, char out[ONN_HASH_HEX])
{
    onn_hash_hex(onn_hash_add(ctx->device_key, text, bytes), out);
}

/* The text up to the checksum line, or NULL; cuts `text` there. */
static bool verify(const struct oclnn_context *ctx, char *text)
{
    char good[ONN_HASH_HEX];
    char *sum = strstr(text, "\nsum ");
    if (!sum || strncmp(text, HEADLINE "\n", strlen(HEADLINE) + 1) != 0)
        return false;
    sum++;
    checksum(ctx, text, (size_t)(sum - text), good);
    if (strncmp(sum + 4, good, ONN_HASH_HEX - 1) != 0 || strcmp(sum + 4 + ONN_HASH_HEX - 1, "\n") != 0)
        return false;
    *sum = '\0';
    return true;
}

static bool find(const char *text, const char *name, double *value)
{
    size_t length = strlen(name);
    for (const char *line = strchr(text, '\n'); line; line = strchr(line, '\n')) {
        line++;
        if (strncmp(line, name, length) == 0 && line[length] == ' ') {
            char *end;
            *value = strtod(line + length, &end);
            return *end == '\n';
        }
    }
    return false;
}

bool onn_notes_read(struct oclnn_context *ctx, const char *kind, struct onn_note *notes, int count)
{
    char name[64], *text = NULL;
    size_t bytes;
    int dir = ctx->cache_dir ? onn_fs_open_private(ctx->cache_dir, false) : -1;
    if (dir < 0)
        return false;
    file_name(ctx, kind, name, sizeof name);
    bool good = onn_fs_read_at(dir, name, MAX_BYTES, true, (void **)&text, &bytes) == OCLNN_OK &&
        strlen(text) == bytes && verify(ctx, text);
    double value;
    for (int i = 0; i < count && good; i++)
        good = find(text, notes[i].name, &value);
    for (int i = 0; i < count && good; i++)
        find(text, notes[i].name, &notes[i].value);
    onn_free(text);
    onn_fs_close(dir);
    return good;
}

void onn_notes_write(struct oclnn_context *ctx, const char *kind, const struct onn_note *notes, int count)
{
    char name[64], sum[ONN_HASH_HEX];
    struct onn_str text = {0};
    int dir = ctx->cache_dir ? onn_fs_open_private(ctx->cache_dir, true) : -1;
    if (dir < 0)
        return;
    /* A line break in the device's name would end the comment; drivers know no shame. */
    onn_str_add(&text, HEADLINE "\ndevice %.*s\n", (int)strcspn(ctx->caps.name, "\r\n"), ctx->caps.name);
    for (int i = 0; i < count; i++)
        onn_str_add(&text, "%s %.9g\n", notes[i].name, notes[i].value);
    checksum(ctx, onn_str_text(&text), text.length, sum);
    onn_str_add(&text, "sum %s\n", sum);
    file_name(ctx, kind, name, sizeof name);
    if (onn_str_ok(&text))
        onn_fs_write_at(dir, name, onn_str_text(&text), text.length, false);
    onn_str_finish(&text);
    onn_fs_close(dir);
}
