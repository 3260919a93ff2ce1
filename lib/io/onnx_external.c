/* External data: only regular files inside the model's folder, reached without a symlink, and not hard
 * links of files elsewhere. */
#include "io/onnx_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum oclnn_status onn_external_open(struct onn_external *e, const char *path, const char *folder)
{
    enum oclnn_status status = OCLNN_OK;
    char *own = NULL;
    *e = (struct onn_external){.dir = -1};
    if (!path && !folder)
        return OCLNN_OK;
    if (path) {
        own = onn_strdup(path);
        ONN_TRY(own ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        char *slash = strrchr(own, '/');
        folder = slash == own ? "/" : slash ? own : ".";
        if (slash && slash != own)
            *slash = '\0';
    }
    e->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ONN_CHECK(e->dir >= 0, OCLNN_ERROR_IO, "%s: %s", folder, strerror(errno));
fail:
    onn_free(own);
    return status;
}

void onn_external_finish(struct onn_external *e)
{
    if (e->dir >= 0)
        close(e->dir);
    onn_free(e->seen);
    *e = (struct onn_external){.dir = -1};
}

static const char *text_of(const Onnx__TensorProto *t, const char *key)
{
    for (size_t i = 0; i < t->n_external_data; i++)
        if (t->external_data[i]->key && !strcmp(t->external_data[i]->key, key))
            return t->external_data[i]->value ? t->external_data[i]->value : "";
    return NULL;
}

static bool number_of(const char *text, uint64_t *out)
{
    uint64_t v = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

/* Opens `location` below dir, one name at a time. */
static enum oclnn_status open_inside(int dir, const char *location, int *out)
{
    enum oclnn_status status = OCLNN_OK;
    char part[256];
    int at = dir, next = -1;
    *out = -1;
    for (const char *c = location; *c; c++)
        ONN_CHECK((unsigned char)*c >= 32 && *c != 127 && *c != '\\', OCLNN_ERROR_FORMAT,
            "external data: the location holds a character that is not allowed");
    ONN_CHECK(*location && *location != '/', OCLNN_ERROR_FORMAT,
        "external data '%.200s': the location must be relative to the model's folder", location);
    for (const char *c = location; *c;) {
        size_t length = strcspn(c, "/");
        ONN_CHECK(length > 0 && length < sizeof part, OCLNN_ERROR_FORMAT,
            "external data '%.200s': not a clean relative path", location);
        memcpy(part, c, length);
        part[length] = '\0';
        ONN_CHECK(strcmp(part, ".") && strcmp(part, ".."), OCLNN_ERROR_FORMAT,
            "external data '%.200s': '.' and '..' are not allowed", location);
        bool last = !c[length];
        ONN_CHECK(last || c[length + 1], OCLNN_ERROR_FORMAT, "external data '%.200s': names a folder",
            location);
        int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (last ? O_NONBLOCK | O_NOCTTY : O_DIRECTORY);
        next = openat(at, part, flags);
        ONN_CHECK(next >= 0, errno == ENOENT ? OCLNN_ERROR_NOT_FOUND : OCLNN_ERROR_IO,
            "external data '%.200s': %s", location,
            errno == ELOOP || errno == ENOTDIR ? "symbolic links are not followed" : strerror(errno));
        if (at != dir)
            close(at);
        at = next;
        c += length + !last;
    }
    *out = at;
    return OCLNN_OK;
fail:
    if (at != dir)
        close(at);
    return status;
}

/* Every new file may be read about twice in all; many tensors that name the same gigabyte do not multiply
 * it. */
static bool allow(struct onn_external *e, const struct stat *st, size_t bytes)
{
    int i = 0;
    while (i < e->n_seen &&
        (e->seen[i].device != (uint64_t)st->st_dev || e->seen[i].inode != (uint64_t)st->st_ino))
        i++;
    if (i == e->n_seen) {
        if (!onn_array_grow((void **)&e->seen, e->n_seen, &e->cap_seen, sizeof *e->seen))
            return false;
        e->seen[e->n_seen++] = (struct onn_external_file){(uint64_t)st->st_dev, (uint64_t)st->st_ino};
        e->budget += 2 * (uint64_t)st->st_size;
    }
    if (bytes > e->budget)
        return false;
    e->budget -= bytes;
    return true;
}

static enum oclnn_status read_at(int fd, void *data, size_t bytes, uint64_t offset)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t n = pread(fd, (char *)data + done, bytes - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return onn_error(OCLNN_ERROR_IO, "external data: %s",
                n < 0 ? strerror(errno) : "the file has shrunk");
        done += (size_t)n;
    }
    return OCLNN_OK;
}

enum oclnn_status onn_external_read(struct onn_external *e, const Onnx__TensorProto *t, size_t bytes,
    void **out)
{
    enum oclnn_status status = OCLNN_OK;
    int fd = -1;
    struct stat st;
    uint64_t offset = 0, length = bytes;
    const char *location = text_of(t, "location"), *at = text_of(t, "offset"), *size = text_of(t, "length");
    *out = NULL;
    ONN_CHECK(e && e->dir >= 0, OCLNN_ERROR_FORMAT, "external data, but the model has no folder");
    ONN_CHECK(location, OCLNN_ERROR_FORMAT, "external data without a location");
    ONN_CHECK(!at || number_of(at, &offset), OCLNN_ERROR_FORMAT, "external data: offset '%.40s' is no number",
        at);
    ONN_CHECK(!size || number_of(size, &length), OCLNN_ERROR_FORMAT,
        "external data: length '%.40s' is no number", size);
    ONN_CHECK(length == bytes, OCLNN_ERROR_FORMAT, "external data: %llu bytes declared, the shape needs %zu",
        (unsigned long long)length, bytes);
    ONN_TRY(open_inside(e->dir, location, &fd));
    ONN_CHECK(fstat(fd, &st) == 0, OCLNN_ERROR_IO, "external data '%.200s': %s", location, strerror(errno));
    ONN_CHECK(S_ISREG(st.st_mode), OCLNN_ERROR_FORMAT, "external data '%.200s': no regular file", location);
    ONN_CHECK(st.st_nlink == 1, OCLNN_ERROR_FORMAT,
        "external data '%.200s': the file has more than one hard link", location);
    ONN_CHECK(offset <= (uint64_t)st.st_size && bytes <= (uint64_t)st.st_size - offset, OCLNN_ERROR_FORMAT,
        "external data '%.200s': bytes %llu to %llu + %zu, the file has %lld", location,
        (unsigned long long)offset, (unsigned long long)offset, bytes, (long long)st.st_size);
    ONN_CHECK(allow(e, &st, bytes), OCLNN_ERROR_FORMAT,
        "external data '%.200s': the tensors name the same bytes too often", location);
    *out = onn_alloc(bytes);
    ONN_TRY(*out ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(read_at(fd, *out, bytes, offset));
fail:
    if (fd >= 0)
        close(fd);
    if (status != OCLNN_OK) {
        onn_free(*out);
        *out = NULL;
    }
    return status;
}
