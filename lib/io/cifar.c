/* CIFAR-10's binary files: records of one label byte and 3 x 32 x 32 bytes. */
#include "io/samples.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define IMAGE 3072
#define STEP 256 /* records that memory grows by at first */

static enum oclnn_status grow(struct oclnn_samples *s, int64_t *room)
{
    if (s->count < *room)
        return OCLNN_OK;
    int64_t wanted = *room ? *room * 2 : STEP;
    void *pixel = onn_realloc(s->pixel, (size_t)wanted, IMAGE);
    if (!pixel)
        return OCLNN_ERROR_MEMORY;
    s->pixel = pixel;
    void *label = onn_realloc(s->label, (size_t)wanted, sizeof *s->label);
    if (!label)
        return OCLNN_ERROR_MEMORY;
    s->label = label;
    *room = wanted;
    return OCLNN_OK;
}

static enum oclnn_status read_file(const char *path, struct oclnn_samples *s, int64_t *room)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_gz gz = {0};
    uint8_t record[1 + IMAGE];
    size_t got;
    ONN_TRY(onn_gz_open(path, &gz));
    for (;;) {
        ONN_TRY(onn_gz_read_some(&gz, record, sizeof record, &got));
        if (got == 0)
            break;
        ONN_CHECK(got == sizeof record, OCLNN_ERROR_FORMAT, "%.300s: the last record is cut off", path);
        ONN_CHECK(record[0] < 10, OCLNN_ERROR_FORMAT, "%.300s: record %lld has class %d", path,
            (long long)s->count, record[0]);
        ONN_TRY(grow(s, room));
        s->label[s->count] = record[0];
        memcpy(s->pixel + s->count * IMAGE, record + 1, IMAGE);
        s->count++;
    }
    ONN_TRY(onn_gz_end(&gz));
fail:
    onn_gz_close(&gz);
    return status;
}

enum oclnn_status onn_cifar_open(const char *list, struct oclnn_samples *out)
{
    enum oclnn_status status = OCLNN_OK;
    char path[4096];
    int64_t room = 0;
    struct stat st;
    out->channels = 3;
    out->height = out->width = 32;
    for (const char *at = list; *at;) {
        size_t length = strcspn(at, ",");
        ONN_CHECK(length && length < sizeof path - 32, OCLNN_ERROR_ARGUMENT,
            "cifar10: '%.200s' is no list of files", list);
        memcpy(path, at, length);
        path[length] = '\0';
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            snprintf(path + length, sizeof path - length, "/test_batch.bin");
        ONN_TRY(read_file(path, out, &room));
        at += length + (at[length] == ',');
    }
    ONN_CHECK(out->count, OCLNN_ERROR_FORMAT, "cifar10: no records in '%.200s'", list);
fail:
    return status;
}
