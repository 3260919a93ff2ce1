/* A fingerprint of a data set: a run that goes on inside an epoch wants the data that it began with. What is read for it is
 * bounded: other pixels in a sample that is not among those that are looked at are not seen. */
#include "train/folder.h"

#include "base/hash.h"
#include "io/samples.h"

#include <stdio.h>
#include <string.h>

#define MOST 1024 /* samples of a set in memory */
#define MOST_BYTES ((size_t)16 << 20) /* of their pixels */
#define MOST_CALLS 16 /* samples of a program's own set */

/* Sample k of n that lie evenly over the set, the first and the last among them. */
static int64_t spread(const struct oclnn_dataset *d, int64_t k, int64_t n)
{
    return n > 1 ? k * (d->count - 1) / (n - 1) : 0;
}

static int64_t in_root(const struct oclnn_dataset *d, int64_t index)
{
    return d->index ? d->index[index] : index;
}

static struct onn_hash hash_samples(const struct oclnn_dataset *d, struct onn_hash h)
{
    const struct oclnn_samples *s = d->root->samples;
    const int64_t fit = (int64_t)(MOST_BYTES / d->sample_bytes) + 1;
    int64_t n = d->count < MOST ? d->count : MOST;
    n = n < fit ? n : fit;
    if (!d->index)
        h = onn_hash_add(h, s->label, (size_t)d->count * sizeof *s->label);
    for (int64_t i = 0; d->index && i < d->count; i++)
        h = onn_hash_add(h, &s->label[d->index[i]], sizeof *s->label);
    for (int64_t k = 0; k < n; k++)
        h = onn_hash_add(h, s->pixel + (size_t)in_root(d, spread(d, k, n)) * d->sample_bytes,
            d->sample_bytes);
    return h;
}

static struct onn_hash hash_folder(const struct oclnn_dataset *d, struct onn_hash h)
{
    const struct oclnn_dataset *root = d->root;
    for (int i = 0; i < root->classes; i++)
        h = onn_hash_add_text(h, root->class_name[i]);
    for (int64_t i = 0; i < d->count; i++) {
        const struct onn_file *f = &root->folder->file[in_root(d, i)];
        h = onn_hash_add_text(h, f->name);
        h = onn_hash_add_text(h, f->mask);
        h = onn_hash_add(h, &f->label, sizeof f->label);
        h = onn_hash_add(h, &f->bytes, sizeof f->bytes);
    }
    return h;
}

/* *known false: a sample could not be read. */
static enum oclnn_status hash_calls(const struct oclnn_dataset *d, struct onn_hash *h, bool *known)
{
    const int64_t n = d->count < MOST_CALLS ? d->count : MOST_CALLS;
    const size_t bytes = d->sample_bytes + d->mask_bytes;
    uint8_t *x = onn_calloc(bytes, 1);
    if (!x)
        return OCLNN_ERROR_MEMORY;
    for (int64_t k = 0; k < n && *known; k++) {
        int64_t label = 0;
        *known = onn_dataset_fetch_mask(d, spread(d, k, n), x, &label, x + d->sample_bytes) == OCLNN_OK;
        *h = onn_hash_add(onn_hash_add(*h, &label, sizeof label), x, bytes);
    }
    onn_free(x);
    onn_error_clear();
    return OCLNN_OK;
}

enum oclnn_status onn_dataset_fingerprint(const struct oclnn_dataset *d, char out[ONN_FINGERPRINT])
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_hash h = {0};
    char hex[ONN_HASH_HEX];
    bool known = true;
    *out = '\0';
    if (d->index)
        h = onn_hash_add(h, d->index, (size_t)d->count * sizeof *d->index);
    if (d->root->source == &onn_source_samples)
        h = hash_samples(d, h);
    else if (d->root->source == &onn_source_folder)
        h = hash_folder(d, h);
    else
        status = hash_calls(d, &h, &known);
    onn_hash_hex(h, hex);
    if (status == OCLNN_OK && known)
        snprintf(out, ONN_FINGERPRINT, "%.*s", ONN_FINGERPRINT - 1, hex);
    return status;
}
