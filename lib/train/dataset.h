/* A data set from inside: where samples come from, and how many bytes that holds. */
#ifndef ONN_TRAIN_DATASET_H
#define ONN_TRAIN_DATASET_H

#include "base/mem.h"
#include <oclnn/data.h>
#include <stdatomic.h>

/* Bytes held now, and what they may become. Shared by a data set, its parts and their loaders, on any thread. */
struct onn_memory {
    atomic_size_t held, limit;
};

/* One row per kind of data set. The callbacks may run on several threads at the same time. */
struct onn_source {
    /* Fills x (sample_bytes), *label and, where the set has masks, mask (mask_bytes). The sentence of an error names the
     * file or the sample. */
    enum oclnn_status (
        *fetch)(const struct oclnn_dataset *d, int64_t index, void *x, int64_t *label, uint8_t *mask);
    /* The label alone; NULL: only fetch tells it. */
    int64_t (*label)(const struct oclnn_dataset *d, int64_t index);
    void (*finish)(struct oclnn_dataset *d);
    bool threads; /* fetching takes long enough to be done ahead on threads */
};

/* A fingerprint in hexadecimal and its NUL. */
#define ONN_FINGERPRINT 17

struct onn_folder;
struct oclnn_samples;
struct oclnn_dataset {
    const struct onn_source *source;
    struct oclnn_context *ctx; /* may be NULL */
    struct oclnn_dataset_params params; /* with defaults filled in */
    int64_t count;
    struct oclnn_shape shape;
    enum oclnn_dtype dtype;
    int classes;
    size_t sample_bytes, mask_bytes; /* mask_bytes: 0 = one class per image, which has label 0 otherwise */
    size_t scratch_bytes, mask_scratch; /* that one fetch holds at most for itself; a mask's part of it */
    char **class_name; /* classes texts in `arena` */
    struct onn_arena arena;
    struct onn_memory own, *memory; /* memory: the root's own */

    /* what the source works on */
    struct oclnn_samples *samples;
    struct onn_folder *folder;
    oclnn_sample_function get;
    oclnn_mask_function get_mask;
    void *user;

    /* A part: samples of `root` by number. */
    const struct oclnn_dataset *root; /* itself if it is no part */
    int64_t *index; /* NULL: all, in order */
};

extern const struct onn_source onn_source_samples, onn_source_folder, onn_source_function,
    onn_source_mask_function;

/* Opens "DIR" of "folder:DIR": fills count, classes, class_name, folder and the sizes. params are complete. */
enum oclnn_status onn_folder_open(struct oclnn_dataset *d, const char *dir);
/* Sample `index` of the set or part, with its label checked. */
enum oclnn_status onn_dataset_fetch(const struct oclnn_dataset *d, int64_t index, void *x, int64_t *label);
/* The same with its mask; a set without masks leaves `mask` alone. */
enum oclnn_status onn_dataset_fetch_mask(const struct oclnn_dataset *d, int64_t index, void *x,
    int64_t *label, uint8_t *mask);
/* dataset_hash.c: tells data sets of one size apart: all labels of sets in memory with the bytes of some samples; names, sizes
 * and labels of the files of a folder; some samples of a program's own set. "": not known, a sample could not be read.
 * Errors: OCLNN_ERROR_MEMORY. */
enum oclnn_status onn_dataset_fingerprint(const struct oclnn_dataset *d, char out[ONN_FINGERPRINT]);
/* Errors: OCLNN_ERROR_FORMAT names the first pixel that is neither a class nor OCLNN_MASK_IGNORE. */
enum oclnn_status onn_mask_check(const uint8_t *mask, int width, int height, int classes);
/* Streams of random numbers: what else uses the same seed has other numbers. The epoch stands in the lower half. */
enum onn_stream { ONN_STREAM_SPLIT = 0x5001, ONN_STREAM_SHUFFLE, ONN_STREAM_AUGMENT };
#define ONN_STREAM(kind, epoch) ((uint64_t)(kind) << 32 | (uint32_t)(epoch))
/* Counts bytes that exist from now on (or no longer). */
void onn_memory_add(struct onn_memory *m, size_t bytes);
void onn_memory_sub(struct onn_memory *m, size_t bytes);
/* Threads that read ahead: params.threads or as many as there are cores, at most 8. */
int onn_dataset_threads(const struct oclnn_dataset *d);

#endif
