/* One epoch of a data set as batches in host memory, read and decoded ahead of the training step. */
#ifndef ONN_TRAIN_LOADER_H
#define ONN_TRAIN_LOADER_H

#include "ops/augment.h"
#include <oclnn/data.h>
#include <stdbool.h>

/* Batches that exist at the same time: the last two given out and the one being prepared. */
#define ONN_LOADER_RING 3

struct onn_batch {
    int64_t n; /* samples */
    const void *x; /* n samples, u8 or f32 as the data set's dtype says, C x H x W each */
    const float *table; /* n rows of ONN_AUGMENT_ROW floats; NULL for f32 data */
    const int64_t *label; /* n */
    const uint8_t *mask; /* n masks, H x W each, changed as the images are; NULL: one label per image */
    const int64_t *label2; /* n labels of the partners in a mixup; NULL without */
    const float *lambda; /* n equal weights of `label`; `label2` has 1 - lambda; NULL without mixup */
};

struct onn_loader_params {
    int64_t batch; /* samples per batch */
    bool shuffle; /* by (seed, epoch); else in the data set's order */
    bool drop_last; /* leaves the last, incomplete batch out */
    struct oclnn_augment augment; /* zeroed: rows that only normalise */
    bool use_ignore; /* masks: pixels of class ignore_index become OCLNN_MASK_IGNORE */
    int64_t ignore_index;
    uint64_t seed;
    int epoch;
    int64_t first_batch; /* where a resumed epoch goes on */
};

/* One loader is one epoch: what it gives depends on the data set and params only, not on threads or time.
 * Folders and callbacks are read on threads ahead; sets in memory are copied by next() itself.
 * Errors: OCLNN_ERROR_ARGUMENT, _MEMORY. The data set outlives the loader. One thread uses a loader at a time. */
struct onn_loader;
enum oclnn_status onn_loader_create(const oclnn_dataset *dataset, const struct onn_loader_params *params,
    struct onn_loader **out);
/* Batches of the whole epoch, first_batch of them left out already or not. */
int64_t onn_loader_batches(const struct onn_loader *loader);
/* The next batch; *end: there is none and *out is zeroed. What *out points to stays valid until the second call after
 * this one, so that an upload may still be under way. Errors: whatever a sample gave (file or sample is named),
 * OCLNN_ERROR_FORMAT for a label out of range; then every later call fails with the same words. */
enum oclnn_status onn_loader_next(struct onn_loader *loader, struct onn_batch *out, bool *end);
/* Also in the middle of an epoch: threads finish the sample that they are at and are joined. */
void onn_loader_destroy(struct onn_loader **loader);

/* value = pixel * norm[2 c] + norm[2 c + 1]: the data set's scale, mean and deviation as operator `augment` takes them;
 * 2 C floats, C = channels of the data set (u8 only). */
void onn_dataset_norm(const oclnn_dataset *dataset, float *norm);

#endif
