/* Dividing a data set at random, each class in proportion. */
#include "train/dataset.h"

#include "base/philox.h"
#include "train/loader.h"
#include <math.h>

/* Which samples go to the second part. */
struct plan {
    const struct oclnn_dataset *d;
    int32_t *label; /* of every sample */
    int64_t *begin; /* of every class in `order`; classes + 1 */
    int64_t *order; /* samples by class */
    bool *chosen;
};

static enum oclnn_status read_labels(struct plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    const struct oclnn_dataset *d = p->d, *root = d->root;
    void *x = NULL;
    if (!root->source->label) { /* the function gives label and sample together */
        x = onn_alloc(d->sample_bytes);
        ONN_TRY(x ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    }
    for (int64_t i = 0; i < d->count; i++) {
        int64_t label;
        if (x)
            ONN_TRY(onn_dataset_fetch(d, i, x, &label));
        else
            label = root->source->label(root, d->index ? d->index[i] : i);
        p->label[i] = (int32_t)label;
    }
fail:
    onn_free(x);
    return status;
}

static void sort_by_class(struct plan *p)
{
    int classes = p->d->classes;
    for (int64_t i = 0; i < p->d->count; i++)
        p->begin[p->label[i] + 1]++;
    for (int c = 0; c < classes; c++)
        p->begin[c + 1] += p->begin[c];
    for (int64_t i = 0; i < p->d->count; i++)
        p->order[p->begin[p->label[i]]++] = i;
    for (int c = classes; c > 0; c--) /* every start had moved to its end */
        p->begin[c] = p->begin[c - 1];
    p->begin[0] = 0;
}

/* Takes from class after class so many that the sum so far is what the fraction asks for, rounded. */
static int64_t choose(struct plan *p, double fraction, uint64_t seed)
{
    struct onn_random random = {.seed = seed, .stream = ONN_STREAM(ONN_STREAM_SPLIT, 0)};
    int64_t taken = 0;
    for (int c = 0; c < p->d->classes; c++) {
        int64_t *list = p->order + p->begin[c], n = p->begin[c + 1] - p->begin[c];
        int64_t want = llround(fraction * (double)p->begin[c + 1]) - taken;
        for (int64_t i = 0; i < want && i < n; i++, taken++) {
            int64_t j = i + (int64_t)onn_random_below(&random, (uint64_t)(n - i)), chosen = list[j];
            list[j] = list[i];
            p->chosen[chosen] = true;
        }
    }
    return taken;
}

static enum oclnn_status part(const struct plan *p, bool chosen, int64_t count, struct oclnn_dataset **out)
{
    struct oclnn_dataset *d = onn_calloc(1, sizeof *d);
    if (!d)
        return OCLNN_ERROR_MEMORY;
    const struct oclnn_dataset *whole = p->d;
    d->root = whole->root;
    d->source = whole->source;
    d->ctx = whole->ctx;
    d->shape = whole->shape;
    d->dtype = whole->dtype;
    d->classes = whole->classes;
    d->sample_bytes = whole->sample_bytes;
    d->mask_bytes = whole->mask_bytes;
    d->memory = whole->memory;
    d->index = onn_calloc((size_t)count, sizeof *d->index);
    if (!d->index) {
        onn_free(d);
        return OCLNN_ERROR_MEMORY;
    }
    for (int64_t i = 0; i < p->d->count; i++)
        if (p->chosen[i] == chosen)
            d->index[d->count++] = p->d->index ? p->d->index[i] : i;
    size_t bytes = sizeof *d + (size_t)count * sizeof *d->index;
    onn_memory_add(d->memory, bytes);
    atomic_fetch_add(&d->memory->limit, bytes);
    *out = d;
    return OCLNN_OK;
}

enum oclnn_status oclnn_dataset_split(const oclnn_dataset *dataset, double fraction, uint64_t seed,
    oclnn_dataset **first, oclnn_dataset **second)
{
    enum oclnn_status status = OCLNN_OK;
    struct plan p = {.d = dataset};
    ONN_CHECK(dataset && first && second, OCLNN_ERROR_ARGUMENT, "dataset split: an argument is NULL");
    *first = *second = NULL;
    ONN_CHECK(fraction > 0 && fraction < 1, OCLNN_ERROR_ARGUMENT,
        "dataset split: fraction %g is not between 0 and 1", fraction);
    size_t n = (size_t)dataset->count;
    p.label = onn_calloc(n, sizeof *p.label);
    p.begin = onn_calloc((size_t)dataset->classes + 1, sizeof *p.begin);
    p.order = onn_calloc(n, sizeof *p.order);
    p.chosen = onn_calloc(n, sizeof *p.chosen);
    ONN_TRY(p.label && p.begin && p.order && p.chosen ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    ONN_TRY(read_labels(&p));
    sort_by_class(&p);
    int64_t taken = choose(&p, fraction, seed);
    ONN_CHECK(taken > 0 && taken < dataset->count, OCLNN_ERROR_ARGUMENT,
        "dataset split: %g of %lld samples leaves a part empty", fraction, (long long)dataset->count);
    ONN_TRY(part(&p, false, dataset->count - taken, first));
    ONN_TRY(part(&p, true, taken, second));
fail:
    if (status != OCLNN_OK && first && second) {
        oclnn_dataset_destroy(first);
        oclnn_dataset_destroy(second);
    }
    onn_free(p.label);
    onn_free(p.begin);
    onn_free(p.order);
    onn_free(p.chosen);
    return status;
}
