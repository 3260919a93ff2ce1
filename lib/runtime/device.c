#include "runtime/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PLATFORMS 64
#define MAX_DEVICES 64 /* per platform */

bool onn_device_has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += length) {
        bool begins = at == list || at[-1] == ' ';
        if (begins && (at[length] == ' ' || at[length] == '\0'))
            return true;
    }
    return false;
}

char *onn_device_extensions(cl_device_id id)
{
    size_t size = 0;
    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &size) != CL_SUCCESS)
        size = 0;
    char *text = onn_calloc(size + 1, 1);
    if (text && size > 0 && clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, size, text, NULL) != CL_SUCCESS)
        text[0] = '\0';
    return text;
}

uint64_t onn_device_number(cl_device_id id, cl_device_info what)
{
    uint64_t value = 0;
    size_t size = 0;
    if (clGetDeviceInfo(id, what, sizeof value, &value, &size) != CL_SUCCESS)
        return 0;
    if (size == sizeof(uint32_t)) {
        uint32_t half;
        memcpy(&half, &value, sizeof half);
        return half;
    }
    return size == sizeof value ? value : 0;
}

/* A text that may be longer than its place: drivers pad with spaces and write novels. */
static void device_text(cl_device_id id, cl_device_info what, char *out, size_t size)
{
    char text[1024] = "";
    size_t need = 0;
    out[0] = '\0';
    if (clGetDeviceInfo(id, what, 0, NULL, &need) != CL_SUCCESS || need > sizeof text ||
        clGetDeviceInfo(id, what, sizeof text, text, NULL) != CL_SUCCESS)
        return;
    text[sizeof text - 1] = '\0';
    const char *begin = text + strspn(text, " ");
    size_t length = strlen(begin);
    while (length > 0 && begin[length - 1] == ' ')
        length--;
    snprintf(out, size, "%.*s", (int)length, begin);
}

static void device_uuid(cl_device_id id, const char *extensions, char *out, size_t size)
{
    unsigned char uuid[CL_UUID_SIZE_KHR];
    out[0] = '\0';
    if (!onn_device_has_word(extensions, "cl_khr_device_uuid") ||
        clGetDeviceInfo(id, CL_DEVICE_UUID_KHR, sizeof uuid, uuid, NULL) != CL_SUCCESS)
        return;
    size_t used = 0;
    for (int i = 0; i < CL_UUID_SIZE_KHR; i++) {
        const char *dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
        used += (size_t)snprintf(out + used, size - used, "%s%02x", dash, uuid[i]);
    }
}

enum oclnn_status onn_device_describe(cl_device_id id, struct onn_device *out)
{
    struct oclnn_device_info *info = &out->info;
    char *extensions = onn_device_extensions(id);
    if (!extensions)
        return OCLNN_ERROR_MEMORY;
    out->id = id;
    out->type = (cl_device_type)onn_device_number(id, CL_DEVICE_TYPE);
    clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof out->platform, &out->platform, NULL);
    device_text(id, CL_DEVICE_NAME, info->name, sizeof info->name);
    device_text(id, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
    device_text(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    device_text(id, CL_DEVICE_VERSION, info->version, sizeof info->version);
    char platform[256] = "";
    clGetPlatformInfo(out->platform, CL_PLATFORM_NAME, sizeof platform, platform, NULL);
    snprintf(info->platform, sizeof info->platform, "%.*s", (int)sizeof info->platform - 1, platform);
    snprintf(info->selector, sizeof info->selector, "%d:%d", out->platform_index, out->device_index);
    info->is_cpu = (out->type & CL_DEVICE_TYPE_CPU) != 0;
    info->is_gpu = (out->type & CL_DEVICE_TYPE_GPU) != 0;
    info->compute_units = (int)onn_device_number(id, CL_DEVICE_MAX_COMPUTE_UNITS);
    info->clock_mhz = (int)onn_device_number(id, CL_DEVICE_MAX_CLOCK_FREQUENCY);
    info->global_bytes = onn_device_number(id, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->max_alloc_bytes = onn_device_number(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    info->local_bytes = onn_device_number(id, CL_DEVICE_LOCAL_MEM_SIZE);
    info->max_group_size = onn_device_number(id, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    info->has_fp16 = onn_device_has_word(extensions, "cl_khr_fp16");
    info->has_fp64 = onn_device_has_word(extensions, "cl_khr_fp64");
    info->unified_memory = onn_device_number(id, CL_DEVICE_HOST_UNIFIED_MEMORY) != 0;
    device_uuid(id, extensions, out->uuid, sizeof out->uuid);
    out->simulator = onn_probe_is_simulator(out);
    onn_free(extensions);
    return OCLNN_OK;
}

static enum oclnn_status platform_devices(cl_platform_id platform, int index, struct onn_device **devices,
    int *count, int *capacity)
{
    cl_device_id ids[MAX_DEVICES];
    cl_uint found = 0;
    /* CL_DEVICE_NOT_FOUND is normal, and a platform that fails otherwise must not hide the others. */
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MAX_DEVICES, ids, &found) != CL_SUCCESS)
        return OCLNN_OK;
    for (cl_uint i = 0; i < found && i < MAX_DEVICES; i++) {
        if (!onn_array_grow((void **)devices, *count, capacity, sizeof **devices))
            return OCLNN_ERROR_MEMORY;
        struct onn_device *d = &(*devices)[*count];
        *d = (struct onn_device){.platform_index = index, .device_index = (int)i};
        enum oclnn_status status = onn_device_describe(ids[i], d);
        if (status != OCLNN_OK)
            return status;
        d->platform = platform;
        ++*count;
    }
    return OCLNN_OK;
}

enum oclnn_status onn_device_find_all(struct onn_device **out, int *count)
{
    enum oclnn_status status = OCLNN_OK;
    struct onn_device *devices = NULL;
    int have = 0, capacity = 0;
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint found = 0;
    *out = NULL;
    *count = 0;
    cl_int code = clGetPlatformIDs(MAX_PLATFORMS, platforms, &found);
    ONN_CHECK(code == CL_SUCCESS && found > 0, OCLNN_ERROR_NO_DEVICE,
        "no OpenCL platform found (%s): install an OpenCL driver (ICD) for a GPU or for this CPU",
        onn_cl_name(code == CL_SUCCESS ? CL_PLATFORM_NOT_FOUND_KHR : code));
    for (cl_uint i = 0; i < found && i < MAX_PLATFORMS; i++)
        ONN_TRY(platform_devices(platforms[i], (int)i, &devices, &have, &capacity));
    *out = devices;
    *count = have;
    return OCLNN_OK;
fail:
    onn_free(devices);
    return status;
}

enum oclnn_status oclnn_device_list(struct oclnn_device_info *out, int capacity, int *count)
{
    if (!count || capacity < 0 || (capacity > 0 && !out))
        return onn_error(OCLNN_ERROR_ARGUMENT,
            "oclnn_device_list: count is NULL or out does not fit capacity");
    struct onn_device *devices;
    enum oclnn_status status = onn_device_find_all(&devices, count);
    if (status != OCLNN_OK)
        return status;
    for (int i = 0; i < *count && i < capacity; i++)
        out[i] = devices[i].info;
    onn_free(devices);
    return OCLNN_OK;
}
