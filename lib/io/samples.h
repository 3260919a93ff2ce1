/* Labelled samples in host memory, and the formats that they come from. */
#ifndef ONN_IO_SAMPLES_H
#define ONN_IO_SAMPLES_H

#include "base/mem.h"
#include <oclnn/io.h>

struct oclnn_samples {
    int64_t count;
    int channels, height, width, classes;
    uint8_t *pixel; /* count x channels x height x width */
    int32_t *label; /* count */
};

/* ---- gz.c: files that may be packed with gzip ---- */
struct onn_gz {
    void *file; /* gzFile */
    const char *path; /* borrowed */
    uint64_t limit; /* no honest file of this size holds more bytes */
};
enum oclnn_status onn_gz_open(const char *path, struct onn_gz *out);
void onn_gz_close(struct onn_gz *gz);
/* Exactly `bytes`. */
enum oclnn_status onn_gz_read(struct onn_gz *gz, void *to, size_t bytes);
/* Up to `bytes`; *got is less only at the end. */
enum oclnn_status onn_gz_read_some(struct onn_gz *gz, void *to, size_t bytes, size_t *got);
/* Is this the end, with a correct checksum? */
enum oclnn_status onn_gz_end(struct onn_gz *gz);

/* ---- the formats. *out is zeroed before and owned after, whatever the status ---- */
enum oclnn_status onn_idx_open(const char *prefix, struct oclnn_samples *out);
enum oclnn_status onn_cifar_open(const char *list, struct oclnn_samples *out);
enum oclnn_status onn_npy_samples_open(const char *list, struct oclnn_samples *out);
/* One number per line of a csv file. n = how many there must be. */
enum oclnn_status onn_csv_labels(const char *path, int64_t n, int32_t *labels);

#endif
