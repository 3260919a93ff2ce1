/* How many labels of each class a data set has. */
#include "train/dataset.h"

#include "train/loader.h"
#include <string.h>

#define BATCH 16

/* Read on threads where that takes long. */
static enum oclnn_status read_through(const struct oclnn_dataset *d, int64_t *counts)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_loader *loader = NULL;
    struct onn_batch b;
    bool end = false;
    ONN_TRY(onn_loader_create(d, &(struct onn_loader_params){.batch = d->count < BATCH ? d->count : BATCH},
        &loader));
    while (!end) {
        ONN_TRY(onn_loader_next(loader, &b, &end));
        for (int64_t i = 0; i < b.n && !b.mask; i++)
            counts[b.label[i]]++;
        for (size_t i = 0; b.mask && i < (size_t)b.n * d->mask_bytes; i++)
            if (b.mask[i] != OCLNN_MASK_IGNORE)
                counts[b.mask[i]]++;
    }
fail:
    onn_loader_destroy(&loader);
    return status;
}

enum oclnn_status oclnn_dataset_get_counts(const oclnn_dataset *dataset, int64_t *counts, int classes)
{
    enum oclnn_status status = OCLNN_OK;
    const struct oclnn_dataset *d = dataset;
    ONN_CHECK(d && counts, OCLNN_ERROR_ARGUMENT, "%s is NULL", d ? "counts" : "the data set");
    ONN_CHECK(classes == d->classes, OCLNN_ERROR_ARGUMENT, "the data set has %d classes, not %d", d->classes,
        classes);
    memset(counts, 0, (size_t)classes * sizeof *counts);
    if (d->mask_bytes || !d->root->source->label)
        return read_through(d, counts);
    for (int64_t i = 0; i < d->count; i++)
        counts[d->root->source->label(d->root, d->index ? d->index[i] : i)]++;
fail:
    return status;
}
