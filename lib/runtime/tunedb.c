#include "runtime/tunedb.h"
#include "base/fs.h"
#include "runtime/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "tune.txt"
#define HEADLINE "oclnn tune 1\n"
#define MAX_BYTES ((size_t)8 << 20)
#define MAX_ROWS 50000
#define SUM_LENGTH 8

struct row {
    char *key; /* family, problem, candidate, parted by tabs */
    double ns;
    bool fresh; /* measured by this process, not yet in the file */
};
struct onn_tunedb {
    struct row *row; /* sorted by key */
    int n, cap;
    bool read; /* the file and the shipped rows are in */
    struct onn_str family;
};

void onn_tunedb_family(const struct onn_caps *caps, struct onn_str *s)
{
    for (const char *c = caps->name; *c; c++) /* drivers may put anything into a name */
        onn_str_add(s, "%c", (unsigned char)*c > 32 && *c != 127 ? *c : '_');
    onn_str_add(s, "/%d/%d/%d.%d", caps->compute_units, caps->vector_width, caps->opencl_major,
        caps->opencl_minor);
}

/* The first characters of the hash of a line's text. */
static void checksum(const char *text, size_t bytes, char out[SUM_LENGTH + 1])
{
    char hex[ONN_HASH_HEX];
    onn_hash_hex(onn_hash_bytes(text, bytes), hex);
    memcpy(out, hex, SUM_LENGTH);
    out[SUM_LENGTH] = '\0';
}

static void add_line(const char *key, double ns, struct onn_str *s)
{
    char sum[SUM_LENGTH + 1];
    const size_t begin = s->length;
    onn_str_add(s, "%s\t%.6g", key, ns);
    checksum(onn_str_text(s) + begin, s->length - begin, sum);
    onn_str_add(s, "\t%s\n", sum);
}

static char *make_key(const char *family, const char *problem, const char *candidate)
{
    struct onn_str s = {0};
    onn_str_add(&s, "%s\t%s\t%s", family, problem, candidate);
    char *key = onn_str_ok(&s) ? onn_strdup(onn_str_text(&s)) : NULL;
    onn_str_finish(&s);
    return key;
}

void onn_tunedb_line(const char *family, const char *problem, const char *candidate, double ns,
    struct onn_str *s)
{
    char *key = make_key(family, problem, candidate);
    if (key)
        add_line(key, ns, s);
    onn_free(key);
}

/* Where the key is, or where it belongs. */
static int place(const struct onn_tunedb *db, const char *key, bool *there)
{
    int low = 0, high = db->n;
    while (low < high) {
        int middle = low + (high - low) / 2, order = strcmp(db->row[middle].key, key);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = false;
    return low;
}

/* Takes the key over. replace: an older row of this key gives way. */
static bool put(struct onn_tunedb *db, char *key, double ns, bool fresh, bool replace)
{
    bool there;
    int at = place(db, key, &there);
    if (there) {
        if (replace)
            db->row[at] = (struct row){db->row[at].key, ns, fresh};
        onn_free(key);
        return true;
    }
    if (db->n >= MAX_ROWS || !onn_array_grow((void **)&db->row, db->n, &db->cap, sizeof *db->row)) {
        onn_free(key);
        return false;
    }
    memmove(&db->row[at + 1], &db->row[at], (size_t)(db->n - at) * sizeof *db->row);
    db->row[at] = (struct row){key, ns, fresh};
    db->n++;
    return true;
}

/* family TAB problem TAB candidate TAB ns TAB sum; rows of any family are kept, so that writing loses none. */
static bool parse_line(struct onn_tunedb *db, const char *line, size_t length)
{
    const char *tab[5];
    int n = 0;
    for (size_t i = 0; i < length && n < 5; i++)
        if (line[i] == '\t')
            tab[n++] = &line[i];
    if (n != 4 || memchr(line, '\0', length) || (size_t)(line + length - tab[3] - 1) != SUM_LENGTH)
        return false;
    char sum[SUM_LENGTH + 1], *end;
    checksum(line, (size_t)(tab[3] - line), sum);
    double ns = strtod(tab[2] + 1, &end);
    if (memcmp(tab[3] + 1, sum, SUM_LENGTH) != 0 || end != tab[3] || !isfinite(ns) || ns <= 0)
        return false;
    char *key = onn_alloc((size_t)(tab[2] - line) + 1);
    if (!key)
        return false;
    memcpy(key, line, (size_t)(tab[2] - line));
    key[tab[2] - line] = '\0';
    return put(db, key, ns, false, false);
}

static int parse(struct onn_tunedb *db, const char *text, size_t bytes)
{
    int rows = 0;
    const size_t head = strlen(HEADLINE);
    if (bytes < head || memcmp(text, HEADLINE, head) != 0)
        return 0;
    for (size_t at = head; at < bytes;) {
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t length = end ? (size_t)(end - text) - at : bytes - at;
        rows += end && parse_line(db, text + at, length);
        at += length + 1;
    }
    return rows;
}

static void read_file(struct oclnn_context *ctx, struct onn_tunedb *db)
{
    void *text = NULL;
    size_t bytes;
    int dir = ctx->cache_dir ? onn_fs_open_private(ctx->cache_dir, false) : -1;
    if (dir < 0)
        return;
    if (onn_fs_read_at(dir, FILE_NAME, MAX_BYTES, true, &text, &bytes) == OCLNN_OK)
        parse(db, text, bytes);
    onn_free(text);
    onn_fs_close(dir);
}

/* With the lock held; NULL when memory is short. */
static struct onn_tunedb *open_db(struct oclnn_context *ctx)
{
    if (!ctx->tunedb)
        ctx->tunedb = onn_calloc(1, sizeof *ctx->tunedb);
    struct onn_tunedb *db = ctx->tunedb;
    if (db && !db->read) {
        db->read = true;
        onn_tunedb_family(&ctx->caps, &db->family);
        read_file(ctx, db); /* first: what the user measured counts more */
        parse(db, onn_tunedb_shipped, strlen(onn_tunedb_shipped));
        onn_error_clear(); /* a missing file is no error */
    }
    return db;
}

double onn_tunedb_find(struct oclnn_context *ctx, const char *problem, const char *candidate)
{
    double ns = -1;
    bool there = false;
    onn_mutex_lock(&ctx->tune_lock);
    struct onn_tunedb *db = open_db(ctx);
    char *key = db && db->n ? make_key(onn_str_text(&db->family), problem, candidate) : NULL;
    int at = key ? place(db, key, &there) : 0;
    if (there)
        ns = db->row[at].ns;
    onn_mutex_unlock(&ctx->tune_lock);
    onn_free(key);
    return ns;
}

enum oclnn_status onn_tunedb_add(struct oclnn_context *ctx, const char *problem, const char *candidate,
    double ns)
{
    bool done = false;
    if (strpbrk(problem, "\t\n") || strpbrk(candidate, "\t\n") || !(ns > 0))
        return onn_error(OCLNN_ERROR_ARGUMENT, "no row of a tuning database: '%.100s'", problem);
    onn_mutex_lock(&ctx->tune_lock);
    struct onn_tunedb *db = open_db(ctx);
    char *key = db ? make_key(onn_str_text(&db->family), problem, candidate) : NULL;
    if (key)
        done = put(db, key, ns, true, true);
    onn_mutex_unlock(&ctx->tune_lock);
    return done ? OCLNN_OK : OCLNN_ERROR_MEMORY;
}

int onn_tunedb_parse(struct oclnn_context *ctx, const char *text, size_t bytes)
{
    onn_mutex_lock(&ctx->tune_lock);
    struct onn_tunedb *db = open_db(ctx);
    int rows = db ? parse(db, text, bytes) : 0;
    onn_mutex_unlock(&ctx->tune_lock);
    return rows;
}

void onn_tunedb_save(struct oclnn_context *ctx)
{
    struct onn_str text = {0};
    struct onn_tunedb file = {0}; /* as it is now: another process may have written meanwhile */
    bool fresh = false;
    onn_mutex_lock(&ctx->tune_lock);
    struct onn_tunedb *db = ctx->tunedb;
    for (int i = 0; db && i < db->n; i++)
        fresh |= db->row[i].fresh;
    int dir = fresh && ctx->cache_dir ? onn_fs_open_private(ctx->cache_dir, true) : -1;
    if (dir >= 0) {
        read_file(ctx, &file);
        for (int i = 0; i < db->n; i++) {
            char *key = db->row[i].fresh ? onn_strdup(db->row[i].key) : NULL;
            if (key)
                put(&file, key, db->row[i].ns, true, true);
        }
        onn_str_add(&text, HEADLINE);
        for (int i = 0; i < file.n; i++)
            add_line(file.row[i].key, file.row[i].ns, &text);
        if (onn_str_ok(&text) && text.length <= MAX_BYTES &&
            onn_fs_write_at(dir, FILE_NAME, onn_str_text(&text), text.length, false) == OCLNN_OK)
            for (int i = 0; i < db->n; i++)
                db->row[i].fresh = false;
        onn_fs_close(dir);
    }
    onn_mutex_unlock(&ctx->tune_lock);
    for (int i = 0; i < file.n; i++)
        onn_free(file.row[i].key);
    onn_free(file.row);
    onn_str_finish(&text);
}

void onn_tunedb_destroy(struct onn_tunedb *db)
{
    if (!db)
        return;
    for (int i = 0; i < db->n; i++)
        onn_free(db->row[i].key);
    onn_free(db->row);
    onn_str_finish(&db->family);
    onn_free(db);
}
