/* What the tests of this room share: a context with a cache folder of its own. */
#ifndef TEST_RUNTIME_COMMON_H
#define TEST_RUNTIME_COMMON_H

#include "runtime/context.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SKIPPED 77 /* exit status: there is no device */

static inline void must(enum oclnn_status status)
{
    if (status != OCLNN_OK)
        fail_msg("%s: %s", oclnn_status_name(status), oclnn_error_text(NULL));
}

static inline bool has_device(void)
{
    int count = 0;
    return oclnn_device_list(NULL, 0, &count) == OCLNN_OK && count > 0;
}

static inline void make_folder(char out[64])
{
    strcpy(out, "/tmp/oclnn-test-XXXXXX");
    assert_non_null(mkdtemp(out));
}

/* Calls `each` for every file with this ending; NULL counts only. */
static inline int for_files(const char *folder, const char *ending, void (*each)(const char *path))
{
    int count = 0;
    DIR *list = opendir(folder);
    for (struct dirent *e = list ? readdir(list) : NULL; e; e = readdir(list)) {
        size_t length = strlen(e->d_name), tail = strlen(ending);
        char path[512];
        if (e->d_name[0] == '.' || length < tail || strcmp(e->d_name + length - tail, ending) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        count++;
        if (each)
            each(path);
    }
    if (list)
        closedir(list);
    return count;
}

static inline void remove_file(const char *path)
{
    unlink(path);
}

static inline void remove_folder(const char *folder)
{
    for_files(folder, "", remove_file);
    rmdir(folder);
}

static inline struct oclnn_context *open_context(const char *cache_dir)
{
    struct oclnn_context *ctx = NULL;
    must(oclnn_context_create(&(struct oclnn_context_params){.cache_dir = cache_dir}, &ctx));
    return ctx;
}

/* The text before the embedded kernels: a kernel of our own in a program of the library's. */
#define TEST_KERNEL \
    "__kernel void test_add(__global float *x, float y, __local float *scratch)\n" \
    "{ size_t i = get_global_id(0); scratch[get_local_id(0)] = y; x[i] += scratch[get_local_id(0)] * PLUS; " \
    "}\n"

#endif
