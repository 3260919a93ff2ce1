#include "harness/heap.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t bytes);
void __real_free(void *block);
int __real_posix_memalign(void **out, size_t align, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t bytes);
void __wrap_free(void *block);
int __wrap_posix_memalign(void **out, size_t align, size_t bytes);

static atomic_long calls, live, fail_at;
static atomic_bool sticky;

long onn_heap_calls(void)
{
    return atomic_load(&calls);
}

long onn_heap_live(void)
{
    return atomic_load(&live);
}

void onn_heap_fail(long nth, bool from_then_on)
{
    atomic_store(&calls, 0);
    atomic_store(&fail_at, nth);
    atomic_store(&sticky, from_then_on);
}

static bool fails(void)
{
    long n = atomic_fetch_add(&calls, 1) + 1, at = atomic_load(&fail_at);
    if (at == 0 || n < at || (n > at && !atomic_load(&sticky)))
        return false;
    errno = ENOMEM;
    return true;
}

static void *made(void *block)
{
    if (block)
        atomic_fetch_add(&live, 1);
    return block;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : made(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : made(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t bytes)
{
    if (fails())
        return NULL;
    void *moved = __real_realloc(block, bytes);
    return block ? moved : made(moved);
}

int __wrap_posix_memalign(void **out, size_t align, size_t bytes)
{
    if (fails())
        return ENOMEM;
    int code = __real_posix_memalign(out, align, bytes);
    if (code == 0)
        made(*out);
    return code;
}

void __wrap_free(void *block)
{
    if (block)
        atomic_fetch_sub(&live, 1);
    __real_free(block);
}
