#include "io/samples.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define MAX_RATIO 1100 /* deflate: 1032 */

enum oclnn_status onn_gz_open(const char *path, struct onn_gz *out)
{
    enum oclnn_status status = OCLNN_OK;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *out = (struct onn_gz){.path = path};
    ONN_CHECK(fd >= 0, errno == ENOENT ? OCLNN_ERROR_NOT_FOUND : OCLNN_ERROR_IO, "%.300s: %s", path,
        strerror(errno));
    ONN_CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode), OCLNN_ERROR_IO, "%.300s: no regular file", path);
    out->limit = (uint64_t)st.st_size * MAX_RATIO;
    out->file = gzdopen(fd, "rb");
    ONN_CHECK(out->file, OCLNN_ERROR_MEMORY, "%.300s: out of memory", path);
    return OCLNN_OK;
fail:
    if (fd >= 0)
        close(fd);
    return status;
}

void onn_gz_close(struct onn_gz *gz)
{
    if (gz->file)
        gzclose((gzFile)gz->file);
    gz->file = NULL;
}

enum oclnn_status onn_gz_read_some(struct onn_gz *gz, void *to, size_t bytes, size_t *got)
{
    for (*got = 0; *got < bytes;) {
        size_t left = bytes - *got;
        int n = gzread(gz->file, (char *)to + *got, (unsigned)(left < 1 << 20 ? left : 1 << 20));
        if (n < 0) {
            int code;
            return onn_error(OCLNN_ERROR_FORMAT, "%.300s: %s", gz->path, gzerror(gz->file, &code));
        }
        if (n == 0)
            return OCLNN_OK;
        *got += (size_t)n;
    }
    return OCLNN_OK;
}

enum oclnn_status onn_gz_read(struct onn_gz *gz, void *to, size_t bytes)
{
    size_t got;
    enum oclnn_status status = onn_gz_read_some(gz, to, bytes, &got);
    if (status == OCLNN_OK && got < bytes)
        status = onn_error(OCLNN_ERROR_FORMAT, "%.300s: the file ends too early", gz->path);
    return status;
}

enum oclnn_status onn_gz_end(struct onn_gz *gz)
{
    char more;
    size_t got;
    int code = 0;
    enum oclnn_status status = onn_gz_read_some(gz, &more, 1, &got);
    if (status == OCLNN_OK && got)
        status = onn_error(OCLNN_ERROR_FORMAT, "%.300s: bytes behind the end of the data", gz->path);
    gzerror(gz->file, &code);
    if (status == OCLNN_OK && code != Z_OK && code != Z_STREAM_END)
        status = onn_error(OCLNN_ERROR_FORMAT, "%.300s: the file ends too early", gz->path);
    return status;
}
