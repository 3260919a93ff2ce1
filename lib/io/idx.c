/* The idx format of MNIST: magic, big-endian sizes, bytes. */
#include "io/samples.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static enum oclnn_status read_sizes(struct onn_gz *gz, int rank, int64_t *dim, size_t *product)
{
    enum oclnn_status status = OCLNN_OK;
    uint8_t head[4 + 4 * 3];
    ONN_TRY(onn_gz_read(gz, head, 4 + 4 * (size_t)rank));
    ONN_CHECK(head[0] == 0 && head[1] == 0, OCLNN_ERROR_FORMAT, "%.300s: no idx file", gz->path);
    ONN_CHECK(head[2] == 8 && head[3] == rank, OCLNN_ERROR_FORMAT,
        "%.300s: idx type 0x%02x with %d dimensions instead of bytes with %d", gz->path, head[2], head[3],
        rank);
    *product = 1;
    for (int i = 0; i < rank; i++) {
        const uint8_t *b = head + 4 + 4 * i;
        dim[i] = (int64_t)b[0] << 24 | (int64_t)b[1] << 16 | (int64_t)b[2] << 8 | b[3];
        ONN_CHECK(dim[i] > 0 && onn_mul_size(*product, (size_t)dim[i], product) && *product <= gz->limit,
            OCLNN_ERROR_FORMAT, "%.300s: the sizes in the header do not fit the file", gz->path);
    }
fail:
    return status;
}

static enum oclnn_status read_file(const char *path, int rank, int64_t *dim, uint8_t **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_gz gz = {0};
    size_t bytes = 0;
    ONN_TRY(onn_gz_open(path, &gz));
    ONN_TRY(read_sizes(&gz, rank, dim, &bytes));
    *out = onn_alloc(bytes);
    ONN_TRY(*out ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(onn_gz_read(&gz, *out, bytes));
    ONN_TRY(onn_gz_end(&gz));
fail:
    onn_gz_close(&gz);
    return status;
}

/* PREFIX + tail, plain or .gz. A folder stands for the test set in it. */
static enum oclnn_status find(const char *prefix, const char *tail, char path[static 4096])
{
    static const char *const ends[] = {"", ".gz"};
    struct stat st;
    bool folder = stat(prefix, &st) == 0 && S_ISDIR(st.st_mode);
    for (int i = 0; i < 2; i++) {
        int n = snprintf(path, 4096, "%s%s-%s%s", prefix, folder ? "/t10k" : "", tail, ends[i]);
        if (n > 0 && n < 4096 && stat(path, &st) == 0)
            return OCLNN_OK;
    }
    return onn_error(OCLNN_ERROR_NOT_FOUND, "%.300s%s-%s[.gz]: no such file", prefix, folder ? "/t10k" : "",
        tail);
}

enum oclnn_status onn_idx_open(const char *prefix, struct oclnn_samples *out)
{
    enum oclnn_status status = OCLNN_OK;
    char path[4096];
    int64_t dim[3], n[1];
    uint8_t *labels = NULL;
    ONN_TRY(find(prefix, "images-idx3-ubyte", path));
    ONN_TRY(read_file(path, 3, dim, &out->pixel));
    ONN_CHECK(dim[1] <= 1 << 15 && dim[2] <= 1 << 15, OCLNN_ERROR_UNSUPPORTED,
        "%.300s: images of %lld x %lld pixels", path, (long long)dim[2], (long long)dim[1]);
    ONN_TRY(find(prefix, "labels-idx1-ubyte", path));
    ONN_TRY(read_file(path, 1, n, &labels));
    ONN_CHECK(n[0] == dim[0], OCLNN_ERROR_FORMAT, "%.300s: %lld labels for %lld images", path,
        (long long)n[0], (long long)dim[0]);
    out->count = dim[0];
    out->channels = 1;
    out->height = (int)dim[1];
    out->width = (int)dim[2];
    out->label = onn_calloc((size_t)n[0], sizeof *out->label);
    ONN_TRY(out->label ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int64_t i = 0; i < n[0]; i++)
        out->label[i] = labels[i];
fail:
    onn_free(labels);
    return status;
}
