#include "base/fs.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMP_PREFIX ".tmp-"
#define TEMP_AGE_S 3600 /* a temporary file this old belongs to nobody */

bool onn_fs_is_privileged(void)
{
    return getauxval(AT_SECURE) != 0;
}

static enum oclnn_status io_error(const char *verb, const char *path, int code)
{
    char text[128] = "";
    /* GNU strerror_r may return a static text instead of filling the buffer. */
    const char *words = strerror_r(code, text, sizeof text);
    return onn_error(code == ENOENT ? OCLNN_ERROR_NOT_FOUND : OCLNN_ERROR_IO, "cannot %s '%s': %s", verb,
        path, words);
}

static enum oclnn_status read_all(int fd, const char *path, size_t max_bytes, const struct stat *st,
    void **data, size_t *bytes)
{
    enum oclnn_status status = OCLNN_OK;
    char *block = NULL;
    ONN_CHECK(st->st_size >= 0 && (uint64_t)st->st_size <= max_bytes, OCLNN_ERROR_FORMAT,
        "'%s' has %lld bytes, more than the %zu allowed", path, (long long)st->st_size, max_bytes);
    size_t size = (size_t)st->st_size, have = 0;
    block = onn_alloc(size + 1);
    if (!block) {
        status = OCLNN_ERROR_MEMORY;
        goto fail;
    }
    while (have < size) {
        ssize_t got = read(fd, block + have, size - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = io_error("read", path, errno);
            goto fail;
        }
        ONN_CHECK(got > 0, OCLNN_ERROR_IO, "'%s' became shorter while it was read", path);
        have += (size_t)got;
    }
    block[size] = '\0';
    *data = block;
    *bytes = size;
    return OCLNN_OK;
fail:
    onn_free(block);
    return status;
}

enum oclnn_status onn_fs_read(const char *path, size_t max_bytes, void **data, size_t *bytes)
{
    *data = NULL;
    *bytes = 0;
    /* O_NONBLOCK: opening a FIFO must not hang; it is refused below. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return io_error("open", path, errno);
    struct stat st;
    enum oclnn_status status;
    if (fstat(fd, &st) != 0)
        status = io_error("inspect", path, errno);
    else if (!S_ISREG(st.st_mode))
        status = onn_error(OCLNN_ERROR_IO, "'%s' is not a regular file", path);
    else
        status = read_all(fd, path, max_bytes, &st, data, bytes);
    close(fd);
    return status;
}

enum oclnn_status onn_fs_read_at(int dir, const char *name, size_t max_bytes, bool touch, void **data,
    size_t *bytes)
{
    *data = NULL;
    *bytes = 0;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return io_error("open", name, errno);
    struct stat st;
    enum oclnn_status status;
    if (fstat(fd, &st) != 0)
        status = io_error("inspect", name, errno);
    else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) != 0)
        status = onn_error(OCLNN_ERROR_IO, "'%s' is not a private regular file", name);
    else
        status = read_all(fd, name, max_bytes, &st, data, bytes);
    if (status == OCLNN_OK && touch)
        futimens(fd, NULL); /* only the order of removal depends on it */
    close(fd);
    return status;
}

static enum oclnn_status write_all(int fd, const char *path, const void *data, size_t bytes)
{
    const char *from = data;
    while (bytes > 0) {
        ssize_t done = write(fd, from, bytes);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return io_error("write", path, done < 0 ? errno : ENOSPC);
        from += done;
        bytes -= (size_t)done;
    }
    return OCLNN_OK;
}

/* What temporary files of `name` begin with. */
static void temp_prefix(const char *name, char *prefix, size_t size)
{
    const struct onn_hash h = onn_hash_bytes(name, strlen(name));
    snprintf(prefix, size, TEMP_PREFIX "%08x-", (unsigned)h.lo);
}

/* Creates a file nobody else has; the name is unlikely to be taken and tried again when it is. It is locked as long as its
 * writer lives (a remover may have been quicker: then another one). */
static int open_temp(int dir, const char *target, unsigned mode, char *name, size_t size)
{
    char prefix[24];
    struct stat st;
    int fd = -1;
    temp_prefix(target, prefix, sizeof prefix);
    for (int i = 0; i < 100 && fd < 0; i++) {
        uint64_t salt = onn_clock_ns() ^ (uint64_t)(uintptr_t)name;
        snprintf(name, size, "%s%ld-%llx-%d", prefix, (long)getpid(), (unsigned long long)salt, i);
        fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0 && errno != EEXIST)
            break;
        if (fd >= 0 && flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0 && st.st_nlink == 0) {
            close(fd);
            fd = -1;
        }
    }
    return fd;
}

/* Temporary files of `name` that nobody holds a lock on were left by writers that were killed. Best effort. */
static void remove_left_over(int dir, const char *name)
{
    char prefix[24];
    int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = again >= 0 ? fdopendir(again) : NULL;
    if (!list) {
        onn_fs_close(again);
        return;
    }
    temp_prefix(name, prefix, sizeof prefix);
    for (struct dirent *e = readdir(list); e; e = readdir(list)) {
        struct stat st;
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0)
            continue;
        int fd = openat(dir, e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dir, e->d_name, 0);
        onn_fs_close(fd);
    }
    closedir(list);
}

static enum oclnn_status replace(int dir, const char *name, unsigned mode, const void *data, size_t bytes,
    bool durable)
{
    char temp[80];
    struct stat st;
    /* rename would put a file in the place of a device or a FIFO. */
    if (fstatat(dir, name, &st, 0) == 0 && !S_ISREG(st.st_mode))
        return onn_error(OCLNN_ERROR_IO, "cannot replace '%s': not a regular file", name);
    int fd = open_temp(dir, name, mode, temp, sizeof temp);
    if (fd < 0)
        return io_error("create a file beside", name, errno);
    const int lock = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* keeps it until the file has its name */
    enum oclnn_status status = write_all(fd, name, data, bytes);
    if (status == OCLNN_OK && durable && fsync(fd) != 0)
        status = io_error("sync", name, errno);
    /* A full disk may show only here. */
    if (close(fd) != 0 && status == OCLNN_OK)
        status = io_error("close", name, errno);
    if (status == OCLNN_OK && renameat(dir, temp, dir, name) != 0)
        status = io_error("rename", name, errno);
    onn_fs_close(lock);
    if (status != OCLNN_OK)
        unlinkat(dir, temp, 0);
    else if (durable && fsync(dir) != 0)
        status = io_error("sync the folder of", name, errno);
    return status;
}

enum oclnn_status onn_fs_write_at(int dir, const char *name, const void *data, size_t bytes, bool durable)
{
    return replace(dir, name, 0600, data, bytes, durable);
}

enum oclnn_status onn_fs_write(const char *path, const void *data, size_t bytes, bool durable)
{
    enum oclnn_status status = OCLNN_OK;
    int dir = -1;
    char *folder = onn_strdup(path);
    if (!folder)
        return OCLNN_ERROR_MEMORY;
    char *slash = strrchr(folder, '/');
    const char *name = slash ? path + (slash - folder) + 1 : path;
    ONN_CHECK(*name, OCLNN_ERROR_IO, "cannot write '%s': no file name", path);
    if (slash)
        slash[slash == folder ? 1 : 0] = '\0'; /* "/name" lies in "/" */
    dir = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        status = io_error("open the folder of", path, errno);
        goto fail;
    }
    remove_left_over(dir, name);
    status = replace(dir, name, 0666, data, bytes, durable);
    if (status != OCLNN_OK)
        onn_error_at(status, "%s", path);
fail:
    if (dir >= 0)
        close(dir);
    onn_free(folder);
    return status;
}

enum oclnn_status onn_fs_make_dir(const char *path, unsigned mode)
{
    char *copy = onn_strdup(path);
    if (!copy)
        return OCLNN_ERROR_MEMORY;
    enum oclnn_status status = OCLNN_OK;
    for (char *at = copy; *at && status == OCLNN_OK;) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char kept = *at;
        *at = '\0';
        if (*copy && mkdir(copy, mode) != 0 && errno != EEXIST)
            status = io_error("make folder", copy, errno);
        *at = kept;
    }
    onn_free(copy);
    return status;
}

int onn_fs_open_private(const char *path, bool create)
{
    if (create && onn_fs_make_dir(path, 0700) != OCLNN_OK)
        return -1;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) {
        io_error("open folder", path, errno);
        return -1;
    }
    struct stat st;
    if (fstat(dir, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
        onn_error(OCLNN_ERROR_IO, "folder '%s' belongs to someone else or others may write to it", path);
        close(dir);
        return -1;
    }
    return dir;
}

void onn_fs_close(int dir)
{
    if (dir >= 0)
        close(dir);
}

struct old_file {
    char name[64];
    struct timespec used;
    uint64_t bytes;
};

static int older_first(const void *a, const void *b)
{
    const struct old_file *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

void onn_fs_trim_at(int dir, uint64_t max_bytes)
{
    struct old_file *files = NULL;
    int count = 0, capacity = 0;
    uint64_t total = 0;
    /* A fresh description of the same folder: closedir must not close ours, nor move its position. */
    int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = again >= 0 ? fdopendir(again) : NULL;
    if (!list) {
        onn_fs_close(again);
        return;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (struct dirent *e = readdir(list); e; e = readdir(list)) {
        struct stat st;
        if (strlen(e->d_name) >= sizeof files->name ||
            fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (strncmp(e->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0) {
            if (now.tv_sec - st.st_mtim.tv_sec > TEMP_AGE_S)
                unlinkat(dir, e->d_name, 0);
            continue;
        }
        if (!onn_array_grow((void **)&files, count, &capacity, sizeof *files))
            break;
        struct old_file *f = &files[count++];
        memcpy(f->name, e->d_name, strlen(e->d_name) + 1);
        f->used = st.st_mtim;
        f->bytes = (uint64_t)st.st_size;
        total += f->bytes;
    }
    closedir(list);
    if (total > max_bytes)
        qsort(files, (size_t)count, sizeof *files, older_first);
    for (int i = 0; i < count && total > max_bytes; i++) {
        unlinkat(dir, files[i].name, 0);
        total -= files[i].bytes;
    }
    onn_free(files);
}
