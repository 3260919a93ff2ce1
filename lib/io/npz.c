/* npz: a zip archive of npy files, through libzip. */
#include "io/npy.h"

#include <limits.h>
#include <oclnn/io.h>
#include <stdio.h>
#include <string.h>
#include <zip.h>

#define MAX_ENTRIES 100000
#define MAX_RATIO 1100 /* deflate makes 1032 bytes of one at most: a larger promise is a lie */

struct oclnn_npz {
    zip_t *zip;
    int count;
    struct entry {
        char *name;
        zip_uint64_t index, bytes;
    } * entry;
};

static enum oclnn_status zip_error(const char *path, int code)
{
    zip_error_t e;
    zip_error_init_with_code(&e, code);
    enum oclnn_status status = code == ZIP_ER_NOENT ? OCLNN_ERROR_NOT_FOUND
        : code == ZIP_ER_MEMORY                     ? OCLNN_ERROR_MEMORY
        : code == ZIP_ER_OPEN || code == ZIP_ER_READ || code == ZIP_ER_WRITE || code == ZIP_ER_CLOSE ||
            code == ZIP_ER_RENAME || code == ZIP_ER_TMPOPEN
        ? OCLNN_ERROR_IO
        : OCLNN_ERROR_FORMAT;
    onn_error(status, "%.300s: %s", path, zip_error_strerror(&e));
    zip_error_fini(&e);
    return status;
}

static enum oclnn_status add_entry(struct oclnn_npz *npz, zip_uint64_t i)
{
    zip_stat_t st;
    const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(npz->zip, i, 0, &st) || (st.valid & needed) != needed)
        return onn_error(OCLNN_ERROR_FORMAT, "npz: entry %llu is broken", (unsigned long long)i);
    size_t length = strlen(st.name);
    if (length < 5 || strcmp(st.name + length - 4, ".npy"))
        return OCLNN_OK; /* something else lies in the archive too */
    if (st.comp_method != ZIP_CM_STORE && st.comp_method != ZIP_CM_DEFLATE)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "npz: '%.100s' is packed in an unknown way", st.name);
    if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) && st.encryption_method != ZIP_EM_NONE)
        return onn_error(OCLNN_ERROR_UNSUPPORTED, "npz: '%.100s' is encrypted", st.name);
    if (st.size / MAX_RATIO > st.comp_size + 1 || st.size > SIZE_MAX / 2)
        return onn_error(OCLNN_ERROR_FORMAT, "npz: '%.100s' says %llu bytes, packed in %llu", st.name,
            (unsigned long long)st.size, (unsigned long long)st.comp_size);
    struct entry *e = &npz->entry[npz->count];
    e->name = onn_strdup(st.name);
    if (!e->name)
        return OCLNN_ERROR_MEMORY;
    e->name[length - 4] = '\0';
    e->index = i;
    e->bytes = st.size;
    npz->count++;
    return OCLNN_OK;
}

enum oclnn_status oclnn_npz_open(const char *path, oclnn_npz **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct oclnn_npz *npz = NULL;
    int code = 0;
    ONN_CHECK(path && out, OCLNN_ERROR_ARGUMENT, "npz open: path or out is NULL");
    *out = NULL;
    npz = onn_calloc(1, sizeof *npz);
    ONN_TRY(npz ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    npz->zip = zip_open(path, ZIP_RDONLY, &code);
    if (!npz->zip)
        ONN_TRY(zip_error(path, code));
    zip_int64_t n = zip_get_num_entries(npz->zip, 0);
    ONN_CHECK(n >= 0 && n <= MAX_ENTRIES, OCLNN_ERROR_FORMAT, "npz: %lld entries", (long long)n);
    npz->entry = onn_calloc((size_t)n, sizeof *npz->entry);
    ONN_TRY(npz->entry ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (zip_int64_t i = 0; i < n; i++)
        ONN_TRY(add_entry(npz, (zip_uint64_t)i));
    *out = npz;
    return OCLNN_OK;
fail:
    oclnn_npz_destroy(&npz);
    return status;
}

void oclnn_npz_destroy(oclnn_npz **npz)
{
    if (!npz || !*npz)
        return;
    for (int i = 0; i < (*npz)->count; i++)
        onn_free((*npz)->entry[i].name);
    onn_free((*npz)->entry);
    if ((*npz)->zip)
        zip_discard((*npz)->zip);
    onn_free(*npz);
    *npz = NULL;
}

int oclnn_npz_count(const oclnn_npz *npz)
{
    return npz ? npz->count : 0;
}

const char *oclnn_npz_name(const oclnn_npz *npz, int i)
{
    return npz && i >= 0 && i < npz->count ? npz->entry[i].name : NULL;
}

int oclnn_npz_find(const oclnn_npz *npz, const char *name)
{
    for (int i = 0; name && i < oclnn_npz_count(npz); i++)
        if (!strcmp(npz->entry[i].name, name))
            return i;
    return -1;
}

enum oclnn_status oclnn_npz_get(oclnn_npz *npz, int i, oclnn_tensor **out)
{
    enum oclnn_status status = OCLNN_OK;
    zip_file_t *file = NULL;
    void *bytes = NULL;
    ONN_CHECK(npz && out && i >= 0 && i < npz->count, OCLNN_ERROR_ARGUMENT, "npz: array %d of %d", i,
        oclnn_npz_count(npz));
    *out = NULL;
    const struct entry *e = &npz->entry[i];
    bytes = onn_alloc((size_t)e->bytes);
    ONN_TRY(bytes ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    file = zip_fopen_index(npz->zip, e->index, 0);
    ONN_CHECK(file, OCLNN_ERROR_FORMAT, "npz: '%.100s': %s", e->name, zip_strerror(npz->zip));
    /* A read past the end would be 0; it also makes libzip compare the checksum. */
    char past;
    zip_int64_t got = zip_fread(file, bytes, e->bytes);
    ONN_CHECK(got >= 0 && (zip_uint64_t)got == e->bytes && zip_fread(file, &past, 1) == 0, OCLNN_ERROR_FORMAT,
        "npz: '%.100s' is truncated or damaged", e->name);
    status = onn_npy_decode(bytes, (size_t)e->bytes, out);
    if (status != OCLNN_OK)
        onn_error_at(status, "array '%.100s'", e->name);
fail:
    if (file)
        zip_fclose(file);
    onn_free(bytes);
    return status;
}

/* The archive refers to the blocks until it is closed. */
static enum oclnn_status save_one(zip_t *zip, const char *name, void *block, size_t size)
{
    char file[512];
    int length = snprintf(file, sizeof file, "%s.npy", name);
    if (length < 5 || (size_t)length >= sizeof file)
        return onn_error(OCLNN_ERROR_ARGUMENT, "npz: '%.100s' is no name for an array", name);
    zip_source_t *source = zip_source_buffer(zip, block, size, 0);
    if (!source)
        return OCLNN_ERROR_MEMORY;
    zip_int64_t i = zip_file_add(zip, file, source, ZIP_FL_ENC_UTF_8);
    if (i < 0) {
        zip_source_free(source);
        return onn_error(OCLNN_ERROR_ARGUMENT, "npz: '%.100s': %s", name, zip_strerror(zip));
    }
    /* The same arrays give the same file: stored, and dated 1980-01-01 as numpy does. */
    if (zip_set_file_compression(zip, (zip_uint64_t)i, ZIP_CM_STORE, 0) ||
        zip_file_set_dostime(zip, (zip_uint64_t)i, 0, 1 << 5 | 1, 0))
        return onn_error(OCLNN_ERROR_IO, "npz: '%.100s': %s", name, zip_strerror(zip));
    return OCLNN_OK;
}

enum oclnn_status oclnn_npz_save(const char *path, int count, const char *const *names,
    const oclnn_tensor *const *tensors)
{
    enum oclnn_status status = OCLNN_OK;
    zip_t *zip = NULL;
    void **block = NULL;
    int code = 0;
    ONN_CHECK(path && count >= 0 && (!count || (names && tensors)), OCLNN_ERROR_ARGUMENT, "npz save: NULL");
    block = onn_calloc((size_t)count, sizeof *block);
    ONN_TRY(block ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (!zip)
        ONN_TRY(zip_error(path, code));
    for (int i = 0; i < count; i++) {
        size_t size = 0;
        ONN_CHECK(names[i] && tensors[i], OCLNN_ERROR_ARGUMENT, "npz save: array %d is NULL", i);
        ONN_TRY(onn_npy_encode(tensors[i], &block[i], &size));
        ONN_TRY(save_one(zip, names[i], block[i], size));
    }
    if (zip_close(zip)) /* writes beside the file, then renames */
        ONN_TRY(zip_error(path, zip_error_code_zip(zip_get_error(zip))));
    zip = NULL;
fail:
    if (zip)
        zip_discard(zip);
    for (int i = 0; block && i < count; i++)
        onn_free(block[i]);
    onn_free(block);
    return status;
}
