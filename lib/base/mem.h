/* The library's only allocator: every host byte goes through here, so tests can count and fail it. */
#ifndef ONN_BASE_MEM_H
#define ONN_BASE_MEM_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Uninitialised bytes; NULL when memory is short (the sentence is then set). Blocks of 4 KiB or more start on a cache
 * line. */
void *onn_alloc(size_t bytes);
bool onn_is_line_aligned(const void *block);
/* count * size zeroed bytes; the product is checked. */
void *onn_calloc(size_t count, size_t size);
/* Resizes to count * size bytes; on failure the old block stays. */
void *onn_realloc(void *block, size_t count, size_t size);
void *onn_memdup(const void *data, size_t bytes);
char *onn_strdup(const char *text);
void onn_free(void *block);

/* Bytes that the machine can give without taking them from somebody (Linux: MemAvailable); 0 = not known. */
size_t onn_memory_available(void);

/* Checked arithmetic on sizes that a file or a user supplies: false on overflow. */
static inline bool onn_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool onn_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline bool onn_mul_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool onn_add_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* How many pieces of b, the last perhaps incomplete, make a; a >= 0, b > 0. */
static inline int64_t onn_div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Arena: many small objects with one lifetime. Zero-initialised struct is an empty arena. */
struct onn_arena_block;
struct onn_arena {
    struct onn_arena_block *head;
};
/* Zeroed, 16-byte aligned bytes that live until finish; NULL when memory is short. */
void *onn_arena_alloc(struct onn_arena *arena, size_t bytes);
void *onn_arena_calloc(struct onn_arena *arena, size_t count, size_t size);
void *onn_arena_dup(struct onn_arena *arena, const void *data, size_t bytes);
char *onn_arena_strdup(struct onn_arena *arena, const char *text);
char *onn_arena_printf(struct onn_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void onn_arena_finish(struct onn_arena *arena);

/* Makes room for one more element behind `count` in a malloc'ed array; false when memory is short. */
bool onn_array_grow(void **items, int count, int *capacity, size_t size);

/* String builder. Zero-initialised struct is an empty string; errors are sticky and shown by onn_str_ok. */
struct onn_str {
    char *text;
    size_t length, capacity;
    bool failed;
};
void onn_str_add(struct onn_str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool onn_str_ok(const struct onn_str *s);
/* The text ("" when empty or failed), owned by s. */
const char *onn_str_text(const struct onn_str *s);
void onn_str_finish(struct onn_str *s);

/* Identifiers of C: one of its characters; does one of `length` characters stand in from … to - 1? */
bool onn_is_word(char c);
bool onn_has_word(const char *from, const char *to, const char *word, size_t length);

#endif
