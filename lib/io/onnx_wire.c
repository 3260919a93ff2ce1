/* protobuf-c has no recursion limit, unpacks two bytes into structs of 200, and takes lengths as they come.
 * So the raw bytes are walked first, by the same descriptors, and everything that unpacking would need is
 * bounded here. */
#include "io/onnx_internal.h"

#include <string.h>

#define MAX_DEPTH 64 /* messages; one nested subgraph takes three */
#define MAX_OVERHEAD ((size_t)128 << 20) /* bytes of unpacked structs, beyond twice the file's size */
#define MEMBER_BYTES 64 /* what protobuf-c keeps per field while it unpacks a message */

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct scan {
    const uint8_t *bytes;
    size_t memory, limit;
};

/* One field: where its content lies. */
struct field {
    const ProtobufCFieldDescriptor *row; /* NULL = not in the schema */
    uint32_t number, wire;
    size_t begin, end;
};

static bool read_varint(const uint8_t *bytes, size_t *at, size_t end, uint64_t *out)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (*at >= end)
            return false;
        uint8_t byte = bytes[(*at)++];
        v |= shift < 64 ? (uint64_t)(byte & 127) << shift : 0;
        if (!(byte & 128)) {
            *out = v;
            return true;
        }
    }
    return false;
}

static const char *field_name(const struct field *f)
{
    return f->row ? f->row->name : "unknown field";
}

static enum oclnn_status read_field(const struct scan *s, const ProtobufCMessageDescriptor *d, size_t *at,
    size_t end, struct field *f)
{
    size_t start = *at;
    uint64_t tag, value;
    if (!read_varint(s->bytes, at, end, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return onn_error(OCLNN_ERROR_FORMAT, "%s: broken field tag at byte %zu", d->short_name, start);
    f->number = (uint32_t)(tag >> 3);
    f->wire = (uint32_t)(tag & 7);
    f->row = protobuf_c_message_descriptor_get_field(d, f->number);
    f->begin = *at;
    bool ok = false;
    switch (f->wire) {
    case WIRE_VARINT: ok = read_varint(s->bytes, at, end, &value); break;
    case WIRE_64:
    case WIRE_32:
        value = f->wire == WIRE_64 ? 8 : 4;
        ok = value <= end - *at;
        *at += ok ? (size_t)value : 0;
        break;
    case WIRE_BYTES:
        ok = read_varint(s->bytes, at, end, &value) && value <= end - *at;
        f->begin = *at;
        *at += ok ? (size_t)value : 0;
        break;
    default:
        return onn_error(OCLNN_ERROR_FORMAT, "%s.%s: wire type %u at byte %zu", d->short_name, field_name(f),
            (unsigned)f->wire, start);
    }
    f->end = *at;
    if (!ok)
        return onn_error(OCLNN_ERROR_FORMAT, "%s.%s at byte %zu runs over the end: is the file complete?",
            d->short_name, field_name(f), start);
    return OCLNN_OK;
}

static uint32_t wire_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return WIRE_32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return WIRE_64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: return WIRE_BYTES;
    default: return WIRE_VARINT;
    }
}

/* A packed list: whole elements, and the bytes that they become. */
static enum oclnn_status scan_packed(struct scan *s, const struct field *f, size_t *bytes)
{
    uint32_t wire = wire_of(f->row->type);
    size_t length = f->end - f->begin, n = 0;
    if (wire == WIRE_32 || wire == WIRE_64) {
        size_t size = wire == WIRE_32 ? 4 : 8;
        *bytes = length;
        return length % size == 0
            ? OCLNN_OK
            : onn_error(OCLNN_ERROR_FORMAT, "%s: %zu bytes are no whole number of elements", f->row->name,
                  length);
    }
    uint64_t ignored;
    for (size_t at = f->begin; at < f->end; n++)
        if (!read_varint(s->bytes, &at, f->end, &ignored))
            return onn_error(OCLNN_ERROR_FORMAT, "%s: broken number at byte %zu", f->row->name, at);
    *bytes = n * 8;
    return OCLNN_OK;
}

static enum oclnn_status scan_text(const struct scan *s, const ProtobufCMessageDescriptor *d,
    const struct field *f)
{
    const uint8_t *text = s->bytes + f->begin;
    size_t length = f->end - f->begin;
    bool free_text = !strcmp(f->row->name, "doc_string") || !strcmp(f->row->name, "value");
    for (size_t i = 0; i < length; i++)
        if (text[i] == 0 || (!free_text && (text[i] < 32 || text[i] == 127)))
            return onn_error(OCLNN_ERROR_FORMAT, "%s.%s holds a control character at byte %zu", d->short_name,
                f->row->name, f->begin + i);
    return OCLNN_OK;
}

static enum oclnn_status scan_message(struct scan *s, const ProtobufCMessageDescriptor *d, size_t at,
    size_t end, int depth);

/* `seen`: the single submessages that were there already; protobuf would merge a second one. */
static enum oclnn_status scan_field(struct scan *s, const ProtobufCMessageDescriptor *d,
    const struct field *f, uint64_t *seen, int depth)
{
    size_t extra = 0;
    if (!f->row) {
        s->memory += f->end - f->begin + 64;
        return OCLNN_OK;
    }
    bool repeated = f->row->label == PROTOBUF_C_LABEL_REPEATED;
    uint32_t wire = wire_of(f->row->type);
    if (repeated && wire != WIRE_BYTES && f->wire == WIRE_BYTES) {
        enum oclnn_status status = scan_packed(s, f, &extra);
        s->memory += extra;
        return status;
    }
    if (f->wire != wire)
        return onn_error(OCLNN_ERROR_FORMAT, "%s.%s at byte %zu has wire type %u instead of %u",
            d->short_name, f->row->name, f->begin, (unsigned)f->wire, (unsigned)wire);
    s->memory += repeated ? 16 : 0;
    if (f->row->type == PROTOBUF_C_TYPE_MESSAGE) {
        uint64_t bit = (uint64_t)1 << ((unsigned)(f->row - d->fields) & 63);
        if (!repeated && (*seen & bit))
            return onn_error(OCLNN_ERROR_FORMAT, "%s.%s occurs twice", d->short_name, f->row->name);
        *seen |= bit;
        return scan_message(s, f->row->descriptor, f->begin, f->end, depth + 1);
    }
    s->memory += f->end - f->begin + 1;
    return f->row->type == PROTOBUF_C_TYPE_STRING ? scan_text(s, d, f) : OCLNN_OK;
}

static enum oclnn_status scan_message(struct scan *s, const ProtobufCMessageDescriptor *d, size_t at,
    size_t end, int depth)
{
    if (depth > MAX_DEPTH)
        return onn_error(OCLNN_ERROR_FORMAT, "messages are nested deeper than %d", MAX_DEPTH);
    s->memory += d->sizeof_message;
    uint64_t seen = 0;
    while (at < end) {
        struct field f = {0};
        enum oclnn_status status = read_field(s, d, &at, end, &f);
        if (status == OCLNN_OK) {
            s->memory += MEMBER_BYTES;
            status = scan_field(s, d, &f, &seen, depth);
        }
        if (status != OCLNN_OK)
            return status;
        if (s->memory > s->limit)
            return onn_error(OCLNN_ERROR_FORMAT, "unpacking the message would take more than %zu MiB",
                s->limit >> 20);
    }
    return OCLNN_OK;
}

enum oclnn_status onn_wire_scan(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t size)
{
    if (size > ONN_ONNX_MAX_BYTES)
        return onn_error(OCLNN_ERROR_FORMAT, "%zu bytes: more than protobuf allows", size);
    struct scan s = {bytes, 0, MAX_OVERHEAD + 2 * size};
    return scan_message(&s, descriptor, 0, size, 0);
}

static void *wire_alloc(void *user, size_t bytes)
{
    (void)user;
    return onn_alloc(bytes);
}

static void wire_free(void *user, void *block)
{
    (void)user;
    onn_free(block);
}

ProtobufCAllocator *onn_wire_allocator(void)
{
    static ProtobufCAllocator allocator = {wire_alloc, wire_free, NULL};
    return &allocator;
}

enum oclnn_status onn_wire_unpack(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
    size_t size, ProtobufCMessage **out)
{
    *out = NULL;
    enum oclnn_status status = onn_wire_scan(descriptor, bytes, size);
    if (status != OCLNN_OK)
        return status;
    onn_error_clear();
    *out = protobuf_c_message_unpack(descriptor, onn_wire_allocator(), size, bytes);
    if (*out)
        return OCLNN_OK;
    /* The scan let it pass: then it was memory, or something that only protobuf-c sees. */
    if (*oclnn_error_text(NULL))
        return OCLNN_ERROR_MEMORY;
    return onn_error(OCLNN_ERROR_FORMAT, "no valid %s message", descriptor->short_name);
}
