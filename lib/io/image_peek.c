/* How large a JPEG or PNG is, from a few bytes of the file. */
#include "io/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SEGMENTS 4096 /* in front of the frame header: thumbnails and profiles take some dozens */

struct file {
    const char *path;
    int fd;
    struct stat st;
};

static enum oclnn_status at(struct file *f, int64_t offset, uint8_t *to, size_t n)
{
    ssize_t got;
    do
        got = pread(f->fd, to, n, (off_t)offset);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return onn_error(OCLNN_ERROR_IO, "%.300s: %s", f->path, strerror(errno));
    if ((size_t)got < n)
        return onn_error(OCLNN_ERROR_FORMAT, "%.300s: the image's header is cut off", f->path);
    return OCLNN_OK;
}

/* Segments of marker, length and content follow each other up to the frame header. */
static enum oclnn_status jpeg(struct file *f, int64_t *width, int64_t *height)
{
    enum oclnn_status status = OCLNN_OK;
    int64_t offset = 2;
    for (int i = 0; i < MAX_SEGMENTS; i++) {
        uint8_t b[9];
        ONN_TRY(at(f, offset, b, 4));
        ONN_CHECK(b[0] == 0xff && b[1] != 0, OCLNN_ERROR_FORMAT, "%.300s: JPEG: no marker at byte %lld",
            f->path, (long long)offset);
        if (b[1] == 0xff) { /* filled up */
            offset++;
            continue;
        }
        if (b[1] == 0x01 || (b[1] >= 0xd0 && b[1] <= 0xd7)) { /* without length */
            offset += 2;
            continue;
        }
        ONN_CHECK(b[1] != 0xd9 && b[1] != 0xda, OCLNN_ERROR_FORMAT, "%.300s: JPEG: no frame header", f->path);
        if (b[1] >= 0xc0 && b[1] <= 0xcf && b[1] != 0xc4 && b[1] != 0xc8 && b[1] != 0xcc) {
            ONN_TRY(at(f, offset, b, sizeof b));
            *height = b[5] << 8 | b[6];
            *width = b[7] << 8 | b[8];
            return OCLNN_OK;
        }
        offset += 2 + (b[2] << 8 | b[3]);
    }
    status =
        onn_error(OCLNN_ERROR_FORMAT, "%.300s: JPEG: no frame header in %d segments", f->path, MAX_SEGMENTS);
fail:
    return status;
}

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static enum oclnn_status size_of(struct file *f, int64_t *width, int64_t *height)
{
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    enum oclnn_status status = OCLNN_OK;
    uint8_t b[24] = {0};
    ONN_CHECK(f->st.st_size > 0, OCLNN_ERROR_FORMAT, "%.300s: the file is empty", f->path);
    ONN_TRY(at(f, 0, b, f->st.st_size < 3 ? (size_t)f->st.st_size : 3));
    if (b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff)
        return jpeg(f, width, height);
    ONN_CHECK(!memcmp(b, png, 3), OCLNN_ERROR_FORMAT, "%.300s: neither JPEG nor PNG", f->path);
    ONN_TRY(at(f, 0, b, sizeof b));
    ONN_CHECK(!memcmp(b, png, 8) && !memcmp(b + 12, "IHDR", 4), OCLNN_ERROR_FORMAT,
        "%.300s: neither JPEG nor PNG", f->path);
    *width = big_endian(b + 16);
    *height = big_endian(b + 20);
fail:
    return status;
}

enum oclnn_status onn_image_peek(const char *path, struct onn_image_head *out)
{
    enum oclnn_status status = OCLNN_OK;
    int64_t width = 0, height = 0;
    /* O_NONBLOCK: opening a FIFO must not hang. */
    struct file f = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    *out = (struct onn_image_head){0};
    ONN_CHECK(f.fd >= 0, errno == ENOENT ? OCLNN_ERROR_NOT_FOUND : OCLNN_ERROR_IO, "%.300s: %s", path,
        strerror(errno));
    ONN_CHECK(fstat(f.fd, &f.st) == 0 && S_ISREG(f.st.st_mode), OCLNN_ERROR_IO, "%.300s: no regular file",
        path);
    ONN_TRY(size_of(&f, &width, &height));
    ONN_CHECK(width >= 1 && height >= 1, OCLNN_ERROR_FORMAT, "%.300s: %lld x %lld pixels", path,
        (long long)width, (long long)height);
    ONN_CHECK(width <= ONN_IMAGE_MAX_PIXELS && height <= ONN_IMAGE_MAX_PIXELS / width,
        OCLNN_ERROR_UNSUPPORTED, "%.300s: %lld x %lld pixels, at most %d Mpixel are supported", path,
        (long long)width, (long long)height, (int)(ONN_IMAGE_MAX_PIXELS >> 20));
    *out = (struct onn_image_head){(int)width, (int)height, (size_t)f.st.st_size};
fail:
    if (f.fd >= 0)
        close(f.fd);
    return status;
}
