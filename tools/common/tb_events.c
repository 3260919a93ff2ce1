/* Records { u64 length, u32 masked CRC-32C of the length, bytes, u32 masked CRC-32C of the bytes }, little endian; the bytes
 * are tensorflow.Event messages (event.proto, summary.proto, histogram.proto of TensorFlow), written field by field. */
#include "common/tb_events.h"
#include "common/tool.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS 40

/* ---- protobuf ---- */
struct message {
    unsigned char *byte;
    size_t n, capacity;
};

static void put_bytes(struct message *m, const void *data, size_t n)
{
    if (m->n + n > m->capacity) {
        m->capacity = 2 * (m->n + n);
        m->byte = tool_realloc(m->byte, m->capacity, 1);
    }
    memcpy(m->byte + m->n, data, n);
    m->n += n;
}

static void put_little_endian(struct message *m, uint64_t v, int bytes)
{
    unsigned char out[8];

    for (int i = 0; i < bytes; i++)
        out[i] = (unsigned char)(v >> (8 * i));
    put_bytes(m, out, (size_t)bytes);
}

static void put_varint(struct message *m, uint64_t v)
{
    unsigned char out[10];
    size_t n = 0;

    for (; v > 127; v >>= 7)
        out[n++] = (unsigned char)(v | 128);
    out[n++] = (unsigned char)v;
    put_bytes(m, out, n);
}

static void put_double_bits(struct message *m, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    put_little_endian(m, bits, 8);
}

static void put_double(struct message *m, unsigned field, double v)
{
    put_varint(m, field << 3 | 1);
    put_double_bits(m, v);
}

static void put_float(struct message *m, unsigned field, double v)
{
    float single = (float)v;
    uint32_t bits;

    memcpy(&bits, &single, sizeof(bits));
    put_varint(m, field << 3 | 5);
    put_little_endian(m, bits, 4);
}

static void put_block(struct message *m, unsigned field, const void *data, size_t n)
{
    put_varint(m, field << 3 | 2);
    put_varint(m, n);
    put_bytes(m, data, n);
}

/* The inner message is used up. */
static void put_message(struct message *m, unsigned field, struct message *inner)
{
    put_block(m, field, inner->byte, inner->n);
    free(inner->byte);
    *inner = (struct message){0};
}

static void put_doubles(struct message *m, unsigned field, const double *v, size_t n)
{
    struct message packed = {0};

    for (size_t i = 0; i < n; i++)
        put_double_bits(&packed, v[i]);
    put_message(m, field, &packed);
}

/* ---- records ---- */
/* CRC-32C (Castagnoli), reflected polynomial 0x82f63b78. */
static uint32_t crc32c(const unsigned char *byte, size_t n)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < n; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

/* A checksum that may lie inside checksummed data: rotated and shifted by a constant. */
static uint32_t masked(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* Uses up the message. */
static int write_record(struct tb_events *e, struct message *event)
{
    struct message record = {0};
    size_t done;

    put_little_endian(&record, event->n, 8);
    put_little_endian(&record, masked(crc32c(record.byte, 8)), 4);
    put_bytes(&record, event->byte, event->n);
    put_little_endian(&record, masked(crc32c(event->byte, event->n)), 4);
    done = fwrite(record.byte, 1, record.n, e->file);
    free(event->byte);
    if (done != record.n || fflush(e->file)) {
        free(record.byte);
        return tool_error("%s: %s", e->path, strerror(errno));
    }
    free(record.byte);
    return TOOL_OK;
}

static struct message begin_event(void)
{
    struct message event = {0};
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    put_double(&event, 1, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    return event;
}

/* value: a Summary.Value, used up. */
static int write_value(struct tb_events *e, int64_t step, struct message *value)
{
    struct message event = begin_event(), summary = {0};

    put_varint(&event, 2 << 3);
    put_varint(&event, (uint64_t)step);
    put_message(&summary, 1, value);
    put_message(&event, 5, &summary);
    return write_record(e, &event);
}

/* ---- the file ---- */
static int make_folder(const char *folder)
{
    char *path = tool_strdup(folder);
    int failed = 0;

    for (char *at = path + 1; *path && !failed; at++) {
        char kept = *at;

        if (kept != '/' && kept)
            continue;
        *at = 0;
        failed = mkdir(path, 0777) && errno != EEXIST;
        *at = kept;
        if (!kept)
            break;
    }
    free(path);
    return failed ? tool_error("%s: %s", folder, strerror(errno)) : TOOL_OK;
}

int tb_events_open(struct tb_events *e, const char *folder)
{
    static int number; /* several files of one process in one second */
    char host[64] = "";
    struct message event;

    *e = (struct tb_events){0};
    if (make_folder(folder) != TOOL_OK)
        return TOOL_FAILED;
    if (gethostname(host, sizeof(host) - 1) || !*host || strchr(host, '/'))
        strcpy(host, "localhost");
    e->path = tool_format("%s/events.out.tfevents.%010lld.%s.%ld.%d", folder, (long long)time(NULL), host,
        (long)getpid(), number++);
    e->file = fopen(e->path, "wbx");
    if (!e->file) {
        tool_error("%s: %s", e->path, strerror(errno));
        tb_events_close(e);
        return TOOL_FAILED;
    }
    event = begin_event();
    put_block(&event, 3, "brain.Event:2", 13);
    return write_record(e, &event);
}

int tb_events_close(struct tb_events *e)
{
    int code = e->file && fclose(e->file) ? tool_error("%s: %s", e->path, strerror(errno)) : TOOL_OK;

    free(e->path);
    *e = (struct tb_events){0};
    return code;
}

/* ---- values ---- */
int tb_events_scalar(struct tb_events *e, const char *tag, int64_t step, double value)
{
    struct message m = {0};

    if (!e->file)
        return TOOL_OK;
    put_block(&m, 1, tag, strlen(tag));
    put_float(&m, 2, value);
    return write_value(e, step, &m);
}

struct histogram {
    double min, max, count, sum, squares, limit[BUCKETS], bucket[BUCKETS];
    int n;
};

static void count_values(struct histogram *h, const float *value, size_t n)
{
    double width;

    for (size_t i = 0; i < n; i++) {
        double v = (double)value[i];

        if (!isfinite(v))
            continue;
        h->min = h->count > 0 && h->min < v ? h->min : v;
        h->max = h->count > 0 && h->max > v ? h->max : v;
        h->count++;
        h->sum += v;
        h->squares += v * v;
    }
    h->n = h->max > h->min ? BUCKETS : 1;
    width = (h->max - h->min) / h->n;
    for (int i = 0; i < h->n; i++)
        h->limit[i] = i == h->n - 1 ? h->max : h->min + width * (i + 1);
    for (size_t i = 0; i < n; i++) {
        double at = h->n > 1 ? ((double)value[i] - h->min) / width : 0;

        if (isfinite(value[i]))
            h->bucket[at < h->n - 1 ? (int)at : h->n - 1]++;
    }
}

int tb_events_histogram(struct tb_events *e, const char *tag, int64_t step, const float *value, size_t n)
{
    struct message m = {0}, histogram = {0};
    struct histogram h = {0};

    if (!e->file)
        return TOOL_OK;
    count_values(&h, value, n);
    put_double(&histogram, 1, h.min);
    put_double(&histogram, 2, h.max);
    put_double(&histogram, 3, h.count);
    put_double(&histogram, 4, h.sum);
    put_double(&histogram, 5, h.squares);
    put_doubles(&histogram, 6, h.limit, (size_t)h.n);
    put_doubles(&histogram, 7, h.bucket, (size_t)h.n);
    put_block(&m, 1, tag, strlen(tag));
    put_message(&m, 5, &histogram);
    return write_value(e, step, &m);
}
