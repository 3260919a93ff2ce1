/* Arena offsets: storages one by one (by size, by size x lifetime, by lifetime, or first those that are alive when most bytes
 * are, in order of their beginnings, then by size; the best of the four counts), each into the tightest gap between storages with overlapping lifetimes (Pisarchyk and Lee 2020, "greedy by size"). */
#include "plan/place.h"

#include <stdlib.h>
#include <string.h>

static size_t align_up(size_t x, size_t align)
{
    return (x + align - 1) / align * align;
}

struct slot {
    int32_t store;
    size_t bytes;
};

static int by_size(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->store < y->store ? -1 : 1;
}

static int by_offset(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static bool overlap(const struct onn_storage *a, const struct onn_storage *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Lowest offset in `segment` for storage s; `near` is scratch. */
static size_t lowest(const struct onn_storage *store, const struct slot *order, int n_done, int32_t s,
    int segment, bool share, struct slot *near)
{
    int n = 0;
    for (int i = 0; i < n_done; i++) {
        const struct onn_storage *other = &store[order[i].store];
        if (other->segment == segment && (!share || overlap(other, &store[s])))
            near[n++] = (struct slot){order[i].store, other->offset};
    }
    qsort(near, (size_t)n, sizeof *near, by_offset);
    size_t at = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (int i = 0; i < n; i++) {
        const struct onn_storage *other = &store[near[i].store];
        if (other->offset >= at && other->offset - at >= store[s].bytes && other->offset - at < best_gap) {
            best = at;
            best_gap = other->offset - at;
        }
        if (other->offset + other->bytes > at)
            at = other->offset + other->bytes;
    }
    return best != SIZE_MAX ? best : at;
}

/* Orders in which storages may be dealt; none is always best, so all are tried. */
enum order { BY_SIZE, BY_AREA, BY_LIFETIME, BY_PEAK, ORDERS };

static size_t rank_of(const struct onn_storage *s, enum order order, int32_t peak)
{
    const size_t positions = (size_t)(s->last - s->first) + 1;
    if (order == BY_PEAK && s->first <= peak && s->last >= peak)
        return SIZE_MAX - (size_t)s->first;
    if (order == BY_PEAK)
        return s->bytes;
    if (order == BY_SIZE)
        return s->bytes;
    return order == BY_LIFETIME                 ? positions
        : positions > SIZE_MAX / (s->bytes + 1) ? SIZE_MAX
                                                : positions * s->bytes;
}

/* One deal. Returns the bytes of all segments; bytes[] and *segments are filled, offsets go to the storages. */
static size_t deal(struct onn_storage *store, struct slot *slots, int count, enum order order, int32_t peak,
    size_t max_segment, bool share, struct slot *near, size_t *bytes, int *segments)
{
    size_t total = 0;
    *segments = 0;
    for (int i = 0; i < count; i++)
        slots[i].bytes = rank_of(&store[slots[i].store], order, peak);
    qsort(slots, (size_t)count, sizeof *slots, by_size);
    for (int i = 0; i < count; i++) {
        struct onn_storage *s = &store[slots[i].store];
        int segment = 0;
        size_t offset = 0;
        for (; segment < *segments; segment++) {
            offset = lowest(store, slots, i, slots[i].store, segment, share, near);
            if (!max_segment || offset + s->bytes <= max_segment)
                break;
        }
        if (segment == *segments) {
            bytes[(*segments)++] = 0;
            offset = 0;
        }
        s->segment = segment;
        s->offset = offset;
        if (bytes[segment] < offset + s->bytes)
            bytes[segment] = offset + s->bytes;
    }
    for (int i = 0; i < *segments; i++)
        total += bytes[i];
    return total;
}

/* A position at which most bytes are alive: lifetimes begin there. */
static int32_t fullest(const struct onn_storage *store, const struct slot *slots, int count)
{
    int32_t at = 0;
    size_t most = 0;
    for (int i = 0; i < count; i++) {
        size_t live = 0;
        const int32_t first = store[slots[i].store].first;
        for (int k = 0; k < count; k++)
            if (store[slots[k].store].first <= first && store[slots[k].store].last >= first)
                live += store[slots[k].store].bytes;
        if (live > most) {
            most = live;
            at = first;
        }
    }
    return at;
}

static int by_first(const void *a, const void *b)
{
    return -by_size(a, b);
}

/* `at`, or the next segment's beginning if so many bytes would reach over it. */
static size_t within(size_t at, size_t bytes, size_t room)
{
    return at % room + bytes > room ? (at / room + 1) * room : at;
}

/* One deal in order of time, each into the lowest gap. near[] holds what is alive by place, so that the cost goes by the
 * live storages and not by all before: for graphs that are too long for more. Segment n begins at n * max_segment. */
static void deal_by_time(struct onn_storage *store, struct slot *slots, int count, size_t max_segment,
    bool share, struct slot *near, size_t *bytes, int *segments)
{
    const size_t room = max_segment ? max_segment : SIZE_MAX;
    int n = 0;
    *segments = 0;
    for (int i = 0; i < count; i++)
        slots[i].bytes = (size_t)store[slots[i].store].first;
    qsort(slots, (size_t)count, sizeof *slots, by_first);
    for (int i = 0; i < count; i++) {
        struct onn_storage *s = &store[slots[i].store];
        size_t at = 0;
        int kept = 0, place = -1;
        for (int k = 0; k < n; k++) {
            const struct onn_storage *other = &store[near[k].store];
            if (share && other->last < s->first)
                continue;
            if (place < 0 && near[k].bytes - at >= s->bytes &&
                within(at, s->bytes, room) + s->bytes <= near[k].bytes)
                place = kept;
            if (place < 0)
                at = near[k].bytes + other->bytes;
            near[kept++] = near[k];
        }
        at = within(at, s->bytes, room);
        place = place < 0 ? kept : place;
        memmove(near + place + 1, near + place, (size_t)(kept - place) * sizeof *near);
        near[place] = (struct slot){slots[i].store, at};
        n = kept + 1;
        s->segment = (int32_t)(at / room);
        s->offset = at % room;
        while (s->segment >= *segments)
            bytes[(*segments)++] = 0;
        if (bytes[s->segment] < s->offset + s->bytes)
            bytes[s->segment] = s->offset + s->bytes;
    }
}

/* The best of all orders. */
static void deal_best(struct onn_storage *store, struct slot *slots, int count, size_t max_segment,
    bool share, struct slot *near, size_t *bytes, int *segments)
{
    const int32_t peak = fullest(store, slots, count);
    size_t least = SIZE_MAX;
    enum order best = BY_SIZE;
    for (enum order order = BY_SIZE; order < (share ? ORDERS : BY_AREA); order++) {
        size_t total = deal(store, slots, count, order, peak, max_segment, share, near, bytes, segments);
        if (total < least) {
            least = total;
            best = order;
        }
    }
    deal(store, slots, count, best, peak, max_segment, share, near, bytes, segments);
}

enum oclnn_status onn_memory_plan(struct onn_storage *store, int n, size_t align, size_t max_segment,
    bool share, size_t **segment_bytes, int32_t *n_segments)
{
    enum oclnn_status status = OCLNN_OK;
    struct slot *slots = onn_calloc((size_t)n + 1, sizeof *slots),
                *near = onn_calloc((size_t)n + 1, sizeof *near);
    size_t *bytes = onn_calloc((size_t)n + 1, sizeof *bytes);
    int segments = 0, count = 0;
    ONN_TRY(slots && near && bytes ? OCLNN_OK : OCLNN_ERROR_MEMORY);
    for (int s = 0; s < n; s++) {
        if (store[s].kind != ONN_STORAGE_ARENA)
            continue;
        store[s].bytes = align_up(store[s].bytes ? store[s].bytes : 1, align);
        ONN_CHECK(!max_segment || store[s].bytes <= max_segment, OCLNN_ERROR_DEVICE_MEMORY,
            "a tensor of %zu bytes is larger than the device's largest buffer of %zu: a smaller batch or "
            "input "
            "takes less",
            store[s].bytes, max_segment);
        slots[count++] = (struct slot){s, 0};
    }
    if (count > ONN_MEMORY_MANY)
        deal_by_time(store, slots, count, max_segment, share, near, bytes, &segments);
    else
        deal_best(store, slots, count, max_segment, share, near, bytes, &segments);
    *segment_bytes = bytes;
    *n_segments = segments;
    bytes = NULL;
fail:
    onn_free(slots);
    onn_free(near);
    onn_free(bytes);
    return status;
}

size_t onn_memory_lower_bound(const struct onn_storage *store, int n, int positions, bool unpadded)
{
    size_t most = 0;
    int64_t *change = onn_calloc((size_t)positions + 2, sizeof *change);
    if (!change)
        return 0;
    for (int s = 0; s < n; s++)
        if (store[s].kind == ONN_STORAGE_ARENA && store[s].value) {
            const int64_t bytes = (int64_t)(unpadded ? store[s].unpadded : store[s].bytes);
            change[store[s].first] += bytes;
            change[store[s].last + 1] -= bytes;
        }
    int64_t live = 0;
    for (int i = 0; i <= positions; i++) {
        live += change[i];
        if (live > 0 && (size_t)live > most)
            most = (size_t)live;
    }
    onn_free(change);
    return most;
}
