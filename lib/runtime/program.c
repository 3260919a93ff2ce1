/* Programs: found in the context's table, else in the disk cache, else compiled. */
#include "base/clock.h"
#include "base/env.h"
#include "runtime/internal.h"

#include <string.h>

#define LOG_HEAD 600 /* bytes of a compiler's log that fit into the sentence */

static struct onn_hash identity_of(const char *name, const char *defines, const char *prelude)
{
    struct onn_hash h = onn_hash_add_text((struct onn_hash){0}, name);
    h = onn_hash_add_text(h, defines);
    return onn_hash_add_text(h, prelude);
}

/* Kernels are OpenCL C 1.2 unless a variant asks for more. Nothing here relaxes arithmetic. */
static void make_options(const struct onn_caps *caps, const char *defines, struct onn_str *out)
{
    if (!defines || !strstr(defines, "-cl-std="))
        onn_str_add(out, "-cl-std=CL1.2 ");
    if (caps->adds_ids)
        onn_str_add(out, "-D get_global_id(d)=(get_group_id(d)*get_local_size(d)+get_local_id(d)) ");
    onn_str_add(out, "%s%s", caps->copies_args ? "-D ONN_COPY_ARGS " : "", defines ? defines : "");
}

/* The compiler's words, free with onn_free; NULL if it has none. */
static char *build_log(cl_program program, cl_device_id device)
{
    size_t size = 0;
    if (clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) != CL_SUCCESS ||
        size < 2)
        return NULL;
    char *text = onn_calloc(size + 1, 1);
    if (text && clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, size, text, NULL) != CL_SUCCESS)
        text[0] = '\0';
    return text;
}

static void log_lines(const struct onn_log *log, const char *text)
{
    int left = 200;
    while (text && *text && left-- > 0) {
        size_t length = strcspn(text, "\n");
        onn_log(log, OCLNN_LOG_DEBUG, "  %.*s", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static enum oclnn_status build_failed(const struct oclnn_context *ctx, const struct onn_program *p,
    const char *options, cl_int code)
{
    char *text = build_log(p->cl, ctx->device.id);
    /* A dead device or missing memory keeps its own status, everything else is the kernel's or the compiler's. */
    enum oclnn_status status = onn_cl_error("clBuildProgram", code);
    if (status != OCLNN_ERROR_DEVICE_LOST && status != OCLNN_ERROR_MEMORY)
        status = OCLNN_ERROR_BUILD;
    onn_error(status,
        "program '%s' with options '%s' on '%s' (%s, driver %s): clBuildProgram failed: %s (%d)%s%.*s",
        p->name, options, ctx->caps.name, ctx->caps.platform, ctx->caps.driver, onn_cl_name(code), (int)code,
        text ? ":\n" : "", LOG_HEAD, text ? text : "");
    onn_log(&ctx->log, OCLNN_LOG_DEBUG, "program '%s' failed to build; the compiler says:", p->name);
    log_lines(&ctx->log, text);
    onn_free(text);
    return status;
}

/* From the disk cache; false: compile. A binary that the driver does not like is a miss too. */
static bool load_binary(struct oclnn_context *ctx, struct onn_program *p, const char *options)
{
    size_t bytes;
    cl_int each = CL_SUCCESS, code;
    unsigned char *binary = onn_cache_read(ctx, p->key, &bytes);
    if (!binary)
        return false;
    const unsigned char *pointer = binary;
    p->cl = clCreateProgramWithBinary(ctx->cl, 1, &ctx->device.id, &bytes, &pointer, &each, &code);
    if (code == CL_SUCCESS && each == CL_SUCCESS)
        code = clBuildProgram(p->cl, 1, &ctx->device.id, options, NULL, NULL);
    bool good = code == CL_SUCCESS && each == CL_SUCCESS;
    if (!good && p->cl) {
        clReleaseProgram(p->cl);
        p->cl = NULL;
    }
    onn_free(binary);
    return good;
}

static enum oclnn_status compile(struct oclnn_context *ctx, struct onn_program *p, const char *source,
    const char *options)
{
    enum oclnn_status status;
    cl_int code;
    ONN_CL((p->cl = clCreateProgramWithSource(ctx->cl, 1, &source, NULL, &code), code));
    code = clBuildProgram(p->cl, 1, &ctx->device.id, options, NULL, NULL);
    if (code != CL_SUCCESS)
        return build_failed(ctx, p, options, code);
    p->unsaved = true;
    return OCLNN_OK;
fail:
    return status;
}

void onn_program_destroy(struct onn_program *program)
{
    if (!program)
        return;
    if (program->cl)
        clReleaseProgram(program->cl);
    onn_free(program->name);
    onn_free(program->defines);
    onn_free(program);
}

static void note_build(struct oclnn_context *ctx, const struct onn_program *p, const char *options,
    uint64_t begin, bool hit)
{
    uint64_t spent = onn_clock_ns() - begin;
    atomic_fetch_add(&ctx->build_ns, spent);
    atomic_fetch_add(hit ? &ctx->cache_hits : &ctx->programs_built, 1);
    if (!hit)
        atomic_fetch_add(&ctx->cache_misses, 1);
    onn_log(&ctx->log, ctx->log_builds ? OCLNN_LOG_INFO : OCLNN_LOG_DEBUG, "program '%s' %s in %.1f ms: %s",
        p->name, hit ? "read from the cache" : "compiled", (double)spent * 1e-6, options);
}

enum oclnn_status onn_program_build(struct oclnn_context *ctx, const char *name, const char *defines,
    const char *prelude, struct onn_program **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_str source = {0}, options = {0};
    uint64_t begin = onn_clock_ns();
    *out = NULL;
    struct onn_program *p = onn_calloc(1, sizeof *p);
    if (!p || !(p->name = onn_strdup(name)) || !(p->defines = onn_strdup(defines ? defines : ""))) {
        status = OCLNN_ERROR_MEMORY;
        goto fail;
    }
    p->has_prelude = prelude && *prelude;
    make_options(&ctx->caps, defines, &options);
    ONN_TRY(onn_source_text(name, prelude, &source));
    ONN_CHECK(onn_str_ok(&options), OCLNN_ERROR_MEMORY, "out of host memory: options of program '%s'", name);
    p->identity = identity_of(name, defines, prelude);
    p->key = onn_hash_add_text(ctx->device_key, onn_str_text(&source));
    p->key = onn_hash_add_text(p->key, onn_str_text(&options));
    bool hit = load_binary(ctx, p, onn_str_text(&options));
    if (!hit)
        ONN_TRY(compile(ctx, p, onn_str_text(&source), onn_str_text(&options)));
    note_build(ctx, p, onn_str_text(&options), begin, hit);
    *out = p;
    p = NULL;
fail:
    onn_program_destroy(p);
    onn_str_finish(&source);
    onn_str_finish(&options);
    return onn_queue_failed(ctx, status);
}

enum oclnn_status onn_program_get(struct oclnn_context *ctx, const char *name, const char *defines,
    const char *prelude, struct onn_program **out)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_hash identity = identity_of(name, defines, prelude);
    onn_mutex_lock(&ctx->program_lock);
    struct onn_program *p = ctx->programs;
    while (p && !onn_hash_equal(p->identity, identity))
        p = p->next;
    if (!p) {
        status = onn_program_build(ctx, name, defines, prelude, &p);
        if (status == OCLNN_OK) {
            p->next = ctx->programs;
            ctx->programs = p;
        }
    }
    onn_mutex_unlock(&ctx->program_lock);
    *out = status == OCLNN_OK ? p : NULL;
    return status;
}

struct onn_program *onn_program_next(struct oclnn_context *ctx, const struct onn_program *before)
{
    if (before)
        return before->next;
    onn_mutex_lock(&ctx->program_lock);
    struct onn_program *first = ctx->programs; /* new ones are put in front of it */
    onn_mutex_unlock(&ctx->program_lock);
    return first;
}

void onn_program_origin(const struct onn_program *p, const char **name, const char **defines,
    bool *has_prelude)
{
    *name = p->name;
    *defines = p->defines;
    *has_prelude = p->has_prelude;
}

static void save(struct oclnn_context *ctx, const struct onn_program *p)
{
    size_t bytes = 0;
    if (clGetProgramInfo(p->cl, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) != CL_SUCCESS ||
        bytes == 0)
        return;
    unsigned char *binary = onn_alloc(bytes);
    if (binary && clGetProgramInfo(p->cl, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS)
        onn_cache_write(ctx, p->key, binary, bytes);
    onn_free(binary);
}

void onn_program_cache_flush(struct oclnn_context *ctx)
{
    bool unsaved = false, wanted = false;
    onn_mutex_lock(&ctx->program_lock);
    for (struct onn_program *p = ctx->programs; p && !unsaved; p = p->next)
        unsaved = p->unsaved;
    onn_mutex_unlock(&ctx->program_lock);
    if (unsaved && ctx->cache_dir)
        wanted = onn_env_has("OCLNN_CACHE", "force") || !onn_probe_driver_caches(ctx);
    /* Reading a binary back can take longer than compiling did, so others may go on meanwhile: a program lives as
     * long as its context, and whoever clears the mark saves it. */
    for (;;) {
        onn_mutex_lock(&ctx->program_lock);
        struct onn_program *p = ctx->programs;
        while (p && !p->unsaved)
            p = p->next;
        if (p)
            p->unsaved = false;
        onn_mutex_unlock(&ctx->program_lock);
        if (!p)
            return;
        if (wanted)
            save(ctx, p);
    }
}

void onn_program_finish_all(struct oclnn_context *ctx)
{
    while (ctx->programs) {
        struct onn_program *next = ctx->programs->next;
        onn_program_destroy(ctx->programs);
        ctx->programs = next;
    }
}
