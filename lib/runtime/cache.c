/* The disk cache of program binaries. A file is used only if everything about it is right; any doubt is a miss, and
 * nothing that goes wrong here is an error for the caller. Layout of <key>.bin, little or big endian as the machine:
 * struct header, then the binary. The key covers whatever the binary depends on, the machine's byte order included. */
#include "base/env.h"
#include "base/fs.h"
#include "runtime/internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define FORMAT_VERSION 1
#define LIMIT_BYTES ((uint64_t)256 << 20) /* of the whole folder */
#define MAX_FILE_BYTES ((size_t)64 << 20)

struct header {
    char magic[8];
    uint32_t version, header_bytes;
    struct onn_hash key;
    uint64_t binary_bytes;
    struct onn_hash binary_hash;
    struct onn_hash header_hash; /* of everything above */
};

static const char magic[8] = "oclnnbin";

enum oclnn_status onn_cache_find_dir(const char *wanted, char **out)
{
    *out = NULL;
    if (onn_env_has("OCLNN_CACHE", "off") || onn_fs_is_privileged() || (wanted && !*wanted))
        return OCLNN_OK;
    struct onn_str path = {0};
    const char *base = onn_env("XDG_CACHE_HOME"), *home = onn_env("HOME");
    if (wanted)
        onn_str_add(&path, "%s", wanted);
    else if (base && base[0] == '/') /* the XDG specification: ignore a relative one */
        onn_str_add(&path, "%s/oclnn", base);
    else if (home && home[0] == '/')
        onn_str_add(&path, "%s/.cache/oclnn", home);
    *out = path.length ? onn_strdup(onn_str_text(&path)) : NULL;
    enum oclnn_status status = *out || (onn_str_ok(&path) && !path.length) ? OCLNN_OK : OCLNN_ERROR_MEMORY;
    onn_str_finish(&path);
    return status;
}

/* A CPU's name does not tell its instruction set (driver and hypervisor shorten it), but binaries depend on it, and
 * home folders travel between machines. */
static struct onn_hash add_host_cpu(struct onn_hash key)
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned a = 0, b = 0, c = 0, d = 0, leaf7[3] = {0}, leaf1[3] = {0};
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        leaf1[0] = a;
        leaf1[1] = c;
        leaf1[2] = d; /* ebx holds the number of the core we run on */
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        leaf7[0] = b;
        leaf7[1] = c;
        leaf7[2] = d;
    }
    key = onn_hash_add(key, leaf1, sizeof leaf1);
    return onn_hash_add(key, leaf7, sizeof leaf7);
#else
    unsigned long caps[2] = {getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
    return onn_hash_add(key, caps, sizeof caps);
#endif
}

struct onn_hash onn_cache_device_key(const struct onn_device *device)
{
    const struct oclnn_device_info *info = &device->info;
    struct onn_hash key = {0};
    uint32_t version = FORMAT_VERSION;
    char platform[256] = "";
    clGetPlatformInfo(device->platform, CL_PLATFORM_VERSION, sizeof platform, platform, NULL);
    platform[sizeof platform - 1] = '\0';
    const char *texts[] = {info->name, info->vendor, info->driver, info->version, info->platform, platform};
    const uint64_t numbers[] = {(uint64_t)info->compute_units, info->max_group_size, info->local_bytes,
        onn_device_number(device->id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT),
        onn_device_number(device->id, CL_DEVICE_VENDOR_ID), sizeof(void *)};
    key = onn_hash_add(key, &version, sizeof version);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        key = onn_hash_add_text(key, texts[i]);
    key = onn_hash_add(key, numbers, sizeof numbers);
    return info->is_cpu ? add_host_cpu(key) : key;
}

static void file_name(struct onn_hash key, char out[40])
{
    char hex[ONN_HASH_HEX];
    onn_hash_hex(key, hex);
    snprintf(out, 40, "%s.bin", hex);
}

static struct header make_header(struct onn_hash key, const void *data, size_t bytes)
{
    struct header h;
    memset(&h, 0, sizeof h);
    memcpy(h.magic, magic, sizeof h.magic);
    h.version = FORMAT_VERSION;
    h.header_bytes = sizeof h;
    h.key = key;
    h.binary_bytes = bytes;
    h.binary_hash = onn_hash_bytes(data, bytes);
    h.header_hash = onn_hash_bytes(&h, offsetof(struct header, header_hash));
    return h;
}

void *onn_cache_read(const struct oclnn_context *ctx, struct onn_hash key, size_t *bytes)
{
    char name[40];
    char *file = NULL;
    size_t have;
    *bytes = 0;
    int dir = ctx->cache_dir ? onn_fs_open_private(ctx->cache_dir, false) : -1;
    if (dir < 0)
        return NULL;
    file_name(key, name);
    enum oclnn_status status = onn_fs_read_at(dir, name, MAX_FILE_BYTES, true, (void **)&file, &have);
    onn_fs_close(dir);
    if (status != OCLNN_OK)
        return NULL;
    /* The only good header is the one that we would write for these bytes and this key. */
    if (have > sizeof(struct header)) {
        size_t size = have - sizeof(struct header);
        struct header good = make_header(key, file + sizeof good, size);
        if (memcmp(file, &good, sizeof good) == 0) {
            memmove(file, file + sizeof good, size);
            *bytes = size;
            return file;
        }
    }
    onn_log(&ctx->log, OCLNN_LOG_INFO, "cache file %s is damaged: ignored", name);
    onn_free(file);
    return NULL;
}

void onn_cache_write(const struct oclnn_context *ctx, struct onn_hash key, const void *data, size_t bytes)
{
    char name[40];
    struct header h = make_header(key, data, bytes);
    if (!ctx->cache_dir || bytes == 0 || bytes > MAX_FILE_BYTES - sizeof h)
        return;
    int dir = onn_fs_open_private(ctx->cache_dir, true);
    char *file = dir >= 0 ? onn_alloc(sizeof h + bytes) : NULL;
    bool done = false;
    if (file) {
        file_name(key, name);
        memcpy(file, &h, sizeof h);
        memcpy(file + sizeof h, data, bytes);
        done = onn_fs_write_at(dir, name, file, sizeof h + bytes, false) == OCLNN_OK;
        onn_fs_trim_at(dir, LIMIT_BYTES);
    }
    if (!done)
        onn_log(&ctx->log, OCLNN_LOG_INFO, "program cache not written: %s", oclnn_error_text(ctx));
    onn_free(file);
    onn_fs_close(dir);
}
