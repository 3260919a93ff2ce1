#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LINE_BYTES 64 /* vectors of a kernel that works in this memory start on a cache line */
#define LINE_FROM ((size_t)4096) /* smaller blocks are not worth the padding */
#define HUGE_BYTES ((size_t)2 << 20)

static void *report(void *block, size_t bytes)
{
    if (!block)
        onn_error(OCLNN_ERROR_MEMORY, "out of host memory: %zu bytes", bytes);
    return block;
}

/* Weights are hundreds of megabytes: with pages of 4 KiB the kernel takes longer to hand them out than they take to be
 * filled, and kernels miss the TLB. Advice only: where there are no huge pages nothing changes. */
static void *advise(void *block, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    if (block && bytes >= HUGE_BYTES) {
        uintptr_t first = ((uintptr_t)block + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
        uintptr_t last = ((uintptr_t)block + bytes) & ~(HUGE_BYTES - 1);
        if (last > first)
            madvise((void *)first, last - first, MADV_HUGEPAGE);
    }
#endif
    return block;
}

void *onn_alloc(size_t bytes)
{
    void *block = NULL;
    if (bytes < LINE_FROM)
        block = malloc(bytes ? bytes : 1);
    else if (posix_memalign(&block, bytes < HUGE_BYTES ? LINE_BYTES : HUGE_BYTES, bytes))
        block = NULL;
    return report(advise(block, bytes), bytes);
}

bool onn_is_line_aligned(const void *block)
{
    return ((uintptr_t)block & (LINE_BYTES - 1)) == 0;
}

void *onn_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!onn_mul_size(count, size, &bytes)) {
        onn_error(OCLNN_ERROR_MEMORY, "out of host memory: %zu x %zu bytes", count, size);
        return NULL;
    }
    return report(advise(calloc(1, bytes ? bytes : 1), bytes), bytes);
}

void *onn_realloc(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (!onn_mul_size(count, size, &bytes)) {
        onn_error(OCLNN_ERROR_MEMORY, "out of host memory: %zu x %zu bytes", count, size);
        return NULL;
    }
    return report(realloc(block, bytes ? bytes : 1), bytes);
}

void *onn_memdup(const void *data, size_t bytes)
{
    void *copy = onn_alloc(bytes);
    if (copy && bytes)
        memcpy(copy, data, bytes);
    return copy;
}

char *onn_strdup(const char *text)
{
    return onn_memdup(text, strlen(text) + 1);
}

void onn_free(void *block)
{
    free(block);
}

size_t onn_memory_available(void)
{
    unsigned long long kib = 0;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib > SIZE_MAX / 1024 ? SIZE_MAX : (size_t)kib * 1024;
}

struct onn_arena_block {
    struct onn_arena_block *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

void *onn_arena_alloc(struct onn_arena *arena, size_t bytes)
{
    size_t need;
    if (!onn_add_size(bytes, 15, &need)) {
        report(NULL, bytes);
        return NULL;
    }
    need &= ~(size_t)15;
    struct onn_arena_block *b = arena->head;
    if (!b || b->size - b->used < need) {
        size_t size = need > 4064 ? need : 4064, total;
        if (!onn_add_size(size, sizeof *b, &total)) {
            report(NULL, bytes);
            return NULL;
        }
        b = onn_calloc(1, total);
        if (!b)
            return NULL;
        b->size = size;
        b->next = arena->head;
        arena->head = b;
    }
    void *p = b->bytes + b->used;
    b->used += need;
    return p;
}

void *onn_arena_calloc(struct onn_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (!onn_mul_size(count, size, &bytes)) {
        report(NULL, SIZE_MAX);
        return NULL;
    }
    return onn_arena_alloc(arena, bytes);
}

void *onn_arena_dup(struct onn_arena *arena, const void *data, size_t bytes)
{
    void *copy = onn_arena_alloc(arena, bytes);
    if (copy && bytes)
        memcpy(copy, data, bytes);
    return copy;
}

char *onn_arena_strdup(struct onn_arena *arena, const char *text)
{
    return onn_arena_dup(arena, text, strlen(text) + 1);
}

char *onn_arena_printf(struct onn_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : onn_arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void onn_arena_finish(struct onn_arena *arena)
{
    while (arena->head) {
        struct onn_arena_block *next = arena->head->next;
        onn_free(arena->head);
        arena->head = next;
    }
}

bool onn_array_grow(void **items, int count, int *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    if (*capacity > INT32_MAX / 2) {
        report(NULL, SIZE_MAX);
        return false;
    }
    int wanted = *capacity ? *capacity * 2 : 8;
    void *grown = onn_realloc(*items, (size_t)wanted, size);
    if (!grown)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

void onn_str_add(struct onn_str *s, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        s->failed = true;
    size_t need = s->length + (size_t)(length < 0 ? 0 : length) + 1;
    if (!s->failed && need > s->capacity) {
        size_t capacity = need * 2;
        char *grown = onn_realloc(s->text, capacity, 1);
        if (grown) {
            s->text = grown;
            s->capacity = capacity;
        } else {
            s->failed = true;
        }
    }
    if (!s->failed) {
        vsnprintf(s->text + s->length, s->capacity - s->length, format, again);
        s->length += (size_t)length;
    }
    va_end(again);
}

bool onn_str_ok(const struct onn_str *s)
{
    return !s->failed;
}

const char *onn_str_text(const struct onn_str *s)
{
    return s->text && !s->failed ? s->text : "";
}

void onn_str_finish(struct onn_str *s)
{
    onn_free(s->text);
    *s = (struct onn_str){0};
}

bool onn_is_word(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool onn_has_word(const char *from, const char *to, const char *word, size_t length)
{
    for (const char *at = from; at && (size_t)(to - at) >= length; at++) {
        at = memchr(at, word[0], (size_t)(to - at) - length + 1);
        if (!at)
            return false;
        if (memcmp(at, word, length) == 0 && (at + length == to || !onn_is_word(at[length])) &&
            (at == from || !onn_is_word(at[-1])))
            return true;
    }
    return false;
}
