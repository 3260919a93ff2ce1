/* Layout, little endian:  head { "OCLNNCKP", u32 version, u32 entries, u64 bytes of the table, hash of the table },
 * table: per entry { u32 length of the name, u32 kind, u32 dtype, u32 rank, i64 dim[rank], u64 offset from the start of
 * the data, u64 bytes, hash of the bytes, name, NUL }, then the data, each entry at a multiple of 64. */
#include "train/checkpoint_file.h"
#include "base/fs.h"

#include <string.h>

#define MAGIC "OCLNNCKP"
#define VERSION 1
#define ALIGN 64
#define LARGEST ((size_t)1 << 40)

struct head {
    char magic[8];
    uint32_t version, entries;
    uint64_t table_bytes;
    struct onn_hash hash;
};
struct row {
    uint32_t name_bytes, kind, dtype, rank;
    uint64_t offset, bytes;
    struct onn_hash hash;
};

static enum oclnn_status add(struct onn_checkpoint *c, const struct onn_entry *e)
{
    if (!onn_array_grow((void **)&c->entry, c->n, &c->cap, sizeof *c->entry))
        return OCLNN_ERROR_MEMORY;
    c->entry[c->n] = *e;
    c->entry[c->n].name = onn_arena_strdup(&c->arena, e->name);
    if (!c->entry[c->n].name)
        return OCLNN_ERROR_MEMORY;
    c->n++;
    return OCLNN_OK;
}

enum oclnn_status onn_checkpoint_add_blob(struct onn_checkpoint *c, const char *name, struct onn_blob *blob)
{
    enum oclnn_status status = onn_blob_sync_host(blob);
    if (status != OCLNN_OK)
        return status;
    return add(c,
        &(struct onn_entry){.name = name,
            .kind = ONN_ENTRY_TENSOR,
            .desc = blob->desc,
            .data = blob->data,
            .bytes = onn_desc_bytes(&blob->desc)});
}

static enum oclnn_status add_copy(struct onn_checkpoint *c, const char *name, enum onn_entry_kind kind,
    const void *data, size_t bytes)
{
    const void *copy = onn_arena_dup(&c->arena, data, bytes);
    if (!copy)
        return OCLNN_ERROR_MEMORY;
    return add(c, &(struct onn_entry){.name = name, .kind = kind, .data = copy, .bytes = bytes});
}

enum oclnn_status onn_checkpoint_add_text(struct onn_checkpoint *c, const char *name, const char *text)
{
    return add_copy(c, name, ONN_ENTRY_TEXT, text, strlen(text) + 1);
}

enum oclnn_status onn_checkpoint_add_i64(struct onn_checkpoint *c, const char *name, int64_t value)
{
    return add_copy(c, name, ONN_ENTRY_I64, &value, sizeof value);
}

enum oclnn_status onn_checkpoint_add_f64(struct onn_checkpoint *c, const char *name, double value)
{
    return add_copy(c, name, ONN_ENTRY_F64, &value, sizeof value);
}

/* ---- writing ---- */

static uint64_t aligned(uint64_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t table_bytes(const struct onn_checkpoint *c)
{
    size_t bytes = 0;
    for (int i = 0; i < c->n; i++)
        bytes += sizeof(struct row) + (size_t)c->entry[i].desc.rank * sizeof(int64_t) +
            strlen(c->entry[i].name) + 1;
    return bytes;
}

static char *put(char *at, const void *data, size_t bytes)
{
    memcpy(at, data, bytes);
    return at + bytes;
}

enum oclnn_status onn_checkpoint_write(const struct onn_checkpoint *c, const char *path)
{
    enum oclnn_status status = OCLNN_OK;
    struct head h = {.magic = MAGIC,
        .version = VERSION,
        .entries = (uint32_t)c->n,
        .table_bytes = table_bytes(c)};
    const uint64_t start = aligned(sizeof h + h.table_bytes);
    uint64_t end = 0;
    for (int i = 0; i < c->n; i++)
        end += aligned(c->entry[i].bytes);
    char *file = onn_calloc(1, (size_t)(start + end));
    ONN_TRY(file ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    char *at = file + sizeof h;
    end = 0;
    for (int i = 0; i < c->n; i++) {
        const struct onn_entry *e = &c->entry[i];
        const struct row r = {.name_bytes = (uint32_t)strlen(e->name),
            .kind = e->kind,
            .dtype = e->desc.dtype,
            .rank = (uint32_t)e->desc.rank,
            .offset = end,
            .bytes = e->bytes,
            .hash = onn_hash_bytes(e->data, e->bytes)};
        at = put(at, &r, sizeof r);
        at = put(at, e->desc.dim, r.rank * sizeof(int64_t));
        at = put(at, e->name, r.name_bytes + 1);
        if (e->bytes)
            memcpy(file + start + end, e->data, e->bytes);
        end += aligned(e->bytes);
    }
    h.hash = onn_hash_bytes(file + sizeof h, h.table_bytes);
    memcpy(file, &h, sizeof h);
    ONN_TRY(onn_fs_write(path, file, (size_t)(start + end), true));
fail:
    onn_free(file);
    return status;
}

/* ---- reading ---- */

struct reader {
    const char *path, *at;
    size_t left;
    const char *data; /* where entries lie */
    size_t data_bytes;
};

static bool take(struct reader *r, void *to, size_t bytes)
{
    if (bytes > r->left)
        return false;
    memcpy(to, r->at, bytes);
    r->at += bytes;
    r->left -= bytes;
    return true;
}

static bool good_tensor(const struct row *row, const int64_t *dim, struct onn_desc *out)
{
    uint64_t elements = 1;
    if (row->dtype == OCLNN_NONE || oclnn_dtype_size((enum oclnn_dtype)row->dtype) == 0)
        return false;
    for (uint32_t i = 0; i < row->rank; i++) {
        if (dim[i] < 0 || (dim[i] && elements > LARGEST / (uint64_t)dim[i]))
            return false;
        elements *= (uint64_t)dim[i];
    }
    *out = onn_desc_make((enum oclnn_dtype)row->dtype, (int)row->rank, dim);
    return row->bytes == elements * oclnn_dtype_size((enum oclnn_dtype)row->dtype);
}

static enum oclnn_status read_row(struct reader *r, struct onn_checkpoint *c, int k)
{
    enum oclnn_status status = OCLNN_OK;
    struct row row;
    int64_t dim[ONN_MAX_RANK];
    struct onn_entry e = {0};
    ONN_CHECK(take(r, &row, sizeof row) && row.rank <= ONN_MAX_RANK && row.kind <= ONN_ENTRY_F64 &&
            take(r, dim, row.rank * sizeof *dim) && row.name_bytes < r->left &&
            r->at[row.name_bytes] == '\0' && strlen(r->at) == row.name_bytes,
        OCLNN_ERROR_FORMAT, "%s: entry %d of the table is malformed", r->path, k);
    e.name = r->at;
    r->at += row.name_bytes + 1;
    r->left -= row.name_bytes + 1;
    ONN_CHECK(row.offset <= r->data_bytes && row.bytes <= r->data_bytes - row.offset, OCLNN_ERROR_FORMAT,
        "%s: '%s' lies beyond the end: the file is truncated", r->path, e.name);
    e.kind = (enum onn_entry_kind)row.kind;
    e.data = r->data + row.offset;
    e.bytes = row.bytes;
    ONN_CHECK(onn_hash_equal(row.hash, onn_hash_bytes(e.data, e.bytes)), OCLNN_ERROR_FORMAT,
        "%s: the checksum of '%s' is wrong: the file is damaged", r->path, e.name);
    const bool right = e.kind == ONN_ENTRY_TENSOR ? good_tensor(&row, dim, &e.desc)
        : e.kind == ONN_ENTRY_TEXT                ? e.bytes > 0 && ((const char *)e.data)[e.bytes - 1] == '\0'
                                                  : e.bytes == 8;
    ONN_CHECK(right, OCLNN_ERROR_FORMAT, "%s: '%s' has a wrong size", r->path, e.name);
    ONN_TRY(add(c, &e));
fail:
    return status;
}

enum oclnn_status onn_checkpoint_read(const char *path, struct onn_checkpoint *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct head h;
    size_t bytes = 0;
    *out = (struct onn_checkpoint){0};
    ONN_TRY(onn_fs_read(path, LARGEST, &out->file, &bytes));
    struct reader r = {.path = path, .at = out->file, .left = bytes};
    ONN_CHECK(take(&r, &h, sizeof h) && memcmp(h.magic, MAGIC, sizeof h.magic) == 0, OCLNN_ERROR_FORMAT,
        "%s is no checkpoint of oclnn", path);
    ONN_CHECK(h.version == VERSION, OCLNN_ERROR_FORMAT, "%s: version %u of the format, this library reads %d",
        path, h.version, VERSION);
    const uint64_t start = h.table_bytes <= r.left ? aligned(sizeof h + h.table_bytes) : UINT64_MAX;
    ONN_CHECK(start <= bytes, OCLNN_ERROR_FORMAT, "%s: the table is incomplete: the file is truncated", path);
    ONN_CHECK(onn_hash_equal(h.hash, onn_hash_bytes(r.at, h.table_bytes)), OCLNN_ERROR_FORMAT,
        "%s: the checksum of the table is wrong: the file is damaged", path);
    r.left = h.table_bytes;
    r.data = (const char *)out->file + start;
    r.data_bytes = bytes - start;
    for (uint32_t k = 0; k < h.entries; k++)
        ONN_TRY(read_row(&r, out, (int)k));
    ONN_CHECK(r.left == 0, OCLNN_ERROR_FORMAT,
        "%s: the table has more than the %u entries that are told: damaged", path, h.entries);
fail:
    if (status != OCLNN_OK)
        onn_checkpoint_finish(out);
    return status;
}

const struct onn_entry *onn_checkpoint_find(const struct onn_checkpoint *c, enum onn_entry_kind kind,
    const char *name)
{
    for (int i = 0; i < c->n; i++)
        if (c->entry[i].kind == kind && strcmp(c->entry[i].name, name) == 0)
            return &c->entry[i];
    return NULL;
}

static enum oclnn_status get(const struct onn_checkpoint *c, enum onn_entry_kind kind, const char *name,
    void *out)
{
    const struct onn_entry *e = onn_checkpoint_find(c, kind, name);
    if (!e)
        return onn_error(OCLNN_ERROR_FORMAT, "the checkpoint has no '%s'", name);
    if (out)
        memcpy(out, e->data, 8);
    return OCLNN_OK;
}

enum oclnn_status onn_checkpoint_get_i64(const struct onn_checkpoint *c, const char *name, int64_t *out)
{
    return get(c, ONN_ENTRY_I64, name, out);
}

enum oclnn_status onn_checkpoint_get_f64(const struct onn_checkpoint *c, const char *name, double *out)
{
    return get(c, ONN_ENTRY_F64, name, out);
}

enum oclnn_status onn_checkpoint_get_text(const struct onn_checkpoint *c, const char *name, const char **out)
{
    enum oclnn_status status = get(c, ONN_ENTRY_TEXT, name, NULL);
    if (status == OCLNN_OK)
        *out = onn_checkpoint_find(c, ONN_ENTRY_TEXT, name)->data;
    return status;
}

void onn_checkpoint_finish(struct onn_checkpoint *c)
{
    onn_free(c->entry);
    onn_free(c->file);
    onn_arena_finish(&c->arena);
    *c = (struct onn_checkpoint){0};
}
