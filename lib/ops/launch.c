#include "ops/launch.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void onn_bind_finish(struct onn_bind *b)
{
    onn_free(b->launch);
    b->launch = NULL;
    b->n = b->cap = 0;
}

static struct onn_launch *add(struct onn_bind *b)
{
    if (b->status != OCLNN_OK)
        return NULL;
    if (!onn_array_grow((void **)&b->launch, b->n, &b->cap, sizeof *b->launch)) {
        b->status = OCLNN_ERROR_MEMORY;
        return NULL;
    }
    struct onn_launch *l = &b->launch[b->n++];
    memset(l, 0, sizeof *l);
    l->defines = "";
    return l;
}

struct onn_launch *onn_bind_add(struct onn_bind *b, const char *program, const char *kernel,
    const char *defines, ...)
{
    char text[1024];
    va_list args;
    va_start(args, defines);
    int length = vsnprintf(text, sizeof text, defines, args);
    va_end(args);
    struct onn_launch *l = add(b);
    if (!l)
        return NULL;
    const char *d = length < 0 || length >= (int)sizeof text ? NULL : onn_arena_strdup(b->arena, text);
    l->program = onn_arena_strdup(b->arena, program);
    l->kernel = onn_arena_strdup(b->arena, kernel);
    if (!d || !l->program || !l->kernel) {
        b->status = d
            ? OCLNN_ERROR_MEMORY
            : onn_error(OCLNN_ERROR_INTERNAL, "%s: the defines do not fit %zu bytes", kernel, sizeof text);
        b->n--;
        return NULL;
    }
    l->defines = d;
    return l;
}

struct onn_launch *onn_bind_gemm(struct onn_bind *b, const void *call, size_t bytes)
{
    struct onn_launch *l = add(b);
    if (!l)
        return NULL;
    l->program = l->kernel = "gemm";
    l->gemm = onn_arena_dup(b->arena, call, bytes);
    if (!l->gemm) {
        b->status = OCLNN_ERROR_MEMORY;
        b->n--;
        return NULL;
    }
    return l;
}

/* Past the end only the count grows: whoever turns the launch into a kernel call refuses it by the count. */
static void put(struct onn_launch *l, struct onn_arg arg)
{
    if (l && l->n_args < ONN_MAX_ARGS)
        l->arg[l->n_args] = arg;
    if (l && l->n_args <= ONN_MAX_ARGS)
        l->n_args++;
}

void onn_arg_in(struct onn_launch *l, int index)
{
    put(l, (struct onn_arg){.kind = ONN_ARG_IN, .index = index});
}

void onn_arg_out(struct onn_launch *l, int index)
{
    put(l, (struct onn_arg){.kind = ONN_ARG_OUT, .index = index});
}

void onn_arg_in_at(struct onn_launch *l, int index, size_t offset_bytes)
{
    put(l, (struct onn_arg){.kind = ONN_ARG_IN, .index = index, .bytes = offset_bytes});
}

void onn_arg_out_at(struct onn_launch *l, int index, size_t offset_bytes)
{
    put(l, (struct onn_arg){.kind = ONN_ARG_OUT, .index = index, .bytes = offset_bytes});
}

void onn_arg_workspace(struct onn_launch *l, size_t offset_bytes)
{
    put(l, (struct onn_arg){.kind = ONN_ARG_WORKSPACE, .bytes = offset_bytes});
}

void onn_arg_bytes(struct onn_bind *b, struct onn_launch *l, const void *value, size_t bytes)
{
    if (!l)
        return;
    const void *copy = onn_arena_dup(b->arena, value, bytes);
    if (!copy)
        b->status = OCLNN_ERROR_MEMORY;
    else
        put(l, (struct onn_arg){.kind = ONN_ARG_BYTES, .bytes = bytes, .value = copy});
}

void onn_arg_int(struct onn_bind *b, struct onn_launch *l, int64_t value)
{
    int32_t v = (int32_t)value;
    if (l && (value < INT32_MIN || value > INT32_MAX)) {
        if (b->status == OCLNN_OK)
            b->status = onn_error(OCLNN_ERROR_UNSUPPORTED, "%s: argument %d is %lld, more than 32 bits",
                l->kernel, l->n_args, (long long)value);
        return;
    }
    onn_arg_bytes(b, l, &v, sizeof v);
}

void onn_arg_long(struct onn_bind *b, struct onn_launch *l, int64_t value)
{
    onn_arg_bytes(b, l, &value, sizeof value);
}

void onn_arg_float(struct onn_bind *b, struct onn_launch *l, float value)
{
    onn_arg_bytes(b, l, &value, sizeof value);
}

void onn_arg_local(struct onn_launch *l, size_t bytes)
{
    put(l, (struct onn_arg){.kind = ONN_ARG_LOCAL, .bytes = bytes});
}

static void set_size(struct onn_launch *l, int dims, const size_t *global, const size_t *local)
{
    if (!l)
        return;
    l->dims = dims;
    for (int i = 0; i < dims; i++) {
        size_t step = local[0] && local[i] ? local[i] : 1, over = global[i] % step;
        l->local[i] = local[0] ? step : 0;
        l->global[i] = over ? global[i] - over + step : global[i];
    }
}

void onn_launch_size1(struct onn_launch *l, size_t global, size_t local)
{
    set_size(l, 1, &global, &local);
}

void onn_launch_size2(struct onn_launch *l, size_t g0, size_t g1, size_t l0, size_t l1)
{
    set_size(l, 2, (size_t[]){g0, g1}, (size_t[]){l0, l1});
}

void onn_launch_size3(struct onn_launch *l, const size_t global[3], const size_t local[3])
{
    set_size(l, 3, global, local);
}
