/* What a device can do: reported limits first, then claims tried out on the device. The only .c file in which a
 * vendor or an implementation may be named. */
#include "base/clock.h"
#include "base/env.h"
#include "runtime/internal.h"

#include <stdio.h>
#include <string.h>

#define SLOW_NS 1000000.0 /* a launch that takes longer is a simulator's */

enum { CLAIM_FP16 = 1, CLAIM_FP64 = 2, CLAIM_SUBGROUPS = 4 };

/* What can be known by name only, since trying it out would end the process. `name` is a part of the device's or the
 * platform's name; all of these are simulators. */
static const struct known {
    const char *name;
    /* Mesa 22.3: an unknown index into an argument crashes the compiler (load_kernel_arg). */
    bool copies_args;
    /* LLVM 15 behind it allocates registers for minutes where 16 lanes of sigmoid stand side by side. */
    bool scalar;
} known[] = {{.name = "oclgrind"}, {.name = "Oclgrind"}, {"llvmpipe", true, true}, {.name = "softpipe"},
    {.name = NULL}};

static const struct known *known_of(const struct onn_device *device)
{
    const struct known *k = known;
    while (k->name && !strstr(device->info.name, k->name) && !strstr(device->info.platform, k->name))
        k++;
    return k;
}

bool onn_probe_is_simulator(const struct onn_device *device)
{
    return known_of(device)->name != NULL;
}

/* Processors whose workers fall asleep between two kernels, and whose compiler takes kernels one by one when they are first
 * launched. Others gain less and compile a joined kernel for minutes. */
static bool joins(const struct onn_device *device)
{
    return strstr(device->info.platform, "Portable Computing Language") != NULL;
}

/* Intel's compiler for processors (2026.2) computes which items of a work-group an early return leaves, from conditions on
 * get_global_id. Where it cannot, it takes the opposite condition for the next kernel of the program, whose items beyond the
 * end then write into other memory. test/runtime/program.c has such a pair. */
static bool turns_returns(const struct onn_device *device)
{
    return device->info.is_cpu && strstr(device->info.platform, "Intel(R) OpenCL") != NULL;
}

static int width_for_tiles(const struct onn_device *device, bool local_is_real)
{
    uint64_t native = onn_device_number(device->id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
    if (local_is_real || device->simulator || native < 4)
        return 1;
    return native >= 16 ? 16 : native >= 8 ? 8 : 4;
}

static enum oclnn_status width_wanted(struct onn_caps *caps)
{
    enum oclnn_status status = OCLNN_OK;
    const char *text = onn_env("OCLNN_VECTOR_WIDTH");
    if (!text)
        return OCLNN_OK;
    int width = strcmp(text, "4") == 0 ? 4 : strcmp(text, "8") == 0 ? 8 : strcmp(text, "16") == 0 ? 16 : 0;
    ONN_CHECK(width, OCLNN_ERROR_ARGUMENT, "OCLNN_VECTOR_WIDTH is '%s'; known are 4, 8, 16", text);
    if (caps->vector_cpu)
        caps->vector_width = width;
fail:
    return status;
}

static enum oclnn_status switch_wanted(const char *name, bool *value)
{
    enum oclnn_status status = OCLNN_OK;
    const char *text = onn_env(name);
    if (!text)
        return OCLNN_OK;
    const bool on = strcmp(text, "on") == 0;
    ONN_CHECK(on || strcmp(text, "off") == 0, OCLNN_ERROR_ARGUMENT, "%s is '%s'; known are on, off", name,
        text);
    *value = on;
fail:
    return status;
}

enum oclnn_status onn_probe_wanted(struct onn_caps *caps)
{
    enum oclnn_status status = OCLNN_OK;
    ONN_TRY(width_wanted(caps));
    ONN_TRY(switch_wanted("OCLNN_STAGING", &caps->staged));
    ONN_TRY(switch_wanted("OCLNN_CHAIN", &caps->joins));
    ONN_TRY(switch_wanted("OCLNN_SHARE", &caps->shares));
fail:
    return status;
}

void onn_probe_reported(const struct onn_device *device, const char *extensions, struct onn_caps *caps)
{
    const struct oclnn_device_info *info = &device->info;
    cl_device_id id = device->id;
    memcpy(caps->name, info->name, sizeof caps->name);
    memcpy(caps->vendor, info->vendor, sizeof caps->vendor);
    memcpy(caps->driver, info->driver, sizeof caps->driver);
    memcpy(caps->version, info->version, sizeof caps->version);
    memcpy(caps->platform, info->platform, sizeof caps->platform);
    memcpy(caps->uuid, device->uuid, sizeof caps->uuid);
    caps->is_cpu = info->is_cpu;
    caps->is_gpu = info->is_gpu;
    caps->compute_units = info->compute_units > 0 ? info->compute_units : 1;
    caps->clock_mhz = info->clock_mhz;
    caps->max_group = info->max_group_size ? info->max_group_size : 1;
    size_t items[16] = {0};
    if (clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof items, items, NULL) != CL_SUCCESS)
        items[0] = items[1] = items[2] = 0;
    for (int i = 0; i < 3; i++)
        caps->max_item[i] = items[i] ? items[i] : 1;
    caps->local_bytes = info->local_bytes;
    caps->local_is_real = onn_device_number(id, CL_DEVICE_LOCAL_MEM_TYPE) == CL_LOCAL;
    caps->unified = info->unified_memory;
    caps->staged = !caps->unified;
    caps->has_command_buffer = onn_device_has_word(extensions, "cl_khr_command_buffer");
    caps->has_int64_atomics = onn_device_has_word(extensions, "cl_khr_int64_base_atomics");
    caps->vector_width = width_for_tiles(device, caps->local_is_real);
    caps->vector_cpu = caps->vector_width >= 4;
    caps->copies_args = known_of(device)->copies_args;
    caps->scalar = known_of(device)->scalar;
    caps->simulated = device->simulator;
    caps->joins = joins(device);
    caps->shares = true;
    caps->adds_ids = turns_returns(device);
    caps->global_bytes = info->global_bytes;
    caps->max_alloc = info->max_alloc_bytes;
    caps->cache_bytes = onn_device_number(id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE);
    caps->constant_bytes = onn_device_number(id, CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE);
    size_t align = onn_device_number(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8;
    caps->base_align = align >= 16 ? align : 16;
    if (sscanf(info->version, "OpenCL %d.%d", &caps->opencl_major, &caps->opencl_minor) != 2)
        caps->opencl_major = caps->opencl_minor = 1;
}

struct answer {
    float value[5];
    double launch_ns; /* launch and wait, the best of a few */
    bool host_memory;
};

/* Does a buffer over the host's bytes stay there? What the kernel wrote is seen without a command, and what the host writes
 * then is seen by the device. */
static bool shares_bytes(struct oclnn_context *ctx, struct onn_buffer *buffer, const struct answer *read)
{
    float *host = onn_buffer_host(buffer), back = 0;
    if (!host || memcmp(host, read->value, sizeof read->value) != 0)
        return false;
    host[0] = read->value[0] + 1.0f;
    return onn_buffer_read(ctx, buffer, 0, sizeof back, &back, true) == OCLNN_OK && back == host[0];
}

static enum oclnn_status run_kernel(struct oclnn_context *ctx, struct onn_program *program,
    struct answer *out)
{
    enum oclnn_status status;
    struct onn_kernel *kernel = NULL;
    struct onn_buffer *buffer = NULL;
    const float numbers[3] = {3.0f, 5.0f, 2048.0f};
    size_t items = ctx->caps.max_group < 64 ? ctx->caps.max_group : 64;
    ONN_TRY(onn_kernel_create(ctx, program, "probe_check", &kernel));
    ctx->caps.host_memory = ctx->caps.is_cpu && ctx->caps.unified;
    ONN_TRY(onn_buffer_create_open(ctx, sizeof out->value, &buffer));
    ONN_TRY(onn_kernel_set_buffer(kernel, 0, buffer));
    for (int i = 0; i < 3; i++)
        ONN_TRY(onn_kernel_set_bytes(kernel, i + 1, sizeof numbers[i], &numbers[i]));
    /* The first launch compiles on some drivers: look at the later ones. */
    for (int i = 0; i < 4; i++) {
        struct onn_event *event = NULL;
        uint64_t begin = onn_clock_ns();
        ONN_TRY(onn_queue_launch(ctx, kernel, 1, &items, &items, &event));
        ONN_TRY(onn_event_wait(ctx, &event));
        double spent = (double)(onn_clock_ns() - begin);
        if (i == 1 || (i > 1 && spent < out->launch_ns))
            out->launch_ns = spent;
    }
    ONN_TRY(onn_buffer_read(ctx, buffer, 0, sizeof out->value, out->value, true));
    ONN_CHECK(out->value[0] == 16.0f, OCLNN_ERROR_NUMERIC, "3 x 5 + 1 gave %g", (double)out->value[0]);
    out->host_memory = shares_bytes(ctx, buffer, out);
fail:
    onn_buffer_destroy(&buffer);
    onn_kernel_destroy(&kernel);
    return status;
}

static const char subgroup_pragmas[] = "#ifdef cl_khr_subgroups\n"
                                       "#pragma OPENCL EXTENSION cl_khr_subgroups : enable\n"
                                       "#endif\n"
                                       "#ifdef cl_intel_subgroups\n"
                                       "#pragma OPENCL EXTENSION cl_intel_subgroups : enable\n"
                                       "#endif\n";

/* Which of the claims hold; -1 if the program did not build or run at all. */
static int try_claims(struct oclnn_context *ctx, int claims, struct onn_caps *caps, double *launch_ns)
{
    struct onn_program *program;
    struct onn_str defines = {0};
    struct answer answer = {.launch_ns = 0};
    onn_str_add(&defines, "%s%s%s", claims & CLAIM_FP16 ? " -D PROBE_FP16" : "",
        claims & CLAIM_FP64 ? " -D PROBE_FP64" : "", claims & CLAIM_SUBGROUPS ? " -D PROBE_SUBGROUPS" : "");
    const char *prelude = claims & CLAIM_SUBGROUPS ? subgroup_pragmas : NULL;
    enum oclnn_status status = onn_program_build(ctx, "probe", onn_str_text(&defines), prelude, &program);
    if (status == OCLNN_OK)
        status = run_kernel(ctx, program, &answer);
    onn_program_destroy(program);
    onn_str_finish(&defines);
    if (status != OCLNN_OK) {
        onn_log(&ctx->log, OCLNN_LOG_DEBUG, "probe %d failed: %s", claims, oclnn_error_text(ctx));
        return -1;
    }
    *launch_ns = answer.launch_ns;
    caps->host_memory = answer.host_memory;
    float lanes = answer.value[4];
    int held = 0;
    if ((claims & CLAIM_FP16) && answer.value[1] == 2084.0f)
        held |= CLAIM_FP16;
    if ((claims & CLAIM_FP64) && answer.value[2] == 3.0f)
        held |= CLAIM_FP64;
    if ((claims & CLAIM_SUBGROUPS) && lanes >= 1.0f && answer.value[3] == lanes * (lanes - 1.0f) / 2.0f) {
        held |= CLAIM_SUBGROUPS;
        caps->subgroup_size = (int)lanes;
    }
    return held;
}

static int claims_of(const struct onn_caps *caps, const char *extensions)
{
    int claims = 0;
    /* One vendor's GPUs calculate with half2 without listing the extension. */
    if (onn_device_has_word(extensions, "cl_khr_fp16") || (caps->is_gpu && !caps->is_cpu))
        claims |= CLAIM_FP16;
    if (onn_device_has_word(extensions, "cl_khr_fp64"))
        claims |= CLAIM_FP64;
    if (onn_device_has_word(extensions, "cl_khr_subgroups") ||
        onn_device_has_word(extensions, "cl_intel_subgroups"))
        claims |= CLAIM_SUBGROUPS;
    return claims;
}

/* All claims in one program, since compiling is slow; one by one only if that fails. */
static int probe(struct oclnn_context *ctx, int claims, double *launch_ns)
{
    int held = try_claims(ctx, claims, &ctx->caps, launch_ns);
    if (held >= 0)
        return held;
    held = claims ? try_claims(ctx, 0, &ctx->caps, launch_ns) : -1;
    if (held < 0) {
        onn_log(&ctx->log, OCLNN_LOG_WARN, "device '%s' cannot run the simplest kernel: %s", ctx->caps.name,
            oclnn_error_text(ctx));
        return 0;
    }
    for (int claim = CLAIM_FP16; claim <= CLAIM_SUBGROUPS; claim <<= 1) {
        int alone = claims & claim && claims != claim ? try_claims(ctx, claim, &ctx->caps, launch_ns) : 0;
        held |= alone > 0 ? alone : 0;
    }
    return held;
}

/* Does the driver keep compiled programs itself? A program it has never seen is built twice: if the second time is much
 * faster, a cache of ours would only cost time (reading a binary back makes some drivers compile everything again). */
static bool measure_driver_cache(struct oclnn_context *ctx)
{
    double time[2] = {0, 0};
    struct onn_str defines = {0};
    onn_str_add(&defines, "-D PROBE_SALT=%llu", (unsigned long long)(onn_clock_ns() % 1000000007u));
    for (int i = 0; i < 2; i++) {
        struct onn_program *program;
        uint64_t begin = onn_clock_ns();
        if (onn_program_build(ctx, "probe", onn_str_text(&defines), NULL, &program) == OCLNN_OK) {
            time[i] = (double)(onn_clock_ns() - begin);
            onn_program_destroy(program);
        }
    }
    onn_str_finish(&defines);
    return time[0] > 0 && time[1] > 0 && time[1] < 0.4 * time[0];
}

void onn_probe_run(struct oclnn_context *ctx, const char *extensions)
{
    struct onn_caps *caps = &ctx->caps;
    struct onn_note notes[] = {{"fp16", 0}, {"fp64", 0}, {"subgroup_size", 0}, {"launch_and_wait_ns", 0},
        {"host_memory", 0}};
    const int count = sizeof notes / sizeof *notes;
    if (!onn_notes_read(ctx, "probe5", notes, count)) {
        double launch_ns = 0;
        int held = probe(ctx, claims_of(caps, extensions), &launch_ns);
        notes[0].value = (held & CLAIM_FP16) != 0;
        notes[1].value = (held & CLAIM_FP64) != 0;
        notes[2].value = held & CLAIM_SUBGROUPS ? caps->subgroup_size : 0;
        notes[3].value = launch_ns;
        notes[4].value = held >= 0 && launch_ns > 0 && caps->host_memory;
        if (launch_ns > 0) /* a probe that could not run says nothing about the next time */
            onn_notes_write(ctx, "probe5", notes, count);
    }
    caps->has_fp16 = notes[0].value != 0;
    caps->has_fp64 = notes[1].value != 0;
    caps->subgroup_size = notes[2].value >= 1 && notes[2].value <= 1024 ? (int)notes[2].value : 0;
    caps->has_subgroups = caps->subgroup_size > 0;
    caps->slow = ctx->device.simulator || notes[3].value > SLOW_NS;
    caps->host_memory = notes[4].value != 0 && !caps->slow;
}

bool onn_probe_driver_caches(struct oclnn_context *ctx)
{
    struct onn_note note = {"driver_caches", 0};
    if (!onn_notes_read(ctx, "driver", &note, 1)) {
        note.value = measure_driver_cache(ctx);
        onn_notes_write(ctx, "driver", &note, 1);
    }
    return note.value != 0;
}
