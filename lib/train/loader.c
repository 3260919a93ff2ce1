#include "train/loader.h"

#include "base/philox.h"
#include "base/thread.h"
#include "train/augment.h"
#include "train/dataset.h"
#include <stdio.h>
#include <string.h>

#define CHUNK ((size_t)32 << 10) /* bytes that a thread fetches before it looks again what to do */

struct slot {
    int64_t done; /* samples of its batch that are there */
    void *x;
    float *table, *lambda;
    int64_t *label, *label2;
    uint8_t *mask, *raw; /* raw: as fetched, where the mask is a changed one */
};

struct onn_loader {
    const struct oclnn_dataset *data;
    struct onn_loader_params params;
    int64_t batches; /* of the whole epoch */
    int64_t end; /* first position that is in no batch */
    int64_t *order; /* NULL: as the data set has them */
    struct slot slot[ONN_LOADER_RING]; /* batch b is in slot b % ONN_LOADER_RING */
    int64_t given; /* batches handed out, counted from the epoch's first */
    bool identity, mixup;
    size_t held; /* bytes, counted in the data set's memory once `counted` */
    bool counted;
    size_t scratch; /* allowed for decoding */

    /* with threads; all below is guarded by the mutex */
    struct onn_thread *thread;
    int threads;
    struct onn_mutex mutex;
    struct onn_condition work, ready;
    int64_t next; /* first position nobody has taken */
    int64_t room; /* batches below this one have a free slot */
    int busy; /* threads that hold positions */
    bool stop;

    enum oclnn_status status; /* of the first sample in order that failed */
    int64_t failed_at;
    char sentence[1024];
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct slot *slot_of(struct onn_loader *l, int64_t batch)
{
    return &l->slot[batch % ONN_LOADER_RING];
}

static int64_t size_of(const struct onn_loader *l, int64_t batch)
{
    return least(l->params.batch, l->end - batch * l->params.batch);
}

/* ---- fetching ---- */
static enum oclnn_status fetch_one(struct onn_loader *l, int64_t position)
{
    const struct oclnn_dataset *d = l->data;
    int64_t batch = position / l->params.batch, i = position % l->params.batch;
    struct slot *s = slot_of(l, batch);
    if (s->table && !l->identity) {
        const struct onn_augment_at place = {l->params.seed, l->params.epoch, position, (int)d->shape.dim[0],
            (int)d->shape.dim[1], (int)d->shape.dim[2], i, size_of(l, batch)};
        onn_augment_draw(&l->params.augment, &place, s->table + i * ONN_AUGMENT_ROW);
    } else if (s->table) {
        onn_augment_none(s->table + i * ONN_AUGMENT_ROW);
    }
    const size_t at = (size_t)i * d->mask_bytes;
    uint8_t *mask = s->mask ? s->mask + at : NULL, *raw = s->raw ? s->raw + at : mask;
    enum oclnn_status status = onn_dataset_fetch_mask(d, l->order ? l->order[position] : position,
        (char *)s->x + (size_t)i * d->sample_bytes, &s->label[i], raw);
    if (status == OCLNN_OK && raw != mask)
        onn_augment_mask(s->table + i * ONN_AUGMENT_ROW, (int)d->shape.dim[1], (int)d->shape.dim[2], raw,
            mask);
    for (size_t k = 0; status == OCLNN_OK && l->params.use_ignore && k < d->mask_bytes; k++)
        if (mask[k] == l->params.ignore_index)
            mask[k] = OCLNN_MASK_IGNORE;
    return status;
}

/* Called by whoever has the sentence in its thread. */
static void note_error(struct onn_loader *l, enum oclnn_status status, int64_t position)
{
    if (l->status != OCLNN_OK && l->failed_at < position)
        return;
    l->status = status;
    l->failed_at = position;
    snprintf(l->sentence, sizeof l->sentence, "%s", oclnn_error_text(NULL));
}

static void worker(void *user)
{
    struct onn_loader *l = user;
    size_t bytes = l->data->sample_bytes;
    int64_t chunk = bytes < CHUNK ? (int64_t)(CHUNK / bytes) : 1;
    onn_mutex_lock(&l->mutex);
    while (!l->stop && l->status == OCLNN_OK && l->next < l->end) {
        int64_t batch = l->next / l->params.batch, from = l->next;
        if (batch >= l->room) {
            onn_condition_wait(&l->work, &l->mutex);
            continue;
        }
        int64_t to = least(from + chunk, batch * l->params.batch + size_of(l, batch));
        l->next = to;
        l->busy++;
        onn_mutex_unlock(&l->mutex);
        enum oclnn_status status = OCLNN_OK;
        int64_t at = from;
        while (at < to && (status = fetch_one(l, at)) == OCLNN_OK)
            at++;
        onn_mutex_lock(&l->mutex);
        l->busy--;
        slot_of(l, batch)->done += at - from;
        if (status != OCLNN_OK)
            note_error(l, status, at);
        if (slot_of(l, batch)->done == size_of(l, batch) || l->status != OCLNN_OK)
            onn_condition_signal_all(&l->ready);
    }
    onn_mutex_unlock(&l->mutex);
}

/* ---- making ---- */
static enum oclnn_status shuffle(struct onn_loader *l)
{
    struct onn_random r = {.seed = l->params.seed, .stream = ONN_STREAM(ONN_STREAM_SHUFFLE, l->params.epoch)};
    int64_t n = l->data->count;
    l->order = onn_alloc((size_t)n * sizeof *l->order);
    if (!l->order)
        return OCLNN_ERROR_MEMORY;
    for (int64_t i = 0; i < n; i++)
        l->order[i] = i;
    for (int64_t i = n - 1; i > 0; i--) { /* Fisher and Yates */
        int64_t j = (int64_t)onn_random_below(&r, (uint64_t)i + 1), moved = l->order[j];
        l->order[j] = l->order[i];
        l->order[i] = moved;
    }
    l->held += (size_t)n * sizeof *l->order;
    return OCLNN_OK;
}

static enum oclnn_status make_slots(struct onn_loader *l)
{
    const struct oclnn_dataset *d = l->data;
    enum oclnn_status status = OCLNN_OK;
    size_t n = (size_t)least(l->params.batch, d->count), x_bytes;
    ONN_CHECK(onn_mul_size(n, d->sample_bytes, &x_bytes) && x_bytes < PTRDIFF_MAX / ONN_LOADER_RING,
        OCLNN_ERROR_MEMORY, "a batch of %zu samples does not fit into memory", n);
    for (int i = 0; i < ONN_LOADER_RING; i++) {
        struct slot *s = &l->slot[i];
        s->x = onn_alloc(x_bytes);
        s->label = onn_calloc(n, sizeof *s->label);
        ONN_TRY(s->x && s->label ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        l->held += x_bytes + n * sizeof *s->label;
        if (d->dtype != OCLNN_U8)
            continue;
        s->table = onn_calloc(n, ONN_AUGMENT_ROW * sizeof *s->table);
        s->label2 = onn_calloc(n, sizeof *s->label2);
        s->lambda = onn_calloc(n, sizeof *s->lambda);
        ONN_TRY(s->table && s->label2 && s->lambda ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        l->held += n * (ONN_AUGMENT_ROW * sizeof *s->table + sizeof *s->label2 + sizeof *s->lambda);
        if (!d->mask_bytes)
            continue;
        s->mask = onn_alloc(n * d->mask_bytes); /* less than x */
        s->raw = l->identity ? NULL : onn_alloc(n * d->mask_bytes);
        ONN_TRY(s->mask && (s->raw || l->identity) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
        l->held += n * d->mask_bytes * (l->identity ? 1 : 2);
    }
fail:
    return status;
}

/* As many threads as can be had; none at all is an error. */
static enum oclnn_status start(struct onn_loader *l)
{
    enum oclnn_status status = OCLNN_OK;
    int n = onn_dataset_threads(l->data);
    ONN_TRY(onn_mutex_init(&l->mutex));
    ONN_TRY(onn_condition_init(&l->work));
    ONN_TRY(onn_condition_init(&l->ready));
    ONN_TRY((l->thread = onn_calloc((size_t)n, sizeof *l->thread)) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    l->scratch = (size_t)n * l->data->root->scratch_bytes;
    atomic_fetch_add(&l->data->memory->limit, l->scratch);
    while (l->threads < n && (status = onn_thread_start(&l->thread[l->threads], worker, l)) == OCLNN_OK)
        l->threads++;
    if (l->threads)
        status = OCLNN_OK;
fail:
    return status;
}

static enum oclnn_status check(const struct oclnn_dataset *d, const struct onn_loader_params *p)
{
    enum oclnn_status status = OCLNN_OK;
    const struct oclnn_augment none = {0};
    ONN_CHECK(d && p, OCLNN_ERROR_ARGUMENT, "loader: an argument is NULL");
    ONN_CHECK(p->batch >= 1 && p->batch < 1 << 24, OCLNN_ERROR_ARGUMENT, "a batch of %lld samples",
        (long long)p->batch);
    ONN_CHECK(p->epoch >= 0 && p->first_batch >= 0, OCLNN_ERROR_ARGUMENT, "loader: epoch %d from batch %lld",
        p->epoch, (long long)p->first_batch);
    ONN_CHECK(!p->drop_last || d->count >= p->batch, OCLNN_ERROR_ARGUMENT,
        "%lld samples are less than a batch of %lld", (long long)d->count, (long long)p->batch);
    ONN_CHECK(d->dtype == OCLNN_U8 || !memcmp(&p->augment, &none, sizeof none), OCLNN_ERROR_ARGUMENT,
        "augmentation changes pixels, but the data set's samples are %s", oclnn_dtype_name(d->dtype));
    ONN_TRY(onn_augment_check(&p->augment));
    ONN_CHECK(!d->mask_bytes || p->augment.mixup == 0, OCLNN_ERROR_ARGUMENT,
        "augment: mixup mixes the classes of whole images, this data set has a class per pixel");
fail:
    return status;
}

enum oclnn_status onn_loader_create(const oclnn_dataset *dataset, const struct onn_loader_params *params,
    struct onn_loader **out)
{
    static const struct oclnn_augment none = {0};
    enum oclnn_status status = OCLNN_OK;
    struct onn_loader *l = NULL;
    *out = NULL;
    ONN_TRY(check(dataset, params));
    ONN_TRY((l = onn_calloc(1, sizeof *l)) ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    l->data = dataset;
    l->params = *params;
    l->identity = !memcmp(&params->augment, &none, sizeof none);
    l->mixup = params->augment.mixup > 0;
    l->batches = dataset->count / params->batch + (!params->drop_last && dataset->count % params->batch);
    l->end = least(dataset->count, l->batches * params->batch);
    l->given = least(params->first_batch, l->batches);
    l->next = least(l->given * params->batch, l->end);
    l->room = l->given + ONN_LOADER_RING;
    if (params->shuffle)
        ONN_TRY(shuffle(l));
    ONN_TRY(make_slots(l));
    onn_memory_add(dataset->memory, l->held);
    atomic_fetch_add(&dataset->memory->limit, l->held);
    l->counted = true;
    if (dataset->source->threads)
        ONN_TRY(start(l));
    *out = l;
    return OCLNN_OK;
fail:
    onn_loader_destroy(&l);
    return status;
}

int64_t onn_loader_batches(const struct onn_loader *loader)
{
    return loader->batches;
}

/* ---- handing out ---- */
static void fill_here(struct onn_loader *l, int64_t batch)
{
    int64_t from = batch * l->params.batch;
    struct slot *s = slot_of(l, batch);
    enum oclnn_status status = OCLNN_OK;
    for (s->done = 0; s->done < size_of(l, batch) && status == OCLNN_OK; s->done++)
        status = fetch_one(l, from + s->done);
    if (status != OCLNN_OK)
        note_error(l, status, from + s->done - 1);
}

/* Waits until the batch is whole, or is known never to be. The batch before the last one is given up by this call: its
 * slot takes the batch after this one. */
static void wait_for(struct onn_loader *l, int64_t batch)
{
    const struct slot *s = slot_of(l, batch);
    onn_mutex_lock(&l->mutex);
    if (l->room < batch + ONN_LOADER_RING - 1) {
        l->room = batch + ONN_LOADER_RING - 1;
        slot_of(l, batch + 1)->done = 0;
        onn_condition_signal_all(&l->work);
    }
    while (s->done < size_of(l, batch) && (l->status == OCLNN_OK || l->busy))
        onn_condition_wait(&l->ready, &l->mutex);
    onn_mutex_unlock(&l->mutex);
}

static void mix_labels(const struct slot *s, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const float *row = s->table + i * ONN_AUGMENT_ROW;
        s->label2[i] = s->label[(int64_t)row[ONN_AUGMENT_PARTNER]];
        s->lambda[i] = row[ONN_AUGMENT_WEIGHT];
    }
}

enum oclnn_status onn_loader_next(struct onn_loader *loader, struct onn_batch *out, bool *end)
{
    struct onn_loader *l = loader;
    int64_t batch = l->given;
    *out = (struct onn_batch){0};
    *end = batch == l->batches;
    if (*end)
        return OCLNN_OK;
    if (l->thread)
        wait_for(l, batch);
    else if (l->status == OCLNN_OK)
        fill_here(l, batch);
    int64_t n = size_of(l, batch);
    const struct slot *s = slot_of(l, batch);
    /* The threads have ended once an error is known and nobody is busy, else they only add later ones. */
    if (s->done < n || (!l->thread && l->status != OCLNN_OK))
        return onn_error(l->status, "%s", l->sentence);
    if (l->mixup)
        mix_labels(s, n);
    *out = (struct onn_batch){n, s->x, s->table, s->label, s->mask, l->mixup ? s->label2 : NULL,
        l->mixup ? s->lambda : NULL};
    l->given++;
    return OCLNN_OK;
}

void onn_loader_destroy(struct onn_loader **loader)
{
    if (!loader || !*loader)
        return;
    struct onn_loader *l = *loader;
    if (l->threads) {
        onn_mutex_lock(&l->mutex);
        l->stop = true;
        onn_condition_signal_all(&l->work);
        onn_mutex_unlock(&l->mutex);
    }
    for (int i = 0; i < l->threads; i++)
        onn_thread_join(&l->thread[i]);
    onn_free(l->thread);
    onn_condition_finish(&l->work);
    onn_condition_finish(&l->ready);
    onn_mutex_finish(&l->mutex);
    for (int i = 0; i < ONN_LOADER_RING; i++) {
        onn_free(l->slot[i].x);
        onn_free(l->slot[i].table);
        onn_free(l->slot[i].label);
        onn_free(l->slot[i].label2);
        onn_free(l->slot[i].lambda);
        onn_free(l->slot[i].mask);
        onn_free(l->slot[i].raw);
    }
    onn_free(l->order);
    if (l->counted) {
        onn_memory_sub(l->data->memory, l->held);
        atomic_fetch_sub(&l->data->memory->limit, l->held + l->scratch);
    }
    onn_free(l);
    *loader = NULL;
}
